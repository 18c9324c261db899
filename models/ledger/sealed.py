"""Originals with personal data, encrypted; the key is not here and never passes through here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.signals import SIGNAL
from models.ledger.store import Row
from models.records import Sealed

SEALED: Table = Sealed.__table__  # type: ignore[attr-defined]
SLICE = 900


def keep(conn: Connection, at: datetime, boxes: Sequence[tuple[str, str, bytes]]) -> None:
    """(uid, key id, box) each; the first of a uid stands, as the first signal does."""
    rows = [{"uid": uid, "key_id": key, "box": box, "at": at} for uid, key, box in boxes]
    if rows:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        conn.execute(dialect.insert(SEALED).on_conflict_do_nothing(index_elements=["uid"]), rows)


def replace(conn: Connection, at: datetime, box: tuple[str, str, bytes]) -> None:
    """Put (uid, key id, box) in the place of the one that is there, if any: what it holds has changed."""
    conn.execute(delete(SEALED).where(SEALED.c.uid == box[0]))
    keep(conn, at, [box])


def boxes(conn: Connection, uids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """uid → (key id, box) of those that have one."""
    found: dict[str, tuple[str, bytes]] = {}
    for start in range(0, len(uids), SLICE):
        query = select(SEALED).where(SEALED.c.uid.in_(uids[start : start + SLICE]))
        found |= {row.uid: (row.key_id, row.box) for row in conn.execute(query)}
    return found


def signal(conn: Connection, number: int) -> Row[Any] | None:
    """The stored row of signal `number`; None when there is none."""
    return conn.execute(select(SIGNAL).where(SIGNAL.c.id == number)).first()


def revealed(conn: Connection, at: datetime, number: int, by: str, reason: str) -> None:
    """That a person has read an original, and why (law 11); what it says stays out of the journal."""
    append(conn, at, [Entry("personal_revealed", {"signal": number}, by, reason)])


def taken_out(conn: Connection, at: datetime, rows: int, by: str, reason: str) -> None:
    """That a person wrote so many originals to a file, and why."""
    append(conn, at, [Entry("originals_taken", {"rows": rows}, by, reason)])
