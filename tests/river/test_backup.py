"""A site is backed up while it is at work, brought back elsewhere, and proves that nothing is missing."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from connectors.ports import Refused
from flows.keeping.backups import MANIFEST, backup, restore
from flows.office.desk import Desk
from flows.wiring import House
from support import postgres
from support.cli import Cli
from support.sites import ENVIRON, write_site


@pytest.fixture
def second_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another empty database of the same engine."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'second.sqlite'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.database()


def _site(folder: Path, url: str | None) -> Path:
    changes = {"database": url} if url else {}
    site = write_site(folder, "http://127.0.0.1:9", **changes)
    (site / "playbooks").mkdir()
    (site / "playbooks" / "own.test.yaml").write_text("tests: []\n", encoding="utf-8")
    (site / "hook.key").write_text("never in a backup", encoding="utf-8")
    (site / "kept.yaml").write_text("secret: never in a backup\n", encoding="utf-8")
    (site / "more.yaml").write_text("token: file:kept.yaml\n", encoding="utf-8")
    return site


def _open(site: Path, title: str) -> str:
    with House.open(site, ENVIRON) as house:
        said = {"title": title, "grade": "II", "occurred_at": "2026-11-20T00:41:00+08:00", "reason": "来电"}
        return str(Desk(house).act("open", "", said, "chen")["id"])


def test_what_is_brought_back_has_every_entry_and_is_proven_whole(
    database_url: str, second_url: str, tmp_path: Path
) -> None:
    site = _site(tmp_path / "old", database_url)
    incident = _open(site, "化工园区火灾")
    with House.open(site, ENVIRON) as house:
        manifest = backup(house, tmp_path / "one.tar")
        shown = Desk(house).incident(incident)
    _open(site, "备份以后的事")
    elsewhere = _site(tmp_path / "new", second_url)
    done = restore(tmp_path / "one.tar", elsewhere, ENVIRON)
    assert done["verify"]["ok"], done["verify"]["findings"]
    assert done["verify"]["entries"] == manifest["journal"]["seq"] > 0
    with House.open(elsewhere, ENVIRON) as house:
        back = Desk(house).incident(incident)
    assert shown and back
    assert [(c["id"], c["due_at"], c["state"]) for c in back["clocks"]] == [
        (c["id"], c["due_at"], c["state"]) for c in shown["clocks"]
    ]
    _open(elsewhere, "恢复以后照常立案")


def test_the_settings_go_along_and_no_secret_does(tmp_path: Path) -> None:
    site = _site(tmp_path / "old", None)
    _open(site, "停水")
    cli = Cli(site)
    made = cli("backup", "-o", str(tmp_path / "one.tar"), "--json")
    assert made.code == 0, made.err
    with tarfile.open(tmp_path / "one.tar") as tar:
        names = set(tar.getnames())
        words = b"".join((tar.extractfile(name) or pytest.fail(name)).read() for name in names)
    assert {MANIFEST, "database.sqlite", "site/site.yaml", "site/playbooks/own.test.yaml"} <= names
    assert b"never in a backup" not in words
    assert (tmp_path / "one.tar").stat().st_mode & 0o077 == 0, "others read no ledger"
    there = Cli(tmp_path / "new")("restore", str(tmp_path / "one.tar"), "--json")
    assert there.code == 0, there.err
    assert there.value["verify"]["ok"]
    assert (tmp_path / "new" / "roster.yaml").read_bytes() == (site / "roster.yaml").read_bytes()


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    site = _site(tmp_path / "old", None)
    _open(site, "停水")
    cli = Cli(site)
    assert cli("backup", "-o", str(tmp_path / "one.tar")).code == 0
    again = cli("backup", "-o", str(tmp_path / "one.tar"))
    assert again.code == 1
    assert "没有覆盖" in again.err
    over = cli("restore", str(tmp_path / "one.tar"))
    assert over.code == 1
    assert "没有覆盖" in over.err
    assert len(json.loads(cli("board", "--json").out)["incidents"]) == 1


@pytest.mark.parametrize("damage", ["cut short", "a byte changed", "no manifest", "not an archive"])
def test_a_damaged_backup_is_refused_before_anything_is_written(damage: str, tmp_path: Path) -> None:
    site = _site(tmp_path / "old", None)
    _open(site, "停水")
    whole, bad = tmp_path / "one.tar", tmp_path / "bad.tar"
    with House.open(site, ENVIRON) as house:
        backup(house, whole)
    _damage(whole, bad, damage)
    with pytest.raises(Refused):
        restore(bad, tmp_path / "new", ENVIRON)
    assert not (tmp_path / "new").exists()


def _damage(whole: Path, bad: Path, damage: str) -> None:
    held = bytearray(whole.read_bytes())
    if damage == "cut short":
        held = held[: len(held) // 2]
    elif damage == "a byte changed":
        at = held.index("停水".encode())
        held[at] ^= 1
    elif damage == "not an archive":
        held = bytearray(b"%PDF-1.7 not at all")
    bad.write_bytes(held)
    if damage == "no manifest":
        with tarfile.open(bad, "w") as tar:
            tar.add(Path(__file__), arcname="database.sqlite")


def test_a_backup_of_one_engine_is_not_poured_into_another(
    postgres_server: postgres.Server, tmp_path: Path
) -> None:
    site = _site(tmp_path / "old", None)
    _open(site, "停水")
    with House.open(site, ENVIRON) as house:
        backup(house, tmp_path / "one.tar")
    with pytest.raises(Refused, match="sqlite"):
        restore(tmp_path / "one.tar", _site(tmp_path / "new", postgres_server.database()), ENVIRON)
