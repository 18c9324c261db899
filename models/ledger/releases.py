"""Releases 发布: an approved text on an outlet, as evidence, compared with what stands there, taken back.

Nothing is registered as released that was not approved by this very hash (S-051). What is released becomes
evidence with the text as its snapshot, so that the clocks stop by the platform's time (law 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import published, review
from models.core.casework import Disclosure, Outlet, StatementState
from models.core.moment import iso
from models.core.outlets import REST, WEIBO, blocks, plain, short
from models.core.published import Change
from models.core.vocabulary import EvidenceKind
from models.ledger import incidents, proving, statements
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.planning import EVIDENCE, RulesFor
from models.ledger.proving import Proof
from models.records import Release

RELEASE: Table = Release.__table__  # type: ignore[attr-defined]
OLDEST = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Published:
    """Where and when a text went out. `url` may be missing for a press release alone, which `document` tells
    from another one."""

    outlet: Outlet
    at: datetime
    url: str | None = None
    sha256: str = ""
    document: str = ""

    def named(self, title: str) -> str:
        """What its evidence is known by: its address, else the document it stood in."""
        return self.url or self.document or f"{self.outlet.zh}《{title}》"


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration did: the release, the rule ids of the clocks that stopped, what is to be minded."""

    id: str
    stopped: list[str]
    warnings: list[str]


def of_statement(conn: Connection, statement_id: str) -> Sequence[Row[Any]]:
    """In the order of publication."""
    query = select(RELEASE).where(RELEASE.c.statement_id == statement_id)
    return conn.execute(query.order_by(RELEASE.c.at, RELEASE.c.id)).all()


def register(
    conn: Connection,
    at: datetime,
    statement_id: str,
    said: Published,
    by: str,
    reason: str,
    publisher: str,
    rules_for: RulesFor,
) -> Registered:
    """Register that the approved text is out; it becomes evidence, and the clocks that it answers stop."""
    row = statements.get(conn, statement_id)
    _may(conn, row, said)
    before = of_statement(conn, row.id)
    proof = _proof(conn, row, said, publisher, at)
    stopped = proving.stop(conn, at, row.incident_id, proof, by, reason or "稿件发布", rules_for)
    release_id = uuid4().hex[:12]
    made = _row(release_id, row, said, by) | {"evidence_id": _evidence(conn, row, proof)}
    first = {"released_at": iso(said.at)} if row.released_at is None else {}
    payload = {
        "statement": row.id,
        "title": row.title,
        "outlet": said.outlet.value,
        "url": said.url,
        "sha256": row.sha256,
        "insert": {"release": [made]},
        "update": {"statement": [{"id": row.id, "state": StatementState.RELEASED.value, **first}]},
    }
    append(conn, at, [Entry("statement_released", payload, by, reason, row.incident_id)])
    return Registered(release_id, stopped, _warnings(row, said, before))


def _may(conn: Connection, row: Row[Any], said: Published) -> None:
    wrong = review.release(StatementState(row.state), row.approved_sha256, said.sha256 or row.sha256)
    if wrong:
        raise NotAllowed(wrong)
    if row.disclosure in (Disclosure.NONE.value, Disclosure.ON_REQUEST.value):
        kind = Disclosure(row.disclosure).zh
        raise NotAllowed(f"公开属性是“{kind}”，不能对外发布(S-053、S-055)；要发布请改公开属性并重新送审")
    if said.url is None and said.outlet is not Outlet.PRESS:
        raise NotAllowed(f"{said.outlet.zh}发布须写明网址(url)，以便留证和比对")
    if row.approved_at is not None and said.at < row.approved_at - incidents.SKEW:
        raise NotAllowed(
            "发布时间早于审定时间，先审查、后公开(西政办发〔2016〕55号 通知四，S-052)；请核对发布时间"
        )
    if said.named(row.title) in _standing(conn, row.id, said.outlet):
        way_out = "换了网址再登记" if said.url else "另一处刊发的，写明是哪一份(document)"
        raise NotAllowed(f"{said.outlet.zh}的这一发布已登记；{way_out}")


def _standing(conn: Connection, statement_id: str, outlet: Outlet) -> set[str]:
    """What the releases on this outlet are known by whose evidence was not taken back: a page that was gone and
    is back may be registered again."""
    query = (
        select(EVIDENCE.c.url)
        .join(RELEASE, RELEASE.c.evidence_id == EVIDENCE.c.id)
        .where(
            RELEASE.c.statement_id == statement_id,
            RELEASE.c.outlet == outlet.value,
            EVIDENCE.c.standing.is_(None),
        )
    )
    bare = [
        one.url
        for one in of_statement(conn, statement_id)
        if one.outlet == outlet.value and not one.evidence_id
    ]
    return {*conn.execute(query).scalars(), *bare}


def _proof(conn: Connection, row: Row[Any], said: Published, publisher: str, at: datetime) -> Proof:
    text, where = statements.content(conn, row).text, f"{said.outlet.zh} {said.url or said.document}"
    told = f"{row.title}\n\n{plain(text)}\n\n{where}\n稿件 {row.id} SHA-256 {row.sha256}"
    return Proof(
        kind=EvidenceKind(row.kind),
        publisher=publisher,
        published_at=said.at,
        seen_at=at,
        url=said.url,
        document=None if said.url else said.named(row.title),
        snapshot=told.encode(),
    )


def _evidence(conn: Connection, row: Row[Any], proof: Proof) -> str | None:
    """The evidence that the proof has just become."""
    query = select(EVIDENCE.c.id).where(
        EVIDENCE.c.incident_id == row.incident_id,
        EVIDENCE.c.sha256 == proof.sha256,
        EVIDENCE.c.standing.is_(None),
    )
    return conn.execute(query).scalar()


def _row(release_id: str, row: Row[Any], said: Published, by: str) -> dict[str, Any]:
    return {
        "id": release_id,
        "statement_id": row.id,
        "incident_id": row.incident_id,
        "version": row.version,
        "sha256": row.sha256,
        "outlet": said.outlet.value,
        "at": iso(said.at),
        "by": by,
        "url": said.url,
    }


def _warnings(row: Row[Any], said: Published, before: Sequence[Row[Any]]) -> list[str]:
    """What S-099 asks for beside this release."""
    there = {said.outlet.value, *(one.outlet for one in before)}
    if row.audience or Outlet.WEBSITE.value in there:
        return []
    return [
        "门户网站还没有发布，它是信息公开第一平台；请尽快在网站发布并登记(西政办发〔2016〕55号 通知三，S-099)"
    ]


# ── what stands there ─────────────────────────────────────────────────────────────────────────


def due(conn: Connection, now: datetime, most: int) -> list[Row[Any]]:
    """The releases whose page is to be compared now, the longest waiting first."""
    query = (
        select(RELEASE)
        .join(statements.STATEMENT, statements.STATEMENT.c.id == RELEASE.c.statement_id)
        .where(
            RELEASE.c.url.is_not(None),
            RELEASE.c.at > now - OLDEST,
            statements.STATEMENT.c.state == StatementState.RELEASED.value,
        )
        .order_by(RELEASE.c.at)
    )
    rows = conn.execute(query).all()
    return [row for row in rows if published.is_due(row.at, row.compared_at, now)][:most]


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved, as the public reads it: `texts`, any of which may stand on the page; `besides`, its
    title and headings, which may stand there too."""

    texts: tuple[str, ...]
    besides: str


def approved(conn: Connection, release: Row[Any], weibo: int = WEIBO) -> Approved:
    """The version that this release is of: whole, and on 微博 also its beginning alone."""
    found = next(
        one for one in statements.texts(conn, release.statement_id) if one.version == release.version
    )
    whole = plain(found.text)
    beginning = short(found.title, found.text, weibo).replace(REST, "")
    headings = "\n".join(block.words for block in blocks(found.text) if block.level > 0)
    texts = (whole, beginning) if release.outlet == Outlet.WEIBO.value else (whole,)
    return Approved(texts, f"{found.title}\n{headings}")


def compared(
    conn: Connection, at: datetime, release: Row[Any], changes: Sequence[Change], by: str = "huiying"
) -> bool:
    """Keep what the comparison found; whether it is news that the page differs."""
    words = published.in_words(changes)
    change = {"id": release.id, "compared_at": iso(at), "same": not changes, "difference": words or None}
    payload = {
        "statement": release.statement_id,
        "outlet": release.outlet,
        "same": not changes,
        "difference": words,
        "update": {"release": [change]},
    }
    home = statements.get(conn, release.statement_id).incident_id  # it may have moved since the page was read
    append(conn, at, [Entry("statement_compared", payload, by, words, home)])
    return bool(changes) and words != (release.difference or "")


def mark(words: str) -> str:
    """A short name of a difference, so that the same one is told once."""
    return hashlib.sha256(words.encode()).hexdigest()[:6]


# ── taken back ────────────────────────────────────────────────────────────────────────────────


def withdraw(
    conn: Connection, at: datetime, statement_id: str, by: str, reason: str, rules_for: RulesFor
) -> list[str]:
    """A released statement is taken back everywhere: its evidence no longer stands, the clocks run again from
    the same start. Returns their rule ids."""
    row = statements.get(conn, statement_id)
    if row.state != StatementState.RELEASED.value:
        raise NotAllowed(
            f"稿件“{StatementState(row.state).zh}”，没有发布，无须撤回；未发布的可以作废(discard)"
        )
    if not reason.strip():
        raise NotAllowed("撤回已发布的稿件须写明理由(--reason)")
    freed: list[str] = []
    for release in of_statement(conn, row.id):
        if release.evidence_id and proving.stands(conn, release.evidence_id):
            why = f"稿件撤回: {reason}"
            freed += proving.retract(conn, at, row.incident_id, release.evidence_id, by, why, rules_for)
    payload = {
        "statement": row.id,
        "title": row.title,
        "clocks": list(dict.fromkeys(freed)),
        "update": {"statement": [{"id": row.id, "state": StatementState.WITHDRAWN.value}]},
    }
    append(conn, at, [Entry("statement_withdrawn", payload, by, reason, row.incident_id)])
    return list(dict.fromkeys(freed))
