"""How sending to somebody outside goes 重试: the tries that failed since the last good one, and when the next is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.core.moment import iso, parse_iso
from models.ledger import duties
from models.ledger.store import Connection

FIRST, LONGEST = timedelta(seconds=2), timedelta(minutes=5)
"""The pause before what was not taken is sent again, doubled each time."""


@dataclass(frozen=True, slots=True)
class Tries:
    """`tries` have failed, the last with `why`; it is tried again from `next_at`."""

    tries: int = 0
    next_at: datetime | None = None
    why: str = ""


def pause(tries: int, asked: float | None) -> timedelta:
    """2 s, 4 s, 8 s … 5 min; or what the receiver asked for, an hour at most."""
    grown = min(LONGEST, FIRST * (1 << min(tries, 10)))
    return grown if asked is None else max(grown, timedelta(seconds=min(asked, 3600)))


def tries_in(kept: Mapping[str, Any]) -> Tries:
    """The tries of a setting, whatever else it keeps."""
    next_at = parse_iso(kept["next_at"]) if kept.get("next_at") else None
    return Tries(kept.get("tries", 0), next_at, kept.get("why", ""))


def tries_of(conn: Connection, mark: str) -> Tries:
    """None have failed where nothing is kept."""
    return tries_in(duties.get_setting(conn, mark) or {})


def keep_tries(conn: Connection, mark: str, now: Tries, **beside: int) -> None:
    """Note how it goes; `beside`: what the setting keeps as well."""
    next_at = iso(now.next_at) if now.next_at else None
    value = {**beside, "tries": now.tries, "why": now.why, "next_at": next_at}
    duties.put_setting(conn, mark, value)
