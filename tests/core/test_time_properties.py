"""Time by hand: over random rules, starts, corrections and outages no step is lost and none comes twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from models.core.clock import ClockPlan, ClockRule, Due, PlannedStep, StepRule, due, plan, state, steps
from models.core.moment import CST
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent
from models.core.workdays import Calendar, WorkingDays, YearDays
from support.duty import HOUR, MINUTE

MANY = settings(max_examples=2_000 if os.environ.get("HUIYING_FAULTS") == "long" else 150, deadline=None)

MILLISECOND = timedelta(milliseconds=1)
EDGES = (
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=CST),
    datetime(2027, 1, 1, tzinfo=CST),
    datetime(2028, 2, 29, tzinfo=CST),
    datetime(2028, 2, 29, 23, 30, tzinfo=CST),
    datetime(2028, 3, 1, tzinfo=CST),
    datetime(2026, 11, 21, tzinfo=CST),
    datetime(2026, 9, 30, 17, 59, tzinfo=CST),
)
"""Year's end, the leap day, midnights, the evening before a long holiday."""


def days(month: int, first: int, last: int, year: int) -> frozenset[date]:
    return frozenset(date(year, month, day) for day in range(first, last + 1))


CALENDAR: Calendar = {
    2026: YearDays(
        days(10, 1, 8, 2026) | days(1, 1, 3, 2026), frozenset({date(2026, 10, 10), date(2026, 9, 27)})
    ),
    2027: YearDays(days(1, 1, 3, 2027), frozenset({date(2027, 1, 9)})),
    2028: YearDays(days(5, 1, 5, 2028), frozenset({date(2028, 4, 30)})),
    2029: YearDays(),
}
"""Holidays with weekends that are worked for them (调休), for the arithmetic alone."""

moments = st.builds(
    lambda edge, off: edge + off * MILLISECOND, st.sampled_from(EDGES), st.integers(-90_000_000, 90_000_000)
)
minutes = st.integers(1, 4 * 24 * 60).map(lambda n: n * MINUTE)
step_rules = st.one_of(
    st.builds(StepRule, st.integers(1, 4), fraction=st.sampled_from((0.1, 0.25, 0.5, 0.75, 0.9, 1.0))),
    st.builds(StepRule, st.integers(1, 4), before=minutes),
    st.builds(StepRule, st.integers(1, 4), after=minutes),
    st.builds(StepRule, st.integers(1, 4), after=st.just(timedelta(0))),
)
rules = st.builds(
    ClockRule,
    id=st.just("made_up"),
    name=st.just("拟制"),
    amount=st.one_of(minutes, st.integers(1, 30).map(WorkingDays)),
    start=st.sampled_from((StartEvent.OCCURRENCE, StartEvent.FIRST_PUBLIC)),
    evidence=st.just(frozenset({EvidenceKind.STATEMENT})),
    steps=st.lists(step_rules, max_size=6, unique_by=lambda rule: rule.key).map(tuple),
    fallback=st.just((StartEvent.DISCOVERY,)),
    repeat=st.one_of(st.none(), st.integers(20, 600).map(lambda n: n * MINUTE)),
)
looks = st.lists(
    st.one_of(st.integers(0, 2_000), st.integers(0, 40_000_000), st.integers(0, 400_000_000)).map(
        lambda n: n * MILLISECOND
    ),
    min_size=1,
    max_size=25,
)
"""Time between two sweeps: from none at all to an outage of four days."""


def bound(rule: ClockRule, start: datetime) -> ClockPlan:
    made = plan(rule, {StartEvent.DISCOVERY: start}, CALENDAR)
    assert made is not None
    return made


def all_until(made: ClockPlan, now: datetime) -> list[PlannedStep]:
    """Every step that has passed by `now`, found without the code that is tested."""
    passed = [step for step in made.steps if step.due_at <= now]
    number = 1
    while made.repeat is not None and made.due_at + number * made.repeat <= now:
        due_at = made.due_at + number * made.repeat
        passed.append(PlannedStep(f"repeat {number}", due_at, made.repeat_rung))
        number += 1
    return passed


def sweep(made: ClockPlan, last: str | None, now: datetime) -> Due | None:
    return due(steps(made.steps, made.due_at, made.repeat, made.repeat_rung), last, now)


def swept(made: ClockPlan, nows: Sequence[datetime]) -> list[Due]:
    """What each of the sweeps finds, as the ledger keeps it: by the last key."""
    found: list[Due] = []
    for now in nows:
        owed = sweep(made, found[-1].latest.key if found else None, now)
        if owed is not None:
            found.append(owed)
    return found


def moments_of(start: datetime, waits: Sequence[timedelta]) -> list[datetime]:
    nows = [start]
    for wait in waits:
        nows.append(nows[-1] + wait)
    return nows


@MANY
@given(rules, moments, looks)
def test_every_step_that_has_passed_is_raised_or_recorded_as_skipped_exactly_once(
    rule: ClockRule, start: datetime, waits: list[timedelta]
) -> None:
    made, nows = bound(rule, start), moments_of(start, waits)
    seen = [step for owed in swept(made, nows) for step in (*owed.skipped, owed.latest)]
    assert len({step.key for step in seen}) == len(seen)
    wanted = all_until(made, nows[-1])
    assert sorted(s.due_at for s in seen) == sorted(s.due_at for s in wanted)


@MANY
@given(rules, moments, looks)
def test_each_sweep_raises_the_latest_passed_step_alone_and_looks_strictly_ahead(
    rule: ClockRule, start: datetime, waits: list[timedelta]
) -> None:
    made, last = bound(rule, start), None
    for now in moments_of(start, waits):
        owed = sweep(made, last, now)
        if owed is not None:
            passed = [*owed.skipped, owed.latest]
            assert all(step.due_at <= now for step in passed)
            assert [s.due_at for s in passed] == sorted(s.due_at for s in passed)
            assert owed.next_at is None or owed.next_at > now
            last = owed.latest.key
        assert sweep(made, last, now) is None, "what was raised is not owed again"


@MANY
@given(rules, moments, looks)
def test_the_step_after_a_sweep_is_the_next_that_there_is(
    rule: ClockRule, start: datetime, waits: list[timedelta]
) -> None:
    made, nows = bound(rule, start), moments_of(start, waits)
    for owed in swept(made, nows)[-1:]:
        now = next(n for n in nows if owed.latest.due_at <= n and (owed.next_at is None or n < owed.next_at))
        later = [s.due_at for s in made.steps if s.due_at > now]
        first_repeat = made.due_at + made.repeat if made.repeat else None
        while made.repeat and first_repeat and first_repeat <= now:
            first_repeat += made.repeat
        assert owed.next_at == min([*later, *([first_repeat] if first_repeat else [])], default=None)


@MANY
@given(rules, moments, looks)
def test_an_outage_changes_who_is_told_and_when_but_never_which_steps_are_accounted_for(
    rule: ClockRule, start: datetime, waits: list[timedelta]
) -> None:
    made, nows = bound(rule, start), moments_of(start, waits)
    often = {s.key for owed in swept(made, nows) for s in (*owed.skipped, owed.latest)}
    once = {s.key for owed in swept(made, nows[-1:]) for s in (*owed.skipped, owed.latest)}
    assert often == once


@MANY
@given(rules, moments, looks)
def test_a_clock_goes_from_running_through_risk_to_breached_and_never_back(
    rule: ClockRule, start: datetime, waits: list[timedelta]
) -> None:
    made, order = bound(rule, start), [ClockState.RUNNING, ClockState.AT_RISK, ClockState.BREACHED]
    places, last = [], None
    for now in moments_of(start, waits):
        owed = sweep(made, last, now)
        last = owed.latest.key if owed else last
        places.append(order.index(state(made.started_at, made.due_at, now, any_raised=last is not None)))
        assert (places[-1] == 2) == (now >= made.due_at)
    assert places == sorted(places)


@MANY
@given(rules, moments)
def test_a_step_is_owed_from_its_very_moment_on_and_not_a_moment_earlier(
    rule: ClockRule, start: datetime
) -> None:
    made = bound(rule, start)
    for step in made.steps:
        owed, before = sweep(made, None, step.due_at), sweep(made, None, step.due_at - MILLISECOND)
        assert owed is not None
        assert owed.latest.due_at == step.due_at
        assert before is None or before.latest.due_at < step.due_at


@MANY
@given(rules, moments)
def test_a_limit_in_hours_pauses_for_nothing_and_one_in_working_days_ends_at_midnight(
    rule: ClockRule, start: datetime
) -> None:
    made = bound(rule, start)
    if isinstance(rule.amount, WorkingDays):
        assert made.due_at - start > timedelta(days=rule.amount.count)
        assert made.due_at.astimezone(CST).time() == datetime.min.time()
    else:
        assert made.due_at - start == rule.amount


@MANY
@given(rules, moments, st.integers(-48, 48).map(lambda n: n * HOUR))
def test_a_corrected_start_moves_the_hours_by_as_much(
    rule: ClockRule, start: datetime, shift: timedelta
) -> None:
    if isinstance(rule.amount, timedelta):
        before, after = bound(rule, start), bound(rule, start + shift)
        assert after.due_at - before.due_at == shift
        assert [s.due_at + shift for s in before.steps] == [s.due_at for s in after.steps]


@MANY
@given(rules, moments)
def test_the_steps_of_a_clock_come_in_the_order_of_their_times(rule: ClockRule, start: datetime) -> None:
    made = bound(rule, start)
    until = made.due_at + timedelta(days=10)
    whole = steps(made.steps, made.due_at, made.repeat, made.repeat_rung)
    found = [step.due_at for step in takewhile(lambda step: step.due_at <= until, whole)]
    assert found == sorted(found)
    assert len(found) == len(all_until(made, until))


def test_a_last_step_that_the_plan_does_not_know_ends_the_search() -> None:
    made = bound(ClockRule("a", "甲", HOUR, StartEvent.DISCOVERY, frozenset(), ()), EDGES[0])
    assert sweep(made, "a key of an older release", EDGES[0] + 30 * HOUR) is None
