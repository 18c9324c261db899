"""Working days by hand, on the calendars that were published for 2024, 2025 and 2026 (study 2.3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.clock import ClockRule, StepRule, least, plan, said, surely_within
from models.core.moment import CST, deadline_face
from models.core.vocabulary import EvidenceKind, StartEvent
from models.core.workdays import (
    NoCalendar,
    WorkingDays,
    YearDays,
    days_off,
    deadline,
    is_working,
    share,
)
from playbooks.holidays import published

HOUR = timedelta(hours=1)
CALENDAR = published()
STEPS = tuple(StepRule(rung, fraction=f) for f, rung in ((0.5, 1), (0.75, 2), (0.9, 3), (1.0, 4)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CST)


def rule(days: int, *more: StepRule) -> ClockRule:
    return ClockRule(
        id="reply",
        name="答复",
        amount=WorkingDays(days),
        start=StartEvent.RECEIPT,
        evidence=frozenset({EvidenceKind.REPLY_RECEIPT}),
        steps=(*STEPS, *more),
    )


@pytest.mark.parametrize(
    ("start", "days", "last_day"),
    [
        ("2026-11-20T15:00", 5, "2026-11-27"),  # a Friday: Saturday and Sunday do not count
        ("2026-11-20T00:00", 5, "2026-11-27"),  # whatever the hour, the day itself does not count
        ("2026-11-20T23:59", 5, "2026-11-27"),
        ("2026-11-21T09:00", 1, "2026-11-23"),  # received on a Saturday
        ("2026-11-23T09:00", 1, "2026-11-24"),
        ("2026-02-13T10:00", 1, "2026-02-14"),  # Saturday 14 February was worked before Spring Festival
        ("2026-02-13T10:00", 2, "2026-02-24"),  # then nine days off, 15 to 23
        ("2026-02-14T10:00", 5, "2026-02-28"),  # and Saturday 28 February is worked again
        ("2026-02-20T10:00", 1, "2026-02-24"),  # received within the festival
        ("2025-12-31T16:00", 1, "2026-01-04"),  # over the year: 1 to 3 off, Sunday the 4th is worked
        ("2025-12-30T16:00", 2, "2026-01-04"),
        ("2024-02-28T12:00", 1, "2024-02-29"),  # a leap day is a day
        ("2024-02-29T12:00", 1, "2024-03-01"),
        ("2024-02-08T12:00", 1, "2024-02-09"),  # 除夕 2024 was an ordinary working day, and from 2025 is off
        ("2025-01-27T12:00", 1, "2025-02-05"),
        ("2026-09-30T12:00", 2, "2026-10-09"),  # 1 to 7 October off
        ("2026-09-30T12:00", 3, "2026-10-10"),  # and Saturday the 10th is worked
        ("2026-11-20T15:00", 20, "2026-12-18"),
    ],
)
def test_the_last_day_is_the_one_that_a_person_would_count(start: str, days: int, last_day: str) -> None:
    due = deadline(at(start), WorkingDays(days), CALENDAR)
    assert due == at(f"{last_day}T00:00") + timedelta(days=1)
    assert deadline_face(due) == f"{last_day[5:]} 24:00"


def test_a_day_that_ends_is_said_as_twenty_four_oclock_and_any_other_time_as_it_is() -> None:
    assert deadline_face(at("2026-11-28T00:00")) == "11-27 24:00"
    assert deadline_face(at("2027-01-01T00:00")) == "12-31 24:00"
    assert deadline_face(at("2026-11-28T00:01")) == "11-28 00:01"


def test_a_year_without_a_calendar_is_refused_with_the_way_out() -> None:
    with pytest.raises(NoCalendar, match=r"2027 年没有工作日历.*holidays\.yaml.*chinesecalendar") as caught:
        deadline(at("2026-12-28T10:00"), WorkingDays(4), {2026: YearDays()})
    assert caught.value.year == 2027
    assert deadline(at("2026-12-28T10:00"), WorkingDays(3), {2026: YearDays()}) == at("2027-01-01T00:00")


def test_the_official_days_of_2026_are_known() -> None:
    worked = [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20)]
    assert all(is_working(day, CALENDAR) and day.weekday() >= 5 for day in worked)
    rests = [date(2026, 2, 16), date(2026, 4, 6), date(2026, 5, 5), date(2026, 6, 19), date(2026, 10, 7)]
    assert not any(is_working(day, CALENDAR) for day in rests)
    assert 2027 not in CALENDAR


def test_a_share_of_working_days_falls_into_office_hours_and_on_no_day_off() -> None:
    start = at("2026-11-20T15:00")
    assert share(start, WorkingDays(5), 0.5, CALENDAR) == at("2026-11-25T13:00")  # the third day's middle
    assert share(start, WorkingDays(5), 0.75, CALENDAR) == at("2026-11-26T15:00")
    assert share(start, WorkingDays(20), 0.5, CALENDAR) == at("2026-12-07T09:00")  # the eleventh's morning
    assert share(start, WorkingDays(5), 1, CALENDAR) == deadline(start, WorkingDays(5), CALENDAR)


def test_a_plan_in_working_days_says_what_did_not_count() -> None:
    made = plan(rule(5), {StartEvent.RECEIPT: at("2026-11-20T15:00")}, CALENDAR)
    assert made is not None
    assert made.started_at == at("2026-11-20T15:00")
    assert made.reason == "自接报 11-20 15:00 起 5 个工作日(当日不计，其间休 2 天，至 11-27 24:00)"
    festival = plan(rule(5), {StartEvent.RECEIPT: at("2026-02-13T10:00")}, CALENDAR)
    assert festival is not None
    assert "其间休 9 天，至 02-27 24:00" in festival.reason


def test_hours_before_the_end_count_back_from_midnight() -> None:
    made = plan(rule(1, StepRule(3, before=HOUR)), {StartEvent.RECEIPT: at("2026-11-20T15:00")}, CALENDAR)
    assert made is not None
    assert [(step.key, step.due_at) for step in made.steps] == [
        ("50%", at("2026-11-23T13:00")),
        ("75%", at("2026-11-23T15:00")),
        ("90%", at("2026-11-23T16:12")),
        ("-1h", at("2026-11-23T23:00")),
        ("100%", at("2026-11-24T00:00")),
    ]


@pytest.mark.parametrize(
    ("now", "law", "fits"),
    [
        (5 * HOUR, 5 * HOUR, True),
        (6 * HOUR, 5 * HOUR, False),
        (WorkingDays(5), WorkingDays(5), True),
        (WorkingDays(6), WorkingDays(5), False),
        (120 * HOUR, WorkingDays(5), True),  # five days of hours never end after five working days
        (121 * HOUR, WorkingDays(5), False),
        (WorkingDays(1), 48 * HOUR, False),  # a festival may make it nine days
    ],
)
def test_what_is_surely_no_longer_than_what_the_law_gives(
    now: timedelta | WorkingDays, law: timedelta | WorkingDays, fits: bool
) -> None:
    assert surely_within(now, law) is fits


def test_an_amount_is_said_in_its_own_unit() -> None:
    assert (said(20 * HOUR), said(WorkingDays(20))) == ("20 小时", "20 个工作日")


MINUTES = 1000 * 24 * 60
MOMENTS = st.integers(0, MINUTES).map(lambda minutes: at("2024-01-01T00:00") + timedelta(minutes=minutes))


@given(MOMENTS, st.integers(1, 40), st.sampled_from((0.1, 0.25, 0.5, 0.75, 0.9)))
def test_whatever_the_start_counting_holds_together(start: datetime, days: int, fraction: float) -> None:
    length = WorkingDays(days)
    due = deadline(start, length, CALENDAR)
    assert due - start > least(length)
    assert is_working((due - HOUR).date(), CALENDAR)
    step = share(start, length, fraction, CALENDAR)
    assert start < step < due
    assert is_working(step.date(), CALENDAR)
    assert 9 <= step.hour < 17
    assert (due.date() - start.date()).days - 1 - days_off(start, due, CALENDAR) == days
    assert deadline(start + HOUR, length, CALENDAR) >= due
