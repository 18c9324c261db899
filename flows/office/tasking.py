"""A site's answer to what the work asks: which tasks hold for an incident, who stands for a unit, who may act.

Between the house (roster, playbooks, settings) and the ledger's tasks, parties and stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.wiring import House
from models.core.assignments import Notification, Want, whose
from models.core.casework import PartyRole
from models.core.moment import deadline_face
from models.core.roster import Person
from models.core.situation import Situation
from models.core.vocabulary import Grade
from models.ledger import books, incidents, notices, tasks
from models.ledger.journal import append
from models.ledger.notices import Notice
from models.ledger.parties import Ask, Caller
from models.ledger.stages import Mover
from models.ledger.store import Connection, Row
from playbooks import duties
from playbooks.book import Library

MIDDLE = 2
"""The highest rung of those who are told that their unit is asked: a deputy hears through the ladder."""
SHOWN = 8
"""So many late tasks are named in one notice."""


# ── what the playbooks ask for ────────────────────────────────────────────────────────────────


def settle(house: House, conn: Connection, incident_id: str) -> int:
    """Bring the incident's tasks in line with its playbooks and proofs; how many entries that took."""
    at, row = house.time.now(), incidents.get(conn, incident_id)
    entries = tasks.settling(conn, at, row, wanted(house, conn, row, at), house.calendar)
    append(conn, at, entries)
    return len(entries)


def wanted(house: House, conn: Connection, row: Row[Any], at: datetime) -> tuple[Want, ...]:
    """What is to be done: while it is open its tasks, once it is closed what comes after."""
    if row.merged_into:
        return ()
    library, now = held(house, conn, row.id), situation(conn, row, at)
    return duties.wants(library, now) if row.closed_at is None else duties.aftermath(library, now)


def notifications(house: House, conn: Connection, row: Row[Any], at: datetime) -> tuple[Notification, ...]:
    return duties.notifications(held(house, conn, row.id), situation(conn, row, at))


def situation(conn: Connection, row: Row[Any], at: datetime) -> Situation:
    return incidents.situation(row, incidents.known_times(conn, row.id), at)


def held(house: House, conn: Connection, incident_id: str) -> Library:
    """The playbooks that the incident is held to."""
    versions = books.versions(conn, incident_id)
    return house.rules_for.library_of(versions, lambda version: books.content(conn, version))


def out_of_line(house: House, conn: Connection, incident_id: str) -> bool:
    """Would `settle` change anything? Reads only."""
    at, row = house.time.now(), incidents.get(conn, incident_id)
    return bool(tasks.settling(conn, at, row, wanted(house, conn, row, at), house.calendar))


# ── who is late is told ───────────────────────────────────────────────────────────────────────


def tell_late(house: House) -> int:
    """督办: once a day each person hears which tasks of theirs are late; how many were told."""
    now = house.time.now()
    with house.store.read() as conn:
        late = tasks.open_everywhere(conn, now)
    if not late:
        return 0
    found: dict[str, tuple[Person, list[Row[Any]]]] = {}
    for row in late:
        for person in answering(house, row.unit, row.owner, now):
            found.setdefault(person.id, (person, []))[1].append(row)
    with house.store.write() as conn:
        return notices.tell(conn, now, [_notice(person, rows, now) for person, rows in found.values()])


def _notice(person: Person, late: Sequence[Row[Any]], now: datetime) -> Notice:
    named = "；".join(
        f"{row.ref or ''} {row.name}(限 {deadline_face(row.due_at)})".strip() for row in late[:SHOWN]
    )
    more = f" 等 {len(late)} 项" if len(late) > SHOWN else ""
    title = f"{len(late)} 项任务逾期，请办理或核销"
    return Notice("tasks", f"{now:%Y-%m-%d}", title, named + more, (person,))


def answering(house: House, unit: str | None, owner: str | None, now: datetime) -> tuple[Person, ...]:
    """Who hears of a task: the people of its unit, of the incident's owner, of that rung; else the roster's
    owners."""
    roster = house.site.roster
    meant = whose(unit, owner)
    rung = next((one.rung for one in roster.ladder if unit and one.role.zh == unit), None)
    people = people_of(house, meant or "") if rung is None else roster.on_duty(rung, now)
    return people or roster.owners(now)


# ── units and people ──────────────────────────────────────────────────────────────────────────


def unit_name(house: House, unit: str) -> str:
    """The name of a unit of the roster; any other text is its own name."""
    known = house.site.roster.unit(unit)
    return known.name if known else unit


def unit_id(house: House, said: str) -> str:
    """A unit of the roster by its id or its name; another body's name is taken as it is."""
    text = said.strip()
    known = (unit.id for unit in house.site.roster.units if text in (unit.id, unit.name))
    return next(known, text)


def people_of(house: House, unit: str) -> tuple[Person, ...]:
    """Whom to tell in a unit, by its id or name: all who can be reached, but no deputy and no principal where
    there is somebody else."""
    ids = {one.id for one in house.site.roster.units if unit in (one.id, one.name)}
    people = [person for person in house.site.roster.people if person.unit in ids and person.contacts]
    near = [person for person in people if rung_of(house, person.id) <= MIDDLE]
    return tuple(near or people)


def rung_of(house: House, person_id: str) -> int:
    """The highest rung that the person is named on, ever; 0 for none."""
    roster = house.site.roster
    named = [one.rung for one in roster.ladder if person_id in one.everybody()]
    called = [one.rung for one in roster.overrides if person_id in one.people]
    return max((*named, *called), default=0)


def caller(house: House, by: str) -> Caller:
    person = house.site.roster.person(by)
    unit = house.site.roster.unit(person.unit) if person else None
    return Caller(by, (unit.id, unit.name) if unit else (), rung_of(house, by))


def mover(house: House, by: str) -> Mover:
    return Mover(by, rung_of(house, by), house.site.roster.top())


def coordinators(house: House, named: Sequence[str]) -> list[Ask]:
    """统筹协调: the units that bring the others together, but those that are asked for a part themselves."""
    units = (unit for unit in house.site.roster.units if unit.coordinates and unit.id not in named)
    return [Ask(unit.id, PartyRole.COORDINATOR) for unit in units]


def ask(house: House, unit: str, grade: str, role: PartyRole = PartyRole.LEAD) -> Ask:
    """A unit asked to take a part, with the people who hear of it and how long it has to answer."""
    within = house.site.work.claim_urgent if Grade(grade) >= Grade.II else house.site.work.claim
    return Ask(unit, role, tuple(person.id for person in people_of(house, unit)), within)
