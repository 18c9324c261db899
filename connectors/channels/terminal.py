"""Alerts on a terminal: one calm block each, readable at 02:13 without thinking; or, where many are
watched go by (`style: line`), one line each.

What comes first is the level and the title, then to whom, why, by when, and the one command that
takes it. Colour is only added where a person looks (a real terminal), and never carries the
meaning alone.
"""

from __future__ import annotations

import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from connectors.channels.settings import Now, Secrets, Settings, name, seconds, text
from connectors.channels.view import View, view
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core.moment import span

_WIDTH = 76  # columns; a Chinese character takes two
_RULE = "─" * _WIDTH
_INDENT = " " * 8
_PAINT = {"红": "41;97", "橙": "43;30", "黄": "103;30", "蓝": "44;97"}
_STREAMS = ("stderr", "stdout")
_STYLES = ("block", "line")
_NO_START = "，。；：、！？）》】”%,.;:!?)"  # marks that may not stand first on a line


@dataclass(slots=True, eq=False)
class Terminal:
    """Writes to a text stream, one block at a time however many threads send."""

    id: str
    stream: TextIO = field(repr=False)
    tell_late_s: float = 60.0  # an alert later than this says so
    style: str = "block"  # or "line"
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    type: str = "terminal"

    def send(self, message: Message) -> Delivery:
        seen, painted = view(message), self._painted()
        words = line(seen, painted) if self.style == "line" else block(seen, self.tell_late_s, painted)
        try:
            with self.lock:
                self.stream.write(_writable(words, self.stream))
                self.stream.flush()
        except (OSError, ValueError) as error:  # a closed pipe, a closed stream
            return Delivery(Outcome.RETRY, f"{self.id}: 终端写不进去 ({error})")
        return Delivery(Outcome.ACCEPTED, f"{self.id}: 已显示在终端")

    def check(self) -> str | None:
        return f"{self.id}: the terminal is closed; start from an open one" if self.stream.closed else None

    def close(self) -> None:
        """The stream is not ours to close."""

    def _painted(self) -> bool:
        return not self.stream.closed and self.stream.isatty()


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Terminal:
    """{id, type: terminal, stream: stderr | stdout, tell_late_s: 60, style: block | line}.
    Raises Refused."""
    wanted = text(settings, "stream", "stderr")
    if wanted not in _STREAMS:
        raise Refused(f"{name(settings)}: 'stream' is {wanted!r}; write {' or '.join(_STREAMS)}")
    late = seconds(settings, "tell_late_s", 60.0, most=86_400)
    style = text(settings, "style", "block")
    if style not in _STYLES:
        raise Refused(f"{name(settings)}: 'style' is {style!r}; write {' or '.join(_STYLES)}")
    return Terminal(text(settings, "id"), getattr(sys, wanted), late, style)


def line(seen: View, painted: bool = False) -> str:
    """11-21 07:10  橙 II  舆-2026-0001 首次发布 75% → 王带班  还剩 1 小时 15 分  标题."""
    mark = seen.badge.split(" 级")[0].replace(" · ", " ")
    mark = f"\x1b[{_PAINT[seen.colour]}m {mark} \x1b[0m" if painted and seen.colour else mark
    title = seen.title if len(seen.title) <= 18 else seen.title[:17] + "…"
    title += f"（另 {len(seen.also)} 条）" if seen.also else ""
    return (
        "  ".join(
            filter(None, (seen.sent, mark, f"{seen.ref} → {seen.who.split('（')[0]}", seen.left, title))
        )
        + "\n"
    )


def block(seen: View, tell_late_s: float = 60.0, painted: bool = False) -> str:
    """The whole text of one alert, ending in an empty line."""
    head = "  ".join(filter(None, (seen.sent, _badge(seen, painted), seen.title)))
    return "\n".join([_RULE, *_wrap(head, 2), *_lines(seen, tell_late_s), _RULE, "", ""])


def _lines(seen: View, tell_late_s: float) -> Iterator[str]:
    yield from _row("送", "  ".join(filter(None, (seen.who, seen.rung))))
    yield from _row("缘由", seen.why)
    yield from _row("事项", seen.ref)
    yield from _row("期限", due_words(seen))
    yield from _row("依据", seen.basis)
    yield from _row("说明", notes(seen, tell_late_s))
    for number, other in enumerate(seen.also, 1):
        yield from _row("另有" if number == 1 else "", other)
    yield from _row("签收", seen.take)
    yield from _row("页面", seen.url)


def due_words(seen: View) -> str:
    """11-21 07:10 前，还剩 1 小时 15 分（临期）."""
    if not seen.due:
        return ""
    return f"{seen.due} 前，{seen.left}" + (f"（{seen.state}）" if seen.state else "")


def notes(seen: View, tell_late_s: float) -> str:
    """What an officer must know about the alert itself: late, or sent again."""
    late = f"本提醒晚发 {span(seen.late_s)}" if seen.late_s >= tell_late_s else ""
    again = f"第 {seen.attempt} 次发送，与前次为同一提醒" if seen.attempt > 1 else ""
    return "；".join(filter(None, (late, again)))


def _badge(seen: View, painted: bool) -> str:
    if not seen.badge:
        return ""
    return f"\x1b[{_PAINT[seen.colour]}m {seen.badge} \x1b[0m" if painted else f"【{seen.badge}】"


def _row(label: str, words: str) -> list[str]:
    """`  缘由  words`, wrapped under itself; nothing for nothing."""
    if not words:
        return []
    first, *rest = _wrap(words, len(_INDENT))
    gap = " " * (6 - 2 * len(label))
    return [f"  {label}{gap}{first.lstrip()}", *rest]


def _wrap(words: str, indent: int) -> list[str]:
    """Lines of at most `_WIDTH` columns. A word without blanks (a URL, a command) is never broken."""
    lines, line, used = [], "", indent
    for token in _tokens(words):
        wide = _columns(token)
        if line and used + wide > _WIDTH:
            lines.append(line)
            line, used, token = "", indent, token.lstrip()
            wide = _columns(token)
        line, used = line + token, used + wide
    return [" " * indent + one for one in (*lines, line)]


def _tokens(words: str) -> Iterator[str]:
    """Pieces between which a line may break: after a wide character, before a blank."""
    piece = ""
    for letter in words:
        if piece and (letter == " " or _wide(piece[-1])) and letter not in _NO_START:
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _columns(words: str) -> int:
    return sum(2 if _wide(letter) else 0 if unicodedata.combining(letter) else 1 for letter in words)


def _writable(words: str, stream: TextIO) -> str:
    """`words` as the stream can hold them: an ASCII terminal gets ?, never an error."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return words.encode(encoding, "replace").decode(encoding, "replace")
