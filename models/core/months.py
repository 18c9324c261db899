"""Calendar months in Beijing: what a table's parts, retention and archives are counted in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from models.core.moment import CST, local

_WRITTEN = re.compile(r"(\d{4})[-_](\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """2026-11, from its first instant to the next month's."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def since(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=CST)

    @property
    def until(self) -> datetime:
        """The first instant that is no longer in it."""
        return self.later(1).since

    def later(self, months: int) -> Month:
        years, rest = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, rest + 1)


def month_of(moment: datetime) -> Month:
    """The month that an instant falls into. Raises ValueError for a naive time."""
    here = local(moment)
    return Month(here.year, here.month)


def read_month(text: str) -> Month:
    """2026-11 or 2026_11. Raises ValueError in words for anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12:
        raise ValueError(f"“{text[:20]}” 不是月份；写成 2026-11")
    return Month(int(found[1]), int(found[2]))
