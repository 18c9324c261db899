"""What people do to an incident, each as read → decide → append on an open write transaction.

Every act names who and why, and is refused with the rule in words when a law forbids it. None of
them passes through Prefect. Which rules apply is handed in as `rules_for` (the playbooks' answer).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, insert, select

from models.core.clock import met
from models.core.moment import clock_face, iso
from models.core.situation import Situation
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
from models.ledger import books, clocks, incidents
from models.ledger.clocks import BoundRule
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.records import Clock, Evidence, Snapshot

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
RulesFor = Callable[[Situation], Sequence[BoundRule]]


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
        _not_future(value, at, event.zh)
        _stateable(event)
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


SKEW = timedelta(minutes=1)
"""Clocks of people and platforms differ by so much without anybody lying."""


def _not_future(value: datetime, at: datetime, what: str) -> None:
    if value > at + SKEW:
        raise NotAllowed(f"{what}时间 {clock_face(value)} 在将来(现在 {clock_face(at)})；请核对后重报")


def _stateable(event: StartEvent) -> None:
    if not event.stated:
        raise NotAllowed(f"{event.zh}的时间由凭据决定，不能直接填写；请登记凭据(stop)或撤回凭据(retract)")


def _still_open(row: Row[Any]) -> Row[Any]:
    if row.closed_at is not None:
        raise NotAllowed(f"{row.ref} 已办结；如需再办，请先用 reopen 重开并说明理由")
    return row


def acknowledge(
    conn: Connection, at: datetime, incident_id: str, by: str, name: str, reason: str, rules_for: RulesFor
) -> None:
    """签收: stops repeats to this person, ends the acknowledgement clock, stops no other."""
    row = _still_open(incidents.get(conn, incident_id))
    times = incidents.known_times(conn, row.id)
    first = StartEvent.ACK not in times
    waiting = _stopped_by(conn, row.id, EvidenceKind.ACKNOWLEDGEMENT, None, at)
    ended = [clocks.ending(c.id, met(c.due_at, at), at, f"{name} 签收") for c in waiting]
    payload: dict[str, Any] = {
        "name": name,
        "insert": {"ack": [_ack_row(row.id, by, at, reason)]},
        "update": {"clock": ended},
    }
    if first:
        payload["insert"]["incidenttime"] = [incidents.time_row(row.id, StartEvent.ACK, at, by, reason, at)]
    append(conn, at, [Entry("acknowledged", payload, by, reason, row.id)])
    if first or _begins_another(conn, at, row, rules_for, [c.rule_id for c in waiting]):
        replan(conn, at, row, rules_for, "首次签收" if first else "签收")


def _stopped_by(
    conn: Connection, incident_id: str, kind: EvidenceKind, rule_id: str | None, published_at: datetime
) -> list[Row[Any]]:
    return [
        clock
        for clock in clocks.live_clocks(conn, incident_id)
        if _answers(kind, published_at, clock) and rule_id in (None, clock.rule_id)
    ]


def stopped_by(
    conn: Connection, incident_id: str, kind: EvidenceKind, published_at: datetime
) -> list[Row[Any]]:
    """The clocks that such a proof would stop."""
    return _stopped_by(conn, incident_id, kind, None, published_at)


def _answers(kind: str, published_at: datetime, clock: Row[Any]) -> bool:
    """Does such a proof stop this clock? What a round of 持续发布, or a link of a chain, began with does not
    end it."""
    ends_a_round = StartEvent(clock.start_event).stated or published_at > clock.started_at
    return kind in clock.evidence and ends_a_round


def _begins_another(
    conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor, ended: Sequence[str]
) -> bool:
    """Does a clock of this incident start when one of those that just ended is stopped?"""
    if not ended:
        return False
    times = incidents.known_times(conn, row.id)
    held = books.rules_of(conn, row.id, rules_for)
    return any(each.rule.after in ended for each in held(incidents.situation(row, times, at)))


def replan(conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor, why: str) -> None:
    """Bring the incident's clocks in line with its situation and times as they stand now."""
    fresh = incidents.get(conn, row.id)
    existing = conn.execute(select(CLOCK).where(CLOCK.c.incident_id == row.id)).all()
    times = incidents.known_times(conn, row.id)
    bound = books.rules_of(conn, row.id, rules_for)(incidents.situation(fresh, times, at))
    before = clocks.missing(conn, row.id)
    ended = clocks.ends(conn, row.id)
    frozen = books.freezing(conn, at, row.id, bound, rules_for)
    append(conn, at, [*frozen, *clocks.replan(existing, bound, times, row.id, at, why, before, ended)])
    used = _use_earlier_evidence(conn, at, row.id)
    if any(each.rule.after in used for each in bound):
        replan(conn, at, row, rules_for, why)  # the next link of the chain; chains have no cycles


def plan_refused(conn: Connection, at: datetime, rules_for: RulesFor) -> int:
    """Try again every clock that was refused for want of a calendar; how many are planned now."""
    before = clocks.refused(conn)
    for incident_id in {one.incident_id for one in before}:
        replan(conn, at, incidents.get(conn, incident_id), rules_for, "工作日历已补，重新设钟")
    return len(before) - len(clocks.refused(conn))


def out_of_step(conn: Connection, at: datetime, rules_for: RulesFor) -> list[str]:
    """The open incidents whose heat now asks for other clocks than they have. Reads only."""
    return [row.id for row in incidents.open_ones(conn) if _is_out_of_step(conn, at, row, rules_for)]


def keep_pace(conn: Connection, at: datetime, incident_id: str, rules_for: RulesFor) -> None:
    """Plan an incident anew that is out of step, and say what its heat is."""
    row = incidents.get(conn, incident_id)
    now = incidents.situation(row, {}, at)
    heat = f"线索 {now.signals} 条，距上一条 {now.quiet_hours} 小时"
    replan(conn, at, row, rules_for, f"{heat}，时钟随之调整")


def _is_out_of_step(conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor) -> bool:
    times = incidents.known_times(conn, row.id)
    existing = conn.execute(select(CLOCK).where(CLOCK.c.incident_id == row.id)).all()
    ended = clocks.ends(conn, row.id)
    bound = books.rules_of(conn, row.id, rules_for)(incidents.situation(row, times, at))
    return clocks.out_of_step(existing, bound, times, ended)


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
    row = _still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed("更换预案版本必须写明理由(--reason)")
    moved = books.moving(conn, at, row.id, by, reason, rules_for, playbook)
    append(conn, at, moved)
    names = "、".join(f"{each.payload['playbook']}@{each.payload['to']}" for each in moved)
    replan(conn, at, row, rules_for, f"改按预案 {names}")


def _use_earlier_evidence(conn: Connection, at: datetime, incident_id: str) -> list[str]:
    """A clock that is planned now ends at once on evidence in hand: what was published stays published
    when a grade is raised, a time corrected, an incident merged. What stood before a reopening does not.
    Returns the rule ids of the clocks that ended."""
    since = incidents.reopened_at(conn, incident_id)
    query = (
        select(EVIDENCE)
        .where(EVIDENCE.c.incident_id == incident_id, EVIDENCE.c.standing.is_(None))
        .order_by(EVIDENCE.c.published_at)
    )
    proofs = [proof for proof in conn.execute(query) if since is None or proof.seen_at > since]
    ended = []
    for clock in clocks.live_clocks(conn, incident_id):
        fits = (
            p
            for p in proofs
            if p.published_at >= clock.started_at and _answers(p.kind, p.published_at, clock)
        )
        proof = next(fits, None) if iso(clock.created_at) == iso(at) else None
        if proof is not None:
            why = (
                f"已有凭据: {EvidenceKind(proof.kind).zh} {clock_face(proof.published_at)} {proof.publisher}"
            )
            ended.append(clocks.ending(clock.id, met(clock.due_at, proof.published_at), at, why, proof.id))
    if ended:
        payload = {"clocks": [change["id"].split(":")[1] for change in ended], "update": {"clock": ended}}
        append(conn, at, [Entry("earlier_evidence_used", payload, "huiying", "凭据此前已登记", incident_id)])
    return [change["id"].split(":")[1] for change in ended]


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
    row = _still_open(incidents.get(conn, incident_id))
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
    replan(conn, at, row, rules_for, f"级别由 {row.grade} 定为 {grade.value}")


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
    row = _still_open(incidents.get(conn, incident_id))
    _not_future(value, at, event.zh)
    _stateable(event)
    made = incidents.time_row(row.id, event, value, by, reason, at)
    payload = {"event": event.value, "value": iso(value), "insert": {"incidenttime": [made]}}
    append(conn, at, [Entry("time_corrected", payload, by, reason, row.id)])
    replan(conn, at, row, rules_for, f"{event.zh}时间更正为 {clock_face(value)}")


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
    replan(conn, at, row, rules_for, f"得知{event.zh}时间 {clock_face(value)}")


@dataclass(frozen=True, slots=True)
class Proof:
    """What stops a clock: published by whom, when by the platform, seen by us when (law 8)."""

    kind: EvidenceKind
    publisher: str
    published_at: datetime
    seen_at: datetime
    url: str | None = None
    document: str | None = None
    snapshot: bytes = b""
    media_type: str = "text/plain; charset=utf-8"

    @property
    def sha256(self) -> str:
        """Over the snapshot, else over the words that identify the document."""
        words = f"{self.kind.value}|{self.url or ''}|{self.document or ''}|{iso(self.published_at)}"
        return hashlib.sha256(self.snapshot or words.encode()).hexdigest()


def stop(
    conn: Connection,
    at: datetime,
    incident_id: str,
    proof: Proof,
    by: str,
    reason: str,
    rules_for: RulesFor,
    rule_id: str | None = None,
) -> list[str]:
    """Add evidence; every open or armed clock that asks for this kind ends. Returns those rule ids.

    What we publish begins the next round of every clock that counts from the last publication.
    """
    row = _still_open(incidents.get(conn, incident_id))
    _check_proof(proof, at, incidents.known_times(conn, row.id))
    waiting = _stopped_by(conn, row.id, proof.kind, rule_id, proof.published_at)
    if rule_id and not waiting:
        raise NotAllowed(_why_not(conn, row, proof.kind, rule_id))
    _unused(conn, row.id, proof)
    evidence_id = uuid4().hex
    why = f"{proof.kind.zh} {clock_face(proof.published_at)} {proof.publisher}"
    ended = [clocks.ending(c.id, met(c.due_at, proof.published_at), at, why, evidence_id) for c in waiting]
    payload = {
        "clocks": [c.rule_id for c in waiting],
        "kind": proof.kind.value,
        "insert": {"evidence": [_evidence_row(evidence_id, row.id, proof, by, reason)]},
        "update": {"clock": ended, "incident": [{"id": row.id, "stage": Stage.RESPOND.value}]},
    }
    keep(conn, proof)
    append(conn, at, [Entry("evidence_added", payload, by, reason, row.id)])
    next_link = _begins_another(conn, at, row, rules_for, [c.rule_id for c in waiting])
    if proof.kind.value in incidents.PUBLICATIONS or next_link:
        replan(conn, at, row, rules_for, f"{proof.kind.zh} {clock_face(proof.published_at)}")
    return [c.rule_id for c in waiting]


def _check_proof(proof: Proof, at: datetime, times: Mapping[StartEvent, datetime]) -> None:
    if not proof.url and not proof.document:
        raise NotAllowed("凭据须有发布地址(url)或文件名称(document)，二者至少其一")
    if proof.url and (urlsplit(proof.url).scheme not in ("http", "https") or not urlsplit(proof.url).netloc):
        raise NotAllowed(f"{proof.url} 不是网址；请写完整的 http(s) 地址")
    _not_future(proof.published_at, at, "发布")
    began = min(times.values(), default=None)
    if began and proof.published_at < began - SKEW:
        raise NotAllowed(
            f"发布时间 {clock_face(proof.published_at)} 早于事件已知的最早时间 {clock_face(began)}；请核对"
        )


def _why_not(conn: Connection, row: Row[Any], kind: EvidenceKind, rule_id: str) -> str:
    found = [c for c in clocks.live_clocks(conn, row.id) if c.rule_id == rule_id]
    if found and kind.value in found[0].evidence:
        began = clock_face(found[0].started_at)
        return f"“{found[0].name}”这一轮自 {began} 起算，只有此后的发布才能停止它；请核对发布时间"
    if found:
        wanted = "、".join(EvidenceKind(k).zh for k in found[0].evidence)
        return f"{kind.zh}不能停止“{found[0].name}”；它要的凭据是: {wanted}"
    return _no_such_clock(conn, row, rule_id)


def _no_such_clock(conn: Connection, row: Row[Any], rule_id: str) -> str:
    names = [c.rule_id for c in clocks.live_clocks(conn, row.id)]
    near = get_close_matches(rule_id, names, n=1)
    hint = f"，是不是 “{near[0]}”？" if near else ""
    return f"{row.ref} 没有进行中的时钟 {rule_id}{hint}；进行中的有: {'、'.join(names) or '无'}"


def _unused(conn: Connection, incident_id: str, proof: Proof) -> None:
    """The same proof twice for one incident is refused (a receipt is used once)."""
    twice = conn.execute(
        select(EVIDENCE.c.id).where(
            EVIDENCE.c.incident_id == incident_id,
            EVIDENCE.c.kind == proof.kind.value,
            EVIDENCE.c.sha256 == proof.sha256,
            EVIDENCE.c.standing.is_(None),
        )
    ).first()
    if twice:
        raise NotAllowed("这一凭据此前已登记，不能重复使用")


def _evidence_row(evidence_id: str, incident_id: str, proof: Proof, by: str, reason: str) -> dict[str, Any]:
    return {
        "id": evidence_id,
        "incident_id": incident_id,
        "kind": proof.kind.value,
        "url": proof.url or proof.document,
        "publisher": proof.publisher,
        "published_at": iso(proof.published_at),
        "seen_at": iso(proof.seen_at),
        "sha256": proof.sha256,
        "by": by,
        "reason": reason,
    }


def keep(conn: Connection, proof: Proof) -> None:
    """Keep the bytes that the proof's SHA-256 was taken of, once."""
    table: Table = Snapshot.__table__  # type: ignore[attr-defined]
    known = conn.execute(select(table.c.sha256).where(table.c.sha256 == proof.sha256)).first()
    if proof.snapshot and not known:
        conn.execute(
            insert(table).values(sha256=proof.sha256, content=proof.snapshot, media_type=proof.media_type)
        )


def waive(
    conn: Connection, at: datetime, incident_id: str, rule_id: str, by: str, name: str, reason: str
) -> None:
    """ "No reply is needed", signed and counted apart from met (law 8)."""
    row = _still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed("免除时钟必须写明理由(--reason)")
    waiting = [c for c in clocks.live_clocks(conn, row.id) if c.rule_id == rule_id]
    if not waiting:
        raise NotAllowed(_no_such_clock(conn, row, rule_id))
    ended = [clocks.ending(c.id, ClockState.WAIVED, at, f"{name} 免除: {reason}") for c in waiting]
    payload = {"clocks": [rule_id], "update": {"clock": ended}}
    append(conn, at, [Entry("clock_waived", payload, by, reason, row.id)])


def note(conn: Connection, at: datetime, incident_id: str, text: str, by: str) -> None:
    """Real progress, in words, on the incident's timeline; it renews an acknowledgement given before."""
    row = _still_open(incidents.get(conn, incident_id))
    if not text.strip():
        raise NotAllowed("进展内容不能为空")
    payload: dict[str, Any] = {"text": text}
    if by in incidents.acks(conn, [row.id]).get(row.id, {}):
        payload["insert"] = {"ack": [_ack_row(row.id, by, at, text)]}
    append(conn, at, [Entry("progress_noted", payload, by, text, row.id)])


def _ack_row(incident_id: str, by: str, at: datetime, reason: str) -> dict[str, Any]:
    return {"id": uuid4().hex, "incident_id": incident_id, "person_id": by, "at": iso(at), "reason": reason}


def assign(conn: Connection, at: datetime, incident_id: str, unit: str, by: str, reason: str) -> None:
    """Name the responsible unit 涉事责任部门; no clock restarts."""
    row = _still_open(incidents.get(conn, incident_id))
    payload = {"from": row.owner, "to": unit, "update": {"incident": [{"id": row.id, "owner": unit}]}}
    append(conn, at, [Entry("owner_assigned", payload, by, reason, row.id)])


def close(conn: Connection, at: datetime, incident_id: str, by: str, reason: str) -> None:
    """办结, refused while any clock is open: a clock stops on evidence or by a signed waiver.

    What the incident takes with it is what is armed still, and a round of 持续发布 that is not overdue.
    """
    row = _still_open(incidents.get(conn, incident_id))
    live = clocks.live_clocks(conn, row.id)
    running = [c for c in live if _why_it_goes(c, at) is None]
    if running:
        names = "、".join(f"{c.name}({c.rule_id})" for c in running)
        raise NotAllowed(f"{row.ref} 还有进行中的时钟: {names}；请先登记凭据(stop)或说明理由免除(waive)")
    ended = [clocks.ending(c.id, ClockState.SUPERSEDED, at, _why_it_goes(c, at) or "") for c in live]
    change = {"id": row.id, "stage": Stage.CLOSED.value, "closed_at": iso(at)}
    payload = {"update": {"incident": [change], "clock": ended}}
    append(conn, at, [Entry("incident_closed", payload, by, reason, row.id)])


def _why_it_goes(clock: Row[Any], at: datetime) -> str | None:
    """Why this clock needs no evidence when its incident closes; None when it needs some."""
    if clock.state == ClockState.ARMED.value:
        return "未扩散，随办结撤销预置"
    if clock.start_event == StartEvent.LAST_UPDATE.value and at < clock.due_at:
        return "随办结停止续报"
    return None


def retract(
    conn: Connection,
    at: datetime,
    incident_id: str,
    evidence_id: str,
    by: str,
    reason: str,
    rules_for: RulesFor,
) -> list[str]:
    """An evidence is withdrawn, gone or changed: the clocks that it had ended run again from the same
    start, and a closed incident is open again (law 8). Returns their rule ids.

    `evidence_id` may be cut short as long as it names one evidence.
    """
    row = incidents.get(conn, incident_id)
    if row.merged_into:
        raise NotAllowed(f"{row.ref} 已并入 舆-{row.merged_into}，请在该事件上操作")
    proof = _standing(conn, row, evidence_id)
    settled = [state.value for state in (ClockState.MET, ClockState.MET_LATE)]
    freed = conn.execute(
        select(CLOCK).where(
            CLOCK.c.incident_id == row.id, CLOCK.c.evidence_id == proof.id, CLOCK.c.state.in_(settled)
        )
    ).all()
    why = f"凭据撤回: {reason}"
    change = [] if row.closed_at is None else [{"id": row.id, "stage": Stage.ASSESS.value, "closed_at": None}]
    payload = {
        "kind": proof.kind,
        "clocks": [clock.rule_id for clock in freed],
        "update": {
            "evidence": [{"id": proof.id, "standing": RETRACTED}],
            "clock": [clocks.ending(c.id, ClockState.SUPERSEDED, at, why, proof.id) for c in freed],
            "incident": change,
        },
    }
    append(conn, at, [Entry("evidence_retracted", payload, by, reason, row.id)])
    replan(conn, at, row, rules_for, why)
    return [clock.rule_id for clock in freed]


RETRACTED = "retracted"


def _standing(conn: Connection, row: Row[Any], evidence_id: str) -> Row[Any]:
    """The one evidence of the incident that is meant and still stands."""
    if not evidence_id.strip():
        raise NotAllowed("请写明撤回哪一份凭据；编号见事件页或 huiying show")
    found = conn.execute(
        select(EVIDENCE).where(
            EVIDENCE.c.incident_id == row.id, EVIDENCE.c.id.startswith(evidence_id.strip(), autoescape=True)
        )
    ).all()
    if len(found) != 1:
        said = "没有" if not found else f"有 {len(found)} 份"
        raise NotAllowed(f"{row.ref} {said}编号为 {evidence_id} 的凭据；请核对事件页上的凭据编号")
    if found[0].standing is not None:
        raise NotAllowed("这一凭据此前已撤回")
    return found[0]


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
    replan(conn, at, row, rules_for, "事件重开")


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
