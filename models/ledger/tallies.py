"""Counting rows, for the auditor, the coverage and the metrics. No window anywhere: all rows count."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, case, func, select, text

from models.core.vocabulary import AlertKind, AlertState
from models.ledger import deadletters
from models.ledger.clocks import CLOCK, OPEN
from models.ledger.outbox import ALERT, DEAD_AND_NEEDED
from models.ledger.signals import SIGNAL
from models.records import Step

STEP = Step.__table__  # type: ignore[attr-defined]


def clocks_by_state(conn: Connection) -> dict[str, int]:
    return _by(conn, CLOCK.c.state)


def alerts_by_state(conn: Connection) -> dict[str, int]:
    return _by(conn, ALERT.c.state)


def signals_by_source(conn: Connection) -> dict[str, int]:
    return _by(conn, SIGNAL.c.source_id)


def dead_letters_by_source(conn: Connection) -> dict[str, int]:
    """Those that nobody has mended or dropped."""
    return deadletters.by_source(conn)


def _by(conn: Connection, column: Column[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in conn.execute(select(column, func.count()).group_by(column))}


def steps_overdue(conn: Connection, before: datetime) -> tuple[int, datetime | None]:
    """How many clocks have a step that could have been raised before this and is not, and the oldest moment from when
    it could: due, and its clock there. A limit that had passed when its clock was set is not late at once."""
    late = (CLOCK.c.next_step_at < before) & (CLOCK.c.created_at < before)
    able = case((CLOCK.c.created_at > CLOCK.c.next_step_at, CLOCK.c.created_at), else_=CLOCK.c.next_step_at)
    count, oldest = conn.execute(select(func.count(), func.min(able)).where(late)).one()
    return count, oldest


def alerts_waiting(conn: Connection, before: datetime) -> int:
    """Alerts raised before this, or let go by quiet hours before it, that no channel has accepted. Tests of
    reach tell of themselves."""
    about_something = func.coalesce(ALERT.c.kind, AlertKind.STEP.value) != AlertKind.TEST.value
    since = func.coalesce(ALERT.c.not_before, ALERT.c.raised_at, type_=ALERT.c.raised_at.type)
    waiting = (ALERT.c.state == AlertState.QUEUED.value) & (since < before) & about_something
    return conn.execute(select(func.count()).where(waiting)).scalar_one()


def alerts_dead(conn: Connection) -> int:
    """Alerts that no contact took, about clocks that still run."""
    return conn.execute(select(func.count()).where(DEAD_AND_NEEDED)).scalar_one()


def notices_dead(conn: Connection, since: datetime) -> int:
    """Notices raised since then that no contact took. Tests of reach tell of themselves."""
    dead = (ALERT.c.state == AlertState.DEAD.value) & (ALERT.c.kind == AlertKind.NOTICE.value)
    return conn.execute(select(func.count()).where(dead, ALERT.c.raised_at > since)).scalar_one()


def clocks_without_next(conn: Connection) -> int:
    """Open clocks that repeat and yet have no next step: no sweep would ever look at them again."""
    lost = CLOCK.c.next_step_at.is_(None) & CLOCK.c.repeat_s.is_not(None)
    return conn.execute(select(func.count()).where(CLOCK.c.state.in_(OPEN), lost)).scalar_one()


def oldest_unjudged(conn: Connection) -> datetime | None:
    """When the oldest signal that nobody has judged came in: signals are numbered as they come."""
    oldest = select(SIGNAL.c.seen_at).where(SIGNAL.c.triaged_at.is_(None)).order_by(SIGNAL.c.id).limit(1)
    return conn.execute(oldest).scalar()


_ENDS = text("""
    SELECT whole.relname, max(substring(pg_get_expr(part.relpartbound, part.oid) FROM 'TO .''([^'']+)''')::timestamptz)
    FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid JOIN pg_class AS whole ON whole.oid = inhparent
    WHERE whole.relkind = 'p' AND whole.relnamespace = current_schema()::regnamespace
    GROUP BY whole.relname
""")


def partitions_end(conn: Connection) -> dict[str, datetime]:
    """table → when the last month that is made for it ends; empty where tables are whole (SQLite)."""
    if conn.dialect.name != "postgresql":
        return {}
    return {name: until for name, until in conn.execute(_ENDS) if until is not None}


def worst_lateness_s(conn: Connection) -> float:
    """The worst lateness of any step that spoke, in seconds of the site's time."""
    worst = conn.execute(select(func.max(STEP.c.late_ms)).where(STEP.c.skipped.is_(False))).scalar()
    return (worst or 0) / 1000
