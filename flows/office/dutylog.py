"""值班日志 at the desk: a day by its shifts, what people add, who signs.

Implements `connectors.console.desks.dutylog.DutyLogDesk`. Nothing is stored for it but notes and signatures: the
rest is read from the journal each time, so that a log cannot differ from what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.console.desk import Refusal, Unknown, View
from flows.office import people_seen, tasking
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.wiring import House
from models.core import dutylog
from models.core.dutylog import DAY, Shift
from models.core.moment import iso, local, parse_iso
from models.core.roster import Person
from models.ledger import dutylog as kept
from models.ledger import handovers
from models.ledger.dutylog import Span
from models.ledger.store import Connection
from playbooks.problem import did_you_mean

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_SHIFT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", re.ASCII)
ACTS = ("note", "sign")


class DutyLog:
    """The desk's room for the log of duty."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def log(self, day: str = "") -> View:
        """A day's shifts. Raises Refusal."""
        now = self._desk.now()
        first = _day(day, now)
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            shown = shifts_seen(conn, self._desk.house, first, now)
        return {
            "day": f"{first:%Y-%m-%d}",
            "before": f"{first - DAY:%Y-%m-%d}",
            "after": f"{first + DAY:%Y-%m-%d}" if first + DAY <= now else None,
            "now": iso(now),
            "shifts": shown,
        }

    def act(self, name: str, params: Mapping[str, str], by: str) -> View:
        """Add a note, or sign. Raises Refusal, Unknown."""
        house = self._desk.house
        if by not in house.names or by == "huiying":
            raise Unknown(
                f"值班表里没有 {by}{did_you_mean(by, list(house.names))}；请写 roster.yaml 中的人员标识"
            )
        if name not in ACTS:
            raise Unknown(f"值班日志没有这个操作: {name[:40]}{did_you_mean(name, list(ACTS))}")
        shift = self._shift(params.get("shift", ""))
        said = self._note(shift, params, by) if name == "note" else self._sign(shift, params, by)
        return self.log(f"{local(shift.since):%Y-%m-%d}") | {"said": said}

    def _shift(self, wanted: str) -> Shift:
        """The shift of that id, else the one that runs now. Raises Unknown."""
        now = self._desk.now()
        roster = self._desk.house.site.roster
        days = [now, now - DAY] if not wanted else [_begins(wanted, now)]
        found = [one for day in days for one in dutylog.shifts(roster, day)]
        if wanted:
            found = [one for one in found if one.id == wanted]
        else:
            found = [one for one in found if one.since <= now < one.until]
        if not found:
            raise Unknown(
                f"值班表里没有从 {wanted[:20] or '现在'} 起的一班；用 huiying dutylog 查看当天的各班"
            )
        return found[0]

    def _note(self, shift: Shift, params: Mapping[str, str], by: str) -> str:
        with in_words(), self._desk.writing() as conn:
            kept.note(conn, self._desk.now(), Span(shift.since, shift.until), params.get("text", ""), by)
        return "已记入值班日志"

    def _sign(self, shift: Shift, params: Mapping[str, str], by: str) -> str:
        house, now = self._desk.house, self._desk.now()
        name, span = house.names[by], Span(shift.since, shift.until)
        with in_words(), self._desk.writing() as conn:
            signed = kept.written(conn, [span], house.names)[span.since]["signed"]
            rung = tasking.rung_of(house, by)
            wrong = dutylog.why_not_signed(by, name, rung, shift, now, signed["by"] if signed else None)
            if wrong:
                raise Refusal(wrong)
            kept.sign(conn, now, span, by, name, params.get("reason", "").strip() or "已阅")
        return "日志已签字"


def shifts_seen(conn: Connection, house: House, first: datetime, now: datetime) -> list[View]:
    """The shifts of a day that have begun, as people see them."""
    begun = [shift for shift in dutylog.shifts(house.site.roster, first) if shift.since <= now]
    spans = [Span(shift.since, shift.until) for shift in begun]
    written = kept.written(conn, spans, house.names)
    return [
        _shift(conn, house, shift, span, now) | written[span.since]
        for shift, span in zip(begun, spans, strict=True)
    ]


def _shift(conn: Connection, house: House, shift: Shift, span: Span, now: datetime) -> View:
    people = [name for name in house.names if name != "huiying"]
    lines, more = kept.lines(conn, span, house.called, people)
    return {
        "id": shift.id,
        "since": iso(shift.since),
        "until": iso(shift.until),
        "over": now >= shift.until,
        "people": _names(shift.people),
        "ladder": [
            {"rung": rung, "role_zh": people_seen.role(house, rung), "people": _names(people)}
            for rung, people in shift.ladder
        ],
        "counts": kept.counts(conn, span),
        "handover": _handover(conn, house, shift),
        "lines": lines,
        "more": more,
    }


def _names(people: Sequence[Person]) -> list[str]:
    return [person.name for person in people]


def _handover(conn: Connection, house: House, shift: Shift) -> View | None:
    """How this shift took over, where a hand-over was written."""
    wanted = f"{dutylog.FIRST}-{shift.id}"
    if not handovers.known(conn, wanted):
        return None
    row = handovers.of(conn, wanted)
    return {
        "id": row.id,
        "accepted_by": house.names.get(row.accepted_by, row.accepted_by) if row.accepted_by else None,
        "accepted_at": iso(row.accepted_at) if row.accepted_at else None,
        "note": row.note,
    }


def _day(text: str, now: datetime) -> datetime:
    """The midnight that a day begins with. Raises Refusal."""
    if not text.strip():
        return dutylog.midnight(now)
    first = _moment(_DAY.fullmatch(text.strip()), "00:00:00")
    if first is None:
        raise Refusal(f"“{text[:20]}” 不是日期；写成 2026-11-21")
    if first > now:
        raise Refusal(f"{text[:10]} 还没有到；请选已经过去的日子或今天")
    if now - first > timedelta(days=3660):
        raise Refusal(f"{text[:10]} 在十年以前；请核对年份")
    return first


def _begins(wanted: str, now: datetime) -> datetime:
    """20261121T200000 → that moment, tomorrow at the latest. Raises Unknown."""
    found = _SHIFT.fullmatch(wanted)
    at = _moment(found, f"{found[4]}:{found[5]}:{found[6]}") if found else None
    if at is None or at - now > DAY:
        raise Unknown(f"没有编号为 “{wanted[:20]}” 的一班；编号如 20261121T200000，见值班日志")
    return at


def _moment(found: re.Match[str] | None, clock: str) -> datetime | None:
    """The day of a match (year, month, day) at a time of the clock; None where there is no such day."""
    if found is None:
        return None
    try:
        return parse_iso(f"{found[1]}-{found[2]}-{found[3]}T{clock}+08:00")
    except ValueError:
        return None
