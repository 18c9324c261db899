"""WeCom's robot in a group (群机器人, now 消息推送): text that calls a telephone number, Markdown that
calls a user id, a card where nobody is called.

https://developer.work.weixin.qq.com/document/path/91770: 20 messages a minute for each robot; text
2,048 bytes, Markdown 4,096; only text calls by telephone number, only text and Markdown by user id
(`<@userid>`), and a card shortens without a word what is longer than its fields, so that only an alert
that fits becomes one.
"""

from __future__ import annotations

from datetime import datetime

from connectors.channels import robots
from connectors.channels.robots import MINUTE, Body, Codes, Robot
from connectors.channels.settings import Now, Secrets, Settings
from connectors.channels.view import View, view
from connectors.channels.wecom import cards
from connectors.ports import Message
from models.core.mentions import MOBILE, Mention, mention

TEXT = 2048
"""Bytes of a text's content."""

CODES = Codes(
    names=("errcode",),
    words=("errmsg",),
    passing={-1: None, 6000: None, 45009: MINUTE, 45033: MINUTE},
    hints={
        40008: "企业微信不认得这种消息",
        40058: "消息的写法或长度不合企业微信的规定",
        93000: "机器人地址里的 key 不对或机器人已删除，请重新复制 Webhook 地址",
        93004: "机器人已停用，请在群设置里启用",
        93008: "机器人不在群里了，请重新添加",
        93017: "机器人已停用，请在群设置里启用",
    },
)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Robot:
    """{id, type: wecom, robot, timeout_s: 10}; the key in the address is all there is. Raises Refused."""
    return robots.robot(settings, secrets, now, CODES, bodies, _unsigned)


def _unsigned(url: str, body: Body, at: datetime) -> tuple[str, Body]:
    return url, body


def bodies(message: Message) -> list[Body]:
    """By telephone number: text. By user id: Markdown. Nobody: a card where it fits, else Markdown."""
    seen, called = view(message), mention("wecom", message.address)
    foot = robots.foot(seen, message.alert_id)
    if called is not None and called.way == MOBILE:
        return _texts(seen, called, foot)
    if called is None and robots.buttons(seen) and cards.fits(seen, foot):
        return [{"msgtype": "template_card", "template_card": cards.notice(seen, foot, robots.buttons(seen))}]
    return markdowns(seen, called, foot)


def markdowns(seen: View, called: Mention | None, foot: str) -> list[Body]:
    pieces = cards.markdown(seen, called, foot)
    return [{"msgtype": "markdown", "markdown": {"content": piece}} for piece in pieces]


def _texts(seen: View, called: Mention, foot: str) -> list[Body]:
    links = [f"{label}: {url}" for label, url in robots.buttons(seen)]
    words = [f"{label}: {said}" for label, said in robots.lines(seen)]
    pieces = robots.parts("\n".join([robots.head(seen), *links, foot, *words]), TEXT, foot)
    return [_text(piece, called if n == 0 else None) for n, piece in enumerate(pieces)]


def _text(words: str, called: Mention | None) -> Body:
    ring = {"mentioned_mobile_list": [called.name]} if called else {}
    return {"msgtype": "text", "text": {"content": words, **ring}}
