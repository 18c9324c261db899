"""The policy of polling, without network or database: time is an argument."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from connectors.polling import (
    LONGEST_WAIT,
    Bounds,
    Rhythm,
    Seen,
    after_good,
    after_trouble,
    kept,
    next_every_s,
    own_outage,
    rhythm_of,
    strangely_quiet,
    wait_after_good,
    wait_after_trouble,
    weight_of,
)
from connectors.ports import Refused, Unreachable
from models.core.moment import CST

MINUTE = timedelta(minutes=1)
BOUNDS = Bounds(10 * MINUTE, 2 * MINUTE, 20 * MINUTE)
NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)


@pytest.mark.parametrize(
    ("new", "known", "expected"),
    [
        (0, 20, 900),  # all known: slower
        (1, 20, 900),
        (10, 20, 600),  # two thirds known, one third new: as it is
        (20, 10, 600),
        (20, 9, 400),  # less than a third known: faster
        (20, 0, 400),
        (0, 0, 900),  # nothing there at all
    ],
)
def test_the_share_of_what_was_known_sets_the_pace(new: int, known: int, expected: float) -> None:
    assert next_every_s(600, Seen(new, known), BOUNDS) == pytest.approx(expected)


def test_the_first_poll_keeps_the_interval_of_the_site() -> None:
    assert next_every_s(None, Seen(20, 0), BOUNDS) == 600


def test_a_pace_never_leaves_its_floor_and_ceiling() -> None:
    rhythm = Rhythm()
    for _ in range(10):
        rhythm = after_good(rhythm, Seen(0, 20), BOUNDS, NOW)
    assert rhythm.every_s == 1200
    for _ in range(10):
        rhythm = after_good(rhythm, Seen(20, 0), BOUNDS, NOW)
    assert rhythm.every_s == 120


def test_a_site_that_changes_its_bounds_is_obeyed_at_once() -> None:
    assert wait_after_good(Rhythm(every_s=1200), Bounds(MINUTE, MINUTE, MINUTE)) == MINUTE


def test_a_gap_is_counted_with_its_time_and_asked_after_at_the_floor_and_an_overlap_closes_it() -> None:
    lossy = after_good(Rhythm(every_s=1200), Seen(20, 0, gap=True), BOUNDS, NOW)
    assert (lossy.every_s, lossy.gaps, lossy.gap_at, lossy.gap_open) == (120, 1, NOW, True)
    well = after_good(lossy, Seen(2, 18), BOUNDS, NOW + MINUTE)
    assert (well.gaps, well.gap_at, well.gap_open) == (1, NOW, False)


def test_the_wish_of_a_source_is_heard_up_to_the_ceiling_and_never_hurries() -> None:
    rhythm = Rhythm(every_s=600)
    assert wait_after_good(rhythm, BOUNDS, 900) == 15 * MINUTE
    assert wait_after_good(rhythm, BOUNDS, 86_400) == 20 * MINUTE
    assert wait_after_good(rhythm, BOUNDS, 5) == 10 * MINUTE


def test_errors_weigh_by_how_lasting_they_are() -> None:
    assert weight_of(Refused("404")) == 1
    assert weight_of(Unreachable("503")) == 0.5
    assert weight_of(Unreachable("nobody", reached=False)) == 0.25


def test_waits_grow_by_the_weight_in_a_line_and_end_at_two_hours_but_never_for_ever() -> None:
    def waits(weight: float, count: int) -> list[float]:
        rhythm, found = Rhythm(), []
        for _ in range(count):
            rhythm = after_trouble(rhythm, weight)
            found.append(wait_after_trouble(rhythm, BOUNDS) / MINUTE)
        return found

    assert waits(1.0, 3) == [20, 30, 40]
    assert waits(0.5, 3) == [15, 20, 25]
    assert waits(0.25, 3) == [12.5, 15, 17.5]
    assert waits(1.0, 1000)[-1] == LONGEST_WAIT / MINUTE


def test_retry_after_lengthens_a_wait_and_cannot_silence_a_source() -> None:
    rhythm = after_trouble(Rhythm(), 0.5)
    assert wait_after_trouble(rhythm, BOUNDS, 3_600) == timedelta(hours=1)
    assert wait_after_trouble(rhythm, BOUNDS, 5) == 15 * MINUTE
    assert wait_after_trouble(rhythm, BOUNDS, 1e300) == LONGEST_WAIT


def test_a_good_poll_ends_all_troubles() -> None:
    assert after_good(after_trouble(Rhythm(), 7.0), Seen(1, 9), BOUNDS, NOW).troubles == 0


def test_it_is_our_network_only_when_nobody_at_all_was_reached_of_two_or_more() -> None:
    assert own_outage([], ["a", "b"])
    assert not own_outage(["c"], ["a", "b"])
    assert not own_outage([], ["a"])
    assert not own_outage([], [])


def fed(days: int, every: timedelta, night: bool = True) -> tuple[Rhythm, datetime]:
    """A source with news at `every` from 7 to 23 o'clock, silent at night."""
    rhythm, at = Rhythm(), datetime(2026, 11, 1, 7, 0, tzinfo=CST)
    end = at + timedelta(days=days)
    while at < end:
        if not night or 7 <= at.hour < 23:
            rhythm = after_good(rhythm, Seen(1, 19), BOUNDS, at)
        at += every
    assert rhythm.new_at is not None
    return rhythm, rhythm.new_at


def test_a_source_that_pauses_every_night_is_not_strange_at_night_but_is_the_next_noon() -> None:
    rhythm, last = fed(9, 20 * MINUTE)
    assert not strangely_quiet(rhythm, last + timedelta(hours=9))
    assert strangely_quiet(rhythm, last + timedelta(hours=11))


def test_a_source_that_never_pauses_is_strange_within_hours() -> None:
    rhythm, last = fed(9, 20 * MINUTE, night=False)
    assert not strangely_quiet(rhythm, last + timedelta(hours=1))
    assert strangely_quiet(rhythm, last + timedelta(hours=2))


def test_a_source_known_for_less_than_a_week_gets_half_a_day_and_an_unknown_one_is_never_strange() -> None:
    rhythm, last = fed(1, 20 * MINUTE)
    assert not strangely_quiet(rhythm, last + timedelta(hours=11))
    assert strangely_quiet(rhythm, last + timedelta(hours=13))
    assert not strangely_quiet(Rhythm(news=2, new_at=NOW), NOW + timedelta(days=30))


def test_what_was_learned_survives_being_stored_as_json_and_fields_of_other_versions() -> None:
    rhythm, _ = fed(3, 20 * MINUTE)
    stored = json.loads(json.dumps(kept(rhythm)))
    assert rhythm_of(stored | {"of_tomorrow": 1}) == rhythm
    assert rhythm_of(None) == Rhythm()
