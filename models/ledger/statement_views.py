"""Statements as people see them: plain dicts, times as ISO 8601, people by name beside their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from models.core.casework import Disclosure, Outlet, StatementState, Verdict
from models.core.moment import iso
from models.core.pagetext import compare
from models.core.statements import digest
from models.core.vocabulary import EvidenceKind
from models.ledger import limits, proving, releases, statements, wordings

Names = Mapping[str, str]
View = dict[str, Any]


def overview(conn: Connection, incident_id: str, now: datetime, names: Names) -> View:
    """All statements of an incident and the shared wording, newest first: statements [HEAD], wordings
    [{version, text, at, by, reason}]."""
    return {
        "statements": [head(conn, row, now, names) for row in statements.of_incident(conn, incident_id)],
        "wordings": [_wording(row, names) for row in wordings.wordings(conn, incident_id)],
    }


def head(conn: Connection, row: Row[Any], now: datetime, names: Names) -> View:
    """HEAD: one statement in a list, with whose turn it is and how long there is."""
    seen = statements.reviewed(conn, row)
    waits = seen.open if row.state == StatementState.IN_REVIEW.value else ()
    made = {step["key"]: step["due_at"] for step in row.chain}
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "kind": row.kind,
        "kind_zh": EvidenceKind(row.kind).zh,
        "title": row.title,
        "unit": row.unit,
        "author": row.author,
        "author_name": names.get(row.author, row.author),
        "state": row.state,
        "state_zh": _state_zh(row),
        "version": row.version,
        "sha256": row.sha256,
        "created_at": iso(row.created_at),
        "submitted_at": _iso(row.submitted_at),
        "approved_at": _iso(row.approved_at),
        "released_at": _iso(row.released_at),
        "replaces": row.replaces,
        "emergency": row.emergency,
        "facts_reason": row.facts_reason,
        "facts_by_name": names.get(row.facts_by, row.facts_by),
        "waiting": [
            {"step": step.key, "name": step.name, "person": step.person, "person_name": names.get(step.person, ""),
             "due_at": made.get(step.key)}
            for step in waits
        ],
    }  # fmt: skip


def _state_zh(row: Row[Any]) -> str:
    """A draft that was never released was not withdrawn from the public."""
    discarded = row.state == StatementState.WITHDRAWN.value and row.released_at is None
    return "已作废" if discarded else StatementState(row.state).zh


def one(conn: Connection, row: Row[Any], now: datetime, names: Names) -> View:
    """HEAD and all else: the text, attributes, chain with signatures, versions, releases."""
    newest, *_ = kept = statements.texts(conn, row.id)
    return head(conn, row, now, names) | {
        "text": newest.text,
        "authors": sorted(statements.authors(conn, row)),
        "changed": _changed(kept),
        "disclosure": row.disclosure,
        "disclosure_zh": Disclosure(row.disclosure).zh if row.disclosure else None,
        "disclosure_reason": row.disclosure_reason,
        "audience": row.audience,
        "outlets": list(row.outlets),
        "outlets_zh": [Outlet(outlet).zh for outlet in row.outlets],
        "approved_sha256": row.approved_sha256,
        "chain": _chain(conn, row, now, names),
        "versions": [_version(conn, row, text, names) for text in kept],
        "releases": [_release(conn, found, names) for found in releases.of_statement(conn, row.id)],
    }


def _changed(kept: Sequence[Row[Any]]) -> str:
    """What the newest version changed against the one before, in words; "" for the first."""
    if len(kept) < 2:
        return ""
    newest, before = kept[0], kept[1]
    found = compare(before.text, newest.text)
    words = [f"{what}“{one}”" for what, told in (("删去", found.gone), ("增加", found.new)) for one in told]
    titled = f"标题“{before.title}”改为“{newest.title}”" if newest.title != before.title else ""
    return "；".join(filter(None, (titled, *words))) or "正文没有改动"


def _chain(conn: Connection, row: Row[Any], now: datetime, names: Names) -> list[View]:
    """Each step: who, until when, how long is left, and what was said."""
    said = {found.step: found for found in statements.signatures(conn, row.id, row.version)}
    live = {clock.subject: clock for clock in limits.live(conn, row.incident_id, statements.subject(row.id))}
    return [
        _step(step, said.get(step["key"]), live.get(statements.subject(row.id, step["key"])), now, names)
        for step in row.chain
    ]


def _step(step: View, said: Row[Any] | None, limit: Row[Any] | None, now: datetime, names: Names) -> View:
    return {
        **{name: step[name] for name in ("key", "name", "by", "person", "due_at")},
        "person_name": names.get(step["person"], step["person"]),
        "beside": step["key"].startswith("c"),
        "running": limit is not None,
        "left_s": round((limit.due_at - now).total_seconds(), 3) if limit is not None else None,
        "signature": _signature(said, names) if said is not None else None,
    }


def _signature(row: Row[Any], names: Names) -> View:
    """`good`: what it says is still what was sealed."""
    said = {**dict(row._mapping), "at": iso(row.at)}
    return {
        "id": row.id,
        "version": row.version,
        "step": row.step,
        "sha256": row.sha256,
        "person": row.person,
        "person_name": names.get(row.person, row.person),
        "verdict": row.verdict,
        "verdict_zh": Verdict(row.verdict).zh,
        "opinion": row.opinion,
        "at": iso(row.at),
        "good": statements.seal(said) == row.id,
    }


def _version(conn: Connection, row: Row[Any], text: Row[Any], names: Names) -> View:
    """`good`: the words are those that the hash was taken of."""
    signed = statements.signatures(conn, row.id, text.version)
    return {
        "version": text.version,
        "title": text.title,
        "text": text.text,
        "sha256": text.sha256,
        "good": digest(text.title, text.text, text.attributes) == text.sha256,
        "by": text.by,
        "by_name": names.get(text.by, text.by),
        "at": iso(text.at),
        "reason": text.reason,
        "signatures": [_signature(found, names) for found in signed],
        "void": text.version != row.version and bool(signed),
    }


def _release(conn: Connection, row: Row[Any], names: Names) -> View:
    """`stands`: its evidence was not taken back, by people or because its page is gone."""
    return {
        "id": row.id,
        "outlet": row.outlet,
        "outlet_zh": Outlet(row.outlet).zh,
        "at": iso(row.at),
        "by": row.by,
        "by_name": names.get(row.by, row.by),
        "url": row.url,
        "version": row.version,
        "sha256": row.sha256,
        "evidence_id": row.evidence_id,
        "stands": row.evidence_id is not None and proving.stands(conn, row.evidence_id),
        "compared_at": _iso(row.compared_at),
        "same": row.same,
        "difference": row.difference,
    }


def _wording(row: Row[Any], names: Names) -> View:
    return {
        "version": row.data.get("version"),
        "text": row.text,
        "at": iso(row.at),
        "by": row.by,
        "by_name": names.get(row.by, row.by),
        "reason": row.data.get("reason", ""),
    }


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None
