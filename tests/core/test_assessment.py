"""Scores, ranks and drafts of accountability, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.core.assessment import (
    Draft,
    Judged,
    Kept,
    Matter,
    Part,
    Points,
    Trigger,
    Weight,
    drafts,
    first_statement_median,
    full_points,
    half_up,
    scored,
    tallies,
)
from models.core.casework import Register
from models.core.moment import CST
from models.core.vocabulary import ClockState, EvidenceKind

NOON = datetime(2026, 11, 21, 12, tzinfo=CST)
WEIGHTS = full_points({Part.RESPONSE: 0.02, Part.DISCLOSURE: 0.02, Part.WEBSITE: 0.04}, {})


def clock(unit: str, state: ClockState, rule: str = "first_statement", **more: object) -> Judged:
    words = frozenset({EvidenceKind.STATEMENT})
    made = Judged(rule, "首次发布", unit, state, "2026-0001", f"clock:{unit}:{rule}", words, statutory=True)
    return Judged(**{**{name: getattr(made, name) for name in made.__slots__}, **more})


def entry(unit: str, kind: Register, late_h: float | None) -> Kept:
    ended = None if late_h is None else NOON + timedelta(hours=late_h)
    return Kept(kind, unit, f"entry:{unit}", "申请", NOON, ended)


def test_the_full_points_of_the_parts_sum_to_a_hundred() -> None:
    assert [(w.part, w.full) for w in WEIGHTS] == [
        (Part.RESPONSE, 25.0),
        (Part.DISCLOSURE, 25.0),
        (Part.WEBSITE, 50.0),
    ]


def test_a_waiver_counts_apart_and_the_share_is_of_the_others() -> None:
    states = (ClockState.MET, ClockState.MET, ClockState.MET_LATE, ClockState.BREACHED, ClockState.WAIVED)
    (tally,) = tallies(clock("a", state) for state in states)
    assert (tally.total, tally.met, tally.met_late, tally.breached, tally.waived) == (5, 2, 1, 1, 1)
    assert tally.on_time == 0.5


def test_a_unit_whose_only_clock_was_waived_has_no_share_and_loses_nothing() -> None:
    (unit,) = scored(Matter((clock("a", ClockState.WAIVED),)), WEIGHTS)
    assert (unit.clocks[0].on_time, unit.score) == (None, 100.0)


def test_each_part_brings_its_share_of_its_full_points() -> None:
    clocks = (clock("a", ClockState.MET), clock("a", ClockState.BREACHED))
    kept = (entry("a", Register.DISCLOSURE_REQUEST, -1), entry("a", Register.FINDING, 1))
    (unit,) = scored(Matter(clocks, kept), WEIGHTS)
    assert [(part.value, points, cases) for part, points, cases in unit.parts] == [
        ("response", 12.5, 2),
        ("disclosure", 25.0, 1),
        ("website", 0.0, 1),
    ]
    assert unit.score == 37.5


def test_points_are_worked_out_whole_and_rounded_once_half_up() -> None:
    weights = full_points({Part.RESPONSE: 0.02, Part.DISCLOSURE: 0.02, Part.WEBSITE: 0.03}, {})
    states = [ClockState.MET] * 5 + [ClockState.BREACHED] * 27
    (unit,) = scored(Matter(tuple(clock("a", state) for state in states)), weights)
    assert unit.parts[0][1] == 4.46  # 28.5714 × 5/32 = 4.46428…; a share rounded first to 0.1563 made 4.47
    assert [half_up(value, 2) for value in (2.345, 1.005, 2.5, 0.0)] == [2.35, 1.01, 2.5, 0.0]


def test_what_was_waived_behind_its_limit_is_missed_and_named_so() -> None:
    late = clock("a", ClockState.BREACHED, waived_late=True)
    (tally,) = tallies([late, clock("a", ClockState.WAIVED)])
    assert (tally.breached, tally.waived_late, tally.waived, tally.on_time) == (1, 1, 1, 0.0)
    assert drafts([late], [])[0].why == "首次发布逾期后免除"


def test_an_entry_at_its_very_limit_is_in_time_and_an_open_one_is_not() -> None:
    assert entry("a", Register.FINDING, 0).on_time
    assert not entry("a", Register.FINDING, None).on_time


def test_ranks_are_by_score_and_equal_ones_share_one() -> None:
    clocks = (clock("a", ClockState.MET), clock("b", ClockState.MET), clock("c", ClockState.BREACHED))
    assert [(one.unit, one.rank) for one in scored(Matter(clocks), WEIGHTS)] == [("a", 1), ("b", 1), ("c", 3)]


def test_bonuses_are_capped_and_deductions_never_go_below_nothing() -> None:
    many = tuple(Points("a", "信息报送", 3.0, f"R{n}") for n in range(3))
    (best,) = scored(Matter(bonuses=many, most_bonus=5.0), WEIGHTS)
    assert best.score == 105.0
    (worst,) = scored(Matter(deductions=tuple(Points("a", "投诉", 20.0, str(n)) for n in range(6))), WEIGHTS)
    assert worst.score == 0.0


def test_what_the_work_set_itself_is_shown_and_not_scored() -> None:
    (unit,) = scored(Matter((clock("a", ClockState.BREACHED, "review", own=True),)), WEIGHTS)
    assert (unit.score, unit.clocks, unit.own[0].breached) == (100.0, (), 1)


def test_the_first_word_is_measured_by_its_median() -> None:
    took = (clock("a", ClockState.MET, took_s=seconds) for seconds in (60.0, 600.0, 120.0))
    assert first_statement_median(took) == 120.0
    assert first_statement_median([clock("a", ClockState.BREACHED)]) is None


@pytest.mark.parametrize(
    ("state", "kinds", "trigger"),
    [
        (ClockState.BREACHED, EvidenceKind.STATEMENT, Trigger.NOT_PUBLISHED),
        (ClockState.MET_LATE, EvidenceKind.STATEMENT, Trigger.LATE_RESPONSE),
        (ClockState.BREACHED, EvidenceKind.RESPONSE, Trigger.LATE_RESPONSE),
        (ClockState.BREACHED, EvidenceKind.INTERPRETATION, Trigger.NOT_INTERPRETED),
        (ClockState.MET, EvidenceKind.STATEMENT, None),
        (ClockState.WAIVED, EvidenceKind.STATEMENT, None),
        (ClockState.BREACHED, EvidenceKind.REPORT_RECEIPT, None),
    ],
)
def test_the_four_cases_are_told_by_what_was_late(
    state: ClockState, kinds: EvidenceKind, trigger: Trigger | None
) -> None:
    found = drafts([clock("a", state, evidence=frozenset({kinds}))], [])
    assert [one.trigger for one in found] == ([trigger] if trigger else [])


def test_a_limit_of_the_site_alone_is_no_ground() -> None:
    assert drafts([clock("a", ClockState.BREACHED, statutory=False)], []) == []


def test_an_application_that_nobody_answered_is_the_fourth_case() -> None:
    found = drafts([], [entry("a", Register.DISCLOSURE_REQUEST, None), entry("b", Register.FINDING, None)])
    assert found == [Draft(Trigger.NO_REPLY, "a", "entry:a", "申请：逾期未答复")]


def test_a_weight_keeps_its_basis() -> None:
    (weight,) = full_points({Part.WEBSITE: 0.03}, {Part.WEBSITE: ("S-120",)})
    assert weight == Weight(Part.WEBSITE, 0.03, 100.0, ("S-120",))
