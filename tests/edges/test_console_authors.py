"""The authors' pages: a draft tried while it is written, handed in, and a second person's word."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from connectors.console.guard import MAX_DRAFT
from support.fake_desk import FakeDesk

PAGE = "/playbooks/major_emergency"


def test_the_list_leads_to_each_playbook_and_counts_what_waits(client: TestClient) -> None:
    page = client.get("/playbooks").text
    assert f'href="{PAGE}"' in page
    assert "1 份待审" in page


def test_the_page_holds_text_versions_picture_difference_and_the_incidents(client: TestClient) -> None:
    page = client.get(PAGE).text
    for words in (
        "name: 重大",
        "待审",
        "汛期从严",
        "王带班 在 05:28 而不是 06:00 被通知",
        "/incidents/inc-1",
        "gantt",
    ):
        assert words in page, words


def test_a_draft_is_tried_as_it_stands_with_its_own_line_numbers(client: TestClient, desk: FakeDesk) -> None:
    text = "\n\n# 前两行是空的\nid: x\namount: 五小时\n"
    answer = client.post(f"{PAGE}/try", data={"content": text, "grade": "I"}, headers={"hx-request": "true"})
    assert "<html" not in answer.text
    assert "第 5 行 第 9 列" in answer.text
    assert "写成 PT5H" in answer.text
    assert desk.tried[-1] == ("major_emergency", text, {"grade": "I"})
    assert desk.acts == []


def test_what_an_author_wrote_is_escaped_wherever_it_is_shown(client: TestClient) -> None:
    text = "name: <script>alert(1)</script> 五小时\n"
    answer = client.post(f"{PAGE}/try", data={"content": text}, headers={"hx-request": "true"})
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_an_earlier_version_can_be_looked_at_and_begun_from(client: TestClient, desk: FakeDesk) -> None:
    page = client.get(f"{PAGE}?version=d-1").text
    assert "name: 更严的" in page
    assert desk.tried[-1][1] == "id: major_emergency\nname: 更严的\n"


def test_a_draft_is_handed_in_by_a_person_and_from_our_own_page_only(
    client: TestClient, desk: FakeDesk
) -> None:
    form = {"content": "id: major_emergency\n", "reason": "汛期"}
    assert client.post(f"{PAGE}/acts/submit", data=form).status_code == 403
    client.cookies.set("huiying_person", "li")
    elsewhere = {"origin": "https://evil.example"}
    assert client.post(f"{PAGE}/acts/submit", data=form, headers=elsewhere).status_code == 403
    assert desk.acts == []
    answer = client.post(f"{PAGE}/acts/submit", data=form)
    assert answer.status_code == 303
    assert desk.acts == [("submit", "major_emergency", form, "li")]
    assert "已送审" in client.get(answer.headers["location"]).text


def test_its_author_does_not_approve_it_and_another_person_does(client: TestClient, desk: FakeDesk) -> None:
    form = {"version": "d-1", "reason": "同意"}
    client.cookies.set("huiying_person", "chen")
    assert "审定意见" not in client.get(PAGE).text
    refused = client.post(f"{PAGE}/acts/approve", data=form)
    assert (refused.status_code, "请另一个人审定" in refused.text) == (409, True)
    client.cookies.set("huiying_person", "li")
    assert "审定意见" in client.get(PAGE).text
    assert client.post(f"{PAGE}/acts/approve", data=form).status_code == 303


@pytest.mark.parametrize("path", ["/playbooks/nothing", "/api/v1/playbooks/nothing"])
def test_what_is_not_there_is_named(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, "nothing" in answer.text) == (404, True)


def test_a_draft_may_be_long_but_not_endless(li: TestClient) -> None:
    long = {"content": "# 注释\n" * 12_000}
    assert li.post(f"{PAGE}/try", data=long, headers={"hx-request": "true"}).status_code == 200
    assert li.post(f"{PAGE}/try", data={"content": "x" * (MAX_DRAFT + 1)}).status_code == 413


def test_the_api_tries_and_hands_in_too(client: TestClient, desk: FakeDesk) -> None:
    tried = client.post(f"/api/v1{PAGE}/try", json={"content": "amount: 五小时"}).json()
    assert tried["problems"][0]["line"] == 1
    body = {"by": "li", "content": "id: x", "reason": "汛期"}
    assert client.post(f"/api/v1{PAGE}/acts/submit", json=body).json()["said"].startswith("已送审")
    assert desk.acts[-1][3] == "li"
    assert client.get(f"/api/v1{PAGE}").json()["versions"][0]["id"] == "d-1"
