"""Proposals and captures in the ledger: once for ever, decided by people, rebuilt from the journal."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.core.clock import ClockRule, StepRule
from models.core.moment import CST
from models.core.rechecking import Course, Finding
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, Grade, PageState, ProposalState, StartEvent
from models.ledger import acts, captures, clocks, incidents, joining, planning, proposals, proving
from models.ledger.captures import Page
from models.ledger.clocks import BoundRule
from models.ledger.incidents import NotAllowed
from models.ledger.proposals import Found
from models.ledger.store import Connection, Store
from models.ledger.verify import verify

T0 = datetime(2026, 11, 21, 0, 0, tzinfo=CST)
HOUR = timedelta(hours=1)
URL = "https://www.example.gov.cn/1"


def rule(id_: str, kind: EvidenceKind, auto: bool) -> BoundRule:
    made = ClockRule(
        id=id_,
        name=id_,
        amount=5 * HOUR,
        start=StartEvent.DISCOVERY,
        evidence=frozenset({kind}),
        steps=(StepRule(rung=1, fraction=1.0),),
        auto=auto,
    )
    return BoundRule(made, "book", "1", 2 * HOUR)


def rules(*wanted: BoundRule) -> Callable[[Situation], Sequence[BoundRule]]:
    return lambda _: wanted


AUTO = rules(rule("first", EvidenceKind.STATEMENT, True), rule("meet", EvidenceKind.PRESS_CONFERENCE, False))


def opened(conn: Connection, rules_for: planning.RulesFor = AUTO, title: str = "东湖化工园区爆炸") -> str:
    opening = acts.Opening(title, Grade.II, {StartEvent.DISCOVERY: T0}, "chen", "电话", provisional=False)
    return acts.open_incident(conn, T0, opening, rules_for)


def found(incident_id: str, **changed: object) -> Found:
    made = Found(
        incident_id=incident_id,
        source_id="release",
        url=URL,
        title="关于爆炸事故的情况通报",
        text="21日零时许发生爆炸。",
        publisher="市政府新闻办",
        account="政府网站 · 备案 临ICP备0001号",
        kind=EvidenceKind.STATEMENT,
        published_at=T0 + HOUR,
        seen_at=T0 + 2 * HOUR,
        score=0.97,
        sure=True,
        reasons=("共有特征词: 东湖",),
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def states(conn: Connection, incident_id: str) -> dict[str, str]:
    query = select(planning.CLOCK.c.rule_id, planning.CLOCK.c.state).where(
        planning.CLOCK.c.incident_id == incident_id
    )
    return {row.rule_id: row.state for row in conn.execute(query)}


def verified(store: Store) -> bool:
    outcome = verify(store, T0 + 10 * HOUR)
    assert outcome["findings"] == []
    return bool(outcome["ok"])


def test_a_person_who_accepts_stops_the_clock_by_the_platforms_time(store: Store) -> None:
    with store.write() as conn:
        at = T0 + 6 * HOUR  # after the limit of five hours, but published within it
        incident_id = opened(conn)
        made = proposals.propose(conn, at, found(incident_id))
        assert proposals.accept(conn, at, incident_id, made[:8], "chen", "是本事件的通报", AUTO) == ["first"]
        assert states(conn, incident_id)["first"] == "met"
        (kept,) = proposals.of_incident(conn, incident_id)
        assert (kept.state, kept.decided_by) == (ProposalState.ACCEPTED.value, "chen")
        proof = conn.execute(select(planning.EVIDENCE)).one()
        assert (proof.id, proof.sha256, proof.published_at) == (kept.evidence_id, kept.sha256, T0 + HOUR)
        snapshot = captures.snapshot(conn, proof.sha256)
        assert snapshot is not None
        assert "21日零时许发生爆炸" in snapshot[0].decode()
    assert verified(store)


def test_the_kind_and_the_time_can_be_corrected_while_accepting(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        proposals.propose(conn, T0 + 2 * HOUR, found(incident_id))
        stopped = proposals.accept(
            conn, T0 + 2 * HOUR, incident_id, "", "chen", "", AUTO,
            kind=EvidenceKind.PRESS_CONFERENCE, published_at=T0 + HOUR / 2,
        )  # fmt: skip
        assert stopped == ["meet"]
        assert states(conn, incident_id) == {"first": "running", "meet": "met"}


def test_what_was_rejected_is_known_for_ever_and_needs_a_reason(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        made = proposals.propose(conn, T0 + HOUR, found(incident_id))
        with pytest.raises(NotAllowed, match="请写明为什么"):
            proposals.reject(conn, T0 + HOUR, incident_id, made, "chen", " ")
        proposals.reject(conn, T0 + HOUR, incident_id, made, "chen", "说的是另一起")
        assert proposals.known(conn, [incident_id]) == {(incident_id, found(incident_id).item)}
        assert states(conn, incident_id)["first"] == "running"
        with pytest.raises(NotAllowed, match="没有"):
            proposals.accept(conn, T0 + HOUR, incident_id, made, "chen", "", AUTO)
    assert verified(store)


def test_the_database_itself_refuses_a_second_proposal_of_the_same(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        proposals.propose(conn, T0 + HOUR, found(incident_id))
    with pytest.raises(Exception, match=r"(?i)unique"), store.write() as conn:
        proposals.propose(conn, T0 + HOUR, found(incident_id, title="换了标题"))


def test_a_machine_may_stop_only_where_each_clock_allows_it(store: Store) -> None:
    strict = rules(rule("first", EvidenceKind.STATEMENT, True), rule("more", EvidenceKind.STATEMENT, False))
    with store.write() as conn:
        free, bound = opened(conn), opened(conn, strict)
        at = T0 + 2 * HOUR
        assert proposals.may_use(conn, at, found(free), AUTO)
        assert not proposals.may_use(conn, at, found(free, sure=False), AUTO)
        assert not proposals.may_use(conn, at, found(free, kind=EvidenceKind.PRESS_CONFERENCE), AUTO)
        assert not proposals.may_use(conn, at, found(free, kind=EvidenceKind.UPDATE), AUTO)  # stops nothing
        assert not proposals.may_use(conn, at, found(bound), strict)


def test_what_a_person_registered_meanwhile_needs_no_answer_any_more(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        proposals.propose(conn, T0 + HOUR, found(incident_id))
        proof = proving.Proof(EvidenceKind.STATEMENT, "新闻办", T0 + HOUR, T0 + HOUR, url=URL)
        proving.stop(conn, T0 + HOUR, incident_id, proof, "chen", "人工", AUTO)
        assert proposals.lapse(conn, T0 + HOUR) == 1
        assert proposals.of_incident(conn, incident_id)[0].state == ProposalState.LAPSED.value


def test_a_proposal_goes_with_its_incident_into_the_one_that_stays(store: Store) -> None:
    with store.write() as conn:
        stays, goes = opened(conn), opened(conn)
        proposals.propose(conn, T0 + HOUR, found(goes))
        joining.merge(conn, T0 + HOUR, goes, stays, "chen", "同一事件", AUTO)
        assert proposals.follow_merges(conn, T0 + HOUR) == 1
        assert [row.state for row in proposals.of_incident(conn, stays)] == [ProposalState.PENDING.value]
        assert proposals.follow_merges(conn, T0 + HOUR) == 0
    assert verified(store)


def evidence(conn: Connection, incident_id: str, url: str | None = URL) -> str:
    document = None if url else "通报原件"
    proof = proving.Proof(EvidenceKind.STATEMENT, "新闻办", T0 + HOUR, T0 + HOUR, url=url, document=document)
    proving.stop(conn, T0 + HOUR, incident_id, proof, "chen", "人工", AUTO)
    return str(conn.execute(select(planning.EVIDENCE.c.id)).scalars().all()[-1])


def test_evidence_with_an_address_is_looked_at_and_paper_is_not(store: Store) -> None:
    with store.write() as conn:
        evidence(conn, opened(conn))
        evidence(conn, opened(conn), url=None)
        assert captures.adopt(conn, T0 + 2 * HOUR) == 1
        assert captures.adopt(conn, T0 + 2 * HOUR) == 0
        assert [row.url for row in captures.due(conn, T0 + 2 * HOUR, 10)] == [URL]


def test_a_capture_is_an_entry_of_its_own_and_the_rhythm_is_not(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        evidence_id = evidence(conn, incident_id)
        captures.adopt(conn, T0 + 2 * HOUR)
        (row,) = captures.due(conn, T0 + 2 * HOUR, 10)
        page = Page(200, "发生爆炸。", "a" * 64, hashlib.sha256("发生爆炸。".encode()).hexdigest(), b"W", "x")
        later = T0 + 3 * HOUR
        captures.note(conn, T0 + 2 * HOUR, row, page, Finding(PageState.TAKEN, "", Course(1), later))
        captures.note(conn, T0 + 3 * HOUR, row, page, Finding(PageState.SAME, "", Course(2), None))
        assert captures.first_text(conn, evidence_id) == ("发生爆炸。", T0 + 2 * HOUR)
        assert [one.outcome for one in captures.of_evidence(conn, [evidence_id])[evidence_id]] == ["taken"]
        assert captures.looking(conn, [evidence_id])[evidence_id].last_word == "未变"
        assert captures.due(conn, T0 + 99 * HOUR, 10) == []
    assert verified(store)


def test_a_proof_that_was_withdrawn_may_be_registered_again(store: Store) -> None:
    with store.write() as conn:
        incident_id = opened(conn)
        evidence_id = evidence(conn, incident_id)
        with pytest.raises(NotAllowed, match="不能重复"):
            evidence(conn, incident_id)
        proving.retract(conn, T0 + 2 * HOUR, incident_id, evidence_id, "chen", "页面被删", AUTO)
        assert {clock.rule_id for clock in clocks.open_clocks(conn, incident_id)} == {"first", "meet"}
        evidence(conn, incident_id)
        assert incidents.get(conn, incident_id).closed_at is None
        assert [clock.rule_id for clock in clocks.open_clocks(conn, incident_id)] == ["meet"]
