"""Clocks: plan one from a rule and the known times, tell its state, tell what is due.

A clock is data (law 1). Nothing in here waits or reads the time: each function takes `now`.
Legal shape: domain study 5.1 and 5.3; hours never pause (law 6), a start is kept (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from models.core.moment import clock_face, span
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StepRule:
    """One rung of time: exactly one of `fraction` (0 < f ≤ 1 of the clock), `before` (that long
    before due) and `after` (that long after the start) is given. `rung` is the ladder's rung.
    """

    rung: int
    fraction: float | None = None
    before: timedelta | None = None
    after: timedelta | None = None

    @property
    def key(self) -> str:
        """What the step is called, unique within its clock: 50%, -15m, 10m."""
        if self.fraction is not None:
            return f"{self.fraction:.0%}"
        if self.before is not None:
            return f"-{_short(self.before)}"
        return _short(self.after or timedelta(0))

    def due(self, started_at: datetime, due_at: datetime) -> datetime:
        if self.fraction is not None:
            return started_at + (due_at - started_at) * self.fraction
        if self.before is not None:
            return due_at - self.before
        return started_at + (self.after or timedelta(0))


def _short(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60}h" if minutes and minutes % 60 == 0 else f"{minutes}m"


@dataclass(frozen=True, slots=True)
class LateNotice:
    """贵州 (L-002): news that reached us more than `threshold` after the event gets
    `amount` from `start` instead of the ordinary limit."""

    threshold: timedelta
    start: StartEvent
    amount: timedelta


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a limit comes from: a document number, an article, a fact id of the study."""

    doc: str
    article: str = ""
    fact: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.doc, self.article, self.fact) if part)


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A limit as a playbook states it. `amount` runs in hours that never pause."""

    id: str
    name: str
    amount: timedelta
    start: StartEvent
    evidence: frozenset[EvidenceKind]
    steps: tuple[StepRule, ...]
    fallback: tuple[StartEvent, ...] = ()
    late_notice: LateNotice | None = None
    repeat: timedelta | None = HOUR
    repeat_rung: int = 4
    basis: tuple[Basis, ...] = ()
    statutory: bool = False


@dataclass(frozen=True, slots=True)
class PlannedStep:
    key: str
    due_at: datetime
    rung: int


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """A rule bound to one incident's times: when it started, why then, when it is due."""

    rule_id: str
    name: str
    start_event: StartEvent
    started_at: datetime
    due_at: datetime
    steps: tuple[PlannedStep, ...]
    repeat: timedelta | None
    repeat_rung: int
    evidence: frozenset[EvidenceKind]
    basis: tuple[Basis, ...]
    reason: str


Times = Mapping[StartEvent, datetime]


def plan(rule: ClockRule, times: Times) -> ClockPlan | None:
    """Bind `rule` to the times that are known; None while no start of its is known yet."""
    event, started_at, amount, why = _start(rule, times)
    if event is None or started_at is None:
        return None
    due_at = started_at + amount
    steps = sorted((PlannedStep(s.key, s.due(started_at, due_at), s.rung) for s in rule.steps), key=_when)
    return ClockPlan(
        rule_id=rule.id,
        name=rule.name,
        start_event=event,
        started_at=started_at,
        due_at=due_at,
        steps=tuple(steps),
        repeat=rule.repeat,
        repeat_rung=rule.repeat_rung,
        evidence=rule.evidence,
        basis=rule.basis,
        reason=f"自{event.zh} {clock_face(started_at)} 起 {span(amount.total_seconds())}{why}",
    )


def _when(step: PlannedStep) -> datetime:
    return step.due_at


def _start(rule: ClockRule, times: Times) -> tuple[StartEvent | None, datetime | None, timedelta, str]:
    late = rule.late_notice
    occurred, received = times.get(StartEvent.OCCURRENCE), times.get(StartEvent.RECEIPT)
    if late and occurred and received and received - occurred > late.threshold and late.start in times:
        why = f"(接报距发生已超过 {span(late.threshold.total_seconds())}，按迟报规则)"
        return late.start, times[late.start], late.amount, why
    for event in (rule.start, *rule.fallback):
        if event in times:
            why = "" if event is rule.start else f"({rule.start.zh}时间不明，按{event.zh}起算)"
            return event, times[event], rule.amount, why
    return None, None, rule.amount, ""


def steps(
    plan_steps: Iterable[PlannedStep], due_at: datetime, repeat: timedelta | None, rung: int
) -> Iterator[PlannedStep]:
    """Every step of a clock in time order: the fixed ones, then +1h, +2h … for ever."""
    fixed = sorted(plan_steps, key=_when)
    yield from fixed
    if repeat is None:
        return
    for n in count(1):
        yield PlannedStep(f"+{_short(repeat * n)}", due_at + repeat * n, rung)


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep finds at one clock: raise `latest`, note `skipped`, look again at `next_at`."""

    latest: PlannedStep
    skipped: tuple[PlannedStep, ...]
    next_at: datetime | None
    next_key: str | None


def due(sequence: Iterator[PlannedStep], after_key: str | None, now: datetime) -> Due | None:
    """The steps that have passed by `now` and come after `after_key` (None = from the first).

    Law 4: only the latest passed step is raised; earlier ones are recorded as skipped, with
    their times, never replayed. None when nothing has passed.
    """
    passed: list[PlannedStep] = []
    upcoming: PlannedStep | None = None
    seen = after_key is None
    for step in sequence:
        if not seen:
            seen = step.key == after_key
        elif step.due_at <= now:
            passed.append(step)
        else:
            upcoming = step
            break
    if not passed:
        return None
    return Due(
        latest=passed[-1],
        skipped=tuple(passed[:-1]),
        next_at=upcoming.due_at if upcoming else None,
        next_key=upcoming.key if upcoming else None,
    )


def state(started_at: datetime, due_at: datetime, now: datetime, any_raised: bool) -> ClockState:
    """The state of a clock that nobody has stopped."""
    if now >= due_at:
        return ClockState.BREACHED
    return ClockState.AT_RISK if any_raised else ClockState.RUNNING


def met(due_at: datetime, published_at: datetime) -> ClockState:
    """How a clock ends on evidence: by the platform's own time (law 8)."""
    return ClockState.MET if published_at <= due_at else ClockState.MET_LATE
