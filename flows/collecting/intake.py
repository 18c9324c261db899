"""What every way in shares: a round's tally, which sources are due, and what is noted of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors import feeds, polling
from connectors.polling import Bounds, Rhythm
from connectors.ports import ConnectorError
from flows.collecting import privacy
from flows.wiring import House
from models.core.signals import Batch
from models.ledger import duties
from models.ledger.store import Row

RHYTHM = "rhythm"
"""The key of a source's state that holds what its polls have taught."""
WAIT = "wait_s"
"""The key that holds the interval planned after its last good read, in seconds of the site's time."""


@dataclass
class Tally:
    """What one round brought in; `read == accepted + duplicate + rejected`."""

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)

    def join(self, other: Tally) -> None:
        """Add what another round brought."""
        self.add({name: getattr(other, name) for name in ("read", "accepted", "duplicate", "rejected")})
        self.failed.extend(other.failed)

    def __str__(self) -> str:
        words = f"新 {self.accepted}，重复 {self.duplicate}，退回 {self.rejected}"
        return words + (f"；失败 {len(self.failed)}: {self.failed[0]}" if self.failed else "")


def store(house: House, batch: Batch, source_id: str) -> dict[str, int]:
    """Put a batch into the ledger: counts of read, accepted, duplicate and rejected."""
    with house.store.write() as conn:
        return privacy.take_in(house, conn, batch, source_id)


def due_sources(house: House, registered: Any) -> Iterator[tuple[Any, Row[Any] | None]]:
    """The sources that are due, those that have waited longest first, with what is known of each."""
    now = house.time.now()
    with house.store.read() as conn:
        states = duties.source_states(conn)
    due = [(source, states.get(source.id)) for source in registered]
    waiting = [(source, row) for source, row in due if row is None or row.due_at is None or row.due_at <= now]
    yield from sorted(
        waiting,
        key=lambda pair: (pair[1].due_at if pair[1] else None) or datetime.min.replace(tzinfo=now.tzinfo),
    )


def bounds_of(source: Any) -> Bounds:
    """A source's interval with its floor and ceiling; kinds without them keep one interval."""
    return Bounds(source.every, getattr(source, "least", source.every), getattr(source, "most", source.every))


def rhythm_of(row: Row[Any] | None) -> Rhythm:
    return polling.rhythm_of((row.state or {}).get(RHYTHM) if row else None)


def feed_state(row: Row[Any] | None) -> dict[str, Any]:
    """The fields of `FeedState` as they were kept."""
    return asdict(feeds.feed_state(row.state or {} if row else {}))


def good_row(
    source: Any, kind: str, url: str, now: datetime, state: dict[str, Any], wait: timedelta | None = None
) -> dict[str, Any]:
    """A source's row after a good read: no error; next due after `wait`, else its own interval."""
    return {
        "id": source.id,
        "kind": kind,
        "name": source.name,
        "url": url,
        "state": state,
        "due_at": now + (source.every if wait is None else wait),
        "last_tried_at": now,
        "last_good_at": now,
        "failing_since": None,
        "error": None,
        "errors": 0,
    }


def bad_row(
    source: Any, kind: str, row: Row[Any] | None, error: ConnectorError, now: datetime, speed: float
) -> dict[str, Any]:
    """A source's row after a failure: since when and why; it waits longer each time, never for ever."""
    rhythm = polling.after_trouble(rhythm_of(row), polling.weight_of(error))
    wish_s = (getattr(error, "retry_after", None) or 0.0) * speed
    url = getattr(source, "url", "") or getattr(source, "folder", "") or ""
    return good_row(source, kind, url, now, {}) | {
        "due_at": now + polling.wait_after_trouble(rhythm, bounds_of(source), wish_s),
        "last_good_at": row.last_good_at if row else None,
        "failing_since": (row.failing_since if row else None) or now,
        "error": str(error),
        "errors": (row.errors if row else 0) + 1,
        "state": {**(row.state if row else {}), RHYTHM: polling.kept(rhythm)},
    }


def note_failure(house: House, source: Any, row: Row[Any] | None, kind: str, error: ConnectorError) -> None:
    """Write `bad_row`."""
    with house.store.write() as conn:
        duties.put_source(conn, bad_row(source, kind, row, error, house.time.now(), house.time.speed))
