"""Hundreds of open boards in one process: each an event stream of its own, which remembers what it heard when."""

from __future__ import annotations

import asyncio
import re
import time
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

NAME = re.compile(rb"id: (\d+)-[0-9a-f]+$")
"""Of what is told of a board, be it its parts or that it must be asked for anew."""
Heard = list[tuple[int, float]]
"""(revision, when): of every event, in order."""


def watch(address: str, viewers: int, pipe: Connection) -> None:
    """Open them all, say "all here", and when anything is sent answer with what each has heard."""
    pipe.send(asyncio.run(_watch(address, viewers, pipe)))


async def _watch(address: str, viewers: int, pipe: Connection) -> list[Heard]:
    heard: list[Heard] = [[] for _ in range(viewers)]
    tasks = [asyncio.create_task(_view(address, into)) for into in heard]
    while not all(heard):
        await asyncio.sleep(0.05)
    pipe.send("all here")
    await asyncio.to_thread(pipe.recv)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard


async def _view(address: str, heard: Heard) -> None:
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, limit=2**22)
    writer.write(b"GET /events?board=1&since= HTTP/1.1\r\nHost: %b\r\n\r\n" % where.netloc.encode())
    while line := await reader.readline():
        if event := NAME.match(line):
            heard.append((int(event[1]), time.time()))
