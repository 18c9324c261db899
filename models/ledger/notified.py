"""Notifications to other bodies: each leaves a receipt, used once, and they are to be told at the same time.

黔财办〔2017〕14号 (七)2 (S-041): 及时上报并同步通报 宣传部、网信办.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select

from models.core.assignments import Notification, skew
from models.core.clock import met
from models.core.moment import clock_face, iso, span
from models.core.vocabulary import EvidenceKind
from models.ledger import clocks, incidents, planning
from models.ledger.entry import Entry
from models.ledger.incidents import EVIDENCE, NotAllowed
from models.ledger.journal import append

RULE = "黔财办〔2017〕14号 (七)2 [S-041]"


def receipt(
    conn: Connection,
    at: datetime,
    incident_id: str,
    wanted: Sequence[Notification],
    to: str,
    number: str,
    told_at: datetime,
    by: str,
    reason: str,
    rules_for: planning.RulesFor,
) -> list[str]:
    """`to` was told at `told_at` and gave a receipt of that number. Its playbook's clocks that wait for such
    receipts end once every party of the group has its own. Returns their rule ids."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    groups = _groups(wanted, to)
    kind = groups[0].evidence or EvidenceKind.REPORT_RECEIPT
    _check(conn, row, number.strip(), to, kind, told_at, at)
    made = _evidence(row.id, kind, to, number.strip(), told_at, at, by, reason)
    told = times(conn, row.id, kind) | {to: told_at}
    whole = [group for group in groups if all(party in told for party in group.parties)]
    last = max((told[party] for group in whole for party in group.parties), default=told_at)
    why = f"{'、'.join(told)} 回执已齐，末次 {clock_face(last)}"
    waiting = [clock for group in whole for clock in _waiting(conn, row.id, group, kind)]
    ended = [clocks.ending(c.id, met(c.due_at, last), at, why, made["id"]) for c in waiting]
    payload = {
        "to": to,
        "number": number.strip(),
        "clocks": [clock.rule_id for clock in waiting],
        "insert": {"evidence": [made]},
        "update": {"clock": ended} if ended else {},
    }
    append(conn, at, [Entry("notified", payload, by, reason, row.id)])
    if planning.begins_another(conn, at, row, rules_for, [c.rule_id for c in waiting]):
        planning.replan(conn, at, row, rules_for, why)
    return [clock.rule_id for clock in waiting]


def _groups(wanted: Sequence[Notification], to: str) -> list[Notification]:
    """The groups of this party, those that ask for receipts before any other."""
    ranked = sorted(wanted, key=lambda group: group.evidence is None)
    found = [group for group in ranked if to in group.parties]
    if found:
        return found
    parties = list(dict.fromkeys(party for group in wanted for party in group.parties))
    near = get_close_matches(to, parties, n=1, cutoff=0.4)
    hint = f"，是不是 “{near[0]}”？" if near else ""
    raise NotAllowed(f"预案没有要求通报 “{to}”{hint}；要通报的有: {'、'.join(parties) or '无'}")


def _check(
    conn: Connection, row: Row[Any], number: str, to: str, kind: EvidenceKind, told_at: datetime, at: datetime
) -> None:
    if not number:
        raise NotAllowed(f"请写明 {to} 的回执编号(receipt)；没有编号的写收文人和时间")
    incidents.not_future(told_at, at, "通报")
    began = min(incidents.known_times(conn, row.id).values(), default=None)
    if began and told_at < began - incidents.SKEW:
        raise NotAllowed(f"通报时间 {clock_face(told_at)} 早于事件已知的最早时间 {clock_face(began)}；请核对")
    _unused(conn, row, number, to)
    if to in times(conn, row.id, kind):
        raise NotAllowed(f"{to} 的回执此前已登记；有误请先撤回那份凭据(retract)再登记")


def _unused(conn: Connection, row: Row[Any], number: str, to: str) -> None:
    """A number of one body counts once for ever; one number for several bodies of an incident is a mistake."""
    used = conn.execute(
        select(EVIDENCE.c.incident_id, EVIDENCE.c.publisher).where(
            EVIDENCE.c.url == number,
            EVIDENCE.c.standing.is_(None),
            (EVIDENCE.c.publisher == to) | (EVIDENCE.c.incident_id == row.id),
        )
    ).first()
    if used:
        raise NotAllowed(
            f"回执 {number} 已用于舆-{used.incident_id}({used.publisher})，一份回执只能用一次；请核对编号"
        )


def _evidence(
    incident_id: str,
    kind: EvidenceKind,
    to: str,
    number: str,
    told_at: datetime,
    at: datetime,
    by: str,
    reason: str,
) -> dict[str, Any]:
    words = f"{kind.value}|{to}|{number}|{iso(told_at)}"
    return {
        "id": uuid4().hex,
        "incident_id": incident_id,
        "kind": kind.value,
        "url": number,
        "publisher": to,
        "published_at": iso(told_at),
        "seen_at": iso(at),
        "sha256": hashlib.sha256(words.encode()).hexdigest(),
        "by": by,
        "reason": reason,
    }


def _waiting(conn: Connection, incident_id: str, group: Notification, kind: EvidenceKind) -> list[Row[Any]]:
    return [
        clock
        for clock in clocks.live_clocks(conn, incident_id)
        if clock.playbook == group.playbook and kind.value in clock.evidence
    ]


def times(conn: Connection, incident_id: str, kind: EvidenceKind) -> dict[str, datetime]:
    """Party → when it was told, by the receipts of the kind that stand."""
    return {row.publisher: row.published_at for row in _receipts(conn, incident_id, kind)}


def _receipts(conn: Connection, incident_id: str, kind: EvidenceKind) -> Sequence[Row[Any]]:
    return conn.execute(
        select(EVIDENCE)
        .where(
            EVIDENCE.c.incident_id == incident_id,
            EVIDENCE.c.kind == kind.value,
            EVIDENCE.c.standing.is_(None),
        )
        .order_by(EVIDENCE.c.published_at.desc())
    ).all()


def view(
    conn: Connection, incident_id: str, wanted: Sequence[Notification], names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Each group with its parties, their receipts, and the skew judged; what two playbooks ask alike, once."""
    once: dict[object, Notification] = {}
    for group in wanted:
        once.setdefault((group.parties, group.evidence, group.skew), group)
    ordered = sorted(once.values(), key=lambda group: group.evidence is None)
    return [_shown(conn, incident_id, group, names) for group in ordered]


def _shown(
    conn: Connection, incident_id: str, group: Notification, names: Mapping[str, str]
) -> dict[str, Any]:
    kind = group.evidence or EvidenceKind.REPORT_RECEIPT
    rows = {row.publisher: row for row in _receipts(conn, incident_id, kind)}
    judged = skew({party: row.published_at for party, row in rows.items()}, group.parties, group.skew)
    return {
        "playbook": group.playbook,
        "number": group.number,
        "evidence_zh": kind.zh if group.evidence else None,
        "basis": list(group.basis),
        "parties": [_party(party, rows.get(party), names) for party in group.parties],
        "missing": [party for party in group.parties if party not in rows],
        "apart_s": judged.apart.total_seconds() if judged.first else None,
        "skew_s": group.skew.total_seconds() if group.skew else None,
        "within": judged.within,
        "said": _said(group, judged.apart.total_seconds(), judged.within, len(rows)),
    }


def _party(party: str, row: Row[Any] | None, names: Mapping[str, str]) -> dict[str, Any]:
    if row is None:
        return {"name": party, "at": None, "receipt": None, "by": None, "evidence_id": None}
    by = names.get(row.by, row.by)
    return {
        "name": party,
        "at": iso(row.published_at),
        "receipt": row.url,
        "by": by,
        "evidence_id": row.id,
    }


def _said(group: Notification, apart: float, within: bool | None, told: int) -> str:
    """相差 8 分钟，未超过 10 分钟."""
    if within is None or group.skew is None:
        return "" if told else "尚未通报"
    verdict = "未超过" if within else "超过"
    return f"先后相差 {span(apart) if apart else '0 分'}，{verdict}允许的 {span(group.skew.total_seconds())}"
