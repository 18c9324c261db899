"""From an open incident to steps, alerts, evidence and proof, on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from models.core.vocabulary import EvidenceKind, Grade, StartEvent
from models.ledger import acts, clocks, incidents, joining, outbox, planning, proving, views
from models.ledger.incidents import NoSuchIncident, NotAllowed
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Row, Store
from models.ledger.verify import verify
from models.records import Alert, Step
from support.duty import HOUR, MIDNIGHT, MINUTE, ROSTER, rules_for


def opened(store: Store, at: datetime, grade: Grade = Grade.II, occurred: datetime | None = None) -> str:
    times = {StartEvent.DISCOVERY: at, StartEvent.OCCURRENCE: occurred or at}
    opening = acts.Opening("化工园区火灾", grade, times, "chen", "热线来电", provisional=False)
    with store.write() as conn:
        return acts.open_incident(conn, at, opening, rules_for)


def sweep(store: Store, now: datetime) -> list[str]:
    """Raise what is due and return 'clock step → people'."""
    with store.write() as conn:
        raise_due(conn, Sweep(now, ROSTER))
    with store.read() as conn:
        rows = conn.execute(
            select(Alert.clock_id, Alert.step_key, Alert.person_id).where(Alert.raised_at == now)
        ).all()
    return sorted(f"{row.clock_id.split(':')[1]} {row.step_key} {row.person_id}" for row in rows)


def proof(
    at: datetime, kind: EvidenceKind = EvidenceKind.STATEMENT, url: str = "https://example.org/1"
) -> proving.Proof:
    return proving.Proof(kind, "临江发布", at, at, url=url, snapshot=url.encode())


def clock_states(store: Store, incident: str, now: datetime) -> dict[str, str]:
    with store.read() as conn:
        shown = views.incident(conn, incident, now, {})
    return {clock["id"]: clock["state"] for clock in shown["clocks"]}


def test_steps_reach_their_rungs_and_an_acknowledgement_stops_only_repeats(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    assert sweep(store, MIDNIGHT + 2 * HOUR) == []
    assert sweep(store, MIDNIGHT + 2.5 * HOUR) == ["first_statement 50% chen"]
    with store.write() as conn:
        acts.acknowledge(conn, MIDNIGHT + 3 * HOUR, incident, "chen", "陈值班", "已知悉", rules_for)
    assert sweep(store, MIDNIGHT + 3.75 * HOUR) == ["first_statement 75% li"]
    assert clock_states(store, incident, MIDNIGHT + 3.75 * HOUR)["first_statement"] == "at_risk"


def test_without_an_acknowledgement_the_lower_rungs_are_told_again(store: Store) -> None:
    opened(store, MIDNIGHT)
    sweep(store, MIDNIGHT + 2.5 * HOUR)
    assert sweep(store, MIDNIGHT + 3.75 * HOUR) == ["first_statement 75% chen", "first_statement 75% li"]


def test_a_step_is_raised_once_however_often_the_sweep_runs(store: Store) -> None:
    opened(store, MIDNIGHT)
    for _ in range(3):
        sweep(store, MIDNIGHT + 2.5 * HOUR)
    with store.read() as conn:
        assert len(conn.execute(select(Step)).all()) == 1


def test_after_an_outage_only_the_latest_step_speaks_and_says_how_late(store: Store) -> None:
    opened(store, MIDNIGHT)
    told = sweep(store, MIDNIGHT + 4.6 * HOUR)
    assert told == [f"first_statement 90% {p}" for p in ("chen", "li", "zhao")]
    with store.read() as conn:
        steps = {row.key: row for row in conn.execute(select(Step.__table__))}  # type: ignore[attr-defined]
    assert [key for key, row in steps.items() if row.skipped] == ["50%", "75%"]
    assert steps["90%"].late_ms == 6 * 60_000
    assert "迟 6 分" in steps["90%"].reason
    assert "2 个节点不再补发" in steps["90%"].reason


def test_a_breached_clock_goes_on_every_hour_until_evidence(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    sweep(store, MIDNIGHT + 5 * HOUR)
    assert "first_statement +1h zhou" in sweep(store, MIDNIGHT + 6 * HOUR)
    assert clock_states(store, incident, MIDNIGHT + 6 * HOUR)["first_statement"] == "breached"
    with store.write() as conn:
        proving.stop(
            conn, MIDNIGHT + 6.5 * HOUR, incident, proof(MIDNIGHT + 6.4 * HOUR), "chen", "首发", rules_for
        )
    assert sweep(store, MIDNIGHT + 7 * HOUR) == []
    assert clock_states(store, incident, MIDNIGHT + 7 * HOUR) == {
        "first_statement": "met_late",
        "press_conference": "running",
    }


def test_evidence_stops_its_clock_by_the_platforms_time_and_leaves_the_other(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    with store.write() as conn:
        stopped = proving.stop(
            conn, MIDNIGHT + 6 * HOUR, incident, proof(MIDNIGHT + 4 * HOUR), "chen", "首发", rules_for
        )
    assert stopped == ["first_statement"]
    assert clock_states(store, incident, MIDNIGHT + 6 * HOUR) == {
        "first_statement": "met",
        "press_conference": "running",
    }


def test_raising_the_grade_keeps_the_start_so_a_new_clock_may_be_overdue_at_once(store: Store) -> None:
    incident = opened(store, MIDNIGHT, Grade.III)
    at = MIDNIGHT + 6 * HOUR
    with store.write() as conn:
        acts.set_grade(conn, at, incident, Grade.II, "li", "伤亡上升", rules_for)
    assert clock_states(store, incident, at) == {"first_statement": "breached", "press_conference": "running"}
    told = sweep(store, at)
    assert "first_statement +1h zhou" in told or "first_statement 100% zhou" in told
    with store.read() as conn:
        reasons = conn.execute(select(Step.reason).where(Step.skipped.is_(False))).scalars().all()  # type: ignore[attr-defined]
    assert any("设立时已逾期" in reason for reason in reasons), reasons


def test_a_corrected_time_replans_and_keeps_the_old_plan(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    with store.write() as conn:
        acts.correct_time(
            conn,
            MIDNIGHT + HOUR,
            incident,
            StartEvent.OCCURRENCE,
            MIDNIGHT - HOUR,
            "li",
            "监控核实",
            rules_for,
        )
    with store.read() as conn:
        shown = views.incident(conn, incident, MIDNIGHT + HOUR, {})
    first = next(c for c in shown["clocks"] if c["id"] == "first_statement")
    assert first["due_at"] == "2026-11-21T04:00:00+08:00"
    assert [t["event"] for t in shown["times"]].count("occurrence") == 2


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (proof(MIDNIGHT + 9 * HOUR), "在将来"),
        (proof(MIDNIGHT - HOUR), "早于事件"),
        (
            proving.Proof(EvidenceKind.STATEMENT, "临江发布", MIDNIGHT, MIDNIGHT, url="javascript:1"),
            "不是网址",
        ),
        (proving.Proof(EvidenceKind.STATEMENT, "临江发布", MIDNIGHT, MIDNIGHT), "发布地址"),
    ],
)
def test_impossible_evidence_is_refused_with_the_reason(
    store: Store, given: proving.Proof, wanted: str
) -> None:
    incident = opened(store, MIDNIGHT)
    with pytest.raises(NotAllowed, match=wanted), store.write() as conn:
        proving.stop(conn, MIDNIGHT + HOUR, incident, given, "chen", "首发", rules_for)


def test_the_same_proof_is_used_once(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    given = proof(MIDNIGHT + MINUTE)
    with store.write() as conn:
        proving.stop(conn, MIDNIGHT + HOUR, incident, given, "chen", "首发", rules_for)
    with pytest.raises(NotAllowed, match="不能重复"), store.write() as conn:
        proving.stop(conn, MIDNIGHT + HOUR, incident, given, "chen", "首发", rules_for)


def test_an_incident_closes_only_when_no_clock_is_open(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    with pytest.raises(NotAllowed, match="进行中的时钟"), store.write() as conn:
        acts.close(conn, MIDNIGHT + HOUR, incident, "chen", "办完")
    with store.write() as conn:
        for rule_id in ("first_statement", "press_conference"):
            proving.waive(conn, MIDNIGHT + HOUR, incident, rule_id, "zhou", "周主要", "误报，经核实无此事")
        acts.close(conn, MIDNIGHT + HOUR, incident, "chen", "误报")
    with store.write() as conn:
        acts.reopen(conn, MIDNIGHT + 2 * HOUR, incident, "li", "声明撤回", rules_for)


def test_merging_keeps_the_earlier_start_and_moves_the_evidence(store: Store) -> None:
    first = opened(store, MIDNIGHT)
    second = opened(store, MIDNIGHT + 2 * HOUR)
    with store.write() as conn:
        proving.stop(conn, MIDNIGHT + 3 * HOUR, first, proof(MIDNIGHT + 3 * HOUR), "chen", "首发", rules_for)
        joining.merge(conn, MIDNIGHT + 3 * HOUR, first, second, "li", "同一事件", rules_for)
    with store.read() as conn:
        shown = views.incident(conn, second, MIDNIGHT + 3 * HOUR, {})
    assert {c["started_at"] for c in shown["clocks"]} == {"2026-11-21T00:00:00+08:00"}
    assert len(shown["evidence"]) == 1
    assert [i["id"] for i in board(store, MIDNIGHT + 3 * HOUR)] == [second]


def board(store: Store, now: datetime) -> list[dict[str, object]]:
    with store.read() as conn:
        return views.board(conn, now, {})


def test_an_unknown_incident_is_named(store: Store) -> None:
    with pytest.raises(NoSuchIncident, match="2026-9999"), store.read() as conn:
        views.incident(conn, "2026-9999", MIDNIGHT, {})


def attempt(row: object, **how: object) -> outbox.Attempt:
    base = {"alert_id": row.id, "accepted": False, "lasting": False, "reason": "503", "channel": "hook"}  # type: ignore[attr-defined]
    return outbox.Attempt(**(base | how))  # type: ignore[arg-type]


def test_an_alert_is_leased_once_and_accepted_only_when_the_channel_says_so(store: Store) -> None:
    opened(store, MIDNIGHT)
    now = MIDNIGHT + 2.5 * HOUR
    sweep(store, now)
    with store.write() as conn:
        (row,) = outbox.claim(conn, now, now + MINUTE, "a", 10)
        assert outbox.claim(conn, now, now + MINUTE, "b", 10) == ()
    with store.write() as conn:
        outbox.settle(conn, now, [(row, attempt(row))])
    with store.write() as conn:
        assert outbox.claim(conn, now, now + MINUTE, "a", 10) == ()
        (again,) = outbox.claim(conn, now + 5 * MINUTE, now + 6 * MINUTE, "a", 10)
        assert (again.id, again.attempts) == (row.id, 1)
        outbox.settle(conn, now + 5 * MINUTE, [(again, attempt(again, accepted=True, reason="200"))])
    with store.read() as conn:
        assert outbox.queue(conn, now)["waiting"] == 0


def test_a_dead_senders_alert_is_sent_again_after_its_lease(store: Store) -> None:
    opened(store, MIDNIGHT)
    now = MIDNIGHT + 2.5 * HOUR
    sweep(store, now)
    with store.write() as conn:
        outbox.claim(conn, now, now + MINUTE, "dies", 10)
    with store.write() as conn:
        assert len(outbox.claim(conn, now + 2 * MINUTE, now + 3 * MINUTE, "lives", 10)) == 1


def test_a_lasting_refusal_of_the_last_contact_is_a_dead_letter(store: Store) -> None:
    opened(store, MIDNIGHT)
    now = MIDNIGHT + 2.5 * HOUR
    sweep(store, now)
    with store.write() as conn:
        (row,) = outbox.claim(conn, now, now + MINUTE, "a", 10)
        assert outbox.settle(conn, now, [(row, attempt(row, lasting=True))]) == [row]
    with store.read() as conn:
        assert outbox.queue(conn, now)["dead"] == 1


def test_verify_passes_and_finds_a_changed_row_and_a_changed_entry(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    sweep(store, MIDNIGHT + 3 * HOUR)
    with store.write() as conn:
        proving.stop(
            conn, MIDNIGHT + 4 * HOUR, incident, proof(MIDNIGHT + 4 * HOUR), "chen", "首发", rules_for
        )
    assert verify(store, MIDNIGHT + 5 * HOUR)["findings"] == []
    with store.write() as conn:
        conn.execute(text("UPDATE incident SET grade = 'IV'"))
    found = verify(store, MIDNIGHT + 5 * HOUR)
    assert not found["ok"]
    assert any("incident" in finding and "grade" in finding for finding in found["findings"])
    with store.write() as conn:
        conn.execute(text("UPDATE incident SET grade = 'II'"))
        conn.execute(text("UPDATE journal SET reason = '改过' WHERE seq = 1"))
    assert any("第 1 条" in finding for finding in verify(store, MIDNIGHT + 5 * HOUR)["findings"])


def test_a_passing_no_goes_on_for_ever_ever_slower(store: Store) -> None:
    opened(store, MIDNIGHT)
    now, waits = MIDNIGHT + 2.5 * HOUR, []
    sweep(store, now)
    for _ in range(7):
        with store.write() as conn:
            (row,) = outbox.claim(conn, now, now + MINUTE, "a", 10)
            outbox.settle(conn, now, [(row, attempt(row))])
            later = conn.execute(select(Alert.next_try_at)).scalar_one()
        assert later is not None
        waits.append((later - now).total_seconds())
        now = later
    assert waits == [5, 10, 20, 300, 300, 300, 300]


def test_progress_renews_an_acknowledgement_and_gives_none(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    with store.write() as conn:
        acts.acknowledge(conn, MIDNIGHT + HOUR, incident, "chen", "陈值班", "已知悉", rules_for)
        acts.note(conn, MIDNIGHT + 2.5 * HOUR, incident, "消防已控制火势", "chen")
        acts.note(conn, MIDNIGHT + 2.5 * HOUR, incident, "我在路上", "zhao")
    sweep(store, MIDNIGHT + 2.5 * HOUR)
    told = sweep(store, MIDNIGHT + 4.5 * HOUR - MINUTE)
    assert told == ["first_statement 75% li"]  # an acknowledgement of 3.5 h ago alone would be stale
    assert "first_statement 90% zhao" in sweep(store, MIDNIGHT + 4.5 * HOUR)


def test_what_was_published_stays_published_when_a_time_is_corrected(store: Store) -> None:
    incident = opened(store, MIDNIGHT)
    with store.write() as conn:
        proving.stop(conn, MIDNIGHT + HOUR, incident, proof(MIDNIGHT + HOUR), "chen", "首发", rules_for)
        earlier = MIDNIGHT - 3 * HOUR
        acts.correct_time(
            conn, MIDNIGHT + 2 * HOUR, incident, StartEvent.OCCURRENCE, earlier, "li", "监控核实", rules_for
        )
    states = clock_states(store, incident, MIDNIGHT + 2 * HOUR)
    assert states == {"first_statement": "met", "press_conference": "running"}
    assert verify(store, MIDNIGHT + 3 * HOUR)["ok"]


def test_a_merged_incident_brings_its_statement_with_it(store: Store) -> None:
    first, second = opened(store, MIDNIGHT), opened(store, MIDNIGHT + HOUR)
    with store.write() as conn:
        proving.stop(conn, MIDNIGHT + 2 * HOUR, first, proof(MIDNIGHT + 2 * HOUR), "chen", "首发", rules_for)
        joining.merge(conn, MIDNIGHT + 3 * HOUR, first, second, "li", "同一事件", rules_for)
    assert clock_states(store, second, MIDNIGHT + 3 * HOUR)["first_statement"] == "met"


def test_reopening_runs_the_clocks_again_from_the_same_start_and_old_proof_does_not_count(
    store: Store,
) -> None:
    incident = opened(store, MIDNIGHT)
    with store.write() as conn:
        proving.stop(conn, MIDNIGHT + HOUR, incident, proof(MIDNIGHT + HOUR), "chen", "首发", rules_for)
        proving.waive(conn, MIDNIGHT + HOUR, incident, "press_conference", "zhou", "周主要", "影响有限")
        acts.close(conn, MIDNIGHT + HOUR, incident, "chen", "办完")
        acts.reopen(conn, MIDNIGHT + 2 * HOUR, incident, "li", "声明撤回", rules_for)
    states = clock_states(store, incident, MIDNIGHT + 2 * HOUR)
    assert states == {"first_statement": "running", "press_conference": "running"}
    with store.write() as conn:
        again = proof(MIDNIGHT + 3 * HOUR, url="https://example.org/2")
        assert proving.stop(conn, MIDNIGHT + 3 * HOUR, incident, again, "chen", "更正后重发", rules_for) == [
            "first_statement"
        ]
    assert verify(store, MIDNIGHT + 4 * HOUR)["ok"]


# ── joining never loses a deadline ────────────────────────────────────────────────────────────


def joined(store: Store, gone: str, into: str, now: datetime) -> Row[Any]:
    with store.write() as conn:
        joining.merge(conn, now, gone, into, "li", "同一事件", rules_for)
    with store.read() as conn:
        assert verify(store, now)["findings"] == []
        return incidents.get(conn, into)


def test_a_graver_incident_merged_into_a_milder_one_brings_its_grade_and_its_clocks(store: Store) -> None:
    grave, mild = opened(store, MIDNIGHT, Grade.I), opened(store, MIDNIGHT + HOUR, Grade.IV)
    row = joined(store, grave, mild, MIDNIGHT + 2 * HOUR)
    assert (row.grade, row.provisional) == ("I", False)
    with store.read() as conn:
        shown = views.incident(conn, mild, MIDNIGHT + 2 * HOUR, {})
    assert {c["id"]: c["due_at"] for c in shown["clocks"] if c["state"] == "running"} == {
        "first_statement": "2026-11-21T05:00:00+08:00",
        "press_conference": "2026-11-22T00:00:00+08:00",
    }
    with store.read() as conn:
        assert incidents.stated_times(conn, mild)[StartEvent.GRADED] == MIDNIGHT + 2 * HOUR
    assert any("级别从严 IV → I" in entry["text"] for entry in shown["timeline"])


def test_a_milder_incident_leaves_the_grade_of_the_graver_one_as_it_is(store: Store) -> None:
    grave, mild = opened(store, MIDNIGHT, Grade.I), opened(store, MIDNIGHT + HOUR, Grade.IV)
    row = joined(store, mild, grave, MIDNIGHT + 2 * HOUR)
    assert row.grade == "I"
    with store.read() as conn:
        assert StartEvent.GRADED not in incidents.stated_times(conn, grave)


def test_of_two_alike_the_grade_that_a_person_confirmed_counts(store: Store) -> None:
    sure, unsure = opened(store, MIDNIGHT), opened(store, MIDNIGHT)
    part = {"part": "heat", "grade": "II", "reason": "热度", "basis": [], "suggested": True}
    with store.write() as conn:
        acts.set_grade(
            conn, MIDNIGHT, unsure, Grade.II, "huiying", "热度", rules_for, provisional=True, parts=[part]
        )
    row = joined(store, sure, unsure, MIDNIGHT + HOUR)
    assert not row.provisional
    situation = incidents.situation(row, {}, MIDNIGHT + HOUR)
    assert (situation.event_grade, situation.heat_grade) == (Grade.II, Grade.II)


def test_what_a_person_confirmed_stands_as_the_event_s_grade_under_a_graver_provisional_one(
    store: Store,
) -> None:
    sure, unsure = opened(store, MIDNIGHT, Grade.III), opened(store, MIDNIGHT)
    part = {"part": "heat", "grade": "I", "reason": "热度", "basis": [], "suggested": True}
    with store.write() as conn:
        acts.set_grade(
            conn, MIDNIGHT, unsure, Grade.I, "huiying", "热度", rules_for, provisional=True, parts=[part]
        )
    row = joined(store, unsure, sure, MIDNIGHT + HOUR)
    situation = incidents.situation(row, {}, MIDNIGHT + HOUR)
    assert (row.provisional, situation.event_grade, situation.heat_grade) == (True, Grade.III, Grade.I)


def test_the_time_of_the_graver_grade_comes_along(store: Store) -> None:
    raised, mild = opened(store, MIDNIGHT, Grade.III), opened(store, MIDNIGHT, Grade.IV)
    with store.write() as conn:
        acts.set_grade(conn, MIDNIGHT + HOUR, raised, Grade.I, "li", "遇难增加", rules_for)
    joined(store, raised, mild, MIDNIGHT + 3 * HOUR)
    with store.read() as conn:
        assert incidents.stated_times(conn, mild)[StartEvent.GRADED] == MIDNIGHT + HOUR


def test_no_clock_is_planned_on_what_is_merged_or_closed(store: Store) -> None:
    first, second = opened(store, MIDNIGHT), opened(store, MIDNIGHT)
    joined(store, first, second, MIDNIGHT + HOUR)
    with store.write() as conn:
        planning.keep_pace(conn, MIDNIGHT + 2 * HOUR, first, rules_for)
        assert clocks.live_clocks(conn, first) == []
