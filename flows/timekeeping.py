"""Where time enters the house. Everything below `flows` is handed `now`.

In production the time is the database's own (its clock, carried forward by this machine's monotonic
one, so that a wall clock stepped by hand moves nothing). A demonstration runs on `FastTime`, whose
anchor lives in the database: every process of the site reads the same hour.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from models.core.moment import iso, local, parse_iso
from models.ledger import duties
from models.ledger.store import Store

KEY = "time"
RESYNC_S = 30.0


class Timepiece(Protocol):
    """`now()` in +08:00 to the millisecond; `speed` is how many seconds pass in one."""

    speed: float

    def now(self) -> datetime: ...


class WrongTime(Exception):
    """The site's database lives in another time than the one asked for."""


def _tidy(moment: datetime) -> datetime:
    moment = local(moment)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def machine_now() -> datetime:
    return datetime.now(UTC)


class DatabaseTime:
    """The database's clock, asked every half minute and carried forward in between."""

    speed = 1.0

    def __init__(self, store: Store) -> None:
        self._store = store
        self._anchor, self._at = machine_now(), time.monotonic()
        self._asked = float("-inf")

    def now(self) -> datetime:
        if time.monotonic() - self._asked > RESYNC_S:
            self._sync()
        return _tidy(self._anchor + timedelta(seconds=time.monotonic() - self._at))

    def _sync(self) -> None:
        self._asked = time.monotonic()
        self._anchor, self._at = self._store.server_time() or machine_now(), time.monotonic()


class FastTime:
    """`speed` seconds pass in one, counted from the anchor that the database keeps."""

    def __init__(self, house: datetime, wall: datetime, speed: float, stopped: bool) -> None:
        self._house, self._wall, self._rate, self._stopped = house, wall, speed, stopped
        self.speed = speed

    def now(self) -> datetime:
        if self._stopped:
            return _tidy(self._house)
        return _tidy(self._house + (machine_now() - self._wall) * self._rate)

    def anchor(self, stopped: bool = False) -> dict[str, Any]:
        return {"house": iso(self.now()), "wall": iso(machine_now()), "speed": self.speed, "stopped": stopped}


def read(store: Store) -> Timepiece:
    """The site's time as the database knows it: fast where a demonstration has set an anchor."""
    with store.read() as conn:
        kept = duties.get_setting(conn, KEY)
    return _fast(kept) if kept else DatabaseTime(store)


def _fast(kept: dict[str, Any]) -> FastTime:
    return FastTime(parse_iso(kept["house"]), parse_iso(kept["wall"]), kept["speed"], kept["stopped"])


def start(store: Store, speed: float) -> Timepiece:
    """Begin, or go on with, the site's time at `speed`.

    After a clean stop a demonstration goes on where it was; after a crash its time has gone on.
    Raises WrongTime when a site that has run fast is to run at the real pace.
    """
    with store.write() as conn:
        kept = duties.get_setting(conn, KEY)
        if kept is None and speed == 1.0:
            return DatabaseTime(store)
        if kept is not None and speed == 1.0:
            raise WrongTime(
                f"this database has lived at {kept['speed']:g} times the real pace; "
                "go on with --speed, or name a fresh database in site.yaml"
            )
        house = _fast(kept).now() if kept else machine_now()
        piece = FastTime(house, machine_now(), speed, stopped=False)
        duties.put_setting(conn, KEY, piece.anchor())
        return piece


def stop(store: Store, piece: Timepiece) -> None:
    """Note where a demonstration's time stood; real time needs no note."""
    if isinstance(piece, FastTime):
        with store.write() as conn:
            duties.put_setting(conn, KEY, piece.anchor(stopped=True))
