"""A process tells of itself: a row every few seconds, taken away when it ends in order.

So `huiying doctor` and the board see every machine from any of them, and name the one that fell silent.
What stands around (Prefect, Kafka) is asked from here, for a firewall lets through one machine and not another.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import httpx
import structlog

from connectors import broker
from connectors.ports import ConnectorError
from flows import machine
from flows.collecting.following import broker_settings
from flows.holders import ME, is_dead
from flows.timekeeping import machine_now
from flows.wiring import House
from models.core.fleet import BEAT, KEPT, Seen
from models.ledger import presence
from models.ledger.store import LedgerError

log = structlog.get_logger()
PROBE_S = 60.0
"""Between two looks around."""
ASK_S = 3.0
"""As long as one may take."""


@dataclass
class Presence:
    """`kind`: run | worker | console | serve; `duties`: what this process does."""

    house: House
    kind: str
    duties: tuple[str, ...] = ()
    _reach: dict[str, str] = field(default_factory=dict)
    _probed: float | None = None

    @cached_property
    def started_at(self) -> datetime:
        return self.house.time.now()

    def watch(self, stopped: threading.Event) -> None:
        """Tell until told to stop; a database that is away is told later."""
        while not stopped.is_set():
            try:
                self.tell()
            except Exception as error:  # noqa: BLE001  whatever it is, it lives, and says so again
                log.warning("this process could not tell of itself", reason=str(error) or repr(error))
            stopped.wait(BEAT.total_seconds())
        self.leave()

    def tell(self) -> None:
        """One row; rows of the certainly dead of this machine, and of those gone for a day, go with it."""
        one = self.seen()
        with self.house.store.read() as conn:
            gone = [other.id for other in presence.known(conn) if is_dead(other.id)]
        with self.house.store.write() as conn:
            presence.say(conn, one)
            presence.forget(conn, gone)
            presence.forget_before(conn, one.beat_at - KEPT * self.house.time.speed)

    def leave(self) -> None:
        """It ends in order: nobody need look for it."""
        try:
            with self.house.store.write() as conn:
                presence.forget(conn, [ME])
        except LedgerError as error:
            log.warning("this process could not say that it ends", reason=str(error))

    def seen(self) -> Seen:
        used, size = presence.pool(self.house.store) or (None, None)
        return Seen(
            id=ME,
            host=socket.gethostname(),
            pid=os.getpid(),
            kind=self.kind,
            duties=self.duties,
            version=machine.version(),
            schema_version=presence.schema_known(),
            started_at=self.started_at,
            beat_at=self.house.time.now(),
            offset_ms=offset_ms(self.house),
            memory=machine.resident(),
            pool_used=used,
            pool_size=size,
            disks=disks(self.house),
            reach=self._around(),
        )

    def _around(self) -> dict[str, str]:
        """Not before the first word is said: whoever does not answer takes his time."""
        if self._probed is None:
            self._probed = float("-inf")
        elif time.monotonic() - self._probed > PROBE_S:
            self._reach, self._probed = around(self.house, self.duties), time.monotonic()
        return self._reach


def offset_ms(house: House) -> int | None:
    """How far this machine's wall clock stands before the database's; None on SQLite."""
    before = machine_now()
    there = house.store.server_time()
    after = machine_now()
    return (
        None
        if there is None
        else round(((before + (after - before) / 2) - there) / timedelta(milliseconds=1))
    )


def disks(house: House) -> dict[str, int]:
    """Folder → bytes left, of where this process writes."""
    found = {}
    for folder in (house.state_dir, house.archive):
        there = next((path for path in (folder, *folder.parents) if path.exists()), None)
        if there is not None:
            found[str(folder)] = shutil.disk_usage(there).free
    return found


def around(house: House, duties: tuple[str, ...]) -> dict[str, str]:
    """prefect, kafka → what is wrong, "" when nothing; only those that this process has to do with."""
    found: dict[str, str] = {}
    kafka = house.site.kafka
    if ("ingest" in duties and kafka.enabled) or ("deliver" in duties and kafka.publishes):
        found["kafka"] = _kafka(house)
    url = house.site.prefect.api_url or house.environ.get("PREFECT_API_URL")
    if house.site.prefect.enabled and url:
        found["prefect"] = _prefect(url)
    return found


def _kafka(house: House) -> str:
    try:
        return broker.check(broker_settings(house)) or ""
    except ConnectorError as error:
        return str(error)


def _prefect(url: str) -> str:
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=ASK_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return "" if answer.is_success else f"答复 {answer.status_code}"


@contextmanager
def telling(house: House, kind: str, duties: tuple[str, ...] = ()) -> Iterator[None]:
    """Meanwhile this process tells of itself, in a thread of its own."""
    presence_, stopped = Presence(house, kind, duties), threading.Event()
    thread = threading.Thread(target=lambda: presence_.watch(stopped), name="presence", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(5)
