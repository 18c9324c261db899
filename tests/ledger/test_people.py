"""People on both databases: snoozes, hand-overs, rungs out of reach, and what the owner hears."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.core.roster import Absence, Change, Roster
from models.core.vocabulary import AlertState, EvidenceKind, Grade, StartEvent
from models.ledger import acts, handovers, incidents, notices, outbox, planning, snoozing, views
from models.ledger.clocks import BoundRule
from models.ledger.handovers import NoSuchHandover
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.raising import Sweep, raise_due, unreached
from models.ledger.store import Store
from models.ledger.verify import verify
from models.records import Alert
from support.duty import FIRST, HOUR, MIDNIGHT, MINUTE, ROSTER, rule, rules_for

NAMES = {person.id: person.name for person in ROSTER.people}
ACKNOWLEDGE = rule("acknowledge", 1, EvidenceKind.ACKNOWLEDGEMENT, StartEvent.DISCOVERY)


def opened(store: Store, grade: Grade = Grade.II, rules: planning.RulesFor = rules_for) -> str:
    times = {StartEvent.DISCOVERY: MIDNIGHT, StartEvent.OCCURRENCE: MIDNIGHT}
    opening = acts.Opening("化工园区火灾", grade, times, "chen", "热线来电", provisional=False)
    with store.write() as conn:
        return acts.open_incident(conn, MIDNIGHT, opening, rules)


def sweep(store: Store, now: datetime, roster: Roster = ROSTER) -> list[str]:
    """Raise what is due and return 'step → person' of what was told now; notices as 'topic → person'."""
    with store.write() as conn:
        raise_due(conn, Sweep(now, roster))
    with store.read() as conn:
        rows = conn.execute(
            select(Alert.clock_id, Alert.step_key, Alert.person_id).where(Alert.raised_at == now)
        ).all()
    return sorted(
        f"{row.clock_id if row.clock_id.startswith('notice') else row.step_key} {row.person_id}"
        for row in rows
    )


def snooze(store: Store, incident: str, at: datetime, by: str = "chen", minutes: int = 120) -> datetime:
    with store.write() as conn:
        return snoozing.snooze(conn, at, incident, by, NAMES[by], minutes * MINUTE, "在现场")


# ── snooze ──


def test_a_snooze_keeps_repeats_away_until_it_ends_and_stops_no_ladder(store: Store) -> None:
    incident = opened(store)
    assert sweep(store, MIDNIGHT + 2.5 * HOUR) == ["50% chen"]
    assert snooze(store, incident, MIDNIGHT + 2.6 * HOUR) == MIDNIGHT + 4.6 * HOUR
    assert sweep(store, MIDNIGHT + 3.75 * HOUR) == ["75% li"]
    assert sweep(store, MIDNIGHT + 4.6 * HOUR) == ["90% chen", "90% li", "90% zhao"]  # it has ended


def test_a_snooze_never_holds_the_deadline_and_ends_at_it(store: Store) -> None:
    incident = opened(store)
    sweep(store, MIDNIGHT + 4.5 * HOUR)
    assert snooze(store, incident, MIDNIGHT + 4.6 * HOUR) == MIDNIGHT + 5 * HOUR
    assert "100% chen" in sweep(store, MIDNIGHT + 5 * HOUR)


def test_a_new_clock_and_a_graver_grade_come_through_a_snooze(store: Store) -> None:
    incident = opened(store, Grade.III)
    snooze(store, incident, MIDNIGHT + 3.4 * HOUR)
    with store.write() as conn:
        acts.set_grade(conn, MIDNIGHT + 3.5 * HOUR, incident, Grade.II, "li", "伤亡上升", rules_for)
    assert "75% chen" in sweep(store, MIDNIGHT + 3.75 * HOUR)


def test_a_snooze_is_no_acknowledgement_anywhere(store: Store) -> None:
    def rules(_: object) -> list[BoundRule]:
        return [BoundRule(made, "test", "v1", 2 * HOUR) for made in (FIRST, ACKNOWLEDGE)]

    incident = opened(store, rules=rules)
    snooze(store, incident, MIDNIGHT + MINUTE)
    with store.write() as conn:
        acts.note(conn, MIDNIGHT + 2 * MINUTE, incident, "已派员", "chen")
        assert incidents.acks(conn, [incident]) == {}  # progress renews acknowledgements, not snoozes
    with store.read() as conn:
        shown = views.incident(conn, incident, MIDNIGHT + 3 * MINUTE, NAMES)
        (counted,) = views.board(conn, MIDNIGHT + 3 * MINUTE, NAMES)
    assert (shown["acked"], shown["holder"]) == ([], None)
    assert [one["person"] for one in shown["snoozed"]] == ["chen"]
    assert views.counts([counted])["unacked"] == 1
    clock = next(c for c in shown["clocks"] if c["id"] == "acknowledge")
    assert clock["state"] == "running"
    assert verify(store, MIDNIGHT + HOUR)["ok"]


def test_whose_snooze_is_over_is_to_be_reminded_unless_they_acknowledged(store: Store) -> None:
    incident = opened(store)
    until = snooze(store, incident, MIDNIGHT, minutes=30)
    with store.read() as conn:
        assert snoozing.over(conn, until - MINUTE) == []
        (row,) = snoozing.over(conn, until)
    assert (row.person_id, "尚未签收" in snoozing.told(row)) == ("chen", True)
    with store.write() as conn:
        acts.acknowledge(conn, until, incident, "chen", "陈值班", "已知悉", rules_for)
        assert snoozing.over(conn, until + MINUTE) == []


@pytest.mark.parametrize("minutes", [0, 4, 121])
def test_a_snooze_of_an_unreasonable_length_is_refused_with_the_limits(store: Store, minutes: int) -> None:
    with pytest.raises(NotAllowed, match="5 到 120 分钟"):
        snooze(store, opened(store), MIDNIGHT, minutes=minutes)


# ── out of reach ──


def test_a_rung_without_anybody_is_told_to_the_owner_once_a_day(store: Store) -> None:
    opened(store)
    away = replace(ROSTER, absences=(Absence("chen", MIDNIGHT, MIDNIGHT + 24 * HOUR),), owner=("zhou",))
    assert sweep(store, MIDNIGHT + 2.5 * HOUR, away) == ["50% li", "notice:roster-hole zhou"]
    opened(store)
    assert sweep(store, MIDNIGHT + 2.6 * HOUR, away) == ["50% li"]


def test_when_nobody_at_all_is_on_duty_each_step_still_reaches_somebody(store: Store) -> None:
    opened(store)
    gone = tuple(Absence(person.id, MIDNIGHT, MIDNIGHT + 24 * HOUR) for person in ROSTER.people)
    told = sweep(store, MIDNIGHT + 2.5 * HOUR, replace(ROSTER, absences=gone, owner=("li",)))
    assert {"50% li", "50% zhou"} <= set(told)


@pytest.mark.parametrize("dies_first", [True, False])
def test_who_took_one_of_two_messages_of_one_moment_is_within_reach_on_every_engine(
    store: Store, dies_first: bool
) -> None:
    incident, chen = opened(store), ROSTER.people[:1]
    two = [Notice("test", name, name, "缘由", chen, incident_id=incident) for name in ("a", "b")]
    with store.write() as conn:
        notices.tell(conn, MIDNIGHT, two)
        rows = outbox.claim(conn, MIDNIGHT, MIDNIGHT + HOUR, "me", 50)
        for row in sorted(rows, key=lambda row: str(row.step_key), reverse=not dies_first):
            died = row.step_key == "a"
            outbox.settle(conn, MIDNIGHT, [(row, outbox.Attempt(row.id, not died, died, "答复", "hook"))])
    with store.read() as conn:
        assert unreached(conn, [incident]) == {}


def test_whose_alerts_died_counts_as_out_of_reach_for_that_incident_alone(store: Store) -> None:
    first, second = opened(store), opened(store)
    sweep(store, MIDNIGHT + 2.5 * HOUR)
    with store.write() as conn:
        rows = outbox.claim(conn, MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR, "me", 50)
        dying = [
            (r, outbox.Attempt(r.id, False, True, "查无此人", "hook")) for r in rows if r.incident_id == first
        ]
        assert outbox.settle(conn, MIDNIGHT + 3 * HOUR, dying) is not None
    with store.read() as conn:
        states = {row.incident_id: row.state for row in conn.execute(select(Alert.incident_id, Alert.state))}
    assert (states[first], states[second] == AlertState.DEAD) == (AlertState.DEAD, False)
    half = MIDNIGHT + 12 * HOUR  # 50 % of the press conference: rung 1
    sweep(store, half)
    with store.read() as conn:
        told = conn.execute(
            select(Alert.incident_id, Alert.person_id).where(
                Alert.raised_at == half, Alert.clock_id.contains("press"), Alert.step_key == "50%"
            )
        ).all()
    assert sorted((row.incident_id == first, row.person_id) for row in told) == [
        (False, "chen"),
        (True, "chen"),
        (True, "li"),
    ]


# ── hand-over ──

CHANGE = Change(1, MIDNIGHT + 2 * HOUR, (ROSTER.people[3],), (ROSTER.people[0],))
SUMMARY = {"written_at": "2026-11-21T02:00:00+08:00", "open": 0}


def handed(store: Store) -> str:
    with store.write() as conn:
        assert handovers.write(conn, CHANGE.at, CHANGE, SUMMARY)
    return handovers.name_of(CHANGE)


def test_one_change_of_shift_is_written_once_by_whoever_comes_first(store: Store) -> None:
    handed(store)
    with store.write() as conn:
        assert not handovers.write(conn, CHANGE.at + MINUTE, CHANGE, SUMMARY)
        assert len(handovers.newest(conn)) == 1
    assert verify(store, CHANGE.at)["ok"]


def test_only_whoever_comes_on_accepts_and_only_once(store: Store) -> None:
    name = handed(store)
    with pytest.raises(NotAllowed, match="接班人是 chen某"), store.write() as conn:
        handovers.accept(conn, CHANGE.at, name, "li", NAMES, "")
    with store.write() as conn:
        handovers.note(conn, CHANGE.at, name, "zhou", NAMES, "记者 23 点再来电")
        handovers.accept(conn, CHANGE.at + MINUTE, name, "chen", NAMES, "已核对")
    with pytest.raises(NotAllowed, match="已由 chen某"), store.write() as conn:
        handovers.accept(conn, CHANGE.at, name, "chen", NAMES, "")
    with store.read() as conn:
        row = handovers.of(conn, name)
    assert (row.accepted_by, row.accepted_at) == ("chen", CHANGE.at + MINUTE)
    assert row.note == "zhou某：记者 23 点再来电\nchen某：已核对"
    assert verify(store, CHANGE.at)["ok"]


def test_strangers_write_no_notes_and_an_unknown_number_is_named(store: Store) -> None:
    name = handed(store)
    with pytest.raises(NotAllowed, match="只有交班人和接班人"), store.write() as conn:
        handovers.note(conn, CHANGE.at, name, "li", NAMES, "路过")
    with pytest.raises(NoSuchHandover, match="1-nothing"), store.write() as conn:
        handovers.accept(conn, CHANGE.at, "1-nothing", "chen", NAMES, "")


def test_until_it_is_accepted_the_old_shift_is_told_too_for_an_hour_at_most(store: Store) -> None:
    name = handed(store)
    opened(store)
    assert sweep(store, MIDNIGHT + 2.5 * HOUR) == ["50% chen", "50% zhou"]
    with store.write() as conn:
        assert handovers.staying(conn, CHANGE.at + handovers.STAY) == {}
        handovers.accept(conn, MIDNIGHT + 2.6 * HOUR, name, "chen", NAMES, "")
        assert handovers.staying(conn, MIDNIGHT + 2.7 * HOUR) == {}
    assert sweep(store, MIDNIGHT + 3.75 * HOUR) == ["75% chen", "75% li"]


def test_the_roster_hole_notice_is_rebuilt_from_the_journal(store: Store) -> None:
    opened(store)
    away = replace(ROSTER, absences=(Absence("chen", MIDNIGHT, MIDNIGHT + timedelta(days=1)),))
    sweep(store, MIDNIGHT + 2.5 * HOUR, away)
    with store.read() as conn:
        (row,) = notices.of_topic(conn, "roster-hole")
    assert (row.person_id, row.step_key) == ("zhou", "1 2026-11-21")
    assert verify(store, MIDNIGHT + 3 * HOUR)["ok"]
