"""Who would be told what, when, over which channel: a rehearsal on paper that sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from models.core.clock import ClockPlan, ClockRule, PlannedStep, Times, plan, steps
from models.core.escalate import ACK_VALID, escalate
from models.core.roster import Roster
from models.core.vocabulary import EvidenceKind


@dataclass(frozen=True, slots=True)
class Told:
    """One person as a step would reach them: by their first contact."""

    person: str
    name: str
    rung: int
    channel: str
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One step of one clock on the time line."""

    at: datetime
    clock: str
    clock_name: str
    step: str
    rung: int
    due_at: datetime
    told: tuple[Told, ...]
    quiet: tuple[str, ...]
    unfilled: tuple[int, ...]


def simulate(
    rules: Iterable[ClockRule],
    times: Times,
    roster: Roster,
    acks: Mapping[str, datetime],
    until: datetime,
    *,
    stops: Mapping[str, datetime] | None = None,
    ack_valid: timedelta = ACK_VALID,
) -> list[Line]:
    """Every step up to `until`, in time order.

    `acks` maps person id → when they will acknowledge; the first one also stops a clock whose
    evidence is an acknowledgement. `stops` maps clock id → when its evidence is seen.
    """
    found: list[Line] = []
    for rule in rules:
        planned = plan(rule, times)
        if planned is not None:
            end = min(until, *_ends(planned, acks, stops or {}), until)
            found.extend(_lines(planned, roster, acks, end, until, ack_valid))
    return sorted(found, key=lambda line: (line.at, line.due_at, line.clock))


def _ends(planned: ClockPlan, acks: Mapping[str, datetime], stops: Mapping[str, datetime]) -> list[datetime]:
    """When something stops the clock."""
    ends = [stops[planned.rule_id]] if planned.rule_id in stops else []
    if EvidenceKind.ACKNOWLEDGEMENT in planned.evidence:
        ends.extend(acks.values())
    return ends


def _lines(
    planned: ClockPlan,
    roster: Roster,
    acks: Mapping[str, datetime],
    end: datetime,
    until: datetime,
    ack_valid: timedelta,
) -> list[Line]:
    """A step at the very moment of the stop is not raised; one at `until` is."""
    sequence = steps(planned.steps, planned.due_at, planned.repeat, planned.repeat_rung)
    due = takewhile(lambda step: step.due_at < end or step.due_at == end == until, sequence)
    return [_line(planned, step, roster, acks, ack_valid) for step in due]


def _line(
    planned: ClockPlan, step: PlannedStep, roster: Roster, acks: Mapping[str, datetime], ack_valid: timedelta
) -> Line:
    known = {person: at for person, at in acks.items() if at <= step.due_at}
    repeat = step.key.startswith("+")
    result = escalate(step.rung, roster, known, step.due_at, repeat=repeat, ack_valid=ack_valid)
    told = tuple(
        Told(
            t.person.id,
            t.person.name,
            t.rung,
            t.person.contacts[0].channel,
            t.person.contacts[0].address,
            t.reason,
        )
        for t in result.tellings
    )
    return Line(
        at=step.due_at,
        clock=planned.rule_id,
        clock_name=planned.name,
        step=step.key,
        rung=step.rung,
        due_at=planned.due_at,
        told=told,
        quiet=result.quiet,
        unfilled=result.unfilled,
    )
