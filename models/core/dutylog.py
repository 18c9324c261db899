"""值班日志: how a day falls into shifts, and who may sign what. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from models.core.moment import clock_face, local
from models.core.roster import Person, Roster, Turn

DAY: Final = timedelta(days=1)
FIRST: Final = 1
"""The rung whose turns make the shifts of a log."""
SIGNS_FROM: Final = 2
"""The rung from which a person signs the log of those below (a proposal: 带班 signs, not the one who wrote it)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of the first rung, and who stood on each rung when it began."""

    since: datetime
    until: datetime
    people: tuple[Person, ...]
    ladder: tuple[tuple[int, tuple[Person, ...]], ...]

    @property
    def id(self) -> str:
        return name_of(self.since)


def name_of(since: datetime) -> str:
    """20261121T200000: safe in an address."""
    return f"{local(since):%Y%m%dT%H%M%S}"


def midnight(moment: datetime) -> datetime:
    """The beginning of the day."""
    return local(moment).replace(hour=0, minute=0, second=0, microsecond=0)


def shifts(roster: Roster, day: datetime) -> list[Shift]:
    """The shifts of a day: those that begin in it, whole; of people who stay longer than a day that day alone.

    So a night shift belongs to the evening on which it began, and no hour stands in two days.
    """
    first = midnight(day)
    turns = roster.turns(FIRST, first - DAY, first + 2 * DAY)
    cut = (_of_day(turn, first) for turn in turns)
    return [_shift(roster, since, until) for since, until in filter(None, cut)]


def _of_day(turn: Turn, first: datetime) -> tuple[datetime, datetime] | None:
    if turn.until - turn.since > DAY:
        since, until = max(turn.since, first), min(turn.until, first + DAY)
        return (since, until) if since < until else None
    return (turn.since, turn.until) if first <= turn.since < first + DAY else None


def _shift(roster: Roster, since: datetime, until: datetime) -> Shift:
    ladder = tuple((rung, roster.on_duty(rung, since)) for rung in roster.rungs())
    return Shift(since, until, roster.everybody(FIRST, since, until), ladder)


def why_not_signed(
    by: str, name: str, rung: int, shift: Shift, now: datetime, signed_by: str | None
) -> str | None:
    """Why this person may not sign this shift's log now, in words with the way out; None when they may."""
    if signed_by is not None:
        return f"这一班的日志已由 {signed_by} 签字；有要补的请写“记事”，会标明是签后补记"
    if now < shift.until:
        return f"这一班 {clock_face(shift.until)} 才结束；交班以后再签字"
    if by in {person.id for person in shift.people}:
        return f"{name} 是这一班的值班员，不能签自己的日志；请带班的人签字"
    if rung < SIGNS_FROM:
        return f"值班日志由带班的人签字（值班表第 {SIGNS_FROM} 级以上），{name} 不在其中；请转给带班领导"
    return None
