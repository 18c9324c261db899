"""A real Prefect server and our runner beside it, as processes that may be killed.

`with PrefectServer(folder) as server: server.runs("journal")`; `Runner(site, server)`.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.processes import Process, answers, environ, family, huiying
from support.waiting import until

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).parent / "prefect")
MOST = 200
"""Prefect gives so many rows at once."""


class _Beside(Process):
    """A process with Prefect's own settings in its environment."""

    cwd: Path | None = None

    def __init__(self, line: list[str], log: Path, **more: str) -> None:
        super().__init__(line, log)
        self.environ = environ(**more)

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, env=self.environ, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip


class PrefectServer(_Beside):
    """`prefect server start` on a free port, with its database in `folder` and what `more` says."""

    def __init__(self, folder: Path, **more: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        self.settings = {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            **more,
        }
        self.database = folder / "prefect" / "prefect.db"
        line = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        super().__init__(line, folder / "prefect-server.log", **self.settings)

    def wait_ready(self) -> None:
        until(lambda: answers(f"{self.url}/health"), self.words, alive=lambda: self.alive)

    def ask(self, path: str, **body: Any) -> Any:
        """POST to Prefect's own API; asked again while its SQLite file is busy (503)."""
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return until(lambda: _answer(request), self.words, alive=lambda: self.alive)[0]

    def rows(self, days: int) -> dict[str, int]:
        """How many its database holds that ended or happened more than `days` ago."""
        past = f"datetime('now', '-{days} days')"
        wanted = {"runs": "flow_run WHERE end_time", "events": "events WHERE occurred",
                  "resources": "event_resources WHERE occurred"}  # fmt: skip
        logs = f"log WHERE flow_run_id IN (SELECT id FROM flow_run WHERE end_time < {past})"
        counted = {name: f"{what} < {past}" for name, what in wanted.items()} | {"logs": logs}
        with closing(sqlite3.connect(self.database, timeout=30)) as conn:
            return {
                name: conn.execute(f"SELECT count(*) FROM {what}").fetchone()[0]
                for name, what in counted.items()
            }

    def age(self, *commands: str) -> None:
        """Let time pass in its database: no door of its own sets back what happened."""
        with closing(sqlite3.connect(self.database, timeout=30)) as conn, conn:
            for command in commands:
                conn.execute(command)

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Entrypoint → deployment."""
        return {one["entrypoint"]: one for one in self.ask("/deployments/filter", limit=MOST)}

    def runs(self, *tags: str, state: str = "", deployment: str = "", flow: str = "") -> list[dict[str, Any]]:
        """The newest runs, all of them or those that carry every tag, are in that state and come of a deployment
        and a flow of that name."""
        wanted: dict[str, Any] = {"tags": {"all_": list(tags)}} if tags else {}
        if state:
            wanted["state"] = {"type": {"any_": [state]}}
        chosen: dict[str, Any] = {"flow_runs": wanted} if wanted else {}
        if deployment:
            chosen["deployments"] = {"name": {"any_": [deployment]}}
        if flow:
            chosen["flows"] = {"name": {"any_": [flow]}}
        found = self.ask("/flow_runs/filter", limit=MOST, sort="EXPECTED_START_TIME_DESC", **chosen)
        assert isinstance(found, list)
        return found


class Runner(_Beside):
    """`huiying serve` of a site."""

    def __init__(self, site: Path, server: PrefectServer) -> None:
        super().__init__(huiying("serve", "--site", str(site)), site / "runner.log", **server.settings)


def _answer(request: urllib.request.Request) -> list[Any]:
    """The answer in a list, since it may itself be empty; nothing when Prefect is too busy."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [json.load(answer)]
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 503:
                return []
            raise
    except TimeoutError:
        return []


def deploy(server: PrefectServer) -> None:
    """Make the pool `huiying` and the deployments of prefect.yaml, as an operator does."""
    _prefect(server, "work-pool", "create", "huiying", "--type", "process")
    _prefect(server, "--no-prompt", "deploy", "--all")


def _prefect(server: PrefectServer, *words: str) -> None:
    line = [PREFECT, *words]
    subprocess.run(line, cwd=ROOT, env=environ(**server.settings), check=True, capture_output=True)


class PoolWorker(_Beside):
    """`prefect worker` of the pool `huiying`, at work on the deployments that `deploy` made, somewhere else than
    they were made."""

    def __init__(self, site: Path, server: PrefectServer) -> None:
        settings = {**server.settings, "HUIYING_SITE": str(site)}
        super().__init__([PREFECT, "worker", "start", "--pool", "huiying"], site / "pool.log", **settings)
        self.server = server
        self.cwd = site

    def die_with_all_it_started(self) -> None:
        """As when a machine loses its power: nobody is left to tell of it."""
        for pid in family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.kill()

    def ask_for(self, duty: str) -> None:
        _prefect(self.server, "deployment", "run", f"{duty}/pool")
