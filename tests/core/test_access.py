"""Roles, units, lengths of sessions, locks and passwords: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core import access
from models.core.access import PERMITS, Rules, Stage, Who, may, narrowed, wait_after, weak, within
from models.core.vocabulary import AccountRole

R = AccountRole
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RULES = Rules()
ROLES = st.frozensets(st.sampled_from(AccountRole))


def _who(*roles: AccountRole, units: str = "") -> Who:
    return Who("a", "chen", "陈", frozenset(roles), frozenset(units.split()))


@given(ROLES, st.text())
def test_what_nobody_named_is_forbidden_to_every_role(roles: frozenset[AccountRole], permit: str) -> None:
    if permit not in PERMITS:
        assert may(roles, permit) is not None


@given(ROLES, ROLES, st.sampled_from(sorted(PERMITS)))
def test_more_roles_never_allow_less(
    some: frozenset[AccountRole], others: frozenset[AccountRole], permit: str
) -> None:
    if may(some, permit) is None:
        assert may(some | others, permit) is None


@given(ROLES, ROLES)
def test_a_token_never_may_more_than_its_owner(
    owner: frozenset[AccountRole], wanted: frozenset[AccountRole]
) -> None:
    for permit in PERMITS:
        if may(narrowed(owner, wanted), permit) is None:
            assert may(owner, permit) is None


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    reading = {permit for permit in PERMITS if permit.startswith("see")}
    assert all(may({R.AUDITOR}, permit) is None for permit in reading)
    changing = {
        permit for permit in PERMITS if permit.split(".")[0] in ("act", "hand", "log", "work", "task")
    }
    changing |= {
        permit for permit in PERMITS if permit.split(".")[0] in ("statement", "register", "accounts")
    }
    assert all(may({R.AUDITOR}, permit) is not None for permit in changing)


def test_an_administrator_of_accounts_decides_on_no_incident() -> None:
    assert [
        permit for permit in PERMITS if permit.startswith("act.") and may({R.ADMIN}, permit) is None
    ] == []


def test_whoever_writes_a_playbook_does_not_settle_it_by_the_same_role() -> None:
    assert may({R.AUTHOR}, "playbook.write") is None
    assert may({R.AUTHOR}, "playbook.settle") is not None
    assert may({R.REVIEWER}, "playbook.write") is not None


def test_a_refusal_names_ones_own_roles_and_the_ones_that_may() -> None:
    words = may({R.OFFICER}, "act.waive")
    assert words is not None
    assert "值班员" in words
    assert "带班领导" in words
    assert "无" in str(may(set(), "see"))


@pytest.mark.parametrize(
    ("units", "of_the_incident", "seen"),
    [
        ("", "fire", True),
        ("office", "office fire", True),
        ("office", "fire", False),
        ("office", "", True),
        ("office police", "police", True),
    ],
)
def test_an_account_of_units_sees_theirs_and_what_nobody_owns(
    units: str, of_the_incident: str, seen: bool
) -> None:
    assert within(_who(R.OFFICER, units=units), of_the_incident.split()) is seen


def test_an_auditor_of_a_unit_still_reads_all() -> None:
    assert within(_who(R.AUDITOR, units="office"), ["fire"])


def test_a_session_lives_until_it_idles_or_has_lasted() -> None:
    ends = NOON + RULES.lasting
    assert access.alive(RULES, NOON, ends, NOON + RULES.idle - timedelta(seconds=1))
    assert not access.alive(RULES, NOON, ends, NOON + RULES.idle)
    assert not access.alive(RULES, ends, ends, ends)


@given(st.integers(0, 200))
def test_the_wait_grows_and_stays_within_its_bounds(failures: int) -> None:
    wait = wait_after(RULES, failures)
    assert (wait > timedelta(0)) is (failures >= RULES.attempts)
    assert wait <= RULES.most_wait
    assert wait_after(RULES, failures + 1) >= wait


def test_the_second_wait_is_twice_the_first() -> None:
    assert [wait_after(RULES, n).total_seconds() for n in (4, 5, 6, 7, 99)] == [0, 30, 60, 120, 900]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "至少 12"),
        ("password1234", "太常见"),
        ("PASSWORD1234", "太常见"),
        ("ｐａｓｓｗｏｒｄ１２３４", "太常见"),  # the same keys on a Chinese keyboard
        ("123456789012", "太常见"),
        ("aaaaaaaaaaaaaa", "太常见"),
        ("i am chenzhiban!", "您的名字"),
        ("x" * 257, "最多 256"),
        ("四个字不够", "至少 12"),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, why: str) -> None:
    assert why in str(weak(RULES, password, ("chenzhiban", "陈值班")))


@pytest.mark.parametrize("password", ["four words of a song", "夜里值班也要喝一杯热茶呀", "9f8e-7d6c-5b4a"])
def test_a_long_password_needs_no_odd_signs(password: str) -> None:
    assert weak(RULES, password, ("chen", "陈值班")) is None


@pytest.mark.parametrize(
    "name", ["", "a", "Chen", "a b", "-chen", "../etc", "x" * 41, "陈", "chen\n", "admin@x"]
)
def test_a_name_that_could_be_mistaken_is_no_name(name: str) -> None:
    assert access.odd_name(name) is not None


@pytest.mark.parametrize("name", ["chen", "chen.li-2", "01", "a_b"])
def test_plain_names_are_names(name: str) -> None:
    assert access.odd_name(name) is None


@pytest.mark.parametrize(
    ("has_code", "must_change", "stage"),
    [(True, False, Stage.FULL), (False, False, Stage.ENROL), (False, True, Stage.PASSWORD)],
)
def test_a_role_that_must_have_a_second_factor_sets_it_up_first(
    has_code: bool, must_change: bool, stage: Stage
) -> None:
    strict = Rules(second_factor=frozenset({R.ADMIN}))
    assert access.next_stage(strict, {R.ADMIN}, has_code=has_code, must_change=must_change) is stage
    assert access.next_stage(strict, {R.OFFICER}, has_code=False, must_change=False) is Stage.FULL


def test_the_password_counts_as_typed_lately_for_a_quarter_of_an_hour() -> None:
    assert access.recent(RULES, NOON, NOON + timedelta(minutes=14))
    assert not access.recent(RULES, NOON, NOON + timedelta(minutes=15))
    assert not access.recent(RULES, None, NOON)


def test_whoever_is_not_on_the_roster_signs_the_journal_by_their_account() -> None:
    assert _who(R.ADMIN).actor == "chen"
    assert Who("root", "", "root", frozenset({R.ADMIN})).actor == "@root"
