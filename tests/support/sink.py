"""A receiver as fast as plain Python is: takes every alert, and on GET tells how many it has seen.

A process of its own, so that it does not share the sender's interpreter. Prints its port when ready.
GET /count → {"requests", "alerts"}: all POSTs so far, and how many different alerts they carried.
"""

from __future__ import annotations

import asyncio
import re
import sys

from support.outpost import TAKEN, Outpost, serve, shown

SEEN: set[bytes] = set()
ALERT = re.compile(rb'"alert_id": "([^"]+)"')
COUNT = {"requests": 0}


def answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET"):
        return shown(COUNT | {"alerts": len(SEEN)})
    COUNT["requests"] += 1
    SEEN.update(ALERT.findall(body))  # a message may carry several
    return TAKEN


class Sink(Outpost):
    """The receiver in its process, as a test sees it."""


if __name__ == "__main__":
    asyncio.run(serve(answer, sys.argv[1]))
