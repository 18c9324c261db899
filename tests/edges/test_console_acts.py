"""What people do at the console, and the events that tell the other pages of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx2
import pytest
from starlette.testclient import TestClient

from connectors.console.pages.acting import inside
from support.console import served
from support.fake_desk import FakeDesk

ACK = "/incidents/inc-4/acts/ack"


# ── acting ──


def test_choosing_a_person_sets_a_strict_cookie_and_leads_back(client: TestClient) -> None:
    answer = client.post("/me", data={"person": "li", "back": "/mine"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("huiying_person=li;")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "李主任手上" in client.get("/mine").text


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\t/evil"]
)
def test_the_way_back_never_leaves_the_site(back: str) -> None:
    assert inside(back) == "/"


def test_a_person_who_is_not_on_the_roster_cannot_be_chosen(client: TestClient) -> None:
    answer = client.post("/me", data={"person": "nobody"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_an_act_without_a_person_is_refused_and_says_where_to_choose(
    client: TestClient, desk: FakeDesk
) -> None:
    answer = client.post(ACK)
    assert answer.status_code == 403
    assert 'href="/me"' in answer.text
    assert desk.acts == []


def test_an_act_by_a_stale_cookie_is_refused(client: TestClient, desk: FakeDesk) -> None:
    client.cookies.set("huiying_person", "gone")
    assert client.post(ACK).status_code == 403
    assert desk.acts == []


CROSS = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://testserver:81"},
]


@pytest.mark.parametrize("headers", CROSS)
@pytest.mark.parametrize("path", [ACK, "/me", "/incidents", "/api/v1/incidents/inc-4/acts/ack"])
def test_an_act_from_another_site_is_refused(
    chen: TestClient, desk: FakeDesk, headers: dict[str, str], path: str
) -> None:
    answer = chen.post(path, headers=headers)
    assert answer.status_code == 403
    assert "别的网站" in answer.text
    assert desk.acts == []


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"}])
def test_an_acknowledgement_from_our_own_page_is_done_and_leads_back(
    chen: TestClient, desk: FakeDesk, headers: dict[str, str]
) -> None:
    answer = chen.post(ACK, data={"view": "board"}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert desk.acts == [("ack", "inc-4", {}, "chen")]


def test_htmx_gets_the_fresh_board_with_the_holder(chen: TestClient) -> None:
    answer = chen.post(ACK, data={"view": "board"}, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="ack-inc-4"' not in answer.text
    assert "已签收" in answer.text


def test_the_fields_of_a_form_reach_the_desk_and_empty_ones_do_not(chen: TestClient, desk: FakeDesk) -> None:
    form = {"view": "incident", "grade": "I", "reason": " 经应急局核实 ", "note": "  "}
    assert chen.post("/incidents/inc-1/acts/grade", data=form).headers["location"] == "/incidents/inc-1"
    assert desk.acts == [("grade", "inc-1", {"grade": "I", "reason": "经应急局核实"}, "chen")]


def test_a_refusal_is_shown_as_it_is(chen: TestClient) -> None:
    reason = "还有时钟没有停"
    page = chen.post("/incidents/inc-1/acts/close", data={"reason": "x"})
    assert page.status_code == 409
    assert reason in page.text
    part = chen.post("/incidents/inc-1/acts/close", data={"reason": "x"}, headers={"hx-request": "true"})
    assert part.status_code == 409
    assert part.headers["hx-retarget"] == "#notice"
    assert reason in part.text
    json = chen.post("/api/v1/incidents/inc-1/acts/close", json={"reason": "x"})
    assert json.status_code == 409
    assert reason in json.json()["error"]


@pytest.mark.parametrize("name", ["explode", "open", "_shown"])
def test_an_act_that_is_not_in_the_list_never_reaches_the_desk(
    chen: TestClient, desk: FakeDesk, name: str
) -> None:
    assert chen.post(f"/incidents/inc-1/acts/{name}").status_code == 404
    assert chen.post(f"/api/v1/incidents/inc-1/acts/{name}", json={}).status_code == 404
    assert desk.acts == []


def test_an_open_form_is_kept_when_the_page_says_so(client: TestClient) -> None:
    address = "/fragments/incidents/inc-1"
    assert 'id="acts"' in client.get(address).text
    kept = client.get(address, headers={"x-keep-forms": "1"}).text
    assert 'id="acts"' not in kept
    assert 'id="clocks"' in kept


def test_a_case_opened_by_hand_leads_to_its_page(chen: TestClient) -> None:
    answer = chen.post("/incidents", data={"title": "桥面塌陷", "grade": "III"})
    assert answer.status_code == 303
    assert "桥面塌陷" in chen.get(answer.headers["location"]).text


def test_the_api_acts_by_the_named_person(client: TestClient, desk: FakeDesk) -> None:
    answer = client.post("/api/v1/incidents/inc-4/acts/ack", json={"by": "zhou", "reason": "电话里接的"})
    assert answer.status_code == 200
    assert desk.acts == [("ack", "inc-4", {"reason": "电话里接的"}, "zhou")]


@pytest.mark.parametrize("body", [{"by": "nobody"}, {}])
def test_the_api_refuses_an_act_without_a_known_person(
    client: TestClient, desk: FakeDesk, body: dict[str, str]
) -> None:
    answer = client.post("/api/v1/incidents/inc-4/acts/ack", json=body)
    assert answer.status_code == 403
    assert answer.json()["error"]
    assert desk.acts == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"by": {"$ne": 1}}', b'"x"'])
def test_the_api_refuses_a_body_of_another_form_in_one_line(chen: TestClient, body: bytes) -> None:
    answer = chen.post(
        "/api/v1/incidents/inc-4/acts/ack", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(chen: TestClient, desk: FakeDesk) -> None:
    answer = chen.post(ACK, data={"reason": "x" * 100_000})
    assert answer.status_code == 413
    assert desk.acts == []


def test_a_body_that_hides_its_size_does_not_get_through(chen: TestClient, desk: FakeDesk) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"a" * 8192

    with served(desk) as address, httpx2.Client() as plain:
        head = {"content-type": "application/x-www-form-urlencoded", "cookie": "huiying_person=chen"}
        with contextlib.suppress(httpx2.TransportError):  # hanging up is an answer too
            assert plain.post(f"{address}{ACK}", content=endless(), headers=head).status_code >= 400
    assert desk.acts == []


# ── events ──


def lines_of(stream: httpx2.Response) -> Iterator[str]:
    return (line for line in stream.iter_lines() if line and not line.startswith((":", "retry")))


def test_a_page_is_told_when_the_revision_changes() -> None:
    desk = FakeDesk()
    with served(desk) as address, httpx2.stream("GET", f"{address}/events?since=7", timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "default-src 'self'" in stream.headers["content-security-policy"]
        desk.touch()
        lines = lines_of(stream)
        assert [next(lines), next(lines), next(lines)] == ["id: 8", "event: board", "data: 8"]
        desk.arrive("又一条")
        assert next(lines) == "id: 9"


def test_a_dropped_line_resumes_after_the_last_event_it_saw() -> None:
    with served(FakeDesk()) as address:
        head = {"last-event-id": "3"}
        with httpx2.stream("GET", f"{address}/events?since=7", headers=head, timeout=20) as stream:
            assert next(lines_of(stream)) == "id: 7"


def test_the_streams_end_when_the_desk_breaks_and_begin_anew_when_it_is_back() -> None:
    desk = FakeDesk()
    with served(desk) as address:
        with httpx2.stream("GET", f"{address}/events?since=7", timeout=20) as stream:
            desk.broken = "数据库没有应答"
            assert list(lines_of(stream)) == []
        desk.broken = None
        desk.touch()
        with httpx2.stream("GET", f"{address}/events?since=7", timeout=20) as stream:
            assert next(lines_of(stream)) == "id: 8"


# ── evidence that is proposed ──


def test_a_proposal_is_shown_with_its_reasons_and_both_answers(chen: TestClient) -> None:
    page = chen.get("/incidents/inc-1").text
    assert "待确认的凭据" in page
    assert "共有特征词: 江东化工园区、储罐" in page
    assert 'action="/incidents/inc-1/acts/adopt"' in page
    assert 'action="/incidents/inc-1/acts/dismiss"' in page
    assert "说的是检查，不是这起事件" in page  # what was decided stays to be seen


def test_adopting_and_dismissing_name_the_proposal_and_the_person(chen: TestClient, desk: FakeDesk) -> None:
    chen.post("/incidents/inc-1/acts/adopt", data={"proposal": "7b1d"})
    chen.post("/incidents/inc-1/acts/dismiss", data={"proposal": "7b1d", "reason": "另一起"})
    assert desk.acts == [
        ("adopt", "inc-1", {"proposal": "7b1d"}, "chen"),
        ("dismiss", "inc-1", {"proposal": "7b1d", "reason": "另一起"}, "chen"),
    ]


def test_a_kept_page_is_only_ever_a_download(client: TestClient) -> None:
    answer = client.get(f"/api/v1/snapshots/{'0' * 64}")
    assert (answer.status_code, answer.content) == (200, b"WARC/1.1")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/gzip"
    for unknown in ("1" * 64, "..%2fetc", "0"):
        assert client.get(f"/api/v1/snapshots/{unknown}").status_code == 404


def parts(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    yield b"text="
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("address", [ACK, "/api/v1/incidents/inc-4/acts/ack", "/hooks/tickets/a"])
def test_a_body_that_grows_over_the_bound_as_it_comes_is_refused_as_too_large(
    li: TestClient, desk: FakeDesk, address: str
) -> None:
    form = "application/x-www-form-urlencoded" if address == ACK else "application/json"
    answer = li.post(address, content=parts(5 * 1024 * 1024), headers={"content-type": form})
    assert answer.status_code == 413
    assert "没有执行" in answer.text
    assert desk.acts == []
    short = li.post(ACK, content=parts(1024), headers={"content-type": "application/x-www-form-urlencoded"})
    assert short.status_code == 303
