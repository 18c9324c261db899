"""How a day falls into shifts, and who may sign their log."""

from __future__ import annotations

import itertools
from datetime import datetime, time, timedelta

import pytest

from models.core.dutylog import shifts, why_not_signed
from models.core.moment import CST
from models.core.roster import Contact, Person, Roster, Rotation, Rung, Shift, Unit
from models.core.vocabulary import Role

DAY = datetime(2026, 11, 21, 0, 0, tzinfo=CST)
PEOPLE = tuple(Person(who, who, "u", (Contact("hook", who),)) for who in ("chen", "zhao", "li"))
BY_DAY, BY_NIGHT = time(8), time(20)


def turned() -> Roster:
    """chen by day, zhao by night, li above."""
    turn = Rotation(("chen",), timedelta(days=1), DAY + timedelta(hours=8))
    first = Rung(
        1,
        Role.DUTY_OFFICER,
        shifts=(Shift(BY_DAY, BY_NIGHT, rotation=turn), Shift(BY_NIGHT, BY_DAY, ("zhao",))),
    )
    return Roster((Unit("u", "办公室"),), PEOPLE, (first, Rung(2, Role.DUTY_LEADER, ("li",))))


def steady() -> Roster:
    return Roster((Unit("u", "办公室"),), PEOPLE, (Rung(1, Role.DUTY_OFFICER, ("chen",)),))


def spans(roster: Roster, day: datetime) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (f"{one.since:%d %H:%M}", f"{one.until:%d %H:%M}", tuple(p.id for p in one.people))
        for one in shifts(roster, day)
    ]


def test_a_night_shift_belongs_whole_to_the_evening_on_which_it_began() -> None:
    assert spans(turned(), DAY + timedelta(hours=3)) == [
        ("21 08:00", "21 20:00", ("chen",)),
        ("21 20:00", "22 08:00", ("zhao",)),
    ]


def test_no_hour_of_a_week_stands_in_two_days_and_none_is_left_out() -> None:
    found = [one for n in range(7) for one in shifts(turned(), DAY + timedelta(days=n))]
    assert all(a.until == b.since for a, b in itertools.pairwise(found))
    assert found[-1].until - found[0].since == timedelta(days=7)


def test_people_who_stay_for_days_have_a_log_for_each_day() -> None:
    assert spans(steady(), DAY) == [("21 00:00", "22 00:00", ("chen",))]


def test_each_shift_says_who_stood_on_each_rung() -> None:
    (first, _) = shifts(turned(), DAY)
    assert [(rung, [p.id for p in people]) for rung, people in first.ladder] == [(1, ["chen"]), (2, ["li"])]
    assert first.id == "20261121T080000"


@pytest.mark.parametrize(
    ("by", "rung", "hour", "signed", "why"),
    [
        ("li", 2, 21, None, None),
        ("li", 2, 19, None, "才结束"),
        ("chen", 2, 21, None, "不能签自己的日志"),
        ("zhao", 1, 21, None, "由带班的人签字"),
        ("li", 2, 21, "李主任", "已由 李主任 签字"),
    ],
)
def test_the_log_is_signed_once_by_whoever_stands_above_when_the_shift_is_over(
    by: str, rung: int, hour: int, signed: str | None, why: str | None
) -> None:
    (day, _) = shifts(turned(), DAY)
    said = why_not_signed(by, by, rung, day, DAY + timedelta(hours=hour), signed)
    assert said is None if why is None else (said is not None and why in said)
