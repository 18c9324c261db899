"""Three people's days from end to end in Debian's Chromium, over a whole site; pictures of each in tests/output.

The officer at 02:13 on a phone in the dark; the manager at 08:30 before a wall; the author before a holiday.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from playbooks.shelf import SHIPPED
from support.chromium import DESK, PHONE, WALL, Visitor
from support.furnished import furnished
from support.line import Line
from support.photos import drawn
from support.river_site import Site, at, river

OUTPUT = Path(__file__).parents[1] / "output"
SOON = 15_000
MAJOR = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")


def with_review(folder: Path) -> None:
    own = folder / "site.yaml"
    said = json.loads(own.read_text(encoding="utf-8")) | {"playbooks": {"review": True}}
    own.write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("journeys")
    with river(folder, f"sqlite:///{folder / 'huiying.sqlite'}", with_review) as made:
        yield made


@pytest.fixture(scope="module")
def told(site: Site) -> tuple[str, str]:
    with ThreadPoolExecutor(1) as other:  # this thread's event loop is Playwright's
        return other.submit(furnished, site).result()


@pytest.fixture(scope="module")
def line(site: Site, told: tuple[str, str]) -> Iterator[Line]:
    made = Line(site.desk)
    yield made
    made.cut()


@pytest.fixture
def opened(browser: Browser) -> Iterator[list[BrowserContext]]:
    made: list[BrowserContext] = []
    yield made
    for context in made:
        context.close()


def picture(page: Page, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"journey-{name}.png")


def grave(visitor: Visitor) -> list[str]:
    """What the browser complained of; not that a page was left while htmx still asked for it."""
    return [text for text in visitor.complaints if not text.startswith("htmx:")]


def sheet(page: Page, name: str, incident: str) -> None:
    page.click(f'button[popovertarget="{name}-{incident}"]')
    expect(page.locator(f"#{name}-{incident}")).to_be_visible()


def heard(site: Site, incident: str) -> str:
    """The path that the officer's alert leads to."""
    urls = [body["incident"]["url"] for body in site.bodies() if body["recipient"]["person"] == "chen"]
    (url,) = {url for url in urls if url.endswith(incident)}
    return urlsplit(url).path


def test_the_officer_at_a_quarter_past_two(
    browser: Browser, site: Site, line: Line, told: tuple[str, str], opened: list[BrowserContext]
) -> None:
    incident = told[0]
    settings = {"viewport": PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
    opened.append(browser.new_context(locale="zh-CN", **settings))  # type: ignore[arg-type]
    officer = Visitor(opened[-1], line.address, "chen")
    # the alert's link: the incident itself; from there to what is mine
    page = officer.go(heard(site, incident))
    expect(page.locator("h1")).to_contain_text("望江路")
    picture(page, "officer-1-alert")
    page.get_by_role("link", name="我的").click()
    page.wait_for_selector('html[data-live="on"]', state="attached")
    expect(page.locator("main h1")).to_contain_text("等您签收或处理")
    picture(page, "officer-2-mine")
    # one thumb
    page.click(f"#ack-{incident}")
    expect(page.locator("#notice")).to_contain_text("已签收", timeout=SOON)
    expect(page.locator(f"#ack-{incident}")).to_have_count(0, timeout=SOON)
    # what has been published, photographed
    sheet(page, "proof", incident)
    proof = page.locator(f"#proof-{incident}")
    photo = {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": drawn(page, 1600, 1200)}
    proof.locator('input[type="file"]').set_input_files(photo)  # type: ignore[arg-type]
    expect(proof.locator("canvas")).to_be_visible(timeout=SOON)
    picture(page, "officer-3-photo")
    proof.locator("select").select_option("published_statement")
    proof.get_by_role("button", name="加凭据").click()
    expect(page.locator("#notice")).to_contain_text("已加凭据", timeout=SOON)
    expect(page.locator(f"#i-{incident}")).not_to_contain_text("首次发布权威信息", timeout=SOON)
    # in the lift: no line
    line.cut()
    sheet(page, "note", incident)
    picture(page, "officer-4-note")
    page.locator(f"#note-{incident} textarea").fill("已到现场，抢修队两小时内恢复供水")
    page.locator(f"#note-{incident}").get_by_role("button", name="记录").click()
    expect(page.locator("#waiting li")).to_contain_text("待送出", timeout=SOON)
    picture(page, "officer-5-no-line")
    line.mend()
    expect(page.locator("#waiting li")).to_contain_text("已送达", timeout=3 * SOON)
    shown = site.desk.incident(incident)
    assert shown is not None
    kinds = [entry["kind_zh"] for entry in shown["timeline"] if entry["actor"] == "陈值班"]
    assert [kind for kind in kinds if kind in ("签收", "凭据", "进展")] == ["签收", "凭据", "进展"]
    assert len(shown["acked"]) == 1 and site.verified()


@pytest.fixture(scope="module")
def morning(site: Site, told: tuple[str, str]) -> None:
    """What was due in the night has been raised, and is late where nobody did it."""

    def wake() -> None:
        site.time.moment = at("08:30")
        site.beat()

    with ThreadPoolExecutor(1) as other:
        other.submit(wake).result()


@pytest.mark.usefixtures("morning")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_manager_at_half_past_eight(
    browser: Browser,
    line: Line,
    told: tuple[str, str],
    opened: list[BrowserContext],
    scheme: str,
    tmp_path: Path,
) -> None:
    opened.append(browser.new_context(locale="zh-CN", viewport=WALL, color_scheme=scheme))  # type: ignore[arg-type]
    manager = Visitor(opened[-1], line.address, "li")
    page = manager.go("/")
    expect(page.locator("main")).to_contain_text("望江路泵站停电")
    picture(page, f"manager-1-board-{scheme}")
    page.locator("#b-sieve summary").click()
    page.locator("#f-q").fill("望江路")
    page.locator("#f-go").click()
    expect(page.locator(".found")).to_contain_text("1 件")
    expect(page.locator("article.card")).to_have_count(1)
    picture(page, f"manager-2-filter-{scheme}")
    page.goto(f"{line.address}/trends")
    expect(page.locator("#ch-share canvas")).to_be_visible(timeout=SOON)
    picture(page, f"manager-3-trends-{scheme}")
    page.locator('.nav a[href="/reports"]').click()
    brief = page.locator("form", has=page.locator('input[value="brief"]'))
    with page.expect_download() as taken:
        brief.locator("button.primary").click()
    taken.value.save_as(tmp_path / "report")
    assert (tmp_path / "report").stat().st_size > 5000
    picture(page, f"manager-4-reports-{scheme}")
    assert [one for one in manager.requests if urlsplit(one).hostname != "127.0.0.1"] == []
    assert grave(manager) == []


def test_the_author_before_a_holiday(
    browser: Browser, site: Site, line: Line, opened: list[BrowserContext]
) -> None:
    opened.append(browser.new_context(locale="zh-CN", viewport=DESK))
    author = Visitor(opened[-1], line.address, "chen")
    page = author.go("/playbooks")
    page.get_by_role("link", name="重大突发事件").first.click()
    text = page.locator("textarea.source")
    # a slip of the pen is shown at its place while typing
    text.fill(MAJOR.replace("PT5H", "5小时", 1))
    expect(page.locator(".findings")).to_contain_text("写成 PT5H", timeout=SOON)
    picture(page, "author-1-mistake")
    text.fill(MAJOR.replace("PT5H", "PT4H", 1))
    expect(page.locator(".changes")).to_contain_text("由 5 小时 改为 4 小时", timeout=SOON)
    expect(page.locator(".gantt svg")).to_be_visible()
    picture(page, "author-2-tried")
    page.locator('input[name="reason"]').first.fill("节日值守从严")
    page.get_by_role("button", name="送审").click()
    expect(page.locator("main")).to_contain_text("待审", timeout=SOON)
    # a second person
    opened.append(browser.new_context(locale="zh-CN", viewport=DESK, color_scheme="dark"))
    second = Visitor(opened[-1], line.address, "li")
    page = second.go(urlsplit(page.url).path)
    page.locator('form[action$="/acts/approve"] input[name="reason"]').fill("已核对")
    picture(page, "author-3-second-person")
    page.locator('form[action$="/acts/approve"] button').click()
    expect(page.locator(".versions")).to_contain_text("李主任", timeout=SOON)
    expect(page.locator(".versions .tag.law").first).to_contain_text("现行")
    made = site.desk.act(
        "open", "", {"title": "节日踩踏", "grade": "II", "occurred_at": at("02:00").isoformat()}, "li"
    )
    first = next(clock for clock in made["clocks"] if clock["id"] == "first_statement")
    assert first["due_at"] == at("06:00").isoformat()  # four hours, by the text that two people stand for
    assert grave(author) == grave(second) == []
