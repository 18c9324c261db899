"""The same burst through a peer: APScheduler with its SQLAlchemy job store, when it is installed.

It is a dependency of this bench alone (the dev lock has it). Its timers only
look at the time when they ring; ours besides write the step, the alerts and the journal and commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import create_engine

from flows.timekeeping import machine_now
from support.figures import Figures, installed, percentile

JOBS, PROBE = 1_000, 50
WAIT_S = 60.0
RAN: list[float] = []


def ring(due: datetime) -> None:
    """What the peer calls for each timer: note how late it is."""
    RAN.append((machine_now() - due).total_seconds())


def test_a_thousand_timers_of_one_second_through_apscheduler(
    database_url: str, engine: str, measured: Figures
) -> None:
    what = f"APScheduler: {JOBS:,} timers in one second"
    if installed("apscheduler") is None:
        measured.add(what, "", engine, "not installed, not run")
        pytest.skip("apscheduler is not installed")
    RAN.clear()
    with _scheduler(database_url) as scheduler:
        spent = _store(scheduler, machine_now() + timedelta(days=1), PROBE)
        scheduler.remove_all_jobs()
        lead = 2 + 1.5 * spent * JOBS / PROBE  # all must be stored before the first is due
        since = machine_now() + timedelta(seconds=lead)
        measured.add(f"{what}: storing them", "s", engine, _store(scheduler, since, JOBS))
        scheduler.resume()
        until = time.monotonic() + lead + WAIT_S
        while len(RAN) < JOBS and time.monotonic() < until:
            time.sleep(0.2)
    for name, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)):
        measured.add(f"{what}: {name}", "s", engine, percentile(RAN, share))
    measured.add(f"{what}: never run", "timers", engine, JOBS - len(RAN))


@contextmanager
def _scheduler(url: str) -> Iterator[Any]:
    """Paused, with its jobs in a database of its own."""
    background = import_module("apscheduler.schedulers.background")
    stores = import_module("apscheduler.jobstores.sqlalchemy")
    jobs = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    kept = stores.SQLAlchemyJobStore(engine=jobs)
    scheduler = background.BackgroundScheduler(jobstores={"default": kept}, timezone="UTC")
    scheduler.start(paused=True)
    try:
        yield scheduler
    finally:
        scheduler.shutdown()
        jobs.dispose()


def _store(scheduler: Any, since: datetime, count: int) -> float:
    """Seconds that storing `count` timers takes, all due in the second after `since`."""
    began = time.perf_counter()
    for n in range(count):
        due = since + timedelta(seconds=n / count)
        scheduler.add_job(ring, "date", run_date=due, args=[due], misfire_grace_time=None)
    return time.perf_counter() - began
