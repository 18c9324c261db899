"""What was said before and after we spoke: counts, intervals, and when nothing may be read from them."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core import mood
from models.core.mood import Effect, Voice
from support.duty import HOUR, MIDNIGHT, MINUTE

SPOKE = MIDNIGHT + 8 * HOUR
LATER = MIDNIGHT + 20 * HOUR


def voices(before: int, after: int, bad_before: int = 0, bad_after: int = 0) -> list[Voice]:
    """So many in the six hours on each side of SPOKE, evenly, the first ones negative."""
    made = [
        Voice(SPOKE - 6 * HOUR + n * 6 * HOUR / before, n < bad_before, "民生", "微博") for n in range(before)
    ]
    return made + [Voice(SPOKE + n * 6 * HOUR / after, n < bad_after, "民生", "微博") for n in range(after)]


def read(found: list[Voice], *others: timedelta) -> mood.Reading:
    return mood.read(found, SPOKE, [SPOKE, *(SPOKE + other for other in others)], LATER)


def test_windows_are_equal_and_end_where_we_spoke_again() -> None:
    reading = read(voices(30, 30), 2 * HOUR)
    assert reading.before.until == reading.after.since == SPOKE
    assert (
        reading.after.until - reading.after.since == reading.before.until - reading.before.since == 2 * HOUR
    )
    assert reading.before.count == reading.after.count == 10


def test_the_window_before_reaches_no_further_back_than_the_first_word() -> None:
    found = [Voice(SPOKE - HOUR + n * MINUTE, True, "民生", "微博") for n in range(40)]
    assert read(found).before.since == SPOKE - HOUR


@pytest.mark.parametrize(
    ("before", "after", "volume"),
    [
        (60, 20, Effect.LESS),
        (20, 60, Effect.MORE),
        (30, 28, Effect.NONE),
        (8, 3, Effect.FEW),
        (12, 7, Effect.NONE),  # a third less, and still within chance
    ],
)
def test_the_volume_changed_only_when_chance_does_not_explain_it(
    before: int, after: int, volume: Effect
) -> None:
    assert read(voices(before, after)).volume is volume


def test_a_share_that_fell_is_told_with_its_interval_and_its_doubt() -> None:
    reading = read(voices(60, 20, 45, 3))
    assert (reading.volume, reading.mood) == (Effect.LESS, Effect.LESS)
    assert "发布前 6 小时 60 条，其中负面 45 条(75%)" in reading.sentence
    assert "下降 60 个百分点" in reading.sentence
    assert "不能都算作发布的功劳" in reading.sentence


def test_more_voices_and_fewer_negative_is_called_neither() -> None:
    assert "一升一降" in read(voices(30, 90, 28, 20)).sentence


def test_few_signals_show_nothing_and_so_says_the_sentence() -> None:
    reading = read(voices(5, 2, 5, 0))
    assert (reading.volume, reading.mood) == (Effect.FEW, Effect.FEW)
    assert "看不出效果" in reading.sentence


def test_nothing_is_read_minutes_after_we_spoke() -> None:
    soon = mood.read(voices(60, 20), SPOKE, [SPOKE], SPOKE + 10 * MINUTE)
    assert soon.volume is Effect.FEW
    assert "不足 30 分" in soon.sentence


def test_nothing_before_us_cannot_be_compared() -> None:
    reading = read([Voice(SPOKE + n * MINUTE, True, "民生", "微博") for n in range(40)])
    assert reading.ratio is None
    assert reading.volume is Effect.FEW


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (1, 100, 0.0018, 0.0545)],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    found = mood.wilson(hits, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """Newcombe 1998, his first example: 56/70 against 48/80, 0.0524 to 0.3339."""
    one = mood.Window(MIDNIGHT, MIDNIGHT, 80, 48, (), ())
    two = mood.Window(MIDNIGHT, MIDNIGHT, 70, 56, (), ())
    found = mood.share_shift(one, two)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_ratio_lies_within_its_interval_and_turns_round_with_its_sides(before: int, after: int) -> None:
    found, turned = mood.rate_ratio(before, after), mood.rate_ratio(after, before)
    assert found.low <= (after / before if before else math.inf) + 1e-9
    if before:
        assert after / before <= found.high + 1e-9
    if before and after:
        assert found.low == pytest.approx(1 / turned.high)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), min_size=1, max_size=80))
def test_the_curve_holds_every_voice_once(minutes: list[tuple[int, bool]]) -> None:
    found = [Voice(MIDNIGHT + n * MINUTE, bad, "民生", "微博") for n, bad in minutes]
    drawn = mood.curve(found, [(MIDNIGHT + HOUR, "续报")], MIDNIGHT + 10_001 * MINUTE)
    assert sum(bar["count"] for bar in drawn["bars"]) == len(found)
    assert sum(bar["negative"] for bar in drawn["bars"]) == sum(voice.negative for voice in found)
    assert all(0 <= bar["x"] < 100 and bar["bad"] <= bar["h"] <= 100 for bar in drawn["bars"])
    assert len({bar["x"] for bar in drawn["bars"]}) <= mood.MOST_BINS


def test_a_curve_without_voices_is_empty() -> None:
    assert mood.curve([], [], MIDNIGHT) == {"bars": [], "marks": []}
