"""Waiting for something to become true, by asking; the patience only ends a test that never will."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120.0
LONG_S = 300.0
"""For what starts many processes, or waits for Prefect, on a busy machine."""
PAUSE_S = 0.1


def until(
    ask: Callable[[], T],
    words: Callable[[], str] = str,
    *,
    alive: Callable[[], bool] = lambda: True,
    patience_s: float = PATIENCE_S,
) -> T:
    """The first truthy answer of `ask`. `words` tells what went wrong; not `alive` ends the wait at once."""
    deadline = time.monotonic() + patience_s
    while not (answer := ask()):
        assert alive(), f"it has ended: {words()}"
        assert time.monotonic() < deadline, f"it never came about: {words()}"
        time.sleep(PAUSE_S)
    return answer
