"""Whose an incident is: the units that lead it or stand beside it, for accounts that see only their units'."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from models.ledger import dossiers, incidents, statements
from models.ledger.incidents import NoSuchIncident
from models.ledger.parties import LIVE, PARTY
from models.ledger.store import NotThere
from models.records import Incident

INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
_HOMES: dict[str, Callable[[Connection, str], Row[Any]]] = {
    "statement": statements.get,
    "dossier": dossiers.find,
}
"""What belongs to an incident and has an address of its own, found as whoever asks for it finds it: by a number
that may be cut short."""


def home(conn: Connection, kind: str, number: str) -> str | None:
    """The incident that a statement or a dossier belongs to; None when there is no such one."""
    try:
        return str(_HOMES[kind](conn, number).incident_id)
    except NotThere:
        return None


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
    return frozenset(conn.execute(select(INCIDENT.c.id).where(theirs(units))).scalars())


def among(conn: Connection, ids: Collection[str], units: Collection[str]) -> frozenset[str]:
    """Of these incidents those that such units may see."""
    query = select(INCIDENT.c.id).where(INCIDENT.c.id.in_(list(ids)), theirs(units))
    return frozenset(conn.execute(query).scalars())


def theirs(units: Collection[str]) -> ColumnElement[bool]:
    """Of an incident: such units own it, stand beside it, or nobody owns it yet."""
    chosen: Any = list(units)
    beside = select(PARTY.c.incident_id).where(PARTY.c.unit.in_(chosen), PARTY.c.state.in_(LIVE))
    return or_(INCIDENT.c.owner.is_(None), INCIDENT.c.owner.in_(chosen), INCIDENT.c.id.in_(beside))
