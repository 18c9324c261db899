"""What the law fixes a site can only tighten: the same clock, compared before and after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from models.core.clock import Amount, surely_within
from models.core.vocabulary import StartEvent
from models.core.workdays import WorkingDays
from playbooks.condition import ALWAYS, Condition, grid, samples
from playbooks.fields import amount_text
from playbooks.schema import ChainSource, ClockSource, LateNoticeSource, PlaybookSource

Loosening = tuple[str, str, str]
"""Which key of the clock, what is loosened (with the document's number), the way out."""

MAX_GRID = 50_000
TOO_WIDE = "条件用的变量太多，无法核对是否漏掉法定时限"
LATE = "不能自己增加或放宽迟报切换"
_EARLIEST_FIRST = tuple(StartEvent)[:6]
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
    if not surely_within(now.amount, law.amount):
        limit = amount_text(law.amount)
        message = (
            f"{what}只能缩短：规定 {limit}，这里 {amount_text(now.amount)}{_units(law.amount, now.amount)}"
        )
        yield "amount", message, f"写 {limit} 或更短"
    if not _as_early(law, now):
        hint = f"写 {{after: {law.start.after}}}" if isinstance(law.start, ChainSource) else f"写 {law.start}"
        yield "start", f"{what}的起算不能推后：规定 {law.start.zh}，这里 {now.start.zh}", hint
    lost = [start for start in _events(law) if start not in _events(now)]
    if lost:
        yield (
            "fallback",
            f"{what}少了后备起算：{'、'.join(start.zh for start in lost)}",
            "补上，否则时钟可能不启动",
        )
    if late := _delaying(law, now):
        order = ", ".join(law.fallback or _events(law))
        yield (
            "fallback",
            f"{what}的后备起算不能推后：{'、'.join(event.zh for event in late)} 排在了规定的之前",
            f"按规定的次序写 [{order}]，更晚的写在最后",
        )
    wider = [kind for kind in now.stop.evidence if kind not in law.stop.evidence]
    if wider:
        yield (
            "stop",
            f"{what}的止算凭据不能放宽：多了 {'、'.join(kind.zh for kind in wider)}",
            "去掉多出的凭据",
        )
    if now.stop.auto and not law.stop.auto:
        yield "stop", f"{what}须由人确认凭据，不能改为自动止算", "去掉 auto: true"
    if not now.statutory:
        yield "statutory", f"{what}不能改成非法定", "写 statutory: true"
    if _later(law.late_notice, now.late_notice):
        yield "late_notice", f"{what}{LATE}", "去掉 late_notice，或选用规定了它的内置参数集"
    yield from _applies(law, now, what)
    yield from _arms(law, now, what)


def _as_early(law: ClockSource, now: ClockSource) -> bool:
    """Does `now` start no later? A link of a chain, and what counts from a document, cannot be moved."""
    if isinstance(law.start, ChainSource) or isinstance(now.start, ChainSource):
        return now.start == law.start
    return now.start == law.start or _happens_earlier(now.start, law.start)


def _delaying(law: ClockSource, now: ClockSource) -> list[StartEvent]:
    """The starts that `now` would take where the law takes an earlier one; a late start itself is told apart."""
    asked = _events(now) if _as_early(law, now) else now.fallback
    return [event for event in asked if any(_before(event, kept, law, now) for kept in _events(law))]


def _before(event: StartEvent, kept: StartEvent, law: ClockSource, now: ClockSource) -> bool:
    """Does `event` stand before the law's own `kept`, neither as in the law nor since it happens earlier?"""
    given, fixed = _events(now), _events(law)
    if kept not in given or given.index(event) >= given.index(kept):
        return False
    if event in fixed and fixed.index(event) < fixed.index(kept):
        return False
    return not _happens_earlier(event, kept)


def _happens_earlier(event: StartEvent, other: StartEvent) -> bool:
    if event not in _EARLIEST_FIRST or other not in _EARLIEST_FIRST:
        return False
    return _EARLIEST_FIRST.index(event) < _EARLIEST_FIRST.index(other)


def _events(clock: ClockSource) -> tuple[StartEvent, ...]:
    own = () if isinstance(clock.start, ChainSource) else (clock.start,)
    return (*own, *clock.fallback)


def _units(law: Amount, now: Amount) -> str:
    """Why a limit in other units is refused."""
    if isinstance(now, WorkingDays) and not isinstance(law, WorkingDays):
        return "，小时不能换成工作日（节假日会把它拉长）"
    if isinstance(law, WorkingDays) and not isinstance(now, WorkingDays):
        return f"，换成小时最多 {law.count} 天"
    return ""


def _applies(law: ClockSource, now: ClockSource, what: str) -> Iterator[Loosening]:
    try:
        if narrower(_when(law.applies_when), _when(now.applies_when)):
            yield "applies_when", f"{what}的适用条件不能收窄", "恢复原来的条件"
    except TooWide:
        yield "applies_when", TOO_WIDE, "写简单些"


def _arms(law: ClockSource, now: ClockSource, what: str) -> Iterator[Loosening]:
    """Waiting instead of running is a loosening: only where the law's own rule waits too."""
    if now.pre_arm_when is None:
        return
    try:
        laxer = law.pre_arm_when is None or narrower(_when(now.pre_arm_when), _when(law.pre_arm_when))
    except TooWide:
        yield "pre_arm_when", TOO_WIDE, "写简单些"
        return
    if laxer:
        hint = "去掉 pre_arm_when" if law.pre_arm_when is None else f"至多写 {law.pre_arm_when}"
        yield "pre_arm_when", f"{what}不能自己增加或放宽预置", hint


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
    return uncovered(law, (now,))


@lru_cache(maxsize=512)
def uncovered(law: Condition, together: tuple[Condition, ...]) -> dict[str, str | bool | int] | None:
    """A situation in which `law` holds and none of `together` does; as `narrower` otherwise."""
    if law in together:
        return None
    names = law.variables().union(*(each.variables() for each in together))
    if grid(names) > MAX_GRID:
        raise TooWide
    return next(
        (
            values
            for values in samples(names)
            if law.true_of(values) and not any(each.true_of(values) for each in together)
        ),
        None,
    )


def dropped(law: ClockSource, variants: Iterable[ClockSource]) -> str | None:
    """Where none of `variants`, each no laxer than `law`, runs in its place: "event_grade=II"; None when
    together they run wherever it does. Raises TooWide as `narrower` does."""
    strict = [clock for clock in variants if all(key == "applies_when" for key, _, _ in loosened(law, clock))]
    before, now = _when(law.applies_when), tuple(_when(clock.applies_when) for clock in strict)
    missed = uncovered(before, now)
    names = before.variables().union(*(each.variables() for each in now))
    return None if missed is None else described(missed, names) or "任何情形下"


class TooWide(Exception):
    """Whether a condition is narrower cannot be tried out in reasonable time."""


def described(values: dict[str, str | bool | int], names: Iterable[str]) -> str:
    """event_grade=II, confirmed=false: the values that a finding turned on."""
    return ", ".join(
        f"{name}={str(values[name]).lower() if isinstance(values[name], bool) else values[name] or '未知'}"
        for name in sorted(names)
    )
