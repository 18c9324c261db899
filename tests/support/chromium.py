"""Debian's Chromium, as a person sits before it: one browser, visitors with their own cookies."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    sync_playwright,
)

from support.missing import missing

QUIET_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
WALL: ViewportSize = {"width": 2560, "height": 1440}


@contextmanager
def chromium(**environ: str) -> Iterator[Browser]:
    """The browser until the block ends; one at a time in a thread. `environ`: LANGUAGE="zh_CN" for its own words."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        missing("no Chromium on PATH: apt-get install chromium")
    with sync_playwright() as play:
        own: dict[str, str | float | bool] = {**os.environ, **environ}
        opened = play.chromium.launch(executable_path=found, args=QUIET_FLAGS, env=own)
        yield opened
        opened.close()


class Visitor:
    """One browser context with its page; remembers every request and complaint."""

    def __init__(self, context: BrowserContext, site: str, person: str = "") -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context, self.site = context, site
        if person:
            context.add_cookies([{"name": "huiying_person", "value": person, "url": site}])
        self.page: Page = context.new_page()
        context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def go(self, path: str) -> Page:
        self.page.goto(self.site + path)
        self.page.wait_for_selector('html[data-live="on"]', state="attached")
        return self.page
