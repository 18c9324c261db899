"""Everybody can use every page: axe finds nothing grave, and the keyboard reaches all there is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.axe import findings
from support.chromium import DESK, PHONE, Visitor
from support.console import served
from support.furnished import furnished, pages
from support.river_site import Site, river

SOON = 15_000
LOOKS: dict[str, dict[str, Any]] = {
    "phone in the dark": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
    "desk by day": {"viewport": DESK, "color_scheme": "light"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("accessible")
    with river(folder, f"sqlite:///{folder / 'huiying.sqlite'}") as made:
        yield made


@pytest.fixture(scope="module")
def told(site: Site) -> tuple[str, str]:
    with ThreadPoolExecutor(1) as other:  # this thread's event loop is Playwright's
        return other.submit(furnished, site).result()


@pytest.fixture(scope="module")
def address(site: Site, told: tuple[str, str]) -> Iterator[str]:
    with served(site.desk) as here:
        yield here


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Visitor]:
    with browser.new_context(locale="zh-CN", **LOOKS["desk by day"]) as context:
        yield Visitor(context, address, "chen")


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_grave_on_any_page(
    browser: Browser, address: str, site: Site, told: tuple[str, str], look: str
) -> None:
    with browser.new_context(locale="zh-CN", **LOOKS[look]) as context:
        visitor = Visitor(context, address, "chen")
        found = {path: findings(_at(visitor, path)) for path in pages(site, *told)}
        wrong = {path: lines for path, lines in found.items() if lines}
    assert wrong == {}


def _at(visitor: Visitor, path: str) -> Page:
    visitor.page.goto(visitor.site + path)
    return visitor.page


def test_axe_finds_nothing_grave_in_what_opens_above_a_page_nor_in_english(
    desk: Visitor, told: tuple[str, str]
) -> None:
    page = desk.go("/mine")
    for name in ("up", "later", "proof", "note"):
        page.click(f'button[popovertarget="{name}-{told[0]}"]')
        assert findings(page) == [], name
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert findings(page) == []


# ── the keyboard ──


def focus(page: Page) -> str:
    """What has the focus, in words."""
    return str(
        page.evaluate("() => (document.activeElement.innerText || document.activeElement.tagName).trim()")
    )


def ring(page: Page) -> bool:
    """Is it seen that it has the focus?"""
    style = "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]; }"
    kind, width = page.evaluate(style)
    return kind != "none" and float(width.removesuffix("px")) >= 2


def test_the_first_tab_offers_to_skip_to_the_content_and_does(desk: Visitor) -> None:
    page = desk.go("/")
    page.keyboard.press("Tab")
    assert focus(page) == "跳到内容"
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"


def test_every_stop_of_the_tab_key_is_seen_and_named(desk: Visitor) -> None:
    page = desk.go("/mine")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body"):
            break
        stops.append(focus(page))
        assert ring(page), stops[-1]
    assert {"态势", "我的", "接手", "升级"} <= {stop.split()[0].split("：")[0] for stop in stops if stop}


def test_an_incident_is_taken_and_noted_with_the_keyboard_alone(
    desk: Visitor, site: Site, told: tuple[str, str]
) -> None:
    page, incident = desk.go("/mine"), told[0]
    page.focus(f"#i-{incident} a")
    while focus(page).split("：")[0].strip() != "记录":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"#note-{incident}")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("keyboard note")
    for _ in range(6):
        if focus(page) == "记录":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("已记录进展", timeout=SOON)
    shown = site.desk.incident(incident)
    assert shown is not None
    assert any(entry["text"] == "keyboard note" for entry in shown["timeline"])


def test_escape_closes_what_is_open_and_gives_the_focus_back(desk: Visitor, told: tuple[str, str]) -> None:
    page = desk.go("/mine")
    opener = page.locator(f'button[popovertarget="up-{told[0]}"]').first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#up-{told[0]}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(f"#up-{told[0]}")).to_be_hidden()
    expect(opener).to_be_focused()
    page.locator("#picker summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert not page.locator("#picker").evaluate("el => el.open")
    expect(page.locator("#picker summary")).to_be_focused()


def test_the_shortcuts_go_where_they_say_and_step_through_what_is_listed(
    desk: Visitor, told: tuple[str, str]
) -> None:
    page = desk.go("/")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/mine")
    page.wait_for_selector('html[data-live="on"]', state="attached")
    page.keyboard.press("j")
    first = page.evaluate("() => document.activeElement.closest('[data-item]').id")
    page.keyboard.press("j")
    second = page.evaluate("() => document.activeElement.closest('[data-item]').id")
    assert first != second
    page.keyboard.press("k")
    assert page.evaluate("() => document.activeElement.closest('[data-item]').id") == first


def test_a_acknowledges_only_after_it_has_asked(desk: Visitor, site: Site, told: tuple[str, str]) -> None:
    page, asked = desk.go("/mine"), list[str]()
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.focus(f"#i-{told[0]} a")
    page.keyboard.press("a")
    page.keyboard.press("?")  # answered by now
    expect(page.locator("#keys")).to_be_visible()
    assert len(asked) == 1 and "望江路" in asked[0]
    assert site.desk.incident(told[0])["acked"] == []  # type: ignore[index]


def test_shortcuts_can_be_turned_off_and_do_nothing_while_one_types(desk: Visitor) -> None:
    page = desk.go("/incidents/new")
    page.focus('input[name="title"]')
    page.keyboard.type("g?b")
    assert page.input_value('input[name="title"]') == "g?b"
    page.locator("[data-keys]").click()
    page.locator("#keys input").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


# ── eyes and ears ──


def test_nothing_moves_for_whoever_asked_for_stillness(browser: Browser, address: str) -> None:
    with browser.new_context(viewport=PHONE, reduced_motion="reduce") as context:
        page = Visitor(context, address, "chen").go("/mine")
        moving = "() => document.getAnimations().filter(a => a.playState === 'running').length"
        assert page.evaluate(moving) == 0


@pytest.mark.parametrize("path", ["/", "/mine", "/roster", "/reports"])
def test_at_twice_the_size_nothing_is_cut_off_sideways(browser: Browser, address: str, path: str) -> None:
    """1280 px at 200 % are 640 px wide."""
    with browser.new_context(viewport={"width": 640, "height": 450}, device_scale_factor=2) as context:
        page = Visitor(context, address, "chen").go(path)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 640


def test_what_was_done_and_what_failed_is_announced(desk: Visitor) -> None:
    page = desk.go("/mine")
    for place in ("#notice", ".offline", "#copy"):
        assert page.locator(place).get_attribute("role") == "status", place
    assert page.locator("#waiting ol").get_attribute("aria-live") == "polite"
