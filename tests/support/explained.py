"""A PostgreSQL site of some size, and what its statements cost: each is caught while real code sends it.

The rows are copies of real ones: a signal, an incident with its clocks and alerts, what the journal says of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event, text

from models.ledger.store import Store

COPIES = """
INSERT INTO {table} SELECT more.* FROM {table} AS one, generate_series(1, {count}) AS n,
LATERAL jsonb_populate_record(one, jsonb_build_object({changes})) AS more WHERE {some}
"""


def copy(conn: Connection, table: str, count: int, some: str = "true", **changes: str) -> None:
    """Each of the rows that are `some` `count` times more; `changes`: column → SQL over the
    row `one` and the count `n`."""
    said = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    conn.execute(text(COPIES.format(table=table, some=some, count=count, changes=said)))


@dataclass(frozen=True)
class Said:
    """One statement and the values it was sent with."""

    sql: str
    params: Any


@contextmanager
def listened(store: Store) -> Iterator[list[Said]]:
    """Every statement that reads or changes rows, once for each text."""
    heard: dict[str, Said] = {}

    def hear(_conn: Any, _cursor: Any, sql: str, params: Any, _context: Any, many: bool) -> None:
        if sql.lstrip().split(None, 1)[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
            heard.setdefault(sql, Said(sql, params[0] if many else params))

    event.listen(store.engine, "before_cursor_execute", hear)
    said: list[Said] = []
    try:
        yield said
    finally:
        event.remove(store.engine, "before_cursor_execute", hear)
        said.extend(heard.values())


def plan(conn: Connection, said: Said) -> dict[str, Any]:
    found = conn.exec_driver_sql("EXPLAIN (FORMAT JSON) " + said.sql, said.params).scalar_one()
    made: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return made


def nodes(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield one
    for below in one.get("Plans", ()):
        yield from nodes(below)


def read_whole(one: dict[str, Any]) -> set[str]:
    """The tables, or parts of one, that a plan reads from end to end."""
    return {str(node["Relation Name"]) for node in nodes(one) if node["Node Type"] == "Seq Scan"}


def touched(one: dict[str, Any]) -> set[str]:
    """The tables, or parts of one, that a plan looks into at all."""
    return {str(node["Relation Name"]) for node in nodes(one) if "Relation Name" in node}
