"""Cadence: open incidents whose heat has changed get the clocks that it asks for; and the clocks that
were refused for want of a calendar are planned once it is there; the tasks follow too. Read, decide, append.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from flows.office import tasking
from flows.wiring import House
from models.ledger import clocks, incidents, planning
from models.ledger.lookover import Glance, Lookover

LATELY: Final = timedelta(days=1)
"""So long after its closing an incident is looked at: something comes after it."""
TOGETHER: Final = 100
"""Incidents of one read transaction: none of them is long."""
LONGEST_S: Final = 60.0
"""Of one round, well within its lease: what is left, the next round looks at first."""


def cadence(house: House) -> str:
    """Its one-line result. Each incident is planned in a transaction of its own, so that none waits long."""
    planned = _plan_refused(house, house.time.now())
    over = house.lookover = house.lookover or Lookover(LATELY)
    with house.store.read() as conn:
        changed = over.changed(conn, house.time.now(), house.library, house.calendar_stamp)
    until, seen, paced, laid = time.monotonic() + LONGEST_S, 0, 0, 0
    for piece in _pieces(changed):
        paced, laid, seen = paced + _pace(house, piece), laid + _settle(house, piece), seen + len(piece)
        for one in piece:
            over.settled(one)
        if time.monotonic() > until:
            break
    return f"{paced} 起事件随热度调整时钟，补设 {planned} 个工作日时钟{_rest(len(changed) - seen)}{_tasks(house, laid)}"


def _plan_refused(house: House, at: datetime) -> int:
    with house.store.read() as conn:
        if not clocks.refused(conn):
            return 0
    with house.store.write() as conn:
        return planning.plan_refused(conn, at, house.rules_for)


def _pieces(changed: Sequence[Glance]) -> Iterator[Sequence[Glance]]:
    return (changed[n : n + TOGETHER] for n in range(0, len(changed), TOGETHER))


def _pace(house: House, piece: Sequence[Glance]) -> int:
    """Plan those of the open ones anew whose clocks are not what their heat asks for."""
    at = house.time.now()
    with house.store.read() as conn:
        rows = incidents.by_ids(conn, [one.id for one in piece]).values()
        still_open = [row for row in rows if row.closed_at is None]
        uneven = [row.id for row in still_open if planning.out_of_step(conn, at, row, house.rules_for)]
    for incident_id in uneven:
        with house.store.write() as conn:
            planning.keep_pace(conn, house.time.now(), incident_id, house.rules_for)
    return len(uneven)


def _settle(house: House, piece: Sequence[Glance]) -> int:
    """Bring the tasks in line that are not."""
    with house.store.read() as conn:
        crooked = [one.id for one in piece if tasking.out_of_line(house, conn, one.id)]
    for incident_id in crooked:
        with house.store.write() as conn:
            tasking.settle(house, conn, incident_id)
    return len(crooked)


def _rest(left: int) -> str:
    return f"，余 {left} 起下一轮核对" if left else ""


def _tasks(house: House, laid: int) -> str:
    """The tasks follow the playbooks and the proofs; who is late with one is told once a day."""
    told = tasking.tell_late(house)
    return f"，{laid} 起事件核对任务，{told} 人收到逾期任务通知" if laid or told else ""
