"""A paper as Markdown (CommonMark with tables), for reading on a screen and for comparing two by `diff`; and
its tables as CSV, for other programs."""

from __future__ import annotations

import csv
import io
import re

from connectors.reports.paper import Block, Cell, Heading, Paper, Para, Picture, Table, numbered, shown
from models.core.text import harmless

_MARKS = re.compile(r"([\\`*_\[\]<>#|])")


def write(paper: Paper) -> bytes:
    """The whole paper, UTF-8; pictures by what they say."""
    parts = [f"# {_plain(paper.title)}", *_front(paper)]
    parts += [_block(block) for block in numbered(paper.blocks)]
    parts += [f"{_plain(paper.signed)}\n{paper.date}"]
    return ("\n\n".join([*parts, *([f"> {paper.seal}"] if paper.seal else [])]) + "\n").encode()


def rows(paper: Paper) -> bytes:
    """Every row of every table, its table's name before it; heads where they change. UTF-8 with a mark, as Excel
    wants it."""
    buffer = io.StringIO()
    before: tuple[str, ...] = ()
    writer = csv.writer(buffer)
    for table in (block for block in paper.blocks if isinstance(block, Table)):
        if table.head != before:
            writer.writerow(("表", *table.head))
            before = table.head
        writer.writerows(
            [harmless(table.title), *(harmless(shown(cell)) for cell in row)] for row in table.rows
        )
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _front(paper: Paper) -> list[str]:
    said = (paper.red_head, paper.number, paper.subtitle, f"{paper.send_to}：" if paper.send_to else "")
    return [_plain(line) for line in said if line]


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * (block.level + 1)} {_plain(block.text)}"
        case Para():
            return f"> {_plain(block.text)}" if block.note else _plain(block.text)
        case Picture():
            said = f"：{_plain(block.words)}" if block.words else ""
            return f"图 {_plain(block.title)}{said}"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    title = [f"**{_plain(table.title)}**", ""] if table.title else []
    if not table.rows:
        return "\n".join([*title, table.empty])
    ruler = "|" + "---|" * len(table.head)
    return "\n".join([*title, _line(table.head), ruler, *map(_line, table.rows)])


def _line(cells: tuple[Cell, ...]) -> str:
    return "| " + " | ".join(_plain(shown(cell)).replace("\n", " ") for cell in cells) + " |"


def _plain(text: str) -> str:
    """Words from outside stay words: no mark of theirs becomes a link or a heading."""
    return _MARKS.sub(r"\\\1", text)
