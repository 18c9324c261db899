"""Bursts: more than this hour of this weekday should bring."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from scipy.stats import nbinom, poisson

from models.core.burst import (
    BurstRule,
    Usual,
    burst,
    chance_of,
    grown,
    locality,
    odds,
    outages,
    unsettled,
    usable,
    usual,
)
from support.duty import MIDNIGHT

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CHANCE = BurstRule("usual", "多于往常", "place", chance=1e-4, minimum=5)
TWENTY = BurstRule("tickets", "一地工单突增", "place", within=timedelta(hours=2), count=20)


@pytest.mark.parametrize(("mean", "shape"), [(0.4, 1.5), (4.2, 20.0), (80.0, 6.0)])
@pytest.mark.parametrize("count", [0, 1, 3, 12, 60, 400])
def test_the_chance_is_the_negative_binomial_tail(mean: float, shape: float, count: int) -> None:
    known = Usual(mean, shape, (), True)
    right = nbinom.sf(count - 1, shape, shape / (shape + mean))
    assert chance_of(count, known) == pytest.approx(right, rel=1e-6, abs=1e-12)


def test_weeks_that_look_alike_are_never_believed_to_be_steadier_than_people_are() -> None:
    known = usual([50.0] * 8, [50.0] * 7)
    assert known is not None
    assert chance_of(90, known) > 1e-3 > poisson.sf(89, 50)


def test_twenty_tickets_of_one_place_are_no_burst_and_twenty_one_are() -> None:
    assert burst(TWENTY, "东城区", 20, None) is None
    found = burst(TWENTY, "东城区", 21, None)
    assert found is not None
    assert found.reason == "一地工单突增: 东城区 2 小时内 21 件，超过 20 件"


def test_a_busy_place_is_held_against_its_own_usual() -> None:
    busy, calm = usual([40.0] * 6, [38.0] * 7), usual([2.0] * 6, [2.0] * 7)
    assert burst(CHANCE, "东城区", 45, busy) is None
    found = burst(CHANCE, "西城区", 45, calm)
    assert found is not None
    assert "往常此时约 2." in found.reason
    assert "偶然出现的可能" in found.reason


def test_a_few_are_no_burst_however_rare() -> None:
    calm = usual([0.0] * 8, [0.0] * 7)
    assert burst(CHANCE, "柳林镇", 4, calm) is None
    assert burst(CHANCE, "柳林镇", 12, calm) is not None


def test_nothing_is_usual_before_three_stretches_are_known() -> None:
    assert usual([3.0, 4.0], [3.0, 2.0]) is None
    assert burst(CHANCE, "东城区", 500, None) is None
    days = usual([3.0], [3.0, 2.0, 4.0])
    assert days is not None
    assert not days.weekly


def test_a_burst_of_last_week_does_not_hide_this_week() -> None:
    calm = usual([3, 4, 2, 3, 4], [3] * 7)
    after = usual([90, 3, 4, 2, 3, 4], [3] * 7)
    assert calm is not None
    assert after is not None
    assert after.mean < 2 * calm.mean
    assert burst(CHANCE, "东城区", 40, after) is not None


def test_weeks_that_differ_much_ask_for_more() -> None:
    odd = [20, 220, 50, 180, 10, 250, 40, 30]
    steady, wild = usual([100] * 8, [100] * 7), usual(odd, odd[:7])
    assert steady is not None
    assert wild is not None
    assert wild.shape < steady.shape
    assert chance_of(400, wild) > 20 * chance_of(400, steady)


def test_what_has_grown_by_half_is_told_again() -> None:
    assert not grown(20, 29)
    assert grown(20, 30)


@pytest.mark.parametrize(
    ("chance", "words"), [(0.004, "1/200"), (2.9e-6, "1/300000"), (1e-12, "不到十亿分之一")]
)
def test_odds_are_told_roundly(chance: float, words: str) -> None:
    assert odds(chance) == words


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("临江市东城区朝阳街道幸福小区", "临江市东城区朝阳街道"),
        ("东城区人民路12号", "东城区"),
        ("江东县柳林镇三组", "江东县柳林镇"),
        ("幸福小区", "幸福小区"),
        ("贵阳市", "贵阳市"),
    ],
)
def test_tickets_are_counted_by_town_or_county(place: str, told: str) -> None:
    assert locality(place) == told


# ── sources that come and go ──────────────────────────────────────────────────────────────────

OFFICE = [MIDNIGHT - day * DAY + hour * HOUR for day in range(28, 0, -1) for hour in range(8, 18)]
"""A hotline that works from eight to six."""


def test_a_night_is_no_outage() -> None:
    assert outages(OFFICE, MIDNIGHT + 9 * HOUR) == []
    assert not unsettled([*OFFICE, MIDNIGHT + 8 * HOUR], MIDNIGHT + 9 * HOUR, HOUR)


def test_three_silent_days_are_an_outage_and_what_comes_after_is_not_counted() -> None:
    hours = [hour for hour in OFFICE if not MIDNIGHT - 4 * DAY <= hour < MIDNIGHT - DAY]
    back = hours[-10]  # eight o'clock of the last day
    assert len(outages(hours, MIDNIGHT)) == 1
    assert unsettled(hours[:-9], back + HOUR, HOUR)
    assert not unsettled(hours, MIDNIGHT - 6 * HOUR, HOUR)


def test_a_new_source_proves_nothing_for_three_days() -> None:
    assert unsettled([MIDNIGHT], MIDNIGHT + 2 * DAY, HOUR)
    assert unsettled([], MIDNIGHT, HOUR)


def test_a_stretch_within_an_outage_is_not_usable() -> None:
    gone = [(MIDNIGHT, MIDNIGHT + DAY)]
    assert not usable(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, gone)
    assert usable(MIDNIGHT + DAY, MIDNIGHT + DAY + HOUR, gone)


def test_a_shape_without_scatter_is_no_division_by_zero() -> None:
    known = usual([0.0] * 8, [])
    assert known is not None
    assert math.isfinite(known.shape)
    assert 0 < chance_of(1, known) < 1
