"""舆情走势: what was said before and after we spoke, and whether that shows that it helped. Pure.

Equal windows on both sides of a publication are compared: how many signals came, and what share of them is
negative. A difference counts only when its 95 % interval leaves out "no difference": for counts the ratio
of two Poisson rates over equal times (the later count is binomial in their sum), for shares Newcombe's
difference of two Wilson intervals. Few signals show nothing, and that is said. Time alone, the night or
another event may have done what we see: the sentence says so whichever way it falls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import inf, sqrt
from typing import Any, Final

from models.core.moment import clock_face, iso, span

LONGEST: Final = timedelta(hours=6)
SHORTEST: Final = timedelta(minutes=30)
FEWEST: Final = 12
"""Signals in both windows together, below which nothing is read from them (a proposal)."""
Z: Final = 1.959964  # 95 %
MOST_BINS: Final = 60
BINS: Final = tuple(timedelta(minutes=m) for m in (10, 30, 60, 180, 360, 720, 1440, 10080))
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Voice:
    """One signal of the incident: when it was said, in what mood, about what, through which door."""

    at: datetime
    negative: bool
    topic: str
    medium: str


@dataclass(frozen=True, slots=True)
class Window:
    """What came within [since, until)."""

    since: datetime
    until: datetime
    count: int
    negative: int
    topics: tuple[tuple[str, int], ...]
    media: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        return self.negative / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Interval:
    """95 %: where the true value may well lie."""

    low: float
    high: float


class Effect(StrEnum):
    """What two windows show."""

    LESS = "less"
    MORE = "more"
    NONE = "none"  # 看不出: no more than chance brings
    FEW = "few"  # 看不出: too few signals to say

    @property
    def zh(self) -> str:
        return {"less": "减少", "more": "增多", "none": "看不出变化", "few": "线索太少，看不出"}[self.value]


@dataclass(frozen=True, slots=True)
class Reading:
    """One publication between its two windows. `ratio` None: nothing came before it."""

    before: Window
    after: Window
    volume: Effect
    mood: Effect
    ratio: float | None
    ratio_within: Interval
    shift: float
    shift_within: Interval
    sentence: str


def wilson(hits: int, of: int) -> Interval:
    """The interval of a share. Nothing counted: anything is possible."""
    if of == 0:
        return Interval(0.0, 1.0)
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def rate_ratio(before: int, after: int) -> Interval:
    """After over before, of two counts over equal times."""
    part = wilson(after, before + after)
    return Interval(_odds(part.low), _odds(part.high))


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else inf


def share_shift(before: Window, after: Window) -> Interval:
    """After minus before, of two shares (Newcombe 1998, method 10)."""
    one, two = wilson(before.negative, before.count), wilson(after.negative, after.count)
    shift = after.share - before.share
    down = sqrt((after.share - two.low) ** 2 + (one.high - before.share) ** 2)
    up = sqrt((two.high - after.share) ** 2 + (before.share - one.low) ** 2)
    return Interval(max(-1.0, shift - down), min(1.0, shift + up))


def tally(voices: Iterable[Voice], since: datetime, until: datetime) -> Window:
    found = [voice for voice in voices if since <= voice.at < until]
    return Window(
        since,
        until,
        len(found),
        sum(voice.negative for voice in found),
        tuple(Counter(voice.topic for voice in found).most_common(SHOWN)),
        tuple(Counter(voice.medium for voice in found).most_common(SHOWN)),
    )


def width(
    published_at: datetime, others: Iterable[datetime], first: datetime | None, now: datetime
) -> timedelta:
    """How long both windows are: no longer than what has passed since, than the way to the next or the last
    publication, and than the time for which anything was said before it."""
    ways = [abs(other - published_at) for other in others if other != published_at]
    told = [published_at - first] if first is not None and first < published_at else []
    return max(timedelta(0), min([LONGEST, now - published_at, *ways, *told]))


def read(
    voices: Sequence[Voice], published_at: datetime, others: Iterable[datetime], now: datetime
) -> Reading:
    """What the signals around one publication show at `now`."""
    first = min((voice.at for voice in voices), default=None)
    wide = width(published_at, others, first, now)
    before = tally(voices, published_at - wide, published_at)
    after = tally(voices, published_at, published_at + wide)
    within, shifted = rate_ratio(before.count, after.count), share_shift(before, after)
    enough = wide >= SHORTEST and before.count + after.count >= FEWEST
    volume = _effect(enough and before.count > 0, within, 1.0)
    mood = _effect(enough and min(before.count, after.count) > 0, shifted, 0.0)
    ratio = after.count / before.count if before.count else None
    shift = after.share - before.share
    said = _sentence(wide, before, after, volume, mood, ratio, within, shift, shifted)
    return Reading(before, after, volume, mood, ratio, within, shift, shifted, said)


def _effect(enough: bool, within: Interval, same: float) -> Effect:
    if not enough:
        return Effect.FEW
    if within.high < same:
        return Effect.LESS
    return Effect.MORE if within.low > same else Effect.NONE


def _sentence(
    wide: timedelta, before: Window, after: Window, volume: Effect, mood: Effect,
    ratio: float | None, within: Interval, shift: float, shifted: Interval,
) -> str:  # fmt: skip
    if wide < SHORTEST:
        return f"可比的时间只有前后各 {span(wide.total_seconds())}，不足 {span(SHORTEST.total_seconds())}，看不出效果。"
    seen = f"发布前 {span(wide.total_seconds())} {_counted(before)}；发布后同样长的时间 {_counted(after)}。"
    if not before.count:
        return f"{seen}发布前没有线索，无从相比，看不出效果。"
    if volume is Effect.FEW:
        return f"{seen}前后合计不足 {FEWEST} 条，看不出效果。"
    return seen + _volume(volume, ratio or 0.0, within) + _mood(mood, shift, shifted) + _verdict(volume, mood)


def _counted(window: Window) -> str:
    share = f"，其中负面 {window.negative} 条({window.share:.0%})" if window.count else ""
    return f"{window.count} 条{share}"


def _volume(volume: Effect, ratio: float, within: Interval) -> str:
    times = f"声量为之前的 {ratio:.2f} 倍(95% 区间 {within.low:.2f}–{within.high:.2f})"
    return times + ("，在偶然起伏之内；" if volume is Effect.NONE else f"，确有{volume.zh}；")


def _mood(mood: Effect, shift: float, within: Interval) -> str:
    if mood is Effect.FEW:
        return "有一边没有线索，负面占比无从相比。"
    points = f"负面占比{_points(shift)}(95% 区间 {within.low * 100:+.0f} 到 {within.high * 100:+.0f})"
    return points + ("，在偶然起伏之内。" if mood is Effect.NONE else f"，负面确有{mood.zh}。")


def _points(shift: float) -> str:
    return f"{'上升' if shift > 0 else '下降'} {abs(shift) * 100:.0f} 个百分点" if shift else "没有变"


def _verdict(volume: Effect, mood: Effect) -> str:
    found = {volume, mood}
    if Effect.MORE in found and Effect.LESS in found:
        return "一升一降，不能一概说有效或无效。"
    if Effect.MORE in found:
        return "发布以后没有缓和，请看新增的在说什么；先后发生不等于由它引起。"
    if Effect.LESS in found:
        return "发布以后有所缓和；夜间、自然降温也会如此，不能都算作发布的功劳。"
    return "看不出发布起了作用，也看不出没有。"


# ── the curve ─────────────────────────────────────────────────────────────────────────────────


def curve(voices: Sequence[Voice], marks: Sequence[tuple[datetime, str]], now: datetime) -> dict[str, Any]:
    """Bars over time and our own words among them, in percent of the width and of the height:
    {since, until, bin, most, bars [{x, w, h, bad, at, count, negative}], marks [{x, at, name}]}.

    `h` is the bar's height, `bad` that of its negative part. Empty without voices.
    """
    times = [voice.at for voice in voices] + [at for at, _ in marks]
    if not voices:
        return {"bars": [], "marks": []}
    since, last = min(times), min(max(times), now)
    step = next((b for b in BINS if (last - since) / b < MOST_BINS), BINS[-1])
    since = _floor(since, step)
    bins = int((last - since) / step) + 1
    counts, bad = Counter[int](), Counter[int]()
    for voice in voices:
        number = int((voice.at - since) / step)
        counts[number] += 1
        bad[number] += voice.negative
    most = max(counts.values())
    bars = [_bar(n, bins, counts[n], bad[n], most, since + n * step) for n in sorted(counts) if 0 <= n < bins]
    until = since + bins * step
    shown = [
        {"x": round((at - since) / (until - since) * 100, 2), "at": iso(at), "name": name}
        for at, name in marks
        if since <= at <= until
    ]
    return {
        "since": iso(since), "until": iso(until), "bin": span(step.total_seconds()), "most": most,
        "bars": bars, "marks": shown,
        "words": f"{clock_face(since)} 至 {clock_face(until)}，每格 {span(step.total_seconds())}，最高 {most} 条",
    }  # fmt: skip


def _floor(moment: datetime, step: timedelta) -> datetime:
    """The start of the bin, counted from the day's midnight."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def _bar(number: int, bins: int, count: int, bad: int, most: int, at: datetime) -> dict[str, Any]:
    return {
        "x": round(number / bins * 100, 3),
        "w": round(100 / bins, 3),
        "h": round(count / most * 100, 2),
        "bad": round(bad / most * 100, 2),
        "at": iso(at),
        "count": count,
        "negative": bad,
    }
