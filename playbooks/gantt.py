"""A rehearsal as a picture: clocks as bars from start to limit, steps as marks, people as lanes.

Nights (22:00–06:00) are shaded, days off named. No mark for "now": it is a plan, not a watch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from models.core.clock import said
from models.core.moment import CST, clock_face, deadline_face, local
from models.core.workdays import Calendar
from playbooks import drawing
from playbooks.holidays import day_names
from playbooks.simulate import DONE, Happening, Line, Rehearsal, Span

LEFT, WIDE, RIGHT, TOP = 236.0, 1240.0, 20.0, 112.0
ROW, LANE = 46.0, 26.0
NIGHT, LAW, PROPOSAL, OFF = "#e8ebf2", "#2b5c9e", "#7aa0cf", "#8a6100"
DUSK, DAWN, DAY = time(22), time(6), timedelta(days=1)
RUNGS = ("#2b5c9e", "#6a4fb0", "#b0591e", "#b3261e")
"""Ink of a telling by its rung, each with the rung's number beside it."""
NAMES = 14
"""Characters of a name that the left column holds."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Time from left to right."""

    since: datetime
    until: datetime

    def x(self, at: datetime) -> float:
        share = (at - self.since) / max(self.until - self.since, timedelta(minutes=1))
        return LEFT + min(1.0, max(0.0, share)) * (WIDE - LEFT - RIGHT)

    @property
    def hours(self) -> float:
        return (self.until - self.since) / timedelta(hours=1)


def special_days(rehearsal: Rehearsal, calendar: Calendar) -> dict[date, str]:
    """The holidays and shifted working days around a rehearsal, by name."""
    first = local(rehearsal.scene.opens).date() - timedelta(days=3)
    return day_names(first, local(rehearsal.scene.until).date(), calendar)


def gantt(rehearsal: Rehearsal, names: Mapping[date, str], title: str = "推演") -> str:
    """The whole SVG. `names`: the days to be named, for example a holiday → 国庆节."""
    axis = _axis(rehearsal)
    people = _people(rehearsal.lines)
    lanes = TOP + ROW * len(rehearsal.spans) + 18
    bottom = lanes + LANE * len(people)
    marks = [
        *_ground(axis, names, bottom),
        *_heading(rehearsal, title),
        *_happenings(axis, rehearsal.happenings, bottom),
        *(mark for n, span in enumerate(rehearsal.spans) for mark in _clock(axis, n, span, rehearsal)),
        *(
            mark
            for n, person in enumerate(people)
            for mark in _lane(axis, lanes + LANE * n, person, rehearsal)
        ),
        *_silent(rehearsal.silent, bottom + 30),
    ]
    height = bottom + 44 + 18 * len(rehearsal.silent)
    return drawing.sheet(WIDE, height, title, marks)


def _axis(rehearsal: Rehearsal) -> Axis:
    starts = [span.plan.started_at for span in rehearsal.spans]
    opens = rehearsal.scene.opens
    since = max(min([*starts, opens]), opens - timedelta(days=2))
    return Axis(since, rehearsal.scene.until)


# ── the ground ────────────────────────────────────────────────────────────────────────────────


def _ground(axis: Axis, names: Mapping[date, str], bottom: float) -> Iterator[str]:
    for day in _days(axis):
        yield from _night(axis, day, bottom)
    for day in _days(axis):
        yield from _day(axis, day, names.get(day.date(), ""), bottom)
    yield from _hours(axis, bottom)


def _days(axis: Axis) -> list[datetime]:
    first = datetime.combine(local(axis.since).date(), time(), CST)
    return [first + DAY * n for n in range((axis.until - first).days + 1)]


def _night(axis: Axis, day: datetime, bottom: float) -> Iterator[str]:
    """From midnight to dawn, and from dusk to midnight."""
    for begins, ends in ((day, _at(day, DAWN)), (_at(day, DUSK), day + DAY)):
        left, right = axis.x(begins), axis.x(ends)
        if right > left:
            yield drawing.area(left, TOP - 14, right - left, bottom - TOP + 14, NIGHT)


def _at(day: datetime, clock: time) -> datetime:
    return day.replace(hour=clock.hour)


def _day(axis: Axis, day: datetime, name: str, bottom: float) -> Iterator[str]:
    begins, ends = max(day, axis.since), min(day + DAY, axis.until)
    if day > axis.since:
        yield drawing.upright(axis.x(day), TOP - 50, bottom, stroke=drawing.PALE)
    if axis.x(ends) - axis.x(begins) > 64:
        words = f"{day:%m-%d} 周{'一二三四五六日'[day.weekday()]}"
        yield drawing.text(axis.x(begins) + 5, TOP - 42, words, size=12, bold=True)
        if name:
            yield drawing.text(axis.x(begins) + 84, TOP - 42, name, size=12, fill=OFF)


def _hours(axis: Axis, bottom: float) -> Iterator[str]:
    every = next((step for step in (1, 2, 3, 6, 12, 24, 72, 168) if axis.hours / step <= 16), 336)
    mark = local(axis.since).replace(minute=0, second=0, microsecond=0)
    mark -= timedelta(hours=mark.hour % every if every <= 24 else 0)
    while mark <= axis.until:
        if mark >= axis.since:
            yield drawing.upright(axis.x(mark), TOP - 14, bottom)
            yield drawing.text(
                axis.x(mark), bottom + 14, f"{mark:%H:%M}", size=10, fill=drawing.PALE, anchor="middle"
            )
        mark += timedelta(hours=every)


def _heading(rehearsal: Rehearsal, title: str) -> Iterator[str]:
    scene = rehearsal.scene
    yield drawing.text(20, 26, title, size=17, bold=True)
    grade = scene.situation.grade
    yield drawing.text(
        20,
        46,
        f"{grade.value} 级（{grade.zh}） {clock_face(scene.opens)} 起推演，什么也不发送。"
        "深色条=法定，浅色条=建议，红色=逾期；圆点=提醒，数字=到第几级；灰底=夜间(22–6 时)",
        size=12,
        fill=drawing.PALE,
    )


def _happenings(axis: Axis, happened: Sequence[Happening], bottom: float) -> Iterator[str]:
    """Uprights with their words, those that stand close on three heights."""
    ends = [0.0, 0.0, 0.0]
    for each in (one for one in happened if one.person is None):
        x, words = axis.x(each.at), f"{clock_face(each.at)[6:]} {each.words}"
        level = next((n for n, end in enumerate(ends) if end <= x), 0)
        ends[level] = x + 12 * len(words)
        yield drawing.upright(x, TOP - 10, bottom, stroke=drawing.INK, dashed=True)
        yield drawing.text(x + 4, TOP - 3 - 11 * level, words, size=11)


# ── clocks ────────────────────────────────────────────────────────────────────────────────────


def _clock(axis: Axis, number: int, span: Span, rehearsal: Rehearsal) -> Iterator[str]:
    y = TOP + ROW * number + 6
    yield drawing.level(y - 4, 20, WIDE - RIGHT)
    yield drawing.text(20, y + 13, span.name[:NAMES], bold=True)
    kind = "法定" if span.statutory else "建议"
    yield drawing.text(
        20, y + 29, f"{said(span.rule.amount)} · {kind} · {_how(span)}"[:26], size=11, fill=drawing.PALE
    )
    yield from _bars(axis, y + 6, span)
    lines = (line for line in rehearsal.lines if line.clock == span.clock)
    yield from _steps(axis, y + 12, (line for line in lines if _within(line, span)))


def _within(line: Line, span: Span) -> bool:
    return span.created_at <= line.at and (span.ended_at is None or line.at < span.ended_at)


def _how(span: Span) -> str:
    return f"{span.state.zh} {clock_face(span.ended_at)[6:]}" if span.ended_at else span.state.zh


def _bars(axis: Axis, y: float, span: Span) -> Iterator[str]:
    due_at, end = span.plan.due_at, span.ended_at or axis.until
    left, right = axis.x(span.plan.started_at), axis.x(due_at)
    basis = "；".join(map(str, span.rule.basis)) or "无文号"
    reason = f"{span.name}：{span.plan.reason}，至 {deadline_face(due_at)}；{basis}"
    ink = drawing.PALE if span.plan.armed else LAW if span.statutory else PROPOSAL
    yield drawing.bar(left, y, right - left, 12, ink, reason, 0.3)
    if not span.plan.armed:
        yield drawing.bar(left, y, axis.x(min(end, due_at)) - left, 12, ink, reason, 0.9)
    if end > due_at and due_at < axis.until:
        late = f"逾期 {clock_face(due_at)} 至 {clock_face(min(end, axis.until))}"
        yield drawing.bar(right, y + 3, axis.x(end) - right, 6, drawing.BAD, late)
    if due_at <= axis.until:
        near = right > WIDE - RIGHT - 40
        yield drawing.upright(right, y - 4, y + 16, stroke=drawing.INK)
        yield drawing.text(
            right - 3 if near else right + 3,
            y + 27,
            deadline_face(due_at)[6:],
            size=10,
            anchor="end" if near else "start",
        )
    if span.state in DONE and span.ended_at is not None:
        yield drawing.text(axis.x(span.ended_at) + 3, y - 1, "✓", size=13, fill=drawing.GOOD, bold=True)


def _steps(axis: Axis, y: float, lines: Iterable[Line]) -> Iterator[str]:
    """Dots, and under each that has room the rung that it speaks to."""
    free = 0.0
    for line in lines:
        x = axis.x(line.at)
        yield drawing.dot(x, y, drawing.INK, f"{clock_face(line.at)} {line.step} → {_whom(line)}", 3.5)
        if not line.step.startswith("+") and x >= free:
            yield drawing.text(x, y + 21, str(line.rung), size=9, fill=drawing.PALE, anchor="middle")
            free = x + 9


def _whom(line: Line) -> str:
    return "、".join(told.name for told in line.told) or "无人可达"


# ── people ────────────────────────────────────────────────────────────────────────────────────


def _people(lines: Iterable[Line]) -> list[tuple[str, str, int]]:
    """Everybody who is told, from the lowest rung up: id, name, rung."""
    found: dict[str, tuple[str, str, int]] = {}
    for line in lines:
        for told in line.told:
            found.setdefault(told.person, (told.person, told.name, told.rung))
    return sorted(found.values(), key=lambda each: each[2])


def _lane(axis: Axis, y: float, who: tuple[str, str, int], rehearsal: Rehearsal) -> Iterator[str]:
    person, name, rung = who
    ink = RUNGS[min(rung, len(RUNGS)) - 1]
    yield drawing.level(y + LANE - 4, 20, WIDE - RIGHT)
    yield drawing.text(20, y + 14, f"{rung} {name[:NAMES]}")
    for at, steps in _tellings(rehearsal.lines, person):
        yield drawing.dot(axis.x(at), y + 10, ink, f"{clock_face(at)} 通知 {name}：{'；'.join(steps)}")
    for each in rehearsal.happenings:
        if each.person == person:
            yield drawing.text(
                axis.x(each.at), y + 15, "✓", size=15, fill=drawing.GOOD, anchor="middle", bold=True
            )


def _tellings(lines: Iterable[Line], person: str) -> list[tuple[datetime, list[str]]]:
    found: dict[datetime, list[str]] = {}
    for line in lines:
        if any(told.person == person for told in line.told):
            found.setdefault(line.at, []).append(f"{line.clock_name} {line.step}")
    return list(found.items())


def _silent(words: Sequence[str], y: float) -> Iterator[str]:
    for n, why in enumerate(words):
        yield drawing.text(20, y + 18 * n, f"不提醒：{why}", size=12, fill=drawing.PALE)
