"""联络测试: each afternoon everybody who is on duty tonight is written to over each contact; whoever
none of them reaches is named to the roster's owner while there is still time to find a substitute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flows.wiring import House
from models.core.escalate import next_reachable
from models.core.moment import clock_face, iso, local, parse_iso, span
from models.core.roster import DAY, Person, ReachTest, Roster, Turn, each_once
from models.ledger import duties, notices, reaching
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row

KEY = "reach"
WAIT = timedelta(minutes=20)
WAIT_REAL = timedelta(seconds=10)
"""The same in real time, for demonstrations that run a day in a minute."""
UNTIL_HOUR = 22
"""A test that was missed is made up for until then; nobody is tested in the night."""
OVERDUE = timedelta(hours=30)

Result = dict[str, Any]


def reach(house: House) -> str:
    """Ask, or read the answers, when it is time; the result in words."""
    now, test = house.time.now(), house.site.roster.reach_test
    _lapse(house, now)
    if test is None:
        return "联络测试未启用"
    with house.store.read() as conn:
        kept = duties.get_setting(conn, KEY)
    if kept is not None and kept["checked_at"] is None:
        wait = max(WAIT, WAIT_REAL * house.time.speed)
        return _check(house, kept, now) if parse_iso(kept["at"]) + wait <= now else "联络测试等待答复"
    return _ask(house, test, now) if _is_due(test, kept, now) else in_words(kept)


def _lapse(house: House, now: datetime) -> None:
    """Tests that people sent themselves and no channel took are not tried in the night."""
    with house.store.write() as conn:
        reaching.lapse(conn, now)


def _is_due(test: ReachTest, kept: Result | None, now: datetime) -> bool:
    here = local(now)
    time_of_day = test.at <= here.time() and here.hour < UNTIL_HOUR
    return time_of_day and (kept is None or kept["day"] != f"{here:%Y-%m-%d}")


def tonight(house: House, test: ReachTest, now: datetime) -> dict[str, tuple[int, Person]]:
    """person id → the lowest rung and the person, for all who are on duty within a day."""
    roster = house.site.roster
    return {
        person.id: (rung, person)
        for rung in sorted(roster.rungs(), reverse=True)
        if rung <= test.rungs
        for person in roster.everybody(rung, now, now + DAY)
    }


def _ask(house: House, test: ReachTest, now: datetime) -> str:
    """The messages and the note that they are out, in one transaction."""
    day, people = f"{local(now):%Y-%m-%d}", tonight(house, test, now)
    with house.store.write() as conn:
        asked = [notice for _, person in people.values() for notice in reaching.ask(day, person)]
        notices.tell(conn, now, asked)
        rungs = {person: rung for person, (rung, _) in people.items()}
        note: Result = {"day": day, "at": iso(now), "rungs": rungs, "checked_at": None, "people": []}
        duties.put_setting(conn, KEY, note)
    return f"联络测试已发给 {len(people)} 人"


def _check(house: House, kept: Result, now: datetime) -> str:
    with house.store.write() as conn:
        answers = reaching.asked(conn, kept["day"])
        found = [_found(house, name, rung, answers.get(name, [])) for name, rung in kept["rungs"].items()]
        note = kept | {"checked_at": iso(now), "people": found}
        notices.tell(conn, now, [*_missing(house, note, now), *_holes(house, note, now)])
        reaching.withdraw(conn, now, [row for rows in answers.values() for row in rows])
        duties.put_setting(conn, KEY, note)
    return in_words(note)


def _found(house: House, name: str, rung: int, rows: list[Row[Any]]) -> Result:
    """Which of a person's contacts took the message, and why the others did not."""
    silent = [row for row in rows if row.accepted_at is None]
    why = [f"{row.contacts[0][0]}: {row.last_error or '没有答复'}" for row in silent]
    return {
        "person": name,
        "name": house.names.get(name, name),
        "rung": rung,
        "ok": len(silent) < len(rows),
        "why": "；".join(why) if rows else "没有联系方式",
    }


def _missing(house: House, note: Result, now: datetime) -> list[Notice]:
    roster = house.site.roster
    lost = [one for one in note["people"] if not one["ok"]]
    names = {one["person"] for one in lost}
    return [
        Notice(
            "reach-failed",
            f"{note['day']} {one['person']}",
            f"今晚值班 {one['name']} 联系不上",
            f"第 {one['rung']} 级，{one['why']}；请补联系方式或安排代班",
            each_once([*roster.owners(now), *next_reachable(roster, one["rung"], now, names)]),
        )
        for one in lost
    ]


def _holes(house: House, note: Result, now: datetime) -> list[Notice]:
    """Hours before the next test in which a rung has nobody at all."""
    roster, test = house.site.roster, house.site.roster.reach_test or ReachTest()
    empty = [found for rung in roster.rungs() if rung <= test.rungs for found in _empty(roster, rung, now)]
    return [
        Notice(
            "reach-hole",
            f"{note['day']} {rung} {turn.since:%H%M}",
            f"今晚第 {rung} 级无人可达",
            f"{clock_face(turn.since)} 至 {clock_face(turn.until)} 没有人能收到提醒；请在 roster.yaml 安排代班或调班",
            roster.owners(now),
        )
        for rung, turn in empty
    ]


# ── on the board ──────────────────────────────────────────────────────────────────────────────


def last(conn: Connection) -> Result | None:
    """The last test: day, at, checked_at (None: not read yet), people [{person, name, rung, ok, why}]."""
    return duties.get_setting(conn, KEY)


def in_words(kept: Result | None) -> str:
    if kept is None:
        return "联络测试尚未做过"
    if kept["checked_at"] is None:
        return f"联络测试 {clock_face(parse_iso(kept['at']))} 已发，等待答复"
    lost = [f"{one['name']}({one['why']})" for one in kept["people"] if not one["ok"]]
    partly = [f"{one['name']}({one['why']})" for one in kept["people"] if one["ok"] and one["why"]]
    count = len(kept["people"])
    said = f"联络测试 {clock_face(parse_iso(kept['at']))} {count - len(lost)}/{count} 人可达"
    said += f"，联系不上: {'、'.join(lost)}" if lost else ""
    return said + (f"，部分不通: {'、'.join(partly)}" if partly else "")


def hole_ahead(roster: Roster, now: datetime) -> str | None:
    """The first hours of the coming day in which a rung would reach nobody, in words."""
    ahead = (turn for rung in roster.rungs() for turn in _empty(roster, rung, now))
    first = min(ahead, key=lambda found: found[1].since, default=None)
    if first is None:
        return None
    rung, turn = first
    role = roster.role(rung)
    return f"{role.zh if role else rung} {clock_face(turn.since)} 至 {clock_face(turn.until)} 无人可达"


def _empty(roster: Roster, rung: int, now: datetime) -> list[tuple[int, Turn]]:
    return [(rung, turn) for turn in roster.turns(rung, now, now + DAY) if not turn.people]


def trouble(kept: Result | None, test: ReachTest | None, now: datetime) -> str | None:
    """What is wrong with tonight's reach, for the board; None when nothing is known to be."""
    if test is None or kept is None:
        return None
    if any(not one["ok"] for one in kept["people"]):
        return in_words(kept)
    silent = now - parse_iso(kept["at"])
    return f"联络测试已 {span(silent.total_seconds())}没有做" if silent > OVERDUE else None


def good_at(kept: Result | None) -> datetime | None:
    """When everybody of the night was last known to be within reach."""
    if kept is None or kept["checked_at"] is None or any(not one["ok"] for one in kept["people"]):
        return None
    return parse_iso(kept["checked_at"])
