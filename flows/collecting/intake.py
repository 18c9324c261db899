"""What every way in shares: a round's tally, which sources are due, and what is noted of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import structlog

from connectors import polling
from connectors.polling import Bounds, Rhythm
from connectors.ports import ConnectorError
from flows.collecting import privacy
from flows.wiring import House
from models.core.signals import FIELDS, Batch, RawSignal, Rejected
from models.ledger import duties
from models.ledger.store import Connection, Row

log = structlog.get_logger()

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

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("read", "accepted", "duplicate", "rejected")}

    def join(self, other: Tally) -> None:
        """Add what another round brought."""
        self.add(other.counts)
        self.failed.extend(other.failed)

    def __str__(self) -> str:
        words = f"新 {self.accepted}，重复 {self.duplicate}，退回 {self.rejected}"
        return words + (f"；失败 {len(self.failed)}: {self.failed[0]}" if self.failed else "")


def store(house: House, batch: Batch, source_id: str, places: Sequence[str] = ()) -> dict[str, int]:
    """Put a batch into the ledger: counts of read, accepted, duplicate and rejected."""
    with house.store.write() as conn:
        return privacy.take_in(house, conn, batch, source_id)


def store_each(house: House, batch: Batch, source_id: str, places: Sequence[str] = ()) -> dict[str, int]:
    """The same; where the whole is refused, one by one, and what is refused becomes a dead letter.

    `places`: where each signal stood. Raises what the database says when it takes no dead letter either:
    then it is away, and all is to be read again.
    """
    try:
        return store(house, batch, source_id)
    except Exception as error:  # noqa: BLE001  whatever it is, it is one row's until it is everybody's
        log.warning("a batch cannot be stored whole", source=source_id, reason=repr(error))
    counts = Tally()
    with house.store.write() as conn:
        for signal, place in zip_longest(batch.signals, places):
            counts.add(_store_one(house, conn, signal, source_id, place))
        counts.add(privacy.take_in(house, conn, Batch((), batch.rejected), source_id))
    return counts.counts


def _store_one(
    house: House, conn: Connection, signal: RawSignal, source_id: str, place: str | None
) -> dict[str, int]:
    """One connection says no and takes the letter, so that a database that went away is never a bad row."""
    try:
        with house.store.part(conn):
            return privacy.take_in(house, conn, Batch((signal,)), source_id)
    except Exception as error:  # noqa: BLE001  the letter tells it, or cannot be kept and raises
        letter = _refused(signal, place or f"{signal.source_id} {signal.external_id}", error)
    return privacy.take_in(house, conn, Batch((), (letter,)), source_id)


def _refused(signal: RawSignal, place: str, error: Exception) -> Rejected:
    """A signal that the database does not take, as a letter that can be mended and replayed."""
    said = asdict(signal) | {"id": signal.external_id, "metrics": signal.metrics}
    row = {name: str(value) if isinstance(value, datetime) else value for name, value in said.items()}
    row = {name: row[name] for name in FIELDS if row.get(name)}
    reason = f"{place}: 数据库不收这一条（{error}）；请修补后重放，或作废"
    fields = {"row": row, "columns": {name: name for name in row}, "medium": signal.medium.value}
    return Rejected(place, reason, json.dumps(row, ensure_ascii=False), fields)


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
