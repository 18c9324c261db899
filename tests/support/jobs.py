"""Jobs for the isolated process, good and bad."""

from __future__ import annotations

import os
from typing import Any


def job(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Does what the request asks: answers, looks around, never ends, dies, or eats memory."""
    if request["do"] == "spin":
        while True:
            pass
    if request["do"] == "die":
        os._exit(7)
    if request["do"] == "eat":
        return {"size": len(b"x" * (1 << 40))}
    if request["do"] == "look":
        return {"names": sorted(os.environ), "process": os.getpid()}
    return {"size": len(body), "process": os.getpid()}
