"""The webhook's own: the signature, the body, what its answers mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Verifier

from connectors.channels.posting import retry_after
from connectors.ports import Outcome
from support.kits import KITS, NOON, SECRETS, Make, message
from support.receiver import Receiver


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRETS["${HOOK}"], SECRETS["${HOOK}"]),
        ("a plain phrase!", b"a plain phrase!"),
        ("plainphrase", "plainphrase"),
        ("plainphrase", b"plainphrase"),
        ("汉字口令", "汉字口令".encode()),
    ],
)
def test_the_signature_verifies_with_the_standard_library_of_the_specification(
    secret: str, key: str | bytes, receiver: Receiver, channel: Make
) -> None:
    one = channel(KITS[0], receiver.url, secrets=lambda _: secret, now=lambda: datetime.now(UTC))
    one.send(message(reason="死亡 3 人"))
    request = receiver.requests[0]
    told = Verifier(key).verify(request.body, request.headers)
    assert told["reason"] == "死亡 3 人"
    assert request.headers["webhook-id"] == "al-7"


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.cn"])
def test_an_address_that_is_none_is_refused_in_words(host: str, channel: Make) -> None:
    done = channel(KITS[0], f"http://{host}").send(message())
    assert done.outcome is Outcome.REFUSED
    assert "channels.yaml" in done.reason


def test_the_body_is_the_payload_as_utf8_json(receiver: Receiver, channel: Make) -> None:
    channel(KITS[0], receiver.url).send(message())
    request = receiver.requests[0]
    assert request.json() == message().payload
    assert "死亡 10 人".encode() in request.body
    assert request.headers["content-type"].startswith("application/json")


def test_without_a_wall_clock_the_message_s_own_time_is_signed(receiver: Receiver, channel: Make) -> None:
    channel(KITS[0], receiver.url, now=None).send(message())
    sent = datetime.fromisoformat("2026-11-21T05:55:01+08:00")
    assert receiver.requests[0].headers["webhook-timestamp"] == str(int(sent.timestamp()))


def test_the_webhook_keeps_its_connection_open(receiver: Receiver, channel: Make) -> None:
    one = channel(KITS[0], receiver.url)
    for _ in range(5):
        one.send(message())
    assert len({request.connection for request in receiver.requests}) == 1


def test_a_truncated_answer_after_a_202_is_still_accepted(receiver: Receiver, channel: Make) -> None:
    receiver.answer(status=202, body=b"x" * 400, truncate=True)
    assert channel(KITS[0], receiver.url).send(message()).outcome is Outcome.ACCEPTED


def test_retry_after_as_a_date_is_measured_by_the_server_s_own_clock() -> None:
    headers = {"Retry-After": "Sat, 21 Nov 2026 04:01:30 GMT", "Date": "Sat, 21 Nov 2026 04:00:30 GMT"}
    assert retry_after(headers, now=NOON) == 60.0
    assert retry_after({"retry-after": headers["Retry-After"]}, now=NOON) == 90.0
    assert retry_after({"retry-after": headers["Retry-After"]}, now=None) is None
    assert retry_after({"retry-after": "Fri, 20 Nov 2026 04:00:00 GMT"}, now=NOON) == 0.0


def test_a_proxy_is_asked_for_the_whole_address(receiver: Receiver, channel: Make) -> None:
    away = "http://gateway.example:8080"
    done = channel(KITS[0], away, proxy=receiver.url).send(message())
    assert done.outcome is Outcome.ACCEPTED
    assert receiver.requests[0].path.startswith(f"{away}/alerts")
