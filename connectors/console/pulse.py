"""One shared look at the desk's revision for however many pages are open (SSE)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.concurrency import run_in_threadpool

from connectors.console.desk import Desk

log = structlog.get_logger(__name__)
HEARTBEAT_S = 15.0
RETRY_MS = 1000


class Pulse:
    """Asks for the revision every `poll_s` seconds while at least one page listens.

    When the desk cannot answer, every stream ends: the browsers come back by themselves and
    the page meanwhile says that it is not live.
    """

    def __init__(self, desk: Desk, poll_s: float) -> None:
        self._desk, self._poll_s = desk, poll_s
        self._revision: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._listeners = 0
        self._broken = False
        self.closing = False

    async def stream(self, last_seen: int | None) -> AsyncIterator[bytes]:
        """Server-sent events: `board` with id = revision, and a comment as heartbeat."""
        self._listeners += 1
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            self._ensure()
            while True:
                current = await self._next(last_seen)
                if self._broken or self.closing:
                    return
                yield _event(current) if current is not None else b": still here\n\n"
                last_seen = last_seen if current is None else current
        finally:
            self._listeners -= 1

    async def close(self) -> None:
        """End all streams, so that the server can stop at once."""
        self.closing = True
        await self._tell()

    def _ensure(self) -> None:
        if self._task is None or self._task.done():
            self._revision, self._broken = None, False
            self._task = asyncio.create_task(self._watch(), name="console-pulse")

    async def _next(self, seen: int | None) -> int | None:
        """The first revision that is not `seen`; None when the heartbeat is due or all ends."""

        def news() -> bool:
            return self.closing or self._broken or self._revision not in (None, seen)

        async with self._changed:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._changed.wait_for(news)
            except TimeoutError:
                return None
            return self._revision

    async def _watch(self) -> None:
        while self._listeners and not self.closing:
            try:
                revision = await run_in_threadpool(self._desk.revision)
            except Exception as error:  # noqa: BLE001  whatever broke, the pages must hear of it
                log.error("console_pulse_lost", error=str(error), mend="huiying doctor")
                self._broken = True
                await self._tell()
                return
            if revision != self._revision:
                self._revision = revision
                await self._tell()
            await asyncio.sleep(self._poll_s)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _event(revision: int) -> bytes:
    return f"id: {revision}\nevent: board\ndata: {revision}\n\n".encode()
