"""Why a clock is late, in words: what the rows say of it, and nothing that they do not say. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.core.moment import clock_face, span

A_GOOD_PART = 0.5
"""Of a limit that had already run when its incident was opened: then the start is part of the reason."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a clock that has passed its limit. `planned_at`: when we first knew of it;
    `acked_at`: the first acknowledgement; `taken` and `dead`: its alerts that a channel took, and did not."""

    started_at: datetime
    due_at: datetime
    planned_at: datetime
    acked_at: datetime | None = None
    holder: str = ""
    taken: int = 0
    dead: int = 0
    skipped: int = 0
    asks_ack: bool = False
    """Nothing but an acknowledgement stops it."""


def why_late(course: Course) -> list[str]:
    """The reasons, the weightiest first; never empty."""
    found = [*_begun_late(course), *_untold(course), *_untaken(course)]
    return found or [_unproven(course)]


def _begun_late(course: Course) -> Iterator[str]:
    limit = course.due_at - course.started_at
    gone = course.planned_at - course.started_at
    if course.planned_at >= course.due_at:
        yield f"开始得晚：起算后 {span(gone.total_seconds())}才立案，那时已过时限"
    elif limit > timedelta(0) and gone >= limit * A_GOOD_PART:
        yield f"开始得晚：起算后 {span(gone.total_seconds())}才立案，时限已过去 {gone / limit:.0%}"


def _untold(course: Course) -> Iterator[str]:
    if course.dead and not course.taken:
        yield f"提醒送不出去：{course.dead} 条都没有送达"
    elif course.dead:
        yield f"有 {course.dead} 条提醒没有送达"
    if course.skipped:
        yield f"系统停过：越过了 {course.skipped} 次提醒"


def _untaken(course: Course) -> Iterator[str]:
    if course.acked_at is None:
        yield "没有人签收"
    elif course.acked_at > course.due_at:
        yield f"签收得晚：{clock_face(course.acked_at)} 才签收，已过时限"


def _unproven(course: Course) -> str:
    who = course.holder or "有人"
    return f"{who}已签收，还没有办完" if course.asks_ack else f"{who}已签收，还没有登记凭据"
