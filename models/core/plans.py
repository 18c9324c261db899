"""Keyword plans 监测方案: which plans does a signal fire, and by which words?

All words of all plans stand in one automaton, so a text is read once however many plans there are;
only the plans of which a needed word was seen are looked at. Each plan is decided by itself: what
one excludes never touches another. Texts and words are canonical (`text.canonical`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import ahocorasick_rs

from models.core.signals import RawSignal
from models.core.vocabulary import Grade, Medium

Where = Literal["text", "title", "body"]
NEAR: Final = 10
"""Characters between two words that are near each other, where a plan names no number."""
MARK: Final = "监测方案 "
"""What the reason of a plan begins with."""
_SHOWN: Final = 6
_BREAK: Final = "\x00"  # between title and body: in no canonical text, so no word spans the two


@dataclass(frozen=True, slots=True)
class Word:
    """The word stands there. A word of Latin letters and digits stands alone: ai is not in email."""

    text: str
    where: Where = "text"


@dataclass(frozen=True, slots=True)
class Near:
    """One word of each group, with at most `within` characters between them, in one field."""

    groups: tuple[tuple[str, ...], ...]
    within: int = NEAR
    where: Where = "text"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Rule


Rule: TypeAlias = Word | Near | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a plan looks; what is empty asks nothing. `least` holds counts by name (reads, reposts …)."""

    places: tuple[str, ...] = ()
    sources: frozenset[str] = frozenset()
    media: frozenset[Medium] = frozenset()
    least: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """`floor`: the grade is no lower; `opens`: an incident opens by it; `urgent`: told at any hour."""

    id: str
    name: str
    rule: Rule
    scope: Scope = field(default_factory=Scope)
    floor: Grade | None = None
    opens: bool = False
    urgent: bool = False
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """A plan that holds of a signal, and the words it was read from, in the order of the text."""

    plan: Plan
    words: tuple[str, ...]

    @property
    def reason(self) -> str:
        """监测方案 供水: 自来水 … 异味."""
        return f"{MARK}{self.plan.name}: {' … '.join(self.words)}"


Spot: TypeAlias = tuple[int, str]
"""Where a word begins, and the word."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The words of one text: word → where it begins in the title, and in the body."""

    title: Mapping[str, Sequence[int]]
    body: Mapping[str, Sequence[int]]
    offset: int  # of the body, so that spots of both stand in one order

    def spots(self, word: str, where: Where) -> list[Spot]:
        """The first place of the word in each field asked for."""
        found = []
        if where != "body" and word in self.title:
            found.append((self.title[word][0], word))
        if where != "title" and word in self.body:
            found.append((self.offset + self.body[word][0], word))
        return found


class PlanBook:
    """All plans of a site, compiled once. It only reads: threads may share it."""

    def __init__(self, plans: Iterable[Plan] = ()) -> None:
        self.plans = tuple(plans)
        words = sorted({word for plan in self.plans for word in words_of(plan.rule)})
        self._words = tuple(words)
        self._automaton = ahocorasick_rs.AhoCorasick(words) if words else None
        self._needing: dict[str, list[int]] = defaultdict(list)
        for number, plan in enumerate(self.plans):
            for word in anchors(plan.rule) or ():
                self._needing[word].append(number)

    def fire(self, signal: RawSignal, title: str, body: str) -> tuple[Fired, ...]:
        """The plans that hold, in the order of the file; `title` and `body` are canonical."""
        if self._automaton is None:
            return ()
        seen = self._seen(title, body)
        near = {number for word in (*seen.title, *seen.body) for number in self._needing.get(word, ())}
        found = (_fired(self.plans[number], seen, signal, title, body) for number in sorted(near))
        return tuple(one for one in found if one is not None)

    def _seen(self, title: str, body: str) -> _Seen:
        text, offset = f"{title}{_BREAK}{body}", len(title) + 1
        fields: tuple[dict[str, list[int]], dict[str, list[int]]] = {}, {}
        if self._automaton is not None:
            for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
                word = self._words[pattern]
                if not word.isascii() or _alone(text, start, end):
                    later = start >= offset
                    fields[later].setdefault(word, []).append(start - offset * later)
        return _Seen(*fields, offset)


def _alone(text: str, start: int, end: int) -> bool:
    """Is the Latin word a whole one, no letter or digit of its kind on either side?"""
    return not (_latin(text[start - 1 : start]) or _latin(text[end : end + 1]))


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _fired(plan: Plan, seen: _Seen, signal: RawSignal, title: str, body: str) -> Fired | None:
    if not _in_scope(plan.scope, signal, title, body):
        return None
    spots = _holds(plan.rule, seen)
    if spots is None:
        return None
    return Fired(plan, tuple(dict.fromkeys(word for _, word in sorted(spots)))[:_SHOWN])


def _in_scope(scope: Scope, signal: RawSignal, title: str, body: str) -> bool:
    if scope.sources and signal.source_id not in scope.sources:
        return False
    if scope.media and signal.medium not in scope.media:
        return False
    if any(signal.metrics.get(name, 0) < least for name, least in scope.least.items()):
        return False
    return not scope.places or _is_there(scope.places, signal.place, title, body)


def _is_there(places: Sequence[str], place: str | None, title: str, body: str) -> bool:
    """By the signal's own place; of one that brings none, by the places that its words name."""
    said = [place] if place else [title, body]
    return any(wanted in text for wanted in places for text in said)


def _holds(rule: Rule, seen: _Seen) -> list[Spot] | None:
    """The spots that make the rule true, or None where it is not; a Not that holds has none."""
    match rule:
        case Word():
            return seen.spots(rule.text, rule.where) or None
        case Near():
            return _near(rule, seen)
        case Not():
            return None if _holds(rule.part, seen) is not None else []
        case All():
            each = [_holds(part, seen) for part in rule.parts]
            return None if None in each else [spot for spots in each for spot in spots or ()]
        case AnyOf():
            held = [spots for part in rule.parts if (spots := _holds(part, seen)) is not None]
            return [spot for spots in held for spot in spots] if held else None


def _near(rule: Near, seen: _Seen) -> list[Spot] | None:
    if rule.where != "body" and (found := _together(rule, seen.title)):
        return found
    if rule.where != "title" and (found := _together(rule, seen.body)):
        return [(at + seen.offset, word) for at, word in found]
    return None


def _together(rule: Near, places: Mapping[str, Sequence[int]]) -> list[Spot] | None:
    """One pass over all spots in order, with the newest spot of each group in hand."""
    spots = sorted(
        (at, group, word)
        for group, words in enumerate(rule.groups)
        for word in words
        for at in places.get(word, ())
    )
    newest: dict[int, Spot] = {}
    for at, group, word in spots:
        newest[group] = at, word
        if len(newest) == len(rule.groups) and _gap(newest.values()) <= rule.within:
            return list(newest.values())
    return None


def _gap(spots: Iterable[Spot]) -> int:
    """Characters between the words, the words themselves not counted."""
    ordered = sorted(spots)
    end = max(at + len(word) for at, word in ordered)
    return end - ordered[0][0] - sum(len(word) for _, word in ordered)


# ── what a rule is made of ────────────────────────────────────────────────────────────────────


def words_of(rule: Rule) -> set[str]:
    """Every word that the rule names, excluded ones too."""
    match rule:
        case Word():
            return {rule.text}
        case Near():
            return {word for group in rule.groups for word in group}
        case Not():
            return words_of(rule.part)
        case All() | AnyOf():
            return {word for part in rule.parts for word in words_of(part)}


def anchors(rule: Rule) -> set[str] | None:
    """Words of which at least one must be seen before the rule can hold; None: it may hold without any."""
    match rule:
        case Word():
            return {rule.text}
        case Near():
            return min(map(set, rule.groups), key=_few)
        case Not():
            return None
        case All():
            known = [found for part in rule.parts if (found := anchors(part)) is not None]
            return min(known, key=_few) if known else None
        case AnyOf():
            each = [anchors(part) for part in rule.parts]
            return None if None in each else {word for found in each for word in found or ()}


def _few(words: set[str]) -> tuple[int, list[str]]:
    """The smaller set first; of equals always the same."""
    return len(words), sorted(words)
