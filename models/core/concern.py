"""How much a signal should worry the duty team, 0..1, with every reason in words.

Concern decides one thing: at `FLAG_AT` or above an incident opens (`flagged`). Each ground is a
share of certainty; independent grounds add up as 1 - (1-a)(1-b)…, so no ground can take another's
away: good news in the same text never lowers it. Feeling alone cannot flag, and facts of harm can
(law 14). The shares are a proposal (建议), to be measured against what officers confirm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from models.core.facts import ZH, Facts
from models.core.grade import Graded
from models.core.hearsay import beyond_reach
from models.core.lexicon import Hits
from models.core.vocabulary import EventType, Grade

FLAG_AT: Final = 0.5
"""An incident opens at this concern. One stated death, one missing person, three injured, an event
with harm named but not counted, a heat or sensitivity grade of II, or two weaker grounds together
reach it; a negative mood, however strong, gives at most 0.3."""

_MOOD_MOST: Final = 0.3
_GRADE_SHARE: Final = {Grade.I: 0.95, Grade.II: 0.8, Grade.III: 0.55, Grade.IV: 0.15}
_FACT_SHARE: Final[Mapping[str, tuple[float, float]]] = {
    # share at one unit, and what each tenfold adds
    "deaths": (0.75, 0.15),
    "missing": (0.6, 0.2),
    "trapped": (0.55, 0.2),
    "serious": (0.6, 0.2),
    "injured": (0.4, 0.25),
    "hospitalised": (0.35, 0.25),
    "evacuated": (0.1, 0.15),
}


@dataclass(frozen=True, slots=True)
class Concern:
    score: float
    reasons: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        return self.score >= FLAG_AT


def concern(
    sentiment_score: float,
    facts: Facts,
    hits: Hits,
    event: EventType | None,
    rumour: float,
    metrics: Mapping[str, int],
    graded: Graded,
) -> Concern:
    """`sentiment_score` -1..1 (negative is bad), `rumour` 0..1, `metrics` counts by name."""
    grounds = [
        *_harm(facts),
        *_harm_words(facts, hits, event),
        *_grades(graded, facts),
        *_spread(metrics),
        *_rumour(rumour, hits, metrics),
        *_mood(sentiment_score),
    ]
    doubt = math.prod(1 - share for share, _ in grounds)
    ordered = sorted(grounds, key=lambda ground: -ground[0])
    return Concern(round(1 - doubt, 4), tuple(words for _, words in ordered))


def _harm(facts: Facts) -> Iterator[tuple[float, str]]:
    """The gravest stated count only: 3死5伤 is one event, not two grounds."""
    shares = [
        (min(0.97, least + tenfold * math.log10(value)), name, value)
        for name, (least, tenfold) in _FACT_SHARE.items()
        if (value := getattr(facts, name))
    ]
    if shares:
        share, name, value = max(shares)
        yield share, f"述及{ZH[name]} {value} 人(“{facts.why(name)}”)"
    if facts.magnitude and facts.magnitude >= 4:
        share = min(0.9, 0.35 + 0.2 * (facts.magnitude - 4))
        yield share, f"述及 {facts.magnitude:g} 级地震(“{facts.why('magnitude')}”)"
    if facts.outage_h and facts.outage_h >= 4:
        share = min(0.35, 0.1 + 0.1 * math.log10(facts.outage_h))
        yield share, f"述及停供 {facts.outage_h:g} 小时(“{facts.why('outage_h')}”)"
    if facts.loss_cny and facts.loss_cny >= 1_000_000:
        share = min(0.8, 0.2 + 0.15 * math.log10(facts.loss_cny / 1_000_000))
        yield share, f"述及损失 {facts.loss_cny / 10_000:g} 万元(“{facts.why('loss_cny')}”)"


def _harm_words(facts: Facts, hits: Hits, event: EventType | None) -> Iterator[tuple[float, str]]:
    """Harm or danger that is named but not counted (some words say it without any number)."""
    harm, hazard = hits.of("harm"), hits.of("hazard")
    if not facts.harm and facts.history:
        harm = ()  # the dead of the text are another event's
    named = hits.of(event) if event else ()  # a type may be told by a measure alone
    if harm and event and named and not facts.harm and facts.deaths is None and facts.injured is None:
        yield 0.5, f"述及{event.zh}和人身伤害({named[0]}、{harm[0]})"
    elif harm and not facts.harm:
        yield 0.25, f"述及人身伤害({harm[0]})"
    if event and named:
        yield 0.2, f"述及{event.zh}({named[0]})"
    if hazard:
        yield 0.1 + 0.03 * min(3, len(hazard) - 1), f"述及隐患或违法({'、'.join(hazard[:3])})"


def _grades(graded: Graded, facts: Facts) -> Iterator[tuple[float, str]]:
    """Heat and sensitivity; the event part only where the facts have not spoken for themselves (脱轨, 水源中断)."""
    spoken = facts.harm or bool(facts.magnitude)
    for part in graded.parts:
        if part.part != "event" or (not spoken and part.grade > Grade.IV):
            yield _GRADE_SHARE[part.grade], part.reason


def _spread(metrics: Mapping[str, int]) -> Iterator[tuple[float, str]]:
    weight = metrics.get("reposts", 0) + 0.5 * metrics.get("comments", 0) + 0.01 * metrics.get("reads", 0)
    if weight >= 10:
        yield min(0.3, 0.1 * math.log10(weight)), f"传播量较大(折合转发 {weight:.0f})"


def _rumour(rumour: float, hits: Hits, metrics: Mapping[str, int]) -> Iterator[tuple[float, str]]:
    words = hits.of("rumour")
    if rumour >= 0.7 and words:
        far = (
            f",转发 {metrics['reposts']} 远超账号粉丝 {metrics['followers']}"
            if beyond_reach(metrics) > 0.5
            else ""
        )
        yield 0.25, f"疑似传言,须核实(评分 {rumour:.2f},“{words[0]}”{far})"


def _mood(score: float) -> Iterator[tuple[float, str]]:
    if score <= -0.2:
        yield _MOOD_MOST * min(1.0, -score), f"情绪负面(评分 {score:.2f},不单独触发)"
