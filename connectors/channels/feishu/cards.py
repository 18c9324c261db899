"""Feishu's cards: all words from outside stand in `plain_text`, where Feishu renders nothing.

https://open.feishu.cn/document/common-capabilities/message-card/message-cards-content/using-markdown-tags
"""

from __future__ import annotations

from typing import Any

from connectors.channels import robots
from connectors.channels.apps import PRESSES
from connectors.channels.view import View, cut
from models.core.mentions import Mention

INK = {"红": "red", "橙": "orange", "黄": "yellow", "蓝": "blue"}
_TITLE = 100

Card = dict[str, Any]


def words(seen: View) -> str:
    return "\n".join(f"{label}：{said}" for label, said in robots.lines(seen))


def card(seen: View, said: str, called: Mention | None, foot: str, actions: list[Card]) -> Card:
    """Head in the grade's colour, the call, the words, the buttons, the reference."""
    ring = f"<at id={called.name}></at>" if called else ""
    return {
        "config": {"wide_screen_mode": True},
        "header": {"title": _plain(cut(robots.head(seen), _TITLE)), "template": INK.get(seen.colour, "grey")},
        "elements": [
            *([{"tag": "div", "text": {"tag": "lark_md", "content": ring}}] if ring else []),
            {"tag": "div", "text": _plain(said)},
            *([{"tag": "action", "actions": actions}] if actions else []),
            {"tag": "note", "elements": [_plain(foot)]},
        ],
    }


def plain_card(said: str) -> Card:
    return {"config": {"wide_screen_mode": True}, "elements": [{"tag": "div", "text": _plain(said)}]}


def links(seen: View) -> list[Card]:
    """Buttons that open a page; the first is the one to press."""
    return [
        {"tag": "button", "text": _plain(label), "type": "default" if n else "primary", "url": url}
        for n, (label, url) in enumerate(robots.buttons(seen))
    ]


def presses(seen: View, alert_id: str) -> list[Card]:
    """Buttons that come back to us, and the one that opens the page."""
    back = [
        {
            "tag": "button",
            "text": _plain(label),
            "type": "default" if n else "primary",
            "value": {"act": act, "about": alert_id} | ({"others": "1"} if seen.also else {}),
        }
        for n, (act, label) in enumerate(PRESSES.items())
    ]
    look = {"tag": "button", "text": _plain("打开页面"), "type": "default", "url": robots.link(seen.url)}
    return [*back, look] if seen.url else back


def afterwards(head: str, colour: str, said: str, url: str) -> Card:
    """What the card becomes for the one who pressed: who has taken it, what still runs."""
    look = {"tag": "button", "text": _plain("打开页面"), "type": "default", "url": robots.link(url)}
    return {
        "config": {"wide_screen_mode": True},
        "header": {
            "title": _plain(cut(robots.defuse(head), _TITLE)),
            "template": INK.get(colour, "grey"),
        },
        "elements": [
            {"tag": "div", "text": _plain(robots.defuse(said))},
            {"tag": "action", "actions": [look]},
        ],
    }


def _plain(said: str) -> dict[str, str]:
    return {"tag": "plain_text", "content": said}
