"""From the command to a page that answers, and the memory of every process."""

from __future__ import annotations

import json
import time
from pathlib import Path

from flows.timekeeping import machine_now
from models.core.moment import iso
from models.ledger import signals
from models.ledger.store import Store
from support import texts
from support.figures import Figures
from support.ports import free_port
from support.processes import PATIENCE_S, Run, command, family, resident_mb
from support.sites import write_site

PARTS = {"flows.cli run": "huiying run", "flows.cli serve": "Prefect runner", "prefect": "Prefect server"}


def test_the_program_starts_alone_and_takes_in_signals(
    database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    count = 500 if short else 10_000
    site, port = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url), free_port()
    waiting = 0
    for start in ("first start", "second start"):
        began = time.perf_counter()
        with Run(site, port) as run:
            run.wait_ready()
            measured.add(f"{start} without Prefect to /healthz", "s", engine, time.perf_counter() - began)
            if start == "second start" and engine == "sqlite":
                measured.add("memory of huiying run after start", "MB", engine, resident_mb(run.pid))
                waiting = _take_in(site, database_url, count)
                measured.add(
                    f"memory of huiying run after {count:,} signals", "MB", engine, resident_mb(run.pid)
                )
            run.kill()
    assert waiting == 0


def _take_in(site: Path, url: str, count: int) -> int:
    """Import `count` texts beside the running program and wait until it has judged them all."""
    path = site / "texts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for signal in texts.signals(count, machine_now()):
            row = {"id": signal.external_id, "title": signal.title, "body": signal.body or signal.title}
            file.write(json.dumps(row | {"published_at": iso(signal.published_at or machine_now())}) + "\n")
    assert command(site, "import", str(path))["accepted"] == count
    store, until = Store(url), time.monotonic() + 3 * PATIENCE_S
    waiting = count
    while waiting and time.monotonic() < until:
        time.sleep(0.5)
        with store.read() as conn:
            waiting = signals.waiting(conn)
    store.close()
    return waiting


def test_the_program_starts_with_prefect(tmp_path: Path, measured: Figures) -> None:
    port = free_port()
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True, prefect_port=port)
    began = time.perf_counter()
    with Run(site, free_port(), prefect=True) as run:
        run.wait_ready()
        measured.add("first start with Prefect to /healthz", "s", "sqlite", time.perf_counter() - began)
        run.wait_for(f"http://127.0.0.1:{port}/api/health")
        measured.add("first start until Prefect answers", "s", "sqlite", time.perf_counter() - began)
        _wait_for_runner(site)
        measured.add(
            "first start until Prefect's runner is at work", "s", "sqlite", time.perf_counter() - began
        )
        memory = _memory(run.pid)
        for name, megabytes in memory.items():
            measured.add(f"memory with Prefect: {name}", "MB", "sqlite", megabytes)
        assert run.stop() == 0
    assert set(memory) == set(PARTS.values())


def _wait_for_runner(site: Path) -> None:
    """Until the runner's sign of life is on the board."""
    until = time.monotonic() + PATIENCE_S
    while not any(item["name"] == "prefect" and item["state"] == "ok" for item in _coverage(site)):
        assert time.monotonic() < until, "Prefect's runner gave no sign of life"


def _coverage(site: Path) -> list[dict[str, str]]:
    items: list[dict[str, str]] = command(site, "board")["coverage"]["items"]
    return items


def _memory(pid: int) -> dict[str, float]:
    """Resident MB of each part, its helpers counted in."""
    found: dict[str, float] = {}
    for one, line in family(pid).items():
        name = next((name for mark, name in PARTS.items() if mark in line), "another process")
        found[name] = found.get(name, 0.0) + resident_mb(one)
    return found
