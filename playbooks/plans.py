"""Plans compiled, and what is wrong with them: terms that never fire, exclusions that swallow their own
plan, plans that stand in another's shadow.

A rule's *ways* are the word sets that make it hold: (words needed, words excluded). A word that is seen
brings every word inside it, so 自来水厂 can never stand where 水厂 is excluded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final

import ahocorasick_rs

from models.core.burst import BurstRule
from models.core.plans import All, AnyOf, Near, Not, Plan, PlanBook, Rule, Scope, Word, words_of
from models.core.text import canonical
from playbooks.checked import checked
from playbooks.loader import Document, KeyPath, load
from playbooks.plan_words import PlanSyntax, rule_of
from playbooks.plans_paper import BurstSource, PlanSource, PlansSource
from playbooks.problem import Problem, did_you_mean, listed
from playbooks.roster_paper import RosterSource
from playbooks.sources_paper import SourcesSource

SHIPPED: Final = Path(__file__).resolve().parent / "shipped" / "plans.yaml"
_MOST_WAYS: Final = 400
_LISTS: Final = ("any", "all", "none", "title", "body", "places")


@dataclass(frozen=True, slots=True)
class Watch:
    """What a site watches for. `quiet`: from when to when people are not told of what is not urgent."""

    book: PlanBook
    bursts: tuple[BurstRule, ...]
    quiet: tuple[time, time] | None
    gather: timedelta
    hot_search: bool = False

    def plan(self, id_: str) -> Plan | None:
        return next((plan for plan in self.book.plans if plan.id == id_), None)


def watch_of(source: PlansSource) -> Watch:
    """The compiled plans with the shipped burst rules under the site's own. Raises PlanSyntax."""
    own = {rule.id: rule for rule in source.bursts}
    rules = {rule.id: rule for rule in shipped().bursts} | own
    quiet = source.quiet_hours
    return Watch(
        PlanBook(plan_of(plan) for plan in source.plans if plan.enabled),
        tuple(_burst(rule) for rule in rules.values() if rule.enabled),
        (quiet.begins, quiet.ends) if quiet else None,
        source.gather,
        source.hot_search,
    )


def shipped() -> PlansSource:
    """The burst rules that every site has unless it replaces them."""
    return checked(PlansSource, load(SHIPPED))


def _burst(rule: BurstSource) -> BurstRule:
    given = rule.model_dump(exclude={"enabled", "media"})
    return BurstRule(**given, media=frozenset(rule.media))


def plan_of(source: PlanSource) -> Plan:
    """Raises PlanSyntax when its `match` cannot be read."""
    least = {name: value for name, value in source.at_least.model_dump().items() if value}
    scope = Scope(
        tuple(canonical(place) for place in source.places),
        frozenset(source.sources),
        frozenset(source.media),
        least,
    )
    return Plan(
        source.id, source.name, _rule(source), scope, source.grade, source.open, source.urgent, source.owner
    )


def _rule(source: PlanSource) -> Rule:
    """All that the plan writes must hold together."""
    parts: list[Rule] = [Word(canonical(term)) for term in source.all]
    if source.any:
        parts.append(_either(source.any))
    for near in source.near:
        parts.append(Near(tuple((canonical(term),) for term in near.words), near.within))
    if source.title:
        parts.append(AnyOf(tuple(Word(canonical(term), "title") for term in source.title)))
    if source.body:
        parts.append(AnyOf(tuple(Word(canonical(term), "body") for term in source.body)))
    if source.match is not None:
        parts.append(rule_of(source.match))
    if source.none:
        parts.append(Not(_either(source.none)))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _either(terms: Sequence[str]) -> Rule:
    return AnyOf(tuple(Word(canonical(term)) for term in terms))


# ── the ways a rule can hold ──────────────────────────────────────────────────────────────────

Way = tuple[frozenset[str], frozenset[str]]


def ways(rule: Rule, most: int = _MOST_WAYS) -> list[Way] | None:
    """Every way the rule can hold, or None when there are too many to try. Fields are not told apart."""
    found = _ways(rule, True, most)
    return None if found is None else list(dict.fromkeys(found))


def _ways(rule: Rule, wanted: bool, most: int) -> list[Way] | None:
    match rule:
        case Word():
            one = frozenset((rule.text,))
            if wanted:
                return [(one, frozenset())]
            # excluded from one field only, the word may stand in the other: nothing is surely excluded
            return [(frozenset(), one if rule.where == "text" else frozenset())]
        case Near():
            if not wanted:  # the words may stand there, only not together: nothing is surely excluded
                return [(frozenset(), frozenset())]
            return _joined([[(frozenset((w,)), frozenset()) for w in group] for group in rule.groups], most)
        case Not():
            return _ways(rule.part, not wanted, most)
        case All() | AnyOf():
            each = [_ways(part, wanted, most) for part in rule.parts]
            known = [found for found in each if found is not None]
            if len(known) < len(each):
                return None
            return _joined(known, most) if isinstance(rule, All) == wanted else _one_of(known, most)


def _joined(each: Sequence[list[Way]], most: int) -> list[Way] | None:
    number = 1
    for found in each:
        number *= len(found)
    if number > most:
        return None
    return [
        (frozenset().union(*(needed for needed, _ in way)), frozenset().union(*(none for _, none in way)))
        for way in product(*each)
    ]


def _one_of(each: Sequence[list[Way]], most: int) -> list[Way] | None:
    found = [way for some in each for way in some]
    return found if len(found) <= most * 25 else None


def dead(way: Way) -> tuple[str, str] | None:
    """(word needed, word excluded) where the one brings the other along, so that the way never holds."""
    needed, excluded = way
    pairs = ((word, bad) for word in sorted(needed) for bad in sorted(excluded))
    return next((pair for pair in pairs if _brings(*pair)), None)


def _brings(word: str, inner: str) -> bool:
    """Is `inner` seen wherever `word` is? A Latin word stands alone, so email brings no ai."""
    return inner == word or (inner in word and not inner.isascii())


# ── lint ──────────────────────────────────────────────────────────────────────────────────────


def unsound(document: Document, source: PlansSource) -> Iterator[Problem]:
    """Everything wrong with the plans of a file that reads well."""
    good: list[tuple[int, PlanSource, Plan]] = []
    for n, plan in enumerate(source.plans):
        found = list(_plan(document, n, plan))
        yield from found
        if not any(not problem.warning for problem in found) and plan.enabled:
            good.append((n, plan, plan_of(plan)))
    yield from _shadows(document, good)


def _plan(document: Document, n: int, plan: PlanSource) -> Iterator[Problem]:
    at: KeyPath = ("plans", n)
    empty = list(_empty_terms(document, at, plan))
    yield from empty
    try:
        rule = _rule(plan)
    except PlanSyntax as error:
        yield _syntax(document, (*at, "match"), error)
        return
    if not empty:
        yield from _words(document, at, plan, rule)
    if plan.urgent and plan.owner is None:
        yield document.problem((*at, "urgent"), "urgent 没有 owner，夜里无人可通知", "写 owner", warning=True)


def _syntax(document: Document, path: KeyPath, error: PlanSyntax) -> Problem:
    mark = document.at(path)
    message = f"{error.message}（表达式第 {error.at + 1} 个字）"
    return Problem(document.file, mark.line, mark.column + error.at, message, error.hint)


def _empty_terms(document: Document, at: KeyPath, plan: PlanSource) -> Iterator[Problem]:
    given = [((*at, name, m), term) for name in _LISTS for m, term in enumerate(getattr(plan, name))]
    given += [
        ((*at, "near", k, "words", m), term)
        for k, near in enumerate(plan.near)
        for m, term in enumerate(near.words)
    ]
    for path, term in given:
        if not _says(term):
            shown = f"“{term}” " if term else "空的词"
            yield document.problem(
                path, f"{shown}没有文字，永远不会命中", "写至少一个汉字、字母或数字，或删掉这一项"
            )


def _says(term: str) -> bool:
    return any(char.isalnum() for char in canonical(term))


def _words(document: Document, at: KeyPath, plan: PlanSource, rule: Rule) -> Iterator[Problem]:
    silent = [word for word in sorted(words_of(rule)) if not _says(word)]
    if silent:
        message = f"“{silent[0]}” 没有文字，永远不会命中"
        yield document.problem((*at, "match"), message, "写至少一个汉字、字母或数字")
        return
    found = ways(rule)
    if any(not needed for needed, _ in found or ()) or rule == All(()):
        hint = "写 any、all、near、title、body 或 match；none、NOT 只是排除"
        yield document.problem(at, f"方案 “{plan.name}” 没有任何要出现的词，几乎条条命中", hint)
    elif found is not None:
        yield from _dead_ways(document, at, plan, found)
    yield from _covered(document, at, plan)


def _dead_ways(document: Document, at: KeyPath, plan: PlanSource, found: list[Way]) -> Iterator[Problem]:
    lost = [pair for way in found if (pair := dead(way))]
    if lost and len(lost) == len(found):
        word, bad = lost[0]
        message = f"方案 “{plan.name}” 永远不会命中：要出现的 “{word}” 含有排除的 “{bad}”"
        yield document.problem(at, message, f"把排除词 “{bad}” 写得更长、更具体")
    elif lost:
        alive = {word for way in found if not dead(way) for word in way[0]}
        for word, bad in dict.fromkeys(lost):
            if word not in alive:
                message = f"“{word}” 含有排除的 “{bad}”，永远不会起作用"
                yield document.problem(
                    _place(document, at, plan, word), message, "改排除词，或删掉它", warning=True
                )


def _place(document: Document, at: KeyPath, plan: PlanSource, word: str) -> KeyPath:
    for name in _LISTS:
        for m, term in enumerate(getattr(plan, name)):
            if canonical(term) == word and name != "none":
                return (*at, name, m)
    return (*at, "match") if plan.match is not None else at


def _covered(document: Document, at: KeyPath, plan: PlanSource) -> Iterator[Problem]:
    """Words of one list of alternatives that another, shorter one finds anyway."""
    for name in ("any", "title", "body", "none"):
        terms = [canonical(term) for term in getattr(plan, name)]
        shorter = _inside(terms)
        for m, term in enumerate(terms):
            if term in terms[:m]:
                yield document.problem((*at, name, m), f"“{term}” 写了两遍", "删掉一个", warning=True)
            elif term in shorter:
                message = f"“{term}” 不起作用：含有 “{shorter[term]}”，有它就已命中"
                yield document.problem((*at, name, m), message, "删掉它，或删掉较短的词", warning=True)


def _inside(terms: Sequence[str]) -> dict[str, str]:
    """word → another of the words that it holds."""
    words = sorted({term for term in terms if term and not term.isascii()})
    if not words:
        return {}
    automaton = ahocorasick_rs.AhoCorasick(words)
    found = {}
    for word in words:
        for pattern, _, _ in automaton.find_matches_as_indexes(word, overlapping=True):
            if words[pattern] != word:
                found[word] = words[pattern]
    return found


# ── plans in the shadow of others ─────────────────────────────────────────────────────────────


def _shadows(document: Document, plans: Sequence[tuple[int, PlanSource, Plan]]) -> Iterator[Problem]:
    """A plan that can only fire where another fires that does at least as much adds nothing."""
    known = {n: found for n, _, plan in plans if (found := ways(plan.rule)) and _plain(plan.rule)}
    by_number = {n: plan for n, _, plan in plans}
    for n, other in _candidates(known):
        one, wider = by_number[n], by_number[other]
        if _does_as_much(wider, one) and all(any(_covers(w, way) for w in known[other]) for way in known[n]):
            if known[n] == known[other] and other > n:
                continue  # twins: the later one is told
            message = f"方案 “{one.name}” 命中时 “{wider.name}” 必定也命中，且做得不少于它"
            yield document.problem(("plans", n), message, "并成一个，或写得更具体", warning=True)


def _plain(rule: Rule) -> bool:
    """Only words of the whole text: distance and field are not in the ways."""
    match rule:
        case Word():
            return rule.where == "text"
        case Near():
            return False
        case Not():
            return _plain(rule.part)
        case All() | AnyOf():
            return all(_plain(part) for part in rule.parts)


def _candidates(known: dict[int, list[Way]]) -> Iterator[tuple[int, int]]:
    """(plan, another whose words stand inside each of its first way's words): few of all pairs."""
    naming: dict[str, set[int]] = defaultdict(set)
    for n, found in known.items():
        for needed, _ in found:
            for word in needed:
                naming[word].add(n)
    words = sorted(naming)
    automaton = ahocorasick_rs.AhoCorasick(words) if words else None
    for n, found in known.items():
        if automaton is not None:
            seen = _found_in(automaton, words, found[0][0])
            yield from ((n, other) for other in sorted({o for word in seen for o in naming[word]} - {n}))


def _found_in(automaton: ahocorasick_rs.AhoCorasick, words: Sequence[str], texts: Iterable[str]) -> set[str]:
    return {
        words[pattern]
        for text in texts
        for pattern, _, _ in automaton.find_matches_as_indexes(text, overlapping=True)
    }


def _covers(wide: Way, narrow: Way) -> bool:
    """Does `wide` hold wherever `narrow` does?"""
    needed = all(any(_brings(other, word) for other in narrow[0]) for word in wide[0])
    return needed and all(any(_brings(word, other) for other in narrow[1]) for word in wide[1])


def _does_as_much(wide: Plan, narrow: Plan) -> bool:
    """The same reader is told as soon, and as much follows, and it looks wherever the other looks."""
    if wide.owner != narrow.owner or wide.urgent < narrow.urgent or wide.opens < narrow.opens:
        return False
    if narrow.floor is not None and (wide.floor is None or wide.floor < narrow.floor):
        return False
    return _looks_wider(wide.scope, narrow.scope)


def _looks_wider(wide: Scope, narrow: Scope) -> bool:
    sources = not wide.sources or (narrow.sources and narrow.sources <= wide.sources)
    media = not wide.media or (narrow.media and narrow.media <= wide.media)
    places = not wide.places or (narrow.places and set(narrow.places) <= set(wide.places))
    least = all(narrow.least.get(name, 0) >= value for name, value in wide.least.items())
    return bool(sources and media and places and least)


# ── what the plans name in other files ────────────────────────────────────────────────────────


def strangers(
    document: Document, source: PlansSource, roster: RosterSource | None, sources: SourcesSource | None
) -> Iterator[Problem]:
    """Owners and sources that no other file of the site knows."""
    owners = _owners(roster) if roster is not None else None
    known = _source_ids(sources) if sources is not None else None
    for n, plan in enumerate(source.plans):
        if owners is not None and plan.owner is not None and plan.owner not in owners:
            message = f"没有人员或单位 “{plan.owner}”{did_you_mean(plan.owner, owners)}"
            yield document.problem(("plans", n, "owner"), message, f"已有：{listed(sorted(owners))}")
        for m, name in enumerate(plan.sources):
            if known is not None and name not in known:
                message = f"sources.yaml 里没有信源 “{name}”{did_you_mean(name, known)}"
                hint = "写 sources.yaml 里的标识；Kafka 或手工导入的信源不必登记"
                yield document.problem(("plans", n, "sources", m), message, hint, warning=True)


def _owners(roster: RosterSource) -> set[str]:
    return {person.id for person in roster.people} | {unit.id for unit in roster.units}


def _source_ids(sources: SourcesSource) -> set[str]:
    groups: tuple[Iterable[Any], ...] = (sources.feeds, sources.tickets, sources.official)
    return {one.id for group in groups for one in group}
