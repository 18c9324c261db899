"""Reading signals one by one: what each says by itself, before it is known where it belongs.

Nothing here remembers anything, so a batch may be read while the one before it is being written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from models.classify.judge import Judge, Judgement
from models.core.concern import Concern, concern
from models.core.facts import Facts, extract
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
from models.core.lexicon import scan
from models.core.moment import local
from models.core.places import Place, abroad, locate
from models.core.plans import Fired
from models.core.signals import RawSignal
from models.core.standards import Standards
from models.core.text import LIMIT, canonical
from models.core.vocabulary import EventType, Medium
from models.core.when import When, occurred
from playbooks.grading_paper import shipped

Item = tuple[str, RawSignal, datetime]
"""(key, signal, when it was said)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal, judged and graded on its own words; `title` and `body` are canonical."""

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
    subtype: Subtype | None = None
    place: Place | None = None
    occurred: When | None = None
    plans: tuple[Fired, ...] = ()


def read(
    judge: Judge, items: Sequence[Item], standards: Standards | None = None, home: str = ""
) -> list[Reading]:
    """A reading for each item, in the same order. `standards`: the site's, else the shipped ones; `home`:
    the site's region, which decides between places of one name."""
    plain = [(canonical(signal.title), canonical(signal.body)) for _, signal, _ in items]
    judged = judge.judge_canonical([_whole(*parts) for parts in plain])
    by = standards or shipped()
    return [
        _one(*item, *parts, judgement, by, home)
        for item, parts, judgement in zip(items, plain, judged, strict=True)
    ]


def _whole(title: str, body: str) -> str:
    """Both as one text, as `canonical(signal.text)` would give it."""
    return "\n".join(part for part in (title, body) if part)[:LIMIT]


def _one(
    key: str,
    signal: RawSignal,
    at: datetime,
    title: str,
    body: str,
    judgement: Judgement,
    by: Standards,
    home: str,
) -> Reading:
    text = _whole(title, body)
    on = local(at).date()
    hits, place = scan(text), _place(signal, text, home)
    facts = _ours(extract(text, on), place, text)
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
        key, signal, at, title, body, judgement, facts, event, parts, graded, worry, subtype,
        place=place, occurred=occurred(text, at) if event or facts.harm else None,
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
