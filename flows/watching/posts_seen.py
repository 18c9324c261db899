"""The pages of a rumour's posts, looked at once while its evidence is gathered: they may be gone tomorrow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from connectors import http
from connectors.http import Guard
from connectors.manners import Manners
from connectors.watch import Sight, look

AT_MOST, AT_ONCE = 30, 4
WITHIN_S = 40.0
"""A person waits for it; what was not seen by then is said to be unseen."""
GAP_S = 0.2


def seen(guard: Guard, urls: Iterable[str | None], at: datetime) -> dict[str, Sight]:
    """url → what was seen, of the first AT_MOST that are addresses of pages. Never raises for a page."""
    wanted = [url for url in dict.fromkeys(urls) if url and url.startswith(("http://", "https://"))]
    return asyncio.run(_all(guard, wanted[:AT_MOST], at)) if wanted else {}


async def _all(guard: Guard, urls: list[str], at: datetime) -> dict[str, Sight]:
    gate, manners = asyncio.Semaphore(AT_ONCE), Manners(2, GAP_S)

    async with http.open_client(guard, AT_ONCE) as client:

        async def one(url: str) -> Sight:
            async with manners.turn(url), gate:
                return await look(guard, url, at, client)

        tasks = {asyncio.create_task(one(url)): url for url in urls}
        done, late = await asyncio.wait(tasks, timeout=WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return {tasks[task]: task.result() for task in done}
