"""Sorting a stream of signals: judged, graded, linked into clusters. No database in here.

`huiying triage --jsonl` and the triage flow are the same sorter; the flow keeps its verdicts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from models.classify.judge import Judge, Judgement
from models.core.cluster import IncidentIndex
from models.core.concern import FLAG_AT, concern
from models.core.facts import NOTHING, Facts, extract
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
from models.core.vocabulary import EventType, Medium, OpinionKind

DAY = timedelta(hours=24)
TICKETS = frozenset({Medium.HOTLINE, Medium.MAILBOX, Medium.MESSAGE, Medium.SITE_ERROR})
SAME_TOPIC_TICKETS = 5
"""So many tickets of one matter within 24 h make an incident (domain study 4.2 and PB-06)."""
DOUBTFUL = 0.5
SAME_RUMOUR_POSTS = 3
"""So many posts of one matter within 24 h that read like a rumour make an incident (a proposal):
the score is a reason to verify, never a verdict."""


@dataclass(frozen=True, slots=True)
class Link:
    """Why a signal belongs to its cluster. `score` 0..1."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything decided about one signal, with the reasons an officer reads."""

    judgement: Judgement
    kind: OpinionKind | None
    facts: Facts
    event: EventType | None
    graded: Graded
    concern: float
    reasons: tuple[str, ...]
    flagged: bool
    cluster: str
    link: Link | None


@dataclass
class Cluster:
    """What is known of one group of signals, enough to grade the incident it may become."""

    key: str
    title: str
    first_at: datetime
    last_at: datetime
    facts: Facts = field(default_factory=Facts)
    parts: dict[str, GradePart] = field(default_factory=dict)
    tickets: deque[datetime] = field(default_factory=deque)
    doubtful: deque[datetime] = field(default_factory=deque)
    flagged: bool = False
    size: int = 0

    def take(
        self, said: Facts, parts: Sequence[GradePart], medium: Medium, at: datetime, rumour: float
    ) -> None:
        """Add one signal: counts go up to the largest stated, each part to its gravest."""
        self.size += 1
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)
        if said != NOTHING:
            self.facts = widest(self.facts, said)
        for part in parts:
            known = self.parts.get(part.part)
            if known is None or part.grade > known.grade:
                self.parts[part.part] = part
        if medium in TICKETS:
            self.tickets.append(at)
        elif rumour >= DOUBTFUL:
            self.doubtful.append(at)
        for times in (self.tickets, self.doubtful):
            while times and at - times[0] > DAY:
                times.popleft()

    def graded(self) -> Graded:
        return grade([self.parts.get(name) for name in ("event", "heat", "sensitivity")])


COUNTS = ("deaths", "injured", "serious", "missing", "trapped", "evacuated", "hospitalised", "loss_cny")


def widest(one: Facts, other: Facts) -> Facts:
    """The larger of each stated count, with the words it was read from."""
    values: dict[str, Any] = {}
    evidence = []
    for name in COUNTS:
        best = max(
            (facts for facts in (one, other) if getattr(facts, name) is not None),
            key=lambda facts: getattr(facts, name),
            default=None,
        )
        values[name] = getattr(best, name) if best else None
        if best:
            evidence += [fact for fact in best.evidence if fact.kind == name and fact.value == values[name]]
    return replace(Facts(**values), evidence=tuple(evidence))


class Sorter:
    """Sorts signals in the order given. Holds the clusters of the window in memory."""

    def __init__(self, judge: Judge, window: timedelta) -> None:
        self.judge = judge
        self.window = window
        self.index = IncidentIndex(window=window, weight=judge.rarity)
        self.clusters: dict[str, Cluster] = {}
        self._next_sweep: datetime | None = None

    def sort(self, signals: Sequence[tuple[str, RawSignal, datetime]]) -> list[Verdict]:
        """`signals` are (key, signal, its time); one verdict for each, in the same order."""
        texts = [canonical(signal.text) for _, signal, _ in signals]
        judged = self.judge.judge_canonical(texts)
        return [
            self._one(key, signal, at, text, judgement)
            for (key, signal, at), text, judgement in zip(signals, texts, judged, strict=True)
        ]

    def _one(self, key: str, signal: RawSignal, at: datetime, text: str, judgement: Judgement) -> Verdict:
        hits, facts = scan(text), extract(text)
        event = event_type(text, hits)
        parts = [
            part
            for part in (
                event_grade(event, facts, hits),
                heat_grade(Heat.of(signal.metrics, signal.medium)),
                sensitivity_grade(text, signal.medium, hits),
            )
            if part is not None
        ]
        graded = grade(parts)
        # to stand on a list of everybody's topics is spread, not yet a worry of ours
        felt = grade([p for p in parts if p.part != "heat"]) if signal.medium is Medium.HOT_SEARCH else graded
        worry = concern(judgement.sentiment_score, facts, hits, event, judgement.rumour, signal.metrics, felt)
        cluster, link = self._place(key, signal, at, facts, parts, judgement.rumour)
        crowd = _crowd(cluster)
        flagged = worry.flagged or bool(crowd)
        cluster.flagged = cluster.flagged or flagged
        kind = judgement.kind or ("false_info" if len(cluster.doubtful) >= SAME_RUMOUR_POSTS else None)
        return Verdict(
            judgement=judgement,
            kind=OpinionKind(kind) if kind else None,
            facts=facts,
            event=event,
            graded=graded,
            concern=max(worry.score, FLAG_AT) if crowd else worry.score,
            reasons=(*crowd, *worry.reasons, *graded.reasons),
            flagged=flagged,
            cluster=cluster.key,
            link=link,
        )

    def _place(
        self,
        key: str,
        signal: RawSignal,
        at: datetime,
        facts: Facts,
        parts: Sequence[GradePart],
        rumour: float,
    ) -> tuple[Cluster, Link | None]:
        """The cluster it belongs to, or a new one that it begins."""
        self._forget(at)
        title, body = canonical(signal.title), canonical(signal.body)
        match = self.index.match(title, body, at, signal.place)
        known = self.clusters.get(match.incident_id) if match else None
        cluster = known or Cluster(key, signal.title or signal.body[:40], at, at)
        self.clusters[cluster.key] = cluster
        self.index.add(cluster.key, key, title, body, at, signal.place)
        cluster.take(facts, parts, signal.medium, at, rumour)
        return cluster, Link(match.score, match.reason) if match and known else None

    def _forget(self, at: datetime) -> None:
        """Drop clusters that the window has left behind, now and then, so that memory stays flat."""
        if self._next_sweep is None:
            self._next_sweep = at + self.window
        if at >= self._next_sweep:
            oldest = at - self.window * 2
            self.clusters = {
                key: cluster for key, cluster in self.clusters.items() if cluster.last_at >= oldest
            }
            self._next_sweep = at + self.window / 4


def _crowd(cluster: Cluster) -> tuple[str, ...]:
    """What a group says that no single signal does: many tickets, a rumour told again and again."""
    found = []
    if len(cluster.tickets) >= SAME_TOPIC_TICKETS:
        part = heat_grade(Heat(tickets_24h=len(cluster.tickets)))
        if part is not None:
            cluster.parts.setdefault("heat", part)
        found.append(f"24 小时内同类工单 {len(cluster.tickets)} 件")
    if len(cluster.doubtful) >= SAME_RUMOUR_POSTS:
        found.append(f"24 小时内 {len(cluster.doubtful)} 处出现疑似传言的同一说法，须核实")
    return tuple(found)
