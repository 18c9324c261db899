"""The working-day calendar: what chinesecalendar knows, with the site's holidays.yaml over it.

The one home of chinesecalendar. A year that stands in the file replaces the package's year whole, so
that the file can be typed off the State Council's notice and checked against it line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from models.core.workdays import SATURDAY, Calendar, YearDays
from playbooks.checked import checked
from playbooks.fields import Items, Name, Strict, refuse
from playbooks.loader import Document, KeyPath, load
from playbooks.problem import Problem

FILE = "holidays.yaml"
NOTICE_MONTH = 11
"""The State Council publishes next year's days off in this month, or in the one before it."""
LONGEST = 31
Days = tuple[date, ...]


def _days(value: Any) -> Any:
    """2027-10-01, or 2027-10-01/2027-10-07 → the days of it, both ends among them."""
    if isinstance(value, tuple):
        return value
    first, slash, last = str(value).partition("/")
    start, end = _day(first, value), _day(last if slash else first, value)
    if not timedelta(0) <= end - start < timedelta(days=LONGEST):
        raise refuse(f"“{value}” 不是一段日子", f"从早到晚写，最长 {LONGEST} 天，例如 2027-10-01/2027-10-07")
    return tuple(start + timedelta(days=n) for n in range((end - start).days + 1))


def _day(text: str, whole: Any) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise refuse(
            f"“{str(whole)[:40]}” 不是日期", "写成 2027-10-01，一段写成 2027-10-01/2027-10-07"
        ) from None


_SCHEMA = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$",
    "examples": ["2027-01-01", "2027-10-01/2027-10-07"],
}
DaysOf = Annotated[Days, BeforeValidator(_days), WithJsonSchema(_SCHEMA)]


def _year(value: str) -> str:
    if re.fullmatch(r"20\d\d", value) is None:
        raise refuse(f"“{value[:40]}” 不是年份", "写成四位数，例如 2027")
    return value


Year = Annotated[str, AfterValidator(_year), Field(json_schema_extra={"pattern": r"^20\d\d$"})]


class YearSource(Strict):
    """一年的放假调休安排，照国务院办公厅通知填写。"""

    source: Name
    """依据：通知的文号或网址"""
    off: Items[DaysOf]
    """放假的日子，一天或一段；周末本来就休息，写不写都可以"""
    work: Items[DaysOf] = ()
    """调休上班的周末"""


class HolidaysSource(Strict):
    """工作日历 holidays.yaml：补上内置日历没有的年份，或改正某一年。"""

    years: dict[Year, YearSource] = Field(default_factory=dict)
    """年份 → 这一年的安排；写了的年份整年以此为准"""


@cache
def published() -> Calendar:
    """The years that chinesecalendar holds whole: those whose National Day it knows."""
    from chinese_calendar.constants import holidays, workdays

    years = {day.year for day in holidays if (day.month, day.day) == (10, 1)}
    return {year: YearDays(_of(year, holidays), _of(year, workdays)) for year in sorted(years)}


def day_names(first: date, last: date, calendar: Calendar) -> dict[date, str]:
    """What each special day from `first` to `last` is called: 国庆节, 休, 调休上班; plain days are left out."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return {day: name for day in days if (name := _name(day, calendar))}


def _name(day: date, calendar: Calendar) -> str:
    from chinese_calendar.constants import Holiday, holidays

    known = calendar.get(day.year, YearDays())
    if day in known.work:
        return "调休上班"
    if day not in known.off:
        return "休" if day.weekday() >= SATURDAY else ""
    return next((each.chinese for each in Holiday if each.value == holidays.get(day)), "放假")


def _of(year: int, days: Iterable[date]) -> frozenset[date]:
    return frozenset(day for day in days if day.year == year)


def over(source: HolidaysSource) -> Calendar:
    """The published calendar with the site's years in place of its own."""
    own = {int(year): YearDays(_all(days.off), _all(days.work)) for year, days in source.years.items()}
    return {**published(), **own}


def _all(spans: Iterable[Days]) -> frozenset[date]:
    return frozenset(day for span in spans for day in span)


def calendar_of(directory: Path) -> Calendar:
    """The calendar of a site. Raises Problems when its file is wrong."""
    path = directory / FILE
    return over(checked(HolidaysSource, load(path))) if path.exists() else published()


def stamp(directory: Path) -> int:
    """Changes whenever the site's file does; 0 while there is none."""
    path = directory / FILE
    return path.stat().st_mtime_ns if path.exists() else 0


def odd(document: Document, source: HolidaysSource) -> Iterator[Problem]:
    """What no notice would say: a day off and worked at once, of another year, a Tuesday made a workday."""
    for year, days in source.years.items():
        yield from _misplaced(document, year, days)
        both = _all(days.off) & _all(days.work)
        for path, day in _each(year, "work", days.work):
            if day in both:
                yield document.problem(path, f"{day} 同时写在 off 和 work 里", "留一处")
            elif day.weekday() < SATURDAY:
                yield document.problem(path, f"{day} 是{_weekday(day)}，本来就上班", "work 里只写周末")
        yield from _more_than_published(document, year, days)


def _misplaced(document: Document, year: str, days: YearSource) -> Iterator[Problem]:
    for path, day in [*_each(year, "off", days.off), *_each(year, "work", days.work)]:
        if day.year != int(year):
            yield document.problem(path, f"{day} 不在 {year} 年", f"移到 {day.year} 年下面")


def _more_than_published(document: Document, year: str, days: YearSource) -> Iterator[Problem]:
    """Days off beyond the national notice put statutory limits back: worth a second look."""
    known = published().get(int(year))
    if known is None:
        return
    worked = _all(days.work)
    for path, day in _each(year, "off", days.off):
        rests = day in known.off or (day.weekday() >= SATURDAY and day not in known.work)
        if not rests and day not in worked:
            message = f"{day} 在内置日历里是工作日，工作日时限会因此推后"
            yield document.problem(path, message, "确有依据才保留", warning=True)


def _each(year: str, key: str, spans: Iterable[Days]) -> Iterator[tuple[KeyPath, date]]:
    for n, span in enumerate(spans):
        for day in span:
            yield ("years", year, key, n), day


def _weekday(day: date) -> str:
    return f"周{'一二三四五六日'[day.weekday()]}"


def lacking(calendar: Calendar, today: date) -> tuple[int, ...]:
    """The years that must be there and are not: this one, and from November on the next."""
    wanted = (today.year, today.year + 1) if today.month >= NOTICE_MONTH else (today.year,)
    return tuple(year for year in wanted if year not in calendar)


def running_out(document: Document, calendar: Calendar, today: date) -> Iterator[Problem]:
    """A warning for each year that is missing."""
    for year in lacking(calendar, today):
        yield document.problem(
            (), f"{year} 年没有工作日历，工作日时限会被拒绝", what_to_do(year), warning=True
        )


def what_to_do(year: int) -> str:
    """The way out for a year that is missing."""
    return f"国务院办公厅公布后写进站点的 {FILE}，或升级 chinesecalendar，补上 {year} 年"
