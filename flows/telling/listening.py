"""Who hears the system's own alarm, and what was said to them last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.wiring import House
from models.core.roster import Contact, Person
from models.ledger import duties
from models.ledger.store import Connection

KEY = "alarm"


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of the trouble at hand: `seen` at the last look; `told` to people, since when, and
    when last. ISO 8601 texts, so that it is kept as it is."""

    seen: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    since: str | None = None
    at: str | None = None


def remembered(kept: dict[str, Any]) -> Said:
    names = [tuple(kept.get(key, ())) for key in ("seen", "told")]
    return Said(names[0], names[1], kept.get("since"), kept.get("at"))


def last_said(conn: Connection) -> Said:
    """What the auditor said last, and whether it still stands."""
    return remembered(duties.get_setting(conn, KEY) or {})


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears the alarm, by which contacts in order."""

    name: str
    contacts: tuple[Contact, ...] = field(repr=False)
    person: Person | None = None


def listeners(house: House, now: datetime) -> list[Listener]:
    """Those whom the site names; else the roster's owner and who is on duty on the lowest filled rung:
    awake, and able to mend it or to call whoever can."""
    named = [Contact(contact.channel, contact.address) for contact in house.site.alarm.contacts]
    if named:
        return [Listener(contact.address, (contact,)) for contact in named]
    roster = house.site.roster
    owners = roster.owners(now) if roster.owner else ()
    found = [*_people(owners), *next(iter(stand_ins(house, now)), ())]
    return list({listener.person: listener for listener in found}.values())


def stand_ins(house: House, now: datetime) -> list[list[Listener]]:
    """When none of them takes it: the people of each filled rung, from the lowest up."""
    roster = house.site.roster
    rungs = sorted({rung.rung for rung in roster.ladder})
    return [_people(people) for rung in rungs if (people := roster.on_duty(rung, now))]


def _people(people: Iterable[Person]) -> list[Listener]:
    return [Listener(person.name, person.contacts, person) for person in people]
