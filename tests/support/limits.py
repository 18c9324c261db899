"""Playbooks of our own over a ledger, and how its clocks look: "running 0 → 5" in hours since midnight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from models.core.clock import ClockRule
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, Grade, OpinionKind, StartEvent
from models.core.workdays import Calendar, YearDays
from models.ledger import acts, proving, views
from models.ledger.clocks import BoundRule
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Store
from models.ledger.verify import verify
from models.records import Step
from support.duty import HOUR, MIDNIGHT, ROSTER, rule

ROUND = replace(rule("update", 12, EvidenceKind.UPDATE, StartEvent.LAST_UPDATE), fallback=(), statutory=False)
QUIET_AFTER = 24
THIS_YEAR: Calendar = {2026: YearDays()}
BOTH: Calendar = {2026: YearDays(), 2027: YearDays()}
OLD_YEAR: Calendar = {2025: YearDays()}


class Rules:
    """Playbooks of our own: what they hold and which calendar they count by may change as time goes."""

    def __init__(self, *rules: ClockRule, calendar: Calendar = THIS_YEAR) -> None:
        self.rules, self.calendar = rules, calendar

    def __call__(self, situation: Situation) -> Sequence[BoundRule]:
        waits = situation.kind is OpinionKind.NOT_YET_SPREAD and not situation.spread
        held = [each for each in self.rules if each is not ROUND or situation.quiet_hours < QUIET_AFTER]
        return [
            BoundRule(replace(each, armed=waits and each.statutory), "test", "v1", 2 * HOUR, self.calendar)
            for each in held
        ]


def opened(store: Store, rules: Rules, at: datetime = MIDNIGHT, kind: OpinionKind | None = None) -> str:
    times = dict.fromkeys((StartEvent.DISCOVERY, StartEvent.OCCURRENCE, StartEvent.RECEIPT), at)
    opening = acts.Opening("化工园区火灾", Grade.II, times, "chen", "来电", provisional=False, kind=kind)
    with store.write() as conn:
        return acts.open_incident(conn, at, opening, rules)


def publish(
    store: Store, rules: Rules, incident: str, at: datetime,
    kind: EvidenceKind = EvidenceKind.STATEMENT, published: datetime | None = None,
) -> list[str]:  # fmt: skip
    url = f"https://example.org/{at.isoformat()}/{kind.value}"
    proof = proving.Proof(kind, "临江发布", published or at, at, url=url, snapshot=url.encode())
    with store.write() as conn:
        return proving.stop(conn, at, incident, proof, "chen", "发布", rules)


def shown(store: Store, incident: str, now: datetime) -> dict[str, str]:
    """Each clock as 'state start → due' in hours since midnight, the newest of its rule."""
    with store.read() as conn:
        seen = views.incident(conn, incident, now, {})["clocks"]
    hours = {c["key"]: [_hours(c["started_at"]), _hours(c["due_at"])] for c in seen}
    return {
        c["id"]: f"{c['state']} {hours[c['key']][0]:g} → {hours[c['key']][1]:g}"
        for c in sorted(seen, key=lambda clock: int(clock["key"].split(":")[2]))
    }


def _hours(moment: str) -> float:
    return (datetime.fromisoformat(moment) - MIDNIGHT) / HOUR


def timeline(store: Store, incident: str, kind: str) -> list[str]:
    with store.read() as conn:
        seen = views.incident(conn, incident, MIDNIGHT, {})["timeline"]
    return [entry["text"] for entry in seen if entry["kind"] == kind]


def raised(store: Store, now: datetime) -> list[str]:
    with store.write() as conn:
        raise_due(conn, Sweep(now, ROSTER))
    with store.read() as conn:
        steps = conn.execute(select(Step.clock_id, Step.key, Step.reason).where(Step.raised_at == now)).all()
    return sorted(f"{row.clock_id.split(':')[1]} {row.key}" for row in steps)


def holds(store: Store, now: datetime) -> None:
    assert verify(store, now)["findings"] == []
