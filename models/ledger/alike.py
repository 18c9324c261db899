"""What past incidents were and how they were answered, for whoever asks what was done the last time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.moment import iso
from models.core.resembling import Trace
from models.core.vocabulary import ClockState, EvidenceKind, Grade, StartEvent
from models.ledger.clocks import CLOCK
from models.ledger.incidents import EVIDENCE, INCIDENT, PUBLICATIONS, TIME

MOST = 3_000
"""Incidents that one is compared with, the newest."""
View = dict[str, Any]


def others(conn: Connection, incident_id: str) -> list[Trace]:
    """The newest incidents that went into no other, without this one."""
    wanted = select(INCIDENT).where(INCIDENT.c.merged_into.is_(None), INCIDENT.c.id != incident_id)
    rows = conn.execute(wanted.order_by(INCIDENT.c.opened_at.desc()).limit(MOST)).all()
    return [trace(row) for row in rows]


def trace(row: Row[Any]) -> Trace:
    """The incident as it is compared."""
    counts = {name: fact["value"] for name, fact in (row.facts or {}).items() if fact.get("value")}
    return Trace(row.id, row.title, row.kind, row.event_type, row.place, counts)


def answered(conn: Connection, ids: Sequence[str], names: Mapping[str, str]) -> dict[str, View]:
    """incident → how it was answered: {id, ref, title, grade, grade_zh, colour, provisional, closed, opened_at,
    closed_at, owner, statements, first_statement {kind_zh, publisher, at, url, after_s} | None, met, late,
    breached, waived, took_s | None}."""
    rows = conn.execute(select(INCIDENT).where(INCIDENT.c.id.in_(list(ids)))).all()
    said, clocks, began = _said(conn, ids), _clocks(conn, ids), _began(conn, ids)
    return {row.id: _answered(row, said[row.id], clocks[row.id], began.get(row.id), names) for row in rows}


def _said(conn: Connection, ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    standing = EVIDENCE.c.incident_id.in_(list(ids)) & EVIDENCE.c.standing.is_(None)
    query = select(EVIDENCE).where(standing, EVIDENCE.c.kind.in_(PUBLICATIONS))
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(query.order_by(EVIDENCE.c.published_at)):
        found[row.incident_id].append(row)
    return found


def _clocks(conn: Connection, ids: Iterable[str]) -> dict[str, Counter[str]]:
    query = select(CLOCK.c.incident_id, CLOCK.c.state).where(CLOCK.c.incident_id.in_(list(ids)))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in conn.execute(query):
        found[row.incident_id][row.state] += 1
    return found


def _began(conn: Connection, ids: Iterable[str]) -> dict[str, Any]:
    """incident → when it was first public, as corrected last; else when it was discovered."""
    events = (StartEvent.DISCOVERY.value, StartEvent.FIRST_PUBLIC.value)
    query = select(TIME).where(TIME.c.incident_id.in_(list(ids)), TIME.c.event.in_(events))
    rows = conn.execute(query.order_by(TIME.c.recorded_at, TIME.c.id)).all()
    known = {(row.incident_id, row.event): row.value for row in rows}
    return {
        incident: known[incident, event] for event in events for incident, named in known if named == event
    }


def _answered(
    row: Row[Any], said: Sequence[Row[Any]], clocks: Counter[str], began: Any, names: Mapping[str, str]
) -> View:
    grade = Grade(row.grade)
    first = said[0] if said else None
    return {
        "id": row.id,
        "ref": row.ref,
        "title": row.title,
        "grade": grade.value,
        "grade_zh": grade.zh,
        "colour": grade.colour,
        "provisional": row.provisional,
        "closed": row.closed_at is not None,
        "opened_at": iso(row.opened_at),
        "closed_at": iso(row.closed_at) if row.closed_at else None,
        "owner": names.get(row.owner, row.owner) if row.owner else None,
        "statements": len(said),
        "first_statement": _first(first, began) if first is not None else None,
        "met": clocks[ClockState.MET.value],
        "late": clocks[ClockState.MET_LATE.value],
        "breached": clocks[ClockState.BREACHED.value],
        "waived": clocks[ClockState.WAIVED.value],
        "took_s": (row.closed_at - row.opened_at).total_seconds() if row.closed_at else None,
    }


def _first(row: Row[Any], began: Any) -> View:
    return {
        "kind_zh": EvidenceKind(row.kind).zh,
        "publisher": row.publisher,
        "at": iso(row.published_at),
        "url": row.url,
        "after_s": (row.published_at - began).total_seconds() if began else None,
    }
