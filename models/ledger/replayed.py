"""The tables as the journal alone states them, in memory: what no changed row of a table can falsify.

The chain of hashes is checked on the way, so that a figure that is worked out of it stands or falls with
`head`, the hash of the last entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select

from models.core.moment import parse_iso
from models.ledger import journal
from models.ledger.journal import JOURNAL
from models.ledger.projections import TABLES
from models.ledger.store import LedgerError
from models.records import Moment

Row = dict[str, Any]
Wanted = Mapping[str, frozenset[str]]
"""Which columns of which tables are kept; `id` always is."""
MOST_KEPT = 500_000
"""Rows that stay in memory between two readings; a longer journal is read anew each time."""


class Broken(LedgerError):
    """The chain does not hold: nothing may be worked out of it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """`tables`: name → key → row, instants as datetimes; where a row's state changed, `was` is the one before.
    `owners`: incident → (at, unit) as they changed. Nobody changes what is in it."""

    tables: Mapping[str, Mapping[str, Row]]
    owners: Mapping[str, tuple[tuple[datetime, str], ...]]
    head: str = journal.GENESIS
    entries: int = 0
    began: datetime | None = None

    def rows(self, table: str) -> Iterable[Row]:
        return self.tables[table].values()

    @property
    def size(self) -> int:
        return sum(map(len, self.tables.values()))


@dataclass(slots=True)
class _Fold:
    wanted: Wanted
    tables: dict[str, dict[str, Row]]
    owners: dict[str, tuple[tuple[datetime, str], ...]] = field(default_factory=dict)

    def take(self, at: datetime, payload: Row) -> None:
        for change in ("insert", "update"):
            for name, rows in payload.get(change, {}).items():
                if name in self.wanted:
                    for row in rows:
                        self._put(name, row)
                        self._owned(name, at, row)

    def _put(self, name: str, row: Row) -> None:
        """A changed row is a new one: who reads the old fold still holds it."""
        table, read = self.tables[name], _read(name, row, self.wanted[name])
        old = table.get(row["id"])
        was = {"was": old.get("state")} if old and "state" in read else {}
        table[row["id"]] = (old or {}) | was | read

    def _owned(self, name: str, at: datetime, row: Row) -> None:
        if name == "incident" and row.get("owner"):
            self.owners[row["id"]] = (*self.owners.get(row["id"], ()), (at, row["owner"]))


_MOMENTS = {
    name: frozenset(column.name for column in table.columns if isinstance(column.type, Moment))
    for name, table in TABLES.items()
}


def _read(name: str, row: Row, wanted: frozenset[str]) -> Row:
    moments = _MOMENTS[name]
    return {
        column: parse_iso(value) if column in moments and isinstance(value, str) else value
        for column, value in row.items()
        if column in wanted or column == "id"
    }


def replay(conn: Connection, wanted: Wanted, before: Replayed | None = None) -> Replayed:
    """These tables (keyed by `id`) as the journal states them, read on from `before` where that is given.

    Raises Broken when the chain does not hold.
    """
    start = before or Replayed({name: {} for name in wanted}, {})
    fold = _Fold(wanted, {name: dict(rows) for name, rows in start.tables.items()}, dict(start.owners))
    chain, began = journal.Chain(), start.began
    chain.head, chain.length = start.head, start.entries
    for row in journal.entries(conn, after=start.entries):
        wrong = chain.take(row)
        if wrong:
            raise Broken(f"日志链不完整：{wrong}；先运行 huiying verify 查明，再作考核")
        began = began or row["at"]
        fold.take(row["at"], journal.as_entry(row).payload)
    return Replayed(fold.tables, fold.owners, chain.head, chain.length, began)


class Memory:
    """The newest fold of one process, found again by the hash of its last entry, from which it is read on.

    That hash stands for every entry before it, each of which was checked when it was read; an entry that is
    changed afterwards bends nothing here, and `huiying verify` names it. One fold, at most MOST_KEPT rows.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._kept: Replayed | None = None
        self._one = Lock()

    def read(self, conn: Connection) -> Replayed:
        """The journal as it stands now. Raises Broken."""
        with self._one:
            told = replay(conn, self._wanted, self._known(conn))
            self._kept = told if told.size <= MOST_KEPT else None
            return told

    def _known(self, conn: Connection) -> Replayed | None:
        kept = self._kept
        if kept is None:
            return None
        hash_ = conn.execute(select(JOURNAL.c.hash).where(JOURNAL.c.seq == kept.entries)).scalar()
        return kept if hash_ == kept.head else None
