"""The review of a statement 三审: handed in, signed by three, given to another reviewer (S-050…S-052).

What a reviewer signs is the hash of title, text and attributes together. Each step is a limit of its own, with
its reviewer on the first rung; what is refused goes back to the author.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from models.core import review
from models.core import statements as core
from models.core.casework import StatementState, Verdict
from models.core.clock import Basis
from models.core.moment import iso
from models.core.review import Reviewed, Signed, Step
from models.core.statements import Finding
from models.core.vocabulary import ClockState, EvidenceKind
from models.ledger import incidents, limits, statements
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.limits import Limit

BASIS = (Basis("西政办发〔2016〕55号", "通知四", "S-050"),)
MOST_KEPT = 50
"""Findings that the journal keeps of a draft as it was handed in."""


@dataclass(frozen=True, slots=True)
class Handed:
    """How a draft is handed in: the chain with its people, what the machine found, whether two must do.

    `machine`: the checks of the playbook that the lint has made; `emergency`: why two signatures do;
    `facts_reason`: how numbers that differ from the incident's were verified.
    """

    chain: tuple[Step, ...]
    findings: Sequence[Finding] = ()
    machine: tuple[str, ...] = ()
    emergency: str = ""
    facts_reason: str = ""


def submit(conn: Connection, at: datetime, statement_id: str, handed: Handed, by: str, reason: str) -> None:
    """Hand it in: the first step and the checks begin at once, each with its slice of the time left."""
    row = statements.get(conn, statement_id)
    incidents.still_open(incidents.get(conn, row.incident_id))
    statements.allow(review.submit(StatementState(row.state)))
    if not handed.chain:
        raise NotAllowed(
            "没有适用的审核链，未经审查不得对外公布(S-051)；请启用 three_reviews 预案或写一份审核链"
        )
    statements.allow(review.too_short(handed.chain, handed.emergency))
    statements.clean(handed.findings, handed.facts_reason)
    seen = Reviewed(StatementState.IN_REVIEW, row.author, row.version, row.sha256, handed.chain)
    made = [_limit(conn, row, seen, step, at) for step in seen.open]
    due = {limit.subject: limit.due_at for limit in made}
    chain = [review.as_row(step, due.get(statements.subject(row.id, step.key))) for step in handed.chain]
    change = {
        "id": row.id,
        "state": StatementState.IN_REVIEW.value,
        "chain": chain,
        "submitted_at": iso(at),
        "emergency": handed.emergency or None,
        "facts_by": by if handed.facts_reason else None,
        "facts_reason": handed.facts_reason or None,
    }
    payload = {
        "statement": row.id,
        "title": row.title,
        "sha256": row.sha256,
        "chain": [f"{step.name} {step.person}" for step in handed.chain],
        "machine": list(handed.machine),
        "warnings": [one.words for one in handed.findings[:MOST_KEPT]],
        "insert": {"clock": limits.rows(conn, row.incident_id, made, at)},
        "update": {"statement": [change]},
    }
    entries = [Entry("statement_submitted", payload, by, reason, row.incident_id)]
    append(conn, at, [*_urgent(row, handed, by), *entries])


def _urgent(row: Row[Any], handed: Handed, by: str) -> list[Entry]:
    """Two signatures instead of three are written down apart, for the assessment afterwards."""
    if not handed.emergency:
        return []
    payload = {"statement": row.id, "title": row.title, "chain": [step.name for step in handed.chain]}
    return [Entry("statement_emergency", payload, by, handed.emergency, row.incident_id)]


def _verified(conn: Connection, row: Row[Any]) -> list[Entry]:
    """Numbers of an approved text that somebody answers for become the incident's own."""
    if not row.facts_reason:
        return []
    made, by, reason = statements.content(conn, row), row.facts_by, row.facts_reason
    stated = core.numbers(made.title) | core.numbers(made.text)
    known = dict(incidents.get(conn, row.incident_id).facts or {})
    fresh = {
        name: {**known.get(name, {}), "value": value, "text": reason, "confirmed": by}
        for name, (value, _) in stated.items()
        if known.get(name, {}).get("value") != value
    }
    if not fresh:
        return []
    told = {name: fact["value"] for name, fact in fresh.items()}
    payload = {"facts": told, "update": {"incident": [{"id": row.incident_id, "facts": known | fresh}]}}
    return [Entry("facts_verified", payload, by, reason, row.incident_id)]


def _limit(conn: Connection, row: Row[Any], seen: Reviewed, step: Step, at: datetime) -> Limit:
    ends = statements.until(conn, row.incident_id, EvidenceKind(row.kind), at)
    return Limit(
        subject=statements.subject(row.id, step.key),
        name=f"{step.name} {row.title}"[:60],
        started_at=at,
        due_at=review.due(seen.chain, step, at, ends),
        reason=f"{step.by}审“{row.title[:40]}”",
        people=(step.person,),
        basis=BASIS,
    )


def reassign(
    conn: Connection,
    at: datetime,
    statement_id: str,
    step: str,
    person: str,
    by: str,
    reason: str,
    known: Collection[str],
) -> None:
    """Another person signs this step instead, from now on, with a new slice of what is left."""
    row = statements.get(conn, statement_id)
    seen = statements.reviewed(conn, row)
    if not reason.strip():
        raise NotAllowed("换审核人须写明理由(--reason)")
    if seen.state is not StatementState.IN_REVIEW:
        raise NotAllowed(f"稿件“{seen.state.zh}”，没有在审；只有送审中的稿件可以换审核人")
    found = seen.step(step)
    if found is None or any(one.step == step for one in seen.signed):
        raise NotAllowed(f"第 {step} 道不在待审之列；待审的有 {'、'.join(s.key for s in seen.open)}")
    if found.person == person:
        raise NotAllowed(f"“{found.name}”本来就由 {person} 审，时限不因此重算；请换另一位")
    people = {one.key: one.person for one in seen.chain} | {step: person}
    chain, wrong = review.asked(seen.chain, people, seen.authors, known)
    statements.allow(wrong)
    changed = next(one for one in chain if one.key == step)
    live = limits.live(conn, row.incident_id, statements.subject(row.id, step))
    ended = limits.ended(live, ClockState.SUPERSEDED, at, "换审核人")
    fresh = [_limit(conn, row, seen, changed, at)] if found in seen.open else []
    due = {limit.subject: iso(limit.due_at) for limit in fresh}
    kept = [
        was
        | (
            {"person": person, "due_at": due.get(statements.subject(row.id, step))}
            if was["key"] == step
            else {}
        )
        for was in row.chain
    ]
    payload = {
        "statement": row.id,
        "title": row.title,
        "step": found.name,
        "from": found.person,
        "to": person,
        "insert": {"clock": limits.rows(conn, row.incident_id, fresh, at)},
        "update": {"statement": [{"id": row.id, "chain": kept}], "clock": ended},
    }
    append(conn, at, [Entry("statement_reassigned", payload, by, reason, row.incident_id)])


def sign(
    conn: Connection,
    at: datetime,
    statement_id: str,
    step: str,
    sha256: str,
    verdict: Verdict,
    by: str,
    opinion: str,
) -> StatementState:
    """One reviewer's word on the text with this hash; returns the state that it leads to.

    `step` "": the open step that this person was asked for; `sha256` may be cut to sixteen digits. A refusal
    needs its opinion, ends the review and goes back to the author.
    """
    row = statements.get(conn, statement_id)
    seen = statements.reviewed(conn, row)
    key = step or review.theirs(seen, by)
    statements.allow(review.sign(seen, by, key, sha256))
    if verdict is Verdict.REFUSED and not opinion.strip():
        raise NotAllowed("退回须写明意见(--reason)，起草人才知道怎么改")
    now_seen = Reviewed(
        seen.state,
        seen.authors,
        seen.version,
        seen.sha256,
        seen.chain,
        (*seen.signed, Signed(key, by, verdict)),
    )
    state = review.after(now_seen)
    found = next(one for one in seen.chain if one.key == key)
    signature = _signature(row, key, by, verdict, opinion, at)
    payload = {
        "statement": row.id,
        "title": row.title,
        "step": found.name,
        "verdict": verdict.value,
        "sha256": row.sha256,
        "signature": signature["id"],
        "insert": {"signature": [signature]},
        "update": {},
    }
    _move_on(conn, row, now_seen, seen, state, at, payload)
    verified = _verified(conn, row) if state is StatementState.APPROVED else []
    append(conn, at, [*verified, Entry("statement_signed", payload, by, opinion, row.incident_id)])
    return state


def _move_on(
    conn: Connection,
    row: Row[Any],
    now_seen: Reviewed,
    before: Reviewed,
    state: StatementState,
    at: datetime,
    payload: dict[str, Any],
) -> None:
    """What follows a signature: limits that end, the next step's limit, the state."""
    key = now_seen.signed[-1].step
    live = limits.live(conn, row.incident_id, statements.subject(row.id))
    mine = [clock for clock in live if clock.subject == statements.subject(row.id, key)]
    others = [clock for clock in live if clock.subject != statements.subject(row.id, key)]
    clocks = limits.ended(mine, None, at, f"审核意见: {now_seen.signed[-1].verdict.zh}")
    if state is StatementState.RETURNED:
        clocks += limits.ended(others, ClockState.SUPERSEDED, at, "稿件退回，审核中止")
    begun = [s for s in now_seen.open if s not in before.open] if state is StatementState.IN_REVIEW else []
    fresh = [_limit(conn, row, now_seen, step, at) for step in begun]
    due = {limit.subject: iso(limit.due_at) for limit in fresh}
    chain = [
        step | {"due_at": due.get(statements.subject(row.id, step["key"]), step["due_at"])}
        for step in row.chain
    ]
    change: dict[str, Any] = {"id": row.id, "state": state.value, "chain": chain}
    if state is StatementState.APPROVED:
        change |= {"approved_at": iso(at), "approved_sha256": row.sha256}
    payload["state"] = state.value
    payload["insert"] |= {"clock": limits.rows(conn, row.incident_id, fresh, at)}
    payload["update"] = {"statement": [change], "clock": clocks}


def _signature(
    row: Row[Any], step: str, by: str, verdict: Verdict, opinion: str, at: datetime
) -> dict[str, Any]:
    said = {
        "statement_id": row.id,
        "version": row.version,
        "step": step,
        "sha256": row.sha256,
        "person": by,
        "verdict": verdict.value,
        "opinion": opinion,
        "at": iso(at),
    }
    return {"id": statements.seal(said), **said}
