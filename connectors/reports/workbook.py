"""A workbook before it is a file: sheets of cells, formulas with the value that we found, charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Formula:
    """What the table's program computes, and what we computed: a reader that does not recompute shows ours."""

    text: str
    value: float | str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its look: "percent", "score"."""

    value: float
    style: str = ""


Cell = str | int | float | Formula | Number | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A native chart beside the rows: `kind` bar or column, each series a column of the sheet by number."""

    title: str
    kind: str
    names: int
    values: tuple[int, ...]
    axis: str = ""
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: a title, a line of heads, rows; `widths` in characters."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""
    widths: tuple[float, ...] = ()
    charts: tuple[Chart, ...] = ()
    total: tuple[Cell, ...] = ()
    """The line below the rows, in no chart and no filter."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """All sheets, and the properties of the file."""

    title: str
    made_at: datetime
    signed: str
    sheets: tuple[Sheet, ...]


TOP = 3
"""The row (from 1) of a sheet's heads; its first row of cells is the next one."""


def column(number: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell(column_number: int, row_number: int) -> str:
    """The address of a sheet's cell: column from 0, row from 0 under the heads."""
    return f"{column(column_number)}{TOP + 1 + row_number}"
