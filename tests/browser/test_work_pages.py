"""The pages of the response work in Debian's Chromium, over a whole site: read, reached, and acted on by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from support.chromium import PHONE, Visitor
from support.console import served
from support.river_site import Site, at, river

MANAGER: ViewportSize = {"width": 1280, "height": 900}
TEXT = "## 事实\n望江路泵站停电停水。\n\n## 措施\n抢修队已到场。\n\n## 结果\n预计6时恢复供水。\n"
ROOMS = ["", "/work", "/statements", "/meetings", "/dossiers", "/mood", "/aftermath"]
LISTS = ["/mine", "/tasks", "/registers", "/registers?kind=supervision", "/assessment", "/reports", "/audit"]
UNLABELLED = """[...document.querySelectorAll('main input:not([type=hidden]), main select, main textarea')]
  .filter(e => !e.labels.length && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""
NAMELESS = """[...document.querySelectorAll('button, a, summary')]
  .filter(e => !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""
LOW = """[...document.querySelectorAll('main button, main .button, main summary, main select, .tabs a')]
  .filter(e => e.offsetHeight && e.offsetHeight < 40).map(e => e.offsetHeight + ' ' + e.textContent)"""
THIN = """[...document.querySelectorAll('main td, main li, main p')]
  .filter(e => e.textContent.trim().length > 12 && e.offsetWidth && e.offsetWidth < 60).map(e => e.textContent)"""
LEVELS = "[...document.querySelectorAll('h1, h2, h3, h4')].map(e => Number(e.tagName[1]))"


def pass_until(site: Site, moment: str) -> None:
    """Time passes in a thread of its own, for this one's event loop is Playwright's."""
    with ThreadPoolExecutor(1) as other:
        other.submit(site.until, moment).result()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("work")
    with river(folder, f"sqlite:///{folder / 'huiying.sqlite'}") as made:
        made.time.moment = at("02:00")
        yield made


@pytest.fixture(scope="module")
def incident(site: Site) -> str:
    """A water stop in the night: graded, given to the office, with a draft, a promise and a register entry."""
    about = {"title": "望江路停水", "grade": "II", "occurred_at": at("00:30").isoformat(), "reason": "核实"}
    made = str(site.desk.act("open", "", about | {"kind": "major_problem"}, "chen")["id"])
    site.desk.act("assign", made, {"unit": "office", "reason": "谁主管谁负责"}, "li")
    promise = {"due_at": at("06:00").isoformat(), "text": "6时前续报"}
    site.desk.meetings.act("promise", made, promise, "li")
    entry = {"kind": "supervision", "title": "督办望江路停水", "unit": "市政府办公室", "incident": made}
    site.desk.registers.act("add", "", entry, "li")
    pass_until(site, "02:02")
    return made


@pytest.fixture(scope="module")
def rumour(site: Site, incident: str) -> str:
    """What the net says of it, an incident of its own."""
    for number in range(3):
        site.say("news", f"网传毒气扩散{number}", "网传临江毒气扩散全城，当局隐瞒三百人死亡，速转发！")
    pass_until(site, "02:10")
    (found,) = [str(one["id"]) for one in site.desk.board()["incidents"] if one["id"] != incident]
    return found


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.desk) as told:
        yield told


@pytest.fixture
def officer(browser: Browser, address: str, incident: str) -> Iterator[Visitor]:
    """On the phone, at night."""
    settings: dict[str, Any] = {
        "viewport": PHONE,
        "color_scheme": "dark",
        "has_touch": True,
        "is_mobile": True,
    }
    with browser.new_context(locale="zh-CN", **settings) as context:
        yield Visitor(context, address, "chen")


@pytest.fixture
def manager(browser: Browser, address: str, incident: str) -> Iterator[Visitor]:
    """At the desk, by day."""
    with browser.new_context(locale="zh-CN", viewport=MANAGER) as context:
        yield Visitor(context, address, "li")


def drafted(site: Site, incident: str, title: str) -> str:
    written = {"title": title, "text": TEXT, "disclosure": "proactive", "outlets": "website"}
    return str(site.desk.statements.draft(incident, written, "chen")["id"])


def paths(site: Site, incident: str) -> list[str]:
    entry = site.desk.registers.overview("supervision", everything=True)["entries"][0]["id"]
    statement = drafted(site, incident, "望江路停水情况")
    rooms = [f"/incidents/{incident}{room}" for room in ROOMS]
    return [*rooms, f"/statements/{statement}", *LISTS, f"/registers/{entry}"]


def open_act(page: Page, words: str) -> None:
    page.locator("summary", has_text=re.compile(f"^{words}")).first.click()


# ── looking ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["officer", "manager"])
def test_every_page_fits_and_can_be_read_aloud_and_breaks_no_policy(
    who: str, site: Site, incident: str, request: pytest.FixtureRequest
) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    page, width = visitor.page, (PHONE if who == "officer" else MANAGER)["width"]
    for path in paths(site, incident):
        visitor.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert (page.evaluate(UNLABELLED), page.evaluate(NAMELESS)) == ([], []), path
        levels = page.evaluate(LEVELS)
        assert levels.count(1) == 1, path
        assert all(lower - upper <= 1 for upper, lower in pairwise(levels)), path
        assert page.locator(".nav [aria-current]").count() == 1, path
    assert visitor.complaints == []


def test_on_a_phone_nothing_is_too_low_for_a_thumb_or_too_thin_to_read(
    officer: Visitor, site: Site, incident: str
) -> None:
    for path in paths(site, incident):
        page = officer.go(path)
        assert page.evaluate(LOW) == [], path
        assert page.evaluate(THIN) == [], path


def test_on_a_phone_all_rooms_of_an_incident_are_in_sight_and_a_long_row_shows_where_we_are(
    officer: Visitor, incident: str
) -> None:
    page = officer.go(f"/incidents/{incident}/aftermath")
    for tab in page.locator(".tabs a").all():
        expect(tab).to_be_in_viewport(ratio=1)
    page = officer.go("/registers?kind=supervision")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)


def test_every_page_is_reached_by_clicks_alone(manager: Visitor, incident: str) -> None:
    page = manager.go("/")
    page.locator("article h2 a", has_text="望江路停水").click()
    for name, room in (
        ("办理", "work"),
        ("稿件", "statements"),
        ("发布会", "meetings"),
        ("复盘", "aftermath"),
    ):
        page.locator(".tabs a", has_text=name).click()
        page.wait_for_url(f"**/incidents/{incident}/{room}")
    for first, then, where in (("我的", "全部任务", "/tasks"), ("报告", "台账", "/registers")):
        page.locator(".nav a", has_text=first).click()
        page.locator("main a", has_text=then).first.click()
        page.wait_for_url(f"**{where}")
    page.locator("main a", has_text="考核").first.click()
    page.wait_for_url("**/assessment")


def test_the_keyboard_sees_where_it_is(manager: Visitor, incident: str) -> None:
    page = manager.go(f"/incidents/{incident}/work")
    outline = "(s => s.outlineStyle + ' ' + s.outlineWidth)(getComputedStyle(document.activeElement))"
    stops = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(outline) == "solid 2px"
        stops.add(page.evaluate("document.activeElement.tagName"))
    assert {"A", "SUMMARY"} <= stops


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def test_an_officer_writes_a_statement_and_submits_it_on_the_phone(
    officer: Visitor, site: Site, incident: str
) -> None:
    page = officer.go(f"/incidents/{incident}/statements")
    page.locator("#new input[name=title]").fill("望江路停水通报")
    page.locator("#new textarea").fill(TEXT)
    page.locator("#new select[name=disclosure]").select_option("proactive")
    page.locator("#new button").click()
    expect(page.locator(".chain.ok")).to_contain_text("已存稿")
    expect(page.locator("h1")).to_contain_text("望江路停水通报")
    for step, person in (("1", "li"), ("2", "zhao"), ("3", "zhou"), ("c1", "li")):
        page.locator(f"select[name='person.{step}']").select_option(person)
    page.locator("button", has_text="送审").click()
    expect(page.locator("h1")).to_contain_text("送审中")
    sid = page.url.partition("?")[0].rpartition("/")[2]
    assert site.desk.statements.one(sid)["state"] == "in_review"


def test_whose_turn_it_is_signs_with_one_press(manager: Visitor, site: Site, incident: str) -> None:
    sid = drafted(site, incident, "望江路停水续报")
    site.desk.statements.act("submit", sid, {"reviewers": "li,zhao,zhou", "secrecy": "zhou"}, "chen")
    page = manager.go(f"/statements/{sid}")
    page.locator("button", has_text="同意并签名").click()
    expect(page.locator(".versions .tag.law").first).to_have_text("同意")
    (signed,) = [step for step in site.desk.statements.one(sid)["chain"] if step["signature"]]
    assert signed["person"] == "li"


def test_a_unit_claims_its_part(manager: Visitor, site: Site, incident: str) -> None:
    page = manager.go(f"/incidents/{incident}/work")
    open_act(page, "认领")
    page.locator("#act-claim input[name=reason]").fill("已派抢修队")
    page.locator("#act-claim button").click()
    expect(page.locator(".roomcol .tag", has_text="已认领").first).to_be_visible()
    (part,) = [p for p in site.desk.work.overview(incident)["parties"]["parties"] if p["role"] == "lead"]
    assert (part["state"], part["answer"]) == ("claimed", "已派抢修队")


def test_a_press_conference_is_booked(manager: Visitor, site: Site, incident: str) -> None:
    page = manager.go(f"/incidents/{incident}/meetings")
    book = page.locator("form[action$='/acts/book']")
    book.locator("[name=starts_at]").fill("2026-11-21T15:00")
    book.locator("[name=place]").fill("市新闻发布厅")
    book.locator("[name=speaker]").fill("周正")
    book.locator("button").click()
    expect(page.locator(".meeting h2")).to_contain_text("15:00")
    (meeting,) = site.desk.meetings.overview(incident)["meetings"]
    assert (meeting["place"], meeting["principal"]) == ("市新闻发布厅", True)


def test_a_dossier_is_made_and_downloaded(officer: Visitor, site: Site, rumour: str) -> None:
    page = officer.go(f"/incidents/{rumour}/dossiers")
    make = page.locator("form[action$='/acts/make']")
    make.locator("[name=reason]").fill("疑似编造伤亡人数")
    make.locator("button").click()
    with page.expect_download() as told:
        page.locator("a", has_text="下载 zip").click()
    assert Path(told.value.path()).read_bytes().startswith(b"PK")
    assert len(site.desk.dossiers.overview(rumour)["dossiers"]) == 1


def test_a_lesson_is_written_and_a_task_added(officer: Visitor, site: Site, incident: str) -> None:
    page = officer.go(f"/incidents/{incident}/aftermath")
    open_act(page, "写复盘")
    page.locator("form[action$='/acts/lesson'] textarea").fill("泵站应有备用电源")
    page.locator("form[action$='/acts/lesson'] button").click()
    expect(page.locator("main")).to_contain_text("泵站应有备用电源")
    page = officer.go("/tasks")
    page.locator("form[action='/tasks/acts/add'] [name=name]").fill("检修泵站电源")
    page.locator("form[action='/tasks/acts/add'] button").click()
    expect(page.locator(".roomcol")).to_contain_text("检修泵站电源")
    assert any(
        task["name"] == "检修泵站电源" for group in site.desk.work.list()["groups"] for task in group["tasks"]
    )


def test_a_register_entry_is_added(manager: Visitor, site: Site) -> None:
    page = manager.go("/registers?kind=training")
    page.locator("form.ask [name=title]").fill("政务公开培训")
    page.locator("form.ask button").click()
    expect(page.locator("main")).to_contain_text("政务公开培训")
    entries = site.desk.registers.overview("training", everything=True)["entries"]
    assert [entry["title"] for entry in entries] == ["政务公开培训"]
    assert site.verified()


def test_the_assessment_is_counted_for_other_days_and_a_report_is_taken_away(
    manager: Visitor, tmp_path: Path
) -> None:
    page = manager.go("/assessment")
    page.locator("[name=from]").fill("2026-11-01")
    page.locator("main button", has_text="重算").click()
    expect(page.locator("h1")).to_contain_text("11-01 00:00")
    page = manager.go("/reports")
    with page.expect_download() as told:
        page.locator("section", has_text="舆情专报").locator("button", has_text="Word").click()
    assert Path(told.value.path()).read_bytes().startswith(b"PK")
    assert told.value.suggested_filename.endswith(".docx")
    assert manager.complaints == []
