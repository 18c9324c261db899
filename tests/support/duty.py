"""A small duty team and rules for tests: our own words, no site files needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from models.core.clock import Basis, ClockRule, StepRule
from models.core.moment import CST
from models.core.roster import Contact, Person, Roster, Rung, Unit
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, Grade, Role, StartEvent
from models.ledger.clocks import BoundRule

MIDNIGHT = datetime(2026, 11, 21, 0, 0, tzinfo=CST)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def person(name: str) -> Person:
    return Person(name, f"{name}某", "office", (Contact("hook", name),))


ROSTER = Roster(
    units=(Unit("office", "市政府办公室"),),
    people=tuple(person(name) for name in ("chen", "li", "zhao", "zhou")),
    ladder=(
        Rung(1, Role.DUTY_OFFICER, ("chen",)),
        Rung(2, Role.DUTY_LEADER, ("li",)),
        Rung(3, Role.DEPUTY, ("zhao",)),
        Rung(4, Role.PRINCIPAL, ("zhou",)),
    ),
)

STEPS = tuple(StepRule(rung, fraction=f) for f, rung in ((0.5, 1), (0.75, 2), (0.9, 3), (1.0, 4)))


def rule(
    name: str, hours: float, evidence: EvidenceKind, start: StartEvent = StartEvent.OCCURRENCE
) -> ClockRule:
    return ClockRule(
        id=name,
        name=name,
        amount=timedelta(hours=hours),
        start=start,
        evidence=frozenset({evidence}),
        steps=STEPS,
        fallback=(StartEvent.DISCOVERY,),
        basis=(Basis("国办发〔2016〕80号", fact="N-007"),),
        statutory=True,
    )


FIRST = rule("first_statement", 5, EvidenceKind.STATEMENT)
PRESS = rule("press_conference", 24, EvidenceKind.PRESS_CONFERENCE)
GENERAL = rule("general_response", 48, EvidenceKind.RESPONSE, StartEvent.FIRST_PUBLIC)


def rules_for(situation: Situation) -> Sequence[BoundRule]:
    """5 h and 24 h for I and II, 48 h for the rest."""
    chosen = (FIRST, PRESS) if situation.grade >= Grade.II else (GENERAL,)
    return [BoundRule(made, "test", "v1", timedelta(hours=2)) for made in chosen]
