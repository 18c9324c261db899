"""Limits in working days, by 民法典 201–203 with 调休: arithmetic over a calendar that is given.

The day of the start does not count, counting begins with the next day, only working days count, and
the last one ends at 24:00 (203: so a period never ends on a day off, it rolls over to the next
working day). Which days are off is published each autumn for the next year alone; for a year that
has no calendar nothing is guessed (`NoCalendar`, law 6). Source: domain study 2.3, N-140 … N-146.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from models.core.moment import CST, local

DAY = timedelta(days=1)
SATURDAY = 5
MORNING = timedelta(hours=9)
OFFICE = timedelta(hours=8)
"""A share of a working day lies between 9:00 and 17:00 (a proposal): its reminders find people at work."""


@dataclass(frozen=True, slots=True, order=True)
class WorkingDays:
    """A length of `count` working days (at least 1)."""

    count: int

    @property
    def zh(self) -> str:
        return f"{self.count} 个工作日"


@dataclass(frozen=True, slots=True)
class YearDays:
    """What is published for one year: weekdays that are off, weekends that are worked."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()


Calendar = Mapping[int, YearDays]
"""year → its published days; a year that is not in it has no calendar."""


class NoCalendar(LookupError):
    """A working day is asked for in a year whose days off are not known. `year` names it."""

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(
            f"{year} 年没有工作日历，工作日时限算不出来；"
            f"请在站点的 holidays.yaml 里补上 {year} 年放假安排，或升级 chinesecalendar"
        )


def is_working(day: date, calendar: Calendar) -> bool:
    """Is `day` worked? Raises NoCalendar for a year that the calendar does not hold."""
    if day.year not in calendar:
        raise NoCalendar(day.year)
    known = calendar[day.year]
    return day in known.work or (day.weekday() < SATURDAY and day not in known.off)


def counted(started_at: datetime, calendar: Calendar) -> Iterator[date]:
    """The working days that count from `started_at` on: its own day does not (201)."""
    day = local(started_at).date()
    while True:
        day += DAY
        if is_working(day, calendar):
            yield day


def deadline(started_at: datetime, length: WorkingDays, calendar: Calendar) -> datetime:
    """The midnight that ends the last working day: 24:00 of it, 00:00 of the day after."""
    return _midnight(_nth(started_at, length.count, calendar) + DAY)


def share(started_at: datetime, length: WorkingDays, fraction: float, calendar: Calendar) -> datetime:
    """When `fraction` (0 < f ≤ 1) of the working days has passed; 1 is the deadline itself.

    2.5 of 5 days is the middle of the third one's office hours; a whole number of days is the morning of
    the next, so that no reminder falls on a night or on a day off.
    """
    if fraction >= 1:
        return deadline(started_at, length, calendar)
    whole, part = divmod(round(fraction * length.count, 6), 1)
    return _midnight(_nth(started_at, int(whole) + 1, calendar)) + MORNING + OFFICE * part


def days_off(started_at: datetime, due_at: datetime, calendar: Calendar) -> int:
    """How many days between start and deadline do not count, the first one left out."""
    first, last = local(started_at).date() + DAY, local(due_at).date()
    return sum(not is_working(first + DAY * n, calendar) for n in range((last - first).days))


def _nth(started_at: datetime, n: int, calendar: Calendar) -> date:
    days = counted(started_at, calendar)
    for _ in range(n - 1):
        next(days)
    return next(days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CST)
