"""The desk: what people see and do, the same for the console and the command line.

Implements `connectors.console.desk.Desk`. Acts go straight to the ledger; no Prefect is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.console.desk import Refusal, Unavailable, Unknown, View
from flows import coverage, gauges
from flows.wiring import House
from models.core.moment import clock_face, parse_iso, span
from models.core.vocabulary import EventType, EvidenceKind, Grade, OpinionKind, StartEvent
from models.ledger import acts, incidents, joining, views
from models.ledger.incidents import NoSuchIncident, NotAllowed
from models.ledger.store import Connection, LedgerError
from playbooks.problem import did_you_mean

Params = dict[str, str]


@contextmanager
def _reachable() -> Iterator[None]:
    """A database that does not answer, in the console's own words."""
    try:
        yield
    except (NoSuchIncident, NotAllowed):
        raise
    except LedgerError as error:
        raise Unavailable(str(error)) from error


class Desk:
    """A House seen from the desk of a person."""

    def __init__(self, house: House) -> None:
        self.house = house

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _reachable(), self.house.store.read() as conn:
            yield conn

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _reachable(), self.house.store.write() as conn:
            yield conn

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self.house.time.now()

    def revision(self) -> int:
        with self._reading() as conn:
            return views.revision(conn)

    def board(self) -> View:
        now = self.now()
        with self._reading() as conn:
            shown = views.board(conn, now, self.house.names)
            return {
                "now": now.isoformat(timespec="milliseconds"),
                "site": self.house.site.name,
                "speed": self.house.time.speed,
                "revision": views.revision(conn),
                "incidents": [self._with_roles(incident) for incident in shown],
                "coverage": coverage.report(conn, self.house, now),
                "recent_alerts": views.recent_alerts(conn, 30),
                "signals": views.recent_signals(conn, now, 30),
                "counts": views.counts(shown),
            }

    def _with_roles(self, incident: View) -> View:
        """Name who holds each clock's next step: the role of its rung."""
        for clock in incident["clocks"]:
            step = clock["next_step"]
            if step:
                role = self.house.site.roster.role(min(step["rung"], self.house.site.roster.top()))
                step["role"] = role.zh if role else f"第 {step['rung']} 级"
        return incident

    def incident(self, incident_id: str) -> View | None:
        try:
            with self._reading() as conn:
                shown = views.incident(conn, incident_id, self.now(), self.house.names)
        except NoSuchIncident:
            return None
        return self._with_roles(shown)

    def mine(self, person_id: str) -> View:
        person = next((p for p in self.people() if p["id"] == person_id), None)
        if person is None:
            raise Unknown(f"值班表里没有 {person_id}")
        asked = {alert["incident_id"] for alert in self._alerts_of(person_id)}
        shown = [i for i in self.board()["incidents"] if i["id"] in asked or self._holds(i, person_id)]
        return {"person": person, "incidents": shown}

    def _alerts_of(self, person_id: str) -> list[View]:
        with self._reading() as conn:
            return [a for a in views.recent_alerts(conn, 500) if a["person"] == person_id]

    @staticmethod
    def _holds(incident: View, person_id: str) -> bool:
        return any(ack["person"] == person_id for ack in incident["acked"])

    def people(self) -> list[View]:
        roster, now = self.house.site.roster, self.now()
        rungs = {
            p.id: r.rung
            for r in sorted(roster.ladder, key=lambda r: -r.rung)
            for p in roster.on_duty(r.rung, now)
        }
        listed = []
        for person in roster.people:
            rung = rungs.get(person.id)
            role = roster.role(rung) if rung else None
            unit = roster.unit(person.unit)
            listed.append(
                {
                    "id": person.id,
                    "name": person.name,
                    "unit": unit.name if unit else person.unit,
                    "role_zh": role.zh if role else "不在班",
                    "rung": rung,
                }
            )
        return sorted(listed, key=lambda p: (p["rung"] is None, p["rung"] or 0))

    def sources(self) -> list[View]:
        with self._reading() as conn:
            return coverage.sources(conn, self.house, self.now())

    def roster(self) -> View:
        roster, now = self.house.site.roster, self.now()
        return {
            "at": now.isoformat(timespec="seconds"),
            "ladder": [
                {
                    "rung": rung.rung,
                    "role_zh": rung.role.zh,
                    "people": [
                        {
                            "id": p.id,
                            "name": p.name,
                            "unit": u.name if (u := roster.unit(p.unit)) else p.unit,
                            "channels": [c.channel for c in p.contacts],
                            "note": "",
                        }
                        for p in roster.on_duty(rung.rung, now)
                    ],
                }
                for rung in sorted(roster.ladder, key=lambda r: r.rung)
            ],
            "absences": [
                {
                    "name": self.house.names.get(a.person, a.person),
                    "from": a.since.isoformat(),
                    "to": a.until.isoformat(),
                    "reason": f"代班 {self.house.names.get(a.substitute, a.substitute)}"
                    if a.substitute
                    else "",
                }
                for a in roster.absences
                if a.until > now
            ],
        }

    def playbooks(self) -> list[View]:
        return [
            {
                "id": book.id,
                "name": book.name,
                "version": book.version,
                "trigger": book.trigger.text,
                "clocks": [
                    {
                        "id": clock.rule.id,
                        "name": clock.rule.name,
                        "amount_zh": span(clock.rule.amount.total_seconds()),
                        "start_zh": clock.rule.start.zh,
                        "statutory": clock.rule.statutory,
                        "basis": [str(basis) for basis in clock.rule.basis],
                        "steps": [f"{step.key} → 第 {step.rung} 级" for step in clock.rule.steps],
                        "evidence_zh": [kind.zh for kind in sorted(clock.rule.evidence)],
                    }
                    for clock in book.clocks
                ],
            }
            for book in self.house.site.library.playbooks
        ]

    def audit(self, limit: int, before_seq: int | None) -> View:
        from flows.audit import last_verification

        with self._reading() as conn:
            checked = last_verification(conn)
            return {"entries": views.audit(conn, limit, before_seq, self.house.names), **checked}

    def ready(self) -> tuple[bool, list[str]]:
        with self._reading() as conn:
            report = coverage.report(conn, self.house, self.now())
        bad = [item for item in report["items"] if item["state"] in ("down", "late")]
        return not bad, [f"{item['label']}: {item['detail']}" for item in bad]

    def metrics(self) -> str:
        with self._reading() as conn:
            return gauges.text(conn, self.house, self.now())

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """Carry out one human act. Raises Refusal with the rule in words, Unknown for what is not."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"没有这个动作: {name}{did_you_mean(name, list(ACTS))}")
        if by not in self.house.names or by == "huiying":
            raise Unknown(
                f"值班表里没有 {by}{did_you_mean(by, list(self.house.names))}；请写 roster.yaml 中的人员标识"
            )
        try:
            return act(self, incident_id, params, by)
        except NoSuchIncident as error:
            raise Unknown(str(error)) from None
        except (NotAllowed, ValueError) as error:
            raise Refusal(str(error)) from None

    def _write(self, what: Callable[..., Any], incident_id: str, *args: Any, **more: Any) -> Any:
        with self._writing() as conn:
            resolved = incidents.get(conn, incident_id).id
            return what(conn, self.now(), resolved, *args, **more)

    def _seen(self, incident_id: str) -> View:
        shown = self.incident(incident_id)
        assert shown is not None
        return shown

    def open(self, _: str, params: Params, by: str) -> View:
        now = self.now()
        opening = acts.Opening(
            title=_needed(params, "title", "标题"),
            grade=_choice(Grade, _needed(params, "grade", "级别"), "级别"),
            times=_times(params, now),
            by=by,
            reason=params.get("reason") or "人工立案",
            provisional=False,
            kind=_choice(OpinionKind, params["kind"], "类别") if params.get("kind") else None,
            event_type=_choice(EventType, params["event_type"], "事件类型")
            if params.get("event_type")
            else None,
            place=params.get("place") or None,
            owner=params.get("owner") or None,
            grade_parts=[{"part": "person", "grade": None, "reason": f"{self.house.names[by]} 人工定级"}],
        )
        with self._writing() as conn:
            made = acts.open_incident(conn, now, opening, self.house.rules_for)
        return self._seen(made)

    def ack(self, incident_id: str, params: Params, by: str) -> View:
        name = self.house.names[by]
        self._write(
            acts.acknowledge, incident_id, by, name, params.get("reason") or "已知悉", self.house.rules_for
        )
        return self._seen(incident_id)

    def grade(self, incident_id: str, params: Params, by: str) -> View:
        grade = _choice(Grade, _needed(params, "grade", "级别"), "级别")
        kind = _choice(OpinionKind, params["kind"], "类别") if params.get("kind") else None
        reason = _needed(params, "reason", "定级理由")
        self._write(acts.set_grade, incident_id, grade, by, reason, self.house.rules_for, kind=kind)
        return self._seen(incident_id)

    def stop(self, incident_id: str, params: Params, by: str) -> View:
        now = self.now()
        rule_id = params.get("clock") or None
        proof = acts.Proof(
            kind=self._proof_kind(incident_id, params, rule_id),
            publisher=params.get("publisher") or self.house.site.name,
            published_at=parse_iso(params["published_at"]) if params.get("published_at") else now,
            seen_at=now,
            url=params.get("url") or None,
            document=params.get("document") or None,
        )
        reason = params.get("reason") or "人工登记凭据"
        stopped = self._write(acts.stop, incident_id, proof, by, reason, rule_id)
        return self._seen(incident_id) | {"stopped": stopped}

    def _proof_kind(self, incident_id: str, params: Params, rule_id: str | None) -> EvidenceKind:
        """The kind as given; else the first kind that the named clock asks for."""
        if params.get("kind"):
            kind = EvidenceKind(_choice(EvidenceKind, params["kind"], "凭据种类"))
            if kind is EvidenceKind.ACKNOWLEDGEMENT:
                raise Refusal("签收不是凭据；请用 ack")
            return kind
        if rule_id is None:
            kinds = "、".join(f"{kind.value}({kind.zh})" for kind in EvidenceKind)
            raise Refusal(f"请写明凭据种类(kind)或要停的时钟(clock)；种类有: {kinds}")
        shown = self.incident(incident_id)
        if shown is None:
            raise Unknown(f"没有编号为 {incident_id} 的事件")
        found = next((c for c in shown["clocks"] if c["id"] == rule_id and c["ended_at"] is None), None)
        if found is None:
            names = [c["id"] for c in shown["clocks"] if c["ended_at"] is None]
            raise Refusal(
                f"没有进行中的时钟 {rule_id}{did_you_mean(rule_id, names)}；进行中的有: {'、'.join(names) or '无'}"
            )
        return EvidenceKind(found["evidence"][0])

    def waive(self, incident_id: str, params: Params, by: str) -> View:
        self._write(
            acts.waive,
            incident_id,
            _needed(params, "clock", "要免除的时钟"),
            by,
            self.house.names[by],
            _needed(params, "reason", "免除理由"),
        )
        return self._seen(incident_id)

    def update(self, incident_id: str, params: Params, by: str) -> View:
        self._write(acts.note, incident_id, params.get("text") or _needed(params, "reason", "进展"), by)
        return self._seen(incident_id)

    def assign(self, incident_id: str, params: Params, by: str) -> View:
        unit = _needed(params, "unit", "责任单位")
        known = [unit.id for unit in self.house.site.roster.units]
        meant = did_you_mean(unit, known) if unit.isascii() and unit not in known else ""
        if meant:
            raise Refusal(f"没有单位 “{unit}”{meant}；也可直接写单位全称")
        self._write(acts.assign, incident_id, unit, by, params.get("reason") or "交办")
        return self._seen(incident_id)

    def close(self, incident_id: str, params: Params, by: str) -> View:
        self._write(acts.close, incident_id, by, _needed(params, "reason", "办结理由"))
        return self._seen(incident_id)

    def reopen(self, incident_id: str, params: Params, by: str) -> View:
        self._write(acts.reopen, incident_id, by, _needed(params, "reason", "重开理由"), self.house.rules_for)
        return self._seen(incident_id)

    def correct(self, incident_id: str, params: Params, by: str) -> View:
        event = _choice(StartEvent, _needed(params, "event", "时间种类"), "时间种类")
        value = parse_iso(_needed(params, "value", "时间"))
        reason = _needed(params, "reason", "更正理由")
        self._write(acts.correct_time, incident_id, event, value, by, reason, self.house.rules_for)
        return self._seen(incident_id)

    def merge(self, incident_id: str, params: Params, by: str) -> View:
        into = _needed(params, "into", "并入的事件").removeprefix("舆-")
        self._write(
            joining.merge, incident_id, into, by, params.get("reason") or "同一事件", self.house.rules_for
        )
        return self._seen(into)

    def split(self, incident_id: str, params: Params, by: str) -> View:
        ids = _numbers(_needed(params, "signals", "拆出的线索编号"))
        title = _needed(params, "title", "新事件标题")
        made = self._write(
            joining.split,
            incident_id,
            ids,
            title,
            by,
            params.get("reason") or "不同事件",
            self.house.rules_for,
        )
        return self._seen(made)


ACTS: dict[str, Callable[[Desk, str, Params, str], View]] = {
    "open": Desk.open,
    "ack": Desk.ack,
    "grade": Desk.grade,
    "assign": Desk.assign,
    "stop": Desk.stop,
    "waive": Desk.waive,
    "update": Desk.update,
    "correct": Desk.correct,
    "merge": Desk.merge,
    "split": Desk.split,
    "reopen": Desk.reopen,
    "close": Desk.close,
}
"""Every act of a person, by the name that the command line and the API use."""


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
    wrong = next((part for part in parts if not part.isdecimal()), None)
    if wrong is not None:
        raise Refusal(f"“{wrong}” 不是线索编号；写成逗号分隔的数字，如 12,15")
    return [int(part) for part in parts]


def _times(params: Params, now: datetime) -> dict[StartEvent, datetime]:
    """The times a person gives; discovery and receipt are now unless stated."""
    times = {StartEvent.DISCOVERY: now, StartEvent.RECEIPT: now}
    for event in StartEvent:
        given = params.get(event.field)
        if given:
            times[event] = parse_iso(given)
    earliest = min(times.values())
    if now - earliest > timedelta(days=3650):
        raise Refusal(f"时间 {clock_face(earliest)} 早于十年前；请核对年份")
    return times
