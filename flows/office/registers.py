"""Registers 台账 as people see and keep them; and the daily duty that reminds, supervises, drafts.

Implements `connectors.console.desks.registers.RegistersDesk`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from flows.office import asked
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.office.tasking import unit_name
from flows.wiring import House
from models.core.assessment import Finding, Trigger
from models.core.casework import Defect, MeetingKind, Register
from models.core.moment import iso
from models.core.personal import mask_personal
from models.core.registers import FIELDS, Counter, Standing, details_of, form_of, standings
from models.ledger import disclosure, incidents, journal, meetings, registers, supervising
from models.ledger.store import Connection, Row
from models.ledger.words import KINDS
from playbooks.problem import did_you_mean


class Registers:
    """The registers seen from the desk of a person."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def overview(self, kind: str = "", *, everything: bool = True) -> View:
        """All registers: how many of each, the counters of the calendar, and the entries of `kind`."""
        chosen = asked.choice(Register, {"kind": kind}, "kind", "台账") if kind else None
        now, house = self.desk.now(), self.desk.house
        with reachable(), house.store.read() as conn:
            rows, held = registers.listed(conn), meetings.served(conn)
            stand = standing(conn, house, now)
        every = [*(entry_view(house, row, now) for row in rows), *(meeting_view(house, row) for row in held)]
        every.sort(key=lambda entry: (entry["happened_at"], entry["id"]), reverse=True)
        ours = [entry for entry in every if chosen is None or entry["kind"] == chosen.value]
        shown = ours if everything else [entry for entry in ours if entry["state"] not in SETTLED]
        return {
            "at": iso(now),
            "kind": chosen.value if chosen else "",
            "kind_zh": chosen.zh if chosen else "全部",
            "kinds": [_kind(kind, every) for kind in Register],
            "counters": [counter_view(one) | {"forgiven": _forgiven(one, now)} for one in stand],
            "entries": shown,
            "form": _form(chosen),
            "unfiled": _unfiled(house, rows),
        }

    def entry(self, entry_id: str) -> View:
        """One entry with its history. Raises Unknown."""
        now, house = self.desk.now(), self.desk.house
        with in_words(), reachable(), house.store.read() as conn:
            held = [row for row in meetings.served(conn) if row.id == entry_id.strip()]
            if held:
                return meeting_view(house, held[0]) | {"history": []}
            row = registers.get(conn, entry_id)
            past = registers.history(conn, row)
        return entry_view(house, row, now) | {"history": [_past(house, one) for one in past]}

    def act(self, name: str, entry_id: str, params: Params, by: str) -> View:
        """add {kind, title, unit?, happened_at?, due_at?, incident?, …details}, done {result, at?},
        cancel {reason}, issue, answer {text}, file {filing_no}, decide {finding, reason}, and those of an application:
        consult, consulted, extend, mend, supplemented {at?, reason}. The entry after it.
        Raises Refusal, Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"台账没有这个动作: {name}{did_you_mean(name, list(ACTS))}")
        person(self.desk.house, by)
        with in_words(), self.desk.writing() as conn:
            done = act(self.desk, conn, entry_id, params, by)
        return self.entry(done)


SETTLED = frozenset({"done", "done_late", "cancelled", "kept", "upheld", "dropped"})
"""The states of entries that nobody waits for."""


def person(house: House, by: str) -> None:
    """Every act has a person of the roster. Raises Unknown."""
    if by not in house.names or by == "huiying":
        raise Unknown(
            f"值班表里没有 {by}{did_you_mean(by, list(house.names))}；请写 roster.yaml 中的人员标识"
        )


def moment(params: Params, name: str, zh: str) -> datetime | None:
    return asked.moment(params, name, zh) if params.get(name) else None


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def _add(desk: Desk, conn: Connection, _: str, params: Params, by: str) -> str:
    kind = asked.choice(Register, params, "kind", "台账")
    plain = {"kind", "title", "unit", "happened_at", "due_at", "incident", "reason"}
    details = details_of(kind, {name: text for name, text in params.items() if name not in plain})
    _counter_known(desk.house, details)
    incident = incidents.get(conn, params["incident"]).id if params.get("incident") else None
    if kind is Register.ACCOUNTABILITY:
        details |= {"state": Finding.DRAFT.value}
    if kind is Register.SUPERVISION:
        details |= {"state": "issued"}
    now = desk.now()
    new = registers.New(
        kind,
        params.get("title", ""),
        moment(params, "happened_at", "发生时间") or now,
        params.get("reason") or "人工登记",
        params.get("unit") or None,
        moment(params, "due_at", "期限"),
        details,
        incident,
    )
    return registers.add(conn, now, new, by, desk.house.calendar)


def _counter_known(house: House, details: dict[str, Any]) -> None:
    wanted = details.get("counter")
    known = [counter.id for counter in counters(house)]
    if wanted and wanted not in known:
        raise Refusal(
            f"合规日历里没有 “{wanted}”{did_you_mean(str(wanted), known)}；见 huiying register counters"
        )


def _done(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    result = params.get("result") or params.get("reason", "")
    registers.done(conn, desk.now(), entry_id, result, by, moment(params, "at", "完成时间"))
    return entry_id


def _cancel(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    registers.cancel(conn, desk.now(), entry_id, by, params.get("reason", ""))
    return entry_id


def _issue(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    from flows.office.supervision import ask  # it tells by notices, which need the roster

    row = supervising.issue(conn, desk.now(), entry_id, by, params.get("reason") or "下达督办")
    ask(conn, desk.house, row, desk.now())
    return entry_id


def _answer(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    text = params.get("text") or params.get("reason", "")
    supervising.answer(conn, desk.now(), entry_id, text, by)
    return entry_id


def _file(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    number = asked.needed(params, "filing_no", "备案号")
    registers.file_account(conn, desk.now(), entry_id, number, by, params.get("reason", ""))
    return entry_id


def _decide(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
    finding = asked.choice(Finding, params, "finding", "决定")
    supervising.decide(conn, desk.now(), entry_id, finding, by, params.get("reason", ""))
    return entry_id


def _applied(name: str) -> Callable[[Desk, Connection, str, Params, str], str]:
    def act(desk: Desk, conn: Connection, entry_id: str, params: Params, by: str) -> str:
        reason, when = params.get("reason", ""), moment(params, "at", "时间")
        disclosure.ACTS[name](conn, desk.now(), entry_id, by, reason, desk.house.calendar, when)
        return entry_id

    return act


ACTS: dict[str, Callable[[Desk, Connection, str, Params, str], str]] = {
    "add": _add,
    "done": _done,
    "cancel": _cancel,
    "issue": _issue,
    "answer": _answer,
    "decide": _decide,
    "file": _file,
    **{name: _applied(name) for name in disclosure.ACTS},
}


# ── the calendar ──────────────────────────────────────────────────────────────────────────────


def counters(house: House) -> list[Counter]:
    """The counted duties of every playbook in force, without those that are not this site's."""
    return [
        Counter(
            source.id,
            source.name,
            source.every,
            source.at_least,
            source.until or "",
            source.counts,
            source.owner,
            tuple(" ".join(p for p in (b.doc, b.article, b.fact or "") if p) for b in source.basis),
        )
        for book in house.library.playbooks
        for source in book.counters
        if source.every != "once" and source.share is None and source.id not in house.site.registers.not_ours
    ]


def standing(conn: Connection, house: House, now: datetime) -> list[Standing]:
    """How every counter stands now, the late ones first, then by their day."""
    entries = registers.counted(dict(row._mapping) for row in registers.listed(conn))
    began = journal.began(conn) or now
    found = [one for counter in counters(house) for one in standings(counter, entries, now, began)]
    return sorted(found, key=lambda one: (not one.late, _settled(one, now), one.period.due_at))


def _settled(one: Standing, now: datetime) -> bool:
    return not one.missing or _forgiven(one, now)


def _forgiven(one: Standing, now: datetime) -> bool:
    """Its day had passed before the site began: shown, not held against anybody."""
    return bool(one.missing) and not one.late and one.period.due_at <= now


def counter_view(one: Standing) -> View:
    return {
        "id": one.counter.id,
        "name": one.counter.name,
        "register": one.counter.register.value if one.counter.register else None,
        "register_zh": one.counter.register.zh if one.counter.register else None,
        "owner": one.counter.owner,
        "period": one.period.name,
        "needed": one.counter.at_least,
        "done": one.done,
        "until": iso(one.period.due_at),
        "late": one.late,
        "basis": list(one.counter.basis),
    }


# ── views ─────────────────────────────────────────────────────────────────────────────────────


def _kind(kind: Register, every: Sequence[View]) -> View:
    """all: not cancelled; open: somebody has to do something; late: and its limit has passed."""
    ours = [entry for entry in every if entry["kind"] == kind.value and entry["state"] != "cancelled"]
    waiting = [entry for entry in ours if entry["state"] not in SETTLED]
    late = sum(entry["late"] for entry in waiting)
    return {"kind": kind.value, "kind_zh": kind.zh, "all": len(ours), "open": len(waiting), "late": late}


def _form(kind: Register | None) -> View:
    """What the page asks for when an entry of the kind is added."""
    form = form_of(kind) if kind else form_of(Register.OTHER)
    return {
        "needs": [{"name": name, "zh": FIELDS[name]} for name in form.needs],
        "may": [{"name": name, "zh": FIELDS[name]} for name in form.may],
        "basis": list(form.basis),
        "defects": [{"value": each.value, "zh": each.zh} for each in Defect],
        "triggers": [{"value": each.value, "zh": each.zh} for each in Trigger],
    }


def entry_view(house: House, row: Row[Any], now: datetime) -> View:
    """A plain row, as the page, the JSON and an export show it."""
    kind = Register(row.kind)
    details = masked(kind, row.details or {})
    state, state_zh = _state(row, details, now)
    return {
        "id": row.id,
        "page": f"/registers/{row.id}",
        "kind": kind.value,
        "kind_zh": kind.zh,
        "title": mask_personal(row.title),
        "unit": unit_name(house, row.unit) if row.unit else None,
        "happened_at": iso(row.happened_at),
        "due_at": iso(row.due_at) if row.due_at else None,
        "done_at": iso(row.done_at) if row.done_at else None,
        "cancelled_at": iso(row.cancelled_at) if row.cancelled_at else None,
        "state": state,
        "state_zh": state_zh,
        "late": _late(row, now),
        "result": mask_personal(row.result) if row.result else row.result,
        "incident": row.incident_id,
        "details": details,
        "words": _details_zh(details),
        "recorded_at": iso(row.recorded_at),
        "recorded_by": house.names.get(row.recorded_by, row.recorded_by),
        "reason": mask_personal(row.reason),
        "acts": _acts(row, details),
    }


OPENLY = frozenset({"filing_no", "url"})
"""Details that are numbers or addresses of their own: nobody's personal data."""


def masked(kind: Register, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with personal data masked; what a journalist left to be called by is what his entry is for."""
    plain = OPENLY | ({"contact"} if kind is Register.PRESS_CONTACT else set())
    return {
        name: mask_personal(value) if isinstance(value, str) and name not in plain else value
        for name, value in details.items()
    }


def meeting_view(house: House, row: Row[Any]) -> View:
    """A 媒体通气会 or 集体采访 that was held, as an entry of 媒体服务 (S-100): it stands in its incident and is kept
    there, so nothing is done to it here."""
    kind = MeetingKind(row.kind)
    return {
        "id": row.id,
        "page": f"/incidents/{row.incident_id}/meetings",
        "kind": Register.MEDIA.value,
        "kind_zh": Register.MEDIA.zh,
        "title": f"{kind.zh}（{row.place}）",
        "unit": None,
        "happened_at": iso(row.held_at),
        "due_at": None,
        "done_at": iso(row.held_at),
        "cancelled_at": None,
        "state": "done",
        "state_zh": "已举行",
        "late": False,
        "result": None,
        "incident": row.incident_id,
        "details": {"meeting": row.id},
        "words": [f"舆-{row.incident_id} 的发布会页"],
        "recorded_at": iso(row.booked_at),
        "recorded_by": house.names.get(row.booked_by, row.booked_by),
        "reason": f"在舆-{row.incident_id} 的发布会页登记",
        "acts": [],
    }


def _late(row: Row[Any], now: datetime) -> bool:
    end = row.done_at or row.cancelled_at or now
    return row.due_at is not None and end > row.due_at


_SUPERVISION = {"proposed": "建议督办", "issued": "督办中", "answered": "已答复"}


def _state(row: Row[Any], details: dict[str, Any], now: datetime) -> tuple[str, str]:
    if row.cancelled_at is not None:
        return "cancelled", "已作废"
    if row.kind == Register.ACCOUNTABILITY.value:
        finding = Finding(details.get("state", "draft"))
        return finding.value, finding.zh
    if row.done_at is not None:
        return ("done_late", "逾期办结") if _late(row, now) else ("done", "已办结")
    if row.kind == Register.SUPERVISION.value and details.get("state") in _SUPERVISION:
        return details["state"], _SUPERVISION[details["state"]]
    if _late(row, now):
        return "late", "已逾期"
    if _asking(details):
        return "asking", "征求意见中"
    if _mending(details):
        return "mending", "等待补正"
    listed = row.due_at is None and not details.get(registers.LACK)
    return ("kept", "在册") if listed else ("open", "办理中")


def _asking(details: dict[str, Any]) -> bool:
    spells = details.get("consulted") or []
    return bool(spells) and spells[-1][1] is None


def _mending(details: dict[str, Any]) -> bool:
    return bool(details.get("mending_asked")) and not details.get("supplemented")


def _details_zh(details: dict[str, Any]) -> list[str]:
    """The details in words, for people."""
    said = [f"{FIELDS[name]}：{_shown(name, value)}" for name, value in details.items() if name in FIELDS]
    if details.get(registers.LACK):
        said.append(f"期限未定：{details[registers.LACK]}")
    if details.get(registers.SHORTENED):
        said.append(f"期限：{details[registers.SHORTENED]}")
    if details.get("answer"):
        said.append(f"答复：{details['answer']}")
    return said


def _shown(name: str, value: Any) -> str:
    if name == "defect":
        return Defect(value).zh
    if name == "trigger":
        return Trigger(value).zh
    return f"{value:g}" if name == "points" else str(value)


def _acts(row: Row[Any], details: dict[str, Any]) -> list[str]:
    """What may be done to it now, by the names of `ACTS`."""
    if row.cancelled_at is not None:
        return []
    if row.done_at is not None:
        return ["cancel"]
    if row.kind == Register.ACCOUNTABILITY.value:
        return ["decide", "cancel"]
    if row.kind == Register.SUPERVISION.value:
        first = ["issue"] if details.get("state") == "proposed" else []
        return [*first, "answer", *(["done"] if details.get("answer") else []), "cancel"]
    if row.kind == Register.ACCOUNT.value and not details.get("filing_no"):
        return ["file", "done", "cancel"]
    if row.kind == Register.DISCLOSURE_REQUEST.value:
        return ["done", *_application(details), "cancel"]
    return ["done", "cancel"]


def _application(details: dict[str, Any]) -> list[str]:
    asked = details.get("mending_asked")
    return [
        "consulted" if _asking(details) else "consult",
        *([] if details.get("extended") else ["extend"]),
        *(["supplemented"] if _mending(details) else []),
        *([] if asked else ["mend"]),
    ]


def _past(house: House, row: dict[str, Any]) -> View:
    return {
        "seq": row["seq"],
        "at": iso(row["at"]),
        "kind_zh": KINDS.get(row["kind"], row["kind"]),
        "by": house.names.get(row["actor"], row["actor"]),
        "reason": mask_personal(row["reason"] or ""),
        "words": mask_personal(registers.words_of(row)),
    }


def _unfiled(house: House, rows: Sequence[Row[Any]]) -> list[View]:
    """Accounts without a filing number (S-062) and second ones of a unit on a platform (N-020); official
    sources that no entry names."""
    accounts = [row for row in rows if row.kind == Register.ACCOUNT.value and row.cancelled_at is None]
    running = [row for row in accounts if row.done_at is None]
    known = {str((row.details or {}).get("account")) for row in accounts} | {row.title for row in accounts}
    strange = [source.name for source in house.site.sources.official if source.name not in known]
    return [
        *(_doubt(row, "未报备（S-062）") for row in running if not row.details.get("filing_no")),
        *(_doubt(row, "同一平台原则上只开一个账号（N-020）") for row in _second(running)),
        *({"id": None, "title": name, "why": "在官方渠道里，台账未登记"} for name in strange),
    ]


def _doubt(row: Row[Any], why: str) -> View:
    return {"id": row.id, "title": mask_personal(row.title), "why": why}


def _second(accounts: Sequence[Row[Any]]) -> list[Row[Any]]:
    """All but the first of a unit's accounts on one platform; without a unit nothing can be said."""
    seen: set[tuple[str, str]] = set()
    found = []
    for row in sorted(accounts, key=lambda row: (row.happened_at, row.id)):
        place = (row.unit or "", str(row.details.get("platform")))
        if row.unit and place in seen:
            found.append(row)
        seen.add(place)
    return found
