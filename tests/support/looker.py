"""Somebody looks at the board again and again, in a thread: how long each look took and what was answered."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx2

EVERY_S = 0.5
PATHS = ("/", "/api/v1/board?limit=40")


@dataclass
class Looker:
    """`ms` of the answers that were good, `statuses` of all (0: no answer)."""

    url: str
    ms: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(60)

    def _look(self) -> None:
        with httpx2.Client(timeout=30) as client:
            number = 0
            while not self._over.wait(EVERY_S):
                self._once(client, PATHS[number % len(PATHS)])
                number += 1

    def _once(self, client: httpx2.Client, path: str) -> None:
        began = time.perf_counter()
        try:
            status = client.get(self.url + path).status_code
        except httpx2.HTTPError:
            status = 0
        if status == 200:
            self.ms.append((time.perf_counter() - began) * 1000)
        self.statuses.append(status)
