"""One-use links and preferences where the console has accounts: the link is the only door without a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.respond import respond
from models.core import onelink
from models.ledger.reaching import newest
from support.accounts import SigningSite, signing_site

PUBLIC = {"public_url": "https://huiying.example.gov.cn"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    loose = {"tries_per_address": 1000, "acts_per_minute": 1000}
    with signing_site(tmp_path_factory.mktemp("links"), loose, console=PUBLIC) as running:
        running.account("chen", "officer", person="chen")
        running.account("li", "manager", person="li")
        running.account("eye", "auditor")
        yield running


@pytest.fixture
def link(office: SigningSite) -> str:
    """The link of a new alert to chen."""
    office.desk.act("open", "", {"title": "望江路塌陷", "grade": "II"}, "li")
    respond(office.desk.house)
    with office.desk.house.store.read() as conn:
        alert = newest(conn, "chen")[0]
    grant = onelink.granted(alert.id, "chen", alert.raised_at)
    return f"/a/{onelink.token(office.desk.house.link_key, grant)}"


def test_the_link_acknowledges_without_signing_in_and_opens_nothing_else(
    office: SigningSite, link: str
) -> None:
    stranger = office.browser()
    assert "望江路塌陷" in stranger.get(link).text
    assert stranger.post(link).status_code == 303
    assert "陈值班 已于" in stranger.get(link).text
    assert stranger.session == ""
    assert stranger.get("/").status_code == 303
    assert stranger.get("/me/preferences").headers["location"].startswith("/login?back=")


def test_whoever_is_signed_in_as_another_does_not_act_for_the_officer(office: SigningSite, link: str) -> None:
    li = office.signed_in("li")
    answer = li.post(link)
    assert answer.status_code == 403
    assert "这台设备上是 李主任" in answer.text
    assert office.signed_in("chen").post(link).status_code == 303


def test_whose_accounts_are_all_disabled_can_use_no_link(office: SigningSite, link: str) -> None:
    office.change("disable", "chen", reason="离岗")
    try:
        answer = office.browser().post(link)
        assert answer.status_code == 410
        assert "账号已停用" in answer.text
    finally:
        office.change("enable", "chen", reason="回来了")
    assert office.browser().post(link).status_code == 303


def test_whose_accounts_may_not_acknowledge_any_more_can_use_no_link(office: SigningSite, link: str) -> None:
    office.change("roles", "chen", roles="auditor")
    try:
        assert office.browser().post(link).status_code == 410
    finally:
        office.change("roles", "chen", roles="officer")
    assert office.browser().post(link).status_code == 303


def test_everybody_keeps_their_own_preferences_and_nobody_elses(office: SigningSite) -> None:
    chen = office.signed_in("chen")
    assert chen.post("/me/preferences", {"quiet_from": "22:00", "quiet_to": "07:00"}).status_code == 303
    page = chen.get("/me/preferences")
    assert 'value="22:00"' in page.text
    assert 'href="/me/preferences"' in chen.get("/").text
    li = office.signed_in("li")
    assert li.get("/api/v1/people/chen/preferences").status_code == 403
    assert li.web.post("/api/v1/people/chen/preferences", json={"quiet": ""}).status_code == 409
    assert li.web.post("/api/v1/people/chen/preferences", json={"quiet": "", "by": "chen"}).status_code == 403
    assert office.desk.preferences.of("chen")["quiet"] == {"from": "22:00", "to": "07:00"}


def test_an_account_that_is_no_person_of_the_roster_has_nothing_to_prefer(office: SigningSite) -> None:
    eye = office.signed_in("eye")
    assert "没有对应值班表里的人" in eye.get("/me/preferences").text
    assert eye.post("/me/preferences", {"quiet_from": "22:00"}).status_code == 403
    assert "/me/preferences" not in eye.get("/").text


def test_a_program_sets_the_preferences_of_its_own_person(office: SigningSite) -> None:
    web = office.with_token(office.token("chen"))
    done = web.post("/api/v1/people/chen/preferences", json={"deadline": "hook"})
    assert (done.status_code, done.json()["urgencies"][0]["first"]) == (200, ["hook"])
    assert web.post("/api/v1/people/li/preferences", json={"deadline": "hook"}).status_code == 409
