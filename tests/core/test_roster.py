"""Who is on duty: turns, shifts over midnight, overrides, absences in a chain, double duty."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.core.moment import CST
from models.core.roster import (
    DAY,
    NEXT,
    Absence,
    Override,
    Person,
    Roster,
    Rotation,
    Rung,
    Sensitive,
    Shift,
)
from models.core.vocabulary import Role
from support.duty import HOUR, MIDNIGHT, MINUTE, ROSTER, person

NEW_YEAR = datetime(2027, 1, 1, tzinfo=CST)
DAYTIME, NIGHT = time(8), time(20)


def rota(*shifts: Shift, **more: object) -> Roster:
    """A roster whose first rung has these shifts, over the people of tests."""
    first = Rung(1, Role.DUTY_OFFICER, shifts=shifts)
    return replace(ROSTER, ladder=(first, *ROSTER.ladder[1:]), **more)  # type: ignore[arg-type]


def turning(*people: str, every: timedelta = DAY, since: datetime = MIDNIGHT) -> Rotation:
    return Rotation(people, every, since)


TWO_SHIFTS = rota(
    Shift(DAYTIME, NIGHT, rotation=turning("chen", "li")),
    Shift(NIGHT, DAYTIME, rotation=turning("zhao", "zhou")),
)


def on(roster: Roster, moment: datetime, rung: int = 1) -> list[str]:
    return [p.id for p in roster.on_duty(rung, moment)]


# ── shifts ──


def test_a_night_belongs_to_the_day_it_began_on_so_nobody_changes_at_midnight() -> None:
    evening, morning = MIDNIGHT + 21 * HOUR, MIDNIGHT + 31 * HOUR
    assert on(TWO_SHIFTS, evening) == on(TWO_SHIFTS, MIDNIGHT + DAY) == on(TWO_SHIFTS, morning) == ["zhao"]
    assert on(TWO_SHIFTS, MIDNIGHT + 32 * HOUR) == ["li"]
    assert on(TWO_SHIFTS, evening + DAY) == ["zhou"]


def test_a_shift_ends_the_moment_the_next_begins() -> None:
    change = MIDNIGHT + 20 * HOUR
    assert (on(TWO_SHIFTS, change - MINUTE), on(TWO_SHIFTS, change)) == (["chen"], ["zhao"])


def test_the_night_of_new_year_is_one_shift() -> None:
    assert (
        on(TWO_SHIFTS, NEW_YEAR - MINUTE) == on(TWO_SHIFTS, NEW_YEAR) == on(TWO_SHIFTS, NEW_YEAR + 7 * HOUR)
    )
    assert on(TWO_SHIFTS, NEW_YEAR + 8 * HOUR) != on(TWO_SHIFTS, NEW_YEAR)


def test_equal_ends_are_a_whole_day() -> None:
    assert Shift(DAYTIME, DAYTIME, ("chen",)).length == DAY


def test_hours_without_a_shift_are_a_hole_between_two_turns() -> None:
    holed = rota(Shift(DAYTIME, NIGHT, ("chen",)))
    turns = holed.turns(1, MIDNIGHT, MIDNIGHT + DAY)
    assert [(t.since, [p.id for p in t.people]) for t in turns] == [
        (MIDNIGHT, []),
        (MIDNIGHT + 8 * HOUR, ["chen"]),
        (MIDNIGHT + 20 * HOUR, []),
    ]


clocks = st.integers(0, 23)
moments = st.integers(0, 3 * 366 * 24 * 60).map(lambda minutes: MIDNIGHT + minutes * MINUTE)


@given(edges=st.sets(clocks, min_size=1, max_size=5), moment=moments, every=st.integers(1, 40))
def test_somebody_is_always_on_duty_when_the_shifts_cover_the_day(
    edges: set[int], moment: datetime, every: int
) -> None:
    hours = sorted(edges)
    names = ("chen", "li", "zhao", "zhou")
    turn = turning(*names, every=every * 6 * HOUR, since=MIDNIGHT)
    shifts = [
        Shift(time(begin), time(end), rotation=turn)
        for begin, end in zip(hours, [*hours[1:], hours[0]], strict=True)
    ]
    assert len(on(rota(*shifts), moment)) == 1


@given(begin=clocks, end=clocks, moment=moments)
def test_whoever_is_named_for_a_shift_has_it_to_its_end(begin: int, end: int, moment: datetime) -> None:
    shift = Shift(time(begin), time(end), rotation=turning("chen", "li", "zhao"))
    began = shift.began(moment)
    roster = rota(shift)
    if began is None:
        assert on(roster, moment) == []
    else:
        assert on(roster, moment) == on(roster, began) == on(roster, began + shift.length - MINUTE)


@given(since=moments, hours=st.integers(1, 24 * 10))
def test_turns_fill_the_span_without_gap_and_say_who_is_there(since: datetime, hours: int) -> None:
    away = Absence("zhao", since, since + 30 * HOUR, "chen")
    roster = replace(TWO_SHIFTS, absences=(away,))
    until = since + hours * HOUR
    turns = roster.turns(1, since, until)
    assert [turns[0].since, *(t.until for t in turns)] == [*(t.since for t in turns), until]
    assert all(a.ids != b.ids for a, b in pairwise(turns))
    assert all(set(on(roster, t.since)) == t.ids == set(on(roster, t.until - MINUTE)) for t in turns)


# ── what people change ──


def test_an_override_replaces_what_the_turns_say() -> None:
    swap = Override(1, MIDNIGHT + 9 * HOUR, MIDNIGHT + 12 * HOUR, ("zhou",), "与陈值班对调")
    roster = replace(TWO_SHIFTS, overrides=(swap,))
    assert on(roster, MIDNIGHT + 8 * HOUR) == ["chen"]
    (post,) = roster.posts(1, MIDNIGHT + 10 * HOUR)
    assert (post.person.id, post.note) == ("zhou", "与陈值班对调")
    assert on(roster, MIDNIGHT + 12 * HOUR) == ["chen"]


def away(who: str, substitute: str | None = None) -> Absence:
    return Absence(who, MIDNIGHT, MIDNIGHT + DAY, substitute)


def test_the_substitute_of_an_absent_substitute_stands_in() -> None:
    roster = replace(ROSTER, absences=(away("chen", "li"), away("li", "zhao")))
    (post,) = roster.posts(1, MIDNIGHT)
    assert (post.person.id, post.note) == ("zhao", "代 chen某")


def test_substitutes_in_a_circle_leave_the_rung_empty_and_do_not_hang() -> None:
    roster = replace(ROSTER, absences=(away("chen", "li"), away("li", "chen")))
    assert on(roster, MIDNIGHT) == []


def test_of_two_absences_at_once_the_one_with_a_substitute_counts() -> None:
    roster = replace(ROSTER, absences=(away("chen"), away("chen", "zhou")))
    assert on(roster, MIDNIGHT) == ["zhou"]


def sensitive(*extra: str) -> Sensitive:
    return Sensitive("两会", MIDNIGHT, MIDNIGHT + 3 * DAY, (1,), extra or (NEXT,))


def test_in_a_sensitive_period_the_next_in_turn_is_on_duty_too() -> None:
    roster = replace(TWO_SHIFTS, sensitive=(sensitive(),))
    posts = roster.posts(1, MIDNIGHT + 10 * HOUR)
    assert [(p.person.id, p.note) for p in posts] == [("chen", ""), ("li", "两会双岗")]
    assert on(roster, MIDNIGHT + 3 * DAY + 10 * HOUR) == ["li"]
    assert on(roster, MIDNIGHT + 10 * HOUR, rung=2) == ["li"]  # the period names rung 1 only


def test_the_second_pair_of_hands_is_never_the_same_person_twice() -> None:
    three = rota(Shift(DAYTIME, NIGHT, rotation=turning("chen", "li", "zhao")))
    roster = replace(three, sensitive=(sensitive(),), absences=(away("li", "chen"),))
    assert on(roster, MIDNIGHT + 10 * HOUR) == ["chen", "zhao"]


def test_a_named_second_joins_a_fixed_duty() -> None:
    roster = replace(ROSTER, sensitive=(sensitive("zhou"),))
    assert on(roster, MIDNIGHT) == ["chen", "zhou"]


# ── changes of shift, and who hears of holes ──


def test_changes_name_who_came_on_after_whom() -> None:
    first, second = TWO_SHIFTS.changes(1, MIDNIGHT + 8 * HOUR, MIDNIGHT + 32 * HOUR)
    assert (first.at, [p.id for p in first.before], [p.id for p in first.incoming]) == (
        MIDNIGHT + 20 * HOUR,
        ["chen"],
        ["zhao"],
    )
    assert second.at == MIDNIGHT + 32 * HOUR


def test_a_change_is_known_at_its_very_moment_and_not_before() -> None:
    at = MIDNIGHT + 20 * HOUR
    assert TWO_SHIFTS.changes(1, MIDNIGHT + 9 * HOUR, at - MINUTE) == []
    assert len(TWO_SHIFTS.changes(1, MIDNIGHT + 9 * HOUR, at)) == 1


def test_the_end_of_double_duty_hands_nothing_over() -> None:
    roster = replace(ROSTER, sensitive=(sensitive("zhou"),))
    joined, *rest = roster.changes(1, MIDNIGHT - HOUR, MIDNIGHT + 4 * DAY)
    assert ([p.id for p in joined.incoming], rest) == (["zhou"], [])


def test_who_has_not_been_relieved_stays_beside_the_new_shift() -> None:
    kept = ROSTER.keeping({1: ("zhou",)})
    assert [(p.person.id, p.note) for p in kept.posts(1, MIDNIGHT)] == [
        ("chen", ""),
        ("zhou", "交接尚未签收，暂留"),
    ]


def test_holes_are_told_to_the_owner_else_to_the_highest_rung_that_is_filled() -> None:
    assert [p.id for p in replace(ROSTER, owner=("li",)).owners(MIDNIGHT)] == ["li"]
    assert [p.id for p in replace(ROSTER, absences=(away("zhou"),)).owners(MIDNIGHT)] == ["zhao"]


def test_the_last_resort_is_the_owner_and_the_principals_absent_or_not() -> None:
    silent = Person("mute", "无联系方式", "office", ())
    roster = replace(
        ROSTER,
        people=(*ROSTER.people, silent, person("owner")),
        owner=("owner", "mute"),
        absences=(away("zhou"),),
    )
    assert [p.id for p in roster.last_resort()] == ["owner", "zhou"]
