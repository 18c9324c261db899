"""The course of time in one process: carried by a clock that nobody can set, held to one that can be.

A wall clock stepped by an hour must neither raise a step an hour early nor hold it an hour late. So a
reference (the database server's clock, on SQLite this machine's) is followed where it differs little;
a jump is noted and not followed, unless it is proven and has stood for a while (docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SMALL = timedelta(seconds=2)
"""What a time service corrects in passing."""
STANDS_S = 60.0
"""So long a proven jump must have stood before it is followed."""


@dataclass(frozen=True, slots=True)
class Course:
    """At `tick` (seconds of the clock that nobody can set) it was `true`, and `told` had been said.

    `jump` is how far the reference stands off without being followed, `since` the tick of its first
    sight.
    """

    tick: float
    true: datetime
    told: datetime
    jump: timedelta | None = None
    since: float | None = None

    def now(self, tick: float) -> datetime:
        """The time at `tick`; never earlier than what was told before. A course that finds itself
        ahead goes at half the pace until the truth has caught up: nothing is late, nothing stands."""
        passed = timedelta(seconds=tick - self.tick)
        return max(self.true + passed, self.told + passed / 2)

    def look(self, tick: float, reference: datetime, proven: bool) -> Course:
        """The course after a look at the reference; `proven` when something else vouches for it."""
        carried, told = self.true + timedelta(seconds=tick - self.tick), self.now(tick)
        off = reference - carried
        if abs(off) <= SMALL:
            return Course(tick, reference, told)
        known = self.jump is not None and abs(off - self.jump) <= SMALL
        since = self.since if known and self.since is not None else tick
        if proven and tick - since >= STANDS_S:
            return Course(tick, reference, told)
        return Course(tick, carried, told, off, since)

    def not_before(self, newest: datetime, proven: bool) -> Course:
        """The course of a process that finds entries up to `newest`: it tells nothing earlier.

        A reference far behind them is a clock that was set back; then time goes on from `newest`,
        unless it is proven that the entries were the ones ahead.
        """
        behind = newest - self.true
        if behind <= timedelta(0):
            return self
        if behind <= SMALL or proven:
            return replace(self, told=max(self.told, newest))
        return Course(
            self.tick, newest, max(self.told, newest), (self.jump or timedelta(0)) - behind, self.tick
        )
