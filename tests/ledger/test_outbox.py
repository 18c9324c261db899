"""The outbox: messages of several alerts, limits that all senders share, resends that lose nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.core.pacing import Limit
from models.core.roster import Contact, Person
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import notices, outbox, receipts
from models.ledger.notices import Notice
from models.ledger.outbox import ALERT, Attempt
from models.ledger.receipts import NoSuchAlert, Receipt, ReceiptKind
from models.ledger.store import Store
from models.ledger.verify import verify
from support.duty import MIDNIGHT, MINUTE

SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=90)
TWENTY = {"ding": Limit(20)}


def person(name: str, *ways: str) -> Person:
    return Person(name, f"{name}某", "office", tuple(Contact(way, name) for way in ways))


def queued(store: Store, people: Sequence[Person], subject: str = "a", at: datetime = MIDNIGHT) -> None:
    with store.write() as conn:
        told = notices.tell(conn, at, [Notice("test", subject, f"通知 {subject}", "缘由", people)])
    assert told == len(people)


def steps(store: Store) -> None:
    """Make every queued alert one about a deadline, as far as the outbox can tell."""
    with store.write() as conn:
        conn.execute(ALERT.update().values(kind=AlertKind.STEP.value))


def claim(store: Store, at: datetime, limits: dict[str, Limit] | None = None, by: str = "me") -> list[Any]:
    with store.write() as conn:
        return list(outbox.claim(conn, at, at + LEASE, by, 256, limits))


def settle(store: Store, at: datetime, rows: Sequence[Any], **how: Any) -> list[Any]:
    how = {"accepted": False, "lasting": False, "reason": "HTTP 503", "channel": "hook"} | how
    with store.write() as conn:
        return list(outbox.settle(conn, at, [(row, Attempt(alert_id=row.id, **how)) for row in rows]))


def bundles(rows: Sequence[Any]) -> list[list[str]]:
    """The messages of a claim, each by the occasions of its alerts."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.bundle, []).append(row.step_key)
    return list(found.values())


def test_what_waits_for_one_person_is_one_message_under_its_first_alerts_name(store: Store) -> None:
    for subject in "abc":
        queued(store, [person("chen", "hook")], subject)
    rows = claim(store, MIDNIGHT)
    assert len(bundles(rows)) == 1
    assert {row.bundle for row in rows} == {rows[0].id}


def test_a_resend_carries_what_was_in_the_message_and_nothing_new(store: Store) -> None:
    for subject in "ab":
        queued(store, [person("chen", "hook")], subject)
    first = claim(store, MIDNIGHT)
    settle(store, MIDNIGHT, first, reason="已发出，未见答复")
    queued(store, [person("chen", "hook")], "new", MIDNIGHT + MINUTE)
    again = claim(store, MIDNIGHT + MINUTE)
    assert sorted(bundles(again)) == [["a", "b"], ["new"]] or sorted(bundles(again)) == [["b", "a"], ["new"]]
    assert {row.bundle for row in again if row.step_key != "new"} == {first[0].bundle}


def test_a_sender_that_died_with_one_alert_in_hand_leaves_it_a_message_of_its_own(store: Store) -> None:
    queued(store, [person("chen", "hook")], "a")
    (alone,) = claim(store, MIDNIGHT)  # it may have gone out under its own name
    queued(store, [person("chen", "hook")], "b", MIDNIGHT + LEASE)
    rows = claim(store, MIDNIGHT + LEASE)
    assert len(bundles(rows)) == 2
    assert {row.id: row.bundle for row in rows}[alone.id] == alone.id


def test_a_message_that_was_refused_for_good_is_taken_apart(store: Store) -> None:
    for subject in "abc":
        queued(store, [person("chen", "hook")], subject)
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), alone=True, reason="HTTP 413")
    rows = claim(store, MIDNIGHT + SECOND)
    assert sorted(bundles(rows)) == [["a"], ["b"], ["c"]]
    assert {(row.contact, row.refused == [], row.attempts) for row in rows} == {(0, True, 1)}
    assert [row.step_key for row in settle(store, MIDNIGHT + SECOND, rows[:1], lasting=True)] == [
        rows[0].step_key
    ]
    assert verify(store, MIDNIGHT + MINUTE)["ok"]


def test_two_senders_at_once_stay_within_one_minutes_limit(store: Store) -> None:
    queued(store, [person(f"p{n}", "ding") for n in range(60)])
    steps(store)
    taken: list[Any] = []

    def send(by: str) -> None:
        taken.extend(claim(store, MIDNIGHT, TWENTY, by))

    threads = [threading.Thread(target=send, args=(f"sender {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 20
    with store.read() as conn:
        assert outbox.queue(conn, MIDNIGHT)["held"] == 40
    assert len(claim(store, MIDNIGHT + 59 * SECOND, TWENTY)) == 0
    assert len(claim(store, MIDNIGHT + 60 * SECOND, TWENTY)) == 20


def test_a_limited_channel_holds_up_no_other(store: Store) -> None:
    queued(store, [person(f"p{n}", "ding") for n in range(300)])
    queued(store, [person("chen", "hook")], "b", MIDNIGHT + SECOND)
    claim(store, MIDNIGHT, TWENTY)
    rows = claim(store, MIDNIGHT + SECOND, TWENTY)
    assert [row.person_id for row in rows] == ["chen"]


def test_what_was_held_back_goes_along_with_the_next_message_to_the_same_person(store: Store) -> None:
    queued(store, [person(f"p{n}", "ding") for n in range(15)])
    assert len(claim(store, MIDNIGHT, TWENTY)) == 15
    queued(store, [person("chen", "ding")], "held", MIDNIGHT + SECOND)
    assert claim(store, MIDNIGHT + SECOND, TWENTY) == []
    queued(store, [person("chen", "ding")], "step", MIDNIGHT + 2 * SECOND)
    with store.write() as conn:
        conn.execute(ALERT.update().where(ALERT.c.step_key == "step").values(kind=AlertKind.STEP.value))
    assert bundles(claim(store, MIDNIGHT + 2 * SECOND, TWENTY)) == [["step", "held"]]


def test_a_deadline_turns_to_another_contact_with_an_entry_and_verify_holds(store: Store) -> None:
    queued(store, [person(f"p{n}", "ding") for n in range(20)])
    steps(store)
    claim(store, MIDNIGHT, TWENTY)
    queued(store, [person("chen", "ding", "hook")], "b", MIDNIGHT + SECOND)
    with store.write() as conn:  # by an entry's way, so that verify can follow it
        conn.execute(ALERT.update().values(kind=AlertKind.STEP.value))
    (row,) = claim(store, MIDNIGHT + SECOND, TWENTY)
    assert (row.contact, row.contacts[row.contact][0]) == (1, "hook")
    with store.write() as conn:
        conn.execute(ALERT.update().values(kind=AlertKind.NOTICE.value))
    assert verify(store, MIDNIGHT + MINUTE)["ok"]


def test_a_retry_after_keeps_every_sender_away_from_the_channel(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), retry_after=30.0)
    queued(store, [person("li", "hook")], "b", MIDNIGHT + SECOND)
    queued(store, [person("zhao", "mail")], "c", MIDNIGHT + SECOND)
    rows = claim(store, MIDNIGHT + 2 * SECOND, by="another")
    assert [row.person_id for row in rows] == ["zhao"]
    assert sorted(row.person_id for row in claim(store, MIDNIGHT + 30 * SECOND)) == ["chen", "li"]


def test_a_channel_that_asks_for_a_day_is_asked_again_after_five_minutes(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), retry_after=86_400.0)
    queued(store, [person("li", "hook")], "b", MIDNIGHT + MINUTE)
    assert claim(store, MIDNIGHT + 4 * MINUTE) == []
    assert sorted(row.person_id for row in claim(store, MIDNIGHT + 5 * MINUTE)) == ["chen", "li"]


def test_a_deadline_does_not_sit_out_a_channels_wish_while_another_contact_has_room(store: Store) -> None:
    queued(store, [person("chen", "hook", "sms")])
    steps(store)
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), retry_after=3600.0)
    (row,) = claim(store, MIDNIGHT + outbox.FIRST_WAIT)
    assert row.contacts[row.contact][0] == "sms"


def test_a_deadline_with_one_contact_is_tried_again_when_its_channels_pause_ends(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    steps(store)
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), retry_after=86_400.0)
    assert claim(store, MIDNIGHT + 4 * MINUTE) == []
    assert len(claim(store, MIDNIGHT + 5 * MINUTE)) == 1


@pytest.mark.parametrize("wish", [251_606_995_199.0, 1e20, float("inf")])
def test_a_wish_beyond_the_calendar_loses_no_other_answer(store: Store, wish: float) -> None:
    """Retry-After: Fri, 31 Dec 9999, or a row of nines."""
    queued(store, [person("chen", "hook")])
    settle(store, MIDNIGHT, claim(store, MIDNIGHT), retry_after=wish)
    assert stands(store).attempts == 1


def test_a_message_that_turns_to_a_machine_is_one_body_an_alert_there(store: Store) -> None:
    for subject in "abc":
        queued(store, [person("chen", "ding", "hook")], subject)
    limits, now = {"hook": Limit(together=1)}, MIDNIGHT
    while stands_at(store) == {0}:
        settle(store, now, claim(store, now, limits), channel="ding")
        now += MINUTE
    rows = claim(store, now, limits)
    assert [row.contact for row in rows] == [1, 1, 1]
    assert sorted(bundles(rows)) == [["a"], ["b"], ["c"]]


def stands_at(store: Store) -> set[int]:
    """The contacts at which alerts stand."""
    with store.read() as conn:
        return set(conn.execute(select(ALERT.c.contact)).scalars())


def test_what_became_dead_is_handed_back_once(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    rows = claim(store, MIDNIGHT)
    assert [row.id for row in settle(store, MIDNIGHT, rows, lasting=True)] == [rows[0].id]
    assert settle(store, MIDNIGHT, rows, lasting=True) == []
    with store.read() as conn:
        assert conn.execute(select(ALERT.c.state)).scalars().all() == [AlertState.DEAD.value]


# ── who may speak for an alert ────────────────────────────────────────────────────────────────


def stands(store: Store) -> Any:
    with store.read() as conn:
        return conn.execute(select(ALERT)).one()


def test_a_late_refusal_is_not_charged_to_a_contact_that_nobody_tried(store: Store) -> None:
    queued(store, [person("chen", "hook", "sms")])
    slow = claim(store, MIDNIGHT, by="slow")
    later = MIDNIGHT + LEASE + SECOND
    quick = claim(store, later, by="quick")
    assert settle(store, later, quick, lasting=True) == []
    assert settle(store, later + SECOND, slow, lasting=True) == [], "sms has not been tried"
    now = stands(store)
    assert (now.state, now.contact, now.refused) == ("queued", 1, [0])
    assert [row.contact for row in claim(store, later + 2 * SECOND)] == [1]
    assert verify(store, later + MINUTE)["findings"] == []


def test_a_late_refusal_while_another_has_it_in_hand_leaves_that_lease_alone(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    slow = claim(store, MIDNIGHT, by="slow")
    later = MIDNIGHT + LEASE + SECOND
    quick = claim(store, later, by="quick")
    settle(store, later, slow)
    assert (stands(store).leased_by, stands(store).contact_tries) == ("quick", 1)
    assert claim(store, later + MINUTE) == []
    settle(store, later, quick, accepted=True, reason="200")
    assert stands(store).state == AlertState.ACCEPTED


def test_two_senders_that_are_always_late_still_come_to_the_next_contact(store: Store) -> None:
    """Each finds the alert leased by the other: what they say of the contact is true all the same."""
    queued(store, [person("chen", "hook", "sms")])
    held, now = claim(store, MIDNIGHT, by="a"), MIDNIGHT
    for number in range(outbox.TRIES_PER_CONTACT):
        now += 10 * LEASE
        taken = claim(store, now, by="ab"[number % 2 == 0])
        settle(store, now, held)
        held = taken
    assert stands(store).contact == 1


def test_an_alert_that_was_given_up_and_is_taken_after_all_is_no_dead_letter(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    slow = claim(store, MIDNIGHT, by="slow")
    later = MIDNIGHT + LEASE + SECOND
    quick = claim(store, later, by="quick")
    assert len(settle(store, later, quick, lasting=True)) == 1
    assert settle(store, later + SECOND, slow, accepted=True, reason="200") == []
    assert stands(store).state == AlertState.ACCEPTED
    assert verify(store, later + MINUTE)["findings"] == []


def vouched(store: Store, at: datetime, alert_id: str, *channels: str) -> int:
    with store.write() as conn:
        return receipts.record(conn, at, [Receipt(alert_id, ReceiptKind.DELIVERED, at)], channels)


def test_a_channel_that_never_had_the_alert_cannot_vouch_for_it(store: Store) -> None:
    queued(store, [person("chen", "ding", "hook")])
    (row,) = claim(store, MIDNIGHT)
    settle(store, MIDNIGHT, [row], channel="ding")
    with pytest.raises(NoSuchAlert, match="hook"):
        vouched(store, MIDNIGHT + SECOND, row.id, "hook")
    assert stands(store).state == AlertState.QUEUED
    assert vouched(store, MIDNIGHT + SECOND, row.id, "hook", "ding") == 1, "two channels with one secret"
    assert stands(store).state == AlertState.ACCEPTED


def test_a_contact_that_was_given_up_can_still_vouch(store: Store) -> None:
    queued(store, [person("chen", "ding", "hook")])
    (row,) = claim(store, MIDNIGHT)
    settle(store, MIDNIGHT, [row], channel="ding", lasting=True)
    assert stands(store).contact == 1
    assert vouched(store, MIDNIGHT + SECOND, row.id, "ding") == 1
    assert verify(store, MIDNIGHT + MINUTE)["findings"] == []


def test_a_sender_that_died_may_have_sent_it(store: Store) -> None:
    queued(store, [person("chen", "hook")])
    (row,) = claim(store, MIDNIGHT, by="dead")
    with store.write() as conn:
        outbox.release(conn, ["dead"])
    assert vouched(store, MIDNIGHT + SECOND, row.id, "hook") == 1


def test_what_a_limit_holds_back_was_given_to_nobody(store: Store) -> None:
    for number in range(3):
        queued(store, [person(f"p{number}", "ding")], f"a{number}")
    claim(store, MIDNIGHT, {"ding": Limit(1)})
    with store.read() as conn:
        held = conn.execute(select(ALERT).where(ALERT.c.leased_by == "pace:ding")).first()
    assert held is not None
    with pytest.raises(NoSuchAlert):
        vouched(store, MIDNIGHT + SECOND, held.id, "ding")


def test_the_parts_of_a_long_message_count_in_the_channel_s_minute(store: Store) -> None:
    queued(store, [person(f"p{n}", "ding") for n in range(10)])
    rows = claim(store, MIDNIGHT, {"ding": Limit(12)})
    settle(store, MIDNIGHT, rows, accepted=True, reason="ok", channel="ding", messages=1)
    settle(store, MIDNIGHT, rows[:1], accepted=True, reason="ok", channel="ding", messages=4)
    queued(store, [person(f"q{n}", "ding") for n in range(5)], "b", MIDNIGHT + SECOND)
    steps(store)
    assert claim(store, MIDNIGHT + SECOND, {"ding": Limit(12)}) == [], "nine and three are the whole minute"
    assert len(claim(store, MIDNIGHT + MINUTE + SECOND, {"ding": Limit(12)})) == 6, "and the one held back"


def test_several_alerts_in_one_long_message_count_its_parts_once(store: Store) -> None:
    who = person("p", "ding")
    for subject in ("a", "b"):
        queued(store, [who], subject)
    rows = claim(store, MIDNIGHT, {"ding": Limit(8)})
    assert len({row.bundle for row in rows}) == 1
    settle(store, MIDNIGHT, rows, accepted=True, reason="ok", channel="ding", messages=3)
    queued(store, [person(f"q{n}", "ding") for n in range(9)], "c", MIDNIGHT + SECOND)
    steps(store)
    assert len(claim(store, MIDNIGHT + SECOND, {"ding": Limit(8)})) == 5
