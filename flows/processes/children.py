"""Prefect's processes beside the work: started, watched, restarted, stopped; never in the way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

RESTART_AFTER_S = 5.0
UPKEEP = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "2592000",  # seconds: runs and their logs, 30 days
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # seconds: the most frequent that Prefect allows
}
"""How long Prefect keeps what it was told, and how soon a dead run is seen; deploy/ says the same. Left to itself
its server keeps runs for ever and lets three minutes pass between heartbeats."""
STOP_PATIENCE_S = 8.0


def is_free(host: str, port: int) -> bool:
    """Can this address be listened on at this moment?"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
        return True


def free_port(wanted: int) -> int:
    """`wanted`, or any free one when that is taken or 0."""
    if wanted and is_free("127.0.0.1", wanted):
        return wanted
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Child:
    """One process with its log file; started again when it dies."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.processes.tethered", str(os.getpid()), *self.command],
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.alive:
            self._signal(signal.SIGTERM)

    def stop(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def _signal(self, which: signal.Signals) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, which)
        except ProcessLookupError:
            return


@dataclass
class Prefect:
    """The embedded Prefect: its server and our runner, with a database file of their own."""

    home: Path
    site: Path
    port: int
    api_url: str | None = None
    children: list[Child] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        """Start both and return the address of Prefect's page. Never waits for them."""
        port = free_port(self.port)
        url = self.api_url or f"http://127.0.0.1:{port}/api"
        environ = self._environ(url)
        here = str(Path(sys.executable).parent)
        if self.api_url is None:
            server = [f"{here}/prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
            self.children.append(Child("prefect-server", server, environ, self.home / "server.log"))
        runner = [sys.executable, "-m", "flows.cli", "serve", "--site", str(self.site)]
        self.children.append(Child("prefect-runner", runner, environ, self.home / "runner.log"))
        for child in self.children:
            child.start()
        threading.Thread(target=self._watch, name="prefect-watch", daemon=True).start()
        return url.removesuffix("/api")

    def _environ(self, url: str) -> dict[str, str]:
        return {
            **UPKEEP,
            **os.environ,
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
            "PYTHONUTF8": "1",
        }

    def _watch(self) -> None:
        while not self._stopped.wait(RESTART_AFTER_S):
            for child in self.children:
                if not child.alive and not self._stopped.is_set():
                    child.start()

    def stop(self) -> None:
        self._stopped.set()
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.stop()
