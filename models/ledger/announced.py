"""What the journal has to tell other systems: incidents opened, graded, closed, and their clocks' changes.

One announcement for each entry and incident, in the order of the journal. Nobody's contacts, no
signals' words; numbers of persons that slipped into a title or a reason are masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models.core.moment import iso
from models.core.personal import mask_personal
from models.ledger.journal import JOURNAL, length
from models.ledger.words import KINDS

SHAPE = 1
"""The version of the shape; it grows by new keys, and changes its number when a key changes meaning."""

SILENT = (
    "signals_collected",
    "signals_judged",
    "signals_counted",
    "alert_accepted",
    "alert_refused",
    "alert_sent_again",
    "alert_withdrawn",
    "alert_dead",
)
"""The bulk of the journal, which changes neither an incident's face nor a clock."""
INCIDENT = (
    "title", "place", "grade", "provisional", "kind", "event_type", "stage", "owner", "opened_at", "closed_at",
    "merged_into",
)  # fmt: skip
CLOCK = (
    "id", "rule_id", "name", "playbook", "version", "state", "start_event", "started_at", "due_at", "statutory",
    "reason", "last_key", "next_step_at", "ended_at", "ended_reason", "evidence_id",
)  # fmt: skip
WORDS = frozenset({"title", "place", "reason", "ended_reason"})


@dataclass(frozen=True, slots=True)
class Announcement:
    """`body` is JSON-ready, by the schema `huiying schema result`."""

    seq: int
    incident_id: str
    body: dict[str, Any]


def after(conn: Connection, seq: int, limit: int = 500) -> tuple[list[Announcement], int]:
    """Announcements of the entries behind number `seq`, and the number up to which that is all."""
    head, _ = length(conn)
    rows = conn.execute(
        select(JOURNAL)
        .where(JOURNAL.c.seq > seq, JOURNAL.c.seq <= head, JOURNAL.c.kind.not_in(SILENT))
        .order_by(JOURNAL.c.seq)
        .limit(limit)
    ).all()
    found = [one for row in rows for one in _announcements(row._mapping)]
    return found, rows[-1].seq if len(rows) == limit else head


def behind(conn: Connection, seq: int) -> int:
    """How many entries of the journal stand behind number `seq`."""
    return max(0, length(conn)[0] - seq)


def _announcements(row: Any) -> Iterator[Announcement]:
    payload = json.loads(row["payload"])
    faces, clocks = _faces(payload), _clocks(payload)
    for incident_id in dict.fromkeys([*faces, *clocks]):
        face, changed = faces.get(incident_id, {}), clocks.get(incident_id, [])
        if face or changed:
            body = _body(row, incident_id) | {"incident": face, "clocks": changed}
            yield Announcement(row["seq"], incident_id, body)


def _body(row: Any, incident_id: str) -> dict[str, Any]:
    at: datetime = row["at"]
    return {
        "shape": SHAPE,
        "seq": row["seq"],
        "at": iso(at),
        "event": row["kind"],
        "event_zh": KINDS.get(row["kind"], row["kind"]),
        "incident_id": incident_id,
        "ref": f"舆-{incident_id}",
        "by": row["actor"],
        "reason": mask_personal(row["reason"]),
    }


def _faces(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """incident id → what the entry sets of its face; {} where it only counts signals."""
    return {row["id"]: _told(row, INCIDENT) for row in _rows(payload, "incident")}


def _clocks(payload: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(payload, "clock"):
        found.setdefault(row["id"].split(":")[0], []).append(_told(row, CLOCK))
    return found


def _rows(payload: dict[str, Any], table: str) -> Iterator[dict[str, Any]]:
    for change in ("insert", "update"):
        yield from payload.get(change, {}).get(table, ())


def _told(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: mask_personal(row[name]) if name in WORDS and row[name] else row[name]
        for name in names
        if name in row
    }
