"""Tables of tickets, CSV and XLSX, as rows under the names of their header."""

from __future__ import annotations

import atexit
import csv
import functools
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from connectors.isolation import Cut, Pool
from connectors.mapping import Mapping_, guess_mapping, shorten
from connectors.ports import Refused
from connectors.textfiles import MAX_LINE, lines, open_text
from models.core.signals import Rejected

UNPACK_S = 300.0  # a workbook of 100,000 rows takes about 20 s
HEADER_ROWS = 10  # titles and notes may stand above the header
ENDINGS = (".csv", ".tsv", ".xlsx", ".xlsm", ".jsonl", ".ndjson", ".json", ".csv.gz", ".jsonl.gz")
"""What a folder and a mail's attachments are read by; .txt is read only where a person names the file,
since most of what ends so is no table."""

Row = tuple[str, object, str | None, Mapping_ | None]  # place, message, raw text, mapping
Told = Callable[[Mapping_, str], None]
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


def csv_rows(path: Path, mapping: Mapping_ | None, told: Told | None = None) -> Iterator[Row]:
    with open_text(path) as file:
        tape = _Tape(lines(file))
        table = _csv_table(path, tape, _delimiter(path))
        yield from table_rows(table, path.name, mapping, told)


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
        except csv.Error:
            tape.put_back()
            raw = "".join(tape.row)
            reason = f"{place}: 引号没有收尾，或收尾后还有字，分不出各格；请改这一行的引号"
            yield place, Rejected(place, reason, shorten(raw)), raw
            reader = csv.reader(tape, delimiter=delimiter, strict=True)
        else:
            yield place, cells, "".join(tape.row)


# --- tables: CSV and sheets share headers and width checks


class Changed(Refused):
    """A table that has another header than the saved mapping was made for."""


def table_rows(
    table: Iterator[Line], name: str, mapping: Mapping_ | None, told: Told | None = None
) -> Iterator[Row]:
    """The rows below the header. `mapping` given: it must fit, nothing is guessed against it; `told`
    hears the mapping that is used and how the header differs from the one it was made for."""
    table, above = iter(table), []
    for place, cells, raw in itertools.islice(table, HEADER_ROWS):
        if isinstance(cells, Rejected):
            yield place, cells, raw, None
            continue
        header = [_head(cell) for cell in cells]
        found = mapping or guess_mapping(cells)
        if _is_header(cells, found):
            if told:
                told(found, difference(found, header) if mapping else "")
            yield from _below(table, header, found)
            return
        above.append(header)
    raise _no_header(name, above, mapping)


def _no_header(name: str, above: list[list[str]], mapping: Mapping_ | None) -> Refused:
    looks_like = next((row for row in above if _is_header(row, guess_mapping(row))), None)
    if mapping is not None and looks_like:
        return Changed(
            f"{name}: 表头换了样子，与保存的列对应不符，没有读（{difference(mapping, looks_like)}）；"
            "改 mappings 里的列对应，或删去那个文件重新识别"
        )
    seen = "；".join("、".join(filter(None, row))[:200] for row in above[:3] if any(row)) or "空"
    return Refused(
        f"{name}: 前 {HEADER_ROWS} 行里没有表头，至少要有标题或内容列（文件里是: {seen}）；请给列起名，或写列对应"
    )


def difference(mapping: Mapping_, header: list[str]) -> str:
    """What a header has more and less than the one that the mapping was made for; "" = the same."""
    known = dict.fromkeys((*mapping.columns.values(), *mapping.headers))
    given = dict.fromkeys(column for column in header if column.strip())
    lost = [column for column in known if column not in given]
    more = [column for column in given if column not in known] if mapping.headers else []
    words = [("少了列 ", lost), ("多了列 ", more)]
    return "，".join(word + "、".join(columns[:10]) for word, columns in words if columns)


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
        reason = f"{place}: 表头 {len(header)} 列，这一行有 {len(cells)} 格；含分隔符的文字请加引号"
        return place, Rejected(place, reason, shorten(raw)), raw, mapping
    return place, dict(zip(header, cells, strict=False)), raw, mapping


# --- XLSX


def xlsx_rows(path: Path, mapping: Mapping_ | None, told: Told | None = None) -> Iterator[Row]:
    """The rows of every sheet with a known header; the workbook is taken apart in a process of its own."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with tempfile.TemporaryDirectory(prefix="huiying-sheet-") as room:
        into = Path(room) / "rows.jsonl"
        answer = _unpacked(path, into)
        with into.open(encoding="utf-8") as file:
            yield from _sheets(path, file, mapping, told)
    if "cut" in answer:
        place = f"{path.name}:{answer['rows']} 行以后"
        yield place, Rejected(place, f"{place}: {answer['cut']}", ""), "", None


@functools.cache
def _pool() -> Pool:
    pool = Pool("connectors.sheets:unpack", size=1)
    atexit.register(pool.close)
    return pool


def _unpacked(path: Path, into: Path) -> dict[str, Any]:
    request = {"path": str(path.resolve()), "into": str(into)}
    try:
        answer: dict[str, Any] = _pool().run(request, b"", UNPACK_S)
    except Cut as cut:
        raise Refused(f"{path.name}: 读这个工作簿时{cut}；请拆成几个文件，或存为 .csv") from None
    if "refused" in answer:
        raise Refused(f"{path.name}: {answer['refused']}")
    return answer


def _sheets(path: Path, file: TextIO, mapping: Mapping_ | None, told: Told | None) -> Iterator[Row]:
    """A sheet without a header is passed over, unless no sheet has one; one that looks like tickets
    and does not fit the saved mapping is named."""
    refusals, read = [], 0
    for title, rows in itertools.groupby(map(json.loads, file), key=lambda row: row["s"]):
        name = f"{path.name}:{title}"
        try:
            yield from table_rows(_sheet_table(name, rows), name, mapping, told)
            read += 1
        except Refused as refused:
            refusals.append(refused)
            if isinstance(refused, Changed) and read:
                yield name, Rejected(name, str(refused), ""), "", None
    if not read:
        raise refusals[0] if refusals else Refused(f"{path.name}: 工作簿是空的；请核对文件")


def _sheet_table(name: str, rows: Iterator[dict[str, Any]]) -> Iterator[Line]:
    for row in rows:
        yield f"{name}:{row['n']}", row["c"], json.dumps(row["c"], ensure_ascii=False)
