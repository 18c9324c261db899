"""Is a playbook sound? What the shape of a file cannot say: steps that never come, clocks that
nothing stops, limits without a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from models.core.clock import StepRule, least
from models.core.review import ORDERED
from models.core.vocabulary import StartEvent
from playbooks.condition import Condition, grid, samples
from playbooks.fields import amount_text, iso_duration
from playbooks.loader import Document, KeyPath
from playbooks.problem import Problem, did_you_mean, listed
from playbooks.schema import DEFAULT_STEPS, ChainSource, ClockSource, PlaybookSource, compile_, step_rule
from playbooks.variables import used

Finding = tuple[KeyPath, str, str]
"""Where within the clock, what is wrong, what to do."""
MINUTE = timedelta(minutes=1)
"""Steps are named by the minute (`StepRule.key`); two within one minute would have one name."""


def unsound(document: Document, playbook: PlaybookSource) -> list[Problem]:
    """Every problem of a playbook that was read from `document`."""
    found = [
        document.problem(("clocks", n, *path), message, hint)
        for n, clock in enumerate(playbook.clocks)
        for path, message, hint in clock_findings(clock)
    ]
    return [
        *found,
        *_doubled(document, playbook),
        *_chains(document, playbook),
        *_never(document, playbook),
        *_unused(document, playbook),
        *_ladders(document, playbook),
        *_reviews(document, playbook),
    ]


def clock_findings(clock: ClockSource) -> Iterator[Finding]:
    yield from _steps(clock)
    yield from _same_key(compile_(clock).steps)
    if clock.repeat is not None and clock.repeat % MINUTE:
        length = iso_duration(clock.repeat)
        yield ("repeat",), f"逾期后每隔 {length} 提醒：要写整分钟，至少一分钟", "例如 PT10M 或 PT1H"
    if not clock.stop.evidence:
        yield (
            ("stop",),
            f"时钟 “{clock.name}” 没有止算凭据，永远停不下来",
            "写 stop: {evidence: published_response}",
        )
    if not clock.steps:
        yield ("steps",), f"时钟 “{clock.name}” 没有步骤，谁也不会被提醒", "删掉 steps 用默认步骤"
    if StartEvent.LAST_UPDATE in clock.fallback or (clock.start is StartEvent.LAST_UPDATE and clock.fallback):
        yield (
            ("fallback",),
            "last_update（上次发布）不能与别的起算混用：没有发布过，就没有续报时钟",
            "去掉 fallback，首次发布另写一个时钟",
        )
    if isinstance(clock.start, ChainSource) and (clock.fallback or clock.late_notice):
        key = "fallback" if clock.fallback else "late_notice"
        yield (key,), "链式起算只认前一个时钟停止之时，不能再写别的起算", f"去掉 {key}"
    if StartEvent.AFTER in (clock.start, *clock.fallback):
        yield ("start",), "after 要写明是哪个时钟", "写 start: {after: 时钟标识}"
    if StartEvent.WORK in (clock.start, *clock.fallback):
        yield (
            ("start",),
            "work（办理环节）的时限由送审、认领、承诺自己设，预案里不能写",
            "换成 occurrence、receipt 等",
        )
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
    if clock.steps == DEFAULT_STEPS:
        return  # where the clock is too short they give way
    for n, step in enumerate(clock.steps):
        if step.before is not None and step.before >= least(clock.amount):
            length = iso_duration(step.before)
            yield (
                ("steps", n),
                f"这一步在起算之前就过了：到期前 {length}，时限只有 {amount_text(clock.amount)}",
                "改小 before",
            )
        if step.after is not None and step.after > least(clock.amount):
            length = iso_duration(step.after)
            yield (
                ("steps", n),
                f"这一步晚于到期：起算后 {length}，时限只有 {amount_text(clock.amount)}",
                "到期后的提醒用 repeat",
            )


def _same_key(steps: Iterable[StepRule]) -> Iterator[Finding]:
    """A step is stored under its key, once: two steps with one key would lose one of them."""
    seen: set[str] = set()
    for n, step in enumerate(steps):
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


# ---- chains ------------------------------------------------------------------------------------


def _chains(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    """A link must follow a clock of this playbook, and a chain must have a beginning."""
    links = {clock.id: clock.start.after for clock in playbook.clocks if isinstance(clock.start, ChainSource)}
    known = list(dict.fromkeys(clock.id for clock in playbook.clocks))
    for n, clock in enumerate(playbook.clocks):
        if not isinstance(clock.start, ChainSource):
            continue
        path, before = ("clocks", n, "start", "after"), clock.start.after
        if before not in known:
            hint = f"本预案有：{listed(known)}"
            yield document.problem(path, f"没有时钟 “{before}”{did_you_mean(before, known)}", hint)
        elif (circle := _circle(clock.id, links)) is not None:
            message = f"时钟互相等待，永远不会开始：{' → '.join(circle)}"
            yield document.problem(path, message, "让其中一个自某个事件起算，例如 start: receipt")


def _circle(first: str, links: Mapping[str, str]) -> list[str] | None:
    """The clocks that wait for one another, beginning and ending with `first`; None when they do not."""
    path = [first]
    while path[-1] in links:
        path.append(links[path[-1]])
        if path[-1] in path[:-1]:
            return path if path[-1] == first else None
    return None


# ---- conditions, variables, ladder, review --------------------------------------------------------

MAX_TRIALS = 20_000


def _never(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    """A clock, or a whole playbook, whose conditions never hold together. `when: false` is meant."""
    trigger = Condition(playbook.trigger.when)
    if trigger.text == "false" and not playbook.clocks:
        return
    if _impossible(trigger):
        yield document.problem(("trigger", "when"), "触发条件永远不成立", "核对 && 和 ||", warning=True)
        return
    for n, clock in enumerate(playbook.clocks):
        own = Condition(clock.applies_when) if clock.applies_when is not None else None
        if own is not None and _impossible(trigger, own):
            message = f"时钟 “{clock.name}” 永远不会启用：触发条件和适用条件不能同时成立"
            path = ("clocks", n, "applies_when")
            yield document.problem(path, message, "放宽其中一个，或去掉这个时钟", warning=True)


def _impossible(*conditions: Condition) -> bool:
    """Does no situation fulfil them all? Too many to try: no."""
    names = frozenset[str]().union(*(each.variables() for each in conditions))
    if grid(names) > MAX_TRIALS:
        return False
    return not any(all(each.true_of(values) for each in conditions) for values in samples(names))


def _unused(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    asked = used(document.data)
    for name in playbook.variables:
        if name not in asked:
            path = ("variables", name)
            yield document.problem(
                path, f"变量 “{name}” 没有用到", f"在时限或条件里写 ${name}", key=True, warning=True
            )


def _ladders(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, ladder in enumerate(playbook.ladder):
        twice = [grade for grade in ladder.grades if grade in seen]
        seen.update(ladder.grades)
        if twice:
            message = f"级别 {'、'.join(twice)} 前面已有阶梯"
            yield document.problem(("ladder", n, "grades"), message, "一个级别只写一次")
        if not ladder.grades or not ladder.steps:
            yield document.problem(
                ("ladder", n), "阶梯要写明级别和步骤", "例如 {grades: [I, II], steps: […]}"
            )
        elif not any(step.at == 1 for step in ladder.steps):
            message = "阶梯没有到期的一步，到期时谁也不会被提醒"
            yield document.problem(("ladder", n, "steps"), message, "加上 {at: 100%, rung: 4}")
        for path, text, hint in _same_key(step_rule(step) for step in ladder.steps):
            yield document.problem(("ladder", n, *path), text, hint)  # whichever clocks climb it


def _reviews(document: Document, playbook: PlaybookSource) -> Iterator[Problem]:
    review = playbook.review
    if review is None:
        return
    total = sum(step.share for step in review.steps)
    if not review.steps or total > 1.0001:
        message = "审核链没有一道审核" if not review.steps else f"各道审核占 {total:.0%}，超过剩余时间"
        yield document.problem(("review", "steps"), message, "各道 share 之和不超过 100%")
    if 0 < len(review.steps) < ORDERED:
        message = f"审核链只有 {len(review.steps)} 道，未经三审不得对外公布"
        hint = "写初审、审核、审发三道，各由不同的人；西政办发〔2016〕55号 通知四，S-050"
        yield document.problem(("review", "steps"), message, hint)
    for n, step in enumerate(review.steps):
        if step.by in [other.by for other in review.steps[:n]]:
            message = f"“{step.by}” 审了两道，三审须由不同的人"
            yield document.problem(("review", "steps", n, "by"), message, "换一个人或岗位")
