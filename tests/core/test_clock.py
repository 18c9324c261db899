"""Clocks as pure data: starts, fallbacks, steps, catch-up; time is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.clock import (
    ClockRule,
    LateNotice,
    PlannedStep,
    StepRule,
    due,
    met,
    plan,
    state,
    steps,
)
from models.core.vocabulary import ClockState, EvidenceKind, Grade, StartEvent
from support.duty import FIRST, GENERAL, HOUR, MIDNIGHT, MINUTE, STEPS

GUIZHOU = ClockRule(
    id="first_statement",
    name="首次发布",
    amount=3 * HOUR,
    start=StartEvent.OCCURRENCE,
    evidence=frozenset({EvidenceKind.STATEMENT}),
    steps=STEPS,
    fallback=(StartEvent.DISCOVERY,),
    late_notice=LateNotice(3 * HOUR, StartEvent.RECEIPT, HOUR),
)


def sequence(rule: ClockRule = FIRST) -> list[PlannedStep]:
    made = plan(rule, {StartEvent.OCCURRENCE: MIDNIGHT})
    assert made is not None
    return [
        step
        for step, _ in zip(
            steps(made.steps, made.due_at, made.repeat, made.repeat_rung), range(10), strict=False
        )
    ]


def test_a_clock_counts_from_its_own_start() -> None:
    made = plan(FIRST, {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.DISCOVERY: MIDNIGHT + HOUR})
    assert made is not None
    assert (made.started_at, made.due_at) == (MIDNIGHT, MIDNIGHT + 5 * HOUR)
    assert made.start_event is StartEvent.OCCURRENCE


def test_an_unknown_start_falls_back_and_says_so() -> None:
    made = plan(FIRST, {StartEvent.DISCOVERY: MIDNIGHT})
    assert made is not None
    assert made.start_event is StartEvent.DISCOVERY
    assert "事件发生时间不明" in made.reason


def test_no_known_start_is_no_clock_yet() -> None:
    assert plan(FIRST, {StartEvent.ACK: MIDNIGHT}) is None


def test_late_notice_gives_an_hour_from_receipt_and_an_early_one_does_not() -> None:
    late = plan(GUIZHOU, {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.RECEIPT: MIDNIGHT + 4 * HOUR})
    early = plan(GUIZHOU, {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.RECEIPT: MIDNIGHT + 2 * HOUR})
    assert late is not None
    assert early is not None
    assert late.due_at == MIDNIGHT + 5 * HOUR
    assert early.due_at == MIDNIGHT + 3 * HOUR


def test_the_steps_of_five_hours_and_then_every_hour() -> None:
    assert [(s.key, s.due_at - MIDNIGHT, s.rung) for s in sequence()[:6]] == [
        ("50%", 2.5 * HOUR, 1),
        ("75%", 3.75 * HOUR, 2),
        ("90%", 4.5 * HOUR, 3),
        ("100%", 5 * HOUR, 4),
        ("+1h", 6 * HOUR, 4),
        ("+2h", 7 * HOUR, 4),
    ]


def test_steps_may_be_set_before_due_and_after_the_start() -> None:
    before, after = StepRule(1, before=15 * MINUTE), StepRule(1, after=10 * MINUTE)
    assert (before.key, after.key) == ("-15m", "10m")
    assert before.due(MIDNIGHT, MIDNIGHT + HOUR) == MIDNIGHT + 45 * MINUTE
    assert after.due(MIDNIGHT, MIDNIGHT + HOUR) == MIDNIGHT + 10 * MINUTE


@given(st.lists(st.integers(min_value=1, max_value=600), min_size=1, max_size=40))
def test_however_the_sweeps_fall_no_step_is_lost_and_none_comes_twice(gaps: list[int]) -> None:
    """Sweeps at any minutes: the raised and the skipped together are every step that has passed."""
    now, last, seen = MIDNIGHT, None, []
    for gap in gaps:
        now += timedelta(minutes=gap)
        made = plan(FIRST, {StartEvent.OCCURRENCE: MIDNIGHT})
        assert made is not None
        found = due(steps(made.steps, made.due_at, made.repeat, made.repeat_rung), last, now)
        if found is not None:
            seen += [*found.skipped, found.latest]
            last = found.latest.key
            assert found.latest.due_at <= now
            assert found.next_at is None or found.next_at > now
    expected, step_due = [], 0
    made = plan(FIRST, {StartEvent.OCCURRENCE: MIDNIGHT})
    assert made is not None
    for step in steps(made.steps, made.due_at, made.repeat, made.repeat_rung):
        if step.due_at > now:
            break
        expected.append(step.key)
        step_due += 1
    assert [step.key for step in seen] == expected
    assert len(set(expected)) == step_due


def test_nothing_is_due_before_the_first_step() -> None:
    made = plan(FIRST, {StartEvent.OCCURRENCE: MIDNIGHT})
    assert made is not None
    assert due(iter(made.steps), None, MIDNIGHT + 2 * HOUR) is None


@pytest.mark.parametrize(
    ("hours", "raised", "expected"),
    [(1, False, ClockState.RUNNING), (3, True, ClockState.AT_RISK), (5, True, ClockState.BREACHED)],
)
def test_the_state_of_an_open_clock(hours: int, raised: bool, expected: ClockState) -> None:
    assert state(MIDNIGHT, MIDNIGHT + 5 * HOUR, MIDNIGHT + hours * HOUR, raised) is expected


def test_evidence_at_the_very_moment_is_in_time() -> None:
    assert met(MIDNIGHT, MIDNIGHT) is ClockState.MET
    assert met(MIDNIGHT, MIDNIGHT + timedelta(seconds=1)) is ClockState.MET_LATE


def test_grades_are_ordered_by_gravity_and_not_by_their_letters() -> None:
    assert Grade.I > Grade.II > Grade.III > Grade.IV
    assert Grade.IV < Grade.I
    assert Grade.II >= Grade.II
    assert max(Grade) is Grade.I


def test_forty_eight_hours_run_through_a_year_end_and_a_holiday() -> None:
    start = MIDNIGHT.replace(month=12, day=31, hour=13)
    made = plan(GENERAL, {StartEvent.FIRST_PUBLIC: start})
    assert made is not None
    assert made.due_at - start == timedelta(hours=48)
    assert (made.due_at.year, made.due_at.day) == (2027, 2)


LADDER = (*STEPS, StepRule(3, before=HOUR, yields=True), StepRule(3, before=15 * MINUTE, yields=True))


@pytest.mark.parametrize(
    ("hours", "keys"),
    [
        (48, ["50%", "75%", "90%", "-1h", "-15m", "100%"]),
        (5, ["50%", "75%", "-1h", "90%", "-15m", "100%"]),
        (4, ["50%", "75%", "90%", "-15m", "100%"]),  # an hour before the end is 75 %
        (3, ["50%", "75%", "90%", "100%"]),  # rung 3 would come before rung 2; -15m is 3 min from 90 %
        (1, ["50%", "75%", "90%", "100%"]),  # an hour before the end is the start
        (0.5, ["50%", "75%", "90%", "100%"]),
    ],
)
def test_a_short_clock_leaves_out_the_steps_that_it_has_no_room_for(hours: float, keys: list[str]) -> None:
    made = plan(replace(FIRST, amount=hours * HOUR, steps=LADDER), {StartEvent.OCCURRENCE: MIDNIGHT})
    assert made is not None
    assert [step.key for step in made.steps] == keys


def test_a_step_before_the_end_that_a_late_notice_leaves_no_room_for_is_dropped() -> None:
    steps = (*STEPS, StepRule(3, before=2 * HOUR))
    times = {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.RECEIPT: MIDNIGHT + 4 * HOUR}
    late = plan(replace(GUIZHOU, steps=steps), times)
    assert late is not None
    assert [step.key for step in late.steps] == ["50%", "75%", "90%", "100%"]
    assert min(step.due_at for step in late.steps) > late.started_at


def test_of_two_steps_at_one_moment_the_higher_rung_speaks() -> None:
    steps = (StepRule(4, fraction=0.5), StepRule(1, before=HOUR))
    made = plan(replace(FIRST, amount=2 * HOUR, steps=steps), {StartEvent.OCCURRENCE: MIDNIGHT})
    assert made is not None
    found = due(iter(made.steps), None, MIDNIGHT + HOUR)
    assert found is not None
    assert (found.latest.rung, [step.rung for step in found.skipped]) == (4, [1])


def test_a_step_s_key_comes_once_also_in_the_plans_of_earlier_releases() -> None:
    """Two of one name would be refused by the database, and with them every clock of the sweep."""
    due_at = MIDNIGHT + 5 * HOUR
    twice = (
        PlannedStep("1h", MIDNIGHT + HOUR, 1),
        PlannedStep("1h", MIDNIGHT + HOUR, 2),
        PlannedStep("100%", due_at, 4),
    )
    keys = [
        step.key for step, _ in zip(steps(twice, due_at, timedelta(seconds=30), 4), range(6), strict=False)
    ]
    assert keys == ["1h", "100%", "+0m", "+1m", "+2m", "+3m"]
    assert next(steps(twice, due_at, None, 4)).rung == 2, "the higher rung stays"
