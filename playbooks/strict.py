"""What the law fixes a site can only tighten: the same clock, compared before and after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from models.core.vocabulary import StartEvent
from playbooks.condition import ALWAYS, Condition, grid, samples
from playbooks.fields import iso_duration
from playbooks.schema import ClockSource, LateNoticeSource, PlaybookSource

Loosening = tuple[str, str, str]
"""Which key of the clock, what is loosened (with the document's number), the way out."""

MAX_GRID = 50_000
TOO_WIDE = "条件用的变量太多，无法核对是否漏掉法定时限"
LATE = "不能自己增加或放宽迟报切换"
_EARLIEST_FIRST = tuple(StartEvent)
"""The starts in the order in which they happen: a later one gives more time (study 5.1)."""


def statutory(playbook: PlaybookSource) -> dict[str, list[ClockSource]]:
    """The clocks that the law fixes, by id (one id may have several variants)."""
    fixed = sorted((clock for clock in playbook.clocks if clock.statutory), key=lambda clock: clock.id)
    return {id_: list(clocks) for id_, clocks in groupby(fixed, key=lambda clock: clock.id)}


def cited(clock: ClockSource) -> str:
    return "、".join(dict.fromkeys(basis.doc for basis in clock.basis)) or "未写依据"


def loosened(law: ClockSource, now: ClockSource) -> Iterator[Loosening]:
    """Each way in which `now` is laxer than `law`."""
    what = f"法定时限 “{law.name}”（{cited(law)}）"
    if now.amount > law.amount:
        limit = iso_duration(law.amount)
        yield "amount", f"{what}只能缩短：规定 {limit}，这里 {iso_duration(now.amount)}", f"写 {limit} 或更短"
    if _EARLIEST_FIRST.index(now.start) > _EARLIEST_FIRST.index(law.start):
        yield "start", f"{what}的起算不能推后：规定 {law.start.zh}，这里 {now.start.zh}", f"写 {law.start}"
    lost = [start for start in (law.start, *law.fallback) if start not in (now.start, *now.fallback)]
    if lost:
        yield (
            "fallback",
            f"{what}少了后备起算：{'、'.join(start.zh for start in lost)}",
            "补上，否则时钟可能不启动",
        )
    wider = [kind for kind in now.stop.evidence if kind not in law.stop.evidence]
    if wider:
        yield (
            "stop",
            f"{what}的止算凭据不能放宽：多了 {'、'.join(kind.zh for kind in wider)}",
            "去掉多出的凭据",
        )
    if not now.statutory:
        yield "statutory", f"{what}不能改成非法定", "写 statutory: true"
    if _later(law.late_notice, now.late_notice):
        yield "late_notice", f"{what}{LATE}", "去掉 late_notice，或选用规定了它的内置参数集"
    yield from _applies(law, now, what)


def _applies(law: ClockSource, now: ClockSource, what: str) -> Iterator[Loosening]:
    try:
        if narrower(_when(law.applies_when), _when(now.applies_when)):
            yield "applies_when", f"{what}的适用条件不能收窄", "恢复原来的条件"
    except TooWide:
        yield "applies_when", TOO_WIDE, "写简单些"


def _later(law: LateNoticeSource | None, now: LateNoticeSource | None) -> bool:
    """Does `now` switch to a later limit more readily than `law` does?"""
    if now is None:
        return False
    if law is None:
        return True
    order = _EARLIEST_FIRST.index
    return now.threshold < law.threshold or now.amount > law.amount or order(now.start) > order(law.start)


def _when(text: str | None) -> Condition:
    return Condition(text) if text is not None else ALWAYS


def narrower(law: Condition, now: Condition) -> dict[str, str | bool | int] | None:
    """A situation in which `law` holds and `now` does not, or None when there is none.

    Raises TooWide when the conditions name too many variables to try all their values.
    """
    if law == now:
        return None
    names = law.variables() | now.variables()
    if grid(names) > MAX_GRID:
        raise TooWide
    return next(
        (values for values in samples(names) if law.true_of(values) and not now.true_of(values)), None
    )


class TooWide(Exception):
    """Whether a condition is narrower cannot be tried out in reasonable time."""


def described(values: dict[str, str | bool | int], names: Iterable[str]) -> str:
    """event_grade=II, confirmed=false: the values that a finding turned on."""
    return ", ".join(
        f"{name}={str(values[name]).lower() if isinstance(values[name], bool) else values[name] or '未知'}"
        for name in sorted(names)
    )
