"""Backups 备份: one file that holds the ledger and the site's settings, and the way back.

An archive is a tar: `manifest.json`, `database.sqlite` or `database.dump`, and `site/…`. The manifest names the
journal's end before the copy was taken, so that whoever brings it back can prove that nothing is missing.
Secrets stay where they are kept: the environment, or the files that settings refer to.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from connectors import dumps
from connectors.ports import Refused
from flows.audit import verify_chain
from flows.wiring import House
from models.core.moment import iso
from models.ledger import archived, journal
from models.ledger.store import Store
from playbooks.site import load_site

FORM: Final = 1
ARCHIVES: Final = "archive"
MANIFEST: Final = "manifest.json"
DATABASES: Final = {"sqlite": "database.sqlite", "postgresql": "database.dump"}
SETTINGS: Final = frozenset({".yaml", ".yml", ".csv", ".json", ".docx", ".typ", ".ttf", ".otf"})
"""What a site's settings are made of; anything else in its folder is not ours to carry."""
_KEPT_FILE: Final = re.compile(r"file:\s*([^\s\"'#]+)")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the journal: its number and hash."""

    seq: int
    hash: str


def backup(house: House, to: Path, with_archives: bool = False) -> dict[str, Any]:
    """Write the archive `to` (never over another) and answer its manifest, whose `archives` are the files of months
    that have left the database: needed with it, and in it only where that is asked for. Raises Refused, Unreachable,
    LedgerError, OSError."""
    if to.exists():
        raise Refused(f"{to} 已经存在，没有覆盖；换一个文件名")
    with TemporaryDirectory(dir=to.parent, prefix=".backup-") as folder:
        head = _head(house.store)
        engine = "sqlite" if house.store.sqlite else "postgresql"
        dump = Path(folder) / DATABASES[engine]
        _copy(house.store, dump)
        files = {dump.name: dump} | {f"site/{name}": path for name, path in _settings(house)}
        needed = _archives(house)
        files |= {f"{ARCHIVES}/{one['file']}": house.archive / one["file"] for one in needed if with_archives}
        manifest = {
            "form": FORM,
            "site": house.site.name,
            "engine": engine,
            "made_at": iso(house.time.now()),
            "journal": asdict(head),
            "archives": needed,
            "files": {name: _sha256(path) for name, path in sorted(files.items())},
        }
        part = Path(folder) / "archive"
        _pack(part, manifest, files)
        part.rename(to)
    return manifest


def restore(archive: Path, site: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Bring `archive` back: settings into `site` where it has none, the ledger into an empty database;
    then the whole journal is proven. Answers {"manifest", "verify"}.

    Raises Refused (not an archive, damaged, something is there already), and what `backup` raises.
    """
    with TemporaryDirectory(prefix="huiying-restore-") as name:
        folder = Path(name)
        manifest = unpack(archive, folder)
        _bring_settings(folder / "site", site)
        bring_ledger(load_site(site, environ).database_url, folder, manifest)
        with House.open(site, environ) as house:
            _bring_archives(folder / ARCHIVES, house.archive)
            continues(house.store, Head(**manifest["journal"]))
            return {"manifest": manifest, "verify": verify_chain(house)}


# ── taking ────────────────────────────────────────────────────────────────────────────────────


def _head(store: Store) -> Head:
    with store.read() as conn:
        return Head(*journal.length(conn))


def _copy(store: Store, to: Path) -> None:
    if store.sqlite:
        dumps.copy_sqlite(Path(str(store.url.database)), to)
    else:
        dumps.dump_postgres(store.libpq, to)


def _archives(house: House) -> list[dict[str, Any]]:
    """The files that the copy needs to be proven; asked after it was taken, so that none is missing."""
    with house.store.read() as conn:
        rows = [row for kind in (archived.SIGNALS, archived.JOURNAL) for row in archived.standing(conn, kind)]
    return [{"file": row.file, "sha256": row.sha256, "bytes": row.size} for row in rows]


def _settings(house: House) -> Iterator[tuple[str, Path]]:
    """Name in the archive and path of every settings file; no secret, no working state."""
    root = house.site.directory
    secret = set(_secret_files(root))
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        hidden = any(part.startswith(".") or part == "var" for part in inside.parts)
        hidden = hidden or path.is_relative_to(house.archive)
        plain = path.is_file() and not path.is_symlink() and path.resolve() not in secret
        if plain and not hidden and path.suffix.lower() in SETTINGS:
            yield inside.as_posix(), path


def _secret_files(root: Path) -> Iterator[Path]:
    for path in root.glob("*.y*ml"):
        for found in _KEPT_FILE.findall(path.read_text(encoding="utf-8")):
            yield (root / found).resolve()


def _pack(to: Path, manifest: dict[str, Any], files: Mapping[str, Path]) -> None:
    words = to.with_name(MANIFEST)
    words.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    with tarfile.open(to, "w") as tar:
        for name, path in {MANIFEST: words, **files}.items():
            tar.add(path, arcname=name, recursive=False)
    to.chmod(0o600)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ── bringing back ─────────────────────────────────────────────────────────────────────────────


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")  # no way out of the folder, no links, no devices
    except tarfile.TarError as error:
        raise Refused(f"{archive} 不是本系统的备份，或已损坏（{error}）；换一份备份") from None
    manifest = _manifest(archive, folder)
    for name, mark in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _sha256(path) != mark:
            raise Refused(f"{archive} 中的 {name} 缺失或与清单不符；换一份备份")
    return manifest


def _manifest(archive: Path, folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = manifest["form"] == FORM and manifest["engine"] in DATABASES and manifest["files"]
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise Refused(f"{archive} 里没有能读的 {MANIFEST}；它不是本系统的备份，或来自更新的版本")
    return manifest


def _bring_settings(held: Path, site: Path) -> None:
    """A site that is there keeps its own settings: it may have moved to another database."""
    if (site / "site.yaml").exists():
        return
    site.mkdir(parents=True, exist_ok=True)
    for path in sorted(held.rglob("*")):
        if path.is_file():
            to = site / path.relative_to(held)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())


def bring_ledger(url: str, folder: Path, manifest: dict[str, Any]) -> None:
    store = Store(url)
    try:
        _load(store, folder, manifest)
    finally:
        store.close()


def _bring_archives(held: Path, folder: Path) -> None:
    """Files of months, where the backup has them; one that is there already is left, and proven like the rest."""
    for path in sorted(held.glob("*")):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
            (folder / path.name).chmod(0o600)


def _load(store: Store, folder: Path, manifest: dict[str, Any]) -> None:
    engine = "sqlite" if store.sqlite else "postgresql"
    if engine != manifest["engine"]:
        raise Refused(f"备份来自 {manifest['engine']}，而 site.yaml 的 database 是 {engine}；两者须相同")
    if not store.is_empty():
        raise Refused(f"数据库 {store.shown} 里已有内容，没有覆盖；换一个空库，或先移走旧的")
    dump = folder / DATABASES[engine]
    if store.sqlite:
        target = Path(str(store.url.database))
        target.parent.mkdir(parents=True, exist_ok=True)
        dumps.copy_sqlite(dump, target)
    else:
        dumps.load_postgres(store.libpq, dump)


def continues(store: Store, head: Head) -> None:
    """The journal has the entry that was its end before the copy was taken."""
    if head.seq == 0:
        return
    with store.read() as conn:
        row = next(journal.entries(conn, after=head.seq - 1, size=1), None)
    if row is None or (row["seq"], row["hash"]) != (head.seq, head.hash):
        raise Refused(f"恢复的日志里没有第 {head.seq} 条，或与备份清单不符；这份备份不完整")
