"""The heavy beat of triage: any worker reads slices of what waits, and the one that sorts takes them in order.

A reading remembers nothing, so it matters to nobody who made it. A slice is claimed, read and left; one whose
reader is gone is read by the sorter, and so is everything while there is no other worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from threading import Event
from typing import Any, Final

import structlog

from connectors.ports import Refused
from flows.holders import ME, is_dead
from flows.judging import left
from flows.judging.reading import Reading
from flows.judging.stored import read_rows
from flows.wiring import House
from models.ledger import signals, slices
from models.ledger.slices import Slice
from models.ledger.store import LedgerError, Row

log = structlog.get_logger()

BATCH: Final = 500
AHEAD: Final = 16
"""Slices that lie read and unsorted at the most: whoever would read more waits for the sorter."""
LEASE: Final = timedelta(seconds=30)
"""How long another machine's reader may be silent; one of this machine is known to be dead at once."""
_LOOK_S = 0.005


@dataclass(frozen=True, slots=True)
class Read:
    """Waiting signals in their order, each read on its own."""

    rows: Sequence[Row[Any]] = ()
    readings: Sequence[Reading] = ()


def read_for_others(house: House) -> int:
    """Claim the next whole slice, read it and leave it for the sorter; how many signals that was.

    What is less than a slice the sorter reads as soon by itself.
    """
    found = _claimed(house, least=BATCH)
    if found is None:
        return 0
    with _given_back_on_failure(house, found):
        rows = _rows(house, found, 0)
        body = left.pack(read_rows(house, rows), [row.id for row in rows])
        box = left.locked(house, found.first, body)
        with house.store.write() as conn:
            slices.leave(conn, found.first, ME, left.version(house), box)
    return len(rows)


@contextmanager
def _given_back_on_failure(house: House, one: Slice) -> Iterator[None]:
    """What we cannot read another may, and nobody waits for our lease to end."""
    try:
        yield
    except BaseException:
        with suppress(LedgerError), house.store.write() as conn:
            slices.give_back(conn, one.first, ME)
        raise


def _claimed(house: House, after: int = 0, least: int = 1) -> Slice | None:
    with house.store.read() as conn:  # asked without the lock first: mostly there is nothing to claim
        behind = max(after, slices.end(conn))
        if slices.counted(conn) >= AHEAD or signals.waiting_up_to(conn, least, behind) < least:
            return None
    with house.store.write() as conn:
        until = house.time.now() + LEASE * house.time.speed
        return slices.claim(conn, BATCH, ME, until, after=after, least=least)


def _rows(house: House, one: Slice, after: int) -> Sequence[Row[Any]]:
    with house.store.read() as conn:
        return signals.between(conn, max(one.first, after + 1), one.last)


@dataclass
class Coming:
    """What comes to the sorter, in order. `own`: slices that this process read beside, by their first number."""

    house: House
    own: dict[int, Read] = field(default_factory=dict)
    closed: Event = field(default_factory=Event)

    @cached_property
    def version(self) -> str:
        return left.version(self.house)

    def after(self, number: int) -> Read:
        """The next signals that wait behind `number`, read; empty when there are none, or nobody asks any more."""
        while not self.closed.is_set():
            with self.house.store.read() as conn:
                first = signals.first_waiting(conn, number)
                if first is None:
                    return Read()
                ahead = next(iter(slices.listed(conn, first - 1, 1)), None)
            if ahead is None or first < ahead.first:
                return self._unclaimed(number, ahead)
            if (found := self._of(ahead, number)) is not None:
                return found
        return Read()

    def close(self) -> None:
        """Whoever waits here for another's reader waits no longer."""
        self.closed.set()

    def _unclaimed(self, number: int, ahead: Slice | None) -> Read:
        """What stands in no slice; where it fills one it is claimed, so that nobody reads it beside us."""
        if ahead is None and (mine := _claimed(self.house, number, BATCH)) is not None:
            return self._read(_rows(self.house, mine, number))
        with self.house.store.read() as conn:
            rows = signals.pending(conn, BATCH, number)
        return self._read([row for row in rows if ahead is None or row.id < ahead.first])

    def _of(self, ahead: Slice, number: int) -> Read | None:
        """A slice's signals; None while another reads them, when this process reads the next one meanwhile."""
        if ahead.first in self.own:
            return self.own.pop(ahead.first)
        if ahead.by != ME and ahead.in_hands(self.house.time.now(), self._dead(ahead)):
            self._beside(ahead)
            return None
        rows = _rows(self.house, ahead, number)
        return self._left(ahead, rows) or self._read(rows)

    def _dead(self, one: Slice) -> tuple[str, ...]:
        return (one.by,) if one.by and is_dead(one.by) else ()

    def _beside(self, ahead: Slice) -> None:
        mine = None if self.own else _claimed(self.house, ahead.last, BATCH)
        if mine is None:
            self.closed.wait(_LOOK_S)
        else:
            self.own[mine.first] = self._read(_rows(self.house, mine, 0))

    def _left(self, one: Slice, rows: Sequence[Row[Any]]) -> Read | None:
        """As they were left; None where they were not, or by another program, or cannot be opened."""
        if not one.left or one.version != self.version:
            return None
        with self.house.store.read() as conn:
            box = slices.body(conn, one.first)
        try:
            found = left.of_rows(self.house, left.unlocked(self.house, one.first, box or b""), rows)
        except (Refused, ValueError) as error:
            log.warning("readings that were left cannot be taken and are read anew", reason=str(error))
            return None
        return None if found is None else Read(rows, found)

    def _read(self, rows: Sequence[Row[Any]]) -> Read:
        return Read(rows, read_rows(self.house, rows))
