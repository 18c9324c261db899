"""Accounts, sessions, tokens and whose an incident is, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from models.core.access import Place, Rules, Stage
from models.core.casework import PartyRole
from models.core.vocabulary import AccountRole
from models.ledger import accounts, incidents, journal, parties, scopes, sessions, tokens
from models.ledger.accounts import NewAccount
from models.ledger.incidents import NotAllowed
from models.ledger.parties import Ask, Caller
from models.ledger.store import Connection, NotThere, Store
from models.ledger.verify import verify
from models.ledger.words import KINDS, told
from support.duty import FIRST, MIDNIGHT
from support.limits import Rules as Clocks
from support.limits import opened

R = AccountRole
RULES = Rules(attempts=3)
HERE = Place("10.0.0.7", "Firefox")
DAY = timedelta(days=1)
NAMES = {"chen": "陈值班", "li": "李主任"}


def added(
    conn: Connection,
    name: str = "chen",
    roles: Sequence[AccountRole] = (R.OFFICER,),
    units: tuple[str, ...] = (),
) -> None:
    new = NewAccount(name, NAMES.get(name, name), name, roles, units, "hash")
    accounts.add(conn, MIDNIGHT, new, "li", "新来的")


def begun(conn: Connection, secret: str, name: str = "chen") -> None:
    sessions.begin(conn, MIDNIGHT, secret, name, Stage.FULL, "password", HERE, DAY)


def test_what_becomes_of_an_account_is_in_the_journal_in_words_and_its_secrets_are_not(store: Store) -> None:
    with store.write() as conn:
        added(conn, "root", (R.ADMIN,))
        added(conn)
        accounts.change(
            conn, MIDNIGHT, "chen", "li", "轮岗", roles=(R.OFFICER, R.REVIEWER), units=("office",)
        )
        accounts.set_password(conn, MIDNIGHT, "chen", "another hash", "chen", must_change=False)
        accounts.set_second_factor(conn, MIDNIGHT, "chen", "SECRET32", ("code hash",), "chen")
        accounts.use_recovery(conn, MIDNIGHT, "chen", "code hash")
        accounts.link(conn, MIDNIGHT, "chen", "https://sso.example", "subject 42", "huiying")
        for _ in range(3):
            accounts.failed(conn, MIDNIGHT, MIDNIGHT, "chen", RULES)
        number = tokens.make(
            conn, MIDNIGHT, "chen", "热线", "token hash", (R.OFFICER,), MIDNIGHT + DAY, "chen"
        )
        tokens.revoke(conn, MIDNIGHT, number, "chen")
        accounts.disable(conn, MIDNIGHT, "chen", "li", "调离")
        accounts.enable(conn, MIDNIGHT, "chen", "li", "又来")
    with store.read() as conn:
        rows = list(journal.entries(conn))
    said = [told(journal.as_entry(row), NAMES) for row in rows]
    assert {row["kind"] for row in rows} <= KINDS.keys()
    assert "账号 chen：角色 值班员 → 值班员、审核人；单位 不限 → office" in said
    assert all(text and "account" not in text and "{" not in text for text in said), said
    payloads = "".join(row["payload"] for row in rows)
    assert not any(secret in payloads for secret in ("hash", "SECRET32", "subject 42"))
    assert verify(store, MIDNIGHT)["ok"]


def test_a_name_is_given_once_and_never_again(store: Store) -> None:
    with store.write() as conn:
        added(conn)
    with pytest.raises(NotAllowed, match="已有"), store.write() as conn:
        added(conn)


def test_an_account_without_a_role_is_none(store: Store) -> None:
    with pytest.raises(NotAllowed, match="角色"), store.write() as conn:
        added(conn, roles=())


def test_the_same_roles_again_are_no_change_and_no_entry(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        before = journal.length(conn)
        assert not accounts.change(conn, MIDNIGHT, "chen", "li", "", roles=(R.OFFICER,), units=())
        assert journal.length(conn) == before


def test_somebody_must_be_left_to_manage_accounts(store: Store) -> None:
    with store.write() as conn:
        added(conn, "root", (R.ADMIN,))
        added(conn)
        with pytest.raises(NotAllowed, match="最后一个管理员"):
            accounts.disable(conn, MIDNIGHT, "root", "li", "")
        with pytest.raises(NotAllowed, match="最后一个管理员"):
            accounts.change(conn, MIDNIGHT, "root", "li", "", roles=(R.OFFICER,))
        accounts.change(conn, MIDNIGHT, "chen", "li", "", roles=(R.ADMIN,))
        accounts.disable(conn, MIDNIGHT, "root", "li", "")
    with pytest.raises(NotThere), store.read() as conn:
        accounts.get(conn, "nobody")


def test_locks_count_from_the_third_wrong_password_and_end_with_the_right_one(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        accounts.failed(conn, MIDNIGHT, MIDNIGHT, "chen", RULES)
        accounts.failed(conn, MIDNIGHT, MIDNIGHT, "chen", RULES)
        assert accounts.get(conn, "chen").locked_until is None
        accounts.failed(conn, MIDNIGHT, MIDNIGHT, "chen", RULES)
        assert accounts.get(conn, "chen").locked_until == MIDNIGHT + RULES.wait
        accounts.succeeded(conn, "chen")
        row = accounts.get(conn, "chen")
    assert (row.failures, row.locked_until) == (0, None)


def test_a_code_and_every_earlier_one_is_taken_once(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        assert accounts.use_code(conn, "chen", 100)
        assert not accounts.use_code(conn, "chen", 100)
        assert not accounts.use_code(conn, "chen", 99)
        assert accounts.use_code(conn, "chen", 101)


def test_one_identity_of_another_house_is_one_account(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        added(conn, "li")
        accounts.link(conn, MIDNIGHT, "chen", "https://sso.example", "subject 42", "huiying")
        with pytest.raises(NotAllowed, match="chen"):
            accounts.link(conn, MIDNIGHT, "li", "https://sso.example", "subject 42", "huiying")
        with pytest.raises(NotAllowed, match="另一个"):
            accounts.link(conn, MIDNIGHT, "chen", "https://sso.example", "43", "huiying")
        found = accounts.of_identity(conn, "https://sso.example", "subject 42")
    assert found is not None
    assert found.id == "chen"


def test_a_session_that_was_moved_is_unknown_by_its_old_secret(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        begun(conn, "old")
        sessions.move(conn, "old", "new", MIDNIGHT, Stage.FULL, MIDNIGHT + DAY)
        assert sessions.find(conn, "old") is None
        found = sessions.find(conn, "new")
    assert found is not None
    assert (found.account, found.address) == ("chen", "10.0.0.7")


def test_ending_all_sessions_of_an_account_leaves_the_others_and_the_one_that_is_kept(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        added(conn, "li")
        for secret in ("one", "two", "here"):
            begun(conn, secret)
        begun(conn, "other", "li")
        assert sessions.end(conn, MIDNIGHT, account="chen", but="here") == 2
        alive = [secret for secret in ("one", "two", "here", "other") if sessions.find(conn, secret)]
    assert alive == ["here", "other"]


def test_ended_sessions_are_cleared_away_after_a_month(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        begun(conn, "old")
        sessions.begin(conn, MIDNIGHT + 40 * DAY, "new", "chen", Stage.FULL, "password", HERE, DAY)
        assert sessions.find(conn, "old") is None


def test_the_last_sign_ins_come_first_and_long_words_of_browsers_are_cut(store: Store) -> None:
    with store.write() as conn:
        sessions.tried(conn, MIDNIGHT, None, "password", "unknown", Place("::1", "x" * 900))
        sessions.tried(conn, MIDNIGHT, "chen", "password", "", HERE)
        rows = sessions.attempts(conn)
    assert [(row.account, row.ok) for row in rows] == [("chen", True), (None, False)]
    assert len(rows[1].agent) == 200


def test_nobody_revokes_the_token_of_another_account(store: Store) -> None:
    with store.write() as conn:
        added(conn)
        made = tokens.make(conn, MIDNIGHT, "chen", "热线", "h", (R.OFFICER,), MIDNIGHT + DAY, "chen")
        with pytest.raises(NotThere):
            tokens.revoke(conn, MIDNIGHT, made, "li", "li")
        tokens.revoke(conn, MIDNIGHT, made, "chen", "chen")
        assert tokens.find(conn, "h") is None
        with pytest.raises(NotAllowed, match="已作废"):
            tokens.revoke(conn, MIDNIGHT, made, "chen", "chen")


def test_an_incident_is_its_leads_and_whoever_stands_beside_and_before_that_everybodys(store: Store) -> None:
    gas = Caller("gao", ("gas", "市住建局"), 0)
    free, held = (opened(store, Clocks(FIRST)) for _ in range(2))
    with store.write() as conn:
        asks = [Ask("fire", PartyRole.LEAD, ("chen",)), Ask("gas", PartyRole.CO, ("chen",))]
        parties.assign(conn, MIDNIGHT, held, asks, "li", "属地管理")
        assert scopes.units_of(conn, free) == frozenset()
        assert scopes.units_of(conn, f"舆-{held}") == {"fire", "gas"}
        assert scopes.units_of(conn, "2020-0001") is None
        assert scopes.visible(conn, {"gas"}) == {free, held}
        assert scopes.visible(conn, {"police"}) == {free}
        parties.reject(conn, MIDNIGHT, held, "", gas, "不属职责", lambda unit: unit, None)
        assert scopes.visible(conn, {"gas"}) == {free}
        assert incidents.get(conn, held).owner == "fire"
