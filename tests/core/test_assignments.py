"""When a task is due, which proof stands for which, and whether everybody was told at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.core.assignments import Want, accepted, due_at, skew
from models.core.moment import CST
from models.core.vocabulary import EvidenceKind, OpinionKind, StartEvent
from models.core.workdays import WorkingDays, YearDays

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=CST)  # a Friday
MINUTE = timedelta(minutes=1)
PARTIES = ("上级总值班室", "宣传部", "网信办")


def want(due: timedelta | WorkingDays | None, since: StartEvent | None = None) -> Want:
    return Want("k", "做事", "book", due=due, since=since)


def test_a_task_counts_from_its_own_start_else_from_when_it_was_laid() -> None:
    times = {StartEvent.RECEIPT: NOON - timedelta(hours=2)}
    assert due_at(want(timedelta(hours=1), StartEvent.RECEIPT), times, NOON, {}) == NOON - timedelta(hours=1)
    assert due_at(want(timedelta(hours=1), StartEvent.OCCURRENCE), times, NOON, {}) == NOON + timedelta(
        hours=1
    )
    assert due_at(want(None), times, NOON, {}) is None


def test_working_days_skip_the_weekend_and_are_not_guessed_without_a_calendar() -> None:
    assert due_at(want(WorkingDays(1)), {}, NOON, {2026: YearDays()}) == datetime(2026, 11, 24, tzinfo=CST)
    assert due_at(want(WorkingDays(1)), {}, NOON, {}) is None


def test_a_major_problem_may_be_answered_by_what_is_known_so_far() -> None:
    assert EvidenceKind.UPDATE in accepted(EvidenceKind.STATEMENT, OpinionKind.MAJOR_PROBLEM)
    assert EvidenceKind.UPDATE not in accepted(EvidenceKind.STATEMENT, OpinionKind.UNINFORMED)


def test_a_response_never_stands_for_a_receipt() -> None:
    for kind in OpinionKind:
        assert accepted(EvidenceKind.HANDOVER_RECEIPT, kind) == {EvidenceKind.HANDOVER_RECEIPT}


@pytest.mark.parametrize(("minutes", "within"), [(0, True), (10, True), (11, False)])
def test_the_parties_are_told_at_the_same_time_within_the_allowed_skew(minutes: int, within: bool) -> None:
    told = dict.fromkeys(PARTIES, NOON) | {"网信办": NOON + minutes * MINUTE}
    judged = skew(told, PARTIES, 10 * MINUTE)
    assert (judged.within, judged.apart) == (within, minutes * MINUTE)


def test_nothing_is_judged_before_all_are_told_nor_without_a_bound() -> None:
    assert skew({"宣传部": NOON}, PARTIES, 10 * MINUTE).within is None
    assert skew(dict.fromkeys(PARTIES, NOON), PARTIES, None).within is None
    assert skew({}, PARTIES, 10 * MINUTE).first is None
