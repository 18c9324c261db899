"""DingTalk's own: the signature in the address, whom it calls, its cards, what its codes mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.ports import Outcome
from support.kits import NOON, SECRETS, Make, kit, message, several
from support.receiver import Answer, Receiver

DING = kit("dingtalk")


def posted(receiver: Receiver, channel: Make, address: str, **changes: Any) -> dict[str, Any]:
    receiver.answer(body=DING.yes)
    channel(DING, receiver.url).send(message(address, **changes))
    told: dict[str, Any] = receiver.requests[-1].json()
    return told


def test_the_signature_is_over_the_time_and_the_secret_and_stands_in_the_address(
    receiver: Receiver, channel: Make
) -> None:
    posted(receiver, channel, "group")
    asked = parse_qs(urlsplit(receiver.requests[0].path).query)
    stamp, secret = str(int(NOON.timestamp()) * 1000), SECRETS["${ROBOT}"]
    wanted = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    assert asked["timestamp"] == [stamp]
    assert asked["sign"] == [base64.b64encode(wanted.digest()).decode()]
    assert asked["access_token"] == ["rehearsal-robot-token-0000"]


def test_a_robot_without_a_secret_is_not_signed(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=DING.yes)
    channel(DING, receiver.url, secret=None).send(message("group"))
    assert "sign" not in parse_qs(urlsplit(receiver.requests[0].path).query)


@pytest.mark.parametrize(
    ("address", "key", "name"),
    [("@13800000000", "atMobiles", "13800000000"), ("userid:manager4521", "atUserIds", "manager4521")],
)
def test_a_person_is_called_in_the_list_and_in_the_text(
    address: str, key: str, name: str, receiver: Receiver, channel: Make
) -> None:
    told = posted(receiver, channel, address, ack_url="https://b.example/a/token")
    assert (told["msgtype"], told["at"]) == ("markdown", {"isAtAll": False, key: [name]})
    assert f"@{name}" in told["markdown"]["text"]
    assert "[签收](https://b.example/a/token)" in told["markdown"]["text"]
    assert "橙 · II 级 重大" in told["markdown"]["title"], "the line in the list of chats"


def test_a_message_that_calls_nobody_is_a_card_with_buttons(receiver: Receiver, channel: Make) -> None:
    told = posted(receiver, channel, "group", ack_url="https://b.example/a/token")
    assert told["msgtype"] == "actionCard"
    assert told["actionCard"]["btns"] == [
        {"title": "签收", "actionURL": "https://b.example/a/token"},
        {"title": "打开页面", "actionURL": "http://b.example/incidents/1"},
    ]


def test_without_an_address_of_ours_there_is_no_button(receiver: Receiver, channel: Make) -> None:
    told = posted(
        receiver, channel, "group", incident={"id": "1", "title": "t", "url": "javascript:alert(1)"}
    )
    assert told["msgtype"] == "markdown" and "javascript" not in told["markdown"]["text"]


def test_a_malformed_address_still_reaches_the_group_and_says_so(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=DING.yes)
    done = channel(DING, receiver.url).send(message("13800000000"))
    assert done.outcome is Outcome.ACCEPTED
    assert "没有 @ 到人" in done.reason and "13800000000" not in done.reason


@pytest.mark.parametrize("address", ["userid:all", "userid:@all", "@all", "all"])
def test_no_address_calls_everybody(address: str, receiver: Receiver, channel: Make) -> None:
    told = posted(receiver, channel, address)
    assert told.get("at", {"isAtAll": False}) == {"isAtAll": False}


def test_too_fast_waits_a_minute_or_what_the_answer_asks_for(receiver: Receiver, channel: Make) -> None:
    fast = b'{"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}'
    receiver.then(Answer(body=fast), Answer(body=fast, headers={"Retry-After": "90"}))
    one = channel(DING, receiver.url)
    assert [one.send(message("group")).retry_after for _ in range(2)] == [60.0, 90.0]


def test_a_robot_that_does_not_let_us_through_says_what_to_look_at(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"errcode": 310000, "errmsg": "keywords not in content"}')
    done = channel(DING, receiver.url).send(message("group"))
    assert done.outcome is Outcome.REFUSED
    assert "310000 keywords not in content" in done.reason and "加签密钥" in done.reason


def test_the_other_alerts_of_a_message_are_listed(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=DING.yes)
    channel(DING, receiver.url).send(several(3))
    words = receiver.requests[0].json()["actionCard"]["text"]
    assert "**另有** 2 条" in words and "舆-2026-0100 首次发布 50%" in words


def test_what_is_overdue_says_so_once(receiver: Receiver, channel: Make) -> None:
    clock = {"state": "breached", "due_at": "2026-11-21T05:10:00+08:00"}
    words = posted(receiver, channel, "group", clock=clock)["actionCard"]["text"]
    assert words.count("已逾期") == 1
