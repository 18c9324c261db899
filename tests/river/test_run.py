"""`huiying run` as a newcomer starts it: the demonstration in an empty folder, stopped and gone on with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest

from flows.processes.children import is_free
from models.core.moment import parse_iso
from support.ports import free_port
from support.processes import Process, answers, environ, family, huiying
from support.sites import write_site
from support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "deploy" / "demo"
DEMO_FEEDS = 8788
NOBODY = "http://127.0.0.1:9"
READY = "(Ctrl-C 停止)"
"""What a run says when it takes signals."""
OPEN = ("running", "at_risk", "breached")


class Demo(Process):
    """`huiying run --demo` in a folder of its own; Prefect is left out, other tests have it."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder, self.port = folder, free_port()
        line = huiying("run", "--demo", "--port", str(self.port), "--no-prefect", "--speed", "720", *args)
        super().__init__(line, folder / "run.log")
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        settings = environ(PYTHONPATH=str(ROOT))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, env=settings, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
        until(lambda: self.words(60_000).count(READY) == self.starts, self.words, alive=lambda: self.alive)
        until(lambda: answers(f"http://127.0.0.1:{self.port}/healthz"), self.words, alive=lambda: self.alive)

    def board(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/board", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def now(self) -> datetime:
        return parse_iso(self.board()["now"])

    def incident(self) -> dict[str, Any]:
        """The first incident that has a clock, as soon as there is one."""
        found: list[dict[str, Any]] = until(
            lambda: [one for one in self.board()["incidents"] if one["clocks"]],
            self.words,
            alive=lambda: self.alive,
        )
        return found[0]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with Demo(tmp_path, *(() if is_free("127.0.0.1", DEMO_FEEDS) else _elsewhere(tmp_path))) as running:
        yield running


def _elsewhere(folder: Path) -> tuple[str, str]:
    """Somebody plays the demonstration here already: a copy of its site with another port of feeds."""
    site = folder / "var" / "demo"
    shutil.copytree(SHIPPED, site)
    sources = site / "sources.yaml"
    told = sources.read_text(encoding="utf-8").replace(f":{DEMO_FEEDS}/", f":{free_port()}/")
    sources.write_text(told, encoding="utf-8")
    return "--site", str(site)


def test_the_demonstration_plays_stops_and_goes_on_where_it_was(demo: Demo) -> None:
    until(lambda: demo.board()["signals"]["total"], demo.words, alive=lambda: demo.alive)
    first = demo.incident()
    assert {clock["state"] for clock in first["clocks"]} & set(OPEN)
    assert first["clocks"][0]["steps"]
    told = re.compile(r"舆-\d{4}-\d{4} .+ → (陈|赵)值班")
    until(lambda: told.search(demo.words(20_000)), demo.words, alive=lambda: demo.alive)
    before = demo.now()
    known = {incident["id"]: incident["title"] for incident in demo.board()["incidents"]}
    assert demo.stop() == 0
    assert "Traceback" not in demo.words(200_000)
    assert "已停止" in demo.words()

    demo.start()
    again = demo.board()
    assert parse_iso(again["now"]) >= before
    shown = {incident["id"]: incident["title"] for incident in again["incidents"]}
    assert {name: shown.get(name) for name in known} == known
    later = demo.now()
    until(lambda: demo.now() > later, demo.words, alive=lambda: demo.alive)
    assert demo.stop() == 0
    assert "Traceback" not in demo.words(200_000)

    checked = subprocess.run(
        huiying("verify", "--site", str(demo.folder / "var" / "demo"), "--json"),
        env=environ(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["findings"] == []


def test_the_demonstration_leaves_its_shipped_files_as_they_were(demo: Demo) -> None:
    before = {path.name: path.read_bytes() for path in SHIPPED.iterdir() if path.is_file()}
    demo.incident()
    assert demo.stop() == 0
    assert {path.name: path.read_bytes() for path in SHIPPED.iterdir() if path.is_file()} == before
    assert (demo.folder / "var" / "demo" / "huiying.sqlite").is_file()


def test_a_killed_demonstration_goes_on_and_its_time_has_gone_on(demo: Demo) -> None:
    first = demo.incident()
    before = demo.now()
    demo.kill()
    demo.start()
    assert demo.now() > before
    assert first["id"] in {incident["id"] for incident in demo.board()["incidents"]}
    assert demo.stop() == 0


# ── what is refused ───────────────────────────────────────────────────────────────────────────


def refused(*args: str) -> str:
    """The one line that a start says which cannot be."""
    done = subprocess.run(huiying("run", *args), env=environ(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_production_site_is_never_run_fast(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY, port=free_port(), site={"production": True})
    assert "production: true" in refused("--site", str(site), "--no-prefect", "--speed", "60")


def test_a_speed_that_is_none_is_refused(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY, port=free_port())
    assert "--speed" in refused("--site", str(site), "--no-prefect", "--speed", "0")


def test_a_database_that_has_lived_fast_does_not_go_on_slowly(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY, port=free_port())
    with Site(site, "--no-prefect", "--speed", "60") as fast:
        assert fast.stop() == 0
    assert "--speed" in refused("--site", str(site), "--no-prefect")


def test_a_taken_port_gives_one_line_with_the_way_out(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused("--site", str(site), "--no-prefect", "--port", port)
    assert port in line
    assert "--port" in line


class Site(Process):
    """`huiying run` of a site, ready."""

    def __init__(self, site: Path, *args: str) -> None:
        port = free_port()
        super().__init__(huiying("run", "--site", str(site), "--port", str(port), *args), site / "run.log")
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self.start()
        until(lambda: READY in self.words(), self.words, alive=lambda: self.alive)
        until(lambda: answers(f"{self.url}/healthz"), self.words, alive=lambda: self.alive)
        return self


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_site_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    site = write_site(tmp_path / "site", NOBODY)
    with Site(site, "--no-prefect") as running:
        assert running._end(how) == 0
        assert "Traceback" not in running.words(100_000)


def test_the_whole_with_prefect_starts_and_leaves_no_process_behind(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY, prefect=True, prefect_port=free_port())
    with Site(site) as running:
        started = until(lambda: _with_prefect(running.pid), running.words, alive=lambda: running.alive)
        try:
            assert running.stop() == 0
            assert [line for pid, line in started.items() if _alive(pid)] == []
        finally:
            for pid in filter(_alive, started):
                os.kill(pid, signal.SIGKILL)
        assert "Traceback" not in running.words(100_000)


def _with_prefect(pid: int) -> dict[int, str]:
    """All processes of a run by pid, once Prefect's server and our runner are among them."""
    found = family(pid)
    lines = " ".join(found.values())
    return found if "prefect server start" in lines and "flows.cli serve" in lines else {}


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
