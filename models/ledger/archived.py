"""What has left the tables, read where it lies: a file for each month, one row a line (`retiring` says which leave).

A file is gzip over JSON lines, readable by anybody for ever: `zcat signal-2024-11.jsonl.gz`. Which files there
are, and what each must hash to, stands in the ledger, so that a file that is gone or changed is told of.
"""

from __future__ import annotations

import gzip
import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zlib import error as ZlibError  # noqa: N812  (zlib's own name is a plain word)

from sqlalchemy import Connection, Row, Table, select

from models.core.moment import parse_iso
from models.ledger.store import LedgerError
from models.records import Archive

ARCHIVE: Table = Archive.__table__  # type: ignore[attr-defined]
SIGNALS, JOURNAL = "signal", "journal"
FOLDER: Final = "huiying_archive"
"""What a connection's options call the folder of the files."""
_MOMENTS: Final = {SIGNALS: ("published_at", "occurred_at", "seen_at", "triaged_at"), JOURNAL: ("at",)}


class Lost(LedgerError):
    """A file that the ledger has put rows into is gone, or is no longer what it was."""


def listed(conn: Connection, kind: str | None = None) -> Sequence[Row[Any]]:
    """The files, each with what it holds, the oldest rows first; those that were deleted for good too."""
    query = select(ARCHIVE).order_by(ARCHIVE.c.kind.desc(), ARCHIVE.c.first, ARCHIVE.c.file)
    return conn.execute(query.where(ARCHIVE.c.kind == kind) if kind else query).all()


def standing(conn: Connection, kind: str) -> list[Row[Any]]:
    """Those whose file must be there."""
    return [row for row in listed(conn, kind) if row.forgotten_at is None]


def folder(conn: Connection) -> Path | None:
    """Where the files lie, as this process was told."""
    found: Path | None = conn.get_execution_options().get(FOLDER)
    return found


def place(conn: Connection, name: str) -> Path:
    """The path of a file. Raises Lost when this process knows no folder, or the file is not in it."""
    where = folder(conn)
    path = where / name if where else None
    if path is None or not path.is_file():
        raise Lost(f"归档文件 {name} 不在 {where or '归档目录'} 里；从备份找回，放回原处")
    return path


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file as they were written. Raises Lost when it cannot be read."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as text:
            for line in text:
                yield json.loads(line)
    except (OSError, EOFError, ZlibError, ValueError) as error:
        raise Lost(f"归档文件 {path.name} 读不出来（{error}）；从备份找回，放回原处") from None


def rows(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    """The rows of a file as their table held them."""
    return (as_row(line, kind) for line in lines(path))


def as_row(line: dict[str, Any], kind: str) -> dict[str, Any]:
    """A line as its table held it, instants as datetimes."""
    return line | {name: _moment(line[name]) for name in _MOMENTS[kind]}


def _moment(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wrong(conn: Connection, row: Row[Any]) -> str | None:
    """None when the file is what the ledger says, else what is wrong with it, in words."""
    try:
        path = place(conn, row.file)
    except Lost as lost:
        return f"{lost}（{row.rows} 行）"
    if path.stat().st_size != row.size or sha256(path) != row.sha256:
        return f"归档文件 {row.file} 与台账记下的哈希不符（{row.rows} 行）；从备份找回原来的文件"
    return None


def signals(conn: Connection) -> Iterator[dict[str, Any]]:
    """Every signal that lies in a file. Raises Lost."""
    for row in standing(conn, SIGNALS):
        yield from rows(place(conn, row.file), SIGNALS)


def journal(conn: Connection, after: int, kind: str | None, live: Iterable[dict[str, Any]]) -> Iterator[Any]:
    """The journal behind number `after` whole: what lies in files, and then `live`, what the table still holds.

    Two months may overlap by the entries of one moment, and a month that is just leaving is in both. Raises Lost.
    """
    files = [row for row in standing(conn, JOURNAL) if row.last > after]
    if not files:
        yield from live
        return
    read = [rows(place(conn, row.file), JOURNAL) for row in files]
    for row in heapq.merge(*read, live, key=lambda one: one["seq"]):
        if row["seq"] > after and (kind is None or row["kind"] == kind):
            yield row
        after = max(after, row["seq"])


def began(conn: Connection) -> datetime | None:
    """When the first entry that lies in a file was written; None while none does."""
    first = select(ARCHIVE.c.first_at).where(ARCHIVE.c.kind == JOURNAL).order_by(ARCHIVE.c.first).limit(1)
    return conn.execute(first).scalar()


def holding(conn: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    """The files that signals of these numbers may lie in: those whose span holds one of them."""
    return [row for row in listed(conn, SIGNALS) if any(row.first <= one <= row.last for one in numbers)]


def said(files: Iterable[Row[Any]]) -> str:
    """For people: where it lies now."""
    return "、".join(f"{row.file}（已按期删除）" if row.forgotten_at else str(row.file) for row in files)
