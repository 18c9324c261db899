"""The roster 值班表: who is on duty on which rung of the ladder at a moment, and why.

24 h duty and a leader on shift: 生产安全事故应急条例 第14条 (N-091); the rungs are the ladder of
the domain study 4.3. The order of precedence: an override replaces what shifts and rotations say,
a sensitive period adds a second pair of hands, an absence puts the substitute in, down the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

from models.core.casework import Level
from models.core.moment import local
from models.core.vocabulary import Role

DAY = timedelta(days=1)
NEXT = "next"
"""`Sensitive.extra`: the one whose turn comes after this."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody: a channel of the site and an address that it understands."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Unit:
    """`places` and `topics`: what it answers for (`ownership`); `coordinates`: it brings the others together."""

    id: str
    name: str
    level: Level | None = None
    places: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    coordinates: bool = False
    parent: str | None = None  # the unit above it


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
        return self.people[self._turn(moment)]

    def after(self, moment: datetime) -> tuple[str, ...]:
        """The others, in the order in which their turns come."""
        turn = self._turn(moment)
        return (*self.people[turn + 1 :], *self.people[:turn])

    def _turn(self, moment: datetime) -> int:
        return (moment - self.since) // self.every % len(self.people)

    def edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The moments of change within [since, until)."""
        turn = self.since + -((self.since - since) // self.every) * self.every
        while turn < until:
            yield turn
            turn += self.every


@dataclass(frozen=True, slots=True)
class Shift:
    """A part of each day, 08:00–20:00 or over midnight 20:00–08:00, in Beijing time.

    It belongs to the day it began on: who begins a night also ends it. Equal ends: the whole day.
    """

    begins: time
    ends: time
    on_duty: tuple[str, ...] = ()
    rotation: Rotation | None = None

    @property
    def length(self) -> timedelta:
        whole = timedelta(
            hours=self.ends.hour - self.begins.hour, minutes=self.ends.minute - self.begins.minute
        )
        return whole % DAY or DAY

    def began(self, moment: datetime) -> datetime | None:
        """When the shift that holds `moment` began; None when the moment is outside it."""
        for day in (local(moment), local(moment) - DAY):
            start = _on(day, self.begins)
            if start <= moment < start + self.length:
                return start
        return None

    def edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        day = local(since) - 2 * DAY
        while day < until + DAY:
            yield _on(day, self.begins)
            yield _on(day, self.begins) + self.length
            day += DAY


def _on(day: datetime, clock: time) -> datetime:
    return day.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Rung:
    rung: int
    role: Role
    on_duty: tuple[str, ...] = ()
    rotation: Rotation | None = None
    shifts: tuple[Shift, ...] = ()

    def people(self, moment: datetime) -> tuple[str, ...]:
        """Whose turn it is by the plan: the rotations first, then those who are always there."""
        shifts = [shift for shift in self.shifts if shift.began(moment)]
        turns = [rotation.at(at) for rotation, at in self._rotations(moment)]
        fixed = [person for shift in shifts for person in shift.on_duty]
        return tuple(dict.fromkeys([*turns, *fixed, *self.on_duty]))

    def following(self, moment: datetime) -> tuple[str, ...]:
        """Whose turn comes after, the nearest first."""
        return tuple(person for rotation, at in self._rotations(moment) for person in rotation.after(at))

    def everybody(self) -> tuple[str, ...]:
        """All who are named on this rung, whenever it is their turn."""
        rotations = [r for r in (self.rotation, *(shift.rotation for shift in self.shifts)) if r]
        turns = [person for rotation in rotations for person in rotation.people]
        fixed = [person for shift in self.shifts for person in shift.on_duty]
        return tuple(dict.fromkeys([*turns, *fixed, *self.on_duty]))

    def _rotations(self, moment: datetime) -> Iterator[tuple[Rotation, datetime]]:
        if self.rotation:
            yield self.rotation, moment
        for shift in self.shifts:
            began = shift.began(moment)
            if shift.rotation and began:
                yield shift.rotation, began

    def edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        if self.rotation:
            yield from self.rotation.edges(since, until)
        for shift in self.shifts:
            yield from shift.edges(since, until)


@dataclass(frozen=True, slots=True)
class Override:
    """For a while these people answer for the rung instead of those whose turn it is."""

    rung: int
    since: datetime
    until: datetime
    people: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """敏感时段: more than one on duty. `extra` names them, or is NEXT: whoever's turn comes after."""

    name: str
    since: datetime
    until: datetime
    rungs: tuple[int, ...]
    extra: tuple[str, ...] = (NEXT,)


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away from `since` until `until`; `substitute` stands in when named."""

    person: str
    since: datetime
    until: datetime
    substitute: str | None = None


def _holds(span: Override | Sensitive | Absence, moment: datetime) -> bool:
    return span.since <= moment < span.until


@dataclass(frozen=True, slots=True)
class Post:
    """One person on duty, and in words why it is not simply their turn ("" when it is)."""

    person: Person
    note: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """From `since` until `until` the same people can be reached on a rung (none: a hole)."""

    since: datetime
    until: datetime
    people: tuple[Person, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(person.id for person in self.people)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of shift: `before` had the rung, `incoming` came on at `at`."""

    rung: int
    at: datetime
    before: tuple[Person, ...]
    incoming: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class ReachTest:
    """联络测试: each day at `at` everybody who is on duty tonight on rungs 1…`rungs` is written to."""

    at: time = time(16)
    rungs: int = 2


@dataclass(frozen=True, slots=True)
class Roster:
    """`owner` keeps the roster and hears of its holes. `staying`: who was relieved on a rung but has
    not been taken over from yet, and so is told beside the new shift. `lead`: what the first rung is called
    while a piece of work is led by people of its own (`led_by`)."""

    units: tuple[Unit, ...]
    people: tuple[Person, ...]
    ladder: tuple[Rung, ...]
    absences: tuple[Absence, ...] = ()
    overrides: tuple[Override, ...] = ()
    sensitive: tuple[Sensitive, ...] = ()
    owner: tuple[str, ...] = ()
    reach_test: ReachTest | None = None
    staying: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    lead: str = ""

    def person(self, person_id: str) -> Person | None:
        return next((p for p in self.people if p.id == person_id), None)

    def unit(self, unit_id: str) -> Unit | None:
        return next((u for u in self.units if u.id == unit_id), None)

    def under(self, units: Iterable[str]) -> frozenset[str]:
        """These units and all that stand below them, however deep."""
        found, fresh = frozenset[str](), frozenset(units)
        while fresh:
            found |= fresh
            fresh = frozenset(unit.id for unit in self.units if unit.parent in fresh) - found
        return found

    def role(self, rung: int) -> Role | None:
        return next((r.role for r in self.ladder if r.rung == rung), None)

    def top(self) -> int:
        return max((r.rung for r in self.ladder), default=1)

    def rungs(self) -> tuple[int, ...]:
        return tuple(sorted({rung.rung for rung in self.ladder}))

    def keeping(self, staying: Mapping[int, tuple[str, ...]]) -> Roster:
        """The same roster while these hand-overs have not been accepted."""
        return replace(self, staying=staying) if staying else self

    def called(self, rung: int) -> str:
        """The rung's name for people: its role, else its number."""
        if rung == 1 and self.lead:
            return self.lead
        role = self.role(rung)
        return role.zh if role else f"第 {rung} 级"

    def led_by(self, people: Sequence[str], lead: str = "办理人") -> Roster:
        """The same roster for a piece of work: its own people stand on the first rung, under the name
        `lead`, instead of whoever is on duty; absences and substitutes count for them too."""
        if not people:
            return self
        first = Rung(1, self.role(1) or Role.DUTY_OFFICER, tuple(people))
        others = (rung for rung in self.ladder if rung.rung != 1)
        periods = (replace(p, rungs=tuple(r for r in p.rungs if r != 1)) for p in self.sensitive)
        return replace(
            self,
            ladder=(first, *others),
            overrides=tuple(one for one in self.overrides if one.rung != 1),
            sensitive=tuple(periods),
            staying={rung: who for rung, who in self.staying.items() if rung != 1},
            lead=lead,
        )

    # ── now ───────────────────────────────────────────────────────────────────────────────────

    def on_duty(self, rung: int, moment: datetime) -> tuple[Person, ...]:
        """Who answers for `rung` at `moment` and can be reached at all."""
        return tuple(post.person for post in self.posts(rung, moment) if post.person.contacts)

    def posts(self, rung: int, moment: datetime) -> tuple[Post, ...]:
        """Everybody on duty on `rung`, with the reason where it is not simply their turn."""
        found: dict[str, Post] = {}
        for person_id, why in self._named(rung, moment):
            person = self._present(person_id, moment)
            if person is not None:
                found.setdefault(person.id, Post(person, self._note(person, person_id, why)))
        for post in self._extra(rung, moment, set(found)):
            found.setdefault(post.person.id, post)
        for person in map(self.person, self.staying.get(rung, ())):
            if person is not None:
                found.setdefault(person.id, Post(person, "交接尚未签收，暂留"))
        return tuple(found.values())

    def _named(self, rung: int, moment: datetime) -> list[tuple[str, str]]:
        """person id and why, by the overrides in force, else by the plan."""
        forced = [o for o in self.overrides if o.rung == rung and _holds(o, moment)]
        if forced:
            return [(person, o.reason or "临时调班") for o in forced for person in o.people]
        return [(person, "") for step in self._steps(rung) for person in step.people(moment)]

    def _extra(self, rung: int, moment: datetime, known: set[str]) -> Iterator[Post]:
        for period in self.sensitive:
            if rung in period.rungs and _holds(period, moment):
                for person in self._second(period, rung, moment, known):
                    known.add(person.id)
                    yield Post(person, f"{period.name}双岗")

    def _second(self, period: Sensitive, rung: int, moment: datetime, known: set[str]) -> list[Person]:
        named = [name for name in period.extra if name != NEXT]
        following = (
            [p for step in self._steps(rung) for p in step.following(moment)] if NEXT in period.extra else []
        )
        extra = [person for name in named if (person := self._present(name, moment))]
        taken = known | {person.id for person in extra}
        turns = (person for name in following if (person := self._present(name, moment)))
        after = next((person for person in turns if person.id not in taken and person.contacts), None)
        return [*extra, after] if after else extra

    def _steps(self, rung: int) -> Iterator[Rung]:
        return (step for step in self.ladder if step.rung == rung)

    def _note(self, person: Person, named: str, why: str) -> str:
        if person.id == named:
            return why
        away = self.person(named)
        return f"代 {away.name if away else named}" + (f"，{why}" if why else "")

    def _present(self, person_id: str, moment: datetime) -> Person | None:
        """The person, else the substitute, else the substitute's own, … ; None at the chain's end."""
        seen: set[str] = set()
        while person_id not in seen:
            seen.add(person_id)
            away = [a for a in self.absences if a.person == person_id and _holds(a, moment)]
            if not away:
                return self.person(person_id)
            person_id = next((a.substitute for a in away if a.substitute), person_id)
        return None

    # ── when nobody answers ───────────────────────────────────────────────────────────────────

    def owners(self, moment: datetime) -> tuple[Person, ...]:
        """Who keeps the roster; where nobody is named, whoever is on duty on the highest filled rung."""
        named = _reachable(self.person(name) for name in self.owner)
        filled = (self.on_duty(rung, moment) for rung in reversed(self.rungs()))
        return named or next((people for people in filled if people), ())

    def last_resort(self) -> tuple[Person, ...]:
        """Whom to tell when no rung answers: the owner and every 主要领导, absent or not."""
        principals = [p for step in self.ladder if step.role is Role.PRINCIPAL for p in step.everybody()]
        return _reachable(self.person(name) for name in dict.fromkeys([*self.owner, *principals]))

    # ── over time ─────────────────────────────────────────────────────────────────────────────

    def turns(self, rung: int, since: datetime, until: datetime) -> list[Turn]:
        """Who can be reached on `rung` from `since` until `until`, one entry for each change."""
        marks = sorted({since, *(edge for edge in self._edges(rung, since, until) if since < edge < until)})
        found: list[Turn] = []
        for begin, end in zip(marks, [*marks[1:], until], strict=True):
            turn = Turn(begin, end, self.on_duty(rung, begin))
            if found and found[-1].ids == turn.ids:
                found[-1] = replace(found[-1], until=end)
            else:
                found.append(turn)
        return found

    def everybody(self, rung: int, since: datetime, until: datetime) -> tuple[Person, ...]:
        """All who are on duty on `rung` at some time of the span, with contacts or without."""
        marks = sorted({since, *(edge for edge in self._edges(rung, since, until) if since < edge < until)})
        found = {post.person.id: post.person for mark in marks for post in self.posts(rung, mark)}
        return tuple(found.values())

    def _edges(self, rung: int, since: datetime, until: datetime) -> Iterator[datetime]:
        for step in self._steps(rung):
            yield from step.edges(since, until)
        spans: tuple[Override | Sensitive | Absence, ...] = (
            *self.overrides,
            *self.sensitive,
            *self.absences,
        )
        for span in spans:
            yield span.since
            yield span.until

    def changes(self, rung: int, since: datetime, until: datetime) -> list[Change]:
        """Every moment after `since` and up to `until` at which somebody came on, in order."""
        turns = self.turns(rung, since, until + timedelta(milliseconds=1))
        return [
            Change(rung, turn.since, before.people, incoming)
            for before, turn in pairwise(turns)
            if (incoming := tuple(p for p in turn.people if p.id not in before.ids))
        ]


def each_once(people: Iterable[Person]) -> list[Person]:
    """Each person once, in the order of their first mention."""
    return list({person.id: person for person in people}.values())


def _reachable(people: Iterable[Person | None]) -> tuple[Person, ...]:
    return tuple(person for person in people if person is not None and person.contacts)
