"""Bursts 突增: is this more than this hour of this weekday should bring?

What is usual is a rate with its doubt: a gamma distribution, learned from the same stretch of earlier weeks.
A count is judged by the negative binomial that follows from it, so that three tickets where there
is one a week and three hundred where there are a hundred are weighed alike. Pure: counts and times come in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final, Literal

from models.core.moment import span
from models.core.vocabulary import Grade, Medium

Dimension = Literal["all", "place", "topic", "source"]
DIMENSION_ZH: Final = {"all": "全部", "place": "地点", "topic": "主题", "source": "信源"}

WEEKS: Final = 8
DAYS: Final = 7
_ENOUGH: Final = 3
"""So many earlier stretches make a usual; with fewer only fixed numbers are asked (a cold start)."""
_FADE: Final = 0.85  # what each week further back counts for
_OUTLIER: Final = (
    3.0  # an earlier stretch counts as at most so many times the usual one: it was a burst itself
)
_STEADIEST: Final = 8.0
"""The largest shape that is believed: what people bring differs from hour to hour by a third of itself at least,
even where the few weeks that are known happen to look alike."""
_GROWN: Final = 1.5
"""A burst that has been told is told again when it has grown by this factor: a hit mutes nothing."""
_SILENCE: Final = timedelta(hours=3)
_UNUSUAL: Final = 2.0  # a silence so many times the source's longest usual one is an outage
_NEW: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class BurstRule:
    """Either `count` (more than so many) or `chance` (less likely than that by chance)."""

    id: str
    name: str
    by: Dimension = "all"
    media: frozenset[Medium] = frozenset()
    within: timedelta = timedelta(hours=1)
    count: int | None = None
    chance: float | None = None
    minimum: int = 8
    times: float = 2.0
    grade: Grade = Grade.III


@dataclass(frozen=True, slots=True)
class Usual:
    """What the stretch brings as a rule: a negative binomial of this `mean` and `shape` (> 0)."""

    mean: float
    shape: float
    seen: tuple[float, ...]
    weekly: bool

    @property
    def words(self) -> str:
        """约 4.2 件(近 5 周同一时段 3、5、4、6、3)."""
        shown = "、".join(f"{round(count)}" for count in self.seen)
        when = f"近 {len(self.seen)} {'周' if self.weekly else '天'}同一时段"
        return f"约 {self.mean:.1f} 件({when} {shown})"


@dataclass(frozen=True, slots=True)
class Burst:
    """More than usual, with its reason in words; `chance` is None for a rule of a fixed number."""

    rule: BurstRule
    group: str
    count: int
    usual: Usual | None
    chance: float | None
    reason: str


def usual(weekly: Sequence[float], daily: Sequence[float]) -> Usual | None:
    """From the same stretch of earlier weeks (newest first), else of the last days; None: too few are known.

    Outages are left out by the caller. The days steady the weeks: they count as one week more.
    """
    by_week = len(weekly) >= _ENOUGH
    seen = weekly if by_week else daily
    if len(seen) < _ENOUGH:
        return None
    tamed = _tamed(seen)
    weights = [_FADE**back for back in range(len(tamed))] if by_week else [0.5] * len(tamed)
    prior = sum(_tamed(daily)) / len(daily) if daily else sum(tamed) / len(tamed)
    shape = max(prior, 0.5) + sum(w * x for w, x in zip(weights, tamed, strict=True))
    mean = shape / (1 + sum(weights))
    scatter = _scatter([*tamed, *_tamed(daily)] if by_week else tamed, mean)
    return Usual(mean, min(shape, scatter, _STEADIEST), tuple(seen), by_week)


def _tamed(counts: Sequence[float]) -> list[float]:
    """A burst of an earlier week must not hide the next one: nothing counts as more than three times the middle."""
    most = _OUTLIER * max(1.0, median(counts)) if counts else 0.0
    return [min(count, most) for count in counts]


def _scatter(counts: Sequence[float], mean: float) -> float:
    """The shape that explains how much the stretches differ among themselves; infinite where chance does."""
    if len(counts) < _ENOUGH:
        return math.inf
    middle = sum(counts) / len(counts)
    spread = sum((count - middle) ** 2 for count in counts) / (len(counts) - 1)
    return mean * mean / (spread - mean) if spread > mean else math.inf


def chance_of(count: int, known: Usual) -> float:
    """P(X ≥ count) of the negative binomial, by summing its tail; 0..1."""
    if count <= 0:
        return 1.0
    start = max(count, math.ceil(known.mean))
    tail = _tail(start, known)
    return min(1.0, tail + sum(math.exp(_log_mass(n, known)) for n in range(count, start)))


def _tail(start: int, known: Usual) -> float:
    total, mass, number = 0.0, math.exp(_log_mass(start, known)), start
    share = known.mean / (known.mean + known.shape)
    while mass > total * 1e-9 and number < start + 100_000:
        total += mass
        mass *= share * (number + known.shape) / (number + 1)
        number += 1
    return total


def _log_mass(number: int, known: Usual) -> float:
    shape, mean = known.shape, known.mean
    ways = math.lgamma(number + shape) - math.lgamma(shape) - math.lgamma(number + 1)
    return ways + shape * math.log(shape / (shape + mean)) + number * math.log(mean / (shape + mean))


def burst(rule: BurstRule, group: str, count: int, known: Usual | None) -> Burst | None:
    """Is so much in this stretch a burst by the rule? A rule by chance stays silent while nothing is usual."""
    stretch = f"{group} {span(rule.within.total_seconds())}内 {count} 件"
    usually = f"，往常此时{known.words}" if known else ""
    if rule.count is not None:
        if count <= rule.count:
            return None
        return Burst(
            rule, group, count, known, None, f"{rule.name}: {stretch}，超过 {rule.count} 件{usually}"
        )
    if known is None or count < max(rule.minimum, rule.times * known.mean):
        return None
    chance = chance_of(count, known)
    if chance >= (rule.chance or 0.0):
        return None
    reason = f"{rule.name}: {stretch}{usually}，偶然出现的可能 {odds(chance)}"
    return Burst(rule, group, count, known, chance, reason)


def odds(chance: float) -> str:
    """1/20000, rounded to one leading digit; nothing is impossible."""
    if chance < 1e-9:
        return "不到十亿分之一"
    against = 1 / chance
    step = 10 ** int(math.log10(against))
    return f"1/{int(against // step * step)}"


def grown(told: int, count: int) -> bool:
    """Has a burst that was told at `told` grown enough to be told again?"""
    return count >= told * _GROWN


# ── where, and by which source ────────────────────────────────────────────────────────────────

_TOWN = re.compile(r"^.{1,14}?(?:街道|镇|乡|苏木)")
_COUNTY = re.compile(r"^.{0,9}?(?:[^市]{1,6}(?:区|县|旗)|[^市]{1,6}市[^区县旗]{0,8}(?:区|县|旗|市))")


IN_PASSING = "属于突增"
"""How the reason begins for which a burst takes a signal home that is one of many matters in it. Such a one keeps no
other from being an incident of its own."""


def taken(rule: BurstRule, group: str, *, main: bool) -> str:
    """Why a signal goes with a burst: as one of many matters, or as what the burst is about."""
    return f"{'突增的主要事项' if main else IN_PASSING}“{rule.name} {group}”"


def locality(place: str) -> str:
    """The place that tickets are counted by: down to town or sub-district, else county, else as written."""
    place = "".join(place.split())
    found = _TOWN.match(place) or _COUNTY.match(place)
    return found.group() if found else place[:20]


Outage = tuple[datetime, datetime]


def outages(hours: Iterable[datetime], now: datetime) -> list[Outage]:
    """The unusual silences of a source, from the hours in which it said something, in order.

    A night without tickets is usual, since there are many; a silence of twice the longest usual one is not.
    """
    ordered = [*sorted(set(hours)), now]
    gaps = [(later - earlier, earlier, later) for earlier, later in pairwise(ordered)]
    longest = _longest_usual([gap for gap, _, _ in gaps[:-1]])
    return [(earlier + timedelta(hours=1), later) for gap, earlier, later in gaps if gap > longest * _UNUSUAL]


def _longest_usual(gaps: Sequence[timedelta]) -> timedelta:
    """The longest tenth left out; at least three hours."""
    long = sorted(gap for gap in gaps if gap > timedelta(hours=1))
    return max(_SILENCE, long[int(len(long) * 0.9) - 1] if len(long) > 1 else _SILENCE)


def unsettled(hours: Sequence[datetime], now: datetime, within: timedelta) -> bool:
    """Is the source new, or just back from an outage, so that its number says nothing yet?"""
    if not hours or now - min(hours) < _NEW:
        return True
    back = set(hours)  # an outage that goes on ends in no hour of the source's own
    return any(now - end < 2 * within and end in back for _, end in outages(hours, now))


def usable(begin: datetime, end: datetime, gone: Iterable[Outage]) -> bool:
    """Does the stretch stand clear of all outages?"""
    return all(end <= since or begin >= until for since, until in gone)
