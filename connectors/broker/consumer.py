"""Kafka → signals, at least once: the offsets are committed only after the database has committed.

The caller polls, writes the batch in its own transaction and then gives the offsets back to
`commit`. What was polled and not committed comes again to the next consumer, after a crash or a
`close`; the unique key of a signal makes that harmless.

A rebalance happens inside `poll`. Before a partition is given up, what was stored of it is committed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer  # type: ignore[import-untyped]
from kafka.consumer.subscription_state import AsyncConsumerRebalanceListener  # type: ignore[import-untyped]
from kafka.coordinator.assignors.cooperative_sticky import (  # type: ignore[import-untyped]
    CooperativeStickyAssignor,
)
from kafka.coordinator.assignors.range import RangePartitionAssignor  # type: ignore[import-untyped]
from kafka.errors import CommitFailedError, IllegalStateError, KafkaError  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]

from connectors.broker.link import common, opened, translated
from connectors.broker.messages import read_message
from connectors.broker.settings import BrokerSettings
from connectors.ports import Refused
from models.core.signals import Batch, RawSignal, Rejected

ANSWER_MS = 10_000
_ASSIGNORS = {"range": RangePartitionAssignor, "cooperative": CooperativeStickyAssignor}


@dataclass(frozen=True, slots=True)
class Offset:
    """Where reading goes on in one partition: the number of the next message."""

    topic: str
    partition: int
    next: int


@dataclass(frozen=True, slots=True)
class Polled:
    """One poll: what it gave, and what to commit once that is stored. `places`: where each signal stood."""

    batch: Batch = field(default_factory=Batch)
    offsets: tuple[Offset, ...] = ()
    places: tuple[str, ...] = ()


class Moves(AsyncConsumerRebalanceListener):  # type: ignore[misc]
    """What happens when partitions come and go: what is stored by then is committed before they go, so
    that the next reader does not read it again."""

    def __init__(self, commit: Callable[[], Any | None]) -> None:
        self._commit = commit

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        going = self._commit()
        if going is not None:
            with contextlib.suppress(KafkaError):  # then they are read again, which is harmless
                await going

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Nothing is to be done: reading goes on where the last commit stood."""

    async def on_partitions_lost(self, lost: Iterable[Any]) -> None:
        """They are another's already: there is nothing to commit any more."""


class TicketConsumer:
    """A member of a consumer group. Not to be shared between threads; close it, or use `with`.

    `in_hand` is asked when partitions are to be given up, inside `poll` or `close`: it waits for what is
    just being stored and answers with its offsets. It must not raise.
    Raises Refused for settings that cannot work and Unreachable when the broker does not answer.
    """

    def __init__(self, settings: BrokerSettings, in_hand: Callable[[], Iterable[Offset]] = tuple) -> None:
        self._settings = settings
        self._in_hand = in_hand
        with translated(settings):
            if not settings.reads:
                raise Refused("kafka.topics 是空的；在 sources.yaml 或 site.yaml 至少写一个主题")
            self._consumer = opened(KafkaConsumer, **_member(settings))
            self._consumer.subscribe(list(settings.reads), listener=Moves(self._commit_in_hand))

    def _commit_in_hand(self) -> Any | None:
        known = _by_part(self._in_hand())
        return self._consumer.commit_async(known) if known else None

    def poll(self, timeout_s: float = 1.0, max_records: int = 500) -> Polled:
        """Up to `max_records` messages; empty when none came within `timeout_s`."""
        with translated(self._settings):
            _unpark(self._consumer)
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        outcomes = [(self._outcome(record), record) for records in found.values() for record in records]
        offsets = [
            Offset(part.topic, part.partition, records[-1].offset + 1) for part, records in found.items()
        ]
        signals = [(one, _place(record)) for one, record in outcomes if isinstance(one, RawSignal)]
        batch = Batch(
            tuple(one for one, _ in signals), tuple(one for one, _ in outcomes if isinstance(one, Rejected))
        )
        return Polled(batch, tuple(offsets), tuple(place for _, place in signals))

    def _outcome(self, record: Any) -> RawSignal | Rejected:
        source = self._settings.source_id or record.topic
        medium = self._settings.medium_of(record.topic)
        return read_message(record.value, _place(record), source_id=source, medium=medium)

    def commit(self, offsets: Iterable[Offset]) -> bool:
        """Call after the database has committed. False when the group has moved on meanwhile: the
        messages then come again, here or elsewhere, which is harmless."""
        known = _by_part(offsets)
        if not known:
            return True
        with translated(self._settings):
            try:
                self._consumer.commit(known, timeout_ms=ANSWER_MS)
            except CommitFailedError:
                return False
        return True

    def lags(self) -> Mapping[str, int]:
        """By "topic/partition" the messages waiting behind the reading position, for our own partitions."""
        with translated(self._settings):
            parts = sorted(self._consumer.assignment())
            ends = self._consumer.end_offsets(parts, timeout_ms=ANSWER_MS) if parts else {}
            return {f"{part.topic}/{part.partition}": end - self._at(part) for part, end in ends.items()}

    def _at(self, part: Any) -> int:
        try:
            return int(self._consumer.position(part, timeout_ms=ANSWER_MS) or 0)
        except IllegalStateError:  # it was taken from us between the two questions
            return 0

    def topics(self) -> dict[str, str]:
        """Those of our topics that the broker has, each with the identity of its making ("" where the
        broker is too old to tell). A topic that was deleted and made anew has another."""
        with translated(self._settings):
            there = set(self._consumer.topics())
            known = {topic: self._consumer._cluster.topic_id(topic) for topic in self._settings.reads}
        return {topic: str(known[topic] or "") for topic in self._settings.reads if topic in there}

    def hold(self, topics: Collection[str]) -> None:
        """Fetch nothing of these topics until they are no longer named here, all others as ever; we stay a
        member meanwhile. To be said again and again: a partition that comes to us anew is not held."""
        with translated(self._settings):
            parts = self._consumer.assignment()
            held = {part for part in parts if part.topic in topics}
            paused = self._consumer.paused()
            if held - paused:
                self._consumer.pause(*(held - paused))
            if paused - held:
                self._consumer.resume(*(paused - held))

    def from_start(self, topic: str) -> None:
        """Read our partitions of a topic from their first message, also after a crash; what was read
        before comes again, which is harmless."""
        with translated(self._settings):
            parts = [part for part in self._consumer.assignment() if part.topic == topic]
            if parts:
                self._consumer.seek_to_beginning(*parts)
                self.commit(Offset(part.topic, part.partition, 0) for part in parts)

    def close(self) -> None:
        """Leaves the group at once, so that others take over; commits nothing."""
        with translated(self._settings):
            self._consumer.close(autocommit=False, timeout_ms=5_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _unpark(consumer: Any) -> None:
    """kafka-python (3.0.9 to 3.0.12) goes on with what it has parked of a partition that was held only when nothing
    is in line, and leaves in line what it has read to its end: such a partition was never fetched again. Say it before
    each poll.
    """
    fetcher = consumer._fetcher
    if not fetcher._next_partition_records:
        fetcher._next_partition_records = None


def _place(record: Any) -> str:
    return f"{record.topic}/{record.partition}@{record.offset}"


def _by_part(offsets: Iterable[Offset]) -> dict[Any, Any]:
    return {TopicPartition(one.topic, one.partition): OffsetAndMetadata(one.next, "", -1) for one in offsets}


def _member(settings: BrokerSettings) -> dict[str, Any]:
    if settings.assignor not in _ASSIGNORS:
        raise Refused(f"kafka.assignor “{settings.assignor}” 不认识；写 range 或 cooperative")
    return {
        "group_id": settings.group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",  # a new group must not skip what is waiting
        "allow_auto_create_topics": False,  # a mistyped topic is to be named, not made
        "partition_assignment_strategy": (_ASSIGNORS[settings.assignor],),
        "session_timeout_ms": int(settings.session_timeout_s * 1000),
        "heartbeat_interval_ms": int(min(3.0, settings.session_timeout_s / 3) * 1000),
        "metrics_enabled": False,
        **common(settings),
    }
