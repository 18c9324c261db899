"""Which words of a signal said what: spans over the very characters that are shown.

What was judged was the text in its plain form (`text.canonical`), so a span found there is laid back on the
text as it is shown. It is computed at reading and stored nowhere: whoever shows it escapes the text first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final

from models.core.facts import UNITS, ZH, extract
from models.core.lexicon import Hits, scan
from models.core.magnitudes import Fact
from models.core.plans import MARK as PLAN
from models.core.text import canonical
from models.core.vocabulary import EventSubtype, EventType

MOST: Final = 60  # marks of one text: a page of figures stays a page to read


class MarkKind(StrEnum):
    """What a marked word is for; the first of two that overlap is shown."""

    FACT = "fact"
    PLAN = "plan"
    SENSITIVE = "sensitive"
    HARM = "harm"
    EVENT = "event"
    TIME = "time"
    PAST = "past"

    @property
    def zh(self) -> str:
        return {
            "fact": "事实", "plan": "监测方案", "sensitive": "敏感", "harm": "危害", "event": "事件类型",
            "time": "发生时间", "past": "旧事",
        }[self.value]  # fmt: skip


_ORDER: Final = {kind: place for place, kind in enumerate(MarkKind)} | {MarkKind.PAST: 0}
_SENSITIVE: Final = {
    "gathering": "聚集", "official_wrong": "官方信息疑有误", "school": "学校", "food": "食品",
    "minor": "未成年人", "police": "执法", "privacy": "个人信息", "rumour": "传言用语",
}  # fmt: skip
_ALONE: Final = frozenset({"gathering", "official_wrong", "rumour"})
_PAIRS: Final = (("school", "food"), ("minor", "abuse"), ("police", "killed"), ("leak", "privacy"))


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters [start, end) of the shown text, what they are for and why, in words."""

    start: int
    end: int
    kind: MarkKind
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The words by which a keyword plan fired."""

    name: str
    words: tuple[str, ...]


def plan_of(reason: str) -> Plan | None:
    """监测方案 供水: 自来水 … 异味 → the plan and its words; None for another reason."""
    if not reason.startswith(PLAN):
        return None
    name, _, words = reason.removeprefix(PLAN).partition(": ")
    return Plan(name, tuple(word for word in words.split(" … ") if word))


@lru_cache(maxsize=4_000)  # a page that is asked for again and again shows the same signals
def marks(text: str, said: date | None, plans: tuple[Plan, ...] = (), when: str = "") -> tuple[Mark, ...]:
    """The marks of a shown text in its order, none over another. `said`: the day it was said; `when`: the
    words that tell when it happened."""
    plain, laid = canonical(text), _Laid(text)
    found = sorted(_found(plain, laid, said, plans, when), key=lambda m: (_ORDER[m.kind], m.start - m.end))
    kept: list[Mark] = []
    for mark in found:
        if len(kept) < MOST and all(mark.end <= other.start or other.end <= mark.start for other in kept):
            kept.append(mark)
    return tuple(sorted(kept, key=lambda mark: mark.start))


def _found(plain: str, laid: _Laid, said: date | None, plans: Sequence[Plan], when: str) -> Iterator[Mark]:
    for fact in extract(plain, said).evidence:
        kind = MarkKind.PAST if fact.past else MarkKind.FACT
        yield from laid.near(fact.words, plain, fact.start, kind, _told(fact))
    for plan in plans:
        for word in plan.words:
            yield from laid.every(word, MarkKind.PLAN, f"{MarkKind.PLAN.zh}“{plan.name}”")
    hits = scan(plain)
    for kind, word, why in (*_sensitive(hits), *_harm(hits), *_events(hits)):
        yield from laid.near(word, plain, hits.first[word], kind, why)
    if when:
        yield from laid.every(when, MarkKind.TIME, MarkKind.TIME.zh)


def _told(fact: Fact) -> str:
    past = "，说的是从前，不计入" if fact.past else ""
    return f"{ZH.get(fact.kind, fact.kind)} {fact.value:g} {UNITS.get(fact.kind, '人')}{past}"


def _sensitive(hits: Hits) -> Iterator[tuple[MarkKind, str, str]]:
    """Words that make a matter sensitive by themselves, or only two families together."""
    families = [family for family in _ALONE if hits.of(family)]
    families += [family for pair in _PAIRS if hits.all(*pair) for family in pair]
    for family in dict.fromkeys(families):
        for word in hits.of(family):
            yield MarkKind.SENSITIVE, word, _SENSITIVE.get(family, "危害用语")


def _harm(hits: Hits) -> Iterator[tuple[MarkKind, str, str]]:
    for family, why in (("harm", "伤亡用语"), ("hazard", "危害用语")):
        for word in hits.of(family):
            yield MarkKind.HARM, word, why


def _events(hits: Hits) -> Iterator[tuple[MarkKind, str, str]]:
    for kind in (*EventSubtype, *EventType):
        for word in hits.of(kind):
            yield MarkKind.EVENT, word, kind.zh


# ── from the plain form back to what is shown ─────────────────────────────────────────────────


@lru_cache(maxsize=20_000)
def _plain(char: str) -> str:
    return "".join(canonical(char).split())


class _Laid:
    """A shown text without blanks and in plain characters, each knowing where it came from."""

    def __init__(self, text: str) -> None:
        pairs = [(plain, at) for at, char in enumerate(text) for plain in _plain(char)]
        self._plain = "".join(plain for plain, _ in pairs)
        self._at = [at for _, at in pairs]

    def near(self, words: str, plain: str, start: int, kind: MarkKind, why: str) -> Iterator[Mark]:
        """The words where they stand at `start` of the canonical text, else where they stand first."""
        wanted = "".join(words.split())
        ahead = len("".join(plain[:start].split()))
        at = ahead if self._plain.startswith(wanted, ahead) else self._plain.find(wanted)
        if wanted and at >= 0:
            yield self._mark(at, len(wanted), kind, why)

    def every(self, words: str, kind: MarkKind, why: str) -> Iterator[Mark]:
        """Every place of the words."""
        wanted = _plain_words(words)
        at = self._plain.find(wanted) if wanted else -1
        while at >= 0:
            yield self._mark(at, len(wanted), kind, why)
            at = self._plain.find(wanted, at + len(wanted))

    def _mark(self, at: int, length: int, kind: MarkKind, why: str) -> Mark:
        return Mark(self._at[at], self._at[at + length - 1] + 1, kind, why)


def _plain_words(words: str) -> str:
    return "".join(canonical(words).split())


def split(found: Sequence[Mark], at: int) -> tuple[list[Mark], list[Mark]]:
    """The marks of two texts that were read as one, with one character between them at `at`; a mark over
    both belongs to neither."""
    first = [mark for mark in found if mark.end <= at]
    second = [
        Mark(mark.start - at - 1, mark.end - at - 1, mark.kind, mark.why) for mark in found if mark.start > at
    ]
    return first, second
