"""A question that may never be answered, asked without waiting for ever.

A database that hangs (a paused machine, a route that swallows packets) says nothing at all: whoever keeps the
time or keeps watch must not hang with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Asker(Generic[T]):
    """Asks `question` in a thread of its own, one at a time, and waits `patience_s` for the answer."""

    def __init__(self, question: Callable[[], T], patience_s: float) -> None:
        self._question, self._patience_s = question, patience_s
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def ask(self) -> list[T]:
        """[the answer]; [] while there is none in time, then or to an earlier question. What the question
        raises is raised here."""
        answers: list[T] = []
        faults: list[Exception] = []
        with self._lock:
            if self._asking is not None and self._asking.is_alive():
                return []
            asking = threading.Thread(target=self._run, args=(answers, faults), name="asker", daemon=True)
            self._asking = asking
            asking.start()
        asking.join(self._patience_s)
        if faults:
            raise faults[0]
        return answers[:1]

    def _run(self, answers: list[T], faults: list[Exception]) -> None:
        try:
            answers.append(self._question())
        except Exception as error:  # noqa: BLE001  told by whoever asked
            faults.append(error)
