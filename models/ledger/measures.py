"""Histograms and counts for the metrics, taken from the journal as it grows: read → decide → write with the mark.

Each entry is counted once, whoever counts it and whenever it was killed; what is counted stays counted
when the journal is archived. A scrape reads a handful of rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from models.core.buckets import LATENESS_S, TAKING_S, Buckets
from models.core.moment import parse_iso
from models.ledger import duties
from models.ledger.clocks import CLOCK
from models.ledger.journal import JOURNAL, length
from models.ledger.outbox import ALERT
from models.records import Measure

MEASURE: Table = Measure.__table__  # type: ignore[attr-defined]
MARK: Final = "measured"
LATE, TAKEN, TRIED = "late", "taken", "tried"
BOUNDS: Final[Mapping[str, Sequence[float]]] = {LATE: LATENESS_S, TAKEN: TAKING_S, TRIED: ()}
"""late: seconds a step came late; taken: by channel, from raised to accepted; tried: by "channel outcome", counted."""
OUTCOMES: Final = {
    "alert_accepted": "accepted",
    "alert_refused": "refused",
    "alert_dead": "dead",
    "alert_withdrawn": "withdrawn",
    "alert_sent_again": "again",
}
STRETCH = 5_000
"""Entries looked through at once, most of which are of other kinds."""

Key = tuple[str, str]


@dataclass
class Counted:
    """What the entries behind `after`, up to `upto`, come to."""

    after: int
    upto: int
    by: dict[Key, Buckets] = field(default_factory=dict)

    def take(self, name: str, label: str, seconds: float) -> None:
        self.by.setdefault((name, label), Buckets(BOUNDS[name])).take([seconds])


def mark(conn: Connection) -> int:
    """The last entry that is counted."""
    return int((duties.get_setting(conn, MARK) or {"upto": 0})["upto"])


def behind(conn: Connection) -> int:
    """How many entries are not counted yet."""
    return max(0, length(conn)[0] - mark(conn))


def count(conn: Connection) -> Counted:
    """Look through the next stretch; nothing is written."""
    after = mark(conn)
    upto = min(length(conn)[0], after + STRETCH)
    found = Counted(after, max(after, upto))
    rows = conn.execute(
        select(JOURNAL.c.at, JOURNAL.c.kind, JOURNAL.c.payload)
        .where(JOURNAL.c.seq > after, JOURNAL.c.seq <= upto, JOURNAL.c.kind.in_(["step_raised", *OUTCOMES]))
        .order_by(JOURNAL.c.seq)
    ).all()
    told = [(row.at, row.kind, json.loads(row.payload)) for row in rows]
    _steps(conn, found, [payload for _, kind, payload in told if kind == "step_raised"])
    _alerts(conn, found, [one for one in told if one[1] in OUTCOMES])
    return found


def _steps(conn: Connection, found: Counted, payloads: Sequence[dict[str, Any]]) -> None:
    """From when a step could first be raised: due, and its clock there. A limit that had passed when the incident
    was opened is no lateness of ours."""
    rows = [row for payload in payloads for row in payload["insert"]["step"] if not row["skipped"]]
    since = _created(conn, {row["clock_id"] for row in rows})
    for row in rows:
        due, raised = parse_iso(row["due_at"]), parse_iso(row["raised_at"])
        able = max(due, since.get(row["clock_id"], due))
        found.take(LATE, "", max(0.0, (raised - able) / timedelta(seconds=1)))


def _created(conn: Connection, ids: set[str]) -> dict[str, datetime]:
    query = select(CLOCK.c.id, CLOCK.c.created_at)
    return {
        row.id: row.created_at
        for ids_ in _slices(ids)
        for row in conn.execute(query.where(CLOCK.c.id.in_(ids_)))
    }


def _alerts(conn: Connection, found: Counted, told: Sequence[tuple[datetime, str, dict[str, Any]]]) -> None:
    query = select(ALERT.c.id, ALERT.c.raised_at, ALERT.c.not_before)
    taken = {payload["alert"] for _, kind, payload in told if kind == "alert_accepted"}
    raised = {row.id: row for ids in _slices(taken) for row in conn.execute(query.where(ALERT.c.id.in_(ids)))}
    for at, kind, payload in told:
        channel = payload["channel"]
        found.take(TRIED, f"{channel} {OUTCOMES[kind]}", 0.0)
        if kind == "alert_accepted" and payload["alert"] in raised:
            found.take(TAKEN, channel, _waited(raised[payload["alert"]], at))


def _waited(row: Row[Any], at: datetime) -> float:
    """Seconds, without a person's quiet hours."""
    since: datetime = row.not_before or row.raised_at
    return max(0.0, (at - since) / timedelta(seconds=1))


def _slices(ids: set[str], size: int = 500) -> Iterator[list[str]]:
    listed = sorted(ids)
    return (listed[n : n + size] for n in range(0, len(listed), size))


def keep(conn: Connection, found: Counted) -> bool:
    """Add what was counted and move the mark; False when another process was faster, and nothing is done."""
    if mark(conn) != found.after:
        return False
    for (name, label), more in found.by.items():
        kept = _kept(conn, MEASURE.c.name == name, MEASURE.c.label == label).get(
            (name, label), Buckets(BOUNDS[name])
        )
        kept.add(more)
        _put(conn, name, label, kept)
    duties.put_setting(conn, MARK, {"upto": found.upto})
    return True


def _put(conn: Connection, name: str, label: str, kept: Buckets) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    changed = {"counts": kept.counts, "total": kept.total}
    statement = dialect.insert(MEASURE).values(name=name, label=label, **changed)
    conn.execute(statement.on_conflict_do_update(index_elements=["name", "label"], set_=changed))


def kept(conn: Connection) -> dict[Key, Buckets]:
    """Everything counted so far, by name and label."""
    return _kept(conn)


def _kept(conn: Connection, *which: Any) -> dict[Key, Buckets]:
    rows = conn.execute(select(MEASURE).where(*which).order_by(MEASURE.c.name, MEASURE.c.label))
    return {(row.name, row.label): Buckets(BOUNDS.get(row.name, ()), row.counts, row.total) for row in rows}
