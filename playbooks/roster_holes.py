"""Holes in the roster: hours without a shift, spans that cross, substitutes in a circle, and the hours
of the coming week in which nobody would be reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from models.core.moment import clock_face
from models.core.roster import DAY, NEXT, Roster, Turn
from playbooks.loader import Document, KeyPath
from playbooks.problem import Problem
from playbooks.roster_paper import AbsenceSource, OverrideSource, RosterSource, RungSource, SensitiveSource

SHORTEST = timedelta(minutes=15)
LATEST_TEST = 22
"""The hour by which the test of reach must have begun: later there is no time left to find a substitute."""
AHEAD = 7 * DAY
MOST = 3
MINUTES = 24 * 60


def holes(document: Document, roster: RosterSource) -> Iterator[Problem]:
    """What can be said without knowing the day."""
    for n, rung in enumerate(roster.ladder):
        yield from _short_turns(document, n, rung)
        yield from _shifts(document, n, rung)
    yield from _overrides(document, roster)
    yield from _sensitive(document, roster)
    yield from _circles(document, roster.absences)
    test = roster.reach_test
    if test is not None and test.at.hour >= LATEST_TEST:
        hint = f"最晚 {LATEST_TEST}:00 以前，例如 16:00"
        yield document.problem(("reach_test", "at"), "联络测试太晚，来不及安排代班", hint)


def _short_turns(document: Document, n: int, rung: RungSource) -> Iterator[Problem]:
    turns: list[tuple[KeyPath, timedelta | None]] = [
        (("ladder", n, "rotation", "every"), rung.rotation.every if rung.rotation else None),
        *(
            (("ladder", n, "shifts", m, "rotation", "every"), s.rotation.every if s.rotation else None)
            for m, s in enumerate(rung.shifts)
        ),
    ]
    for path, every in turns:
        if every is not None and every < SHORTEST:
            yield document.problem(path, "每班不足 15 分钟", "每班多久，例如 PT12H 或 P1D")


def _shifts(document: Document, n: int, rung: RungSource) -> Iterator[Problem]:
    """A shift without people; hours of the day without a shift, where nothing else fills the rung."""
    for m, shift in enumerate(rung.shifts):
        if not shift.on_duty and shift.rotation is None:
            path = ("ladder", n, "shifts", m)
            yield document.problem(path, "这一班没有人", "写 on_duty: [人员标识] 或 rotation")
    if rung.shifts and not rung.on_duty and rung.rotation is None:
        for begin, end in _uncovered(rung):
            message = f"第 {rung.rung} 级每天 {_hm(begin)}–{_hm(end)} 没有班次，无人值班"
            yield document.problem(("ladder", n, "shifts"), message, "补一班，或把前后两班接上", key=True)


def _uncovered(rung: RungSource) -> list[tuple[int, int]]:
    """Minutes of the day that no shift holds, as (from, until) in minutes after midnight."""
    free = [True] * MINUTES
    for shift in rung.shifts:
        begin, end = (clock.hour * 60 + clock.minute for clock in (shift.begins, shift.ends))
        for minute in range(begin, begin + ((end - begin) % MINUTES or MINUTES)):
            free[minute % MINUTES] = False
    edges = [m for m in range(MINUTES) if free[m] and (m == 0 or not free[m - 1])]
    return [(m, next((e for e in range(m, MINUTES) if not free[e]), MINUTES)) for m in edges]


def _hm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _overrides(document: Document, roster: RosterSource) -> Iterator[Problem]:
    rungs = {rung.rung for rung in roster.ladder}
    for n, override in enumerate(roster.overrides):
        yield from _backwards(document, ("overrides", n), override)
        if override.rung not in rungs:
            message, hint = f"值班阶梯没有第 {override.rung} 级", "写 ladder 中有的级"
            yield document.problem(("overrides", n, "rung"), message, hint)
        crossed = next(
            (e for e in roster.overrides[:n] if e.rung == override.rung and _cross(e, override)), None
        )
        if crossed is not None:
            message = f"与 {clock_face(crossed.since)} 起的调班重叠，说不清谁值班"
            hint = "错开时间，或合成一条并写全 people"
            yield document.problem(("overrides", n), message, hint)


def _cross(a: OverrideSource, b: OverrideSource) -> bool:
    return a.since < b.until and b.since < a.until


def _backwards(
    document: Document, path: KeyPath, span: OverrideSource | SensitiveSource
) -> Iterator[Problem]:
    if span.until <= span.since:
        yield document.problem((*path, "until"), "结束早于开始", "对调 since 和 until")


def _sensitive(document: Document, roster: RosterSource) -> Iterator[Problem]:
    for n, period in enumerate(roster.sensitive):
        yield from _backwards(document, ("sensitive", n), period)
        for m, rung in enumerate(period.rungs):
            steps = [step for step in roster.ladder if step.rung == rung]
            if not steps:
                message = f"值班阶梯没有第 {rung} 级"
                yield document.problem(("sensitive", n, "rungs", m), message, "写 ladder 中有的级")
            elif NEXT in period.extra and not any(_takes_turns(step) for step in steps):
                message = f"第 {rung} 级没有两人以上的轮班，next 找不到下一个人"
                yield document.problem(("sensitive", n, "rungs", m), message, "写 extra: [人员标识]")


def _takes_turns(step: RungSource) -> bool:
    rotations = [step.rotation, *(shift.rotation for shift in step.shifts)]
    return any(rotation is not None and len(set(rotation.people)) > 1 for rotation in rotations)


def _circles(document: Document, absences: tuple[AbsenceSource, ...]) -> Iterator[Problem]:
    """Substitutes that lead back to somebody who is away at the same time."""
    for n, absence in enumerate(absences):
        chain = _chain(absence, absences)
        if chain[-1] == absence.person and len(chain) > 2:
            message = f"代班绕成一圈：{' → '.join(chain)}，这段时间无人顶替"
            yield document.problem(("absences", n, "substitute"), message, "换一个在岗的代班人")


def _chain(first: AbsenceSource, absences: tuple[AbsenceSource, ...]) -> list[str]:
    chain, here = [first.person], first
    while here.substitute is not None and here.substitute not in chain:
        chain.append(here.substitute)
        away = [a for a in absences if a.person == here.substitute]
        meets = [a for a in away if a.since < first.until and first.since < a.until]
        if not meets:
            return chain
        here = meets[0]
    return [*chain, here.substitute] if here.substitute is not None else chain


def unwatched(document: Document, source: RosterSource, roster: Roster, now: datetime) -> Iterator[Problem]:
    """The spans of the coming week in which a rung would reach nobody."""
    for rung in roster.rungs():
        empty = [turn for turn in roster.turns(rung, now, now + AHEAD) if not turn.people]
        place = next(n for n, step in enumerate(source.ladder) if step.rung == rung)
        for turn in empty[:MOST]:
            hint = "安排代班(absences.substitute)、调班(overrides)，或补 contacts"
            message = f"第 {rung} 级 {_span(turn)} 无人可达，提醒会转给其他级"
            yield document.problem(("ladder", place), message, hint, warning=True)
        if len(empty) > MOST:
            message = f"第 {rung} 级未来一周还有 {len(empty) - MOST} 段时间无人可达"
            yield document.problem(("ladder", place), message, "huiying roster 列出全部", warning=True)


def _span(turn: Turn) -> str:
    return f"{clock_face(turn.since)} 至 {clock_face(turn.until)}"
