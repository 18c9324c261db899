"""How an incident is worked on, as people see and do it: its stage, who is responsible, its tasks, whom it was
notified to, and what keeps it from closing.

An act takes plain texts, goes to the ledger and answers with the incident's page, `said` being the one
sentence of what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from flows.office import asked, tasking
from flows.office.asked import Params
from flows.office.handling import Desk, unit_of
from flows.office.levels import Levels
from flows.office.plainly import in_words, reachable
from models.core.assignments import whose
from models.core.casework import ProductKind
from models.core.lifecycle import NEXT, ORDER
from models.core.moment import iso
from models.core.ownership import Matter, Proposed, resolve
from models.core.vocabulary import Domain, EventType, EvidenceKind, Grade, OpinionKind, Stage
from models.ledger import acts, incidents, notified, parties, stages, tasks
from models.ledger.store import Connection, Row
from playbooks.problem import did_you_mean

ALL = "all"
"""In the place of a task's number: every one that must be done and is not."""


class Work:
    """The desk's room for the work. Implements `connectors.console.desks.work.WorkDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._levels = desk, Levels(desk)

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def overview(self, incident_id: str) -> View:
        """Everything about how the incident is worked on. Raises Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            return self._view(conn, incidents.get(conn, incident_id))

    def _view(self, conn: Connection, row: Row[Any]) -> View:
        house, now = self._desk.house, self._desk.now()
        wanted = tasking.notifications(house, conn, row, now)
        shown = [self._task_view(task, row.owner, now) for task in tasks.of(conn, row.id)]
        return {
            "id": row.id,
            "ref": row.ref,
            "title": row.title,
            "closed": row.closed_at is not None,
            "merged_into": row.merged_into,
            "now": iso(now),
            "stage": stages.view(conn, row, house.names) | {"moves": _moves(row)},
            "parties": parties.view(conn, row.id, house.names, self._name),
            "proposal": self._proposal(conn, row),
            "tasks": sorted(shown, key=_pressing),
            "notifications": notified.view(conn, row.id, wanted, house.names),
            "missing": self._missing(conn, row, now),
            "units": [{"id": unit.id, "name": unit.name} for unit in house.site.roster.units],
            "referrals": self._levels.of_incident(conn, row.id),
            "neighbours": self._levels.neighbours(),
        }

    def _missing(self, conn: Connection, row: Row[Any], now: datetime) -> list[str]:
        return [] if row.closed_at else acts.standing_in_the_way(conn, row.id, now)

    def _name(self, unit: str) -> str:
        return tasking.unit_name(self._desk.house, unit)

    def _proposal(self, conn: Connection, row: Row[Any]) -> View:
        """Who should own it by place, topic and grade (N-001)."""
        found = resolve(self._matter(conn, row), self._desk.house.site.roster.units)
        return _proposed(found) | {
            "lead_name": self._name(found.lead) if found.lead else None,
            "other_names": [self._name(unit) for unit in found.others],
            "coordinator_name": self._name(found.coordinator) if found.coordinator else None,
        }

    def _matter(self, conn: Connection, row: Row[Any]) -> Matter:
        places, topics = parties.about(conn, row.id)
        stated = [
            place.strip() for place in (row.place or "").replace("，", "、").split("、") if place.strip()
        ]
        return Matter(
            places=tuple(dict.fromkeys(stated or places)),
            words=_words(row) | {topic: topic for topic in topics},
            text=row.title,
            grade=Grade(row.grade),
        )

    def list(self, unit: str = "") -> View:
        """Every open task, by unit, the late ones first. `unit`: of one unit alone, by its id or name."""
        house, now = self._desk.house, self._desk.now()
        with in_words(), reachable(), house.store.read() as conn:
            rows = tasks.open_everywhere(conn)
        shown = [self._listed(row, now) for row in rows]
        units = sorted({task["unit_name"] for task in shown})
        wanted = self._name(unit)
        kept = [task for task in shown if not unit or task["unit_name"] == wanted]
        return {
            "now": iso(now),
            "unit": wanted,
            "units": units,
            "late": sum(task["late"] for task in kept),
            "total": len(kept),
            "groups": _grouped(kept),
        }

    def _listed(self, row: Row[Any], now: datetime) -> View:
        """A task with its incident."""
        return self._task_view(row, row.owner, now) | {"ref": row.ref, "title": row.title}

    def _task_view(self, task: Row[Any], owner: str | None, now: datetime) -> View:
        """A task and the unit that it falls to now, in its name."""
        meant = whose(task.unit, owner)
        named = self._name(meant or task.unit or "未定单位")
        return tasks.view(task, now, self._desk.house.names) | {"unit_name": named}

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """stage, product, claim, reject, transfer, add, done, drop, receipt, refer, accept, give_back. Raises
        Refusal and Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"办理没有这个操作: {name[:40]}{did_you_mean(name, list(ACTS))}")
        self._known(by)
        with in_words():
            with self._desk.writing() as conn:  # first of all the tasks are there, with their numbers
                row = incidents.get(conn, incident_id)
                tasking.settle(self._desk.house, conn, row.id)
            with self._desk.writing() as conn:
                said = act(self, conn, row, params, by)
                tasking.settle(self._desk.house, conn, row.id)
        return self.overview(row.id) | {"said": said}  # read once nobody waits for the write any more

    def task(self, name: str, params: Params, by: str) -> View:
        """add, done, drop a task of no incident, from the list of all; the answer is `list`'s."""
        act = LOOSE.get(name)
        if act is None:
            raise Unknown(f"任务没有这个操作: {name[:40]}{did_you_mean(name, list(LOOSE))}")
        self._known(by)
        with in_words(), self._desk.writing() as conn:
            said = act(self, conn, None, params, by)
        return self.list() | {"said": said}

    def _known(self, by: str) -> None:
        known = [person.id for person in self._desk.house.site.roster.people]
        if by not in known:
            raise Unknown(f"值班表里没有 {by}{did_you_mean(by, known)}；请写 roster.yaml 中的人员标识")

    def stage(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        to = asked.choice(Stage, params, "to", "阶段")
        house = self._desk.house
        within = house.site.work.stages.of(to)
        people = [person.id for person in tasking.people_of(house, row.owner or "")]
        stages.move(
            conn,
            self._desk.now(),
            row.id,
            to,
            tasking.mover(house, by),
            params.get("reason", ""),
            text=params.get("text", ""),
            within=within,
            people=people,
        )
        return f"已转入{to.zh}"

    def product(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        kind = asked.choice(ProductKind, params, "kind", "成果")
        text = asked.needed(params, "text", f"{kind.zh}内容")
        stages.write(conn, self._desk.now(), row.id, kind, text, by, params.get("reason", ""))
        return f"已写下{kind.zh}"

    def claim(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        who, reason = tasking.caller(self._desk.house, by), params.get("reason") or "认领"
        parties.claim(conn, self._desk.now(), row.id, self._unit(params, "unit"), who, reason, self._name)
        return "已认领"

    def reject(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        house, other = self._desk.house, self._unit(params, "instead")
        instead = tasking.ask(house, other, row.grade) if other else None
        parties.reject(
            conn,
            self._desk.now(),
            row.id,
            self._unit(params, "unit"),
            tasking.caller(house, by),
            params.get("reason", ""),
            self._name,
            instead,
        )
        return f"已退回，并交{self._name(other)}认领" if other else "已退回；另行认领以前仍由首问单位负责"

    def transfer(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        house, to = self._desk.house, self._unit(params, "to")
        if not to:
            raise Refusal("缺少移交给哪个单位(to)")
        parties.transfer(
            conn,
            self._desk.now(),
            row.id,
            self._unit(params, "unit"),
            tasking.ask(house, to, row.grade),
            tasking.caller(house, by),
            params.get("reason", ""),
            self._name,
        )
        return f"已请{self._name(to)}认领；时钟不重置，认领以前仍由原单位负责"

    def _unit(self, params: Params, name: str) -> str:
        """A unit by its id or its name; "" when none is named."""
        return unit_of(self._desk, params[name]) if params.get(name) else ""

    def receipt(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        house, now = self._desk.house, self._desk.now()
        to = asked.needed(params, "to", "通报给谁")
        stopped = notified.receipt(
            conn,
            now,
            row.id,
            tasking.notifications(house, conn, row, now),
            to,
            asked.needed(params, "receipt", "回执编号"),
            asked.moment_or(params, "at", "通报时间", now),
            by,
            params.get("reason") or "登记回执",
            house.rules_for,
        )
        return f"已登记 {to} 的回执" + (f"，停止的时钟: {'、'.join(stopped)}" if stopped else "")

    def refer(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        return self._levels.refer(conn, row, params, by)

    def accept(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        return self._levels.of_ours("accept", conn, row.id, params, by)

    def give_back(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        return self._levels.of_ours("return", conn, row.id, params, by)

    def add(self, conn: Connection, row: Row[Any] | None, params: Params, by: str) -> str:
        name = asked.needed(params, "name", "任务")
        evidence = (
            asked.choice(EvidenceKind, params, "evidence", "凭据种类") if params.get("evidence") else None
        )
        tasks.add(
            conn,
            self._desk.now(),
            row.id if row else None,
            name,
            by,
            params.get("reason") or "人工加任务",
            unit=self._unit(params, "unit") or None,
            due=asked.moment(params, "due", "期限") if params.get("due") else None,
            must=params.get("must") in ("on", "yes", "true", "1"),
            evidence=evidence,
        )
        return f"已加任务“{name}”"

    def done(self, conn: Connection, row: Row[Any] | None, params: Params, by: str) -> str:
        task = self._task(conn, row, params)
        tasks.done(conn, self._desk.now(), task, by, params.get("result", "") or params.get("reason", ""))
        return f"“{task.name}”已完成"

    def drop(self, conn: Connection, row: Row[Any] | None, params: Params, by: str) -> str:
        everything = row is not None and params.get("task") == ALL
        found = tasks.must_open(conn, row.id) if everything and row else [self._task(conn, row, params)]
        who = tasking.mover(self._desk.house, by)
        count = tasks.drop(conn, self._desk.now(), found, by, params.get("reason", ""), who.rung, who.top)
        return f"已核销 {count} 项任务"

    def _task(self, conn: Connection, row: Row[Any] | None, params: Params) -> Row[Any]:
        return tasks.find(conn, row.id if row else None, asked.needed(params, "task", "任务编号"))


ACTS: Mapping[str, Callable[[Work, Connection, Row[Any], Params, str], str]] = {
    "stage": Work.stage,
    "product": Work.product,
    "claim": Work.claim,
    "reject": Work.reject,
    "transfer": Work.transfer,
    "receipt": Work.receipt,
    "refer": Work.refer,
    "accept": Work.accept,
    "give_back": Work.give_back,
    "add": Work.add,
    "done": Work.done,
    "drop": Work.drop,
}
"""Every act on an incident's work, by the name that the page, the API and the command line use."""
LOOSE: Mapping[str, Callable[[Work, Connection, Row[Any] | None, Params, str], str]] = {
    "add": Work.add,
    "done": Work.done,
    "drop": Work.drop,
}
"""What may be done to a task of no incident."""


def _moves(row: Row[Any]) -> list[View]:
    """Where it may go from here: forward by the table, straight to the answer in an emergency, back to any."""
    here = Stage(row.stage)
    if here is Stage.CLOSED:
        return []
    rushed = (Stage.RESPOND,) if Grade(row.grade) >= Grade.II else ()
    before = ORDER[: ORDER.index(here)]
    ahead = [stage for stage in ORDER if stage in (*NEXT[here], *rushed) and stage not in (here, *before)]
    return [
        *({"to": stage.value, "zh": stage.zh, "back": False} for stage in ahead),
        *({"to": stage.value, "zh": stage.zh, "back": True} for stage in reversed(before)),
    ]


def _words(row: Row[Any]) -> dict[str, str]:
    """What the incident's topics are called, by the identifiers of the vocabulary and in Chinese."""
    kinds = ((OpinionKind, row.kind), (EventType, row.event_type), (Domain, row.domain))
    named = [(value, kind(value).zh) for kind, value in kinds if value]
    return {word: zh for value, zh in named for word in (value, zh)}


def _proposed(found: Proposed) -> View:
    return {
        "lead": found.lead,
        "others": list(found.others),
        "coordinator": found.coordinator,
        "reasons": list(found.reasons),
        "principal": found.principal,
        "joint": found.joint,
    }


def _pressing(task: View) -> tuple[bool, bool, bool, str, int]:
    """Open ones first, of them the late, then what must be done, then by limit."""
    is_open = task["state"] == "open"
    return (not is_open, not task["late"], not task["must"], task["due_at"] or "9", task["number"])


def _grouped(shown: list[View]) -> list[View]:
    """By unit: whoever has the most that is late comes first."""
    units = dict.fromkeys(task["unit_name"] for task in shown)
    groups = [
        {"unit": unit, "tasks": sorted((task for task in shown if task["unit_name"] == unit), key=_pressing)}
        for unit in units
    ]
    for group in groups:
        group["late"] = sum(task["late"] for task in group["tasks"])
    return sorted(groups, key=lambda group: (-group["late"], group["unit"]))
