"""Civil time of China: one zone, words for people, durations for authors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.moment import CST, clock_face, iso, local, parse_duration, parse_iso, parse_stated, span


def test_a_time_without_offset_is_beijing_time() -> None:
    assert parse_iso("2026-11-21 02:13") == datetime(2026, 11, 20, 18, 13, tzinfo=UTC)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        local(datetime(2026, 1, 1))  # noqa: DTZ001  (the very thing that is refused)


@pytest.mark.parametrize("text", ["昨晚9时", "2026-13-01", "", "5小时"])
def test_what_is_no_time_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11-21T02:13"):
        parse_iso(text)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_iso_and_back_is_the_same_moment(moment: datetime) -> None:
    exact = moment.replace(tzinfo=CST, microsecond=moment.microsecond // 1000 * 1000)
    assert parse_iso(iso(exact)) == exact


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT5H", timedelta(hours=5)), ("P2D", timedelta(days=2)), ("PT1H30M", timedelta(minutes=90))],
)
def test_durations_are_iso_8601(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["5小时", "5h", "PT", "P", "PT0H", "-PT5H", "PT5", "P1M"])
def test_other_durations_are_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|no time at all"):
        parse_duration(text)


def test_lengths_of_time_in_words() -> None:
    words = [span(s) for s in (33, 60, 2700, 7800, 93600, 259200)]
    assert words == ["33 秒", "1 分", "45 分", "2 小时 10 分", "1 天 2 小时", "3 天"]
    assert clock_face(datetime(2026, 11, 20, 18, 13, tzinfo=UTC)) == "11-21 02:13"


@pytest.mark.parametrize("text", ["1969-12-31", "0001-01-01T00:00", "2201-01-01", "9999-12-31T23:59:59"])
def test_a_time_that_is_stated_lies_within_the_years_of_our_work(text: str) -> None:
    with pytest.raises(ValueError, match="1970 至 2200 年之间"):
        parse_stated(text)
    assert parse_iso(text).year in (1969, 1, 2201, 9999)  # what is stored is read as it stands


def test_a_time_that_leaves_the_calendar_on_its_way_to_beijing_is_no_time() -> None:
    for text in ("0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"):
        with pytest.raises(ValueError, match="不是时间"):
            parse_iso(text)


def test_the_first_and_the_last_year_may_be_stated() -> None:
    assert [parse_stated(text).year for text in ("1970-01-01", "2200-12-31T23:59")] == [1970, 2200]
