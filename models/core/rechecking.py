"""Does what we published still stand? When to look again, and what a look means. Pure.

An hour, six hours and a day after it was taken, then daily for thirty days (a proposal). What would take
a proof away must be seen twice, ten minutes apart: pages flicker. What could not be seen takes nothing away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from models.core.pagetext import READABLE, compare
from models.core.vocabulary import PageState

AFTER: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
DAILY: Final = timedelta(days=1)
WATCHED: Final = timedelta(days=30)
CONFIRM: Final = timedelta(minutes=10)
RETRY: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Course:
    """How far the looking has come. `round`: looks that were settled; `doubt`: gone or changed, seen once
    at `doubted_at`; `told`: hash of the text that people were told of last."""

    round: int = 0
    doubt: PageState | None = None
    doubted_at: datetime | None = None
    told: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look means. `due_at` None: it is not looked at any more."""

    state: PageState
    note: str
    course: Course
    due_at: datetime | None
    retract: bool = False
    tell: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at `at`; `why` where there was nothing to read."""

    state: PageState
    at: datetime
    text: str = ""
    text_sha256: str | None = None
    why: str = ""


def judge(look: Look, first: str | None, began: datetime, course: Course) -> Finding:
    """`first`: the main text when it was taken, None while it never was; `began`: when that was."""
    if look.state is PageState.UNSEEN:
        return _unseen(look, course)
    if look.state is PageState.GONE:
        return _doubted(look, course, look.why)
    if first is None:
        return _settled(look, began, course, PageState.TAKEN, "")
    if len(first) < READABLE:
        return _settled(look, began, course, PageState.SAME, "页面几乎没有文字，只核对是否还在")
    if len(look.text) < READABLE:
        return _unseen(replace(look, why="页面此刻没有可读的文字"), course)
    return _compared(look, first, began, course)


def _compared(look: Look, first: str, began: datetime, course: Course) -> Finding:
    found = compare(first, look.text)
    if found.same:
        return _settled(look, began, course, PageState.SAME, "")
    if found.rewritten:
        return _doubted(replace(look, state=PageState.CHANGED), course, str(found))
    news = look.text_sha256 != course.told
    made = _settled(look, began, replace(course, told=look.text_sha256), PageState.EDITED, str(found))
    return replace(made, tell=news)


def _unseen(look: Look, course: Course) -> Finding:
    wait = CONFIRM if course.doubt else RETRY
    return Finding(PageState.UNSEEN, look.why, course, look.at + wait)


def _doubted(look: Look, course: Course, note: str) -> Finding:
    """The first sight of it asks for a second; the second takes the proof away."""
    since = course.doubted_at if course.doubt is look.state and course.doubted_at else look.at
    if look.at - since >= CONFIRM:
        return Finding(
            look.state, note, replace(course, doubt=None, doubted_at=None), None, retract=True, tell=True
        )
    doubted = replace(course, doubt=look.state, doubted_at=since)
    return Finding(look.state, f"{note}；十分钟后再看一次", doubted, since + CONFIRM)


def _settled(look: Look, began: datetime, course: Course, state: PageState, note: str) -> Finding:
    done = replace(course, round=course.round + 1, doubt=None, doubted_at=None)
    return Finding(state, note, done, _next(began, course.round, look.at))


def _next(began: datetime, settled: int, now: datetime) -> datetime | None:
    """The next moment of the rhythm after `settled` looks; None when thirty days are over."""
    wished = began + AFTER[settled] if settled < len(AFTER) else now + DAILY
    due = wished if wished > now else now + min(DAILY, AFTER[0])
    return due if due <= began + WATCHED else None
