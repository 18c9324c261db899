"""How often each channel was used of late: rows that all senders of a site share.

Read and written inside the claim's own transaction, so that a limit holds over any number of senders
on any number of machines. Working state: it forgets within a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from models.core.moment import iso, parse_iso
from models.core.pacing import MINUTE, Budget, Limit
from models.records import Pace

PACE: Table = Pace.__table__  # type: ignore[attr-defined]
LONGEST_PAUSE = timedelta(minutes=5)
"""However long a channel asks for: after that one message asks again."""


def budgets(
    conn: Connection, limits: Mapping[str, Limit], channels: Iterable[str], now: datetime, pace: float
) -> dict[str, Budget]:
    """What is left of the minute of each of `channels` that is limited or paused; no other is named."""
    wanted = set(channels)
    known = {row.channel: row for row in conn.execute(select(PACE))}
    found = {
        name: _budget(limits.get(name, Limit()).per_minute, known.get(name), now, pace) for name in wanted
    }
    return {name: budget for name, budget in found.items() if _counts(budget, now)}


def _budget(per_minute: int | None, row: Row[Any] | None, now: datetime, pace: float) -> Budget:
    if row is None:
        return Budget(per_minute)
    used = sorted(parse_iso(moment) for moment in row.used)
    fresh = tuple(moment for moment in used if now - MINUTE * pace < moment)
    return Budget(per_minute, fresh if per_minute else (), row.paused_until)


def _counts(budget: Budget, now: datetime) -> bool:
    paused = budget.paused_until is not None and budget.paused_until > now
    return paused or budget.per_minute is not None


def spend(conn: Connection, before: Mapping[str, Budget], after: Mapping[str, Budget]) -> None:
    """Note what a claim used of each limited channel."""
    for channel, budget in after.items():
        if budget.per_minute is not None and budget.used != before[channel].used:
            _put(conn, channel, {"used": [iso(moment) for moment in budget.used]})


def spend_more(conn: Connection, channel: str, now: datetime, count: int) -> None:
    """A message took `count` more of the channel's minute than was known; one without a limit keeps no count."""
    row = conn.execute(select(PACE.c.used).where(PACE.c.channel == channel)).first()
    if row is not None and row.used:
        _put(conn, channel, {"used": [*row.used, *[iso(now)] * count]})


def pause(conn: Connection, channel: str, now: datetime, seconds: float, pace: float) -> None:
    """The channel asked everybody to wait: nobody sends through it before then."""
    until = now + timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds())) * pace
    _put(conn, channel, {"paused_until": until})


def _put(conn: Connection, channel: str, change: dict[str, Any]) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    row = {"channel": channel, "used": [], "paused_until": None} | change
    conn.execute(
        dialect.insert(PACE).values(row).on_conflict_do_update(index_elements=["channel"], set_=change)
    )
