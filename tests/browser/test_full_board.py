"""The board over a real ledger with 2,500 open incidents, in Debian's Chromium: found, walked, printed, on a wall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from flows.office.desk import Desk
from flows.wiring import House
from support.axe import findings
from support.chromium import DESK, PHONE, WALL, Visitor
from support.console import served
from support.full_board import fill
from support.sites import ENVIRON, write_site

MANY = 2_500
ROWS = "#b-list article"
IDS = "() => [...document.querySelectorAll('#b-list article')].map(e => e.id)"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    site = write_site(tmp_path_factory.mktemp("full") / "site", "http://127.0.0.1:9")
    with House.open(site, ENVIRON) as opened:
        fill(opened.store, opened.time.now(), MANY)
        yield opened


@pytest.fixture(scope="module")
def address(house: House) -> Iterator[str]:
    with served(Desk(house)) as made:
        yield made


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    made = Visitor(browser.new_context(viewport=DESK, locale="zh-CN"), address, "chen")
    yield made
    made.context.close()


def ids(page: Page) -> list[str]:
    found: list[str] = page.evaluate(IDS)
    return found


def test_thousands_are_scrolled_through_without_a_button_and_without_a_gap(
    visitor: Visitor, house: House
) -> None:
    page = visitor.go("/")
    expect(page.locator(ROWS)).to_have_count(30)
    for wanted in (60, 90, 120, 150):
        page.locator("#b-more > .more").scroll_into_view_if_needed()
        page.wait_for_function(
            "n => document.querySelectorAll('#b-list > .window').length >= n / 30", arg=wanted
        )
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#b-list > .window[data-hollow]").first).to_be_attached()  # the far ones are emptied
    page.locator("#b-list > .window").nth(2).scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [1, 2].every(n => document.querySelectorAll('.window')[n].children.length === 30)"
    )
    shown = ids(page)
    whole = [f"i-{one['id']}" for one in Desk(house).board()["incidents"]]
    assert shown[:90] == whole[:90]
    assert len(set(shown)) == len(shown)
    first = page.locator(ROWS).first
    assert (first.get_attribute("aria-posinset"), first.get_attribute("aria-setsize")) == ("1", str(MANY))
    assert visitor.complaints == []


def test_a_filter_by_hand_gives_an_address_that_can_be_shared(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.locator("#b-sieve summary").click()
    page.fill("#f-q", "望江路")
    page.check("#f-g-II")
    page.select_option("#f-unit", "生态环境局")
    page.click("#f-go")
    page.wait_for_url("**/?q=*")
    assert "grade=II" in page.url
    found = page.locator("#b-sieve .found").inner_text()
    titles = [title.strip() for title in page.locator(f"{ROWS} h2").all_text_contents()]
    assert titles
    assert all(title.startswith("望江路") for title in titles)
    assert set(page.locator(f"{ROWS} .badge b").all_text_contents()) == {"II"}
    again = visitor.go(page.url.removeprefix(visitor.site))
    assert again.locator("#b-sieve .found").inner_text() == found
    assert again.locator("#b-sieve .chosen").inner_text().split() == ["II", "生态环境局", "望江路"]
    again.locator("#b-sieve summary").click()
    again.locator("#b-sieve .go a", has_text="清除").click()
    expect(again.locator(ROWS)).to_have_count(30)


def test_the_numbers_above_lead_to_what_they_count(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.locator(".counts .s-unacked a").click()
    page.wait_for_url("**/?state=unacked")
    assert page.locator(f"{ROWS} .ack").count() == page.locator(ROWS).count() == 30


def test_without_scripts_the_filter_and_the_next_stretch_still_work(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/?state=breached&grade=I&grade=II&grade=III")
    first = page.locator(f"{ROWS} h2").first.inner_text()
    assert page.locator(f"{ROWS}.late").count() == page.locator(ROWS).count() == 30
    page.locator("a[rel=next]").click()
    assert "offset=30" in page.url
    assert "state=breached" in page.url
    assert page.locator(f"{ROWS} h2").first.inner_text() != first
    page.locator("a[rel=prev]").click()
    assert page.locator(f"{ROWS} h2").first.inner_text() == first
    context.close()


def test_the_feed_is_walked_by_keys_and_everything_on_a_row_is_reached(visitor: Visitor) -> None:
    page = visitor.go("/?state=unacked")
    page.locator(ROWS).first.focus()
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    assert page.evaluate("document.activeElement.id") == ids(page)[2]
    page.keyboard.press("PageUp")
    row = ids(page)[1].removeprefix("i-")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == f"t-{row}"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == f"ack-{row}"
    page.keyboard.press("Enter")
    expect(page.locator(f"#ack-{row}")).to_have_count(0)
    expect(page.locator("#notice")).to_contain_text("已签收")


def test_an_act_elsewhere_moves_its_row_and_leaves_the_others_where_they_are(
    visitor: Visitor, house: House
) -> None:
    page = visitor.go("/?state=unacked&rows=12")
    page.evaluate("() => { for (const el of document.querySelectorAll('#b-list article')) el.kept = true; }")
    gone, *rest = ids(page)
    Desk(house).act("ack", gone.removeprefix("i-"), {}, "li")
    expect(page.locator(f"#{gone}")).to_have_count(0)
    page.wait_for_function("() => document.querySelectorAll('#b-list > .window article').length >= 12")
    assert ids(page)[:11] == rest
    kept = page.evaluate("() => [...document.querySelectorAll('#b-list article')].filter(e => e.kept).length")
    assert kept == 11
    assert visitor.complaints == []


def test_an_incident_that_has_just_been_opened_comes_in_at_its_place(visitor: Visitor, house: House) -> None:
    desk = Desk(house)
    page = visitor.go("/?q=正在发生")
    expect(page.locator(".empty")).to_be_visible()
    made = [
        desk.act("open", "", {"title": f"正在发生 {n}", "grade": grade, "reason": "电话核实"}, "chen")["id"]
        for n, grade in enumerate(("IV", "II"))
    ]
    for one in made:
        expect(page.locator(f"#i-{one}")).to_be_visible()
    whole = [f"i-{one['id']}" for one in desk.board()["incidents"] if one["id"] in made]
    page.wait_for_function(
        "ids => JSON.stringify([...document.querySelectorAll('#b-list article')].map(e => e.id)) === ids",
        arg=str(whole).replace("'", '"').replace(" ", ""),
    )


def test_the_board_outlives_its_server_and_tells_what_was_missed(browser: Browser, house: House) -> None:
    desk = Desk(house)
    with served(desk) as address:
        visitor = Visitor(browser.new_context(viewport=DESK), address)
        page = visitor.go("/?state=unacked&q=老城区")
    page.wait_for_selector(".offline", state="visible")
    gone = ids(page)[0]
    desk.act("ack", gone.removeprefix("i-"), {}, "li")
    with served(Desk(house), port=urlsplit(address).port or 0):
        expect(page.locator(f"#{gone}")).to_have_count(0, timeout=30_000)
        expect(page.locator(".offline")).to_be_hidden()
        visitor.context.close()


def test_the_wall_shows_no_controls_and_turns_what_is_late(browser: Browser, address: str) -> None:
    visitor = Visitor(browser.new_context(viewport=WALL, color_scheme="dark"), address)
    page = visitor.go("/?wall=1&state=breached")
    for control in (".nav", ".sieve", ".ack", ".new"):
        assert not page.locator(control).first.is_visible(), control
    assert (page.locator("#b-turn").text_content() or "").startswith("1 / ")
    shown = page.locator(f"{ROWS}:visible")
    assert 0 < shown.count() < 30
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    page.locator("#b-hold").focus()
    assert page.locator(".leave").is_visible()
    page.keyboard.press("Enter")
    assert page.locator("#b-hold").get_attribute("aria-pressed") == "true"
    visitor.context.close()


def test_on_paper_states_are_words_and_nothing_is_there_to_press(visitor: Visitor) -> None:
    page = visitor.go("/?rows=100")
    page.emulate_media(media="print")
    assert page.locator(".onpaper").is_visible()
    assert page.locator(ROWS).count() == 100
    for control in (".top", ".sieve", f"{ROWS} .ack", "#b-feed"):
        assert not page.locator(control).first.is_visible(), control
    assert "已逾期" in page.locator(f"{ROWS} .state").first.inner_text()
    paint = "getComputedStyle(document.querySelector('#b-list article')).backgroundColor"
    assert page.evaluate(paint) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_trends_are_drawn_by_the_charts_that_we_ship_and_break_no_policy(
    browser: Browser, address: str, scheme: str
) -> None:
    visitor = Visitor(browser.new_context(viewport=DESK, color_scheme=scheme), address)  # type: ignore[arg-type]
    page = visitor.go("/trends")
    expect(page.locator("#charts[data-drawn] canvas")).to_have_count(4)
    page.select_option("select[name=step]", "month")
    page.locator(".asked button").click()
    page.wait_for_url("**/trends?*step=month*")
    expect(page.locator("#charts[data-drawn] canvas")).to_have_count(4)
    assert page.locator("table.sums").first.locator("tbody tr").count() in (7, 8)
    assert visitor.complaints == []
    assert {urlsplit(url).hostname for url in visitor.requests} == {"127.0.0.1"}
    visitor.context.close()


def test_trends_without_scripts_are_a_table_on_a_phone_too(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/trends")
    assert page.locator("table.sums tbody tr").count() > 26
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_axe_finds_nothing_grave_on_the_full_board_its_wall_and_its_trends(
    browser: Browser, address: str, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme, locale="zh-CN") as context:
        visitor, found = Visitor(context, address, "chen"), dict[str, list[str]]()
        for path in ("/?state=breached&q=号", "/?wall=1", "/trends"):
            page = visitor.go(path)
            page.evaluate(
                "() => { const box = document.getElementById('b-sieve'); if (box) box.open = true; }"
            )
            found[path] = findings(page)
    assert found == {"/?state=breached&q=号": [], "/?wall=1": [], "/trends": []}
