"""Machines of a campaign: each a nursery of workers, with a host name and process numbers of its own
where the system allows that (Linux, root).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.processes import with_support

APART = ("unshare", "--uts", "--pid", "--fork", "--mount-proc", "sh", "-c", 'hostname "$0" && exec "$@"')
"""A host name, which comes next, and process numbers that nobody outside shares."""


def can_part() -> bool:
    """May this user make machines that are strangers to one another?"""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run([*APART, "probe", "true"], check=False, capture_output=True).returncode == 0


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker, by its number on its machine."""

    machine: Machine
    pid: int

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.machine.say("kill", self.pid)

    def freeze(self) -> None:
        self.machine.say("stop", self.pid)

    def thaw(self) -> None:
        self.machine.say("cont", self.pid)


class Machine:
    """A process that forks workers of a site (support/nursery.py). `name` sets it apart from others; `inside` is
    what its command line begins with where it has a network of its own (support/networks.py)."""

    def __init__(self, site: Path, name: str = "", *, inside: Sequence[str] = (), **environ: str) -> None:
        self.site = site
        apart = [*APART, name] if name and can_part() else []
        self._process = subprocess.Popen(
            [*inside, *apart, sys.executable, "-P", "-m", "support.nursery"],
            env=with_support(**environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def worker(self) -> Worker:
        return Worker(self, self.say("start", self.site))

    def say(self, what: str, whom: Path | int) -> int:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{what} {whom}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
