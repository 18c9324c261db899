"""A parcel 移送件: an incident as another installation gets it — its times, clocks, proofs and journal.

Contacts of our people never leave, nor do drafts that nobody has released: of the journal only what the parcel tells
anyway goes verbatim (`VERBATIM`), and of that nothing that holds contacts or personal data. Every other entry goes as
the hash of its payload, by which its seal can still be checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.casework import Verdict
from models.core.levels import PAYLOAD, SHAPE
from models.core.moment import iso, parse_iso
from models.core.personal import mask_personal, mask_said
from models.ledger import journal, statements
from models.ledger.announced import SILENT
from models.ledger.heard import said_at
from models.ledger.incidents import EVIDENCE, TIME
from models.ledger.journal import JOURNAL
from models.records import Clock, Judgement, Signal

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
MOST_ENTRIES = 400
MOST_ROWS = 200
"""Of times, clocks, proofs: more than any incident has had; what is left out is the oldest."""
PAYLOADS = 400_000
"""Bytes of payloads that go along verbatim, all together."""
VERBATIM = frozenset(
    {
        "incident_opened", "incident_closed", "incident_reopened", "clocks_planned", "clocks_superseded",
        "clock_refused", "clock_waived", "acknowledged", "taken", "grade_provisional", "grade_confirmed",
        "grade_proposed", "kind_corrected", "time_corrected", "time_learned", "evidence_added",
        "earlier_evidence_used", "evidence_retracted", "progress_noted",
    }
)  # fmt: skip
"""Entries whose payload may leave. A kind that is not named stays at home, so that a new one is no leak: texts under
review, meetings, packages of evidence, what other installations sent us."""
BODY = 1_000
"""Characters of a signal's words."""
CONTACTS = '"contacts"'
View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends it, and what the site lets out. `signals`: so many go along; `words`: with their texts, and with
    payloads, which quote them; `names`: person id → name."""

    id: str
    name: str
    region: str
    signals: int
    words: bool
    names: Mapping[str, str]


def compose(
    conn: Connection, row: Row[Any], at: datetime, sender: Sender, purpose: str, by: str, reason: str
) -> View:
    """The parcel's body, by the shape of `huiying schema parcel`."""
    return {
        "shape": SHAPE,
        "purpose": purpose,
        "made_at": iso(at),
        "by": sender.names.get(by, by),
        "reason": mask_personal(reason),
        "sender": {"id": sender.id, "name": sender.name, "region": sender.region},
        "incident": _subject(row),
        "times": _times(conn, row.id, sender.names),
        "clocks": _clocks(conn, row.id),
        "evidence": _evidence(conn, row.id),
        "statements": _statements(conn, row.id, sender.names),
        "signals": _signals(conn, row.id, sender),
        "journal": _journal(conn, row.id, sender.words),
    }


def _subject(row: Row[Any]) -> View:
    kept = ("id", "ref", "place", "grade", "provisional", "kind", "event_type", "medium", "domain", "stage")
    return {name: getattr(row, name) for name in kept} | {
        "title": mask_personal(row.title)[:500],
        "reason": mask_personal(row.reason)[:5000],
        "facts": {name: fact.get("value") for name, fact in (row.facts or {}).items()},
        "grade_parts": [_part(part) for part in (row.grade_parts or ())[:20]],
        "opened_at": iso(row.opened_at),
        "signal_count": row.signal_count,
    }


def _part(part: Mapping[str, Any]) -> View:
    return {**part, "reason": mask_personal(part.get("reason") or "")}


def _times(conn: Connection, incident_id: str, names: Mapping[str, str]) -> list[View]:
    query = select(TIME).where(TIME.c.incident_id == incident_id)
    rows = conn.execute(query.order_by(TIME.c.recorded_at.desc(), TIME.c.id.desc()).limit(MOST_ROWS)).all()
    return [
        {
            "event": row.event,
            "value": iso(row.value),
            "author": names.get(row.author, row.author),
            "reason": mask_personal(row.reason),
            "recorded_at": iso(row.recorded_at),
        }
        for row in reversed(rows)
    ]


def _clocks(conn: Connection, incident_id: str) -> list[View]:
    query = select(CLOCK).where(CLOCK.c.incident_id == incident_id, CLOCK.c.subject.is_(None))
    rows = conn.execute(query.order_by(CLOCK.c.created_at.desc(), CLOCK.c.id).limit(MOST_ROWS)).all()
    return [_clock(row) for row in reversed(rows)]


def _clock(row: Row[Any]) -> View:
    kept = (
        "rule_id",
        "name",
        "playbook",
        "version",
        "state",
        "start_event",
        "statutory",
        "basis",
        "evidence",
    )
    return {name: getattr(row, name) for name in kept} | {
        "started_at": iso(row.started_at),
        "due_at": iso(row.due_at),
        "reason": mask_personal(row.reason),
        "ended_at": iso(row.ended_at) if row.ended_at else None,
        "ended_reason": mask_personal(row.ended_reason) if row.ended_reason else None,
    }


def _evidence(conn: Connection, incident_id: str) -> list[View]:
    query = select(EVIDENCE).where(EVIDENCE.c.incident_id == incident_id, EVIDENCE.c.standing.is_(None))
    rows = conn.execute(query.order_by(EVIDENCE.c.published_at.desc(), EVIDENCE.c.id).limit(MOST_ROWS)).all()
    return [
        {
            "kind": row.kind,
            "url": row.url,
            "publisher": row.publisher,
            "published_at": iso(row.published_at),
            "seen_at": iso(row.seen_at),
            "sha256": row.sha256,
            "reason": mask_personal(row.reason),
        }
        for row in reversed(rows)
    ]


def _statements(conn: Connection, incident_id: str, names: Mapping[str, str]) -> list[View]:
    return [
        {
            "title": mask_personal(row.title)[:500],
            "kind": row.kind,
            "state": row.state,
            "version": row.version,
            "sha256": row.sha256,
            "approvals": _approvals(conn, row, names),
        }
        for row in statements.of_incident(conn, incident_id)[:100]
    ]


def _approvals(conn: Connection, row: Row[Any], names: Mapping[str, str]) -> list[View]:
    """Who passed the version as it stands, step by step."""
    steps = {step["key"]: step.get("name", step["key"]) for step in row.chain or ()}
    return [
        {
            "step": steps.get(mark.step, mark.step),
            "name": names.get(mark.person, mark.person),
            "at": iso(mark.at),
        }
        for mark in statements.signatures(conn, row.id, row.version)
        if mark.verdict == Verdict.PASSED.value
    ]


def _signals(conn: Connection, incident_id: str, sender: Sender) -> View:
    """The newest, masked; the others are counted."""
    theirs = JUDGEMENT.c.incident_id == incident_id
    joined = select(SIGNAL).join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id).where(theirs)
    rows = conn.execute(joined.order_by(SIGNAL.c.id.desc()).limit(sender.signals)).all()
    total = conn.execute(select(func.count()).select_from(JUDGEMENT).where(theirs)).scalar_one()
    listed = [_signal(row, sender.words) for row in rows]
    return {"total": total, "left_out": total - len(listed), "listed": listed}


def _signal(row: Row[Any], words: bool) -> View:
    return {
        "at": iso(said_at(row)),
        "title": mask_said(row.title, row.medium, row.author)[:500],
        "body": mask_said(row.body, row.medium, row.author)[:BODY] if words else "",
        "url": row.url,
        "source": row.source_id,
        "medium": row.medium,
    }


# ── the journal ───────────────────────────────────────────────────────────────────────────────


def _journal(conn: Connection, incident_id: str, words: bool) -> View:
    """The incident's entries, the newest, in their order; what merely counts is left out and counted."""
    theirs = JOURNAL.c.incident_id == incident_id
    query = select(JOURNAL).where(theirs, JOURNAL.c.kind.not_in(SILENT))
    rows = conn.execute(query.order_by(JOURNAL.c.seq.desc()).limit(MOST_ENTRIES)).all()
    total = conn.execute(select(func.count()).select_from(JOURNAL).where(theirs)).scalar_one()
    seq, head = journal.length(conn)
    return {
        "head": {"seq": seq, "hash": head},
        "entries": _entries(rows, PAYLOADS if words else 0),
        "left_out": total - len(rows),
    }


def _entries(newest_first: Sequence[Row[Any]], room: int) -> list[View]:
    made = []
    for row in newest_first:
        entry = _entry(row, room)
        room -= len((entry["payload"] or "").encode())
        made.append(entry)
    return made[::-1]


def _entry(row: Row[Any], room: int) -> View:
    """As it stands, but for personal data: then its words are masked and `masked` says that its seal is not to
    be had from them."""
    content = row.payload.encode()
    leaves = len(content) <= min(room, PAYLOAD) and row.kind in VERBATIM and not _is_secret(row.payload)
    reason = mask_personal(row.reason)[:20_000]
    return {
        "seq": row.seq,
        "at": iso(row.at),
        "kind": row.kind,
        "actor": row.actor,
        "reason": reason,
        "payload": row.payload if leaves else None,
        "payload_sha256": hashlib.sha256(content).hexdigest(),
        "prev": row.prev,
        "hash": row.hash,
        "masked": reason != row.reason,
    }


def _is_secret(payload: str) -> bool:
    return CONTACTS in payload or mask_personal(payload) != payload


def forged(parcel: Mapping[str, Any]) -> str | None:
    """Which entry of a parcel's journal does not bear the seal that it claims; None when all hold."""
    for entry in parcel["journal"]["entries"]:
        wrong = _forged(entry, parcel["incident"]["id"])
        if wrong:
            return f"移送件里日志第 {entry['seq']} 条{wrong}；请移送方运行 huiying verify"
    return None


def _forged(entry: Mapping[str, Any], incident_id: str) -> str | None:
    if entry["payload"] is not None:
        found = hashlib.sha256(entry["payload"].encode()).hexdigest()
        if found != entry["payload_sha256"]:
            return "的内容与其哈希不符"
    if entry["masked"]:
        return None
    row = {**entry, "at": parse_iso(entry["at"]), "incident_id": incident_id}
    return None if journal.seal_over(row, entry["payload_sha256"]) == entry["hash"] else "与其哈希不符"
