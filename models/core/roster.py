"""The roster 值班表: who is on duty on which rung of the ladder at a moment.

24 h duty and a leader on shift: 生产安全事故应急条例 第14条 (N-091); the rungs are the ladder of
the domain study 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.core.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody: a channel of the site and an address that it understands."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Unit:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    unit: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Rotation:
    """People take turns of `every` from `since` on, in the order given, for ever."""

    people: tuple[str, ...]
    every: timedelta
    since: datetime

    def at(self, moment: datetime) -> str:
        return self.people[(moment - self.since) // self.every % len(self.people)]


@dataclass(frozen=True, slots=True)
class Rung:
    rung: int
    role: Role
    on_duty: tuple[str, ...] = ()
    rotation: Rotation | None = None

    def people(self, moment: datetime) -> tuple[str, ...]:
        turn = (self.rotation.at(moment),) if self.rotation else ()
        return (*turn, *(person for person in self.on_duty if person not in turn))


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away from `since` until `until`; `substitute` stands in when named."""

    person: str
    since: datetime
    until: datetime
    substitute: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    units: tuple[Unit, ...]
    people: tuple[Person, ...]
    ladder: tuple[Rung, ...]
    absences: tuple[Absence, ...] = ()

    def person(self, person_id: str) -> Person | None:
        return next((p for p in self.people if p.id == person_id), None)

    def unit(self, unit_id: str) -> Unit | None:
        return next((u for u in self.units if u.id == unit_id), None)

    def role(self, rung: int) -> Role | None:
        return next((r.role for r in self.ladder if r.rung == rung), None)

    def top(self) -> int:
        return max((r.rung for r in self.ladder), default=1)

    def on_duty(self, rung: int, moment: datetime) -> tuple[Person, ...]:
        """Who answers for `rung` at `moment`: absent people out, their substitutes in."""
        found: dict[str, Person] = {}
        for step in self.ladder:
            if step.rung == rung:
                for person_id in step.people(moment):
                    person = self._present(person_id, moment)
                    if person is not None and person.contacts:
                        found[person.id] = person
        return tuple(found.values())

    def _present(self, person_id: str, moment: datetime) -> Person | None:
        for absence in self.absences:
            if absence.person == person_id and absence.since <= moment < absence.until:
                substitute = absence.substitute
                return self.person(substitute) if substitute and substitute != person_id else None
        return self.person(person_id)
