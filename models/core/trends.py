"""How the answers went over weeks and months: shares, medians, by unit and by grade. Pure sums.

On time is what was met by its limit; a waiver by then is counted apart. 首次发布 5 小时: S-020; 回应 48 小时: S-023.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from models.core.moment import local
from models.core.vocabulary import ClockState, Grade

FIRST_STATEMENT = "first_statement"
RESPONSE = "general_response"
LIMITS_H = {FIRST_STATEMENT: 5, RESPONSE: 48}
"""Of the two waits that people ask after, in hours."""


class Stretch(StrEnum):
    """统计步长: by which stretch of time the figures are gathered."""

    WEEK = "week"
    MONTH = "month"

    @property
    def zh(self) -> str:
        return {"week": "按周", "month": "按月"}[self.value]


@dataclass(frozen=True, slots=True)
class Ended:
    """One clock whose limit has passed, or that was settled before: how it went, and how long it took."""

    rule_id: str
    unit: str
    grade: Grade
    state: ClockState
    due_at: datetime
    took_s: float | None = None
    signed: bool = False
    """Nothing but an acknowledgement stops it: the duty team's own affair."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """One incident: opened then, first acknowledged after so many seconds (None: not yet)."""

    unit: str
    grade: Grade
    opened_at: datetime
    after_s: float | None


@dataclass
class Sum:
    """What fell into one stretch, or upon one unit or grade."""

    key: str
    name: str
    clocks: list[Ended] = field(default_factory=list)
    incidents: list[Noticed] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """key, name, total, met, late, open_late, waived, on_time (0..1 or None), incidents, mtta_s,
        first_s, first_in, first_all, response_s, response_in, response_all (medians in seconds or None; how
        many were within the limit, of how many)."""
        states = [one.state for one in self.clocks if not one.signed]
        met, late = states.count(ClockState.MET), states.count(ClockState.MET_LATE)
        missed, waived = states.count(ClockState.BREACHED), states.count(ClockState.WAIVED)
        judged = met + late + missed
        return {
            "key": self.key,
            "name": self.name,
            "total": judged + waived,
            "met": met,
            "late": late,
            "open_late": missed,
            "waived": waived,
            "on_time": round(met / judged, 4) if judged else None,
            "incidents": len(self.incidents),
            "mtta_s": _median(one.after_s for one in self.incidents),
            **_waited("first", FIRST_STATEMENT, self.clocks),
            **_waited("response", RESPONSE, self.clocks),
        }


def _waited(name: str, rule_id: str, clocks: Iterable[Ended]) -> dict[str, Any]:
    took = [one.took_s for one in clocks if one.rule_id == rule_id and one.took_s is not None]
    within = [seconds for seconds in took if seconds <= LIMITS_H[rule_id] * 3600]
    return {f"{name}_s": _median(took), f"{name}_in": len(within), f"{name}_all": len(took)}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 1) if known else None


def by_time(
    clocks: Sequence[Ended],
    incidents: Sequence[Noticed],
    since: datetime,
    until: datetime,
    stretch: Stretch,
) -> list[Sum]:
    """Every stretch from `since` to `until`, the empty ones too: clocks by their limit, incidents by opening."""
    made = {key: Sum(key, name) for key, name in _stretches(since, until, stretch)}
    for clock in clocks:
        made[_key(clock.due_at, stretch)].clocks.append(clock)
    for one in incidents:
        made[_key(one.opened_at, stretch)].incidents.append(one)
    return list(made.values())


def grouped(
    clocks: Iterable[Ended], incidents: Iterable[Noticed], key: Callable[[Ended | Noticed], tuple[str, str]]
) -> list[Sum]:
    """By whatever `key` names them, (key, name), in the order of the keys."""
    made: dict[str, Sum] = {}
    for clock in clocks:
        made.setdefault(key(clock)[0], Sum(*key(clock))).clocks.append(clock)
    for one in incidents:
        made.setdefault(key(one)[0], Sum(*key(one))).incidents.append(one)
    return [made[name] for name in sorted(made)]


def _key(moment: datetime, stretch: Stretch) -> str:
    return _begin(local(moment).date(), stretch).isoformat()


def _begin(day: date, stretch: Stretch) -> date:
    return day.replace(day=1) if stretch is Stretch.MONTH else day - timedelta(days=day.weekday())


def _stretches(since: datetime, until: datetime, stretch: Stretch) -> Iterable[tuple[str, str]]:
    day, last = _begin(local(since).date(), stretch), local(until - timedelta(microseconds=1)).date()
    while day <= last:
        yield day.isoformat(), _named(day, stretch)
        day = _begin(day + timedelta(days=32 if stretch is Stretch.MONTH else 7), stretch)


def _named(day: date, stretch: Stretch) -> str:
    """2026-11 of a month; the Monday of a week, 11-16 周."""
    return f"{day:%Y-%m}" if stretch is Stretch.MONTH else f"{day:%m-%d} 周"
