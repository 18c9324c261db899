"""roster.yaml → the core's Roster, and everything in it that points nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from models.core.roster import (
    NEXT,
    Absence,
    Contact,
    Override,
    Person,
    ReachTest,
    Roster,
    Rotation,
    Rung,
    Sensitive,
    Shift,
    Unit,
)
from playbooks.channels_paper import ChannelsSource
from playbooks.loader import Document, KeyPath
from playbooks.papers import AlarmSource
from playbooks.problem import Problem, did_you_mean, errors, listed
from playbooks.roster_holes import holes, unwatched
from playbooks.roster_paper import (
    PersonSource,
    RosterSource,
    RotationSource,
    RungSource,
    ShiftSource,
    UnitSource,
)


def roster_of(source: RosterSource) -> Roster:
    return Roster(
        units=tuple(_unit(unit) for unit in source.units),
        people=tuple(_person(person) for person in source.people),
        ladder=tuple(_rung(rung) for rung in source.ladder),
        absences=tuple(Absence(a.person, a.since, a.until, a.substitute) for a in source.absences),
        overrides=tuple(Override(o.rung, o.since, o.until, o.people, o.reason) for o in source.overrides),
        sensitive=tuple(Sensitive(s.name, s.since, s.until, s.rungs, s.extra) for s in source.sensitive),
        owner=source.owner,
        reach_test=ReachTest(source.reach_test.at, source.reach_test.rungs) if source.reach_test else None,
    )


def _unit(unit: UnitSource) -> Unit:
    return Unit(unit.id, unit.name, unit.level, unit.places, unit.topics, unit.coordinates, unit.parent)


def _person(person: PersonSource) -> Person:
    contacts = tuple(Contact(contact.channel, contact.address) for contact in person.contacts)
    return Person(person.id, person.name, person.unit, contacts)


def _rung(rung: RungSource) -> Rung:
    shifts = tuple(_shift(shift) for shift in rung.shifts)
    return Rung(rung.rung, rung.role, rung.on_duty, _rotation(rung.rotation), shifts)


def _shift(shift: ShiftSource) -> Shift:
    return Shift(shift.begins, shift.ends, shift.on_duty, _rotation(shift.rotation))


def _rotation(turn: RotationSource | None) -> Rotation | None:
    return Rotation(turn.people, turn.every, turn.since) if turn else None


def dangling(
    document: Document, roster: RosterSource, channels: Collection[str] | None, now: datetime | None = None
) -> list[Problem]:
    """Unknown people, units and channels; rungs and hours that nobody fills; spans that end before
    they begin or cross. `channels` None: the channels are not known, so they are not checked; `now`
    None: the week ahead is not looked at."""
    people = [person.id for person in roster.people]
    units = [unit.id for unit in roster.units]
    found = [*doubled(document, "units", units), *doubled(document, "people", people)]
    found += _parents(document, roster, units)
    for path, person in _named_people(roster):
        if person not in people:
            found.append(_unknown(document, path, "人员", person, people))
    for n, each in enumerate(roster.people):
        if each.unit not in units:
            found.append(_unknown(document, ("people", n, "unit"), "单位", each.unit, units))
        for m, contact in enumerate(each.contacts):
            if channels is not None and contact.channel not in channels:
                path = ("people", n, "contacts", m, "channel")
                found.append(_unknown(document, path, "渠道", contact.channel, channels))
    found += [*_rungs(document, roster), *_absences(document, roster), *holes(document, roster)]
    if now is not None and not errors(found):
        found += unwatched(document, roster, roster_of(roster), now)
    return found


def _parents(document: Document, roster: RosterSource, units: Sequence[str]) -> list[Problem]:
    """Upper units that nobody knows, and those that stand above themselves."""
    above = {unit.id: unit.parent for unit in roster.units}
    found = []
    for n, unit in enumerate(roster.units):
        if unit.parent is not None and unit.parent not in units:
            found.append(_unknown(document, ("units", n, "parent"), "单位", unit.parent, units))
        elif _circles(unit.id, above):
            words = f"单位 “{unit.id}” 的上级绕回了它自己"
            found.append(document.problem(("units", n, "parent"), words, "改掉其中一个 parent"))
    return found


def _circles(unit: str, above: Mapping[str, str | None]) -> bool:
    """Whether going up from a unit comes back to it."""
    seen, here = set(), above.get(unit)
    while here is not None and here not in seen:
        if here == unit:
            return True
        seen.add(here)
        here = above.get(here)
    return False


def doubled(document: Document, key: str, ids: Sequence[str]) -> list[Problem]:
    """One problem for each id of the list under `key` that was used before."""
    return [
        document.problem((key, n, "id"), f"标识 “{id_}” 重复了", "换一个")
        for n, id_ in enumerate(ids)
        if id_ in ids[:n]
    ]


def _unknown(document: Document, path: KeyPath, what: str, word: str, known: Iterable[str]) -> Problem:
    known = list(known)
    hint = f"已有：{listed(known)}" if known else f"还没有任何{what}"
    return document.problem(path, f"没有{what} “{word}”{did_you_mean(word, known)}", hint)


def unmapped(document: Document, channels: ChannelsSource, roster: RosterSource) -> list[Problem]:
    """Slack users that are mapped to people whom the roster does not know."""
    people = [person.id for person in roster.people]
    return [
        _unknown(document, ("channels", n, "users", user), "人员", person, people)
        for n, channel in enumerate(channels.channels)
        for user, person in (channel.users or {}).items()
        if person not in people
    ]


def unheard(document: Document, alarm: AlarmSource, channels: Collection[str]) -> list[Problem]:
    """Channels that the system's own alarm names and nobody has set up."""
    named = [contact.channel for contact in alarm.contacts]
    return [
        _unknown(document, ("alarm", "contacts", n, "channel"), "渠道", name, channels)
        for n, name in enumerate(named)
        if name not in channels
    ]


def _named_people(roster: RosterSource) -> Iterator[tuple[KeyPath, str]]:
    yield from _each(("owner",), roster.owner)
    for n, rung in enumerate(roster.ladder):
        yield from _planned(("ladder", n), rung)
        for m, shift in enumerate(rung.shifts):
            yield from _planned(("ladder", n, "shifts", m), shift)
    for n, absence in enumerate(roster.absences):
        yield ("absences", n, "person"), absence.person
        if absence.substitute is not None:
            yield ("absences", n, "substitute"), absence.substitute
    for n, override in enumerate(roster.overrides):
        yield from _each(("overrides", n, "people"), override.people)
    for n, period in enumerate(roster.sensitive):
        named = _each(("sensitive", n, "extra"), period.extra)
        yield from ((path, person) for path, person in named if person != NEXT)


def _planned(path: KeyPath, plan: RungSource | ShiftSource) -> Iterator[tuple[KeyPath, str]]:
    yield from _each((*path, "on_duty"), plan.on_duty)
    yield from _each((*path, "rotation", "people"), plan.rotation.people if plan.rotation else ())


def _each(path: KeyPath, people: Sequence[str]) -> Iterator[tuple[KeyPath, str]]:
    return (((*path, n), person) for n, person in enumerate(people))


def _rungs(document: Document, roster: RosterSource) -> Iterator[Problem]:
    reachable = {person.id for person in roster.people if person.contacts}
    known = {person.id for person in roster.people}
    for n, rung in enumerate(roster.ladder):
        names = _rung(rung).everybody()
        silent = [name for name in names if name in known and name not in reachable]
        if not names:
            yield document.problem(
                ("ladder", n), f"第 {rung.rung} 级没有人", "写 on_duty: [人员标识]、rotation 或 shifts"
            )
        elif len(silent) == len(names):
            yield document.problem(("ladder", n), f"第 {rung.rung} 级的人都没有联系方式", "给他们写 contacts")
        elif silent:
            message = f"第 {rung.rung} 级的 {'、'.join(silent)} 没有联系方式，轮到时提醒不到"
            yield document.problem(("ladder", n), message, "写 contacts", warning=True)
    yield from _gaps(document, roster)


def _gaps(document: Document, roster: RosterSource) -> Iterator[Problem]:
    rungs = {rung.rung for rung in roster.ladder}
    missing = [str(rung) for rung in range(1, max(rungs, default=0)) if rung not in rungs]
    if missing:
        message = f"值班阶梯缺第 {'、'.join(missing)} 级，它们的步骤转给上一级"
        yield document.problem(("ladder",), message, "补上，或从 1 起连续编号", key=True, warning=True)


def _absences(document: Document, roster: RosterSource) -> Iterator[Problem]:
    for n, absence in enumerate(roster.absences):
        if absence.until <= absence.since:
            yield document.problem(("absences", n, "until"), "外出结束早于开始", "对调 since 和 until")
        if absence.substitute == absence.person:
            yield document.problem(("absences", n, "substitute"), "代班人不能是本人", "写另一个人")
