"""Sign-ins that last, and who tried to: rows that change often and that no journal needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from models.core.access import Place, Stage
from models.ledger.accounts import ACCOUNT
from models.records import AccountSession, SignIn

SESSION: Table = AccountSession.__table__  # type: ignore[attr-defined]
SIGNIN: Table = SignIn.__table__  # type: ignore[attr-defined]
SEEN = timedelta(minutes=1)
"""So much may the last request be later than what is written down: reading must not cost a write."""
KEPT = timedelta(days=30)
"""How long an ended session stays to be shown."""
RECORDED = timedelta(days=730)
"""How long it is known who signed in: the auditor comes months later."""


def begin(
    conn: Connection,
    now: datetime,
    hashed: str,
    account: str,
    stage: Stage,
    method: str,
    place: Place,
    lasting: timedelta,
) -> None:
    """A new session under the hash of its secret; those that ended long ago are cleared away."""
    row = {
        "id": hashed,
        "account": account,
        "stage": stage.value,
        "method": method,
        "made_at": now,
        "seen_at": now,
        "ends_at": now + lasting,
        "confirmed_at": now,
        **place.short,
    }
    conn.execute(insert(SESSION).values(**row))
    conn.execute(delete(SESSION).where(SESSION.c.ends_at < now - KEPT))


def find(conn: Connection, hashed: str) -> Row[Any] | None:
    """A session that nobody ended, with its account's columns; whether it still lives is for `access.alive`."""
    about = [ACCOUNT.c[name] for name in ("name", "person", "roles", "units", "disabled_at")]
    query = select(SESSION, *about).join(ACCOUNT, ACCOUNT.c.id == SESSION.c.account)
    return conn.execute(query.where(SESSION.c.id == hashed, SESSION.c.ended_at.is_(None))).first()


def of(conn: Connection, account: str, now: datetime) -> Sequence[Row[Any]]:
    """The sessions of an account that may still live, newest first."""
    open_ = SESSION.c.ended_at.is_(None) & (SESSION.c.ends_at > now)
    query = select(SESSION).where(SESSION.c.account == account, open_)
    return conn.execute(query.order_by(SESSION.c.made_at.desc())).all()


def touch(conn: Connection, hashed: str, now: datetime) -> None:
    conn.execute(update(SESSION).where(SESSION.c.id == hashed).values(seen_at=now))


def move(conn: Connection, old: str, new: str, now: datetime, stage: Stage, ends_at: datetime) -> bool:
    """The same sign-in under a new secret, further on, its password just typed: nobody who knew the old secret
    comes along. False when it was ended, or moved, by another request."""
    changed = {"id": new, "stage": stage.value, "confirmed_at": now, "seen_at": now, "ends_at": ends_at}
    here = (SESSION.c.id == old) & SESSION.c.ended_at.is_(None)
    return conn.execute(update(SESSION).where(here).values(**changed)).rowcount == 1


def enrol(conn: Connection, hashed: str, secret: str | None) -> None:
    """Remember the second factor that is being set up, until its first code proves it (None)."""
    conn.execute(update(SESSION).where(SESSION.c.id == hashed).values(pending=secret))


def end(conn: Connection, now: datetime, *, hashed: str = "", account: str = "", but: str = "") -> int:
    """End one session, or all of an account but one; how many there were."""
    chosen = SESSION.c.ended_at.is_(None) & (SESSION.c.id != but)
    chosen &= (SESSION.c.id == hashed) if hashed else (SESSION.c.account == account)
    return conn.execute(update(SESSION).where(chosen).values(ended_at=now)).rowcount


def tried(conn: Connection, now: datetime, account: str | None, method: str, why: str, place: Place) -> None:
    """Somebody signed in (`why` "") or did not; what is two years old is forgotten."""
    row = {"at": now, "account": account, "method": method, "ok": not why, "why": why, **place.short}
    conn.execute(insert(SIGNIN).values(**row))
    conn.execute(delete(SIGNIN).where(SIGNIN.c.at < now - RECORDED))


def last_in(conn: Connection) -> Mapping[str, datetime]:
    """When each account was last let in; those that never were are left out."""
    newest = select(SIGNIN.c.account, func.max(SIGNIN.c.at).label("at")).group_by(SIGNIN.c.account)
    known = newest.where(SIGNIN.c.ok, SIGNIN.c.account.is_not(None))
    return {row.account: row.at for row in conn.execute(known)}


def attempts(conn: Connection, limit: int = 100, account: str | None = None) -> Sequence[Row[Any]]:
    """The last sign-ins and refusals, newest first."""
    query = select(SIGNIN).order_by(SIGNIN.c.id.desc()).limit(limit)
    return conn.execute(query.where(SIGNIN.c.account == account) if account else query).all()
