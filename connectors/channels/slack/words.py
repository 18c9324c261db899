"""Text as Slack takes it: escaped, harmless, and never longer than it may be."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from connectors.channels.view import CUT_MARK, plain

HEADER, SECTION, FIELD, TEXT, BUTTON = 150, 3000, 2000, 4000, 75
"""Characters after escaping. https://docs.slack.dev/reference/block-kit/blocks"""
PARTS = 4
"""Sections that one long text may fill: with more of them Slack refuses the message as too long."""

_ESCAPED_WIDTH = {"&": 5, "<": 4, ">": 4, "@": 2, "*": 2, "~": 2, "`": 2}
_STYLED = ("*", "~", "`")
_MENTIONS = ("@here", "@channel", "@everyone", "@group")


def escape(words: str) -> str:
    """Slack's three characters, the marks that style text, and mentions that would call a whole
    channel out of bed."""
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in _STYLED:
        words = words.replace(mark, f"\u2060{mark}")
    for mention in _MENTIONS:
        words = _blunt(words, mention)
    return words


def _blunt(words: str, mention: str) -> str:
    """Put a word joiner (unseen) after the @, whatever the case of the letters."""
    at = words.lower().find(mention)
    while at >= 0:
        words = f"{words[: at + 1]}\u2060{words[at + 1 :]}"
        at = words.lower().find(mention, at + 1)
    return words


def fit(words: str, limit: int) -> str:
    """`words` escaped within `limit` characters; never cut inside an escape, never cut unseen."""
    whole = escape(words)
    if len(whole) <= limit:
        return whole
    return escape(words[: _room(words, limit - len(CUT_MARK))]) + CUT_MARK


def _room(words: str, limit: int) -> int:
    """How many characters of `words` fit into `limit` once they are escaped."""
    used = accumulate(_ESCAPED_WIDTH.get(letter, 1) for letter in words)
    return sum(1 for width in used if width <= limit)


def numbered(words: str, limit: int = SECTION, most: int = PARTS) -> list[str]:
    """`words` escaped, in one part or in several that say which of how many they are: （1/3）…

    Broken at the end of a line or sentence where there is one near; the last of `most` is cut with a mark.
    """
    if len(escape(words)) <= limit:
        return [escape(words)] if words else []
    parts: list[str] = []
    while words and len(parts) < most - 1 and len(escape(words)) > limit - 10:
        end = _end(words, _room(words, limit - 10))
        parts.append(escape(words[:end]))
        words = words[end:].lstrip()
    parts += [fit(words, limit - 10)] if words else []
    return [f"（{number}/{len(parts)}）{part}" for number, part in enumerate(parts, 1)]


def _end(words: str, most: int) -> int:
    """Where to break within the first `most` characters."""
    near = max(words.rfind(mark, most * 3 // 4, most) for mark in "\n。；！？")
    return near + 1 if near >= 0 else max(1, most)


def plain_text(words: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": fit(plain(words), limit) or "—", "emoji": False}


def markdown(escaped: str) -> dict[str, Any]:
    """`verbatim`: Slack makes no link and no mention of what only looks like one."""
    return {"type": "mrkdwn", "text": escaped, "verbatim": True}


def section(escaped: str) -> dict[str, Any]:
    return {"type": "section", "text": markdown(escaped)}


def context(escaped: str) -> dict[str, Any]:
    return {"type": "context", "elements": [markdown(escaped)]}


def button(words: str, action: str, value: str, style: str = "") -> dict[str, Any]:
    made = {"type": "button", "text": plain_text(words, BUTTON), "action_id": action, "value": value[:2000]}
    return made | ({"style": style} if style else {})


def link(words: str, action: str, url: str) -> dict[str, Any]:
    return {"type": "button", "text": plain_text(words, BUTTON), "action_id": action, "url": url}
