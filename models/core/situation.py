"""What is known of an incident when a playbook is chosen for it: the values a rule may name."""

from __future__ import annotations

from dataclasses import dataclass, fields

from models.core.vocabulary import Domain, EventType, Grade, OpinionKind


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts a playbook's condition sees.

    `event_grade` is the statutory part of the grade; a grade that a person set counts as one
    (N-060: the authority grades). `heat_grade` is the spread (a proposal, study 4.2). `spread`: it
    is talked of in public, since the time of its first public word is known (S-041). `quiet_hours`: whole
    hours since its last signal; 0 where it never had one, for then nothing is known of its heat. `medium`:
    by which door its first signal came; `domain`: which body of law it falls under, named by a person.
    """

    grade: Grade
    event_grade: Grade | None = None
    heat_grade: Grade | None = None
    sensitivity_grade: Grade | None = None
    event_type: EventType | None = None
    kind: OpinionKind | None = None
    confirmed: bool = False
    signals: int = 0
    medium: str | None = None
    spread: bool = False
    quiet_hours: int = 0
    domain: Domain | None = None

    def variables(self) -> dict[str, str | bool | int]:
        """The same as plain values for a condition: an unknown is the empty string."""
        return {
            one.name: value if isinstance(value, bool | int) else str(value or "")
            for one in fields(self)
            for value in (getattr(self, one.name),)
        }
