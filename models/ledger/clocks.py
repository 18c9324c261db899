"""Clock rows and core clocks: translate one into the other, and ask the database what is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.clock import ClockPlan, ClockRule, PlannedStep, due, plan, steps
from models.core.moment import iso, parse_iso
from models.core.vocabulary import OPEN_STATES, ClockState, StartEvent
from models.ledger.entry import Entry
from models.records import Clock

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
OPEN = tuple(state.value for state in OPEN_STATES)


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A clock rule with the playbook that states it, frozen on the incident by version."""

    rule: ClockRule
    playbook: str
    version: str
    ack_valid: timedelta


def sequence(row: Row[Any]) -> Iterator[PlannedStep]:
    """The clock's steps as the core sees them, from its own frozen plan."""
    fixed = [PlannedStep(s["key"], parse_iso(s["due_at"]), s["rung"]) for s in row.steps]
    repeat = timedelta(seconds=row.repeat_s) if row.repeat_s else None
    return steps(fixed, row.due_at, repeat, row.repeat_rung)


def due_clocks(conn: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Clocks with a step that has passed, most overdue first."""
    query = select(CLOCK).where(CLOCK.c.next_step_at <= now).order_by(CLOCK.c.next_step_at).limit(limit)
    return conn.execute(query).all()


def open_clocks(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    return conn.execute(
        select(CLOCK)
        .where(CLOCK.c.incident_id == incident_id, CLOCK.c.state.in_(OPEN))
        .order_by(CLOCK.c.due_at)
    ).all()


def count_open(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(CLOCK).where(CLOCK.c.state.in_(OPEN))).scalar_one()


def planned_row(
    incident_id: str, number: int, bound: BoundRule, made: ClockPlan, now: datetime
) -> dict[str, Any]:
    """The row of a new clock. Its first step is whatever comes first, even when already past:
    the next sweep then says at once that it was overdue at creation (law 7)."""
    late = "，设立时已逾期" if made.due_at <= now else ""
    return {
        "id": f"{incident_id}:{made.rule_id}:{number}",
        "incident_id": incident_id,
        "rule_id": made.rule_id,
        "name": made.name,
        "playbook": bound.playbook,
        "version": bound.version,
        "state": (ClockState.BREACHED if late else ClockState.RUNNING).value,
        "start_event": made.start_event.value,
        "started_at": iso(made.started_at),
        "due_at": iso(made.due_at),
        "reason": made.reason + late,
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


def _first_step(made: ClockPlan) -> dict[str, Any]:
    first = next(steps(made.steps, made.due_at, made.repeat, made.repeat_rung), None)
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
) -> list[Entry]:
    """Clocks for today's rules and times; the old plan is kept, superseded (laws 5 and 7).

    A rule that already runs with the same start and due stays as it is; one that was met or
    waived on the same start stays ended; every other open clock is superseded.
    """
    wanted = {b.rule.id: (b, made) for b in bound if (made := plan(b.rule, times))}
    by_rule: dict[str, list[Row[Any]]] = {}
    for row in existing:
        by_rule.setdefault(row.rule_id, []).append(row)
    fresh, kept = [], set()
    for rule_id, (rule, made) in wanted.items():
        same = next((r for r in by_rule.get(rule_id, ()) if _stands(r, made)), None)
        if same is not None:
            kept.add(same.id)
        else:
            fresh.append(planned_row(incident_id, len(by_rule.get(rule_id, ())) + 1, rule, made, now))
    dropped = [row for row in existing if row.state in OPEN and row.id not in kept]
    return _plan_entries(fresh, dropped, incident_id, now, why)


def _stands(row: Row[Any], made: ClockPlan) -> bool:
    """Is this row the clock that the plan asks for? What was met or waived on a start stays so."""
    if row.state == ClockState.SUPERSEDED.value or row.started_at != made.started_at:
        return False
    return row.state not in OPEN or bool(row.due_at == made.due_at)


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
