"""Reading signals one by one: what each says by itself, before it is known where it belongs.

Nothing here remembers anything, so a batch may be read while the one before it is being written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.classify.judge import Judge, Judgement
from models.core.cluster import gist
from models.core.concern import Concern, concern
from models.core.facts import Facts, extract, told
from models.core.grade import (
    Graded,
    GradePart,
    Heat,
    Subtype,
    event_grade,
    event_subtype,
    event_type,
    grade,
    heat_grade,
    sensitivity_grade,
)
from models.core.hearsay import with_spread
from models.core.lexicon import scan
from models.core.moment import local
from models.core.places import Place, abroad, locate
from models.core.plans import Fired
from models.core.signals import RawSignal
from models.core.standards import Standards
from models.core.text import LIMIT, canonical
from models.core.topics import Filing, Tree
from models.core.vocabulary import EventType, Medium
from models.core.when import When, occurred
from playbooks.grading_paper import shipped

Item = tuple[str, RawSignal, datetime]
"""(key, signal, when it was said)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal, judged and graded on its own words; `title` and `body` are canonical (empty in one that
    another worker left), `gist` is what speaks for it among others."""

    key: str
    signal: RawSignal
    at: datetime
    title: str
    body: str
    judgement: Judgement
    facts: Facts
    event: EventType | None
    parts: tuple[GradePart, ...]
    graded: Graded
    worry: Concern
    gist: str
    subtype: Subtype | None = None
    place: Place | None = None
    occurred: When | None = None
    plans: tuple[Fired, ...] = ()
    filing: Filing | None = None


def read(
    judge: Judge,
    items: Sequence[Item],
    standards: Standards | None = None,
    home: str = "",
    tree: Tree | None = None,
) -> list[Reading]:
    """A reading for each item, in the same order. `standards`: the site's, else the shipped ones; `home`:
    the site's region, which decides between places of one name; `tree`: the site's own topics, if any."""
    tales = [_tale(signal, at, home) for _, signal, at in items]
    judged = _judged(judge, tales)
    by = standards or shipped()
    found = [
        _one(*item, tale, judgement, by) for item, tale, judgement in zip(items, tales, judged, strict=True)
    ]
    return found if tree is None else [replace(one, filing=_filed(judge, tree, one)) for one in found]


def _filed(judge: Judge, tree: Tree, one: Reading) -> Filing:
    """Where it belongs in the site's tree; of the seven classes that were learned from messages only the one
    that the judge is sure of, and that one sooner than those it has never heard of."""
    topic, text = one.judgement.topic, _whole(one.title, one.body)
    if topic not in tree.firsts or one.judgement.topic_unsure:
        return tree.file(text)
    return tree.file(text, [other for other in judge.topics if other != topic], topic)


@dataclass(frozen=True, slots=True)
class _Tale:
    """What a signal tells, before it is judged: its canonical words, the place and the facts in them."""

    title: str
    body: str
    text: str
    place: Place | None
    facts: Facts


def _tale(signal: RawSignal, at: datetime, home: str) -> _Tale:
    title, body = canonical(signal.title), canonical(signal.body)
    text = _whole(title, body)
    place = _place(signal, text, home)
    return _Tale(title, body, text, place, _ours(extract(text, local(at).date()), place, text))


def _whole(title: str, body: str) -> str:
    """Both as one text, as `canonical(signal.text)` would give it."""
    return "\n".join(part for part in (title, body) if part)[:LIMIT]


def _judged(judge: Judge, tales: Sequence[_Tale]) -> list[Judgement]:
    """Where harm is told, the mood is that of the words which tell it, if that is the graver: good words
    around a death make no good news of it."""
    found = judge.judge_canonical([tale.text for tale in tales])
    cheered = [n for n, tale in enumerate(tales) if tale.facts.harm and found[n].sentiment == "pos"]
    apart = [(n, part) for n in cheered for part in told(tales[n].text, tales[n].facts)]
    for (n, _), other in zip(apart, judge.judge_canonical([part for _, part in apart]), strict=True):
        if other.sentiment_score < found[n].sentiment_score:
            found[n] = replace(found[n], sentiment=other.sentiment, sentiment_score=other.sentiment_score)
    return found


def _one(
    key: str, signal: RawSignal, at: datetime, tale: _Tale, judgement: Judgement, by: Standards
) -> Reading:
    text, facts, on = tale.text, tale.facts, local(at).date()
    judgement = replace(judgement, rumour=with_spread(judgement.rumour, signal.metrics))
    hits = scan(text)
    event = event_type(text, hits, facts)
    subtype = event_subtype(event, hits)
    said = (
        event_grade(event, facts, by, subtype.kind if subtype else None, hits),
        heat_grade(Heat.of(signal.metrics, signal.medium), by),
        sensitivity_grade(text, signal.medium, by, hits, on),
    )
    parts = tuple(part for part in said if part is not None)
    graded = grade(parts)
    # to stand on a list of everybody's topics is spread, not yet a worry of ours
    felt = grade([p for p in parts if p.part != "heat"]) if signal.medium is Medium.HOT_SEARCH else graded
    worry = concern(judgement.sentiment_score, facts, hits, event, judgement.rumour, signal.metrics, felt)
    return Reading(
        key, signal, at, tale.title, tale.body, judgement, facts, event, parts, graded, worry,
        gist(tale.title, tale.body), subtype,
        place=tale.place, occurred=occurred(text, at) if event or facts.harm else None,
    )  # fmt: skip


def _ours(facts: Facts, place: Place | None, text: str) -> Facts:
    """The magnitude of an earthquake abroad or at sea grades nothing here; its words stay in the spans."""
    far = facts.magnitude is not None and place is None and abroad(text)
    return replace(facts, magnitude=None) if far else facts


def _place(signal: RawSignal, text: str, home: str) -> Place | None:
    """Where it is: what the source says of the place, where that names a division, before the text."""
    stated = locate(canonical(signal.place), home) if signal.place else None
    told = locate(text, home)
    if stated and told and stated.depth and told.within(stated):
        return told
    return stated or told
