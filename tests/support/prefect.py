"""A real Prefect server and our runner beside it, as processes that may be killed.

`with PrefectServer(folder) as server: server.runs("journal")`; `Runner(site, server)`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from support.postgres import free_port
from support.processes import Process, answers, environ, huiying
from support.waiting import until

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).parent / "prefect")
MOST = 200
"""Prefect gives so many rows at once."""


class _Beside(Process):
    """A process with Prefect's own settings in its environment."""

    def __init__(self, line: list[str], log: Path, **more: str) -> None:
        super().__init__(line, log)
        self.environ = environ(**more)

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )  # fmt: skip

    def __enter__(self) -> Self:
        self.start()
        return self


class PrefectServer(_Beside):
    """`prefect server start` on a free port, with its database in `folder`."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        self.settings = {
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
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

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Entrypoint → deployment."""
        return {one["entrypoint"]: one for one in self.ask("/deployments/filter", limit=MOST)}

    def runs(self, *tags: str, state: str = "") -> list[dict[str, Any]]:
        """The newest runs, all of them or those that carry every tag and are in that state."""
        wanted: dict[str, Any] = {"tags": {"all_": list(tags)}} if tags else {}
        if state:
            wanted["state"] = {"type": {"any_": [state]}}
        chosen = {"flow_runs": wanted} if wanted else {}
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


class PoolWorker(_Beside):
    """`prefect worker` of the pool `huiying`, at work on the deployments of prefect.yaml."""

    def __init__(self, site: Path, server: PrefectServer) -> None:
        settings = {**server.settings, "HUIYING_SITE": str(site)}
        for words in (
            ("work-pool", "create", "huiying", "--type", "process"),
            ("--no-prompt", "deploy", "--all"),
            ("deployment", "run", "audit/pool"),
        ):
            subprocess.run(
                [PREFECT, *words], cwd=ROOT, env=environ(**settings), check=True, capture_output=True
            )
        super().__init__([PREFECT, "worker", "start", "--pool", "huiying"], site / "pool.log", **settings)
