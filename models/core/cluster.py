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
from array import array
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final, NamedTuple, TypeVar

Weight = Callable[[str], float]
Vector = dict[str, float]
Key = TypeVar("Key")

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
MOST: Final = 200_000
"""Signals held at the most, where the site says no other number."""
_LISTED: Final = 2 * _COMMON  # incidents of a pair that are known by name
_MANY: Final = 16  # signals from which an incident keeps its pairs as a set, too
_PLACES: Final = 16  # places remembered of one incident
_PRIOR: Final = 2_000.0  # signals that the language's weights are worth against the stream's counts

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


class _Pair:
    """A character pair that living incidents use: by how many, and by which as long as they are few."""

    __slots__ = ("by", "gram", "language", "used")

    def __init__(self, gram: str, language: float) -> None:
        self.gram, self.language, self.used = gram, language, 0
        self.by: list[_Incident] | None = []

    def take(self, incident: _Incident) -> None:
        self.used += 1
        if self.by is None and self.used <= _COMMON:
            self.by = []  # rare again: it points to those that come from now on
        if self.by is not None:
            self.by.append(incident)
        if self.used > _LISTED:
            self.by = None

    def release(self, incident: _Incident) -> None:
        self.used -= 1
        if self.by is not None and incident in self.by:
            self.by.remove(incident)


_Vector = dict["_Pair | str", float]
"""Weights of pairs, length one; a pair that no living incident uses stands as its text."""


class _Face:
    """A signal that stands for its incident: pairs and weights side by side, for there are many of them."""

    __slots__ = ("pairs", "weights")

    def __init__(self, pairs: tuple[_Pair, ...], weights: Iterable[float]) -> None:
        self.pairs, self.weights = pairs, array("d", weights)

    def like(self, vector: _Vector) -> float:
        """The cosine."""
        get = vector.get
        return sum([v * w for p, w in zip(self.pairs, self.weights, strict=True) if (v := get(p))])


@dataclass(slots=True, eq=False)
class _Incident:
    id: str
    last_at: datetime
    pairs: tuple[_Pair, ...] | list[_Pair] = ()
    faces: list[_Face] = field(default_factory=list)
    places: tuple[str, ...] = ()
    signals: int = 0  # that are queued
    told: int = 0  # that were ever added
    known: set[_Pair] | None = None  # the same as `pairs`, of a large one
    grave: bool = False

    def elsewhere(self, place: str | None) -> bool:
        """Is this place another than all that were named of the incident?"""
        return bool(place and self.places) and not any(_overlap(place or "", known) for known in self.places)

    def nearest(self, vector: _Vector) -> tuple[float, _Face]:
        return max(((face.like(vector), face) for face in self.faces), key=operator.itemgetter(0))


class _Queued(NamedTuple):
    """A signal in memory."""

    at: datetime
    incident: _Incident
    signal_id: str


class _Shelf:
    """Groups whose oldest signals have left the queue: `room` of them at the most, those that spoke last."""

    def __init__(self, room: int) -> None:
        self._room, self._groups = room, OrderedDict[_Incident, datetime]()

    def __len__(self) -> int:
        return len(self._groups)

    def __contains__(self, incident: object) -> bool:
        return incident in self._groups

    def put(self, incident: _Incident, at: datetime) -> _Incident | None:
        """On top, as of `at`; what there is no room for any more."""
        self._groups[incident] = max(at, self._groups.get(incident, at))
        self._groups.move_to_end(incident)
        return self._groups.popitem(last=False)[0] if len(self._groups) > self._room else None

    def take(self, incident: _Incident) -> datetime | None:
        """Off the shelf; as of when it stood there."""
        return self._groups.pop(incident, None)

    def before(self, oldest: datetime) -> Iterator[_Incident]:
        """Off the shelf, all that is older."""
        while self._groups and next(iter(self._groups.values())) < oldest:
            yield self._groups.popitem(last=False)[0]


class IncidentIndex:
    """The incidents of the last `window`, as far as linking needs them. Rebuilt by adding again.

    `most` signals are held. Where the window brings more, the oldest leave; of a group the group itself stays, for
    that costs no more than a signal: half of the room is for such and a quarter for what `hold_fast` names, and
    who spoke last stays longest. `shed` counts what nothing can join any more before its time and `shed_to` says
    how far back.
    """

    def __init__(
        self, window: timedelta = WINDOW, weight: Weight = uniform, link_at: float = LINK_AT, most: int = MOST
    ) -> None:
        self._window, self._weight, self._link_at, self._most = window, weight, link_at, most
        self._pairs: dict[str, _Pair] = {}
        self._incidents: dict[str, _Incident] = {}
        self._queue: deque[_Queued] = deque()
        self._kept, self._fast = _Shelf(most // 2), _Shelf(most // 4)
        self._now: datetime | None = None
        self._seen: set[str] = set()
        self._last: tuple[str, _Vector] = ("", {})
        self._nearest: tuple[_Incident, float] | None = None  # of the last, where a match was found
        self.shed = 0
        self.shed_to: datetime | None = None

    def __len__(self) -> int:
        """Signals held, and groups of which older ones were."""
        return len(self._queue) + len(self._kept) + len(self._fast)

    def __contains__(self, incident_id: object) -> bool:
        """Can anything still join this incident?"""
        return incident_id in self._incidents

    @property
    def incidents(self) -> int:
        return len(self._incidents)

    def hold_fast(self, incident_id: str) -> None:
        """Somebody's clocks run for this one: words that come late, after a long outage, must still find it."""
        known = self._incidents.get(incident_id)
        if known is not None:
            known.grave = True
            if (at := self._kept.take(known)) is not None:
                self._put(self._fast, known, at)

    def match_gist(self, words: str, at: datetime, place: str | None = None) -> Match | None:
        """The likest incident within the window for the gist of a signal, or None. Changes nothing."""
        vector = self._vector(words)
        best: tuple[float, _Incident, _Face] | None = None
        for incident in self._candidates(vector, at):
            score, face = incident.nearest(vector)
            if score >= self._needed(incident, place) and (best is None or score > best[0]):
                best = score, incident, face
        if best is None:
            return None
        score, incident, face = best
        self._nearest = incident, score
        reason = self._reason(words, vector, face, score)
        far = incident.elsewhere(place)
        return Match(incident.id, round(score, 4), f"{reason};地点不同({place}),要求更高" if far else reason)

    def add_gist(
        self, incident_id: str, signal_id: str, words: str, at: datetime, place: str | None = None
    ) -> None:
        """Remember that the signal of this gist belongs to the incident; the same a second time is nothing."""
        if signal_id in self._seen:
            return
        self._seen.add(signal_id)
        vector = self._vector(words)
        nearest = self._nearest
        self._now = max(at, self._now or at)
        self._last, self._nearest = ("", {}), None
        incident = self._incidents.get(incident_id)
        if incident is None:
            incident = self._incidents[incident_id] = _Incident(incident_id, at)
            near = 0.0
        elif nearest is not None and nearest[0] is incident:
            near = nearest[1]
        else:
            near = max((face.like(vector) for face in incident.faces), default=0.0)
        self._remember(incident, vector, near, at, place)
        self._queue.append(_Queued(at, incident, signal_id))
        self._expire()

    def _vector(self, words: str) -> _Vector:
        """Pairs weighted by the language and by this stream, length one."""
        if words != self._last[0]:
            self._last, self._nearest = (words, self._weighted(words)), None
        return self._last[1]

    def _weighted(self, words: str) -> _Vector:
        counts = Counter(map(operator.add, words, words[1:]))
        texts = math.log(len(self._incidents) + _PRIOR + 1) + 0.5
        known, log = self._pairs.get, math.log
        weighted: _Vector = {}
        for gram, n in counts.items():
            pair = known(gram)
            usage = log(pair.used + pair.language) if pair else log(self._share(gram))
            weighted[pair or gram] = (1 + log(n)) * (texts - usage)
        return unit(weighted)

    def _share(self, gram: str) -> float:
        """How many of `_PRIOR` texts of the language use the pair, and one: it steadies the stream's own count."""
        return _PRIOR * math.exp(1 - self._weight(gram)) + 1

    def _candidates(self, vector: _Vector, at: datetime) -> list[_Incident]:
        """Incidents that share the most rarity, by the rarest pairs of the signal."""
        known = [(pair.used, pair.gram, pair) for pair in vector if pair.__class__ is _Pair]
        votes: dict[_Incident, float] = {}
        for used, _, pair in sorted(known)[:_RAREST]:
            if used <= _COMMON:
                worth = vector[pair] ** 2
                for incident in pair.by or ():
                    votes[incident] = votes.get(incident, 0.0) + worth
        ordered = sorted(votes, key=votes.__getitem__, reverse=True)
        within = (one for one in ordered if abs(at - one.last_at) <= self._window)
        return list(islice(within, _CANDIDATES))

    def _needed(self, incident: _Incident, place: str | None) -> float:
        return min(0.9, self._link_at * _ELSEWHERE) if incident.elsewhere(place) else self._link_at

    def _remember(
        self, incident: _Incident, vector: _Vector, near: float, at: datetime, place: str | None
    ) -> None:
        incident.signals += 1
        incident.told += 1
        incident.last_at = max(incident.last_at, at)
        if place and len(incident.places) < _PLACES and place not in incident.places:
            incident.places += (place,)
        pairs = tuple([self._pair(key) for key in vector])
        self._use(incident, pairs)
        if near < _FACE_APART or not incident.faces:
            incident.faces.append(_Face(pairs, vector.values()))
            if len(incident.faces) > _FACES:
                del incident.faces[1]  # the first signal stays, of the others the newest

    def _pair(self, key: _Pair | str) -> _Pair:
        if isinstance(key, _Pair):
            return key
        made = self._pairs[key] = _Pair(key, self._share(key))
        return made

    def _use(self, incident: _Incident, pairs: tuple[_Pair, ...]) -> None:
        """The incident uses these from now on, until it leaves."""
        known = incident.known or set(incident.pairs)
        fresh = [pair for pair in pairs if pair not in known] if known else pairs
        for pair in fresh:
            pair.take(incident)
        if not known:
            incident.pairs = pairs
        elif fresh:
            incident.pairs = [*incident.pairs, *fresh]
        if incident.told >= _MANY:
            known.update(fresh)
            incident.known = known

    def _expire(self) -> None:
        """Forget what is older than the window, counted from the newest time seen, and what is too much."""
        if self._now is not None:
            oldest = self._now - self._window
            for shelf in (self._fast, self._kept):
                for incident in shelf.before(oldest):
                    self._leave_if_empty(incident)
            while self._queue and self._queue[0].at < oldest:
                self._leave_if_empty(self._next().incident)
        while len(self) > self._most:
            self._shed()

    def _shed(self) -> None:
        """One step towards room: the oldest signal leaves, and its group is put on its shelf."""
        one = self._next()
        if one.incident.grave:
            self._put(self._fast, one.incident, one.at)
        elif one.incident.told > 1:
            self._put(self._kept, one.incident, one.at)
        else:
            self._shed_if_empty(one.incident)

    def _put(self, shelf: _Shelf, incident: _Incident, at: datetime) -> None:
        if (other := shelf.put(incident, at)) is not None:
            self._shed_if_empty(other)

    def _next(self) -> _Queued:
        """The oldest signal, out of the queue."""
        one = self._queue.popleft()
        self._seen.discard(one.signal_id)
        one.incident.signals -= 1
        return one

    def _shed_if_empty(self, incident: _Incident) -> None:
        if self._leave_if_empty(incident):
            self.shed, self.shed_to = self.shed + 1, max(incident.last_at, self.shed_to or incident.last_at)

    def _leave_if_empty(self, incident: _Incident) -> bool:
        """What has no signal left and stands on no shelf is known no more."""
        empty = incident.signals <= 0 and incident not in self._kept and incident not in self._fast
        if empty:
            self._leave(incident)
        return empty

    def _leave(self, incident: _Incident) -> None:
        del self._incidents[incident.id]
        for pair in incident.pairs:
            pair.release(incident)
            if pair.used <= 0:
                self._pairs.pop(pair.gram, None)

    def _reason(self, words: str, vector: _Vector, face: _Face, score: float) -> str:
        weights = {(p.gram if isinstance(p, _Pair) else p): weight for p, weight in vector.items()}
        shared = shared_words(words, weights, {pair.gram for pair in face.pairs})
        return f"相似度 {score:.2f},共有少见词:{'、'.join(shared)}"


def gist(title: str, body: str) -> str:
    """What speaks for a signal: its title and the first words of the body, letters and digits only."""
    head = _JUNK.sub("", title[: 2 * _HEAD])
    rest = _JUNK.sub("", body[: 3 * _HEAD])
    if len(head) < 6:
        return (head + rest)[:_HEAD]
    return head[:_HEAD] if rest.startswith(head) or not rest else head[:_HEAD] + rest[:_BODY]


def unit(vector: dict[Key, float]) -> dict[Key, float]:
    """The same direction, length one; nothing of nothing."""
    norm = math.sqrt(sum([v * v for v in vector.values()]))
    return {key: v / norm for key, v in vector.items()} if norm else {}


def cosine(a: Vector, b: Vector) -> float:
    """Of two vectors of length one."""
    if len(a) > len(b):
        a, b = b, a
    return sum([v * b[gram] for gram, v in a.items() if gram in b])


def shared_words(words: str, vector: Vector, face: Container[str], most: int = 4) -> list[str]:
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
