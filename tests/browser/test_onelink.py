"""02:13, a text message: the link on a telephone, one press, done; and what a colleague's device says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from flows.deliver import deliver
from flows.respond import respond
from support.axe import findings
from support.chromium import DESK, PHONE, Visitor
from support.console import served
from support.river_site import Site, river

PUBLIC = "https://huiying.example.gov.cn"
LOOKS = {"phone in the dark": (PHONE, "dark"), "desk by day": (DESK, "light")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("link")
    with river(folder, f"sqlite:///{folder / 'huiying.sqlite'}") as made:
        console = made.house.site.console.model_copy(update={"public_url": PUBLIC})
        made.house.site = replace(made.house.site, console=console)
        yield made


@pytest.fixture
def link(site: Site) -> str:
    """The link of a new alert to chen."""
    with ThreadPoolExecutor(1) as other:  # this thread's event loop is Playwright's
        return other.submit(_alerted, site).result()


def _alerted(site: Site) -> str:
    before = len(site.receiver.requests)
    site.desk.act("open", "", {"title": "江东化工园区发生爆燃，网传有人员被困", "grade": "II"}, "li")
    respond(site.house)
    deliver(site.house)
    alert = next(one for one in site.bodies(before) if one["recipient"]["person"] == "chen")
    return str(alert["ack_url"]).removeprefix(PUBLIC)


@pytest.mark.parametrize("look", LOOKS)
def test_one_press_acknowledges_and_says_so(browser: Browser, site: Site, link: str, look: str) -> None:
    size, scheme = LOOKS[look]
    with (
        served(site.desk) as url,
        browser.new_context(viewport=size, color_scheme=scheme, has_touch=True) as context,  # type: ignore[arg-type]
    ):
        phone = Visitor(context, url)
        page = phone.page
        page.goto(url + link)
        press = page.get_by_role("button", name="签收")
        box = press.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] < size["height"], "the button is seen without scrolling"
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert findings(page) == []
        press.click()
        expect(page.get_by_role("status")).to_contain_text("陈值班 已于")
        expect(press).to_have_count(0)
        page.reload()
        expect(page.get_by_role("status")).to_contain_text("陈值班 已于")
        assert findings(page) == []
        assert all(one.startswith(url) for one in phone.requests)
        assert phone.complaints == []


def test_a_colleagues_device_is_told_whose_link_it_is(browser: Browser, site: Site, link: str) -> None:
    with served(site.desk) as url, browser.new_context(viewport=PHONE) as context:
        page = Visitor(context, url, "li").page
        page.goto(url + link)
        expect(page.get_by_role("alert")).to_contain_text("发给 陈值班 的，而这台设备上是 李主任")
        expect(page.get_by_role("button", name="签收")).to_have_count(0)
        assert findings(page) == []
