"""A site for the benches of a province, with its workers as processes: `huiying worker …` on a queue that is full
already, and how fast it empties."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, text

from flows.wiring import House
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL
from models.ledger.store import Store
from support.kafka import Broker
from support.processes import huiying
from support.province import Part
from support.sites import ENVIRON, write_site

LOOK_S = 0.1
PATIENCE_S = 120.0
"""Without any movement."""
NOBODY = "http://127.0.0.1:9"
HELD_BACK_NEVER = 10_000_000
"""Signals that may wait for triage before messages are left in Kafka: taking in is measured by itself, too."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """`s`: from the first to the last of `count`; `rate`: of them a second."""

    count: int
    s: float

    @property
    def rate(self) -> float:
        return self.count / self.s


@dataclass
class Queue:
    """A site on one database that reads these topics as a group of its own."""

    folder: Path
    database: str
    kafka: Broker
    topics: dict[str, str]

    def __post_init__(self) -> None:
        group = f"bench-{uuid.uuid4().hex[:8]}"
        kafka = {
            "bootstrap": self.kafka.bootstrap, "group": group, "topics": [self.topics["tickets"]],
            "posts": [self.topics["posts"]], "security": self.kafka.settings,
            "hold_posts": HELD_BACK_NEVER, "hold_tickets": HELD_BACK_NEVER,
        }  # fmt: skip
        self.site = write_site(self.folder / group, NOBODY, database=self.database, site={"kafka": kafka})
        House.open(self.site, ENVIRON).close()
        self.store = Store(self.database)
        self.empty_bytes = self.bytes()

    @contextmanager
    def workers(self, *duties: str, count: int = 1) -> Iterator[list[Part]]:
        line = huiying("worker", *duties, "--site", str(self.site))
        with ExitStack() as stack:
            parts = [Part(line, self.site / f"worker-{n}.log") for n in range(count)]
            for part in parts:
                stack.callback(_ended, part)
                part.start()
            yield parts

    def stored(self) -> int:
        return self._one(select(func.coalesce(func.max(SIGNAL.c.id), 0)))

    def judged(self) -> int:
        """Counted by the last number, for they are judged in order: counting a million ten times a second is work."""
        return self._one(select(func.coalesce(func.max(JUDGEMENT.c.signal_id), 0)))

    def _one(self, query: object) -> int:
        with self.store.read() as conn:
            return int(conn.execute(query).scalar_one())  # type: ignore[call-overload]

    def emptied(self, what: str, wanted: int, parts: list[Part]) -> Emptied:
        """Wait until `wanted` signals are "stored" or "judged"; from the first that was seen to the last, so that
        no start of a process is in it."""
        ask = self.stored if what == "stored" else self.judged
        first = before = ask()
        began = moved = time.monotonic()
        while (now := ask()) < wanted:
            if now == first:
                began = time.monotonic()
            if now != before:
                before, moved = now, time.monotonic()
            assert time.monotonic() - moved < PATIENCE_S, f"{now} of {wanted}; {parts[0].words()}"
            assert all(part.alive for part in parts), parts[0].words()
            time.sleep(LOOK_S)
        return Emptied(now - first, time.monotonic() - began)

    def bytes(self) -> int:
        """Of the database on disk, its journal and indexes with it."""
        if not self.store.sqlite:
            return self._one(text("SELECT pg_database_size(current_database())"))
        with self.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return os.stat(str(self.store.url.database)).st_size

    def close(self) -> None:
        self.store.close()


def _ended(part: Part) -> None:
    part.wanted = False
    if part.alive:
        part.end()
