"""Tokens 接口令牌: what a program shows instead of a password. Kept as hashes; made and revoked in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, insert, select, update

from models.core.moment import iso
from models.core.vocabulary import AccountRole
from models.ledger.accounts import ACCOUNT
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import NotThere
from models.records import ApiToken

TOKEN: Table = ApiToken.__table__  # type: ignore[attr-defined]


def make(
    conn: Connection,
    at: datetime,
    account: str,
    name: str,
    hashed: str,
    roles: Sequence[AccountRole],
    ends_at: datetime,
    by: str,
) -> str:
    """The number of the new token. Raises NotAllowed without a role or a name."""
    if not roles:
        raise NotAllowed("令牌至少要有一个角色，且不多于账号自己的")
    if not name.strip():
        raise NotAllowed("请写令牌的用途，例如 热线系统")
    made = uuid4().hex[:12]
    row = {
        "id": made,
        "hash": hashed,
        "account": account,
        "name": name.strip()[:80],
        "roles": [role.value for role in AccountRole if role in roles],
        "made_at": at,
        "ends_at": ends_at,
    }
    conn.execute(insert(TOKEN).values(**row))
    said = {"token": made, "account": account, "name": row["name"], "roles": row["roles"]}
    append(conn, at, [Entry("token_made", {**said, "ends_at": iso(ends_at)}, by)])
    return made


def find(conn: Connection, hashed: str) -> Row[Any] | None:
    """A token that nobody revoked, with its owner's columns."""
    owner = [
        ACCOUNT.c.name.label("owner_name"),
        ACCOUNT.c.roles.label("owner_roles"),
        ACCOUNT.c.person,
        ACCOUNT.c.units,
        ACCOUNT.c.disabled_at,
    ]
    query = select(TOKEN, *owner).join(ACCOUNT, ACCOUNT.c.id == TOKEN.c.account)
    return conn.execute(query.where(TOKEN.c.hash == hashed, TOKEN.c.ended_at.is_(None))).first()


def of(conn: Connection, account: str) -> Sequence[Row[Any]]:
    """The tokens of an account, newest first, those that ended too."""
    query = select(TOKEN).where(TOKEN.c.account == account)
    return conn.execute(query.order_by(TOKEN.c.made_at.desc(), TOKEN.c.id)).all()


def used(conn: Connection, number: str, now: datetime) -> None:
    conn.execute(update(TOKEN).where(TOKEN.c.id == number).values(used_at=now))


def revoke(conn: Connection, at: datetime, number: str, by: str, account: str = "") -> None:
    """`account`: only if it is that account's. Raises NotThere and NotAllowed."""
    row = conn.execute(select(TOKEN).where(TOKEN.c.id == number)).first()
    if row is None or (account and row.account != account):
        raise NotThere(f"没有编号为 {number[:40]} 的令牌；在“我的账号”里查看")
    if row.ended_at is not None:
        raise NotAllowed("这个令牌已作废")
    conn.execute(update(TOKEN).where(TOKEN.c.id == number).values(ended_at=at))
    said = {"token": number, "account": row.account, "name": row.name}
    append(conn, at, [Entry("token_revoked", said, by)])
