"""The sweep's heart: raise every step that is due, once, with its alerts, in one transaction (law 2).

The caller opens the transaction (`Store.write`), so a crash leaves either all of a batch or none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select

from models.core.clock import Due, PlannedStep, state
from models.core.escalate import Escalation, Telling, escalate
from models.core.moment import clock_face, deadline_face, iso, local, span
from models.core.roster import Roster
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import clocks, handovers, incidents, notices, preferences, snoozing
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.notices import ALERT, Notice
from models.ledger.snoozing import Snooze

LATE_WORTH_SAYING = timedelta(minutes=1)
"""In real time: a demonstration that runs a day in a minute says less."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep decides by: the moment, the roster, and how many seconds pass in one."""

    now: datetime
    roster: Roster
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Raised:
    """What one sweep did."""

    steps: int = 0
    alerts: int = 0
    skipped: int = 0
    worst_late_s: float = 0.0

    def __add__(self, other: Raised) -> Raised:
        return Raised(
            self.steps + other.steps,
            self.alerts + other.alerts,
            self.skipped + other.skipped,
            max(self.worst_late_s, other.worst_late_s),
        )


def raise_due(
    conn: Connection, sweep: Sweep, limit: int = 500, clock_ids: Collection[str] | None = None
) -> Raised:
    """Raise what is due, most overdue first, `limit` clocks at the most; of `clock_ids` where given."""
    rows = clocks.due_clocks(conn, sweep.now, limit, clock_ids)
    if not rows:
        return Raised()
    standing = sweep.roster.keeping(handovers.staying(conn, sweep.now))
    sweep = replace(sweep, roster=preferences.arranged(conn, standing))
    known = _known(conn, {row.incident_id for row in rows}, sweep.now)
    entries, found, total = [], dict[str, Notice](), Raised()
    for row in rows:
        owed = clocks.find_due(row, sweep.now)
        if owed is not None:
            who = _who(row, owed.latest, known, sweep)
            entry = _step_raised(row, owed, known.about[row.incident_id], who, sweep)
            entries.append(entry)
            found |= {notice.occasion: notice for notice in holes(row, who, sweep)}
            total = total + _count(entry, owed, sweep.now)
    append(conn, sweep.now, entries)
    notices.tell(conn, sweep.now, list(found.values()))
    return total


@dataclass(frozen=True, slots=True)
class _Known:
    """What decides who is told, by incident: the row, acknowledgements, snoozes, who is out of reach."""

    about: Mapping[str, Row[Any]]
    acks: Mapping[str, Mapping[str, datetime]]
    snoozes: Mapping[str, Mapping[str, Snooze]]
    unreached: Mapping[str, Collection[str]]


def _known(conn: Connection, ids: Collection[str], now: datetime) -> _Known:
    return _Known(
        incidents.by_ids(conn, ids),
        incidents.acks(conn, ids),
        snoozing.standing(conn, ids, now),
        unreached(conn, ids),
    )


def unreached(conn: Connection, ids: Collection[str]) -> dict[str, set[str]]:
    """incident id → people whose newest settled alert about it was refused by every contact."""
    settled = ALERT.c.state.in_((AlertState.DEAD.value, AlertState.ACCEPTED.value))
    dead = select(ALERT.c.incident_id).where(
        ALERT.c.incident_id.in_(list(ids)), ALERT.c.state == AlertState.DEAD.value
    )
    query = select(ALERT.c.incident_id, ALERT.c.person_id, ALERT.c.state).where(
        settled, ALERT.c.incident_id.in_(dead)
    )
    taken_last = query.order_by(ALERT.c.raised_at, ALERT.c.accepted_at.nulls_first())  # on every engine
    newest = {(row.incident_id, row.person_id): row.state for row in conn.execute(taken_last)}
    found: dict[str, set[str]] = {}
    for (incident_id, person_id), state_ in newest.items():
        if state_ == AlertState.DEAD.value:
            found.setdefault(incident_id, set()).add(person_id)
    return found


def _who(row: Row[Any], step: PlannedStep, known: _Known, sweep: Sweep) -> Escalation:
    return escalate(
        step.rung,
        sweep.roster.led_by(row.people or ()),
        known.acks.get(row.incident_id, {}),
        sweep.now,
        repeat=step.key.startswith("+"),
        ack_valid=timedelta(seconds=row.ack_valid_s),
        snoozed=_snoozed(row, step, known, sweep.now),
        unreached=known.unreached.get(row.incident_id, ()),
    )


def _snoozed(row: Row[Any], step: PlannedStep, known: _Known, now: datetime) -> set[str]:
    """Whose snooze keeps this step away: none does at the deadline or after it."""
    if max(step.due_at, now) >= row.due_at:
        return set()
    wishes = known.snoozes.get(row.incident_id, {})
    return {person for person, wish in wishes.items() if wish.counts(now, row.created_at)}


def holes(row: Row[Any], who: Escalation, sweep: Sweep) -> list[Notice]:
    """Once a day for each rung: the roster's owner hears that nobody could be reached on it."""
    owners = sweep.roster.owners(sweep.now) or sweep.roster.last_resort()
    day = f"{local(sweep.now):%Y-%m-%d}"
    return [
        Notice(
            "roster-hole",
            f"{rung} {day}",
            f"第 {rung} 级此刻无人可达",
            f"{row.name}的提醒在第 {rung} 级找不到人，已转给其他级；请补联系方式、安排代班或改 roster.yaml",
            owners,
        )
        for rung in who.unfilled
    ]


def _count(entry: Entry, owed: Due, now: datetime) -> Raised:
    late = max(0.0, (now - owed.latest.due_at).total_seconds())
    return Raised(1, len(entry.payload["insert"]["alert"]), len(owed.skipped), late)


def _step_raised(row: Row[Any], owed: Due, incident: Row[Any], who: Escalation, sweep: Sweep) -> Entry:
    step, now = owed.latest, sweep.now
    reason = _reason(row, owed, who, sweep)
    alerts = [alert_row(row, step, incident, telling, reason, now) for telling in who.tellings]
    return Entry(
        kind="step_raised",
        payload={
            "clock": row.rule_id,
            "name": row.name,
            "step": step.key,
            "told": [f"{t.person.name}({t.person.id})" for t in who.tellings],
            "quiet": list(who.quiet),
            "unfilled": list(who.unfilled),
            "insert": {"step": _step_rows(row, owed, reason, now), "alert": alerts},
            "update": {"clock": [_moved(row, owed, now)]},
        },
        actor="huiying",
        reason=reason,
        incident_id=row.incident_id,
    )


def _reason(row: Row[Any], owed: Due, who: Escalation, sweep: Sweep) -> str:
    step, now = owed.latest, sweep.now
    late = now - step.due_at
    left = (row.due_at - now).total_seconds()
    parts = [f"{row.name}: " + (f"还剩 {span(left)}" if left > 0 else f"已超时 {span(left)}")]
    parts.append(f"时限 {deadline_face(row.due_at)}")
    if step.due_at <= row.created_at and row.due_at <= row.created_at:
        parts.append("设立时已逾期")
    elif late > LATE_WORTH_SAYING * sweep.pace:
        parts.append(f"本提醒应于 {clock_face(step.due_at)} 发出，迟 {span(late.total_seconds())}")
    if owed.skipped:
        parts.append(f"其间已过的 {len(owed.skipped)} 个节点不再补发")
    if who.unfilled and not who.tellings:
        parts.append("值班表上无人可达，请立即补齐")
    return "；".join(parts)


def _step_rows(row: Row[Any], owed: Due, reason: str, now: datetime) -> list[dict[str, Any]]:
    passed = [(step, True) for step in owed.skipped] + [(owed.latest, False)]
    return [
        {
            "clock_id": row.id,
            "key": step.key,
            "incident_id": row.incident_id,
            "rung": step.rung,
            "due_at": iso(step.due_at),
            "raised_at": iso(now),
            "late_ms": max(0, round((now - step.due_at).total_seconds() * 1000)),
            "skipped": skipped,
            "reason": f"已过时，由 {owed.latest.key} 一并提醒" if skipped else reason,
        }
        for step, skipped in passed
    ]


def alert_row(
    row: Row[Any], step: PlannedStep, incident: Row[Any], telling: Telling, reason: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "incident_id": row.incident_id,
        "clock_id": row.id,
        "step_key": step.key,
        "kind": AlertKind.STEP.value,
        "rung": telling.rung,
        "person_id": telling.person.id,
        "person_name": telling.person.name,
        "unit": telling.person.unit,
        "contacts": [[c.channel, c.address] for c in telling.person.contacts],
        "contact": 0,
        "contact_tries": 0,
        "refused": [],
        "ref": f"{incident.ref} {row.name} {step.key}",
        "reason": f"{reason}；{telling.reason}",
        "state": AlertState.QUEUED.value,
        "raised_at": iso(now),
        "attempts": 0,
        "next_try_at": iso(now),
    }


def _moved(row: Row[Any], owed: Due, now: datetime) -> dict[str, Any]:
    opening = owed.latest.due_at <= row.started_at  # the first word is not yet a warning
    return {
        "id": row.id,
        "state": state(row.started_at, row.due_at, now, any_raised=not opening).value,
        "last_key": owed.latest.key,
        "next_key": owed.next_key,
        "next_step_at": iso(owed.next_at) if owed.next_at else None,
    }
