"""Which past incidents are like this one, how much and why: for an officer who asks "what did we do then?".

Words of the titles, the kind of event, the kind of opinion, place and harm each give a part; none of
them alone makes two matters alike. Pure; a rare word weighs more than one that every title has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

from models.core.cluster import Vector, cosine, gist, shared_words, unit
from models.core.facts import UNITS, ZH
from models.core.grade import event_subtype
from models.core.lexicon import scan
from models.core.text import canonical
from models.core.vocabulary import EventSubtype, EventType, OpinionKind

_KEPT: Final = 4_000  # titles that stay taken apart: the same past is asked for with every page
LEAST: Final = 0.25
"""The score from which two are called alike (a proposal: kind of event and a word or two in common)."""
SAME_WORDS: Final = 0.45  # cosine of two titles that tell the same kind of thing in other words
_WORDS, _SUBTYPE, _TYPE, _KIND, _PLACE, _FACTS = 0.47, 0.17, 0.10, 0.10, 0.08, 0.08
_HARM: Final = ("deaths", "injured", "missing", "trapped", "evacuated", "hospitalised", "loss_cny", "crowd")


@dataclass(frozen=True, slots=True)
class Trace:
    """What two incidents are compared by; `facts` are counts by name."""

    id: str
    title: str
    kind: str | None = None
    event_type: str | None = None
    place: str | None = None
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def subtype(self) -> EventSubtype | None:
        """The kind of event below the type, by the words of the title."""
        return _subtype(self.title, self.event_type) if self.event_type else None


@lru_cache(maxsize=_KEPT)
def _subtype(title: str, event_type: str) -> EventSubtype | None:
    found = event_subtype(EventType(event_type), scan(canonical(title)))
    return found.kind if found else None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike, 0..1, and why in words, the weightiest first."""

    id: str
    score: float
    reasons: tuple[str, ...]


def resembling(one: Trace, others: Sequence[Trace], most: int = 5) -> list[Likeness]:
    """The incidents most like `one`, the likest first, none below `LEAST`. Their order decides between equals."""
    words = {other.id: _pairs(other.title) for other in (*others, one)}
    usage = Counter(gram for counts in words.values() for gram in counts)
    mine = _vector(words[one.id], usage, len(words))
    plain = _plain(one.title)
    found = [
        _likeness(one, other, plain, mine, _vector(words[other.id], usage, len(words)))
        for other in others
        if other.id != one.id
    ]
    alike = [likeness for likeness in found if likeness.score >= LEAST]
    return sorted(alike, key=lambda likeness: -likeness.score)[:most]


def _likeness(one: Trace, other: Trace, plain: str, mine: Vector, theirs: Vector) -> Likeness:
    likeness = cosine(mine, theirs)
    shared = shared_words(plain, mine, theirs, 3) if likeness else []
    said = f"标题共有 {'、'.join(shared)}" if shared else ""
    parts = [(_WORDS * min(1.0, likeness / SAME_WORDS), said), *_alike(one, other)]
    held = sorted((part for part in parts if part[0] > 0 and part[1]), key=lambda part: -part[0])
    return Likeness(other.id, round(sum(score for score, _ in held), 3), tuple(why for _, why in held))


def _alike(one: Trace, other: Trace) -> Iterable[tuple[float, str]]:
    if one.event_type == other.event_type and (sub := one.subtype) and sub is other.subtype:
        yield _SUBTYPE, f"同为{sub.zh}"
    if one.event_type and one.event_type == other.event_type:
        yield _TYPE, f"同属{EventType(one.event_type).zh}"
    if one.kind and one.kind == other.kind:
        yield _KIND, f"同类舆情（{OpinionKind(one.kind).zh}）"
    if one.place and other.place and (one.place in other.place or other.place in one.place):
        yield _PLACE, f"同在{min(one.place, other.place, key=len)}"
    yield from _harmed(one.facts, other.facts)


def _harmed(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Iterable[tuple[float, str]]:
    """The same harm, the more alike in size the more it counts."""
    both = [name for name in _HARM if ours.get(name) and theirs.get(name)]
    if both:
        near = max(1 - min(1.0, abs(math.log10(ours[name] / theirs[name]))) for name in both)
        name = both[0]
        said = f"都有{ZH[name]}（{ours[name]:g} 与 {theirs[name]:g} {UNITS.get(name, '人')}）"
        yield _FACTS * (0.5 + near / 2), said


def _plain(title: str) -> str:
    return gist(canonical(title), "")


@lru_cache(maxsize=_KEPT)
def _pairs(title: str) -> Mapping[str, int]:
    return Counter(f"{a}{b}" for a, b in pairwise(_plain(title)))


def _vector(counts: Mapping[str, int], usage: Counter[str], size: int) -> Vector:
    """Pairs weighted by how few of the titles have them, length one."""
    return unit({gram: (1 + math.log(n)) * math.log(1 + size / usage[gram]) for gram, n in counts.items()})
