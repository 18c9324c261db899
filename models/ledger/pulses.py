"""How many signals each hour brings, by source, medium, place and topic; and the bursts that were told.

Kept by triage in its own transaction, so that asking what is usual costs the same however much is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Table, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from models.ledger.signals import SIGNAL
from models.records import Judgement, Pulse, Surge

PULSE: Table = Pulse.__table__  # type: ignore[attr-defined]
SURGE: Table = Surge.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
KEPT = timedelta(days=70)
"""Ten weeks: eight to compare with, and two to spare."""
TOGETHER = 2_000
"""Rows in memory at a time."""
SLICE = 900
"""Numbers in one question; databases take only so many."""


class Beat(NamedTuple):
    """One signal as it is counted; `hour` is the full hour in which it was said."""

    hour: datetime
    source_id: str
    medium: str
    place: str
    topic: str


def add(conn: Connection, beats: Iterable[Beat]) -> None:
    """Count them, in the order of their keys."""
    counted = sorted(Counter(beats).items())
    rows = [beat._asdict() | {"signals": count} for beat, count in counted]
    if not rows:
        return
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    made = dialect.insert(PULSE)
    more = {"signals": PULSE.c.signals + made.excluded.signals}
    conn.execute(made.on_conflict_do_update(index_elements=list(Beat._fields), set_=more), rows)


def in_hours(conn: Connection, hours: Sequence[datetime]) -> Sequence[Row[Any]]:
    """The rows of these full hours."""
    return conn.execute(select(PULSE).where(PULSE.c.hour.in_(hours))).all()


def active_hours(
    conn: Connection, sources: Iterable[str], since: datetime, until: datetime
) -> dict[str, list[datetime]]:
    """source → the hours between the two in which it said anything, in order."""
    wanted = list(sources)
    found: dict[str, list[datetime]] = {source: [] for source in wanted}
    query = (
        select(PULSE.c.hour, PULSE.c.source_id)
        .distinct()
        .where(PULSE.c.source_id.in_(wanted), PULSE.c.hour >= since, PULSE.c.hour <= until)
        .order_by(PULSE.c.hour)
    )
    for hour, source in conn.execute(query):
        found[source].append(hour)
    return found


def forget(conn: Connection, now: datetime) -> int:
    return conn.execute(delete(PULSE).where(PULSE.c.hour < now - KEPT)).rowcount


_OF = (SIGNAL.c.source_id, SIGNAL.c.medium, SIGNAL.c.place, JUDGEMENT.c.topic)
_DATED = SIGNAL.c.published_at.is_not(None).label("dated")
_SAID = case((SIGNAL.c.published_at < SIGNAL.c.seen_at, SIGNAL.c.published_at), else_=SIGNAL.c.seen_at)


def counted(conn: Connection, since: datetime, until: datetime) -> Sequence[Row[Any]]:
    """How many judged `signals` were said after `since` and seen up to `until`, by source_id, medium, place, topic,
    and whether they are `dated` by their source: a million make a few thousand rows."""
    query = select(*_OF, _DATED, func.count().label("signals")).join(
        JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id
    )
    return conn.execute(query.where(_lately(since, until)).group_by(*_OF, _DATED)).all()


def heard(conn: Connection, since: datetime, until: datetime) -> Iterator[Row[Any]]:
    """The same one by one, oldest first, with id, cluster, title, author and times; never all of them in memory."""
    more = (
        JUDGEMENT.c.cluster,
        SIGNAL.c.id,
        SIGNAL.c.title,
        SIGNAL.c.author,
        SIGNAL.c.published_at,
        SIGNAL.c.seen_at,
    )
    query = select(*_OF, _DATED, *more).join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
    query = query.where(_lately(since, until)).order_by(SIGNAL.c.id)
    yield from conn.execute(query, execution_options={"yield_per": TOGETHER})


def _lately(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Nothing is seen before it was said, so that the months of what was seen are all that is looked into."""
    return SIGNAL.c.seen_at.between(since, until) & (since < _SAID)


def homes(conn: Connection, signals: Collection[int]) -> dict[int, str | None]:
    """signal id → the incident that it belongs to at this moment, None for none."""
    wanted, about = sorted(signals), JUDGEMENT.c
    found: dict[int, str | None] = {}
    for start in range(0, len(wanted), SLICE):
        some = about.signal_id.in_(wanted[start : start + SLICE])
        rows = conn.execute(select(about.signal_id, about.incident_id).where(some))
        found |= {row.signal_id: row.incident_id for row in rows}
    return found


# ── bursts that were told ─────────────────────────────────────────────────────────────────────


def surges(conn: Connection) -> dict[tuple[str, str], Row[Any]]:
    """(rule, group) → the burst that was told last."""
    return {(row.rule_id, row.group): row for row in conn.execute(select(SURGE))}


def keep(conn: Connection, row: dict[str, Any]) -> None:
    """Put the burst of a rule and group in the place of the one before."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    changed = {name: value for name, value in row.items() if name not in ("rule_id", "group")}
    conn.execute(
        dialect.insert(SURGE)
        .values(row)
        .on_conflict_do_update(index_elements=["rule_id", "group"], set_=changed)
    )
