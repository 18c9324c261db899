"""What a province needs, on paper: computed from measured figures, each step of the arithmetic in words."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

PEOPLE = 50_000_000
TICKETS, POSTS = 60_000, 2_000_000
"""A day."""
PEAK = 5.0
"""The busiest hour to the mean one (a proposal: a day's load in about five hours)."""
CATCH_UP = 2.0
"""So much faster than the peak, that an hour's outage is caught up within an hour."""
BOARDS = 2
SWEEPS = 2
DATABASE_CORES, BROKER_CORES = 4, 2
DATABASE_GB, BROKER_GB = 16.0, 4.0
SPARE = 1.5
"""Memory for the system and its page cache, times what processes hold."""
YEAR = 365


@dataclass(frozen=True, slots=True)
class Measured:
    """`rate`: signals/s end to end of one worker on PostgreSQL, `both` of two; `cores` of the machine that it was
    measured on, with database and broker beside it; `bytes` on disk a signal; resident MB by part."""

    rate: float
    both: float
    cores: int
    bytes: float
    memory: dict[str, float]


def sizing(found: Measured) -> list[tuple[str, str]]:
    """(what, how it comes about), in the order of the arithmetic."""
    signals = TICKETS + POSTS
    mean = signals / 86_400
    needed = mean * PEAK * CATCH_UP
    best = max(found.rate, found.both)
    workers = max(2, ceil(needed / (best / 2)))
    held = _held(found.memory, workers)
    disk = signals * found.bytes * YEAR / 1e12
    cores = ceil(needed / best * found.cores) + DATABASE_CORES + BROKER_CORES
    return [
        ("province", f"{PEOPLE:,} people, {TICKETS:,} tickets and {POSTS:,} posts a day = {signals:,} signals"),
        ("mean", f"{signals:,} / 86,400 s = {mean:.0f} signals/s"),
        ("to be borne", f"{mean:.0f}/s × {PEAK:g} (busiest hour) × {CATCH_UP:g} (catching up) = {needed:.0f}/s"),
        ("measured", f"{found.rate:.0f}/s with one worker, {found.both:.0f}/s with two on {found.cores} cores, all"
         " services beside them"),
        ("workers that judge", f"{needed:.0f} / ({best:.0f} / 2 workers) = {needed / (best / 2):.2f}, at least 2 for"
         f" one to die: {workers}"),
        ("workers that sweep", f"{SWEEPS}: each bears all clocks alone, one may die"),
        ("consoles", f"{BOARDS}: one in each zone; an upgrade starts a third before it ends one"),
        ("cores", f"{needed:.0f}/s ÷ {best:.0f}/s × {found.cores} = {needed / best * found.cores:.1f}, and"
         f" {DATABASE_CORES} for PostgreSQL, {BROKER_CORES} for Kafka: {cores}"),
        ("memory", f"processes {held / 1000:.1f} GB × {SPARE:g}, PostgreSQL {DATABASE_GB:g} GB, Kafka {BROKER_GB:g} GB"
         f" = {held / 1000 * SPARE + DATABASE_GB + BROKER_GB:.0f} GB"),
        ("disk", f"{signals:,} × {found.bytes:,.0f} bytes × {YEAR} days = {disk:.1f} TB a year, before archiving"),
    ]  # fmt: skip


def _held(memory: dict[str, float], workers: int) -> float:
    """MB of all processes of the program and of Prefect's side."""

    def of(part: str) -> float:
        return max((mb for name, mb in memory.items() if name.startswith(part)), default=300.0)

    return workers * of("sort") + SWEEPS * of("sweep") + BOARDS * of("console") + of("prefect-side")
