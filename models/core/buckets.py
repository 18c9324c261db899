"""Counting seconds into buckets, as a histogram of Prometheus holds them: bounds are upper ones, inclusive. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

LATENESS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
TAKING_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


@dataclass
class Buckets:
    """`counts` has one place more than there are bounds: what exceeds them all. `total` in seconds."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        missing = len(self.bounds) + 1 - len(self.counts)
        self.counts = [*self.counts, *[0] * missing][: len(self.bounds) + 1]

    def take(self, seconds: Iterable[float]) -> None:
        for value in seconds:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.total += value

    def add(self, other: Buckets) -> None:
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def heaped(self) -> list[tuple[str, float]]:
        """(upper bound, how many are at most that), the last for all: as the text format wants them."""
        names = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self.counts)), strict=True))
