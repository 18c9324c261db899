"""依申请公开: what happens to an application while its 20 working days run (条例 30, 32, 33; N-043 … N-047)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from models.core.casework import Register
from models.core.moment import clock_face, deadline_face, iso, parse_iso
from models.core.registers import OPINION, Course, due_of, extendable, mendable, opinion_due, reply_due
from models.core.workdays import Calendar, NoCalendar
from models.ledger import registers
from models.ledger.incidents import NotAllowed, not_future


def course(row: Row[Any]) -> Course:
    """The application's course so far."""
    return _course(row.happened_at, row.details or {})


def _course(received_at: datetime, details: dict[str, Any]) -> Course:
    spells = tuple((parse_iso(a), parse_iso(b) if b else None) for a, b in details.get("consulted", ()))
    asked, mended, longer = (
        parse_iso(details[name]) if details.get(name) else None
        for name in ("mending_asked", "supplemented", "extended")
    )
    return Course(received_at, asked, mended, spells, longer)


def _application(conn: Connection, entry_id: str, act: str) -> Row[Any]:
    row = registers.of_kind(registers.get(conn, entry_id), Register.DISCLOSURE_REQUEST, act)
    return registers.still_open(row)


def _when(row: Row[Any], given: datetime | None, at: datetime, what: str) -> datetime:
    """When it was: given and neither in the future nor before the application."""
    when = given or at
    not_future(when, at, what)
    if when < row.happened_at:
        raise NotAllowed(f"{what}时间早于收到申请的时间；请核对后重报")
    return when


def consult(
    conn: Connection, at: datetime, entry_id: str, by: str, reason: str, calendar: Calendar,
    when: datetime | None = None,
) -> None:  # fmt: skip
    """征求第三方意见: from now on the days do not count, until the answer (N-045, N-047)."""
    row = _application(conn, entry_id, "征求意见")
    if course(row).asking:
        raise NotAllowed(f"{row.id} 正在征求意见；先用 consulted 记下答复，再征求下一次")
    asked = _when(row, when, at, "征求意见")
    spells = [*(row.details or {}).get("consulted", ()), [iso(asked), None]]
    said = f"征求第三方意见，{_opinion_by(asked, calendar)}答复，其间不计期限"
    _put(
        conn,
        at,
        row,
        {"consulted": spells},
        by,
        reason,
        calendar,
        said,
    )


def _opinion_by(asked: datetime, calendar: Calendar) -> str:
    try:
        return f"至迟 {deadline_face(opinion_due(asked, calendar))} "
    except NoCalendar:
        return f"{OPINION.zh}内"


def consulted(
    conn: Connection, at: datetime, entry_id: str, by: str, reason: str, calendar: Calendar,
    when: datetime | None = None,
) -> None:  # fmt: skip
    """第三方已答复: the days count again."""
    row = _application(conn, entry_id, "记下意见答复")
    if not course(row).asking:
        raise NotAllowed(f"{row.id} 没有在征求意见；先用 consult 记下何时征求")
    asked, _ = row.details["consulted"][-1]
    answered = _when(row, when, at, "意见答复")
    if answered < parse_iso(asked):
        raise NotAllowed("意见答复早于征求的时间；请核对后重报")
    spells = [*row.details["consulted"][:-1], [asked, iso(answered)]]
    _put(conn, at, row, {"consulted": spells}, by, reason, calendar, "第三方意见已到，期限继续计算")


def extend(
    conn: Connection, at: datetime, entry_id: str, by: str, reason: str, calendar: Calendar,
    when: datetime | None = None,
) -> None:  # fmt: skip
    """延长: 20 working days more, once, agreed to by the head of the disclosure office and told (N-047)."""
    row = _application(conn, entry_id, "延长")
    if not reason.strip():
        raise NotAllowed("延长答复期限要写明理由和同意的公开工作机构负责人(--reason)（条例第 33 条，N-047）")
    agreed = _when(row, when, at, "同意延长")
    why = extendable(course(row), agreed, calendar)
    if why:
        raise NotAllowed(f"{row.id} {why}")
    _put(conn, at, row, {"extended": iso(agreed)}, by, reason, calendar, "答复期限延长 20 个工作日")


def ask_mending(
    conn: Connection, at: datetime, entry_id: str, by: str, reason: str, calendar: Calendar,
    when: datetime | None = None,
) -> None:  # fmt: skip
    """补正告知: once, within 7 working days of the application (N-043)."""
    row = _application(conn, entry_id, "补正告知")
    if (row.details or {}).get("mending_asked"):
        raise NotAllowed(f"{row.id} 已经告知过补正，条例第 30 条要求一次性告知（N-043）；请等补正或直接答复")
    asked = _when(row, when, at, "补正告知")
    if not mendable(course(row), asked, calendar):
        raise NotAllowed(f"{row.id} 补正告知的 7 个工作日已过（条例第 30 条，N-043）；请按现有申请答复")
    _put(conn, at, row, {"mending_asked": iso(asked)}, by, reason, calendar, "一次性告知补正")


def supplemented(
    conn: Connection, at: datetime, entry_id: str, by: str, reason: str, calendar: Calendar,
    when: datetime | None = None,
) -> None:  # fmt: skip
    """补正已收到: the 20 working days begin anew on that day (条例 30), once."""
    row = _application(conn, entry_id, "记下补正")
    so_far = course(row)
    if so_far.mending_asked is None:
        raise NotAllowed(f"{row.id} 没有告知过补正；先用 mend 记下何时告知")
    if so_far.supplemented is not None:
        once = "期限只重新起算一次（N-043）；有误请作废后重新登记"
        raise NotAllowed(f"{row.id} 已于 {clock_face(so_far.supplemented)} 收到补正，{once}")
    came = _when(row, when, at, "收到补正")
    if came < so_far.mending_asked:
        raise NotAllowed("收到补正的时间早于补正告知；请核对后重报")
    _put(conn, at, row, {"supplemented": iso(came)}, by, reason, calendar, "收到补正，期限重新起算")


ACTS = {
    "consult": consult,
    "consulted": consulted,
    "extend": extend,
    "mend": ask_mending,
    "supplemented": supplemented,
}
"""What is done to an application, by the names of the command line."""


def _put(
    conn: Connection, at: datetime, row: Row[Any], more: dict[str, Any], by: str, reason: str,
    calendar: Calendar, words: str,
) -> None:  # fmt: skip
    """The details with `more`, and the limit that they come to."""
    known = {name: value for name, value in (row.details or {}).items() if name != registers.LACK}
    details = {**known, **more}
    due_at, lack = _limit(_course(row.happened_at, details), calendar)
    details |= {registers.LACK: lack} if lack else {}
    said = f"答复期限 {deadline_face(due_at)}" if due_at else lack or "答复期限自收到补正之日起算"
    limit = iso(due_at) if due_at else None
    registers.mark(conn, at, row, f"{words}；{said}", by, reason, details=details, due_at=limit)


def _limit(so_far: Course, calendar: Calendar) -> tuple[datetime | None, str]:
    """By when it is answered; None while a mended one is waited for, or with the year that lacks a calendar."""
    if so_far.mending:
        return None, ""
    try:
        return reply_due(so_far, calendar), ""
    except NoCalendar as lack:
        return None, str(lack)


def plan_again(conn: Connection, at: datetime, calendar: Calendar) -> int:
    """Give the entries their limit that had none for want of a calendar, now that it is there; how many."""
    made = 0
    for row in registers.limitless(conn):
        try:
            due_at = min(filter(None, (row.due_at, _due(row, calendar))))
        except NoCalendar:
            continue
        details = {name: value for name, value in row.details.items() if name != registers.LACK}
        said = f"期限补算为 {deadline_face(due_at)}"
        registers.mark(conn, at, row, said, "huiying", "工作日历已补齐", details=details, due_at=iso(due_at))
        made += 1
    return made


def _due(row: Row[Any], calendar: Calendar) -> datetime:
    """The limit that the law gives an entry of its kind."""
    if row.kind == Register.DISCLOSURE_REQUEST.value:
        return reply_due(course(row), calendar)
    due_at = due_of(Register(row.kind), row.happened_at, calendar)
    assert due_at is not None  # only what has a limit in working days lacks a calendar
    return due_at
