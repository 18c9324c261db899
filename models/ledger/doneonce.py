"""Acts that came with a key of their sender's: a repeat, over a poor line or from a chat that timed out, is
known by its key and done no second time. Kept for `KEPT`; no table of truth, the journal holds the act itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, delete, insert, select

from models.ledger.incidents import INCIDENT, NotAllowed
from models.records import DoneOnce

DONE: Table = DoneOnce.__table__  # type: ignore[attr-defined]
KEPT = timedelta(days=30)
_SHAPE = re.compile(r"[!-~]{8,100}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked with a key: the same key means the same person, act and incident."""

    key: str
    person: str
    act: str
    target: str


def shaped(key: str) -> str:
    """The key as it may be stored: 8 to 100 visible ASCII characters. Raises NotAllowed."""
    if not _SHAPE.fullmatch(key):
        raise NotAllowed("Idempotency-Key 须为 8 到 100 个可见的 ASCII 字符，每个操作一个；例如一个 UUID")
    return key


def known(conn: Connection, asked: Asked) -> str | None:
    """The incident on which this very act was done before; None when it is new. Raises NotAllowed when the key
    stands for something else."""
    row = conn.execute(select(DONE).where(DONE.c.key == asked.key)).first()
    if row is None:
        return None
    if (row.person, row.act, row.target) != (asked.person, asked.act, asked.target):
        raise NotAllowed("这个 Idempotency-Key 已用于另一个操作，没有执行；请为每个操作用一个新的")
    return str(row.incident_id)


def remember(conn: Connection, at: datetime, asked: Asked) -> None:
    """Call it in the transaction of the act, behind it. What is older than `KEPT` goes."""
    conn.execute(delete(DONE).where(DONE.c.at < at - KEPT))
    row = {"key": asked.key, "person": asked.person, "act": asked.act, "target": asked.target}
    conn.execute(insert(DONE).values(**row, incident_id=asked.target or _opened(conn, asked.person), at=at))


def _opened(conn: Connection, person: str) -> str:
    """What this person has opened just now, in this transaction."""
    newest = select(INCIDENT.c.id).where(INCIDENT.c.opened_by == person)
    return (
        conn.execute(newest.order_by(INCIDENT.c.opened_at.desc(), INCIDENT.c.id.desc())).scalars().first()
        or ""
    )
