"""One shared look at the desk's revision for however many pages are open (SSE), and at each board once.

An act that comes through this process is seen at once (`poke`), everybody else's within `poll_s`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.console.desk import Desk
from connectors.console.drawn import MOST_LOOKS, Drawing, Gallery, Look

log = structlog.get_logger(__name__)
HEARTBEAT_S: Final = 15.0
RETRY_MS: Final = 1000
AGAIN_S: Final = 6.0
"""So often a board is drawn anew though nothing was written: a source falls silent without an entry."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Hall:
    """Those who look at one board: what they see now, and what must be said to whoever sees something older."""

    def __init__(self, look: Look, gallery: Gallery) -> None:
        self.look, self._gallery, self.listeners = look, gallery, 0
        self.now: Drawing | None = None
        self._events: dict[str, bytes] = {}

    def hang(self, drawing: Drawing) -> None:
        self.now = drawing
        self._events.clear()

    def since(self, digest: str) -> bytes:
        """What a page that shows `digest` must be told, worked out once for all that show it."""
        assert self.now is not None
        if digest not in self._events:
            self._events[digest] = _parts(self.now, self._gallery.marks(self.look, digest))
        return self._events[digest]


class Pulse:
    """Asks for the revision every `poll_s` seconds while at least one page listens.

    When the desk cannot answer, every stream ends: the browsers come back by themselves and
    the page meanwhile says that it is not live.
    """

    def __init__(self, desk: Desk, poll_s: float) -> None:
        self._desk, self._poll_s, self.gallery = desk, poll_s, Gallery(desk)
        self._revision: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Condition()
        self._poked = asyncio.Event()
        self._halls: dict[Look, Hall] = {}
        self._listeners = 0
        self._drawn_at = 0.0
        self._broken = False
        self.closing = False

    def poke(self) -> None:
        """Look now: something was written here. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._poked.set)

    async def stream(self, seen: str, look: Look | None = None) -> AsyncGenerator[bytes, None]:
        """Server-sent events, and a comment as heartbeat. `board` with the revision whenever it has changed;
        for a `look` instead `parts`: JSON of what has changed on it, or `renew` when that cannot be told.
        `seen` is the id of the last event, or the name of the drawing that the page came with."""
        number, digest = _seen(seen)
        self._listeners += 1
        hall = self._enter(look) if look else None
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            self._ensure()
            while True:
                events, number, digest = await self._next(number, digest, hall)
                events = events.replace(b"event: board", b"event: renew") if look and not hall else events
                if self._broken or self.closing:
                    return
                yield events or b": still here\n\n"
        finally:
            self._listeners -= 1
            if hall:
                self._leave(hall)

    async def close(self) -> None:
        """End all streams, so that the server can stop at once."""
        self.closing = True
        self.poke()
        await self._tell()

    def _enter(self, look: Look) -> Hall | None:
        """The hall of that look; None when so many boards are looked at that this one's page must ask by itself."""
        if look not in self._halls and len(self._halls) >= MOST_LOOKS:
            return None
        hall = self._halls.setdefault(look, Hall(look, self.gallery))
        hall.listeners += 1
        if hall.now is None:
            self._drawn_at = 0.0
            self.poke()
        return hall

    def _leave(self, hall: Hall) -> None:
        hall.listeners -= 1
        if not hall.listeners:
            self._halls.pop(hall.look, None)

    def _ensure(self) -> None:
        if self._task is None or self._task.done():
            self._revision, self._broken, self._drawn_at = None, False, 0.0
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.create_task(self._watch(), name="console-pulse")

    async def _next(
        self, number: int | None, digest: str, hall: Hall | None
    ) -> tuple[bytes, int | None, str]:
        """The events that this page has not seen, and what it has seen with them; no events when the
        heartbeat is due or all ends."""

        def moved() -> bool:
            return hall is None and self._revision not in (None, number)

        def redrawn() -> Drawing | None:
            return hall.now if hall and hall.now and hall.now.digest != digest else None

        async with self._changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await self._changed.wait_for(
                        lambda: self.closing or self._broken or moved() or redrawn() is not None
                    )
            events = _board(self._revision or 0) if moved() else b""
            number = self._revision if moved() else number
            if hall and (drawing := redrawn()):
                return events + hall.since(digest), number, drawing.digest
            return events, number, digest

    async def _watch(self) -> None:
        try:
            while self._listeners and not self.closing:
                self._poked.clear()
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await self._poked.wait()
        except Exception as error:  # noqa: BLE001  whatever broke, the pages must hear of it
            log.error("console_pulse_lost", error=str(error), mend="huiying doctor")
            self._broken = True
            await self._tell()

    async def _look(self) -> None:
        """The revision first, for all other pages; then each board, the one with most pages before the others:
        nobody waits for the board of somebody else."""
        revision = await run_in_threadpool(self._desk.revision)
        if revision == self._revision and monotonic() - self._drawn_at < AGAIN_S:
            return
        self._drawn_at, self._revision = monotonic(), revision
        await self._tell()
        for hall in sorted(self._halls.values(), key=lambda one: -one.listeners):
            hall.hang(await run_in_threadpool(self.gallery.drawing, hall.look))
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Poke:
    """ASGI middleware: after an act that was done here the pulse looks at once."""

    def __init__(self, app: ASGIApp, pulse: Pulse) -> None:
        self.app, self.pulse = app, pulse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self.app(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self.pulse.poke()
            await send(message)

        await self.app(scope, receive, told)


def _seen(text: str) -> tuple[int | None, str]:
    """`212-5f0c…` → the revision and the drawing's digest; what cannot be read was not seen."""
    number, _, digest = text[:60].partition("-")
    try:
        return int(number[:20]), digest
    except ValueError:
        return None, ""


def _board(revision: int) -> bytes:
    return f"id: {revision}\nevent: board\ndata: {revision}\n\n".encode()


def _parts(drawing: Drawing, marks: Mapping[str, str] | None) -> bytes:
    """What differs from `marks`; where nobody knows any more what they were, the page must ask for all."""
    if marks is None:
        return f"id: {drawing.name}\nevent: renew\ndata: {drawing.revision}\n\n".encode()
    told = {
        "revision": drawing.revision,
        "now": drawing.view["now"],
        "found": drawing.view["found"],
        "order": drawing.order,
        "parts": drawing.changes(marks),
    }
    return f"id: {drawing.name}\nevent: parts\ndata: {json.dumps(told, ensure_ascii=False)}\n\n".encode()
