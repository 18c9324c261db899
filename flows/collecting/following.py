"""Follow the broker: Kafka messages become signals, at least once, stored exactly once by their key.

Read (poll) → append (signals, then the offset); the next messages are read meanwhile. A broker, a topic
or a database that is away is named and tried again; what was read and not stored comes again, because
its offset was not committed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from connectors import broker
from connectors.ports import Refused
from flows.collecting.intake import store, store_each
from flows.tireless import follow
from flows.wiring import House
from models.core.moment import iso
from models.ledger import duties, signals
from playbooks.papers import KafkaSource

log = structlog.get_logger()

LAG = "kafka.lag"
"""The setting that holds what waits: {"parts": {"topic/partition": {"waiting", "at"}}, "missing": [topic],
"topics": {topic: its identity}, "held": [topic that waits for triage]}."""
PAUSE_S = 3.0
LOOK_EVERY_S = 3.0
WEIGH_EVERY_S = 1.0
IN_HAND_S = 10.0
"""How long a partition that is to go waits for what is being stored."""
MOST = 2000
"""Messages of one poll, and so of one transaction."""
SOURCE = "kafka"
"""Under which its dead letters lie, and what its duty is called."""


def broker_settings(house: House) -> broker.BrokerSettings:
    """The site's settings with its secrets. Raises Refused when a secret cannot be read."""
    kafka = house.site.kafka
    try:
        security = {name: _secured(house, name, value) for name, value in kafka.security.items()}
    except (LookupError, OSError, ValueError) as error:
        raise Refused(f"kafka.security: {error}") from None
    return broker.BrokerSettings(
        kafka.bootstrap,
        tuple(kafka.topics),
        kafka.group,
        security=security,
        posts=tuple(kafka.posts),
        writes=tuple(topic for topic in (kafka.results, kafka.dead_letters) if topic),
        assignor=kafka.assignor,
    )


def _secured(house: House, name: str, value: Any) -> Any:
    """A setting's value: secrets looked up, and files found beside the site's own."""
    if not isinstance(value, str):
        return value
    if name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile"):
        return str(house.site.directory / Path(house.site.secrets(value)))
    return house.site.secrets(value)


def follow_broker(house: House, stopped: threading.Event) -> None:
    """Consume until told to stop."""
    with ThreadPoolExecutor(1, thread_name_prefix="store") as pool:
        follower = Follower(house, pool)
        follow(house, SOURCE, follower.step, stopped, idle_s=0.0, fault_s=PAUSE_S, let_go=follower.let_go)


@dataclass
class Follower:
    """A member of the group at work: the next messages are read while the last are written.

    `writing`: what is being stored, and the offsets that are committed once it is. `known`: topic → its
    identity. `held`: topics that wait until triage has caught up. `counts`: read, accepted, duplicate,
    rejected since the start. `failed`: the last batch could not be stored, so the next goes in message by
    message where it must.
    """

    house: House
    pool: ThreadPoolExecutor
    most: int = MOST
    consumer: broker.TicketConsumer | None = None
    writing: tuple[Future[dict[str, int]], tuple[broker.Offset, ...]] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    looked: float = float("-inf")
    known: dict[str, str] | None = None
    failed: bool = False
    held: frozenset[str] = frozenset()
    weighed: float = float("-inf")

    def step(self, timeout_s: float = 1.0) -> None:
        """One poll; the last batch committed, the next one handed to the writer; every few seconds
        also a look at what waits."""
        if self.consumer is None:
            self.consumer = broker.TicketConsumer(broker_settings(self.house), self.in_hand)
        self.press(self.consumer)
        polled = self.consumer.poll(timeout_s, self.most)
        self.settle(self.consumer)
        if polled.batch.read:
            self.writing = self.pool.submit(self._store, polled), polled.offsets
        if time.monotonic() - self.looked > LOOK_EVERY_S:
            self.looked = time.monotonic()
            self.look(self.consumer)

    def press(self, consumer: broker.TicketConsumer) -> None:
        """Leave to the broker what the database could not judge in time: posts sooner, tickets much later.
        What was fetched already is stored."""
        if time.monotonic() - self.weighed > WEIGH_EVERY_S:
            self.weighed = time.monotonic()
            kafka, before = self.house.site.kafka, self.held
            with self.house.store.read() as conn:
                waiting = signals.waiting_up_to(conn, max(kafka.hold_posts, kafka.hold_tickets) + 1)
            self.held = to_hold(kafka, waiting, before)
            if self.held != before:
                log.warning("topics are held back until triage has caught up", topics=sorted(self.held))
                self.looked = float("-inf")  # the board is told at once
        consumer.hold(self.held)

    def _store(self, polled: broker.Polled) -> dict[str, int]:
        """A batch that fails is read again first, for the database may have been away; one that fails
        twice holds what can never be stored, and must not hold up the queue for ever."""
        put = store_each if self.failed else store
        return put(self.house, polled.batch, SOURCE, polled.places)

    def settle(self, consumer: broker.TicketConsumer) -> None:
        """Wait until what was handed to the writer is committed, then commit its offsets: a message is
        read at least once, and stored exactly once by its unique key. Raises what the writer raised."""
        if self.writing is None:
            return
        stored, offsets = self.writing
        self.failed = stored.exception() is not None
        self.counts.update(stored.result())
        self.writing = None
        if not consumer.commit(offsets):
            log.info("the group moved on before the offsets were committed; they are read again")

    def in_hand(self) -> tuple[broker.Offset, ...]:
        """Partitions are about to go: the offsets of what is stored. A failure stays where it is, for
        `settle` to raise: a partition that we keep must not go on behind it."""
        if self.writing is None:
            return ()
        stored, offsets = self.writing
        wait([stored], timeout=IN_HAND_S)
        if not stored.done() or stored.exception() is not None:
            return ()
        self.counts.update(stored.result())
        self.writing = None
        return offsets

    def look(self, consumer: broker.TicketConsumer) -> None:
        """Note how far behind each partition is and which topics are gone. One that was made anew is
        read from its first message, since our numbers are another topic's."""
        there = consumer.topics()
        before = self._before()
        self.settle(consumer)
        for topic in renewed(before, there):
            log.warning("a topic was made anew and is read from its start", topic=topic)
            consumer.from_start(topic)
        back = set(there) - set(before)
        self.known = before | there
        note(
            self.house,
            consumer.lags(),
            there,
            f"{self.house.site.kafka.bootstrap}，已收 {self.counts['accepted']} 条",
            self.held,
        )
        if back and before:  # kafka-python goes on with its old picture of a topic that was gone
            self.let_go()

    def _before(self) -> dict[str, str]:
        if self.known is not None:
            return self.known
        with self.house.store.read() as conn:
            return dict((duties.get_setting(conn, LAG) or {}).get("topics", {}))

    def let_go(self) -> None:
        """Give the partitions back, what is stored committed; what is not is read again."""
        if self.consumer is not None:
            with contextlib.suppress(Exception):  # it is being given up in any case
                self.consumer.close()
        self.consumer, self.writing, self.looked = None, None, float("-inf")


def renewed(before: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Topics that were deleted and made again since: the name is the same, the identity is not."""
    return [topic for topic, one in there.items() if one and before.get(topic, one) != one]


def to_hold(kafka: KafkaSource, waiting: int, before: Collection[str] = ()) -> frozenset[str]:
    """The topics that are not to be read while so many signals wait for triage; one that was held is read
    again when half of its bound is left."""
    bounds = [(topic, kafka.hold_posts) for topic in kafka.posts]
    bounds += [(topic, kafka.hold_tickets) for topic in kafka.topics]
    return frozenset(topic for topic, most in bounds if waiting > (most // 2 if topic in before else most))


def note(
    house: House,
    lags: Mapping[str, int],
    there: Mapping[str, str],
    detail: str,
    held: Collection[str] = (),
) -> None:
    """This member's partitions into the shared picture; what the others wrote of theirs stays."""
    with house.store.write() as conn:
        now = house.time.now()
        known = duties.get_setting(conn, LAG) or {}
        parts = {name: one for name, one in known.get("parts", {}).items() if name.split("/")[0] in there}
        parts |= {name: {"waiting": waiting, "at": iso(now)} for name, waiting in lags.items()}
        wanted = (*house.site.kafka.topics, *house.site.kafka.posts)
        missing = [topic for topic in wanted if topic not in there]
        topics = {**known.get("topics", {}), **there}
        picture = {"parts": parts, "missing": missing, "topics": topics, "held": sorted(held)}
        duties.put_setting(conn, LAG, picture)
        duties.beat(conn, SOURCE, now, detail)
