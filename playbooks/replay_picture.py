"""The replay as a picture: one line an event, bars where its answers lie, limits as uprights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.core.hindsight import HOUR, Took, Verdict
from playbooks import drawing
from playbooks.replay import Found, Replayed

LEFT, TOP, ROW, WIDE, HOURS = 250.0, 70.0, 30.0, 1240.0, 52.0
COLUMN = 70.0
COLOURS = {
    Verdict.MET: drawing.GOOD,
    Verdict.MISSED: drawing.BAD,
    Verdict.UNCLEAR: drawing.DOUBT,
    Verdict.UNKNOWN: drawing.PALE,
}


def picture(replayed: Sequence[Replayed]) -> str:
    """The whole SVG. Raises nothing: an empty list is an empty chart."""
    bottom = TOP + ROW * len(replayed) + 10
    marks = [*_frame(replayed, bottom), *(mark for n, each in enumerate(replayed) for mark in _row(n, each))]
    return drawing.sheet(WIDE, bottom + 40, "历史事件对照时限", marks)


def _right(replayed: Sequence[Replayed]) -> float:
    return WIDE - COLUMN * (len(replayed[0].found) if replayed else 0) - 20


def _x(hours: float, right: float) -> float:
    return LEFT + min(hours, HOURS) / HOURS * (right - LEFT)


def _frame(replayed: Sequence[Replayed], bottom: float) -> Iterator[str]:
    right = _right(replayed)
    yield drawing.text(20, 28, "历史事件对照时限", size=18, bold=True)
    yield drawing.text(
        20,
        48,
        "上条=首次发布，下条=新闻发布会；条的两端是来源所载的最早与最晚，浅色表示一端不详",
        fill=drawing.PALE,
    )
    for found in replayed[0].found if replayed else ():
        x = _x(found.limit / HOUR, right)
        yield drawing.upright(x, TOP - 8, bottom, stroke=drawing.PALE, dashed=True)
        yield drawing.text(x, bottom + 18, f"{found.limit / HOUR:g} 小时", size=12, anchor="middle")
    for n, found in enumerate(replayed[0].found if replayed else ()):
        yield drawing.text(
            right + COLUMN * (n + 0.6), TOP - 12, f"{found.limit / HOUR:g} h", anchor="middle", bold=True
        )


def _row(number: int, each: Replayed) -> Iterator[str]:
    y, right = TOP + ROW * number, _right([each])
    yield drawing.level(y, 20, WIDE - 20)
    yield drawing.text(20, y + 19, f"{each.id} {each.name}"[:20])
    first, conference = each.found[0], each.found[1]
    for found, offset in ((first, 6.0), (conference, 17.0)):
        yield from _span(found, y + offset, right)
        yield from _beyond(found, y + offset, right)
    for n, found in enumerate(each.found):
        x = right + COLUMN * (n + 0.6)
        yield drawing.text(
            x,
            y + 19,
            found.verdict.zh,
            fill=COLOURS[found.verdict],
            anchor="middle",
            bold=found.verdict is Verdict.MISSED,
        )


def _span(found: Found, y: float, right: float) -> Iterator[str]:
    length = found.took
    if length.most is None:
        return
    left = _x(length.least or 0.0, right)
    open_side = length.least in (None, 0.0)
    yield drawing.bar(
        left,
        y,
        _x(length.most, right) - left,
        8,
        COLOURS[found.verdict],
        f"{found.name}: {hours(length)}",
        0.45 if open_side else 1,
    )


def _beyond(found: Found, y: float, right: float) -> Iterator[str]:
    """A bar that runs off the chart says how far."""
    if found.took.most is not None and found.took.most > HOURS:
        yield drawing.text(right - 4, y + 7, f"→ {found.took.most:.0f} h", size=10, fill="#fff", anchor="end")


def hours(length: Took) -> str:
    """18.0–23.5 h; ≤4.8 h where only the upper bound is known; 不详."""
    if length.most is None:
        return "不详"
    if not length.least:
        return f"≤{length.most:.1f} h"
    if f"{length.least:.1f}" == f"{length.most:.1f}":
        return f"{length.most:.1f} h"
    return f"{length.least:.1f}–{length.most:.1f} h"
