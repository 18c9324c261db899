"""The kinds of limits on a ledger: working days, armed clocks, rounds of 持续发布, retracted proofs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.core.vocabulary import EvidenceKind, Grade, OpinionKind, StartEvent
from models.core.workdays import WorkingDays
from models.ledger import acts, clocks, incidents, joining, planning, proving, views
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import Store
from models.records import Step
from support.duty import FIRST, HOUR, MIDNIGHT, PRESS, rule
from support.limits import (
    BOTH,
    OLD_YEAR,
    ROUND,
    THIS_YEAR,
    Rules,
    holds,
    opened,
    publish,
    raised,
    shown,
    timeline,
)

REPLY = replace(
    rule("reply", 1, EvidenceKind.REPLY_RECEIPT, StartEvent.RECEIPT), amount=WorkingDays(5), statutory=False
)
# ── working days ──────────────────────────────────────────────────────────────────────────────


def test_a_limit_in_working_days_ends_at_midnight_after_the_last_one(store: Store) -> None:
    incident = opened(store, Rules(FIRST, REPLY))  # Saturday 21 November
    assert shown(store, incident, MIDNIGHT)["reply"] == "running 0 → 168"
    assert (
        "5 个工作日(当日不计，其间休 1 天，至 11-27 24:00)" in timeline(store, incident, "clocks_planned")[0]
    )
    holds(store, MIDNIGHT)


def test_a_year_without_a_calendar_stops_no_other_clock_and_is_told(store: Store) -> None:
    incident = opened(store, Rules(REPLY, FIRST, calendar=OLD_YEAR))
    assert shown(store, incident, MIDNIGHT) == {"first_statement": "running 0 → 5"}
    (text,) = timeline(store, incident, "clock_refused")
    assert "reply未能设立: 2026 年没有工作日历" in text
    assert "holidays.yaml" in text
    with store.read() as conn:
        (one,) = clocks.refused(conn)
    assert (one.incident_id, one.rule_id, one.ref) == (incident, "reply", f"舆-{incident}")
    holds(store, MIDNIGHT)


def test_a_refused_clock_is_planned_by_itself_from_the_same_start_once_the_calendar_is_there(
    store: Store,
) -> None:
    rules = Rules(REPLY, FIRST, calendar=OLD_YEAR)
    incident = opened(store, rules)
    with store.write() as conn:
        assert planning.plan_refused(conn, MIDNIGHT + HOUR, rules) == 0
    assert len(timeline(store, incident, "clock_refused")) == 1  # said once, not at every look
    rules.calendar = THIS_YEAR
    with store.write() as conn:
        assert planning.plan_refused(conn, MIDNIGHT + 2 * HOUR, rules) == 1
        assert clocks.refused(conn) == []
    assert shown(store, incident, MIDNIGHT + 2 * HOUR)["reply"] == "running 0 → 168"
    assert timeline(store, incident, "clock_refused")[-1] == "先前未能设立的时钟已补齐"
    holds(store, MIDNIGHT + 2 * HOUR)


def test_a_clock_that_runs_is_not_lost_when_its_calendar_goes_missing(store: Store) -> None:
    rules = Rules(REPLY)
    incident = opened(store, rules)
    rules.calendar = OLD_YEAR
    with store.write() as conn:
        acts.correct_time(
            conn, MIDNIGHT + HOUR, incident, StartEvent.RECEIPT, MIDNIGHT - HOUR, "li", "核实", rules
        )
    assert shown(store, incident, MIDNIGHT + HOUR)["reply"].startswith("running 0")
    with store.read() as conn:
        assert [one.rule_id for one in clocks.refused(conn)] == ["reply"]


def test_a_closed_incident_lacks_no_clock(store: Store) -> None:
    rules = Rules(REPLY, calendar=OLD_YEAR)
    incident = opened(store, rules)
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + HOUR, incident, "chen", "误报")
        assert clocks.refused(conn) == []


def test_reminders_of_a_working_day_limit_come_in_office_hours(store: Store) -> None:
    opened(store, Rules(REPLY))
    assert raised(store, MIDNIGHT + 4 * 24 * HOUR + 12 * HOUR) == []
    assert raised(store, MIDNIGHT + 4 * 24 * HOUR + 13 * HOUR) == ["reply 50%"]  # Wednesday 13:00


# ── armed: an emergency that nobody talks of yet ──────────────────────────────────────────────


def test_an_unspread_emergency_has_its_clocks_armed_and_nobody_is_told(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    assert raised(store, MIDNIGHT + 30 * HOUR) == []
    assert shown(store, incident, MIDNIGHT + 30 * HOUR) == {
        "first_statement": "armed 0 → 5",
        "press_conference": "armed 0 → 24",
    }
    holds(store, MIDNIGHT + 30 * HOUR)


def test_when_it_spreads_the_clocks_run_from_the_same_start_and_an_overdue_one_says_so(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    now = MIDNIGHT + 6 * HOUR
    with store.write() as conn:
        acts.learn_time(conn, now, incident, StartEvent.FIRST_PUBLIC, now - HOUR, "出现公开信息", rules)
    assert shown(store, incident, now) == {
        "first_statement": "breached 0 → 5",
        "press_conference": "running 0 → 24",
    }
    assert raised(store, now) == [f"first_statement {key}" for key in ("+1h", "100%", "50%", "75%", "90%")]
    assert timeline(store, incident, "time_learned") == ["得知首次公开时间 11-21 05:00"]
    with store.read() as conn:
        reasons = conn.execute(select(Step.reason).where(Step.skipped.is_(False))).scalars().all()  # type: ignore[attr-defined]
    assert "设立时已逾期" in reasons[0]
    holds(store, now)


PATIENT = replace(
    FIRST, fallback=(StartEvent.FIRST_PUBLIC, StartEvent.DISCOVERY), start=StartEvent.OCCURRENCE
)


def told_by_phone(store: Store, rules: Rules, kind: OpinionKind | None = None) -> str:
    """Nobody knows when it happened: the clock counts from our discovery."""
    opening = acts.Opening(
        "化工园区火灾",
        Grade.II,
        {StartEvent.DISCOVERY: MIDNIGHT},
        "chen",
        "来电",
        provisional=False,
        kind=kind,
    )
    with store.write() as conn:
        return acts.open_incident(conn, MIDNIGHT, opening, rules)


def learn(store: Store, rules: Rules, incident: str, event: StartEvent, hours: float, at: float) -> str:
    with store.write() as conn:
        acts.learn_time(conn, MIDNIGHT + at * HOUR, incident, event, MIDNIGHT + hours * HOUR, "得知", rules)
    return shown(store, incident, MIDNIGHT + at * HOUR)["first_statement"]


def test_a_clock_keeps_the_start_it_fell_back_on_when_a_later_time_becomes_known(store: Store) -> None:
    rules = Rules(PATIENT)
    incident = told_by_phone(store, rules, OpinionKind.NOT_YET_SPREAD)
    assert learn(store, rules, incident, StartEvent.FIRST_PUBLIC, 6, at=6) == "breached 0 → 5"


def test_an_earlier_time_moves_the_start_back_and_the_rules_own_start_is_what_counts(store: Store) -> None:
    rules = Rules(PATIENT)
    incident = told_by_phone(store, rules)
    assert learn(store, rules, incident, StartEvent.FIRST_PUBLIC, -2, at=1) == "running -2 → 3"
    assert learn(store, rules, incident, StartEvent.OCCURRENCE, -1, at=2) == "running -1 → 4"
    holds(store, MIDNIGHT + 2 * HOUR)


def test_a_met_clock_is_not_opened_by_a_time_that_becomes_known_later(store: Store) -> None:
    rules = Rules(PATIENT)
    incident = told_by_phone(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    assert learn(store, rules, incident, StartEvent.FIRST_PUBLIC, 6, at=6) == "met 0 → 5"


def test_reopening_begins_from_the_start_that_the_clock_had(store: Store) -> None:
    rules = Rules(PATIENT)
    incident = told_by_phone(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    learn(store, rules, incident, StartEvent.FIRST_PUBLIC, 3, at=3)
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + 4 * HOUR, incident, "chen", "办完")
        acts.reopen(conn, MIDNIGHT + 4 * HOUR, incident, "li", "有误", rules)
    assert shown(store, incident, MIDNIGHT + 4 * HOUR)["first_statement"] == "running 0 → 5"


def test_a_corrected_fallback_moves_its_clock_either_way(store: Store) -> None:
    rules = Rules(PATIENT)
    incident = told_by_phone(store, rules)
    with store.write() as conn:
        acts.correct_time(
            conn, MIDNIGHT + 2 * HOUR, incident, StartEvent.DISCOVERY, MIDNIGHT + HOUR, "li", "核实", rules
        )
    assert shown(store, incident, MIDNIGHT + 2 * HOUR)["first_statement"] == "running 1 → 6"


def test_a_known_time_is_not_learned_anew(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    with store.write() as conn:
        for hours in (2, 1):
            acts.learn_time(
                conn,
                MIDNIGHT + 3 * HOUR,
                incident,
                StartEvent.FIRST_PUBLIC,
                MIDNIGHT + hours * HOUR,
                "贴文",
                rules,
            )
        times = incidents.known_times(conn, incident)
    assert times[StartEvent.FIRST_PUBLIC] == MIDNIGHT + 2 * HOUR


def test_what_we_publish_meets_an_armed_clock(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    assert publish(store, rules, incident, MIDNIGHT + 2 * HOUR) == ["first_statement"]
    assert shown(store, incident, MIDNIGHT + 3 * HOUR) == {
        "first_statement": "met 0 → 5",
        "press_conference": "armed 0 → 24",
    }


def test_closing_takes_the_armed_clocks_with_it_and_asks_no_proof_for_them(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + HOUR, incident, "chen", "已处置，未传播")
        row = conn.execute(select(clocks.CLOCK)).one()
    assert (row.state, row.ended_reason) == ("superseded", "未扩散，随办结撤销预置")
    holds(store, MIDNIGHT + HOUR)


def test_a_breach_is_not_hidden_by_calling_the_matter_unspread(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules)
    now = MIDNIGHT + 6 * HOUR
    with store.write() as conn:
        acts.set_grade(
            conn, now, incident, Grade.II, "li", "尚未传播", rules, kind=OpinionKind.NOT_YET_SPREAD
        )
    assert shown(store, incident, now) == {
        "first_statement": "breached 0 → 5",
        "press_conference": "armed 0 → 24",
    }


def test_merging_with_what_is_public_lets_the_armed_clocks_run(store: Store) -> None:
    rules = Rules(FIRST)
    quiet = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    loud = opened(store, rules, MIDNIGHT + HOUR)
    with store.write() as conn:
        acts.learn_time(conn, MIDNIGHT + HOUR, loud, StartEvent.FIRST_PUBLIC, MIDNIGHT + HOUR, "贴文", rules)
        joining.merge(conn, MIDNIGHT + 2 * HOUR, loud, quiet, "li", "同一事件", rules)
    assert shown(store, quiet, MIDNIGHT + 2 * HOUR) == {"first_statement": "running 0 → 5"}
    holds(store, MIDNIGHT + 2 * HOUR)


# ── rounds: 持续发布 counts from the last publication ─────────────────────────────────────────


def test_each_publication_begins_a_round_and_ends_the_one_before(store: Store) -> None:
    rules = Rules(FIRST, ROUND)
    incident = opened(store, rules)
    assert "update" not in shown(store, incident, MIDNIGHT + HOUR)  # nothing was said yet
    assert publish(store, rules, incident, MIDNIGHT + 2 * HOUR) == ["first_statement"]
    assert shown(store, incident, MIDNIGHT + 2 * HOUR)["update"] == "running 2 → 14"
    assert publish(store, rules, incident, MIDNIGHT + 9 * HOUR, EvidenceKind.UPDATE) == ["update"]
    assert shown(store, incident, MIDNIGHT + 9 * HOUR)["update"] == "running 9 → 21"
    with store.read() as conn:
        states = conn.execute(
            select(clocks.CLOCK.c.state).where(clocks.CLOCK.c.rule_id == "update").order_by(clocks.CLOCK.c.id)
        )
        assert states.scalars().all() == ["met", "running"]
    holds(store, MIDNIGHT + 9 * HOUR)


def test_the_publication_that_began_a_round_does_not_end_it(store: Store) -> None:
    rules = Rules(ROUND)
    incident = opened(store, rules)
    assert publish(store, rules, incident, MIDNIGHT + 2 * HOUR, EvidenceKind.UPDATE) == []
    assert shown(store, incident, MIDNIGHT + 2 * HOUR)["update"] == "running 2 → 14"
    late = publish(
        store, rules, incident, MIDNIGHT + 3 * HOUR, EvidenceKind.UPDATE, published=MIDNIGHT + HOUR
    )
    assert late == []  # said before the round began
    assert shown(store, incident, MIDNIGHT + 3 * HOUR)["update"] == "running 2 → 14"
    url = "https://example.org/before"
    proof = proving.Proof(EvidenceKind.UPDATE, "临江发布", MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR, url=url)
    with pytest.raises(NotAllowed, match=r"这一轮自 11-21 02:00 起算"), store.write() as conn:
        proving.stop(conn, MIDNIGHT + 3 * HOUR, incident, proof, "chen", "补登", rules, "update")


def test_a_late_update_is_late_and_the_next_round_counts_from_it(store: Store) -> None:
    rules = Rules(ROUND)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    assert "update 100%" in raised(store, MIDNIGHT + 13 * HOUR)
    publish(store, rules, incident, MIDNIGHT + 14 * HOUR, EvidenceKind.UPDATE)
    with store.read() as conn:
        first = conn.execute(select(clocks.CLOCK).where(clocks.CLOCK.c.id == f"{incident}:update:1")).one()
    assert first.state == "met_late"
    assert shown(store, incident, MIDNIGHT + 14 * HOUR)["update"] == "running 14 → 26"


def heard(store: Store, incident: str, at: datetime) -> None:
    change = [{"id": incident, "signal_count": 5, "last_signal_at": at.isoformat()}]
    with store.write() as conn:
        append(conn, at, [Entry("signals_counted", {"update": {"incident": change}}, "huiying")])


def keep_pace(store: Store, rules: Rules, at: datetime) -> list[str]:
    with store.read() as conn:
        rows = [incidents.get(conn, one.id) for one in incidents.faces(conn)]
        found = [row.id for row in rows if planning.out_of_step(conn, at, row, rules)]
    with store.write() as conn:
        for incident in found:
            planning.keep_pace(conn, at, incident, rules)
    return found


def test_rounds_end_when_it_has_grown_quiet_and_come_back_with_the_heat(store: Store) -> None:
    rules = Rules(FIRST, ROUND)
    incident = opened(store, rules)
    heard(store, incident, MIDNIGHT + HOUR)
    publish(store, rules, incident, MIDNIGHT + 2 * HOUR)
    assert keep_pace(store, rules, MIDNIGHT + 3 * HOUR) == []
    quiet = MIDNIGHT + 25 * HOUR
    assert keep_pace(store, rules, quiet) == [incident]
    assert "update" not in shown(store, incident, quiet)
    with store.read() as conn:
        row = conn.execute(select(clocks.CLOCK).where(clocks.CLOCK.c.rule_id == "update")).one()
    assert (row.state, row.ended_reason) == ("superseded", "线索 5 条，距上一条 24 小时，时钟随之调整")
    assert keep_pace(store, rules, quiet + HOUR) == []
    heard(store, incident, quiet + 2 * HOUR)
    assert keep_pace(store, rules, quiet + 2 * HOUR) == [incident]
    assert shown(store, incident, quiet + 2 * HOUR)["update"] == "breached 2 → 14"
    assert keep_pace(store, rules, quiet + 2 * HOUR) == []
    holds(store, quiet + 2 * HOUR)


def test_a_later_round_comes_back_although_earlier_ones_were_met(store: Store) -> None:
    rules = Rules(ROUND)
    incident = opened(store, rules)
    for hours in (1, 5, 9):
        publish(store, rules, incident, MIDNIGHT + hours * HOUR, EvidenceKind.UPDATE)
    heard(store, incident, MIDNIGHT + 9 * HOUR)
    assert keep_pace(store, rules, MIDNIGHT + 40 * HOUR) == [incident]
    assert shown(store, incident, MIDNIGHT + 40 * HOUR)["update"].startswith("met 5")
    heard(store, incident, MIDNIGHT + 41 * HOUR)
    assert keep_pace(store, rules, MIDNIGHT + 41 * HOUR) == [incident]
    assert shown(store, incident, MIDNIGHT + 41 * HOUR)["update"] == "breached 9 → 21"


def test_a_round_that_was_waived_stays_so_until_the_next_publication(store: Store) -> None:
    rules = Rules(ROUND)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR, EvidenceKind.UPDATE)
    with store.write() as conn:
        proving.waive(conn, MIDNIGHT + 2 * HOUR, incident, "update", "zhou", "周主要", "夜间无进展")
    assert keep_pace(store, rules, MIDNIGHT + 3 * HOUR) == []
    assert shown(store, incident, MIDNIGHT + 3 * HOUR)["update"] == "waived 1 → 13"
    publish(store, rules, incident, MIDNIGHT + 9 * HOUR, EvidenceKind.UPDATE)
    assert shown(store, incident, MIDNIGHT + 9 * HOUR)["update"] == "running 9 → 21"


def test_closing_ends_a_round_in_time_and_an_overdue_one_wants_its_proof(store: Store) -> None:
    rules = Rules(ROUND)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed, match="update"), store.write() as conn:
        acts.close(conn, MIDNIGHT + 13 * HOUR, incident, "chen", "办完")
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + 2 * HOUR, incident, "chen", "办完")
        row = conn.execute(select(clocks.CLOCK)).one()
    assert (row.state, row.ended_reason) == ("superseded", "随办结停止续报")


def test_nobody_states_the_time_of_the_last_publication_by_hand(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    with pytest.raises(NotAllowed, match="由凭据决定"), store.write() as conn:
        acts.correct_time(
            conn, MIDNIGHT + HOUR, incident, StartEvent.LAST_UPDATE, MIDNIGHT, "li", "更正", rules
        )


def test_the_last_publication_is_read_from_the_proofs_and_stated_by_nobody(store: Store) -> None:
    """So a merge, a split or a retraction has nothing to correct."""
    rules = Rules(FIRST, ROUND)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    with store.read() as conn:
        assert StartEvent.LAST_UPDATE in incidents.known_times(conn, incident)
        assert StartEvent.LAST_UPDATE not in incidents.stated_times(conn, incident)


# ── retraction: what a proof had ended runs again ─────────────────────────────────────────────


def proofs(store: Store, incident: str) -> list[str]:
    with store.read() as conn:
        return [proof["id"] for proof in views.incident(conn, incident, MIDNIGHT, {})["evidence"]]


def retract(store: Store, rules: Rules, incident: str, evidence: str, at: datetime) -> list[str]:
    with store.write() as conn:
        return proving.retract(conn, at, incident, evidence, "li", "内容有误，已删除", rules)


def test_a_retracted_statement_lets_its_clock_run_again_from_the_same_start(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    (evidence,) = proofs(store, incident)
    assert retract(store, rules, incident, evidence[:8], MIDNIGHT + 6 * HOUR) == ["first_statement"]
    assert shown(store, incident, MIDNIGHT + 6 * HOUR) == {
        "first_statement": "breached 0 → 5",
        "press_conference": "running 0 → 24",
    }
    with store.read() as conn:
        (seen,) = views.incident(conn, incident, MIDNIGHT + 6 * HOUR, {})["evidence"]
    assert seen["standing"] == "retracted"
    assert timeline(store, incident, "evidence_retracted") == [
        "权威信息发布已撤回；重新计时: first_statement"
    ]
    holds(store, MIDNIGHT + 6 * HOUR)


def test_another_statement_that_stands_still_meets_the_clock(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    publish(store, rules, incident, MIDNIGHT + 2 * HOUR)
    assert retract(store, rules, incident, proofs(store, incident)[0], MIDNIGHT + 6 * HOUR) == [
        "first_statement"
    ]
    assert shown(store, incident, MIDNIGHT + 6 * HOUR) == {"first_statement": "met 0 → 5"}


def test_retracting_on_a_closed_incident_opens_it_and_leaves_the_other_clocks_met(store: Store) -> None:
    rules = Rules(FIRST, PRESS)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    publish(store, rules, incident, MIDNIGHT + 2 * HOUR, EvidenceKind.PRESS_CONFERENCE)
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + 3 * HOUR, incident, "chen", "办完")
    retract(store, rules, incident, proofs(store, incident)[0], MIDNIGHT + 4 * HOUR)
    with store.read() as conn:
        assert views.incident(conn, incident, MIDNIGHT + 4 * HOUR, {})["closed_at"] is None
    assert shown(store, incident, MIDNIGHT + 4 * HOUR) == {
        "first_statement": "running 0 → 5",
        "press_conference": "met 0 → 24",
    }
    holds(store, MIDNIGHT + 4 * HOUR)


def test_a_retracted_update_puts_its_round_back_to_the_publication_before(store: Store) -> None:
    rules = Rules(FIRST, ROUND)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + 2 * HOUR)
    publish(store, rules, incident, MIDNIGHT + 9 * HOUR, EvidenceKind.UPDATE)
    retract(store, rules, incident, proofs(store, incident)[1], MIDNIGHT + 10 * HOUR)
    assert shown(store, incident, MIDNIGHT + 10 * HOUR) == {
        "first_statement": "met 0 → 5",
        "update": "running 2 → 14",
    }
    retract(store, rules, incident, proofs(store, incident)[0], MIDNIGHT + 11 * HOUR)
    assert shown(store, incident, MIDNIGHT + 11 * HOUR) == {"first_statement": "breached 0 → 5"}
    holds(store, MIDNIGHT + 11 * HOUR)


def test_the_same_page_may_be_proof_again_once_it_was_retracted(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    retract(store, rules, incident, proofs(store, incident)[0], MIDNIGHT + 2 * HOUR)
    assert publish(store, rules, incident, MIDNIGHT + HOUR) == ["first_statement"]


@pytest.mark.parametrize(
    ("given", "wanted"), [("", "哪一份"), ("zzzz", "没有编号为 zzzz 的凭据"), ("%", "没有编号")]
)
def test_a_proof_that_is_not_there_cannot_be_retracted(store: Store, given: str, wanted: str) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed, match=wanted):
        retract(store, rules, incident, given, MIDNIGHT + 2 * HOUR)


def test_what_was_retracted_is_not_retracted_again(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    publish(store, rules, incident, MIDNIGHT + HOUR)
    (evidence,) = proofs(store, incident)
    retract(store, rules, incident, evidence, MIDNIGHT + 2 * HOUR)
    with pytest.raises(NotAllowed, match="此前已撤回"):
        retract(store, rules, incident, evidence, MIDNIGHT + 3 * HOUR)


def test_a_working_day_limit_over_the_year_end_waits_for_next_years_calendar(store: Store) -> None:
    rules = Rules(REPLY)
    start = MIDNIGHT + timedelta(days=39)  # Wednesday 30 December: the fifth day is 6 January
    incident = opened(store, rules, start)
    with store.read() as conn:
        assert "2027 年没有工作日历" in clocks.refused(conn)[0].why
    rules.calendar = BOTH
    with store.write() as conn:
        planning.plan_refused(conn, start + HOUR, rules)
    assert "至 01-06 24:00" in timeline(store, incident, "clocks_planned")[0]
