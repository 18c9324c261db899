"""稍后提醒: a person asks to be left alone for a while. It acknowledges nothing and stops no ladder.

A snooze is an `ack` row with `until`. It keeps away less than an acknowledgement does: only what is
told again to that person, never a step at or after the deadline, a new clock or a graver grade. When
it ends, `over` names it, so that "later" comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, select

from models.core.moment import clock_face, iso
from models.core.vocabulary import StartEvent
from models.ledger import clocks, incidents
from models.ledger.entry import Entry
from models.ledger.incidents import ACK, INCIDENT, TIME, NotAllowed
from models.ledger.journal import append

LONGEST = timedelta(hours=2)
"""As long as an acknowledgement lasts; whoever needs more should hand the incident over."""
SHORTEST = timedelta(minutes=5)
REMEMBERED = timedelta(days=1)
"""After an outage whoever asked is still reminded, but not of what is long past."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """One person's wish about one incident, and since when a graver grade has overtaken it."""

    at: datetime
    until: datetime
    graded_at: datetime | None = None

    def counts(self, now: datetime, created_at: datetime) -> bool:
        """Does it still keep repeats of a clock away that was planned at `created_at`?"""
        overtaken = self.graded_at is not None and self.graded_at > self.at
        return self.at <= now < self.until and created_at <= self.at and not overtaken


def snooze(
    conn: Connection, at: datetime, incident_id: str, by: str, name: str, wanted: timedelta, reason: str
) -> datetime:
    """Remind `by` later, at the next deadline at the latest; returns when. Raises NotAllowed."""
    row = incidents.get(conn, incident_id)
    if row.closed_at is not None:
        raise NotAllowed(f"{row.ref} 已办结，不会再提醒；无须设置稍后提醒")
    if not SHORTEST <= wanted <= LONGEST:
        raise NotAllowed("稍后提醒须在 5 到 120 分钟之间；更久请移交他人，或签收后由上级继续跟进")
    until = min([at + wanted, *_deadlines(conn, row.id, at)])
    made = {"id": uuid4().hex, "incident_id": row.id, "person_id": by, "at": iso(at), "until": iso(until)}
    payload = {"name": name, "until": iso(until), "insert": {"ack": [made | {"reason": reason}]}}
    append(conn, at, [Entry("snoozed", payload, by, reason, row.id)])
    return until


def _deadlines(conn: Connection, incident_id: str, at: datetime) -> list[datetime]:
    return [clock.due_at for clock in clocks.open_clocks(conn, incident_id) if clock.due_at > at]


def standing(
    conn: Connection, incident_ids: Iterable[str] | None, now: datetime
) -> Mapping[str, Mapping[str, Snooze]]:
    """incident id → person id → the newest snooze that has not ended; None: of every incident."""
    query = select(ACK).where(ACK.c.until > now).order_by(ACK.c.at)
    if incident_ids is not None:
        query = query.where(ACK.c.incident_id.in_(list(incident_ids)))
    rows = conn.execute(query).all()
    graded = _graded(conn, {row.incident_id for row in rows}) if rows else {}
    found: dict[str, dict[str, Snooze]] = {}
    for row in rows:
        known = Snooze(row.at, row.until, graded.get(row.incident_id))
        found.setdefault(row.incident_id, {})[row.person_id] = known
    return found


def _graded(conn: Connection, incident_ids: Iterable[str]) -> dict[str, datetime]:
    """When each incident was last raised to a graver grade."""
    which = TIME.c.incident_id.in_(list(incident_ids)) & (TIME.c.event == StartEvent.GRADED.value)
    query = select(TIME.c.incident_id, func.max(TIME.c.recorded_at).label("at")).where(which)
    return {row.incident_id: row.at for row in conn.execute(query.group_by(TIME.c.incident_id))}


def over(conn: Connection, now: datetime) -> Sequence[Row[Any]]:
    """The newest snooze of each person and incident that has ended and is `REMEMBERED`, while the
    incident is open and the person has not acknowledged it since: they are to be reminded."""
    later = ACK.alias("later")
    newer = (later.c.at > ACK.c.at) | ((later.c.at == ACK.c.at) & later.c.until.is_(None))
    since = select(later.c.id).where(
        later.c.incident_id == ACK.c.incident_id, later.c.person_id == ACK.c.person_id, newer
    )
    return conn.execute(
        select(ACK, INCIDENT.c.ref, INCIDENT.c.title)
        .join(INCIDENT, INCIDENT.c.id == ACK.c.incident_id)
        .where(
            ACK.c.until <= now,
            ACK.c.until > now - REMEMBERED,
            INCIDENT.c.closed_at.is_(None),
            ~since.exists(),
        )
        .order_by(ACK.c.until)
    ).all()


def told(row: Row[Any]) -> str:
    """The wish that has run out, in words for the one who had it."""
    return f"您于 {clock_face(row.at)} 选择 {clock_face(row.until)} 再提醒；尚未签收，请处理"
