"""Limits that the work itself sets: a slice of a review, a claim within a day, a promised update.

Each is a clock like any other, so that the sweep, the ladder and the outbox serve it too; but it belongs to
its `subject` ("review.ID.1", "party.ID", "promise.ID"; no colon, which parts a clock's key) and to its
people, who stand on its first rung. No playbook plans it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from models.core.clock import Basis, ClockRule, StepRule, plan
from models.core.moment import clock_face, deadline_face
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent
from models.ledger import clocks
from models.ledger.clocks import CLOCK, LIVE, BoundRule
from models.ledger.entry import Entry

WORK = "work"
"""What stands for the playbook of such a clock."""
WORK_ZH = {"review": "审核", "party": "认领", "promise": "承诺续报", "meeting": "发布会准备", "stage": "阶段"}
"""What such a limit is for, by the first word of its subject."""
ACK_VALID = timedelta(hours=2)
STEPS = (
    StepRule(1, after=timedelta(0)),
    StepRule(1, fraction=0.5),
    StepRule(2, fraction=0.9),
    StepRule(2, fraction=1.0),
)
"""Told at once, at half time, then with the next rung (a proposal: no document gives numbers)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What is to be done until when, by whom. `evidence`: what published proof ends it by itself; without
    any it ends only when its work is done (`ended`)."""

    subject: str
    name: str
    started_at: datetime
    due_at: datetime
    reason: str
    people: tuple[str, ...] = ()
    evidence: frozenset[EvidenceKind] = frozenset()
    steps: tuple[StepRule, ...] = STEPS
    repeat: timedelta | None = timedelta(hours=1)
    repeat_rung: int = 2
    basis: tuple[Basis, ...] = field(default_factory=tuple)


def kind_zh(subject: str | None) -> str | None:
    """What a limit of the work is for; None for a clock of a playbook. Its rule is its subject."""
    first, dot, _ = (subject or "").partition(".")
    return WORK_ZH.get(first) if dot else None


def rows(conn: Connection, incident_id: str, limits: Iterable[Limit], now: datetime) -> list[dict[str, Any]]:
    """The clock rows, to go into the entry of the act that sets them: `{"insert": {"clock": rows}}`."""
    return [_row(conn, incident_id, limit, now) for limit in limits]


def _row(conn: Connection, incident_id: str, limit: Limit, now: datetime) -> dict[str, Any]:
    rule = ClockRule(
        id=limit.subject,
        name=limit.name,
        amount=limit.due_at - limit.started_at,
        start=StartEvent.WORK,
        evidence=limit.evidence,
        steps=limit.steps,
        repeat=limit.repeat,
        repeat_rung=limit.repeat_rung,
        basis=limit.basis,
    )
    made = plan(rule, {StartEvent.WORK: limit.started_at})
    assert made is not None
    row = clocks.planned_row(
        incident_id,
        _number(conn, incident_id, limit.subject),
        BoundRule(rule, WORK, "", ACK_VALID),
        made,
        now,
    )
    said = f"{limit.reason}，{clock_face(limit.started_at)} 至 {deadline_face(limit.due_at)}"
    return row | {"reason": said, "subject": limit.subject, "people": list(limit.people) or None}


def _number(conn: Connection, incident_id: str, subject: str) -> int:
    query = select(func.count()).where(CLOCK.c.incident_id == incident_id, CLOCK.c.rule_id == subject)
    return int(conn.execute(query).scalar_one()) + 1


def live(conn: Connection, incident_id: str, subject: str = "") -> Sequence[Row[Any]]:
    """The running limits of the incident whose subject begins with `subject`, first due first."""
    return conn.execute(
        select(CLOCK)
        .where(
            CLOCK.c.incident_id == incident_id,
            CLOCK.c.subject.startswith(subject, autoescape=True),
            CLOCK.c.state.in_(LIVE),
        )
        .order_by(CLOCK.c.due_at)
    ).all()


def ended(
    rows: Iterable[Row[Any]], state: ClockState | None, at: datetime, reason: str
) -> list[dict[str, Any]]:
    """What changes on them, to go into the entry of the act that ends them: `{"update": {"clock": …}}`.

    `state` None: the work is done, met or met late by the moment; else SUPERSEDED or WAIVED.
    """
    return [clocks.ending(row.id, state or _met(row, at), at, reason) for row in rows]


def _met(row: Row[Any], at: datetime) -> ClockState:
    return ClockState.MET if at <= row.due_at else ClockState.MET_LATE


def set_(conn: Connection, limits: Sequence[Limit], incident_id: str, now: datetime, why: str) -> list[Entry]:
    """An entry of its own for limits that no other act carries."""
    made = rows(conn, incident_id, limits, now)
    return [Entry("clocks_planned", {"insert": {"clock": made}}, "huiying", why, incident_id)] if made else []
