"""The same burst among as many open timers through a peer: APScheduler with its SQLAlchemy job store.

It is a dependency of this bench alone (the dev lock has it). Its timers only
look at the time when they ring; ours besides write the step, the alerts and the journal and commit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import import_module
from statistics import median
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from flows.timekeeping import machine_now
from support.figures import Figures, installed, percentile

JOBS, PROBE, CROWD = 1_000, 50, 100_000
LOOKS = 100
WAIT_S = 60.0
RAN: list[float] = []


def ring(due: datetime) -> None:
    """What the peer calls for each timer: note how late it is."""
    RAN.append((machine_now() - due).total_seconds())


def test_a_thousand_timers_of_one_second_through_apscheduler(
    database_url: str, engine: str, short: bool, measured: Figures
) -> None:
    crowd = 10_000 if short else CROWD
    what = f"APScheduler: {JOBS:,} in one second, {crowd:,} stored"
    if installed("apscheduler") is None:
        measured.add(what, "", engine, "not installed, not run")
        pytest.skip("apscheduler is not installed")
    RAN.clear()
    with _scheduler(database_url) as scheduler:
        spent = _store(scheduler, machine_now() + timedelta(days=1), PROBE)
        _multiply(scheduler, crowd)
        measured.add(f"APScheduler: idle look, {crowd:,} stored", "ms", engine, _look_ms(scheduler))
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


def _multiply(scheduler: Any, count: int) -> None:
    """Copies of a stored timer, all due on another day, as many as ours has open clocks."""
    with scheduler._jobstores["default"].engine.begin() as conn:
        one = conn.execute(text("SELECT next_run_time, job_state FROM apscheduler_jobs LIMIT 1")).one()
        row = {"next_run_time": one.next_run_time, "job_state": one.job_state}
        put = text(
            "INSERT INTO apscheduler_jobs (id, next_run_time, job_state) VALUES (:id, :next_run_time, :job_state)"
        )
        conn.execute(put, [{"id": f"copy-{n}", **row} for n in range(count - JOBS)])
        conn.execute(text("ANALYZE"))


def _look_ms(scheduler: Any) -> float:
    """The median cost of looking for what is due when nothing is."""
    spent = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        assert scheduler._jobstores["default"].get_due_jobs(machine_now()) == []
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent)


def _store(scheduler: Any, since: datetime, count: int) -> float:
    """Seconds that storing `count` timers takes, all due in the second after `since`."""
    began = time.perf_counter()
    for n in range(count):
        due = since + timedelta(seconds=n / count)
        scheduler.add_job(ring, "date", run_date=due, args=[due], misfire_grace_time=None)
    return time.perf_counter() - began
