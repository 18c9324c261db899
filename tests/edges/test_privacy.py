"""personal_data: mask, encrypt, drop — what lies in the database, what a page shows, and who may see more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.ports import Refused
from connectors.sealing import sealer
from flows.collecting.privacy import lock_of
from flows.office.desk import Desk
from flows.triage import triage
from flows.wiring import House
from models.ledger import sealed, signals
from models.ledger.verify import verify
from support.cli import Cli
from support.sites import ENVIRON, write_site

PHONE, CARD, NAME = "13800138000", "11010519491231002X", "王小明"
HEAD = "工单编号,标题,诉求内容,来电人,事发地址,受理时间\n"
BODY = f"化工园区爆炸，已致死亡3人，我叫{NAME}，电话{PHONE}，身份证{CARD}"
GOOD = f"1,{NAME}反映爆炸事故,{BODY},{NAME},东坪路3栋2单元501室,2026-11-21 02:13\n"
BAD = f"2,停电{PHONE},x,{NAME},,昨天\n"
KEY = "a key of thirty-two bytes or more"


@contextmanager
def opened(tmp_path: Path, mode: str, database: str, key: str = KEY) -> Iterator[House]:
    more = {"personal_data": mode} | ({"personal_key": "file:key.txt"} if mode == "encrypt" else {})
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database, site=more)
    (site / "key.txt").write_text(key, encoding="utf-8")
    with House.open(site, ENVIRON) as house:
        yield house


def bring_in(house: House, tmp_path: Path) -> Cli:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + GOOD + BAD, encoding="utf-8")
    cli = Cli(house.site.directory)
    assert cli("import", str(path), "--source", "hot").value["accepted"] == 1
    return cli


def everything_stored(house: House) -> str:
    """Every text of every table, as a thief of the database would read it."""
    from sqlmodel import SQLModel

    with house.store.read() as conn:
        rows = [conn.execute(table.select()).all() for table in SQLModel.metadata.sorted_tables]
    return repr(rows)


@pytest.mark.parametrize("mode", ["mask", "encrypt", "drop"])
def test_no_page_no_answer_and_no_alert_shows_personal_data(
    tmp_path: Path, database_url: str, mode: str
) -> None:
    with opened(tmp_path, mode, database_url) as house:
        bring_in(house, tmp_path)
        triage(house)
        (incident,) = Desk(house).board()["incidents"]
        shown = json.dumps([Desk(house).board(), Desk(house).incident(incident["id"])], ensure_ascii=False)
        with TestClient(build(Desk(house))) as client:
            paths = [
                "/",
                f"/incidents/{incident['id']}",
                "/sources",
                "/audit",
                "/deadletters",
                "/deadletters/1",
            ]
            paths += [f"/api/v1/incidents/{incident['id']}", "/api/v1/board", "/api/v1/deadletters"]
            shown += "".join(client.get(path).text for path in paths)
        assert "爆炸" in shown
        for personal in (PHONE, CARD, NAME, "501室"):
            assert personal not in shown, personal
        found = verify(house.store, house.time.now())
        assert (found["ok"], found["findings"]) == (True, [])


@pytest.mark.parametrize("mode", ["encrypt", "drop"])
def test_a_stolen_database_holds_no_personal_data(tmp_path: Path, database_url: str, mode: str) -> None:
    with opened(tmp_path, mode, database_url) as house:
        bring_in(house, tmp_path)
        triage(house)
        stored = everything_stored(house)
        assert "〔电话〕" in stored
        for personal in (PHONE, CARD, NAME, "501室"):
            assert personal not in stored, personal


@pytest.mark.parametrize(("mode", "seen"), [("mask", PHONE), ("encrypt", PHONE), ("drop", "〔电话〕")])
def test_an_original_is_shown_to_a_person_with_a_reason_and_journalled(
    tmp_path: Path, database_url: str, mode: str, seen: str
) -> None:
    with opened(tmp_path, mode, database_url) as house:
        cli = bring_in(house, tmp_path)
        assert cli("reveal", "1").code == 2
        assert cli("reveal", "1", "--by", "chen").code == 2
        assert "值班表里没有" in cli("reveal", "1", "--by", "nobody", "--reason", "x").err
        assert "没有编号为 9" in cli("reveal", "9", "--by", "chen", "--reason", "x").err
        assert seen in cli.json("reveal", "1", "--by", "chen", "--reason", "给来电人回电")["body"]
        newest = Desk(house).auditing.overview({}, 1, None)["entries"][0]
        assert (newest["kind"], newest["actor"], newest["reason"]) == (
            "查看原文",
            "陈值班",
            "给来电人回电",
        )


def test_triage_judges_what_was_said_before_it_was_masked(tmp_path: Path, database_url: str) -> None:
    verdicts = {}
    for mode in ("mask", "encrypt"):
        url = database_url if mode == "mask" else f"sqlite:///{tmp_path / 'second.sqlite'}"
        with opened(tmp_path / mode, mode, url) as house:
            bring_in(house, tmp_path)
            triage(house)
            with house.store.read() as conn:
                row = conn.exec_driver_sql(
                    "SELECT concern, topic_margin, sentiment_score FROM judgement"
                ).one()
            verdicts[mode] = tuple(row)
    assert verdicts["mask"] == verdicts["encrypt"]


@pytest.mark.parametrize("mode", ["encrypt", "drop"])
def test_a_dead_letter_is_masked_too_and_replays_with_its_original_where_it_is_kept(
    tmp_path: Path, database_url: str, mode: str
) -> None:
    with opened(tmp_path, mode, database_url) as house:
        cli = bring_in(house, tmp_path)
        cli("deadletters", "mend", "1", "--set", "受理时间=2026-11-20")
        assert cli.json("deadletters", "replay", "1")["accepted"] == 1
        words = cli.json("reveal", "2", "--by", "chen", "--reason", "核对")
        assert words["title"] == (f"停电{PHONE}" if mode == "encrypt" else "停电〔电话〕")
        assert PHONE not in everything_stored(house)


@pytest.mark.parametrize("mode", ["encrypt", "drop"])
def test_what_a_person_writes_into_a_dead_letter_is_no_more_open_than_what_came(
    tmp_path: Path, database_url: str, mode: str
) -> None:
    with opened(tmp_path, mode, database_url) as house:
        cli = bring_in(house, tmp_path)
        cli("deadletters", "mend", "1", "--set", "受理时间=2026-11-20", "--set", f"诉求内容=来电 {PHONE}")
        cli("deadletters", "mend", "1", "--set", f"来电人={NAME}", "--set", f"author={NAME}")
        stored = everything_stored(house)
        for personal in (PHONE, NAME):
            assert personal not in stored, personal
        assert cli.json("deadletters", "replay", "1")["accepted"] == 1
        words = cli.json("reveal", "2", "--by", "chen", "--reason", "核对")
        kept = mode == "encrypt"
        assert words["body"] == (f"来电 {PHONE}" if kept else "来电 〔电话〕")
        assert words["title"] == (f"停电{PHONE}" if kept else "停电〔电话〕")
        assert (words["author"] == NAME) is kept


def test_a_letter_that_held_nothing_personal_is_sealed_once_a_person_adds_it(
    tmp_path: Path, database_url: str
) -> None:
    with opened(tmp_path, "encrypt", database_url) as house:
        cli = Cli(house.site.directory)
        (tmp_path / "t.jsonl").write_text("{broken\n", encoding="utf-8")
        cli("import", str(tmp_path / "t.jsonl"), "--source", "hot")
        cli("deadletters", "mend", "1", "--set", "title=停水", "--set", f"body=请回电 {PHONE}")
        cli("deadletters", "mend", "1", "--set", "title=停水三天")
        assert PHONE not in everything_stored(house)
        assert cli.json("deadletters", "replay", "1")["accepted"] == 1
        words = cli.json("reveal", "1", "--by", "chen", "--reason", "核对")
        assert (words["title"], words["body"]) == ("停水三天", f"请回电 {PHONE}")


def test_without_its_key_a_site_that_encrypts_takes_nothing_in(tmp_path: Path, database_url: str) -> None:
    with opened(tmp_path, "encrypt", database_url, key="") as house:
        with pytest.raises(Refused, match="personal_key"):
            lock_of(house)
        cli = Cli(house.site.directory)
        (tmp_path / "t.csv").write_text(HEAD + GOOD, encoding="utf-8")
        said = cli("import", str(tmp_path / "t.csv"))
        assert (said.code, said.value["accepted"]) == (1, 0)
        assert "personal_key" in said.err


def test_a_box_opens_for_its_row_and_its_key_only() -> None:
    ours, other = sealer(KEY), sealer(KEY + "!")
    box = ours.seal("a", {"body": PHONE})
    assert ours.open("a", ours.key_id, box) == {"body": PHONE}
    assert PHONE.encode() not in box
    assert ours.seal("a", {"body": PHONE}) != box
    with pytest.raises(Refused, match="损坏"):
        ours.open("b", ours.key_id, box)
    with pytest.raises(Refused, match="损坏"):
        ours.open("a", ours.key_id, box[:-1] + bytes([box[-1] ^ 1]))
    with pytest.raises(Refused, match="另一把密钥"):
        other.open("a", ours.key_id, box)
    with pytest.raises(Refused, match="至少"):
        sealer("short")


def test_a_wrong_key_costs_the_judgement_its_numbers_and_no_signal(tmp_path: Path, database_url: str) -> None:
    with opened(tmp_path, "encrypt", database_url) as house:
        bring_in(house, tmp_path)
    with opened(tmp_path, "encrypt", database_url, key="another key that is long enough") as house:
        assert triage(house).judged == 1
        with house.store.read() as conn:
            assert sealed.boxes(conn, [row.uid for row in signals.pending(conn, 9)]) == {}


def test_a_site_that_encrypts_must_name_its_key(tmp_path: Path) -> None:
    site: Any = write_site(tmp_path / "s", "http://127.0.0.1:9", site={"personal_data": "encrypt"})
    assert "personal_key" in Cli(site)("lint", str(site)).out
    plain = write_site(
        tmp_path / "p",
        "http://127.0.0.1:9",
        site={"personal_data": "encrypt", "personal_key": "written here"},
    )
    assert "不能直接写" in Cli(plain)("lint", str(plain)).out
