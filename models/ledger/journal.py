"""The journal 留痕: append-only, hash-chained, and the source from which the tables can be rebuilt.

    hash(n) = SHA-256( hash(n-1) ‖ JCS(entry n without its hashes) )      JCS: RFC 8785

`append` is the only way to change a table of truth: it writes the entry and projects it onto the
tables in the same transaction (`projections`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, true

from models.core.moment import iso
from models.ledger import archived, canonical
from models.ledger.entry import Entry
from models.ledger.projections import project
from models.records import JournalEntry

JOURNAL = JournalEntry.__table__  # type: ignore[attr-defined]
GENESIS = "0" * 64


def append(conn: Connection, at: datetime, entries: Sequence[Entry]) -> int:
    """Write `entries` at `at`, project them, and return the last sequence number.

    `conn` must come from `Store.write()`.
    """
    if not entries:
        return _head(conn)[0]
    seq, prev = _head(conn)
    rows = []
    for entry in entries:
        seq += 1
        row = _row(seq, at, entry, prev)
        prev = row["hash"]
        rows.append(row)
    conn.execute(insert(JOURNAL), rows)
    project(conn, [(row["seq"], at, entry) for row, entry in zip(rows, entries, strict=True)])
    return seq


def _head(conn: Connection) -> tuple[int, str]:
    found = conn.execute(
        select(JOURNAL.c.seq, JOURNAL.c.hash).order_by(JOURNAL.c.seq.desc()).limit(1)
    ).first()
    return (found.seq, found.hash) if found else (0, GENESIS)


def _row(seq: int, at: datetime, entry: Entry, prev: str) -> dict[str, Any]:
    payload = canonical.dumps(entry.payload).decode()
    row = {
        "seq": seq,
        "at": at,
        "kind": entry.kind,
        "incident_id": entry.incident_id,
        "actor": entry.actor,
        "reason": entry.reason,
        "payload": payload,
        "prev": prev,
    }
    return {**row, "hash": seal(row)}


def seal(row: dict[str, Any]) -> str:
    """The hash of a journal row: hex SHA-256 over the previous hash and the canonical entry."""
    return seal_over(row, hashlib.sha256(row["payload"].encode()).hexdigest())


def seal_over(row: Mapping[str, Any], payload_sha256: str) -> str:
    """The same of a row whose payload is known by its hash alone, as other installations may see it."""
    body = canonical.dumps(
        {
            "seq": row["seq"],
            "at": iso(row["at"]),
            "kind": row["kind"],
            "incident_id": row["incident_id"],
            "actor": row["actor"],
            "reason": row["reason"],
            "payload": payload_sha256,
        }
    )
    return hashlib.sha256(row["prev"].encode() + body).hexdigest()


def length(conn: Connection) -> tuple[int, str]:
    """How many entries there are, and the hash of the last: note it down to seal the past."""
    return _head(conn)


def began(conn: Connection) -> datetime | None:
    """When the first entry was written: this site keeps a journal since then; None while there is none."""
    return (
        archived.began(conn) or conn.execute(select(JOURNAL.c.at).order_by(JOURNAL.c.seq).limit(1)).scalar()
    )


def newest_at(conn: Connection) -> datetime | None:
    """When the last entry was written; None while there is none."""
    return conn.execute(select(JOURNAL.c.at).order_by(JOURNAL.c.seq.desc()).limit(1)).scalar()


def newest_of(conn: Connection, kind: str) -> int:
    """The number of the last entry of a kind; 0 while there is none."""
    newest = select(JOURNAL.c.seq).where(JOURNAL.c.kind == kind).order_by(JOURNAL.c.seq.desc()).limit(1)
    return conn.execute(newest).scalar() or 0


def touched(conn: Connection, after: int) -> set[str]:
    """The incidents that entries behind number `after` speak of."""
    query = select(JOURNAL.c.incident_id).where(JOURNAL.c.seq > after, JOURNAL.c.incident_id.is_not(None))
    return set(conn.execute(query.distinct()).scalars())


def entries(
    conn: Connection, after: int = 0, size: int = 500, kind: str | None = None
) -> Iterator[dict[str, Any]]:
    """All rows after `after`, in order, read in slices so that a long journal fits in memory; those that lie in
    a file by now are read from there. Raises archived.Lost."""
    return archived.journal(conn, after, kind, _rows(conn, after, size, kind))


def _rows(conn: Connection, after: int, size: int, kind: str | None) -> Iterator[dict[str, Any]]:
    """What the table itself holds."""
    wanted = JOURNAL.c.kind == kind if kind else true()
    while True:
        rows = (
            conn.execute(
                select(JOURNAL).where(JOURNAL.c.seq > after, wanted).order_by(JOURNAL.c.seq).limit(size)
            )
            .mappings()
            .all()
        )
        if not rows:
            return
        for row in rows:
            yield dict(row)
        after = rows[-1]["seq"]


def as_entry(row: dict[str, Any]) -> Entry:
    return Entry(row["kind"], json.loads(row["payload"]), row["actor"], row["reason"], row["incident_id"])


class Chain:
    """The chain as far as it was read: `take` each row in order."""

    def __init__(self) -> None:
        self.head, self.length = GENESIS, 0

    def take(self, row: dict[str, Any]) -> str | None:
        """None when the row continues the chain, else where and how it breaks, in words."""
        if row["seq"] != self.length + 1:
            return f"第 {self.length + 1} 条缺失，其后是第 {row['seq']} 条"
        if row["prev"] != self.head:
            return f"第 {row['seq']} 条与前一条不相接"
        if seal(row) != row["hash"]:
            return f"第 {row['seq']} 条的内容与其哈希不符"
        self.head, self.length = row["hash"], row["seq"]
        return None


def broken(rows: Iterable[dict[str, Any]]) -> str | None:
    """None when the chain holds, else where and how it breaks, in words."""
    chain = Chain()
    return next((wrong for row in rows if (wrong := chain.take(row))), None)
