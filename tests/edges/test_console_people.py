"""The pages of the duty team: the roster, the hand-over and its button, the snooze."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from support.fake_desk import FakeDesk

ACCEPT = "/handover/1-b/acts/accept"


def test_the_hand_over_shows_what_is_late_what_was_done_and_what_was_not_sent(client: TestClient) -> None:
    page = client.get("/handover").text
    for words in (
        "江东化工园区发生火灾",
        "已超",
        "消防已控制火势",
        "查无此人",
        "临江论坛",
        "等待签收",
        "记者 23 点会再来电话",
    ):
        assert words in page, words
    assert page.count("签收交接") == 1  # only what waits has a button


def test_whoever_comes_on_accepts_with_a_note_and_the_page_says_so(li: TestClient, desk: FakeDesk) -> None:
    answer = li.post(ACCEPT, data={"note": "已当面核对"}, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "已接班" in answer.text
    assert "签收交接" not in answer.text
    assert desk.acts == [("accept", "1-b", {"note": "已当面核对"}, "li")]


def test_without_script_the_button_leads_back_to_the_page(li: TestClient) -> None:
    answer = li.post(ACCEPT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/handover")


def test_nobody_else_accepts_and_the_reason_is_shown(client: TestClient) -> None:
    client.cookies.set("huiying_person", "chen")
    answer = client.post(ACCEPT)
    assert answer.status_code == 409
    assert "接班人是李主任" in answer.text


@pytest.mark.parametrize("path", [ACCEPT, "/api/v1/handover/1-b/acts/accept"])
def test_a_hand_over_needs_a_person_and_our_own_page(client: TestClient, desk: FakeDesk, path: str) -> None:
    body = {"json": {}} if path.startswith("/api") else {}
    assert client.post(path, **body).status_code == 403  # type: ignore[arg-type]
    client.cookies.set("huiying_person", "li")
    assert client.post(path, headers={"origin": "https://evil.example"}, **body).status_code == 403  # type: ignore[arg-type]
    assert desk.acts == []


@pytest.mark.parametrize("path", ["/handover/1-b/acts/explode", "/handover/nothing/acts/accept"])
def test_what_is_not_there_is_named(li: TestClient, path: str) -> None:
    assert li.post(path).status_code == 404


def test_the_api_hands_over_too(client: TestClient, desk: FakeDesk) -> None:
    answer = client.post("/api/v1/handover/1-b/acts/note", json={"by": "chen", "text": "钥匙在抽屉"})
    assert answer.status_code == 200
    assert answer.json()["handovers"][0]["note"] == "钥匙在抽屉"
    assert client.get("/api/v1/handover").json()["waiting"] == ["1-b"]


def test_a_quiet_site_says_that_nothing_was_handed_over_yet() -> None:
    with TestClient(build(FakeDesk(quiet=True))) as client:
        assert "还没有交接" in client.get("/handover").text


def test_the_roster_shows_the_week_its_holes_and_the_last_test_of_reach(client: TestClient) -> None:
    page = client.get("/roster").text
    for words in (
        "未来七天",
        "无人可达",
        "联系不上：slack: 查无此人",
        "请补联系方式或安排代班",
        "对调",
        "两会",
        "负责人：李主任",
    ):
        assert words in page, words


def test_a_snooze_is_asked_for_on_the_incidents_page_and_shown_there(li: TestClient, desk: FakeDesk) -> None:
    assert 'name="minutes"' in li.get("/incidents/inc-1").text
    answer = li.post("/incidents/inc-1/acts/snooze", data={"view": "incident", "minutes": "60"})
    assert answer.status_code == 303
    assert desk.acts == [("snooze", "inc-1", {"minutes": "60"}, "li")]
    assert "再提醒" in li.get("/incidents/inc-1").text
    assert "再提醒" in li.get("/").text
