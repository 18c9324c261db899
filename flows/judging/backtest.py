"""Looking back: how often would a plan, or a rule for bursts, have fired on what is stored? Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.judging.bursts import found_at, is_told
from flows.judging.stored import raw
from flows.wiring import House
from models.core.burst import BurstRule
from models.core.moment import iso
from models.core.personal import headline, mask_personal
from models.core.plans import Plan, PlanBook
from models.core.text import canonical
from models.ledger import plan_hits

STEPS = 4
"""Looks within the time of a rule for bursts."""

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Signals seen within [since, until); at most `shown` of what fired are listed."""

    since: datetime
    until: datetime
    shown: int = 50


def of_plan(house: House, plan: Plan, window: Window) -> Report:
    """{"kind","id","name","since","until","read","fired","per_day","signals":[…],"left_off"}.

    The words as they are stored: where a site keeps them masked, a masked word is not found.
    """
    book, read, fired = PlanBook([plan]), 0, 0
    listed: list[Report] = []
    with house.store.read() as conn:
        for row in plan_hits.stream(conn, window.since, window.until):
            read += 1
            found = book.fire(raw(row), canonical(row.title), canonical(row.body))
            fired += len(found)
            if found and len(listed) < window.shown:
                title = headline(row.title, row.body, row.medium, row.author, 40)
                words = mask_personal(" … ".join(found[0].words))
                listed.append({"id": row.id, "at": iso(row.seen_at), "title": title, "words": words})
    about = {"kind": "plan", "id": plan.id, "name": plan.name}
    return about | _counted(window, read, fired) | {"signals": listed, "left_off": fired - len(listed)}


def of_rule(house: House, rule: BurstRule, window: Window) -> Report:
    """The same for a rule for bursts; each burst once, and again where it had grown."""
    told: dict[str, tuple[datetime, int]] = {}
    listed: list[Report] = []
    fired = looks = 0
    with house.store.read() as conn:
        for now in _moments(window, rule.within / STEPS):
            looks += 1
            for one, _ in found_at(conn, (rule,), now):
                if one.group in told and is_told(one, *told[one.group], now):
                    continue
                told[one.group], fired = (now, one.count), fired + 1
                if len(listed) < window.shown:
                    burst = {"at": iso(now), "group": mask_personal(one.group), "count": one.count}
                    listed.append(burst | {"reason": mask_personal(one.reason)})
    about = {"kind": "burst", "id": rule.id, "name": rule.name}
    return about | _counted(window, looks, fired) | {"bursts": listed, "left_off": fired - len(listed)}


def _moments(window: Window, step: timedelta) -> Iterator[datetime]:
    now = window.since
    while now < window.until:
        yield now
        now += step


def _counted(window: Window, read: int, fired: int) -> Report:
    days = max((window.until - window.since) / timedelta(days=1), 1 / 24)
    return {
        "since": iso(window.since),
        "until": iso(window.until),
        "read": read,
        "fired": fired,
        "per_day": round(fired / days, 3),
    }
