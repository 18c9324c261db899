"""The incident's page and the log of duty in Debian's Chromium, over a whole site with thousands of signals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from flows.collecting.intake import store as put
from flows.triage import triage
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from support.chromium import DESK, PHONE, Visitor
from support.console import served
from support.river_site import Site, at, river

MANY = 3_000
TEXT = "江东化工园区储罐爆炸，已造成5人死亡，20余人受伤，现场仍有人员被困"
SAID = ("现场浓烟滚滚", "网传官方瞒报，速转", "附近小学停课，学生呕吐", "感谢消防员", "自来水有异味")
LONG = "关于" + "某某市某某区某某街道某某社区居民反映" * 9 + "的情况"
LOW = """[...document.querySelectorAll('main button, main .button, main summary, main select, .tabs a, .chips a')]
  .filter(e => e.offsetHeight && e.offsetHeight < 40).map(e => e.offsetHeight + ' ' + e.textContent)"""
UNLABELLED = """[...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]
  .filter(e => !e.labels.length && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""


def apart(work: Any, *args: Any) -> Any:
    """In a thread of its own, for this one's event loop is Playwright's."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(work, *args).result()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("incident")
    with river(folder, f"sqlite:///{folder / 'huiying.sqlite'}") as made:
        made.time.moment = at("01:00")
        yield made


@pytest.fixture(scope="module")
def past(site: Site) -> str:
    about = {
        "title": "江北化工园区罐区爆炸",
        "grade": "III",
        "kind": "major_problem",
        "event_type": "accident",
    }
    return str(site.desk.act("open", "", about, "chen")["id"])


@pytest.fixture(scope="module")
def big(site: Site, past: str) -> str:
    """Three thousand signals of one matter."""
    site.time.moment = at("04:00")
    media = (Medium.FORUM, Medium.NEWS, Medium.HOTLINE)
    made = (
        RawSignal(
            "news", f"x{n}", media[n % 3], f"{TEXT}，{SAID[n % 5]}", f"第{n}条 {SAID[n % 5]}",
            published_at=at("02:00") + timedelta(seconds=2 * n), url=f"https://example.com/{n}", place="临江市",
        )
        for n in range(MANY)
    )  # fmt: skip
    put(site.house, Batch(tuple(made)), "news")
    triage(site.house)
    found = next(one for one in site.desk.board()["incidents"] if one["signal_count"] > 100)
    apart(site.until, "04:02")
    return str(found["id"])


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.desk) as told:
        yield told


@pytest.fixture
def officer(browser: Browser, address: str, big: str) -> Iterator[Visitor]:
    settings: dict[str, Any] = {
        "viewport": PHONE,
        "color_scheme": "dark",
        "has_touch": True,
        "is_mobile": True,
    }
    with browser.new_context(locale="zh-CN", **settings) as context:
        yield Visitor(context, address, "chen")


@pytest.fixture
def manager(browser: Browser, address: str, big: str) -> Iterator[Visitor]:
    with browser.new_context(locale="zh-CN", viewport=DESK) as context:
        yield Visitor(context, address, "li")


def signals(page: Page) -> Any:
    return page.locator("#signals .sigs > li")


def settled(site: Site, incident: str) -> None:
    """Everything that stands in the way of closing it, signed away."""
    shown = site.desk.incident(incident)
    assert shown is not None
    for clock in shown["clocks"]:
        if clock["ended_at"] is None:
            site.desk.act("waive", incident, {"clock": clock["id"], "reason": "误报"}, "zhou")
    for task in site.desk.work.overview(incident)["tasks"]:
        if task["must"] and task["state"] == "open":
            site.desk.work.act("drop", incident, {"task": str(task["number"]), "reason": "误报"}, "zhou")


# ── looking ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["officer", "manager"])
def test_every_page_fits_breaks_no_policy_and_names_its_fields(
    who: str, site: Site, big: str, past: str, request: pytest.FixtureRequest
) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    width = (PHONE if who == "officer" else DESK)["width"]
    empty = str(site.desk.act("open", "", {"title": LONG, "grade": "IV"}, "chen")["id"])
    number = site.desk.about.signals(big, {})["signals"][0]["id"]
    paths = [
        f"/incidents/{one}" for one in (big, past, empty, f"{big}/signals/{number}", f"{big}?show=signal")
    ]
    for path in [*paths, "/handover", "/handover/log"]:
        page = visitor.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(UNLABELLED) == [], path
        assert who == "manager" or page.evaluate(LOW) == [], path
    assert visitor.complaints == []


def test_thousands_of_signals_come_a_page_at_a_time_and_are_sifted(manager: Visitor, big: str) -> None:
    page = manager.go(f"/incidents/{big}")
    expect(signals(page)).to_have_count(25)
    first = signals(page).first.get_attribute("id")
    page.locator("#signals .turn a", has_text="更早的线索").click()
    expect(page.locator("#signals .turn a", has_text="回到最新")).to_be_visible()
    assert signals(page).first.get_attribute("id") != first
    page.locator("#signals input[name=text]").fill("异味")
    page.locator("#signals select[name=medium]").select_option("forum")
    page.locator("#signals .sift button").click()
    expect(page.locator("#signals h2 small")).to_have_text(f"{MANY // 15} 条，共 {MANY} 条")
    assert all("异味" in text for text in signals(page).all_text_contents())


def test_the_words_that_tell_of_harm_are_marked_and_say_why(manager: Visitor, big: str) -> None:
    page = manager.go(f"/incidents/{big}")
    mark = signals(page).first.locator("mark.mk-fact").first
    expect(mark).to_have_text("5人死亡")
    assert mark.get_attribute("title") == "事实：死亡 5 人"


def test_the_picture_has_a_table_beside_it_and_leads_to_the_first_signal(manager: Visitor, big: str) -> None:
    page = manager.go(f"/incidents/{big}")
    expect(page.locator("#picture svg.curve")).to_be_visible()
    page.locator("#picture summary", has_text="走势的数字").click()
    expect(page.locator("#numbers tbody tr").first).to_be_visible()
    page.locator("#picture .first a").click()
    page.wait_for_url(re.compile(r"/signals/\d+$"))
    expect(page.locator(".whole .full")).to_contain_text("第0条")


def test_the_line_of_time_is_sifted_by_kind_and_goes_back_page_by_page(manager: Visitor, big: str) -> None:
    page = manager.go(f"/incidents/{big}")
    page.locator("#story .chips a", has_text="线索").click()
    expect(page.locator("#story .timeline li:not(.t-signal)")).to_have_count(0)
    top = page.locator("#story .timeline li").first.text_content()
    page.locator("#story .turn a", has_text="更早的").click()
    expect(page.locator("#story .turn a", has_text="回到最新")).to_be_visible()
    assert page.locator("#story .timeline li").first.text_content() != top


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def test_a_label_is_corrected_by_one_press_on_the_phone_and_stays_seen(officer: Visitor, big: str) -> None:
    page = officer.go(f"/incidents/{big}")
    row = signals(page).nth(2)
    mood = "正面" if "正面" not in (row.locator("small").first.text_content() or "") else "中性"
    row.locator("summary", has_text="改标签").click()
    row.get_by_role("button", name=mood, exact=True).click()
    expect(page.locator("#notice")).to_contain_text("已更正为")
    expect(signals(page).nth(2).locator(".fixed")).to_contain_text("陈值班")
    expect(signals(page).nth(2).locator("> div > small").nth(0)).to_contain_text(mood)


def test_ticks_outlive_what_comes_in_and_become_an_incident_of_their_own(
    manager: Visitor, site: Site, big: str
) -> None:
    page = manager.go(f"/incidents/{big}")
    for n in (0, 1):
        signals(page).nth(n).locator(".pick input").check()
    expect(page.locator("[data-chosen]")).to_have_text("2")
    page.locator("#chosen input[name=title]").fill("另一处险情")
    apart(site.desk.act, "update", big, {"text": "消防已控制火势"}, "chen")
    expect(page.locator("#story .timeline li").first).to_contain_text("消防已控制火势")
    expect(page.locator("#signals input[name=signal]:checked")).to_have_count(2)
    assert page.locator("#chosen input[name=title]").input_value() == "另一处险情"
    page.locator("#chosen button", has_text="拆成新事件").click()
    page.wait_for_url(re.compile(r"/incidents/[\d-]+\?said="))
    expect(page.locator("h1")).to_have_text("另一处险情")
    expect(signals(page)).to_have_count(2)


def test_an_incidents_kind_is_put_right_without_a_new_grade(manager: Visitor, big: str) -> None:
    page = manager.go(f"/incidents/{big}")
    page.locator("summary", has_text="改类别、主题").click()
    now = page.locator("#act-label button[disabled]").text_content()
    other = "错误看法" if now != "错误看法" else "实际困难"
    page.locator("#act-label").get_by_role("button", name=other, exact=True).click()
    expect(page.locator("#head .meta")).to_contain_text(other)
    expect(page.locator("#head .prov").first).to_contain_text("暂定")


def test_alike_incidents_are_joined_from_the_list_and_the_one_that_is_gone_says_where(
    manager: Visitor, big: str, past: str
) -> None:
    page = manager.go(f"/incidents/{past}")
    page.locator(f"#into-{big} summary").click()
    page.locator(f"#into-{big} button").click()
    expect(page.locator("#head .gone")).to_contain_text("已并入")
    expect(page.locator("#acts details")).to_have_count(0)
    expect(page.locator("#chosen")).to_have_count(0)
    page.locator("#head .gone a").click()
    page.wait_for_url(f"**/incidents/{big}")


def test_kept_proof_is_seen_in_a_page_of_its_own(manager: Visitor, site: Site, big: str) -> None:
    proof = {"kind": "published_statement", "publisher": "临江发布", "published_at": at("03:50").isoformat()}
    body = "关于储罐爆炸的情况通报。<b>已有5人死亡</b>".encode()
    apart(site.desk.files.stop, big, proof, "li", "通报.txt", body)
    page = manager.go(f"/incidents/{big}")
    page.locator("#side a", has_text="查看存档").click()
    expect(page.locator("main pre")).to_contain_text("<b>已有5人死亡</b>")
    expect(page.locator("main")).to_contain_text("哈希一致")
    assert manager.complaints == []


def test_the_log_is_noted_in_and_printed_without_its_buttons(
    manager: Visitor, tmp_path: Path, big: str
) -> None:
    page = manager.go("/handover/log")
    page.locator("summary", has_text="写记事").click()
    page.locator("textarea[name=text]").fill("22:10 消防支队来电，火势已控制")
    page.locator(".logforms button", has_text="写入").click()
    expect(page.locator(".loglines", has_text="消防支队来电")).to_contain_text("李主任")
    page.emulate_media(media="print")
    expect(page.locator(".logforms").first).to_be_hidden()
    with page.expect_download() as waiting:
        page.emulate_media(media="screen")
        page.locator(".files a", has_text="Markdown").click()
    assert "消防支队来电" in Path(waiting.value.path()).read_text(encoding="utf-8")


def test_a_closed_incident_can_be_read_whole_and_only_reopened(
    manager: Visitor, site: Site, big: str
) -> None:
    """The last act: what is closed takes no more."""
    made = str(site.desk.act("open", "", {"title": "误报", "grade": "IV"}, "chen")["id"])
    apart(settled, site, made)
    apart(site.desk.act, "close", made, {"reason": "误报"}, "zhou")
    page = manager.go(f"/incidents/{made}")
    expect(page.locator("#head .gone")).to_contain_text("办结")
    expect(page.locator("#acts summary", has_text="重开")).to_be_visible()
    expect(page.locator("#acts summary", has_text="定级")).to_have_count(0)
