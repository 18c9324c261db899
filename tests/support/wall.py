"""A wall clock that a test steps while processes read it: libfaketime, preloaded, told by a file.

Only the wall clock moves; clocks that nobody can set go on, as after `date -s` on a real machine.
"""

from __future__ import annotations

from pathlib import Path

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Wall:
    """The wall clock of every process that is started with `environ`."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "wall-clock"
        self.step("+0")

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._told),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, by: str) -> None:
        """Set it off the true time: "+1h", "-1h", "+0". Written beside and moved, so that nobody reads half."""
        fresh = self._told.with_suffix(".new")
        fresh.write_text(f"{by}\n")
        fresh.replace(self._told)
