"""The restore drill 恢复演练: the newest backup is brought back into a database for a while, and must prove whole.

A backup that nobody has ever brought back is a hope. The live ledger is not touched; the scratch database lies on
the same server (PostgreSQL) or in a temporary folder (SQLite), and is gone at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from connectors.ports import Refused
from flows import timekeeping
from flows.audit import verify_chain
from flows.keeping.backups import Head, bring_ledger, continues, unpack
from flows.wiring import House
from models.ledger.scratch import scratch
from models.ledger.store import Store
from playbooks.site import load_site

STALE: Final = timedelta(hours=48)
"""The newest backup of a folder that is older than this is a finding: each night one should be made."""


def drill(where: Path, directory: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Bring back `where` (a backup, or a folder whose newest one is meant), prove it, and take all away again.

    Answers {"archive", "made_at", "engine", "bytes", "age_s", "restore_s", "verify_s", "ok", "entries", "head",
    "findings"}; seconds as measured. Raises Refused (no backup, damaged), Unreachable, LedgerError, OSError.
    """
    archive = newest(where) if where.is_dir() else where
    if not archive.is_file():
        raise Refused(f"没有备份 {archive}；先运行 huiying backup，或核对路径")
    began = time.monotonic()
    with TemporaryDirectory(prefix="huiying-drill-") as name:
        manifest = unpack(archive, Path(name))
        with _brought_back(Path(name), manifest, directory, environ) as house:
            restored = time.monotonic()
            continues(house.store, Head(**manifest["journal"]))
            proven = verify_chain(house)
            took = {"restore_s": restored - began, "verify_s": time.monotonic() - restored}
    findings = [*_stale(archive, where), *proven["findings"]]
    return {
        **_about(archive, manifest),
        **{name: round(seconds, 2) for name, seconds in took.items()},
        "ok": not findings,
        "entries": proven["entries"],
        "head": proven["head"],
        "findings": findings,
    }


def _about(archive: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    kept = archive.stat()
    return {
        "archive": str(archive),
        "made_at": manifest["made_at"],
        "engine": manifest["engine"],
        "bytes": kept.st_size,
        "age_s": round(time.time() - kept.st_mtime),
    }


def _stale(archive: Path, where: Path) -> list[str]:
    """Whoever names a file wants that one; of a folder the newest must be new."""
    age = timedelta(seconds=time.time() - archive.stat().st_mtime)
    if archive == where or age <= STALE:
        return []
    return [f"最新的备份已有 {age / timedelta(hours=1):.0f} 小时；请看每夜的备份是否还在做"]


def newest(folder: Path) -> Path:
    """The backup that was written last. Raises Refused where there is none."""
    found = sorted(folder.glob("*.tar"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise Refused(f"{folder} 里没有备份（*.tar）；先运行 huiying backup，或核对路径")
    return found[-1]


@contextmanager
def _brought_back(
    folder: Path, manifest: dict[str, Any], directory: Path, environ: Mapping[str, str]
) -> Iterator[House]:
    """The site as it would stand after a restore, on a database of its own; its schema brought up to date, for a
    backup may be older than the program."""
    site = load_site(directory, environ)
    with closing(Store(site.database_url)) as live, scratch(live, folder) as url:
        bring_ledger(url, folder, manifest)
        with closing(Store(url)) as store:
            store.migrate()
            time_piece = timekeeping.read(store)
            house = House(site, store, time_piece, environ)
            store.archive = House(
                site, live, time_piece, environ
            ).archive  # what has left the database stays there
            yield house
