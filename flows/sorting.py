"""Sorting a stream of readings into clusters, and what a cluster says beyond its signals. No database.

`huiying triage --jsonl` and the triage flow are the same sorter; the flow keeps its verdicts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flows.reading import Reading
from models.classify.judge import Judge, Judgement
from models.core.cluster import IncidentIndex
from models.core.concern import FLAG_AT
from models.core.facts import NOTHING, Facts
from models.core.grade import (
    Graded,
    GradePart,
    Heat,
    grade,
    heat_grade,
)
from models.core.vocabulary import EventType, Medium, OpinionKind

DAY = timedelta(hours=24)
TICKETS = frozenset({Medium.HOTLINE, Medium.MAILBOX, Medium.MESSAGE, Medium.SITE_ERROR})
SAME_TOPIC_TICKETS = 5
"""So many tickets of one matter within 24 h make an incident (domain study 4.2 and PB-06)."""
REPORTERS = frozenset({Medium.NEWS, Medium.OFFICIAL})
DOUBTFUL = 0.5
SAME_RUMOUR_POSTS = 3
"""So many posts of one matter within 24 h that read like a rumour, state no harm and that no medium has
reported make an incident (a proposal): the score is a reason to verify, never a verdict."""


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
    reported: bool = False
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
        self.reported = self.reported or medium in REPORTERS
        if medium in TICKETS:
            self.tickets.append(at)
        elif rumour >= DOUBTFUL and not said.harm:
            self.doubtful.append(at)
        for times in (self.tickets, self.doubtful):
            while times and at - times[0] > DAY:
                times.popleft()

    @property
    def hearsay(self) -> bool:
        """Told again and again, and by nobody who reports: a reason to verify."""
        return len(self.doubtful) >= SAME_RUMOUR_POSTS and not self.reported

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
        self.window = window
        self.index = IncidentIndex(window=window, weight=judge.rarity)
        self.clusters: dict[str, Cluster] = {}
        self._next_sweep: datetime | None = None

    def sort(self, readings: Sequence[Reading]) -> list[Verdict]:
        """One verdict for each reading, in the same order."""
        return [self._one(reading) for reading in readings]

    def _one(self, reading: Reading) -> Verdict:
        cluster, link = self._place(reading)
        crowd = _crowd(cluster)
        flagged = reading.worry.flagged or bool(crowd)
        cluster.flagged = cluster.flagged or flagged
        told = "false_info" if cluster.hearsay else None
        kind = reading.judgement.kind or told
        score = reading.worry.score
        return Verdict(
            judgement=reading.judgement,
            kind=OpinionKind(kind) if kind else None,
            facts=reading.facts,
            event=reading.event,
            graded=reading.graded,
            concern=max(score, FLAG_AT) if crowd else score,
            reasons=(*crowd, *reading.worry.reasons, *reading.graded.reasons),
            flagged=flagged,
            cluster=cluster.key,
            link=link,
        )

    def _place(self, reading: Reading) -> tuple[Cluster, Link | None]:
        """The cluster it belongs to, or a new one that it begins."""
        signal, at = reading.signal, reading.at
        self._forget(at)
        match = self.index.match(reading.title, reading.body, at, signal.place)
        known = self.clusters.get(match.incident_id) if match else None
        cluster = known or Cluster(reading.key, signal.title or signal.body[:40], at, at)
        self.clusters[cluster.key] = cluster
        self.index.add(cluster.key, reading.key, reading.title, reading.body, at, signal.place)
        cluster.take(reading.facts, reading.parts, signal.medium, at, reading.judgement.rumour)
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
    if cluster.hearsay:
        found.append(f"24 小时内 {len(cluster.doubtful)} 处出现疑似传言的同一说法，须核实")
    return tuple(found)
