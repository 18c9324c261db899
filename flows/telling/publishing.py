"""Results out: what the journal says of incidents and clocks becomes messages for other systems, and
what Kafka brought and nobody could read goes to a topic of its own.

Read (rows behind the mark) → send, and wait until the broker has stored them → append (the mark). A kill
between the two sends them again, so that each arrives at least once and its first arrival is in order; a
message carries its number, by which a copy is known. Nothing here is in the way of the clocks: it reads
what they have written, in a thread of its own.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors import broker
from flows.collecting.following import broker_settings
from flows.collecting.privacy import MASK
from flows.holders import ME
from flows.tireless import follow
from flows.wiring import House
from models.core.moment import iso
from models.ledger import announced, deadletters, duties
from models.ledger.announced import Announcement
from models.ledger.store import Connection, Row

DUTY = "publish"
LEASE = timedelta(seconds=90)
"""Longer than a send may take, so that two processes seldom send the same."""
BATCH = 500
LETTERS = 50
IDLE_S = 1.0
PAUSE_S = 3.0
BEAT_S = 3.0
SENT_WHOLE = 1_000_000
"""Bytes: brokers take a little more than a million by default, so a larger letter goes as its kept text."""


def results_mark(topic: str) -> str:
    """The setting that keeps how far `topic` was told; another topic is told from the beginning."""
    return f"kafka.results:{topic}"


def letters_mark(topic: str) -> str:
    return f"kafka.dead_letters:{topic}"


def publish_results(house: House, publisher: broker.Publisher) -> int:
    """Tell what the journal has gained; returns how many messages the broker has stored."""
    topic = house.site.kafka.results
    if not topic:
        return 0
    with house.store.read() as conn:
        known = _mark(conn, results_mark(topic))
        found, upto = announced.after(conn, known, BATCH)
    publisher.send(topic, [_result(house, one) for one in found])
    _advance(house, results_mark(topic), known, upto)
    return len(found)


def publish_letters(house: House, publisher: broker.Publisher) -> int:
    """Put what could not be read into its topic, byte for byte where the broker still keeps it."""
    topic = house.site.kafka.dead_letters
    if not topic:
        return 0
    with house.store.read() as conn:
        known = _mark(conn, letters_mark(topic))
        rows = deadletters.listed(conn, "kafka", after=known, limit=LETTERS, settled=True)
    if rows:
        whole = _originals(house, [row.place for row in rows])
        publisher.send(topic, [_letter(row, whole.get(row.place)) for row in rows])
        _advance(house, letters_mark(topic), known, rows[-1].id)
    return len(rows)


def _originals(house: House, places: list[str]) -> dict[str, bytes]:
    """Byte for byte only where the site keeps texts as they came: what was masked is not copied out."""
    return broker.original(broker_settings(house), places) if house.site.personal_data == MASK else {}


def _mark(conn: Connection, key: str) -> int:
    return int((duties.get_setting(conn, key) or {"upto": 0})["upto"])


def _advance(house: House, key: str, known: int, upto: int) -> None:
    """Note how far we are, unless another process has got there meanwhile."""
    if upto == known:
        return
    with house.store.write() as conn:
        if _mark(conn, key) == known:
            duties.put_setting(conn, key, {"upto": upto})


def result(house: House, one: Announcement) -> dict[str, Any]:
    """What other systems are told, by whichever way: `huiying schema result`."""
    return {"site": house.site.name, **one.body}


def _result(house: House, one: Announcement) -> broker.Outgoing:
    return broker.Outgoing(json.dumps(result(house, one), ensure_ascii=False).encode(), one.incident_id)


def _letter(row: Row[Any], whole: bytes | None) -> broker.Outgoing:
    is_whole = whole is not None and len(whole) <= SENT_WHOLE
    topic, _, rest = row.place.rpartition("/")
    partition, _, offset = rest.partition("@")
    headers = {
        "reason": row.reason,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "at": iso(row.at),
        "uid": row.uid,
        "whole": "yes" if is_whole else "no",
    }
    value = whole if whole is not None and is_whole else row.raw.encode("utf-8", "replace")
    return broker.Outgoing(value, row.place, headers)


def follow_results(house: House, stopped: threading.Event) -> None:
    """Publish until told to stop."""
    herald = Herald(house)
    follow(house, DUTY, herald.step, stopped, idle_s=IDLE_S, fault_s=PAUSE_S, let_go=herald.let_go)


@dataclass
class Herald:
    """A producer at work, and how much it has told."""

    house: House
    publisher: broker.Publisher | None = None
    told: int = 0
    beaten: float = float("-inf")

    def step(self) -> int:
        """One round if the duty is ours; how many messages went out."""
        if not self._is_ours():
            return 0
        if self.publisher is None:
            self.publisher = broker.Publisher(broker_settings(self.house))
        count = publish_results(self.house, self.publisher) + publish_letters(self.house, self.publisher)
        self.told += count
        if count or time.monotonic() - self.beaten > BEAT_S:
            self._beat()
        return count

    def _is_ours(self) -> bool:
        """Quiet rounds ask with one read; only something to tell is worth a lease."""
        if time.monotonic() - self.beaten <= BEAT_S and not self._waits():
            return False
        with self.house.store.write() as conn:
            now = self.house.time.now()
            ours = duties.take(conn, DUTY, now, LEASE * self.house.time.speed, ME)
        if not ours:  # another process tells: we ask again as seldom as it beats
            self.beaten = time.monotonic()
        return ours

    def _waits(self) -> bool:
        kafka = self.house.site.kafka
        with self.house.store.read() as conn:
            told, kept = (
                _mark(conn, results_mark(kafka.results)),
                _mark(conn, letters_mark(kafka.dead_letters)),
            )
            letters = kafka.dead_letters and deadletters.listed(
                conn, "kafka", after=kept, limit=1, settled=True
            )
            return bool(letters) or bool(kafka.results and announced.behind(conn, told))

    def _beat(self) -> None:
        topics: Sequence[str] = [
            t for t in (self.house.site.kafka.results, self.house.site.kafka.dead_letters) if t
        ]
        with self.house.store.write() as conn:
            detail = f"{'、'.join(topics)}，本次启动以来已发 {self.told} 条"
            duties.beat(conn, DUTY, self.house.time.now(), detail)
        self.beaten = time.monotonic()

    def let_go(self) -> None:
        if self.publisher is not None:
            with contextlib.suppress(Exception):  # it is being given up in any case
                self.publisher.close()
        self.publisher = None
