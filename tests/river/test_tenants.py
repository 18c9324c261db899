"""City, district, street, department in one installation: each account sees its own, whatever page it asks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.console import permits
from flows.collecting import intake
from flows.office.access import Access
from flows.office.desk import Desk
from flows.triage import triage
from flows.wiring import House
from models.core.roster import Roster, Unit
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from playbooks.problem import Problems
from playbooks.site import load_site
from support.accounts import CHEAP, Browser, SigningSite, Wall
from support.console import served
from support.sites import ENVIRON, write_site

UNITS = (
    ("city", "临江市政府", None, "city"),
    ("binjiang", "滨江区政府", "city", "county"),
    ("jiangbei", "江北区政府", "city", "county"),
    ("xinhua", "新华街道办", "binjiang", "town"),
    ("emergency", "市应急管理局", "city", "city"),
)
TITLES = {
    "city": "市级协调的洪水",
    "binjiang": "滨江区的塌陷",
    "jiangbei": "江北区的停水",
    "xinhua": "新华街道的火灾",
    "emergency": "应急局的燃气泄漏",
}
SEES = {
    "city": {"city", "binjiang", "jiangbei", "xinhua", "emergency"},
    "binjiang": {"binjiang", "xinhua"},
    "jiangbei": {"jiangbei"},
    "xinhua": {"xinhua"},
    "emergency": {"emergency"},
}
HEARD = "化工厂爆炸已造成三人死亡"
"""What the net says; the incident of it is the northern district's."""
PEOPLE = {"city": "chen", "binjiang": "li", "jiangbei": "zhao", "xinhua": "zhou", "emergency": "chen"}


def rostered(folder: Path, **changes: dict[str, Any]) -> Path:
    """The least site with units one below another."""
    directory = write_site(
        folder, "http://127.0.0.1:9", site={"access": {"mode": "accounts", "hashing": CHEAP}}
    )
    file = directory / "roster.yaml"
    roster = json.loads(file.read_text(encoding="utf-8"))
    units = [
        {"id": unit, "name": name, "parent": above, "level": level} for unit, name, above, level in UNITS
    ]
    roster["units"] += [unit | changes.get(str(unit["id"]), {}) for unit in units]
    file.write_text(json.dumps(roster, ensure_ascii=False), encoding="utf-8")
    return directory


@contextmanager
def tenancy(folder: Path) -> Iterator[SigningSite]:
    with House.open(rostered(folder), ENVIRON) as house:
        desk, wall = Desk(house), Wall()
        desk.access = Access(desk, wall)
        with served(desk) as url:
            office = SigningSite(url, desk, wall)
            yield office
            for browser in office.browsers:
                browser.web.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    with tenancy(tmp_path_factory.mktemp("tenants") / "site") as made:
        yield made


@pytest.fixture(scope="module")
def incidents(office: SigningSite) -> dict[str, str]:
    """unit → its incident, with a task and a note."""
    found = {}
    for unit, title in TITLES.items():
        made = str(office.desk.act("open", "", {"title": title, "grade": "II"}, "chen")["id"])
        office.desk.act("assign", made, {"unit": unit}, "li")
        office.desk.act("update", made, {"text": f"{title}，已到场"}, "chen")
        office.desk.work.act("add", made, {"name": f"核查{title}", "unit": unit}, "li")
        found[unit] = made
    house, now = office.desk.house, office.desk.now()
    posts = [
        RawSignal("bbs", str(n), Medium.FORUM, f"{HEARD}{n}", HEARD * 3, published_at=now) for n in range(4)
    ]
    intake.store(house, Batch(tuple(posts), ()), "bbs")
    triage(house)
    (heard,) = [one["id"] for one in office.desk.board()["incidents"] if HEARD in one["title"]]
    office.desk.act("assign", heard, {"unit": "jiangbei"}, "li")
    return found


@pytest.fixture(scope="module")
def browsers(office: SigningSite, incidents: dict[str, str]) -> dict[str, Browser]:
    for unit, person in PEOPLE.items():
        office.account(f"of-{unit}", "officer", person=person, units=[unit])
    return {unit: office.signed_in(f"of-{unit}") for unit in PEOPLE}


def places(incidents: Iterable[str]) -> list[str]:
    """Every address that can be read and names no thing but an incident, as a page and as JSON."""
    found = []
    for way, path, _ in permits.lines():
        if way == "GET" and path != "/events":
            for filled in ([path.replace("{incident_id}", one) for one in incidents]
                           if "{incident_id}" in path else [path]):  # fmt: skip
                found += [filled] if "{" not in filled else []
    return [one for path in dict.fromkeys(found) for one in (path, f"/api/v1{path}")]


@pytest.mark.parametrize("unit", ["binjiang"])
def test_no_page_and_no_answer_holds_another_units_incident(
    incidents: dict[str, str], browsers: dict[str, Browser], unit: str
) -> None:
    browser, foreign = browsers[unit], [title for of, title in TITLES.items() if of not in SEES[unit]]
    foreign, asked, told = [*foreign, HEARD], 0, {}
    for path in places((incidents["xinhua"], incidents["jiangbei"])):
        answer = browser.get(path)
        asked += answer.status_code == 200
        seen = [title for title in foreign if title in answer.text]
        if seen:
            told[path] = seen
    assert told == {}
    assert asked > 30, "the pages were really seen"


@pytest.mark.parametrize("unit", ["city", "binjiang", "emergency"])
def test_boards_counts_lists_and_numbers_are_of_ones_own_and_of_all_below(
    incidents: dict[str, str], browsers: dict[str, Browser], unit: str
) -> None:
    browser, own = browsers[unit], SEES[unit]
    heard = int(unit == "city")  # the net's own incident is the northern district's
    board = browser.get("/api/v1/board").json()
    assert {one["title"] for one in board["incidents"] if HEARD not in one["title"]} == {
        TITLES[of] for of in own
    }
    assert board["counts"]["open"] == len(own) + heard
    listed = browser.get("/api/v1/incidents?state=all").json()["incidents"]
    assert {one["id"] for one in listed} >= {incidents[of] for of in own}
    assert len(listed) == len(own) + heard
    numbers = browser.get("/api/v1/numbers").json()["spans"]
    assert {(span["opened"], span["received"]) for span in numbers} == {(len(own) + heard, 4 * heard)}
    tasks = browser.get("/api/v1/tasks").json()
    named = {task["title"] for group in tasks["groups"] for task in group["tasks"]}
    assert {title for title in named if HEARD not in title} == {TITLES[of] for of in own}
    assert browser.get(f"/?text={TITLES['jiangbei']}").text.count(TITLES["jiangbei"]) >= (unit == "city")


def test_an_act_reaches_below_and_never_beside_or_above(
    incidents: dict[str, str], browsers: dict[str, Browser]
) -> None:
    said = {"text": "区里已派人"}
    for of, status in (
        ("xinhua", 200),
        ("binjiang", 200),
        ("jiangbei", 403),
        ("city", 403),
        ("emergency", 403),
    ):
        answer = browsers["binjiang"].post(f"/api/v1/incidents/{incidents[of]}/acts/update", json=said)
        assert answer.status_code == status, (of, answer.text)
    for path in ("/audit/export", "/deadletters/replay", "/registers"):
        assert browsers["binjiang"].post(f"/api/v1{path}", json={"reason": "试"}).status_code == 403, path


def test_whoever_stands_beside_an_incident_sees_it_too(
    office: SigningSite, browsers: dict[str, Browser]
) -> None:
    made = str(office.desk.act("open", "", {"title": "两区交界的污染", "grade": "III"}, "chen")["id"])
    office.desk.act("assign", made, {"unit": "jiangbei", "co": "xinhua"}, "li")
    assert browsers["xinhua"].get(f"/incidents/{made}").status_code == 200
    assert browsers["binjiang"].get(f"/incidents/{made}").status_code == 200, "its own street is asked"
    assert browsers["emergency"].get(f"/incidents/{made}").status_code == 403


def test_units_go_down_any_depth_and_a_circle_ends(tmp_path: Path) -> None:
    units = tuple(Unit(unit, name, parent=above) for unit, name, above, _ in UNITS)
    roster = Roster(units, (), ())
    assert roster.under(["city"]) == {unit for unit, *_ in UNITS}
    assert roster.under(["binjiang", "elsewhere"]) == {"binjiang", "xinhua", "elsewhere"}
    assert roster.under([]) == frozenset()
    with pytest.raises(Problems, match="绕回了它自己"):
        load_site(rostered(tmp_path / "circle", city={"parent": "xinhua"}), ENVIRON)
    with pytest.raises(Problems, match="没有单位 “nobody”"):
        load_site(rostered(tmp_path / "stranger", city={"parent": "nobody"}), ENVIRON)
