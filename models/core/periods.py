"""The stretch of time that a report is about: a day, a week, a month, a quarter, a half year, a year, or any.

Pure; civil time of China, from midnight to midnight, the end not included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from models.core.moment import CST, local, parse_stated

FORMS = "2026（年）、2026-H1（上半年）、2026-Q3（季度）、2026-11（月）、2026-W47（周）、2026-11-21（日）"


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`; `name` in words, `key` as it is written."""

    key: str
    name: str
    since: datetime
    until: datetime

    @property
    def before(self) -> Period:
        """The one before it: of a quarter the last quarter, of other stretches as many days earlier."""
        if _QUARTER.fullmatch(self.key):
            return _quarter_of(self.since - timedelta(days=1))
        length = self.until - self.since
        return _between(self.since - length, self.since)


_YEAR = re.compile(r"(\d{4})")
_HALF = re.compile(r"(\d{4})-?H([12])", re.IGNORECASE)
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def read(text: str) -> Period:
    """`2026-Q3` → July to September of 2026. Raises ValueError that names all forms."""
    for form, made in _FORMS:
        found = form.fullmatch(text.strip())
        if found:
            try:
                return made(*map(int, found.groups()))
            except ValueError:
                break
    raise ValueError(f"“{text[:40]}” 不是期间；可写 {FORMS}")


def between(since: str, until: str, now: datetime) -> Period:
    """From and to as people write them: days or times; without an end until `now`; a last day counts whole.

    Raises ValueError for what is no time, and for an end that is not after the start.
    """
    first = _moment(since, last=False)
    last = _moment(until, last=True) if until else now
    if last <= first:
        raise ValueError(f"止 {until or '此刻'} 不晚于起 {since}；请把 --from 写得早些")
    return _between(first, last)


def year_to(now: datetime) -> Period:
    """The year of `now`, whole."""
    return _year(local(now).year)


def quarter_of(now: datetime) -> Period:
    """The quarter that `now` lies in."""
    return _quarter_of(now)


def day_of(now: datetime) -> Period:
    """The day of `now`."""
    at = local(now)
    return _day(at.year, at.month, at.day)


def month_of(now: datetime) -> Period:
    """The month that `now` lies in."""
    at = local(now)
    return _month(at.year, at.month)


def week_of(now: datetime) -> Period:
    """The week of `now`, from Monday."""
    year, week, _ = local(now).isocalendar()
    return _week(year, week)


def months(period: Period) -> list[Period]:
    """The months that a period touches, in order."""
    found, at = [], local(period.since).replace(day=1)
    while at < period.until:
        found.append(_month(at.year, at.month))
        at = found[-1].until
    return found


def _moment(text: str, last: bool) -> datetime:
    if _DAY.fullmatch(text.strip()):
        return parse_stated(text) + timedelta(days=int(last))
    try:
        return parse_stated(text)
    except ValueError:
        raise ValueError(f"“{text[:40]}” 不是日期；写成 2026-11-21 或 2026-11-21T08:00") from None


def _between(since: datetime, until: datetime) -> Period:
    first, last = local(since), local(until)
    whole = first.time() == last.time() == time()
    form = "%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M"
    shown = last - timedelta(days=1) if whole else last
    key = f"{first.strftime(form)}_{shown.strftime(form)}"
    return Period(key, f"{_said(first, whole)}至{_said(shown, whole)}", since, until)


def _said(at: datetime, whole: bool) -> str:
    day = f"{at.year}年{at.month}月{at.day}日"
    return day if whole else f"{day}{at.hour}时{at.minute:02d}分"


def _at(year: int, month: int, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=CST)


def _after(year: int, month: int, more: int) -> datetime:
    """The first day of the month `more` months later."""
    whole = year * 12 + month - 1 + more
    return _at(whole // 12, whole % 12 + 1)


def _year(year: int) -> Period:
    return Period(f"{year}", f"{year}年", _at(year, 1), _at(year + 1, 1))


def _half(year: int, half: int) -> Period:
    first = 6 * half - 5
    name = f"{year}年{'上下'[half - 1]}半年"
    return Period(f"{year}-H{half}", name, _at(year, first), _after(year, first, 6))


def _quarter(year: int, quarter: int) -> Period:
    first = 3 * quarter - 2
    name = f"{year}年第{'一二三四'[quarter - 1]}季度"
    return Period(f"{year}-Q{quarter}", name, _at(year, first), _after(year, first, 3))


def _quarter_of(moment: datetime) -> Period:
    at = local(moment)
    return _quarter(at.year, (at.month + 2) // 3)


def _month(year: int, month: int) -> Period:
    return Period(f"{year}-{month:02d}", f"{year}年{month}月", _at(year, month), _after(year, month, 1))


def _week(year: int, week: int) -> Period:
    monday = datetime.combine(date.fromisocalendar(year, week, 1), time(), CST)
    return Period(f"{year}-W{week:02d}", f"{year}年第{week}周", monday, monday + timedelta(days=7))


def _day(year: int, month: int, day: int) -> Period:
    at = _at(year, month, day)
    return Period(f"{at:%Y-%m-%d}", f"{year}年{month}月{day}日", at, at + timedelta(days=1))


_FORMS: tuple[tuple[re.Pattern[str], Callable[..., Period]], ...] = (
    (_YEAR, _year),
    (_HALF, _half),
    (_QUARTER, _quarter),
    (_WEEK, _week),
    (_DAY, _day),
    (_MONTH, _month),
)
