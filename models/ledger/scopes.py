"""Whose an incident is: the units that lead it or stand beside it, for accounts that see only their units'."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, or_, select

from models.ledger import incidents
from models.ledger.incidents import NoSuchIncident
from models.ledger.parties import LIVE, PARTY
from models.records import Dossier, Incident, Statement

INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
_HOMES: dict[str, Table] = {
    "statement": Statement.__table__,  # type: ignore[attr-defined]
    "dossier": Dossier.__table__,  # type: ignore[attr-defined]
}
"""What belongs to an incident and has an address of its own."""


def home(conn: Connection, kind: str, number: str) -> str | None:
    """The incident that a statement or a dossier belongs to."""
    table = _HOMES[kind]
    return conn.execute(select(table.c.incident_id).where(table.c.id == number)).scalar()


def units_of(conn: Connection, incident_id: str) -> frozenset[str] | None:
    """The units of an incident, empty while nobody owns it; None when there is no such incident."""
    try:
        row = incidents.get(conn, incident_id)
    except NoSuchIncident:
        return None
    if row.owner is None:
        return frozenset()
    parts = select(PARTY.c.unit).where(PARTY.c.incident_id == row.id, PARTY.c.state.in_(LIVE))
    return frozenset({row.owner, *conn.execute(parts).scalars()})


def visible(conn: Connection, units: Collection[str]) -> frozenset[str]:
    """The ids of every incident that such units own, stand beside, or that nobody owns yet."""
    chosen: Any = list(units)
    beside = select(PARTY.c.incident_id).where(PARTY.c.unit.in_(chosen), PARTY.c.state.in_(LIVE))
    theirs = or_(INCIDENT.c.owner.is_(None), INCIDENT.c.owner.in_(chosen), INCIDENT.c.id.in_(beside))
    return frozenset(conn.execute(select(INCIDENT.c.id).where(theirs)).scalars())
