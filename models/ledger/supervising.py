"""督办: what is overdue becomes a row of its own, once; a person issues it, the unit answers, it is done.

And 问责: what looks like one of the cases of S-125 becomes a draft, once, on which a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.assessment import Draft, Finding, Trigger
from models.core.assignments import whose
from models.core.casework import Register
from models.core.moment import deadline_face, iso
from models.core.vocabulary import EvidenceKind
from models.ledger import registers, tasks
from models.ledger.assessment import case_ref
from models.ledger.clocks import CLOCK, OPEN
from models.ledger.incidents import INCIDENT, NotAllowed
from models.ledger.journal import append
from models.ledger.registers import ENTRY, New

UNWATCHED = frozenset({Register.SUPERVISION.value, Register.ACCOUNTABILITY.value})
"""What is late of these is seen in the ledger of supervision itself."""
MOST = 200
"""Rows that one transaction writes: others wait for it."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """One late matter: `ref` names it ("INCIDENT:RULE", "clock:ID", "task:ID", "entry:ID")."""

    ref: str
    title: str
    unit: str | None
    due_at: datetime
    incident_id: str | None


def overdue(conn: Connection, now: datetime) -> list[Overdue]:
    """Every clock, task and entry whose limit has passed and that nobody has ended, oldest first."""
    found = [*_clocks(conn, now), *_tasks(conn, now), *_entries(conn, now)]
    return sorted(found, key=lambda one: one.due_at)


def _clocks(conn: Connection, now: datetime) -> Iterable[Overdue]:
    query = (
        select(
            CLOCK.c.id,
            CLOCK.c.rule_id,
            CLOCK.c.subject,
            CLOCK.c.start_event,
            CLOCK.c.started_at,
            CLOCK.c.evidence,
            CLOCK.c.name,
            CLOCK.c.due_at,
            CLOCK.c.incident_id,
            INCIDENT.c.owner,
            INCIDENT.c.ref,
        )
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .where(CLOCK.c.state.in_(OPEN), CLOCK.c.due_at < now, INCIDENT.c.closed_at.is_(None))
    )
    for row in conn.execute(query):
        if row.evidence != [EvidenceKind.ACKNOWLEDGEMENT.value]:  # the ladder itself sees to it
            title = f"{row.ref} {row.name}"
            ref = case_ref(row.incident_id, dict(row._mapping))
            yield Overdue(ref, title, row.owner, row.due_at, row.incident_id)


def _tasks(conn: Connection, now: datetime) -> Iterable[Overdue]:
    for row in tasks.open_everywhere(conn, now):
        unit = whose(row.unit, row.owner) or row.unit
        yield Overdue(f"task:{row.id}", f"任务 {row.name}", unit, row.due_at, row.incident_id)


def _entries(conn: Connection, now: datetime) -> Iterable[Overdue]:
    for row in registers.overdue(conn, now):
        if row.kind not in UNWATCHED:
            title = f"{Register(row.kind).zh} {row.title}"
            yield Overdue(f"entry:{row.id}", title, row.unit, row.due_at, row.incident_id)


def propose(
    conn: Connection, at: datetime, answer_by: datetime, unknown_unit: str, most: int = MOST
) -> list[str]:
    """A row for each late matter that has none yet, the `most` oldest; their numbers. What a person cancelled
    stays so."""
    known = _refs(conn, Register.SUPERVISION)
    fresh = [one for one in overdue(conn, at) if one.ref not in known][:most]
    return _written(conn, at, [_supervision(one, at, answer_by, unknown_unit) for one in fresh])


def _written(conn: Connection, at: datetime, news: Sequence[New]) -> list[str]:
    """Rows of the system's own, numbered on from the newest; their numbers."""
    if not news:
        return []
    year, dash, first = registers.next_id(conn, at).rpartition("-")
    ids = [f"{year}{dash}{n:04d}" for n in range(int(first), int(first) + len(news))]
    rows = [registers.made(id_, at, new, "huiying") for id_, new in zip(ids, news, strict=True)]
    append(conn, at, [registers.added(row, "huiying", row["reason"]) for row in rows])
    return ids


def _supervision(one: Overdue, at: datetime, answer_by: datetime, unknown_unit: str) -> New:
    return New(
        Register.SUPERVISION,
        f"{one.title} 已逾期",
        at,
        f"期限 {deadline_face(one.due_at)} 已过，系统建议督办",
        one.unit or unknown_unit,
        answer_by,
        {"ref": one.ref, "state": "proposed", "was_due": iso(one.due_at)},
        one.incident_id,
    )


def _refs(conn: Connection, kind: Register) -> set[str]:
    rows = conn.execute(select(ENTRY.c.details).where(ENTRY.c.kind == kind.value)).scalars()
    return {details["ref"] for details in rows if details and "ref" in details}


def issue(conn: Connection, at: datetime, entry_id: str, by: str, reason: str) -> Row[Any]:
    """下达 what the system proposed: from now on the unit is asked."""
    row = _supervised(conn, entry_id, "下达督办")
    if row.details.get("state") != "proposed":
        raise NotAllowed(f"{row.id} 已经下达，无须再下达；等答复(answer)后办结(done)")
    details = {**row.details, "state": "issued", "issued_at": iso(at)}
    registers.mark(conn, at, row, f"下达督办给 {row.unit}", by, reason, details=details)
    return row


def answer(conn: Connection, at: datetime, entry_id: str, text: str, by: str) -> None:
    """责任单位的答复, in its own words; a later one takes its place."""
    row = _supervised(conn, entry_id, "答复督办")
    if not text.strip():
        raise NotAllowed(f"{row.id} 的答复不能为空；写明原因、措施和何时完成")
    details = {**row.details, "state": "answered", "answer": text.strip(), "answered_at": iso(at)}
    registers.mark(conn, at, row, "已答复", by, text.strip(), details=details)


def _supervised(conn: Connection, entry_id: str, act: str) -> Row[Any]:
    return registers.still_open(registers.of_kind(registers.get(conn, entry_id), Register.SUPERVISION, act))


# ── accountability ────────────────────────────────────────────────────────────────────────────


def draft(conn: Connection, at: datetime, found: Sequence[Draft]) -> list[str]:
    """Write down what nobody has written down yet; the numbers. A person decides on each."""
    known = _refs(conn, Register.ACCOUNTABILITY)
    return _written(conn, at, [_draft(one, at) for one in found if one.ref not in known])


def _draft(one: Draft, at: datetime) -> New:
    details = {"trigger": one.trigger.value, "ref": one.ref, "state": Finding.DRAFT.value}
    title = f"{one.trigger.zh}：{one.why}"
    reason = f"符合 {one.trigger.basis} 所列情形，待人决定"
    return New(Register.ACCOUNTABILITY, title, at, reason, one.unit, None, details, one.incident)


def decide(conn: Connection, at: datetime, entry_id: str, finding: Finding, by: str, reason: str) -> None:
    """A person's word on a draft, with the reason. Raises NoSuchEntry, NotAllowed."""
    row = registers.of_kind(registers.get(conn, entry_id), Register.ACCOUNTABILITY, "决定问责")
    row = registers.still_open(row)
    if finding is Finding.DRAFT:
        raise NotAllowed("决定写 upheld（予以追究）或 dropped（不予追究）")
    if not reason.strip():
        raise NotAllowed(f"决定 {row.id} 必须写明理由(--reason)（{Trigger(row.details['trigger']).basis}）")
    details = {**row.details, "state": finding.value}
    registers.mark(
        conn, at, row, finding.zh, by, reason, details=details, done_at=iso(at), result=reason.strip()
    )
