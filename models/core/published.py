"""Is what stands on a page what was approved? Pure (S-051, S-052: what is told is what was reviewed).

A page has menus and neighbours around the text. So every approved sentence must stand on it word for word,
and between the first and the last of them nothing else may stand. Widths and blanks say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Final

from rapidfuzz import fuzz, process

from models.core.text import normalise

ROUNDS: Final = (timedelta(0), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=24))
"""When after its release a page is compared (a proposal); changes later are found by the look at evidence."""
GIVEN_UP: Final = timedelta(days=3)
KEENLY, UNREAD_FOR, MINUTE = timedelta(minutes=10), timedelta(days=1), timedelta(minutes=1)
_LIKE: Final = 60.0  # of 100; a sentence less like the approved one is another sentence
_SHOWN: Final = 6
_END = re.compile(r"(?<=[。！？!?；;])|\n")
_FURNITURE = re.compile(
    r"\W{0,3}(?:浏览次数|阅读[:：次量]|来源[:：]|责任编辑|分享到|打印|关闭窗口|字体|发布时间|发布日期)",
    re.IGNORECASE,
)
_FURNITURE_MOST: Final = 25  # characters; what is longer, or ends as a sentence, tells something
_ENDED = re.compile(r"[。！？!?；;]$")
_WORD = re.compile(r"[\u4e00-\u9fa5\w]")


@dataclass(frozen=True, slots=True)
class Change:
    """`approved` "" = added on the page; `found` "" = missing there; both = mended, or moved where they are
    the same."""

    approved: str
    found: str

    def __str__(self) -> str:
        if not self.approved:
            return f"多出“{_cut(self.found)}”"
        if not self.found:
            return f"缺少“{_cut(self.approved)}”"
        if self.approved == self.found:
            return f"“{_cut(self.approved)}”换了位置"
        return f"“{_cut(self.approved)}”成了“{_cut(self.found)}”{self._where()}"

    def _where(self) -> str:
        """The very words that were changed."""
        pieces = SequenceMatcher(None, self.approved, self.found, autojunk=False).get_opcodes()
        told = [
            f"{self.approved[a:b] or '无'}→{self.found[c:d] or '无'}"
            for tag, a, b, c, d in pieces
            if tag != "equal"
        ]
        return f"({'，'.join(told[:4])})" if told else ""


def _cut(words: str) -> str:
    return words if len(words) <= 60 else words[:59] + "…"


def differences(approved: str, page: str, besides: str = "") -> tuple[Change, ...]:
    """What of the approved words is missing or changed on the page, and what stands among them.

    `page`: all its words, menus too; `besides`: what may stand there as well, such as headings.
    """
    wanted, there = _sentences(approved), _sentences(page)
    whole = "".join(there)
    gone = [one for one in wanted if one not in whole]
    ours = [*wanted, *_sentences(besides)]
    foreign = [one for one in _among(wanted, there) if not any(one in each for each in ours)]
    moved = (Change(one, one) for one in _moved([one for one in wanted if one in whole], whole))
    return (*_changes(gone, foreign, there), *moved)


def _moved(wanted: Sequence[str], whole: str) -> Iterator[str]:
    """Those that stand on the page, but not after the one before them."""
    at = 0
    for one in wanted:
        found = whole.find(one, at)
        if found < 0:
            yield one
        else:
            at = found + len(one)


def is_there(approved: str, page: str) -> bool:
    """Does any approved sentence stand on the page?"""
    whole = "".join(_sentences(page))
    return any(one in whole for one in _sentences(approved))


def _changes(gone: Sequence[str], foreign: Sequence[str], there: Sequence[str]) -> Iterator[Change]:
    left = list(foreign)
    for one in gone:
        near = _likest(one, [*left, *there])
        if near in left:
            left.remove(near)
        yield Change(one, near)
    yield from (Change("", one) for one in left)


def _among(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    """The sentences of the page from the first approved one to the last, or to one that is like it."""
    known = [n for n, one in enumerate(there) if _is_ours(one, wanted)]
    span = there[known[0] : known[-1] + 1] if known else []
    return [one for one in span if not _is_furniture(one)]


def _is_furniture(sentence: str) -> bool:
    """A short line of the page's own, such as its source or a button."""
    short = len(sentence) <= _FURNITURE_MOST and not _ENDED.search(sentence)
    return short and _FURNITURE.match(sentence) is not None


def _is_ours(sentence: str, wanted: Sequence[str]) -> bool:
    if any(sentence in one or one in sentence for one in wanted):
        return True
    return _likest(sentence, wanted) != ""


def _likest(sentence: str, others: Sequence[str]) -> str:
    """The one of the others that it may have come from; "" when none is like it."""
    found = process.extractOne(sentence, others, scorer=fuzz.ratio, score_cutoff=_LIKE)
    return str(found[0]) if found else ""


def _sentences(text: str) -> list[str]:
    """Each sentence without blanks; one letter or mark alone says nothing."""
    plain = ("".join(normalise(one).split()) for one in _END.split(text))
    return [one for one in plain if len(_WORD.findall(one)) > 1]


def in_words(changes: Sequence[Change]) -> str:
    """For people: the first of them, and how many more there are."""
    told = "；".join(str(change) for change in changes[:_SHOWN])
    return told + (f"；另有 {len(changes) - _SHOWN} 处" if len(changes) > _SHOWN else "")


def is_due(released_at: datetime, compared_at: datetime | None, now: datetime) -> bool:
    """Has a round come since the last comparison? What could not be read yet is tried each minute at first,
    then in one minute of ten, for a day."""
    age = now - released_at
    if compared_at is None:
        return age < KEENLY or (age < UNREAD_FOR and age // MINUTE % 10 == 0)
    return age < GIVEN_UP and any(compared_at < released_at + after <= now for after in ROUNDS)
