"""Ingest: feeds, ticket files and Kafka become signals, each exactly once.

Read (the connectors) → decide (is it due, is it new?) → append (signals and the source's state in one
transaction). A source that fails is named with since when; it never stops another.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import structlog

from connectors import broker, http, tickets
from connectors.feeds import FeedSource, FeedState, poll
from connectors.ports import ConnectorError, Unreachable
from flows.wiring import House
from models.core.signals import Batch
from models.core.text import fingerprint
from models.ledger import duties, signals
from models.ledger.store import LedgerError, Row

log = structlog.get_logger()

AT_ONCE = 20
BROKER_PAUSE_S = 3.0
LONGEST_WAIT = timedelta(hours=2)
TICKET_ENDINGS = (".csv", ".xlsx", ".jsonl", ".json", ".csv.gz", ".jsonl.gz")


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

    def __str__(self) -> str:
        words = f"新 {self.accepted}，重复 {self.duplicate}，退回 {self.rejected}"
        return words + (f"；失败 {len(self.failed)}: {self.failed[0]}" if self.failed else "")


def store(house: House, batch: Batch, source_id: str) -> dict[str, int]:
    """Put a batch into the ledger: counts of read, accepted, duplicate and rejected."""
    with house.store.write() as conn:
        return signals.collect(conn, house.time.now(), batch, source_id, fingerprint)


async def ingest(house: House) -> Tally:
    """One round over every source that is due."""
    tally = Tally()
    await ingest_feeds(house, tally)
    await asyncio.to_thread(ingest_tickets, house, tally)
    return tally


# ── feeds ─────────────────────────────────────────────────────────────────────────────────────


async def ingest_feeds(house: House, tally: Tally) -> None:
    """Poll the feeds that are due, side by side; each writes its own result."""
    due = list(due_sources(house, house.site.sources.feeds))
    if not due:
        return
    gate = asyncio.Semaphore(AT_ONCE)
    async with http.open_client(house.guard) as client:
        await asyncio.gather(*(_feed(house, source, row, gate, client, tally) for source, row in due))


def due_sources(house: House, registered: Any) -> Iterator[tuple[Any, Row[Any] | None]]:
    now = house.time.now()
    with house.store.read() as conn:
        states = duties.source_states(conn)
    for source in registered:
        row = states.get(source.id)
        if row is None or row.due_at is None or row.due_at <= now:
            yield source, row


async def _feed(
    house: House,
    source: Any,
    row: Row[Any] | None,
    gate: asyncio.Semaphore,
    client: httpx2.AsyncClient,
    tally: Tally,
) -> None:
    async with gate:
        asked = FeedSource(source.id, source.name, source.url, source.medium)
        try:
            state = FeedState(**feed_state(row))
            found = await poll(asked, state, house.guard, now=house.time.now(), client=client)
        except ConnectorError as error:
            tally.failed.append(f"{source.name}: {error}")
            await asyncio.to_thread(note_failure, house, source, row, "feed", error)
            return
    await asyncio.to_thread(_note_feed, house, source, row, found.batch, asdict(found.state), tally)


def feed_state(row: Row[Any] | None) -> dict[str, Any]:
    kept = dict(row.state) if row else {}
    return {**kept, "last_ids": tuple(kept.get("last_ids", ()))}


def _note_feed(
    house: House, source: Any, row: Row[Any] | None, batch: Batch, state: dict[str, Any], tally: Tally
) -> None:
    """Signals and the feed's new state go in together, so that a crash repeats the poll whole."""
    now = house.time.now()
    with house.store.write() as conn:
        tally.add(signals.collect(conn, now, batch, source.id, fingerprint))
        duties.put_source(conn, good_row(source, "feed", source.url, now, state))


def good_row(source: Any, kind: str, url: str, now: datetime, state: dict[str, Any]) -> dict[str, Any]:
    """A source's row after a good read: next due by its own rhythm, no error."""
    return {
        "id": source.id,
        "kind": kind,
        "name": source.name,
        "url": url,
        "state": state,
        "due_at": now + source.every,
        "last_tried_at": now,
        "last_good_at": now,
        "failing_since": None,
        "error": None,
        "errors": 0,
    }


def note_failure(house: House, source: Any, row: Row[Any] | None, kind: str, error: ConnectorError) -> None:
    """Keep since when and why; wait longer each time, never for ever (linear back-off)."""
    now = house.time.now()
    errors = (row.errors if row else 0) + 1
    wish = timedelta(seconds=getattr(error, "retry_after", None) or 0) * house.time.speed
    weight = 0.5 if isinstance(error, Unreachable) else 1.0
    wait = max(min(source.every * (1 + errors * weight), LONGEST_WAIT), wish)
    changed = {
        "due_at": now + wait,
        "last_tried_at": now,
        "last_good_at": row.last_good_at if row else None,
        "failing_since": (row.failing_since if row else None) or now,
        "error": str(error),
        "errors": errors,
        "state": row.state if row else {},
    }
    with house.store.write() as conn:
        url = getattr(source, "url", "") or getattr(source, "folder", "") or ""
        duties.put_source(conn, good_row(source, kind, url, now, {}) | changed)


# ── ticket files ──────────────────────────────────────────────────────────────────────────────


def ingest_tickets(house: House, tally: Tally) -> None:
    """Read the ticket files that are new or have grown since the last look."""
    for source, row in due_sources(house, house.site.sources.tickets):
        try:
            state = _ticket_files(house, source, dict(row.state) if row else {}, tally)
        except (ConnectorError, OSError) as error:
            wrapped = error if isinstance(error, ConnectorError) else Unreachable(str(error))
            tally.failed.append(f"{source.name}: {error}")
            note_failure(house, source, row, "tickets", wrapped)
            continue
        with house.store.write() as conn:
            place = source.folder or source.file or ""
            duties.put_source(conn, good_row(source, "tickets", place, house.time.now(), state))


def _ticket_files(house: House, source: Any, state: dict[str, Any], tally: Tally) -> dict[str, Any]:
    seen: dict[str, str] = dict(state.get("files", {}))
    for path in ticket_paths(house.site.directory, source):
        stamp = f"{path.stat().st_size}:{path.stat().st_mtime_ns}"
        if seen.get(path.name) != stamp:
            for batch in tickets.read_batches(path, source_id=source.id, medium=source.medium):
                tally.add(store(house, batch, source.id))
            seen[path.name] = stamp
    return {"files": seen}


def ticket_paths(directory: Path, source: Any) -> list[Path]:
    """The files of a ticket source, oldest name first. Raises Unreachable when the place is gone."""
    place = directory / (source.folder or source.file)
    if source.file:
        if not place.is_file():
            raise Unreachable(f"{place} 不存在；请核对 sources.yaml 的 file")
        return [place]
    if not place.is_dir():
        raise Unreachable(f"文件夹 {place} 不存在；请建立它，或改 sources.yaml 的 folder")
    return sorted(path for path in place.iterdir() if path.name.lower().endswith(TICKET_ENDINGS))


# ── Kafka ─────────────────────────────────────────────────────────────────────────────────────


def broker_settings(house: House) -> broker.BrokerSettings:
    kafka = house.site.kafka
    security = {
        name: house.site.secrets(value) if isinstance(value, str) else value
        for name, value in kafka.security.items()
    }
    return broker.BrokerSettings(kafka.bootstrap, tuple(kafka.topics), kafka.group, security=security)


def consume(
    house: House, consumer: broker.TicketConsumer, timeout_s: float = 1.0, most: int = 2000
) -> dict[str, int]:
    """One poll of the broker: the offset is committed only after the database has committed, so a
    message is read at least once, and stored exactly once by its unique key."""
    polled = consumer.poll(timeout_s, most)
    counts = {"read": 0, "accepted": 0, "duplicate": 0, "rejected": 0}
    if polled.batch.read:
        counts = store(house, polled.batch, "kafka")
    consumer.commit(polled.offsets)
    return counts


def follow_broker(house: House, stopped: threading.Event) -> None:
    """Consume until told to stop. A broker or a database that is away is named and tried again; what
    was read and not stored comes again, because its offset was not committed."""
    consumer: broker.TicketConsumer | None = None
    total = 0
    while not stopped.is_set():
        try:
            consumer = consumer or broker.TicketConsumer(broker_settings(house))
            total += consume(house, consumer)["accepted"]
            _beat(house, f"{house.site.kafka.bootstrap}，已收 {total} 条，积压 {consumer.lag()}")
        except (ConnectorError, LedgerError) as error:
            _name_fault(house, error)
            _let_go(consumer)
            consumer = None
            stopped.wait(BROKER_PAUSE_S)
    _let_go(consumer)


def _name_fault(house: House, error: Exception) -> None:
    try:
        _beat(house, "", str(error))
    except LedgerError as gone:  # then the database itself is what is away: the log is left
        log.error("the queue cannot be read", reason=str(error), and_also=str(gone))


def _beat(house: House, detail: str, error: str | None = None) -> None:
    with house.store.write() as conn:
        duties.beat(conn, "kafka", house.time.now(), detail, error)


def _let_go(consumer: broker.TicketConsumer | None) -> None:
    if consumer is not None:
        with contextlib.suppress(ConnectorError):  # it is being given up in any case
            consumer.close()
