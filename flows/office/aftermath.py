"""复盘: the chain of times, what was late and why, lessons, improvements; as people see and write it.

Implements `connectors.console.desks.aftermath.AftermathDesk`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.console.desk import Unknown, View
from flows.office import asked, people_seen
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.office.registers import person
from flows.office.tasking import unit_name
from flows.wiring import House
from models.core.aftermath import Late, Link
from models.core.aftermath import chain as linked
from models.core.casework import Cause, ProductKind, TaskState
from models.core.moment import iso
from models.core.vocabulary import AlertState
from models.ledger import aftermath, incidents, tasks
from models.ledger.store import Connection, Row
from models.ledger.words import acting
from playbooks.problem import did_you_mean

IMPROVE_WITHIN = timedelta(days=30)
"""By when an improvement is done that was given no date (a proposal)."""


class Aftermath:
    """Looking back, seen from the desk of a person."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def overview(self, incident_id: str) -> View:
        """`chain` of the incident, and `causes` to choose from. Raises Unknown."""
        with in_words(), reachable():
            return chain(self.desk.house, incident_id)

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """cause {clock, cause, words}, lesson {text}, improve {name, unit, due_at?, reason?}, lookback {text}.
        The chain after it, and `said`. Raises Refusal, Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"复盘没有这个动作: {name}{did_you_mean(name, list(ACTS))}")
        house, now = self.desk.house, self.desk.now()
        person(house, by)
        with in_words(), self.desk.writing() as conn:
            found = incidents.get(conn, incident_id).id
            act(conn, now, found, params, by)
        return self.overview(incident_id) | {"said": SAID[name]}


def _cause(conn: Connection, now: datetime, incident_id: str, params: Params, by: str) -> None:
    cause = asked.choice(Cause, params, "cause", "逾期原因")
    clock = asked.needed(params, "clock", "时钟")
    words = params.get("words") or params.get("reason", "")
    aftermath.name_cause(conn, now, incident_id, clock, cause, words, by)


def _lesson(conn: Connection, now: datetime, incident_id: str, params: Params, by: str) -> None:
    aftermath.learn(conn, now, incident_id, params.get("text") or params.get("reason", ""), by)


def _improve(conn: Connection, now: datetime, incident_id: str, params: Params, by: str) -> None:
    due_at = asked.moment_or(params, "due_at", "期限", now + IMPROVE_WITHIN)
    name, unit = asked.needed(params, "name", "做什么"), asked.needed(params, "unit", "责任单位")
    aftermath.improve(conn, now, incident_id, name, unit, due_at, by, params.get("reason") or "复盘整改")


def _look_back(conn: Connection, now: datetime, incident_id: str, params: Params, by: str) -> None:
    aftermath.look_back(conn, now, incident_id, params.get("text") or params.get("reason", ""), by)


ACTS: Mapping[str, Callable[[Connection, datetime, str, Params, str], None]] = {
    "cause": _cause,
    "lesson": _lesson,
    "improve": _improve,
    "lookback": _look_back,
}
SAID = {"cause": "已写明逾期原因", "lesson": "已写复盘", "improve": "已立整改任务", "lookback": "已写回头看"}


# ── the view ──────────────────────────────────────────────────────────────────────────────────


def chain(house: House, incident_id: str) -> View:
    """incident, ref, title, times [{at, what, by, seq, gap_s}], late [{clock, id, name, due_at, late_s, open, cause,
    cause_zh, words, by, on_duty [{rung, role_zh, people}], told [{at, name, rung, state_zh}]}], lessons, look_backs
    [{at, by, text}], tasks [{id, name, unit, due_at, state, state_zh, late, after, result}], causes [{value, zh}].

    `on_duty` is what today's roster says of that moment; `told` is what the journal says. Raises NoSuchIncident.
    """
    now = house.time.now()
    with house.store.read() as conn:
        row = incidents.get(conn, incident_id)
        links = linked(aftermath.told(conn, row.id), partial(unit_name, house))
        over = aftermath.late_clocks(conn, row.id, now)
        alerts, products = aftermath.told_of(conn, row.id), aftermath.products(conn, row.id)
        todo = tasks.of(conn, row.id)
    why = aftermath.causes(products)
    return {
        "incident": row.id,
        "ref": row.ref,
        "title": row.title,
        "closed_at": iso(row.closed_at) if row.closed_at else None,
        "times": [_time(house, link) for link in links],
        "late": [_late(house, one, why.get(one.clock), alerts.get(one.clock, [])) for one in over],
        "lessons": [
            _text(house, p) for p in products if p.kind == ProductKind.LESSONS.value and not _of_clock(p)
        ],
        "look_backs": [_text(house, p) for p in products if p.kind == ProductKind.LOOK_BACK.value],
        "tasks": [_task(house, task, now, row.closed_at) for task in todo],
        "causes": [{"value": cause.value, "zh": cause.zh} for cause in Cause],
    }


def _of_clock(row: Row[Any]) -> bool:
    return bool((row.data or {}).get("clock"))


def _time(house: House, link: Link) -> View:
    moment = link.moment
    return {
        "at": iso(moment.at),
        "what": moment.what,
        "by": acting(moment.by, house.names),
        "seq": moment.seq,
        "gap_s": link.gap_s,
    }


def _late(house: House, one: Late, why: Row[Any] | None, alerts: Sequence[Row[Any]]) -> View:
    cause = Cause(why.data["cause"]) if why is not None else None
    return {
        "clock": one.rule_id,
        "id": one.clock,
        "name": one.name,
        "due_at": iso(one.due_at),
        "late_s": one.late_s,
        "open": one.open,
        "cause": cause.value if cause else None,
        "cause_zh": cause.zh if cause else None,
        "words": why.text if why is not None else None,
        "by": house.names.get(why.by, why.by) if why is not None else None,
        "on_duty": [_rung(house, rung, one.due_at) for rung in house.site.roster.rungs()],
        "told": [_told(alert) for alert in alerts],
    }


def _rung(house: House, rung: int, at: datetime) -> View:
    posts = house.site.roster.posts(rung, at)
    return {
        "rung": rung,
        "role_zh": people_seen.role(house, rung),
        "people": [post.person.name for post in posts],
    }


def _told(alert: Row[Any]) -> View:
    return {
        "at": iso(alert.raised_at),
        "name": alert.person_name,
        "rung": alert.rung,
        "step": alert.step_key,
        "state_zh": AlertState(alert.state).zh,
    }


def _text(house: House, row: Row[Any]) -> View:
    return {"at": iso(row.at), "by": house.names.get(row.by, row.by), "text": row.text}


def _task(house: House, row: Row[Any], now: datetime, closed_at: datetime | None) -> View:
    """`after`: it was set by looking back, or by a playbook for the time after closing."""
    after = row.source == aftermath.AFTERMATH or (closed_at is not None and row.created_at >= closed_at)
    late = row.due_at is not None and row.due_at < (row.done_at or now)
    return {
        "id": row.id,
        "name": row.name,
        "unit": unit_name(house, row.unit) if row.unit else None,
        "source": row.source,
        "after": after,
        "due_at": iso(row.due_at) if row.due_at else None,
        "state": row.state,
        "state_zh": TaskState(row.state).zh,
        "late": bool(late and row.state != TaskState.DROPPED.value),
        "done_at": iso(row.done_at) if row.done_at else None,
        "result": row.result,
    }
