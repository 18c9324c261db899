"""Months 分区: on PostgreSQL `signal` and `journal` lie in parts, one for each month, and a net for the rest.

A month that is over leaves as a whole (`retiring`), and what asks for a time reads only its months. A database
of an older release keeps plain tables until `convert` turns them; SQLite has plain tables for ever. Everything
above works on either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, cast, delete, func, insert, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite

from models.core.months import Month, month_of, read_month
from models.ledger.journal import JOURNAL
from models.ledger.signals import SEEN, SIGNAL
from models.ledger.store import Store

AHEAD: Final = 3
"""Months that are ready beside the one that runs: whoever makes them may be silent for a quarter of a year."""
MOVED_AT_ONCE: Final = 50_000
"""Rows that are brought out of the net in one transaction, while every writer waits."""
PATIENCE_MS: Final = 2000
"""How long a change of a table waits for readers before it lets everybody pass and is tried again."""
SLICE: Final = 10_000
TABLES: Final[dict[str, Table]] = {"signal": SIGNAL, "journal": JOURNAL}
_KEYS: Final = {"signal": ("id", "seen_at"), "journal": ("seq", "at")}
_NAMED: Final = re.compile(r"(?:signal|journal)_(before_)?(\d{4}_\d{2})")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table: one month; everything before a month (what was there when it was turned); the net."""

    name: str
    month: Month | None = None
    before: Month | None = None

    def holds(self, month: Month) -> bool:
        return month == self.month or (self.before is not None and month < self.before)


# ── what is there ─────────────────────────────────────────────────────────────────────────────


def in_months(conn: Connection, table: str = "signal") -> bool:
    """Does the table lie in parts?"""
    if conn.dialect.name != "postgresql":
        return False
    kind = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:of)")
    return bool(conn.execute(kind, {"of": table}).scalar())


def parts(conn: Connection, table: str) -> list[Part]:
    """The parts of a table, the net among them; none where it is plain."""
    if not in_months(conn, table):
        return []
    names = conn.execute(
        text(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:of) ORDER BY 1"
        ),
        {"of": table},
    )
    return [_part(name) for name in names.scalars()]


def _part(name: str) -> Part:
    found = _NAMED.fullmatch(name)
    if found is None:
        return Part(name)
    month = read_month(found[2])
    return Part(name, before=month) if found[1] else Part(name, month)


def part_of(conn: Connection, table: str, month: Month) -> Part | None:
    """The part that is this month's alone; None where it has none of its own."""
    return next((one for one in parts(conn, table) if one.month == month), None)


def strays(conn: Connection) -> dict[str, int]:
    """table → rows that fell into the net, since no month was there for them; at most MOVED_AT_ONCE + 1 are counted."""
    counted = {name: _strayed(conn, name) for name in TABLES if in_months(conn, name)}
    return {name: count for name, count in counted.items() if count}


def _strayed(conn: Connection, name: str) -> int:
    some = select(literal(1)).select_from(_net(name)).limit(MOVED_AT_ONCE + 1)
    return int(conn.execute(select(func.count()).select_from(some.subquery())).scalar_one())


def _alias(table: Table, name: str) -> Table:
    """The same columns in a table of another name."""
    return table.to_metadata(MetaData(), name=name)


def _net(table: str) -> Table:
    return _alias(TABLES[table], f"{table}_default")


def moment_of(table: Table) -> Any:
    """The column by which a table, or a part of it, lies in months."""
    return table.c["seen_at"] if "seen_at" in table.c else table.c["at"]


def number_of(table: Table) -> Any:
    """The column that counts its rows up."""
    return table.c["id"] if "id" in table.c else table.c["seq"]


# ── months ahead ──────────────────────────────────────────────────────────────────────────────


def make_ahead(store: Store, now: datetime, most: int | None = MOVED_AT_ONCE) -> list[str]:
    """Make the months that will be needed, bring out of the net what has fallen into it; the parts that were made.

    More than `most` rows in the net are left there (None: however many). Raises Unavailable while a long reading
    stands in the way; nothing is half done then, and the next time does it.
    """
    if store.sqlite:
        return []
    with store.write() as conn:
        _hurry(conn)
        return [name for table in TABLES for name in _ahead(conn, table, now, most)]


def _hurry(conn: Connection) -> None:
    """Who waits for long for a table makes everybody after him wait too: rather give up and come again."""
    conn.execute(text(f"SET LOCAL lock_timeout = {PATIENCE_MS}"))


def _ahead(conn: Connection, table: str, now: datetime, most: int | None) -> list[str]:
    there = parts(conn, table)
    if not there:
        return []
    wanted = {month_of(now).later(n) for n in range(AHEAD + 1)}
    fallen = _strayed(conn, table)
    if fallen:
        theirs = _months_in(conn, _net(table))
        wanted = wanted | theirs if most is None or fallen <= most else wanted - theirs
    lacking = [one for one in sorted(wanted) if not any(part.holds(one) for part in there)]
    return [_make(conn, table, month) for month in lacking]


def _months_in(conn: Connection, net: Table) -> set[Month]:
    """The months that rows in a table are of."""
    month = func.date_trunc("month", func.timezone(text("interval '8 hours'"), moment_of(net)))
    return {Month(one.year, one.month) for one in conn.execute(select(month).distinct()).scalars()}


def _make(conn: Connection, table: str, month: Month) -> str:
    """A month's part, with what the net holds of it. Attached, which others may read and write beside."""
    name = part_name(table, month)
    conn.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)"))
    net, part = _net(table), _alias(TABLES[table], name)
    fallen = (moment_of(net) >= month.since) & (moment_of(net) < month.until)
    conn.execute(insert(part).from_select(list(net.columns.keys()), select(net).where(fallen)))
    conn.execute(delete(net).where(fallen))
    attach(conn, table, name, month)
    return name


def part_name(table: str, month: Month) -> str:
    return f"{table}_{month.year:04}_{month.month:02}"


def attach(conn: Connection, table: str, name: str, month: Month) -> None:
    span = f"FROM ('{month.since.isoformat()}') TO ('{month.until.isoformat()}')"
    conn.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {span}"))


def leave(conn: Connection, table: str, name: str) -> None:
    """A part goes with everything in it."""
    _hurry(conn)
    conn.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
    conn.execute(text(f"DROP TABLE {name}"))


def refill(conn: Connection, table: str, month: Month, kept: Sequence[int]) -> None:
    """A month's part is made anew with these rows alone: far less work than to take the others out of it."""
    name = part_name(table, month)
    old, new = _alias(TABLES[table], name), _alias(TABLES[table], f"{name}_kept")
    _hurry(conn)
    conn.execute(text(f"CREATE TABLE {name}_kept (LIKE {table} INCLUDING DEFAULTS)"))
    for start in range(0, len(kept), SLICE):
        chosen = old.c[_KEYS[table][0]].in_(kept[start : start + SLICE])
        conn.execute(insert(new).from_select(list(old.columns.keys()), select(old).where(chosen)))
    leave(conn, table, name)
    conn.execute(text(f"ALTER TABLE {name}_kept RENAME TO {name}"))
    attach(conn, table, name, month)


# ── plain tables become months ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Plain:
    """A table that is to be turned: about how many rows and bytes it holds."""

    table: str
    rows: int
    size: int


def plain(conn: Connection) -> list[Plain]:
    """The tables that could lie in months and do not; none on SQLite."""
    if conn.dialect.name != "postgresql":
        return []
    asked = text(
        "SELECT greatest(reltuples, 0)::bigint, pg_total_relation_size(oid) FROM pg_class WHERE oid = to_regclass(:of)"
    )
    lacking = [name for name in TABLES if not in_months(conn, name)]
    return [Plain(name, *conn.execute(asked, {"of": name}).one()) for name in lacking]


def convert(store: Store, now: datetime, tell: Callable[[str], None]) -> list[str]:
    """Turn what is plain, while everybody works on; the names of the tables that were turned.

    The rows stay where they are: the old table becomes the part of everything before a month. What takes long
    (an index, a check of the times, the uids) is done beside the work; the change itself is one transaction of
    a moment. Broken off, it is begun anew and goes on. Raises Unavailable, LedgerError.
    """
    with store.read() as conn:
        lacking = [one.table for one in plain(conn)]
    for table in lacking:
        bound = month_of(now).later(2)
        tell(f"{table}：建索引")
        _index_beside(store, table)
        tell(f"{table}：核对时间")
        _check_beside(store, table, bound)
        tell(f"{table}：登记已收编号并转换")
        reached = _remember_all(store) if table == "signal" else 0
        _turn(store, table, bound, now, reached)
    return lacking


def _index_beside(store: Store, table: str) -> None:
    """The key that a part must have, made while everybody writes; one that was broken off is made anew."""
    key = ", ".join(_KEYS[table])
    name = f"{table}_in_months"
    with store.beside() as conn:
        valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:of)")
        found = conn.execute(valid, {"of": name}).scalar()
        if found is False:
            conn.execute(text(f"DROP INDEX {name}"))
        if not found:
            conn.execute(text(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({key})"))


def _check_beside(store: Store, table: str, bound: Month) -> None:
    """That every row is before the bound, known to the database: then the change itself need look at none."""
    unchecked = _bound_name(table, bound)
    with store.write() as conn:
        _hurry(conn)
        for name in _bounds(conn, table):
            conn.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        rule = f"CHECK ({_KEYS[table][1]} < '{bound.since.isoformat()}') NOT VALID"
        conn.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {unchecked} {rule}"))
    with store.beside() as conn:
        conn.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {unchecked}"))


def _bound_name(table: str, bound: Month) -> str:
    return f"{table}_ends_{bound.year:04}_{bound.month:02}"


def _bounds(conn: Connection, table: str) -> list[str]:
    """The bounds that a conversion has set to a plain table."""
    asked = text("SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:of) AND conname LIKE :like")
    return list(conn.execute(asked, {"of": table, "like": f"{table}_ends_%"}).scalars())


def unbind(store: Store, now: datetime) -> list[str]:
    """A conversion that was broken off has left a bound behind: take it away in time, or the table would refuse
    what comes after it. One that is at work has set a bound that is farther off. The tables that were freed."""
    if store.sqlite:
        return []
    soon, freed = month_of(now).later(1), []
    with store.write() as conn:
        _hurry(conn)
        for table in (name for name in TABLES if not in_months(conn, name)):
            for name in _bounds(conn, table):
                if read_month(name[-7:]) <= soon:
                    conn.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
                    freed.append(table)
    return freed


def freshen(store: Store) -> None:
    """Let PostgreSQL count anew what lies where: of a table in months it does so by itself for the parts alone."""
    if store.sqlite:
        return
    with store.beside() as conn:
        for table in TABLES:
            conn.execute(text(f"ANALYZE {table}"))


def _remember_all(store: Store) -> int:
    """The uids of signals that older releases stored, into `seen`, a slice at a time; the number it has reached."""
    reached: int | None = 0
    while reached is not None:
        after = reached
        with store.write() as conn:
            reached = _remember(conn, after)
    return after


def _remember(conn: Connection, after: int) -> int | None:
    """One slice; the number it has reached, None at the end."""
    some = select(SIGNAL.c.id).where(SIGNAL.c.id > after).order_by(SIGNAL.c.id).limit(SLICE).subquery()
    last = conn.execute(select(func.max(some.c.id))).scalar()
    if last is not None:
        remember(conn, (SIGNAL.c.id > after) & (SIGNAL.c.id <= last))
    return last


def remember(conn: Connection, which: Any) -> None:
    """The uids of these signals stay known, whatever becomes of their texts."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    uid = cast(SIGNAL.c.uid, SEEN.c.uid.type) if conn.dialect.name == "postgresql" else SIGNAL.c.uid
    known = dialect.insert(SEEN).from_select(["uid", "at"], select(uid, SIGNAL.c.seen_at).where(which))
    conn.execute(known.on_conflict_do_nothing())


def _turn(store: Store, table: str, bound: Month, now: datetime, reached: int) -> None:
    """The change itself: one transaction, of which others see all or nothing. `reached`: up to which signal
    the uids are known already; older processes may have stored more meanwhile."""
    old = f"{table}_before_{bound.year:04}_{bound.month:02}"
    with store.write() as conn:
        _hurry(conn)
        conn.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        if table == "signal":
            remember(conn, SIGNAL.c.id > reached)
        for statement in _statements(conn, table, old, bound):
            conn.execute(text(statement))
        _ahead(conn, table, now, None)


def _statements(conn: Connection, table: str, old: str, bound: Month) -> Iterator[str]:
    """The old table goes aside with its indexes, a new one of the same name takes it in as its first part."""
    number, moment = _KEYS[table]
    indexes = _indexes(conn, table)
    yield from _keys_dropped(conn, table)
    yield f"ALTER TABLE {table} RENAME TO {old}"
    yield f"ALTER TABLE {old} ADD CONSTRAINT {old}_pkey PRIMARY KEY USING INDEX {table}_in_months"
    whole = f"(LIKE {old} INCLUDING DEFAULTS, PRIMARY KEY ({number}, {moment}))"
    yield f"CREATE TABLE {table} {whole} PARTITION BY RANGE ({moment})"
    if table == "signal":
        yield "ALTER SEQUENCE signal_id_seq OWNED BY signal.id"
    yield from indexes
    yield f"ALTER TABLE {table} ATTACH PARTITION {old} FOR VALUES FROM (MINVALUE) TO ('{bound.since.isoformat()}')"
    yield f"ALTER TABLE {old} DROP CONSTRAINT {_bound_name(table, bound)}"
    yield f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT"


def _keys_dropped(conn: Connection, table: str) -> list[str]:
    """The keys of the plain table, which a table in months cannot have."""
    asked = text(
        "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(:of) AND contype IN ('p', 'u')"
    )
    return [
        f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'
        for name in conn.execute(asked, {"of": table}).scalars()
    ]


def _indexes(conn: Connection, table: str) -> list[str]:
    """The old table's indexes under other names, and the same for the whole: the old ones become its parts."""
    asked = text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :of AND schemaname = current_schema() "
        "AND indexdef NOT LIKE 'CREATE UNIQUE%' ORDER BY 1"
    )
    found = conn.execute(asked, {"of": table}).all()
    renamed = [f"ALTER INDEX {row.indexname} RENAME TO {row.indexname}_before" for row in found]
    return [*renamed, *(row.indexdef for row in found)]
