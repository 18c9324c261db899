"""Registers, applications, supervision and accountability over both databases, rebuilt from the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.core.assessment import Draft, Finding, Trigger
from models.core.casework import Register
from models.core.moment import CST
from models.core.workdays import YearDays
from models.ledger import disclosure, registers, supervising
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.registers import New, NoSuchEntry
from models.ledger.store import Store
from models.ledger.verify import verify
from support.duty import FIRST, HOUR, MIDNIGHT
from support.limits import Rules, holds, opened

CALENDAR = {2026: YearDays()}
DAY = timedelta(days=1)
NOON = MIDNIGHT + 12 * HOUR
REQUEST = New(Register.DISCLOSURE_REQUEST, "供水合同", NOON, "当面提交", "水务局")


def added(store: Store, new: New, at: datetime = NOON) -> str:
    with store.write() as conn:
        return registers.add(conn, at, new, "chen", CALENDAR)


def row(store: Store, entry: str) -> Any:
    with store.read() as conn:
        return registers.get(conn, entry)


def refused(store: Store, act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(NotAllowed) as error, store.write() as conn:
        act(conn, *args, **more)
    return str(error.value)


def test_entries_are_numbered_by_year_and_rebuilt_from_the_journal(store: Store) -> None:
    numbers = [added(store, New(Register.TRAINING, title, NOON, "")) for title in ("甲", "乙")]
    assert numbers == ["R2026-0001", "R2026-0002"]
    with store.write() as conn:
        registers.done(conn, NOON + HOUR, numbers[0], "32 人参加", "li")
        registers.cancel(conn, NOON + HOUR, numbers[1], "li", "重复登记")
    assert (row(store, numbers[0]).result, row(store, numbers[1]).cancelled_at) == ("32 人参加", NOON + HOUR)
    holds(store, NOON + HOUR)


def test_what_makes_no_sense_is_refused_in_words(store: Store) -> None:
    plain = New(Register.TRAINING, "培训", NOON, "")
    cases = [
        (replace(plain, title=" "), "没有标题"),
        (replace(plain, title="长" * 501), "超过 500 字"),
        (replace(plain, details={"url": "x" * 501}), "超过 500 字"),
        (replace(plain, happened_at=NOON + DAY), "在将来"),
        (replace(plain, due_at=NOON - HOUR), "早于发生时间"),
        (New(Register.COMPLAINT, "投诉", NOON, ""), "没有写单位"),
    ]
    for new, words in cases:
        assert words in refused(store, registers.add, NOON, new, "chen", CALENDAR)
    with pytest.raises(NoSuchEntry, match="R2026-0099"), store.read() as conn:
        registers.get(conn, "R2026-0099")


def test_an_entry_is_done_once_with_a_result_and_not_before_it_happened(store: Store) -> None:
    entry = added(store, New(Register.FINDING, "首页打不开", NOON, "", details={"defect": "late"}))
    assert "要写结果" in refused(store, registers.done, NOON, entry, " ", "li")
    assert "早于发生时间" in refused(store, registers.done, NOON, entry, "已恢复", "li", NOON - HOUR)
    assert "在将来" in refused(store, registers.done, NOON, entry, "已恢复", "li", NOON + HOUR)
    with store.write() as conn:
        registers.done(conn, NOON, entry, "已恢复", "li")
    assert "已于 11-21 12:00 办结" in refused(store, registers.done, NOON, entry, "再来", "li")
    assert "必须写明理由" in refused(store, registers.cancel, NOON, entry, "li", "")


def test_a_filing_number_stands_once(store: Store) -> None:
    account = New(Register.ACCOUNT, "临江发布", NOON, "", details={"platform": "微博", "filing_no": "001"})
    first = added(store, account)
    said = refused(store, registers.add, NOON, replace(account, title="临江政务"), "chen", CALENDAR)
    assert f"备案号 001 已登记在 {first}" in said
    with store.write() as conn:
        registers.cancel(conn, NOON, first, "li", "账号已注销")
    assert added(store, account)


# ── applications ──


def test_an_application_pauses_while_a_third_party_is_asked(store: Store) -> None:
    entry = added(store, REQUEST)
    assert row(store, entry).due_at == datetime(2026, 12, 19, tzinfo=CST)
    with store.write() as conn:
        disclosure.consult(conn, NOON + 2 * DAY, entry, "chen", "问承包方", CALENDAR)
    assert "2027 年没有工作日历" in row(store, entry).details[registers.LACK]
    assert "正在征求意见" in refused(store, disclosure.consult, NOON + 3 * DAY, entry, "chen", "", CALENDAR)
    with store.write() as conn:
        disclosure.consulted(conn, NOON + 4 * DAY, entry, "chen", "同意公开", CALENDAR)
    assert row(store, entry).due_at == datetime(2026, 12, 23, tzinfo=CST)
    assert "没有在征求意见" in refused(
        store, disclosure.consulted, NOON + 5 * DAY, entry, "chen", "", CALENDAR
    )
    holds(store, NOON + 5 * DAY)


def test_without_a_calendar_it_is_written_down_and_gets_its_limit_later(store: Store) -> None:
    entry = added(store, replace(REQUEST, happened_at=NOON), NOON)
    late = NOON + 20 * DAY
    with store.write() as conn:
        other = registers.add(conn, late, replace(REQUEST, happened_at=late), "chen", CALENDAR)
        assert disclosure.plan_again(conn, late, CALENDAR) == 0
    assert (row(store, entry).due_at is None, row(store, other).due_at) == (False, None)
    with store.write() as conn:
        assert disclosure.plan_again(conn, late, {**CALENDAR, 2027: YearDays()}) == 1
    assert row(store, other).due_at == datetime(2027, 1, 9, tzinfo=CST)
    assert registers.LACK not in row(store, other).details
    holds(store, late)


def test_an_application_is_prolonged_once_with_a_reason(store: Store) -> None:
    early = replace(REQUEST, happened_at=NOON - 60 * DAY)
    entry = added(store, early)
    assert "条例第 33 条" in refused(store, disclosure.extend, NOON, entry, "chen", "", CALENDAR)
    assert "期限已过" in refused(store, disclosure.extend, NOON, entry, "chen", "李主任同意", CALENDAR)
    with store.write() as conn:
        disclosure.extend(conn, NOON, entry, "chen", "李主任同意", CALENDAR, NOON - 50 * DAY)
    said = refused(store, disclosure.extend, NOON, entry, "chen", "再延", CALENDAR, NOON - 49 * DAY)
    assert "只许一次" in said
    assert row(store, entry).due_at == datetime(2026, 11, 18, tzinfo=CST)


def test_mending_is_asked_for_once_and_within_seven_working_days(store: Store) -> None:
    entry = added(store, REQUEST)
    assert "没有告知过补正" in refused(store, disclosure.supplemented, NOON, entry, "chen", "", CALENDAR)
    late = NOON + 11 * DAY
    assert "N-043" in refused(store, disclosure.ask_mending, late, entry, "chen", "", CALENDAR)
    with store.write() as conn:
        disclosure.ask_mending(conn, NOON + 2 * DAY, entry, "chen", "补身份证明", CALENDAR)
    assert "一次性告知" in refused(store, disclosure.ask_mending, NOON + 2 * DAY, entry, "chen", "", CALENDAR)
    early = {"when": NOON + DAY}
    said = refused(store, disclosure.supplemented, NOON + 9 * DAY, entry, "chen", "", CALENDAR, **early)
    assert "早于补正告知" in said
    with store.write() as conn:
        disclosure.supplemented(conn, NOON + 9 * DAY, entry, "chen", "已补", CALENDAR)
    assert row(store, entry).due_at == datetime(2026, 12, 29, tzinfo=CST)
    again = refused(store, disclosure.supplemented, NOON + 10 * DAY, entry, "chen", "又补", CALENDAR)
    assert "只重新起算一次" in again
    assert row(store, entry).due_at == datetime(2026, 12, 29, tzinfo=CST)


def test_while_a_mended_application_is_waited_for_nothing_is_late(store: Store) -> None:
    entry = added(store, REQUEST)
    with store.write() as conn:
        disclosure.ask_mending(conn, NOON + 2 * DAY, entry, "chen", "补身份证明", CALENDAR)
        assert disclosure.plan_again(conn, NOON + 3 * DAY, CALENDAR) == 0
    with store.read() as conn:
        assert [one.ref for one in supervising.overdue(conn, NOON + 40 * DAY)] == []
    assert row(store, entry).due_at is None
    holds(store, NOON + 3 * DAY)


def test_a_limit_later_than_the_law_s_does_not_count_and_an_earlier_one_does(store: Store) -> None:
    by_law = datetime(2026, 12, 19, tzinfo=CST)
    lax = row(store, added(store, replace(REQUEST, due_at=by_law + 300 * DAY)))
    strict = row(store, added(store, replace(REQUEST, due_at=by_law - 3 * DAY)))
    assert (lax.due_at, strict.due_at) == (by_law, by_law - 3 * DAY)
    assert "晚于法定期限" in lax.details[registers.SHORTENED]
    assert registers.SHORTENED not in strict.details


def test_a_limit_written_down_for_a_year_without_a_calendar_gives_way_to_the_law_s_later(
    store: Store,
) -> None:
    late = NOON + 20 * DAY
    entry = added(store, replace(REQUEST, happened_at=late, due_at=late + 300 * DAY), late)
    assert "暂按所写期限" in row(store, entry).details[registers.LACK]
    with store.write() as conn:
        assert disclosure.plan_again(conn, late, {**CALENDAR, 2027: YearDays()}) == 1
    assert row(store, entry).due_at == datetime(2027, 1, 9, tzinfo=CST)


def test_the_ten_thousandth_entry_of_a_year_is_followed_by_the_next(store: Store) -> None:
    with store.write() as conn:
        for number in (9999, 10000):
            made = registers.made(f"R2026-{number}", NOON, New(Register.OTHER, "x", NOON, ""), "chen")
            append(conn, NOON, [registers.added(made, "chen", "")])
    assert added(store, New(Register.OTHER, "x", NOON, "")) == "R2026-10001"


def test_these_acts_are_for_applications_alone(store: Store) -> None:
    entry = added(store, New(Register.TRAINING, "培训", NOON, ""))
    assert "征求意见只用于依申请公开" in refused(store, disclosure.consult, NOON, entry, "chen", "", CALENDAR)


# ── supervision ──


def test_one_transaction_proposes_no_more_than_it_may_and_the_numbers_run_on(store: Store) -> None:
    for hour in (1, 2, 3):
        added(store, replace(REQUEST, due_at=NOON + hour * HOUR))
    at, made = NOON + 4 * HOUR, []
    for _ in range(3):
        with store.write() as conn:
            made.append(supervising.propose(conn, at, at + 3 * DAY, "未定", most=2))
    assert made == [["R2026-0004", "R2026-0005"], ["R2026-0006"], []]


def test_what_is_late_is_proposed_for_supervision_once(store: Store) -> None:
    incident = opened(store, Rules(FIRST))
    entry = added(store, replace(REQUEST, due_at=NOON + HOUR))
    at = NOON + 2 * HOUR
    with store.write() as conn:
        made = supervising.propose(conn, at, at + 3 * DAY, "未定")
        assert supervising.propose(conn, at, at + 3 * DAY, "未定") == []
        found = {one.details["ref"]: one for one in registers.listed(conn, Register.SUPERVISION)}
    assert len(made) == 2
    assert set(found) == {f"{incident}:first_statement", f"entry:{entry}"}
    assert found[f"entry:{entry}"].unit == "水务局"
    holds(store, at)


def test_a_supervision_is_issued_answered_and_done_in_that_order(store: Store) -> None:
    added(store, replace(REQUEST, due_at=NOON + HOUR))
    at = NOON + 2 * HOUR
    with store.write() as conn:
        (entry,) = supervising.propose(conn, at, at + DAY, "未定")
        supervising.issue(conn, at, entry, "li", "限期答复")
    assert "已经下达" in refused(store, supervising.issue, at, entry, "li", "")
    assert "还没有责任单位的答复" in refused(store, registers.done, at, entry, "办了", "li")
    assert "答复不能为空" in refused(store, supervising.answer, at, entry, "", "li")
    with store.write() as conn:
        supervising.answer(conn, at, entry, "人手不足，明日答复申请人", "chen")
        registers.done(conn, at + HOUR, entry, "已答复申请人", "li")
    holds(store, at + HOUR)


def test_what_a_person_cancelled_is_not_proposed_again(store: Store) -> None:
    added(store, replace(REQUEST, due_at=NOON + HOUR))
    at = NOON + 2 * HOUR
    with store.write() as conn:
        (entry,) = supervising.propose(conn, at, at + DAY, "未定")
        registers.cancel(conn, at, entry, "li", "申请人已撤回")
        assert supervising.propose(conn, at + DAY, at + 2 * DAY, "未定") == []


# ── accountability ──


def test_a_draft_is_written_once_and_decided_by_a_person_with_a_reason(store: Store) -> None:
    draft = Draft(Trigger.NO_REPLY, "水务局", "entry:R1", "供水合同：逾期未答复")
    with store.write() as conn:
        (entry,) = supervising.draft(conn, NOON, [draft])
        assert supervising.draft(conn, NOON, [draft]) == []
    assert "必须写明理由" in refused(store, supervising.decide, NOON, entry, Finding.UPHELD, "li", " ")
    assert "用 decide" in refused(store, registers.done, NOON, entry, "办了", "li")
    with store.write() as conn:
        supervising.decide(conn, NOON, entry, Finding.DROPPED, "li", "申请人同意顺延")
    assert row(store, entry).details["state"] == "dropped"
    assert "已于" in refused(store, supervising.decide, NOON, entry, Finding.UPHELD, "li", "改主意")
    holds(store, NOON)


def test_a_changed_row_is_found(store: Store) -> None:
    entry = added(store, REQUEST)
    with store.write() as conn:
        conn.execute(text("UPDATE registerentry SET due_at = NULL"))
    assert verify(store, NOON)["findings"] == [f"tables: registerentry {entry} 与日志不符: due_at"]
