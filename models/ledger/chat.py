"""Incidents in a chat's room: what has happened since it was told there last, and which message of which
incident stands where. Working state: the journal and the tables of truth say what is to be shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, update

from models.core.moment import clock_face
from models.core.personal import mask_personal
from models.ledger import views
from models.ledger.announced import SILENT
from models.ledger.incidents import INCIDENT
from models.ledger.journal import JOURNAL, as_entry, length
from models.ledger.outbox import ALERT
from models.ledger.words import KINDS, acting, told
from models.records import ChatPost

POST: Table = ChatPost.__table__  # type: ignore[attr-defined]
Names = dict[str, str]

UNSEEN = tuple(kind for kind in SILENT if kind != "alert_dead")
"""The bulk of the journal; that an alert reached nobody is told."""
UNTOLD = frozenset(
    {
        "signals_linked",
        "clocks_planned",
        "clocks_superseded",
        "playbooks_frozen",
        "tasks_laid",
        "time_learned",
        "alert_turned",
        "alert_delivered",
        "alert_read",
        "page_found",
        "notice_raised",
        "meeting_noticed",
    }
)
"""What changes the message of an incident, or nothing there, but is no line of its story."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the journal about an incident; `line` is "" when only its message may have changed."""

    seq: int
    incident_id: str
    line: str


def happened(conn: Connection, after: int, names: Names, limit: int = 200) -> tuple[list[Happened], int]:
    """What the journal has behind number `after`, in its order, and the number up to which that is all."""
    head, _ = length(conn)
    rows = conn.execute(
        select(JOURNAL)
        .where(
            JOURNAL.c.seq > after,
            JOURNAL.c.seq <= head,
            JOURNAL.c.kind.not_in(UNSEEN),
            JOURNAL.c.incident_id.is_not(None),
        )
        .order_by(JOURNAL.c.seq)
        .limit(limit)
    ).mappings()
    read = [dict(row) for row in rows]
    found = [one for row in read for one in _happened(row, names)]
    return found, int(read[-1]["seq"]) if len(read) == limit else head


def _happened(row: dict[str, Any], names: Names) -> Iterator[Happened]:
    line = _line(row, names)
    yield from (Happened(row["seq"], incident_id, line) for incident_id in _of(row))


def _of(row: dict[str, Any]) -> Iterable[str]:
    """The incidents that an entry is about: a merger has two, and its entry stands under one of them."""
    payload = json.loads(row["payload"]) if row["kind"] == "incidents_merged" else {}
    merged = (str(payload[name]).removeprefix("舆-") for name in ("into", "ref") if payload.get(name))
    return dict.fromkeys([row["incident_id"], *merged])


def _line(row: dict[str, Any], names: Names) -> str:
    """11-21 02:14 签收 陈值班 签收（陈值班：已知悉）."""
    if row["kind"] in UNTOLD:
        return ""
    said = told(as_entry(row), names)
    whole = f"{clock_face(row['at'])} {KINDS.get(row['kind'], row['kind'])} {said}{_why(row, said, names)}"
    return mask_personal(whole)


def _why(row: dict[str, Any], said: str, names: Names) -> str:
    """Who did it and why, where a person did; nothing that is said already."""
    if row["actor"] not in names or row["actor"] == "huiying":
        return ""
    new = [word for word in (acting(row["actor"], names), row["reason"]) if word and word not in said]
    return f"（{'：'.join(new)}）" if new else ""


def first_after(conn: Connection, since: datetime) -> int:
    """The number before the first entry since `since`: where a room that is new begins."""
    newest = select(func.max(JOURNAL.c.seq)).where(JOURNAL.c.at < since)
    return int(conn.execute(newest).scalar() or 0)


def drawn(conn: Connection, incident_id: str, now: datetime, names: Names) -> dict[str, Any] | None:
    """The incident in the shape of the board, closed ones too, as it may be told outside; None when there is none."""
    query = select(INCIDENT).where(INCIDENT.c.id == incident_id)
    return next((outside(one) for one in views.drawn(conn, query, now, names)), None)


def outside(incident: dict[str, Any]) -> dict[str, Any]:
    """The incident without the numbers of persons that slipped into its words."""
    return incident | {
        name: mask_personal(incident[name]) for name in ("title", "reason") if incident.get(name)
    }


def post_of(conn: Connection, way: str, incident_id: str) -> Row[Any] | None:
    """Where the incident's message stands in the room of channel `way`."""
    return conn.execute(
        select(POST).where(POST.c.way == way, POST.c.incident_id == incident_id.removeprefix("舆-"))
    ).first()


def place(conn: Connection, way: str, incident_id: str, room: str, told: int, now: datetime) -> Row[Any]:
    """The row of an incident's message, made when it is first spoken of; another room begins anew."""
    known = post_of(conn, way, incident_id)
    if known is not None and known.place == room:
        return known
    fresh = {"place": room, "ts": None, "face": None, "last_ts": None, "trying": None, "trying_to": None}
    if known is None:
        conn.execute(insert(POST).values(way=way, incident_id=incident_id, told=told, at=now, **fresh))
    else:
        note(conn, way, incident_id, now, **fresh)
    made = post_of(conn, way, incident_id)
    assert made is not None
    return made


def note(conn: Connection, way: str, incident_id: str, now: datetime, **change: Any) -> None:
    conn.execute(
        update(POST).where(POST.c.way == way, POST.c.incident_id == incident_id).values(at=now, **change)
    )


def incident_of(conn: Connection, about: str) -> str | None:
    """The incident that a button is about: the value is its id, or that of one of its alerts."""
    wanted = about.removeprefix("舆-")
    known = conn.execute(select(INCIDENT.c.id).where(INCIDENT.c.id == wanted)).scalar()
    if known is not None:
        return str(known)
    found = conn.execute(select(ALERT.c.incident_id).where(ALERT.c.id == about)).scalar()
    return str(found) if found else None
