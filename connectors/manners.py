"""How many ask one host at once, and how far apart: nobody's server is to feel us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connectors.addresses import canonical_host


def host_of(url: str) -> str:
    """The host of an address in one form, "" when it has none."""
    try:
        return canonical_host(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@dataclass
class _Host:
    places: asyncio.Semaphore
    free_at: float = 0.0


@dataclass
class Manners:
    """`at_once` fetches of one host, their beginnings at least `gap_s` real seconds apart."""

    at_once: int = 2
    gap_s: float = 1.0
    _hosts: dict[str, _Host] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, url: str, gap_s: float = 0.0) -> AsyncIterator[None]:
        """Wait for a place at the host. `gap_s`: a longer distance that the host itself asks for."""
        host = self._hosts.setdefault(host_of(url), _Host(asyncio.Semaphore(self.at_once)))
        async with host.places:
            await self._pause(host, max(self.gap_s, gap_s))
            yield

    async def _pause(self, host: _Host, gap_s: float) -> None:
        """Take the next free moment; whoever comes meanwhile gets one behind it."""
        now = asyncio.get_running_loop().time()
        mine = max(now, host.free_at)
        host.free_at = mine + gap_s
        if mine > now:
            await asyncio.sleep(mine - now)
