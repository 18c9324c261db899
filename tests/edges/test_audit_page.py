"""The audit page over a real site: filters, pages, the chain's standing, and what is taken out as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from connectors.console.app import build
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import parse_iso
from models.ledger import auditing, journal
from models.ledger.auditing import Filter
from models.ledger.entry import Entry
from models.ledger.store import Store
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    directory = write_site(tmp_path / "site", NOBODY, database=database_url)
    with House.open(directory, ENVIRON) as house:
        yield Desk(house)


@pytest.fixture
def incident(desk: Desk) -> str:
    opened = str(desk.act("open", "", {"title": "望江路塌陷", "grade": "II"}, "chen")["id"])
    desk.act("ack", opened, {}, "chen")
    desk.act("update", opened, {"text": "=cmd|calc 现场电话 13800138000"}, "li")
    return opened


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(build(desk), follow_redirects=False, raise_server_exceptions=False) as opened:
        opened.cookies.set("huiying_person", "li")
        yield opened


def seqs(desk: Desk, **asked: str) -> list[int]:
    return [entry["seq"] for entry in desk.auditing.overview(asked, 100, None)["entries"]]


def test_each_filter_shows_what_was_asked_for_and_nothing_else(desk: Desk, incident: str) -> None:
    whole = desk.auditing.overview({}, 100, None)["entries"]
    for asked, belongs in (
        ({"kind": "acknowledged"}, lambda e: e["code"] == "acknowledged"),
        ({"actor": "li"}, lambda e: e["actor_id"] == "li"),
        ({"actor": "huiying"}, lambda e: e["actor_id"] == "huiying"),
        ({"incident": f"舆-{incident}"}, lambda e: e["incident_id"] == incident),
        ({"text": "塌陷"}, lambda e: "塌陷" in e["text"]),
        ({"from": "2026-01-01", "to": "2199-12-31"}, lambda e: True),
        ({"to": "2001-01-01"}, lambda e: False),
    ):
        assert seqs(desk, **asked) == [entry["seq"] for entry in whole if belongs(entry)], asked
    assert len({entry["actor_id"] for entry in whole}) > 1


def test_pages_follow_one_another_without_a_gap_while_the_journal_grows(desk: Desk, incident: str) -> None:
    whole = seqs(desk)
    first = desk.auditing.overview({}, 2, None)
    desk.act("update", incident, {"text": "又有进展"}, "li")
    read, following = [entry["seq"] for entry in first["entries"]], first["next"]
    while following is not None:
        page = desk.auditing.overview({}, 2, following)
        read, following = read + [entry["seq"] for entry in page["entries"]], page["next"]
    assert read == whole


def test_a_file_holds_what_the_filter_shows_masked_and_computes_nothing(
    client: TestClient, desk: Desk, incident: str
) -> None:
    answer = client.post("/audit/export", data={"form": "csv", "actor": "li", "reason": "督查 13900139000"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert "%E4%BA%BA%E5%91%98-li" in answer.headers["content-disposition"], "the name says the filter"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["人员标识"] for row in rows] == ["li"]
    assert rows[0]["内容"].startswith("'=cmd")
    assert "13800138000" not in answer.text


def test_taking_out_is_itself_written_down_by_whom_what_and_how_many(
    client: TestClient, desk: Desk, incident: str
) -> None:
    before = desk.auditing.overview({}, 500, None)
    answer = client.post(
        "/api/v1/audit/export", json={"form": "jsonl", "kind": "acknowledged", "reason": "季度抽查"}
    )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    newest = desk.auditing.overview({}, 1, None)["entries"][0]
    assert newest["seq"] == before["entries"][0]["seq"] + 1
    assert (newest["code"], newest["actor_id"], newest["reason"]) == ("audit_exported", "li", "季度抽查")
    assert newest["text"] == f"导出日志 {len(lines)} 条(jsonl)，筛选: 类别 签收"
    assert [line["code"] for line in lines] == ["acknowledged"]


def test_nobody_takes_out_the_journal_without_a_name(client: TestClient, desk: Desk) -> None:
    client.cookies.clear()
    assert client.post("/audit/export", data={"form": "csv"}).status_code == 403
    assert client.post("/api/v1/audit/export", json={"form": "csv"}).status_code == 403
    assert "audit_exported" not in {e["code"] for e in desk.auditing.overview({}, 100, None)["entries"]}


def test_a_number_of_a_person_is_not_searched_for(client: TestClient) -> None:
    answer = client.get("/audit", params={"text": "13800138000"})
    assert answer.status_code == 409
    assert "13800138000" not in answer.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"from": "昨天"}, "不是时间"), ({"to": "9999-01-01"}, "请核对年份"), ({"from": "0001-01-01"}, "年")],
)
def test_a_filter_that_cannot_be_read_says_why(client: TestClient, asked: dict[str, str], said: str) -> None:
    answer = client.get("/api/v1/audit", params=asked)
    assert answer.status_code == 409
    assert said in answer.json()["error"]


def test_a_search_for_words_stops_in_time_and_says_how_far_it_got(store: Store) -> None:
    many = [Entry("progress_noted", {"text": f"第 {n} 条"}, "chen") for n in range(auditing.SEARCHED + 50)]
    with store.write() as conn:
        journal.append(conn, parse_iso("2026-11-21T02:13"), many)
    with store.read() as conn:
        first = auditing.found(conn, Filter(words="第 7 条"), None, 10)
        assert (first.rows, first.looked_to) == ([], first.next)
        assert first.next is not None
        rest = auditing.found(conn, Filter(words="第 7 条"), first.next, 10)
    assert [row["seq"] for row in rest.rows] == [8]
    assert rest.next is None


def test_who_did_what_is_found_by_an_index_and_not_by_reading_all(store: Store) -> None:
    if not store.sqlite:
        pytest.skip("PostgreSQL decides by its statistics")
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
    with store.read() as conn:
        auditing.found(conn, Filter(actor="chen"), 9, 10)
        statement, values = next(one for one in reversed(asked) if "FROM journal" in one[0])
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any("ix_journal_person" in str(row) for row in plan)
