"""An .xlsx file → its rows as lines of JSON. Runs in a process of its own (`isolation`).

A workbook is zipped XML from a stranger: it is unpacked behind a wall of time and memory, and what
comes out is plain data that cannot run.
"""

from __future__ import annotations

import itertools
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO
from xml.etree.ElementTree import ParseError

import openpyxl

MAX_SHEET = 512 * 2**20  # bytes that an .xlsx may unpack to, and that its rows may come to
MAX_SHARED = 128 * 2**20  # of those, the shared texts, which openpyxl holds whole
MAX_PARTS = 5_000
MAX_COLUMNS = 200
MAX_EMPTY = 10_000  # rows without a word, one after another: a formatted sheet has a million of them
MANGLED = (
    ValueError,
    KeyError,
    ParseError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    EOFError,
)


def unpack(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """{path, into} → {"rows": n} or {"refused": why}; `into` gets {"s": sheet, "n": row, "c": cells} a line."""
    path, into = Path(request["path"]), Path(request["into"])
    if wrong := _wrong_zip(path):
        return {"refused": wrong}
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except MANGLED as error:
        return {"refused": f"工作簿读不出来（{_short(error)}）；请用表格软件另存为 .xlsx"}
    with into.open("w", encoding="utf-8") as sink:
        return _written(book, sink)


def _wrong_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as pack:
            sizes = {part.filename: part.file_size for part in pack.infolist()}
    except (zipfile.BadZipFile, ValueError):
        return "不是 .xlsx 文件；请用表格软件打开，另存为 .xlsx"
    whole = sum(sizes.values())
    if whole > MAX_SHEET or sizes.get("xl/sharedStrings.xml", 0) > MAX_SHARED or len(sizes) > MAX_PARTS:
        return f"解压后有 {whole:,} 字节、{len(sizes):,} 个部件，太大；请拆成几个文件，或存为 .csv"
    return None


def _written(book: Any, sink: TextIO) -> dict[str, Any]:
    count = size = 0
    try:
        for line in _lines(book):
            count, size = count + 1, size + len(line)
            if size > MAX_SHEET:
                return {"rows": count, "cut": f"内容超过 {MAX_SHEET:,} 字节，后面的没有读；请拆成几个文件"}
            sink.write(line)
    except MANGLED as error:
        return {"rows": count, "cut": f"工作簿已损坏（{_short(error)}），后面的没有读；请另存为 .xlsx 再来"}
    return {"rows": count}


def _lines(book: Any) -> Iterator[str]:
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # the stated size is often wrong
        empty = 0
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), 1):
            empty = 0 if any(cell is not None for cell in cells) else empty + 1
            if empty > MAX_EMPTY:
                break
            if not empty:
                kept = list(itertools.islice(cells, MAX_COLUMNS))
                while kept and kept[-1] is None:
                    kept.pop()
                yield (
                    json.dumps({"s": sheet.title, "n": number, "c": kept}, ensure_ascii=False, default=str)
                    + "\n"
                )


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
