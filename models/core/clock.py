"""Clocks: plan one from a rule and the known times, tell its state, tell what is due.

A clock is data (law 1). Nothing in here waits or reads the time: each function takes `now`.
Legal shape: domain study 5.1 and 5.3; hours never pause (law 6), a start is kept (law 7). Only a limit
in working days asks a calendar (`workdays`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import count

from models.core.moment import clock_face, deadline_face, span
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent
from models.core.workdays import Calendar, WorkingDays, days_off, deadline, share

HOUR = timedelta(hours=1)
APART = timedelta(minutes=5)
"""A step that gives way does so to one that is nearer than this: nobody is told twice at once."""

Amount = timedelta | WorkingDays
"""How long a limit is: hours that never pause, or working days."""


def said(amount: Amount) -> str:
    """For people: 5 小时, 20 个工作日."""
    return amount.zh if isinstance(amount, WorkingDays) else span(amount.total_seconds())


def least(amount: Amount) -> timedelta:
    """The shortest that it can last: n working days never end before n times 24 hours."""
    return timedelta(days=amount.count) if isinstance(amount, WorkingDays) else amount


def surely_within(amount: Amount, limit: Amount) -> bool:
    """Does `amount` end no later than `limit` whenever it starts? Hours may stand for working days when
    they are as few as those can last; working days never for hours, since days off prolong them."""
    if isinstance(amount, WorkingDays):
        return isinstance(limit, WorkingDays) and amount <= limit
    return amount <= least(limit)


@dataclass(frozen=True, slots=True)
class StepRule:
    """One rung of time: exactly one of `fraction` (0 < f ≤ 1 of the clock), `before` (that long
    before due) and `after` (that long after the start) is given. `rung` is the ladder's rung.
    A step that `yields` is left out where the clock is too short for it (`_kept`).
    """

    rung: int
    fraction: float | None = None
    before: timedelta | None = None
    after: timedelta | None = None
    yields: bool = False

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
    """A limit as a playbook states it. `armed`: nobody talks of it yet, so its clock waits (S-041);
    `auto`: a publication that surely answers may stop it before a person has looked. `after`: it starts
    when the clock of that id is stopped, and at nothing else (study 2.2)."""

    id: str
    name: str
    amount: Amount
    start: StartEvent
    evidence: frozenset[EvidenceKind]
    steps: tuple[StepRule, ...]
    fallback: tuple[StartEvent, ...] = ()
    late_notice: LateNotice | None = None
    repeat: timedelta | None = HOUR
    repeat_rung: int = 4
    basis: tuple[Basis, ...] = ()
    statutory: bool = False
    armed: bool = False
    auto: bool = False
    after: str = ""


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
    armed: bool = False


Times = Mapping[StartEvent, datetime]
Ends = Mapping[str, datetime]
"""When each clock that was met was met, by its rule's id: what the next link of a chain counts from."""


NO_CALENDAR: Calendar = {}
NO_ENDS: Ends = {}


def plan(
    rule: ClockRule, times: Times, calendar: Calendar = NO_CALENDAR, ends: Ends = NO_ENDS
) -> ClockPlan | None:
    """Bind `rule` to the times that are known; None while no start of its is known yet.

    Raises NoCalendar when a limit in working days reaches into a year that `calendar` does not hold.
    """
    event, started_at, amount, why = _start(rule, times, ends)
    if event is None or started_at is None:
        return None
    due_at = _due(started_at, amount, calendar)
    length = _in_words(started_at, amount, due_at, calendar)
    return ClockPlan(
        rule_id=rule.id,
        name=rule.name,
        start_event=event,
        started_at=started_at,
        due_at=due_at,
        steps=_steps(rule.steps, started_at, amount, due_at, calendar),
        repeat=rule.repeat,
        repeat_rung=rule.repeat_rung,
        evidence=rule.evidence,
        basis=rule.basis,
        reason=f"自{event.zh} {clock_face(started_at)} 起 {length}{why}",
        armed=rule.armed,
    )


def _due(started_at: datetime, amount: Amount, calendar: Calendar) -> datetime:
    if isinstance(amount, WorkingDays):
        return deadline(started_at, amount, calendar)
    return started_at + amount


def _in_words(started_at: datetime, amount: Amount, due_at: datetime, calendar: Calendar) -> str:
    """5 小时; 5 个工作日(当日不计，其间休 2 天，至 11-27 24:00)."""
    if not isinstance(amount, WorkingDays):
        return said(amount)
    off = days_off(started_at, due_at, calendar)
    return f"{amount.zh}(当日不计，其间休 {off} 天，至 {deadline_face(due_at)})"


def _steps(
    rules: Iterable[StepRule], started_at: datetime, amount: Amount, due_at: datetime, calendar: Calendar
) -> tuple[PlannedStep, ...]:
    """The steps at their times, in order; of two at one moment the higher rung comes last and speaks."""
    placed = [(rule, _placed(rule, started_at, amount, due_at, calendar)) for rule in rules]
    placed = [(rule, step) for rule, step in placed if rule.before is None or step.due_at > started_at]
    firm = [step for rule, step in placed if not rule.yields]
    kept = [step for rule, step in placed if not rule.yields or _kept(step, firm)]
    return tuple(sorted(kept, key=lambda step: (step.due_at, step.rung)))


def _placed(
    rule: StepRule, started_at: datetime, amount: Amount, due_at: datetime, calendar: Calendar
) -> PlannedStep:
    due_at = rule.due(started_at, due_at)
    if rule.fraction is not None and isinstance(amount, WorkingDays):
        due_at = share(started_at, amount, rule.fraction, calendar)
    return PlannedStep(rule.key, due_at, rule.rung)


def _kept(step: PlannedStep, firm: Iterable[PlannedStep]) -> bool:
    """A step that yields stays when no other is close to it and the ladder is still climbed upwards."""
    return not any(
        abs(other.due_at - step.due_at) < APART or (other.due_at > step.due_at and other.rung < step.rung)
        for other in firm
    )


def _when(step: PlannedStep) -> datetime:
    return step.due_at


def _start(
    rule: ClockRule, times: Times, ends: Ends
) -> tuple[StartEvent | None, datetime | None, Amount, str]:
    if rule.after:
        return StartEvent.AFTER, ends.get(rule.after), rule.amount, ""
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
    """Every step of a clock in time order: the fixed ones, and after the limit +1h, +2h … for ever.

    A fixed step may lie beyond the limit (`after`), between two repeats. A key comes once, since a step is
    raised once: of two with one name, as plans of earlier releases may hold, the later stays.
    """
    fixed = sorted({step.key: step for step in sorted(plan_steps, key=_when)}.values(), key=_when)
    return iter(fixed) if repeat is None else merge(fixed, _repeats(due_at, repeat, rung), key=_when)


def _repeats(due_at: datetime, repeat: timedelta, rung: int) -> Iterator[PlannedStep]:
    """Every so often, and not twice in a minute: that would be one name for two steps."""
    before = ""
    for n in count(1):
        name = _short(repeat * n)
        if name != before:
            yield PlannedStep(f"+{name}", due_at + repeat * n, rung)
        before = name


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
            if step.due_at > now and not seen:
                break  # a key that this sequence does not know: never look for it for ever
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
