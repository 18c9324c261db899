"""Kafka → signals, at least once: the offsets are committed only after the database has committed.

The caller polls, writes the batch in its own transaction and then gives the offsets back to
`commit`. What was polled and not committed comes again, to this consumer after `rewind` and to
the next one after a crash; the unique key of a signal makes that harmless.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    AuthorizationError,
    CommitFailedError,
    KafkaConfigurationError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]

from connectors import encodings
from connectors.mapping import accept, shorten
from connectors.ports import ConnectorError, Refused, Unreachable
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

MAX_MESSAGE = 2 * 2**20  # bytes; a larger one is rejected, not parsed
CHECK_S = 5.0


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to reach the broker and what to read.

    `bootstrap`: "host:port" or several with commas. `security`: kafka-python's own settings for
    SASL and TLS (security_protocol, sasl_mechanism, sasl_plain_username, sasl_plain_password,
    ssl_cafile, …), passed through; it never appears in a message or a repr. Signals get
    `source_id`, or the topic's name when it is empty.
    """

    bootstrap: str
    topics: tuple[str, ...] = ()
    group: str = "huiying"
    medium: Medium = Medium.HOTLINE
    source_id: str = ""
    client_id: str = "huiying"
    session_timeout_s: float = 30.0
    security: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def servers(self) -> list[str]:
        return [server.strip() for server in self.bootstrap.split(",") if server.strip()]


@dataclass(frozen=True, slots=True)
class Offset:
    """Where reading goes on in one partition: the number of the next message."""

    topic: str
    partition: int
    next: int


@dataclass(frozen=True, slots=True)
class Polled:
    """One poll: what it gave, and what to commit once that is stored."""

    batch: Batch = field(default_factory=Batch)
    offsets: tuple[Offset, ...] = ()


class TicketConsumer:
    """A member of a consumer group. Not to be shared between threads; close it, or use `with`.

    Raises Refused for settings that cannot work and Unreachable when the broker does not answer.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        with _translated(settings):
            if not settings.topics:
                raise Refused("kafka.topics is empty; name at least one topic in sources.yaml")
            self._consumer = _opened(
                KafkaConsumer,
                *settings.topics,
                **_common(settings),
                group_id=settings.group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",  # a new group must not skip what is waiting
                session_timeout_ms=int(settings.session_timeout_s * 1000),
                heartbeat_interval_ms=int(min(3.0, settings.session_timeout_s / 3) * 1000),
                metrics_enabled=False,
            )

    def poll(self, timeout_s: float = 1.0, max_records: int = 500) -> Polled:
        """Up to `max_records` messages; empty when none came within `timeout_s`."""
        with _translated(self._settings):
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        outcomes = [self._outcome(record) for records in found.values() for record in records]
        offsets = [
            Offset(part.topic, part.partition, records[-1].offset + 1) for part, records in found.items()
        ]
        signals = tuple(one for one in outcomes if isinstance(one, RawSignal))
        return Polled(
            Batch(signals, tuple(one for one in outcomes if isinstance(one, Rejected))), tuple(offsets)
        )

    def _outcome(self, record: Any) -> RawSignal | Rejected:
        place = f"{record.topic}/{record.partition}@{record.offset}"
        source = self._settings.source_id or record.topic
        return read_message(record.value, place, source_id=source, medium=self._settings.medium)

    def commit(self, offsets: Iterable[Offset]) -> None:
        """Call after the database has committed. Raises Unreachable when the group has moved on:
        the messages then come again, which is harmless."""
        known = {
            TopicPartition(one.topic, one.partition): OffsetAndMetadata(one.next, "", -1) for one in offsets
        }
        if known:
            with _translated(self._settings):
                self._consumer.commit(known, timeout_ms=10_000)

    def rewind(self) -> None:
        """Back to what was last committed, after a database transaction that failed."""
        with _translated(self._settings):
            for part in self._consumer.assignment():
                committed = self._consumer.committed(part, timeout_ms=10_000)
                if committed is None:
                    self._consumer.seek_to_beginning(part)
                else:
                    self._consumer.seek(part, committed)

    def lag(self) -> int:
        """Messages waiting in the partitions of this consumer, behind its reading position."""
        with _translated(self._settings):
            parts = list(self._consumer.assignment())
            ends = self._consumer.end_offsets(parts, timeout_ms=10_000) if parts else {}
            return sum(
                end - (self._consumer.position(part, timeout_ms=10_000) or 0) for part, end in ends.items()
            )

    def close(self) -> None:
        """Leaves the group at once, so that others take over; commits nothing."""
        with _translated(self._settings):
            self._consumer.close(autocommit=False, timeout_ms=5_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def read_message(value: bytes | None, place: str, *, source_id: str, medium: Medium) -> RawSignal | Rejected:
    """One message's bytes: UTF-8 JSON of one object, in the shape of a ticket line. Never raises."""
    if not value:
        return Rejected(place, f"{place}: the message is empty", "")
    if len(value) > MAX_MESSAGE:
        reason = f"{place}: the message has {len(value):,} bytes, more than {MAX_MESSAGE:,}"
        return Rejected(place, reason, shorten(value[:MAX_MESSAGE].decode("utf-8", "replace")))
    text = _text(value)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Rejected(place, f"{place}: not JSON ({error}); send one object per message", shorten(text))
    return accept(message, place, source_id=source_id, medium=medium, raw=text)


def _text(value: bytes) -> str:
    """JSON is UTF-8 by its standard; only what is not is worth a guess."""
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError:
        return encodings.decode(value)


def check(settings: BrokerSettings) -> str | None:
    """None when the broker answers and knows the topics, else one sentence that says what to mend."""
    try:
        with _translated(settings):
            limits = {"bootstrap_timeout_ms": int(CHECK_S * 1000), "metrics_enabled": False}
            consumer = _opened(KafkaConsumer, **(_common(settings) | limits))
            try:
                missing = sorted(set(settings.topics) - set(consumer.topics()))
            finally:
                consumer.close(autocommit=False, timeout_ms=1_000)
    except ConnectorError as error:
        return str(error)
    return f"Kafka at {settings.bootstrap} has no topic {', '.join(missing)}; create it" if missing else None


def publish(settings: BrokerSettings, topic: str, messages: Iterable[Mapping[str, Any] | bytes]) -> int:
    """Sends messages (objects as JSON, bytes as they are), waits until all are stored, gives their number."""
    with _translated(settings):
        limits = {"linger_ms": 20, "max_request_size": 8 * 2**20}
        producer = _opened(KafkaProducer, **(_common(settings) | limits))
        try:
            futures = [producer.send(topic, _bytes(message)) for message in messages]
            producer.flush(timeout=30)
            for future in futures:
                future.get(timeout=30)
        finally:
            producer.close(timeout=5)
    return len(futures)


def _bytes(message: Mapping[str, Any] | bytes) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()


def _common(settings: BrokerSettings) -> dict[str, Any]:
    return {
        "bootstrap_servers": settings.servers,
        "client_id": settings.client_id,
        "bootstrap_timeout_ms": 10_000,
        **settings.security,
    }


def _opened(kind: Any, *topics: str, **settings: Any) -> Any:
    """kafka-python leaves its thread and sockets behind when a broker does not answer: close them."""
    if not settings.get("proxy_url"):
        _knock(settings["bootstrap_servers"])
    networks: list[Any] = []

    def network(**config: Any) -> Any:
        networks.append(KafkaNetClient(**config))
        return networks[-1]

    try:
        return kind(*topics, **settings, kafka_client=network)
    except Exception:
        for one in networks:
            one.close()
        raise


def _knock(servers: list[str]) -> None:
    """Is anybody there? Asked with a socket of our own first, since kafka-python tries for long and
    leaves every refused socket open. Raises OSError when no server takes the connection."""
    last: OSError | None = None
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            with socket.create_connection((host.strip("[]") or server, int(port) if host else 9092), CHECK_S):
                return
        except OSError as error:
            last = error
    raise last or OSError("no address is set")


@contextmanager
def _translated(settings: BrokerSettings) -> Iterator[None]:
    """kafka-python's errors → ours, once, with the place and the way out."""
    place = f"Kafka at {settings.bootstrap or '(no address)'}"
    try:
        yield
    except (SaslAuthenticationFailedError, UnsupportedSaslMechanismError, AuthorizationError) as error:
        raise Refused(
            f"{place} refuses us ({error}); check user, password and rights in sources.yaml"
        ) from None
    except UnknownTopicOrPartitionError as error:
        raise Refused(f"{place} does not know the topic ({error}); create it or mend kafka.topics") from None
    except CommitFailedError as error:
        raise Unreachable(
            f"{place} gave our partitions to another member ({error}); they are read again"
        ) from None
    except (KafkaConfigurationError, AssertionError, ValueError) as error:
        raise Refused(f"{place}: the settings cannot work ({error}); mend kafka in sources.yaml") from None
    except (KafkaError, OSError) as error:
        raise Unreachable(f"{place} does not answer ({error}); check that it runs and is reachable") from None
