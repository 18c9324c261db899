"""Reading signals one by one: what each says by itself, before it is known where it belongs.

Nothing here remembers anything, so a batch may be read while the one before it is being written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.classify.judge import Judge, Judgement
from models.core.concern import Concern, concern
from models.core.facts import Facts, extract
from models.core.grade import (
    Graded,
    GradePart,
    Heat,
    event_grade,
    event_type,
    grade,
    heat_grade,
    sensitivity_grade,
)
from models.core.lexicon import scan
from models.core.signals import RawSignal
from models.core.text import canonical
from models.core.vocabulary import EventType, Medium

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


def read(judge: Judge, items: Sequence[Item]) -> list[Reading]:
    """A reading for each item, in the same order."""
    texts = [canonical(signal.text) for _, signal, _ in items]
    judged = judge.judge_canonical(texts)
    return [_one(*item, text, judgement) for item, text, judgement in zip(items, texts, judged, strict=True)]


def _one(key: str, signal: RawSignal, at: datetime, text: str, judgement: Judgement) -> Reading:
    hits, facts = scan(text), extract(text)
    event = event_type(text, hits)
    said = (
        event_grade(event, facts, hits),
        heat_grade(Heat.of(signal.metrics, signal.medium)),
        sensitivity_grade(text, signal.medium, hits),
    )
    parts = tuple(part for part in said if part is not None)
    graded = grade(parts)
    # to stand on a list of everybody's topics is spread, not yet a worry of ours
    felt = grade([p for p in parts if p.part != "heat"]) if signal.medium is Medium.HOT_SEARCH else graded
    worry = concern(judgement.sentiment_score, facts, hits, event, judgement.rumour, signal.metrics, felt)
    title, body = canonical(signal.title), canonical(signal.body)
    return Reading(key, signal, at, title, body, judgement, facts, event, parts, graded, worry)
