"""A door before a TCP address: shut, nobody answers; open, everything passes through.

`with Gate("127.0.0.1:9092") as gate: gate.address; gate.open()`.
"""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

from support.ports import free_port


class Gate:
    """Shut until `open()`; its address stays the same."""

    def __init__(self, behind: str) -> None:
        host, _, port = behind.rpartition(":")
        self._behind, self._port = (host, int(port)), free_port()
        self._sockets: list[socket.socket] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._sockets.append(listener)
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # shut
            far = socket.create_connection(self._behind)
            self._sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pour, args=(one, other), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for one in self._sockets:
            _shut(one)


def _pour(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
    except OSError:
        return  # either side hung up
    finally:
        _shut(other)


def _shut(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was never connected, or is shut already
    finally:
        one.close()
