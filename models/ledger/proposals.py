"""Proposals 凭据建议: our publications that seem to answer an incident, each put before a person once.

A person accepts one, which stops clocks by the platform's time, or rejects it with a reason, which is
remembered and can teach the matching. Where every clock that it would stop allows it, a sure one is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, func, select, true

from models.core.moment import iso
from models.core.vocabulary import EvidenceKind, Medium, ProposalState
from models.ledger import books, incidents, planning, proving
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.planning import RulesFor
from models.ledger.projections import plain
from models.ledger.proving import Proof
from models.records import Evidence, Incident, Proposal, Signal, Snapshot

PROPOSAL: Table = Proposal.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
SNAPSHOT: Table = Snapshot.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Found:
    """A match that is worth a person's look: the publication, and why it seems to answer."""

    incident_id: str
    source_id: str
    url: str | None
    title: str
    text: str
    publisher: str
    account: str | None
    kind: EvidenceKind
    published_at: datetime
    seen_at: datetime
    score: float
    sure: bool
    reasons: Sequence[str]

    @property
    def item(self) -> str:
        return item_of(self.url, self.source_id, self.title)

    @property
    def snapshot(self) -> bytes:
        return f"{self.title}\n\n{self.text}\n\n{self.url or ''}".strip().encode()

    @property
    def proof(self) -> Proof:
        return Proof(
            self.kind, self.publisher, self.published_at, self.seen_at, self.url, self.title, self.snapshot
        )


def item_of(url: str | None, source_id: str, title: str) -> str:
    """The same publication is the same item: its address, else its source and title."""
    return hashlib.sha256((url or f"{source_id}|{title}").encode()).hexdigest()[:32]


def known(conn: Connection, incident_ids: Iterable[str]) -> set[tuple[str, str]]:
    """(incident, item) of everything proposed before, whatever became of it."""
    rows = conn.execute(
        select(PROPOSAL.c.incident_id, PROPOSAL.c.item).where(PROPOSAL.c.incident_id.in_(list(incident_ids)))
    )
    return {(row.incident_id, row.item) for row in rows}


def propose(conn: Connection, at: datetime, found: Found) -> str:
    """Put it before the people; returns the proposal's id."""
    row = _row(found)
    proving.keep(conn, found.proof)
    payload = {"title": found.title, "kind": found.kind.value, "insert": {"proposal": [row]}}
    reason = "；".join(found.reasons)
    append(conn, at, [Entry("evidence_proposed", payload, "huiying", reason, found.incident_id)])
    return str(row["id"])


def _row(found: Found) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "incident_id": found.incident_id,
        "item": found.item,
        "source_id": found.source_id,
        "url": found.url,
        "title": found.title,
        "publisher": found.publisher,
        "account": found.account,
        "kind": found.kind.value,
        "published_at": iso(found.published_at),
        "seen_at": iso(found.seen_at),
        "sha256": hashlib.sha256(found.snapshot).hexdigest(),
        "score": found.score,
        "sure": found.sure,
        "reasons": list(found.reasons),
        "state": ProposalState.PENDING.value,
    }


def would_stop(conn: Connection, found: Found) -> list[str]:
    """The rule ids of the clocks that it would stop."""
    waiting = planning.stopped_by(conn, found.incident_id, found.kind, found.published_at)
    return [clock.rule_id for clock in waiting]


def may_use(conn: Connection, at: datetime, found: Found, rules_for: RulesFor) -> bool:
    """May a machine stop clocks with it? It would stop at least one, and each of them allows it."""
    row = incidents.get(conn, found.incident_id)
    times = incidents.known_times(conn, row.id)
    bound = books.rules_of(conn, row.id, rules_for)(incidents.situation(row, times, at))
    allowed = {each.rule.id for each in bound if each.rule.auto}
    waiting = set(would_stop(conn, found))
    return found.sure and bool(waiting) and waiting <= allowed


def use(conn: Connection, at: datetime, proposal_id: str, found: Found, rules_for: RulesFor) -> list[str]:
    """Stop what it stops, by the machine; returns the rule ids."""
    reason = f"官方渠道发布“{found.title}”: {'；'.join(found.reasons)}"
    stopped = proving.stop(conn, at, found.incident_id, found.proof, "huiying", reason, rules_for)
    _decide(conn, at, proposal_id, ProposalState.USED, "huiying", "匹配确定，且预案允许自动止算")
    return stopped


def accept(
    conn: Connection,
    at: datetime,
    incident_id: str,
    proposal_id: str,
    by: str,
    reason: str,
    rules_for: RulesFor,
    kind: EvidenceKind | None = None,
    published_at: datetime | None = None,
) -> list[str]:
    """A person takes it as evidence; `kind` and `published_at` correct what the machine read. Returns
    the rule ids of the clocks that it stops."""
    row = _pending(conn, incident_id, proposal_id)
    proof = Proof(
        kind=kind or EvidenceKind(row.kind),
        publisher=row.publisher,
        published_at=published_at or row.published_at,
        seen_at=row.seen_at,
        url=row.url,
        document=row.title,
        snapshot=_content(conn, row.sha256),
    )
    stopped = proving.stop(conn, at, row.incident_id, proof, by, reason or "确认官方发布为凭据", rules_for)
    _decide(conn, at, row.id, ProposalState.ACCEPTED, by, reason)
    return stopped


def reject(conn: Connection, at: datetime, incident_id: str, proposal_id: str, by: str, reason: str) -> None:
    """It is no answer to this incident; it is not proposed for it again."""
    row = _pending(conn, incident_id, proposal_id)
    if not reason.strip():
        raise NotAllowed("请写明为什么不采信(--reason)，例如: 说的是另一起事件")
    _decide(conn, at, row.id, ProposalState.REJECTED, by, reason)


def lapse(conn: Connection, at: datetime) -> int:
    """Pending ones whose publication has meanwhile been registered by hand need no answer; how many."""
    rows = conn.execute(
        select(PROPOSAL.c.id)
        .join(EVIDENCE, EVIDENCE.c.incident_id == PROPOSAL.c.incident_id)
        .where(
            PROPOSAL.c.state == ProposalState.PENDING.value,
            PROPOSAL.c.url == EVIDENCE.c.url,
            EVIDENCE.c.standing.is_(None),
        )
        .distinct()
    ).all()
    for row in rows:
        _decide(conn, at, row.id, ProposalState.LAPSED, "huiying", "这一发布已由人登记为凭据")
    return len(rows)


def follow_merges(conn: Connection, at: datetime) -> int:
    """What waits for an answer at an incident that was merged waits at the one that stays; how many."""
    rows = conn.execute(
        select(PROPOSAL, INCIDENT.c.merged_into)
        .join(INCIDENT, INCIDENT.c.id == PROPOSAL.c.incident_id)
        .where(PROPOSAL.c.state == ProposalState.PENDING.value, INCIDENT.c.merged_into.is_not(None))
    ).all()
    for row in rows:
        if (row.merged_into, row.item) not in known(conn, [row.merged_into]):
            _carry(conn, at, row)
        _decide(conn, at, row.id, ProposalState.LAPSED, "huiying", f"事件已并入舆-{row.merged_into}")
    return len(rows)


def _carry(conn: Connection, at: datetime, row: Row[Any]) -> None:
    moved = {name: value for name, value in row._mapping.items() if name in PROPOSAL.c}
    made = plain(moved | {"id": uuid4().hex, "incident_id": row.merged_into})
    payload = {"title": row.title, "kind": row.kind, "insert": {"proposal": [made]}}
    reason = f"随舆-{row.incident_id} 并入"
    append(conn, at, [Entry("evidence_proposed", payload, "huiying", reason, row.merged_into)])


def _pending(conn: Connection, incident_id: str, proposal_id: str) -> Row[Any]:
    """The pending proposal that is meant; the id may be cut short, or left out, while that names one."""
    wanted = proposal_id.strip()
    rows = conn.execute(
        select(PROPOSAL).where(
            PROPOSAL.c.incident_id == incident_id,
            PROPOSAL.c.id.startswith(wanted, autoescape=True),
            PROPOSAL.c.state == ProposalState.PENDING.value,
        )
    ).all()
    if len(rows) != 1:
        said = "没有" if not rows else f"有 {len(rows)} 条"
        named = f"编号为 {wanted} 的" if wanted else ""
        raise NotAllowed(f"{said}{named}待确认的凭据建议；编号见事件页或 huiying proposals")
    return rows[0]


def _decide(
    conn: Connection, at: datetime, proposal_id: str, state: ProposalState, by: str, reason: str
) -> None:
    row = conn.execute(select(PROPOSAL).where(PROPOSAL.c.id == proposal_id)).one()
    evidence = conn.execute(
        select(EVIDENCE.c.id)
        .where(
            EVIDENCE.c.incident_id == row.incident_id,
            (EVIDENCE.c.sha256 == row.sha256) | (EVIDENCE.c.url == row.url),
        )
        .order_by(EVIDENCE.c.seen_at.desc())
        .limit(1)
    ).scalar()
    change = {
        "id": row.id,
        "state": state.value,
        "decided_at": iso(at),
        "decided_by": by,
        "decision": reason,
        "evidence_id": evidence if state in _TAKEN else None,
    }
    payload = {"title": row.title, "state": state.value, "update": {"proposal": [change]}}
    append(conn, at, [Entry("proposal_decided", payload, by, reason, row.incident_id)])


_TAKEN = (ProposalState.ACCEPTED, ProposalState.USED)


def _content(conn: Connection, sha256: str) -> bytes:
    found = conn.execute(select(SNAPSHOT.c.content).where(SNAPSHOT.c.sha256 == sha256)).scalar()
    return bytes(found) if found else b""


# ── what matching reads ──────────────────────────────────────────────────────────────────────────


def published(
    conn: Connection, sources: Collection[str], after_id: int, since: datetime, most: int
) -> Sequence[Row[Any]]:
    """What our own channels `sources` published at `since` or later, behind number `after_id`; oldest first.

    Only a registered channel speaks for us: what a post says of its own medium is anybody's word.
    """
    return conn.execute(_ours(sources, since, SIGNAL.c.id > after_id).order_by(SIGNAL.c.id).limit(most)).all()


def any_published(conn: Connection, sources: Collection[str], since: datetime) -> bool:
    """Has any of our own channels published since then?"""
    return conn.execute(_ours(sources, since, true()).limit(1)).first() is not None


def published_before(
    conn: Connection, sources: Collection[str], upto_id: int, since: datetime, most: int
) -> Sequence[Row[Any]]:
    """The same up to number `upto_id`, newest first: of too many it is the oldest that are left out."""
    query = _ours(sources, since, SIGNAL.c.id <= upto_id)
    return conn.execute(query.order_by(SIGNAL.c.id.desc()).limit(most)).all()


def published_again(
    conn: Connection, sources: Collection[str], ids: Sequence[int], since: datetime
) -> Sequence[Row[Any]]:
    """The same of these numbers."""
    return conn.execute(_ours(sources, since, SIGNAL.c.id.in_(ids)).order_by(SIGNAL.c.id)).all()


def _ours(sources: Collection[str], since: datetime, which: Any) -> Any:
    return select(SIGNAL).where(
        SIGNAL.c.medium == Medium.OFFICIAL.value,
        SIGNAL.c.source_id.in_(list(sources)),
        SIGNAL.c.published_at >= since,
        which,
    )


def newest_signal(conn: Connection) -> int:
    return conn.execute(select(SIGNAL.c.id).order_by(SIGNAL.c.id.desc()).limit(1)).scalar() or 0


def stirred(conn: Connection, since: datetime) -> Collection[str]:
    """The open incidents that were opened, or had a new signal, since then: they are matched anew."""
    rows = conn.execute(
        select(INCIDENT.c.id).where(
            INCIDENT.c.closed_at.is_(None),
            (INCIDENT.c.opened_at >= since) | (INCIDENT.c.last_signal_at >= since),
        )
    )
    return set(rows.scalars())


# ── what people see ──────────────────────────────────────────────────────────────────────────────


def of_incident(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Every proposal of an incident, the likeliest first."""
    return conn.execute(
        select(PROPOSAL)
        .where(PROPOSAL.c.incident_id == incident_id)
        .order_by(PROPOSAL.c.score.desc(), PROPOSAL.c.seen_at)
    ).all()


def waiting(conn: Connection) -> dict[str, int]:
    """incident id → how many of its proposals wait for a person's word."""
    rows = conn.execute(
        select(PROPOSAL.c.incident_id, func.count())
        .where(PROPOSAL.c.state == ProposalState.PENDING.value)
        .group_by(PROPOSAL.c.incident_id)
    )
    return {row[0]: row[1] for row in rows}


def listed(conn: Connection, state: ProposalState | None = None, most: int = 500) -> Sequence[Row[Any]]:
    """Proposals of all incidents in that state, newest first: what waits, or what was decided."""
    query = select(PROPOSAL).order_by(PROPOSAL.c.seen_at.desc()).limit(most)
    return conn.execute(query if state is None else query.where(PROPOSAL.c.state == state.value)).all()
