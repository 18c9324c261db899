"""The board as the database draws it: a stretch of the open incidents, found, ordered and counted by SQL.

Its cost follows the number of open incidents, not of all that ever were, and the details of no more
incidents are read than are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)

from models.core.boards import NO_KIND, UNGIVEN, Standing, Wanted
from models.core.casework import PartyState
from models.core.vocabulary import AlertState, ClockState
from models.ledger import views
from models.ledger.views import ALERT, CLOCK, INCIDENT, OPEN, STEP
from models.records import Ack, Party

__all__ = ["CLOCK", "INCIDENT", "STEP"]

ACK: Table = Ack.__table__  # type: ignore[attr-defined]
PARTY: Table = Party.__table__  # type: ignore[attr-defined]
LIVE = (PartyState.ASKED.value, PartyState.CLAIMED.value)
ENDED = (ClockState.MET.value, ClockState.MET_LATE.value, ClockState.WAIVED.value)
View = dict[str, Any]
Names = dict[str, str]


def window(conn: Connection, wanted: Wanted, now: datetime, names: Names) -> list[View]:
    """The incidents that `wanted` asks for, the most pressing first, in the shape of the board."""
    ids = ranked(conn, wanted, now)
    shown = {one["id"]: one for one in views.drawn(conn, _rows(ids), now, names)}
    return [shown[incident_id] for incident_id in ids]


def ranked(conn: Connection, wanted: Wanted, now: datetime) -> list[str]:
    """Their numbers alone, in that order: what is sorted carries no details.

    By the limit that comes next, or has passed longest ago; without one last; I sorts before II.
    """
    due = _next_limit()
    query = select(INCIDENT.c.id).where(*_which(wanted, now))
    query = query.order_by(due.nulls_last(), INCIDENT.c.grade, INCIDENT.c.id)
    if wanted.limit is not None:
        query = query.limit(wanted.limit).offset(wanted.offset)
    return list(conn.execute(query).scalars())


def _rows(ids: Sequence[str]) -> Select[Any]:
    return select(INCIDENT).where(INCIDENT.c.id.in_(ids))


def found(conn: Connection, wanted: Wanted, now: datetime) -> int:
    """How many there are of them, shown or not."""
    return conn.execute(select(func.count()).select_from(INCIDENT).where(*_which(wanted, now))).scalar_one()


def _next_limit() -> ScalarSelect[Any]:
    """One look into an index for each incident: quick whether or not the database has statistics."""
    return select(func.min(CLOCK.c.due_at)).where(*_running()).scalar_subquery()


def _running() -> tuple[ColumnElement[bool], ...]:
    return CLOCK.c.incident_id == INCIDENT.c.id, CLOCK.c.ended_at.is_(None), CLOCK.c.state.in_(OPEN)


def _which(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    rules = _scope(wanted)
    if wanted.ids is not None:
        rules.append(INCIDENT.c.id.in_(sorted(wanted.ids)))
    if wanted.unit:
        rules.append(_of_units(frozenset({wanted.unit})))
    if wanted.grades:
        rules.append(INCIDENT.c.grade.in_(sorted(wanted.grades)))
    if wanted.kinds:
        rules.append(_of_kinds(wanted.kinds))
    if wanted.standings:
        rules.append(or_(*(_standing(one, now) for one in sorted(wanted.standings))))
    return [*rules, *(_says(word) for word in wanted.text.split())]


def _scope(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [INCIDENT.c.closed_at.is_(None), *([] if wanted.units is None else [_of_units(wanted.units)])]


def _of_units(units: frozenset[str]) -> ColumnElement[bool]:
    """Those that one of the units leads or was asked for."""
    named = sorted(units - {UNGIVEN})
    asked = exists().where(
        PARTY.c.incident_id == INCIDENT.c.id, PARTY.c.unit.in_(named), PARTY.c.state.in_(LIVE)
    )
    theirs = or_(INCIDENT.c.owner.in_(named), asked)
    return or_(theirs, INCIDENT.c.owner.is_(None)) if UNGIVEN in units else theirs


def _of_kinds(kinds: frozenset[str]) -> ColumnElement[bool]:
    known = INCIDENT.c.kind.in_(sorted(kinds - {NO_KIND}))
    return or_(known, INCIDENT.c.kind.is_(None)) if NO_KIND in kinds else known


def _standing(one: Standing, now: datetime) -> ColumnElement[bool]:
    warned, late = CLOCK.c.state == ClockState.AT_RISK.value, CLOCK.c.due_at <= now
    rules: dict[Standing, Callable[[], ColumnElement[bool]]] = {
        Standing.UNACKED: lambda: ~_acked(),
        Standing.UNTIMED: lambda: ~exists().where(*_running()),
        Standing.BREACHED: lambda: exists().where(*_running(), late),
        Standing.AT_RISK: lambda: exists().where(*_running(), ~late, warned),
        Standing.RUNNING: lambda: exists().where(*_running(), ~late, ~warned),
    }
    return rules[one]()


def _acked() -> ColumnElement[bool]:
    return exists().where(ACK.c.incident_id == INCIDENT.c.id, ACK.c.until.is_(None))


def _says(word: str) -> ColumnElement[bool]:
    columns = (INCIDENT.c.title, INCIDENT.c.ref, INCIDENT.c.place)
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def counts(conn: Connection, wanted: Wanted, now: datetime) -> dict[str, int]:
    """The same numbers as `views.counts` over the whole of what `wanted.units` may see."""
    whole = Wanted(units=wanted.units)
    return {
        "open": found(conn, whole, now),
        "unacked": found(conn, replace(whole, standings=frozenset({Standing.UNACKED})), now),
        **_open_clocks(conn, wanted, now),
        **_ended_clocks(conn, wanted),
    }


def _open_clocks(conn: Connection, wanted: Wanted, now: datetime) -> dict[str, int]:
    """One pass over the index of open clocks, without sorting them into groups."""
    late, armed = CLOCK.c.due_at <= now, CLOCK.c.state == ClockState.ARMED.value
    warned = CLOCK.c.state == ClockState.AT_RISK.value
    query = select(
        func.count().label("all"),
        _sum(armed).label("armed"),
        _sum(and_(~armed, late)).label("breached"),
        _sum(and_(warned, ~late)).label("at_risk"),
    ).where(CLOCK.c.ended_at.is_(None), CLOCK.c.state != ClockState.SUPERSEDED.value)
    if wanted.units is not None:
        query = query.where(CLOCK.c.incident_id.in_(select(INCIDENT.c.id).where(*_scope(wanted))))
    row = dict(conn.execute(query).mappings().one())
    every = row.pop("all")
    return row | {"running": every - sum(row.values())}


def _sum(rule: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((rule, 1)))


def _ended_clocks(conn: Connection, wanted: Wanted) -> dict[str, int]:
    query = (
        select(CLOCK.c.state, func.count())
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .where(*_scope(wanted), CLOCK.c.state.in_(ENDED))
        .group_by(CLOCK.c.state)
    )
    return dict.fromkeys(ENDED, 0) | {row[0]: row[1] for row in conn.execute(query)}


def owners(conn: Connection) -> list[str]:
    """The units that lead an open incident."""
    query = select(INCIDENT.c.owner).where(INCIDENT.c.closed_at.is_(None), INCIDENT.c.owner.is_not(None))
    return list(conn.execute(query.distinct().order_by(INCIDENT.c.owner)).scalars())


def undelivered(conn: Connection, clock_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """clock → how many of its alerts a channel took, and how many no channel could be found for."""
    query = select(ALERT.c.clock_id, ALERT.c.state, func.count()).where(ALERT.c.clock_id.in_(clock_ids))
    made: dict[str, dict[str, int]] = {}
    for clock, state, count in conn.execute(query.group_by(ALERT.c.clock_id, ALERT.c.state)):
        made.setdefault(clock, {})[state] = count
    taken, dead = AlertState.ACCEPTED.value, AlertState.DEAD.value
    return {clock: (by.get(taken, 0), by.get(dead, 0)) for clock, by in made.items()}


def planned(conn: Connection, clock_ids: Sequence[str]) -> dict[str, datetime]:
    """clock → when it was planned, which may be long after its start."""
    query = select(CLOCK.c.id, CLOCK.c.created_at).where(CLOCK.c.id.in_(clock_ids))
    return {row.id: row.created_at for row in conn.execute(query)}
