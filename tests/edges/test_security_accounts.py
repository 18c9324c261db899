"""A console with accounts as an attacker walks through it: past the door, under another's name, out of one's unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from connectors.console import permits
from connectors.console.app import build
from support.accounts import CROSS, PASSWORD, SigningSite, signing_site
from support.fake_desk import FakeDesk
from support.routes import routes

TITLE = "望江路塌陷"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    loose = {"tries_per_address": 10_000, "acts_per_minute": 100_000}
    with signing_site(tmp_path_factory.mktemp("walk"), loose) as running:
        running.account("chen", "officer", person="chen")
        running.account("li", "manager", person="li")
        running.account("zhou", "auditor", person="zhou")
        running.account("local", "officer", person="zhao", units=("office",))
        yield running


@pytest.fixture(scope="module")
def incident(office: SigningSite) -> str:
    return str(office.desk.act("open", "", {"title": TITLE, "grade": "II"}, "chen")["id"])


def asked(office: SigningSite, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Byte for byte: no client puts the path in order first."""
    parts = urlsplit(office.url)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        line.close()


# ── past the door ──


def test_without_signing_in_no_page_and_no_answer_shows_anything(office: SigningSite, incident: str) -> None:
    shown = []
    for method, path in routes(build(FakeDesk())):
        if method != "GET" or permits.public(path):
            continue
        at = re.sub(r"\{incident_id\}", incident, path)
        status, said = asked(office, re.sub(r"\{[^}]+\}", "1", at))
        if status < 300 or TITLE in said or "陈值班" in said:
            shown.append((path, status))
    assert shown in ([], [("/metrics", 200)]), "the watcher on this machine alone reads numbers"


@pytest.mark.parametrize(
    "path",
    [
        "//api/v1/board",
        "/static/../api/v1/board",
        "/static/..%2fapi/v1/board",
        "/hooks/../api/v1/board",
        "/a/../api/v1/board",
        "/login/../api/v1/board",
        "/API/v1/board",
        "/api/v1/board/",
        "/api/v1/board;x",
        "/api/v1/board%00",
        "/api/v1/%62oard",
        "/%61pi/v1/board",
        "/./api/v1/board",
        "/api//v1/board",
        "/api/v1/board%2f",
        "/healthz/../api/v1/board",
        "/login%2f..%2f",
        "/api/v1/board?x=/static/",
        "/api/v1/board#/static/",
        "http://127.0.0.1/static/../api/v1/board",
        "/static%2f../",
        "/.",
    ],
)
def test_no_other_spelling_of_a_path_leads_past_the_door(
    office: SigningSite, incident: str, path: str
) -> None:
    status, said = asked(office, path)
    assert TITLE not in said
    assert status >= 300 or path.startswith("/login"), said[:200]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80/static/x?", "127.0.0.1/static/?", "a/login?", "127.0.0.1#/static/"]
)
def test_no_host_makes_a_page_look_public(office: SigningSite, incident: str, host: str) -> None:
    status, said = asked(office, f"/api/v1/incidents/{incident}", Host=host)
    assert status in (400, 401)
    assert TITLE not in said


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer huiying_0"},
        {"Authorization": "Basic Y2hlbjpjaGVu"},
        {"Authorization": "bearer null"},
        {"Authorization": "Bearer " + "a" * 5000},
        {"Authorization": "Bearer %00\xff"},
        {"Cookie": "huiying_person=chen"},
        {"Cookie": "huiying_session="},
        {"Cookie": "huiying_session=" + "a" * 3000},
        {"Cookie": "huiying_session=' OR 1=1 --"},
        {"Cookie": "huiying_session=%00"},
        {"X-Forwarded-User": "chen"},
        {"X-Original-URL": "/static/x"},
        {"X-Rewrite-URL": "/static/x"},
        {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    ],
)
def test_what_is_not_a_session_or_a_token_opens_nothing(
    office: SigningSite, incident: str, headers: dict[str, str]
) -> None:
    status, said = asked(office, "/api/v1/board", **headers)
    assert status == 401, said
    assert asked(office, f"/incidents/{incident}/acts/ack", "POST", **headers)[0] in (303, 401, 403, 404)


# ── under another's name ──


def test_nobody_acts_under_another_name_with_a_session_or_a_token(office: SigningSite, incident: str) -> None:
    door = f"/api/v1/incidents/{incident}/acts/update"
    for web in (office.signed_in("chen").web, office.with_token(office.token("chen"))):
        answer = web.post(door, json={"by": "li", "text": "冒名的进展"})
        assert answer.status_code in (200, 403), answer.text
        newest = office.desk.auditing.overview({}, 50, None)["entries"]
        assert not [one for one in newest if one["actor_id"] == "li" and "冒名" in one["text"]]


@pytest.mark.parametrize(
    "head",
    [CROSS, {"origin": "null"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "same-site"}, {}],
)
def test_a_session_acts_from_our_own_pages_alone(
    office: SigningSite, incident: str, head: dict[str, str]
) -> None:
    session = office.signed_in("chen").session
    before = office.desk.revision()
    with httpx.Client(
        base_url=office.url, cookies={"huiying_session": session}, headers=head, timeout=60
    ) as web:
        for path in (
            f"/incidents/{incident}/acts/ack",
            f"/api/v1/incidents/{incident}/acts/ack",
            "/audit/export",
            "/logout",
        ):
            assert web.post(path, data={"form": "csv"}).status_code in (403, 422), path
    assert office.desk.revision() == before


def test_a_session_of_before_signing_in_is_worth_nothing_after(office: SigningSite) -> None:
    browser = office.browser()
    browser.web.cookies.set("huiying_session", "fixed-by-an-attacker")
    assert browser.sign_in("chen").status_code == 303
    with httpx.Client(
        base_url=office.url, cookies={"huiying_session": "fixed-by-an-attacker"}, timeout=60
    ) as other:
        assert other.get("/api/v1/board").status_code == 401


# ── where it leads ──


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/%2f/evil.example/",
    ],
)
def test_signing_in_leads_to_no_other_site(office: SigningSite, back: str) -> None:
    answer = office.browser().sign_in("chen", PASSWORD, back)
    led = urljoin(f"{office.url}/login", answer.headers["location"])
    assert urlsplit(led).netloc == urlsplit(office.url).netloc
    assert "evil" not in urlsplit(led).netloc


# ── out of one's unit ──


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/audit",
        "/api/v1/deadletters",
        "/api/v1/registers",
        "/api/v1/reports/special?incident={}",
        "/api/v1/incidents/{}",
        "/incidents/{}",
        "/handover",
        "/api/v1/incidents/{}/work",
        "/api/v1/incidents/{}/signals",
        "/fragments/incidents/{}",
    ],
)
def test_an_account_of_one_unit_reads_no_others_incident(
    office: SigningSite, incident: str, path: str
) -> None:
    office.desk.act("assign", incident, {"unit": "市应急管理局", "reason": "属地"}, "li")
    answer = office.signed_in("local").get(path.format(incident))
    assert answer.status_code == 403, answer.text[:300]
    assert TITLE not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1/board",
        "/mine",
        "/api/v1/mine/chen",
        "/api/v1/trends",
        "/fragments/board",
        "/api/v1/incidents?state=all",
        "/api/v1/proposals?every=true",
        "/api/v1/tasks",
    ],
)
def test_lists_show_an_account_of_one_unit_its_own_alone(
    office: SigningSite, incident: str, path: str
) -> None:
    office.desk.act("assign", incident, {"unit": "市应急管理局", "reason": "属地"}, "li")
    answer = office.signed_in("local").get(path)
    assert answer.status_code in (200, 403)
    assert TITLE not in answer.text


# ── the audit page ──


def test_only_who_may_reads_and_takes_out_the_journal(office: SigningSite) -> None:
    chen, zhou = office.signed_in("chen"), office.signed_in("zhou")
    before = office.desk.revision()
    assert chen.get("/audit").status_code == 403
    assert chen.get("/api/v1/audit").status_code == 403
    assert chen.post("/audit/export", {"form": "csv"}).status_code == 403
    assert office.desk.revision() == before
    assert zhou.get("/api/v1/audit").status_code == 200
    assert zhou.post("/audit/export", {"form": "csv"}).status_code == 200
    assert (
        office.desk.auditing.overview({"kind": "audit_exported"}, 1, None)["entries"][0]["actor_id"] == "zhou"
    )


def test_the_auditor_sees_who_came_in_and_who_did_not_and_nobody_else_does(office: SigningSite) -> None:
    zhou, chen = office.signed_in("zhou"), office.signed_in("chen")
    assert office.browser().sign_in("chen", "a wrong guess").status_code != 303
    seen = zhou.get("/api/v1/audit/signins", params={"account": "chen"}).json()["signins"]
    assert {one["account"] for one in seen} == {"chen"}
    assert [one["why_zh"] for one in seen[:2]] == ["密码不对", "成功"]
    assert "a wrong guess" not in zhou.get("/audit/signins").text
    assert "密码不对" in zhou.get("/audit/signins").text
    assert chen.get("/audit/signins").status_code == chen.get("/audit").status_code
