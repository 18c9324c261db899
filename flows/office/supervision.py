"""The daily duty over the registers: reviews set, what is overdue supervised, accountability drafted, the
roster's owner and the units reminded. Safe to run twice: everything has its occasion."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flows.office.assessment import drafts_of
from flows.office.registers import standing
from flows.office.tasking import unit_name
from flows.wiring import House
from models.core.assessment import NOBODY
from models.core.casework import Register
from models.core.clock import Amount
from models.core.moment import deadline_face, local
from models.core.personal import mask_personal
from models.core.registers import OFFICE_HOURS, Standing, occasion
from models.core.roster import Person
from models.core.workdays import Calendar, NoCalendar, WorkingDays, deadline
from models.ledger import aftermath, disclosure, duties, notices, registers, supervising
from models.ledger.notices import Notice
from models.ledger.replayed import Broken
from models.ledger.store import Connection, Row

KEY = "registers"
CLOSED_WITHIN = timedelta(days=30)
"""Older incidents get no review of their own: they were closed before there was one."""
SOON = timedelta(days=2)
MOST_NAMED = 5


def keep_registers(house: House) -> str:
    """Once a day in office hours; its result in words."""
    now = house.time.now()
    day = f"{local(now):%Y-%m-%d}"
    if not OFFICE_HOURS[0] <= local(now).hour < OFFICE_HOURS[1]:
        return "台账在办公时间核对"
    with house.store.read() as conn:
        kept = duties.get_setting(conn, KEY)
    if kept is not None and kept["day"] == day:
        return str(kept["words"])
    words = _keep(house, now)
    with house.store.write() as conn:
        duties.put_setting(conn, KEY, {"day": day, "words": words})
    return words


def _keep(house: House, now: datetime) -> str:
    """Short transactions, so that nobody waits for a large day; what needs the whole journal comes last."""
    settings = house.site.registers
    with house.store.write() as conn:
        disclosure.plan_again(conn, now, house.calendar)
        reviews = aftermath.set_reviews(conn, now, CLOSED_WITHIN, settings.review)
    late = _supervise(house, now) if settings.supervise else 0
    with house.store.write() as conn:
        told = notices.tell(conn, now, list(_notices(conn, house, now))) if settings.remind else 0
    return f"复盘 {reviews} 项，建议督办 {late} 项，{_draft(house, now)}，提醒 {told} 条"


def _supervise(house: House, now: datetime) -> int:
    """Propose until nothing late is without its row; how many."""
    answer_by = ends(now, house.site.registers.answering, house.calendar)
    count, made = 0, supervising.MOST
    while made == supervising.MOST:
        with house.store.write() as conn:
            made = len(supervising.propose(conn, now, answer_by, NOBODY))
        count += made
    return count


def _draft(house: House, now: datetime) -> str:
    """Draft accountability, and say so. A broken chain stops this alone: nothing may be held against anybody
    that the journal does not prove."""
    try:
        with house.store.read() as conn:
            found = drafts_of(conn, house, now)
    except Broken as broken:
        return f"问责建议未起草({broken})"
    count = 0
    for first in range(0, len(found), supervising.MOST):
        with house.store.write() as conn:
            count += len(supervising.draft(conn, now, found[first : first + supervising.MOST]))
    return f"问责建议 {count} 项"


def ends(now: datetime, within: Amount, calendar: Calendar) -> datetime:
    """`within` from now; where no calendar is known, as many days as the working days are at the least."""
    if not isinstance(within, WorkingDays):
        return now + within
    try:
        return deadline(now, within, calendar)
    except NoCalendar:
        return now + timedelta(days=within.count)


# ── who is told ───────────────────────────────────────────────────────────────────────────────


def _notices(conn: Connection, house: House, now: datetime) -> list[Notice]:
    """To the roster's owner: what is late each day, what is near once a week, each in one message."""
    owners = house.site.roster.owners(now)
    grouped: dict[str, list[str]] = {}
    for one in standing(conn, house, now):
        name = occasion(one, now)
        if name is not None:
            grouped.setdefault(name, []).append(_counter_words(one))
    for row in registers.listed(conn, open_only=True):
        name = _entry_occasion(row, now)
        if name is not None:
            grouped.setdefault(name, []).append(_entry_words(row))
    return [_notice(name, said, owners) for name, said in grouped.items()]


def _entry_occasion(row: Row[Any], now: datetime) -> str | None:
    """An entry is told of each day from two days before its limit on."""
    if row.due_at is None or row.due_at - SOON > now or _is_only_proposed(row):
        return None
    return f"{'late' if row.due_at <= now else 'near'} {local(now):%Y-%m-%d}"


def _is_only_proposed(row: Row[Any]) -> bool:
    return bool(row.kind == Register.SUPERVISION.value and (row.details or {}).get("state") == "proposed")


def _notice(name: str, said: list[str], people: tuple[Person, ...]) -> Notice:
    kind = {"late": "已逾期", "soon": "本期将到", "near": "即将到期"}[name.split()[0]]
    more = f" 等 {len(said)} 项" if len(said) > MOST_NAMED else ""
    reason = f"{'；'.join(said[:MOST_NAMED])}{more}。请到 /registers 办理或登记"
    return Notice("registers", name, f"台账 {len(said)} 项{kind}", reason, people)


def _counter_words(one: Standing) -> str:
    return (
        f"{one.counter.name} {one.period.name} 已 {one.done}/{one.counter.at_least}，"
        f"{deadline_face(one.period.due_at)} 前"
    )


def _entry_words(row: Row[Any]) -> str:
    return f"{row.id} {Register(row.kind).zh}“{mask_personal(row.title)[:30]}”{deadline_face(row.due_at)} 前"


def ask(conn: Connection, house: House, row: Row[Any], now: datetime) -> int:
    """Tell the unit's people of a supervision that was issued; the owner when it has none on the roster."""
    wanted = unit_name(house, row.unit)
    ours = tuple(p for p in house.site.roster.people if unit_name(house, p.unit) == wanted and p.contacts)
    title = f"督办：{mask_personal(row.title)}"
    reason = (
        f"请 {wanted} 于 {deadline_face(row.due_at)} 前答复原因和措施（{row.id}）" if row.due_at else row.id
    )
    return notices.tell(
        conn, now, [Notice("supervision", row.id, title, reason, ours or house.site.roster.owners(now))]
    )
