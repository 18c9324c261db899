"""`huiying console` of a site in a process of its own, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from support.ports import free_port
from support.processes import Run, huiying, resident_mb


class Served(Run):
    """The console alone; `used` and `memory_mb` are of its one process."""

    def __init__(self, site: Path, port: int) -> None:
        super().__init__(site, port)
        self.line = huiying("console", "--site", str(site), "--port", str(port))

    def used(self) -> float:
        """Seconds of processor time since it began."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        return resident_mb(self.pid)

    def ack(self, client: httpx2.Client, incident: str, by: str = "chen") -> None:
        answer = client.post(f"{self.url}/api/v1/incidents/{incident}/acts/ack", json={"by": by})
        assert answer.status_code == 200, answer.text


@contextmanager
def serving(site: Path) -> Iterator[Served]:
    with Served(site, free_port()) as running:
        running.wait_ready()
        yield running
        running.stop()
