"""Past events against a limit, where the times are only known as intervals.

A published source often says "that evening": the moment lies between two bounds, or is unknown on one
side. What the bounds cannot decide is not decided here either (domain study 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What the sources allow to say."""

    MET = "met"  # 按时
    MISSED = "missed"  # 超时
    UNCLEAR = "unclear"  # 无法判定: the bounds straddle the limit
    UNKNOWN = "unknown"  # 不详: no time is known at all

    @property
    def zh(self) -> str:
        return {"met": "按时", "missed": "超时", "unclear": "无法判定", "unknown": "不详"}[self.value]


@dataclass(frozen=True, slots=True)
class Window:
    """A moment as far as it is known; an open side is None."""

    earliest: datetime | None
    latest: datetime | None

    @property
    def known(self) -> bool:
        return self.earliest is not None or self.latest is not None


@dataclass(frozen=True, slots=True)
class Took:
    """How long an answer took, in hours; an open side is None. Never less than nothing."""

    least: float | None
    most: float | None


HOUR = timedelta(hours=1)


def took(start: Window, answer: Window) -> Took:
    """From the latest possible start to the earliest possible answer, and the other way round.

    An answer known only by an upper bound may have come at once: its least is 0.
    """
    if not answer.known:
        return Took(None, None)
    least = _hours(start.latest or start.earliest, answer.earliest)
    most = _hours(start.earliest or start.latest, answer.latest)
    return Took(max(0.0, least) if least is not None else 0.0, most)


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start) / HOUR


def verdict(length: Took, limit: timedelta) -> Verdict:
    """At the limit itself is in time."""
    hours = limit / HOUR
    if length.least is None and length.most is None:
        return Verdict.UNKNOWN
    if length.least is not None and length.least > hours:
        return Verdict.MISSED
    if length.most is not None and length.most <= hours:
        return Verdict.MET
    return Verdict.UNCLEAR
