"""DingTalk's custom robot in a group (自定义机器人): Markdown that calls a person, else a card.

https://open.dingtalk.com/document/orgapp/custom-robot-access: 20 messages a minute for each robot,
20,000 bytes a message; the signature is HMAC-SHA256 over `timestamp\\nsecret` with the secret, in the
address; a person is called by `at` and by the same mark in the text, in Markdown only: a card with
buttons (actionCard) rings nobody. So a message that calls somebody has links where a card has buttons.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from connectors.channels import robots
from connectors.channels.robots import MINUTE, Body, Codes, Robot, Sign
from connectors.channels.settings import Now, Secrets, Settings
from connectors.channels.view import View, cut, view
from connectors.ports import Message
from models.core.mentions import MOBILE, Mention, mention

LIMIT = 20_000
"""Bytes of a whole body."""
TITLE = 60
"""Characters of the line in the list of chats."""

CODES = Codes(
    names=("errcode",),
    words=("errmsg",),
    passing={-1: None, 130101: MINUTE, 410100: MINUTE, 90018: MINUTE},
    hints={
        300001: "机器人地址里的 access_token 不对，请重新复制 Webhook 地址",
        300005: "机器人地址里的 access_token 不对，请重新复制 Webhook 地址",
        310000: "机器人的安全设置没有放行；请核对加签密钥(secret)、自定义关键词、IP 地址段和本机时间",
        400013: "群已解散，请换一个机器人",
        400101: "机器人地址里的 access_token 不对，请重新复制 Webhook 地址",
        400102: "机器人已停用，请在群设置里启用",
        400105: "机器人不支持这种消息，请换成自定义机器人",
        400106: "机器人不在群里了，请重新添加",
        430101: "消息里有钉钉不许发的链接",
        460101: "消息太长",
    },
)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Robot:
    """{id, type: dingtalk, robot, secret: none, timeout_s: 10}. Raises Refused."""
    return robots.robot(settings, secrets, now, CODES, bodies, signed(robots.signing_key(settings, secrets)))


def signed(key: str) -> Sign:
    """Adds `timestamp` (ms) and `sign` to the address, where the robot has 加签."""

    def sign(url: str, body: Body, at: datetime) -> tuple[str, Body]:
        stamp = str(int(at.timestamp() * 1000))
        return (f"{url}{'&' if '?' in url else '?'}{query(stamp, key)}" if key else url), body

    return sign


def query(stamp: str, key: str) -> str:
    mark = base64.b64encode(hmac.digest(key.encode(), f"{stamp}\n{key}".encode(), hashlib.sha256))
    return f"timestamp={stamp}&sign={quote_plus(mark)}"


def bodies(message: Message) -> list[Body]:
    """The first part calls the person and has the links or buttons; the others are text."""
    seen, called = view(message), mention("dingtalk", message.address)
    title, foot = cut(robots.head(seen), TITLE), robots.foot(seen, message.alert_id)
    room = LIMIT - robots.body_size(_first(title, "", seen, called, foot)) - 8
    first, *rest = robots.parts(_text(seen), room, foot)
    return [
        _first(title, first, seen, called, foot),
        *(_markdown(title, part.replace("\n", "\n\n", 1), None) for part in rest),
    ]


def _text(seen: View) -> str:
    """The lines under the head. Two line ends make one here."""
    return "\n\n".join(f"**{label}** {words}" for label, words in robots.lines(seen))


def _first(title: str, words: str, seen: View, called: Mention | None, foot: str) -> Body:
    under = [f"### {robots.head(seen)}", words, f"> {foot}"]
    if called is None and robots.buttons(seen):
        return _card(title, "\n\n".join(under), seen)
    links = " · ".join(f"[{label}]({url})" for label, url in robots.buttons(seen))
    ring = f"@{called.name}" if called else ""
    return _markdown(title, "\n\n".join(filter(None, (ring, under[0], links, *under[1:]))), called)


def _card(title: str, words: str, seen: View) -> Body:
    pressed = [{"title": label, "actionURL": url} for label, url in robots.buttons(seen)]
    card = {"title": title, "text": words, "btnOrientation": "1", "btns": pressed}
    return {"msgtype": "actionCard", "actionCard": card}


def _markdown(title: str, words: str, called: Mention | None) -> Body:
    at: dict[str, Any] = {"isAtAll": False}
    if called is not None:
        at["atMobiles" if called.way == MOBILE else "atUserIds"] = [called.name]
    return {"msgtype": "markdown", "markdown": {"title": title, "text": words}, "at": at}
