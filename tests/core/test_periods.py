"""The stretch that a report is about, as people write it."""

from __future__ import annotations

from datetime import datetime

import pytest

from models.core import periods
from models.core.moment import CST


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CST)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "since", "until", "name"),
    [
        ("2026", at(2026, 1, 1), at(2027, 1, 1), "2026年"),
        ("2026-H2", at(2026, 7, 1), at(2027, 1, 1), "2026年下半年"),
        ("2026-Q4", at(2026, 10, 1), at(2027, 1, 1), "2026年第四季度"),
        ("2026q1", at(2026, 1, 1), at(2026, 4, 1), "2026年第一季度"),
        ("2026-12", at(2026, 12, 1), at(2027, 1, 1), "2026年12月"),
        ("2026-W53", at(2026, 12, 28), at(2027, 1, 4), "2026年第53周"),
        ("2026-02-28", at(2026, 2, 28), at(2026, 3, 1), "2026年2月28日"),
    ],
)
def test_a_period_runs_from_midnight_to_midnight(
    text: str, since: datetime, until: datetime, name: str
) -> None:
    found = periods.read(text)
    assert (found.since, found.until, found.name) == (since, until, name)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-Q5", "2027-W53", "2026-02-30", "去年", "", "0000", "2026-3"]
)
def test_what_is_no_period_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="不是期间；可写 2026（年）"):
        periods.read(text)


def test_the_period_before_a_quarter_is_the_last_quarter() -> None:
    assert periods.read("2026-Q1").before.key == "2025-Q4"


def test_the_period_before_any_other_stretch_is_as_long() -> None:
    before = periods.read("2026-W10").before
    assert (before.since, before.until) == (periods.read("2026-W09").since, periods.read("2026-W09").until)


def test_the_last_day_of_a_stretch_counts_whole() -> None:
    found = periods.between("2026-11-01", "2026-11-07", at(2026, 12, 1))
    assert (found.since, found.until) == (at(2026, 11, 1), at(2026, 11, 8))
    assert found.name == "2026年11月1日至2026年11月7日"


def test_a_stretch_without_an_end_ends_now() -> None:
    assert periods.between("2026-11-01", "", at(2026, 11, 2, 8, 30)).until == at(2026, 11, 2, 8, 30)


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="止 2026-10-01 不晚于起 2026-11-01"):
        periods.between("2026-11-01", "2026-10-01", at(2026, 12, 1))


def test_what_is_no_day_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="“明天” 不是日期"):
        periods.between("明天", "", at(2026, 12, 1))


def test_the_months_of_a_half_year_are_six() -> None:
    assert [month.key for month in periods.months(periods.read("2026-H1"))] == [
        f"2026-{month:02d}" for month in range(1, 7)
    ]
