"""The authors' page in Debian's Chromium: what is typed is tried, and the page obeys its own policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from support.console import served
from support.fake_desk import FakeDesk
from support.missing import missing


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def page(desk: FakeDesk) -> Iterator[Page]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing("no Chromium on PATH: apt-get install chromium")
    with served(desk) as address, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        made = chromium.new_page(viewport={"width": 390, "height": 844})
        made.goto(f"{address}/playbooks/major_emergency")
        yield made
        chromium.close()


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
