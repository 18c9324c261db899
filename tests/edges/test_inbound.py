"""A push is taken when it is signed, fresh and whole; nothing else is even parsed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from connectors.inbound import MAX_ROWS, Unsigned, keys, read_push, verify
from connectors.ports import Refused
from models.core.moment import CST
from models.core.signals import Batch
from models.core.vocabulary import Medium

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"title": "x"}'


def signed(body: bytes, secret: str = SECRET, at: datetime = NOW, push: str = "p1") -> dict[str, str]:
    """By the public library, as another maker's system would."""
    stamp = str(int(at.timestamp()))
    signature = Webhook(secret).sign(push, at.astimezone(UTC), body.decode())  # it takes the time as UTC
    return {"webhook-id": push, "webhook-timestamp": stamp, "webhook-signature": signature}


def test_a_push_signed_by_the_public_library_is_ours() -> None:
    window = timedelta(minutes=5)
    assert verify(SECRET, signed(BODY), BODY, NOW, window) == "p1"
    many = signed(BODY) | {"webhook-signature": "v1a,xx v1,AAAA " + signed(BODY)["webhook-signature"]}
    assert verify(SECRET, many, BODY, NOW, window) == "p1"


@pytest.mark.parametrize(
    ("change", "body", "why"),
    [
        ({"webhook-signature": ""}, BODY, "缺少 webhook-signature"),
        ({"webhook-id": "other"}, BODY, "签名不对"),
        ({"webhook-signature": "v1,"}, BODY, "签名不对"),
        ({"webhook-signature": "v2,AAAA"}, BODY, "签名不对"),
        ({}, BODY + b" ", "签名不对"),
        ({"webhook-timestamp": "1"}, BODY, "相差超过 300 秒"),
        ({"webhook-timestamp": "9e9"}, BODY, "写法不对"),
        ({"webhook-id": "a b"}, BODY, "写法不对"),
    ],
)
def test_a_push_that_is_not_signed_right_is_refused_in_words(
    change: dict[str, str], body: bytes, why: str
) -> None:
    with pytest.raises(Unsigned, match=why):
        verify(SECRET, signed(BODY) | change, body, NOW, timedelta(minutes=5))


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_an_old_push_and_one_from_the_future_are_refused(off: timedelta) -> None:
    with pytest.raises(Unsigned, match="校准时钟"):
        verify(SECRET, signed(BODY, at=NOW + off), BODY, NOW, timedelta(minutes=5))


def test_a_plain_secret_serves_as_its_bytes_and_as_base64() -> None:
    assert keys("whsec_AAAA") == [b"\x00\x00\x00"]
    assert keys("AAAA") == [b"AAAA", b"\x00\x00\x00"]
    assert keys("a plain secret") == [b"a plain secret"]
    for empty in ("", "whsec_", "whsec_!"):
        with pytest.raises(Refused):
            keys(empty)


def pushed(body: bytes) -> Batch:
    return read_push(body, "p1", source_id="letters", medium=Medium.MAILBOX)


@pytest.mark.parametrize("shape", ["{}", "[{}]", '{{"data": [{}]}}'])
def test_one_ticket_or_many_in_any_usual_shape(shape: str) -> None:
    (one,) = pushed(shape.format('{"id": 7, "标题": "停水", "内容": "三天"}').encode()).signals
    assert (one.external_id, one.title, one.medium) == ("7", "停水", Medium.MAILBOX)


def test_a_bad_row_is_rejected_with_its_place_and_the_others_are_taken() -> None:
    batch = pushed(json.dumps([{"title": "停水"}, {"title": ""}, 5, {"title": "x", "time": "昨天"}]).encode())
    assert len(batch.signals) == 1
    assert [one.place for one in batch.rejected] == ["推送 p1[2]", "推送 p1[3]", "推送 p1[4]"]
    assert batch.rejected[2].fields is not None


@pytest.mark.parametrize(
    "body", [b"{", b"5", b'{"a": 1}', b"[" * 100_000, b"\xff\xfe\x00", b"[{}" + b",{}" * MAX_ROWS + b"]"]
)
def test_a_body_without_tickets_is_one_dead_letter_and_raises_nothing(body: bytes) -> None:
    batch = pushed(body)
    assert (len(batch.signals), len(batch.rejected)) == (0, 1)
