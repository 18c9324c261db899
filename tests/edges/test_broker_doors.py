"""Getting in: passwords and TLS against a real broker, and what is said when the door stays shut."""

from __future__ import annotations

import gc
import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.broker import BrokerSettings, Publisher, TicketConsumer, check
from connectors.ports import Refused
from support.kafka import PASSWORD, USER, Own, broker, publish

WRONG = "falsch-99"

# kafka-python leaves the socket of a connection that was refused to the garbage collector, which may come by in any
# later test of this file; none is left for the next file
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running.needs_own()
    gc.collect()


@pytest.fixture
def topic() -> str:
    return f"tickets-{uuid.uuid4().hex[:8]}"


def with_password(own: Own, mechanism: str, word: str = PASSWORD) -> BrokerSettings:
    login = {"sasl_mechanism": mechanism, "sasl_plain_username": USER, "sasl_plain_password": word}
    return BrokerSettings(f"127.0.0.1:{own.sasl}", security={"security_protocol": "SASL_PLAINTEXT", **login})


def with_tls(own: Own, **more: Any) -> BrokerSettings:
    return BrokerSettings(f"127.0.0.1:{own.tls}", security={"security_protocol": "SSL", **more})


def there_and_back(settings: BrokerSettings, topic: str) -> list[str]:
    publish(settings, topic, [{"id": "T1", "title": "停水"}])
    with TicketConsumer(replace(settings, topics=(topic,), group=f"g-{topic}")) as consumer:
        for _ in range(60):
            if found := [signal.external_id for signal in consumer.poll(0.5).batch.signals]:
                return found
    return []


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_right_password_lets_tickets_through_both_ways(own: Own, topic: str, mechanism: str) -> None:
    assert there_and_back(with_password(own, mechanism), topic) == ["T1"]


def test_tls_with_the_authority_of_the_house_lets_tickets_through_both_ways(own: Own, topic: str) -> None:
    assert there_and_back(with_tls(own, ssl_cafile=str(own.authority)), topic) == ["T1"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_wrong_password_is_one_sentence_soon_and_is_nowhere_repeated(
    own: Own, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = with_password(own, mechanism, WRONG)
    began = time.monotonic()
    said = check(settings)
    assert said is not None
    assert "拒绝登录" in said
    assert "核对 kafka.security 的用户名、密码" in said
    assert "\n" not in said
    assert time.monotonic() - began < 30  # a moment alone
    assert WRONG not in said + repr(settings) + caplog.text


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_right_password_is_in_no_log_however_talkative(
    own: Own, topic: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    there_and_back(with_password(own, mechanism), topic)
    assert caplog.text
    assert PASSWORD not in caplog.text


def test_reader_and_writer_both_refuse_a_wrong_password(own: Own, topic: str) -> None:
    settings = replace(with_password(own, "PLAIN", WRONG), topics=(topic,))
    with pytest.raises(Refused, match="用户名、密码"):
        TicketConsumer(settings)
    with pytest.raises(Refused, match="用户名、密码"):
        Publisher(settings)


def test_a_certificate_that_nobody_vouches_for_is_refused_in_words(own: Own) -> None:
    said = check(with_tls(own))
    assert said is not None
    assert "CERTIFICATE_VERIFY_FAILED" in said
    assert "ssl_cafile" in said


def test_an_authority_file_that_is_not_there_is_named(own: Own, tmp_path: Path) -> None:
    said = check(with_tls(own, ssl_cafile=str(tmp_path / "ca.pem")))
    assert said is not None
    assert str(tmp_path / "ca.pem") in said


def test_a_mechanism_that_the_broker_does_not_speak_is_named(own: Own) -> None:
    said = check(with_password(own, "SCRAM-SHA-512"))
    assert said is not None
    assert "拒绝登录" in said
    # a broker answers and hangs up; which of the two is seen first is chance
    assert "UnsupportedSaslMechanism" in said or "by SCRAM-SHA-512" in said
