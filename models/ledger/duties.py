"""Duties: recurring work with a lease, so that any number of processes share it and none is lost.

A duty's row says when it is due, who holds it and when it was last good. Prefect's runner, the
embedded loop and a bare worker all ask here first: "is this still needed, and is it mine?"
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.core.text import storable
from models.records import Duty, Setting, Source

DUTY: Table = Duty.__table__  # type: ignore[attr-defined]
SETTING: Table = Setting.__table__  # type: ignore[attr-defined]
SOURCE: Table = Source.__table__  # type: ignore[attr-defined]


def take(conn: Connection, name: str, now: datetime, lease: timedelta, by: str) -> bool:
    """Lease the duty when it is due and nobody holds it. True = it is yours until now + lease."""
    _ensure(conn, DUTY, {"name": name, "due_at": now, "runs": 0}, "name")
    due = or_(DUTY.c.due_at.is_(None), DUTY.c.due_at <= now)
    free = or_(DUTY.c.leased_until.is_(None), DUTY.c.leased_until <= now, DUTY.c.leased_by == by)
    taken = conn.execute(
        update(DUTY).where(DUTY.c.name == name, due, free).values(leased_by=by, leased_until=now + lease)
    )
    return taken.rowcount == 1


def hold(conn: Connection, name: str, now: datetime, until: datetime, by: str) -> bool:
    """Take or keep the lease whether it is due or not. False = another holds it. Only what is asked here in a
    transaction that writes is sure until its end."""
    free = or_(DUTY.c.leased_until.is_(None), DUTY.c.leased_until <= now, DUTY.c.leased_by == by)
    mine = update(DUTY).where(DUTY.c.name == name, free).values(leased_by=by, leased_until=until)
    if conn.execute(mine).rowcount == 1:
        return True
    _ensure(conn, DUTY, {"name": name, "due_at": now, "runs": 0}, "name")
    return conn.execute(mine).rowcount == 1


def holder(conn: Connection, name: str) -> str | None:
    """Who holds the duty, or held it last and never gave it back."""
    return conn.execute(select(DUTY.c.leased_by).where(DUTY.c.name == name)).scalar()


def lease(conn: Connection, name: str) -> tuple[str | None, datetime | None]:
    """Who holds the duty, or held it last, and until when."""
    row = conn.execute(select(DUTY.c.leased_by, DUTY.c.leased_until).where(DUTY.c.name == name)).first()
    return (row.leased_by, row.leased_until) if row else (None, None)


def release(conn: Connection, holders: Sequence[str]) -> int:
    """Take back the leases of processes that are known to be dead; how many duties that frees."""
    gone = update(DUTY).where(DUTY.c.leased_by.in_(holders))
    return conn.execute(gone.values(leased_by=None, leased_until=None)).rowcount


def release_one(conn: Connection, name: str, by: str) -> None:
    """Give back a lease of one's own before its time."""
    mine = update(DUTY).where(DUTY.c.name == name, DUTY.c.leased_by == by)
    conn.execute(mine.values(leased_by=None, leased_until=None))


def done(conn: Connection, name: str, now: datetime, next_at: datetime, by: str, detail: str) -> None:
    conn.execute(
        update(DUTY)
        .where(DUTY.c.name == name)
        .values(
            due_at=next_at,
            leased_by=None,
            leased_until=None,
            last_good_at=now,
            by=by,
            runs=DUTY.c.runs + 1,
            error=None,
            failing_since=None,
            detail=detail,
        )
    )


def good(conn: Connection, name: str, now: datetime, next_at: datetime, by: str, detail: str) -> None:
    """A round came to its end and the holder keeps the lease for the next one."""
    held = update(DUTY).where(DUTY.c.name == name, DUTY.c.leased_by == by)
    about = {"due_at": next_at, "last_good_at": now, "by": by, "error": None, "failing_since": None}
    conn.execute(held.values(runs=DUTY.c.runs + 1, detail=detail, **about))


def failed(conn: Connection, name: str, now: datetime, next_at: datetime, error: str) -> None:
    """The duty went wrong: it stays visible since when, and is tried again at `next_at`.

    `error` may quote anything from outside; noting it must not fail in its turn.
    """
    since = conn.execute(select(DUTY.c.failing_since).where(DUTY.c.name == name)).scalar() or now
    conn.execute(
        update(DUTY)
        .where(DUTY.c.name == name)
        .values(due_at=next_at, leased_by=None, leased_until=None, error=storable(error), failing_since=since)
    )


def beat(conn: Connection, name: str, now: datetime, detail: str = "", error: str | None = None) -> None:
    """A sign of life of something that has no lease: Prefect, a broker, a sender."""
    _ensure(conn, DUTY, {"name": name, "runs": 0}, "name")
    if error is None:
        done(conn, name, now, now, name, detail)
    else:
        failed(conn, name, now, now, error)


def all_duties(conn: Connection) -> Sequence[Row[Any]]:
    return conn.execute(select(DUTY).order_by(DUTY.c.name)).all()


def _ensure(conn: Connection, table: Table, row: dict[str, Any], key: str) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    conn.execute(dialect.insert(table).values(row).on_conflict_do_nothing(index_elements=[key]))


def get_setting(conn: Connection, key: str) -> dict[str, Any] | None:
    return conn.execute(select(SETTING.c.value).where(SETTING.c.key == key)).scalar()


def put_setting(conn: Connection, key: str, value: dict[str, Any]) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    conn.execute(
        dialect.insert(SETTING)
        .values(key=key, value=value)
        .on_conflict_do_update(index_elements=["key"], set_={"value": value})
    )


def source_states(conn: Connection) -> dict[str, Row[Any]]:
    return {row.id: row for row in conn.execute(select(SOURCE))}


def put_source(conn: Connection, row: dict[str, Any]) -> None:
    """Insert or replace how far we are with a source."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    changed = {name: value for name, value in row.items() if name != "id"}
    conn.execute(
        dialect.insert(SOURCE).values(row).on_conflict_do_update(index_elements=["id"], set_=changed)
    )
