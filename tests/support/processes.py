"""The program as its users start it: `huiying …` in processes of their own, stopped or killed.

`with Run(site, port) as run: run.wait_ready(); run.kill(); run.start()`; `command(site, "board")`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.sites import ENVIRON

TESTS = Path(__file__).parents[1]
SUPPORT = f"{TESTS.parent}{os.pathsep}{TESTS}"
"""The PYTHONPATH of a process of ours: `python -P -m support.…`."""
PATIENCE_S = 120.0
"""Nothing is measured with it: it only ends a test whose process will never answer."""


def environ(**more: str) -> dict[str, str]:
    """This environment with the site's secret, and without a site or Prefect of the developer's."""
    kept = {k: v for k, v in os.environ.items() if k != "HUIYING_SITE" and not k.startswith("PREFECT_")}
    return {**kept, **ENVIRON, "PYTHONUTF8": "1", **more}


def with_support(**more: str) -> dict[str, str]:
    """The same for a process of ours."""
    return environ(PYTHONPATH=SUPPORT, **more)


def huiying(*args: str) -> list[str]:
    return [sys.executable, "-m", "flows.cli", *args]


def command(site: Path, *args: str, **more: str) -> Any:
    """Run one command with `--json`, `more` in its environment, and return its answer.

    Raises CalledProcessError on exit ≠ 0, 1.
    """
    line = huiying(*args, "--site", str(site), "--json")
    done = subprocess.run(line, env=environ(**more), capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode not in (0, 1) or not done.stdout:
        raise subprocess.CalledProcessError(done.returncode, line, done.stdout, done.stderr)
    return json.loads(done.stdout)


class Process:
    """One process with its own log. `stop` asks, `kill` does not (SIGKILL, to its whole group)."""

    def __init__(self, line: list[str], log: Path, **more: str) -> None:
        self.line, self.log, self.more = line, log, more
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None, "not started"
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, env=environ(**self.more), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop as Ctrl-C does, and return its exit code; one that will not is killed."""
        return self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None, "not started"
        if self.alive:
            (os.killpg if how is signal.SIGKILL else os.kill)(self.pid, how)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            raise AssertionError(f"it did not stop; its last words: {self.words()}") from None

    def words(self, most: int = 2000) -> str:
        """The end of what it has said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-most:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.alive:  # a test that failed: nothing of it may stay, Prefect's processes neither
            started = family(self.pid).keys() - {self.pid}
            self.kill()
            for pid in started:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


class Worker(Process):
    """`huiying worker respond deliver` as the campaigns run it, with `more` in its environment."""

    def __init__(self, site: Path, **more: str) -> None:
        line = [sys.executable, "-P", "-m", "support.nursery", str(site)]
        super().__init__(line, site / "workers.log", PYTHONPATH=SUPPORT, **more)


class Run(Process):
    """`huiying run` of a site, ready when /healthz answers."""

    def __init__(self, site: Path, port: int, *, speed: float | None = None, prefect: bool = False) -> None:
        pace = [] if speed is None else ["--speed", f"{speed:g}"]
        aside = [] if prefect else ["--no-prefect"]
        line = huiying("run", "--site", str(site), "--port", str(port), *aside, *pace)
        super().__init__(line, site / "run.log")
        self.url = f"http://127.0.0.1:{port}"

    def wait_ready(self) -> None:
        self.wait_for(f"{self.url}/healthz")

    def wait_for(self, url: str) -> None:
        """Until `url` answers 200; fails at once when the process has ended."""
        until = time.monotonic() + PATIENCE_S
        while not answers(url):
            assert self.alive, f"it ended by itself: {self.words()}"
            assert time.monotonic() < until, f"{url} does not answer: {self.words()}"
            time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB (10⁶ bytes), as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def family(pid: int) -> dict[int, str]:
    """The process and everything it has started, by pid: its command line."""
    found = {pid: _command_line(pid)}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= family(int(child))
    return found


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
