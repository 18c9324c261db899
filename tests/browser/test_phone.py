"""The officer's phone in Debian's Chromium over a whole site: one thumb, no line, a photo, an app of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Route, expect

from support.accounts import PASSWORD, SigningSite, signing_site
from support.chromium import PHONE, Visitor
from support.console import served
from support.line import Line
from support.photos import PLACE, drawn, size_of
from support.river_site import Site, at, river

SOON = 15_000
"""Milliseconds: a busy machine is waited for, an idle one is not."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with river(tmp_path, f"sqlite:///{tmp_path / 'huiying.sqlite'}") as made:
        made.time.moment = at("02:13")
        yield made


@pytest.fixture
def incident(site: Site) -> str:
    about = {
        "title": "望江路泵站停电",
        "grade": "II",
        "occurred_at": at("01:30").isoformat(),
        "reason": "热线来电",
    }
    made = str(site.desk.act("open", "", about | {"kind": "major_problem"}, "li")["id"])
    site.desk.act("take", made, {}, "li")
    site.desk.act("ack", made, {}, "chen")
    return made


@pytest.fixture
def line(site: Site, incident: str) -> Iterator[Line]:
    made = Line(site.desk)
    yield made
    made.cut()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser, line: Line) -> Iterator[Visit]:
    opened: list[BrowserContext] = []

    def come(person: str = "chen", **options: object) -> Visitor:
        settings = {"viewport": PHONE, "has_touch": True, "locale": "zh-CN", **options}
        opened.append(browser.new_context(**settings))  # type: ignore[arg-type]
        return Visitor(opened[-1], line.address, person)

    yield come
    for context in opened:
        context.close()


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit().go("/mine")


def kinds(site: Site, incident: str, kind: str) -> list[dict[str, Any]]:
    shown = site.desk.incident(incident)
    assert shown is not None
    return [entry for entry in shown["timeline"] if entry["kind_zh"] == kind]


def sheet(page: Page, name: str, incident: str) -> Any:
    page.click(f'button[popovertarget="{name}-{incident}"]')
    return page.locator(f"#{name}-{incident}")


# ── one thumb ──


def test_everything_an_officer_does_at_night_is_within_one_thumb(page: Page) -> None:
    for button in page.locator(".deck > form button, .deck > .four button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 48
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_taking_and_escalating_are_one_press_each_and_say_what_was_done(
    page: Page, site: Site, incident: str
) -> None:
    page.click(f"#take-{incident}")
    expect(page.locator("#notice")).to_contain_text("已接手", timeout=SOON)
    expect(page.locator(f"#i-{incident} .taken")).to_contain_text("已由您接手", timeout=SOON)
    up = sheet(page, "up", incident)
    expect(up).to_contain_text("李主任")
    up.get_by_role("button", name="通知带班领导").click()
    expect(page.locator("#notice")).to_contain_text("已升级到带班领导", timeout=SOON)
    assert len(kinds(site, incident, "升级")) == 1
    expect(page.locator(f"#up-{incident}")).to_contain_text("分管领导", timeout=SOON)


def test_later_is_asked_for_in_two_presses(page: Page, site: Site, incident: str) -> None:
    sheet(page, "later", incident).get_by_role("button", name="30 分钟").click()
    expect(page.locator("#notice")).to_contain_text("已稍后提醒", timeout=SOON)
    assert len(kinds(site, incident, "稍后提醒")) == 1


def test_a_rule_that_forbids_is_told_in_its_own_words_and_nothing_is_kept(
    page: Page, site: Site, incident: str
) -> None:
    def be_later(route: Route) -> None:
        site.desk.act("take", incident, {}, "chen")  # from elsewhere, while ours is on its way
        route.continue_()

    page.route("**/api/v1/**", be_later, times=1)
    page.click(f"#take-{incident}")
    expect(page.locator("#notice")).to_contain_text("已由您接手；无须再按", timeout=SOON)
    expect(page.locator("#waiting")).to_be_hidden()


# ── a poor line ──


def test_what_is_pressed_without_a_line_is_kept_said_and_sent_in_order_when_it_is_back(
    page: Page, line: Line, site: Site, incident: str
) -> None:
    line.cut()
    page.click(f"#take-{incident}")
    expect(page.locator("#notice")).to_contain_text("没有网络，已存在本机", timeout=SOON)
    note = sheet(page, "note", incident)
    note.locator("textarea").fill("抢修队已到场")
    note.get_by_role("button", name="记录").click()
    expect(page.locator("#waiting li")).to_have_count(2, timeout=SOON)
    expect(page.locator(f'[data-pending="{incident}"]')).to_contain_text("待送出: 接手")
    line.mend()
    page.click("#waiting [data-now]")
    expect(page.locator("#waiting li").first).to_contain_text("已送达", timeout=SOON)
    expect(page.locator("#waiting li").nth(1)).to_contain_text("已送达", timeout=SOON)
    took, noted = kinds(site, incident, "接手"), kinds(site, incident, "进展")
    assert [entry["actor"] for entry in took] == ["李主任", "陈值班"]
    assert len(noted) == 1 and took[-1]["seq"] < noted[0]["seq"]


def test_an_answer_that_is_lost_on_the_way_back_does_nothing_twice(
    page: Page, site: Site, incident: str
) -> None:
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().text())  # the server has done it
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/**", lose_the_first)
    note = sheet(page, "note", incident)
    note.locator("textarea").fill("已通知供水公司")
    note.get_by_role("button", name="记录").click()
    expect(page.locator("#waiting li")).to_contain_text("已送达", timeout=2 * SOON)  # tried again by itself
    assert len(lost) == 1
    assert len(kinds(site, incident, "进展")) == 1


def test_what_is_refused_later_is_told_in_words_and_stays_until_it_is_put_away(
    page: Page, line: Line, site: Site, incident: str
) -> None:
    line.cut()
    page.click(f"#take-{incident}")
    expect(page.locator("#waiting li")).to_have_count(1, timeout=SOON)
    site.desk.act("take", incident, {}, "chen")
    line.mend()
    page.click("#waiting [data-now]")
    kept = page.locator("#waiting li")
    expect(kept).to_contain_text("没有执行：", timeout=SOON)
    expect(kept).to_contain_text("已由您接手")
    page.reload()
    expect(page.locator("#waiting li")).to_contain_text("没有执行：", timeout=SOON)
    page.locator("#waiting li button").click()
    expect(page.locator("#waiting")).to_be_hidden(timeout=SOON)


# ── a photo ──


def test_a_photo_is_made_small_and_loses_the_place_that_the_camera_wrote(
    page: Page, site: Site, incident: str
) -> None:
    taken = drawn(page, 3200, 2400)
    assert PLACE in taken
    proof = sheet(page, "proof", incident)
    photo: FilePayload = {"name": "IMG_0213.jpg", "mimeType": "image/jpeg", "buffer": taken}
    proof.locator('input[type="file"]').set_input_files(photo)
    expect(proof.locator("canvas")).to_be_visible(timeout=SOON)
    proof.locator("select").select_option("published_update")
    proof.get_by_role("button", name="加凭据").click()
    expect(page.locator("#notice")).to_contain_text("已加凭据", timeout=SOON)
    shown = site.desk.incident(incident)
    assert shown is not None
    (kept,) = shown["evidence"]
    content, media_type = site.desk.snapshot(kept["sha256"])  # type: ignore[misc]
    assert media_type == "image/jpeg"
    assert PLACE not in content and b"Exif" not in content
    assert size_of(content) == (2000, 1500)
    assert BytesIO(content).read(2) == b"\xff\xd8"


def test_what_is_no_photo_is_said_and_not_sent(page: Page, site: Site, incident: str) -> None:
    proof = sheet(page, "proof", incident)
    broken: FilePayload = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}
    proof.locator('input[type="file"]').set_input_files(broken)
    expect(page.locator("#notice")).to_contain_text("这张照片读不了", timeout=SOON)
    assert site.desk.incident(incident)["evidence"] == []  # type: ignore[index]


# ── dictation ──


@pytest.mark.parametrize("allowed", [False, True])
def test_the_browsers_recogniser_is_offered_only_where_the_site_allows_it(
    browser: Browser, tmp_path: Path, allowed: bool
) -> None:
    def settle(folder: Path) -> None:
        own = folder / "site.yaml"
        said = json.loads(own.read_text(encoding="utf-8")) | {"console": {"dictation": allowed}}
        own.write_text(json.dumps(said), encoding="utf-8")

    with river(tmp_path, f"sqlite:///{tmp_path / 'huiying.sqlite'}", settle) as site:
        site.time.moment = at("02:13")
        made = str(site.desk.act("open", "", {"title": "停水", "grade": "II"}, "li")["id"])
        site.desk.act("ack", made, {}, "chen")
        with served(site.desk) as address:
            context = browser.new_context(viewport=PHONE)
            note = sheet(Visitor(context, address, "chen").go("/mine"), "note", made)
            expect(note).to_contain_text("键盘上的麦克风")
            assert note.locator("[data-dictate]").is_visible() == allowed
            context.close()


# ── an app ──


def controlled(page: Page) -> None:
    page.wait_for_function(
        "() => navigator.serviceWorker && navigator.serviceWorker.controller", timeout=SOON
    )


def test_the_app_installs_by_its_manifest_and_every_icon_is_there(page: Page, line: Line) -> None:
    href = page.get_attribute('link[rel="manifest"]', "href")
    told = json.loads(page.request.get(line.address + str(href)).text())
    assert (told["start_url"], told["display"], told["lang"]) == ("/mine", "standalone", "zh-CN")
    assert {icon["sizes"] for icon in told["icons"]} >= {"192x192", "512x512"}
    for icon in told["icons"]:
        answer = page.request.get(line.address + icon["src"])
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])


def test_without_a_line_the_last_seen_page_is_shown_and_marked_as_such(
    page: Page, line: Line, incident: str
) -> None:
    controlled(page)
    page.reload()  # seen by the worker now
    page.wait_for_selector('html[data-live="on"]', state="attached", timeout=SOON)
    line.cut()
    page.reload()
    expect(page.locator("#copy")).to_contain_text(re.compile(r"离线，\d\d:\d\d 的内容"), timeout=SOON)
    expect(page.locator(f"#i-{incident}")).to_contain_text("望江路泵站停电")
    page.goto(line.address + "/reports")
    expect(page.locator("h1")).to_contain_text("没有网络")


def test_another_person_at_the_device_finds_nothing_of_the_one_before(
    page: Page, line: Line, incident: str
) -> None:
    controlled(page)
    page.reload()
    page.wait_for_selector('html[data-live="on"]', state="attached", timeout=SOON)
    page.locator("#picker summary").click()
    page.locator('#picker button[value="zhao"]').click()
    page.wait_for_function(
        "() => document.querySelector('#picker summary').innerText.includes('赵')", timeout=SOON
    )
    page.goto(line.address + "/roster")
    line.cut()
    page.goto(line.address + f"/incidents/{incident}")
    expect(page.locator("h1")).to_contain_text("没有网络")


def test_a_second_press_while_the_first_is_being_kept_is_no_second_act(
    page: Page, site: Site, incident: str
) -> None:
    note = sheet(page, "note", incident)
    note.locator("textarea").fill("抢修队已到场")
    note.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
    expect(page.locator("#notice")).to_contain_text("已记录进展", timeout=SOON)
    page.wait_for_function("async () => (await self.huiying.all()).length === 0", timeout=SOON)
    assert len(kinds(site, incident, "进展")) == 1


def test_an_answer_that_is_not_from_the_system_is_not_taken_for_done(
    visit: Visit, site: Site, incident: str
) -> None:
    page = visit(service_workers="block").go("/mine")  # the worker sends too, past the route
    page.route("**/api/v1/**", lambda route: route.fulfill(content_type="text/html", body="请先登录本网络"))
    page.click(f"#take-{incident}")
    expect(page.locator("#waiting li")).to_contain_text("待送出", timeout=SOON)
    page.unroute("**/api/v1/**")
    page.click("#waiting [data-now]")
    expect(page.locator("#waiting li")).to_contain_text("已送达", timeout=SOON)
    assert len(kinds(site, incident, "接手")) == 2


def test_what_is_thrown_away_while_it_is_being_sent_does_not_come_back(page: Page, incident: str) -> None:
    def throw_away(route: Route) -> None:
        page.evaluate("() => self.huiying.clear()")  # as leaving the device does
        route.abort()

    page.route("**/api/v1/**", throw_away)
    with page.expect_event("requestfailed", timeout=SOON):
        page.click(f"#take-{incident}")
    page.evaluate("() => self.huiying.flush()")
    assert page.evaluate("() => self.huiying.all()") == []


def test_a_device_without_room_for_copies_still_shows_what_is_true(
    page: Page, line: Line, site: Site, incident: str
) -> None:
    controlled(page)
    page.reload()
    page.wait_for_selector('html[data-live="on"]', state="attached", timeout=SOON)
    full = {"origin": line.address, "quotaSize": 1}
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", full)
    site.desk.act("update", incident, {"text": "新的进展"}, "li")
    page.goto(f"{line.address}/incidents/{incident}")
    expect(page.locator("body")).to_contain_text("新的进展", timeout=SOON)


def test_who_holds_an_incident_that_became_graver_is_asked_to_acknowledge_it(
    page: Page, site: Site, incident: str
) -> None:
    site.desk.act("take", incident, {}, "chen")
    site.time.moment = at("02:40")
    site.desk.act("grade", incident, {"grade": "I", "reason": "伤亡上升"}, "li")
    page.reload()
    page.click(f"#ack-{incident}")
    expect(page.locator("#notice")).to_contain_text("已签收", timeout=SOON)
    expect(page.locator(f"#ack-{incident}")).to_be_hidden(timeout=SOON)
    clocks = site.desk.incident(incident)["clocks"]  # type: ignore[index]
    assert [c for c in clocks if c["name"] == "签收" and c["ended_at"] is None] == []


# ── accounts ──


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SigningSite]:
    with signing_site(tmp_path) as running:
        running.account("chen", "officer", person="chen")
        yield running


def signed_in(page: Page, office: SigningSite) -> None:
    page.goto(f"{office.url}/mine")
    page.get_by_label("账号").fill("chen")
    page.locator('input[name="password"]').fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.url}/mine", timeout=SOON)
    page.wait_for_selector('html[data-live="on"]', state="attached", timeout=SOON)


def held_by_chen(office: SigningSite) -> str:
    made = str(office.desk.act("open", "", {"title": "望江路停水", "grade": "II"}, "li")["id"])
    office.desk.act("ack", made, {}, "chen")
    return made


def test_signing_out_takes_the_copies_and_what_was_not_sent_along_after_asking(
    browser: Browser, office: SigningSite
) -> None:
    incident, asked = held_by_chen(office), list[str]()
    with browser.new_context(locale="zh-CN", viewport=PHONE) as context:
        page = context.new_page()
        signed_in(page, office)
        controlled(page)
        page.reload()
        page.wait_for_selector('html[data-live="on"]', state="attached", timeout=SOON)
        context.clear_cookies()  # the session ends, so that nothing can be sent
        page.click(f"#take-{incident}")
        expect(page.locator("#waiting li")).to_have_count(1, timeout=SOON)
        assert page.evaluate("() => caches.has('pages')")
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
        page.locator("#picker summary").click()
        page.get_by_role("button", name="退出登录").click()
        page.wait_for_url("**/login*", timeout=SOON)
        assert "还有 1 项操作没有送出" in asked[0]
        assert not page.evaluate("() => caches.has('pages')")
        signed_in(page, office)
        expect(page.locator(f"#take-{incident}")).to_be_visible()
        expect(page.locator("#waiting")).to_be_hidden()
    assert office.desk.incident(incident)["taken_by"] is None  # type: ignore[index]


def test_what_was_pressed_after_the_session_ended_waits_for_its_person_to_sign_in_again(
    browser: Browser, office: SigningSite
) -> None:
    incident = held_by_chen(office)
    with browser.new_context(locale="zh-CN", viewport=PHONE) as context:
        page = context.new_page()
        signed_in(page, office)
        context.clear_cookies()
        page.click(f"#take-{incident}")
        expect(page.locator("#waiting li")).to_have_count(1, timeout=SOON)
        signed_in(page, office)
        expect(page.locator(f"#i-{incident} .taken")).to_be_visible(timeout=2 * SOON)
    assert office.desk.incident(incident)["taken_by"] == "chen"  # type: ignore[index]
