"""Is a playbook sound? What the shape of a file cannot say: steps that never come, clocks that
nothing stops, limits without a source."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.fields import iso_duration
from playbooks.loader import Document, KeyPath
from playbooks.problem import Problem
from playbooks.schema import ClockSource, PlaybookSource, compile_

Finding = tuple[KeyPath, str, str]
"""Where within the clock, what is wrong, what to do."""


def unsound(document: Document, playbook: PlaybookSource) -> list[Problem]:
    """Every problem of a playbook that was read from `document`."""
    found = [
        document.problem(("clocks", n, *path), message, hint)
        for n, clock in enumerate(playbook.clocks)
        for path, message, hint in clock_findings(clock)
    ]
    return [*found, *_doubled(document, playbook)]


def clock_findings(clock: ClockSource) -> Iterator[Finding]:
    yield from _steps(clock)
    yield from _same_key(clock)
    if not clock.stop.evidence:
        yield (
            ("stop",),
            f"时钟 “{clock.name}” 没有止算凭据，永远停不下来",
            "写 stop: {evidence: published_response}",
        )
    if not clock.steps:
        yield ("steps",), f"时钟 “{clock.name}” 没有步骤，谁也不会被提醒", "删掉 steps 用默认步骤"
    if clock.start in clock.fallback:
        yield ("fallback",), f"后备起算里又写了 “{clock.start}”", "去掉它"
    if clock.statutory and not clock.basis:
        yield ("statutory",), f"法定时钟 “{clock.name}” 没有依据", "写 basis: [{doc: 文号, article: 条款}]"
    if clock.statutory and clock.repeat is None:
        yield ("repeat",), f"法定时钟 “{clock.name}” 逾期后必须继续提醒", "写 repeat: PT1H"
    late = clock.late_notice
    if clock.statutory and late and not late.basis:
        yield ("late_notice",), f"法定时钟 “{clock.name}” 的迟报切换没有依据", "在 late_notice 里写 basis"


def _steps(clock: ClockSource) -> Iterator[Finding]:
    for n, step in enumerate(clock.steps):
        if step.before is not None and step.before >= clock.amount:
            length = iso_duration(step.before)
            yield (
                ("steps", n),
                f"这一步在起算之前就过了：到期前 {length}，时限只有 {iso_duration(clock.amount)}",
                "改小 before",
            )
        if step.after is not None and step.after > clock.amount:
            length = iso_duration(step.after)
            yield (
                ("steps", n),
                f"这一步晚于到期：起算后 {length}，时限只有 {iso_duration(clock.amount)}",
                "到期后的提醒用 repeat",
            )


def _same_key(clock: ClockSource) -> Iterator[Finding]:
    """A step is stored under its key, once: two steps with one key would lose one of them."""
    seen: set[str] = set()
    for n, step in enumerate(compile_(clock).steps):
        if step.key in seen:
            yield (
                ("steps", n),
                f"与前面的步骤重复（都叫 {step.key}）",
                "删掉一个，或把时刻错开至少一分钟（百分比错开 1%）",
            )
        seen.add(step.key)


def _doubled(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    """One id may stand for several clocks only when each has its own condition."""
    for n, clock in enumerate(playbook.clocks):
        earlier = [other for other in playbook.clocks[:n] if other.id == clock.id]
        if any(other.applies_when is None for other in earlier) or (earlier and clock.applies_when is None):
            hint = "换一个标识，或给每一个都写互不相交的 applies_when"
            yield document.problem(("clocks", n, "id"), f"时钟标识 “{clock.id}” 重复了", hint)
