"""An approved text as each outlet takes it: plain text, Markdown, HTML; short for 微博. Pure.

The website's copy is the whole text (S-099: 门户网站第一公开平台); the others say where it stands.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from models.core.casework import Outlet

WEIBO: Final = 140
"""What a 微博 shows without a tap, in characters of which two Latin ones make one (a proposal)."""
REST: Final = "全文见门户网站。"

_HEADING = re.compile(r"^(#{1,6})[ \t]*(\S.*)$")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,2}[.)、])[ \t]+(.+)$")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((https?://[^\s)]{1,2000})\)")
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (level 1…6), a list item (level -1) or a paragraph (level 0)."""

    level: int
    words: str


@dataclass(frozen=True, slots=True)
class File:
    """One file of a release package."""

    name: str
    content: str


def blocks(text: str) -> list[Block]:
    """Markdown of headings, lists and paragraphs; everything else is words."""
    return [_block(line) for line in text.splitlines() if line.strip()]


def _block(line: str) -> Block:
    if heading := _HEADING.match(line):
        return Block(len(heading[1]), heading[2].rstrip(" \t").rstrip("#").rstrip(" \t"))
    if item := _ITEM.match(line):
        return Block(-1, item[1])
    return Block(0, line.strip())


def plain(text: str) -> str:
    """Without marks: headings are left out, since a text for the public reads as one."""
    return "\n\n".join(_bare(block.words) for block in blocks(text) if block.level <= 0)


def _bare(words: str) -> str:
    return _LINK.sub(r"\1(\2)", _BOLD.sub(r"\1", words))


def page(text: str) -> str:
    """The text as HTML: nothing of it is markup but what we made."""
    return "\n".join(_rendered(blocks(text)))


def _rendered(made: Sequence[Block]) -> Iterator[str]:
    listing = False
    for block in made:
        if (block.level == -1) != listing:
            listing = block.level == -1
            yield "<ul>" if listing else "</ul>"
        tag = {0: "p", -1: "li"}.get(block.level) or f"h{min(max(block.level, 2), 4)}"
        yield f"<{tag}>{_marked(block.words)}</{tag}>"
    if listing:
        yield "</ul>"


def _marked(words: str) -> str:
    bold = _BOLD.sub(r"<strong>\1</strong>", html.escape(words))
    return _LINK.sub(r'<a href="\2">\1</a>', bold)


# ── what each outlet gets ─────────────────────────────────────────────────────────────────────


def package(
    title: str, text: str, publisher: str, outlets: Sequence[Outlet], weibo: int = WEIBO
) -> list[File]:
    """The files for these outlets, ready to be pasted."""
    return [
        file
        for outlet in Outlet
        if outlet in outlets
        for file in _FILES[outlet](title, text, publisher, weibo)
    ]


def _website(title: str, text: str, publisher: str, _: int) -> list[File]:
    head = f'<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
    body = f"<h1>{html.escape(title)}</h1>\n{page(text)}\n<p>{html.escape(publisher)}</p>"
    whole = f'<!doctype html>\n<html lang="zh-CN">{head}\n<body>\n{body}\n</body></html>\n'
    return [
        File("网站.html", whole),
        File("网站.md", f"# {title}\n\n{text.strip()}\n\n{publisher}\n"),
        File("网站.txt", _told(title, text, publisher)),
    ]


def _told(title: str, text: str, publisher: str) -> str:
    return f"{title}\n\n{plain(text)}\n\n{publisher}\n"


def _weibo(title: str, text: str, publisher: str, most: int) -> list[File]:
    return [File("微博.txt", short(title, text, most) + "\n")]


def _wechat(title: str, text: str, publisher: str, _: int) -> list[File]:
    return [File("微信.html", f"<section>\n<h1>{html.escape(title)}</h1>\n{page(text)}\n</section>\n")]


def _app(title: str, text: str, publisher: str, _: int) -> list[File]:
    return [File("客户端.txt", _told(title, text, publisher))]


def _press(title: str, text: str, publisher: str, _: int) -> list[File]:
    return [File("新闻通稿.txt", f"新闻通稿\n\n{_told(title, text, publisher)}")]


_FILES: Final = {
    Outlet.WEBSITE: _website,
    Outlet.WEIBO: _weibo,
    Outlet.WECHAT: _wechat,
    Outlet.APP: _app,
    Outlet.PRESS: _press,
}


def width(text: str) -> int:
    """Characters as 微博 counts them: two Latin ones are one, rounded up."""
    return (sum(1 if char.isascii() else 2 for char in text) + 1) // 2


def short(title: str, text: str, most: int = WEIBO) -> str:
    """【title】 and as many whole sentences as fit, in order; the rest is on the website."""
    whole = f"【{title}】" + "".join(part.strip() for part in plain(text).splitlines())
    if width(whole) <= most:
        return whole
    made = f"【{title}】"
    for sentence in _SENTENCE.finditer(plain(text)):
        if width(made + sentence[0].strip() + REST) > most:
            break
        made += sentence[0].strip()
    return made + REST
