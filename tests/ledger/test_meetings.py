"""Meetings, promises and dossiers in the ledger: who is reminded, what ends a limit, what the journal rebuilds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.core.casework import MeetingKind, MeetingState
from models.ledger import dossiers, joining, limits, meetings, promises, proving
from models.ledger.incidents import NotAllowed
from models.ledger.meetings import Booking, Held
from models.ledger.notices import ALERT
from models.ledger.planning import EVIDENCE
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Store
from support.duty import HOUR, MIDNIGHT, MINUTE, PRESS, ROSTER
from support.limits import Rules, holds, opened, publish, shown

RULES = Rules(PRESS)
TEN = MIDNIGHT + 10 * HOUR
MANIFEST: dict[str, Any] = {"posts": 1, "authors": "masked", "files": [], "journal_head": "ab"}


def booked(store: Store, incident: str, kind: MeetingKind = MeetingKind.PRESS_CONFERENCE) -> str:
    booking = Booking(kind, TEN, "新闻发布厅", "zhou", "市长", principal=True)
    with store.write() as conn:
        return meetings.book(conn, MIDNIGHT, incident, booking, "chen", "预约", ("chen", "zhou"))


def held(
    store: Store, meeting: str, counted: tuple[MeetingKind, ...] = (MeetingKind.PRESS_CONFERENCE,)
) -> list[str]:
    told = Held(TEN + 5 * MINUTE, "市政府新闻办", document="发布会实录")
    with store.write() as conn:
        return meetings.hold(conn, TEN + HOUR, meeting, told, "chen", "已举行", RULES, counted)


def told(store: Store, at: Any) -> set[tuple[str, str]]:
    with store.write() as conn:
        raise_due(conn, Sweep(at, ROSTER))
    with store.read() as conn:
        rows = conn.execute(
            select(ALERT).where(ALERT.c.raised_at == at, ALERT.c.clock_id.contains(":meeting."))
        )
        return {(row.step_key, row.person_id) for row in rows}


def test_those_who_booked_it_and_speak_are_reminded_and_the_next_rung_when_nobody_records_it(
    store: Store,
) -> None:
    incident = opened(store, Rules())
    booked(store, incident)
    assert told(store, TEN - 2 * HOUR) == {("-2h", "chen"), ("-2h", "zhou")}
    assert told(store, TEN - 30 * MINUTE) == {("-30m", "chen"), ("-30m", "zhou")}
    assert told(store, TEN) == {("0m", "chen"), ("0m", "zhou")}
    assert ("100%", "li") in told(store, TEN + HOUR)
    holds(store, TEN + HOUR)


def test_a_cancelled_meeting_reminds_nobody_and_stops_no_clock(store: Store) -> None:
    incident = opened(store, RULES)
    meeting = booked(store, incident)
    with store.write() as conn:
        meetings.cancel(conn, MIDNIGHT + HOUR, meeting, "chen", "省里统一发布")
    assert told(store, TEN) == set()
    assert shown(store, incident, TEN)["press_conference"].startswith("running")
    holds(store, TEN)


@pytest.mark.parametrize(
    ("kind", "counted", "stopped"),
    [
        (MeetingKind.PRESS_CONFERENCE, (MeetingKind.PRESS_CONFERENCE,), ["press_conference"]),
        (MeetingKind.BRIEFING, (MeetingKind.PRESS_CONFERENCE,), []),
        (MeetingKind.MEDIA_MEETING, (MeetingKind.PRESS_CONFERENCE,), []),
        (MeetingKind.BRIEFING, (MeetingKind.PRESS_CONFERENCE, MeetingKind.BRIEFING), ["press_conference"]),
    ],
)
def test_only_what_the_site_counts_as_a_press_conference_stops_its_clock(
    store: Store, kind: MeetingKind, counted: tuple[MeetingKind, ...], stopped: list[str]
) -> None:
    incident = opened(store, RULES)
    assert held(store, booked(store, incident, kind), counted) == stopped
    with store.read() as conn:
        assert (conn.execute(select(EVIDENCE)).first() is not None) is bool(stopped)
        assert limits.live(conn, incident) == [], "its reminder ends either way"
        assert meetings.of_incident(conn, incident)[0].state == MeetingState.HELD.value
    holds(store, TEN + HOUR)


def test_a_conference_that_is_taken_back_lets_the_clock_run_again(store: Store) -> None:
    incident = opened(store, RULES)
    held(store, booked(store, incident))
    with store.write() as conn:
        proof = conn.execute(select(EVIDENCE)).one()
        proving.retract(conn, TEN + 2 * HOUR, incident, proof.id, "li", "实为通气会", RULES)
    assert shown(store, incident, TEN + 2 * HOUR)["press_conference"].startswith("running")
    holds(store, TEN + 2 * HOUR)


def test_a_conference_before_the_event_or_in_the_future_is_no_proof(store: Store) -> None:
    incident = opened(store, RULES)
    meeting = booked(store, incident)
    for when, said in ((MIDNIGHT - HOUR, "早于事件"), (TEN + 3 * HOUR, "在将来")):
        with store.write() as conn, pytest.raises(NotAllowed, match=said):
            meetings.hold(conn, TEN + HOUR, meeting, Held(when, "新闻办", document="实录"), "chen", "", RULES)
    with store.read() as conn:
        assert meetings.find(conn, meeting).state == MeetingState.BOOKED.value


def test_a_promise_that_is_dropped_is_counted_apart_and_cannot_be_dropped_twice(store: Store) -> None:
    incident = opened(store, Rules())
    with store.write() as conn:
        promise = promises.give(
            conn, MIDNIGHT, incident, MIDNIGHT + 8 * HOUR, "早 8 时，再通报", "chen", "陈值班"
        )
    with store.write() as conn, pytest.raises(NotAllowed, match="必须写明理由"):
        promises.drop(conn, MIDNIGHT + HOUR, promise, "chen", " ")
    with store.write() as conn:
        promises.drop(conn, MIDNIGHT + HOUR, promise[:6], "chen", "改由省里发布")
    with store.write() as conn, pytest.raises(NotAllowed, match="不能再撤回"):
        promises.drop(conn, MIDNIGHT + HOUR, promise, "chen", "改由省里发布")
    with store.read() as conn:
        rows = promises.listed(conn)
        assert promises.counts(rows, MIDNIGHT + 9 * HOUR)["dropped"] == 1
        assert promises.view(rows[0], MIDNIGHT)["words"] == "早 8 时，再通报"
    holds(store, MIDNIGHT + 9 * HOUR)


def test_what_was_published_before_a_promise_does_not_keep_it(store: Store) -> None:
    incident = opened(store, Rules())
    with store.write() as conn:
        promises.give(conn, MIDNIGHT + 2 * HOUR, incident, MIDNIGHT + 8 * HOUR, "再通报", "chen", "陈值班")
    publish(store, Rules(), incident, MIDNIGHT + 3 * HOUR, published=MIDNIGHT + HOUR)
    with store.read() as conn:
        assert promises.counts(promises.listed(conn, incident), MIDNIGHT + 3 * HOUR)["open"] == 1


def test_a_dossier_is_handed_over_once_and_its_receipt_may_be_corrected_after_a_retraction(
    store: Store,
) -> None:
    incident = opened(store, Rules())
    with store.write() as conn:
        number = dossiers.make(conn, MIDNIGHT, incident, b"zip", MANIFEST, "chen", "固定证据")
        dossiers.hand(conn, MIDNIGHT, number, "市公安局", "移交单", "chen", "造谣")
    with store.write() as conn, pytest.raises(NotAllowed, match="另做一份"):
        dossiers.hand(conn, MIDNIGHT, number, "网信办", "移交单", "chen", "造谣")
    with store.write() as conn:
        dossiers.receipt(conn, MIDNIGHT + HOUR, number, "A-12", MIDNIGHT + HOUR, "chen", "", Rules())
        proof = dossiers.find(conn, number).evidence_id
        proving.retract(conn, MIDNIGHT + HOUR, incident, proof, "li", "抄错了编号", Rules())
    with store.read() as conn:
        assert proving.receipt_used(conn, "A-12") is None
        assert dossiers.forms(conn, incident) == {number: "移交单"}
    holds(store, MIDNIGHT + 2 * HOUR)


def test_what_was_booked_promised_and_gathered_goes_along_when_incidents_are_joined(store: Store) -> None:
    gone, stays = opened(store, RULES), opened(store, RULES)
    meeting = booked(store, gone)
    with store.write() as conn:
        promise = promises.give(conn, MIDNIGHT, gone, MIDNIGHT + 12 * HOUR, "再通报", "chen", "陈值班")
        dossiers.make(conn, MIDNIGHT, gone, b"zip", MANIFEST, "chen", "固定证据")
        joining.merge(conn, MIDNIGHT + HOUR, gone, stays, "li", "同一起", RULES)
    assert set(held(store, meeting)) == {"press_conference", f"promise.{promise}"}
    with store.read() as conn:
        assert limits.live(conn, stays) == [], "the conference kept the promise too"
        assert promises.counts(promises.listed(conn, stays), TEN + HOUR)["kept"] == 1
        assert [row.incident_id for row in dossiers.of_incident(conn, stays)] == [stays]
    holds(store, TEN + HOUR)
