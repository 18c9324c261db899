"""Playbooks ready for use, and the library that a site chooses them from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from models.core.clock import ClockRule, least
from models.core.situation import Situation
from models.core.vocabulary import Grade
from models.core.workdays import WorkingDays
from playbooks.condition import ALWAYS, Condition
from playbooks.schema import (
    ClockSource,
    CounterSource,
    GradeRuleSource,
    KindSource,
    LadderSource,
    NotifySource,
    PlaybookSource,
    ReviewSource,
    TaskSource,
    by_default,
    compile_,
)


@dataclass(frozen=True, slots=True)
class BookClock:
    """A clock's rule, the condition under which it applies, and the one under which it only waits."""

    applies_when: Condition
    rule: ClockRule
    pre_arm_when: Condition | None = None

    def bound(self, situation: Situation) -> ClockRule:
        """The rule as it stands in this situation: running, or armed."""
        waits = self.pre_arm_when is not None and self.pre_arm_when.surely(situation)
        return replace(self.rule, armed=True) if waits else self.rule


@dataclass(frozen=True, slots=True)
class Playbook:
    """One playbook after overlay, ready to choose clocks with. `version` names its content."""

    id: str
    name: str
    version: str
    source: str
    trigger: Condition
    clocks: tuple[BookClock, ...]
    ack_valid: timedelta
    tasks: tuple[TaskSource, ...] = ()
    notify: tuple[NotifySource, ...] = ()
    kinds: tuple[KindSource, ...] = ()
    grades: tuple[GradeRuleSource, ...] = ()
    review: ReviewSource | None = None
    after_action: tuple[TaskSource, ...] = ()
    counters: tuple[CounterSource, ...] = ()
    content: str = field(default="", repr=False, compare=False)
    """The whole of it as JSON: what an incident is frozen on (`versions.thawed` reads it back)."""

    def matches(self, situation: Situation) -> bool:
        return self.trigger.holds(situation)

    def clock_rules(self, situation: Situation) -> tuple[ClockRule, ...]:
        """The clocks that apply, in the order of the file."""
        return tuple(clock.bound(situation) for clock in self.clocks if clock.applies_when.holds(situation))


@dataclass(frozen=True, slots=True)
class Library:
    """The playbooks of a site, in the order of its profile, its own ones after them."""

    playbooks: tuple[Playbook, ...]

    def get(self, playbook_id: str) -> Playbook | None:
        return next((book for book in self.playbooks if book.id == playbook_id), None)

    def counts_days(self) -> bool:
        """Does any clock run in working days, so that a calendar is needed?"""
        return any(
            isinstance(clock.rule.amount, WorkingDays) for book in self.playbooks for clock in book.clocks
        )

    def choose(self, situation: Situation) -> tuple[Playbook, ...]:
        """Every playbook whose trigger holds."""
        return tuple(book for book in self.playbooks if book.matches(situation))

    def floor(self, situation: Situation) -> tuple[Playbook, GradeRuleSource] | None:
        """The grade rule of a playbook in force that asks for the gravest grade, with its playbook."""
        asked = [
            (book, rule)
            for book in self.choose(situation)
            for rule in book.grades
            if Condition(rule.when).surely(situation)
        ]
        return max(asked, key=lambda each: each[1].at_least.rank, default=None)

    def review(self, situation: Situation) -> ReviewSource | None:
        """The review chain of an incident: that of the last playbook in force which has its own."""
        chains = [book.review for book in self.choose(situation) if book.review is not None]
        return chains[-1] if chains else None

    def rules(self, situation: Situation) -> tuple[tuple[Playbook, ClockRule], ...]:
        """The clocks of an incident, one for each clock id.

        Where two playbooks name the same clock a statutory one comes before any other, then the
        shorter one (the earlier at equal length; working days by the least they can last): nothing
        of a site can lengthen the law.
        """
        found: dict[str, tuple[Playbook, ClockRule]] = {}
        for book in self.choose(situation):
            for rule in book.clock_rules(situation):
                if rule.id not in found or _order(rule) < _order(found[rule.id][1]):
                    found[rule.id] = (book, rule)
        return tuple(found.values())


def _order(rule: ClockRule) -> tuple[bool, timedelta]:
    return not rule.statutory, least(rule.amount)


def bind(playbook: PlaybookSource, source: str) -> Playbook:
    """A checked playbook → one ready for use."""
    return Playbook(
        id=playbook.id,
        name=playbook.name,
        version=content_version(playbook),
        source=source,
        trigger=Condition(playbook.trigger.when),
        clocks=tuple(made for clock in playbook.clocks for made in _clocks(clock, playbook.ladder)),
        ack_valid=playbook.ack_valid,
        tasks=playbook.tasks,
        notify=playbook.notify,
        kinds=playbook.kinds,
        grades=playbook.grades,
        review=playbook.review,
        after_action=playbook.after_action,
        counters=playbook.counters,
        content=playbook.model_dump_json(),
    )


def _clocks(clock: ClockSource, ladder: Iterable[LadderSource]) -> Iterator[BookClock]:
    """The clock once for each rung set of the ladder, and once for the grades that it leaves out."""
    if not by_default(clock):
        ladder = ()
    waits = Condition(clock.pre_arm_when) if clock.pre_arm_when is not None else None
    left = [grade for grade in Grade if not any(grade in each.grades for each in ladder)]
    for each in ladder:
        yield BookClock(_when(clock, each.grades), compile_(clock, each), waits)
    if left:
        yield BookClock(_when(clock, left), compile_(clock), waits)


def _when(clock: ClockSource, grades: Sequence[Grade]) -> Condition:
    """The clock's own condition, and that the grade is one of these."""
    own = Condition(clock.applies_when) if clock.applies_when is not None else ALWAYS
    if len(grades) == len(Grade):
        return own
    among = f"grade in {json.dumps([str(grade) for grade in grades])}"
    return Condition(among if own == ALWAYS else f"({own.text}) && {among}")


def content_version(playbook: PlaybookSource) -> str:
    """The first 12 hex digits of the SHA-256 of the canonical content: comments do not count."""
    content = json.dumps(playbook.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
