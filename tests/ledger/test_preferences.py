"""Preferences in the ledger, on both databases: kept as entries, read where contacts are ordered, rebuilt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.core.preferences import Quiet, Urgency, Wishes
from models.core.roster import Contact
from models.core.vocabulary import Grade, StartEvent
from models.ledger import acts, notices, outbox, preferences, raising, reaching, tallies
from models.ledger.acts import Opening
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.raising import Sweep
from models.ledger.store import Connection, Store
from models.ledger.verify import verify
from support.duty import HOUR, MIDNIGHT, ROSTER, rules_for

WAYS = (Contact("sms", "1"), Contact("slack", "U1"), Contact("voice", "1"))
TEAM = replace(ROSTER, people=tuple(replace(one, contacts=WAYS) for one in ROSTER.people))
CHEN = TEAM.people[0]
NIGHT = Quiet(time(22), time(7))
HALF = MIDNIGHT + 2.5 * HOUR


def tell(conn: Connection, topic: str, at: datetime = HALF) -> None:
    notices.tell(conn, at, [Notice(topic, f"{at:%d %H:%M:%S}", "清单", "…", [CHEN])])


def test_wishes_are_kept_changed_and_rebuilt(store: Store) -> None:
    first = Wishes({Urgency.DEADLINE: ("voice", "sms")}, NIGHT)
    with store.write() as conn:
        preferences.save(conn, MIDNIGHT, "chen", "陈", first)
        assert preferences.of(conn) == {"chen": first}
        preferences.save(conn, HALF, "chen", "陈", Wishes({Urgency.LOW: ("slack",)}))
        assert preferences.of(conn, ["chen", "li"]) == {"chen": Wishes({Urgency.LOW: ("slack",)})}
        preferences.save(conn, HALF, "chen", "陈", Wishes())
        assert preferences.of(conn) == {}
    assert verify(store, HALF)["findings"] == []


def test_a_step_is_told_by_the_wished_channel_first_at_once_and_by_all(store: Store) -> None:
    times = {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.DISCOVERY: MIDNIGHT}
    with store.write() as conn:
        preferences.save(conn, MIDNIGHT, "chen", "陈", Wishes({Urgency.DEADLINE: ("voice",)}, NIGHT))
        acts.open_incident(conn, MIDNIGHT, Opening("火灾", Grade.II, times, "li", "人工"), rules_for)
        raising.raise_due(conn, Sweep(HALF, TEAM))
        (alert,) = reaching.newest(conn, "chen")
        assert alert.contacts == [["voice", "1"], ["sms", "1"], ["slack", "U1"]]
        assert (alert.next_try_at, alert.not_before) == (HALF, None)
        assert outbox.claim(conn, HALF, HALF + HOUR, "me", 9)


def test_a_low_notice_goes_by_the_wished_channel_alone_when_the_quiet_hours_are_over(store: Store) -> None:
    with store.write() as conn:
        preferences.save(conn, MIDNIGHT, "chen", "陈", Wishes({Urgency.LOW: ("slack",)}, NIGHT))
        tell(conn, "tasks")
        (low,) = reaching.newest(conn, "chen")
        assert low.contacts == [["slack", "U1"]]
        assert low.not_before == low.next_try_at == MIDNIGHT + 7 * HOUR
        assert not outbox.claim(conn, MIDNIGHT + 6.9 * HOUR, MIDNIGHT + 8 * HOUR, "me", 9)
        assert (outbox.queue(conn, HALF)["waiting"], tallies.alerts_waiting(conn, HALF + HOUR)) == (0, 0)
        assert tallies.alerts_waiting(conn, MIDNIGHT + 8 * HOUR) == 1
        assert outbox.queue(conn, MIDNIGHT + 8 * HOUR)["oldest"] == MIDNIGHT + 7 * HOUR
        assert outbox.claim(conn, MIDNIGHT + 7 * HOUR, MIDNIGHT + 8 * HOUR, "me", 9)
    assert verify(store, MIDNIGHT + 8 * HOUR)["findings"] == []


CHANNELS = st.lists(st.sampled_from(["sms", "slack", "voice", "gone"]), max_size=4, unique=True).map(tuple)
CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
WISHES = st.builds(
    Wishes,
    st.dictionaries(st.sampled_from(list(Urgency)), CHANNELS, max_size=4),
    st.none() | st.builds(Quiet, CLOCKS, CLOCKS),
)


def test_no_preference_delays_or_drops_what_is_about_a_deadline(store: Store) -> None:
    """Whatever chen wishes, at whatever hour: the step's alert is due at once, with every contact."""
    times = {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.DISCOVERY: MIDNIGHT}

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(wishes=WISHES, hours=st.integers(3, 60))
    def holds(wishes: Wishes, hours: int) -> None:
        now = MIDNIGHT + hours * HOUR
        with store.write() as conn:
            preferences.save(conn, MIDNIGHT, "chen", "陈", wishes)
            acts.open_incident(conn, MIDNIGHT, Opening("火灾", Grade.II, times, "li", "人工"), rules_for)
            assert raising.raise_due(conn, Sweep(now, TEAM)).steps
            mine = [row for row in reaching.newest(conn, "chen") if row.raised_at == now]
            assert mine
            for alert in mine:
                assert sorted(alert.contacts) == sorted([one.channel, one.address] for one in WAYS)
                assert (alert.next_try_at, alert.not_before, alert.state) == (now, None, "queued")
            conn.rollback()

    holds()


def test_a_test_of_ones_own_goes_by_one_contact_and_lapses(store: Store) -> None:
    with store.write() as conn:
        preferences.save(conn, MIDNIGHT, "chen", "陈", Wishes({Urgency.DEADLINE: ("voice",)}, NIGHT))
        reaching.try_own(conn, HALF, CHEN, 2)
        (test,) = reaching.newest(conn, "chen")
        assert (test.contacts, test.next_try_at) == ([["slack", "U1"]], HALF)
        with pytest.raises(NotAllowed, match="30 秒"):
            reaching.try_own(conn, HALF, CHEN, 2)
        reaching.try_own(conn, HALF, CHEN, 1)
        assert reaching.lapse(conn, HALF + timedelta(minutes=19)) == 0
        assert reaching.lapse(conn, HALF + timedelta(minutes=21)) == 2
        assert {row.state for row in reaching.newest(conn, "chen")} == {"withdrawn"}
    assert verify(store, HALF + HOUR)["findings"] == []
