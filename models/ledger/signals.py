"""Signals in: each exactly once, sealed by the journal; what cannot be read goes to dead letters."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Row, Table, Text, bindparam, cast, column, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.core.moment import iso
from models.core.signals import Batch, RawSignal
from models.ledger.deadletters import reject
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Signal

SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
CONTENT = ("uid", "source_id", "medium", "title", "body", "url", "author", "place", "metrics")

_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def collect(
    conn: Connection, at: datetime, batch: Batch, source_id: str, fingerprint: Callable[[str], str]
) -> dict[str, int]:
    """Store what is new of `batch`; returns read, accepted, duplicate, rejected (they add up)."""
    fresh = _insert_new(conn, SIGNAL, [_row(signal, at, fingerprint) for signal in batch.signals])
    if fresh:
        entry = Entry("signals_collected", {"source": source_id, "seals": fresh}, actor=f"source:{source_id}")
        append(conn, at, [entry])
    reject(conn, at, source_id, batch.rejected)
    return {
        "read": batch.read,
        "accepted": len(fresh),
        "duplicate": len(batch.signals) - len(fresh),
        "rejected": len(batch.rejected),
    }


def _row(signal: RawSignal, at: datetime, fingerprint: Callable[[str], str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "uid": signal.uid,
        "source_id": signal.source_id,
        "medium": signal.medium.value,
        "title": signal.title,
        "body": signal.body,
        "url": signal.url,
        "author": signal.author,
        "place": signal.place,
        "metrics": signal.metrics,
        "published_at": signal.published_at,
        "occurred_at": signal.occurred_at,
        "seen_at": at,
        "fingerprint": fingerprint(signal.text),
    }
    return {**row, "digest": digest(row)}


def digest(row: dict[str, Any]) -> str:
    """SHA-256 over what the signal says; the journal keeps it, `huiying verify` compares it.

    The canonical form is RFC 8785's, written by the standard library's encoder, which is ten times
    as fast: keys here are ASCII and values texts, counts and null, where the two agree.
    """
    content = {name: row[name] for name in CONTENT}
    for name in ("published_at", "occurred_at"):
        content[name] = iso(row[name]) if row[name] else None
    return hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()


def _insert_new(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> list[list[str]]:
    """Insert rows whose uid is new, and return [uid, digest] of those; of two alike the first stands."""
    unique: dict[str, dict[str, Any]] = {}
    for row in rows:
        unique.setdefault(row["uid"], row)
    fresh = list(unique.values())
    if not fresh:
        return []
    if conn.dialect.name == "postgresql":
        given = json.dumps(fresh, ensure_ascii=False, default=datetime.isoformat)
        found = conn.execute(_whole_batch(table), {"rows": given})
    else:
        found = conn.execute(_or_ignore(conn, table).returning(table.c.uid), fresh)
    return [[uid, unique[uid]["digest"]] for uid in found.scalars()]


@functools.cache
def _whole_batch(table: Table) -> Any:
    """One statement and one parameter for a batch of any size: a parameter for each value costs the
    client five times as much as the insert itself (PostgreSQL only)."""
    names = [one.name for one in table.columns if one.name not in ("id", "triaged_at")]
    typed = [column(name, table.c[name].type) for name in names]
    text = cast(bindparam("rows", type_=Text), JSON)
    given = func.json_to_recordset(text).table_valued(*typed).render_derived(with_types=True)
    source = select(*(given.c[name] for name in names))
    statement = postgresql.insert(table).from_select(names, source)
    return statement.on_conflict_do_nothing(index_elements=["uid"]).returning(table.c.uid)


def _or_ignore(conn: Connection, table: Table) -> Any:
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=["uid"])
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=["uid"])


def pending(conn: Connection, limit: int, after: int = 0) -> Sequence[Row[Any]]:
    """The oldest signals behind number `after` that nobody has judged yet."""
    return conn.execute(
        select(SIGNAL)
        .where(SIGNAL.c.triaged_at.is_(None), SIGNAL.c.id > after)
        .order_by(SIGNAL.c.id)
        .limit(limit)
    ).all()


def waiting(conn: Connection) -> int:
    return conn.execute(select(func.count()).where(SIGNAL.c.triaged_at.is_(None))).scalar_one()


def originals(conn: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """signal id → the first signal with the very same words, for those that are copies (转载)."""
    prints = {row.fingerprint for row in rows if row.fingerprint}
    found = conn.execute(
        select(SIGNAL.c.fingerprint, func.min(SIGNAL.c.id))
        .where(SIGNAL.c.fingerprint.in_(prints))
        .group_by(SIGNAL.c.fingerprint)
    )
    first = {row[0]: row[1] for row in found}
    return {row.id: first[row.fingerprint] for row in rows if first.get(row.fingerprint, row.id) != row.id}


def mark_triaged(conn: Connection, ids: Sequence[int], at: datetime) -> None:
    conn.execute(update(SIGNAL).where(SIGNAL.c.id.in_(ids)).values(triaged_at=at))
