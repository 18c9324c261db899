"""WeCom's cards and Markdown.

https://developer.work.weixin.qq.com/document/path/91770 and …/90236: a card's fields are shortened on the
screen without a word when they are longer than this, so that here they say themselves where they are cut.
"""

from __future__ import annotations

import re
from typing import Any

from connectors.channels import robots
from connectors.channels.apps import PRESSES
from connectors.channels.view import View, cut
from models.core.mentions import Mention

MARKDOWN = 4096
"""Bytes of a content."""
_TITLE, _DESC, _SUB, _VALUE, _ROWS = 26, 30, 112, 26, 6
"""Characters of a card's fields, and its rows."""
_INK = {"红": 2, "橙": 2, "黄": 1, "蓝": 1}

Card = dict[str, Any]


def markdown(seen: View, called: Mention | None, foot: str) -> list[str]:
    """The contents of as many Markdown messages as it takes; the first calls the person."""
    ring = [f"<@{called.name}>"] if called else []
    links = " ".join(f"[{label}]({url})" for label, url in robots.buttons(seen))
    words = [f"**{label}** {said}" for label, said in robots.lines(seen)]
    top = [*ring, f"**{robots.head(seen)}**", *filter(None, [links]), f"> {foot}"]
    return robots.parts("\n".join([*top, *words]), MARKDOWN, foot)


def fits(seen: View, foot: str) -> bool:
    """Would a card show all of it?"""
    rows = _rows(seen)
    short = len(rows) <= _ROWS and all(len(words) <= _VALUE for _, words in rows)
    return short and len(seen.title) <= _TITLE and len(foot) <= _DESC and len(seen.why) <= _SUB


def notice(seen: View, foot: str, links: list[tuple[str, str]]) -> Card:
    """A card with links below it; it leads where the last of them does."""
    return {
        "card_type": "text_notice",
        **_face(seen, foot),
        "jump_list": [{"type": 1, "title": label, "url": url} for label, url in links],
        "card_action": {"type": 1, "url": links[-1][1]},
    }


def pressable(seen: View, foot: str, alert_id: str) -> Card:
    """A card whose buttons come back to us; a task id is good once, so that a resend has its own."""
    task = re.sub(r"[^A-Za-z0-9_@-]", "-", alert_id)[:100]
    leads = {"card_action": {"type": 1, "url": robots.link(seen.url)}} if seen.url else {}
    return {
        "card_type": "button_interaction",
        **_face(seen, foot),
        **leads,
        "task_id": f"{task}@{seen.attempt}",
        "button_list": [
            {"text": label, "style": 2 if n else 1, "key": f"{act}:{alert_id}"}
            for n, (act, label) in enumerate(PRESSES.items())
        ],
    }


def _face(seen: View, foot: str) -> Card:
    return {
        "source": {"desc": seen.badge or "值班提醒", "desc_color": _INK.get(seen.colour, 0)},
        "main_title": {"title": cut(robots.defuse(seen.title) or "提醒", _TITLE), "desc": cut(foot, _DESC)},
        "sub_title_text": cut(robots.defuse(seen.why), _SUB),
        "horizontal_content_list": [
            {"keyname": label, "value": cut(words, _VALUE)} for label, words in _rows(seen)[:_ROWS]
        ],
    }


def _rows(seen: View) -> list[tuple[str, str]]:
    """What is due and what is left apart: together they are too long for one field."""
    said = {"期限": seen.due, "剩余": robots.left(seen, " ")}
    rest = [(label, words) for label, words in robots.lines(seen) if label not in ("缘由", "期限")]
    return [*((label, words) for label, words in said.items() if words), *rest]
