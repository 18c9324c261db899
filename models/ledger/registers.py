"""Registers 台账: entries added, done, cancelled, marked; each a journal entry, nothing is ever deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.casework import Register
from models.core.moment import clock_face, deadline_face, iso, local
from models.core.registers import WITH_UNIT, Counted, due_of
from models.core.workdays import Calendar, NoCalendar
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed, not_future
from models.ledger.journal import JOURNAL, append
from models.ledger.store import NotThere
from models.records import RegisterEntry

ENTRY: Table = RegisterEntry.__table__  # type: ignore[attr-defined]
LACK = "no_calendar"
"""The detail that says why an entry has no limit yet."""
SHORTENED = "shortened"
"""The detail that says that the limit written down was later than the law's, which counts."""
KINDS = ("register_added", "register_done", "register_cancelled", "register_marked")
LONGEST = 500
"""Characters of a title or a detail: more belongs into a document."""
PREFIX = "R"
"""Before an entry's number: R2026-0007."""


class NoSuchEntry(NotThere):
    """There is no register entry of that number."""


@dataclass(frozen=True, slots=True)
class New:
    """A matter to be written down. `due_at` None: what the law says of its kind."""

    kind: Register
    title: str
    happened_at: datetime
    reason: str
    unit: str | None = None
    due_at: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    incident_id: str | None = None


def get(conn: Connection, entry_id: str) -> Row[Any]:
    """The entry of that number. Raises NoSuchEntry."""
    row = conn.execute(select(ENTRY).where(ENTRY.c.id == entry_id.strip())).first()
    if row is None:
        raise NoSuchEntry(f"台账里没有 {entry_id[:40]}；用 huiying register list 或 /registers 查看编号")
    return row


def listed(conn: Connection, kind: Register | None = None, *, open_only: bool = False) -> Sequence[Row[Any]]:
    """The entries, newest first."""
    query = select(ENTRY).order_by(ENTRY.c.happened_at.desc(), ENTRY.c.id.desc())
    query = query if kind is None else query.where(ENTRY.c.kind == kind.value)
    if open_only:
        query = query.where(ENTRY.c.done_at.is_(None), ENTRY.c.cancelled_at.is_(None))
    return conn.execute(query).all()


def overdue(conn: Connection, now: datetime) -> Sequence[Row[Any]]:
    """What was to be done before now and is neither done nor cancelled."""
    query = select(ENTRY).where(
        ENTRY.c.due_at < now, ENTRY.c.done_at.is_(None), ENTRY.c.cancelled_at.is_(None)
    )
    return conn.execute(query.order_by(ENTRY.c.due_at)).all()


def counted(rows: Iterable[Mapping[str, Any]]) -> list[Counted]:
    """The entries as the calendar's counters see them; what was cancelled counts for nothing."""
    return [
        Counted(
            row["happened_at"],
            Register(row["kind"]),
            (row["details"] or {}).get("counter", ""),
            (row["details"] or {}).get("period", ""),
            row["unit"],
        )
        for row in rows
        if row["cancelled_at"] is None
    ]


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def add(conn: Connection, at: datetime, new: New, by: str, calendar: Calendar) -> str:
    """Write a matter down; returns its number. Raises NotAllowed in words."""
    if not new.title.strip():
        raise NotAllowed(f"{new.kind.zh}没有标题；写明是什么事")
    if new.kind in WITH_UNIT and not new.unit:
        raise NotAllowed(f"{new.kind.zh}没有写单位；它记在一个单位名下，请写 unit")
    if max(map(len, (new.title, *map(str, new.details.values())))) > LONGEST:
        raise NotAllowed(f"{new.kind.zh}的一项内容超过 {LONGEST} 字；写要点，详情存为文件")
    not_future(new.happened_at, at, new.kind.zh)
    _once(conn, new)
    due_at, more = _limit(new, calendar)
    if due_at is not None and due_at <= new.happened_at:
        raise NotAllowed(
            f"期限 {clock_face(due_at)} 早于发生时间 {clock_face(new.happened_at)}；请核对两个时间"
        )
    entry_id = next_id(conn, at)
    row = _row(entry_id, at, new, by, due_at)
    row["details"] |= more
    append(conn, at, [added(row, by, new.reason)])
    return entry_id


def added(row: Mapping[str, Any], by: str, reason: str) -> Entry:
    """The journal entry of a new row."""
    payload = {
        "entry": row["id"],
        "kind": row["kind"],
        "title": row["title"],
        "insert": {"registerentry": [dict(row)]},
    }
    return Entry("register_added", payload, by, reason, row["incident_id"])


def due_by_law(kind: Register, happened_at: datetime, calendar: Calendar) -> tuple[datetime | None, str]:
    """The limit, or why none can be told yet: what is not known of a year is not guessed, and what has
    happened is written down all the same (law 6)."""
    try:
        return due_of(kind, happened_at, calendar), ""
    except NoCalendar as lack:
        return None, str(lack)


def _limit(new: New, calendar: Calendar) -> tuple[datetime | None, dict[str, str]]:
    """The limit of a new entry, and what is to be said of it: a person may set an earlier one than the law does, never
    a later one."""
    by_law, lack = due_by_law(new.kind, new.happened_at, calendar)
    if new.due_at is None or lack:
        said = f"暂按所写期限；{lack}" if new.due_at else lack
        return new.due_at or by_law, {LACK: said} if said and lack else {}
    if by_law is None or new.due_at <= by_law:
        return new.due_at, {}
    face = deadline_face(new.due_at)
    return by_law, {SHORTENED: f"所写的 {face} 晚于法定期限，按法定的 {deadline_face(by_law)} 登记"}


def limitless(conn: Connection) -> list[Row[Any]]:
    """Open entries that lack the law's limit for want of a calendar."""
    return [row for row in listed(conn, open_only=True) if (row.details or {}).get(LACK)]


def next_id(conn: Connection, at: datetime, more: int = 1) -> str:
    """The next number of the year; `more` 2 is the one after. Call it under the write lock."""
    year = f"{PREFIX}{local(at):%Y}-"
    newest = conn.execute(
        select(ENTRY.c.id)
        .where(ENTRY.c.id.like(f"{year}%"))
        .order_by(func.length(ENTRY.c.id).desc(), ENTRY.c.id.desc())
        .limit(1)
    ).scalar()
    return f"{year}{(int(newest[len(year) :]) if newest else 0) + more:04d}"


def _row(entry_id: str, at: datetime, new: New, by: str, due_at: datetime | None) -> dict[str, Any]:
    return {
        "id": entry_id,
        "kind": new.kind.value,
        "title": new.title.strip(),
        "unit": new.unit,
        "happened_at": iso(new.happened_at),
        "due_at": iso(due_at) if due_at else None,
        "done_at": None,
        "result": None,
        "incident_id": new.incident_id,
        "details": dict(new.details),
        "recorded_at": iso(at),
        "recorded_by": by,
        "reason": new.reason,
        "cancelled_at": None,
    }


def made(entry_id: str, at: datetime, new: New, by: str) -> dict[str, Any]:
    """A row as the system itself writes it, with the limit that it names."""
    return _row(entry_id, at, new, by, new.due_at)


def _once(conn: Connection, new: New) -> None:
    """An account's filing number stands once in the register (N-020)."""
    number = new.details.get("filing_no")
    if new.kind is Register.ACCOUNT and number:
        _number_free(conn, number)


def _number_free(conn: Connection, number: str) -> None:
    for row in listed(conn, Register.ACCOUNT):
        if row.cancelled_at is None and row.details.get("filing_no") == number:
            raise NotAllowed(
                f"备案号 {number} 已登记在 {row.id}“{row.title}”；请核对，一个备案号只对应一个账号（N-020）"
            )


def done(
    conn: Connection, at: datetime, entry_id: str, result: str, by: str, done_at: datetime | None = None
) -> None:
    """办结 an entry, with its result. Raises NoSuchEntry, NotAllowed."""
    row = still_open(get(conn, entry_id))
    when = done_at or at
    not_future(when, at, "完成")
    if when < row.happened_at:
        raise NotAllowed(
            f"完成时间 {clock_face(when)} 早于发生时间 {clock_face(row.happened_at)}；请核对后重报"
        )
    if not result.strip():
        raise NotAllowed(f"{row.id} 完成时要写结果；写明怎么办的、凭什么")
    if row.kind == Register.SUPERVISION.value and not row.details.get("answer"):
        raise NotAllowed(f"{row.id} 还没有责任单位的答复，不能办结；先用 answer 记下答复（S-132）")
    if row.kind == Register.ACCOUNTABILITY.value:
        raise NotAllowed(f"{row.id} 是问责建议，由人决定：用 decide 写 upheld 或 dropped 及理由（S-125）")
    change = {"id": row.id, "done_at": iso(when), "result": result.strip()}
    payload = {"entry": row.id, "title": row.title, "update": {"registerentry": [change]}}
    append(conn, at, [Entry("register_done", payload, by, result.strip(), row.incident_id)])


def file_account(conn: Connection, at: datetime, entry_id: str, number: str, by: str, reason: str) -> None:
    """报备: the filing number of an account that had none (N-020, S-062)."""
    row = still_open(of_kind(get(conn, entry_id), Register.ACCOUNT, "补备案号"))
    if row.details.get("filing_no"):
        raise NotAllowed(f"{row.id} 已有备案号 {row.details['filing_no']}；有误请作废后重新登记")
    _number_free(conn, number)
    details = {**row.details, "filing_no": number}
    mark(conn, at, row, f"补备案号 {number}", by, reason, details=details)


def cancel(conn: Connection, at: datetime, entry_id: str, by: str, reason: str) -> None:
    """作废: the entry stays, with its reason, and counts for nothing."""
    row = get(conn, entry_id)
    if row.cancelled_at is not None:
        raise NotAllowed(f"{row.id} 已于 {clock_face(row.cancelled_at)} 作废，无须再办")
    if not reason.strip():
        raise NotAllowed(f"作废 {row.id} 必须写明理由(--reason)")
    change = {"id": row.id, "cancelled_at": iso(at)}
    payload = {"entry": row.id, "title": row.title, "update": {"registerentry": [change]}}
    append(conn, at, [Entry("register_cancelled", payload, by, reason, row.incident_id)])


def mark(
    conn: Connection, at: datetime, row: Row[Any], words: str, by: str, reason: str, **columns: Any
) -> None:
    """What has happened to an entry, in words, and the columns that change by it."""
    change = {"id": row.id, **columns}
    payload = {"entry": row.id, "title": row.title, "words": words, "update": {"registerentry": [change]}}
    append(conn, at, [Entry("register_marked", payload, by, reason, row.incident_id)])


def still_open(row: Row[Any]) -> Row[Any]:
    if row.cancelled_at is not None:
        raise NotAllowed(f"{row.id} 已作废；要办请重新登记")
    if row.done_at is not None:
        raise NotAllowed(f"{row.id} 已于 {clock_face(row.done_at)} 办结，不能再改；有误请作废后重新登记")
    return row


def of_kind(row: Row[Any], kind: Register, act: str) -> Row[Any]:
    if row.kind != kind.value:
        raise NotAllowed(f"{row.id} 是{Register(row.kind).zh}，不能{act}；{act}只用于{kind.zh}")
    return row


def history(conn: Connection, row: Row[Any]) -> list[dict[str, Any]]:
    """The journal entries of a register entry, oldest first."""
    query = (
        select(JOURNAL)
        .where(JOURNAL.c.kind.in_(KINDS), JOURNAL.c.payload.contains(f'"entry":"{row.id}"'))
        .order_by(JOURNAL.c.seq)
    )
    return [dict(found) for found in conn.execute(query).mappings()]


def words_of(row: Mapping[str, Any]) -> str:
    """What a journal entry of `history` says in words."""
    return str(json.loads(row["payload"]).get("words", ""))
