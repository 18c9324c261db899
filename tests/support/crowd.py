"""Crowds of clocks put straight into the tables, for measuring.

They are not in the journal, so `huiying verify` refuses such a database: for measuring only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import text

from models.core.clock import least, plan
from models.core.moment import iso
from models.core.vocabulary import EvidenceKind, Grade, Stage, StartEvent
from models.ledger.clocks import CLOCK, BoundRule, planned_row
from models.ledger.entry import Entry
from models.ledger.projections import project
from models.ledger.store import Store
from support.duty import rule

RULE = rule("general_response", 48, EvidenceKind.RESPONSE)
BOUND = BoundRule(RULE, "crowd", "v1", timedelta(hours=2))
WHOLE = least(RULE.amount)
FIRST_STEP = WHOLE / 2
SLICE = 5_000


def join(store: Store, name: str, starts: Iterable[datetime], now: datetime) -> int:
    """One incident called `name` with an open clock for each of `starts`; how many there are now.

    A clock's first step is due `FIRST_STEP` after its start, its last `WHOLE` after.
    """
    rows, count = (_clock(name, n, start, now) for n, start in enumerate(starts)), 0
    _put(store, now, {"incident": [_incident(name, now)]})
    while part := list(islice(rows, SLICE)):
        _put(store, now, {"clock": part})
        count += len(part)
    with store.write() as conn:
        conn.execute(text("ANALYZE"))
    return count


def multiply(store: Store, name: str, start: datetime, now: datetime, count: int) -> int:
    """One incident called `name` with `count` open clocks of one start, copied within the database: a
    million in seconds."""
    join(store, name, [start], now)
    rest = [column.name for column in CLOCK.columns if column.name != "id"]
    copied = (
        f"INSERT INTO clock (id, {', '.join(rest)}) "
        f"SELECT p.id || '-' || s.n, {', '.join(f'p.{column}' for column in rest)} "
        "FROM clock p CROSS JOIN s WHERE p.incident_id = :name"
    )
    return _multiplied(store, copied, {"name": name, "count": count - 1}) + 1


def _multiplied(store: Store, copied: str, values: dict[str, Any]) -> int:
    """Run an INSERT … SELECT over `s(n)`, the numbers from 1 to :count; how many rows it made."""
    to_count = "s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :count)"
    with store.write() as conn:
        conn.execute(
            text(f"WITH RECURSIVE {to_count} {copied}" if store.sqlite else _of_postgres(copied)), values
        )
        conn.execute(text("ANALYZE"))
    return int(values["count"])


def _of_postgres(copied: str) -> str:
    return copied.replace("CROSS JOIN s", "CROSS JOIN generate_series(1, :count) AS s(n)")


def _put(store: Store, now: datetime, rows: dict[str, list[dict[str, Any]]]) -> None:
    with store.write() as conn:
        project(conn, [(0, now, Entry("crowd", {"insert": rows}, "bench"))])


def _clock(incident: str, number: int, start: datetime, now: datetime) -> dict[str, Any]:
    made = plan(RULE, {StartEvent.DISCOVERY: start})
    assert made is not None
    return planned_row(incident, number, BOUND, made, now)


def _incident(name: str, now: datetime) -> dict[str, Any]:
    return {
        "id": name,
        "ref": f"舆-{name}",
        "title": f"演练 {name}",
        "grade": Grade.III.value,
        "provisional": False,
        "grade_parts": [],
        "stage": Stage.ASSESS.value,
        "facts": {},
        "reason": "演练",
        "opened_by": "chen",
        "opened_at": iso(now),
        "signal_count": 0,
    }
