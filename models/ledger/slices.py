"""Slices of the waiting signals, each claimed by one reader, which leaves its readings for the sorter.

Working state: a slice that is lost is read again. Every function that writes asks for the write lock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from models.ledger.signals import SIGNAL
from models.records import ReadingSlice

SLICE: Table = ReadingSlice.__table__  # type: ignore[attr-defined]
SHOWN = tuple(column for column in SLICE.columns if column.name != "body")


@dataclass(frozen=True, slots=True)
class Slice:
    """The waiting signals numbered `first` to `last`; `left`: its readings lie there."""

    first: int
    last: int
    by: str | None
    until: datetime | None
    version: str
    left: bool

    def in_hands(self, now: datetime, dead: Collection[str] = ()) -> bool:
        """Is somebody alive reading it?"""
        held = self.by is not None and self.until is not None and self.until > now
        return held and not self.left and self.by not in dead


def claim(
    conn: Connection, most: int, by: str, until: datetime, *, after: int = 0, least: int = 1
) -> Slice | None:
    """The next waiting signals that stand in no slice; None where there are fewer than `least`."""
    after = max(after, end(conn))
    waiting = (
        select(SIGNAL.c.id)
        .where(SIGNAL.c.triaged_at.is_(None), SIGNAL.c.id > after)
        .order_by(SIGNAL.c.id)
        .limit(most)
    )
    found = list(conn.execute(waiting).scalars())
    if len(found) < max(1, least):
        return None
    made = Slice(found[0], found[-1], by, until, "", left=False)
    row = {"first_id": made.first, "last_id": made.last, "leased_by": by, "leased_until": until}
    conn.execute(insert(SLICE), [row | {"version": "", "body": None}])
    return made


def end(conn: Connection) -> int:
    """The number that the last slice ends at; 0 while there is none."""
    last = select(SLICE.c.last_id).order_by(SLICE.c.first_id.desc()).limit(1)
    return conn.execute(last).scalar() or 0


def leave(conn: Connection, first: int, by: str, version: str, body: bytes) -> bool:
    """Keep a slice's readings; False where it is no longer ours, or sorted already."""
    mine = update(SLICE).where(SLICE.c.first_id == first, SLICE.c.leased_by == by)
    kept = mine.values(version=version, body=body, leased_by=None, leased_until=None)
    return conn.execute(kept).rowcount == 1


def give_back(conn: Connection, first: int, by: str) -> None:
    """A slice that could not be read is none any more: another claims it, or the one that sorts reads it."""
    mine = (SLICE.c.first_id == first) & (SLICE.c.leased_by == by)
    conn.execute(delete(SLICE).where(mine, SLICE.c.body.is_(None)))


def listed(conn: Connection, after: int = 0, most: int | None = None) -> list[Slice]:
    """The slices that end behind number `after`, in order, without their readings."""
    left = SLICE.c.body.is_not(None).label("is_left")
    query = select(*SHOWN, left).where(SLICE.c.last_id > after).order_by(SLICE.c.first_id).limit(most)
    return [_slice(row) for row in conn.execute(query)]


def _slice(row: Row[tuple[object, ...]]) -> Slice:
    return Slice(row.first_id, row.last_id, row.leased_by, row.leased_until, row.version, bool(row.is_left))


def body(conn: Connection, first: int) -> bytes | None:
    """The readings of a slice as they were left."""
    return conn.execute(select(SLICE.c.body).where(SLICE.c.first_id == first)).scalar()


def drop(conn: Connection, upto: int) -> None:
    """Forget the slices that end at number `upto` or before: all of theirs is judged."""
    conn.execute(delete(SLICE).where(SLICE.c.last_id <= upto))


def counted(conn: Connection) -> int:
    """How many slices there are, read or not."""
    return conn.execute(select(func.count()).select_from(SLICE)).scalar_one()
