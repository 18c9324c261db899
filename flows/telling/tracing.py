"""Traces out: each incident's story as spans, to a collector (site.yaml `tracing`).

Read (the entries behind the mark) → send → append (the mark). No hot path knows of it: it reads what the others
have written, in a thread of its own. A kill between the two sends the same spans with the same numbers again.
A site that names a collector today is told from today on.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
import structlog

from connectors import otlp
from connectors.ports import Refused
from flows import machine
from flows.holders import ME
from flows.tireless import follow
from flows.wiring import House
from models.ledger import duties, journal, traced
from models.ledger.store import Connection

log = structlog.get_logger()

DUTY = "tracing"
MARK = "tracing"
LEASE = timedelta(seconds=150)
"""Longer than a send may take, so that two processes seldom tell the same."""
IDLE_S, BEAT_S, FAULT_S = 1.0, 3.0, 5.0


def mark(conn: Connection) -> int | None:
    """The last entry that was told; None while nothing was."""
    kept = duties.get_setting(conn, MARK)
    return int(kept["upto"]) if kept else None


def behind(conn: Connection) -> int:
    """How many entries the collector has not been told of."""
    upto = mark(conn)
    return 0 if upto is None else max(0, journal.length(conn)[0] - upto)


def collector(house: House) -> otlp.Collector:
    """Raises `Refused` for a header whose secret is not there."""
    said = house.site.tracing
    try:
        headers = {name: house.site.secrets(value) for name, value in said.headers.items()}
    except (LookupError, OSError, ValueError) as error:
        raise Refused(f"tracing.headers: {error}") from None
    return otlp.Collector(said.endpoint or "", house.site.name, machine.version(), headers, said.timeout_s)


def jobs(
    house: House, wanted: Collection[str], stopped: threading.Event
) -> list[tuple[str, Callable[[], None]]]:
    """The senders' processes tell, where the site names a collector."""
    wants = "deliver" in wanted and house.site.tracing.endpoint
    return [(DUTY, lambda: follow_traces(house, stopped))] if wants else []


def follow_traces(house: House, stopped: threading.Event) -> None:
    """Tell until told to stop."""
    teller = Teller(house)
    follow(house, DUTY, teller.step, stopped, idle_s=IDLE_S, fault_s=FAULT_S, let_go=teller.let_go)


@dataclass
class Teller:
    """A line to the collector, and how much was told over it."""

    house: House
    told: int = 0
    beaten: float = float("-inf")
    _client: httpx2.Client | None = field(default=None, repr=False)

    def step(self) -> int:
        """One stretch of the journal if the duty is ours; how many entries the mark went forward."""
        if not self._is_ours():
            return 0
        with self.house.store.read() as conn:
            known = mark(conn) or 0
            spans, upto = traced.after(conn, known)
        try:
            otlp.post(self._line(), collector(self.house), spans)
        except otlp.Unwanted as error:  # the same again would be refused again: the next ones may not be
            log.error("a collector refused spans, which are left out", reason=str(error), spans=len(spans))
        self._advance(known, upto)
        self.told += len(spans)
        if time.monotonic() - self.beaten > BEAT_S:
            self._beat()
        return upto - known

    def _line(self) -> httpx2.Client:
        if self._client is None:
            self._client = httpx2.Client(trust_env=False)
        return self._client

    def _is_ours(self) -> bool:
        """Quiet rounds ask with one read; only something to tell is worth a lease."""
        with self.house.store.read() as conn:
            fresh, waits = mark(conn) is None, behind(conn) > 0
        if not (fresh or waits or time.monotonic() - self.beaten > BEAT_S):
            return False
        with self.house.store.write() as conn:
            if mark(conn) is None:
                duties.put_setting(conn, MARK, {"upto": journal.length(conn)[0]})
            ours = duties.take(conn, DUTY, self.house.time.now(), LEASE * self.house.time.speed, ME)
        if not ours:  # another process tells: we ask again as seldom as it beats
            self.beaten = time.monotonic()
        return ours

    def _advance(self, known: int, upto: int) -> None:
        """Note how far we are, unless another process has got there meanwhile."""
        if upto == known:
            return
        with self.house.store.write() as conn:
            if mark(conn) == known:
                duties.put_setting(conn, MARK, {"upto": upto})

    def _beat(self) -> None:
        with self.house.store.write() as conn:
            duties.beat(conn, DUTY, self.house.time.now(), f"本次启动以来已送 {self.told} 段")
        self.beaten = time.monotonic()

    def let_go(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):  # it is being given up in any case
                self._client.close()
        self._client = None
