"""Signing in with the identity of another house, against a real provider (npm oidc-provider 9)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from models.ledger import accounts, sessions
from support.accounts import Browser, SigningSite, signing_site
from support.oidc import SECRET, consent, provider
from support.web import Web

PEOPLE: dict[str, dict[str, Any]] = {
    "chen": {"name": "陈值班", "roles": ["duty-officers", "football"]},
    "li": {"name": "李主任", "roles": ["leaders"]},
    "zhao": {"name": "赵副", "roles": ["football"]},
    "guard": {"name": "门卫", "roles": ["duty-officers"]},
}
OIDC = {
    "client_id": "huiying",
    "client_secret": "${HUIYING_HOOK_SECRET}",
    "roles_claim": "roles",
    "roles": {"duty-officers": "officer", "leaders": "manager"},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def office(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    assert SECRET  # what the site's environment says is what the provider knows
    folder: Path = tmp_path_factory.mktemp("oidc")
    with signing_site(folder, {"oidc": {"issuer": issuer, **OIDC}, "tries_per_address": 1000}) as running:
        running.account("root", "admin")
        yield running


def _began(browser: Browser, back: str = "/mine") -> str:
    answer = browser.get("/login/oidc", params={"back": back})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def _came_back(office: SigningSite, browser: Browser, login: str, back: str = "/mine") -> httpx.Response:
    return browser.get(consent(_began(browser, back), login, office.url))


def test_somebody_of_the_roster_comes_in_with_the_roles_that_the_other_house_says(
    office: SigningSite,
) -> None:
    browser = office.browser()
    address = _began(browser)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    answer = browser.get(consent(address, "chen", office.url))
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine"), answer.text
    assert browser.get("/mine").status_code == 200
    with office.desk.house.store.read() as conn:
        row = accounts.get(conn, "chen")
    assert (row.person, row.roles, row.subject, row.password) == ("chen", ["officer"], "chen", None)
    assert {"account_added", "account_linked"} <= set(office.kinds())
    assert (
        _came_back(office, office.browser(), "chen").headers["location"] == "/mine"
    )  # and again, by its subject


def test_an_account_that_was_there_is_linked_and_follows_the_other_houses_roles(office: SigningSite) -> None:
    office.account("li", "auditor", person="li")
    browser = office.browser()
    assert _came_back(office, browser, "li", "/roster").headers["location"] == "/roster"
    with office.desk.house.store.read() as conn:
        assert accounts.get(conn, "li").roles == ["manager"]
    assert browser.get("/audit").status_code == 200


def test_a_stranger_whom_the_other_house_knows_is_not_let_in(office: SigningSite) -> None:
    browser = office.browser()
    answer = _came_back(office, browser, "guard")
    assert answer.status_code == 401
    assert "没有对应的账号" in answer.text
    assert browser.get("/").status_code == 303


def test_whoever_has_lost_every_role_over_there_has_lost_them_here(office: SigningSite) -> None:
    office.account("zhao", "manager", person="zhao")
    answer = _came_back(office, office.browser(), "zhao")
    assert (answer.status_code, "没有给您本系统的角色" in answer.text) == (401, True)


def test_a_disabled_account_stays_out(office: SigningSite) -> None:
    _came_back(office, office.browser(), "chen")
    office.change("disable", "chen")
    answer = _came_back(office, office.browser(), "chen")
    assert (answer.status_code, "已停用" in answer.text) == (401, True)
    office.change("enable", "chen")


def test_an_answer_with_another_state_is_refused(office: SigningSite) -> None:
    browser = office.browser()
    address = consent(_began(browser), "chen", office.url)
    state = parse_qs(urlsplit(address).query)["state"][0]
    answer = browser.get(address.replace(state, "x" * len(state)))
    assert (answer.status_code, "不是从这个浏览器开始" in answer.text) == (401, True)


def test_an_answer_for_another_browser_is_refused(office: SigningSite) -> None:
    address = consent(_began(office.browser()), "chen", office.url)
    victim = office.browser()
    assert victim.get(address).status_code == 401
    assert victim.get("/").status_code == 303


def test_a_code_is_good_for_one_sign_in(office: SigningSite) -> None:
    browser = office.browser()
    address = consent(_began(browser), "chen", office.url)
    kept = browser.web.cookies.get("huiying_oidc")
    assert browser.get(address).status_code == 303
    again = office.browser()
    again.web.cookies.set("huiying_oidc", str(kept))
    assert again.get(address).status_code == 401


@pytest.mark.parametrize("part", ["n", "v"])
def test_an_id_token_of_another_nonce_and_a_code_of_another_verifier_are_refused(
    office: SigningSite, part: str
) -> None:
    browser = office.browser()
    address = consent(_began(browser), "chen", office.url)
    kept = str(browser.web.cookies.get("huiying_oidc"))
    begun = json.loads(base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps({**begun, part: "y" * 43}).encode()).decode().rstrip("=")
    browser.web.cookies.clear()
    browser.web.cookies.set("huiying_oidc", forged)
    assert browser.get(address).status_code == 401
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("hours", [2, -2])
def test_an_id_token_of_another_hour_is_refused(office: SigningSite, hours: int) -> None:
    office.wall.forward(hours=hours)
    try:
        answer = _came_back(office, office.browser(), "chen")
    finally:
        office.wall.forward(hours=-hours)
    assert (answer.status_code, "核对不上" in answer.text) == (401, True)


def test_whoever_takes_too_long_over_there_begins_anew(office: SigningSite) -> None:
    browser = office.browser()
    address = consent(_began(browser), "chen", office.url)
    office.wall.forward(minutes=11)
    try:
        answer = browser.get(address)
    finally:
        office.wall.forward(minutes=-11)
    assert (answer.status_code, "太长" in answer.text) == (401, True)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example"])
def test_the_way_back_from_over_there_stays_on_this_site(office: SigningSite, back: str) -> None:
    assert _came_back(office, office.browser(), "chen", back).headers["location"] == "/"


def test_a_refusal_over_there_is_said_in_words(office: SigningSite) -> None:
    browser = office.browser()
    state = parse_qs(urlsplit(_began(browser)).query)["state"][0]
    answer = browser.get("/login/oidc/back", params={"error": "access_denied", "state": state})
    assert (answer.status_code, "没有放行" in answer.text) == (401, True)


def test_garbage_instead_of_a_cookie_is_refused_and_never_a_fault(office: SigningSite) -> None:
    whole = (
        '{"s":"\\ud800","n":"","v":"","b":"/","t":1}',
        '{"s":"s","n":"","v":"","b":"/","t":1%s}' % ("0" * 400),
    )
    packed = [base64.urlsafe_b64encode(one.encode()).decode() for one in ('{"s":1}', *whole)]
    for kept in ("", "x", "e30", "bnVsbA", "W10", *packed):
        browser = office.browser()
        browser.web.cookies.set("huiying_oidc", kept)
        assert browser.get("/login/oidc/back", params={"state": "s", "code": "c"}).status_code == 401


def test_the_sign_ins_are_recorded_with_what_came_of_them(office: SigningSite) -> None:
    _came_back(office, office.browser(), "chen")
    _came_back(office, office.browser(), "guard")
    with office.desk.house.store.read() as conn:
        newest = sessions.attempts(conn, 2)
    assert [(row.account, row.method, row.why) for row in newest] == [
        (None, "oidc", "unknown"),
        ("chen", "oidc", ""),
    ]


def test_a_provider_that_is_away_leaves_the_password_as_a_way_in(tmp_path: Path) -> None:
    with signing_site(tmp_path, {"oidc": {"issuer": "http://127.0.0.1:9", **OIDC}}) as office:
        office.account("chen", "officer", person="chen")
        browser = office.browser()
        answer = browser.get("/login/oidc")
        assert (answer.status_code, "连不上" in answer.text) == (503, True)
        assert browser.sign_in("chen").status_code == 303


def test_a_provider_that_names_another_issuer_is_not_believed(tmp_path: Path, web: Web) -> None:
    about = {name: web.url(f"/{name}") for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    said = json.dumps({"issuer": "https://other.example", **about}).encode()
    web.page("/.well-known/openid-configuration", said, {"Content-Type": "application/json"})
    with signing_site(tmp_path, {"oidc": {"issuer": web.url(""), **OIDC}}) as office:
        answer = office.browser().get("/login/oidc")
        assert (answer.status_code, "issuer" in answer.text) == (401, True)


def test_whoever_leaves_may_leave_the_other_house_too(office: SigningSite, issuer: str) -> None:
    browser = office.browser()
    _came_back(office, browser, "chen")
    page = browser.get(browser.post("/logout").headers["location"])
    assert "/login/oidc/leave" in page.text
    assert (
        browser.get("/login/oidc/leave")
        .headers["location"]
        .startswith(f"{issuer}/session/end?client_id=huiying")
    )
    assert browser.get("/").status_code == 303
