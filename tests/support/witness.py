"""A receiver of alerts in a process of its own that takes everything and forgets nothing: of each alert when it
was first taken, how often, under which references, and what it told whom.

`with Witness() as witness: witness.url; witness.count(); witness.log()`. Prints its port when ready.
GET /count → {"requests", "alerts"}; GET /log → {alert id: [first taken (s since 1970), times taken,
[references], [told], title of its incident]}.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from support.moody import Log, carried, told
from support.processes import with_support
from support.sink import field

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SEEN: dict[str, list[Any]] = {}
COUNT = {"requests": 0}


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
        shown = json.dumps(SEEN if b"/log" in head else COUNT | {"alerts": len(SEEN)}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(shown), shown)
    COUNT["requests"] += 1
    for alert in carried(json.loads(body)):
        note(alert, time.time())
    return TAKEN


def note(alert: dict[str, Any], at: float) -> None:
    title = alert.get("incident", {}).get("title", "")
    seen = SEEN.setdefault(alert["alert_id"], [at, 0, [], told(alert), title])
    seen[1] += 1
    if alert["ref"] not in seen[2]:
        seen[2].append(alert["ref"])


@dataclass(frozen=True, slots=True)
class Taken:
    """One alert as it came in. `at`: first time, seconds since 1970."""

    at: float
    times: int
    refs: tuple[str, ...]
    told: tuple[str, ...]
    title: str


class Witness:
    """The receiver in its process, as a test sees it. `host`: where it listens."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host

    def __enter__(self) -> Self:
        line = [sys.executable, "-P", "-m", "support.witness", self.host]
        self._process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=with_support())
        assert self._process.stdout
        self.url = f"http://{self.host}:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def count(self) -> dict[str, int]:
        counted: dict[str, int] = self._get("count")
        return counted

    def log(self) -> dict[str, Taken]:
        found = self._get("log")
        return {
            one: Taken(at, times, tuple(refs), tuple(told_), title)
            for one, (at, times, refs, told_, title) in found.items()
        }

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/{what}", timeout=120) as answered:
            return json.load(answered)


def as_log(taken: dict[str, Taken]) -> Log:
    """For `truth.look`."""
    log = Log()
    for one, seen in taken.items():
        log.taken[one] = seen.times
        log.refs[one] = set(seen.refs)
        log.ids.setdefault(seen.told, set()).add(one)
        log.requests += seen.times
    return log


async def main(host: str) -> None:
    server = await asyncio.get_running_loop().create_server(Line, host, 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
