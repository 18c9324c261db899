"""Proof: what stops a clock, what is signed instead of it, and what no longer stands (law 8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import Connection, Row, select

from models.core.clock import met
from models.core.dossier import receipt_key
from models.core.moment import clock_face, iso
from models.core.vocabulary import ClockState, EvidenceKind, Stage, StartEvent
from models.ledger import captures, clocks, incidents, limits
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import JOURNAL, append
from models.ledger.planning import CLOCK, EVIDENCE, RulesFor, begins_another, replan, waiting_for

RETRACTED = "retracted"
MUST_STAYS = "（办结前必办的事项仍须完成，或由带班领导以上核销 task drop）"
"""Of a waiver by somebody who may not strike off what must be done."""


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
    row = incidents.still_open(incidents.get(conn, incident_id))
    _check_proof(proof, at, incidents.known_times(conn, row.id))
    waiting = waiting_for(conn, row.id, proof.kind, rule_id, proof.published_at)
    if rule_id and not waiting:
        raise NotAllowed(_why_not(conn, row, proof.kind, rule_id))
    _unused(conn, row.id, proof)
    evidence_id = uuid4().hex
    why = f"{proof.kind.zh} {clock_face(proof.published_at)} {proof.publisher}"
    ended = [clocks.ending(c.id, met(c.due_at, proof.published_at), at, why, evidence_id) for c in waiting]
    stage = _responding(row)
    if stage:
        ended += limits.ended(limits.live(conn, row.id, "stage."), None, at, "已发布")
    payload = {
        "clocks": [c.rule_id for c in waiting],
        "kind": proof.kind.value,
        "insert": {"evidence": [_evidence_row(evidence_id, row.id, proof, by, reason)]},
        "update": {"clock": ended, "incident": stage},
    }
    keep(conn, proof)
    append(conn, at, [Entry("evidence_added", payload, by, reason, row.id)])
    next_link = begins_another(conn, at, row, rules_for, [c.rule_id for c in waiting])
    if proof.kind.value in incidents.PUBLICATIONS or next_link:
        replan(conn, at, row, rules_for, f"{proof.kind.zh} {clock_face(proof.published_at)}")
    return [c.rule_id for c in waiting]


def _responding(row: Row[Any]) -> list[dict[str, Any]]:
    """What is published puts an incident into 回应, unless it is there or beyond."""
    beyond = row.stage in (Stage.RESPOND.value, Stage.EVALUATE.value)
    return [] if beyond else [{"id": row.id, "stage": Stage.RESPOND.value}]


def _check_proof(proof: Proof, at: datetime, times: Mapping[StartEvent, datetime]) -> None:
    if not proof.url and not proof.document:
        raise NotAllowed("凭据须有发布地址(url)或文件名称(document)，二者至少其一")
    if proof.url and (urlsplit(proof.url).scheme not in ("http", "https") or not urlsplit(proof.url).netloc):
        raise NotAllowed(f"{proof.url} 不是网址；请写完整的 http(s) 地址")
    incidents.not_future(proof.published_at, at, "发布")
    began = min(times.values(), default=None)
    if began and proof.published_at < began - incidents.SKEW:
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
    used = receipt_used(conn, proof.document) if _is_receipt(proof) else None
    if used:
        raise NotAllowed(f"回执“{proof.document}”已用于 舆-{used}，一个回执只能用一次；请核对编号")


def _is_receipt(proof: Proof) -> bool:
    """Does it bear a number that a receiver gave once? A name without digits may come again."""
    named = proof.document or ""
    return proof.kind is EvidenceKind.HANDOVER_RECEIPT and any(mark.isdecimal() for mark in named)


def receipt_used(conn: Connection, number: str | None) -> str | None:
    """The incident for which a standing hand-over receipt of that number was given, if any."""
    rows = conn.execute(
        select(EVIDENCE.c.incident_id, EVIDENCE.c.url).where(
            EVIDENCE.c.kind == EvidenceKind.HANDOVER_RECEIPT.value, EVIDENCE.c.standing.is_(None)
        )
    )
    wanted = receipt_key(number or "")
    return next((row.incident_id for row in rows if receipt_key(row.url or "") == wanted), None)


def stands(conn: Connection, evidence_id: str) -> bool:
    """Has this evidence not been taken back?"""
    query = select(EVIDENCE.c.id).where(EVIDENCE.c.id == evidence_id, EVIDENCE.c.standing.is_(None))
    return conn.execute(query).first() is not None


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
    if proof.snapshot:
        captures.keep(conn, proof.snapshot, proof.media_type)


def waive(
    conn: Connection,
    at: datetime,
    incident_id: str,
    rule_id: str,
    by: str,
    name: str,
    reason: str,
    *,
    frees: bool = True,
) -> None:
    """ "No reply is needed", signed and counted apart from met (law 8). `frees`: may who signs also strike off what
    must be done? Else the clock ends, and the closing asks for its proof still."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed("免除时钟必须写明理由(--reason)")
    waiting = [c for c in clocks.live_clocks(conn, row.id) if c.rule_id == rule_id]
    if not waiting:
        raise NotAllowed(_no_such_clock(conn, row, rule_id))
    said = f"{name} 免除: {reason}{'' if frees else MUST_STAYS}"
    ended = [clocks.ending(c.id, ClockState.WAIVED, at, said) for c in waiting]
    payload = {"clocks": [rule_id], "frees": frees, "update": {"clock": ended}}
    append(conn, at, [Entry("clock_waived", payload, by, reason, row.id)])


def waived_alone(conn: Connection, incident_id: str) -> frozenset[str]:
    """The clocks whose waivers ended them and nothing else, for want of rank."""
    query = select(JOURNAL.c.payload).where(
        JOURNAL.c.incident_id == incident_id, JOURNAL.c.kind == "clock_waived"
    )
    told = (json.loads(payload) for payload in conn.execute(query).scalars())
    return frozenset(
        each["id"] for one in told if not one.get("frees", True) for each in one["update"]["clock"]
    )


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
