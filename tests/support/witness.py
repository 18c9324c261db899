"""A receiver of alerts in a process of its own that takes everything and forgets nothing: of each alert when it
was first taken, how often, under which references, and what it told whom.

`with Witness() as witness: witness.url; witness.count(); witness.log()`. Prints its port when ready.
GET /count → {"requests", "alerts"}; GET /log → {alert id: [first taken (s since 1970), times taken,
[references], [told], title of its incident]}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from support.moody import Log, carried, told
from support.outpost import TAKEN, Outpost, serve, shown

SEEN: dict[str, list[Any]] = {}
COUNT = {"requests": 0}


def answer(head: bytes, body: bytes) -> bytes:
    if head.startswith(b"GET"):
        return shown(SEEN if b"/log" in head else COUNT | {"alerts": len(SEEN)})
    COUNT["requests"] += 1
    for alert in carried(json.loads(body)):
        note(alert, time.time())
    return TAKEN


def note(alert: dict[str, Any], at: float) -> None:
    title = alert.get("incident", {}).get("title", "")
    seen = SEEN.setdefault(alert["alert_id"], [at, 0, [], told(alert), title])
    seen[1] += 1
    if alert["ref"] not in seen[2]:
        seen[2].append(alert["ref"])


@dataclass(frozen=True, slots=True)
class Taken:
    """One alert as it came in. `at`: first time, seconds since 1970."""

    at: float
    times: int
    refs: tuple[str, ...]
    told: tuple[str, ...]
    title: str


class Witness(Outpost):
    """The receiver in its process, as a test sees it."""

    def log(self) -> dict[str, Taken]:
        found = self.ask("log")
        return {
            one: Taken(at, times, tuple(refs), tuple(told_), title)
            for one, (at, times, refs, told_, title) in found.items()
        }


def as_log(taken: dict[str, Taken]) -> Log:
    """For `truth.look`."""
    log = Log()
    for one, seen in taken.items():
        log.taken[one] = seen.times
        log.refs[one] = set(seen.refs)
        log.ids.setdefault(seen.told, set()).add(one)
        log.requests += seen.times
    return log


if __name__ == "__main__":
    asyncio.run(serve(answer, sys.argv[1]))
