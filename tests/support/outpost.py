"""A receiver in a process of its own, as fast as plain Python is: it has one function that answers.

A module with such an `answer` ends with `asyncio.run(serve(answer, sys.argv[1]))`, which prints the port when
ready; its `class Sink(Outpost)` starts it: `with Sink() as sink: sink.url; sink.count()`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from support.processes import with_support

Answering = Callable[[bytes, bytes], bytes]
"""(head, body) of a request → the whole answer."""
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Line(asyncio.Protocol):
    """One connection. Requests may come in pieces or several at once."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.kept = transport, b""

    def data_received(self, data: bytes) -> None:
        self.kept += data
        while (end := self.kept.find(b"\r\n\r\n")) >= 0:
            head = self.kept[:end]
            size = int(_field(head, b"content-length") or 0)
            if len(self.kept) < end + 4 + size:
                return
            body, self.kept = self.kept[end + 4 : end + 4 + size], self.kept[end + 4 + size :]
            self.transport.write(self.answer(head, body))


def _field(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""


def shown(value: object) -> bytes:
    """The answer to a GET."""
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(answer: Answering, host: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(answer), host, 0, backlog=2048)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


class Outpost:
    """The process as a test sees it: the module of the subclass is what runs there. `host`: where it listens."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host

    def __enter__(self) -> Self:
        line = [sys.executable, "-P", "-m", type(self).__module__, self.host]
        self._process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=with_support())
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        self.url = f"http://{self.host}:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def count(self) -> dict[str, int]:
        counted: dict[str, int] = self.ask("count")
        return counted

    def ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/{what}", timeout=120) as answered:
            return json.load(answered)
