"""Statements 稿件: drafted, handed in, signed by three, approved by their hash (S-050…S-052).

Each act is read → decide (`core.review`) → append. What a reviewer signs is the hash of title, text and
attributes together; one change of any of them takes back every signature. Each step of the review is a
limit of its own, with its reviewer on the first rung.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import review
from models.core import statements as core
from models.core.casework import Disclosure, Outlet, ProductKind, StatementState, Verdict
from models.core.clock import Basis
from models.core.moment import iso
from models.core.review import Reviewed, Signed, Step
from models.core.statements import Content, Finding
from models.core.vocabulary import ClockState, EvidenceKind
from models.ledger import incidents, limits, planning
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.limits import Limit
from models.ledger.store import NotThere
from models.records import Product, Signature, Statement, StatementText

STATEMENT: Table = Statement.__table__  # type: ignore[attr-defined]
TEXT: Table = StatementText.__table__  # type: ignore[attr-defined]
SIGNATURE: Table = Signature.__table__  # type: ignore[attr-defined]
PRODUCT: Table = Product.__table__  # type: ignore[attr-defined]
MOST_TOLD, MOST_KEPT = 8, 50
"""Findings that a refusal names, and that the journal keeps of a draft as it was handed in."""
BASIS = (Basis("西政办发〔2016〕55号", "通知四", "S-050"),)


class NoSuchStatement(NotThere):
    """There is no statement of that number."""


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


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def get(conn: Connection, statement_id: str) -> Row[Any]:
    """One statement by its number, which may be cut short. Raises NoSuchStatement."""
    wanted = statement_id.strip()
    query = select(STATEMENT).where(STATEMENT.c.id.startswith(wanted, autoescape=True))
    rows = conn.execute(query).all() if wanted else []
    if len(rows) != 1:
        said = "没有" if not rows else f"有 {len(rows)} 份"
        raise NoSuchStatement(
            f"{said}编号为 {statement_id[:40]} 的稿件；编号见事件的稿件页或 huiying statement list"
        )
    return rows[0]


def of_incident(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Newest first."""
    query = select(STATEMENT).where(STATEMENT.c.incident_id == incident_id)
    return conn.execute(query.order_by(STATEMENT.c.created_at.desc(), STATEMENT.c.id)).all()


def texts(conn: Connection, statement_id: str) -> Sequence[Row[Any]]:
    """Every version, newest first."""
    query = select(TEXT).where(TEXT.c.statement_id == statement_id).order_by(TEXT.c.version.desc())
    return conn.execute(query).all()


def signatures(conn: Connection, statement_id: str, version: int | None = None) -> Sequence[Row[Any]]:
    """Of one version or of all, in the order of signing."""
    query = select(SIGNATURE).where(SIGNATURE.c.statement_id == statement_id)
    query = query if version is None else query.where(SIGNATURE.c.version == version)
    return conn.execute(query.order_by(SIGNATURE.c.at, SIGNATURE.c.step)).all()


def content(conn: Connection, row: Row[Any]) -> Content:
    """The newest text with its attributes."""
    return content_of(texts(conn, row.id)[0])


def content_of(text: Row[Any]) -> Content:
    said: Mapping[str, Any] = text.attributes
    return Content(
        kind=EvidenceKind(said["kind"]),
        title=text.title,
        text=text.text,
        unit=said["unit"],
        disclosure=Disclosure(said["disclosure"]) if said["disclosure"] else None,
        disclosure_reason=said["disclosure_reason"],
        audience=said["audience"],
        outlets=tuple(Outlet(outlet) for outlet in said["outlets"]),
    )


def reviewed(conn: Connection, row: Row[Any]) -> Reviewed:
    """How far the review of its newest version is."""
    return Reviewed(
        state=StatementState(row.state),
        authors=authors(conn, row),
        version=row.version,
        sha256=row.sha256,
        chain=tuple(review.of_row(step) for step in row.chain),
        signed=tuple(
            Signed(one.step, one.person, Verdict(one.verdict))
            for one in signatures(conn, row.id, row.version)
        ),
    )


def authors(conn: Connection, row: Row[Any]) -> frozenset[str]:
    """Whoever wrote one of its versions: none of them reviews it."""
    return frozenset({row.author, *(text.by for text in texts(conn, row.id))})


def until(conn: Connection, incident_id: str, kind: EvidenceKind, now: datetime) -> datetime | None:
    """When the earliest running statutory clock is due that such a publication would stop."""
    waiting = planning.stopped_by(conn, incident_id, kind, now)
    return min((clock.due_at for clock in waiting if clock.statutory), default=None)


# ── writing ───────────────────────────────────────────────────────────────────────────────────


def draft(
    conn: Connection,
    at: datetime,
    incident_id: str,
    made: Content,
    by: str,
    reason: str,
    replaces: str | None = None,
) -> str:
    """A new draft; returns its number. `replaces`: the withdrawn statement it stands for."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    _keepable(made)
    statement_id = uuid4().hex[:12]
    payload = {
        "statement": statement_id,
        "title": made.title,
        "insert": {
            "statement": [
                _row(statement_id, row.id, made, by, at) | {"replaces": _replaced(conn, row.id, replaces)}
            ],
            "statementtext": [_text_row(statement_id, 1, made, by, at, reason)],
        },
    }
    append(conn, at, [Entry("statement_drafted", payload, by, reason, row.id)])
    return statement_id


def _keepable(made: Content) -> None:
    wrong = core.refused(made.title, made.text)
    if wrong:
        raise NotAllowed(wrong)
    if made.kind not in core.KINDS:
        kinds = "、".join(f"{kind.value}({kind.zh})" for kind in core.KINDS)
        raise NotAllowed(f"稿件不能作为“{made.kind.zh}”发布；可选 {kinds}")


def _replaced(conn: Connection, incident_id: str, replaces: str | None) -> str | None:
    if not replaces:
        return None
    old = get(conn, replaces)
    withdrawn = old.state == StatementState.WITHDRAWN.value and old.released_at is not None
    if old.incident_id != incident_id or not withdrawn:
        raise NotAllowed(f"稿件 {old.id} 不是本事件发布后撤回的，不能另发一份代替它；请先撤回(withdraw)")
    return str(old.id)


def _row(statement_id: str, incident_id: str, made: Content, by: str, at: datetime) -> dict[str, Any]:
    return {
        "id": statement_id,
        "incident_id": incident_id,
        "author": by,
        "state": StatementState.DRAFT.value,
        "created_at": iso(at),
        **_newest(made, 1),
    }


def _newest(made: Content, version: int) -> dict[str, Any]:
    """What the statement's row says of its newest text; nothing is handed in or approved any more."""
    said = made.attributes
    return {
        **{name: said[name] for name in ("kind", "unit", "disclosure", "outlets")},
        "title": made.title,
        "disclosure_reason": made.disclosure_reason or None,
        "audience": made.audience or None,
        "version": version,
        "sha256": made.sha256,
        "state": StatementState.DRAFT.value,
        "chain": [],
        "submitted_at": None,
        "approved_at": None,
        "approved_sha256": None,
        "emergency": None,
        "facts_by": None,
        "facts_reason": None,
    }


def _text_row(
    statement_id: str, version: int, made: Content, by: str, at: datetime, reason: str
) -> dict[str, Any]:
    return {
        "statement_id": statement_id,
        "version": version,
        "title": made.title,
        "text": made.text,
        "attributes": made.attributes,
        "sha256": made.sha256,
        "by": by,
        "at": iso(at),
        "reason": reason,
    }


def edit(conn: Connection, at: datetime, statement_id: str, made: Content, by: str, reason: str) -> list[str]:
    """A new version. What was signed or approved is void (S-052); returns those who had signed."""
    row = get(conn, statement_id)
    incidents.still_open(incidents.get(conn, row.incident_id))
    state = StatementState(row.state)
    _allow(review.edit(state))
    _keepable(made)
    if made.sha256 == row.sha256:
        raise NotAllowed(f"与第 {row.version} 版没有不同；改了再存")
    voided = signatures(conn, row.id, row.version) if review.voids(state) else []
    why = f"第 {row.version + 1} 版改动，先前的审核作废(S-052)"
    payload = {
        "statement": row.id,
        "title": made.title,
        "version": row.version + 1,
        "voided": [one.person for one in voided],
        "insert": {"statementtext": [_text_row(row.id, row.version + 1, made, by, at, reason)]},
        "update": {
            "statement": [{"id": row.id, **_newest(made, row.version + 1)}],
            "clock": _all_ended(conn, row, at, why),
        },
    }
    append(conn, at, [Entry("statement_edited", payload, by, reason, row.incident_id)])
    return list(dict.fromkeys(one.person for one in voided))


def _allow(words: str) -> None:
    if words:
        raise NotAllowed(words)


def subject(statement_id: str, step: str = "") -> str:
    """What a review's limit belongs to."""
    return f"review.{statement_id}.{step}"


def _all_ended(conn: Connection, row: Row[Any], at: datetime, why: str) -> list[dict[str, Any]]:
    live = limits.live(conn, row.incident_id, subject(row.id))
    return limits.ended(live, ClockState.SUPERSEDED, at, why)


# ── handing in ────────────────────────────────────────────────────────────────────────────────


def submit(conn: Connection, at: datetime, statement_id: str, handed: Handed, by: str, reason: str) -> None:
    """Hand it in: the first step and the checks begin at once, each with its slice of the time left."""
    row = get(conn, statement_id)
    incidents.still_open(incidents.get(conn, row.incident_id))
    _allow(review.submit(StatementState(row.state)))
    if not handed.chain:
        raise NotAllowed(
            "没有适用的审核链，未经审查不得对外公布(S-051)；请启用 three_reviews 预案或写一份审核链"
        )
    _allow(review.too_short(handed.chain, handed.emergency))
    _clean(handed.findings, handed.facts_reason)
    seen = Reviewed(StatementState.IN_REVIEW, row.author, row.version, row.sha256, handed.chain)
    made = [_limit(conn, row, seen, step, at) for step in seen.open]
    due = {limit.subject: limit.due_at for limit in made}
    chain = [review.as_row(step, due.get(subject(row.id, step.key))) for step in handed.chain]
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


def _clean(findings: Iterable[Finding], facts_reason: str = "", what: str = "稿件") -> None:
    """Nothing blocks; numbers that differ may be said to be verified."""
    blocking = [f for f in findings if f.blocks and not (f.rule == "facts" and facts_reason)]
    if blocking:
        told = "；".join(
            f"{one.words}{f'({one.basis})' if one.basis else ''}" for one in blocking[:MOST_TOLD]
        )
        rest = f"；另有 {len(blocking) - MOST_TOLD} 处" if len(blocking) > MOST_TOLD else ""
        raise NotAllowed(f"{what}有 {len(blocking)} 处须先改: {told}{rest}")


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
    made, by, reason = content(conn, row), row.facts_by, row.facts_reason
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
    ends = until(conn, row.incident_id, EvidenceKind(row.kind), at)
    return Limit(
        subject=subject(row.id, step.key),
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
    row = get(conn, statement_id)
    seen = reviewed(conn, row)
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
    _allow(wrong)
    changed = next(one for one in chain if one.key == step)
    live = limits.live(conn, row.incident_id, subject(row.id, step))
    ended = limits.ended(live, ClockState.SUPERSEDED, at, "换审核人")
    fresh = [_limit(conn, row, seen, changed, at)] if found in seen.open else []
    due = {limit.subject: iso(limit.due_at) for limit in fresh}
    kept = [
        was | ({"person": person, "due_at": due.get(subject(row.id, step))} if was["key"] == step else {})
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


# ── signing ───────────────────────────────────────────────────────────────────────────────────


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
    row = get(conn, statement_id)
    seen = reviewed(conn, row)
    key = step or review.theirs(seen, by)
    _allow(review.sign(seen, by, key, sha256))
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
    live = limits.live(conn, row.incident_id, subject(row.id))
    mine = [clock for clock in live if clock.subject == subject(row.id, key)]
    others = [clock for clock in live if clock.subject != subject(row.id, key)]
    clocks = limits.ended(mine, None, at, f"{now_seen.signed[-1].person} {now_seen.signed[-1].verdict.zh}")
    if state is StatementState.RETURNED:
        clocks += limits.ended(others, ClockState.SUPERSEDED, at, "稿件退回，审核中止")
    begun = [s for s in now_seen.open if s not in before.open] if state is StatementState.IN_REVIEW else []
    fresh = [_limit(conn, row, now_seen, step, at) for step in begun]
    due = {limit.subject: iso(limit.due_at) for limit in fresh}
    chain = [step | {"due_at": due.get(subject(row.id, step["key"]), step["due_at"])} for step in row.chain]
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
    return {"id": seal(said), **said}


def seal(said: Mapping[str, Any]) -> str:
    """What a signature is known by: the hash of everything that it says, so that nothing of it can change."""
    names = ("statement_id", "version", "step", "sha256", "person", "verdict", "opinion", "at")
    whole = json.dumps([said[name] for name in names], ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def concerned(conn: Connection, row: Row[Any]) -> list[str]:
    """Whom it concerns that a text in review or approved will not stand: its author, and those who signed it."""
    if StatementState(row.state) not in (
        StatementState.IN_REVIEW,
        StatementState.APPROVED,
        StatementState.RELEASED,
    ):
        return []
    signed = (one.person for one in signatures(conn, row.id, row.version))
    return list(dict.fromkeys((row.author, *signed)))


def discard(conn: Connection, at: datetime, statement_id: str, by: str, reason: str) -> None:
    """A draft that will not be released is taken out of the way, kept as it was."""
    row = get(conn, statement_id)
    if row.state in (StatementState.RELEASED.value, StatementState.WITHDRAWN.value):
        raise NotAllowed(f"稿件“{StatementState(row.state).zh}”，不能作废；已发布的请撤回(withdraw)")
    if not reason.strip():
        raise NotAllowed("作废稿件须写明理由(--reason)")
    payload = {
        "statement": row.id,
        "title": row.title,
        "update": {
            "statement": [{"id": row.id, "state": StatementState.WITHDRAWN.value}],
            "clock": _all_ended(conn, row, at, "稿件作废"),
        },
    }
    append(conn, at, [Entry("statement_discarded", payload, by, reason, row.incident_id)])


# ── the wording that all units share ──────────────────────────────────────────────────────────


def share_wording(conn: Connection, at: datetime, incident_id: str, text: str, by: str, reason: str) -> int:
    """口径: one wording for every unit, a new version each time; returns its number (S-003, S-014)."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not text.strip():
        raise NotAllowed("口径没有内容；请写明各单位统一怎么说")
    if len(text.encode()) > core.MOST_BYTES:
        raise NotAllowed(f"口径最多 {core.MOST_BYTES // 1000} kB；请删减")
    _clean(core.personal(text), what="口径")
    before = wordings(conn, row.id)
    if before and before[0].text == text:
        raise NotAllowed(f"与第 {len(before)} 版口径没有不同；改了再存")
    number = len(before) + 1
    made = {
        "id": uuid4().hex,
        "incident_id": row.id,
        "kind": ProductKind.WORDING.value,
        "text": text,
        "data": {"version": number, "reason": reason},
        "at": iso(at),
        "by": by,
    }
    payload = {"version": number, "insert": {"product": [made]}}
    append(conn, at, [Entry("wording_shared", payload, by, reason, row.id)])
    return number


def wordings(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Every version of the shared wording, newest first."""
    query = select(PRODUCT).where(
        PRODUCT.c.incident_id == incident_id, PRODUCT.c.kind == ProductKind.WORDING.value
    )
    return conn.execute(query.order_by(PRODUCT.c.at.desc(), PRODUCT.c.id)).all()


def facts(row: Row[Any]) -> dict[str, tuple[float, bool]]:
    """The incident's numbers: name → value, and whether a person stands for it: by verifying the number, or by
    confirming the grade that it led to."""
    found: Iterable[tuple[str, Any]] = (row.facts or {}).items()
    return {
        name: (fact["value"], bool(fact.get("confirmed")) or not row.provisional)
        for name, fact in found
        if isinstance(fact, dict) and fact.get("value") is not None
    }
