"""The course of time: small differences are followed, jumps are not, and it never runs backwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.core.course import SMALL, STANDS_S, Course
from support.duty import HOUR, MIDNIGHT, MINUTE

SECOND = timedelta(seconds=1)


def begun(at: datetime = MIDNIGHT) -> Course:
    return Course(0.0, at, at)


def after(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def test_a_small_difference_is_followed() -> None:
    course = begun().look(30, after(31), proven=False)
    assert (course.now(60), course.jump) == (after(61), None)


def test_a_wall_clock_stepped_by_an_hour_moves_nothing_and_is_told() -> None:
    for step in (HOUR, -HOUR):
        course = begun().look(30, after(30) + step, proven=False)
        assert (course.now(90), course.jump) == (after(90), step)


def test_a_clock_that_is_stepped_and_put_right_leaves_no_trace() -> None:
    course = begun().look(30, after(30) + HOUR, proven=False).look(60, after(60), proven=True)
    assert (course.now(61), course.jump) == (after(61), None)


def test_a_proven_jump_is_followed_when_it_has_stood_for_a_minute_and_not_before() -> None:
    first = begun().look(30, after(30) + HOUR, proven=True)
    early = first.look(60, after(60) + HOUR, proven=True)
    late = early.look(30 + STANDS_S, after(30 + STANDS_S) + HOUR, proven=True)
    assert (early.now(60), late.now(90), late.jump) == (after(60), after(90) + HOUR, None)


def test_a_jump_that_changes_on_the_way_begins_to_stand_anew() -> None:
    first = begun().look(30, after(30) + HOUR, proven=True)
    other = first.look(90, after(90) + 2 * HOUR, proven=True)
    assert (other.now(90), other.since) == (after(90), 90)


def test_a_proven_jump_back_makes_time_go_at_half_its_pace_and_no_step_late() -> None:
    course = begun().look(0, MIDNIGHT - HOUR, proven=True).look(60, after(60) - HOUR, proven=True)
    assert course.now(60) == after(60)
    assert course.now(60 + 1800) == after(60 + 900)
    caught_up = 60 + 7200
    assert course.now(caught_up) == after(caught_up) - HOUR
    assert course.now(caught_up + 10) == after(caught_up + 10) - HOUR


def test_after_a_restart_with_a_clock_set_back_time_goes_on_from_the_newest_entry() -> None:
    course = begun(MIDNIGHT - HOUR).not_before(MIDNIGHT, proven=False)
    assert (course.now(0), course.now(60), course.jump) == (MIDNIGHT, after(60), -HOUR)


def test_entries_that_ran_ahead_of_a_proven_clock_are_waited_for_at_half_pace() -> None:
    course = begun(MIDNIGHT - MINUTE).not_before(MIDNIGHT, proven=True)
    assert (course.now(0), course.now(60), course.now(120)) == (MIDNIGHT, after(30), after(60))
    assert course.jump is None


looks = st.lists(
    st.tuples(st.floats(0, 10_000), st.floats(-10_000, 10_000), st.booleans(), st.floats(0, 100)), max_size=20
)


@given(looks)
def test_time_never_runs_backwards_whatever_the_reference_says(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    course, tick, told = begun(), 0.0, MIDNIGHT
    for wait, off, proven, more in looks:
        tick += wait
        course = course.look(tick, after(tick) + timedelta(seconds=off), proven)
        tick += more
        assert course.now(tick) >= told
        told = course.now(tick)


@given(looks)
def test_without_proof_time_strays_from_its_own_pace_by_small_steps_at_most(
    looks: list[tuple[float, float, bool, float]],
) -> None:
    course, tick, slack = begun(), 0.0, timedelta(0)
    for wait, off, _, _ in looks:
        tick += wait
        course = course.look(tick, after(tick) + timedelta(seconds=off), False)
        slack += SMALL
        assert abs(course.now(tick) - after(tick)) <= slack + SECOND
