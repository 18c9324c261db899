"""What of the response work goes along when one incident is merged into another: one rule, in the merger's own entry.

What was written, booked, released and registered belongs to the incident that stays, with the limits that run for
it; units that were asked or have claimed stand beside its lead; what people set to be done is still to be done.
What the playbooks laid is dropped, since the staying incident's own lay theirs; a stage's limit ends with its
incident. What has ended stays where it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core.casework import PartyRole, PartyState, TaskState
from models.core.moment import iso
from models.core.vocabulary import ClockState
from models.ledger import clocks, parties, tasks
from models.ledger.projections import TABLES, plain
from models.ledger.registers import ENTRY

WHOLE = ("evidence", "capture", "statement", "release", "product", "meeting", "dossier")
"""The tables whose rows all go along, ended or not."""
LIMITS = ("review.", "meeting.", "promise.")
"""The limits that go along: of a review, of what was booked, of what the public was promised."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Joining:
    """One merger as the work sees it: which incident goes, which stays, when, by whom."""

    gone: Row[Any]
    stays: Row[Any]
    at: datetime
    by: str

    @property
    def why(self) -> str:
        return f"随并入 {self.stays.ref}"


def along(conn: Connection, joining: Joining) -> dict[str, dict[str, Rows]]:
    """What the merger inserts and updates of the work and of the limits: {"insert": {table: rows}, "update": …}."""
    units = _parties(conn, joining)
    made, dropped = _tasks(conn, joining)
    numbers = {f"task:{old['id']}": f"task:{new['id']}" for old, new in zip(dropped, made, strict=False)}
    update = {name: _moved(conn, TABLES[name], joining) for name in WHOLE}
    update |= {
        "registerentry": _entries(conn, joining, numbers),
        "party": units,
        "task": dropped,
        "incident": _owner(conn, joining, units),
        "clock": _clocks(conn, joining, units),
    }
    return {"insert": {"task": made}, "update": update}


def _moved(conn: Connection, table: Table, joining: Joining) -> Rows:
    found = conn.execute(select(table.c.id).where(table.c.incident_id == joining.gone.id)).scalars()
    return [{"id": each, "incident_id": joining.stays.id} for each in found]


def _entries(conn: Connection, joining: Joining, numbers: Mapping[str, str]) -> Rows:
    """The register's entries; one that urges a task names it by its new number, so that nobody is urged twice."""
    found = conn.execute(select(ENTRY.c.id, ENTRY.c.details).where(ENTRY.c.incident_id == joining.gone.id))
    return [
        {"id": row.id, "incident_id": joining.stays.id, "details": _renamed(row.details, numbers)}
        for row in found
    ]


def _renamed(details: Mapping[str, Any], numbers: Mapping[str, str]) -> dict[str, Any]:
    named = {"ref": numbers.get(details["ref"], details["ref"])} if "ref" in details else {}
    return {**details, **named}


# ── limits ────────────────────────────────────────────────────────────────────────────────────


def _clocks(conn: Connection, joining: Joining, units: Rows) -> Rows:
    """The work's own limits go along; those of the playbooks and of the stage end with their incident."""
    roles = {parties.SUBJECT + each["id"]: each["role"] for each in units if "incident_id" in each}
    return [
        _clock(clock, joining, roles.get(clock.subject or ""))
        for clock in clocks.live_clocks(conn, joining.gone.id)
    ]


def _clock(clock: Row[Any], joining: Joining, role: str | None) -> dict[str, Any]:
    moved = {"id": clock.id, "incident_id": joining.stays.id}
    if role is not None:
        return moved | {"name": parties.limit_name(PartyRole(role))}
    if (clock.subject or "").startswith(LIMITS):
        return moved
    return clocks.ending(clock.id, ClockState.SUPERSEDED, joining.at, f"并入 {joining.stays.ref}")


# ── units ─────────────────────────────────────────────────────────────────────────────────────


def _parties(conn: Connection, joining: Joining) -> Rows:
    """Each unit that was asked or has claimed goes along, once; whose unit has a part there already is relieved."""
    there = {one.unit: one.id for one in _live(conn, joining.stays)}
    led = _led(conn, joining.stays)
    changes: Rows = []
    for one in sorted(_live(conn, joining.gone), key=lambda one: one.role != PartyRole.LEAD.value):
        if one.unit in there:
            changes.append(_relieved(one, there[one.unit], joining))
        else:
            changes.append({"id": one.id, "incident_id": joining.stays.id, "role": _role(one, led)})
            there[one.unit] = one.id
    return changes


def _live(conn: Connection, incident: Row[Any]) -> list[Row[Any]]:
    return [one for one in parties.of(conn, incident.id) if one.state in parties.LIVE]


def _led(conn: Connection, stays: Row[Any]) -> str | None:
    """Which unit leads the staying incident: whoever was asked or has claimed, else the owner by name."""
    lead = parties.answerable(_live(conn, stays))
    unit: str | None = lead.unit if lead else stays.owner
    return unit


def _role(one: Row[Any], led: str | None) -> str:
    """A lead stays one only where nobody else leads; who coordinates goes on to do so."""
    milder = one.role == PartyRole.LEAD.value and led not in (None, one.unit)
    return PartyRole.CO.value if milder else str(one.role)


def _relieved(one: Row[Any], to: str, joining: Joining) -> dict[str, Any]:
    said = {"answered_by": joining.by, "answered_at": iso(joining.at), "answer": joining.why}
    return {"id": one.id, "state": PartyState.RELIEVED.value, "handed_to": to, **said}


def _owner(conn: Connection, joining: Joining, units: Rows) -> Rows:
    """An incident without an owner gets the one that leads it from now on."""
    leads = {each["id"] for each in units if each.get("role") == PartyRole.LEAD.value}
    lead = parties.answerable([one for one in _live(conn, joining.gone) if one.id in leads])
    return [{"id": joining.stays.id, "owner": lead.unit}] if lead and not joining.stays.owner else []


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────


def _tasks(conn: Connection, joining: Joining) -> tuple[Rows, Rows]:
    """The tasks as they stand on the staying incident, and what changes on those left behind, in the same order,
    first those that go along. A task's number is its incident's, so it goes along under a new one."""
    still = [task for task in tasks.of(conn, joining.gone.id) if task.state == TaskState.OPEN.value]
    ours = [task for task in still if tasks.by_hand(task)]
    there = tasks.of(conn, joining.stays.id)
    first = max((tasks.number(task.id) for task in there), default=0) + 1
    taken = {task.key for task in there}
    made = [_task(task, n, taken, joining) for n, task in enumerate(ours, first)]
    return made, [_dropped(task, joining) for task in _laid_last(still, ours)]


def _laid_last(still: Sequence[Row[Any]], ours: Sequence[Row[Any]]) -> Iterable[Row[Any]]:
    return (*ours, *(task for task in still if task not in ours))


def _task(task: Row[Any], number: int, taken: Iterable[str], joining: Joining) -> dict[str, Any]:
    key = uuid4().hex if task.key in taken else task.key
    ours = {"id": f"{joining.stays.id}:t{number}", "incident_id": joining.stays.id, "key": key}
    return plain(dict(task._mapping)) | ours


def _dropped(task: Row[Any], joining: Joining) -> dict[str, Any]:
    said = {"done_at": iso(joining.at), "done_by": joining.by, "result": joining.why}
    return {"id": task.id, "state": TaskState.DROPPED.value, **said}
