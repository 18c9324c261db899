"""Captures 存证: the pages of evidence as they were found, and when each is looked at next.

What was found is truth and goes through the journal; the rhythm is working state and can be remade from
the evidence itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, func, insert, or_, select, update

from models.core.moment import iso
from models.core.rechecking import WATCHED, Course, Finding
from models.core.vocabulary import PageState
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Capture, Evidence, Recheck, Snapshot

CAPTURE: Table = Capture.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
RECHECK: Table = Recheck.__table__  # type: ignore[attr-defined]
SNAPSHOT: Table = Snapshot.__table__  # type: ignore[attr-defined]
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """The proof of one look: the main text, hashes of body and text, and the record to keep."""

    status: int
    text: str = ""
    page_sha256: str | None = None
    text_sha256: str | None = None
    record: bytes = b""
    media_type: str = ""


def adopt(conn: Connection, now: datetime) -> int:
    """Begin to look at what is not looked at yet: standing evidence with an address; how many."""
    rows = conn.execute(
        select(EVIDENCE.c.id)
        .join(RECHECK, RECHECK.c.evidence_id == EVIDENCE.c.id, isouter=True)
        .where(
            RECHECK.c.evidence_id.is_(None),
            EVIDENCE.c.standing.is_(None),
            EVIDENCE.c.seen_at > now - WATCHED,
            or_(EVIDENCE.c.url.startswith("http://"), EVIDENCE.c.url.startswith("https://")),
        )
    ).all()
    if rows:
        conn.execute(insert(RECHECK), [{"evidence_id": row.id, "due_at": now, "round": 0} for row in rows])
    return len(rows)


def due(conn: Connection, now: datetime, most: int) -> Sequence[Row[Any]]:
    """Evidence whose page is to be looked at now, with how far the looking has come."""
    return conn.execute(
        select(EVIDENCE, RECHECK.c.round, RECHECK.c.doubt, RECHECK.c.doubted_at, RECHECK.c.told)
        .join(RECHECK, RECHECK.c.evidence_id == EVIDENCE.c.id)
        .where(RECHECK.c.due_at <= now, EVIDENCE.c.standing.is_(None))
        .order_by(RECHECK.c.due_at)
        .limit(most)
    ).all()


def course(row: Row[Any]) -> Course:
    return Course(row.round, PageState(row.doubt) if row.doubt else None, row.doubted_at, row.told)


def first_text(conn: Connection, evidence_id: str) -> tuple[str, datetime] | None:
    """The main text as it was taken, and when; None while it never was."""
    row = conn.execute(
        select(CAPTURE.c.at, SNAPSHOT.c.content)
        .join(SNAPSHOT, SNAPSHOT.c.sha256 == CAPTURE.c.text_sha256)
        .where(CAPTURE.c.evidence_id == evidence_id, CAPTURE.c.outcome == PageState.TAKEN.value)
        .order_by(CAPTURE.c.at)
        .limit(1)
    ).first()
    return (bytes(row.content).decode(), row.at) if row else None


def note(conn: Connection, now: datetime, evidence: Row[Any], page: Page, finding: Finding) -> None:
    """Keep what was found. A look that found nothing new moves only the rhythm."""
    if _is_news(finding):
        record_sha256 = keep(conn, page.record, page.media_type) if page.record else None
        if page.text_sha256:
            keep(conn, page.text.encode(), TEXT)
        row = _row(now, evidence, page, finding, record_sha256)
        payload = {
            "outcome": finding.state.value,
            "url": evidence.url,
            "page_sha256": page.page_sha256,
            "insert": {"capture": [row]},
        }
        append(conn, now, [Entry("page_found", payload, "huiying", finding.note, evidence.incident_id)])
    conn.execute(update(RECHECK).where(RECHECK.c.evidence_id == evidence.id).values(**_next(now, finding)))


def _is_news(finding: Finding) -> bool:
    if finding.state is PageState.EDITED:
        return finding.tell
    return finding.state is PageState.TAKEN or finding.retract


def _row(
    now: datetime, evidence: Row[Any], page: Page, finding: Finding, record_sha256: str | None
) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "evidence_id": evidence.id,
        "incident_id": evidence.incident_id,
        "at": iso(now),
        "outcome": finding.state.value,
        "status": page.status,
        "page_sha256": page.page_sha256,
        "text_sha256": page.text_sha256,
        "warc_sha256": record_sha256,
        "note": finding.note,
    }


def _next(now: datetime, finding: Finding) -> dict[str, Any]:
    course = finding.course
    return {
        "due_at": finding.due_at,
        "round": course.round,
        "doubt": course.doubt.value if course.doubt else None,
        "doubted_at": course.doubted_at,
        "told": course.told,
        "last_at": now,
        "last_word": f"{finding.state.zh}{'：' if finding.note else ''}{finding.note}"[:500],
    }


def keep(conn: Connection, content: bytes, media_type: str) -> str:
    """Keep bytes under their own hash, each once."""
    name = hashlib.sha256(content).hexdigest()
    if conn.execute(select(SNAPSHOT.c.sha256).where(SNAPSHOT.c.sha256 == name)).first() is None:
        conn.execute(insert(SNAPSHOT).values(sha256=name, content=content, media_type=media_type))
    return name


def snapshot(conn: Connection, sha256: str) -> tuple[bytes, str] | None:
    """What is kept under that hash, and its media type."""
    row = conn.execute(select(SNAPSHOT).where(SNAPSHOT.c.sha256 == sha256)).first()
    return (bytes(row.content), row.media_type) if row else None


def files(conn: Connection, sha256s: Iterable[str]) -> dict[str, tuple[str, int]]:
    """SHA-256 → media type and size of those that are kept under it."""
    table = SNAPSHOT
    rows = conn.execute(
        select(table.c.sha256, table.c.media_type, func.length(table.c.content).label("size")).where(
            table.c.sha256.in_(list(sha256s))
        )
    )
    return {row.sha256: (row.media_type, row.size) for row in rows}


def of_evidence(conn: Connection, evidence_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """evidence id → its captures, oldest first."""
    made: dict[str, list[Row[Any]]] = {}
    rows = conn.execute(
        select(CAPTURE).where(CAPTURE.c.evidence_id.in_(list(evidence_ids))).order_by(CAPTURE.c.at)
    )
    for row in rows:
        made.setdefault(row.evidence_id, []).append(row)
    return made


def looking(conn: Connection, evidence_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """evidence id → when it was looked at last, what was said, when it is looked at next."""
    rows = conn.execute(select(RECHECK).where(RECHECK.c.evidence_id.in_(list(evidence_ids))))
    return {row.evidence_id: row for row in rows}
