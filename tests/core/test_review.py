"""三审 as a state machine: who, in which order, with how much time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.casework import StatementState, Verdict
from models.core.review import (
    LEAST,
    Reviewed,
    Signed,
    Step,
    after,
    as_row,
    asked,
    chain_of,
    due,
    edit,
    of_row,
    release,
    sign,
    submit,
    theirs,
    too_short,
)
from support.duty import HOUR, MIDNIGHT

STEPS = (("初审", "分管", 0.4), ("审核", "一把手", 0.3), ("审发", "政府办", 0.3))
PEOPLE = {"1": "li", "2": "zhao", "3": "zhou", "c1": "wang"}
KNOWN = ("chen", "li", "zhao", "zhou", "wang")
SHA = "a" * 64
CHAIN = asked(chain_of(STEPS, ("保密审查",)), PEOPLE, ("chen",), KNOWN)[0]


def seen(*signed: Signed, state: StatementState = StatementState.IN_REVIEW) -> Reviewed:
    return Reviewed(state, frozenset({"chen"}), 1, SHA, CHAIN, signed)


def passed(*keys: str) -> tuple[Signed, ...]:
    return tuple(Signed(key, PEOPLE[key], Verdict.PASSED) for key in keys)


def test_the_machines_checks_ask_nobody() -> None:
    made = chain_of(STEPS, ("保密审查", "公开属性", "个人信息检查"))
    assert [step.key for step in made] == ["1", "2", "3", "c1"]


def test_no_playbook_leaves_the_secrecy_check_out() -> None:
    assert [step.name for step in chain_of(STEPS, ())][-1] == "保密审查"


def test_an_emergency_leaves_the_first_and_the_last() -> None:
    assert [step.name for step in chain_of(STEPS, ("保密审查",), emergency=True)] == [
        "初审",
        "审发",
        "保密审查",
    ]


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ({"1": "chen"}, "chen 起草或修改过本稿，不能做它的“初审”"),
        ({"c1": "chen"}, "chen 起草或修改过本稿，不能做它的“保密审查”"),
        ({"2": "li"}, "初审、审核不能由同一人审"),
        ({"3": "liu"}, "值班表里没有审核人 liu"),
        ({"3": ""}, "没有写明“审发”由谁审"),
        ({"c1": "zhou"}, ""),
    ],
)
def test_the_people_of_a_chain_are_different_and_not_its_author(people: dict[str, str], words: str) -> None:
    wrong = asked(CHAIN, PEOPLE | people, ("chen",), KNOWN)[1]
    assert words in wrong
    assert bool(words) == bool(wrong)


def test_the_steps_come_in_order_and_the_check_beside_them() -> None:
    assert [step.key for step in seen().open] == ["1", "c1"]
    assert [step.key for step in seen(*passed("1")).open] == ["2", "c1"]
    assert [step.key for step in seen(*passed("1", "2", "3")).open] == ["c1"]
    assert theirs(seen(), "wang") == "c1"
    assert theirs(seen(), "zhou") == ""


def test_all_must_pass_and_one_refusal_returns_it() -> None:
    assert after(seen(*passed("1", "2", "3"))) is StatementState.IN_REVIEW
    assert after(seen(*passed("1", "2", "3", "c1"))) is StatementState.APPROVED
    assert after(seen(*passed("1"), Signed("c1", "wang", Verdict.REFUSED))) is StatementState.RETURNED


@pytest.mark.parametrize("state", [s for s in StatementState if s is not StatementState.IN_REVIEW])
def test_nothing_is_signed_outside_a_review(state: StatementState) -> None:
    assert sign(seen(state=state), "li", "1", SHA) != ""


def test_a_row_keeps_a_step_whole() -> None:
    assert [of_row(as_row(step, MIDNIGHT)) for step in CHAIN] == list(CHAIN)


# ── the time ──────────────────────────────────────────────────────────────────────────────────


def test_what_one_saves_is_shared_by_those_who_come() -> None:
    until = MIDNIGHT + 10 * HOUR
    assert due(CHAIN, CHAIN[0], MIDNIGHT, until) == MIDNIGHT + 4 * HOUR
    assert due(CHAIN, CHAIN[1], MIDNIGHT + 2 * HOUR, until) == MIDNIGHT + 6 * HOUR
    assert due(CHAIN, CHAIN[2], MIDNIGHT + 2 * HOUR, until) == until


def test_shares_below_the_whole_leave_time_for_the_release() -> None:
    chain = chain_of((("初审", "", 0.4), ("审发", "", 0.4)), ("保密审查",))
    until = MIDNIGHT + 10 * HOUR
    assert due(chain, chain[1], MIDNIGHT + 4 * HOUR, until) == MIDNIGHT + 8 * HOUR
    assert due(chain, chain[2], MIDNIGHT, until) == MIDNIGHT + 8 * HOUR


def test_an_overdue_clock_and_none_give_an_hour() -> None:
    assert due(CHAIN, CHAIN[0], MIDNIGHT, None) == MIDNIGHT + 0.4 * HOUR
    assert due(CHAIN, CHAIN[0], MIDNIGHT, MIDNIGHT - HOUR) == MIDNIGHT + 0.4 * HOUR


@given(
    shares=st.lists(st.floats(0.05, 0.33), min_size=1, max_size=3),
    minutes=st.integers(1, 3000),
    taken=st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_who_keeps_to_the_slices_is_done_before_the_clock(
    shares: list[float], minutes: int, taken: list[float]
) -> None:
    chain: tuple[Step, ...] = chain_of([(str(n), "", share) for n, share in enumerate(shares)], ())
    now, until = MIDNIGHT, MIDNIGHT + timedelta(minutes=minutes)
    for step, used in zip(chain, taken, strict=False):
        limit = due(chain, step, now, until)
        assert now + LEAST <= limit
        assert limit <= max(until, now + LEAST) + timedelta(seconds=1) or now >= until
        now += (limit - now) * used


# ── before and after ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "may_edit", "may_submit", "may_release"),
    [
        (StatementState.DRAFT, True, True, False),
        (StatementState.IN_REVIEW, True, False, False),
        (StatementState.RETURNED, True, False, False),
        (StatementState.APPROVED, True, False, True),
        (StatementState.RELEASED, False, False, True),
        (StatementState.WITHDRAWN, False, False, False),
    ],
)
def test_what_each_state_allows(
    state: StatementState, may_edit: bool, may_submit: bool, may_release: bool
) -> None:
    assert (edit(state) == "", submit(state) == "", release(state, SHA, SHA) == "") == (
        may_edit,
        may_submit,
        may_release,
    )


@pytest.mark.parametrize("approved", [None, "b" * 64])
def test_only_the_approved_hash_is_released(approved: str | None) -> None:
    assert "S-051" in release(StatementState.APPROVED, approved, SHA)
    assert "S-051" in release(StatementState.APPROVED, SHA, "aaa")


def test_an_emergency_leaves_the_last_under_its_own_key_for_whom_the_form_named() -> None:
    made, wrong = asked(chain_of(STEPS, (), emergency=True), PEOPLE, ("chen",), KNOWN)
    assert [(step.key, step.name, step.person) for step in made] == [
        ("1", "初审", "li"),
        ("3", "审发", "zhou"),
        ("c1", "保密审查", "wang"),
    ]
    assert wrong == ""
    first = Reviewed(StatementState.IN_REVIEW, frozenset({"chen"}), 1, SHA, made, passed("1"))
    assert [step.key for step in first.open] == ["3", "c1"]


@pytest.mark.parametrize(
    ("steps", "emergency", "lawful"),
    [(1, "", False), (2, "", False), (3, "", True), (2, "夜间", True), (1, "夜间", False)],
)
def test_three_sign_in_order_and_two_in_an_emergency(steps: int, emergency: str, lawful: bool) -> None:
    said = too_short(chain_of(STEPS[:steps], ()), emergency)
    assert (said == "") is lawful and (lawful or "S-050" in said)
