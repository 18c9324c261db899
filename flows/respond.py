"""Respond: which steps are due, and who is told of each. The clock loop calls it every second.

Imports no Prefect and needs none: that a step is due never depends on an orchestrator.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from flows.wiring import House
from models.core.moment import clock_face, deadline_face, local
from models.core.roster import Person, Roster, each_once
from models.ledger import clocks, incidents, notices
from models.ledger.notices import Notice
from models.ledger.raising import Raised, Sweep, raise_due
from models.ledger.store import Row, Unavailable

log = structlog.get_logger()

BATCH = 500
"""Clocks in one transaction: bounded, so that a burst of thousands cannot starve the senders."""
TOPIC = "step-refused"
FIRST_RUNGS = 2
"""Who hears before its limit of a clock that cannot speak; after it the whole ladder does."""


def sweep(house: House, limit: int = BATCH) -> Raised:
    """One transaction: read what is due, decide who is told, append steps and alerts together."""
    with house.store.write() as conn:
        return raise_due(conn, _now(house), limit)


def respond(house: House) -> Raised:
    """Sweep until nothing is due. One clock whose step cannot be written holds up no other (laws 2, 5).

    Raises Unavailable while the database as a whole does not answer.
    """
    total = Raised()
    while True:
        try:
            found = sweep(house)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the other clocks go on
            log.error("a sweep was refused, its clocks are tried apart", reason=repr(error))
            return sum((_tried(house, ids) for ids in _due(house)), total)
        total = total + found
        if found.steps < BATCH:
            return total


def _now(house: House) -> Sweep:
    return Sweep(house.time.now(), house.site.roster, house.time.speed)


def _due(house: House) -> list[list[str]]:
    """Every clock that owes a step, in batches."""
    with house.store.read() as conn:
        ids = clocks.due_ids(conn, house.time.now())
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]


def _tried(house: House, ids: Sequence[str]) -> Raised:
    """Raise what these clocks owe; what is refused together is tried by halves, until the one that is to
    blame stands alone and is told of."""
    try:
        with house.store.write() as conn:
            return raise_due(conn, _now(house), len(ids), ids)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the other clocks go on
        if len(ids) == 1:
            _tell(house, ids[0], error)
            return Raised()
    middle = len(ids) // 2
    return _tried(house, ids[:middle]) + _tried(house, ids[middle:])


def _tell(house: House, clock_id: str, error: Exception) -> None:
    """Once an hour, to people: this clock cannot speak for itself."""
    now = house.time.now()
    with house.store.write() as conn:
        for row in clocks.due_clocks(conn, now, 1, [clock_id]):
            ref = incidents.get(conn, row.incident_id).ref
            if notices.tell(conn, now, [_notice(row, ref, house.site.roster, now)]):
                log.error("a clock's step cannot be raised", clock=clock_id, reason=repr(error))


def _notice(row: Row[Any], ref: str, roster: Roster, now: datetime) -> Notice:
    reason = (
        f"{ref} {row.name}({row.rule_id}) {clock_face(row.next_step_at)} 的提醒写不进数据库；"
        f"时限 {deadline_face(row.due_at)} 不变，请按时限人工跟进，并请管理员运行 huiying verify、查看日志"
    )
    title, occasion = f"时钟发不出提醒 · {ref} {row.name}", f"{row.id} {local(now):%Y-%m-%d %H}"
    return Notice(TOPIC, occasion, title, reason, _people(row, roster, now), incident_id=row.incident_id)


def _people(row: Row[Any], roster: Roster, now: datetime) -> list[Person]:
    rungs = roster.rungs() if now >= row.due_at else roster.rungs()[:FIRST_RUNGS]
    present = [person for rung in rungs for person in roster.on_duty(rung, now)]
    return each_once([*present, *roster.owners(now)]) or list(roster.last_resort())
