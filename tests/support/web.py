"""A real HTTP server on loopback whose pages are told by the test.

`with Web() as web: web.page("/feed.xml", b"…", {"ETag": '"1"'}); web.url("/feed.xml")`.
A page may also be a function that gets the request's handler and writes what it likes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Speak = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Seen:
    path: str
    headers: Mapping[str, str]  # names in lower case


class Web:
    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._pages: dict[str, Speak] = {}
        pages, seen = self._pages, self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}))
                speak = pages.get(self.path)
                if speak is None:
                    answer(self, 404, b"nothing here", {})
                    return
                speak(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False  # a page that speaks slowly on purpose must not hold the test
            request_queue_size = 128

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up is what several tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> None:
        self.speak(path, lambda handler: answer(handler, status, body, headers or {}))

    def speak(self, path: str, speak: Speak) -> None:
        self._pages[path] = speak

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    bodyless = status == 304 or status < 200
    if not bodyless:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if not bodyless:
        handler.wfile.write(body)
