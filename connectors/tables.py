"""Tables of tickets, CSV and XLSX, as rows under the names of their header."""

from __future__ import annotations

import csv
import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl

from connectors.mapping import Mapping_, guess_mapping, shorten
from connectors.ports import Refused
from connectors.textfiles import MAX_LINE, lines, open_text
from models.core.signals import Rejected

MAX_SHEET = 512 * 2**20  # bytes that an .xlsx may unpack to
MAX_SHARED = 128 * 2**20  # of those, the shared texts, which openpyxl holds whole
HEADER_ROWS = 10  # titles and notes may stand above the header

Row = tuple[str, object, str | None, Mapping_ | None]  # place, message, raw text, mapping
Line = tuple[str, list[Any] | Rejected, str]  # place, cells, raw text

# --- CSV


class _Tape:
    """Lines for csv.reader, with the memory of which belong to the row at hand."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._again: list[str] = []
        self._budget = 4 * MAX_LINE  # re-reading is bounded, or a file of open quotes would be quadratic
        self.row: list[str] = []
        self.number = 0

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._source)
        self.number += 1
        self.row.append(line)
        return line.replace("\x00", "")

    def put_back(self) -> None:
        """Everything but the row's first line is read again, as rows of its own."""
        rest = self.row[1:]
        size = sum(map(len, rest))
        if size <= self._budget:
            self._budget -= size
            self._again.extend(reversed(rest))
            self.number -= len(rest)
            del self.row[1:]


def csv_rows(path: Path, mapping: Mapping_ | None) -> Iterator[Row]:
    with open_text(path) as file:
        tape = _Tape(lines(file))
        table = _csv_table(path, tape, _delimiter(path))
        yield from _table_rows(table, path.name, mapping)


def _delimiter(path: Path) -> str:
    with open_text(path) as file:
        head = [line for line in itertools.islice(lines(file), HEADER_ROWS) if line.strip()]
    return max(",\t;|，", key=lambda mark: max((len(line.split(mark)) for line in head), default=0))


def _csv_table(path: Path, tape: _Tape, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(tape, delimiter=delimiter, strict=True)
    while True:
        tape.row.clear()
        start = tape.number + 1
        place = f"{path.name}:{start}"
        try:
            cells: list[Any] = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            tape.put_back()
            raw = "".join(tape.row)
            reason = f"{place}: not a CSV row ({error}); look for a quotation mark that is never closed"
            yield place, Rejected(place, reason, shorten(raw)), raw
            reader = csv.reader(tape, delimiter=delimiter, strict=True)
        else:
            yield place, cells, "".join(tape.row)


# --- tables: CSV and sheets share headers and width checks


def _table_rows(table: Iterator[Line], name: str, mapping: Mapping_ | None) -> Iterator[Row]:
    table, above = iter(table), []
    for place, cells, raw in itertools.islice(table, HEADER_ROWS):
        if isinstance(cells, Rejected):
            yield place, cells, raw, None
            continue
        found = mapping or guess_mapping(cells)
        if _is_header(cells, found):
            yield from _below(table, [_head(cell) for cell in cells], found)
            return
        above.append("、".join(str(cell) for cell in cells if cell not in (None, ""))[:200])
    seen = "; ".join(line for line in above[:3] if line) or "nothing"
    raise Refused(
        f"{name}: no header row with a known title (标题) or text (内容) column in the first "
        f"{HEADER_ROWS} rows (there is: {seen}); name the columns, or give a mapping"
    )


def _is_header(cells: list[Any], mapping: Mapping_) -> bool:
    present = {_head(cell) for cell in cells}
    hits = sum(column in present for column in mapping.columns.values())
    return mapping.usable and hits == len(mapping.columns) and (hits >= 2 or len(present) == 1)


def _head(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _below(table: Iterator[Line], header: list[str], mapping: Mapping_) -> Iterator[Row]:
    for place, cells, raw in table:
        if isinstance(cells, Rejected):
            yield place, cells, raw, mapping
        elif any(cell not in (None, "") for cell in cells):
            yield _wide_row(place, cells, raw, header, mapping)


def _wide_row(place: str, cells: list[Any], raw: str, header: list[str], mapping: Mapping_) -> Row:
    extra = [cell for cell in cells[len(header) :] if cell not in (None, "")]
    if extra:
        reason = (
            f"{place}: {len(cells)} cells under {len(header)} columns; quote the text that holds a separator"
        )
        return place, Rejected(place, reason, shorten(raw)), raw, mapping
    return place, dict(zip(header, cells, strict=False)), raw, mapping


# --- XLSX


def xlsx_rows(path: Path, mapping: Mapping_ | None) -> Iterator[Row]:
    _check_zip(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (ValueError, KeyError, ParseError, TypeError, zipfile.BadZipFile) as error:
        raise Refused(f"{path.name}: not a readable workbook ({error}); save it again as .xlsx") from None
    try:
        yield from _sheets(path, book, mapping)
    except (ParseError, zipfile.BadZipFile, zlib.error) as error:
        raise Refused(f"{path.name}: the workbook is damaged ({error}); save it again as .xlsx") from None
    finally:
        book.close()


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as pack:
            sizes = {part.filename: part.file_size for part in pack.infolist()}
    except zipfile.BadZipFile:
        raise Refused(f"{path.name}: not an .xlsx file; open it and save it as .xlsx") from None
    if (
        sum(sizes.values()) > MAX_SHEET
        or sizes.get("xl/sharedStrings.xml", 0) > MAX_SHARED
        or len(sizes) > 5_000
    ):
        raise Refused(
            f"{path.name}: unpacks to {sum(sizes.values()):,} bytes, too large; split it or use .csv"
        )


def _sheets(path: Path, book: Any, mapping: Mapping_ | None) -> Iterator[Row]:
    """Every sheet that has a known header; a book without one is refused."""
    refusals = []
    for sheet in book.worksheets:
        try:
            yield from _table_rows(_sheet_table(path, sheet), f"{path.name}:{sheet.title}", mapping)
        except Refused as refused:
            refusals.append(refused)
    if refusals and len(refusals) == len(book.worksheets):
        raise refusals[0]


def _sheet_table(path: Path, sheet: Any) -> Iterator[Line]:
    sheet.reset_dimensions()  # the stated size is often wrong
    for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=200), 1):
        if any(cell is not None for cell in cells):
            raw = json.dumps(cells, ensure_ascii=False, default=str)
            yield f"{path.name}:{sheet.title}:{number}", list(cells), raw
