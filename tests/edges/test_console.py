"""The console over a hand-written desk: pages, acts, refusals, events, and what must not get in."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from connectors.console import views
from connectors.console.app import build
from models.core.moment import iso
from models.core.vocabulary import Grade
from support.fake_desk import FakeDesk
from support.fake_night import NIGHT, clock, incident

PAGES = [
    "/", "/incidents/inc-1", "/incidents/inc-2", "/incidents/inc-5", "/incidents/new", "/mine", "/me", "/sources",
    "/roster", "/handover", "/fragments/handover", "/playbooks", "/audit", "/reports", "/api/docs",
    "/fragments/board", "/fragments/mine",
    "/fragments/incidents/inc-1", "/deadletters", "/deadletters?source=hotline&settled=true", "/deadletters/1",
    "/deadletters/2", "/deadletters/3",
]  # fmt: skip
API = [
    "board",
    "deadletters",
    "deadletters/1",
    "incidents/inc-1",
    "mine/chen",
    "people",
    "sources",
    "coverage",
    "roster",
    "handover",
    "playbooks",
    "audit",
]


class Page(HTMLParser):
    """What a browser would make of a page: elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def values(self, *names: str) -> list[str]:
        return [v for _, attrs in self.elements for n, v in attrs.items() if n in names and v]


# ── looking ──


@pytest.mark.parametrize("path", PAGES)
def test_each_page_answers_whole(client: TestClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert "text/html" in answer.headers["content-type"]
    assert not caplog.messages, "a template asked for a value that is not there"


def test_a_signal_shows_its_class_and_its_place_in_the_sites_own_topics(client: TestClient) -> None:
    page = client.get("/incidents/inc-1").text
    assert "主题归类：环境保护 / 大气污染，共有字词 “气味”" in page
    assert page.count("负面 · 环境保护") == 3


@pytest.mark.parametrize("path", [p for p in PAGES if "fragments" not in p])
def test_each_page_says_that_it_is_chinese(client: TestClient, path: str) -> None:
    assert '<html lang="zh-CN"' in client.get(path).text


@pytest.mark.parametrize("name", API)
def test_each_view_is_there_as_json(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/{name}")
    assert answer.status_code == 200
    assert answer.json()


def test_the_board_shows_every_open_clock_with_its_bar_and_state_in_words(
    client: TestClient, desk: FakeDesk
) -> None:
    html = client.get("/").text
    open_clocks = [c for i in desk.board()["incidents"] for c in i["clocks"] if views.is_open(c)]
    assert html.count("data-bar") == html.count("data-left") == len(open_clocks) == 10
    for word in ("已逾期", "临期", "计时中", "逾期完成", "已免除"):
        assert word in html


def test_overdue_incidents_come_first_then_the_next_limit(desk: FakeDesk) -> None:
    order = [i["id"] for i in views.arranged(desk.board()["incidents"])]
    assert order == ["inc-2", "inc-3", "inc-1", "inc-4", "inc-5", "inc-6"]


def test_what_is_wrong_with_ourselves_is_named_with_the_mending_command(client: TestClient) -> None:
    html = client.get("/").text
    assert "3 项异常" in html
    assert "临江论坛" in html
    assert "huiying poll forum" in html


def test_a_quiet_board_says_that_it_can_see() -> None:
    html = TestClient(build(FakeDesk(quiet=True, healthy=True))).get("/").text
    assert "没有未结事件" in html
    assert "一切正常" in html
    assert "信源 5/5" in html


def test_a_quiet_board_with_silent_sources_does_not_call_it_calm() -> None:
    html = TestClient(build(FakeDesk(quiet=True))).get("/").text
    assert "没有未结事件" in html
    assert "安静不等于平安" in html
    assert "一切正常" not in html


def test_the_incident_page_gives_the_reason_of_each_part_of_the_grade(
    client: TestClient, desk: FakeDesk
) -> None:
    html = client.get("/incidents/inc-1").text
    view = desk.incident("inc-1")
    assert view is not None
    assert all(part["reason"] in html for part in view["grade_parts"])
    assert "国办发〔2016〕80号" in html
    assert "应急局电话核实" in html


def test_an_unknown_incident_is_a_chinese_page_with_a_way_back(client: TestClient) -> None:
    answer = client.get("/incidents/nope")
    assert answer.status_code == 404
    assert "没有编号为 “nope” 的事件" in answer.text
    assert 'href="/"' in answer.text


def test_an_unknown_incident_is_json_at_the_api(client: TestClient) -> None:
    answer = client.get("/api/v1/incidents/nope")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


def test_a_broken_desk_gives_a_page_with_a_way_out_and_no_inside(client: TestClient, desk: FakeDesk) -> None:
    desk.broken = "password=secret is wrong"
    answer = client.get("/")
    assert answer.status_code == 500
    assert "huiying doctor" in answer.text
    assert "secret" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/api/v1/board").json()["error"]


def test_readiness_follows_the_desk_while_liveness_does_not(client: TestClient, desk: FakeDesk) -> None:
    assert client.get("/readyz").status_code == 200
    desk.broken = "数据库没有应答"
    assert client.get("/readyz").status_code == 503
    assert client.get("/readyz").json() == {"ready": False, "problems": ["数据库没有应答"]}
    assert client.get("/healthz").text == "ok\n"


def test_metrics_are_prometheus_text(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "huiying_open_clocks 9" in answer.text


def test_the_audit_pages_back_by_sequence(client: TestClient) -> None:
    first = client.get("/audit?limit=10").text
    assert "/audit?limit=10&amp;before=203" in first
    assert ">202<" in client.get("/audit?limit=10&before=203").text


# ── what comes from outside ──


@pytest.mark.parametrize("path", ["/", "/incidents/inc-1", "/sources", "/fragments/board"])
def test_outside_text_stays_text(client: TestClient, path: str) -> None:
    page = Page(client.get(path).text)
    assert not [n for _, attrs in page.elements for n in attrs if n.startswith("on")]
    assert not [attrs for tag, attrs in page.elements if tag in ("img", "iframe", "object")]
    assert not [attrs for tag, attrs in page.elements if tag == "script" and "src" not in attrs]


def test_a_hostile_title_is_shown_escaped(client: TestClient) -> None:
    assert "&lt;script&gt;alert(&#39;xss&#39;)&lt;/script&gt;" in client.get("/incidents/inc-1").text


@pytest.mark.parametrize("path", ["/incidents/inc-1", "/sources"])
def test_only_web_addresses_become_links_and_they_tell_nothing(client: TestClient, path: str) -> None:
    page = Page(client.get(path).text)
    outward = [
        a for tag, a in page.elements if tag == "a" and not (a.get("href") or "").startswith(("/", "#"))
    ]
    assert outward
    assert all((a["href"] or "").startswith("https://") for a in outward)
    assert all(a["rel"] == "noopener noreferrer" for a in outward)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://[", "", None, "/x"]
)
def test_an_address_that_is_not_http_is_no_link(url: str | None) -> None:
    assert views.link(url) is None


@pytest.mark.parametrize("path", PAGES)
def test_no_page_fetches_anything_from_elsewhere(client: TestClient, path: str) -> None:
    page = Page(client.get(path).text)
    fetched = [v for tag, attrs in page.elements if tag != "a" for n, v in attrs.items()
               if n in ("src", "href", "action", "hx-get", "hx-post", "sse-connect") and v]  # fmt: skip
    assert all(v.startswith("/") and not v.startswith("//") for v in fetched)


def test_no_stylesheet_or_own_script_names_another_host() -> None:
    for name in ("huiying.css", "huiying.js", "docs.js", "icons.svg"):
        text = (views.HERE / "static" / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(|@import", text)


@pytest.mark.parametrize("path", ["/", "/incidents/nope", "/api/v1/board", "/static/huiying.css"])
def test_every_answer_carries_the_policy_without_inline_script(client: TestClient, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_no_page_needs_inline_script_or_style(client: TestClient) -> None:
    for path in PAGES:
        page = Page(client.get(path).text)
        assert not [1 for tag, attrs in page.elements if tag == "style" or "style" in attrs], path


def test_the_vendored_files_are_the_ones_written_down() -> None:
    folder = views.HERE / "static" / "vendor"
    written = dict(re.findall(r"\| (\S+) \|.*`([0-9a-f]{64})`", (folder / "VENDOR.md").read_text()))
    found = {
        f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.suffix != ".md"
    }
    assert found == written


def test_the_openapi_page_is_served_from_here(client: TestClient) -> None:
    spec = client.get("/api/openapi.json").json()
    assert "/api/v1/incidents/{incident_id}/acts/{name}" in spec["paths"]
    assert not [p for p in spec["paths"] if not p.startswith("/api/")]
    for address in Page(client.get("/api/docs").text).values("src", "href"):
        assert client.get(address).status_code == 200


# ── small sums ──


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3 * 3600 + 12 * 60, "3小时12分"),
        (-(2 * 3600 + 5 * 60), "2小时05分"),
        (725, "12分05秒"),
        (0, "0分00秒"),
        (2 * 86400 + 4 * 3600, "2天04小时"),
    ],
)
def test_a_length_of_time_reads_in_two_units(seconds: float, shown: str) -> None:
    assert "".join(number + unit for number, unit in views.left(seconds)) == shown


def test_a_running_bar_ends_at_the_limit_and_an_overdue_one_at_now() -> None:
    running = views.bar(clock("a", "a", 2, 8), iso(NIGHT))
    assert (running["now"], running["limit"]) == (25, 100)
    overdue = views.bar(clock("b", "b", 4, 1), iso(NIGHT))
    assert (overdue["now"], overdue["limit"]) == (100, 25)


def test_a_clock_with_hundreds_of_repeats_is_not_drowned_in_marks() -> None:
    late = clock("a", "a", 39, 1)
    assert len(late["steps"]) > 24
    assert [t["key"] for t in views.bar(late, iso(NIGHT))["ticks"]] == ["50%", "75%", "90%"]


def test_incidents_without_a_running_clock_come_last_and_the_graver_first() -> None:
    bare = incident("inc-9", "无时限事件", Grade.I, 1)
    order = [i["id"] for i in views.arranged([*FakeDesk().board()["incidents"], bare])]
    assert order[-2:] == ["inc-9", "inc-6"]


def test_a_limit_that_ends_a_day_is_said_as_twenty_four_oclock_of_that_day() -> None:
    now = "2026-11-27T09:00+08:00"
    assert views.until("2026-11-28T00:00+08:00", now) == "11-27 24:00"
    assert views.until("2026-11-27T17:30+08:00", now) == "17:30"


def test_an_armed_clock_is_shown_as_waiting_and_its_bar_as_not_yet_full() -> None:
    armed = clock("first_statement", "首次权威发布", 2, 5) | {"state": "armed", "state_zh": "预置"}
    page = views.environment().from_string(
        "{% import 'macros.html' as m with context %}{{ m.ended(clocks, now) }}"
    )
    drawn = page.render(clocks=[armed], now=iso(NIGHT))
    assert "预置，时限" in drawn
    assert "尚未传播不提醒" in drawn
    assert not views.is_open(armed)
    assert 0 < views.bar(armed, iso(NIGHT))["now"] < 100


BIG = "9" * 20


@pytest.mark.parametrize(
    "path",
    [
        f"/audit?before={BIG}",
        f"/api/v1/audit?before_seq={BIG}",
        f"/deadletters?after={BIG}",
        f"/deadletters/{BIG}",
        f"/api/v1/deadletters?after={BIG}",
        f"/api/v1/deadletters/{BIG}",
    ],
)
def test_a_number_that_no_database_holds_is_refused_and_no_fault(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 422
