"""Where time enters the house. Everything below `flows` is handed `now`.

In production the time is the database server's (on SQLite this machine's), carried forward by a clock
that nobody can set: a wall clock that is stepped moves nothing, also for the commands and workers
that start after the step (models/core/course.py, docs/decisions.md). A demonstration runs on
`FastTime`, whose anchor lives in the database: every process of the site reads the same hour.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from flows import machine
from flows.asker import Asker
from models.core.course import SMALL, Course
from models.core.moment import iso, local, parse_iso
from models.ledger import duties, journal
from models.ledger.store import LedgerError, Store

KEY = "time"
ANCHOR = "anchor "
"""Before a machine's mark: where the processes of its boot find the course of time."""
RESYNC_S = 5.0
PATIENCE_S = 1.0
"""How long the reference may take: what comes later is no longer the time."""
WORTH_KEEPING = timedelta(milliseconds=100)


class Timepiece(Protocol):
    """`now()` in +08:00 to the millisecond; `speed` is how many seconds pass in one; `jump` is how
    far the machine's or the server's clock stands off without being followed."""

    speed: float

    @property
    def jump(self) -> timedelta | None: ...

    def now(self) -> datetime: ...


class WrongTime(Exception):
    """The site's database lives in another time than the one asked for."""


def _tidy(moment: datetime) -> datetime:
    moment = local(moment)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def machine_now() -> datetime:
    return datetime.now(UTC)


def world(piece: Timepiece) -> Callable[[], datetime]:
    """The time that signatures bear and strangers check: the site's own at the real pace, so that a
    stepped wall clock makes no channel refuse us; this machine's where the site plays."""
    return piece.now if isinstance(piece, DatabaseTime) else machine_now


class DatabaseTime:
    """The database's clock, asked every few seconds and carried forward in between. Thread-safe.

    Never runs backwards; `jump` says how far the clock stands off when it was stepped. A database that
    hangs holds up one who asks for `PATIENCE_S`, and nobody else.
    """

    speed = 1.0

    def __init__(self, store: Store, resync_s: float = RESYNC_S) -> None:
        self._store, self._resync_s, self._lock = store, resync_s, threading.Lock()
        self._course = _begin(store)
        self._asked = self._course.tick
        self._reference = Asker(lambda: _reference(store), PATIENCE_S)
        with suppress(LedgerError):  # a full disk keeps nobody from looking
            self.keep()

    @property
    def jump(self) -> timedelta | None:
        return self._course.jump

    def now(self) -> datetime:
        if self._is_my_turn():
            with suppress(LedgerError):  # a database that is away takes no time with it
                self._look()
        with self._lock:
            return _tidy(self._course.now(machine.ticks()))

    def _is_my_turn(self) -> bool:
        """Is the reference to be asked again, and is it this caller who does?"""
        with self._lock:
            tick = machine.ticks()
            mine = tick - self._asked > self._resync_s
            self._asked = tick if mine else self._asked
            return mine

    def _look(self) -> None:
        """Ask outside the lock: the others carry the course forward meanwhile."""
        for here in self._reference.ask():
            proven = _proven(here)
            with self._lock:
                self._course = self._course.look(machine.ticks(), here, proven)

    def keep(self) -> None:
        """Note the course for the processes that start later in this boot. Not inside a write."""
        mark, course = machine.mark("time"), self._course
        if mark and _differs(course, _kept(self._store, mark)):
            with self._store.write() as conn:
                note = {"true": iso(course.true), "tick": course.tick}
                duties.put_setting(conn, ANCHOR + mark, note)


def _begin(store: Store) -> Course:
    """The course that this boot knows, else the clock's; and nothing before the newest entry."""
    tick, here = machine.ticks(), _reference(store)
    course = _kept(store, machine.mark("time")) or Course(tick, here, here)
    with store.read() as conn:
        newest = journal.newest_at(conn)
    proven = _proven(here)
    course = course.look(tick, here, proven)
    return course if newest is None else course.not_before(newest, proven)


def _reference(store: Store) -> datetime:
    return store.server_time() or machine_now()


def _proven(reference: datetime) -> bool:
    """A time service vouches for this machine's clock, and the reference agrees with it."""
    return abs(reference - machine_now()) <= SMALL and machine.synchronised()


def _kept(store: Store, mark: str) -> Course | None:
    with store.read() as conn:
        kept = duties.get_setting(conn, ANCHOR + mark) if mark else None
    if kept is None or kept["tick"] > machine.ticks():  # a machine set back to an earlier picture of itself
        return None
    true = parse_iso(kept["true"])
    return Course(kept["tick"], true, true)


def _differs(course: Course, kept: Course | None) -> bool:
    if kept is None:
        return True
    return abs(course.true - kept.true - timedelta(seconds=course.tick - kept.tick)) > WORTH_KEEPING


class FastTime:
    """`speed` seconds pass in one, counted from the anchor that the database keeps."""

    def __init__(self, house: datetime, wall: datetime, speed: float, stopped: bool) -> None:
        self._house, self._wall, self._rate, self._stopped = house, wall, speed, stopped
        self.speed = speed
        self.jump: timedelta | None = None

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
    with store.read() as conn:
        fresh = speed == 1.0 and duties.get_setting(conn, KEY) is None
    if fresh:
        return DatabaseTime(store)
    with store.write() as conn:
        kept = duties.get_setting(conn, KEY)
        if kept is not None and speed == 1.0:
            raise WrongTime(
                f"this database has lived at {kept['speed']:g} times the real pace; "
                "go on with --speed, or name a fresh database in site.yaml"
            )
        house = _fast(kept).now() if kept else machine_now()
        piece = FastTime(house, machine_now(), speed, stopped=False)
        duties.put_setting(conn, KEY, piece.anchor())
        return piece


def keep(piece: Timepiece) -> None:
    """Note the course of real time now and then; a demonstration keeps its own anchor."""
    if isinstance(piece, DatabaseTime):
        piece.keep()


def stop(store: Store, piece: Timepiece) -> None:
    """Note where a demonstration's time stood; real time needs no note."""
    if isinstance(piece, FastTime):
        with store.write() as conn:
            duties.put_setting(conn, KEY, piece.anchor(stopped=True))
