"""The console behind a fixed address that goes away and comes back, as a line does."""

from __future__ import annotations

from contextlib import ExitStack

from connectors.console.desk import Desk
from support.console import served
from support.ports import free_port


class Line:
    def __init__(self, desk: Desk) -> None:
        self.port = free_port()
        self._desk, self._up = desk, ExitStack()
        self.mend()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        self._up.enter_context(served(self._desk, self.port))

    def cut(self) -> None:
        self._up.close()
