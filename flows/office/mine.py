"""我的: what lies before one person now, and whom they would call next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.console.desk import View
from flows.office import tasking
from flows.wiring import House
from models.ledger import mine, summoning
from models.ledger.store import Connection


def overview(conn: Connection, house: House, person: View, now: datetime) -> View:
    """person, incidents, waiting (how many wait for them), total, left_off (how many are not shown)."""
    hand = mine.mine(conn, person["id"], now)
    shown = mine.drawn(conn, hand.held, now, house.called)
    told = summoning.told_since(conn, [one["id"] for one in shown], now - summoning.FRESH)
    own = tasking.rung_of(house, person["id"])
    return {
        "person": person,
        "waiting": hand.waiting,
        "total": hand.total,
        "left_off": hand.total - len(hand.held),
        "incidents": [
            one | {"above": above(house, one["clocks"], told[one["id"]], own, now)} for one in shown
        ],
    }


def above(
    house: House, clocks: Sequence[View], told: Mapping[int, datetime], own: int, now: datetime
) -> dict[str, Any] | None:
    """Whom 升级 would call now: rung, role, names; None where nobody is left or no clock runs."""
    rung, roster = summoning.next_rung(told, own), house.site.roster
    running = any(clock["state"] in ("running", "at_risk", "breached") for clock in clocks)
    if not running or rung > roster.top():
        return None
    names = [person.name for person in roster.on_duty(rung, now)]
    return {"rung": rung, "role": roster.called(rung), "names": names}
