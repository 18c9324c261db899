"""The pictures inside reports, as SVG by our own strokes: how loud it was, how angry, which limits were kept.

Pure. Every mark has its word beside it, so that a print in grey says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from models.core.moment import clock_face, deadline_face, local, parse_iso
from models.core.vocabulary import ClockState
from playbooks import drawing

WIDE, LEFT, RIGHT = 620.0, 46.0, 14.0
TOP, TALL = 36.0, 150.0
MOST_BARS = 96
BLUE, RED = "#2b5c9e", drawing.BAD
Hours = Sequence[tuple[datetime, int, int]]


def heat(hours: Hours) -> str:
    """Signals of each hour (of each day when it is long): all in blue, the negative ones of them in red."""
    bars, by_day = _bars(hours)
    most = max((count for _, count, _ in bars), default=1)
    marks = [*_frame(most), *_legend(), *(mark for n in range(len(bars)) for mark in _bar(bars, n, most))]
    marks += _feet([at for at, _, _ in bars], by_day)
    return drawing.sheet(WIDE, TOP + TALL + 34, "热度", marks)


def mood(hours: Hours) -> str:
    """The negative share of each hour (day) as a line; stretches in which nobody spoke are bridged by dashes."""
    bars, by_day = _bars(hours)
    said = [(n, bad / count) for n, (_, count, bad) in enumerate(bars) if count]
    points = [(_x(n, len(bars)), TOP + TALL * (1 - share)) for n, share in said]
    marks = [*_frame(100, "%"), drawing.text(LEFT, 16, "负面占比", size=11, fill=drawing.PALE)]
    for (one, (x1, y1)), (two, (x2, y2)) in pairwise(zip([n for n, _ in said], points, strict=True)):
        marks.append(_stroke(x1, y1, x2, y2, dashed=two - one > 1))
    marks += [
        drawing.dot(x, y, RED, f"{share:.0%}", 2.6) for (x, y), (_, share) in zip(points, said, strict=True)
    ]
    marks += _feet([at for at, _, _ in bars], by_day)
    return drawing.sheet(WIDE, TOP + TALL + 34, "负面占比", marks)


def clocks(shown: Sequence[dict[str, object]], now: datetime) -> str:
    """Each clock from start to limit, with what became of it: ✓ where it stopped, red beyond the limit."""
    rows = [_Row(clock, now) for clock in shown]
    since = min((row.start for row in rows), default=now)
    axis = _Axis(since, _until(rows, since, now))
    marks = [mark for n, row in enumerate(rows) for mark in _clock(axis, n, row)]
    bottom = TOP + 34.0 * len(rows)
    return drawing.sheet(WIDE, bottom + 28, "时限", [*_hours(axis, bottom), *marks])


def _until(rows: Sequence[_Row], since: datetime, now: datetime) -> datetime:
    """Far enough for every limit and end, but half as long again at most: weeks late would hide the hours."""
    last = max((row.due for row in rows), default=now)
    return min(max((max(row.due, row.end) for row in rows), default=now), last + (last - since) / 2)


def columns(counts: Sequence[tuple[str, int]], title: str) -> str:
    """A few counts side by side, each with its number: incidents of the months."""
    most = max((count for _, count in counts), default=1)
    room = (WIDE - LEFT - RIGHT) / max(1, len(counts))
    marks = list(_frame(most))
    for n, (name, count) in enumerate(counts):
        x, tall = LEFT + room * n + room * 0.2, TALL * count / max(1, most)
        marks.append(drawing.bar(x, TOP + TALL - tall, room * 0.6, tall, BLUE))
        middle = x + room * 0.3
        marks.append(drawing.text(middle, TOP + TALL - tall - 5, str(count), size=12, anchor="middle"))
        marks.append(drawing.text(middle, TOP + TALL + 16, name, size=11, fill=drawing.PALE, anchor="middle"))
    return drawing.sheet(WIDE, TOP + TALL + 30, title, marks)


# ── bars over time ────────────────────────────────────────────────────────────────────────────


def _bars(hours: Hours) -> tuple[list[tuple[datetime, int, int]], bool]:
    """Every hour from the first to the last, also the silent ones; days when there are too many hours."""
    if not hours:
        return [], False
    first, last = local(hours[0][0]), local(hours[-1][0])
    by_day = (last - first) / timedelta(hours=1) > MOST_BARS
    step = timedelta(days=1) if by_day else timedelta(hours=1)
    at, found = first.replace(hour=0) if by_day else first, []
    while at <= last:
        inside = [(count, bad) for hour, count, bad in hours if at <= hour < at + step]
        found.append((at, sum(count for count, _ in inside), sum(bad for _, bad in inside)))
        at += step
    return found, by_day


def _x(number: int, bars: int) -> float:
    return LEFT + (number + 0.5) * (WIDE - LEFT - RIGHT) / max(1, bars)


def _bar(bars: Sequence[tuple[datetime, int, int]], number: int, most: int) -> Iterator[str]:
    _, count, bad = bars[number]
    wide = max(1.0, min(30.0, (WIDE - LEFT - RIGHT) / len(bars) * 0.72))
    for height, ink in ((count, BLUE), (bad, RED)):
        if height:
            tall = TALL * height / most
            x = _x(number, len(bars)) - wide / 2
            yield drawing.area(x, TOP + TALL - tall, wide, tall, ink)
    if count == most:
        x = _x(number, len(bars))
        yield drawing.text(x, TOP + TALL - TALL * count / most - 4, str(count), size=11, anchor="middle")


def _frame(most: int, unit: str = "") -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = TOP + TALL * (1 - share)
        yield drawing.level(y, LEFT, WIDE - RIGHT)
        if share * most == int(share * most):
            words = f"{int(share * most)}{unit}"
            yield drawing.text(LEFT - 6, y + 4, words, size=10, fill=drawing.PALE, anchor="end")


def _legend() -> Iterator[str]:
    for x, ink, words in ((LEFT, BLUE, "全部线索"), (LEFT + 86, RED, "其中负面")):
        yield drawing.area(x, 8, 10, 10, ink)
        yield drawing.text(x + 15, 17, words, size=11, fill=drawing.PALE)


def _feet(moments: Sequence[datetime], by_day: bool) -> Iterator[str]:
    """At most eight times under the bars."""
    every = max(1, -(-len(moments) // 8))
    for n in range(0, len(moments), every):
        face = f"{local(moments[n]):%m-%d}" if by_day else clock_face(moments[n])
        x = min(max(_x(n, len(moments)), LEFT + 26), WIDE - RIGHT - 26)
        yield drawing.text(x, TOP + TALL + 16, face, size=10, fill=drawing.PALE, anchor="middle")


def _stroke(x1: float, y1: float, x2: float, y2: float, *, dashed: bool) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{RED}" stroke-width="1.6"{dash}/>'


# ── limits ────────────────────────────────────────────────────────────────────────────────────


class _Row:
    """One clock of the picture."""

    def __init__(self, clock: dict[str, object], now: datetime) -> None:
        self.name = str(clock["name"])
        self.state = ClockState(str(clock["state"]))
        self.word = str(clock["state_zh"])
        self.start, self.due = parse_iso(str(clock["started_at"])), parse_iso(str(clock["due_at"]))
        ended = clock.get("ended_at")
        self.end = parse_iso(str(ended)) if ended else min(now, max(self.due, now))
        self.done = self.state in (ClockState.MET, ClockState.MET_LATE)


class _Axis:
    """Time from left to right, beside a column of names."""

    names = 132.0

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.until = since, max(until, since + timedelta(minutes=30))

    def x(self, at: datetime) -> float:
        share = (at - self.since) / (self.until - self.since)
        return self.names + min(1.0, max(0.0, share)) * (WIDE - self.names - RIGHT - 6)


def _clock(axis: _Axis, number: int, row: _Row) -> Iterator[str]:
    y = TOP + 34.0 * number
    yield drawing.text(4, y + 13, row.name[:10], size=12)
    yield drawing.text(4, y + 27, row.word, size=10, fill=RED if _late(row) else drawing.PALE)
    left, due, end = axis.x(row.start), axis.x(row.due), axis.x(row.end)
    yield drawing.bar(left, y + 6, due - left, 11, BLUE, opacity=0.25)
    if row.end > row.start:
        yield drawing.bar(left, y + 6, min(due, end) - left, 11, BLUE, opacity=0.85)
    if row.end > row.due:
        yield drawing.bar(due, y + 9, end - due, 5, RED)
    yield drawing.upright(due, y + 3, y + 20, stroke=drawing.INK)
    words, near = f"限 {deadline_face(row.due)[6:]}", due > WIDE - RIGHT - 60
    edge = "end" if near else "start"
    yield drawing.text(due - 2 if near else due + 2, y + 29, words, size=9, fill=drawing.PALE, anchor=edge)
    if row.done:
        yield drawing.text(end, y + 15, "✓", size=13, fill=drawing.GOOD, anchor="middle", bold=True)


def _late(row: _Row) -> bool:
    return row.state in (ClockState.BREACHED, ClockState.MET_LATE)


def _hours(axis: _Axis, bottom: float) -> Iterator[str]:
    length = (axis.until - axis.since) / timedelta(hours=1)
    every = next((step for step in (1, 2, 3, 6, 12, 24, 72, 168, 720) if length / step <= 8), 2160)
    mark = local(axis.since).replace(minute=0, second=0, microsecond=0)
    mark -= timedelta(hours=mark.hour % min(every, 24))
    while mark <= axis.until:
        if mark >= axis.since:
            x = axis.x(mark)
            yield drawing.upright(x, TOP - 4, bottom)
            face = clock_face(mark) if every < 24 else clock_face(mark)[:5]
            yield drawing.text(
                min(x, WIDE - RIGHT - 24), TOP - 10, face, size=9, fill=drawing.PALE, anchor="middle"
            )
        mark += timedelta(hours=every)
