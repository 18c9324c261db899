"""What trends and the board's numbers are made of: clocks that ended, incidents that were opened. Read only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, func, select

from models.core.trends import Ended, Noticed
from models.core.vocabulary import ClockState, EvidenceKind, Grade
from models.ledger import scopes
from models.ledger.board_view import ACK
from models.ledger.views import CLOCK, EVIDENCE, INCIDENT, JUDGEMENT, OPEN, SIGNAL

UNGIVEN = "未定责任单位"
_SIGNED = [EvidenceKind.ACKNOWLEDGEMENT.value]
_SETTLED = (ClockState.MET.value, ClockState.MET_LATE.value, ClockState.WAIVED.value)
A_MOMENT = timedelta(seconds=1)
"""What is opened at this very moment has been opened."""
Names = Callable[[str], str]
"""A unit as it is written → as it is called."""


def ended(
    conn: Connection,
    since: datetime,
    until: datetime,
    now: datetime,
    units: frozenset[str] | None,
    unit: Names,
) -> list[Ended]:
    """Clocks whose limit fell into the time and is past, or that were settled before it; limits that the work
    itself set, and incidents that went into another, are left out."""
    query = (
        select(CLOCK, INCIDENT.c.grade, INCIDENT.c.owner, EVIDENCE.c.published_at)
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .join(EVIDENCE, EVIDENCE.c.id == CLOCK.c.evidence_id, isouter=True)
        .where(CLOCK.c.due_at >= since, CLOCK.c.due_at < until, CLOCK.c.subject.is_(None))
        .where(CLOCK.c.state.in_((*OPEN, *_SETTLED)), INCIDENT.c.merged_into.is_(None))
    )
    rows = conn.execute(_bounded(query, units))
    return [_ended(row, unit) for row in rows if row.state in _SETTLED or row.due_at <= now]


def _ended(row: Row[Any], unit: Names) -> Ended:
    late = row.ended_at is not None and row.ended_at > row.due_at
    waived_late = row.state == ClockState.WAIVED.value and late
    state = ClockState.BREACHED if row.state in OPEN or waived_late else ClockState(row.state)
    took = row.state in (ClockState.MET.value, ClockState.MET_LATE.value)
    end = row.published_at or row.ended_at
    return Ended(
        row.rule_id,
        unit(row.owner) if row.owner else UNGIVEN,
        Grade(row.grade),
        state,
        row.due_at,
        (end - row.started_at).total_seconds() if took and end else None,
        row.evidence == _SIGNED,
    )


def noticed(
    conn: Connection, since: datetime, until: datetime, units: frozenset[str] | None, unit: Names
) -> list[Noticed]:
    """Incidents that were opened in the time, and how long until the first acknowledgement."""
    first = _first_acks()
    query = (
        select(INCIDENT.c.owner, INCIDENT.c.grade, INCIDENT.c.opened_at, first.c.at)
        .join(first, first.c.incident_id == INCIDENT.c.id, isouter=True)
        .where(INCIDENT.c.opened_at >= since, INCIDENT.c.opened_at < until, INCIDENT.c.merged_into.is_(None))
    )
    return [
        Noticed(
            unit(row.owner) if row.owner else UNGIVEN,
            Grade(row.grade),
            row.opened_at,
            max(0.0, (row.at - row.opened_at).total_seconds()) if row.at else None,
        )
        for row in conn.execute(_bounded(query, units))
    ]


def _first_acks() -> Subquery:
    return (
        select(ACK.c.incident_id, func.min(ACK.c.at).label("at"))
        .where(ACK.c.until.is_(None))
        .group_by(ACK.c.incident_id)
        .subquery()
    )


def _bounded(query: Select[Any], units: frozenset[str] | None) -> Select[Any]:
    return query if units is None else query.where(INCIDENT.c.owner.in_(sorted(units)))


def since(
    conn: Connection, starts: dict[str, datetime], now: datetime, units: frozenset[str] | None = None
) -> Iterator[dict[str, Any]]:
    """For each start: key, since, received (signals), opened, on_time, late (answers; the open ones that are
    overdue too), ack_s (the median wait for an acknowledgement, or None). `units`: of what such units may see."""
    oldest = min(starts.values())
    waits = [(row.opened_at, row.after_s) for row in noticed(conn, oldest, now + A_MOMENT, units, str)]
    heard, clocks = _heard(units), _clocks(units)
    for key, start in starts.items():
        told = [after for opened, after in waits if opened >= start and after is not None]
        yield {
            "key": key,
            "since": start.isoformat(),
            "received": _count(conn, SIGNAL, SIGNAL.c.seen_at >= start, *heard),
            "opened": sum(opened >= start for opened, _ in waits),
            **_answers(conn, start, now, clocks),
            "ack_s": round(median(told), 1) if told else None,
        }


def _count(conn: Connection, table: Any, *rules: Any) -> int:
    return conn.execute(select(func.count()).select_from(table).where(*rules)).scalar_one()


def _heard(units: frozenset[str] | None) -> list[Any]:
    """Of a signal: it belongs to an incident of such units."""
    if units is None:
        return []
    ours = select(INCIDENT.c.id).where(scopes.theirs(units))
    return [SIGNAL.c.id.in_(select(JUDGEMENT.c.signal_id).where(JUDGEMENT.c.incident_id.in_(ours)))]


def _clocks(units: frozenset[str] | None) -> list[Any]:
    """Of a clock, the same."""
    return (
        [] if units is None else [CLOCK.c.incident_id.in_(select(INCIDENT.c.id).where(scopes.theirs(units)))]
    )


def _answers(conn: Connection, start: datetime, now: datetime, which: list[Any]) -> dict[str, int]:
    """By proof alone: an acknowledgement is no answer."""
    proven = (CLOCK.c.ended_at >= start, CLOCK.c.evidence_id.is_not(None), *which)
    overdue = (CLOCK.c.ended_at.is_(None), CLOCK.c.state.in_(OPEN), *which)
    passed = (CLOCK.c.due_at >= start, CLOCK.c.due_at <= now, CLOCK.c.rule_id != "acknowledge")
    late = _count(conn, CLOCK, *proven, CLOCK.c.state == ClockState.MET_LATE.value)
    return {
        "on_time": _count(conn, CLOCK, *proven, CLOCK.c.state == ClockState.MET.value),
        "late": late + _count(conn, CLOCK, *overdue, *passed),
    }
