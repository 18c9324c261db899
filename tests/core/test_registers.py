"""What a year asks for: periods, numbers, reminders; and an application's 20 working days, by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from models.core.casework import Register
from models.core.moment import CST
from models.core.registers import (
    Counted,
    Counter,
    Course,
    Standing,
    details_of,
    due_of,
    extendable,
    occasion,
    period_of,
    reply_due,
    standings,
)
from models.core.workdays import NoCalendar, YearDays

NATIONAL = frozenset(date(2026, 10, day) for day in range(1, 8))
CALENDAR = {2026: YearDays(NATIONAL, frozenset({date(2026, 9, 20), date(2026, 10, 10)}))}
BEGAN = datetime(2026, 1, 1, tzinfo=CST)
TRAINING = Counter("half_year_training", "培训", "half_year", register=Register.TRAINING)
TWICE = Counter("interprets", "解读", "year", at_least=2, register=Register.INTERPRETATION)
REPORT = Counter("report", "年度报告", "year", until="03-31")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CST)


def one(counter: Counter, now: str, *entries: Counted, began: datetime = BEGAN) -> Standing:
    (found,) = standings(counter, entries, at(now), began)
    return found


@pytest.mark.parametrize(
    ("every", "moment", "name", "until"),
    [
        ("month", "2026-02-28T12:00", "2026-02", "2026-03-01"),
        ("quarter", "2026-12-31T23:59", "2026-Q4", "2027-01-01"),
        ("half_year", "2026-06-30T23:59", "2026-H1", "2026-07-01"),
        ("half_year", "2026-07-01T00:00", "2026-H2", "2027-01-01"),
        ("year", "2026-01-01T00:00", "2026", "2027-01-01"),
    ],
)
def test_a_period_is_named_and_ends_where_the_next_begins(
    every: str, moment: str, name: str, until: str
) -> None:
    found = period_of(every, at(moment))
    assert (found.name, found.until, found.due_at) == (name, at(until), at(until))


def test_a_day_of_the_year_is_meant_whole() -> None:
    assert period_of("year", at("2026-02-01"), "03-31").due_at == at("2026-04-01")
    assert period_of("year", at("2026-02-01"), "02-29").due_at == at("2026-03-01")
    assert period_of("year", at("2028-02-01"), "02-29").due_at == at("2028-03-01")


def test_entries_of_the_register_count_and_those_of_another_do_not() -> None:
    mine, other = (Counted(at("2026-05-01"), kind) for kind in (Register.INTERPRETATION, Register.TRAINING))
    found = one(TWICE, "2026-06-01", mine, other)
    assert (found.done, found.missing, found.late) == (1, 1, False)


def test_an_entry_that_names_a_counter_counts_for_it_alone() -> None:
    named = Counted(at("2026-05-01"), Register.TRAINING, counter="yearly_training")
    assert one(TRAINING, "2026-06-01", named).done == 0


def test_what_was_missed_is_late_until_it_is_made_up_for() -> None:
    short, running = standings(TRAINING, [], at("2026-07-02"), BEGAN)
    assert (short.period.name, short.late, running.late) == ("2026-H1", True, False)
    made_up = Counted(at("2026-07-02"), Register.TRAINING, period="2026-H1")
    assert one(TRAINING, "2026-07-03", made_up).period.name == "2026-H2"


def test_a_day_that_passed_before_the_site_began_is_not_held_against_it() -> None:
    assert one(REPORT, "2026-05-01", began=at("2026-04-15")).late is False
    assert one(REPORT, "2026-05-01", began=at("2026-03-15")).late is True
    assert one(TRAINING, "2026-07-02", began=at("2026-07-01")).period.name == "2026-H2"


def test_two_years_count_from_the_last() -> None:
    counter = Counter("review", "清理", "two_years", register=Register.OTHER)
    last = Counted(at("2024-02-29T10:00"), Register.OTHER)
    found = one(counter, "2026-02-28T23:00", last)
    assert (found.period.due_at, found.late, found.missing) == (at("2026-03-01"), False, 0)
    assert one(counter, "2026-03-01T00:00", last).late
    assert one(counter, "2026-06-01").period.due_at == at("2027-01-01")


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ("2026-11-30T10:00", None),  # more than 30 days are left
        ("2026-12-02T10:00", "soon 2026-W49"),
        ("2026-12-02T20:00", None),  # not in the evening
    ],
)
def test_it_is_reminded_of_weekly_in_the_last_month_and_in_office_hours(now: str, name: str | None) -> None:
    assert occasion(one(TWICE, now), at(now)) == name


def test_it_is_reminded_of_daily_when_it_is_late() -> None:
    late = one(REPORT, "2026-05-01T10:00")
    assert occasion(late, at("2026-05-01T10:00")) == "late 2026-05-01"
    assert occasion(late, at("2026-05-02T10:00")) == "late 2026-05-02"


# ── applications ──


def test_an_application_is_answered_within_20_working_days() -> None:
    """Received on Friday 2026-09-18: the 20th is worked (调休), 1–7 October are off, 10 October is worked."""
    assert reply_due(Course(at("2026-09-18T10:00")), CALENDAR) == at("2026-10-22")


def test_the_days_of_asking_a_third_party_do_not_count() -> None:
    """Asked on 2 November, answered on 9 November: the 3rd to the 9th (5 working days) do not count."""
    plain = reply_due(Course(at("2026-10-26T10:00")), CALENDAR)
    spell = ((at("2026-11-02T09:00"), at("2026-11-09T17:00")),)
    asked = reply_due(Course(at("2026-10-26T10:00"), consulted=spell), CALENDAR)
    assert (plain, asked) == (at("2026-11-24"), at("2026-12-01"))


def test_an_open_question_ends_with_its_own_15_working_days() -> None:
    open_ = ((at("2026-11-02T09:00"), None),)
    waited = reply_due(Course(at("2026-10-26T10:00"), consulted=open_), CALENDAR)
    to_the_last = ((at("2026-11-02T09:00"), at("2026-11-23T12:00")),)  # the 15th working day
    assert waited == reply_due(Course(at("2026-10-26T10:00"), consulted=to_the_last), CALENDAR)


def test_a_third_party_that_answers_late_stops_the_days_no_longer_than_its_limit() -> None:
    late, in_time = at("2026-12-20T12:00"), at("2026-11-23T12:00")
    until = [
        reply_due(Course(at("2026-10-26T10:00"), consulted=((at("2026-11-02T09:00"), answered),)), CALENDAR)
        for answered in (in_time, late)
    ]
    assert until[0] == until[1]


def test_it_is_prolonged_once_and_before_it_is_over() -> None:
    course = Course(at("2026-10-12T10:00"))
    assert extendable(course, at("2026-11-09T23:59"), CALENDAR) == ""
    assert "期限已过" in extendable(course, at("2026-11-10T00:00"), CALENDAR)
    longer = Course(at("2026-10-12T10:00"), extended=at("2026-11-01T10:00"))
    assert reply_due(longer, CALENDAR) == at("2026-12-08")
    assert "只许一次" in extendable(longer, at("2026-11-02T10:00"), CALENDAR)


def test_a_mended_application_counts_anew() -> None:
    mended = Course(at("2026-10-12T10:00"), supplemented=at("2026-10-20T09:00"))
    assert reply_due(mended, CALENDAR) == at("2026-11-18")


def test_no_calendar_no_limit() -> None:
    with pytest.raises(NoCalendar, match="2027 年没有工作日历"):
        reply_due(Course(at("2026-12-20T10:00")), CALENDAR)


def test_an_error_on_a_website_is_answered_in_three_working_days() -> None:
    assert due_of(Register.SITE_ERROR, at("2026-11-19T10:00"), CALENDAR) == at("2026-11-25")
    assert due_of(Register.TRAINING, at("2026-11-19T10:00"), CALENDAR) is None


# ── what an entry must say ──


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Register.ACCOUNT, {"platform": "微博"}, "缺少账号名称"),
        (Register.FINDING, {"defect": "slow"}, "没有问题种类 “slow”"),
        (Register.COMPLAINT, {"points": "-1"}, "分值 “-1” 不对"),
        (Register.COMPLAINT, {"points": "两分"}, "分值 “两分” 不对"),
        (Register.TRAINING, {"filing_no": "1"}, "没有备案号这一项"),
        (Register.ACCOUNTABILITY, {"trigger": "x"}, "没有问责情形 “x”"),
    ],
)
def test_what_is_lacking_or_odd_is_refused_in_words(
    kind: Register, given: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        details_of(kind, given)


def test_points_become_a_number_and_empty_fields_are_left_out() -> None:
    assert details_of(Register.BONUS, {"points": "1.5", "counter": ""}) == {"points": 1.5}


def test_a_period_is_a_week_near_when_it_is_a_month() -> None:
    monthly = Counter("water", "水质", "month")
    near = at("2026-11-30T10:00")
    assert occasion(one(monthly, "2026-11-30T10:00", began=near - timedelta(days=3)), near) == "soon 2026-W49"
    early = at("2026-11-10T10:00")
    assert occasion(one(monthly, "2026-11-10T10:00", began=early - timedelta(days=3)), early) is None
