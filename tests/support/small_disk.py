"""A disk that is small and can be filled: a tmpfs of its own, which only root can mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BLOCK = b"\0" * 2**16


class CannotMount(Exception):
    """This user may not mount anything; the words say so."""


class Disk:
    """`fill()` leaves no byte free, `free()` gives back what was filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            while True:
                filler.write(BLOCK)
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            while True:
                filler.write(b"\0")

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a disk of that size on `folder`. Raises CannotMount where this user may not."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(line, check=False, capture_output=True).returncode:
        raise CannotMount("a small disk can only be mounted by root")
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
