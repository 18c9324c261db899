"""A port for a server that a test stops and starts again.

The kernel gives the ports of its ephemeral range to every client and to whoever asks for port 0: what is free
there while a server is down may be somebody's a moment later, and it cannot come back. Whoever knocks there until it
is back may even be given that very port to knock from, and meets himself. These lie below that range.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

_dice = random.SystemRandom()  # a test that seeds `random` must not get its neighbour's ports
_given: set[int] = set()


def free_port() -> int:
    """A port on loopback that nobody listens on, given once in this process."""
    while True:
        port = _dice.randrange(LOWEST, _ephemeral())
        with socket.socket() as probe:
            if port not in _given and _binds(probe, port):
                _given.add(port)
                return port


def _ephemeral() -> int:
    """Where the kernel's own begin; 32,768 on Linux unless somebody has widened it."""
    begin = int(RANGE.read_text().split()[0]) if RANGE.exists() else 32_768
    return begin if begin > 2 * LOWEST else 32_768


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
