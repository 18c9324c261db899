"""Feishu's own: the signature in the body, the card, its two fields for one code."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from connectors.ports import Outcome
from support.kits import NOON, SECRETS, Make, kit, message
from support.receiver import Receiver

FEISHU = kit("feishu")


def posted(receiver: Receiver, channel: Make, address: str, **changes: Any) -> dict[str, Any]:
    receiver.answer(body=FEISHU.yes)
    channel(FEISHU, receiver.url).send(message(address, **changes))
    told: dict[str, Any] = receiver.requests[-1].json()
    return told


def test_the_signature_has_the_time_and_the_secret_as_its_key_and_stands_in_the_body(
    receiver: Receiver, channel: Make
) -> None:
    told = posted(receiver, channel, "group")
    stamp, secret = str(int(NOON.timestamp())), SECRETS["${ROBOT}"]
    wanted = hmac.new(f"{stamp}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
    assert (told["timestamp"], told["sign"]) == (stamp, base64.b64encode(wanted).decode())


def test_a_robot_without_a_secret_is_not_signed(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=FEISHU.yes)
    channel(FEISHU, receiver.url, secret=None).send(message("group"))
    assert "sign" not in receiver.requests[0].json()


@pytest.mark.parametrize(
    ("address", "name"), [("openid:ou_1f2e3d", "ou_1f2e3d"), ("userid:7ab2c", "7ab2c"), ("group", "")]
)
def test_a_person_is_called_by_open_id_or_user_id(
    address: str, name: str, receiver: Receiver, channel: Make
) -> None:
    first = posted(receiver, channel, address)["card"]["elements"][0]["text"]
    wanted = ("lark_md", f"<at id={name}></at>") if name else ("plain_text", first["content"])
    assert (first["tag"], first["content"]) == wanted


@pytest.mark.parametrize(
    ("grade", "colour"), [("I", "red"), ("II", "orange"), ("III", "yellow"), ("IV", "blue")]
)
def test_the_head_has_the_colour_and_the_name_of_the_grade(
    grade: str, colour: str, receiver: Receiver, channel: Make
) -> None:
    incident = {"id": "1", "title": "停水", "grade": grade, "url": "http://b.example/"}
    header = posted(receiver, channel, "group", incident=incident)["card"]["header"]
    assert header["template"] == colour
    assert f"{grade} 级" in header["title"]["content"], "never by colour alone"


def test_the_buttons_open_our_pages(receiver: Receiver, channel: Make) -> None:
    card = posted(receiver, channel, "group", ack_url="https://b.example/a/token")["card"]
    (actions,) = [part["actions"] for part in card["elements"] if part["tag"] == "action"]
    assert [(one["text"]["content"], one["url"]) for one in actions] == [
        ("签收", "https://b.example/a/token"),
        ("打开页面", "http://b.example/incidents/1"),
    ]


def test_an_old_robot_s_yes_is_a_yes(receiver: Receiver, channel: Make) -> None:
    receiver.answer(body=b'{"Extra": null, "StatusCode": 0, "StatusMessage": "success"}')
    assert channel(FEISHU, receiver.url).send(message("group")).outcome is Outcome.ACCEPTED


def test_one_code_with_two_meanings_is_told_apart_by_its_words(receiver: Receiver, channel: Make) -> None:
    one = channel(FEISHU, receiver.url)
    outcomes = []
    for words in (b"Bad Request", b"too many request"):
        receiver.answer(body=b'{"code": 9499, "msg": "%s"}' % words)
        outcomes.append(one.send(message("group")).outcome)
    assert outcomes == [Outcome.REFUSED, Outcome.RETRY]
