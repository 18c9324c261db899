"""The demonstration city 临江市 with its time moved by hand: the same night, minute by minute, on every machine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connectors.demo import DemoServer, Story
from flows.demo import Demonstration
from flows.duty import DUTIES, perform
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST
from models.ledger import duties
from playbooks.loader import load
from support.codegraph import ROOT
from support.river_site import HandTime, rss
from support.web import Web

BEGAN = datetime(2026, 11, 21, 1, 53, tzinfo=CST)
"""Twenty minutes in, at 02:13, the officer's telephone rings."""
COUNTY = "/county.xml"
"""A sixth source, on a server of its own, so that one can fall silent by itself."""


@dataclass
class Stage:
    """The site, its story and its clock."""

    house: House
    time: HandTime
    story: Demonstration
    county: Web

    @property
    def desk(self) -> Desk:
        return Desk(self.house)

    def until(self, moment: datetime, step: timedelta = timedelta(minutes=1)) -> None:
        """Let the story and every duty go on, step by step, up to `moment`."""
        while self.time.moment < moment:
            self.time.moment = min(moment, self.time.moment + step)
            self.story.pass_time()
            asyncio.run(self._work())

    def go_on(self, after: timedelta) -> None:
        """To so long after the beginning: by minutes where it is near, by five minutes over long stretches."""
        goal = BEGAN + after
        if goal - self.time.moment > timedelta(hours=1):
            self.until(goal - timedelta(minutes=10), timedelta(minutes=5))
        self.until(goal)

    async def _work(self) -> None:
        for name in DUTIES:
            await perform(self.house, name)


@contextmanager
def stage(folder: Path, *settings: str) -> Iterator[Stage]:
    """A copy of deploy/demo on free ports, its database fresh, its Prefect off; `settings` are more of site.yaml."""
    site = folder / "site"
    shutil.copytree(ROOT / "deploy" / "demo", site)
    time = HandTime(BEGAN)
    story = Story.from_dict(load(site / "story.yaml").data)
    server = DemoServer(story, time.now, BEGAN, 0)
    with Web() as county, server:
        county.page(COUNTY, rss([], ""), {"Content-Type": "application/rss+xml"})
        _settle(site, server.url, county.url(COUNTY), settings)
        with House.open(site, {}) as house:
            house.time = time
            with house.store.write() as conn:
                kept = {"started_at": BEGAN.isoformat(), "acted_s": 0.0}
                duties.put_setting(conn, "demonstration", kept)
            told = Demonstration(house, story, BEGAN, timedelta(0), server, lambda _said: None)
            yield Stage(house, time, told, county)


def _settle(site: Path, feeds: str, county: str, settings: tuple[str, ...]) -> None:
    """The copy's own addresses, one source more, no Prefect."""
    sources = (site / "sources.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:8788", feeds)
    more = f'  - {{id: county, name: 澜港县融媒, url: "{county}", medium: news, every: PT10M, every_max: PT10M}}\n'
    (site / "sources.yaml").write_text(
        sources.replace("tickets:\n", more + "tickets:\n", 1), encoding="utf-8"
    )
    own = (site / "site.yaml").read_text(encoding="utf-8")
    lines = [own, "prefect: {enabled: false}", *settings]
    (site / "site.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
