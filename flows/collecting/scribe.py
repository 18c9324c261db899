"""Group commit: whoever has something to write waits for it; all that waits goes in together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from models.ledger.store import Connection, Store

T = TypeVar("T")
Counts = dict[str, int]
AT_A_TIME = 200
"""Things written in one transaction at the most."""
TRIES_ALONE = 2
"""After so many single failures on end it is the database that is away, not one thing that is bad."""


class Scribe(Generic[T]):
    """`await put(thing)` returns what `note` gave for it, once that is committed.

    A transaction that fails is tried again thing by thing, so that what cannot be written holds up
    nothing else, whatever the reason. Raises it (mostly LedgerError) to those whose thing it is.
    """

    def __init__(self, store: Store, note: Callable[[Connection, T], Counts]) -> None:
        self._store, self._note = store, note
        self._waiting: list[tuple[T, asyncio.Future[Counts]]] = []
        self._work: asyncio.Task[None] | None = None

    async def put(self, thing: T) -> Counts:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, written))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write())
        counts: Counts = await written
        return counts

    async def _write(self) -> None:
        while group := self._waiting[:AT_A_TIME]:
            del self._waiting[: len(group)]
            try:
                ends = await asyncio.to_thread(self._commit, [thing for thing, _ in group])
            except Exception as error:  # noqa: BLE001  whatever it is, those who wait are told
                ends = [error] * len(group)
            for (_, written), end in zip(group, ends, strict=True):
                _tell(written, end)

    def _commit(self, group: Sequence[T]) -> list[Counts | Exception]:
        try:
            with self._store.write() as conn:
                return [self._note(conn, thing) for thing in group]
        except Exception as error:  # noqa: BLE001  one thing that cannot be written must not be everybody's end
            return [error] if len(group) == 1 else self._one_by_one(group)

    def _one_by_one(self, group: Sequence[T]) -> list[Counts | Exception]:
        ends: list[Counts | Exception] = []
        for thing in group:
            last = ends[-TRIES_ALONE:]
            away = len(last) == TRIES_ALONE and all(isinstance(end, Exception) for end in last)
            ends.append(last[-1] if away else self._commit([thing])[0])
        return ends


def _tell(written: asyncio.Future[Counts], end: Counts | Exception) -> None:
    if written.done():  # whoever waited has been called off
        return
    if isinstance(end, Exception):
        written.set_exception(end)
    else:
        written.set_result(end)
