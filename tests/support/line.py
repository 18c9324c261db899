"""The console behind a fixed address that goes away and comes back, as a line does."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from connectors.console.desk import Desk
from support.console import served


class Line:
    def __init__(self, desk: Desk) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._desk, self._up = desk, ExitStack()
        self.mend()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        self._up.enter_context(served(self._desk, self.port))

    def cut(self) -> None:
        self._up.close()
