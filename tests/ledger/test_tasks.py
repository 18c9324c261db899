"""Tasks: laid once, finished by proof, struck off by people; and what keeps an incident from closing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.core.assignments import Notification, Want
from models.core.casework import MeetingKind, MeetingState, TaskState
from models.core.moment import iso
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, Grade, OpinionKind, StartEvent
from models.core.workdays import WorkingDays
from models.ledger import acts, incidents, joining, notified, proving, tasks
from models.ledger.clocks import CLOCK, BoundRule
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import Store
from models.ledger.tasks import NoSuchTask
from models.records import Meeting
from support.duty import HOUR, MIDNIGHT, MINUTE
from support.limits import THIS_YEAR, Rules, holds, opened, publish, rule, shown

QUIET = Rules()
FACT = "黔财办〔2017〕14号 (七)2 [S-035]"
CLARIFY = Want(
    "rumour:kind:clarify", "及时回应", "rumour", (FACT,), "涉事责任部门",
    evidence=EvidenceKind.CLARIFICATION, must=True,
)  # fmt: skip
HANDOVER = Want(
    "rumour:kind:handover", "移交线索", "rumour", (FACT,), evidence=EvidenceKind.HANDOVER_RECEIPT, must=True
)
SPEAK = Want("major:task:speak", "约请主要负责人", "major", ("黔财办〔2017〕14号 (七)3 [S-013]",), must=True)
CALL = Want(
    "major:task:call", "与媒体联系", "major", owner="宣传部", due=2 * HOUR, since=StartEvent.DISCOVERY
)
PARTIES = ("上级总值班室", "宣传部", "网信办")
TOGETHER = Notification("spread", 1, PARTIES, 10 * MINUTE, EvidenceKind.REPORT_RECEIPT, ("[S-041]",))
TELL = tuple(
    Want(TOGETHER.key(to), f"通报 {to}", "spread", evidence=EvidenceKind.REPORT_RECEIPT, must=True, party=to)
    for to in PARTIES
)


def settle(store: Store, incident: str, wants: Sequence[Want], at: datetime = MIDNIGHT) -> int:
    with store.write() as conn:
        entries = tasks.settling(conn, at, incidents.get(conn, incident), wants, THIS_YEAR)
        append(conn, at, entries)
    return len(entries)


def states(store: Store, incident: str) -> dict[str, str]:
    with store.read() as conn:
        return {row.name: row.state for row in tasks.of(conn, incident)}


def prove(store: Store, incident: str, kind: EvidenceKind, at: datetime, document: str = "回执 1 号") -> None:
    proof = proving.Proof(kind, "市公安局", at, at, document=document)
    with store.write() as conn:
        proving.stop(conn, at, incident, proof, "li", "登记", QUIET)


def close(store: Store, incident: str, at: datetime) -> None:
    with store.write() as conn:
        acts.close(conn, at, incident, "li", "办完")


def test_what_the_playbooks_ask_becomes_a_task_once(store: Store) -> None:
    incident = opened(store, QUIET)
    assert settle(store, incident, (CLARIFY, HANDOVER, CALL)) == 1
    assert settle(store, incident, (CLARIFY, HANDOVER, CALL), MIDNIGHT + HOUR) == 0
    assert states(store, incident) == {"及时回应": "open", "移交线索": "open", "与媒体联系": "open"}
    with store.read() as conn:
        call = tasks.find(conn, incident, "与媒体")
    assert call.due_at == MIDNIGHT + 2 * HOUR
    holds(store, MIDNIGHT + HOUR)


def test_false_information_closes_only_with_the_answer_and_the_receipt(store: Store) -> None:
    incident = opened(store, QUIET, kind=OpinionKind.FALSE_INFO)
    wants = (CLARIFY, HANDOVER)
    settle(store, incident, wants)
    with pytest.raises(NotAllowed) as refused:
        close(store, incident, MIDNIGHT + HOUR)
    assert "2 项必办" in str(refused.value)
    assert "澄清信息" in str(refused.value)
    assert "移交回执" in str(refused.value)
    assert "S-035" in str(refused.value)
    prove(store, incident, EvidenceKind.CLARIFICATION, MIDNIGHT + HOUR)
    settle(store, incident, wants, MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed, match="移交回执") as still:
        close(store, incident, MIDNIGHT + HOUR)
    assert "1 项必办" in str(still.value)
    prove(store, incident, EvidenceKind.HANDOVER_RECEIPT, MIDNIGHT + 2 * HOUR)
    settle(store, incident, wants, MIDNIGHT + 2 * HOUR)
    close(store, incident, MIDNIGHT + 2 * HOUR)
    holds(store, MIDNIGHT + 2 * HOUR)


def test_all_that_is_missing_is_said_at_once(store: Store) -> None:
    rules = Rules(rule("first_statement", 5, EvidenceKind.STATEMENT))
    incident = opened(store, rules)
    settle(store, incident, (CLARIFY, SPEAK, *TELL))
    with pytest.raises(NotAllowed) as refused:
        close(store, incident, MIDNIGHT + HOUR)
    for words in (
        "first_statement",
        "第一新闻发言人",
        "S-013",
        "宣传部、网信办 的回执",
        "task drop",
        "waive",
    ):
        assert words in str(refused.value)


def test_a_retracted_proof_opens_its_task_again(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CLARIFY,))
    prove(store, incident, EvidenceKind.CLARIFICATION, MIDNIGHT + HOUR)
    settle(store, incident, (CLARIFY,), MIDNIGHT + HOUR)
    assert states(store, incident)["及时回应"] == "done"
    with store.write() as conn:
        proof = conn.execute(incidents.EVIDENCE.select()).one()
        proving.retract(conn, MIDNIGHT + 2 * HOUR, incident, proof.id, "li", "有误", QUIET)
    settle(store, incident, (CLARIFY,), MIDNIGHT + 2 * HOUR)
    assert states(store, incident)["及时回应"] == "open"
    holds(store, MIDNIGHT + 2 * HOUR)


def test_an_interim_word_closes_a_major_problem_and_no_other(store: Store) -> None:
    want = Want("b:kind:x", "公布调查", "b", evidence=EvidenceKind.STATEMENT, must=True)
    for kind, state in ((OpinionKind.MAJOR_PROBLEM, "done"), (OpinionKind.UNINFORMED, "open")):
        incident = opened(store, QUIET, kind=kind)
        publish(store, QUIET, incident, MIDNIGHT + HOUR, EvidenceKind.UPDATE)
        settle(store, incident, (want,), MIDNIGHT + HOUR)
        assert states(store, incident)["公布调查"] == state


def test_a_waived_clock_asks_no_proof_of_its_kind(store: Store) -> None:
    rules = Rules(rule("press_conference", 24, EvidenceKind.PRESS_CONFERENCE))
    incident = opened(store, rules)
    want = Want("b:task:p", "筹备发布会", "b", evidence=EvidenceKind.PRESS_CONFERENCE, must=True)
    settle(store, incident, (want,))
    with store.write() as conn:
        proving.waive(conn, MIDNIGHT + HOUR, incident, "press_conference", "zhou", "周主要", "省级统一发布")
    settle(store, incident, (want,), MIDNIGHT + HOUR)
    assert settle(store, incident, (want,), MIDNIGHT + 2 * HOUR) == 0
    assert states(store, incident)["筹备发布会"] == "dropped"
    close(store, incident, MIDNIGHT + 2 * HOUR)


def test_a_clock_waived_by_a_lower_rank_leaves_what_must_be_done(store: Store) -> None:
    rules = Rules(rule("press_conference", 24, EvidenceKind.PRESS_CONFERENCE))
    incident = opened(store, rules)
    want = Want("b:task:p", "筹备发布会", "b", evidence=EvidenceKind.PRESS_CONFERENCE, must=True)
    settle(store, incident, (want,))
    with store.write() as conn:
        proving.waive(conn, MIDNIGHT, incident, "press_conference", "chen", "陈值班", "无", frees=False)
    assert settle(store, incident, (want,), MIDNIGHT + HOUR) == 0
    assert states(store, incident)["筹备发布会"] == "open"
    with pytest.raises(NotAllowed, match="由带班领导以上写明理由核销"):
        close(store, incident, MIDNIGHT + HOUR)
    with store.read() as conn:
        said = conn.execute(select(CLOCK.c.ended_reason).where(CLOCK.c.incident_id == incident)).scalars()
        assert "必办的事项仍须完成" in "".join(said)
    holds(store, MIDNIGHT + HOUR)


def test_a_task_gets_its_limit_when_its_year_has_a_calendar(store: Store) -> None:
    incident = opened(store, QUIET)
    want = Want("b:task:r", "报告", "b", due=WorkingDays(3))
    for calendar, due in (({}, None), (THIS_YEAR, "2026-11-26T00:00:00+08:00")):
        with store.write() as conn:
            row = incidents.get(conn, incident)
            append(conn, MIDNIGHT, tasks.settling(conn, MIDNIGHT, row, (want,), calendar))
        with store.read() as conn:
            (task,) = tasks.of(conn, incident)
        assert (iso(task.due_at) if task.due_at else None) == due
    assert settle(store, incident, (want,)) == 0
    holds(store, MIDNIGHT)


def test_a_task_follows_its_corrected_start_while_it_is_open(store: Store) -> None:
    incident = opened(store, QUIET)
    other = replace(CALL, key="major:task:other", name="另一项")
    settle(store, incident, (CALL, other))
    with store.write() as conn:
        tasks.done(conn, MIDNIGHT, tasks.find(conn, incident, "另一"), "chen", "已办")
        earlier = MIDNIGHT - HOUR
        acts.correct_time(
            conn, MIDNIGHT + MINUTE, incident, StartEvent.DISCOVERY, earlier, "li", "记录", QUIET
        )
    assert settle(store, incident, (CALL, other)) == 1
    assert settle(store, incident, (CALL, other), MIDNIGHT + HOUR) == 0
    with store.read() as conn:
        due = {task.name: task.due_at for task in tasks.of(conn, incident)}
    assert due == {"与媒体联系": MIDNIGHT + HOUR, "另一项": MIDNIGHT + 2 * HOUR}
    holds(store, MIDNIGHT + HOUR)


def test_the_principal_who_spoke_at_a_meeting_is_the_first_spokesperson(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (SPEAK,))
    held(store, incident, principal=False)
    assert settle(store, incident, (SPEAK,), MIDNIGHT + HOUR) == 0
    held(store, incident, principal=True)
    settle(store, incident, (SPEAK,), MIDNIGHT + HOUR)
    assert states(store, incident)["约请主要负责人"] == "done"


def held(store: Store, incident: str, principal: bool) -> None:
    row = Meeting(
        id=f"m{principal}", incident_id=incident, kind=MeetingKind.PRESS_CONFERENCE.value,
        state=MeetingState.HELD.value, place="市政府", starts_at=MIDNIGHT, speaker="zhou", principal=principal,
        questions=[], booked_at=MIDNIGHT, booked_by="li",
    )  # fmt: skip
    times = {name: iso(MIDNIGHT) for name in ("starts_at", "booked_at")}
    payload = {"insert": {"meeting": [row.model_dump() | times]}}
    with store.write() as conn:
        append(conn, MIDNIGHT, [Entry("x", payload, "li", "举行", incident)])


def test_a_task_that_its_playbook_no_longer_asks_for_goes_and_comes_back(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CALL,))
    settle(store, incident, (), MIDNIGHT + HOUR)
    assert states(store, incident)["与媒体联系"] == "dropped"
    settle(store, incident, (CALL,), MIDNIGHT + 2 * HOUR)
    assert states(store, incident)["与媒体联系"] == "open"
    holds(store, MIDNIGHT + 2 * HOUR)


def test_what_a_person_struck_off_or_did_stays_so(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CALL, CLARIFY))
    with store.write() as conn:
        tasks.done(conn, MIDNIGHT + HOUR, tasks.find(conn, incident, "与媒体"), "chen", "已电话沟通")
        tasks.drop(conn, MIDNIGHT + HOUR, [tasks.find(conn, incident, "及时")], "li", "误报", 2, 4)
    assert settle(store, incident, (CALL, CLARIFY), MIDNIGHT + 2 * HOUR) == 0
    assert states(store, incident) == {"及时回应": "dropped", "与媒体联系": "done"}


def test_what_must_be_done_is_struck_off_from_the_second_rung_on(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CLARIFY,))
    with store.read() as conn:
        task = tasks.find(conn, incident, "1")
    with pytest.raises(NotAllowed, match="带班领导以上"), store.write() as conn:
        tasks.drop(conn, MIDNIGHT, [task], "chen", "误报", 1, 4)
    with pytest.raises(NotAllowed, match="写明理由"), store.write() as conn:
        tasks.drop(conn, MIDNIGHT, [task], "li", " ", 2, 4)


def test_a_task_that_asks_for_proof_is_not_done_by_word_of_mouth(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CLARIFY, TELL[0]))
    with store.write() as conn:
        with pytest.raises(NotAllowed, match="登记凭据"):
            tasks.done(conn, MIDNIGHT, tasks.find(conn, incident, "及时"), "li", "办了")
        with pytest.raises(NotAllowed, match="notify-receipt --to 上级总值班室"):
            tasks.done(conn, MIDNIGHT, tasks.find(conn, incident, "通报"), "li", "办了")


def test_a_task_by_hand_is_kept_by_no_playbook(store: Store) -> None:
    incident = opened(store, QUIET)
    with store.write() as conn:
        made = tasks.add(
            conn, MIDNIGHT, incident, "走访家属", "li", "安抚", unit="民政局", due=MIDNIGHT + HOUR, must=True
        )
    assert made == f"{incident}:t1"
    assert settle(store, incident, (), MIDNIGHT + HOUR) == 0
    with pytest.raises(NotAllowed, match="走访家属"):
        close(store, incident, MIDNIGHT + HOUR)
    with store.write() as conn:
        tasks.done(conn, MIDNIGHT + 2 * HOUR, tasks.find(conn, incident, "1"), "chen", "已走访三户")
    close(store, incident, MIDNIGHT + 2 * HOUR)
    holds(store, MIDNIGHT + 2 * HOUR)


@pytest.mark.parametrize(
    ("name", "due", "words"), [(" ", None, "做什么"), ("走访", MIDNIGHT - HOUR, "已经过去")]
)
def test_a_task_without_a_name_or_with_a_past_limit_is_refused(
    store: Store, name: str, due: datetime | None, words: str
) -> None:
    incident = opened(store, QUIET)
    with pytest.raises(NotAllowed, match=words), store.write() as conn:
        tasks.add(conn, MIDNIGHT, incident, name, "li", "", due=due)


def test_an_unknown_task_is_named_with_the_nearest(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CALL,))
    with store.read() as conn:
        with pytest.raises(NoSuchTask, match="没有叫 99"):
            tasks.find(conn, incident, "99")
        with pytest.raises(NoSuchTask, match="是不是 “与媒体联系”"):
            tasks.find(conn, incident, "同媒体联系")


def test_what_comes_after_is_laid_when_it_is_closed_and_goes_when_it_is_opened_again(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, (CALL,))
    close(store, incident, MIDNIGHT + HOUR)
    after = Want("major:after:review", "复盘", "major", due=timedelta(days=7))
    settle(store, incident, (after,), MIDNIGHT + HOUR)
    assert states(store, incident) == {"与媒体联系": "dropped", "复盘": "open"}
    with store.read() as conn:
        assert tasks.find(conn, incident, "复盘").due_at == MIDNIGHT + HOUR + timedelta(days=7)
    with store.write() as conn:
        acts.reopen(conn, MIDNIGHT + 2 * HOUR, incident, "li", "有误", QUIET)
    settle(store, incident, (CALL,), MIDNIGHT + 2 * HOUR)
    assert states(store, incident) == {"与媒体联系": "open", "复盘": "dropped"}
    holds(store, MIDNIGHT + 2 * HOUR)


def test_the_tasks_of_an_incident_that_went_into_another_are_on_no_list(store: Store) -> None:
    first, second = opened(store, QUIET), opened(store, QUIET)
    settle(store, first, (CALL,))
    with store.write() as conn:
        joining.merge(conn, MIDNIGHT + HOUR, first, second, "li", "同一事件", QUIET)
        assert tasks.open_everywhere(conn) == []


# ── notifications ─────────────────────────────────────────────────────────────────────────────

UPWARD = replace(rule("upward_report", 1, EvidenceKind.REPORT_RECEIPT, StartEvent.RECEIPT), statutory=False)


class Spread(Rules):
    """The clock of the playbook that asks for the notifications."""

    def __call__(self, situation: Situation) -> Sequence[BoundRule]:
        return [replace(bound, playbook="spread") for bound in super().__call__(situation)]


def tell(store: Store, rules: Rules, incident: str, to: str, minutes: int, number: str) -> list[str]:
    at = MIDNIGHT + minutes * MINUTE
    with store.write() as conn:
        return notified.receipt(
            conn, MIDNIGHT + HOUR / 2, incident, [TOGETHER], to, number, at, "li", "通报", rules
        )


def test_the_clock_of_the_report_stops_only_when_all_three_receipts_are_there(store: Store) -> None:
    rules = Spread(UPWARD)
    incident = opened(store, rules, kind=OpinionKind.NOT_YET_SPREAD)
    assert tell(store, rules, incident, "宣传部", 5, "宣 1") == []
    assert tell(store, rules, incident, "上级总值班室", 3, "总 1") == []
    assert shown(store, incident, MIDNIGHT + HOUR / 2)["upward_report"].startswith("running")
    assert tell(store, rules, incident, "网信办", 12, "网 1") == ["upward_report"]
    assert shown(store, incident, MIDNIGHT + HOUR / 2)["upward_report"].startswith("met ")
    with store.read() as conn:
        seen = notified.view(conn, incident, [TOGETHER], {})[0]
    assert (seen["apart_s"], seen["within"], seen["missing"]) == (540, True, [])
    assert seen["said"] == "先后相差 9 分，未超过允许的 10 分"
    holds(store, MIDNIGHT + HOUR)


def test_parties_told_one_after_another_are_judged_so(store: Store) -> None:
    rules = Spread(UPWARD)
    incident = opened(store, rules)
    for to, minutes in zip(PARTIES, (0, 5, 25), strict=True):
        tell(store, rules, incident, to, minutes, f"{to} 1")
    with store.read() as conn:
        seen = notified.view(conn, incident, [TOGETHER], {})[0]
    assert seen["within"] is False
    assert "超过允许的 10 分" in seen["said"]


def test_an_incident_closes_only_when_every_party_has_given_its_own_receipt(store: Store) -> None:
    incident = opened(store, QUIET)
    settle(store, incident, TELL)
    tell(store, QUIET, incident, "宣传部", 5, "宣 1")
    prove(store, incident, EvidenceKind.REPORT_RECEIPT, MIDNIGHT + HOUR, "某处回执 9 号")
    settle(store, incident, TELL, MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed) as refused:
        close(store, incident, MIDNIGHT + HOUR)
    assert "尚缺 上级总值班室、网信办 的回执" in str(refused.value)


@pytest.mark.parametrize(
    ("to", "minutes", "number", "words"),
    [
        ("宣传", 1, "a", "是不是 “宣传部”"),
        ("宣传部", 1, " ", "回执编号"),
        ("宣传部", 90, "a", "在将来"),
        ("宣传部", -90, "a", "早于事件"),
    ],
)
def test_an_impossible_receipt_is_refused_with_the_reason(
    store: Store, to: str, minutes: int, number: str, words: str
) -> None:
    incident = opened(store, QUIET)
    with pytest.raises(NotAllowed, match=words):
        tell(store, QUIET, incident, to, minutes, number)


def test_a_receipt_number_is_used_once(store: Store) -> None:
    first, second = opened(store, QUIET), opened(store, QUIET)
    tell(store, QUIET, first, "宣传部", 1, "宣 1")
    with pytest.raises(NotAllowed, match="只能用一次"):
        tell(store, QUIET, first, "网信办", 1, "宣 1")
    with pytest.raises(NotAllowed, match="只能用一次"):
        tell(store, QUIET, second, "宣传部", 1, "宣 1")
    with pytest.raises(NotAllowed, match="此前已登记"):
        tell(store, QUIET, first, "宣传部", 2, "宣 2")
    tell(store, QUIET, second, "网信办", 1, "宣 1")  # another body may count likewise


def test_the_grade_alone_asks_for_nothing(store: Store) -> None:
    incident = opened(store, QUIET)
    with store.write() as conn:
        acts.set_grade(conn, MIDNIGHT, incident, Grade.IV, "li", "核实", QUIET)
    close(store, incident, MIDNIGHT)
    assert states(store, incident) == {}
    assert TaskState.OPEN.zh == "办理中"


def test_that_a_body_was_told_is_no_report_of_another_matter(store: Store) -> None:
    toll = Want("safety:task:toll", "伤亡变化补报", "safety", evidence=EvidenceKind.REPORT_RECEIPT, must=True)
    kind = Want("spread:kind:r", "及时上报", "spread", evidence=EvidenceKind.REPORT_RECEIPT, must=True)
    incident = opened(store, QUIET)
    tell(store, QUIET, incident, "宣传部", 5, "宣 1")
    settle(store, incident, (toll, kind, *TELL), MIDNIGHT + HOUR)
    found = states(store, incident)
    assert (found["伤亡变化补报"], found["及时上报"], found["通报 宣传部"]) == ("open", "done", "done")
