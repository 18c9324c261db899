"""Sorting a stream of readings into clusters, and what a cluster says beyond its signals. No database.

`huiying triage --jsonl` and the triage flow are the same sorter; the flow keeps its verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flows.judging.reading import Reading
from models.classify.judge import Judge, Judgement
from models.classify.kind import through
from models.core.cluster import MOST, IncidentIndex
from models.core.concern import FLAG_AT
from models.core.facts import NOTHING, ZH, Fact, Facts
from models.core.grade import (
    Graded,
    GradePart,
    Heat,
    Subtype,
    grade,
    heat_grade,
)
from models.core.personal import headline
from models.core.places import Place
from models.core.standards import Standards
from models.core.topics import Filing
from models.core.vocabulary import EventType, Medium, OpinionKind
from models.core.when import When
from playbooks.grading_paper import shipped

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
TICKETS = frozenset({Medium.HOTLINE, Medium.MAILBOX, Medium.MESSAGE, Medium.SITE_ERROR})
SAME_TOPIC_TICKETS = 5
"""So many tickets of one matter within 24 h make an incident (domain study 4.2 and PB-06)."""
REPORTERS = frozenset({Medium.NEWS, Medium.OFFICIAL})
DOUBTFUL = 0.5
LEFT_OVER = 5_000
"""Clusters beside those that live, before they are looked through."""
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
    subtype: Subtype | None = None
    place: Place | None = None
    occurred: When | None = None
    filing: Filing | None = None


def shown_title(signal: Any) -> str:
    """What an incident is called after a signal (a RawSignal, or its row): masked, it goes to many."""
    return headline(signal.title, signal.body, signal.medium, signal.author, 40)


@dataclass(slots=True)
class Cluster:
    """What is known of one group of signals, enough to grade the incident it may become. There is one for
    every signal that nothing joined, so it is small."""

    key: str
    title: str
    first_at: datetime
    last_at: datetime
    facts: Facts = NOTHING
    parts: dict[str, GradePart] = field(default_factory=dict)
    tickets: list[datetime] = field(default_factory=list)
    doubtful: list[datetime] = field(default_factory=list)
    said: list[datetime] = field(default_factory=list)  # within the last hour
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
        self.said.append(at)
        for times, span in ((self.tickets, DAY), (self.doubtful, DAY), (self.said, HOUR)):
            gone = next((n for n, then in enumerate(times) if at - then <= span), len(times))
            if gone:
                del times[:gone]

    @property
    def hearsay(self) -> bool:
        """Told again and again, and by nobody who reports: a reason to verify."""
        return len(self.doubtful) >= SAME_RUMOUR_POSTS and not self.reported

    def graded(self) -> Graded:
        return grade([self.parts.get(name) for name in ("event", "heat", "sensitivity")])


COUNTS = tuple(ZH)


def widest(one: Facts, other: Facts) -> Facts:
    """The larger of each stated count, with the words it was read from."""
    values: dict[str, Any] = {}
    evidence: list[Fact] = []
    for name in COUNTS:
        best = max(
            (facts for facts in (one, other) if getattr(facts, name) is not None),
            key=lambda facts: getattr(facts, name),
            default=None,
        )
        values[name] = getattr(best, name) if best else None
        if best:
            evidence += best.shown(name)
    return replace(Facts(**values), evidence=tuple(evidence))


class Sorter:
    """Sorts signals in the order given. Holds the clusters of the window in memory."""

    def __init__(
        self, judge: Judge, window: timedelta, standards: Standards | None = None, most: int = MOST
    ) -> None:
        self.window = window
        self.standards = standards or shipped()
        self.index = IncidentIndex(window=window, weight=judge.rarity, most=most)
        self.clusters: dict[str, Cluster] = {}
        self.unread_to: datetime | None = None
        """What came in up to then was not read back when the memory was built anew."""

    def sort(self, readings: Sequence[Reading]) -> list[Verdict]:
        """One verdict for each reading, in the same order."""
        self.forget()  # never within a batch, however many days it spans: its verdicts name their clusters
        return [self._one(reading) for reading in readings]

    def _one(self, reading: Reading) -> Verdict:
        cluster, link = self._place(reading)
        crowd = _crowd(cluster, self.standards)
        flagged = reading.worry.flagged or bool(crowd)
        cluster.flagged = cluster.flagged or flagged
        if cluster.flagged:
            self.index.hold_fast(cluster.key)
        told = "false_info" if cluster.hearsay else None
        kind = through(reading.signal.medium, reading.judgement.kind) or told
        score = reading.worry.score
        return Verdict(
            judgement=reading.judgement,
            kind=OpinionKind(kind) if kind else None,
            facts=reading.facts,
            event=reading.event,
            graded=reading.graded,
            concern=max(score, FLAG_AT) if crowd else score,
            reasons=(
                *crowd,
                *reading.worry.reasons,
                *reading.graded.reasons,
                *_kind_of_event(reading),
                *_topic(reading),
            ),
            flagged=flagged,
            cluster=cluster.key,
            link=link,
            subtype=reading.subtype,
            place=reading.place,
            occurred=reading.occurred,
            filing=reading.filing,
        )

    def _place(self, reading: Reading) -> tuple[Cluster, Link | None]:
        """The cluster it belongs to, or a new one that it begins."""
        signal, at = reading.signal, reading.at
        where = whereabouts(reading.place, signal.place)
        match = self.index.match_gist(reading.gist, at, where)
        known = self.clusters.get(match.incident_id) if match else None
        cluster = known or Cluster(reading.key, shown_title(signal), at, at)
        self.clusters[cluster.key] = cluster
        self.index.add_gist(cluster.key, reading.key, reading.gist, at, where)
        cluster.take(reading.facts, reading.parts, signal.medium, at, reading.judgement.rumour)
        return cluster, Link(match.score, match.reason) if match and known else None

    def forget(self) -> None:
        """Drop the clusters that nothing can join any more, now and then, so that memory stays flat."""
        if len(self.clusters) > 2 * self.index.incidents + LEFT_OVER:
            self.clusters = {key: one for key, one in self.clusters.items() if key in self.index}


def whereabouts(place: Place | None, stated: str | None) -> str | None:
    """The place that may speak against a link: down to the city at least and in no doubt, else as stated."""
    return place.zh if place and place.sure and place.depth >= 2 else stated


def _kind_of_event(reading: Reading) -> tuple[str, ...]:
    return (f"事件类型:{reading.subtype.reason}",) if reading.subtype else ()


def _topic(reading: Reading) -> tuple[str, ...]:
    return (reading.filing.reason,) if reading.filing else ()


def _crowd(cluster: Cluster, standards: Standards) -> tuple[str, ...]:
    """What a group says that no single signal does: many tickets, a rumour told again and again."""
    found: list[str] = []
    if cluster.size < 2:
        return ()
    spread = heat_grade(Heat(tickets_24h=len(cluster.tickets), posts_1h=len(cluster.said)), standards)
    known = cluster.parts.get("heat")
    if spread is not None and (known is None or spread.grade > known.grade):
        cluster.parts["heat"] = spread
    if len(cluster.tickets) >= SAME_TOPIC_TICKETS:
        found.append(f"24 小时内同类工单 {len(cluster.tickets)} 件")
    if cluster.hearsay:
        found.append(f"24 小时内 {len(cluster.doubtful)} 处出现疑似传言的同一说法，须核实")
    return tuple(found)
