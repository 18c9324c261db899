"""Who is told of a due step, and why: due step × roster × who has acknowledged → tellings.

Rules, each from the domain study 4.3 and law 5:
* a step tells its own rung; the rungs below are told again only while nobody of theirs has
  acknowledged (an acknowledgement stops repeats to people, never the clock);
* a rung that nobody fills, or whose people no message reaches, passes to the next one at once;
* when no rung answers, the roster's owner and every 主要领导 are told;
* the hourly steps of a breached clock always reach the highest rung's people again unless
  they acknowledged within `ack_valid`;
* a snooze keeps away less than an acknowledgement: only what is told again before the deadline;
* a person who calls a higher rung by hand (升级) tells that rung alone, whoever of it acknowledged too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.core.roster import Person, Roster

ACK_VALID = timedelta(hours=2)
"""How long an acknowledgement keeps repeats away from the person who gave it (a proposal)."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One person to tell, on which rung, with the reason in words."""

    person: Person
    rung: int
    reason: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """Whom a step tells; `quiet` lists who is spared and why; `unfilled` the empty rungs."""

    tellings: tuple[Telling, ...]
    quiet: tuple[str, ...] = ()
    unfilled: tuple[int, ...] = ()


def escalate(
    rung: int,
    roster: Roster,
    acks: Mapping[str, datetime],
    now: datetime,
    *,
    repeat: bool = False,
    ack_valid: timedelta = ACK_VALID,
    snoozed: Collection[str] = (),
    unreached: Collection[str] = (),
) -> Escalation:
    """Tell `rung` and every unacknowledged person below it.

    `acks` maps person id → last ack; `snoozed` holds those who asked to be reminded later and whose
    wish counts for this step; `unreached` those whom messages about this incident did not reach.
    """
    filled, unfilled = _filled(rung, roster, now, unreached)
    if filled is None:
        return Escalation(_last_resort(roster, now, unreached), (), tuple(unfilled))
    tellings: dict[str, Telling] = {}
    quiet: list[str] = []
    for level in range(filled, 0, -1):
        for person in roster.on_duty(level, now):
            fresh = _fresh(acks.get(person.id), now, ack_valid)
            if fresh and (level < filled or repeat):
                quiet.append(f"{person.name} 已签收，不重复提醒")
            elif person.id in snoozed and level < filled:
                quiet.append(f"{person.name} 已选择稍后提醒")
            elif person.id not in tellings:
                tellings[person.id] = Telling(person, level, _why(level, filled, rung, roster, unfilled))
    return Escalation(tuple(tellings.values()), tuple(quiet), tuple(unfilled))


def summoned(
    rung: int, roster: Roster, now: datetime, *, by: str, unreached: Collection[str] = ()
) -> Escalation:
    """Whom `by` calls by hand: the people of `rung`, acknowledged or not, else of the next that answers.

    Those below are left alone: they know. With no rung left but that of `by`, the last resort is told.
    """
    filled, unfilled = _filled(rung, roster, now, {*unreached, by})
    if filled is None:
        told = [one for one in _last_resort(roster, now, unreached) if one.person.id != by]
        return Escalation(tuple(told), (), tuple(unfilled))
    called = _without(roster.on_duty(filled, now), {by})
    why = _why(filled, filled, rung, roster, unfilled)
    return Escalation(tuple(Telling(person, filled, why) for person in called), (), tuple(unfilled))


def next_reachable(
    roster: Roster, rung: int, now: datetime, excluding: Collection[str]
) -> tuple[Person, ...]:
    """Whom to tell instead when a message to `rung` reached nobody: the next rung above with somebody
    else on it, then the rung's other people, then below, then the last resort. () = nobody is left."""
    order = (*range(rung + 1, roster.top() + 1), *range(min(rung, roster.top()), 0, -1))
    candidates: Iterator[tuple[Person, ...]] = (roster.on_duty(level, now) for level in order)
    left = (_without(people, excluding) for people in (*candidates, roster.last_resort()))
    return next((people for people in left if people), ())


def _without(people: Iterable[Person], excluding: Collection[str]) -> tuple[Person, ...]:
    return tuple(person for person in people if person.id not in excluding)


def _fresh(ack: datetime | None, now: datetime, valid: timedelta) -> bool:
    return ack is not None and now - ack < valid


def _filled(
    rung: int, roster: Roster, now: datetime, unreached: Collection[str]
) -> tuple[int | None, list[int]]:
    """The rung that answers: the wanted one, else the next above, else the next below."""
    top = roster.top()
    wanted = min(rung, top)
    unfilled: list[int] = []
    for level in _order(wanted, top):
        if _without(roster.on_duty(level, now), unreached):
            return level, unfilled
        unfilled.append(level)
    return None, unfilled


def _order(wanted: int, top: int) -> Iterable[int]:
    yield from range(wanted, top + 1)
    yield from range(wanted - 1, 0, -1)


def _last_resort(roster: Roster, now: datetime, unreached: Collection[str]) -> tuple[Telling, ...]:
    """The owner and the 主要领导; and whom messages did not reach before is tried once more."""
    again = [p for rung in roster.rungs() for p in roster.on_duty(rung, now) if p.id in unreached]
    people = {person.id: person for person in (*roster.last_resort(), *again)}
    why = "值班阶梯此刻无人可达，转告值班表负责人和主要领导"
    return tuple(Telling(person, roster.top(), why) for person in people.values())


def _why(level: int, filled: int, wanted: int, roster: Roster, unfilled: list[int]) -> str:
    name = roster.called(level)
    if level < filled:
        return f"{name}尚未签收，再次提醒"
    empty = "、".join(str(r) for r in unfilled)
    passed = f"(第 {empty} 级无人可达，转由本级)" if unfilled else ""
    return f"本步骤由{name}负责{passed}"
