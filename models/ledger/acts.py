"""What people do to an incident, each as read → decide → append on an open write transaction.

Every act names who and why, and is refused with the rule in words when a law forbids it. None of
them passes through Prefect. Which rules apply is handed in as `rules_for` (the playbooks' answer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select

from models.core.clock import met
from models.core.moment import clock_face, iso
from models.core.vocabulary import (
    ClockState,
    Domain,
    EventType,
    EvidenceKind,
    Grade,
    OpinionKind,
    Stage,
    StartEvent,
)
from models.ledger import books, clocks, incidents, parties, planning, stages, tasks
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.planning import CLOCK, RulesFor


@dataclass(frozen=True, slots=True)
class Opening:
    """All that is known when an incident opens. `times` holds at least discovery."""

    title: str
    grade: Grade
    times: Mapping[StartEvent, datetime]
    by: str
    reason: str
    provisional: bool = True
    grade_parts: Sequence[dict[str, Any]] = ()
    kind: OpinionKind | None = None
    event_type: EventType | None = None
    place: str | None = None
    owner: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    medium: str | None = None
    domain: Domain | None = None
    why: Mapping[StartEvent, str] = field(default_factory=dict)  # of a time, where it is not the opening's


def open_incident(conn: Connection, at: datetime, opening: Opening, rules_for: RulesFor) -> str:
    """Open an incident with every clock that its situation calls for; returns its id."""
    for event, value in opening.times.items():
        incidents.not_future(value, at, event.zh)
        incidents.stateable(event)
    incident_id = incidents.next_id(conn, at)
    row = _incident_row(incident_id, opening, at)
    times = [
        incidents.time_row(incident_id, event, value, opening.by, opening.why.get(event, opening.reason), at)
        for event, value in opening.times.items()
    ]
    payload = {
        "title": opening.title,
        "grade": opening.grade.value,
        "insert": {"incident": [row], "incidenttime": times},
    }
    entries = [Entry("incident_opened", payload, opening.by, opening.reason, incident_id)]
    bound = rules_for(incidents.situation(row, opening.times, at))
    entries += books.freezing(conn, at, incident_id, bound, rules_for)
    entries += clocks.replan((), bound, opening.times, incident_id, at, f"定级 {opening.grade.value}")
    append(conn, at, entries)
    return incident_id


def _incident_row(incident_id: str, opening: Opening, at: datetime) -> dict[str, Any]:
    return {
        "id": incident_id,
        "ref": f"舆-{incident_id}",
        "title": opening.title,
        "place": opening.place,
        "grade": opening.grade.value,
        "provisional": opening.provisional,
        "grade_parts": list(opening.grade_parts),
        "kind": opening.kind.value if opening.kind else None,
        "event_type": opening.event_type.value if opening.event_type else None,
        "medium": opening.medium,
        "domain": opening.domain.value if opening.domain else None,
        "stage": Stage.ASSESS.value,
        "owner": opening.owner,
        "facts": opening.facts,
        "reason": opening.reason,
        "opened_by": opening.by,
        "opened_at": iso(at),
        "signal_count": 0,
    }


def acknowledge(
    conn: Connection, at: datetime, incident_id: str, by: str, name: str, reason: str, rules_for: RulesFor
) -> None:
    """签收: stops repeats to this person, ends the acknowledgement clock, stops no other."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    _acknowledged(conn, at, row, "acknowledged", by, name, reason, rules_for)


def take(
    conn: Connection, at: datetime, incident_id: str, by: str, name: str, reason: str, rules_for: RulesFor
) -> None:
    """接手: an acknowledgement, and from now on the incident is in this person's hands. It stops no other clock.

    Raises NotAllowed when it is theirs already.
    """
    row = incidents.still_open(incidents.get(conn, incident_id))
    if row.holder == by:
        raise NotAllowed(f"{row.ref} 已由您接手；无须再按，可记录进展、加凭据或升级")
    _acknowledged(conn, at, row, "taken", by, name, reason, rules_for)


def _acknowledged(
    conn: Connection,
    at: datetime,
    row: Row[Any],
    kind: str,
    by: str,
    name: str,
    reason: str,
    rules_for: RulesFor,
) -> None:
    times = incidents.known_times(conn, row.id)
    first = StartEvent.ACK not in times
    waiting = planning.waiting_for(conn, row.id, EvidenceKind.ACKNOWLEDGEMENT, None, at)
    ended = [clocks.ending(c.id, met(c.due_at, at), at, f"{name} 签收") for c in waiting]
    payload: dict[str, Any] = {
        "name": name,
        "insert": {"ack": [_ack_row(row.id, by, at, reason)]},
        "update": {"clock": ended},
    }
    if kind == "taken":
        payload["from"] = row.holder
        payload["update"]["incident"] = [{"id": row.id, "holder": by}]
    if first:
        payload["insert"]["incidenttime"] = [incidents.time_row(row.id, StartEvent.ACK, at, by, reason, at)]
    append(conn, at, [Entry(kind, payload, by, reason, row.id)])
    if first or planning.begins_another(conn, at, row, rules_for, [c.rule_id for c in waiting]):
        planning.replan(conn, at, row, rules_for, "首次签收" if first else "签收")


def move_playbook(
    conn: Connection,
    at: datetime,
    incident_id: str,
    by: str,
    reason: str,
    rules_for: RulesFor,
    playbook: str | None = None,
) -> None:
    """换预案版本: from now on the incident is held to what is in force today, from the same starts."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed("更换预案版本必须写明理由(--reason)")
    moved = books.moving(conn, at, row.id, by, reason, rules_for, playbook)
    append(conn, at, moved)
    names = "、".join(f"{each.payload['playbook']}@{each.payload['to']}" for each in moved)
    planning.replan(conn, at, row, rules_for, f"改按预案 {names}")


def set_grade(
    conn: Connection,
    at: datetime,
    incident_id: str,
    grade: Grade,
    by: str,
    reason: str,
    rules_for: RulesFor,
    *,
    provisional: bool = False,
    parts: Sequence[dict[str, Any]] | None = None,
    facts: dict[str, Any] | None = None,
    kind: OpinionKind | None = None,
    domain: Domain | None = None,
) -> None:
    """Set the grade; new clocks run from the same start, so some may be overdue at once (law 7)."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    change: dict[str, Any] = {"id": row.id, "grade": grade.value, "provisional": provisional}
    change |= {} if parts is None else {"grade_parts": list(parts)}
    change |= {} if facts is None else {"facts": facts}
    change |= {} if kind is None else {"kind": kind.value}
    change |= {} if domain is None else {"domain": domain.value}
    kind_of_entry = "grade_provisional" if provisional else "grade_confirmed"
    payload: dict[str, Any] = {"from": row.grade, "to": grade.value, "update": {"incident": [change]}}
    if grade > Grade(row.grade):  # a graver grade is news: it is to be acknowledged anew
        payload["insert"] = {
            "incidenttime": [incidents.time_row(row.id, StartEvent.GRADED, at, by, reason, at)]
        }
    append(conn, at, [Entry(kind_of_entry, payload, by, reason, row.id)])
    planning.replan(conn, at, row, rules_for, f"级别由 {row.grade} 定为 {grade.value}")


def propose_grade(conn: Connection, at: datetime, incident_id: str, grade: Grade, reason: str) -> None:
    """A machine's wish against a person's confirmed grade: written down, not acted on (law 14)."""
    payload = {"to": grade.value}
    append(conn, at, [Entry("grade_proposed", payload, "huiying", reason, incident_id)])


def correct_time(
    conn: Connection,
    at: datetime,
    incident_id: str,
    event: StartEvent,
    value: datetime,
    by: str,
    reason: str,
    rules_for: RulesFor,
) -> None:
    """A known time, corrected by a new entry; clocks that hang on it are planned anew."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    incidents.not_future(value, at, event.zh)
    incidents.stateable(event)
    made = incidents.time_row(row.id, event, value, by, reason, at)
    payload = {"event": event.value, "value": iso(value), "insert": {"incidenttime": [made]}}
    append(conn, at, [Entry("time_corrected", payload, by, reason, row.id)])
    planning.replan(conn, at, row, rules_for, f"{event.zh}时间更正为 {clock_face(value)}")


def learn_time(
    conn: Connection,
    at: datetime,
    incident_id: str,
    event: StartEvent,
    value: datetime,
    reason: str,
    rules_for: RulesFor,
) -> None:
    """A time that nobody knew until now, read by the machine; one that is known is left to people."""
    row = incidents.get(conn, incident_id)
    if row.closed_at is not None or event in incidents.known_times(conn, row.id):
        return
    made = incidents.time_row(row.id, event, value, "huiying", reason, at)
    payload = {"event": event.value, "value": iso(value), "insert": {"incidenttime": [made]}}
    append(conn, at, [Entry("time_learned", payload, "huiying", reason, row.id)])
    planning.replan(conn, at, row, rules_for, f"得知{event.zh}时间 {clock_face(value)}")


def note(conn: Connection, at: datetime, incident_id: str, text: str, by: str) -> None:
    """Real progress, in words, on the incident's timeline; it renews an acknowledgement given before."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not text.strip():
        raise NotAllowed("进展内容不能为空")
    payload: dict[str, Any] = {"text": text}
    if by in incidents.acks(conn, [row.id]).get(row.id, {}):
        payload["insert"] = {"ack": [_ack_row(row.id, by, at, text)]}
    append(conn, at, [Entry("progress_noted", payload, by, text, row.id)])


def _ack_row(incident_id: str, by: str, at: datetime, reason: str) -> dict[str, Any]:
    return {"id": uuid4().hex, "incident_id": incident_id, "person_id": by, "at": iso(at), "reason": reason}


def close(conn: Connection, at: datetime, incident_id: str, by: str, reason: str) -> None:
    """办结, refused with all that is missing at once: a clock stops on evidence or by a signed waiver, what
    must be done is done or struck off.

    What the incident takes with it is what is armed still, a round of 持续发布 that is not overdue, and the
    limits of stages and claims.
    """
    row = incidents.still_open(incidents.get(conn, incident_id))
    live = clocks.live_clocks(conn, row.id)
    missing = standing_in_the_way(conn, row.id, at)
    if missing:
        raise NotAllowed(f"{row.ref} {'；'.join(missing)}")
    ended = [clocks.ending(c.id, ClockState.SUPERSEDED, at, _why_it_goes(c, at) or "") for c in live]
    change = {"id": row.id, "stage": Stage.CLOSED.value, "closed_at": iso(at)}
    payload = {"update": {"incident": [change], "clock": ended}}
    append(conn, at, [Entry("incident_closed", payload, by, reason, row.id)])


def standing_in_the_way(conn: Connection, incident_id: str, at: datetime) -> list[str]:
    """Everything that keeps the incident from closing, each with its rule and the way out."""
    running = [c for c in clocks.live_clocks(conn, incident_id) if _why_it_goes(c, at) is None]
    names = "、".join(f"{c.name}({c.rule_id})" for c in running)
    said = [f"还有进行中的时钟: {names}；请先登记凭据(stop)或说明理由免除(waive)"] if running else []
    undone = tasks.must_open(conn, incident_id)
    if undone:
        way = "确实不需要的，由带班领导以上写明理由核销(task drop)"
        said += [f"还有 {len(undone)} 项必办事项未完成", *tasks.lacking(undone), way]
    return said


def _why_it_goes(clock: Row[Any], at: datetime) -> str | None:
    """Why this clock needs no evidence when its incident closes; None when it needs some."""
    if (clock.subject or "").startswith((stages.SUBJECT, parties.SUBJECT)):
        return "随办结结束"
    if clock.state == ClockState.ARMED.value:
        return "未扩散，随办结撤销预置"
    if clock.start_event == StartEvent.LAST_UPDATE.value and at < clock.due_at:
        return "随办结停止续报"
    return None


def reopen(
    conn: Connection, at: datetime, incident_id: str, by: str, reason: str, rules_for: RulesFor
) -> None:
    """重开: a retracted or wrong statement makes the incident open again."""
    row = incidents.get(conn, incident_id)
    if row.closed_at is None:
        raise NotAllowed(f"{row.ref} 未办结，无须重开")
    if row.merged_into:
        raise NotAllowed(f"{row.ref} 已并入 舆-{row.merged_into}，请在该事件上操作")
    change = {"id": row.id, "stage": Stage.ASSESS.value, "closed_at": None}
    payload = {"update": {"incident": [change], **_taken_back(conn, at, row.id)}}
    append(conn, at, [Entry("incident_reopened", payload, by, reason, row.id)])
    planning.replan(conn, at, row, rules_for, "事件重开")


def _taken_back(conn: Connection, at: datetime, incident_id: str) -> dict[str, list[dict[str, Any]]]:
    """What had ended on evidence or a waiver is no longer an end: new clocks run from the same start."""
    settled = [state.value for state in (ClockState.MET, ClockState.MET_LATE, ClockState.WAIVED)]
    rows = conn.execute(select(CLOCK).where(CLOCK.c.incident_id == incident_id, CLOCK.c.state.in_(settled)))
    ended = [
        clocks.ending(row.id, ClockState.SUPERSEDED, at, "事件重开", row.evidence_id)
        for row in rows
        if EvidenceKind.ACKNOWLEDGEMENT.value not in row.evidence
    ]
    return {"clock": ended} if ended else {}
