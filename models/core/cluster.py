"""Which incident does a signal belong to? An inverted index over rare character pairs, with a window.

A pair of characters is rare when few incidents of the last days use it and the language uses it
seldom. Candidates come from the rarest pairs only; then the signal is compared with a few signals
of each candidate (cosine over weighted pairs). What leaves the window leaves the index: the cost of
a signal does not depend on how much was ever stored.
Pure: times are arguments, and the weights of the language are given by the caller.
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final

Weight = Callable[[str], float]
Vector = dict[str, float]

WINDOW: Final = timedelta(hours=72)
LINK_AT: Final = 0.22
"""Cosine from which a signal joins an incident (measured on the dev stream: see the model card)."""
SAME_AT: Final = 0.10
"""Cosine from which two texts are of one topic: a topic is wider than an incident."""

_HEAD: Final = 160  # characters of a text without a title that speak for it
_BODY: Final = 60  # characters of the body that are added to a title
_RAREST: Final = 24  # pairs of one signal that are looked up
_COMMON: Final = 48  # a pair of more incidents than that points nowhere
_CANDIDATES: Final = 3
_FACES: Final = 5  # signals of an incident that a newcomer is compared with
_FACE_APART: Final = 0.8  # a nearer copy of a face adds nothing
_ELSEWHERE: Final = 1.6  # another named place asks for this much more likeness
_MOST: Final = 200_000  # signals in the window at the most; the oldest go first
_PRIOR: Final = 2_000.0  # signals that the language's weights are worth against the stream's counts

_KNOWN: Final = 300_000  # pairs whose share in the language is kept at hand, then begun anew

_JUNK = re.compile(r"https?://[\x21-\x7e]+|@[\w-]{1,30}|[\W_]+")


def uniform(_: str) -> float:
    """Every pair counts the same: for callers that know nothing about the language."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Match:
    """The incident, how alike (0..1), and the words they share."""

    incident_id: str
    score: float
    reason: str


@dataclass(slots=True)
class _Incident:
    last_at: datetime
    faces: list[Vector] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    signals: int = 0

    def elsewhere(self, place: str | None) -> bool:
        """Is this place another than all that were named of the incident?"""
        return bool(place and self.places) and not any(_overlap(place or "", known) for known in self.places)


class IncidentIndex:
    """The incidents of the last `window`, as far as linking needs them. Rebuilt by adding again."""

    def __init__(
        self, window: timedelta = WINDOW, weight: Weight = uniform, link_at: float = LINK_AT
    ) -> None:
        self._window = window
        self._weight = weight
        self._link_at = link_at
        self._postings: dict[str, Counter[str]] = defaultdict(Counter)
        self._incidents: dict[str, _Incident] = {}
        self._queue: deque[tuple[datetime, str, tuple[str, ...]]] = deque()
        self._now: datetime | None = None
        self._seen: set[str] = set()
        self._language: dict[str, float] = {}
        self._last: tuple[str, Vector] = ("", {})

    def __len__(self) -> int:
        """Signals held."""
        return len(self._queue)

    def match(self, title: str, body: str, at: datetime, place: str | None = None) -> Match | None:
        """The likest incident within the window, or None. Changes nothing. Canonical texts."""
        words = gist(title, body)
        vector = self._vector(words)
        best: tuple[float, str, Vector] | None = None
        for incident_id in self._candidates(vector, at):
            incident = self._incidents[incident_id]
            score, face = max(((cosine(vector, face), face) for face in incident.faces), key=lambda s: s[0])
            if score >= self._needed(incident, place) and (best is None or score > best[0]):
                best = score, incident_id, face
        if best is None:
            return None
        reason = self._reason(words, vector, best[2], best[0])
        far = self._incidents[best[1]].elsewhere(place)
        return Match(best[1], round(best[0], 4), f"{reason};地点不同({place}),要求更高" if far else reason)

    def add(
        self, incident_id: str, signal_id: str, title: str, body: str, at: datetime, place: str | None = None
    ) -> None:
        """Remember that the signal belongs to the incident; the same signal a second time is nothing."""
        if signal_id in self._seen:
            return
        self._seen.add(signal_id)
        vector = self._vector(gist(title, body))
        self._now = max(at, self._now or at)
        self._last = "", {}
        self._remember(incident_id, vector, at, place)
        grams = tuple(vector)
        for gram in grams:
            self._postings[gram][incident_id] += 1
        self._queue.append((at, incident_id, (signal_id, *grams)))
        self._expire()

    def _vector(self, words: str) -> Vector:
        """Pairs weighted by the language and by this stream, length one."""
        if words != self._last[0]:
            counts = Counter(map(operator.add, words, words[1:]))
            texts = math.log(len(self._incidents) + _PRIOR + 1) + 0.5
            weighted = {gram: (1 + math.log(n)) * (texts - self._usage(gram)) for gram, n in counts.items()}
            self._last = words, unit(weighted)
        return self._last[1]

    def _usage(self, gram: str) -> float:
        """ln of how many incidents use the pair: the stream's count, steadied by the language's share."""
        language = self._language.get(gram)
        if language is None:
            if len(self._language) > _KNOWN:
                self._language.clear()
            language = self._language[gram] = _PRIOR * math.exp(1 - self._weight(gram)) + 1
        return math.log(len(self._postings.get(gram, ())) + language)

    def _candidates(self, vector: Vector, at: datetime) -> list[str]:
        """Incidents that share the most rarity, by the rarest pairs of the signal."""
        known = [(len(posting), gram) for gram in vector if (posting := self._postings.get(gram))]
        votes: dict[str, float] = {}
        for used, gram in sorted(known)[:_RAREST]:
            if used <= _COMMON:
                worth = vector[gram] ** 2
                for incident_id in self._postings[gram]:
                    votes[incident_id] = votes.get(incident_id, 0.0) + worth
        ordered = sorted(votes, key=votes.__getitem__, reverse=True)
        return list(islice((i for i in ordered if self._within(i, at)), _CANDIDATES))

    def _within(self, incident_id: str, at: datetime) -> bool:
        incident = self._incidents.get(incident_id)
        return incident is not None and abs(at - incident.last_at) <= self._window

    def _needed(self, incident: _Incident, place: str | None) -> float:
        return min(0.9, self._link_at * _ELSEWHERE) if incident.elsewhere(place) else self._link_at

    def _remember(self, incident_id: str, vector: Vector, at: datetime, place: str | None) -> None:
        incident = self._incidents.setdefault(incident_id, _Incident(at))
        incident.signals += 1
        incident.last_at = max(incident.last_at, at)
        if place and len(incident.places) < 16:
            incident.places.add(place)
        if all(cosine(vector, face) < _FACE_APART for face in incident.faces):
            incident.faces.append(vector)
            if len(incident.faces) > _FACES:
                del incident.faces[1]  # the first signal stays, of the others the newest

    def _expire(self) -> None:
        """Forget what is older than the window, counted from the newest time seen."""
        while self._queue and (len(self._queue) > _MOST or self._old(self._queue[0][0])):
            _, incident_id, (signal_id, *grams) = self._queue.popleft()
            self._seen.discard(signal_id)
            for gram in grams:
                self._release(gram, incident_id)
            self._leave(incident_id)

    def _old(self, at: datetime) -> bool:
        return self._now is not None and self._now - at > self._window

    def _release(self, gram: str, incident_id: str) -> None:
        posting = self._postings[gram]
        posting[incident_id] -= 1
        if posting[incident_id] <= 0:
            del posting[incident_id]
        if not posting:
            del self._postings[gram]

    def _leave(self, incident_id: str) -> None:
        incident = self._incidents.get(incident_id)
        if incident is None:
            return
        incident.signals -= 1
        if incident.signals <= 0:
            del self._incidents[incident_id]

    def _reason(self, words: str, vector: Vector, face: Vector, score: float) -> str:
        shared = shared_words(words, vector, face)
        return f"相似度 {score:.2f},共有少见词:{'、'.join(shared)}"


def gist(title: str, body: str) -> str:
    """What speaks for a signal: its title and the first words of the body, letters and digits only."""
    head = _JUNK.sub("", title[: 2 * _HEAD])
    rest = _JUNK.sub("", body[: 3 * _HEAD])
    if len(head) < 6:
        return (head + rest)[:_HEAD]
    return head[:_HEAD] if rest.startswith(head) or not rest else head[:_HEAD] + rest[:_BODY]


def unit(vector: Vector) -> Vector:
    norm = math.sqrt(sum(v * v for v in vector.values()))
    return {gram: v / norm for gram, v in vector.items()} if norm else {}


def cosine(a: Vector, b: Vector) -> float:
    """Of two vectors of length one."""
    if len(a) > len(b):
        a, b = b, a
    return sum([v * b[gram] for gram, v in a.items() if gram in b])


def shared_words(words: str, vector: Vector, face: Vector, most: int = 4) -> list[str]:
    """Shared pairs joined where they overlap, the weightiest first: 化工, 工园, 园区 → 化工园区."""
    runs: list[tuple[float, str]] = []
    run, weight = "", 0.0
    for a, b in pairwise(words):
        gram = f"{a}{b}"
        if gram in face:
            run, weight = (run + b if run else gram), weight + vector[gram]
        elif run:
            runs.append((weight, run))
            run, weight = "", 0.0
    runs.append((weight, run))
    ordered = dict.fromkeys(text for _, text in sorted(runs, reverse=True) if text)
    return list(ordered)[:most]


def same(a: str, b: str, weight: Weight = uniform) -> tuple[bool, float]:
    """Are two canonical texts of one topic, and how alike are they, 0..1?"""
    score = cosine(_bag(a, weight), _bag(b, weight))
    return score >= SAME_AT, round(min(1.0, score), 4)


def _bag(text: str, weight: Weight) -> Vector:
    letters = _JUNK.sub("", text[:4_000])
    counts: Iterable[tuple[str, int]] = Counter(f"{x}{y}" for x, y in pairwise(letters)).items()
    return unit({gram: (1 + math.log(n)) * weight(gram) for gram, n in counts})


def _overlap(a: str, b: str) -> bool:
    """One place inside the other by its name: 临江市 and 临江市东城区."""
    return a in b or b in a
