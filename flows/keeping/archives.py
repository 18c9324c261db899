"""Keeping 保存: months ahead in the database, and what is old enough out of it, into files that are read for ever.

A month leaves in three steps, each of which may be the last before a crash: the file is written and read back;
one transaction names it and its hash in the journal; then its rows go. Begun anew, the first is done again, the
last is gone on with. A file is never written over, and nothing goes that no file has been proven to hold.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from connectors.ports import Refused
from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.ledger import archived, duties, journal, partitions, retiring, signals
from models.ledger.retiring import Due, Filed
from models.ledger.store import Connection, LedgerError

STRAYS: Final = "partition-strays"
"""The setting that says how many rows were found in the net, and when."""
AT_ONCE: Final = 500
MACHINE: Final = "huiying"
MANIFEST: Final = ".manifest.json"
WRITING: Final = ".writing-"
_ROUTINE: Final = "保存期限已满"


def keep(house: House) -> str:
    """The duty: months ahead, strays told of, then one month after the other that may leave; a line of what was
    done. Raises LedgerError, OSError."""
    _delete_forgotten(house)
    _sweep(house.archive)
    said = [_months_ahead(house), _still_plain(house)]
    if may_leave(house):
        said += [f"归档 {one.file}（{one.rows} 行）" for one in retire(house, most=1)]
    elif late := overdue(house):
        said.append(
            f"{late} 个月已到保存期限，未归档：写 site.yaml 的 retention.folder，或运行 huiying archive"
        )
    return "；".join(filter(None, said)) or "分区与保存期限正常"


def may_leave(house: House) -> bool:
    """May the duty archive by itself? On one machine with one disk, yes; where any of several may do it, only into
    a folder that the site names."""
    return house.store.sqlite or house.site.retention.folder is not None


def _months_ahead(house: House) -> str:
    now = house.time.now()
    with house.store.read() as conn:
        before = partitions.strays(conn)
    made = partitions.make_ahead(house.store, now)
    with house.store.read() as conn:
        after = partitions.strays(conn)
    _note(house, before, after, now)
    if made:
        partitions.freshen(house.store)
    return f"新建分区 {'、'.join(made)}" if made else ""


def _still_plain(house: House) -> str:
    """A word on tables of an older release; what a conversion that was broken off has left there is taken away."""
    partitions.unbind(house.store, house.time.now())
    with house.store.read() as conn:
        lacking = [one.table for one in partitions.plain(conn)]
    return f"{'、'.join(lacking)} 表尚未按月分区：运行 huiying partition" if lacking else ""


def _note(house: House, before: dict[str, int], after: dict[str, int], now: datetime) -> None:
    """For the auditor; written only when it changes."""
    note = {"at": iso(now), "found": sum(before.values()), "left": sum(after.values())} if before else {}
    with house.store.read() as conn:
        known = duties.get_setting(conn, STRAYS) or {}
    if known != note:
        with house.store.write() as conn:
            duties.put_setting(conn, STRAYS, note)


def strays(conn: Connection) -> str | None:
    """In words, what the last look into the net found; None when it was empty."""
    note = duties.get_setting(conn, STRAYS)
    if not note:
        return None
    if note["left"]:
        return (
            f"{note['left']} 行落在分区之外的兜底分区里；请在空闲时运行 huiying partition，并核对各机器的时钟"
        )
    return f"{note['found']} 行曾落在兜底分区里，已归位；请核对 keeping 是否一直在运行、各机器的时钟是否准确"


# ── what may leave ────────────────────────────────────────────────────────────────────────────


def limits(house: House) -> dict[str, datetime]:
    """kind → before which instant a month must be over; the journal is in it only where the site says so."""
    now, said = house.time.now(), house.site.retention
    found = {archived.SIGNALS: now - timedelta(days=said.signals_days)}
    if said.journal_days is not None:
        found[archived.JOURNAL] = now - timedelta(days=said.journal_days)
    return found


def overdue(house: House) -> int:
    """Months, of either table, whose time is up and that are still there."""
    with house.store.read() as conn:
        return sum(retiring.waiting(conn, kind, until) for kind, until in limits(house).items())


def retire(
    house: House, most: int | None = None, by: str = MACHINE, reason: str = _ROUTINE
) -> Iterator[Filed]:
    """Archive what may leave, the oldest month first, at most `most` of them, and go on with what was broken off.
    Raises LedgerError, OSError, Refused; what was written stands."""
    _go_on(house)
    for kind, until in limits(house).items():
        while most is None or most > 0:
            filed = _retire_one(house, kind, until, by, reason)
            if filed is None:
                break
            most = None if most is None else most - 1
            yield filed


def _retire_one(house: House, kind: str, until: datetime, by: str, reason: str) -> Filed | None:
    with house.store.read() as conn:
        due = retiring.due(conn, kind, until, house.time.now())
    if due is None:
        return None
    folder = house.archive
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as aside, _held(Path(aside)):
        filed = _write(house, due, Path(aside))
        return filed if _enter(house, due, filed, Path(aside), by, reason) else None


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """This folder is ours as long as this process lives. Raises OSError while it is another's."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """What was being written when a process fell is nobody's file: its texts would lie there for ever."""
    for one in folder.glob(f"{WRITING}*"):
        with suppress(OSError), _held(one):
            shutil.rmtree(one)


# ── the file ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Told:
    """What the lines of a file add up to, counted as they pass."""

    kind: str
    rows: int = 0
    first: dict[str, Any] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def through(self, lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for line in lines:
            self.rows, self.first, self.last = self.rows + 1, self.first or line, line
            yield line

    def filed(self, name: str, path: Path) -> Filed:
        number, at = ("id", "seen_at") if self.kind == archived.SIGNALS else ("seq", "at")
        span = (self.first[number], self.last[number], parse_iso(self.first[at]), parse_iso(self.last[at]))
        ends = (self.first.get("prev"), self.last.get("hash"))
        return Filed(name, self.rows, *span, archived.sha256(path), path.stat().st_size, *ends)


def _write(house: House, due: Due, aside: Path) -> Filed:
    """The file, and what a second reading of it found. Raises Refused when that is not what was written."""
    with house.store.read() as conn:
        name, told = retiring.next_name(conn, due), Told(due.kind)
        path = aside / name
        told_hash = _pack(path, told.through(retiring.rows(conn, due)))
    if not told.rows:
        raise Refused(f"{due.month} 没有可归档的行了；稍后再试")
    filed = told.filed(name, path)
    if _read_back(path, due.kind) != (told.rows, told_hash):
        raise Refused(f"归档文件 {name} 写好后读回不一致，什么也没有移出；核对磁盘，再运行 huiying archive")
    manifest = aside / (name + MANIFEST)
    manifest.write_text(
        json.dumps(_manifest(due, filed), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    manifest.chmod(0o600)
    return filed


def _pack(path: Path, lines: Iterable[dict[str, Any]]) -> str:
    """Write gzip whose bytes depend on nothing but the lines; the SHA-256 of the lines themselves."""
    hashed = hashlib.sha256()
    with path.open("xb") as raw:
        path.chmod(0o600)
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
            for line in lines:
                text = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
                hashed.update(text)
                packed.write(text)
        raw.flush()
        os.fsync(raw.fileno())
    return hashed.hexdigest()


def _read_back(path: Path, kind: str) -> tuple[int, str]:
    """How many rows the file holds and the SHA-256 of its lines, in one reading; each row is held to its own seal.
    Raises Refused, Lost."""
    hashed, count = hashlib.sha256(), 0
    for line in archived.lines(path):
        hashed.update((json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
        count += 1
        if not _sealed(archived.as_row(line, kind), kind):
            number = line.get("id") or line.get("seq")
            raise Refused(f"第 {number} 行与它的哈希不符，什么也没有移出；先运行 huiying verify 查明")
    return count, hashed.hexdigest()


def _sealed(row: dict[str, Any], kind: str) -> bool:
    if kind == archived.SIGNALS:
        return signals.digest(row) == str(row["digest"])
    return journal.seal(row) == str(row["hash"])


def _manifest(due: Due, filed: Filed) -> dict[str, Any]:
    """For whoever holds the file alone; what counts is what the ledger says."""
    return {
        "file": filed.file,
        "kind": due.kind,
        "month": str(due.month),
        "rows": filed.rows,
        "numbers": [filed.first, filed.last],
        "times": [iso(filed.first_at), iso(filed.last_at)],
        "sha256": filed.sha256,
        "bytes": filed.size,
    } | ({"prev": filed.prev, "head": filed.head} if due.kind == archived.JOURNAL else {})


# ── leaving ───────────────────────────────────────────────────────────────────────────────────


def _enter(house: House, due: Due, filed: Filed, aside: Path, by: str, reason: str) -> bool:
    """The file takes its place and the journal names it; False when the month has changed meanwhile."""
    forgotten = due.kind == archived.SIGNALS and not house.site.retention.archive
    with house.store.write() as conn:
        if not retiring.still_so(conn, due, filed):
            return False
        for name in (filed.file, filed.file + MANIFEST):
            (aside / name).replace(house.archive / name)
        _settle(house.archive)
        retiring.enter(conn, house.time.now(), due, filed, forgotten, by, reason)
    _go_on(house)
    return True


def _settle(folder: Path) -> None:
    """The names of files last as their bytes do."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _go_on(house: House) -> None:
    """The rows of a file that was entered go out of their tables; then the file itself, if it may not be kept."""
    with house.store.read() as conn:
        told = retiring.leaving(conn)
    if told is not None:
        partitions.freshen(house.store)
        if not told.get("out"):
            _let_go(house, told)
        with house.store.write() as conn:
            retiring.left(conn, told["file"])
    _delete_forgotten(house)


def _let_go(house: House, told: dict[str, Any]) -> None:
    """A few at a time, so that no clock waits."""
    lines = archived.lines(house.archive / told["file"])
    while batch := list(islice(lines, AT_ONCE)):
        with house.store.write() as conn:
            retiring.let_go(conn, told["kind"], batch, house.time.now())


def _delete_forgotten(house: House) -> None:
    """What the ledger calls deleted for good is off the disk: asked anew each time, for a crash may come between the
    word and the deed. A file whose rows are still leaving is read to its end first."""
    with house.store.read() as conn:
        still = (retiring.leaving(conn) or {}).get("file")
        forgotten = {row.file for row in archived.listed(conn) if row.forgotten_at is not None}
    for name in forgotten - {still}:
        (house.archive / name).unlink(missing_ok=True)
        (house.archive / (name + MANIFEST)).unlink(missing_ok=True)


def forget(house: House, name: str, by: str, reason: str) -> None:
    """Delete a file of signals for good. Raises Refused (unknown, a journal's, already gone, still leaving)."""
    with house.store.write() as conn:
        row = next((one for one in archived.listed(conn) if one.file == name), None)
        if row is None or row.forgotten_at is not None:
            raise Refused(f"没有归档文件 {name}，或已经删除；用 huiying archive list 查看")
        if row.kind != archived.SIGNALS:
            raise Refused(f"{name} 是日志，日志不删除；只有原始信息可以删除")
        if (retiring.leaving(conn) or {}).get("file") == name:
            raise Refused(f"{name} 正在归档；等 huiying archive 做完再删除")
        retiring.forget(conn, house.time.now(), name, by, reason)
    _delete_forgotten(house)


def read(house: House, name: str, incident: str | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a file, all or those of one incident. Raises Lost, LedgerError when there is no such file."""
    with house.store.read() as conn:
        row = next((one for one in archived.listed(conn) if one.file == name), None)
        if row is None:
            raise LedgerError(f"没有归档文件 {name}；用 huiying archive list 查看")
        if row.forgotten_at is not None:
            raise LedgerError(f"归档文件 {name} 已于 {iso(row.forgotten_at)} 按期删除")
        if words := archived.wrong(conn, row):
            raise archived.Lost(words)
    for line in archived.lines(house.archive / name):
        if incident is None or _of(line) == incident:
            yield line


def _of(line: dict[str, Any]) -> str | None:
    found: str | None = (line.get("judgement") or line).get("incident_id")
    return found
