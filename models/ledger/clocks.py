"""Clock rows and core clocks: translate one into the other, and ask the database what is due."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.clock import (
    NO_CALENDAR,
    NO_ENDS,
    ClockPlan,
    ClockRule,
    Ends,
    PlannedStep,
    due,
    plan,
    steps,
)
from models.core.moment import iso, parse_iso
from models.core.vocabulary import OPEN_STATES, ClockState, StartEvent
from models.core.workdays import Calendar, NoCalendar
from models.ledger.entry import Entry
from models.ledger.journal import JOURNAL
from models.records import Clock, Evidence, Incident

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
OPEN = tuple(state.value for state in OPEN_STATES)
LIVE = (*OPEN, ClockState.ARMED.value)
"""Not ended: those that run, and those that wait because nobody talks of the emergency yet."""
SETTLED = (ClockState.MET.value, ClockState.MET_LATE.value)
REFUSED = "clock_refused"


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A clock rule with the playbook that states it, frozen on the incident by version, and the
    calendar that its working days are counted by."""

    rule: ClockRule
    playbook: str
    version: str
    ack_valid: timedelta
    calendar: Calendar = field(default_factory=lambda: NO_CALENDAR, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A clock that an open incident should have and has not, for want of a calendar."""

    incident_id: str
    ref: str
    rule_id: str
    name: str
    why: str


def sequence(row: Row[Any]) -> Iterator[PlannedStep]:
    """The clock's steps as the core sees them, from its own frozen plan."""
    fixed = [PlannedStep(s["key"], parse_iso(s["due_at"]), s["rung"]) for s in row.steps]
    repeat = timedelta(seconds=row.repeat_s) if row.repeat_s else None
    return steps(fixed, row.due_at, repeat, row.repeat_rung)


def due_clocks(
    conn: Connection, now: datetime, limit: int, ids: Collection[str] | None = None
) -> Sequence[Row[Any]]:
    """Clocks with a step that has passed, most overdue first; of `ids` where given."""
    query = select(CLOCK).where(CLOCK.c.next_step_at <= now).order_by(CLOCK.c.next_step_at).limit(limit)
    return conn.execute(query if ids is None else query.where(CLOCK.c.id.in_(list(ids)))).all()


def due_ids(conn: Connection, now: datetime) -> list[str]:
    """All that are due, most overdue first."""
    query = select(CLOCK.c.id).where(CLOCK.c.next_step_at <= now).order_by(CLOCK.c.next_step_at)
    return list(conn.execute(query).scalars())


def open_clocks(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    return _in(conn, incident_id, OPEN)


def live_clocks(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """The open ones and the armed."""
    return _in(conn, incident_id, LIVE)


def _in(conn: Connection, incident_id: str, states: Sequence[str]) -> Sequence[Row[Any]]:
    return conn.execute(
        select(CLOCK)
        .where(CLOCK.c.incident_id == incident_id, CLOCK.c.state.in_(states))
        .order_by(CLOCK.c.due_at)
    ).all()


def ends(conn: Connection, incident_id: str) -> dict[str, datetime]:
    """When each clock that was met was met: by its proof's own time, the newest of each rule (law 8)."""
    rows = conn.execute(
        select(CLOCK.c.rule_id, CLOCK.c.ended_at, EVIDENCE.c.published_at)
        .outerjoin(EVIDENCE, EVIDENCE.c.id == CLOCK.c.evidence_id)
        .where(CLOCK.c.incident_id == incident_id, CLOCK.c.state.in_(SETTLED))
        .order_by(CLOCK.c.ended_at)
    )
    return {row.rule_id: row.published_at or row.ended_at for row in rows}


def refused(conn: Connection) -> list[Refused]:
    """Every clock that was refused on an incident that is still open, and is still missing."""
    return [
        Refused(incident_id, ref, clock["id"], clock["name"], clock["why"])
        for incident_id, (ref, clocks) in _missing(conn).items()
        for clock in clocks
    ]


def missing(conn: Connection, incident_id: str) -> list[dict[str, str]]:
    """What the incident's newest refusal says is missing: [{id, name, why}]."""
    return _missing(conn, incident_id).get(incident_id, ("", []))[1]


def _missing(conn: Connection, incident_id: str | None = None) -> dict[str, tuple[str, list[dict[str, str]]]]:
    query = (
        select(JOURNAL.c.incident_id, JOURNAL.c.payload, INCIDENT.c.ref)
        .join(INCIDENT, INCIDENT.c.id == JOURNAL.c.incident_id)
        .where(JOURNAL.c.kind == REFUSED, INCIDENT.c.closed_at.is_(None))
        .order_by(JOURNAL.c.seq)
    )
    if incident_id is not None:
        query = query.where(JOURNAL.c.incident_id == incident_id)
    return {row.incident_id: (row.ref, json.loads(row.payload)["clocks"]) for row in conn.execute(query)}


def count_open(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(CLOCK).where(CLOCK.c.state.in_(OPEN))).scalar_one()


def planned_row(
    incident_id: str, number: int, bound: BoundRule, made: ClockPlan, now: datetime
) -> dict[str, Any]:
    """The row of a new clock. Its first step is whatever comes first, even when already past:
    the next sweep then says at once that it was overdue at creation (law 7)."""
    return {
        "id": f"{incident_id}:{made.rule_id}:{number}",
        "incident_id": incident_id,
        "rule_id": made.rule_id,
        "name": made.name,
        "playbook": bound.playbook,
        "version": bound.version,
        "state": _first_state(made, now).value,
        "start_event": made.start_event.value,
        "started_at": iso(made.started_at),
        "due_at": iso(made.due_at),
        "reason": made.reason + _remark(made, now),
        "basis": [str(basis) for basis in made.basis],
        "evidence": sorted(kind.value for kind in made.evidence),
        "steps": [{"key": s.key, "due_at": iso(s.due_at), "rung": s.rung} for s in made.steps],
        "repeat_s": int(made.repeat.total_seconds()) if made.repeat else None,
        "repeat_rung": made.repeat_rung,
        "ack_valid_s": int(bound.ack_valid.total_seconds()),
        "statutory": bound.rule.statutory,
        **_first_step(made),
        "created_at": iso(now),
    }


def _first_state(made: ClockPlan, now: datetime) -> ClockState:
    if made.armed:
        return ClockState.ARMED
    return ClockState.BREACHED if made.due_at <= now else ClockState.RUNNING


def _remark(made: ClockPlan, now: datetime) -> str:
    if made.armed:
        return "，预置: 尚未传播，不提醒；一旦传播即从同一时间起算"
    return "，设立时已逾期" if made.due_at <= now else ""


def _first_step(made: ClockPlan) -> dict[str, Any]:
    """What the sweep asks for; an armed clock owes nothing."""
    sequence = steps(made.steps, made.due_at, made.repeat, made.repeat_rung)
    first = None if made.armed else next(sequence, None)
    return {
        "next_key": first.key if first else None,
        "next_step_at": iso(first.due_at) if first else None,
    }


def replan(
    existing: Sequence[Row[Any]],
    bound: Iterable[BoundRule],
    times: Mapping[StartEvent, datetime],
    incident_id: str,
    now: datetime,
    why: str,
    refused_before: Sequence[Mapping[str, str]] = (),
    ended: Ends = NO_ENDS,
) -> list[Entry]:
    """Clocks for today's rules and times; the old plan is kept, superseded (laws 5 and 7).

    A rule that already runs with the same start and due stays as it is; one that was met or
    waived on the same start stays ended; every other open clock is superseded. `ended` is what the links
    of a chain count from (`ends`). One that no calendar lets
    us plan is written down as refused, keeps what runs of it, and stops no other (law 6).
    """
    by_rule = _by_rule(existing)
    wanted, refusals = _planned(bound, times, by_rule, ended)
    fresh, kept = [], set()
    for rule_id, (rule, made) in wanted.items():
        same = next((r for r in by_rule.get(rule_id, ()) if _stands(r, made, now)), None)
        if same is not None:
            kept.add(same.id)
        else:
            fresh.append(planned_row(incident_id, len(by_rule.get(rule_id, ())) + 1, rule, made, now))
    kept |= {row.id for one in refusals for row in by_rule.get(one["id"], ())}
    dropped = [row for row in existing if row.state in LIVE and row.id not in kept]
    made_entries = _plan_entries(fresh, dropped, incident_id, now, why)
    if refusals != list(refused_before):
        made_entries.append(Entry(REFUSED, {"clocks": refusals}, "huiying", why, incident_id))
    return made_entries


def out_of_step(
    existing: Sequence[Row[Any]],
    bound: Iterable[BoundRule],
    times: Mapping[StartEvent, datetime],
    ended: Ends = NO_ENDS,
) -> bool:
    """Is a clock missing that could run, or does one run that no rule asks for any more?

    A clock is there when it stands on the start that it would have; a mere other length is left to the
    next act, so that two processes with two versions of a playbook do not plan against each other.
    """
    bound = list(bound)
    wanted, _ = _planned(bound, times, _by_rule(existing), ended)
    there = {(row.rule_id, row.started_at) for row in existing if row.state != ClockState.SUPERSEDED.value}
    live = {row.rule_id for row in existing if row.state in LIVE}
    missing = any((rule_id, made.started_at) not in there for rule_id, (_, made) in wanted.items())
    return missing or bool(live - {each.rule.id for each in bound})


def _by_rule(existing: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in existing:
        found.setdefault(row.rule_id, []).append(row)
    return found


def _planned(
    bound: Iterable[BoundRule],
    times: Mapping[StartEvent, datetime],
    by_rule: Mapping[str, Sequence[Row[Any]]],
    ended: Ends,
) -> tuple[dict[str, tuple[BoundRule, ClockPlan]], list[dict[str, str]]]:
    """The plans by rule, and the rules that no calendar lets us plan: [{id, name, why}]."""
    wanted, refusals = {}, []
    for each in bound:
        try:
            made = _plan(each, times, by_rule.get(each.rule.id, ()), ended)
        except NoCalendar as lack:
            refusals.append({"id": each.rule.id, "name": each.rule.name, "why": str(lack)})
            continue
        if made is not None:
            wanted[each.rule.id] = (each, made)
    return wanted, refusals


def _plan(
    bound: BoundRule, times: Mapping[StartEvent, datetime], earlier: Sequence[Row[Any]], ended: Ends
) -> ClockPlan | None:
    """The rule's plan; a clock that counts from a fallback keeps it (law 7): another fallback that
    becomes known later may move the start back, never forward. Only the rule's own start may."""
    rule = bound.rule
    made = plan(rule, times, bound.calendar, ended)
    kept = [StartEvent(row.start_event) for row in earlier if _still_known(row, rule, times)]
    first = min(kept, key=times.__getitem__, default=None)
    if made is None or first is None or rule.start in times or made.started_at <= times[first]:
        return made
    return plan(rule, {first: times[first]}, bound.calendar)


def _still_known(row: Row[Any], rule: ClockRule, times: Mapping[StartEvent, datetime]) -> bool:
    """Did this clock count from a fallback of the rule, at the time that it is known to have now?"""
    event = StartEvent(row.start_event)
    return event in rule.fallback and times.get(event) == row.started_at


def _stands(row: Row[Any], made: ClockPlan, now: datetime) -> bool:
    """Is this row the clock that the plan asks for? What was met or waived on a start stays so, and
    what is overdue is not armed again: that would hide a breach."""
    if row.state == ClockState.SUPERSEDED.value or row.started_at != made.started_at:
        return False
    if row.state not in LIVE:
        return True
    armed = row.state == ClockState.ARMED.value
    return bool(row.due_at == made.due_at) and (armed == made.armed or (made.armed and row.due_at <= now))


def _plan_entries(
    fresh: list[dict[str, Any]], dropped: list[Row[Any]], incident_id: str, now: datetime, why: str
) -> list[Entry]:
    made = []
    if dropped:
        ended = [ending(row.id, ClockState.SUPERSEDED, now, why) for row in dropped]
        names = "、".join(row.name for row in dropped)
        made.append(
            Entry(
                "clocks_superseded", {"names": names, "update": {"clock": ended}}, "huiying", why, incident_id
            )
        )
    if fresh:
        made.append(Entry("clocks_planned", {"insert": {"clock": fresh}}, "huiying", why, incident_id))
    return made


def ending(
    clock_id: str, state: ClockState, at: datetime, reason: str, evidence_id: str | None = None
) -> dict[str, Any]:
    """What changes on a clock that ends: no step of it will be due again."""
    return {
        "id": clock_id,
        "state": state.value,
        "ended_at": iso(at),
        "ended_reason": reason,
        "evidence_id": evidence_id,
        "next_key": None,
        "next_step_at": None,
    }


def find_due(row: Row[Any], now: datetime) -> Any:
    """What this clock owes at `now` (`models.core.clock.Due`), or None."""
    return due(sequence(row), row.last_key, now)
