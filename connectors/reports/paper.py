"""A report before it is a file: title, paragraphs, tables, pictures. Every writer draws the same paper.

Headings are numbered here (一、 （一） 1.), so that all files agree; GB/T 9704-2012 7.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.ports import ConnectorError
from models.core.moment import local

Cell = str | int | float | None
"""None is shown as —; a number stands to the right."""
Row = tuple[Cell, ...]
DASH = "—"
DIGITS = "〇一二三四五六七八九十"


class ReportError(ConnectorError):
    """A report that cannot be written. The message says what is wrong and what to do."""


class NoSuchThing(ReportError):
    """No incident or report of that name."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading without its number; level 1 to 3."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph of the body; `note`: smaller, of where figures come from."""

    text: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `widths` are shares of the line, equal when empty."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    title: str = ""
    widths: tuple[float, ...] = ()
    empty: str = "无。"

    @property
    def shares(self) -> tuple[float, ...]:
        """The columns' shares of the line, which come to 1."""
        wide = self.widths or (1.0,) * len(self.head)
        return tuple(width / sum(wide) for width in wide)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing as SVG, over the whole line, with its words below; `words` is what it says, for a reader
    who cannot see it."""

    svg: str
    title: str
    words: str = ""


Block = Heading | Para | Table | Picture


@dataclass(frozen=True, slots=True)
class Paper:
    """One report. `made_at` is the report's own time: every date in the file is taken from it."""

    kind: str
    title: str
    made_at: datetime
    signed: str
    blocks: tuple[Block, ...]
    subtitle: str = ""
    red_head: str = ""
    number: str = ""
    send_to: str = ""
    seal: str = ""
    """Where the figures come from: how far the journal went, and its hash."""
    data: dict[str, object] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """成文日期: 2026年11月21日, without leading zeros (GB/T 9704 7.3.5)."""
        at = local(self.made_at)
        return f"{at.year}年{at.month}月{at.day}日"


def numbered(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks with numbers before their headings."""
    counts = [0, 0, 0]
    for block in blocks:
        if isinstance(block, Heading):
            counts[block.level - 1] += 1
            counts[block.level :] = [0] * (3 - block.level)
            block = replace(block, text=_mark(block.level, counts[block.level - 1]) + block.text)
        yield block


def _mark(level: int, number: int) -> str:
    return {1: f"{chinese(number)}、", 2: f"（{chinese(number)}）"}.get(level, f"{number}. ")


def chinese(number: int) -> str:
    """1 → 一, 12 → 十二, 30 → 三十; for numbers from 1 to 99."""
    tens, ones = divmod(number, 10)
    if not tens:
        return DIGITS[ones]
    return ("" if tens == 1 else DIGITS[tens]) + "十" + (DIGITS[ones] if ones else "")


def shown(cell: Cell) -> str:
    """A cell in words: None —, 12.5 12.5, 3.0 3."""
    if cell is None or cell == "":
        return DASH
    return f"{round(cell, 2):g}" if isinstance(cell, float) else str(cell)
