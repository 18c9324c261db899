"""What triage found, as the ledger's rows, and a part of a grade back from one.

Every word that is kept is masked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.judging.sorting import Verdict
from models.core.facts import UNITS, ZH, Facts
from models.core.grade import GradePart
from models.core.moment import iso
from models.core.personal import mask_personal
from models.core.places import Place
from models.core.topics import Filing
from models.core.vocabulary import Grade
from models.core.when import When
from models.ledger.store import Row

SPANS_MOST = 40  # of one text: a page of figures does not fill the ledger


def judgement_row(row: Row[Any], verdict: Verdict, home: str | None, now: datetime) -> dict[str, Any]:
    judged = verdict.judgement
    facts = {name: getattr(verdict.facts, name) for name in ZH}
    return {
        "signal_id": row.id,
        "at": iso(now),
        "sentiment": judged.sentiment,
        "sentiment_score": judged.sentiment_score,
        "topic": judged.topic,
        "topic_margin": judged.topic_margin,
        "kind": verdict.kind.value if verdict.kind else None,
        "rumour": judged.rumour,
        "concern": verdict.concern,
        "flagged": verdict.flagged,
        "grade": verdict.graded.grade.value,
        "event_type": verdict.event.value if verdict.event else None,
        "facts": {name: value for name, value in facts.items() if value is not None},
        "grade_parts": [part_row(part) for part in verdict.graded.parts],
        "reasons": [mask_personal(reason) for reason in verdict.reasons],
        "versions": dict(judged.versions),
        "cluster": verdict.cluster,
        "incident_id": home,
        "details": details(verdict),
        "link_score": verdict.link.score if verdict.link else None,
        "link_reason": mask_personal(verdict.link.reason) if verdict.link else None,
    }


def details(verdict: Verdict) -> dict[str, Any]:
    """What was read beside the counts, with its words: kind of event, place, time, spans of the facts, and
    where it stands in the site's own topics.

    Spans count characters of the canonical text. Empty where nothing was read.
    """
    sub, place, told = verdict.subtype, verdict.place, verdict.occurred
    spans = [
        {"kind": f.kind, "value": f.value, "start": f.start, "end": f.end, "words": mask_personal(f.words)}
        for f in verdict.facts.evidence[:SPANS_MOST]
    ]
    return {
        **({"event_subtype": sub.kind.value, "event_reason": sub.reason} if sub else {}),
        **({"place": place_row(place)} if place else {}),
        **({"occurred": when_row(told)} if told else {}),
        **({"spans": spans} if spans else {}),
        **({"topics": filed_rows(verdict.filing)} if verdict.filing else {}),
    }


def filed_rows(filing: Filing) -> list[dict[str, Any]]:
    """Second and third level in the site's own tree; empty where its words say nothing."""
    return [
        {
            "label": one.label, "score": one.score, "level": one.level, "path": list(one.path),
            "unsure": one.unsure,
        }
        for one in filing.placed
    ]  # fmt: skip


def place_row(place: Place) -> dict[str, Any]:
    return {
        "province": place.province, "city": place.city, "county": place.county, "name": place.zh,
        "start": place.start, "end": place.end, "sure": place.sure,
    }  # fmt: skip


def when_row(told: When) -> dict[str, Any]:
    return {
        "earliest": iso(told.earliest), "latest": iso(told.latest), "words": mask_personal(told.words),
        "start": told.start, "end": told.end, "sure": told.sure,
    }  # fmt: skip


def facts_row(facts: Facts) -> dict[str, Any]:
    """The stated counts with the words they were read from, for the incident page."""
    return {
        name: {
            "value": getattr(facts, name),
            "unit": UNITS.get(name, "人"),
            "text": f"{zh}: “{mask_personal(facts.why(name))}”",
        }
        for name, zh in ZH.items()
        if getattr(facts, name) is not None
    }


def part_row(part: GradePart) -> dict[str, Any]:
    return {
        "part": part.part,
        "grade": part.grade.value,
        "reason": part.reason,
        "basis": list(part.basis),
        "suggested": part.suggested,
    }


def part_of(row: Mapping[str, Any]) -> GradePart:
    return GradePart(row["part"], Grade(row["grade"]), row["reason"], tuple(row["basis"]), row["suggested"])
