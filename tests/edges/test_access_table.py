"""The table of permits: every route and every act is in it, and over real HTTP each role may what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.console import deeds, permits
from connectors.console.app import build
from connectors.console.desk import ACTS
from models.core.access import PERMITS, may
from models.core.vocabulary import AccountRole
from support.accounts import Browser, SigningSite, signing_site
from support.fake_desk import FakeDesk
from support.routes import routes

PERSONS = dict(zip(AccountRole, ("chen", "li", "zhao", "zhou", "chen", "li"), strict=True))
LINES = sorted({(way, path, rule) for way, path, rule in permits.lines()}, key=str)
ENDLESS = "/events"
OTHERWISE = ("/metrics", "/login/code", "/login/confirm")
"""Open to this machine; and answered 401 for a wrong code or password."""


def test_every_route_of_the_console_is_named_in_the_table() -> None:
    """Only then can anybody reach it; whoever adds a page names it in connectors/console/permits.py."""
    unnamed = [
        f"{way} {path}"
        for way, path in routes(build(FakeDesk()))
        if not permits.public(path) and not any(_rules(way, path))
    ]
    assert unnamed == []


def _rules(way: str, path: str) -> Iterator[bool]:
    """An act's own name stands in the table, so that its door is asked for with each of its names."""
    for name in _names(path):
        yield permits.rule_of(way, _filled(path.replace("{name}", name))) is not None


def _names(path: str) -> list[str]:
    plain = path.removeprefix(permits.API)
    return list(permits.ACTS[plain][1]) if plain in permits.ACTS else ["{name}"]


def _filled(path: str) -> str:
    return re.sub(r"\{\w+(:path)?\}", "1", path)


def test_every_act_that_the_api_describes_is_named_in_the_table() -> None:
    doors = [door.replace("{name}", name) for door, acts in deeds.MANY.items() for name in acts]
    doors += [*deeds.ONE, *(f"/incidents/{{incident_id}}/acts/{name}" for name in ACTS if name != "open")]
    assert [door for door in doors if permits.rule_of("POST", _filled(door)) is None] == []


def test_every_line_of_the_table_leads_to_a_route_and_asks_for_a_permit_that_exists() -> None:
    known = set(routes(build(FakeDesk())))
    for way, path, rule in LINES:
        door = re.sub(r"(/acts/)[\w]+$", r"\1{name}", path)
        doors = {(way, f"{prefix}{one}") for one in (path, door) for prefix in ("", permits.API)}
        assert doors & known, f"{way} {path}"
        assert rule.permit in PERMITS, rule


def test_what_nobody_named_is_forbidden_to_everybody() -> None:
    assert permits.rule_of("POST", "/incidents/1/acts/explode") is None
    assert permits.rule_of("DELETE", "/incidents/1") is None
    assert all(may({role}, "no such permit") for role in AccountRole)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    folder: Path = tmp_path_factory.mktemp("table")
    with signing_site(folder, {"tries_per_address": 1000, "acts_per_minute": 100_000}) as running:
        for role, person in PERSONS.items():
            running.account(f"the-{role.value}", role.value, person=person)
        yield running


@pytest.mark.parametrize("role", AccountRole)
def test_over_http_a_role_may_exactly_what_the_table_says(office: SigningSite, role: AccountRole) -> None:
    browser = office.signed_in(f"the-{role.value}")
    wrong = []
    for way, path, rule in LINES:
        if path == ENDLESS or path in OTHERWISE:
            continue
        status = _asked(browser, way, _filled(path.replace("{person}", PERSONS[role])))
        allowed = may({role}, rule.permit) is None
        if allowed != (status not in (401, 403)):
            wrong.append(f"{way} {path}: {status}, {rule.permit}")
    assert wrong == []


def _asked(browser: Browser, way: str, path: str) -> int:
    """Things that are not there: whoever may gets 404, 409 or 422, and nothing changes."""
    answer = browser.get(path) if way == "GET" else browser.post(path)
    return answer.status_code


@pytest.mark.parametrize("role", [AccountRole.AUDITOR])
def test_an_auditor_reads_every_page_and_changes_nothing(role: AccountRole) -> None:
    changing = {
        rule.permit
        for way, _, rule in LINES
        if way == "POST" and rule.permit not in ("own", "playbook.try", "audit.export", "preferences")
    }
    assert [permit for permit in changing if may({role}, permit) is None] == []


def test_a_route_of_one_incident_says_so_for_accounts_of_single_units() -> None:
    """A page under an incident that is not marked as one would show other units' incidents."""
    for _, path, rule in LINES:
        if "{incident_id}" in path:
            assert rule.reach is permits.Reach.INCIDENT, path
        if "{statement_id}" in path:
            assert rule.reach is permits.Reach.STATEMENT, path
