"""The seals and signatures of Feishu and WeCom, tried against the makers' own published examples; what is not
exactly theirs opens nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import sealing
from connectors.channels.apps import NotSigned
from connectors.channels.feishu import door as feishu
from connectors.channels.wecom import door as wecom
from connectors.ports import Refused
from models.core.mentions import OPENID, USERID, Mention

# https://developer.work.weixin.qq.com/document/path/90968 and the sample of its library
CORP = "wx5823bf96d3bd56c7"
KEYS = wecom.keys({"id": "wx"}, CORP, "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
ECHO = {
    "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "echostr": ("P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="),
}
SAID = {
    "msg_signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "timestamp": "1409659813",
    "nonce": "1372623149",
}
CIPHER = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/s"
    "YYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJ"
    "YuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGU"
    "callcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDY"
    "A5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)
BODY = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{CIPHER}]]></Encrypt></xml>".encode()
)


def then(query: dict[str, str]) -> datetime:
    return datetime.fromtimestamp(int(query["timestamp"]), UTC)


def test_wecom_s_published_question_is_answered_as_it_says() -> None:
    assert wecom.greeted(KEYS, ECHO, then(ECHO)) == "1616140317555161061"


def test_wecom_s_published_message_opens() -> None:
    told = wecom.opened(KEYS, SAID, BODY, then(SAID))
    assert (told["FromUserName"], told["MsgType"], told["Content"]) == ("mycreate", "text", "hello")
    assert wecom.press(told) is None


def test_feishu_s_published_box_opens() -> None:
    # https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-…
    box = base64.b64decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=")
    key = hashlib.sha256(b"test key").digest()
    assert sealing.cbc_open(key, box[:16], box[16:]) == b"hello world"


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, len(CIPHER) - 1),
    letter=st.sampled_from("ABab01+/="),
    name=st.sampled_from(sorted(SAID)),
)
def test_one_letter_changed_in_anything_opens_nothing(at: int, letter: str, name: str) -> None:
    changed = CIPHER[:at] + letter + CIPHER[at + 1 :]
    if changed != CIPHER:
        body = BODY.replace(CIPHER.encode(), changed.encode())
        with pytest.raises(NotSigned):
            wecom.opened(KEYS, SAID, body, then(SAID))
    other = SAID | {name: SAID[name][:-1] + ("1" if SAID[name][-1] != "1" else "2")}
    with pytest.raises(NotSigned):
        wecom.opened(KEYS, other, BODY, then(SAID))


@pytest.mark.parametrize("later", [301, -301])
def test_a_message_from_another_time_opens_nothing(later: int) -> None:
    now = datetime.fromtimestamp(int(SAID["timestamp"]) + later, UTC)
    with pytest.raises(NotSigned, match="五分钟"):
        wecom.opened(KEYS, SAID, BODY, now)


@given(box=st.binary(max_size=100), block=st.sampled_from([16, 32]))
def test_a_damaged_box_is_refused_or_opens_and_never_faults(box: bytes, block: int) -> None:
    try:
        sealing.cbc_open(b"k" * 32, b"v" * 16, box, block)
    except Refused as error:
        assert "已损坏" in str(error)


@given(plain=st.binary(max_size=200), block=st.sampled_from([16, 32]))
def test_what_is_sealed_opens_again(plain: bytes, block: int) -> None:
    box = sealing.cbc_seal(b"k" * 32, b"v" * 16, plain, block)
    assert len(box) % block == 0
    assert sealing.cbc_open(b"k" * 32, b"v" * 16, box, block) == plain


NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
KEY, TOKEN = "an encrypt key", "a token"
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(told=_ANYTHING)
def test_whatever_feishu_seals_and_signs_is_read_or_refused_and_never_faults(told: Any) -> None:
    body = sealed_by_feishu(told)
    headers = signed_by_feishu(body)
    with pytest.raises(NotSigned):  # none of it bears the token
        feishu.opened(KEY, TOKEN, headers, body, NOW)


def sealed_by_feishu(told: Any) -> bytes:
    box = bytes(16) + sealing.cbc_seal(
        hashlib.sha256(KEY.encode()).digest(), bytes(16), json.dumps(told).encode()
    )
    return json.dumps({"encrypt": base64.b64encode(box).decode()}).encode()


def signed_by_feishu(body: bytes) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()))
    mark = hashlib.sha256(f"{stamp}n{KEY}".encode() + body).hexdigest()
    return {"x-lark-request-timestamp": stamp, "x-lark-request-nonce": "n", "x-lark-signature": mark}


@given(body=st.binary(max_size=60), token=st.text(max_size=5))
def test_what_is_not_sealed_opens_nothing(body: bytes, token: str) -> None:
    with pytest.raises(NotSigned):
        feishu.opened(KEY, TOKEN, {}, body, NOW)
    with pytest.raises(NotSigned):
        feishu.opened(KEY, TOKEN, {"x-lark-signature": token, "x-lark-request-timestamp": token}, body, NOW)


@given(event=_ANYTHING, action=_ANYTHING)
def test_a_press_in_any_shape_is_a_press_or_refused(event: Any, action: Any) -> None:
    told = {"header": {"event_type": "card.action.trigger"}, "event": event}
    for one in (told, {**told, "event": {"action": action, "operator": action}}):
        with pytest.raises(Refused):
            feishu.press(one)


def test_a_press_names_who_what_and_its_own_name() -> None:
    told = {
        "header": {"event_type": "card.action.trigger", "event_id": "e1"},
        "event": {
            "operator": {"open_id": "ou_1", "user_id": "7ab"},
            "action": {"value": {"act": "ack", "about": "al-7"}},
        },
    }
    press = feishu.press(told)
    assert press is not None
    assert (press.act, press.about, press.key) == ("ack", "al-7", "feishu-e1")
    assert press.who == (Mention(OPENID, "ou_1"), Mention(USERID, "7ab"))


def test_without_the_keys_nothing_is_taken() -> None:
    bare = wecom.keys({"id": "wx"}, CORP, "", "")
    with pytest.raises(NotSigned, match=r"channels\.yaml"):
        wecom.opened(bare, SAID, BODY, then(SAID))
    with pytest.raises(NotSigned, match=r"channels\.yaml"):
        feishu.opened("", "", {}, b"{}", NOW)
