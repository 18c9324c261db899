"""What the operating system can vouch for: this boot, its name spaces, a process's birth, a clock
that nobody can set, and whether a time service disciplines the one that can be.

Linux answers all of it. Elsewhere the answers are empty, and whoever asks takes the careful way.
"""

from __future__ import annotations

import ctypes
import os
import time
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
SPACE = Path("/proc/self/ns")
TICKS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Boot time goes on while a machine sleeps; where there is none, monotonic time has to do."""
ROOM = 512
"""More bytes than the kernel's `timex` takes on any machine."""
TIME_ERROR = 5
"""adjtimex: "the clock is not synchronised"; also said at once after somebody set it by hand."""


def mark(space: str) -> str:
    """Names this boot and this name space (`pid`, `time`); empty where the system does not tell.

    Two containers of one machine differ in it, also when they share a host name.
    """
    with suppress(OSError):
        return f"{BOOT.read_text().strip()}/{os.readlink(SPACE / space)}"
    return ""


def born(process: int) -> str:
    """When a living process of this name space began, in the kernel's ticks; empty when it is gone.

    With its number it names a process for good: numbers are given out again, births are not.
    """
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def ticks() -> float:
    """Seconds of a clock that nobody can set, from an unknown beginning."""
    return time.clock_gettime(TICKS)


def synchronised() -> bool:
    """True when the kernel says that a time service (chrony, timesyncd) holds this machine's clock."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None) if os.name == "posix" else None
    return ask is not None and 0 <= ask(ctypes.create_string_buffer(ROOM)) < TIME_ERROR


def resident() -> int | None:
    """Bytes of memory that this process holds; None where the system does not tell."""
    with suppress(OSError, ValueError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


@cache
def version() -> str:
    """Of the program that runs."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("huiying")
    return "unknown"
