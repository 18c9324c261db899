"""Reading incidents for a decision: the row, its known times, its situation, its acknowledgements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, Table, func, select

from models.core.moment import clock_face, iso, local
from models.core.situation import Situation
from models.core.vocabulary import Domain, EventType, EvidenceKind, Grade, OpinionKind, StartEvent
from models.ledger.journal import JOURNAL
from models.ledger.store import LedgerError
from models.records import Ack, Evidence, Incident, IncidentTime

INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
TIME: Table = IncidentTime.__table__  # type: ignore[attr-defined]
ACK: Table = Ack.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]

PUBLICATIONS = tuple(
    kind.value
    for kind in (
        EvidenceKind.STATEMENT,
        EvidenceKind.PRESS_CONFERENCE,
        EvidenceKind.RESPONSE,
        EvidenceKind.UPDATE,
    )
)
"""The evidence that counts as a word to the public: 持续发布 (S-024) counts from the last of them."""


class NotAllowed(LedgerError):
    """A rule forbids the act; the words name the rule and what to do instead."""


class NoSuchIncident(LedgerError):
    """There is no incident of that number."""


def get(conn: Connection, incident_id: str) -> Row[Any]:
    """The incident, by its id or its reference 舆-2026-0012. Raises NoSuchIncident."""
    wanted = incident_id.removeprefix("舆-")
    row = conn.execute(select(INCIDENT).where(INCIDENT.c.id == wanted)).first()
    if row is None:
        hint = _meant(conn, wanted)
        raise NoSuchIncident(f"没有编号为 {incident_id} 的事件{hint}；用 huiying board 查看全部未结事件")
    return row


def _meant(conn: Connection, wanted: str) -> str:
    """2026-1 for 2026-0001: the number without its zeros."""
    year, _, number = wanted.partition("-")
    whole = f"{year}-{number:0>4}"
    known = conn.execute(select(INCIDENT.c.id).where(INCIDENT.c.id == whole)).scalar()
    return f"，是不是 “{known}”？" if known else ""


def faces(conn: Connection, closed_since: datetime | None = None) -> Sequence[Row[Any]]:
    """Of every open incident, and of those closed after `closed_since` that went into no other, what changes
    without an entry of its own: id, signal_count, opened_at, last_signal_at, closed_at; oldest first."""
    row = INCIDENT.c
    query = select(row.id, row.signal_count, row.opened_at, row.last_signal_at, row.closed_at)
    found = list(conn.execute(query.where(row.closed_at.is_(None)).order_by(row.opened_at)))
    if closed_since is not None:
        found += conn.execute(query.where(row.closed_at > closed_since, row.merged_into.is_(None)))
    return found


def next_id(conn: Connection, at: datetime) -> str:
    """The next number of the year, 2026-0012. Call it under the write lock.

    Numbers have no gaps: the one behind the incident opened last is free, or else all are looked through.
    """
    year = f"{local(at):%Y}-"
    last = select(func.max(INCIDENT.c.opened_at)).scalar_subquery()
    opened = conn.execute(select(INCIDENT.c.id).where(INCIDENT.c.opened_at == last)).scalars()
    made = _behind(year, max((int(one[5:]) for one in opened if one.startswith(year)), default=0))
    taken = select(INCIDENT.c.id).where(INCIDENT.c.id == made)
    if made != _behind(year, 0) and conn.execute(taken).first() is None:
        return made
    return _behind(year, _newest_number(conn, year))


def _behind(year: str, number: int) -> str:
    return f"{year}{number + 1:04d}"


def _newest_number(conn: Connection, year: str) -> int:
    newest = conn.execute(
        select(INCIDENT.c.id)
        .where(INCIDENT.c.id.like(f"{year}%"))
        .order_by(func.length(INCIDENT.c.id).desc(), INCIDENT.c.id.desc())
        .limit(1)
    ).scalar()
    return int(newest[5:]) if newest else 0


def known_times(conn: Connection, incident_id: str) -> dict[StartEvent, datetime]:
    """The newest recorded value of each time, corrections being later rows; and the last publication,
    which no row states: it is what the standing evidence says."""
    said = last_update(conn, incident_id)
    return stated_times(conn, incident_id) | ({StartEvent.LAST_UPDATE: said} if said else {})


def last_update(conn: Connection, incident_id: str) -> datetime | None:
    """When we last published, by the proofs that stand and were seen since the last reopening."""
    since = reopened_at(conn, incident_id)
    newest = select(func.max(EVIDENCE.c.published_at)).where(
        EVIDENCE.c.incident_id == incident_id,
        EVIDENCE.c.kind.in_(PUBLICATIONS),
        EVIDENCE.c.standing.is_(None),
    )
    return conn.execute(newest if since is None else newest.where(EVIDENCE.c.seen_at > since)).scalar()


def stated_times(conn: Connection, incident_id: str) -> dict[StartEvent, datetime]:
    """The times that somebody stated, the newest value of each."""
    rows = conn.execute(
        select(TIME).where(TIME.c.incident_id == incident_id).order_by(TIME.c.recorded_at, TIME.c.id)
    )
    return {StartEvent(row.event): row.value for row in rows}


def time_row(
    incident_id: str, event: StartEvent, value: datetime, author: str, reason: str, at: datetime
) -> dict[str, Any]:
    return {
        "id": f"{iso(at)}-{uuid4().hex[:8]}",
        "incident_id": incident_id,
        "event": event.value,
        "value": iso(value),
        "author": author,
        "reason": reason,
        "recorded_at": iso(at),
    }


def situation(
    row: Row[Any] | Mapping[str, Any], times: Mapping[StartEvent, datetime], at: datetime
) -> Situation:
    """The incident as a playbook's conditions see it at `at`."""
    get_ = row.get if isinstance(row, Mapping) else row._mapping.get
    parts = {part["part"]: Grade(part["grade"]) for part in get_("grade_parts") or () if part.get("grade")}
    grade = Grade(get_("grade") or "IV")
    confirmed = not get_("provisional")
    kind, event_type, domain = get_("kind"), get_("event_type"), get_("domain")
    return Situation(
        grade=grade,
        event_grade=grade if confirmed else parts.get("event"),
        heat_grade=parts.get("heat"),
        sensitivity_grade=parts.get("sensitivity"),
        event_type=EventType(event_type) if event_type else None,
        kind=OpinionKind(kind) if kind else None,
        confirmed=confirmed,
        signals=get_("signal_count") or 0,
        medium=get_("medium"),
        spread=StartEvent.FIRST_PUBLIC in times,
        quiet_hours=_quiet_hours(get_("last_signal_at"), at),
        domain=Domain(domain) if domain else None,
    )


def _quiet_hours(last_signal_at: datetime | None, at: datetime) -> int:
    return max(0, int((at - last_signal_at).total_seconds() // 3600)) if last_signal_at else 0


def acks(conn: Connection, incident_ids: Iterable[str]) -> dict[str, dict[str, datetime]]:
    """incident id → person id → the newest acknowledgement. A snooze is none."""
    return newest_acks(conn, ACK.c.incident_id.in_(list(incident_ids)))


def newest_acks(conn: Connection, which: ColumnElement[bool] | None = None) -> dict[str, dict[str, datetime]]:
    """The same for every incident, or for those that `which` chooses."""
    query = select(ACK).where(ACK.c.until.is_(None)).order_by(ACK.c.at)
    found: dict[str, dict[str, datetime]] = {}
    for row in conn.execute(query if which is None else query.where(which)):
        found.setdefault(row.incident_id, {})[row.person_id] = row.at
    return found


def by_ids(conn: Connection, incident_ids: Iterable[str]) -> dict[str, Row[Any]]:
    rows: Sequence[Row[Any]] = conn.execute(
        select(INCIDENT).where(INCIDENT.c.id.in_(list(incident_ids)))
    ).all()
    return {row.id: row for row in rows}


def heard_since(conn: Connection, oldest: datetime, most: int) -> Sequence[str]:
    """The `most` open incidents that signals spoke of last, and since `oldest`; who spoke last stands last."""
    spoken = INCIDENT.c.last_signal_at
    query = select(INCIDENT.c.id).where(INCIDENT.c.closed_at.is_(None), spoken >= oldest)
    return conn.execute(query.order_by(spoken.desc()).limit(most)).scalars().all()[::-1]


def reopened_at(conn: Connection, incident_id: str) -> datetime | None:
    """When the incident was last reopened, if ever."""
    return conn.execute(
        select(func.max(JOURNAL.c.at)).where(
            JOURNAL.c.incident_id == incident_id, JOURNAL.c.kind == "incident_reopened"
        )
    ).scalar()


def proposed(conn: Connection, incident_id: str, grade: Grade) -> bool:
    """Has the machine already proposed this grade for the incident since its last confirmation?"""
    rows = conn.execute(
        select(JOURNAL.c.kind, JOURNAL.c.payload)
        .where(
            JOURNAL.c.incident_id == incident_id, JOURNAL.c.kind.in_(("grade_proposed", "grade_confirmed"))
        )
        .order_by(JOURNAL.c.seq.desc())
    )
    for row in rows:
        if row.kind == "grade_confirmed":
            return False
        if json.loads(row.payload)["to"] == grade.value:
            return True
    return False


SKEW = timedelta(minutes=1)
"""Clocks of people and platforms differ by so much without anybody lying."""


def not_future(value: datetime, at: datetime, what: str) -> None:
    if value > at + SKEW:
        raise NotAllowed(f"{what}时间 {clock_face(value)} 在将来(现在 {clock_face(at)})；请核对后重报")


def stateable(event: StartEvent) -> None:
    if not event.stated:
        raise NotAllowed(f"{event.zh}的时间由凭据决定，不能直接填写；请登记凭据(stop)或撤回凭据(retract)")


def still_open(row: Row[Any]) -> Row[Any]:
    if row.closed_at is not None:
        raise NotAllowed(f"{row.ref} 已办结；如需再办，请先用 reopen 重开并说明理由")
    return row
