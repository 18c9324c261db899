"""`huiying verify`: the chain holds, the tables are what the journal says, the laws hold on every row."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, tuple_
from sqlmodel import SQLModel

from models.core.moment import iso
from models.core.vocabulary import OPEN_STATES, AlertState
from models.ledger import archived, journal, signals
from models.ledger.projections import TABLES, project
from models.ledger.store import Store
from models.records import VOLATILE, Alert, Clock, Step

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
STEP: Table = Step.__table__  # type: ignore[attr-defined]
REPLAYED_AT_ONCE = 200
READ_AT_ONCE = 2000
KEYS_AT_ONCE = 500
"""Keys in one question; databases take only so many."""
Rows = dict[tuple[Any, ...], dict[str, Any]]
Spans = Sequence[tuple[int, int]]
MOST = 20
"""How many findings of one kind are shown; the count is always whole."""


def verify(store: Store, now: datetime) -> dict[str, Any]:
    """Check everything; `ok` is False when anything is wrong, and `findings` says what and where."""
    with store.moment() as conn:
        count, head = journal.length(conn)
        broken = _files(conn)
        checks = {
            "archives": list(broken.values()),
            "journal": _whole(_chain, conn),
            "signals": _whole(partial(_seals, broken=broken), conn),
            "tables": _whole(_rebuilt, conn),
            "laws": list(_laws(conn, now)),
        }
    findings = [f"{name}: {text}" for name, texts in checks.items() for text in texts[:MOST]]
    return {
        "ok": not findings,
        "entries": count,
        "head": head,
        "checks": {name: len(texts) for name, texts in checks.items()},
        "findings": findings,
    }


def _files(conn: Connection) -> dict[str, str]:
    """Every file that rows have left into is there, as the ledger knows it: file → what is wrong, of those that are
    not. Each is read whole for it, so it is asked once."""
    rows = [row for kind in (archived.JOURNAL, archived.SIGNALS) for row in archived.standing(conn, kind)]
    told = {row.file: archived.wrong(conn, row) for row in rows}
    return {file: words for file, words in told.items() if words}


def _whole(check: Callable[[Connection], Iterable[str]], conn: Connection) -> list[str]:
    """A check that reads the journal from its beginning; without its files it cannot be made."""
    try:
        return list(check(conn))
    except archived.Lost as lost:
        return [f"没有核对：{lost}"]


def _chain(conn: Connection) -> list[str]:
    wrong = journal.broken(journal.entries(conn))
    return [wrong] if wrong else []


def _seals(conn: Connection, broken: Collection[str]) -> Iterator[str]:
    """Every signal is one the journal sealed, unchanged; every sealed signal is there, or in its file (`broken`:
    those that are told of by themselves)."""
    sealed: dict[str, str] = {}
    for row in journal.entries(conn, kind="signals_collected"):
        sealed.update(journal.as_entry(row).payload["seals"])
    found: set[str] = set()
    for signal in chain(_stored(conn), _filed(conn)):
        found.add(signal["uid"])
        known = sealed.get(signal["uid"])
        if known is None:
            yield f"线索 {signal['id']} 不在日志中"
        elif known != signals.digest(signal):
            yield f"线索 {signal['id']} 的内容与日志中的哈希不符"
    gone = [uid for uid in sealed if uid not in found]
    yield from _unaccounted(conn, gone, broken)


def _stored(conn: Connection) -> Iterator[dict[str, Any]]:
    rows = conn.execute(select(signals.SIGNAL).execution_options(yield_per=READ_AT_ONCE))
    yield from map(dict, rows.mappings())


def _filed(conn: Connection) -> Iterator[dict[str, Any]]:
    """What can be read of the files; one that cannot is told of by itself."""
    for row in archived.standing(conn, archived.SIGNALS):
        with suppress(archived.Lost):
            yield from archived.rows(archived.place(conn, row.file), archived.SIGNALS)


def _unaccounted(conn: Connection, gone: Sequence[str], broken: Collection[str]) -> Iterator[str]:
    """Sealed signals that are nowhere: as many of a month may be gone as its files held that were deleted, or
    that cannot be read and were told of."""
    excused = Counter[str]()
    for row in archived.listed(conn, archived.SIGNALS):
        if row.forgotten_at is not None or row.file in broken:
            excused[row.month] += row.rows
    months = signals.months_of(conn, gone) if excused else {}
    for uid in gone:
        month = months.get(uid, "")
        excused[month] -= 1
        if excused[month] < 0:
            yield f"日志中的线索 {uid} 已不在库中"


def _rebuilt(conn: Connection) -> list[str]:
    """Play the journal into an empty database and compare every table of truth, row by row."""
    with tempfile.TemporaryDirectory(prefix="huiying-verify-") as folder:
        copy = Store(f"sqlite:///{Path(folder) / 'rebuilt.sqlite'}")
        SQLModel.metadata.create_all(copy.engine)
        try:
            with copy.write() as target:
                rows = journal.entries(conn)
                while batch := list(islice(rows, REPLAYED_AT_ONCE)):
                    project(target, [(row["seq"], row["at"], journal.as_entry(row)) for row in batch])
            with copy.read() as target:
                return [text for table in TABLES.values() for text in _differences(conn, target, table)]
        finally:
            copy.close()


def _differences(live: Connection, rebuilt: Connection, table: Table) -> Iterator[str]:
    """Piece by piece in both directions: a province has millions of judgements, and memory holds one piece."""
    for ours in _pieces(live, table):
        theirs = _same_keys(rebuilt, table, ours)
        for key, row in ours.items():
            if key not in theirs:
                yield f"{table.name} {_shown(key)} 不是日志写下的"
            elif row != theirs[key]:
                names = [name for name, value in row.items() if value != theirs[key][name]]
                yield f"{table.name} {_shown(key)} 与日志不符: {', '.join(names)}"
    retired = _retired(live) if table.name == "judgement" else ()
    for theirs in _pieces(rebuilt, table):
        there = _same_keys(live, table, theirs)
        for key, row in theirs.items():
            if key not in there and not _is_retired(row, retired):
                yield f"{table.name} {_shown(key)} 在日志中有、在表中没有"


def _retired(conn: Connection) -> Spans:
    return [(row.first, row.last) for row in archived.listed(conn, archived.SIGNALS)]


def _is_retired(row: Mapping[str, Any], spans: Spans) -> bool:
    """Judgements leave with their signals, where those belong to no incident: the file holds them."""
    return any(first <= row["signal_id"] <= last for first, last in spans) and row["incident_id"] is None


def _pieces(conn: Connection, table: Table) -> Iterator[Rows]:
    found = conn.execute(_columns(table).execution_options(yield_per=READ_AT_ONCE)).mappings()
    for piece in found.partitions():
        yield _by_key(table, piece)


def _same_keys(conn: Connection, table: Table, asked: Rows) -> Rows:
    """The rows of these keys."""
    keys, found, left = list(table.primary_key), Rows(), iter(asked)
    while some := list(islice(left, KEYS_AT_ONCE)):
        which = keys[0].in_([key[0] for key in some]) if len(keys) == 1 else tuple_(*keys).in_(some)
        found |= _by_key(table, conn.execute(_columns(table).where(which)).mappings())
    return found


def _columns(table: Table) -> Select[Any]:
    return select(*(column for column in table.columns if column.name not in VOLATILE))


def _by_key(table: Table, rows: Iterable[Mapping[Any, Any]]) -> Rows:
    names = [column.name for column in table.primary_key]
    return {tuple(row[name] for name in names): dict(row) for row in rows}


def _shown(key: Sequence[Any]) -> str:
    return "/".join(map(str, key))


def _laws(conn: Connection, now: datetime) -> Iterator[str]:
    yield from _open_clocks_look_ahead(conn)
    yield from _steps_in_time(conn)
    yield from _ended_clocks_are_quiet(conn)
    yield from _accepted_alerts_have_a_time(conn)


def _open_clocks_look_ahead(conn: Connection) -> Iterator[str]:
    """Law 1: an open clock that repeats always knows its next step."""
    open_states = [state.value for state in OPEN_STATES]
    rows = conn.execute(
        select(CLOCK.c.id).where(
            CLOCK.c.state.in_(open_states), CLOCK.c.next_step_at.is_(None), CLOCK.c.repeat_s.is_not(None)
        )
    )
    yield from (f"时钟 {row.id} 进行中却没有下一步" for row in rows)


def _steps_in_time(conn: Connection) -> Iterator[str]:
    """Law 2: no step was raised before it was due."""
    rows = conn.execute(select(STEP.c.clock_id, STEP.c.key).where(STEP.c.raised_at < STEP.c.due_at))
    yield from (f"时钟 {row.clock_id} 的 {row.key} 早于其时刻发出" for row in rows)


def _ended_clocks_are_quiet(conn: Connection) -> Iterator[str]:
    """Law 8: nothing is raised on a clock after its end."""
    rows = conn.execute(
        select(STEP.c.clock_id, STEP.c.key, CLOCK.c.ended_at)
        .join(CLOCK, CLOCK.c.id == STEP.c.clock_id)
        .where(CLOCK.c.ended_at.is_not(None), STEP.c.raised_at > CLOCK.c.ended_at)
    )
    yield from (f"时钟 {row.clock_id} 于 {iso(row.ended_at)} 结束后仍发出 {row.key}" for row in rows)


def _accepted_alerts_have_a_time(conn: Connection) -> Iterator[str]:
    """Law 3: accepted means that a channel said so, at a time, after at least one attempt."""
    wrong = (ALERT.c.accepted_at.is_(None)) | (ALERT.c.attempts < 1)
    count = conn.execute(
        select(func.count()).where(ALERT.c.state == AlertState.ACCEPTED.value, wrong)
    ).scalar_one()
    if count:
        yield f"{count} 条提醒记为已送达却没有送达时间或次数"
