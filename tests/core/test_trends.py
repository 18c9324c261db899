"""Trends: shares and medians by time, unit and grade."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.core.moment import parse_iso
from models.core.trends import Ended, Noticed, Stretch, Sum, by_time, grouped
from models.core.vocabulary import ClockState, Grade

SINCE, UNTIL = parse_iso("2026-10-07T00:00+08:00"), parse_iso("2026-11-22T12:00+08:00")
SECONDS = int((UNTIL - SINCE).total_seconds())


def clock(at: str, state: ClockState, rule: str = "first_statement", hours: float | None = None) -> Ended:
    took = None if hours is None else hours * 3600
    return Ended(rule, "应急局", Grade.II, state, parse_iso(at), took)


def test_the_share_on_time_leaves_waivers_out_and_counts_what_is_open_and_overdue() -> None:
    clocks = [
        clock("2026-11-02T10:00", ClockState.MET),
        clock("2026-11-02T11:00", ClockState.MET_LATE),
        clock("2026-11-02T12:00", ClockState.BREACHED),
        clock("2026-11-02T13:00", ClockState.WAIVED),
    ]
    told = Sum("", "", clocks).told()
    assert (told["on_time"], told["total"], told["waived"]) == (0.3333, 4, 1)
    assert (told["met"], told["late"], told["open_late"]) == (1, 1, 1)


def test_where_nothing_was_due_there_is_no_share() -> None:
    assert Sum("", "", [clock("2026-11-02T13:00", ClockState.WAIVED)]).told()["on_time"] is None
    assert Sum("", "").told()["mtta_s"] is None


def test_an_acknowledgement_is_no_answer() -> None:
    signed = Ended("acknowledge", "应急局", Grade.II, ClockState.BREACHED, SINCE, signed=True)
    assert Sum("", "", [signed]).told()["total"] == 0


def test_waits_are_medians_with_how_many_kept_the_limit() -> None:
    clocks = [clock("2026-11-02T10:00", ClockState.MET, hours=hours) for hours in (1, 3, 6)]
    clocks.append(clock("2026-11-02T10:00", ClockState.MET, "general_response", 47))
    told = Sum("", "", clocks).told()
    assert (told["first_s"], told["first_in"], told["first_all"]) == (3 * 3600, 2, 3)
    assert (told["response_s"], told["response_in"], told["response_all"]) == (47 * 3600, 1, 1)


def test_every_week_of_the_time_is_there_even_when_nothing_happened() -> None:
    found = by_time([], [], SINCE, UNTIL, Stretch.WEEK)
    assert [one.key for one in found][:2] == ["2026-10-05", "2026-10-12"]
    assert found[-1].key == "2026-11-16"
    assert [one.name for one in by_time([], [], SINCE, UNTIL, Stretch.MONTH)] == ["2026-10", "2026-11"]


def test_a_clock_falls_into_the_week_of_its_limit_in_beijing_and_an_incident_into_that_of_its_opening() -> (
    None
):
    late_on_sunday = parse_iso("2026-11-08T15:59:59+00:00")  # 23:59:59 in Beijing
    clocks = [Ended("first_statement", "", Grade.I, ClockState.MET, late_on_sunday)]
    incidents = [Noticed("", Grade.I, late_on_sunday + timedelta(seconds=1), 60)]
    found = {one.key: one for one in by_time(clocks, incidents, SINCE, UNTIL, Stretch.WEEK)}
    assert found["2026-11-02"].clocks == clocks
    assert found["2026-11-09"].incidents == incidents


def test_sums_by_grade_stand_in_the_order_of_gravity() -> None:
    incidents = [Noticed("甲", grade, SINCE, 60) for grade in (Grade.IV, Grade.I, Grade.II, Grade.I)]
    found = grouped([], incidents, lambda one: (one.grade.value, one.grade.zh))
    assert [(one.key, len(one.incidents)) for one in found] == [("I", 2), ("II", 1), ("IV", 1)]


@given(
    moments=st.lists(st.integers(0, SECONDS - 1).map(lambda s: SINCE + timedelta(seconds=s)), max_size=30),
    stretch=st.sampled_from(Stretch),
)
def test_nothing_is_lost_and_nothing_counted_twice(moments: list[datetime], stretch: Stretch) -> None:
    clocks = [Ended("first_statement", "", Grade.I, ClockState.MET, moment) for moment in moments]
    found = by_time(clocks, [], SINCE, UNTIL, stretch)
    assert sum(len(one.clocks) for one in found) == len(moments)
