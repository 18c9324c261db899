"""Retention 保存期限: which rows have been kept long enough, and how they leave once a file holds them.

A signal stays as long as anybody may still need it: not yet judged, of an incident that is open or was closed
lately, in evidence that is handed over and not yet receipted. The journal leaves month by month from its
beginning, and never a month of which an open incident has an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, or_, select

from models.core.moment import local, parse_iso
from models.core.months import Month, month_of
from models.ledger import duties, partitions
from models.ledger.archived import ARCHIVE, JOURNAL, SIGNALS
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.projections import plain
from models.ledger.sealed import SEALED
from models.records import Dossier, Incident, Judgement

INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
DOSSIER: Table = Dossier.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
SETTLED: Final = timedelta(days=30)
"""An incident that was closed lately may be opened again: its signals and entries stay so long."""
LEAVING: Final = "archive-leaving"
"""The setting that names a file whose rows are not yet all out of their tables."""
READ_AT_ONCE: Final = 2000
KINDS: Final = (SIGNALS, JOURNAL)


@dataclass(frozen=True, slots=True)
class Due:
    """A month of a table that may leave, without the numbers of `kept`."""

    kind: str
    month: Month
    kept: tuple[int, ...] = ()

    @property
    def table(self) -> Table:
        return partitions.TABLES[self.kind]


@dataclass(frozen=True, slots=True)
class Filed:
    """What was written: the row of `archive` beside the file's name."""

    file: str
    rows: int
    first: int
    last: int
    first_at: datetime
    last_at: datetime
    sha256: str
    size: int
    prev: str | None = None
    head: str | None = None


# ── which ─────────────────────────────────────────────────────────────────────────────────────


def due(conn: Connection, kind: str, until: datetime, now: datetime) -> Due | None:
    """The oldest month that is over before `until` and has rows that may leave; None when there is none."""
    months = _months(conn, kind, until)
    found = (_due(conn, kind, month, now) for month in months)
    if kind == JOURNAL:  # only ever the beginning of the chain
        return next(found, None)
    return next((one for one in found if one), None)


def waiting(conn: Connection, kind: str, until: datetime) -> int:
    """How many months are over before `until` and still have rows in the table."""
    return len(list(_months(conn, kind, until)))


def _months(conn: Connection, kind: str, until: datetime) -> Iterator[Month]:
    """The months with rows that are over before `until`, the oldest first: one look at an index for each."""
    at = partitions.moment_of(partitions.TABLES[kind])
    first = conn.execute(select(func.min(at))).scalar()
    while first is not None and month_of(first).until <= until:
        month = month_of(first)
        yield month
        first = conn.execute(select(func.min(at)).where(at >= month.until)).scalar()


def _due(conn: Connection, kind: str, month: Month, now: datetime) -> Due | None:
    if kind == JOURNAL:
        return None if _needed_entries(conn, month, now) else Due(kind, month)
    found = Due(kind, month, tuple(conn.execute(_kept(month, now)).scalars()))
    return found if next(rows(conn, found), None) else None


def _of(table: Table, month: Month) -> ColumnElement[bool]:
    at: ColumnElement[datetime] = partitions.moment_of(table)
    return and_(at >= month.since, at < month.until)


def _needed(now: datetime) -> ColumnElement[bool]:
    """Of an incident: it is open, was closed lately, or has evidence that is handed over and not receipted."""
    handed = select(DOSSIER.c.id).where(DOSSIER.c.incident_id == INCIDENT.c.id, DOSSIER.c.receipt.is_(None))
    return or_(INCIDENT.c.closed_at.is_(None), INCIDENT.c.closed_at > now - SETTLED, handed.exists())


def _kept(month: Month, now: datetime) -> Select[Any]:
    """The numbers of a month's signals that must stay."""
    return _needed_of(_of(partitions.TABLES[SIGNALS], month), now)


def _needed_of(which: ColumnElement[bool], now: datetime) -> Select[Any]:
    """The newest of all too, however old: SQLite counts on from the largest number that is there, and a number that
    was given twice would be two signals' judgement."""
    signal = partitions.TABLES[SIGNALS]
    joined = signal.outerjoin(JUDGEMENT, JUDGEMENT.c.signal_id == signal.c.id)
    joined = joined.outerjoin(INCIDENT, INCIDENT.c.id == JUDGEMENT.c.incident_id)
    of_one = INCIDENT.c.id.is_not(None) & _needed(now)
    unread = signal.c.triaged_at.is_(None)
    newest = signal.c.id == select(func.max(signal.alias().c.id)).scalar_subquery()
    return select(signal.c.id).select_from(joined).where(which, or_(unread, of_one, newest))


def _needed_entries(conn: Connection, month: Month, now: datetime) -> bool:
    journal = partitions.TABLES[JOURNAL]
    query = select(journal.c.seq).join(INCIDENT, INCIDENT.c.id == journal.c.incident_id)
    return conn.execute(query.where(_of(journal, month), _needed(now)).limit(1)).first() is not None


def rows(conn: Connection, due: Due) -> Iterator[dict[str, Any]]:
    """What leaves, in order, as it stands in the file; a signal with what was judged of it."""
    number, after, kept = partitions.number_of(due.table), 0, set(due.kept)
    while True:
        query = select(due.table).where(_of(due.table, due.month), number > after)
        found = conn.execute(query.order_by(number).limit(READ_AT_ONCE)).mappings().all()
        if not found:
            return
        after = found[-1][number.name]
        yield from _lines(conn, due.kind, [dict(row) for row in found if row[number.name] not in kept])


def _lines(conn: Connection, kind: str, found: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if kind == JOURNAL:
        yield from map(_written, found)
        return
    judged = _judged(conn, [row["id"] for row in found])
    yield from (_written(row) | {"judgement": judged.get(row["id"])} for row in found)


def _judged(conn: Connection, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(numbers), 500):
        query = select(JUDGEMENT).where(JUDGEMENT.c.signal_id.in_(numbers[start : start + 500]))
        found |= {row["signal_id"]: _written(dict(row)) for row in conn.execute(query).mappings()}
    return found


def _written(row: dict[str, Any]) -> dict[str, Any]:
    """Instants as texts, to the last digit that the table holds."""
    return {
        name: local(value).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


# ── leaving ───────────────────────────────────────────────────────────────────────────────────


def next_name(conn: Connection, due: Due) -> str:
    """signal-2024-11.jsonl.gz; what could leave of the same month later is -2, -3."""
    count = select(func.count()).where(ARCHIVE.c.kind == due.kind, ARCHIVE.c.month == str(due.month))
    earlier = conn.execute(count).scalar_one()
    return f"{due.kind}-{due.month}{f'-{earlier + 1}' if earlier else ''}.jsonl.gz"


def still_so(conn: Connection, due: Due, filed: Filed) -> bool:
    """Nothing has come to the month since, nobody else has filed it, and the rows of no other file are leaving."""
    if leaving(conn) is not None:
        return False
    number = partitions.number_of(due.table)
    newest = conn.execute(select(func.max(number)).where(_of(due.table, due.month))).scalar()
    return next_name(conn, due) == filed.file and newest == max((filed.last, *due.kept))


def enter(
    conn: Connection, at: datetime, due: Due, filed: Filed, forgotten: bool, by: str, reason: str
) -> None:
    """The journal names the file and its hash; where the month is a part of its own it leaves at once.

    What has become needed since the file was written stays in the table too.
    """
    row = {name: getattr(filed, name) for name in Filed.__slots__}
    row |= {
        "kind": due.kind,
        "month": str(due.month),
        "made_at": at,
        "forgotten_at": at if forgotten else None,
    }
    payload = {
        "file": filed.file,
        "sha256": filed.sha256,
        "rows": filed.rows,
        "insert": {"archive": [plain(row)]},
    }
    append(conn, at, [Entry("archived", payload, by, reason)])
    whole = _part_leaves(conn, due, at)
    told = {"file": filed.file, "kind": due.kind, "month": str(due.month)}
    # with a signal more goes than its row, of the journal nothing is left to do
    duties.put_setting(conn, LEAVING, told | {"out": whole and due.kind == JOURNAL})


def _part_leaves(conn: Connection, due: Due, now: datetime) -> bool:
    """Has the month left as a whole?"""
    part = partitions.part_of(conn, due.kind, due.month)
    if part is None:
        return False
    needed = conn.execute(_kept(due.month, now)).scalars() if due.kind == SIGNALS else ()
    kept = sorted({*due.kept, *needed})
    if kept:
        partitions.refill(conn, due.kind, due.month, kept)
    else:
        partitions.leave(conn, due.kind, part.name)
    return not kept


def leaving(conn: Connection) -> dict[str, Any] | None:
    """The file whose rows are not yet all out: {file, kind, month, out: they are, and nobody has said so yet}; None
    when there is none."""
    return duties.get_setting(conn, LEAVING) or None


def left(conn: Connection, file: str) -> None:
    """The rows of this file are out; what is said of another stands."""
    if (leaving(conn) or {}).get("file") == file:
        duties.put_setting(conn, LEAVING, {})


def let_go(conn: Connection, kind: str, lines: Sequence[dict[str, Any]], now: datetime) -> None:
    """Some rows of a file go out of the tables, and with a signal its sealed original for good, and what was
    judged of it where it belongs to no incident. What has become needed since stays."""
    table = partitions.TABLES[kind]
    if kind == SIGNALS:
        partitions.remember(conn, _those(table, lines))
        needed = set(conn.execute(_needed_of(_those(table, lines), now)).scalars())
        lines = [line for line in lines if line["id"] not in needed]
        conn.execute(delete(SEALED).where(SEALED.c.uid.in_([line["uid"] for line in lines])))
        alone = JUDGEMENT.c.signal_id.in_([line["id"] for line in lines]) & JUDGEMENT.c.incident_id.is_(None)
        conn.execute(delete(JUDGEMENT).where(alone))
    if lines:
        conn.execute(delete(table).where(_those(table, lines)))


def _those(table: Table, lines: Sequence[dict[str, Any]]) -> ColumnElement[bool]:
    """The rows of these lines, by their numbers; by their span and time too, so that few parts are looked into, and
    of an index no more than lies between them."""
    number, at = partitions.number_of(table), partitions.moment_of(table)
    numbers, moments = [line[number.name] for line in lines], [parse_iso(line[at.name]) for line in lines]
    between = number.between(min(numbers), max(numbers))
    return and_(between, number.in_(numbers), at.between(min(moments), max(moments)))


def forget(conn: Connection, at: datetime, file: str, by: str, reason: str) -> None:
    """A file of signals is deleted for good: the journal says by whom and why; their uids stay known."""
    change = {"update": {"archive": [{"file": file, "forgotten_at": plain({"at": at})["at"]}]}}
    append(conn, at, [Entry("archive_forgotten", {"file": file, **change}, by, reason)])
