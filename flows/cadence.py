"""Cadence: open incidents whose heat has changed get the clocks that it asks for; and the clocks that
were refused for want of a calendar are planned once it is there; the tasks follow too. Read, decide, append.
"""

from __future__ import annotations

from flows.office import tasking
from flows.wiring import House
from models.ledger import planning


def cadence(house: House) -> str:
    """Its one-line result. Each incident is planned in a transaction of its own, so that none waits long."""
    at = house.time.now()
    with house.store.write() as conn:
        planned = planning.plan_refused(conn, at, house.rules_for)
    with house.store.read() as conn:
        changed = planning.out_of_step(conn, at, house.rules_for)
    for incident_id in changed:
        with house.store.write() as conn:
            planning.keep_pace(conn, house.time.now(), incident_id, house.rules_for)
    return f"{len(changed)} 起事件随热度调整时钟，补设 {planned} 个工作日时钟{_tasks(house)}"


def _tasks(house: House) -> str:
    """The tasks follow the playbooks and the proofs; who is late with one is told once a day."""
    kept, told = tasking.keep(house), tasking.tell_late(house)
    return f"，{kept} 起事件核对任务，{told} 人收到逾期任务通知" if kept or told else ""
