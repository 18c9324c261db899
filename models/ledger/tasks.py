"""Tasks: what the playbooks ask for becomes rows once, proof finishes them, people do or strike them off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, or_, select

from models.core.assignments import FIRST_SPOKESPERSON, Want, accepted, due_at
from models.core.casework import MeetingState, TaskState
from models.core.moment import iso
from models.core.vocabulary import ClockState, EvidenceKind, OpinionKind, StartEvent
from models.core.workdays import Calendar
from models.ledger import incidents, proving
from models.ledger.entry import Entry
from models.ledger.incidents import EVIDENCE, INCIDENT, NotAllowed
from models.ledger.journal import append
from models.ledger.planning import CLOCK
from models.ledger.store import NotThere
from models.records import Meeting, Task

TASK: Table = Task.__table__  # type: ignore[attr-defined]
MEETING: Table = Meeting.__table__  # type: ignore[attr-defined]
ME = "huiying"
BY_HAND = "人工"
"""The source of a task that a person set."""
STRIKES_OFF = 2
"""From which rung on one may strike off what must be done: a signature, as on a waiver (a proposal)."""


class NoSuchTask(NotThere):
    """There is no task of that number."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What stands on an incident: (kind, publisher) of the proofs that count, and of all since its opening; the
    kinds whose clocks were waived by who may strike off; whether the principal has spoken; whose receipts are of a
    notification."""

    counting: frozenset[tuple[EvidenceKind, str]]
    ever: frozenset[tuple[EvidenceKind, str]]
    waived: frozenset[EvidenceKind]
    spoken: bool
    parties: frozenset[str] = frozenset()


def proofs(conn: Connection, incident_id: str) -> Proofs:
    """Before a reopening nothing counts but what others were told."""
    since = incidents.reopened_at(conn, incident_id)
    rows = conn.execute(
        select(EVIDENCE).where(EVIDENCE.c.incident_id == incident_id, EVIDENCE.c.standing.is_(None))
    ).all()
    fresh = [row for row in rows if since is None or row.seen_at > since]
    return Proofs(
        frozenset((EvidenceKind(row.kind), row.publisher) for row in fresh),
        frozenset((EvidenceKind(row.kind), row.publisher) for row in rows),
        _waived(conn, incident_id),
        _spoken(conn, incident_id),
    )


def _waived(conn: Connection, incident_id: str) -> frozenset[EvidenceKind]:
    """A waiver of lower rank ends its clock and leaves what must be done: the closing asks for it still."""
    rows = conn.execute(
        select(CLOCK.c.id, CLOCK.c.evidence).where(
            CLOCK.c.incident_id == incident_id, CLOCK.c.state == ClockState.WAIVED.value
        )
    ).all()
    kept = proving.waived_alone(conn, incident_id) if rows else frozenset()
    return frozenset(EvidenceKind(kind) for row in rows if row.id not in kept for kind in row.evidence)


def _spoken(conn: Connection, incident_id: str) -> bool:
    query = select(MEETING.c.id).where(
        MEETING.c.incident_id == incident_id,
        MEETING.c.state == MeetingState.HELD.value,
        MEETING.c.principal.is_(True),
    )
    return conn.execute(query).first() is not None


def of(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """The incident's tasks in the order of their making."""
    rows = conn.execute(select(TASK).where(TASK.c.incident_id == incident_id)).all()
    return sorted(rows, key=lambda row: number(row.id))


def number(task_id: str) -> int:
    """2026-0012:t7 → 7; 0 for a task of no incident."""
    tail = task_id.rpartition(":t")[2]
    return int(tail) if tail.isdecimal() else 0


# ── what the playbooks ask for ────────────────────────────────────────────────────────────────


def settling(
    conn: Connection, at: datetime, row: Row[Any], wants: Sequence[Want], calendar: Calendar
) -> list[Entry]:
    """What brings the incident's tasks in line with its playbooks and proofs; nothing when they are."""
    existing = of(conn, row.id)
    known = {task.key: task for task in existing}
    asked = {want.key: want for want in wants}
    found = proofs(conn, row.id)
    kind = OpinionKind(row.kind) if row.kind else None
    times = incidents.known_times(conn, row.id)
    fresh = [want for want in wants if want.key not in known]
    first = max((number(task.id) for task in existing), default=0) + 1
    made = [
        _row(row.id, n, want, at, due_at(want, times, row.closed_at or at, calendar))
        for n, want in enumerate(fresh, first)
    ]
    found = replace(found, parties=frozenset(want.party for want in wants if want.party))
    lone = _lone((*existing, *made))
    made = [{**each, **(_as_it_should(each, True, found, kind, at, lone) or {})} for each in made]
    changed = [
        {"id": task.id, **change}
        for task in existing
        if (
            change := (_as_it_should(task._asdict(), _wanted(task, asked), found, kind, at, lone) or {})
            | _dated(task, asked, times, row.closed_at, calendar)
        )
    ]
    return [_laid(row, made, changed)] if made or changed else []


def _wanted(task: Row[Any], asked: Mapping[str, Want]) -> bool:
    """What a playbook asked for only as long as it does; what people set, always."""
    return task.key in asked or by_hand(task)


def _dated(
    task: Row[Any],
    asked: Mapping[str, Want],
    times: Mapping[StartEvent, datetime],
    closed_at: datetime | None,
    calendar: Calendar,
) -> dict[str, str]:
    """The limit that an open task has by now: its start was corrected, or its year has a calendar since."""
    if task.state != TaskState.OPEN.value or task.key not in asked:
        return {}
    due = due_at(asked[task.key], times, closed_at or task.created_at, calendar)
    known = iso(task.due_at) if task.due_at else None
    return {"due_at": iso(due)} if due is not None and iso(due) != known else {}


def by_hand(task: Row[Any]) -> bool:
    """Did people set it, and no playbook?"""
    return not task.key.startswith(f"{task.source}:")


def _lone(tasks: Iterable[Any]) -> frozenset[str]:
    """The notifications that go to one party alone: any receipt of the kind is theirs."""
    groups: dict[str, list[str]] = {}
    for task in tasks:
        each = task if isinstance(task, dict) else task._asdict()
        if each["party"]:
            groups.setdefault(each["key"].rpartition(":")[0], []).append(each["key"])
    return frozenset(keys[0] for keys in groups.values() if len(keys) == 1)


def _as_it_should(
    task: Mapping[str, Any],
    wanted: bool,
    found: Proofs,
    kind: OpinionKind | None,
    at: datetime,
    lone: Collection[str],
) -> dict[str, Any] | None:
    """The change that brings one task in line; None when it is. What a person struck off stays so."""
    state, why = _target(task, wanted, found, kind, lone)
    if state is TaskState(task["state"]):
        return None
    if state is TaskState.OPEN:
        return {"state": state.value, "done_at": None, "done_by": None, "result": None}
    return {"state": state.value, "done_at": iso(at), "done_by": ME, "result": why}


def _target(
    task: Mapping[str, Any],
    wanted: bool,
    found: Proofs,
    kind: OpinionKind | None,
    lone: Collection[str],
) -> tuple[TaskState, str]:
    now = TaskState(task["state"])
    if now is TaskState.DROPPED and task["done_by"] != ME:
        return now, ""
    if not wanted:
        return (TaskState.DROPPED, "预案不再要求") if now is TaskState.OPEN else (now, "")
    if task["evidence"]:
        return _by_proof(task, found, kind, lone)
    if task["party"] and (EvidenceKind.REPORT_RECEIPT, task["party"]) in found.ever:
        return TaskState.DONE, "已有回执"
    if _spokesperson(task) and found.spoken:
        return TaskState.DONE, "主要负责人已出席发布"
    return (TaskState.OPEN if now is TaskState.DROPPED else now), ""


def _by_proof(
    task: Mapping[str, Any], found: Proofs, kind: OpinionKind | None, lone: Collection[str]
) -> tuple[TaskState, str]:
    evidence = EvidenceKind(task["evidence"])
    if _proven(task, evidence, found, kind, lone):
        return TaskState.DONE, f"已有凭据: {evidence.zh}"
    if evidence in found.waived and not task["party"]:
        return TaskState.DROPPED, f"要{evidence.zh}的时钟已免除"
    return TaskState.OPEN, ""


def _proven(
    task: Mapping[str, Any],
    evidence: EvidenceKind,
    found: Proofs,
    kind: OpinionKind | None,
    lone: Collection[str],
) -> bool:
    """Of a notification the very party's receipt; of the others any proof of an accepted kind."""
    if task["party"]:
        return any(
            of_kind is evidence and (who == task["party"] or task["key"] in lone)
            for of_kind, who in found.ever
        )
    told = found.parties if ":task:" in task["key"] else frozenset()  # that one was told is no other report
    return any(of_kind in accepted(evidence, kind) and who not in told for of_kind, who in found.counting)


def _spokesperson(task: Mapping[str, Any]) -> bool:
    return any(f"[{fact}]" in said for fact in FIRST_SPOKESPERSON for said in task["basis"])


def _row(incident_id: str, n: int, want: Want, at: datetime, due: datetime | None) -> dict[str, Any]:
    return {
        "id": f"{incident_id}:t{n}",
        "incident_id": incident_id,
        "key": want.key,
        "name": want.name,
        "unit": want.owner or None,
        "source": want.source,
        "basis": list(want.basis),
        "evidence": want.evidence.value if want.evidence else None,
        "must": want.must,
        "party": want.party or None,
        "state": TaskState.OPEN.value,
        "due_at": iso(due) if due else None,
        "created_at": iso(at),
        "created_by": ME,
        "reason": f"预案 {want.source}",
        "done_at": None,
        "done_by": None,
        "result": None,
    }


def _laid(row: Row[Any], made: list[dict[str, Any]], changed: list[dict[str, Any]]) -> Entry:
    states = [each.get("state") for each in changed]
    payload: dict[str, Any] = {
        "made": len(made),
        "done": states.count(TaskState.DONE.value),
        "dropped": states.count(TaskState.DROPPED.value),
        "opened": states.count(TaskState.OPEN.value),
        "dated": sum("due_at" in each for each in changed),
        "insert": {"task": made} if made else {},
        "update": {"task": changed} if changed else {},
    }
    return Entry("tasks_laid", payload, ME, "按预案与凭据", row.id)


# ── what people do ────────────────────────────────────────────────────────────────────────────


def add(
    conn: Connection,
    at: datetime,
    incident_id: str | None,
    name: str,
    by: str,
    reason: str,
    *,
    unit: str | None = None,
    due: datetime | None = None,
    must: bool = False,
    evidence: EvidenceKind | None = None,
) -> str:
    """A task by hand, of an incident or of nothing but the unit's own list; returns its number."""
    if not name.strip():
        raise NotAllowed("任务要写明做什么(name)")
    if due is not None and due <= at:
        raise NotAllowed("任务的期限已经过去；请写将来的时间")
    if incident_id:
        incidents.still_open(incidents.get(conn, incident_id))
    want = Want(
        uuid4().hex,
        name.strip(),
        BY_HAND,
        owner=unit or "",
        evidence=evidence,
        must=must and bool(incident_id),
    )
    return set_(conn, at, incident_id, want, due, by, reason)


def set_(
    conn: Connection,
    at: datetime,
    incident_id: str | None,
    want: Want,
    due: datetime | None,
    by: str,
    reason: str,
) -> str:
    """One task more, of whatever origin, of a closed incident too; returns its number."""
    row = _row(incident_id or "", _next(conn, incident_id), want, at, due)
    row |= {"incident_id": incident_id, "created_by": by, "reason": reason}
    row |= {} if incident_id else {"id": uuid4().hex[:12]}
    payload = {"name": want.name, "unit": row["unit"], "insert": {"task": [row]}}
    append(conn, at, [Entry("task_added", payload, by, reason, incident_id)])
    return str(row["id"])


def _next(conn: Connection, incident_id: str | None) -> int:
    """The number of the incident's next task; it does not count in what belongs to no incident."""
    return max((number(row.id) for row in of(conn, incident_id)), default=0) + 1 if incident_id else 0


def done(conn: Connection, at: datetime, task: Row[Any], by: str, result: str) -> None:
    """It is done, with what came of it; where proof is asked for, the proof must be there first."""
    _still(task)
    if not result.strip():
        raise NotAllowed("完成任务要写明结果(--result)")
    if task.evidence:
        wanted = EvidenceKind(task.evidence).zh
        way = f"notify-receipt --to {task.party}" if task.party else "stop"
        raise NotAllowed(f"“{task.name}”要有{wanted}才算完成；请先登记凭据({way})，登记后自动完成")
    append(conn, at, [_ended(task, TaskState.DONE, at, by, result)])


def drop(
    conn: Connection, at: datetime, tasks: Sequence[Row[Any]], by: str, reason: str, rung: int, top: int
) -> int:
    """They need not be done, signed with a reason; what must be done only from the second rung on."""
    if not reason.strip():
        raise NotAllowed("核销任务必须写明理由(--reason)")
    must = [task for task in tasks if task.must]
    if must and not strikes_off(rung, top):
        raise NotAllowed(
            f"“{must[0].name}”是办结前必须完成的，须由带班领导以上核销；请完成它，或请带班领导操作"
        )
    for task in tasks:
        _still(task)
    append(conn, at, [_ended(task, TaskState.DROPPED, at, by, reason) for task in tasks])
    return len(tasks)


def strikes_off(rung: int, top: int) -> bool:
    """May who stands on this rung sign that what must be done need not be?"""
    return rung >= min(STRIKES_OFF, max(top, 1))


def _still(task: Row[Any]) -> None:
    if task.state != TaskState.OPEN.value:
        raise NotAllowed(f"“{task.name}”{TaskState(task.state).zh}，不能再处理；请在任务页核对编号")


def _ended(task: Row[Any], state: TaskState, at: datetime, by: str, said: str) -> Entry:
    change = ending(task.id, state, at, by, said)
    kind = "task_done" if state is TaskState.DONE else "task_dropped"
    payload = {"name": task.name, "update": {"task": [change]}}
    return Entry(kind, payload, by, said, task.incident_id)


def ending(task_id: str, state: TaskState, at: datetime, by: str, said: str) -> dict[str, Any]:
    """What changes on a task that ends."""
    return {"id": task_id, "state": state.value, "done_at": iso(at), "done_by": by, "result": said}


def find(conn: Connection, incident_id: str | None, wanted: str) -> Row[Any]:
    """One task by its number in the incident (7), its whole id, or the beginning of its name."""
    text = wanted.strip()
    rows = of(conn, incident_id) if incident_id else _of_nothing(conn)
    found = [row for row in rows if row.id == text or (text.isdecimal() and number(row.id) == int(text))]
    found = found or [row for row in rows if text and (row.id.startswith(text) or row.name.startswith(text))]
    if len(found) == 1:
        return found[0]
    near = get_close_matches(text, [row.name for row in rows], n=1, cutoff=0.4)
    hint = f"，是不是 “{near[0]}”？" if near else ""
    said = f"有 {len(found)} 项" if found else "没有"
    raise NoSuchTask(f"{said}叫 {wanted} 的任务{hint}；编号见“办理”页或 huiying task list")


def _of_nothing(conn: Connection) -> Sequence[Row[Any]]:
    return conn.execute(select(TASK).where(TASK.c.incident_id.is_(None))).all()


# ── what stands in the way of closing ─────────────────────────────────────────────────────────


def must_open(conn: Connection, incident_id: str) -> list[Row[Any]]:
    """What must be done and is not."""
    return [row for row in of(conn, incident_id) if row.must and row.state == TaskState.OPEN.value]


def lacking(tasks: Sequence[Row[Any]]) -> list[str]:
    """In words what is missing, by which rule, how to go on: the receipts, each kind of proof, each task."""
    groups: dict[str, list[Row[Any]]] = {}
    for task in tasks:
        groups.setdefault("receipt" if task.party else task.evidence or task.id, []).append(task)
    return [_lack(group) for group in groups.values()]


def _lack(group: Sequence[Row[Any]]) -> str:
    first, rule = group[0], _rule(group)
    if first.party:
        return f"尚缺 {'、'.join(task.party for task in group)} 的回执{rule}，请登记回执(notify-receipt)"
    if first.evidence:
        named = "、".join(f"第 {number(task.id)} 项{task.name}" for task in group)
        return f"尚缺{EvidenceKind(first.evidence).zh}{rule}，请登记凭据(stop)；它是{named}"
    if _spokesperson(first._asdict()):
        way = "请登记发布会，或写明何时何地发声(task done)"
        return f"第一新闻发言人尚未出面{rule}，{way}；它是第 {number(first.id)} 项{first.name}"
    return f"第 {number(first.id)} 项{first.name}{rule}，请写明结果(task done)"


def _rule(group: Sequence[Row[Any]]) -> str:
    said = dict.fromkeys(basis for task in group for basis in task.basis)
    return f"({'、'.join(said)})" if said else ""


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def open_everywhere(conn: Connection, due_before: datetime | None = None) -> Sequence[Row[Any]]:
    """Every open task, or those that are due before then, with its incident's ref, title and owner; the earliest due
    first, without a limit last."""
    query = (
        select(TASK, INCIDENT.c.ref, INCIDENT.c.title, INCIDENT.c.owner)
        .outerjoin(INCIDENT, INCIDENT.c.id == TASK.c.incident_id)
        .where(TASK.c.state == TaskState.OPEN.value, _alive())
        .order_by(TASK.c.due_at.is_(None), TASK.c.due_at, TASK.c.id)
    )
    return conn.execute(query if due_before is None else query.where(TASK.c.due_at < due_before)).all()


def _alive() -> Any:
    """Not of an incident that went into another."""
    return or_(TASK.c.incident_id.is_(None), INCIDENT.c.merged_into.is_(None))


def view(row: Row[Any], now: datetime, names: Mapping[str, str]) -> dict[str, Any]:
    """One task for people."""
    open_ = row.state == TaskState.OPEN.value
    return {
        "id": row.id,
        "number": number(row.id),
        "incident_id": row.incident_id,
        "name": row.name,
        "unit": row.unit,
        "source": row.source,
        "basis": row.basis,
        "must": bool(row.must),
        "party": row.party,
        "evidence": row.evidence,
        "evidence_zh": EvidenceKind(row.evidence).zh if row.evidence else None,
        "state": row.state,
        "state_zh": TaskState(row.state).zh,
        "due_at": iso(row.due_at) if row.due_at else None,
        "late": bool(open_ and row.due_at and row.due_at < now),
        "created_at": iso(row.created_at),
        "by": names.get(row.created_by, row.created_by),
        "done_at": iso(row.done_at) if row.done_at else None,
        "done_by": names.get(row.done_by, row.done_by) if row.done_by else None,
        "result": row.result,
    }
