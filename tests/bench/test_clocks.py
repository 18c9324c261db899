"""How late a due step reaches the outbox among many open clocks, and what an idle sweep costs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import select

from flows.respond import BATCH, sweep
from flows.wiring import House
from models.ledger import clocks
from models.ledger.outbox import STEP
from support import crowd
from support.figures import Figures, percentile
from support.sites import ENVIRON, write_site

DUE, ROUNDS, IDLE_SWEEPS = 1_000, 2, 100
MILLION = 1_000_000
TICK_S = 0.5
"""As the clock loop at the real pace."""


@pytest.mark.parametrize("count", [10_000, 100_000], ids="{:,} clocks".format)
def test_a_thousand_steps_of_one_second_reach_the_outbox(
    count: int, database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    if short and count > 10_000:
        pytest.skip("HUIYING_BENCH=short measures 10,000 clocks only")
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        now, rounds = house.time.now(), 1 if short else ROUNDS
        crowd.multiply(house.store, "calm", now, now, count - DUE * rounds)
        idle = _idle_ms(house)
        late: list[float] = []
        for number in range(rounds):
            since = house.time.now() + timedelta(seconds=2 + number / rounds)
            starts = (since + timedelta(seconds=n / DUE) - crowd.FIRST_STEP for n in range(DUE))
            crowd.join(house.store, f"due-{number}", starts, house.time.now())
            late += _lateness(house, DUE * (number + 1))
    what = f"{count:,} open clocks"
    measured.add(f"idle sweep, {what}", "ms", engine, idle)
    for name, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)):
        measured.add(
            f"due to outbox, {DUE:,} in one second, {what}: {name}", "s", engine, percentile(late, share)
        )
    assert len(late) == DUE * rounds


def test_an_idle_sweep_among_a_million_open_clocks(
    database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    if short:
        pytest.skip("HUIYING_BENCH=short measures 10,000 clocks only")
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        now, began = house.time.now(), time.perf_counter()
        made = crowd.multiply(house.store, "calm", now, now, MILLION)
        measured.add(f"putting in {MILLION:,} clocks for it", "s", engine, time.perf_counter() - began)
        measured.add(f"idle sweep, {MILLION:,} open clocks", "ms", engine, _idle_ms(house))
        with house.store.read() as conn:
            assert clocks.count_open(conn) == made == MILLION


def _idle_ms(house: House) -> float:
    """The median cost of a sweep that finds nothing."""
    spent = []
    for _ in range(IDLE_SWEEPS):
        began = time.perf_counter()
        assert sweep(house).steps == 0
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent)


def _lateness(house: House, wanted: int) -> list[float]:
    """Sweep each tick as the loop does until all is raised; seconds from due to commit of each step."""
    committed: list[tuple[datetime, datetime]] = []
    since, raised = house.time.now(), wanted - DUE
    while raised < wanted:
        began = time.monotonic()
        while (found := sweep(house)).steps:
            raised += found.steps
            committed.append((since, since := house.time.now()))
            if found.steps < BATCH:
                break
        time.sleep(max(0.0, TICK_S - (time.monotonic() - began)))
    return [
        (end - due).total_seconds() for start, end in committed for due in _raised_between(house, start, end)
    ]


def _raised_between(house: House, start: datetime, end: datetime) -> list[datetime]:
    with house.store.read() as conn:
        raised = (STEP.c.raised_at >= start) & (STEP.c.raised_at < end)
        return list(conn.execute(select(STEP.c.due_at).where(raised)).scalars())
