"""The pictures of the guides, of the real pages: one night in 临江市, photographed where a paragraph speaks of it.

`make pictures` plays the demonstration's story by hand (`stage`), lets the people of the guides do what the
guides say, and writes docs/pictures/*.png. Time stands still while a picture is taken.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect

from playbooks.shelf import SHIPPED
from support.chromium import Visitor, chromium
from support.console import served
from support.drawing import PICTURES
from support.palette import lighter
from support.stage import COUNTY, Stage, stage

PHONE: ViewportSize = {"width": 390, "height": 780}
DESK: ViewportSize = {"width": 1180, "height": 900}
MAJOR = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
TEXT = """## 事实
11月21日1时54分，东埠区江东化工园区澜港新材料公司一车间发生爆燃并起火，造成10人死亡，明火已于5时10分扑灭。

## 措施
市委市政府主要领导到场指挥，周边800米居民已有序转移，市生态环境局每小时监测一次空气和水质。

## 结果
事故原因由市应急管理局牵头调查，11月21日12时前再次通报。
"""
WRONG = """工单编号,标题,内容,受理时间
GD-1107,路灯不亮,北岸区柳荫街三盏路灯连续一周不亮,2026-11-21 18:20
GD-1108,井盖松动,南湖路与文昌街路口井盖松动，车过有响声,二十一号晚上
GD-1109,,,2026-11-21 18:42
"""
SOON = 20_000
ROOM = 12.0


@dataclass
class Camera:
    """A browser before the console; what it takes goes to docs/pictures."""

    browser: Browser
    address: str
    wanted: tuple[str, ...] = ()

    @contextmanager
    def looking(self, person: str, path: str, viewport: ViewportSize = DESK) -> Iterator[Page]:
        """A page as this person sees it."""
        shape: dict[str, Any] = {"viewport": viewport, "locale": "zh-CN", "color_scheme": "light"}
        if viewport is PHONE:
            shape |= {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
        context = self.browser.new_context(**shape)
        try:
            page = Visitor(context, self.address, person).go(path)
            page.evaluate("document.fonts.ready")
            yield page
        finally:
            context.close()

    def take(self, page: Page, name: str, *parts: str, most: float = 0) -> None:
        """Photograph what `parts` (CSS) cover together, `most` pixels high at the most; without parts the window."""
        if self.wanted and name not in self.wanted:
            return
        clip = _covering(page, parts, most) if parts else None
        shot = page.screenshot(clip=clip, full_page=bool(clip), animations="disabled", caret="hide")  # type: ignore[arg-type]
        blank = page.context.new_page()
        (PICTURES / f"{name}.png").write_bytes(lighter(blank, shot))
        blank.close()
        sys.stdout.write(
            f"docs/pictures/{name}.png  {(PICTURES / f'{name}.png').stat().st_size // 1000} kB\n"
        )


def _covering(page: Page, parts: tuple[str, ...], most: float) -> dict[str, float]:
    """The rectangle around the first of each part, with a little room."""
    boxes = [page.locator(part).first.bounding_box() for part in parts]
    found = [box for box in boxes if box]
    assert len(found) == len(parts), f"not all of {parts} are to be seen"
    scrolled = page.evaluate("[scrollX, scrollY]")
    left = min(box["x"] for box in found) + scrolled[0] - ROOM
    top = min(box["y"] for box in found) + scrolled[1] - (0 if parts == ("main",) else ROOM)
    right = max(box["x"] + box["width"] for box in found) + scrolled[0] + ROOM
    bottom = max(box["y"] + box["height"] for box in found) + scrolled[1] + ROOM
    wide = page.evaluate("document.documentElement.scrollWidth")
    left, right, top = max(0.0, left), min(float(wide), right), max(0.0, top)
    high = bottom - top
    return {"x": left, "y": top, "width": right - left, "height": min(high, most) if most else high}


Scene = tuple[timedelta, Callable[[Stage, Camera], None]]


def alerted(stage: Stage, camera: Camera) -> None:
    """02:12: the officer's telephone has rung."""
    with camera.looking("zhao", "/mine", PHONE) as page:
        camera.take(page, "phone")
    with camera.looking("zhao", "/mine", PHONE) as page:
        page.click('button[popovertarget="proof-2026-0001"]')
        expect(page.locator("#proof-2026-0001")).to_be_visible()
        camera.take(page, "phone-proof")


def regraded(stage: Stage, camera: Camera) -> None:
    """05:27: ten dead, II, and what was due at five hours is near."""
    with camera.looking("zhao", "/incidents/2026-0001", PHONE) as page:
        camera.take(page, "phone-incident")
    with camera.looking("zhao", "/incidents/2026-0001/work", PHONE) as page:
        page.evaluate("document.querySelector('main .panel').scrollIntoView()")
        camera.take(page, "phone-work")
    with camera.looking("wang", "/incidents/2026-0001") as page:
        camera.take(page, "incident", "#head", "#clocks")
        page.locator("#bounds summary").click()
        camera.take(page, "why", "#why", most=700)
        page.locator("#act-stop summary").click()
        camera.take(page, "acts", "#acts", most=900)


def reviewed(stage: Stage, camera: Camera) -> None:
    """05:36: the statement lies before its first reviewer; then all of them sign."""
    title = "关于江东化工园区爆燃事故的情况通报"
    written = {"title": title, "text": TEXT, "disclosure": "proactive", "outlets": "website"}
    number = str(stage.desk.statements.draft("2026-0001", written, "zhao")["id"])
    names = {
        "reviewers": "wang,li,zhou",
        "secrecy": "wang",
        "facts_reason": "市应急管理局 5 时 20 分书面核实",
    }
    stage.desk.statements.act("submit", number, names, "zhao")
    with camera.looking("wang", f"/statements/{number}") as page:
        camera.take(page, "statement", "main", most=820)
    shown = stage.desk.statements.one(number)
    for step in sorted(shown["chain"], key=lambda step: step["person"] != "wang"):
        signed = {"step": step["key"], "sha256": shown["sha256"], "reason": "同意"}
        stage.desk.statements.act("sign", number, signed, step["person"])


def handed(stage: Stage, camera: Camera) -> None:
    """08:00: the night shift has written what it leaves."""
    stage.desk.act("assign", "2026-0001", {"unit": "office", "reason": "谁主管谁负责"}, "wang")
    stage.desk.work.act("claim", "2026-0001", {"unit": "office", "reason": "属本单位职责"}, "wang")
    with camera.looking("chen", "/handover") as page:
        camera.take(page, "handover", "main h1", "main article", most=900)


def evening(stage: Stage, camera: Camera) -> None:
    """19:30: several incidents stand on the board."""
    with camera.looking("wang", "/") as page:
        camera.take(page, "board")
    with camera.looking("wang", "/incidents/2026-0001") as page:
        page.wait_for_timeout(300)
        camera.take(page, "heat", "#picture", most=760)
        camera.take(page, "story", "#story", most=760)
    with camera.looking("wang", "/roster") as page:
        camera.take(page, "roster", "main", most=900)
    with camera.looking("chen", "/handover/log") as page:
        camera.take(page, "dutylog", "main", most=760)
    stage.county.page(COUNTY, b"gone", {}, 502)
    (stage.house.site.directory / "tickets" / "补录.csv").write_text(WRONG, encoding="utf-8")


def silent(stage: Stage, camera: Camera) -> None:
    """21:30: one source has failed for two hours, and a table came whose time nobody can read."""
    with camera.looking("wang", "/") as page:
        camera.take(page, "coverage", "main", most=300)
    with camera.looking("wang", "/sources") as page:
        camera.take(page, "sources", "main", most=700)
    with camera.looking("wang", "/deadletters") as page:
        camera.take(page, "deadletters", "main", most=520)
        page.locator("main a[href^='/deadletters/']").first.click()
        page.wait_for_selector('html[data-live="on"]', state="attached")
        camera.take(page, "deadletter", "main", most=620)


def settled(stage: Stage, camera: Camera) -> None:
    """The next morning: what the leaders ask for."""
    for name, path, most in (("trends", "/trends", 620), ("reports", "/reports", 640), ("audit", "/audit", 700),
                             ("assessment", "/assessment", 800)):  # fmt: skip
        with camera.looking("li", path) as page:
            page.wait_for_timeout(500)
            camera.take(page, name, "main", most=most)


def authored(stage: Stage, camera: Camera) -> None:
    """An author tries a stricter limit; a second person reads it."""
    with camera.looking("chen", "/playbooks/major_emergency") as page:
        text = page.locator("textarea.source")
        text.fill(MAJOR.replace("PT5H", "5小时", 1))
        expect(page.locator(".findings")).to_contain_text("写成 PT5H", timeout=SOON)
        text.evaluate("area => { area.scrollTop = 0 }")
        camera.take(page, "playbook-mistake", "#draft", most=400)
        text.fill(MAJOR.replace("PT5H", "PT4H", 1))
        expect(page.locator(".changes")).to_contain_text("由 5 小时 改为 4 小时", timeout=SOON)
        camera.take(page, "playbook-tried", "#tried", most=900)
        page.locator('input[name="reason"]').first.fill("节日值守从严")
        page.get_by_role("button", name="送审").click()
        expect(page.locator("main")).to_contain_text("待审", timeout=SOON)
        address = re.sub(r"^https?://[^/]+", "", page.url)
    with camera.looking("li", address) as page:
        page.locator('form[action$="/acts/approve"] input[name="reason"]').fill("已核对")
        camera.take(page, "playbook-second", "section.panel:has(.versions)", most=500)


SCENES: tuple[Scene, ...] = (
    (timedelta(minutes=19), alerted),
    (timedelta(hours=3, minutes=34), regraded),
    (timedelta(hours=3, minutes=43), reviewed),
    (timedelta(hours=6, minutes=7), handed),
    (timedelta(hours=17, minutes=37), evening),
    (timedelta(hours=19, minutes=37), silent),
    (timedelta(hours=32), settled),
    (timedelta(hours=32), authored),
)


def photograph(folder: Path, wanted: tuple[str, ...] = ()) -> None:
    """Play the story scene by scene and take the pictures, or those that are `wanted`."""
    with (
        stage(folder, "playbooks: {review: true}") as night,
        served(night.desk) as address,
        chromium(LANGUAGE="zh_CN") as browser,
    ):
        camera = Camera(browser, address, wanted)
        with ThreadPoolExecutor(1) as other:  # this thread's event loop is Playwright's
            for after, scene in SCENES:
                other.submit(night.go_on, after).result()
                scene(night, camera)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()):  # the story's alerts
        photograph(Path(folder), tuple(sys.argv[1:]))


if __name__ == "__main__":
    main()
