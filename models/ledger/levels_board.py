"""How an installation stands as a whole, for the level above; and what the lower ones said last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from models.core.boards import EVERYTHING
from models.core.moment import iso, parse_iso
from models.core.personal import mask_personal
from models.core.vocabulary import ClockState, Grade, Stage
from models.ledger import board_view, journal, levels
from models.ledger.board_view import CLOCK, INCIDENT
from models.ledger.clocks import LIVE
from models.records import LowerBoard

LOWER: Table = LowerBoard.__table__  # type: ignore[attr-defined]
NEAREST = 5
View = dict[str, Any]


def summary(conn: Connection, now: datetime, titles: str) -> View:
    """at, grades {I…IV: open}, open, unacked, clocks {running, at_risk, breached, armed}, nearest, journal."""
    counts = board_view.counts(conn, EVERYTHING, now)
    seq, head = journal.length(conn)
    return {
        "at": iso(now),
        "grades": _grades(conn),
        "open": counts["open"],
        "unacked": counts["unacked"],
        "clocks": {name: counts[name] for name in ("running", "at_risk", "breached", "armed")},
        "nearest": [_near(row, titles, now) for row in _nearest(conn)],
        "journal": {"seq": seq, "hash": head},
    }


def _grades(conn: Connection) -> dict[str, int]:
    query = select(INCIDENT.c.grade, func.count()).where(INCIDENT.c.closed_at.is_(None))
    found = {row[0]: row[1] for row in conn.execute(query.group_by(INCIDENT.c.grade))}
    return {grade.value: found.get(grade.value, 0) for grade in Grade}


def _nearest(conn: Connection) -> list[Row[Any]]:
    """The open clocks that press most: what passed longest ago, then what comes next."""
    query = (
        select(
            CLOCK.c.name, CLOCK.c.state, CLOCK.c.due_at, INCIDENT.c.ref, INCIDENT.c.title, INCIDENT.c.grade
        )
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .where(CLOCK.c.ended_at.is_(None), CLOCK.c.state != ClockState.ARMED.value)
        .order_by(CLOCK.c.due_at, CLOCK.c.id)
        .limit(NEAREST)
    )
    return list(conn.execute(query))


def _near(row: Row[Any], titles: str, now: datetime) -> View:
    said = {"full": row.title, "masked": mask_personal(row.title)}.get(titles)
    state = ClockState.BREACHED.value if row.due_at <= now else row.state
    return {
        "ref": row.ref,
        "title": said,
        "grade": row.grade,
        "clock": row.name,
        "state": state,
        "due_at": iso(row.due_at),
    }


def standing(conn: Connection, incident_id: str) -> View:
    """How an incident that we took over stands, for whom it came from: without a time of its own, so that it can
    be compared with what was told before."""
    row = levels.whole(conn, incident_id)
    query = select(CLOCK).where(
        CLOCK.c.incident_id == row.id,
        CLOCK.c.subject.is_(None),
        CLOCK.c.state.in_((*LIVE, *board_view.ENDED)),
    )
    clocks = conn.execute(query.order_by(CLOCK.c.due_at, CLOCK.c.id).limit(200)).all()
    return {
        "ref": row.ref,
        "title": mask_personal(row.title)[:500],
        "grade": row.grade,
        "stage": Stage(row.stage).zh,
        "closed_at": iso(row.closed_at) if row.closed_at else None,
        "clocks": [_there(clock) for clock in clocks],
    }


def _there(clock: Row[Any]) -> View:
    return {
        "rule_id": clock.rule_id,
        "name": clock.name,
        "state": clock.state,
        "due_at": iso(clock.due_at),
        "ended_at": iso(clock.ended_at) if clock.ended_at else None,
        "ended_reason": mask_personal(clock.ended_reason)[:500] if clock.ended_reason else None,
    }


def heard(conn: Connection, now: datetime, neighbour: str, body: Mapping[str, Any]) -> bool:
    """Keep what a lower one says of itself; False for what is older than what we know."""
    known = conn.execute(select(LOWER.c.at).where(LOWER.c.neighbour == neighbour)).scalar()
    at = parse_iso(body["at"])
    if known is not None and at <= known:
        return False
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    row = {"neighbour": neighbour, "at": at, "heard_at": now, "body": dict(body)}
    insert = dialect.insert(LOWER).values(row)
    conn.execute(insert.on_conflict_do_update(index_elements=["neighbour"], set_=row))
    return True


def lower(conn: Connection) -> dict[str, Row[Any]]:
    """neighbour → what it said last."""
    return {row.neighbour: row for row in conn.execute(select(LOWER))}
