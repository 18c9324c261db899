"""The board in Debian's Chromium: it counts down, two people see one act, nothing leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from support.chromium import DESK, PHONE, WALL, Visitor
from support.console import served
from support.fake_desk import FakeDesk

OUTPUT = Path(__file__).parents[1] / "output"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk(running=True)


@pytest.fixture
def site(desk: FakeDesk) -> Iterator[str]:
    with served(desk) as address:
        yield address


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    opened: list[BrowserContext] = []

    def come(person: str = "", **options: object) -> Visitor:
        settings = {"viewport": DESK, "locale": "zh-CN", **options}
        opened.append(browser.new_context(**settings))  # type: ignore[arg-type]
        return Visitor(opened[-1], site, person)

    yield come
    for context in opened:
        context.close()


def words(page: Page, selector: str) -> str:
    return "".join(page.locator(selector).all_inner_texts())


def test_the_countdown_moves_between_updates(visit: Visit, desk: FakeDesk) -> None:
    page = visit().go("/")
    left = "#i-inc-3 [data-left] >> nth=0"
    before, revision = words(page, left), desk.revision()
    page.wait_for_function(
        "before => document.querySelector('#i-inc-3 [data-left]').innerText !== before", arg=before
    )
    assert desk.revision() == revision
    assert re.search(r"剩余\s*22\s*分\s*\d\d\s*秒", words(page, left))


def test_the_now_mark_moves_at_a_fast_site(browser: Browser) -> None:
    """Its limit is twelve minutes away at this speed: a mark that has reached the end stands still."""
    with served(FakeDesk(running=True, speed=120)) as address:
        context = browser.new_context(viewport=DESK)
        page = Visitor(context, address).go("/")
        line = "#i-inc-4 [id^=c-press_conference] [data-nowline]"
        mark = f"() => parseFloat(document.querySelector('{line}').getAttribute('x1'))"
        before = page.evaluate(mark)
        page.wait_for_function(f"before => ({mark})() > before", arg=before)
        assert page.locator(".speed").inner_text() == "×120"
        context.close()


def test_a_passed_limit_is_said_at_once_and_the_bar_grows_past_it(visit: Visit) -> None:
    page = visit().go("/")
    limit = page.locator("#i-inc-2 [data-limit]")
    assert float((limit.get_attribute("x1") or "").rstrip("%")) < 50
    assert "已超" in words(page, "#i-inc-2 [data-left]")


def test_an_acknowledgement_by_click_is_seen_on_both_screens(visit: Visit, desk: FakeDesk) -> None:
    officer, manager = visit("chen"), visit("li")
    here, there = officer.go("/"), manager.go("/")
    here.locator("#ack-inc-4").click()
    for page in (here, there):
        expect(page.locator("#i-inc-4 .holder b")).to_have_text("陈值班")
        expect(page.locator("#ack-inc-4")).to_have_count(0)
    expect(here.locator("#notice")).to_contain_text("已签收")
    assert desk.acts == [("ack", "inc-4", {}, "chen")]
    assert officer.complaints == manager.complaints == []


def test_a_press_is_not_lost_while_the_board_is_renewed_under_the_finger(
    visit: Visit, desk: FakeDesk
) -> None:
    page = visit("chen").go("/")
    box = page.locator("#ack-inc-3").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.evaluate("document.addEventListener('htmx:sseBeforeMessage', () => { window.heard = true; })")
    page.mouse.down()
    desk.arrive("按下按钮时来的线索")
    page.wait_for_function("() => window.heard")
    expect(page.locator(".signals li").first).not_to_contain_text("按下按钮时来的线索")
    page.mouse.up()
    expect(page.locator("#i-inc-3 .holder b")).to_have_text("陈值班")
    expect(page.locator(".signals li").first).to_contain_text("按下按钮时来的线索")


def test_whoever_has_not_said_who_they_are_is_asked_and_then_can_act(visit: Visit) -> None:
    page = visit().go("/")
    page.locator("#ack-inc-4").click()
    page.locator("#notice a").click()
    page.locator("main .people button", has_text="周值班").click()
    page.wait_for_url("**/")
    page.locator("#ack-inc-4").click()
    expect(page.locator("#i-inc-4 .holder b")).to_have_text("周值班")


def test_a_new_signal_arrives_without_reloading(visit: Visit, desk: FakeDesk) -> None:
    page = visit().go("/")
    page.evaluate("window.same = true")
    desk.arrive("江边路面塌陷，有车掉下去了")
    expect(page.locator(".signals li").first).to_contain_text("江边路面塌陷")
    assert page.evaluate("window.same") is True
    assert "fresh" in (page.locator(".signals li").first.get_attribute("class") or "")


def test_a_form_being_filled_in_survives_the_others_work(visit: Visit, desk: FakeDesk) -> None:
    page = visit("chen").go("/incidents/inc-4")
    page.locator("#act-grade summary").click()
    page.locator("#act-grade textarea").fill("伤者人数经医院")
    desk.act("ack", "inc-4", {}, "li")
    expect(page.locator("#head .holder b")).to_have_text("李主任")
    expect(page.locator("#act-grade textarea")).to_have_value("伤者人数经医院")
    page.locator("#act-grade label.g-II").click()
    page.locator("#act-grade button").click()
    expect(page.locator("#head .badge.big b")).to_have_text("II")
    assert desk.acts[-1] == ("grade", "inc-4", {"grade": "II", "reason": "伤者人数经医院"}, "chen")


def test_evidence_stops_a_clock_and_a_refusal_shows_its_reason(visit: Visit) -> None:
    page = visit("chen").go("/incidents/inc-1")
    page.locator("#act-close summary").click()
    page.locator("#act-close textarea").fill("已处置")
    page.locator("#act-close button").click()
    expect(page.locator("#notice")).to_contain_text("还有时钟没有停")
    page.locator("#act-stop summary").click()
    page.locator("#act-stop [name=url]").fill("https://www.example.gov.cn/tongbao/2")
    page.locator("#act-stop [name=publisher]").fill("市政府新闻办")
    page.locator("#act-stop [name=published_at]").fill("2026-11-21T02:10")
    page.locator("#act-stop button").click()
    expect(page.locator("#clocks a[href='https://www.example.gov.cn/tongbao/2']")).to_have_count(1)


def test_the_page_says_when_it_is_cut_off_and_catches_up_by_itself(browser: Browser) -> None:
    desk = FakeDesk(running=True)
    with served(desk) as address:
        visitor = Visitor(browser.new_context(viewport=DESK), address)
        page = visitor.go("/")
    page.wait_for_selector(".offline", state="visible")
    desk.arrive("断线期间来的线索")
    with served(desk, port=urlsplit(address).port or 0):
        expect(page.locator(".signals li").first).to_contain_text("断线期间来的线索", timeout=20_000)
        expect(page.locator(".offline")).to_be_hidden()
        visitor.context.close()


def test_no_request_leaves_the_machine_and_no_policy_is_broken(visit: Visit, desk: FakeDesk) -> None:
    visitor = visit("chen")
    for path in ("/", "/incidents/inc-1", "/mine", "/sources", "/roster", "/playbooks", "/audit", "/reports"):
        visitor.go(path)
    visitor.page.goto(visitor.site + "/api/docs")
    visitor.page.wait_for_selector(".opblock")
    hosts = {urlsplit(url).hostname for url in visitor.requests if not url.startswith("data:")}
    assert hosts == {"127.0.0.1"}
    assert visitor.complaints == []


def test_on_a_phone_the_button_is_under_the_thumb_and_nothing_overflows(visit: Visit) -> None:
    visitor = visit("chen", viewport=PHONE, has_touch=True, is_mobile=True)
    page = visitor.go("/incidents/inc-4")
    box = page.locator("#ack-inc-4").bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] > PHONE["height"] / 2
    assert box["y"] + box["height"] <= PHONE["height"]
    for path in ("/", "/incidents/inc-1", "/sources", "/audit", "/roster", "/handover"):
        visitor.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_note_that_is_being_written_outlives_an_update_and_is_handed_in(
    visit: Visit, desk: FakeDesk
) -> None:
    visitor = visit("li", viewport=PHONE)
    page = visitor.go("/handover")
    page.fill("input[name=note]", "已当面核对")
    desk.hand("note", "1-b", {"text": "别人刚写的"}, "chen")
    page.wait_for_timeout(600)
    assert page.input_value("input[name=note]") == "已当面核对"
    page.locator("#accept-1-b").click()
    expect(page.locator("#h-1-b .holder b")).to_have_text("李主任")
    expect(page.locator("#h-1-b")).to_contain_text("别人刚写的")
    assert desk.acts[-1] == ("accept", "1-b", {"note": "已当面核对"}, "li")
    assert visitor.complaints == []


def test_a_handover_that_waits_reads_like_one_that_was_taken_over_and_is_printed(visit: Visit) -> None:
    page = visit("li").go("/handover")
    badge = page.locator("#h-1-b.waiting .badge").first.bounding_box()
    assert badge is not None and badge["width"] < 60
    page.emulate_media(media="print")
    expect(page.locator("#h-1-b.waiting")).to_be_visible()


def test_an_update_does_not_move_the_page(visit: Visit, desk: FakeDesk) -> None:
    page = visit("chen").go("/")
    tops = "[...document.querySelectorAll('article.card, .strip, .counts')].map(e => e.getBoundingClientRect().top)"
    before = page.evaluate(tops)
    desk.arrive("又来一条线索")
    expect(page.locator(".signals li").first).to_contain_text("又来一条线索")
    assert page.evaluate(tops) == before


LOOKS = [
    ("light", "light", DESK),
    ("dark", "dark", DESK),
    ("phone", "light", PHONE),
    ("phone-dark", "dark", PHONE),
    ("wall", "dark", WALL),
]


@pytest.mark.parametrize(("name", "scheme", "size"), LOOKS, ids=[look[0] for look in LOOKS])
@pytest.mark.parametrize(
    "path", ["/", "/incidents/inc-1", "/incidents/inc-4"], ids=["board", "incident", "unacked"]
)
def test_a_picture_is_kept_of_each_look(
    visit: Visit, name: str, scheme: str, size: ViewportSize, path: str
) -> None:
    page = visit("chen", viewport=size, color_scheme=scheme).go(path)
    OUTPUT.mkdir(exist_ok=True)
    picture = OUTPUT / f"{path.strip('/').replace('/', '-') or 'board'}-{name}.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
