"""The incident's page over a hand-written desk: words marked and escaped, labels by one press, signals split off by
ticks, proof that is seen safely, the log of duty."""

from __future__ import annotations

import hashlib
import re

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import View
from connectors.console.highlights import pieces
from support.fake_desk import FakeDesk

CHEN = {"huiying_person": "chen"}
LI = {"huiying_person": "li"}
HX = {"hx-request": "true"}
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
PAGES = [
    "/incidents/inc-1/signals/1", "/handover/log", "/handover/log?day=2026-11-20", "/incidents/inc-1?show=act",
    "/incidents/inc-1?medium=forum&text=%3Cb%3E", "/fragments/incidents/inc-1/picture",
]  # fmt: skip


class Keeping(FakeDesk):
    """A desk that keeps some proof."""

    kept: dict[str, tuple[bytes, str]]

    def __init__(self) -> None:
        super().__init__()
        bodies = ((b"<script>alert(1)</script> text", "text/plain; charset=utf-8"), (PNG, "image/png"))
        others = ((b"%PDF-1.7", "application/pdf"), (b"PK", "application/zip"), (b"<svg/>", "image/svg+xml"))
        self.kept = {hashlib.sha256(body).hexdigest(): (body, kind) for body, kind in (*bodies, *others)}
        self.kept["f" * 64] = (b"changed", "text/plain; charset=utf-8")

    def snapshot(self, sha256: str) -> tuple[bytes, str] | None:
        return self.kept.get(sha256)

    def _split(self, incident: View, params: dict[str, str], name: str) -> None:
        """The new incident is left to the ledger's tests."""

    def named(self, kind: str) -> str:
        return next(
            sha for sha, (_, media) in self.kept.items() if media.startswith(kind) and sha != "f" * 64
        )


@pytest.fixture
def desk() -> Keeping:
    made = Keeping()
    made.about._signals[1]["id"] = 1
    return made


@pytest.fixture
def client(desk: Keeping) -> TestClient:
    return TestClient(build(desk), cookies=CHEN, raise_server_exceptions=False)


# ── looking ──


@pytest.mark.parametrize("path", PAGES)
def test_each_page_answers_whole(client: TestClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert not caplog.messages, "a template asked for a value that is not there"


def test_marked_words_are_marked_and_what_stands_in_them_is_escaped(
    desk: Keeping, client: TestClient
) -> None:
    shown = desk.about._signals[1]
    mark: View = {"start": 0, "end": 8, "kind": "fact", "kind_zh": "事实", "why": '"><script>'}
    shown["marks"] = {"title": [mark], "body": []}
    for path in ("/incidents/inc-1", "/incidents/inc-1/signals/1"):
        html = client.get(path).text
        assert '<mark class="mk mk-fact" title="事实：&#34;&gt;&lt;script&gt;">&lt;script&gt;</mark>' in html
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_marks_that_do_not_fit_the_text_change_nothing_of_it() -> None:
    marks = [{"start": 3, "end": 99}, {"start": -2, "end": 1}, {"start": 1, "end": 2}, {"start": 1, "end": 3}]
    found = pieces("abcde", marks)
    assert "".join(piece["text"] for piece in found) == "abcde"
    assert [piece["text"] for piece in found if piece["mark"]] == ["b"]


def test_the_page_says_by_whom_the_grade_was_confirmed_and_what_the_machine_would_say(
    client: TestClient,
) -> None:
    html = client.get("/incidents/inc-1").text
    assert "系统建议改为 II 级" in html
    assert "死亡 ≥ 3 人" in html
    assert "国务院令第493号" in html


def test_a_past_incident_is_shown_with_how_it_was_answered(client: TestClient) -> None:
    html = client.get("/incidents/inc-1").text
    assert "像 62%" in html
    assert "1 小时 30 分后首次回应" in html
    assert 'href="/incidents/inc-2"' in html


def test_what_the_page_shows_is_in_the_api_too(client: TestClient) -> None:
    whole = client.get("/api/v1/incidents/inc-1").json()
    assert {"grade_why", "told", "statements", "curve", "spread", "similar", "signals_list"} <= set(whole)
    assert client.get("/api/v1/incidents/inc-1/signals?text=气味").json()["total"] == 1
    assert client.get("/api/v1/incidents/inc-1/story?show=act").json()["show"] == ["act"]
    assert client.get("/api/v1/incidents/inc-1/signals/1").json()["labels"]
    assert client.get("/api/v1/incidents/nope/similar").status_code in (200, 404)
    assert client.get("/api/v1/incidents/inc-1/signals/99").status_code == 404


@pytest.mark.parametrize("path", ["/incidents/inc-1/signals/x", "/incidents/inc-1/signals/" + "9" * 30])
def test_a_signal_that_is_none_is_a_page_with_a_way_out(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "请从事件页的线索进入" in answer.text


# ── labels and splits ──


def test_one_press_corrects_a_label_and_the_page_comes_back_as_it_was_asked_for(
    desk: Keeping, client: TestClient
) -> None:
    form = {"signal": "1", "to": "sentiment:neg", "reason": "误读"}
    here = {**HX, "HX-Current-URL": "http://testserver/incidents/inc-1?text=%E6%B0%94%E5%91%B3&show=act"}
    answer = client.post("/incidents/inc-1/labels", data=form, headers=here)
    assert answer.status_code == 200, answer.text
    assert desk.about.labelled == [
        ("inc-1", {"label": "sentiment", "value": "neg", "signal": "1", "reason": "误读"}, "chen")
    ]
    assert 'id="signals"' in answer.text
    assert 'value="气味"' in answer.text
    assert "已更正" in answer.text


def test_without_scripts_the_press_leads_back_to_the_page(client: TestClient) -> None:
    form = {"signal": "1", "to": "sentiment:neg"}
    answer = client.post("/incidents/inc-1/labels", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/incidents/inc-1")
    form["back"] = "signal"
    answer = client.post("/incidents/inc-1/labels", data=form, follow_redirects=False)
    assert answer.headers["location"].startswith("/incidents/inc-1/signals/1?")


def test_many_ticked_signals_are_corrected_together_and_none_is_refused(
    desk: Keeping, client: TestClient
) -> None:
    form = {"signal": ["1", "2", "3"], "to": "sentiment:neg"}
    client.post("/incidents/inc-1/labels", data=form, headers=HX)
    assert desk.about.labelled[0][1]["signal"] == "1,2,3"
    answer = client.post("/incidents/inc-1/labels", data={"to": "sentiment:neg"}, headers=HX)
    assert answer.status_code == 409
    assert "还没有选线索" in answer.text


def test_the_incidents_own_labels_need_no_tick(desk: Keeping, client: TestClient) -> None:
    client.post("/incidents/inc-1/labels", data={"of": "incident", "to": "topic:neg"}, headers=HX)
    assert desk.about.labelled[0][1] == {"label": "topic", "value": "neg", "signal": "", "reason": ""}


def test_nobody_corrects_without_a_name(desk: Keeping) -> None:
    stranger = TestClient(build(desk))
    form = {"signal": "1", "to": "sentiment:neg"}
    assert stranger.post("/incidents/inc-1/labels", data=form, headers=HX).status_code == 403
    assert (
        stranger.post("/incidents/inc-1/split", data={"signal": "1", "title": "x"}, headers=HX).status_code
        == 403
    )
    assert stranger.post("/handover/log/acts/note", data={"text": "x"}).status_code == 403
    assert desk.about.labelled == []
    assert desk.dutylog.notes == []


def test_ticked_signals_are_split_off_into_an_incident_that_the_browser_goes_to(
    desk: Keeping, client: TestClient
) -> None:
    form = {"signal": ["2", "3"], "title": "另一件事", "reason": "地点不同"}
    answer = client.post("/incidents/inc-1/split", data=form, headers=HX)
    assert answer.headers["HX-Redirect"].startswith("/incidents/inc-1?")
    assert desk.acts[-1] == (
        "split", "inc-1", {"signals": "2,3", "title": "另一件事", "reason": "地点不同"}, "chen"
    )  # fmt: skip
    assert client.post("/incidents/inc-1/split", data={"title": "x"}, headers=HX).status_code == 409


@pytest.mark.parametrize("view", ["incident", "board"])
@pytest.mark.parametrize("address", ["http://[", "http://x/?" + "a=1&" * 40])
def test_an_act_that_was_done_is_answered_whatever_address_it_came_from(
    client: TestClient, address: str, view: str
) -> None:
    answer = client.post(
        "/incidents/inc-1/acts/snooze", data={"view": view}, headers=HX | {"HX-Current-URL": address}
    )
    assert answer.status_code == 200


# ── what is kept as proof ──


def test_kept_text_is_shown_as_text_and_its_hash_is_checked(desk: Keeping, client: TestClient) -> None:
    html = client.get(f"/snapshots/{desk.named('text/plain')}").text
    assert "&lt;script&gt;alert(1)" in html
    assert "哈希一致" in html
    assert "哈希不一致" in client.get(f"/snapshots/{'f' * 64}").text


def test_a_kept_picture_is_shown_and_may_run_nothing(desk: Keeping, client: TestClient) -> None:
    sha256 = desk.named("image/png")
    assert f'src="/snapshots/{sha256}/picture"' in client.get(f"/snapshots/{sha256}").text
    answer = client.get(f"/snapshots/{sha256}/picture")
    assert answer.content == PNG
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["application/pdf", "image/svg", "text/plain"])
def test_what_is_no_picture_is_never_served_as_one(desk: Keeping, client: TestClient, kind: str) -> None:
    assert client.get(f"/snapshots/{desk.named(kind)}/picture").status_code == 404


def test_other_files_are_only_to_be_downloaded_and_packages_not_at_all(
    desk: Keeping, client: TestClient
) -> None:
    html = client.get(f"/snapshots/{desk.named('application/pdf')}").text
    assert "请下载后用本机的程序查看" in html
    assert not re.search(r"<(embed|object|iframe)", html)
    assert client.get(f"/snapshots/{desk.named('application/zip')}").status_code == 404
    for wrong in ("0" * 63, "..%2f..%2fetc", "G" * 64):
        assert client.get(f"/snapshots/{wrong}").status_code == 404


# ── the log of duty ──


def test_a_note_is_added_and_shown_and_the_log_is_signed_from_above(
    desk: Keeping, client: TestClient
) -> None:
    answer = client.post(
        "/handover/log/acts/note", data={"text": "<b>记者</b>来电", "shift": "20261120T200000"}
    )
    assert "&lt;b&gt;记者&lt;/b&gt;来电" in answer.text
    assert client.post("/handover/log/acts/sign", data={"shift": "20261120T200000"}).status_code == 409
    above = TestClient(build(desk), cookies=LI)
    html = above.post("/handover/log/acts/sign", data={"shift": "20261120T200000", "reason": "已阅"}).text
    assert "李主任" in html
    assert "等待带班签字" not in html
    assert client.get("/handover/log?day=yesterday").status_code == 409
    assert client.post("/handover/log/acts/erase", data={}).status_code == 404


def test_the_log_speaks_json_too(client: TestClient) -> None:
    assert client.get("/api/v1/handover/log").json()["shifts"][0]["people"] == ["陈值班"]
    done = client.post("/api/v1/handover/log/acts/note", json={"by": "chen", "text": "来电"})
    assert done.json()["said"]
    done = client.post(
        "/api/v1/incidents/inc-1/labels",
        json={"by": "chen", "label": "sentiment", "value": "bad", "signal": "1"},
    )
    assert done.status_code == 409
    assert "可用" in done.json()["error"]
