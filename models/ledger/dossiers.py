"""证据包 of a rumour: gathered, handed over, receipted, followed up (S-035, S-036, N-006).

The archive lies in `snapshot` under its SHA-256; the journal keeps its manifest. A receipt's number is used
once for ever, whichever incident it was given for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, insert, select

from models.core.dossier import COUNTS, receipt_key
from models.core.moment import clock_face, iso
from models.core.vocabulary import EvidenceKind, Medium
from models.ledger import incidents, journal, proving, signals
from models.ledger.captures import CAPTURE, SNAPSHOT
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.planning import EVIDENCE, RulesFor
from models.ledger.signals import SIGNAL
from models.ledger.store import NotThere
from models.records import Dossier, Judgement

DOSSIER: Table = Dossier.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
ZIP = "application/zip"
MOST_POSTS = 2_000
MOST_BYTES = 40 * 1024 * 1024
"""Of snapshots in one package: what a mail or a disc of the police takes."""
RECEIPT = "移交回执 "
Names = Mapping[str, str]


class NoSuchDossier(NotThere):
    """There is no dossier of that number."""


# ── gathering ─────────────────────────────────────────────────────────────────────────────────


def posts(conn: Connection, incident_id: str, numbers: Sequence[int] = ()) -> Sequence[Row[Any]]:
    """The incident's signals but our own, oldest first; only those of `numbers` where any are given."""
    query = (
        select(SIGNAL)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id, SIGNAL.c.medium != Medium.OFFICIAL.value)
        .order_by(SIGNAL.c.id)
        .limit(MOST_POSTS + 1)
    )
    rows = conn.execute(query.where(SIGNAL.c.id.in_(list(numbers))) if numbers else query).all()
    missing = sorted(set(numbers) - {row.id for row in rows})
    if missing:
        raise NotAllowed(f"线索 {'、'.join(map(str, missing))} 不属于本事件；请核对线索编号")
    if len(rows) > MOST_POSTS:
        raise NotAllowed(f"线索超过 {MOST_POSTS} 条；请用线索编号(signals)指定要移交的")
    if not rows:
        raise NotAllowed("本事件没有线索，做不成证据包；请先导入或归并线索")
    return rows


def post_of(number: int, row: Row[Any]) -> dict[str, Any]:
    """One post for the package, before its words are masked: `at` is when it was said, `sealed_sha256` the
    hash under which the journal sealed it when it came in (verify compares them)."""
    counts = {name: (row.metrics or {}).get(name) for name in COUNTS}
    return {
        "number": number,
        "signal": row.id,
        "url": row.url,
        "title": row.title,
        "body": row.body,
        "author": row.author,
        "medium": Medium(row.medium).zh,
        "source": row.source_id,
        "published_at": iso(row.published_at) if row.published_at else None,
        "seen_at": iso(row.seen_at),
        "at": row.published_at or row.seen_at,
        "sealed_sha256": signals.digest(dict(row._mapping)),
        **counts,
    }


def snapshots(conn: Connection, incident_id: str) -> dict[str, tuple[bytes, str]]:
    """SHA-256 → bytes and media type of what is kept of the incident's evidence, up to MOST_BYTES."""
    pages = select(CAPTURE.c.warc_sha256).where(CAPTURE.c.incident_id == incident_id)
    files = select(EVIDENCE.c.sha256).where(EVIDENCE.c.incident_id == incident_id)
    rows = conn.execute(
        select(SNAPSHOT)
        .where(SNAPSHOT.c.sha256.in_(pages) | SNAPSHOT.c.sha256.in_(files))
        .order_by(SNAPSHOT.c.sha256)
    )
    kept: dict[str, tuple[bytes, str]] = {}
    room = MOST_BYTES
    for row in rows:
        room -= len(row.content)
        if room >= 0:
            kept[row.sha256] = (bytes(row.content), row.media_type)
    return kept


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def make(
    conn: Connection,
    at: datetime,
    incident_id: str,
    content: bytes,
    manifest: dict[str, Any],
    by: str,
    reason: str,
) -> str:
    """Keep a package that was gathered just now; returns its id."""
    row = incidents.get(conn, incident_id)
    name = hashlib.sha256(content).hexdigest()
    if conn.execute(select(SNAPSHOT.c.sha256).where(SNAPSHOT.c.sha256 == name)).first() is None:
        conn.execute(insert(SNAPSHOT).values(sha256=name, content=content, media_type=ZIP))
    made = {
        "id": uuid4().hex[:12],
        "incident_id": row.id,
        "sha256": name,
        "manifest": manifest,
        "made_at": iso(at),
        "made_by": by,
        "follow_up": [],
    }
    payload = {
        "dossier": made["id"],
        "sha256": name,
        "posts": manifest["posts"],
        "authors": manifest["authors"],
        "insert": {"dossier": [made]},
    }
    append(conn, at, [Entry("dossier_made", payload, by, reason, row.id)])
    return str(made["id"])


def hand(
    conn: Connection, at: datetime, dossier_id: str, receiver: str, form: str, by: str, reason: str
) -> None:
    """移交: to whom; the form goes into the journal as it was printed."""
    row = find(conn, dossier_id)
    if row.receiver:
        raise NotAllowed(
            f"这个证据包已于 {clock_face(row.handed_at)} 移交{row.receiver}；移交另一单位请另做一份(make)"
        )
    if not receiver.strip():
        raise NotAllowed("缺少接收单位；请写明移交给谁(to)，例如“市公安局网安支队”(国办发〔2016〕61号 N-006)")
    change = {"id": row.id, "receiver": receiver.strip(), "handed_at": iso(at), "handed_by": by}
    payload = {
        "dossier": row.id,
        "receiver": receiver.strip(),
        "form": form,
        "update": {"dossier": [change]},
    }
    append(conn, at, [Entry("dossier_handed", payload, by, reason, row.incident_id)])


def receipt(
    conn: Connection,
    at: datetime,
    dossier_id: str,
    number: str,
    received_at: datetime,
    by: str,
    reason: str,
    rules_for: RulesFor,
) -> list[str]:
    """回执: evidence of the hand-over; returns the rule ids of the clocks that it stopped."""
    row = find(conn, dossier_id)
    if not row.receiver:
        raise NotAllowed("这个证据包还没有移交，不会有回执；请先登记移交(hand)")
    if receipted(conn, row):
        raise NotAllowed(
            f"这个证据包已有回执 {row.receipt}，一份移交只登记一个回执；编号写错的先撤回那份凭据(retract)"
        )
    if received_at < row.handed_at - incidents.SKEW:
        raise NotAllowed(
            f"回执时间 {clock_face(received_at)} 早于移交时间 {clock_face(row.handed_at)}；请核对"
        )
    _unused(conn, number)
    proof = proving.Proof(
        kind=EvidenceKind.HANDOVER_RECEIPT,
        publisher=row.receiver,
        published_at=received_at,
        seen_at=at,
        document=f"{RECEIPT}{number.strip()}",
    )
    stopped = proving.stop(conn, at, row.incident_id, proof, by, reason or "收到移交回执", rules_for)
    change = {
        "id": row.id,
        "receipt": number.strip(),
        "receipt_at": iso(received_at),
        "evidence_id": _evidence_of(conn, row.incident_id, proof.sha256),
    }
    payload = {"dossier": row.id, "receipt": number.strip(), "update": {"dossier": [change]}}
    append(conn, at, [Entry("dossier_receipted", payload, by, reason, row.incident_id)])
    return stopped


def receipted(conn: Connection, row: Row[Any]) -> bool:
    """Has it a receipt whose evidence was not taken back?"""
    return bool(row.receipt) and (row.evidence_id is None or proving.stands(conn, row.evidence_id))


def _unused(conn: Connection, number: str) -> None:
    """Raises NotAllowed for a number that a standing receipt bears, in whichever incident."""
    if not receipt_key(number):
        raise NotAllowed("缺少回执编号(number)；请照接收单位回执上的编号填写")
    used = proving.receipt_used(conn, number)
    if used:
        raise NotAllowed(
            f"回执 {number.strip()} 已用于 舆-{used}，一个回执只能用一次；请核对编号，"
            "此前登记有误的先撤回那份凭据(retract)"
        )


def _evidence_of(conn: Connection, incident_id: str, sha256: str) -> str | None:
    return conn.execute(
        select(EVIDENCE.c.id).where(
            EVIDENCE.c.incident_id == incident_id,
            EVIDENCE.c.sha256 == sha256,
            EVIDENCE.c.standing.is_(None),
        )
    ).scalar()


def follow(conn: Connection, at: datetime, dossier_id: str, text: str, by: str) -> None:
    """后续: what the receiver did with it since."""
    row = find(conn, dossier_id)
    if not row.receiver:
        raise NotAllowed("还没有移交，没有后续可记；请先登记移交(hand)")
    if not text.strip():
        raise NotAllowed("后续内容不能为空(text)")
    made = [*row.follow_up, {"at": iso(at), "by": by, "text": text.strip()}]
    payload = {
        "dossier": row.id,
        "text": text.strip(),
        "update": {"dossier": [{"id": row.id, "follow_up": made}]},
    }
    append(conn, at, [Entry("dossier_followed", payload, by, "", row.incident_id)])


def taken(conn: Connection, at: datetime, dossier_id: str, by: str, reason: str) -> None:
    """Who took a package with personal data out, and why (law 11)."""
    row = find(conn, dossier_id)
    if not reason.strip() or by in ("", "cli"):
        raise NotAllowed("证据包含个人信息，取出须署名并写明理由(--by、--reason)")
    append(conn, at, [Entry("dossier_taken", {"dossier": row.id}, by, reason, row.incident_id)])


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def find(conn: Connection, dossier_id: str) -> Row[Any]:
    """The dossier of that id, which may be cut short. Raises NoSuchDossier."""
    wanted = dossier_id.strip()
    found = conn.execute(select(DOSSIER).where(DOSSIER.c.id.startswith(wanted, autoescape=True))).all()
    if not wanted or len(found) != 1:
        said = f"有 {len(found)} 个" if len(found) > 1 and wanted else "没有"
        raise NoSuchDossier(
            f"{said}编号为 {dossier_id[:40]} 的证据包；编号见事件的“辟谣移交”页或 huiying dossier list"
        )
    return found[0]


def of_incident(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """The incident's dossiers, oldest first."""
    return conn.execute(
        select(DOSSIER).where(DOSSIER.c.incident_id == incident_id).order_by(DOSSIER.c.made_at, DOSSIER.c.id)
    ).all()


def forms(conn: Connection, incident_id: str) -> dict[str, str]:
    """dossier id → the hand-over form as it was printed."""
    rows = journal.entries(conn, kind="dossier_handed")
    payloads = [journal.as_entry(row).payload for row in rows if row["incident_id"] == incident_id]
    return {payload["dossier"]: payload["form"] for payload in payloads}


def personal(manifest: Mapping[str, Any]) -> bool:
    """Does such a package hold personal data? Pages and files as they were found may name anybody."""
    return manifest["authors"] == "full" or any(
        one["path"].startswith("snapshots/") for one in manifest["files"]
    )


def view(conn: Connection, row: Row[Any], names: Names) -> dict[str, Any]:
    """One dossier for people; a receipt whose evidence was taken back is none."""
    done = receipted(conn, row)
    state = "receipted" if done else "handed" if row.receiver else "made"
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "state": state,
        "state_zh": {"made": "待移交", "handed": "已移交，等回执", "receipted": "已有回执"}[state],
        "sha256": row.sha256,
        "posts": row.manifest["posts"],
        "authors": row.manifest["authors"],
        "personal": personal(row.manifest),
        "files": row.manifest["files"],
        "journal_head": row.manifest["journal_head"],
        "made_at": iso(row.made_at),
        "made_by": names.get(row.made_by, row.made_by),
        "receiver": row.receiver,
        "handed_at": iso(row.handed_at) if row.handed_at else None,
        "handed_by": names.get(row.handed_by, row.handed_by) if row.handed_by else None,
        "receipt": row.receipt if done else None,
        "receipt_at": iso(row.receipt_at) if done and row.receipt_at else None,
        "follow_up": [{**one, "by": names.get(one["by"], one["by"])} for one in row.follow_up],
    }
