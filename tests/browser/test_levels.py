"""The page of the levels and an incident that came from elsewhere, in Chromium: seen, used, and open to everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, expect

from models.core.moment import iso
from models.ledger import levels_board
from support.axe import findings
from support.chromium import PHONE, Visitor
from support.neighbours import Pair, pair

OUTPUT = Path(__file__).parents[1] / "output"
LOOKS: dict[str, dict[str, Any]] = {
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
    "phone-light": {"viewport": PHONE, "color_scheme": "light", "has_touch": True},
    "desk-dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "desk-light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
}
T = TypeVar("T")


def aside(work: Callable[[], T]) -> T:
    """In a thread of its own: this one's event loop is Playwright's."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(work).result()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("levels")
    databases = (f"sqlite:///{folder / 'county.sqlite'}", f"sqlite:///{folder / 'city.sqlite'}")
    with pair(folder, databases, others=("滨江区", "江北区")) as found:
        yield found


def calm(both: Pair) -> dict[str, Any]:
    """What a lower one says that has one incident, nothing late, and is well; the third says nothing at all."""
    now = both.city.house.time.now()
    near = {
        "ref": "舆-2026-0031",
        "title": "地铁口积水",
        "grade": "IV",
        "clock": "首次发布权威信息",
        "state": "running",
    }
    return {
        "at": iso(now),
        "site": "滨江区",
        "version": "0.1.0",
        "grades": {"I": 0, "II": 0, "III": 0, "IV": 1},
        "open": 1,
        "unacked": 0,
        "clocks": {"running": 2, "at_risk": 0, "breached": 0, "armed": 1},
        "nearest": [{**near, "due_at": iso(now + timedelta(hours=3))}],
        "coverage": {"ok": True, "bad": []},
        "journal": {"seq": 1204, "hash": "5f1c" * 16},
    }


@pytest.fixture(scope="module")
def came(both: Pair) -> dict[str, Any]:
    """A county's incident that waits in the city; one more is open below."""

    def handed() -> dict[str, Any]:
        ours = both.county.opened(hours=7)
        both.county.opened("城东燃气泄漏", hours=0.5, grade="III")
        both.county.refer(ours, "city")
        both.county.refer(ours, "city", "inform")
        both.county.carry()
        with both.city.house.store.write() as conn:
            levels_board.heard(conn, both.city.house.time.now(), "lower-1", calm(both))
        found = both.city.desk.levels.overview()["referrals"]
        return next(one for one in found if one["incident_id"])

    return aside(handed)


@pytest.mark.parametrize("look", LOOKS)
def test_the_levels_and_what_came_are_open_to_everybody(
    browser: Browser, both: Pair, came: dict[str, Any], look: str
) -> None:
    places = {
        "levels": "/levels",
        "referral": f"/levels/referrals/{came['id']}",
        "came": f"/incidents/{came['incident_id']}",
        "came-work": f"/incidents/{came['incident_id']}/work",
    }
    with browser.new_context(locale="zh-CN", **LOOKS[look]) as context:
        visitor = Visitor(context, both.city.url, "chen")
        wrong = {}
        for name, path in places.items():
            visitor.go(path)
            page = visitor.page
            expect(page.locator("h1").first).to_be_visible()
            page.screenshot(path=OUTPUT / f"{name}-{look}.png", full_page=True)
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            wrong[name] = findings(page) + ([f"{wide} px too wide"] if wide > 0 else [])
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_who_falls_silent_while_the_page_is_open_is_seen_to(
    browser: Browser, both: Pair, came: dict[str, Any]
) -> None:
    with browser.new_context(locale="zh-CN", **LOOKS["desk-light"]) as context:
        page = Visitor(context, both.city.url, "chen").go("/levels")
        expect(page.locator(".lower.silent")).to_have_count(1)
        with both.city.house.store.write() as conn:
            said = calm(both) | {"at": iso(both.city.house.time.now() + timedelta(seconds=1))}
            levels_board.heard(conn, both.city.house.time.now() - timedelta(hours=1), "lower-1", said)
        expect(page.locator(".lower.silent")).to_have_count(2, timeout=60_000)


def test_an_officer_accepts_from_the_incidents_own_page(
    browser: Browser, both: Pair, came: dict[str, Any]
) -> None:
    with browser.new_context(locale="zh-CN", **LOOKS["phone-light"]) as context:
        visitor = Visitor(context, both.city.url, "chen")
        visitor.go(f"/incidents/{came['incident_id']}")
        page = visitor.page
        expect(page.locator(".referral b", has_text="由 临江县 移交，原编号")).to_be_visible()
        page.get_by_role("button", name="接收").click()
        expect(page.get_by_role("status").filter(has_text="已接收 临江县 的")).to_be_visible()
    assert aside(lambda: both.city.desk.levels.one(came["id"]))["state"] == "accepted"
