"""Intervals against a limit: what the sources cannot decide is not decided."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.hindsight import Took, Verdict, Window, took, verdict
from models.core.moment import CST

NOON = datetime(2024, 5, 1, 12, tzinfo=CST)
HOUR = timedelta(hours=1)
LIMIT = 5 * HOUR


def at(hours: float | None) -> datetime | None:
    return None if hours is None else NOON + hours * HOUR


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (None, None, Verdict.UNKNOWN),
        (None, 4.9, Verdict.MET),
        (None, 5.0, Verdict.MET),
        (None, 5.1, Verdict.UNCLEAR),
        (4.0, 6.0, Verdict.UNCLEAR),
        (5.1, 9.0, Verdict.MISSED),
        (5.1, None, Verdict.MISSED),
        (3.0, None, Verdict.UNCLEAR),
    ],
)
def test_only_an_interval_on_one_side_of_the_limit_decides(
    least: float | None, most: float | None, expected: Verdict
) -> None:
    length = took(Window(NOON, None), Window(at(least), at(most)))
    assert verdict(length, LIMIT) is expected


def test_a_start_that_is_an_interval_itself_widens_the_answer() -> None:
    start = Window(NOON, NOON + 2 * HOUR)
    assert took(start, Window(at(6), at(7))) == Took(4.0, 7.0)


def test_an_answer_before_the_latest_possible_start_took_no_less_than_nothing() -> None:
    assert took(Window(NOON, NOON + 9 * HOUR), Window(at(6), at(7))).least == 0.0


@given(st.floats(0, 60), st.floats(0, 60), st.floats(0, 60), st.floats(0, 60))
def test_every_true_pair_of_moments_agrees_with_a_verdict_that_decides(
    first: float, width: float, begin: float, spread: float
) -> None:
    """Whatever the truth inside the bounds, a verdict of met or missed is right about it."""
    start = Window(NOON, NOON + begin * HOUR)
    answer = Window(at(first), at(first + width))
    said = verdict(took(start, answer), LIMIT)
    for true_start in (0.0, begin):
        for true_answer in (first, first + width):
            really = max(0.0, true_answer - true_start)
            if said is Verdict.MET:
                assert really <= 5.0 + 1e-6
            elif said is Verdict.MISSED:
                assert really > 5.0 - 1e-6
