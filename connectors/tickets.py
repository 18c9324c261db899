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
from connectors.mapping import Mapping_, accept, from_message, guess_mapping, shorten
from connectors.ports import Refused
from connectors.tables import Row, csv_rows, xlsx_rows
from connectors.textfiles import MAX_LINE, lines, open_bytes, open_text
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

__all__ = ["Mapping_", "from_message", "guess_mapping", "mapping_of", "read", "read_batches"]

BATCH = 500
MAX_JSON = 256 * 2**20  # bytes of a JSON file, which must be held whole
_LISTS = ("data", "rows", "items", "records", "list", "result", "tickets", "posts")

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
) -> Iterator[Batch]:
    """The file as a stream of batches of up to `size` rows.

    `kind` is "tickets" (medium hotline unless a column says otherwise) or "posts" (news).
    `mapping` overrides the guess. Raises Refused when the file cannot be read as a whole.
    """
    usual = medium or default_medium(kind)
    outcomes = (
        message
        if isinstance(message, Rejected)
        else accept(message, place, source_id=source_id, medium=usual, mapping=mapping or found, raw=raw)
        for place, message, raw, found in _guarded(path, rows(path, mapping))
    )
    while chunk := list(itertools.islice(outcomes, size)):
        yield to_batch(chunk)


def mapping_of(path: Path) -> Mapping_:
    """The mapping that would be used for the file's first row, to be shown before importing."""
    for _, message, _, found in _guarded(path, rows(path, None)):
        if found is not None:
            return found
        if isinstance(message, Mapping):
            return guess_mapping(message)
    return Mapping_({})


def default_medium(kind: str) -> Medium:
    if kind not in ("tickets", "posts"):
        raise ValueError(f"{kind!r} is not a kind of file; it is tickets or posts")
    return Medium.HOTLINE if kind == "tickets" else Medium.NEWS


def to_batch(outcomes: Iterable[Outcome]) -> Batch:
    """Outcomes in order → a Batch."""
    found = list(outcomes)
    return Batch(
        tuple(one for one in found if isinstance(one, RawSignal)),
        tuple(one for one in found if isinstance(one, Rejected)),
    )


def rows(path: Path, mapping: Mapping_ | None) -> Iterator[Row]:
    """The rows of a file by its ending, gzipped or not."""
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in (".csv", ".tsv", ".txt"):
        return csv_rows(path, mapping)
    if ending in (".xlsx", ".xlsm"):
        return xlsx_rows(path, mapping)
    if ending in (".jsonl", ".ndjson"):
        return _jsonl_rows(path)
    if ending == ".json":
        return _json_rows(path)
    hint = (
        "save it as .xlsx in the spreadsheet program"
        if ending == ".xls"
        else "use .csv, .xlsx, .jsonl or .json"
    )
    raise Refused(f"{path.name}: files ending in {ending or 'nothing'} are not read; {hint}")


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
        place = f"{path.name}:after row {count}"
        yield place, Rejected(place, f"{place}: the rest could not be read: {reason}", ""), "", None


def _damage(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: there is no such file"
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return f"{path.name}: the gzip data is damaged ({error}); fetch the file again"
    return f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})"


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
                reason = f"{place}: the line is longer than {MAX_LINE:,} characters"
                yield place, Rejected(place, reason, shorten(line)), line, None
            elif line.strip():
                yield place, _loads(line, place), line.rstrip("\r\n"), None


def _loads(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{place}:{error.colno}: not JSON ({error.msg})"
    except (ValueError, RecursionError) as error:
        reason = f"{place}: not JSON that can be read ({error})"
    return Rejected(place, reason, shorten(text))


def _json_rows(path: Path) -> Iterator[Row]:
    with open_bytes(path) as file:
        data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise Refused(
            f"{path.name}: larger than {MAX_JSON:,} bytes; write one object per line and name it .jsonl"
        )
    text = encodings.decode(data)
    found = _loads(text, path.name)
    if isinstance(found, Rejected):
        if re.match(r"\s*\{.*\}\s*\n\s*\{", text[:MAX_LINE]):
            yield from _jsonl_rows(path)  # JSON Lines under another name
            return
        raise Refused(f"{found.reason}; a .json file holds one list of objects")
    for number, row in enumerate(_list_in(found, path), 1):
        yield f"{path.name}[{number}]", row, None, None


def _list_in(found: object, path: Path) -> list[object]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        named = next((found[key] for key in _LISTS if isinstance(found.get(key), list)), None)
        if named is not None:
            return list(named)
        if guess_mapping(found).usable:
            return [found]
    raise Refused(f'{path.name}: there is no list of rows in it; write [{{…}}, {{…}}] or {{"data": [{{…}}]}}')
