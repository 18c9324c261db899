"""A receiver as fast as plain Python is: takes every alert, and on GET tells how many it has seen.

A process of its own, so that it does not share the sender's interpreter. Prints its port when ready.
GET /count → {"requests", "alerts"}: all POSTs so far, and how many different alerts they carried.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Self

SEEN: set[bytes] = set()
ALERT = re.compile(rb'"alert_id": "([^"]+)"')
COUNT = {"requests": 0}
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Line(asyncio.Protocol):
    """One connection. Requests may come in pieces or several at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.kept = transport, b""

    def data_received(self, data: bytes) -> None:
        self.kept += data
        while (end := self.kept.find(b"\r\n\r\n")) >= 0:
            head = self.kept[:end]
            size = int(field(head, b"content-length") or 0)
            if len(self.kept) < end + 4 + size:
                return
            body, self.kept = self.kept[end + 4 : end + 4 + size], self.kept[end + 4 + size :]
            self.transport.write(answer(head, body))


def answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET"):
        told = json.dumps(COUNT | {"alerts": len(SEEN)}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told)
    COUNT["requests"] += 1
    SEEN.update(ALERT.findall(body))  # a message may carry several
    return TAKEN


def field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


class Sink:
    """The receiver in its process, as a test sees it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([sys.executable, "-P", __file__], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def count(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.url}/count", timeout=10) as answer:
            counted: dict[str, int] = json.load(answer)
            return counted


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Line, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
