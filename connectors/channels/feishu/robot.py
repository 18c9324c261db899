"""Feishu's (Lark's) custom robot in a group (自定义机器人): a card with a call and two links.

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: 100 messages a minute and 5 a
second for each robot, 20 kB a body; the signature is HMAC-SHA256 with `timestamp\\nsecret` as the key
over nothing, in the body, good for an hour; a person is called by open_id or user_id, `<at id=…>`.
All words from outside stand in `plain_text`, where Feishu renders nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from connectors.channels import robots
from connectors.channels.feishu.cards import card, links, plain_card, words
from connectors.channels.robots import Body, Codes, Robot, Sign
from connectors.channels.settings import Now, Secrets, Settings
from connectors.channels.view import view
from connectors.ports import Message
from models.core.mentions import mention

LIMIT = 20_000
"""Bytes of a whole body."""
MOMENT = 5.0
"""Seconds to wait after too many in one second."""
_SIGNATURE = 100
"""Bytes that the signature adds to it."""

CODES = Codes(
    names=("code", "StatusCode"),
    words=("msg", "StatusMessage"),
    passing={11232: MOMENT, 11233: MOMENT, 99991400: MOMENT},  # five a second; the minute is kept by us
    passing_words=("too many", "frequency limit"),  # 9499 is both "Bad Request" and "too many request"
    telling=frozenset({400}),
    hints={
        9499: "飞书读不懂这条消息",
        19001: "机器人地址不对，请重新复制 Webhook 地址",
        19002: "消息的写法不合飞书的规定",
        19021: "签名不对或时间差超过一小时；请核对加签密钥(secret)和本机时间",
        19022: "本机地址不在机器人的 IP 白名单里",
        19024: "消息里没有机器人要求的关键词；请在机器人的安全设置里改用签名校验",
        19036: "消息太长",
    },
)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Robot:
    """{id, type: feishu, robot, secret: none, timeout_s: 10}. Raises Refused."""
    return robots.robot(settings, secrets, now, CODES, bodies, signed(robots.signing_key(settings, secrets)))


def signed(key: str) -> Sign:
    """Adds `timestamp` (s) and `sign` to the body, where the robot has 签名校验."""

    def sign(url: str, body: Body, at: datetime) -> tuple[str, Body]:
        stamp = str(int(at.timestamp()))
        return url, ({"timestamp": stamp, "sign": mark(stamp, key), **body} if key else body)

    return sign


def mark(stamp: str, key: str) -> str:
    return base64.b64encode(hmac.digest(f"{stamp}\n{key}".encode(), b"", hashlib.sha256)).decode()


def bodies(message: Message) -> list[Body]:
    """The first part calls the person and has the buttons; the others are text."""
    seen, called = view(message), mention("feishu", message.address)
    foot = robots.foot(seen, message.alert_id)
    room = LIMIT - _SIGNATURE - robots.body_size(_posted(card(seen, "", called, foot, links(seen))))
    first, *rest = robots.parts(words(seen), room, foot)
    return [
        _posted(card(seen, first, called, foot, links(seen))),
        *(_posted(plain_card(part)) for part in rest),
    ]


def _posted(made: dict[str, Any]) -> Body:
    return {"msg_type": "interactive", "card": made}
