"""What a person would see of a channel's request, and when a platform's answer is a yes: written from the
platforms' documents, apart from the adapters, so that the contract suite can hold them to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from support.receiver import Request


@dataclass(frozen=True)
class Rendered:
    """What a person would see of one request: words, where links lead, who is called."""

    words: str
    links: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()


def as_json(request: Request) -> Rendered:
    """A body that a machine reads: nothing in it is rendered."""
    return Rendered(json.dumps(request.json(), ensure_ascii=False))


def said_2xx(status: int, body: bytes) -> bool:
    return 200 <= status < 300


def said_zero(*names: str) -> Callable[[int, bytes], bool]:
    """Platforms whose yes is a 0: every one of these fields that is there, and one at least is."""

    def yes(status: int, body: bytes) -> bool:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return False
        given = [told[name] for name in names if name in told] if isinstance(told, dict) else []
        return 200 <= status < 300 and bool(given) and all(repr(code) == "0" for code in given)

    return yes


def slack_yes(status: int, body: bytes) -> bool:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return status == 200 and isinstance(told, dict) and told.get("ok") is True


_LINK = re.compile(r"\[[^\]]*\]\(([^)]*)\)")
_BARE = re.compile(r"https?://[^\s，。]+")
_MARKDOWN_CALL = re.compile(r"<@([^>]*)>|<at [^>]*?id=\"?([^\s>\"]*)")


def markdown(words: str, called: frozenset[str]) -> Rendered:
    """Markdown as the generous would render it: links, bare addresses, HTML."""
    links = {*_LINK.findall(words), *_BARE.findall(_LINK.sub("", words))}
    calls = {name for match in _MARKDOWN_CALL.findall(words) for name in match if name}
    assert "<img" not in words and "<a " not in words and "![" not in words
    return Rendered(words, frozenset(links), called | calls)


def dingtalk(request: Request) -> Rendered:
    told = request.json()
    at = told.get("at", {})
    everybody = {"everybody"} if at.get("isAtAll") else set()
    called = {*at.get("atMobiles", ()), *at.get("atUserIds", ()), *everybody}
    assert all(f"@{name}" in told["markdown"]["text"] for name in called), (
        "DingTalk wants the mark in the text too"
    )
    shown = told.get("markdown") or told["actionCard"]
    pressed = {one["actionURL"] for one in shown.get("btns", ())}
    seen = markdown(shown["text"], frozenset(called))
    return Rendered(seen.words, seen.links | pressed, seen.called)


def wecom(request: Request) -> Rendered:
    told = request.json()
    if told["msgtype"] == "template_card":
        card = told["template_card"]
        links = {one["url"] for one in (card["card_action"], *card["jump_list"])}
        return Rendered(json.dumps(card, ensure_ascii=False), frozenset(links))
    shown = told[told["msgtype"]]
    called = frozenset((*shown.get("mentioned_list", ()), *shown.get("mentioned_mobile_list", ())))
    return markdown(shown["content"], called)


def feishu(request: Request) -> Rendered:
    told = request.json()
    return feishu_card(told["card"])


def feishu_card(card: dict[str, Any]) -> Rendered:
    """`plain_text` renders nothing; `lark_md` does; buttons lead where their url says."""
    texts = list(_texts(card))
    marked = [markdown(text["content"], frozenset()) for text in texts if text["tag"] == "lark_md"]
    actions = [one for part in card["elements"] if part["tag"] == "action" for one in part["actions"]]
    links = {one["url"] for one in actions if "url" in one}.union(*(one.links for one in marked))
    called = frozenset[str]().union(*(one.called for one in marked))
    return Rendered("\n".join(text["content"] for text in texts), frozenset(links), called)


def _texts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict) and part.get("tag") in ("plain_text", "lark_md"):
        yield part
    elif isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _texts(one)


_SLACK_LINK, _SLACK_CALL = (
    re.compile(r"<(https?:[^|>]*)"),
    re.compile(r"<([!@][^>]*)>|(@(?:here|channel|everyone))"),
)


def slack(request: Request) -> Rendered:
    told = json.dumps(request.json(), ensure_ascii=False)
    calls = {name for match in _SLACK_CALL.findall(told) for name in match if name}
    return Rendered(told, frozenset(_SLACK_LINK.findall(told)), frozenset(calls))


def whole_body(request: Request) -> int:
    return len(request.body)


def wecom_content(request: Request) -> int:
    told = request.json()
    shown = told[told["msgtype"]]
    return len(shown.get("content", "").encode())


def said_code_zero(status: int, body: bytes) -> bool:
    """A gateway whose yes is the code 0, as a number or as a text."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return False
    code = told.get("code") if isinstance(told, dict) else None
    return 200 <= status < 300 and (code == "0" or repr(code) == "0")


def text_message(request: Request) -> Rendered:
    """A telephone makes a link of every address in a text message."""
    told = request.json()
    words = f"{told['content']}\n{told['why']}"
    return Rendered(words, frozenset(_BARE.findall(words)))


def feishu_app(request: Request) -> Rendered:
    """A card as JSON within JSON, to one person."""
    told = request.json()
    seen = feishu_card(json.loads(told["content"]))
    return Rendered(seen.words, seen.links, seen.called)


def wecom_app(request: Request) -> Rendered:
    told = request.json()
    if told["msgtype"] != "template_card":
        return markdown(told[told["msgtype"]]["content"], frozenset())
    card = told["template_card"]
    links = {card["card_action"]["url"]} if "card_action" in card else set()
    return Rendered(json.dumps(card, ensure_ascii=False), frozenset(links))


def content_size(request: Request) -> int:
    """Bytes of what a person is written, whatever its kind."""
    told = request.json()
    shown = told.get("content") or told[told["msgtype"]].get("content", "")
    return len(shown.encode())
