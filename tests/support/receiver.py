"""A real HTTP server on loopback that stands in for whoever receives alerts.

It keeps every request and answers as told: a status, a body, a hang, a closed or a truncated
connection. `with Receiver() as receiver: receiver.answer(status=429); … receiver.requests`.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. `connection` tells apart the connections it came over."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer. `hang`: never, until the receiver closes; `close`: hang up without a word;
    `truncate`: promise the whole body and send half of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    close: bool = False
    truncate: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves early is part of the play, not a fault of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.receiver.connections)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Nothing is written: tests read `requests`."""

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if len(body) < size:  # the client died in the middle of a word
            self.close_connection = True
            return
        headers = {key.lower(): value for key, value in self.headers.items()}
        self._give(self.server.receiver.take(Request(self.command, self.path, headers, body, self.number)))

    do_GET = do_POST  # noqa: N815  (the base class's name)

    def _give(self, answer: Answer) -> None:
        if answer.hang:
            self.server.receiver.closing.wait()
        if answer.hang or answer.close:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.truncate else answer.body)
        self.wfile.flush()
        self.close_connection = self.close_connection or answer.truncate


class Receiver:
    """A threaded server on a free port. What `answer` says holds for all following requests;
    `then` queues answers that are used up first, in order."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.connections = itertools.count(1)
        self.judge: Callable[[Request], int] | None = None  # the status of an answer, from its request
        self.aside: Callable[[Request], Answer | None] | None = None  # what is answered apart, and not kept
        self.reply: Callable[[Request], Answer] | None = None  # the answer, where none is queued
        self._now = Answer()
        self._next: list[Answer] = []
        self._lock = threading.Lock()
        self._server = _Server((host, 0), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self._server.server_port}"

    def answer(self, **how: Any) -> None:
        self._now = Answer(**how)

    def then(self, *answers: Answer) -> None:
        with self._lock:
            self._next.extend(answers)

    def take(self, request: Request) -> Answer:
        apart = self.aside(request) if self.aside else None
        if apart is not None:
            return apart
        with self._lock:
            self.requests.append(request)
            if self.judge is not None:
                return Answer(status=self.judge(request))
            if self._next:
                return self._next.pop(0)
            return self.reply(request) if self.reply else self._now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
