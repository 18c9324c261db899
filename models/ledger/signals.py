"""Signals in: each exactly once, sealed by the journal; what cannot be read goes to dead letters."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Integer,
    Row,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from models.core.moment import iso
from models.core.months import month_of
from models.core.signals import Batch, RawSignal
from models.ledger.deadletters import reject
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.store import LedgerError
from models.records import Judgement, Seen, Signal

SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
SEEN: Table = Seen.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
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
    """Insert rows whose uid was never seen, and return [uid, digest] of those; of two alike the first stands."""
    unique: dict[str, dict[str, Any]] = {}
    for row in rows:
        unique.setdefault(row["uid"], row)
    fresh = list(unique.values())
    if not fresh:
        return []
    if conn.dialect.name == "postgresql":
        placed = [row | {"place_in": number} for number, row in enumerate(fresh)]
        given = json.dumps(placed, ensure_ascii=False, default=datetime.isoformat)
        found = set(conn.execute(_whole_batch(table), {"rows": given}).scalars())
    else:
        found = _one_by_one(conn, table, fresh)
    return [[uid, row["digest"]] for uid, row in unique.items() if uid in found]


@functools.cache
def _whole_batch(table: Table) -> Any:
    """One statement and one parameter for a batch of any size: a parameter for each value costs the
    client five times as much as the insert itself (PostgreSQL only).

    A table in months cannot keep its uids single, `seen` can. A uid that an older process stored is not in
    `seen`; then the plain table's own constraint knows it.
    """
    names = [one.name for one in table.columns if one.name not in ("id", "triaged_at")]
    typed = [*(column(name, table.c[name].type) for name in names), column("place_in", Integer)]
    text = cast(bindparam("rows", type_=Text), JSON)
    read = func.json_to_recordset(text).table_valued(*typed).render_derived(with_types=True)
    given = select(*read.c).cte("given").prefix_with("MATERIALIZED", dialect="postgresql")
    key = cast(given.c.uid, SEEN.c.uid.type)
    new = postgresql.insert(SEEN).from_select(["uid", "at"], select(key, given.c.seen_at))
    fresh = new.on_conflict_do_nothing().returning(SEEN.c.uid).cte("fresh")
    source = select(*(given.c[name] for name in names)).join(fresh, fresh.c.uid == key)
    stored = postgresql.insert(table).from_select(
        names, source.order_by(given.c.place_in)
    )  # numbered as they came
    return stored.on_conflict_do_nothing().returning(table.c.uid)


def _one_by_one(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> set[str]:
    """The same for SQLite, where a statement for each row costs nothing."""
    new = sqlite.insert(SEEN).on_conflict_do_nothing().returning(SEEN.c.uid)
    given = [{"uid": row["uid"], "at": row["seen_at"]} for row in rows]
    fresh = {plain_uid(uid) for uid in conn.execute(new, given).scalars()}
    chosen = [row for row in rows if row["uid"] in fresh]
    if not chosen:
        return set()
    stored = sqlite.insert(table).on_conflict_do_nothing(index_elements=["uid"]).returning(table.c.uid)
    return set(conn.execute(stored, chosen).scalars())


def plain_uid(uid: str) -> str:
    """A uid as `signal` holds it: 32 hex digits, where `seen` answers with hyphens."""
    return uid.replace("-", "")


def months_of(conn: Connection, uids: Sequence[str], at_once: int = 500) -> dict[str, str]:
    """uid → the month in which it came in, of those that are known: 2026-11."""
    found: dict[str, str] = {}
    for start in range(0, len(uids), at_once):
        query = select(SEEN).where(SEEN.c.uid.in_(uids[start : start + at_once]))
        found |= {plain_uid(row.uid): str(month_of(row.at)) for row in conn.execute(query)}
    return found


def pending(conn: Connection, limit: int, after: int = 0) -> Sequence[Row[Any]]:
    """The oldest signals behind number `after` that nobody has judged yet."""
    return conn.execute(
        select(SIGNAL)
        .where(SIGNAL.c.triaged_at.is_(None), SIGNAL.c.id > after)
        .order_by(SIGNAL.c.id)
        .limit(limit)
    ).all()


def between(conn: Connection, first: int, last: int) -> Sequence[Row[Any]]:
    """Those of the signals numbered `first` to `last` that nobody has judged yet, in order."""
    which = SIGNAL.c.id.between(first, last) & SIGNAL.c.triaged_at.is_(None)
    return conn.execute(select(SIGNAL).where(which).order_by(SIGNAL.c.id)).all()


def first_waiting(conn: Connection, after: int = 0) -> int | None:
    """The number of the first signal behind `after` that nobody has judged; None where there is none."""
    which = SIGNAL.c.triaged_at.is_(None) & (SIGNAL.c.id > after)
    return conn.execute(select(SIGNAL.c.id).where(which).order_by(SIGNAL.c.id).limit(1)).scalar()


def seen_at(conn: Connection, number: int) -> datetime | None:
    """When the signal of this number came in; None where there is none."""
    found: datetime | None = conn.execute(select(SIGNAL.c.seen_at).where(SIGNAL.c.id == number)).scalar()
    return found


def waiting_up_to(conn: Connection, most: int, after: int = 0) -> int:
    """How many wait behind number `after`, counted no further than `most`."""
    which = SIGNAL.c.triaged_at.is_(None) & (SIGNAL.c.id > after)
    some = select(SIGNAL.c.id).where(which).limit(most).subquery()
    return conn.execute(select(func.count()).select_from(some)).scalar_one()


def waiting(conn: Connection) -> int:
    return conn.execute(select(func.count()).where(SIGNAL.c.triaged_at.is_(None))).scalar_one()


def originals(conn: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """signal id → the first signal with the very same words, for those that are copies (转载).

    Any judged one with the same words names the first, so the thousandth copy costs no more than the second.
    """
    first = _known_originals(conn, {row.fingerprint for row in rows if row.fingerprint})
    found: dict[int, int] = {}
    for row in rows:
        if row.fingerprint and (original := first.setdefault(row.fingerprint, row.id)) != row.id:
            found[row.id] = original
    return found


def _known_originals(conn: Connection, prints: Collection[str]) -> dict[str, int]:
    """fingerprint → the first signal that bore it, of those that were judged."""
    asked = listed(conn, prints)
    alike = (
        select(SIGNAL.c.id)
        .where(SIGNAL.c.fingerprint == asked.c.value, SIGNAL.c.triaged_at.is_not(None))
        .limit(1)
        .scalar_subquery()
    )
    known = select(asked.c.value.label("words"), alike.label("id")).subquery()
    query = select(known.c.words, func.coalesce(JUDGEMENT.c.copy_of, known.c.id))
    found = conn.execute(query.join(JUDGEMENT, JUDGEMENT.c.signal_id == known.c.id))
    return {row[0]: row[1] for row in found}


def listed(conn: Connection, values: Iterable[str]) -> TableValuedAlias:
    """These texts as a table with the column `value`, in one parameter."""
    given = json.dumps(list(values), ensure_ascii=False)
    if conn.dialect.name == "postgresql":
        return func.json_array_elements_text(cast(literal(given, Text), JSON)).table_valued("value")
    return func.json_each(given).table_valued("value")


def mark_triaged(conn: Connection, rows: Sequence[Row[Any]], at: datetime) -> None:
    """These are judged: numbers and times that lie next to each other, so that few parts are looked through."""
    ids, seen = [row.id for row in rows], [row.seen_at for row in rows]
    which = SIGNAL.c.id.between(min(ids), max(ids)) & SIGNAL.c.seen_at.between(min(seen), max(seen))
    judged = update(SIGNAL).where(which, SIGNAL.c.triaged_at.is_(None)).values(triaged_at=at)
    if conn.execute(judged).rowcount != len(
        rows
    ):  # numbers are given in the order of storing: none comes between
        raise LedgerError("待研判线索的编号次序不符；本批不落库，将重新读取")
