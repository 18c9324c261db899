"""From a journal entry to the tables: the same code writes them live and rebuilds them later.

An entry carries, beside its meaning, exactly what it changes:

    payload = {…, "insert": {table: [row, …]}, "update": {table: [{key…, column: value}, …]}}

so that a rebuild needs no rule of today to understand a decision of last year.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import JSON, Connection, Table, Text, bindparam, cast, column, func, insert, select, update

from models.core.moment import iso, parse_iso
from models.ledger.entry import Entry
from models.records import TRUTH, Moment

Row = dict[str, Any]
TABLES: dict[str, Table] = {model.__tablename__: model.__table__ for model in TRUTH}  # type: ignore[attr-defined,misc]


def project(conn: Connection, written: Iterable[tuple[int, datetime, Entry]]) -> None:
    """Apply entries in order. Neighbours that do the same to a table go as one statement."""
    inserts: list[tuple[str, Row]] = []
    updates: list[tuple[str, Row]] = []
    for _, _, entry in written:
        inserts += [(name, row) for name, rows in entry.payload.get("insert", {}).items() for row in rows]
        updates += [(name, row) for name, rows in entry.payload.get("update", {}).items() for row in rows]
    for name, group in groupby(sorted(inserts, key=_table_order), key=lambda pair: pair[0]):
        _insert(conn, TABLES[name], [row for _, row in group])
    for (name, _columns), group in groupby(updates, key=lambda pair: (pair[0], tuple(sorted(pair[1])))):
        _update(conn, TABLES[name], [row for _, row in group])


_ORDER = {name: place for place, name in enumerate(TABLES)}


def _table_order(pair: tuple[str, Row]) -> int:
    return _ORDER[pair[0]]


def _insert(conn: Connection, table: Table, rows: list[Row]) -> None:
    if len(rows) >= MANY and table.name in WHOLE and conn.dialect.name == "postgresql":
        conn.execute(_whole_batch(table), {"rows": json.dumps(rows, ensure_ascii=False)})
        return
    read = _reader(table)
    blank = {column.name: None for column in table.columns}
    conn.execute(insert(table), [{**blank, **read(row)} for row in rows])


MANY = 20
WHOLE = frozenset({"judgement"})
"""Tables that get many rows at once, and whose JSON is either an object, a list or not there: where a row
says null the database has nothing, as the one-by-one way writes it."""


@functools.cache
def _whole_batch(table: Table) -> Any:
    """One statement and one parameter for a batch of any size, as payloads hold it (PostgreSQL only)."""
    typed = [column(one.name, one.type) for one in table.columns]
    text = cast(bindparam("rows", type_=Text), JSON)
    given = func.json_to_recordset(text).table_valued(*typed).render_derived(with_types=True)
    names = [one.name for one in table.columns]
    return insert(table).from_select(names, select(*(given.c[name] for name in names)))


def _update(conn: Connection, table: Table, rows: list[Row]) -> None:
    keys = [column.name for column in table.primary_key]
    values = [name for name in rows[0] if name not in keys]
    statement = (
        update(table)
        .where(*(table.c[name] == bindparam(f"key_{name}") for name in keys))
        .values({name: bindparam(f"to_{name}") for name in values})
    )
    read = _reader(table)
    bound = [
        {(f"key_{name}" if name in keys else f"to_{name}"): value for name, value in read(row).items()}
        for row in rows
    ]
    conn.execute(statement, bound)


def _reader(table: Table) -> Callable[[Row], Row]:
    moments = {column.name for column in table.columns if isinstance(column.type, Moment)}

    def read(row: Row) -> Row:
        return {
            name: parse_iso(value) if name in moments and value is not None else value
            for name, value in row.items()
        }

    return read


def plain(row: Row) -> Row:
    """A row as it stands in a payload: instants as ISO 8601 texts."""
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
