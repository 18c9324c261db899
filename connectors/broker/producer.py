"""Messages out: each is stored by all replicas in step before it counts, in the order given for each key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer  # type: ignore[import-untyped]

from connectors.broker.link import common, opened, translated
from connectors.broker.settings import BrokerSettings

STORED_WITHIN_S = 30.0
LARGEST = 8 * 2**20  # bytes of one message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. The same `key` keeps its order; headers are texts."""

    value: bytes
    key: str | None = None
    headers: Mapping[str, str] | None = None


class Publisher:
    """A producer that stays open. Close it; not to be shared between threads.

    Raises Refused or Unreachable. After a failure nothing is known of the last messages: send them
    again, through a fresh Publisher.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        limits = {
            "linger_ms": 20,
            "max_request_size": LARGEST,
            "batch_size": 2**18,
            "delivery_timeout_ms": int(STORED_WITHIN_S * 1000),
            "request_timeout_ms": 10_000,
            "max_block_ms": 10_000,
            "metrics_enabled": False,
        }
        with translated(settings):
            self._producer = opened(KafkaProducer, **(limits | common(settings)))

    def send(self, topic: str, messages: Iterable[Outgoing]) -> int:
        """Sends all, waits until all are stored, gives their number."""
        with translated(self._settings):
            futures = [self._producer.send(topic, **_fields(message)) for message in messages]
            self._producer.flush(timeout=STORED_WITHIN_S)
            for future in futures:
                future.get(timeout=STORED_WITHIN_S)
        return len(futures)

    def close(self) -> None:
        """What was not stored by now is dropped: its sender never counted it as sent."""
        with translated(self._settings):
            self._producer.close(timeout=1)


def _fields(message: Outgoing) -> dict[str, Any]:
    headers = [(name, value.encode()) for name, value in (message.headers or {}).items()]
    return {"value": message.value, "key": message.key.encode() if message.key else None, "headers": headers}
