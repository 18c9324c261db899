"""What lies before one person now: what they were told of, acknowledged or took, most pressing first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    case,
    false,
    func,
    or_,
    select,
    true,
)

from models.core.moment import iso
from models.core.vocabulary import OPEN_STATES, AlertKind, StartEvent
from models.ledger import views
from models.ledger.incidents import ACK, INCIDENT, TIME
from models.ledger.notices import ALERT
from models.records import Clock

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
SHOWN = 60
"""Incidents on one page: a phone holds no more, and the page says how many are left out."""


@dataclass(frozen=True, slots=True)
class Held:
    """One incident and how it stands with the person. `waits`: for their word, since they never acknowledged it, or
    were told of something new since; not while they sleep on it. Who holds it is waited for only where they have not
    acknowledged its grade. `told_at`: their newest alert about it."""

    id: str
    waits: bool
    taken: bool
    asleep: bool
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hand:
    """The most pressing ones, and how many there are in all and wait for the person."""

    held: Sequence[Held]
    total: int
    waiting: int


def mine(conn: Connection, person: str, now: datetime, limit: int = SHOWN) -> Hand:
    """The open incidents of this person, what waits for them first, then by the nearest limit."""
    own = _own(person, now).subquery()
    counted = (func.count().over().label("total"), func.sum(own.c.waits).over().label("waiting"))
    place = (own.c.waits.desc(), own.c.asleep, own.c.due.is_(None), own.c.due, own.c.id)
    rows = conn.execute(select(own, *counted).order_by(*place).limit(limit)).all()
    held = [Held(row.id, bool(row.waits), bool(row.taken), bool(row.asleep), row.told) for row in rows]
    return Hand(held, int(rows[0].total), int(rows[0].waiting)) if rows else Hand((), 0, 0)


def _own(person: str, now: datetime) -> Select[Any]:
    """Every open incident that this person was told of, acknowledged or took, with what decides its place."""
    own_alert, own_ack = ALERT.c.person_id == person, ACK.c.person_id == person
    step = case(
        (ALERT.c.kind == AlertKind.STEP.value, ALERT.c.raised_at)
    )  # a notice is nothing to acknowledge
    told = _newest(ALERT, step, own_alert)
    acked = _newest(ACK, ACK.c.at, own_ack & ACK.c.until.is_(None))
    snoozed = _newest(ACK, ACK.c.at, own_ack & (ACK.c.until > now))
    graded = _newest(TIME, TIME.c.recorded_at, TIME.c.event == StartEvent.GRADED.value)
    open_ = CLOCK.c.state.in_([state.value for state in OPEN_STATES])
    due = _newest(CLOCK, CLOCK.c.due_at, open_, func.min)
    taken = func.coalesce(INCIDENT.c.holder == person, false())
    asleep = (
        snoozed.c.at.is_not(None) & acked.c.at.is_(None) & func.coalesce(graded.c.at <= snoozed.c.at, true())
    )
    graver = acked.c.at.is_(None) | (graded.c.at > acked.c.at)
    news = graver | (~taken & (told.c.at > acked.c.at))
    columns = (
        INCIDENT.c.id,
        case((asleep, 0), (news, 1), else_=0).label("waits"),
        case((taken, 1), else_=0).label("taken"),
        case((asleep, 1), else_=0).label("asleep"),
        told.c.at.label("told"),
        due.c.at.label("due"),
    )
    joined = INCIDENT
    for side in (told, acked, snoozed, graded, due):
        joined = joined.outerjoin(side, side.c.incident_id == INCIDENT.c.id)  # type: ignore[assignment]
    theirs = or_(told.c.incident_id.is_not(None), acked.c.at.is_not(None), INCIDENT.c.holder == person)
    return select(*columns).select_from(joined).where(INCIDENT.c.closed_at.is_(None), theirs)


def _newest(table: Table, column: Any, which: ColumnElement[bool], of: Any = func.max) -> Subquery:
    """incident_id and `at`: the newest (or with `of` the first) moment of each open incident's rows."""
    still = table.c.incident_id.in_(select(INCIDENT.c.id).where(INCIDENT.c.closed_at.is_(None)))
    found = select(table.c.incident_id, of(column, type_=ALERT.c.raised_at.type).label("at"))
    return found.where(which, still).group_by(table.c.incident_id).subquery()


def drawn(conn: Connection, held: Sequence[Held], now: datetime, names: views.Names) -> list[dict[str, Any]]:
    """The incidents in the board's shape, in the order given, each with `waits`, `taken`, `asleep`, `told_at`."""
    query = select(INCIDENT).where(INCIDENT.c.id.in_([one.id for one in held]))
    found = {one["id"]: one for one in views.drawn(conn, query, now, names)}
    return [
        found[one.id]
        | {
            "waits": one.waits,
            "taken": one.taken,
            "asleep": one.asleep,
            "told_at": one.told_at and iso(one.told_at),
        }
        for one in held
        if one.id in found
    ]
