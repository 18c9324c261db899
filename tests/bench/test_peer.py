"""The same burst through a peer: APScheduler with its SQLAlchemy job store, when it is installed.

It is no dependency of ours: `pip install apscheduler` into .venv to have it measured.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from flows.timekeeping import machine_now
from support.figures import Figures, installed, percentile

JOBS = 1_000
WAIT_S = 60.0
RAN: list[float] = []


def ring(due: datetime) -> None:
    """What the peer calls for each timer: note how late it is."""
    RAN.append((machine_now() - due).total_seconds())


def test_a_thousand_timers_of_one_second_through_apscheduler(
    database_url: str, engine: str, measured: Figures
) -> None:
    what = f"APScheduler {installed('apscheduler') or ''}: {JOBS:,} timers in one second".replace(" :", ":")
    background = pytest.importorskip(
        "apscheduler.schedulers.background", reason="apscheduler is not installed: not run"
    )
    RAN.clear()
    scheduler = background.BackgroundScheduler(jobstores={"default": _jobs(database_url)}, timezone="UTC")
    scheduler.start(paused=True)
    began = time.perf_counter()
    since = machine_now() + timedelta(seconds=30)
    for n in range(JOBS):
        due = since + timedelta(seconds=n / JOBS)
        scheduler.add_job(ring, "date", run_date=due, args=[due], misfire_grace_time=None)
    measured.add(f"{what}: storing them", "s", engine, time.perf_counter() - began)
    scheduler.resume()
    until = time.monotonic() + WAIT_S + 30
    while len(RAN) < JOBS and time.monotonic() < until:
        time.sleep(0.2)
    scheduler.shutdown(wait=False)
    for name, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)):
        measured.add(f"{what}: {name}", "s", engine, percentile(RAN, share))
    measured.add(f"{what}: never run", "timers", engine, JOBS - len(RAN))


def _jobs(url: str) -> Any:
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(url=url.replace("postgresql:", "postgresql+psycopg:"))
