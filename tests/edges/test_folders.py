"""A watched folder: half-written, renamed, copied, unreadable and changed files; the saved columns; pushes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.tables import ENDINGS
from flows.collecting.filing import ingest_tickets, is_whole
from flows.collecting.intake import Tally
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST
from models.ledger import deadletters, duties, signals
from support.cli import Cli
from support.sites import ENVIRON, write_site

HEAD, ROW = "工单编号,标题,诉求内容\n", "1,停水,三天了\n"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class HandTime:
    """The site's time, moved by the test alone."""

    moment: datetime = datetime(2026, 11, 21, tzinfo=CST)
    speed: float = 1.0

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9")
    (site / "in").mkdir()
    sources = [
        {"id": "hot", "name": "热线", "kind": 12345, "folder": "in"},
        {"id": "letters", "name": "领导信箱", "kind": "领导信箱", "webhook": {"secret": "${TICKETS_SECRET}"}},
        {"id": "keyless", "name": "网信通报", "kind": "网信通报", "webhook": {"secret": "${NOT_SET}"}},
    ]
    (site / "sources.yaml").write_text(json.dumps({"tickets": sources}, ensure_ascii=False), encoding="utf-8")
    with House.open(site, {**ENVIRON, "TICKETS_SECRET": SECRET}) as opened:
        opened.time = HandTime()
        yield opened


def put(house: House, name: str, text: str | bytes, age_s: float = 60) -> Path:
    path = house.site.directory / "in" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    when = path.stat().st_mtime - age_s
    os.utime(path, (when, when))
    return path


def look(house: House) -> Tally:
    house.time.moment += timedelta(minutes=5)  # type: ignore[attr-defined]
    tally = Tally()
    ingest_tickets(house, tally)
    return tally


def stored(house: House) -> list[Any]:
    with house.store.read() as conn:
        return list(signals.pending(conn, 100))


def waiting(house: House) -> list[Any]:
    with house.store.read() as conn:
        return list(deadletters.listed(conn))


def state(house: House, source: str = "hot") -> Any:
    with house.store.read() as conn:
        return duties.source_states(conn)[source]


# ── files ──


def test_a_half_written_file_waits_until_it_is_whole(house: House) -> None:
    put(house, "t.csv", HEAD + ROW + "2,停电,两", age_s=0)
    assert look(house).read == 0
    put(house, "t.csv", HEAD + ROW + "2,停电,两天了\n", age_s=0)
    assert (look(house).accepted, waiting(house)) == (2, [])


def test_a_file_without_a_last_line_end_is_read_once_nobody_writes_to_it(house: House) -> None:
    put(house, "t.csv", HEAD + ROW.strip(), age_s=0)
    assert look(house).read == 0
    put(house, "t.csv", HEAD + ROW.strip(), age_s=60)
    assert look(house).accepted == 1


def test_a_renamed_and_a_copied_file_are_not_read_again(house: House) -> None:
    path = put(house, "t.csv", HEAD + ROW + "2,,\n")
    assert look(house).read == 2
    path.rename(path.with_name("done.csv"))
    put(house, "copy.csv", HEAD + ROW + "2,,\n")
    assert look(house).read == 0
    assert len(waiting(house)) == 1
    assert sorted(state(house).state["files"]) == ["copy.csv", "done.csv"]


def test_a_file_that_has_grown_gives_its_new_rows_alone(house: House) -> None:
    put(house, "t.csv", HEAD + ROW)
    look(house)
    put(house, "t.csv", HEAD + ROW + "2,停电,两天\n")
    tally = look(house)
    assert (tally.accepted, tally.duplicate) == (1, 1)


def test_a_file_that_cannot_be_understood_is_one_dead_letter_and_the_others_are_read(house: House) -> None:
    put(house, "a.csv", "甲,乙\n1,2\n")
    put(house, "b.xlsx", b"not a workbook")
    put(house, "c.csv", HEAD + ROW)
    tally = look(house)
    assert (tally.accepted, tally.rejected) == (1, 2)
    assert [row.place for row in waiting(house)] == ["a.csv", "b.xlsx"]
    assert look(house).read == 0


def test_a_folder_and_a_link_that_leads_nowhere_are_no_files(house: House) -> None:
    target = house.site.directory / "elsewhere.csv"
    link = house.site.directory / "in" / "a.csv"
    put(house, "c.csv", HEAD + ROW)
    link.mkdir()  # a folder of that name is no file, and no trouble
    assert look(house).accepted == 1
    link.rmdir()
    link.symlink_to(target)
    assert look(house).read == 0
    target.write_text(HEAD + "5,停气,一天\n", encoding="utf-8")
    os.utime(target, (1, 1))
    assert look(house).accepted == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_file_that_cannot_be_opened_is_named_and_tried_again(house: House) -> None:
    closed = put(house, "a.csv", HEAD + ROW)
    closed.chmod(0)
    put(house, "c.csv", HEAD + "2,停电,两天\n")
    tally = look(house)
    assert tally.accepted == 1
    assert "a.csv 读不了" in "".join(tally.failed)
    closed.chmod(0o600)
    assert look(house).accepted == 1


def test_hidden_files_and_locks_of_spreadsheets_are_left_alone(house: House) -> None:
    for name in (".t.csv", "~$t.xlsx", "t.csv.part", "t.tmp"):
        put(house, name, HEAD + ROW)
    assert look(house).read == 0


def test_a_file_that_nobody_reads_is_named_once_and_again_when_another_of_its_name_comes(
    house: House,
) -> None:
    put(house, "工单.xls", b"\xd0\xcf\x11\xe0" * 50)
    put(house, "说明.docx", b"PK", age_s=0)  # still being copied, for all that can be seen
    put(house, "c.ndjson", '{"title": "停水"}\n')
    tally = look(house)
    assert (tally.accepted, tally.rejected) == (1, 1)
    (letter,) = waiting(house)
    assert (letter.place, "另存为 .xlsx" in letter.reason) == ("工单.xls", True)
    assert look(house).read == 0
    put(house, "工单.xls", b"\xd0\xcf\x11\xe0" * 60)
    put(house, "说明.docx", b"PK")
    assert look(house).rejected == 2
    assert [row.place for row in waiting(house)] == ["工单.xls", "工单.xls", "说明.docx"]


def refuse(house: House, table: str, column: str) -> None:
    """From now on the database itself takes no such row."""
    with house.store.write() as conn:
        conn.exec_driver_sql(
            f"CREATE TRIGGER picky_{table} BEFORE INSERT ON {table} WHEN instr(NEW.{column}, '毒') "
            "BEGIN SELECT RAISE(ABORT, 'no poison here'); END"
        )


def test_a_row_that_the_database_refuses_is_a_dead_letter_and_the_others_are_stored(house: House) -> None:
    refuse(house, "signal", "title")
    put(house, "a.csv", HEAD + "1,停水,三天了\n2,毒,13800138000\n3,停电,两天\n")
    tally = look(house)
    assert (tally.read, tally.accepted, tally.rejected) == (3, 2, 1)
    (letter,) = waiting(house)
    assert letter.place == "hot 2"
    assert "no poison here" in letter.reason
    assert letter.fields["row"] == {"id": "2", "title": "毒", "body": "13800138000"}
    assert look(house).read == 0


def test_a_source_that_cannot_be_stored_at_all_stops_no_other(house: House) -> None:
    refuse(house, "signal", "title")
    refuse(house, "deadletter", "raw")
    put(house, "a.csv", HEAD + "2,毒,x\n")
    (house.site.directory / "later").mkdir()
    sources = [
        {"id": "hot", "name": "热线", "folder": "in"},
        {"id": "next", "name": "信箱", "folder": "later"},
    ]
    (house.site.directory / "sources.yaml").write_text(json.dumps({"tickets": sources}), encoding="utf-8")
    (house.site.directory / "later" / "b.csv").write_text(HEAD + ROW, encoding="utf-8")
    with House.open(house.site.directory, ENVIRON) as both:
        both.time = HandTime()
        tally = look(both)
        assert tally.accepted == 1
        assert "no poison here" in "".join(tally.failed)
        assert "no poison here" in state(both).error
        assert state(both, "next").error is None


def test_whole_files_are_known_by_their_end(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "t.xlsx")
    cut = tmp_path / "u.xlsx"
    cut.write_bytes((tmp_path / "t.xlsx").read_bytes()[:-30])
    assert (is_whole(tmp_path / "t.xlsx"), is_whole(cut)) == (True, False)
    for name, data, whole in (
        ("a.csv", "标题\n停水\n".encode("utf-16"), True),
        ("b.csv", "标题\n停".encode("utf-16"), False),
        ("c.json", b"[{}]\n", True),
        ("d.json", b"[{},", False),
        ("e.csv", b"", False),
    ):
        (tmp_path / name).write_bytes(data)
        assert is_whole(tmp_path / name) is whole, name
    assert all(ending.startswith(".") for ending in ENDINGS)


# ── columns ──


def test_the_first_tables_columns_are_saved_and_kept_to(house: House) -> None:
    put(house, "a.csv", HEAD + ROW)
    look(house)
    path = house.site.directory / "mappings" / "hot.yaml"
    assert 'title: "标题"' in path.read_text(encoding="utf-8")
    put(house, "b.csv", "工单编号,标题,诉求内容,处理时限\n2,停电,两天,x\n")
    tally = look(house)
    assert tally.accepted == 1
    assert "多了列 处理时限" in "".join(tally.failed)
    assert "多了列 处理时限" in state(house).error


def test_a_table_that_lost_a_column_is_refused_and_not_guessed(house: House) -> None:
    put(house, "a.csv", HEAD + ROW)
    look(house)
    put(house, "b.csv", "工单编号,主题,诉求内容\n2,停电,两天\n")
    tally = look(house)
    assert (tally.accepted, tally.rejected) == (0, 1)
    (letter,) = waiting(house)
    assert "少了列 标题，多了列 主题" in letter.reason
    assert "mappings" in letter.reason


def test_a_mapping_that_people_changed_is_used_and_a_wrong_one_is_shown_with_line_and_column(
    house: House,
) -> None:
    put(house, "a.csv", HEAD + ROW)
    look(house)
    path = house.site.directory / "mappings" / "hot.yaml"
    path.write_text(
        "columns: {title: 诉求内容, body: 标题}\nheaders: [工单编号, 标题, 诉求内容]\n", encoding="utf-8"
    )
    put(house, "b.csv", HEAD + "7,停气,一天\n")
    look(house)
    assert [(row.title, row.body) for row in stored(house)][-1] == ("一天", "停气")
    path.write_text("columns: {title: 标提}\nheaders: [标题]\n", encoding="utf-8")
    said = Cli(house.site.directory)("lint", str(house.site.directory))
    assert "hot.yaml:1:18" in said.out
    assert "标题" in said.out
    put(house, "c.csv", HEAD + "8,停气,一天\n")
    assert "标提" in "".join(look(house).failed) + " ".join(row.reason for row in waiting(house))


def test_import_shows_the_mapping_saves_it_for_a_named_source_and_says_what_changed(
    house: House, tmp_path: Path
) -> None:
    cli = Cli(house.site.directory)
    path = tmp_path / "t.csv"
    path.write_text(HEAD + ROW, encoding="utf-8")
    said = cli("import", str(path), "--show-mapping")
    assert (said.code, "title ← 标题" in said.out) == (0, True)
    assert not (house.site.directory / "mappings").exists()
    assert "已存为" in cli("import", str(path), "--show-mapping", "--source", "tax", "--kind", "12366").err
    assert stored(house) == []
    assert cli("import", str(path), "--source", "tax", "--kind", "领导信箱").value["accepted"] == 1
    assert stored(house)[0].medium == "leader_mailbox"
    path.write_text("主题,内容\nx,y\n", encoding="utf-8")
    changed = cli("import", str(path), "--source", "tax")
    assert (changed.code, "表头换了样子" in changed.err) == (1, True)
    assert "不认识" in cli("import", str(path), "--kind", "12399").err


# ── pushes ──


def push(client: TestClient, source: str, body: bytes, **change: str) -> Any:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "p1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("p1", now, body.decode()),
    }
    return client.post(f"/hooks/tickets/{source}", content=body, headers=headers | change)


def test_a_signed_push_is_stored_once_and_an_unsigned_one_is_not_even_read(house: House) -> None:
    body = json.dumps([{"id": 1, "标题": "停水", "内容": "三天"}, {"标题": ""}], ensure_ascii=False).encode()
    with TestClient(build(Desk(house))) as client:
        done = push(client, "letters", body)
        assert (done.status_code, done.json()["accepted"], done.json()["rejected"]) == (202, 1, 1)
        assert "没有标题也没有内容" in done.json()["reasons"][0]
        assert push(client, "letters", body).json()["duplicate"] == 1
        assert push(client, "letters", body, **{"webhook-signature": "v1,AAAA"}).status_code == 401
        assert client.post("/hooks/tickets/letters", content=body).status_code == 401
        for source in ("nobody", "hot"):
            assert push(client, source, body).status_code == 404
        assert push(client, "keyless", body).status_code == 503
        assert "NOT_SET" in push(client, "keyless", body).json()["error"]
        assert push(client, "letters", b" " * (5 * 2**20)).status_code == 413
        large = json.dumps([{"id": n, "标题": "停" * 100} for n in range(2, 1_002)], ensure_ascii=False)
        assert push(client, "letters", large.encode()).json()["accepted"] == 1_000
    assert stored(house)[0].medium == "leader_mailbox"
    assert len(waiting(house)) == 1


def test_a_door_without_its_key_is_named_where_sources_are_shown(house: House) -> None:
    look(house)
    assert "NOT_SET" in state(house, "keyless").error
    assert state(house, "letters").error is None
    shown = {one["id"]: one["state"] for one in Desk(house).sources()}
    assert (shown["letters"], shown["keyless"]) == ("ok", "failing")
