"""Signing in as people do it, in Debian's Chromium, under the site's own Content-Security-Policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.accounts import PASSWORD, SigningSite, signing_site
from support.axe import findings
from support.chromium import DESK, PHONE

SOON, LATER = 15_000, 60_000
OUTPUT = "tests/output"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningSite]:
    with signing_site(tmp_path_factory.mktemp("signing"), {"tries_per_address": 1000}) as running:
        running.account("root", "admin")
        running.account("chen", "officer", person="chen")
        running.account("li", "manager", person="li")
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="zh-CN", viewport=PHONE, color_scheme="dark") as context:
        yield context


def _apart(work: object, *args: object) -> None:
    """Outside this thread, whose event loop is Playwright's."""
    with ThreadPoolExecutor(1) as other:
        other.submit(work, *args).result()  # type: ignore[arg-type]


def _in(page: Page, office: SigningSite, name: str, path: str = "/") -> list[str]:
    """Sign in by keyboard alone; what the page complained of."""
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.goto(f"{office.url}{path}")
    expect(page.get_by_label("账号")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"^{re.escape(office.url + path)}$"), timeout=SOON)
    return said


def test_a_phone_signs_in_by_keyboard_and_comes_to_the_page_it_wanted(
    office: SigningSite, phone: BrowserContext
) -> None:
    page = phone.new_page()
    page.goto(office.url)
    assert findings(page) == []
    page.screenshot(path=f"{OUTPUT}/login-phone-dark.png")
    said = _in(page, office, "chen", "/mine")
    expect(page.locator("#picker summary")).to_contain_text("陈值班")
    assert said == []  # no inline script or style, nothing from elsewhere


def test_a_second_factor_is_set_up_and_asked_for_the_next_time(office: SigningSite, browser: Browser) -> None:
    with browser.new_context(locale="zh-CN", viewport=DESK) as context:
        page = context.new_page()
        _in(page, office, "li", "/account")
        page.get_by_role("button", name="设两步验证").click()
        picture = page.locator("img.qr")
        expect(picture).to_be_visible(timeout=SOON)
        picture.evaluate("image => image.decode()")  # rejects for what is no picture
        assert picture.evaluate("image => image.naturalWidth") > 100
        assert findings(page) == []
        page.get_by_text("扫不了码").click()
        secret = page.locator("details code").inner_text()
        page.locator("#second").get_by_label("验证码").fill(pyotp.TOTP(secret).at(office.wall()))
        page.get_by_role("button", name="启用", exact=True).click()
        expect(page.locator(".codes li")).to_have_count(10, timeout=SOON)
        page.screenshot(path=f"{OUTPUT}/account-light.png", full_page=True)
        page.get_by_role("button", name="退出登录").last.click()
        expect(page.get_by_role("heading", name="已退出")).to_be_visible(timeout=SOON)
        office.wall.forward(seconds=60)
        page.get_by_label("账号").fill("li")
        page.get_by_label("口令").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("验证码")).to_be_focused(timeout=SOON)
        assert findings(page) == []
        page.keyboard.type(pyotp.TOTP(secret).at(office.wall()))
        page.keyboard.press("Enter")
        expect(page.locator("#picker summary")).to_contain_text("李主任", timeout=SOON)


def test_an_administrator_finds_every_account_on_one_page(office: SigningSite, browser: Browser) -> None:
    with browser.new_context(locale="zh-CN", viewport=DESK) as context:
        page = context.new_page()
        said = _in(page, office, "root", "/accounts")
        row = page.get_by_role("row", name=re.compile("陈值班"))
        row.get_by_text("管理").first.click()
        assert findings(page) == []
        page.screenshot(path=f"{OUTPUT}/accounts-light.png", full_page=True)
        row.get_by_label("审核人").check()
        row.get_by_role("button", name="改角色和单位").click()
        expect(page.get_by_role("row", name=re.compile("陈值班"))).to_contain_text(
            "值班员、审核人", timeout=SOON
        )
        assert said == []


def test_a_page_that_stands_open_leads_to_the_sign_in_once_its_session_is_ended(
    office: SigningSite, phone: BrowserContext
) -> None:
    """The line is looked at with the next event after some seconds, at the latest with its heartbeat."""
    page = phone.new_page()
    _in(page, office, "chen")
    expect(page.locator("html")).to_have_attribute("data-live", "on", timeout=SOON)
    _apart(office.change, "sessions_end", "chen")
    expect(page.get_by_label("口令")).to_be_visible(timeout=LATER)
    assert page.url.endswith("/login?back=%2F")
