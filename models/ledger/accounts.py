"""Accounts 账号: who signs in, as whom, with which roles; passwords and second factors as hashes.

What was decided about an account is in the journal (never a secret); the rows themselves are not rebuilt from
it, for the same reason: docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update

from models.core.access import Rules, wait_after
from models.core.moment import iso
from models.core.vocabulary import AccountRole
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import NotThere
from models.records import Account

ACCOUNT: Table = Account.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """`password`: its hash, None = by OIDC alone; `must_change`: somebody else chose it."""

    id: str
    name: str
    person: str | None
    roles: Sequence[AccountRole]
    units: Sequence[str] = ()
    password: str | None = None
    must_change: bool = False
    issuer: str | None = None
    subject: str | None = None


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def find(conn: Connection, account: str) -> Row[Any] | None:
    return conn.execute(select(ACCOUNT).where(ACCOUNT.c.id == account)).first()


def get(conn: Connection, account: str) -> Row[Any]:
    """Raises NotThere."""
    row = find(conn, account)
    if row is None:
        raise NotThere(f"没有账号 “{account[:40]}”；用 huiying account list 查看")
    return row


def listed(conn: Connection) -> Sequence[Row[Any]]:
    return conn.execute(select(ACCOUNT).order_by(ACCOUNT.c.id)).all()


def of_person(conn: Connection, person: str) -> Sequence[Row[Any]]:
    """The accounts of one person that are in use."""
    mine = (ACCOUNT.c.person == person) & ACCOUNT.c.disabled_at.is_(None)
    return conn.execute(select(ACCOUNT).where(mine).order_by(ACCOUNT.c.id)).all()


def of_identity(conn: Connection, issuer: str, subject: str) -> Row[Any] | None:
    """The account that an identity of another house is linked to."""
    known = (ACCOUNT.c.issuer == issuer) & (ACCOUNT.c.subject == subject)
    return conn.execute(select(ACCOUNT).where(known)).first()


def roles_of(row: Row[Any]) -> frozenset[AccountRole]:
    return known(row.roles)


def known(names: Iterable[str]) -> frozenset[AccountRole]:
    """The roles of these names; what a later release, or another house, calls otherwise is none here."""
    ours = {role.value for role in AccountRole}
    return frozenset(AccountRole(name) for name in names if name in ours)


# ── doing, each with its entry ────────────────────────────────────────────────────────────────


def add(conn: Connection, at: datetime, new: NewAccount, by: str, reason: str) -> None:
    """Raises NotAllowed when the name is taken or nobody could do anything with it."""
    if find(conn, new.id) is not None:
        raise NotAllowed(f"账号 {new.id} 已有；换一个名字，或用 huiying account role 改它的角色")
    if not new.roles:
        raise NotAllowed("账号至少要有一个角色")
    row = {
        "id": new.id,
        "name": new.name,
        "person": new.person,
        "roles": _values(new.roles),
        "units": list(new.units),
        "password": new.password,
        "must_change": new.must_change,
        "recovery": [],
        "issuer": new.issuer,
        "subject": new.subject,
        "failures": 0,
        "made_at": at,
    }
    conn.execute(insert(ACCOUNT).values(**row))
    said = {name: row[name] for name in ("name", "person", "roles", "units", "issuer")}
    _note(conn, at, "account_added", new.id, by, reason, said)


def change(
    conn: Connection,
    at: datetime,
    account: str,
    by: str,
    reason: str,
    *,
    roles: Sequence[AccountRole] | None = None,
    units: Sequence[str] | None = None,
    person: str | None = None,
) -> bool:
    """New roles, units or person; False when nothing would change. Raises NotAllowed and NotThere."""
    row = get(conn, account)
    wanted = {
        "roles": None if roles is None else _values(roles),
        "units": None if units is None else list(units),
        "person": person,
    }
    new = {name: value for name, value in wanted.items() if value is not None and value != getattr(row, name)}
    if not new:
        return False
    if new.get("roles") == []:
        raise NotAllowed("账号至少要有一个角色；不用了请停用")
    if AccountRole.ADMIN.value in row.roles and AccountRole.ADMIN.value not in new.get("roles", row.roles):
        _leaves_an_admin(conn, account)
    _set(conn, account, **new)
    before = {name: getattr(row, name) for name in new}
    _note(conn, at, "account_changed", account, by, reason, {"from": before, "to": new})
    return True


def disable(conn: Connection, at: datetime, account: str, by: str, reason: str) -> None:
    row = get(conn, account)
    if row.disabled_at is not None:
        raise NotAllowed(f"账号 {account} 已停用")
    _leaves_an_admin(conn, account)
    _set(conn, account, disabled_at=at)
    _note(conn, at, "account_disabled", account, by, reason, {})


def enable(conn: Connection, at: datetime, account: str, by: str, reason: str) -> None:
    """In use again, and its lock undone."""
    get(conn, account)
    _set(conn, account, disabled_at=None, failures=0, locked_until=None)
    _note(conn, at, "account_enabled", account, by, reason, {})


def set_password(
    conn: Connection, at: datetime, account: str, hashed: str, by: str, *, must_change: bool
) -> None:
    get(conn, account)
    _set(conn, account, password=hashed, must_change=must_change, failures=0, locked_until=None)
    _note(conn, at, "account_password", account, by, "", {"own": not must_change})


def set_second_factor(
    conn: Connection, at: datetime, account: str, secret: str | None, recovery: Sequence[str], by: str
) -> None:
    """`secret` None takes it away; `recovery`: hashes."""
    get(conn, account)
    _set(conn, account, totp=secret, totp_step=None, recovery=list(recovery))
    _note(conn, at, "account_second_factor", account, by, "", {"on": secret is not None})


def link(conn: Connection, at: datetime, account: str, issuer: str, subject: str, by: str) -> None:
    """From now on that identity of another house is this account. Raises NotAllowed when it is another's."""
    if (other := of_identity(conn, issuer, subject)) is not None and other.id != account:
        raise NotAllowed(f"这个单位身份已连到账号 {other.id}")
    if (row := get(conn, account)).subject and (row.issuer, row.subject) != (issuer, subject):
        raise NotAllowed(f"账号 {account} 已连到另一个单位身份；请管理员核对是不是同一个人")
    _set(conn, account, issuer=issuer, subject=subject)
    _note(conn, at, "account_linked", account, by, "", {"issuer": issuer})


# ── the sign-in's own counting ────────────────────────────────────────────────────────────────


def failed(conn: Connection, at: datetime, wall: datetime, account: str, rules: Rules) -> None:
    """One more wrong password or code. `at`: the site's time, `wall`: the machine's, by which locks count."""
    failures = get(conn, account).failures + 1
    wait = wait_after(rules, failures)
    _set(conn, account, failures=failures, locked_until=wall + wait if wait else None)
    if wait:
        told = {"failures": failures, "until": iso(wall + wait)}
        _note(conn, at, "account_locked", account, "huiying", "连续输错口令", told)


def succeeded(
    conn: Connection, account: str, rehashed: str | None = None, *, begin_anew: bool = True
) -> None:
    """The count begins anew; `rehashed`: the same password by today's cost."""
    new: dict[str, Any] = {"failures": 0, "locked_until": None} if begin_anew else {}
    _set(conn, account, **new, **({"password": rehashed} if rehashed else {}))


def use_code(conn: Connection, account: str, step: int) -> bool:
    """Each code of the second factor is taken once: False when it, or a later one, was taken before."""
    fresh = ACCOUNT.c.totp_step.is_(None) | (ACCOUNT.c.totp_step < step)
    changed = conn.execute(update(ACCOUNT).where(ACCOUNT.c.id == account, fresh).values(totp_step=step))
    return changed.rowcount == 1


def use_recovery(conn: Connection, at: datetime, account: str, hashed: str) -> bool:
    """A code that was written down for the day when the phone is lost; each is taken once."""
    left = list(get(conn, account).recovery)
    if hashed not in left:
        return False
    left.remove(hashed)
    _set(conn, account, recovery=left)
    _note(conn, at, "account_recovered", account, "huiying", "用了备用码", {"left": len(left)})
    return True


def _leaves_an_admin(conn: Connection, account: str) -> None:
    """Raises NotAllowed when nobody could manage accounts any more."""
    if (
        not any(
            AccountRole.ADMIN.value in row.roles and row.disabled_at is None and row.id != account
            for row in listed(conn)
        )
        and AccountRole.ADMIN.value in get(conn, account).roles
    ):
        raise NotAllowed(f"{account} 是最后一个管理员账号；请先给另一个账号加上管理员角色")


def _values(roles: Sequence[AccountRole]) -> list[str]:
    return [role.value for role in AccountRole if role in roles]


def _set(conn: Connection, account: str, **values: Any) -> None:
    conn.execute(update(ACCOUNT).where(ACCOUNT.c.id == account).values(**values))


def _note(
    conn: Connection,
    at: datetime,
    kind: str,
    account: str,
    by: str,
    reason: str,
    said: Mapping[str, Any],
) -> None:
    append(conn, at, [Entry(kind, {"account": account, **said}, by, reason)])
