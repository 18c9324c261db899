"""Being asked to stop: a plain flag, set by SIGINT and SIGTERM, looked at by the main thread.

An Event will not do: its lock may be held by the very thread that the handler interrupts.
"""

from __future__ import annotations

import signal
import time
from types import FrameType

LOOK_EVERY_S = 0.1


class StopRequest:
    """Make one in the main thread before anything starts, then `wait()`."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def wait(self) -> None:
        while not self.asked:
            time.sleep(LOOK_EVERY_S)


def end_in_order() -> None:
    """SIGTERM ends this process as the end of its work would: what stands open is closed on the way out."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
