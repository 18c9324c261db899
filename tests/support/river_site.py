"""A whole site whose time moves by hand: real feeds over HTTP, a real webhook receiver, a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from flows.deliver import deliver
from flows.ingest import ingest
from flows.office.desk import Desk
from flows.respond import respond
from flows.triage import triage
from flows.watch import watch
from flows.wiring import House
from models.core.moment import CST
from models.ledger.verify import verify
from support.receiver import Receiver
from support.sites import ENVIRON, write_site
from support.web import Web

MIDNIGHT = datetime(2026, 11, 21, 0, 0, tzinfo=CST)


@dataclass
class HandTime:
    """The site's time, moved by the test alone."""

    moment: datetime = MIDNIGHT
    speed: float = 1.0
    jump: timedelta | None = None

    def now(self) -> datetime:
        return self.moment


def at(text: str) -> datetime:
    """02:30 → that time of the first day; 1+02:30 → of the next."""
    day, _, clock = text.rpartition("+")
    hours, minutes = clock.split(":")
    return MIDNIGHT + timedelta(days=int(day or 0), hours=int(hours), minutes=int(minutes))


@dataclass
class Site:
    """What a test of the river holds in its hands."""

    house: House
    time: HandTime
    web: Web
    receiver: Receiver
    feeds: dict[str, list[tuple[str, str, datetime]]] = field(default_factory=dict)

    def say(self, feed: str, title: str, body: str) -> None:
        """A feed publishes an item now, with its page at /FEED/NUMBER."""
        items = self.feeds.setdefault(feed, [])
        items.append((title, body, self.time.now()))
        self.show(f"/{feed}/{len(items) - 1}", title, body)
        listed = rss(items, self.web.url(f"/{feed}"))
        self.web.page(f"/{feed}.xml", listed, {"Content-Type": "application/rss+xml"})

    def show(self, path: str, title: str, body: str) -> None:
        """A page is there, and says this."""
        head, words = f"<head><title>{escape(title)}</title></head>", f"<p>{escape(body)}</p>"
        page = f"<html>{head}<body><h1>{escape(title)}</h1>{words}</body></html>"
        self.web.page(path, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def until(self, moment: str, every: timedelta = timedelta(minutes=1)) -> list[str]:
        """Let time pass minute by minute up to `moment`; returns what the receiver was told since."""
        before = len(self.receiver.requests)
        goal = at(moment)
        while self.time.moment < goal:
            self.time.moment = min(goal, self.time.moment + every)
            self.beat()
        return [told(body) for body in self.bodies(before)]

    def bodies(self, since: int = 0) -> list[dict[str, Any]]:
        """Every alert that has come in, also those that came along in another's message."""
        messages = [request.json() for request in self.receiver.requests[since:]]
        return [body for message in messages for body in (message, *message.get("also", ()))]

    def beat(self) -> None:
        asyncio.run(ingest(self.house))
        triage(self.house)
        asyncio.run(watch(self.house))
        respond(self.house)
        deliver(self.house)

    @property
    def desk(self) -> Desk:
        return Desk(self.house)

    def clocks(self, incident: str) -> dict[str, str]:
        shown = self.desk.incident(incident)
        assert shown is not None
        return {clock["id"]: clock["state"] for clock in shown["clocks"]}

    def verified(self) -> bool:
        found = verify(self.house.store, self.time.now())
        assert found["findings"] == []
        return bool(found["ok"])


def told(body: dict[str, object]) -> str:
    recipient = body["recipient"]
    assert isinstance(recipient, dict)
    if "clock" not in body:  # a notice is about no clock
        return f"{body['kind']} {recipient['person']}"
    clock, step = body["clock"], body["step"]
    assert isinstance(clock, dict)
    assert isinstance(step, dict)
    return f"{clock['id']} {step['key']} {recipient['person']}"


def rss(items: list[tuple[str, str, datetime]], base: str, first: int = 0) -> bytes:
    """A feed of these items, numbered from `first`."""
    rows = "".join(
        f"<item><guid>{n}</guid><title>{escape(title)}</title><link>{base}/{n}</link>"
        f"<description>{escape(body)}</description><pubDate>{when:%a, %d %b %Y %H:%M:%S +0800}</pubDate></item>"
        for n, (title, body, when) in enumerate(items, first)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{rows}</channel></rss>'.encode()


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with river(tmp_path, database_url) as made:
        yield made


@contextmanager
def river(
    tmp_path: Path, database_url: str, prepare: Callable[[Path], None] | None = None, **hook: int
) -> Iterator[Site]:
    """A site with a feed, an official channel and a webhook; `hook` are settings of the webhook, `prepare` may
    write more into its folder before it is opened."""
    with Receiver() as receiver, Web() as web:
        directory = write_site(tmp_path / "site", receiver.url, database=database_url, **hook)
        (directory / "sources.yaml").write_text(
            f"""feeds:
  - {{id: news, name: 临江新闻, url: "{web.url("/news.xml")}", medium: news, every: PT1M, every_max: PT1M}}
official:
  - {{id: release, name: 临江发布, url: "{web.url("/release.xml")}", every: PT1M}}
""",
            encoding="utf-8",
        )
        if prepare is not None:
            prepare(directory)
        time = HandTime()
        with House.open(directory, ENVIRON) as house:
            house.time = time
            made = Site(house, time, web, receiver)
            for feed in ("news", "release"):
                web.page(f"/{feed}.xml", rss([], web.url("")), {"Content-Type": "application/rss+xml"})
            yield made
