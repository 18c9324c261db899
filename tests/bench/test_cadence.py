"""What it costs to keep the clocks and tasks of a province's open incidents in step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.cadence import cadence
from flows.wiring import House
from models.core.vocabulary import Grade, StartEvent
from models.ledger import acts
from support.figures import Figures
from support.sites import ENVIRON, write_site

MANY = 2_000


def test_incidents_kept_in_step(
    database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    many = 200 if short else MANY
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        open_many(house, many)
        cadence(house)  # lays the tasks
        first = per_thousand(many, lambda: cadence(house))
        idle = per_thousand(many, lambda: cadence(house))
    measured.add("cadence, 1,000 open incidents, each looked at", "s", engine, first)
    measured.add("cadence, 1,000 open incidents that nothing touched", "s", engine, idle)
    assert idle < first


def open_many(house: House, many: int) -> None:
    now = house.time.now()
    with house.store.write() as conn:
        for n in range(many):
            opening = acts.Opening(f"第 {n} 号事项", Grade.III, {StartEvent.DISCOVERY: now}, "chen", "演练")
            acts.open_incident(conn, now, opening, house.rules_for)


def per_thousand(many: int, work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began) / many
