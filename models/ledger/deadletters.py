"""Dead letters 死信: what could not become a signal, kept whole until a person mends or drops it.

Open ones have no `state`. A letter is settled once, with who and when; it is never deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.core.signals import Rejected
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import DeadLetter

DEAD: Table = DeadLetter.__table__  # type: ignore[attr-defined]
REPLAYED, DROPPED = "replayed", "dropped"


def uid_of(source_id: str, rejected: Rejected) -> str:
    """The same broken row at the same place is one letter, however often it is read."""
    return hashlib.sha256(f"{source_id}\x1f{rejected.place}\x1f{rejected.raw}".encode()).hexdigest()[:32]


def reject(conn: Connection, at: datetime, source_id: str, rejected: Sequence[Rejected]) -> None:
    """Keep what could not be read; the same broken row seen again is kept once."""
    keep(conn, [letter(source_id, one, at) for one in rejected])


def letter(source_id: str, rejected: Rejected, at: datetime) -> dict[str, Any]:
    return {
        "uid": uid_of(source_id, rejected),
        "source_id": source_id,
        "place": rejected.place,
        "reason": rejected.reason,
        "raw": rejected.raw,
        "at": at,
        "fields": rejected.fields,
    }


def keep(conn: Connection, letters: Sequence[Mapping[str, Any]]) -> None:
    """Insert letters, leaving out those that are there; each may bring its own uid."""
    if letters:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        conn.execute(dialect.insert(DEAD).on_conflict_do_nothing(index_elements=["uid"]), list(letters))


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def by_source(conn: Connection) -> dict[str, int]:
    """source → how many letters wait for a person."""
    waiting = select(DEAD.c.source_id, func.count()).where(DEAD.c.state.is_(None))
    return {row[0]: row[1] for row in conn.execute(waiting.group_by(DEAD.c.source_id))}


def listed(
    conn: Connection, source_id: str | None = None, *, after: int = 0, limit: int = 200, settled: bool = False
) -> Sequence[Row[Any]]:
    """Letters behind number `after`, oldest first; with `settled` those that are done too."""
    query = select(DEAD).where(DEAD.c.id > after).order_by(DEAD.c.id).limit(limit)
    if source_id:
        query = query.where(DEAD.c.source_id == source_id)
    return conn.execute(query if settled else query.where(DEAD.c.state.is_(None))).all()


def get(conn: Connection, number: int) -> Row[Any] | None:
    return conn.execute(select(DEAD).where(DEAD.c.id == number)).first()


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def put_fields(conn: Connection, number: int, fields: Mapping[str, Any], note: str) -> None:
    """What a person changed; `raw` stays as it came."""
    conn.execute(update(DEAD).where(DEAD.c.id == number).values(fields=dict(fields), note=note))


def put_reason(conn: Connection, number: int, reason: str) -> None:
    conn.execute(update(DEAD).where(DEAD.c.id == number).values(reason=reason))


def settle(
    conn: Connection, at: datetime, number: int, state: str, by: str, signal_uid: str | None = None
) -> None:
    """The end of a letter. One that is settled stays as it is: a replay twice changes nothing."""
    values = {"state": state, "settled_at": at, "settled_by": by, "signal_uid": signal_uid}
    conn.execute(update(DEAD).where(DEAD.c.id == number, DEAD.c.state.is_(None)).values(**values))


def journalled(
    conn: Connection, at: datetime, kind: str, by: str, numbers: Sequence[int], reason: str, **more: Any
) -> None:
    """Who did what to which letters; the values themselves stay out of the journal."""
    append(conn, at, [Entry(kind, {"letters": list(numbers), **more}, by, reason)])
