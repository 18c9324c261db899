"""What people do to incidents, each act from words to the ledger and back to a view.

Refused with `Refusal` (a rule forbids it, or the words are wrong) and `Unknown` (no such thing); none
of it asks Prefect.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from connectors.console.desk import Refusal, Unknown, View
from connectors.uploads import Upload
from flows.office import tasking
from flows.wiring import House
from models.core.casework import PartyRole
from models.core.moment import clock_face, iso, parse_stated
from models.core.vocabulary import Domain, EventType, EvidenceKind, Grade, Medium, OpinionKind, StartEvent
from models.ledger import (
    acts,
    handovers,
    incidents,
    joining,
    parties,
    proposals,
    proving,
    snoozing,
    summoning,
    tasks,
)
from models.ledger.raising import Sweep
from models.ledger.store import Connection
from playbooks.problem import did_you_mean

Params = dict[str, str]

UNSAID: Final = {
    "open": "人工立案", "ack": "已知悉", "take": "由我处理", "escalate": "需要上级决定", "snooze": "稍后处理",
    "stop": "人工登记凭据", "assign": "交办", "merge": "同一事件", "split": "不同事件",
}  # fmt: skip
"""The reason of an act that may go without one; every other act is refused without."""


class Desk(Protocol):
    """What an act needs of the desk (`flows.office.desk.Desk`)."""

    house: House

    def now(self) -> datetime: ...

    def incident(self, incident_id: str) -> View | None: ...

    def face(self, incident_id: str) -> View:
        """The incident without its timeline and signals. Raises NoSuchIncident."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A write transaction."""
        ...

    def preparing(self) -> AbstractContextManager[Connection]:
        """A write transaction of what goes before the act itself, and may be done again."""
        ...

    def write(self, what: Callable[..., Any], incident_id: str, *args: Any, **more: Any) -> Any:
        """`what(conn, now, incident id, …)` in a write transaction of its own."""
        ...

    def seen(self, incident_id: str) -> View:
        """The incident after the act."""
        ...


def open_(desk: Desk, _: str, params: Params, by: str) -> View:
    now = desk.now()
    opening = acts.Opening(
        title=_needed(params, "title", "标题"),
        grade=_choice(Grade, _needed(params, "grade", "级别"), "级别"),
        times=_times(params, now),
        by=by,
        reason=params.get("reason") or UNSAID["open"],
        provisional=False,
        kind=_choice(OpinionKind, params["kind"], "类别") if params.get("kind") else None,
        event_type=_choice(EventType, params["event_type"], "事件类型") if params.get("event_type") else None,
        medium=_choice(Medium, params["medium"], "来源渠道").value if params.get("medium") else None,
        domain=_domain(params),
        place=params.get("place") or None,
        owner=params.get("owner") or None,
        grade_parts=[{"part": "person", "grade": None, "reason": f"{desk.house.names[by]} 人工定级"}],
    )
    with desk.writing() as conn:
        made = acts.open_incident(conn, now, opening, desk.house.rules_for)
    return desk.seen(made)


def ack(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    name = desk.house.names[by]
    desk.write(
        acts.acknowledge, incident_id, by, name, params.get("reason") or UNSAID["ack"], desk.house.rules_for
    )
    return desk.seen(incident_id)


def take(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """接手: acknowledged, and in this person's hands."""
    name, reason = desk.house.names[by], params.get("reason") or UNSAID["take"]
    desk.write(acts.take, incident_id, by, name, reason, desk.house.rules_for)
    return desk.seen(incident_id)


def escalate(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """升级: the next rung is told now; `to` is the rung that the page offered."""
    house = desk.house
    who = summoning.Summoner(by, house.names[by], tasking.rung_of(house, by))
    wanted = _rung(params["to"]) if params.get("to") else None
    reason = params.get("reason") or UNSAID["escalate"]
    with desk.writing() as conn:
        sweep = Sweep(desk.now(), house.site.roster, house.time.speed)
        rung = summoning.summon(conn, sweep, incident_id, who, reason, wanted)
    return desk.seen(incident_id) | {"told_rung": rung, "told_role": house.site.roster.called(rung)}


def _rung(text: str) -> int:
    if not text.isdecimal() or len(text) > 2:
        raise Refusal(f"“{text[:20]}” 不是值班级数；写成 2，或不写(通知上一级)")
    return int(text)


def snooze(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    wanted = timedelta(minutes=_minutes(params.get("minutes") or "30"))
    reason = params.get("reason") or UNSAID["snooze"]
    name = desk.house.names[by]
    until = desk.write(snoozing.snooze, incident_id, by, name, wanted, reason)
    return desk.seen(incident_id) | {"until": iso(until)}


def _minutes(text: str) -> int:
    number = text.strip().removesuffix("分钟").removesuffix("分").strip()
    if not number.isdecimal() or len(number) > 4:
        raise Refusal(f"“{text[:20]}” 不是分钟数；写成 30")
    return int(number)


def grade(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    grade = _choice(Grade, _needed(params, "grade", "级别"), "级别")
    kind = _choice(OpinionKind, params["kind"], "类别") if params.get("kind") else None
    reason = _needed(params, "reason", "定级理由")
    rules, domain = desk.house.rules_for, _domain(params)
    desk.write(acts.set_grade, incident_id, grade, by, reason, rules, kind=kind, domain=domain)
    return desk.seen(incident_id)


def _domain(params: Params) -> Domain | None:
    return _choice(Domain, params["domain"], "领域") if params.get("domain") else None


def stop(desk: Desk, incident_id: str, params: Params, by: str, file: Upload | None = None) -> View:
    """`file`: what the proof's hash is taken of, kept with it."""
    now = desk.now()
    rule_id = params.get("clock") or None
    proof = proving.Proof(
        kind=_proof_kind(desk, incident_id, params, rule_id),
        publisher=params.get("publisher") or desk.house.site.name,
        published_at=parse_stated(params["published_at"]) if params.get("published_at") else now,
        seen_at=now,
        url=params.get("url") or None,
        document=params.get("document") or (file.name if file else None),
    )
    if file is not None:
        proof = replace(proof, snapshot=file.content, media_type=file.media_type)
    reason = params.get("reason") or UNSAID["stop"]
    stopped = desk.write(proving.stop, incident_id, proof, by, reason, desk.house.rules_for, rule_id)
    return desk.seen(incident_id) | {"stopped": stopped}


def _proof_kind(desk: Desk, incident_id: str, params: Params, rule_id: str | None) -> EvidenceKind:
    """The kind as given; else the first kind that the named clock asks for."""
    if params.get("kind"):
        kind = EvidenceKind(_choice(EvidenceKind, params["kind"], "凭据种类"))
        if kind is EvidenceKind.ACKNOWLEDGEMENT:
            raise Refusal("签收不是凭据；请用 ack")
        return kind
    if rule_id is None:
        kinds = "、".join(f"{kind.value}({kind.zh})" for kind in EvidenceKind)
        raise Refusal(f"请写明凭据种类(kind)或要停的时钟(clock)；种类有: {kinds}")
    shown = desk.incident(incident_id)
    if shown is None:
        raise Unknown(f"没有编号为 {incident_id} 的事件")
    found = next((c for c in shown["clocks"] if c["id"] == rule_id and c["ended_at"] is None), None)
    if found is None:
        names = [c["id"] for c in shown["clocks"] if c["ended_at"] is None]
        raise Refusal(
            f"没有进行中的时钟 {rule_id}{did_you_mean(rule_id, names)}；进行中的有: {'、'.join(names) or '无'}"
        )
    return EvidenceKind(found["evidence"][0])


def waive(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    who = tasking.mover(desk.house, by)
    desk.write(
        proving.waive,
        incident_id,
        _needed(params, "clock", "要免除的时钟"),
        by,
        desk.house.names[by],
        _needed(params, "reason", "免除理由"),
        frees=tasks.strikes_off(who.rung, who.top),
    )
    return desk.seen(incident_id)


def update(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    desk.write(acts.note, incident_id, params.get("text") or _needed(params, "reason", "进展"), by)
    return desk.seen(incident_id)


def assign(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """The lead and, in `co`, whoever stands beside it; each is asked to claim its part."""
    unit = unit_of(desk, _needed(params, "unit", "责任单位"))
    said = (params.get("co") or "").replace("，", ",").replace("、", ",").split(",")
    beside = [unit_of(desk, one) for one in said if one.strip()]
    with desk.writing() as conn:
        row = incidents.get(conn, incident_id)
        lead = tasking.ask(desk.house, unit, row.grade)
        others = [tasking.ask(desk.house, one, row.grade, PartyRole.CO) for one in beside if one != unit]
        asks = [lead, *others, *tasking.coordinators(desk.house, (unit, *beside))]
        parties.assign(conn, desk.now(), row.id, asks, by, params.get("reason") or UNSAID["assign"])
    return desk.seen(incident_id)


def unit_of(desk: Desk, said: str) -> str:
    """A unit by id or name; a likely slip of the pen is refused."""
    unit = tasking.unit_id(desk.house, said)
    known = [one.id for one in desk.house.site.roster.units]
    meant = did_you_mean(unit, known) if unit.isascii() and unit not in known else ""
    if meant:
        raise Refusal(f"没有单位 “{unit}”{meant}；也可直接写单位全称")
    return unit


def close(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """办结. What is missing is laid down first, so that it can be done or struck off by its number."""
    reason = _needed(params, "reason", "办结理由")
    with desk.preparing() as conn:
        tasking.settle(desk.house, conn, incident_id)
    with desk.writing() as conn:
        acts.close(conn, desk.now(), incident_id, by, reason)
        tasking.settle(desk.house, conn, incident_id)
    return desk.seen(incident_id)


def reopen(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    desk.write(acts.reopen, incident_id, by, _needed(params, "reason", "重开理由"), desk.house.rules_for)
    return desk.seen(incident_id)


def move(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    reason = _needed(params, "reason", "更换理由")
    playbook = params.get("playbook") or None
    desk.write(acts.move_playbook, incident_id, by, reason, desk.house.rules_for, playbook)
    return desk.seen(incident_id)


def retract(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    evidence = _needed(params, "evidence", "要撤回的凭据编号")
    reason = _needed(params, "reason", "撤回理由")
    reopened = desk.write(proving.retract, incident_id, evidence, by, reason, desk.house.rules_for)
    return desk.seen(incident_id) | {"restarted": reopened}


def adopt(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """Take a proposed publication as evidence; kind and time may be corrected on the way."""
    kind = _choice(EvidenceKind, params["kind"], "凭据种类") if params.get("kind") else None
    published_at = parse_stated(params["published_at"]) if params.get("published_at") else None
    stopped = desk.write(
        proposals.accept,
        incident_id,
        params.get("proposal", ""),
        by,
        params.get("reason", ""),
        desk.house.rules_for,
        kind=kind,
        published_at=published_at,
    )
    return desk.seen(incident_id) | {"stopped": stopped}


def dismiss(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    """A proposed publication is no answer to this incident; it is not proposed for it again."""
    reason = _needed(params, "reason", "不采信的理由")
    desk.write(proposals.reject, incident_id, params.get("proposal", ""), by, reason)
    return desk.seen(incident_id)


def correct(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    event = _choice(StartEvent, _needed(params, "event", "时间种类"), "时间种类")
    value = parse_stated(_needed(params, "value", "时间"))
    reason = _needed(params, "reason", "更正理由")
    desk.write(acts.correct_time, incident_id, event, value, by, reason, desk.house.rules_for)
    return desk.seen(incident_id)


def merge(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    into = _needed(params, "into", "并入的事件").removeprefix("舆-")
    desk.write(
        joining.merge, incident_id, into, by, params.get("reason") or UNSAID["merge"], desk.house.rules_for
    )
    return desk.seen(into)


def split(desk: Desk, incident_id: str, params: Params, by: str) -> View:
    ids = _numbers(_needed(params, "signals", "拆出的线索编号"))
    title = _needed(params, "title", "新事件标题")
    made = desk.write(
        joining.split,
        incident_id,
        ids,
        title,
        by,
        params.get("reason") or UNSAID["split"],
        desk.house.rules_for,
    )
    return desk.seen(made)


STATED = tuple(event for event in StartEvent if event.stated)
"""The times that a person may state; the last publication is what the evidence says."""

Act = Callable[[Desk, str, Params, str], View]
ACTS: dict[str, Act] = {
    "open": open_,
    "ack": ack,
    "take": take,
    "escalate": escalate,
    "snooze": snooze,
    "grade": grade,
    "assign": assign,
    "stop": stop,
    "waive": waive,
    "retract": retract,
    "adopt": adopt,
    "dismiss": dismiss,
    "update": update,
    "correct": correct,
    "merge": merge,
    "split": split,
    "reopen": reopen,
    "move": move,
    "close": close,
}
"""Every act of a person, by the name that the command line and the API use."""


def accept(desk: Desk, handover_id: str, params: Params, by: str) -> None:
    with desk.writing() as conn:
        note = params.get("note") or params.get("reason") or ""
        handovers.accept(conn, desk.now(), handover_id, by, desk.house.names, note)


def note(desk: Desk, handover_id: str, params: Params, by: str) -> None:
    text = params.get("text") or _needed(params, "note", "交接备注")
    with desk.writing() as conn:
        handovers.note(conn, desk.now(), handover_id, by, desk.house.names, text)


HANDS: dict[str, Callable[[Desk, str, Params, str], None]] = {"accept": accept, "note": note}
"""What people do to a hand-over."""


def _needed(params: Params, name: str, zh: str) -> str:
    value = (params.get(name) or "").strip()
    if not value:
        raise Refusal(f"缺少{zh}({name})")
    return value


def _choice(kind: Any, value: str, zh: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        options = [member.value for member in kind]
        meant = next((o for o in options if o.lower() == value.strip().lower()), None)
        hint = f"，是不是 “{meant}”？" if meant else did_you_mean(value, options)
        raise Refusal(f"{zh} “{value}” 不存在{hint}；可用: {'、'.join(options)}") from None


def _numbers(text: str) -> list[int]:
    """3, 5，8 → [3, 5, 8]. Raises Refusal that names what is no number."""
    parts = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    wrong = next((part for part in parts if not part.isdecimal() or len(part) > 18), None)
    if wrong is not None:
        raise Refusal(f"“{wrong[:40]}” 不是线索编号；写成逗号分隔的数字，如 12,15")
    return [int(part) for part in parts]


def _times(params: Params, now: datetime) -> dict[StartEvent, datetime]:
    """The times a person gives; discovery and receipt are now unless stated."""
    times = {StartEvent.DISCOVERY: now, StartEvent.RECEIPT: now}
    for event in STATED:
        given = params.get(event.field)
        if given:
            times[event] = parse_stated(given)
    earliest = min(times.values())
    if now - earliest > timedelta(days=3650):
        raise Refusal(f"时间 {clock_face(earliest)} 早于十年前；请核对年份")
    return times
