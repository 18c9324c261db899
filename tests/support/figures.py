"""A table for people and the same as JSON for programs, printed when all tests have ended."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from unicodedata import east_asian_width

PARTS = ("prefect", "sqlalchemy", "sqlmodel", "psycopg", "fastapi", "snownlp", "rjieba", "httpx2")


@dataclass
class Figures:
    """What was measured: (what, unit) → engine or process → number."""

    found: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, what: str, unit: str, where: str, value: float | int | str) -> None:
        kept = float(f"{value:.4g}") if isinstance(value, float) else value
        self.found.setdefault((what, unit), {})[where] = kept

    def table(self) -> str:
        columns = list(dict.fromkeys(where for by in self.found.values() for where in by))
        rows = [[what, unit, *(by.get(w, "–") for w in columns)] for (what, unit), by in self.found.items()]
        return table(("what", "unit", *columns), rows)

    def plain(self) -> list[dict[str, Any]]:
        return [{"what": what, "unit": unit, **by} for (what, unit), by in self.found.items()]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]


def machine() -> dict[str, Any]:
    """Where the figures come from. No names of hosts or folders."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "parts": {name: found for name in PARTS if (found := installed(name))},
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[shown(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = [_line(line, widths, row) for line, row in zip(cells, (head, *rows), strict=True)]
    return "\n".join((lines[0], "  ".join("─" * wide for wide in widths), *lines[1:]))


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def width(text: str) -> int:
    """How many columns a terminal gives the text: a Chinese character counts twice."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _line(cells: list[str], widths: list[int], row: Sequence[Any]) -> str:
    padded = []
    for cell, wide, value in zip(cells, widths, row, strict=True):
        space = " " * (wide - width(cell))
        padded.append(space + cell if isinstance(value, int | float) else cell + space)
    return "  ".join(padded).rstrip()
