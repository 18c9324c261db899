"""The restore drill: a backup proves that it can be brought back, and the ledger in use never notices."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest

from connectors.ports import Refused
from flows.keeping.backups import backup
from flows.keeping.drill import drill
from flows.office.desk import Desk
from flows.wiring import House
from models.ledger.store import LedgerError
from support import postgres
from support.cli import Cli
from support.sites import ENVIRON, write_site

HAPPENED = {
    "title": "化工园区火灾",
    "grade": "II",
    "occurred_at": "2026-11-20T00:41:00+08:00",
    "reason": "来电",
}


def _backed_up(site: Path, to: Path) -> int:
    """Open an incident, make a backup, open another; the entries that the backup holds."""
    with House.open(site, ENVIRON) as house:
        Desk(house).act("open", "", HAPPENED, "chen")
        kept = int(backup(house, to)["journal"]["seq"])
        Desk(house).act("open", "", {**HAPPENED, "title": "备份以后的事"}, "chen")
    return kept


def _databases(url: str) -> set[str]:
    with psycopg.connect(url.replace("+psycopg", "")) as conn:
        return {row[0] for row in conn.execute("SELECT datname FROM pg_database").fetchall()}


def test_the_newest_backup_proves_whole_and_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "huiying-old.tar").write_bytes(b"damaged long ago")
    os.utime(folder / "huiying-old.tar", (0, 0))
    kept = _backed_up(site, folder / "huiying-new.tar")
    server = not database_url.startswith("sqlite")
    before = _databases(database_url) if server else set()
    done = drill(folder, site, ENVIRON)
    assert done["ok"], done["findings"]
    assert (done["entries"], done["archive"]) == (kept, str(folder / "huiying-new.tar"))
    if server:
        assert _databases(database_url) == before
    with House.open(site, ENVIRON) as house:
        assert len(Desk(house).board()["incidents"]) == 2, "the ledger in use is as it was"


def test_a_drill_that_was_killed_leaves_a_database_that_the_next_one_takes_away(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    url = postgres_server.database()
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=url)
    left = url.rsplit("/", 1)[1] + "_drill_00c0ffee"
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{left}"')
    _backed_up(site, tmp_path / "one.tar")
    assert drill(tmp_path / "one.tar", site, ENVIRON)["ok"]
    assert left not in _databases(url)


def test_a_user_who_may_make_no_database_is_told_so(postgres_server: postgres.Server, tmp_path: Path) -> None:
    url = postgres_server.database()
    role = "r" + url.rsplit("_", 1)[1]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f'CREATE ROLE "{role}" LOGIN NOCREATEDB')
        conn.execute(f'ALTER DATABASE "{url.rsplit("/", 1)[1]}" OWNER TO "{role}"')
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=url.replace("huiying@", f"{role}@"))
    _backed_up(site, tmp_path / "one.tar")
    with pytest.raises(LedgerError, match="CREATEDB"):
        drill(tmp_path / "one.tar", site, ENVIRON)


def test_the_command_says_what_it_took_and_refuses_what_cannot_be_brought_back(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9")
    cli = Cli(site)
    none = cli("drill", "restore", str(tmp_path))
    assert (none.code, "huiying backup" in none.err) == (1, True)
    _backed_up(site, tmp_path / "one.tar")
    said = cli("drill", "restore", str(tmp_path))
    assert said.code == 0, said.err
    assert "完好" in said.err
    assert {"restore_s", "verify_s", "head", "bytes"} <= cli.json("drill", "restore", str(tmp_path)).keys()
    old = time.time() - 3 * 86_400
    os.utime(tmp_path / "one.tar", (old, old))
    stale = cli("drill", "restore", str(tmp_path))
    assert (stale.code, "72 小时" in stale.err) == (1, True)
    with (tmp_path / "one.tar").open("r+b") as archive:
        archive.truncate(2000)
    with pytest.raises(Refused):
        drill(tmp_path / "one.tar", site, ENVIRON)
