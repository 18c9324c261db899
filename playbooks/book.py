"""Playbooks ready for use, and the library that a site chooses them from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from models.core.clock import ClockRule
from models.core.situation import Situation
from playbooks.condition import ALWAYS, Condition
from playbooks.schema import ClockSource, KindSource, NotifySource, PlaybookSource, TaskSource, compile_


@dataclass(frozen=True, slots=True)
class BookClock:
    """A clock's rule and the condition under which it applies."""

    applies_when: Condition
    rule: ClockRule


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

    def matches(self, situation: Situation) -> bool:
        return self.trigger.holds(situation)

    def clock_rules(self, situation: Situation) -> tuple[ClockRule, ...]:
        """The clocks that apply, in the order of the file."""
        return tuple(clock.rule for clock in self.clocks if clock.applies_when.holds(situation))


@dataclass(frozen=True, slots=True)
class Library:
    """The playbooks of a site, in the order of its profile, its own ones after them."""

    playbooks: tuple[Playbook, ...]

    def get(self, playbook_id: str) -> Playbook | None:
        return next((book for book in self.playbooks if book.id == playbook_id), None)

    def choose(self, situation: Situation) -> tuple[Playbook, ...]:
        """Every playbook whose trigger holds."""
        return tuple(book for book in self.playbooks if book.matches(situation))

    def rules(self, situation: Situation) -> tuple[tuple[Playbook, ClockRule], ...]:
        """The clocks of an incident, one for each clock id.

        Where two playbooks name the same clock a statutory one comes before any other, then the
        shorter one (the earlier at equal length): nothing of a site can lengthen the law.
        """
        found: dict[str, tuple[Playbook, ClockRule]] = {}
        for book in self.choose(situation):
            for rule in book.clock_rules(situation):
                if rule.id not in found or _order(rule) < _order(found[rule.id][1]):
                    found[rule.id] = (book, rule)
        return tuple(found.values())


def _order(rule: ClockRule) -> tuple[bool, timedelta]:
    return not rule.statutory, rule.amount


def bind(playbook: PlaybookSource, source: str) -> Playbook:
    """A checked playbook → one ready for use."""
    return Playbook(
        id=playbook.id,
        name=playbook.name,
        version=content_version(playbook),
        source=source,
        trigger=Condition(playbook.trigger.when),
        clocks=tuple(_clock(clock) for clock in playbook.clocks),
        ack_valid=playbook.ack_valid,
        tasks=playbook.tasks,
        notify=playbook.notify,
        kinds=playbook.kinds,
    )


def _clock(clock: ClockSource) -> BookClock:
    applies = Condition(clock.applies_when) if clock.applies_when is not None else ALWAYS
    return BookClock(applies, compile_(clock))


def content_version(playbook: PlaybookSource) -> str:
    """The first 12 hex digits of the SHA-256 of the canonical content: comments do not count."""
    content = json.dumps(playbook.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
