"""Statements 稿件: drafted, changed, taken out of the way, and what else is read of them.

What counts is the hash of title, text and attributes together; one change of any of them takes back every
signature of the review (`reviewing`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import review
from models.core import statements as core
from models.core.casework import Disclosure, Outlet, StatementState, Verdict
from models.core.moment import iso
from models.core.review import Reviewed, Signed
from models.core.statements import Content, Finding
from models.core.vocabulary import ClockState, EvidenceKind
from models.ledger import incidents, limits, planning
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import NotThere
from models.records import Signature, Statement, StatementText

STATEMENT: Table = Statement.__table__  # type: ignore[attr-defined]
TEXT: Table = StatementText.__table__  # type: ignore[attr-defined]
SIGNATURE: Table = Signature.__table__  # type: ignore[attr-defined]
MOST_TOLD = 8
"""Findings that a refusal names."""


class NoSuchStatement(NotThere):
    """There is no statement of that number."""


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
    allow(review.edit(state))
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
            "clock": all_ended(conn, row, at, why),
        },
    }
    append(conn, at, [Entry("statement_edited", payload, by, reason, row.incident_id)])
    return list(dict.fromkeys(one.person for one in voided))


def allow(words: str) -> None:
    if words:
        raise NotAllowed(words)


def subject(statement_id: str, step: str = "") -> str:
    """What a review's limit belongs to."""
    return f"review.{statement_id}.{step}"


def all_ended(conn: Connection, row: Row[Any], at: datetime, why: str) -> list[dict[str, Any]]:
    live = limits.live(conn, row.incident_id, subject(row.id))
    return limits.ended(live, ClockState.SUPERSEDED, at, why)


def clean(findings: Iterable[Finding], facts_reason: str = "", what: str = "稿件") -> None:
    """Nothing blocks; numbers that differ may be said to be verified."""
    blocking = [f for f in findings if f.blocks and not (f.rule == "facts" and facts_reason)]
    if blocking:
        told = "；".join(
            f"{one.words}{f'({one.basis})' if one.basis else ''}" for one in blocking[:MOST_TOLD]
        )
        rest = f"；另有 {len(blocking) - MOST_TOLD} 处" if len(blocking) > MOST_TOLD else ""
        raise NotAllowed(f"{what}有 {len(blocking)} 处须先改: {told}{rest}")


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
            "clock": all_ended(conn, row, at, "稿件作废"),
        },
    }
    append(conn, at, [Entry("statement_discarded", payload, by, reason, row.incident_id)])


def facts(row: Row[Any]) -> dict[str, tuple[float, bool]]:
    """The incident's numbers: name → value, and whether a person stands for it: by verifying the number, or by
    confirming the grade that it led to."""
    found: Iterable[tuple[str, Any]] = (row.facts or {}).items()
    return {
        name: (fact["value"], bool(fact.get("confirmed")) or not row.provisional)
        for name, fact in found
        if isinstance(fact, dict) and fact.get("value") is not None
    }
