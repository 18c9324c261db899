"""Statements in the ledger: three different people, one hash, limits of their own, and the gate to release."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from models.core.casework import Disclosure, Outlet, StatementState, Verdict
from models.core.published import Change
from models.core.review import Step, asked, chain_of
from models.core.statements import Content, Finding
from models.core.vocabulary import EvidenceKind
from models.ledger import (
    incidents,
    joining,
    limits,
    proving,
    releases,
    reviewing,
    statement_views,
    statements,
    wordings,
)
from models.ledger.clocks import CLOCK
from models.ledger.incidents import NotAllowed
from models.ledger.journal import JOURNAL
from models.ledger.releases import Published, Registered
from models.ledger.reviewing import Handed
from models.ledger.statements import NoSuchStatement
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT, MINUTE
from support.limits import Rules, holds, opened, shown, timeline

TEXT = "## 事实\n化工园区起火。\n\n## 措施\n消防已到场。\n\n## 结果\n火已扑灭。\n"
DRAFT = Content(EvidenceKind.STATEMENT, "化工园区火灾通报", TEXT, "市应急局", Disclosure.PROACTIVE)
THREE = (("初审", "部门分管负责人", 0.4), ("审核", "部门主要负责人", 0.3), ("审发", "政府办公室", 0.3))
KNOWN = ("chen", "li", "zhao", "zhou")
PEOPLE = {"1": "li", "2": "zhao", "3": "zhou", "c1": "zhou"}
URL = "https://www.example.gov.cn/tongbao/1"


def chain(emergency: bool = False, **people: str) -> tuple[Step, ...]:
    wanted = chain_of(THREE, ("保密审查", "公开属性"), emergency)
    made, wrong = asked(wanted, people or PEOPLE, ("chen",), KNOWN)
    assert wrong == ""
    return made


def drafted(store: Store, incident: str, content: Content = DRAFT) -> str:
    with store.write() as conn:
        return statements.draft(conn, MIDNIGHT, incident, content, "chen", "拟稿")


def handed(store: Store, sid: str, at: datetime = MIDNIGHT, **how: object) -> None:
    with store.write() as conn:
        reviewing.submit(conn, at, sid, Handed(chain(), **how), "chen", "送审")  # type: ignore[arg-type]


def sign(
    store: Store, sid: str, by: str, at: datetime = MIDNIGHT, step: str = "",
    verdict: Verdict = Verdict.PASSED, sha256: str = "", opinion: str = "同意",
) -> StatementState:  # fmt: skip
    with store.write() as conn:
        digest = sha256 or statements.get(conn, sid).sha256
        return reviewing.sign(conn, at, sid, step, digest, verdict, by, opinion)


def approved(store: Store, rules: Rules) -> tuple[str, str]:
    incident = opened(store, rules)
    sid = drafted(store, incident)
    handed(store, sid)
    for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        sign(store, sid, by, MIDNIGHT + HOUR, step)
    return incident, sid


def release(
    store: Store, sid: str, rules: Rules, outlet: Outlet = Outlet.WEBSITE, url: str | None = URL,
    at: datetime = MIDNIGHT + 2 * HOUR, sha256: str = "",
) -> Registered:  # fmt: skip
    with store.write() as conn:
        said = Published(outlet, at, url, sha256)
        return releases.register(conn, at, sid, said, "chen", "", "临江市政府办公室", rules)


def due(store: Store, incident: str, sid: str) -> dict[str, float]:
    """step → hours since midnight until which its limit runs."""
    with store.read() as conn:
        live = limits.live(conn, incident, statements.subject(sid))
        return {str(row.subject).rpartition(".")[2]: (row.due_at - MIDNIGHT) / HOUR for row in live}


def kinds(store: Store) -> list[str]:
    with store.read() as conn:
        return [row.kind for row in conn.execute(select(JOURNAL.c.kind).order_by(JOURNAL.c.seq))]


# ── the way through ───────────────────────────────────────────────────────────────────────────


def test_three_people_and_the_secrecy_check_approve_and_each_has_a_slice_of_the_time(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    sid = drafted(store, incident)
    handed(store, sid)
    assert due(store, incident, sid) == {
        "1": 2.0,
        "c1": 5.0,
    }  # 40 % of the five hours; the check has them all
    assert sign(store, sid, "li", MIDNIGHT + HOUR) is StatementState.IN_REVIEW
    assert due(store, incident, sid) == {"2": 3.0, "c1": 5.0}  # half of the four that are left
    sign(store, sid, "zhao", MIDNIGHT + 2 * HOUR)
    sign(store, sid, "zhou", MIDNIGHT + 3 * HOUR, "3")
    assert sign(store, sid, "zhou", MIDNIGHT + 3 * HOUR, "c1") is StatementState.APPROVED
    assert due(store, incident, sid) == {}
    holds(store, MIDNIGHT + 3 * HOUR)


def test_without_a_running_clock_the_review_has_an_hour(store: Store) -> None:
    incident = opened(store, Rules())
    sid = drafted(store, incident)
    handed(store, sid)
    assert due(store, incident, sid) == {"1": 0.4, "c1": 1.0}


def test_what_is_released_stops_the_clock_with_the_text_as_its_proof(store: Store) -> None:
    rules = Rules(FIRST)
    incident, sid = approved(store, rules)
    done = release(store, sid, rules)
    assert (done.stopped, done.warnings) == (["first_statement"], [])
    assert shown(store, incident, MIDNIGHT + 3 * HOUR)["first_statement"].startswith("met ")
    with store.read() as conn:
        view = statement_views.one(conn, statements.get(conn, sid), MIDNIGHT + 3 * HOUR, {})
    assert (view["state"], view["releases"][0]["evidence_id"] is not None) == ("released", True)
    holds(store, MIDNIGHT + 3 * HOUR)


def test_another_outlet_warns_until_the_website_has_it(store: Store) -> None:
    rules = Rules(FIRST)
    _, sid = approved(store, rules)
    first = release(store, sid, rules, Outlet.WEIBO, "https://weibo.com/1/a")
    assert "S-099" in first.warnings[0]
    assert release(store, sid, rules).warnings == []
    assert release(store, sid, rules, Outlet.PRESS, None).warnings == []


def test_a_withdrawn_statement_lets_the_clock_run_again_from_the_same_start(store: Store) -> None:
    rules = Rules(FIRST)
    incident, sid = approved(store, rules)
    release(store, sid, rules)
    with store.write() as conn:
        freed = releases.withdraw(conn, MIDNIGHT + 4 * HOUR, sid, "li", "数字有误", rules)
    assert freed == ["first_statement"]
    assert shown(store, incident, MIDNIGHT + 4 * HOUR)["first_statement"] == "running 0 → 5"
    with store.write() as conn:
        again = statements.draft(conn, MIDNIGHT + 4 * HOUR, incident, DRAFT, "chen", "重发", replaces=sid)
        assert statements.get(conn, again).replaces == sid
    holds(store, MIDNIGHT + 4 * HOUR)


# ── what takes signatures back ────────────────────────────────────────────────────────────────


def test_an_edit_voids_what_was_signed_and_the_limits_go(store: Store) -> None:
    rules = Rules(FIRST)
    incident, sid = approved(store, rules)
    with store.write() as conn:
        fresh = Content(EvidenceKind.STATEMENT, DRAFT.title, TEXT + "补充。\n", DRAFT.unit, DRAFT.disclosure)
        voided = statements.edit(conn, MIDNIGHT + HOUR, sid, fresh, "chen", "补充")
    assert voided == ["li", "zhao", "zhou"]
    with store.read() as conn:
        row = statements.get(conn, sid)
    assert (row.state, row.version, row.approved_sha256, row.chain) == ("draft", 2, None, [])
    with pytest.raises(NotAllowed, match=r"未经审查批准不得对外公布.*S-051"):
        release(store, sid, rules)
    assert due(store, incident, sid) == {}
    holds(store, MIDNIGHT + HOUR)


def test_whoever_changed_the_words_does_not_review_them(store: Store) -> None:
    sid = drafted(store, opened(store, Rules(FIRST)))
    with store.write() as conn:
        fresh = Content(DRAFT.kind, DRAFT.title, TEXT + "补充。\n", DRAFT.unit, DRAFT.disclosure)
        statements.edit(conn, MIDNIGHT, sid, fresh, "li", "补充")
        assert statements.authors(conn, statements.get(conn, sid)) == {"chen", "li"}
        view = statement_views.one(conn, statements.get(conn, sid), MIDNIGHT, {})
    assert view["changed"] == "增加“补充。”"
    handed(store, sid)  # the chain was chosen before li wrote
    with pytest.raises(NotAllowed, match="起草或修改过本稿的人不能审核它"):
        sign(store, sid, "li")


def test_only_the_disclosure_changed_is_another_text_too(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident)
    handed(store, sid)
    changed = Content(DRAFT.kind, DRAFT.title, TEXT, DRAFT.unit, Disclosure.REDACTED)
    with store.write() as conn:
        statements.edit(conn, MIDNIGHT, sid, changed, "chen", "改属性")
        ended = conn.execute(select(CLOCK.c.state).where(CLOCK.c.subject.is_not(None))).scalars().all()
    assert set(ended) == {"superseded"}


def test_a_refusal_ends_the_review_and_must_be_answered_by_a_change(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident)
    handed(store, sid)
    with pytest.raises(NotAllowed, match="退回须写明意见"):
        sign(store, sid, "li", verdict=Verdict.REFUSED, opinion=" ")
    state = sign(store, sid, "li", verdict=Verdict.REFUSED, opinion="伤亡没有核实")
    assert (state, due(store, incident, sid)) == (StatementState.RETURNED, {})
    with pytest.raises(NotAllowed, match="退回后还没有修改"):
        handed(store, sid)
    with store.write() as conn:
        fresh = Content(DRAFT.kind, DRAFT.title, TEXT + "已核实。\n", DRAFT.unit, DRAFT.disclosure)
        statements.edit(conn, MIDNIGHT, sid, fresh, "chen", "核实")
    handed(store, sid)
    assert sign(store, sid, "li") is StatementState.IN_REVIEW
    holds(store, MIDNIGHT)


# ── what is refused, in words ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("by", "step", "sha256", "words"),
    [
        ("chen", "1", "", "起草或修改过本稿的人不能审核它.*S-050"),
        ("zhao", "1", "", "“初审”由 li 审"),
        ("zhao", "2", "", "还没有轮到“审核”"),
        ("li", "9", "", "没有第 9 道审核"),
        ("li", "", "0" * 64, "所签的不是最新稿.*S-052"),
        ("li", "", "abc", "只有 3 位，至少写前 16 位"),
        ("li", "", "0123456789abcde", "只有 15 位"),
    ],
)
def test_a_signature_that_is_not_theirs_is_refused_by_its_rule(
    store: Store, by: str, step: str, sha256: str, words: str
) -> None:
    sid = drafted(store, opened(store, Rules(FIRST)))
    handed(store, sid)
    with pytest.raises(NotAllowed, match=words):
        sign(store, sid, by, step=step, sha256=sha256)


def test_signing_twice_and_signing_an_old_version_are_refused(store: Store) -> None:
    rules = Rules(FIRST)
    sid = drafted(store, opened(store, rules))
    with store.read() as conn:
        old = statements.get(conn, sid).sha256
    with pytest.raises(NotAllowed, match="还没有送审"):
        sign(store, sid, "li")
    with store.write() as conn:
        fresh = Content(DRAFT.kind, "更正的标题", TEXT, DRAFT.unit, DRAFT.disclosure)
        statements.edit(conn, MIDNIGHT, sid, fresh, "chen", "标题")
    handed(store, sid)
    with pytest.raises(NotAllowed, match="不是最新稿"):
        sign(store, sid, "li", sha256=old)
    sign(store, sid, "li")
    with pytest.raises(NotAllowed, match="已经审过"):
        sign(store, sid, "li", step="1")
    for by, step in (("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        sign(store, sid, by, step=step)
    with pytest.raises(NotAllowed, match="已经审定，不能重复审核"):
        sign(store, sid, "zhou", step="3")


def test_the_gate_lets_nothing_out_that_was_not_approved_by_this_hash(store: Store) -> None:
    rules = Rules(FIRST)
    incident = opened(store, rules)
    sid = drafted(store, incident)
    with pytest.raises(NotAllowed, match="“起草中”，未经审查批准"):
        release(store, sid, rules)
    handed(store, sid)
    with pytest.raises(NotAllowed, match="“送审中”，未经审查批准"):
        release(store, sid, rules)
    for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        sign(store, sid, by, MIDNIGHT + HOUR, step)
    with pytest.raises(NotAllowed, match="审定的不是这一稿"):
        release(store, sid, rules, sha256="f" * 64)
    with pytest.raises(NotAllowed, match="先审查、后公开"):
        release(store, sid, rules, at=MIDNIGHT + 30 * MINUTE)
    with pytest.raises(NotAllowed, match="网址"):
        release(store, sid, rules, Outlet.WEIBO, None)
    release(store, sid, rules)
    with pytest.raises(NotAllowed, match="已登记"):
        release(store, sid, rules)
    with pytest.raises(NotAllowed, match="已经发布"), store.write() as conn:
        statements.edit(conn, MIDNIGHT, sid, DRAFT, "chen", "改")


def test_what_is_not_public_is_not_released(store: Store) -> None:
    rules = Rules(FIRST)
    hidden = Content(DRAFT.kind, DRAFT.title, TEXT, DRAFT.unit, Disclosure.ON_REQUEST, "涉及商业秘密")
    sid = drafted(store, opened(store, rules), hidden)
    handed(store, sid)
    for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        sign(store, sid, by, step=step)
    with pytest.raises(NotAllowed, match=r"依申请公开.*不能对外发布.*S-053"):
        release(store, sid, rules)


def test_what_blocks_is_named_with_its_rule_and_numbers_may_be_answered_for(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident, Content(DRAFT.kind, DRAFT.title, "火灾造成2人死亡。" + TEXT, "市应急局"))
    blocked = Finding("disclosure", "没有写公开属性", True, basis="S-054")
    with pytest.raises(NotAllowed, match=r"1 处须先改: 没有写公开属性\(S-054\)"):
        handed(store, sid, findings=[blocked])
    differs = Finding("facts", "死亡写的是 2 人", True)
    with pytest.raises(NotAllowed, match="死亡写的是 2 人"):
        handed(store, sid, findings=[differs])
    handed(store, sid, findings=[differs], facts_reason="医院已核实")
    assert "facts_verified" not in kinds(store), "a text that nobody approved says nothing of the incident"
    for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        sign(store, sid, by, step=step)
    with store.read() as conn:
        assert statements.facts(incidents.get(conn, incident))["deaths"] == (2, True)
    assert "facts_verified" in kinds(store)
    holds(store, MIDNIGHT)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Content(DRAFT.kind, " ", TEXT, "办"), "没有标题"),
        (Content(DRAFT.kind, "标题", " \n", "办"), "没有内容"),
        (Content(DRAFT.kind, "标题", "字" * 66_700, "办"), "最多 200 kB"),
        (Content(EvidenceKind.HANDOVER_RECEIPT, "标题", TEXT, "办"), "不能作为“移交回执”发布"),
    ],
)
def test_what_is_no_draft_is_refused(store: Store, content: Content, words: str) -> None:
    incident = opened(store, Rules(FIRST))
    with pytest.raises(NotAllowed, match=words):
        drafted(store, incident, content)


def test_a_number_that_is_not_there_is_named(store: Store) -> None:
    with store.read() as conn, pytest.raises(NoSuchStatement, match="没有编号为 nothing 的稿件"):
        statements.get(conn, "nothing")


# ── in an emergency, another reviewer, the wording ────────────────────────────────────────────


def test_two_signatures_in_an_emergency_are_written_down_apart(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident)
    two = chain(True, **{"1": "li", "3": "zhou", "c1": "zhao"})
    assert [step.name for step in two] == ["初审", "审发", "保密审查"]
    with store.write() as conn:
        reviewing.submit(conn, MIDNIGHT, sid, Handed(two, emergency="主要负责人在途"), "chen", "送审")
    assert "statement_emergency" in kinds(store)
    for by in ("li", "zhou", "zhao"):
        state = sign(store, sid, by)
    assert state is StatementState.APPROVED
    with store.read() as conn:
        assert statements.get(conn, sid).emergency == "主要负责人在途"
    holds(store, MIDNIGHT)


def test_a_chain_of_fewer_than_three_is_refused_whoever_wrote_it(store: Store) -> None:
    sid = drafted(store, opened(store, Rules(FIRST)))
    short, _ = asked(chain_of(THREE[2:], ()), {"1": "li", "c1": "li"}, ("chen",), KNOWN)
    with store.write() as conn, pytest.raises(NotAllowed, match=r"只有 1 道.*S-050"):
        reviewing.submit(conn, MIDNIGHT, sid, Handed(short), "chen", "送审")


def test_a_reviewer_who_is_away_is_replaced_with_a_reason_and_a_new_slice(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident)
    handed(store, sid)
    with store.write() as conn:
        with pytest.raises(NotAllowed, match="须写明理由"):
            reviewing.reassign(conn, MIDNIGHT, sid, "1", "zhao", "chen", "", KNOWN)
        with pytest.raises(NotAllowed, match="不能由同一人审"):
            reviewing.reassign(conn, MIDNIGHT, sid, "1", "zhao", "chen", "在外", KNOWN)
        with pytest.raises(NotAllowed, match="值班表里没有审核人 wang"):
            reviewing.reassign(conn, MIDNIGHT, sid, "1", "wang", "chen", "在外", KNOWN)
        reviewing.reassign(conn, MIDNIGHT + HOUR, sid, "c1", "zhao", "chen", "在外", KNOWN)
    assert due(store, incident, sid) == {"1": 2.0, "c1": 5.0}
    with pytest.raises(NotAllowed, match="由 zhao 审"):
        sign(store, sid, "zhou", step="c1")
    sign(store, sid, "zhao", step="c1")
    holds(store, MIDNIGHT + HOUR)


def test_a_draft_that_nobody_wants_is_kept_and_its_limits_go(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    sid = drafted(store, incident)
    handed(store, sid)
    with store.write() as conn:
        with pytest.raises(NotAllowed, match="须写明理由"):
            statements.discard(conn, MIDNIGHT, sid, "chen", " ")
        statements.discard(conn, MIDNIGHT, sid, "chen", "另有上级通稿")
        view = statement_views.one(conn, statements.get(conn, sid), MIDNIGHT, {})
        with pytest.raises(NotAllowed, match="不是本事件发布后撤回的"):
            statements.draft(conn, MIDNIGHT, incident, DRAFT, "chen", "重发", replaces=sid)
    assert (view["state_zh"], due(store, incident, sid)) == ("已作废", {})
    assert timeline(store, incident, "statement_discarded") == ["“化工园区火灾通报”作废"]
    with pytest.raises(NotAllowed, match="已经撤回"):
        sign(store, sid, "li")
    holds(store, MIDNIGHT)


def test_a_wording_has_versions_and_the_same_one_is_not_kept_twice(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    with store.write() as conn:
        assert wordings.share_wording(conn, MIDNIGHT, incident, "死亡2人", "chen", "统一") == 1
        assert wordings.share_wording(conn, MIDNIGHT + HOUR, incident, "死亡3人", "li", "更新") == 2
        with pytest.raises(NotAllowed, match="没有不同"):
            wordings.share_wording(conn, MIDNIGHT + HOUR, incident, "死亡3人", "li", "更新")
        with pytest.raises(NotAllowed, match="没有内容"):
            wordings.share_wording(conn, MIDNIGHT, incident, " ", "li", "更新")
        assert [row.text for row in wordings.wordings(conn, incident)] == ["死亡3人", "死亡2人"]
    holds(store, MIDNIGHT + HOUR)


# ── what stands on the page, and what was signed ──────────────────────────────────────────────


def test_a_comparison_is_kept_and_is_news_once(store: Store) -> None:
    rules = Rules(FIRST)
    _, sid = approved(store, rules)
    release(store, sid, rules)
    at = MIDNIGHT + 2 * HOUR
    with store.write() as conn:
        (row,) = releases.due(conn, at, 9)
        assert releases.compared(conn, at, row, (Change("火已扑灭。", "火未扑灭。"),))
    with store.write() as conn:
        assert releases.due(conn, at, 9) == []
        (row,) = releases.due(conn, at + 10 * MINUTE, 9)
        assert not releases.compared(conn, at + 10 * MINUTE, row, (Change("火已扑灭。", "火未扑灭。"),))
    with store.read() as conn:
        view = statement_views.one(conn, statements.get(conn, sid), at, {})["releases"][0]
    assert (view["same"], "已→未" in view["difference"]) == (False, True)
    holds(store, at + timedelta(hours=1))


def test_a_tampered_signature_or_text_shows(store: Store) -> None:
    _, sid = approved(store, Rules(FIRST))

    def good() -> tuple[bool, bool]:
        with store.read() as conn:
            view = statement_views.one(conn, statements.get(conn, sid), MIDNIGHT, {})
        version = view["versions"][0]
        return version["good"], all(one["good"] for one in version["signatures"])

    assert good() == (True, True)
    with store.write() as conn:
        conn.execute(update(statements.TEXT).values(text=TEXT + "没人审过的一句。"))
        conn.execute(update(statements.SIGNATURE).values(opinion="别的意见"))
    assert good() == (False, False)


def test_a_statement_goes_with_its_incident_into_another(store: Store) -> None:
    rules = Rules(FIRST)
    incident, sid = approved(store, rules)
    other = opened(store, rules)
    with store.write() as conn:
        wordings.share_wording(conn, MIDNIGHT, incident, "死亡2人", "chen", "统一")
        joining.merge(conn, MIDNIGHT + HOUR, incident, other, "li", "同一起", rules)
        assert [row.id for row in statements.of_incident(conn, other)] == [sid]
        assert [row.text for row in wordings.wordings(conn, other)] == ["死亡2人"]
    assert release(store, sid, rules).stopped == ["first_statement"]
    assert shown(store, other, MIDNIGHT + 3 * HOUR)["first_statement"].startswith("met ")
    holds(store, MIDNIGHT + 3 * HOUR)


def test_a_review_goes_on_with_its_limits_where_its_incident_went(store: Store) -> None:
    rules = Rules(FIRST)
    incident, other = opened(store, rules), opened(store, rules)
    sid = drafted(store, incident)
    handed(store, sid)
    before = due(store, incident, sid)
    with store.write() as conn:
        joining.merge(conn, MIDNIGHT + HOUR, incident, other, "li", "同一起", rules)
    assert (due(store, incident, sid), due(store, other, sid)) == ({}, before)
    sign(store, sid, "li", MIDNIGHT + 2 * HOUR, "1")
    assert due(store, other, sid) == {"2": 3.5, "c1": 5.0}
    holds(store, MIDNIGHT + 2 * HOUR)


def test_an_evidence_that_is_gone_shows_on_its_release(store: Store) -> None:
    rules = Rules(FIRST)
    incident, sid = approved(store, rules)
    release(store, sid, rules)
    with store.write() as conn:
        evidence = releases.of_statement(conn, sid)[0].evidence_id
        proving.retract(conn, MIDNIGHT + 3 * HOUR, incident, evidence, "li", "页面已删", rules)
        view = statement_views.one(conn, statements.get(conn, sid), MIDNIGHT, {})
        assert view["releases"][0]["stands"] is False
        assert releases.withdraw(conn, MIDNIGHT + 3 * HOUR, sid, "li", "页面已删", rules) == []
    holds(store, MIDNIGHT + 3 * HOUR)
