from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import jsonschema
import pytest
from kafka.errors import UnknownTopicOrPartitionError  # type: ignore[import-untyped]

from connectors.broker import (
    BrokerSettings,
    Offset,
    Outgoing,
    Polled,
    Publisher,
    TicketConsumer,
    check,
    original,
    read_message,
    schema,
)
from connectors.broker.link import translated
from connectors.ports import Refused
from models.core.signals import RawSignal, Rejected
from models.core.vocabulary import Medium
from support.kafka import Broker, broker, publish
from support.waiting import until


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def settings(kafka: Broker) -> BrokerSettings:
    topic = f"tickets-{uuid.uuid4().hex[:8]}"
    kafka.create(topic)
    return BrokerSettings(
        kafka.bootstrap, (topic,), group=f"g-{topic}", session_timeout_s=6, security=kafka.settings
    )


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
import json, sys, time
from connectors.broker import BrokerSettings, TicketConsumer
security = json.loads(sys.argv[4])
consumer = TicketConsumer(
    BrokerSettings(sys.argv[1], (sys.argv[2],), group=sys.argv[3], session_timeout_s=2, security=security)
)
got = 0
while got < 20:
    got += consumer.poll(timeout_s=0.5).batch.read
print("read", flush=True)
time.sleep(600)
"""


def test_a_consumer_that_is_killed_after_reading_loses_nothing(
    settings: BrokerSettings, kafka: Broker
) -> None:
    kafka.needs_real()
    topic = settings.topics[0]
    publish(settings, topic, [ticket(n) for n in range(20)])
    security = json.dumps(dict(settings.security))
    command = [sys.executable, "-c", READ_AND_HANG, settings.bootstrap, topic, settings.group, security]
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
        assert sum(second.lags().values()) == 0


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
    assert check(BrokerSettings(kafka.bootstrap, security=kafka.settings)) is None
    said = check(BrokerSettings(kafka.bootstrap, ("no-such-topic",), security=kafka.settings))
    assert said is not None
    assert "no-such-topic" in said


def test_check_of_a_broker_that_is_not_there_gives_one_sentence_and_no_password() -> None:
    security = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN",
                "sasl_plain_username": "u", "sasl_plain_password": "geheim-77"}  # fmt: skip
    settings = BrokerSettings("127.0.0.1:1", security=security)
    said = check(settings)
    assert said is not None
    assert said.startswith("Kafka 127.0.0.1:1 没有应答；检查它是否在运行、网络是否通（")
    assert "geheim-77" not in said + repr(settings)


def test_settings_that_cannot_work_are_refused_in_words(kafka: Broker) -> None:
    with pytest.raises(Refused, match="topics 是空的"):
        TicketConsumer(BrokerSettings("127.0.0.1:1"))
    with pytest.raises(Refused, match="range 或 cooperative"):
        TicketConsumer(BrokerSettings(kafka.bootstrap, ("t",), assignor="sticky"))
    with pytest.raises(Refused, match="的 kafka（"):
        TicketConsumer(BrokerSettings(kafka.bootstrap, ("t",), security={"no_such_setting": 1}))


def test_posts_and_tickets_come_from_topics_of_their_own(settings: BrokerSettings, kafka: Broker) -> None:
    posts = f"posts-{uuid.uuid4().hex[:8]}"
    kafka.create(posts)
    publish(settings, settings.topics[0], [ticket(1)])
    publish(settings, posts, [ticket(2), {**ticket(3), "channel": "微博"}])
    with TicketConsumer(replace(settings, posts=(posts,))) as consumer:
        found = drain(consumer, 3).batch.signals
    assert {s.external_id: (s.source_id, s.medium) for s in found} == {
        "T1": (settings.topics[0], Medium.HOTLINE),
        "T2": (posts, Medium.NEWS),
        "T3": (posts, Medium.WEIBO),
    }


@pytest.mark.parametrize("assignor", ["range", "cooperative"])
def test_partitions_that_change_hands_are_read_on_where_the_last_commit_stood(
    settings: BrokerSettings, kafka: Broker, assignor: str
) -> None:
    kafka.needs_real()
    settings = replace(settings, assignor=assignor)
    sent = publish(settings, settings.topics[0], [ticket(n) for n in range(300)])
    found: Counter[str] = Counter()

    def take(consumer: TicketConsumer) -> None:
        polled = consumer.poll(0.3, 10)
        found.update(signal.external_id for signal in polled.batch.signals)
        consumer.commit(polled.offsets)

    with TicketConsumer(settings) as first:
        for _ in range(6):
            take(first)
        with TicketConsumer(settings) as second:  # joins: one partition of two is its own now
            for _ in range(40):
                take(first)
                take(second)
                if second.lags() and first.lags():
                    break
            assert first.lags()
            assert second.lags()
            assert not set(first.lags()) & set(second.lags())
        for _ in range(200):
            take(first)
            if len(found) == sent:
                break
    assert len(found) == sent
    assert sum(found.values()) - sent <= 20  # at most what one poll of each had in hand came twice


def test_what_is_just_being_stored_is_committed_before_its_partitions_go(settings: BrokerSettings) -> None:
    sent = publish(settings, settings.topics[0], [ticket(n) for n in range(40)])
    pending: list[Offset] = []
    found: set[str] = set()
    with TicketConsumer(settings, lambda: tuple(pending)) as first:
        for _ in range(60):
            polled = first.poll(0.5, 15)
            found |= ids(polled)
            pending += polled.offsets
            if len(found) >= 15:
                break
    with TicketConsumer(settings) as second:
        rest = ids(drain(second, sent - len(found)))
    assert not found & rest
    assert len(found | rest) == sent


def test_a_topic_that_was_made_anew_has_another_identity(settings: BrokerSettings, kafka: Broker) -> None:
    kafka.needs_real()
    topic = settings.topics[0]
    with TicketConsumer(settings) as consumer:
        consumer.poll(0.5)
        before = consumer.topics()
        kafka.delete(topic)
        assert until(lambda: topic not in consumer.topics())
        kafka.create(topic)
        assert until(lambda: consumer.topics().get(topic)) not in ("", before[topic])


def test_a_mistyped_topic_is_not_made(settings: BrokerSettings, kafka: Broker) -> None:
    kafka.needs_real()
    typed = f"mistyped-{uuid.uuid4().hex[:8]}"
    with TicketConsumer(replace(settings, topics=(*settings.topics, typed))) as consumer:
        for _ in range(6):
            consumer.poll(0.3)
        assert typed not in consumer.topics()


def test_what_is_packed_in_a_way_we_cannot_open_is_named_and_not_skipped(kafka: Broker) -> None:
    kafka.needs_real()
    topic = f"packed-{uuid.uuid4().hex[:8]}"
    kafka.create(topic, 1, **{"compression.type": "zstd"})
    settings = BrokerSettings(kafka.bootstrap, (topic,), group=f"g-{topic}", security=kafka.settings)
    publish(settings, topic, [ticket(1)])
    with TicketConsumer(settings) as consumer, pytest.raises(Refused, match="zstd"):
        drain(consumer, 1)


def test_messages_of_one_key_stay_in_order_and_carry_their_headers(settings: BrokerSettings) -> None:
    topic = settings.topics[0]
    publisher = Publisher(settings)
    sent = [Outgoing(json.dumps(ticket(n)).encode(), f"K{n % 7}", {"n": str(n)}) for n in range(200)]
    assert publisher.send(topic, sent) == 200
    publisher.close()
    with TicketConsumer(settings) as consumer:
        numbers = [int(s.external_id[1:]) for s in drain(consumer, 200).batch.signals]
    for key in range(7):
        ours = [n for n in numbers if n % 7 == key]
        assert ours == sorted(ours)


def test_a_message_is_read_again_where_it_stands_byte_for_byte(settings: BrokerSettings) -> None:
    topic = settings.topics[0]
    publish(settings, topic, [b"\xff\xfe\x00 poison"])
    with TicketConsumer(settings) as consumer:
        place = drain(consumer, 1).batch.rejected[0].place
    found = original(settings, [place, f"{topic}/0@999", "no-such-topic/0@0", "tickets.csv:7"])
    assert found == {place: b"\xff\xfe\x00 poison"}


def test_messages_that_have_expired_cost_no_waiting(settings: BrokerSettings, kafka: Broker) -> None:
    kafka.needs_real()
    topic = settings.topics[0]
    publish(settings, topic, [b"{%d" % n for n in range(20)])
    with TicketConsumer(settings) as consumer:
        places = [one.place for one in drain(consumer, 20).batch.rejected]
    kafka.expire(topic)
    publish(settings, topic, [b"{new"])
    beyond = [f"{topic}/{part}@{offset}" for part in (0, 1) for offset in (500, 501)]
    began = time.monotonic()
    assert original(settings, [*places, *beyond, f"{topic}/9@0"]) == {}
    assert time.monotonic() - began < 30  # waiting for each of them takes two minutes


ADMITTED = [
    ticket(1),
    {"text": "停水三天"},
    {"body": "x", "metrics": {"reads": "3.2万"}, "published_at": 1763690000},
]


@pytest.mark.parametrize(
    ("message", "admitted"),
    [*((m, True) for m in ADMITTED), ({"id": "T9"}, False), ({"title": ["停"]}, False)],
)
def test_the_message_schema_admits_what_is_read_and_bars_what_is_refused(
    message: dict[str, object], admitted: bool
) -> None:
    found = read_message(json.dumps(message).encode(), "t/0@1", source_id="t", medium=Medium.NEWS)
    assert jsonschema.Draft202012Validator(schema("message")).is_valid(message) is admitted
    assert isinstance(found, RawSignal) is admitted


def test_a_message_may_not_speak_for_another_source() -> None:
    value = '{"id": "1", "title": "停水", "source": "other-feed"}'.encode()
    found = read_message(value, "t/0@1", source_id="hotline", medium=Medium.HOTLINE)
    assert isinstance(found, RawSignal)
    assert found.source_id == "hotline:other-feed"


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (UnknownTopicOrPartitionError("tickets"), "没有主题 tickets；"),
        (UnknownTopicOrPartitionError(), "没有主题 （没有说是哪个）；"),
    ],
)
def test_a_topic_that_is_not_there_is_named_in_our_words_alone(error: Exception, named: str) -> None:
    with pytest.raises(Refused) as told, translated(BrokerSettings(bootstrap="b:9092", topics=("tickets",))):
        raise error
    assert named in str(told.value)
    assert "Error" not in str(told.value)
