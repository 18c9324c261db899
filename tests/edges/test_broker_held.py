"""What was held back is read to its end once it is let go, however much lay ready when it was held."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from connectors.broker import BrokerSettings, TicketConsumer
from support.kafka import Broker, broker, publish
from support.waiting import until

MANY, FEW, ROUNDS = 900, 10, 3


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def test_two_topics_that_were_held_again_and_again_are_read_to_their_ends(kafka: Broker) -> None:
    mark = uuid.uuid4().hex[:8]
    held, free = (f"held-a-{mark}", f"held-b-{mark}"), f"free-{mark}"
    for topic in (*held, free):
        kafka.create(topic)
    settings = BrokerSettings(
        kafka.bootstrap, (*held, free), group=f"g-{mark}", session_timeout_s=6, security=kafka.settings
    )
    for topic in held:
        publish(settings, topic, [{"id": str(n), "title": "停水"} for n in range(MANY)])
    seen: Counter[str] = Counter()
    with TicketConsumer(settings) as consumer:
        for turn in range(ROUNDS):
            until(lambda: _read(consumer, seen, 50) and all(seen[topic] for topic in held))
            consumer.hold(held)
            publish(settings, free, [{"id": f"{turn}-{n}", "title": "停电"} for n in range(FEW)])
            until(lambda turn=turn: _read(consumer, seen, 500) >= 0 and seen[free] == FEW * (turn + 1))  # type: ignore[misc]
            consumer.hold(())
        until(
            lambda: _read(consumer, seen, 500) >= 0 and seen.total() >= 2 * MANY + ROUNDS * FEW,
            lambda: str(seen),
        )
    assert seen == {held[0]: MANY, held[1]: MANY, free: FEW * ROUNDS}


def _read(consumer: TicketConsumer, seen: Counter[str], most: int) -> int:
    """One poll; how many it gave."""
    polled = consumer.poll(0.5, most)
    seen.update(place.split("/")[0] for place in polled.places)
    return len(polled.places)
