"""The authors' page in Debian's Chromium: what is typed is tried, and the page obeys its own policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.chromium import PHONE
from support.console import served
from support.fake_desk import FakeDesk


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def page(browser: Browser, desk: FakeDesk) -> Iterator[Page]:
    with served(desk) as address:
        made = browser.new_page(viewport=PHONE)
        made.goto(f"{address}/playbooks/major_emergency")
        yield made
        made.close()


def test_a_pause_in_typing_draws_anew_and_saves_nothing(page: Page, desk: FakeDesk) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.locator("textarea.source").fill("id: x\namount: 五小时\n")
    expect(page.locator(".findings")).to_contain_text("第 2 行 第 9 列")
    expect(page.locator("#gantt")).to_have_count(0)
    page.locator("textarea.source").fill("id: x\namount: PT5H\n")
    expect(page.locator("#gantt")).to_have_count(1)
    with page.expect_response("**/try"):
        page.locator("select[name=grade]").select_option("I")
    expect(page.locator(".moved")).to_contain_text("王带班")
    assert desk.tried[-1][2]["grade"] == "I"
    assert (complaints, desk.acts) == ([], [])


def test_the_page_fits_a_phone(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 390
