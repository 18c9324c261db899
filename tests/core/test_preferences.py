"""Preferences arrange, they never silence: whatever anybody wishes, a deadline goes at once, to every contact."""

from __future__ import annotations

import string
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.moment import CST
from models.core.preferences import (
    LONGEST,
    NONE,
    Quiet,
    Urgency,
    Wishes,
    arranged,
    held_until,
    in_words,
    refusal,
    urgency,
    ways,
)
from models.core.roster import Contact, Person, Roster, Rung
from models.core.vocabulary import AlertKind, Role

CHANNELS = ("slack", "sms", "voice", "mail")
contacts = st.lists(
    st.builds(Contact, st.sampled_from(CHANNELS), st.text(string.ascii_lowercase, min_size=1, max_size=3)),
    max_size=5,
    unique=True,
)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
wishes = st.builds(
    Wishes,
    st.dictionaries(
        st.sampled_from(list(Urgency)),
        st.lists(st.sampled_from(CHANNELS), max_size=4, unique=True).map(tuple),
        max_size=4,
    ),
    st.none() | st.builds(Quiet, clocks, clocks),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001  (made Beijing's)
    lambda at: at.replace(tzinfo=CST)
)
topics = st.sampled_from(
    ["", "dead", "reach", "handover", "plan:p1", "tasks", "registers", "supervision", "something new"]
)


@given(contacts, wishes, moments)
def test_no_preference_delays_or_drops_a_deadline(own: list[Contact], wish: Wishes, now: datetime) -> None:
    for kind in (AlertKind.STEP, AlertKind.TEST, AlertKind.ALARM):
        urgent = urgency(kind, "tasks")
        assert sorted(map(str, ways(own, wish, urgent))) == sorted(map(str, own))
        assert held_until(wish, urgent, now) is None


@given(contacts, wishes, moments, topics)
def test_nothing_but_a_low_notice_ever_waits_or_loses_a_contact(
    own: list[Contact], wish: Wishes, now: datetime, topic: str
) -> None:
    urgent = urgency(AlertKind.NOTICE, topic)
    if urgent is Urgency.LOW:
        assert topic in ("tasks", "registers")
        assert bool(ways(own, wish, urgent)) == bool(own), "somebody who could be reached still can"
        held = held_until(wish, urgent, now)
        assert held is None or now < held <= now + timedelta(days=1)
    else:
        assert sorted(map(str, ways(own, wish, urgent))) == sorted(map(str, own))
        assert held_until(wish, urgent, now) is None


@given(contacts, wishes)
def test_a_roster_is_arranged_and_nobody_gains_or_loses_a_contact(own: list[Contact], wish: Wishes) -> None:
    people = (Person("chen", "陈", "u", tuple(own)), Person("li", "李", "u", tuple(own)))
    roster = Roster((), people, (Rung(1, Role.DUTY_OFFICER, ("chen",)),))
    made = arranged(roster, {"chen": wish})
    assert [set(one.contacts) for one in made.people] == [set(own), set(own)]
    assert made.people[1] == people[1]


SMS, SLACK, VOICE = Contact("sms", "1"), Contact("slack", "U1"), Contact("voice", "1")


def test_the_wished_channel_comes_first_and_the_others_stay_in_their_order() -> None:
    wish = Wishes({Urgency.DEADLINE: ("voice",)})
    assert ways((SMS, SLACK, VOICE), wish, Urgency.DEADLINE) == (VOICE, SMS, SLACK)
    assert ways((SMS, SLACK, VOICE), wish, Urgency.HIGH) == (SMS, SLACK, VOICE)


def test_low_notices_may_be_kept_from_a_contact_but_not_from_all() -> None:
    wish = Wishes({Urgency.LOW: ("slack",)})
    assert ways((SMS, SLACK, VOICE), wish, Urgency.LOW) == (SLACK,)
    assert ways((SMS, VOICE), wish, Urgency.LOW) == (SMS, VOICE), "the wished channel is gone: all again"


@pytest.mark.parametrize(
    ("clock", "until"),
    [("21:59", None), ("22:00", "1 07:00"), ("23:30", "1 07:00"), ("06:59", "0 07:00"), ("07:00", None)],
)
def test_quiet_hours_run_over_midnight(clock: str, until: str | None) -> None:
    day = datetime(2026, 11, 21, tzinfo=CST)
    hour, minute = map(int, clock.split(":"))
    over = Quiet(time(22), time(7)).over_at(day.replace(hour=hour, minute=minute))
    wanted = None if until is None else day + timedelta(days=int(until[0]), hours=7)
    assert over == wanted


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wishes({Urgency.HIGH: ("pigeon",)}), "没有您的 pigeon"),
        (Wishes(quiet=Quiet(time(8), time(8))), "起止相同"),
        (Wishes(quiet=Quiet(time(8), time(7))), "最长 14 小时"),
        (Wishes({Urgency.HIGH: ("sms",)}, Quiet(time(22), time(7))), None),
        (NONE, None),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_with_the_way_out(wish: Wishes, words: str | None) -> None:
    said = refusal(wish, ["sms", "slack"])
    assert said is None if words is None else words in str(said)
    assert timedelta(hours=14) == LONGEST


def test_wishes_are_said_as_they_work() -> None:
    wish = Wishes({Urgency.DEADLINE: ("voice", "sms"), Urgency.LOW: ("mail",)}, Quiet(time(22), time(7)))
    assert in_words(wish) == "时限先用 voice、sms；不急只用 mail；22:00–07:00 不急的通知留到其后"
    assert in_words(NONE) == "按值班表的顺序，不设静默时段"
    assert not NONE
