"""Who is on duty, this week and now, and what one shift left to the next, as people are shown it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flows.telling import reach
from flows.wiring import House
from models.core.moment import iso
from models.core.roster import DAY, Person, Post, Roster, Turn
from models.ledger import handovers
from models.ledger.store import Connection, Row

View = dict[str, Any]
WEEK = 7 * DAY


def people(house: House, now: datetime) -> list[View]:
    """Everybody of the roster, those on duty first, in the order of the ladder."""
    roster = house.site.roster
    rungs = {p.id: rung for rung in reversed(roster.rungs()) for p in roster.on_duty(rung, now)}
    listed = [_person(roster, person, rungs.get(person.id)) for person in roster.people]
    return sorted(listed, key=lambda p: (p["rung"] is None, p["rung"] or 0))


def _person(roster: Roster, person: Person, rung: int | None) -> View:
    role = roster.role(rung) if rung else None
    return {
        "id": person.id,
        "name": person.name,
        "unit": _unit(roster, person),
        "role_zh": role.zh if role else "不在班",
        "rung": rung,
    }


def _unit(roster: Roster, person: Person) -> str:
    unit = roster.unit(person.unit)
    return unit.name if unit else person.unit


def roster(conn: Connection, house: House, now: datetime) -> View:
    """The ladder as it stands now, each rung's week, what was changed by hand, the last test of reach."""
    table = house.site.roster
    standing = table.keeping(handovers.staying(conn, now))
    tested = reach.last(conn) if table.reach_test else None
    return {
        "at": iso(now),
        "owner": [house.names.get(name, name) for name in table.owner],
        "ladder": [_rung(house, standing, rung, now) for rung in table.rungs()],
        "week": [_week(house, rung, now) for rung in table.rungs()],
        "absences": [
            {
                "name": _name(house, a.person),
                "from": iso(a.since),
                "to": iso(a.until),
                "reason": f"代班 {_name(house, a.substitute)}" if a.substitute else "没有代班人",
            }
            for a in table.absences
            if a.until > now
        ],
        "overrides": [
            {
                "rung": o.rung,
                "people": [_name(house, person) for person in o.people],
                "from": iso(o.since),
                "to": iso(o.until),
                "reason": o.reason,
            }
            for o in table.overrides
            if o.until > now
        ],
        "sensitive": [
            {"name": s.name, "rungs": list(s.rungs), "from": iso(s.since), "to": iso(s.until)}
            for s in table.sensitive
            if s.until > now
        ],
        "reach": _reach(house, tested),
    }


def _name(house: House, person_id: str) -> str:
    return house.names.get(person_id, person_id)


def role(house: House, rung: int) -> str:
    known = house.site.roster.role(rung)
    return known.zh if known else f"第 {rung} 级"


def _rung(house: House, table: Roster, rung: int, now: datetime) -> View:
    posts = table.posts(rung, now)
    return {"rung": rung, "role_zh": role(house, rung), "people": [_post(table, post) for post in posts]}


def _post(table: Roster, post: Post) -> View:
    person = post.person
    return {
        "id": person.id,
        "name": person.name,
        "unit": _unit(table, person),
        "channels": [contact.channel for contact in person.contacts],
        "note": post.note if person.contacts else "没有联系方式，提醒不到",
    }


def _week(house: House, rung: int, now: datetime) -> View:
    turns = house.site.roster.turns(rung, now, now + WEEK)
    return {"rung": rung, "role_zh": role(house, rung), "turns": [_turn(turn) for turn in turns]}


def _turn(turn: Turn) -> View:
    names = [person.name for person in turn.people]
    return {"from": iso(turn.since), "to": iso(turn.until), "people": names}


def _reach(house: House, tested: reach.Result | None) -> View:
    test = house.site.roster.reach_test
    return {
        "at": f"{test.at:%H:%M}" if test else None,
        "words": reach.in_words(tested) if test else "未启用",
        "people": tested["people"] if tested else [],
        "checked_at": tested["checked_at"] if tested else None,
    }


def handover(conn: Connection, house: House, now: datetime, limit: int = 10) -> View:
    """The last hand-overs, newest first; `waiting` are those that somebody has yet to accept."""
    waiting = {row.id for row in handovers.standing(conn, now - DAY)}
    shown = [_handover(house, row, row.id in waiting) for row in handovers.newest(conn, limit)]
    return {"at": iso(now), "handovers": shown, "waiting": [one["id"] for one in shown if one["waiting"]]}


def _handover(house: House, row: Row[Any], waiting: bool) -> View:
    return {
        "id": row.id,
        "rung": row.rung,
        "role_zh": role(house, row.rung),
        "at": iso(row.at),
        "from": [{"id": name, "name": _name(house, name)} for name in row.from_people],
        "to": [{"id": name, "name": _name(house, name)} for name in row.to_people],
        "summary": row.summary,
        "note": row.note,
        "accepted_at": iso(row.accepted_at) if row.accepted_at else None,
        "accepted_by": _name(house, row.accepted_by) if row.accepted_by else None,
        "waiting": waiting,
    }
