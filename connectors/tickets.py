"""Files of tickets and posts → signals: CSV, XLSX, JSON Lines and JSON, plain or gzipped.

Rows are read as a stream in batches; each row is a signal or is rejected with `file:line: reason`,
so the counts always add up.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from connectors import encodings
from connectors.mapping import Mapping_, accept, from_message, guess_mapping, json_trouble, rows_in, shorten
from connectors.ports import Refused
from connectors.tables import Row, Told, csv_rows, xlsx_rows
from connectors.textfiles import MAX_LINE, lines, open_bytes, open_text
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

__all__ = ["Mapping_", "from_message", "guess_mapping", "mapping_of", "read", "read_batches"]

BATCH = 500
MAX_JSON = 256 * 2**20  # bytes of a JSON file, which must be held whole

_SHEETS = (".xls", ".xlsb", ".et", ".ods", ".numbers")

Outcome = RawSignal | Rejected


def read(
    path: Path,
    kind: str = "tickets",
    *,
    source_id: str,
    medium: Medium | None = None,
    mapping: Mapping_ | None = None,
) -> Batch:
    """The whole file as one Batch; for large files use `read_batches`, which takes the same."""
    batches = list(read_batches(path, kind, source_id=source_id, medium=medium, mapping=mapping))
    signals = itertools.chain.from_iterable(batch.signals for batch in batches)
    return Batch(tuple(signals), tuple(itertools.chain.from_iterable(batch.rejected for batch in batches)))


def read_batches(
    path: Path,
    kind: str = "tickets",
    *,
    source_id: str,
    medium: Medium | None = None,
    mapping: Mapping_ | None = None,
    size: int = BATCH,
    told: Told | None = None,
) -> Iterator[Batch]:
    """The file as a stream of batches of up to `size` rows.

    `kind` is "tickets" (medium hotline unless a column says otherwise) or "posts" (news). `mapping` is
    used instead of a guess; `told` hears which one is used for a table, and how its header differs
    from the mapping's. Raises Refused when the file cannot be read as a whole.
    """
    usual = medium or default_medium(kind)
    outcomes = (
        message
        if isinstance(message, Rejected)
        else accept(
            message,
            place,
            source_id=source_id,
            medium=usual,
            mapping=found or _fitting(message, mapping),
            raw=raw,
        )
        for place, message, raw, found in _guarded(path, rows(path, mapping, told))
    )
    while chunk := list(itertools.islice(outcomes, size)):
        yield to_batch(chunk)


def _fitting(message: object, mapping: Mapping_ | None) -> Mapping_ | None:
    """A saved mapping serves a JSON row only where the row has its columns."""
    fits = mapping and isinstance(message, Mapping) and any(c in message for c in mapping.columns.values())
    return mapping if fits else None


def mapping_of(path: Path) -> Mapping_:
    """The mapping that would be used for the file's first row, to be shown before importing."""
    for _, message, _, found in _guarded(path, rows(path)):
        if found is not None:
            return found
        if isinstance(message, Mapping):
            return guess_mapping(message)
    return Mapping_({})


def default_medium(kind: str) -> Medium:
    if kind not in ("tickets", "posts"):
        raise ValueError(f"文件种类 {kind!r} 不认识；可用: tickets posts")
    return Medium.HOTLINE if kind == "tickets" else Medium.NEWS


def to_batch(outcomes: Iterable[Outcome]) -> Batch:
    """Outcomes in order → a Batch."""
    found = list(outcomes)
    return Batch(
        tuple(one for one in found if isinstance(one, RawSignal)),
        tuple(one for one in found if isinstance(one, Rejected)),
    )


def rows(path: Path, mapping: Mapping_ | None = None, told: Told | None = None) -> Iterator[Row]:
    """The rows of a file by its ending, gzipped or not."""
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in (".csv", ".tsv", ".txt"):
        return csv_rows(path, mapping, told)
    if ending in (".xlsx", ".xlsm"):
        return xlsx_rows(path, mapping, told)
    if ending in (".jsonl", ".ndjson"):
        return _jsonl_rows(path)
    if ending == ".json":
        return _json_rows(path)
    raise Refused(unread(path.name))


def unread(name: str) -> str:
    """Why a file of that name is not read, and what to do about it."""
    ending = Path(name.removesuffix(".gz")).suffix.lower()
    hint = "请用表格软件另存为 .xlsx" if ending in _SHEETS else "如有工单，请用 .csv、.xlsx、.jsonl 或 .json"
    return f"{name}: 不读以 {ending or '空'} 结尾的文件；{hint}"


def _guarded(path: Path, source: Iterator[Row]) -> Iterator[Row]:
    """Errors of the file as a whole, in one clear line.

    They are raised when nothing was read yet; after that they are one rejected row more, so that
    what stands before the damage is kept and what is missing is named.
    """
    count = 0
    try:
        for row in source:
            count += 1
            yield row
    except (Refused, OSError, EOFError, zlib.error) as error:
        reason = str(error) if isinstance(error, Refused) else _damage(path, error)
        if count == 0:
            raise Refused(reason) from None
        place = f"{path.name}:{count} 行以后"
        yield place, Rejected(place, f"{place}: 其余读不出来: {reason}", ""), "", None


def _damage(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: 没有这个文件；请核对路径"
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return f"{path.name}: gzip 数据已损坏（{error}）；请重新取一份"
    return f"{path}: 读不了（{getattr(error, 'strerror', None) or error}）；请核对文件和权限"


def _jsonl_rows(path: Path) -> Iterator[Row]:
    with open_text(path) as file:
        number, going_on = 0, False
        for line in lines(file):
            if going_on:  # the rest of a line that was already rejected
                going_on = not line.endswith(("\n", "\r"))
                continue
            number += 1
            place = f"{path.name}:{number}"
            if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
                going_on = True
                reason = f"{place}: 这一行超过 {MAX_LINE:,} 个字符；请拆开"
                yield place, Rejected(place, reason, shorten(line)), line, None
            elif line.strip():
                yield place, _loads(line, place), line.rstrip("\r\n"), None


def _loads(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{place}:{error.colno}: 不是 JSON（{json_trouble(error)}）"
    except (ValueError, RecursionError) as error:
        reason = f"{place}: JSON 读不出来（{json_trouble(error)}）"
    return Rejected(place, reason, shorten(text))


def _json_rows(path: Path) -> Iterator[Row]:
    with open_bytes(path) as file:
        data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise Refused(f"{path.name}: 超过 {MAX_JSON:,} 字节；请写成每行一个对象，以 .jsonl 结尾")
    text = encodings.decode(data)
    found = _loads(text, path.name)
    if isinstance(found, Rejected):
        if re.match(r"\s*\{.*\}\s*\n\s*\{", text[:MAX_LINE]):
            yield from _jsonl_rows(path)  # JSON Lines under another name
            return
        raise Refused(f"{found.reason}；.json 文件应为一个对象列表")
    listed = rows_in(found)
    if listed is None:
        raise Refused(f'{path.name}: 里面没有成列的行；写成 [{{…}}, {{…}}] 或 {{"data": [{{…}}]}}')
    for number, row in enumerate(listed, 1):
        yield f"{path.name}[{number}]", row, None, None
