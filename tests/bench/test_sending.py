"""Claim, send, record: ten thousand alerts to a receiver in a process of its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import pytest

from flows.deliver import AT_ONCE, deliver
from flows.respond import respond
from flows.wiring import House
from support import crowd
from support.figures import Figures
from support.sink import Sink
from support.sites import ENVIRON, TEAM, write_site


@pytest.mark.parametrize("together", [20, 1])
def test_alerts_are_raised_claimed_sent_and_recorded(
    together: int, database_url: str, engine: str, sink: Sink, tmp_path: Path, short: bool, measured: Figures
) -> None:
    alerts = 2_000 if short else 10_000
    site = write_site(tmp_path / "site", sink.url, database=database_url, together=together)
    with House.open(site, ENVIRON) as house, ThreadPoolExecutor(AT_ONCE) as pool:
        now = house.time.now()
        overdue = now - crowd.WHOLE - timedelta(minutes=1)  # its step tells the whole ladder at once
        crowd.join(house.store, "late", repeat(overdue, alerts // len(TEAM)), now)
        began = time.perf_counter()
        raised = respond(house)
        swept = time.perf_counter()
        accepted, rounds = 0, 0
        while (sent := deliver(house, pool)).claimed:
            accepted, rounds = accepted + sent.accepted, rounds + 1
        ended = time.perf_counter()
    measured.add(
        f"raise {raised.steps:,} overdue steps with {alerts:,} alerts",
        "steps/s",
        engine,
        raised.steps / (swept - began),
    )
    grouped = "" if together > 1 else ", each a message of its own"
    what = f"claim, send and record {alerts:,} alerts{grouped}"
    measured.add(what, "alerts/s", engine, accepted / (ended - swept))
    assert raised.alerts == accepted == sink.count()["alerts"] == alerts
    assert (sink.count()["requests"] == alerts) is (together == 1)
