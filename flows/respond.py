"""Respond: which steps are due, and who is told of each. The clock loop calls it every second.

Imports no Prefect and needs none: that a step is due never depends on an orchestrator.
"""

from __future__ import annotations

from flows.wiring import House
from models.ledger.raising import Raised, Sweep, raise_due

BATCH = 500
"""Clocks in one transaction: bounded, so that a burst of thousands cannot starve the senders."""


def sweep(house: House, limit: int = BATCH) -> Raised:
    """One transaction: read what is due, decide who is told, append steps and alerts together."""
    with house.store.write() as conn:
        return raise_due(conn, Sweep(house.time.now(), house.site.roster, house.time.speed), limit)


def respond(house: House) -> Raised:
    """Sweep until nothing is due."""
    total = Raised()
    while True:
        found = sweep(house)
        total = Raised(
            total.steps + found.steps,
            total.alerts + found.alerts,
            total.skipped + found.skipped,
            max(total.worst_late_s, found.worst_late_s),
        )
        if found.steps < BATCH:
            return total
