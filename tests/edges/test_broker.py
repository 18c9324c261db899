from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from connectors.broker import BrokerSettings, Offset, Polled, TicketConsumer, check, publish, read_message
from connectors.ports import Refused
from models.core.signals import RawSignal, Rejected
from models.core.vocabulary import Medium
from support.kafka import Broker, broker


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def settings(kafka: Broker) -> BrokerSettings:
    topic = f"tickets-{uuid.uuid4().hex[:8]}"
    return BrokerSettings(kafka.bootstrap, (topic,), group=f"g-{topic}", session_timeout_s=6)


def ticket(number: int) -> dict[str, object]:
    return {
        "id": f"T{number}",
        "title": f"第 {number} 件",
        "body": "小区停水三天",
        "published_at": "2026-11-21 02:13",
    }


def drain(consumer: TicketConsumer, wanted: int) -> Polled:
    """Polls until `wanted` messages were read; a test that waits for ever is cut by the count of polls."""
    signals: list[RawSignal] = []
    rejected: list[Rejected] = []
    offsets: dict[tuple[str, int], Offset] = {}
    for _ in range(60):
        polled = consumer.poll(timeout_s=0.5)
        signals += polled.batch.signals
        rejected += polled.batch.rejected
        offsets |= {(one.topic, one.partition): one for one in polled.offsets}
        if len(signals) + len(rejected) >= wanted:
            break
    batch = type(polled.batch)(tuple(signals), tuple(rejected))
    return Polled(batch, tuple(offsets.values()))


def ids(polled: Polled) -> set[str]:
    return {signal.external_id for signal in polled.batch.signals}


def test_good_messages_become_signals_and_poison_is_rejected_with_its_place(settings: BrokerSettings) -> None:
    poison = [b"{not json", b"\xff\xfe\x00", b"[1, 2]", b'{"id": "T9"}', b'{"title": "x", "time": "later"}']
    sent = publish(settings, settings.topics[0], [ticket(1), *poison, ticket(2)])
    with TicketConsumer(settings) as consumer:
        polled = drain(consumer, sent)
    assert ids(polled) == {"T1", "T2"}
    assert polled.batch.read == sent == 7
    assert all(
        one.place.startswith(f"{settings.topics[0]}/") and "@" in one.place for one in polled.batch.rejected
    )
    assert all(one.reason.startswith(one.place) for one in polled.batch.rejected)


def test_what_was_not_committed_comes_again_after_a_crash(settings: BrokerSettings) -> None:
    publish(settings, settings.topics[0], [ticket(n) for n in range(20)])
    with TicketConsumer(settings) as crashed:
        assert len(ids(drain(crashed, 20))) == 20
    with TicketConsumer(settings) as second:
        assert len(ids(drain(second, 20))) == 20


READ_AND_HANG = """
import sys, time
from connectors.broker import BrokerSettings, TicketConsumer
consumer = TicketConsumer(BrokerSettings(sys.argv[1], (sys.argv[2],), group=sys.argv[3], session_timeout_s=2))
got = 0
while got < 20:
    got += consumer.poll(timeout_s=0.5).batch.read
print("read", flush=True)
time.sleep(600)
"""


def test_a_consumer_that_is_killed_after_reading_loses_nothing(settings: BrokerSettings) -> None:
    topic = settings.topics[0]
    publish(settings, topic, [ticket(n) for n in range(20)])
    command = [sys.executable, "-c", READ_AND_HANG, settings.bootstrap, topic, settings.group]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "read\n"
        victim.kill()
    with TicketConsumer(settings) as successor:
        assert len(ids(drain(successor, 20))) == 20


def test_what_was_committed_does_not_come_again(settings: BrokerSettings) -> None:
    topic = settings.topics[0]
    publish(settings, topic, [ticket(n) for n in range(20)])
    with TicketConsumer(settings) as first:
        first.commit(drain(first, 20).offsets)
    publish(settings, topic, [ticket(100)])
    with TicketConsumer(settings) as second:
        assert ids(drain(second, 1)) == {"T100"}
        assert second.lag() == 0


def test_after_a_failed_transaction_the_same_consumer_reads_the_batch_again(settings: BrokerSettings) -> None:
    publish(settings, settings.topics[0], [ticket(n) for n in range(10)])
    with TicketConsumer(settings) as consumer:
        first = drain(consumer, 10)
        consumer.rewind()
        assert ids(drain(consumer, 10)) == ids(first)


def test_a_message_of_more_than_two_megabytes_is_rejected_and_the_next_is_read(
    settings: BrokerSettings,
) -> None:
    big = b'{"id": "T1", "body": "' + b"x" * (2 * 2**20) + b'"}'
    publish(settings, settings.topics[0], [big, ticket(2)])
    with TicketConsumer(settings) as consumer:
        polled = drain(consumer, 2)
    assert ids(polled) == {"T2"}
    assert "more than" in polled.batch.rejected[0].reason


def test_check_names_a_missing_topic(kafka: Broker) -> None:
    assert check(BrokerSettings(kafka.bootstrap)) is None
    said = check(BrokerSettings(kafka.bootstrap, ("no-such-topic",)))
    assert said is not None
    assert "no-such-topic" in said


def test_check_of_a_broker_that_is_not_there_gives_one_sentence_and_no_password() -> None:
    security = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN",
                "sasl_plain_username": "u", "sasl_plain_password": "geheim-77"}  # fmt: skip
    settings = BrokerSettings("127.0.0.1:1", security=security)
    said = check(settings)
    assert said is not None
    assert "127.0.0.1:1" in said
    assert "geheim-77" not in said + repr(settings)


def test_settings_that_cannot_work_are_refused_in_words(kafka: Broker) -> None:
    with pytest.raises(Refused, match="topics is empty"):
        TicketConsumer(BrokerSettings("127.0.0.1:1"))
    with pytest.raises(Refused, match="mend kafka"):
        TicketConsumer(BrokerSettings(kafka.bootstrap, ("t",), security={"no_such_setting": 1}))


def test_a_message_may_not_speak_for_another_source() -> None:
    value = '{"id": "1", "title": "停水", "source": "other-feed"}'.encode()
    found = read_message(value, "t/0@1", source_id="hotline", medium=Medium.HOTLINE)
    assert isinstance(found, RawSignal)
    assert found.source_id == "hotline:other-feed"
