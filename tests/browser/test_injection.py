"""Words from outside in every field, drawn on every page in Chromium: nothing of them runs, nothing leads astray."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog

from connectors import sealing
from connectors.console.app import build
from flows.collecting import intake
from flows.office.desk import Desk
from flows.triage import triage
from flows.wiring import House
from models.core.moment import iso
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium
from models.ledger import captures, deadletters
from support.chromium import Visitor
from support.console import served
from support.fake_desk import FakeDesk
from support.routes import routes
from support.sites import ENVIRON, write_site

EVIL = (
    "塌陷<img src=x onerror=window.pwned=1>\"'><script>window.pwned=2</script>"
    "<svg onload=window.pwned=3>{{7*7}}</textarea></title>"
)
LINKS = (
    "javascript:window.pwned=4",
    "data:text/html,<script>alert(1)</script>",
    "JaVaScRiPt\t:alert(1)",
    "vbscript:x",
)
KEY = sealing.new_key()
OURS = {"id": "county", "private_key": "${HUIYING_LEVELS_KEY}"}
ABOVE = {
    "id": "city",
    "name": EVIL,
    "relation": "upper",
    "url": "http://127.0.0.1:9",
    "public_key": sealing.public_of(KEY),
}
FOUND = """() => ({
  pwned: window.pwned || null,
  scripts: [...document.scripts].filter(s => !s.src.startsWith(location.origin + '/static/')).map(s => s.outerHTML),
  handlers: [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()
    .filter(n => n.startsWith('on') || n.startsWith('hx-on')).map(n => e.outerHTML.slice(0, 200))),
  links: [...document.querySelectorAll('[href], [src], [action], [formaction], [hx-get], [hx-post]')]
    .map(e => e.getAttribute('href') || e.getAttribute('src') || e.getAttribute('action') || '')
    .filter(u => /^[\\s\\u0000-\\u0020]*(javascript|data|vbscript):/i.test(u)),
  foreign: [...document.querySelectorAll('img, iframe, object, embed, link, script')]
    .map(e => e.src || e.href || '').filter(u => u && !u.startsWith(location.origin)),
  forty_nine: document.body.innerText.includes('塌陷49')})"""


@dataclass
class Poisoned:
    """A served site whose every word is hostile, and the ids of what is in it."""

    address: str
    ids: dict[str, str]


def poison(directory: Path) -> None:
    """The site's own files: its name, its people, units, sources."""
    for name in ("site.yaml", "roster.yaml"):
        said = json.loads((directory / name).read_text(encoding="utf-8"))
        if name == "site.yaml":
            said |= {"name": EVIL, "levels": OURS, "neighbours": [ABOVE]}
        for one in (*said.get("people", ()), *said.get("units", ())):
            one["name"] = f"{one['name']}{EVIL}"
        (directory / name).write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    source = {"id": "hotline", "name": EVIL, "folder": "in"}
    (directory / "in").mkdir()
    (directory / "sources.yaml").write_text(
        json.dumps({"tickets": [source]}, ensure_ascii=False), encoding="utf-8"
    )


def hear(house: House) -> None:
    """Signals whose every text is hostile, and rows that nobody could read."""
    now = house.time.now()
    heard = [
        RawSignal("hotline", f"{EVIL}{n}", Medium.FORUM, f"{EVIL}致3人死亡", EVIL * 3, url, EVIL, now, EVIL)
        for n, url in enumerate(LINKS)
    ]
    intake.store(house, Batch(tuple(heard), ()), "hotline")
    fields = {"row": {EVIL: EVIL}, "columns": {"title": EVIL}, "medium": "hotline"}
    with house.store.write() as conn:
        deadletters.reject(conn, now, "hotline", [Rejected(f"{EVIL}.csv:2", EVIL, EVIL, fields)])
    triage(house)


def work_on(desk: Desk) -> dict[str, str]:
    """An incident with something hostile in every room."""
    now = desk.now()
    about = {"title": EVIL, "grade": "II", "place": EVIL, "owner": EVIL, "reason": EVIL}
    incident = str(desk.act("open", "", about, "chen")["id"])
    acts: list[tuple[str, dict[str, str]]] = [
        ("ack", {"reason": EVIL}),
        ("update", {"text": EVIL}),
        ("assign", {"unit": EVIL, "co": EVIL, "reason": EVIL}),
        ("correct", {"event": "occurrence", "value": iso(now - timedelta(hours=30)), "reason": EVIL}),
        ("stop", {"kind": "published_update", "document": EVIL, "publisher": EVIL, "reason": EVIL}),
    ]
    for name, params in acts:
        desk.act(name, incident, params, "li")
    statement = desk.statements.draft(
        incident, {"title": EVIL, "text": f"## 事实\n{EVIL}\n[x]({LINKS[0]})"}, "chen"
    )["id"]
    desk.statements.wording(incident, {"text": EVIL}, "li")
    booked = {
        "kind": "press_conference",
        "starts_at": iso(now + timedelta(hours=3)),
        "place": EVIL,
        "post": EVIL,
    }
    meeting = desk.meetings.act("book", incident, booked, "li")["acted_on"]
    desk.meetings.act("ask", incident, {"meeting": meeting, "ask": EVIL, "answer": EVIL}, "li")
    desk.meetings.act("promise", incident, {"due_at": iso(now + timedelta(hours=9)), "text": EVIL}, "li")
    desk.work.act("add", incident, {"name": EVIL, "unit": EVIL}, "li")
    desk.work.act("product", incident, {"kind": "collected", "text": EVIL}, "li")
    desk.work.task("add", {"name": EVIL, "unit": EVIL}, "li")
    desk.aftermath.act("lesson", incident, {"text": EVIL}, "li")
    entry = {"kind": "training", "title": EVIL, "unit": EVIL, "reason": EVIL, "incident": incident}
    register = desk.registers.act("add", "", entry, "li")["id"]
    referred = desk.work.act("refer", incident, {"to": "city", "reason": EVIL}, "li")["referrals"]
    with desk.writing() as conn:
        kept = captures.keep(conn, EVIL.encode(), "text/plain; charset=utf-8")
    return {
        "incident_id": incident,
        "statement_id": statement,
        "entry_id": register,
        "number": "1",
        "referral_id": referred[0]["id"],
        "sha256": kept,
    }


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Poisoned]:
    directory = write_site(tmp_path_factory.mktemp("poison") / "site", "http://127.0.0.1:9")
    poison(directory)
    with House.open(directory, ENVIRON | {"HUIYING_LEVELS_KEY": KEY}) as house:
        desk = Desk(house)
        hear(house)
        ids = work_on(desk)
        machine = [one["id"] for one in desk.board()["incidents"] if one["id"] != ids["incident_id"]]
        with served(desk) as address:
            yield Poisoned(
                address, {**ids, "playbook_id": "rumour", "machine": machine[0] if machine else ""}
            )


def pages() -> list[str]:
    """Every page and fragment that the app draws, by its path."""
    skipped = (
        "/events",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/",
        "/sw.js",
        "/manifest",
        "/logout",
        "/hooks/",
        "/a/",
    )
    known = routes(build(FakeDesk()))
    paths = {path for method, path in known if method == "GET" and not path.startswith(skipped)}
    return sorted(
        path for path in paths if not path.endswith((".svg", "/file", "/package", "/form", "/qr", "/picture"))
    )


@pytest.fixture(scope="module")
def visitor(browser: Browser, poisoned: Poisoned) -> Iterator[Visitor]:
    with browser.new_context() as context:
        yield Visitor(context, poisoned.address, "chen")


@pytest.mark.parametrize("path", pages())
def test_hostile_words_stay_words_on_every_page(visitor: Visitor, poisoned: Poisoned, path: str) -> None:
    for incident in filter(None, (poisoned.ids["incident_id"], poisoned.ids["machine"])):
        at = path
        for name, value in {**poisoned.ids, "incident_id": incident}.items():
            at = at.replace(f"{{{name}}}", value)
        assert "{" not in at, "a page of something new: let `work_on` make one"
        _look(visitor, at)
        if at == path.replace("{incident_id}", incident) and "{incident_id}" not in path:
            return


def _look(visitor: Visitor, at: str) -> None:
    dialogs: list[str] = []
    visitor.complaints.clear()
    page = visitor.page

    def hear(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", hear)
    page.goto(visitor.site + at)
    page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    found: dict[str, Any] = page.evaluate(FOUND)
    assert found == {
        "pwned": None, "scripts": [], "handlers": [], "links": [], "foreign": [], "forty_nine": False,
    }, at  # fmt: skip
    assert dialogs == []
    broken = [said for said in visitor.complaints if "Content Security Policy" in said]
    assert broken == [], at


def test_the_words_are_really_there(visitor: Visitor, poisoned: Poisoned) -> None:
    """Else the test above proves nothing."""
    shown = visitor.page
    for path in (
        "/",
        "/mine",
        f"/incidents/{poisoned.ids['incident_id']}",
        "/roster",
        "/tasks",
        "/audit",
        "/deadletters/1",
    ):
        shown.goto(visitor.site + path)
        assert "onerror=window.pwned=1" in shown.inner_text("body"), path


def test_what_was_typed_into_an_address_stays_words(visitor: Visitor) -> None:
    said = "%3Cscript%3Ewindow.pwned=9%3C/script%3E%22%3E%3Cimg%20src=x%20onerror=window.pwned=9%3E"
    rooms = (
        "audit?text=",
        "audit?from=",
        "tasks?said=",
        "tasks?unit=",
        "registers?said=",
        "me?back=",
        "login?back=",
    )
    more = (
        "deadletters?source=",
        "incidents/",
        "playbooks/",
        "",
        "assessment?from=",
        "reports?incident=",
        "?unit=",
    )
    for path in (*rooms, *more):
        _look(visitor, f"/{path}{said}")


def test_the_detector_sees_what_it_looks_for(visitor: Visitor) -> None:
    """A page that wrote the words as they are would be caught, by what stands in it if not by what ran."""
    visitor.page.goto(f"{visitor.site}/api/docs")
    visitor.page.set_content(f"<p>{EVIL}</p><a href='{LINKS[0]}'>x</a>")
    found = visitor.page.evaluate(FOUND)
    assert len(found["handlers"]) == 2
    assert found["scripts"]
    assert found["links"] == [LINKS[0]]
