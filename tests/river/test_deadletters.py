"""What could not be read waits with its reason, is mended by a person, and becomes a signal exactly once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from flows.collecting import letters
from flows.office.desk import Desk
from flows.wiring import House
from models.ledger import deadletters, signals
from models.ledger.verify import verify
from support.cli import Cli
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"
TABLE = "工单编号,标题,诉求内容,来电人,受理时间\n"
ROWS = "1,停水,三天了,王小明,2026-11-21 02:13\n2,停电,电话13800138000,李四,昨天\n3,,,,\n"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    with House.open(write_site(tmp_path / "site", NOBODY, database=database_url), ENVIRON) as opened:
        yield opened


@pytest.fixture
def cli(house: House) -> Cli:
    return Cli(house.site.directory)


def put(tmp_path: Path, text: str, name: str = "t.csv") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def waiting(house: House) -> list[Any]:
    with house.store.read() as conn:
        return list(deadletters.listed(conn))


def titles(house: House) -> list[str]:
    with house.store.read() as conn:
        return [row.title for row in signals.pending(conn, 100)]


def test_a_mended_row_becomes_a_signal_with_who_and_when(cli: Cli, house: House, tmp_path: Path) -> None:
    assert cli("import", put(tmp_path, TABLE + ROWS), "--source", "hot").value["rejected"] == 2
    first, second = cli.json("deadletters", "list")["letters"]
    assert "“昨天” 不是时间" in first["reason"]
    said = cli("deadletters", "mend", str(first["id"]), "--set", "受理时间=2026-11-20 08:00", "--by", "chen")
    assert said.code == 0, said.err
    done = cli("deadletters", "replay", "--all", "--by", "chen", "--json")
    assert (done.code, done.value["accepted"], done.value["rejected"]) == (1, 1, 1)
    assert titles(house) == ["停水", "停电"]
    settled = letters.one(house, first["id"])
    assert settled is not None
    assert (settled["state"], settled["settled_by"]) == ("replayed", "chen")
    assert "陈值班" in settled["note"]
    assert [row.id for row in waiting(house)] == [second["id"]]


def test_replaying_again_and_importing_again_change_nothing(cli: Cli, house: House, tmp_path: Path) -> None:
    path = put(tmp_path, TABLE + ROWS)
    cli("import", path, "--source", "hot")
    number = str(waiting(house)[0].id)
    cli("deadletters", "mend", number, "--set", "受理时间=2026-11-20")
    cli("deadletters", "replay", number)
    with house.store.read() as conn:
        before = list(conn.exec_driver_sql("SELECT count(*) FROM journal"))
    assert cli.json("deadletters", "replay", number) == {
        "accepted": 0, "duplicate": 0, "rejected": 0, "reasons": [],
    }  # fmt: skip
    with house.store.read() as conn:
        assert list(conn.exec_driver_sql("SELECT count(*) FROM journal")) == before
    cli("import", path, "--source", "hot")
    assert len(waiting(house)) == 1
    assert "已重放" in cli("deadletters", "mend", number, "--set", "标题=x").err


def test_a_row_without_columns_is_mended_by_our_field_names(cli: Cli, house: House, tmp_path: Path) -> None:
    cli("import", put(tmp_path, '{broken\n{"title": "好"}\n', "t.jsonl"), "--source", "hot")
    number = str(waiting(house)[0].id)
    assert "先修补" in cli("deadletters", "replay", number).err
    cli("deadletters", "mend", number, "--set", "title=停水", "--set", "published_at=2026-11-20")
    assert cli.json("deadletters", "replay", number)["accepted"] == 1
    assert titles(house) == ["好", "停水"]


def test_an_edited_export_comes_back_and_masks_do_not_overwrite(
    cli: Cli, house: House, tmp_path: Path
) -> None:
    cli("import", put(tmp_path, TABLE + ROWS), "--source", "hot")
    lines = cli("deadletters", "export").lines
    assert "13800138000" not in json.dumps(lines, ensure_ascii=False)
    assert lines[0]["row"]["来电人"] == "李*"
    lines[0]["row"]["受理时间"] = "2026-11-20"
    lines[1]["row"]["标题"] = "路灯坏了"
    edited = put(tmp_path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), "e.jsonl")
    assert cli.json("deadletters", "mend", "--from", edited)["mended"] == 2
    assert cli.json("deadletters", "replay", "--source", "hot")["accepted"] == 2
    with house.store.read() as conn:
        rows = {row.title: row for row in signals.pending(conn, 9)}
    assert (rows["停电"].body, rows["停电"].author) == ("电话13800138000", "李四")


def test_cells_that_look_like_formulas_are_harmless_in_the_exported_table(cli: Cli, tmp_path: Path) -> None:
    cli("import", put(tmp_path, TABLE + "=cmd|'/c calc'!A1,,,,\n", "=t.csv"), "--source", "hot")
    rows = cli("deadletters", "export", "--csv").out.splitlines()
    assert rows[1].split(",")[2].startswith("\"'=t.csv")


def test_what_is_worth_nothing_is_dropped_with_a_reason_and_stays_readable(
    cli: Cli, house: House, tmp_path: Path
) -> None:
    cli("import", put(tmp_path, TABLE + "3,,,,\n"), "--source", "hot")
    number = str(waiting(house)[0].id)
    assert "理由" in cli("deadletters", "drop", number).err
    assert cli.json("deadletters", "drop", number, "--reason", "空行", "--by", "li")["dropped"] == 1
    assert cli.json("deadletters", "show", number)["state"] == "dropped"
    assert waiting(house) == []
    assert verify(house.store, house.time.now())["ok"]


def test_wrong_commands_say_the_way_out(cli: Cli) -> None:
    for args, words in (
        (("deadletters", "show", "99"), "没有编号为 99"),
        (("deadletters", "mend", "99", "--set", "a=b"), "没有编号为 99"),
        (("deadletters", "mend", "1", "--set", "ab"), "--set 列名=新值"),
        (("deadletters", "mend"), "编号"),
        (("deadletters", "replay"), "--all"),
        (("deadletters", "replay", "--all", "--by", "nobody"), "值班表里没有 nobody"),
        (("deadletters", "mend", "--from", "/none.jsonl"), "读不了"),
    ):
        said = cli(*args)
        assert said.code in (1, 2)
        assert words in said.err, (args, said.err)


def test_the_page_lists_shows_mends_and_replays(cli: Cli, house: House, tmp_path: Path) -> None:
    cli("import", put(tmp_path, TABLE + ROWS), "--source", "hot")
    number = waiting(house)[0].id
    with TestClient(build(Desk(house)), follow_redirects=False) as client:
        listed = client.get("/deadletters?source=hot").text
        page = client.get(f"/deadletters/{number}").text
        for text in (listed, page):
            assert "不是时间" in text
            assert "13800138000" not in text
        assert 'name="cell:受理时间" placeholder="昨天"' in page
        assert (
            client.post(f"/deadletters/{number}/acts/mend", data={"cell:受理时间": "2026-11-20"}).status_code
            == 403
        )
        client.cookies.set("huiying_person", "chen")
        done = client.post(
            f"/deadletters/{number}/acts/mend", data={"cell:受理时间": "2026-11-20", "cell:标题": ""}
        )
        assert done.status_code == 303
        assert "收下 1" in client.get(done.headers["location"]).text
        assert client.post("/deadletters/replay", data={"source": "hot"}).status_code == 303
        assert client.post(f"/deadletters/{number}/acts/drop", data={"reason": "x"}).status_code == 409
        assert client.get("/deadletters/999").status_code == 404
        assert client.get("/api/v1/deadletters").json()["sources"] == [
            {"id": "hot", "name": "hot", "waiting": 1}
        ]
    assert titles(house) == ["停水", "停电"]


def test_the_letters_that_wait_are_counted_where_sources_are_shown(cli: Cli, tmp_path: Path) -> None:
    source = {"id": "hot", "name": "热线", "folder": "in"}
    (cli.site / "in").mkdir()
    (cli.site / "sources.yaml").write_text(json.dumps({"tickets": [source]}), encoding="utf-8")
    cli("import", put(tmp_path, TABLE + ROWS), "--source", "hot")
    with House.open(cli.site, ENVIRON) as house:
        assert [one["dead_letters"] for one in Desk(house).sources()] == [2]
