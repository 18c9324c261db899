"""A round over 2,000 sources on hosts of their own, 30 % changed, beside feedparser alone."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

import feedparser  # type: ignore[import-untyped]
import pytest

from connectors.http import Guard
from flows.ingest import ingest
from flows.timekeeping import machine_now
from flows.wiring import House
from models.core.moment import local
from models.ledger import duties
from playbooks.papers import HttpSource
from playbooks.sources_paper import SourcesSource
from support import hotsearch, press
from support.figures import Figures
from support.press import Press
from support.river_site import HandTime
from support.sites import ENVIRON, write_site
from support.web import Web

CHANGED = 30


@pytest.fixture
def paper() -> Iterator[Press]:
    with Press() as printed:
        yield printed


def house_with(tmp_path: Path, database_url: str, paper: Press, count: int) -> House:
    house = House.open(write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url), ENVIRON)
    rows = [{"id": f"f{n}", "name": f"源{n}", "url": paper.feed(n), "every": "PT10M"} for n in range(count)]
    hosts = [paper.host_of(n) for n in range(count)]
    settings = HttpSource.model_validate({"allow_hosts": ["127.0.0.1", *hosts]})
    sources = SourcesSource.model_validate({"feeds": rows})
    house.site = replace(house.site, sources=sources, http=settings)
    house.time = HandTime(local(machine_now()))
    return house


def rounds(house: House) -> tuple[float, int]:
    """Read until nothing is due; seconds, and signals accepted."""
    began, accepted = time.perf_counter(), 0
    while True:
        tally = asyncio.run(ingest(house))
        accepted += tally.accepted
        assert not tally.failed, tally.failed[:3]
        if not tally.read and not due(house):
            return time.perf_counter() - began, accepted


def due(house: House) -> bool:
    with house.store.read() as conn:
        rows = duties.source_states(conn)
    return len(rows) < len(house.site.sources.feeds) or any(
        row.due_at <= house.time.now() for row in rows.values()
    )


def forward(house: House) -> None:
    house.time = HandTime(house.time.now() + timedelta(hours=1))


def test_two_thousand_sources_are_read_in_a_round(
    database_url: str, engine: str, tmp_path: Path, paper: Press, short: bool, measured: Figures
) -> None:
    count = 200 if short else 2_000
    with house_with(tmp_path, database_url, paper, count) as house:
        first_s, first = rounds(house)
        paper.turn(CHANGED)
        forward(house)
        cycle_s, fresh = rounds(house)
        forward(house)
        idle_s, nothing = rounds(house)
    changed = sum(n % 100 < CHANGED for n in range(count))
    assert (first, fresh, nothing) == (count * press.ENTRIES, changed * press.NEW, 0)
    alone_s = parsed_alone(changed)
    read = changed * press.ENTRIES
    what = f"{count:,} feeds"
    measured.add(f"{what}, first round, all {first:,} entries new and committed", "s", engine, first_s)
    measured.add(f"{what}, a round with {CHANGED} % changed, committed", "s", engine, cycle_s)
    measured.add("  entries read in it", "entries/s", engine, read / cycle_s)
    measured.add(
        "  feedparser alone on the same changed feeds, one process", "entries/s", engine, read / alone_s
    )
    measured.add(f"{what}, a round with nothing changed", "s", engine, idle_s)


def parsed_alone(changed: int) -> float:
    """Seconds that feedparser itself takes over as many changed feeds, in this process."""
    bodies = [press.feed(number, 1) for number in range(changed)]
    began = time.perf_counter()
    entries = sum(len(feedparser.parse(BytesIO(body)).entries) for body in bodies)
    assert entries == changed * press.ENTRIES
    return time.perf_counter() - began


@pytest.mark.parametrize("hung", [0, 10])
def test_hosts_that_hang_do_not_lengthen_the_round_of_the_others(
    database_url: str, engine: str, tmp_path: Path, paper: Press, short: bool, measured: Figures, hung: int
) -> None:
    """So many in a hundred of the sources lead to addresses where nobody ever answers."""
    count = 100 if short else 1_000
    with house_with(tmp_path, database_url, paper, count) as house, Silence() as silence:
        lost = [n for n in range(count) if n % 100 < hung]
        allowed = house.guard.allow_hosts | {silence.host(n) for n in lost}
        house.__dict__["guard"] = Guard(allowed, deadline_s=8.0)
        feeds = list(house.site.sources.feeds)
        for n in lost:
            feeds[n] = feeds[n].model_copy(update={"url": silence.url(n)})
        house.site = replace(house.site, sources=SourcesSource(feeds=tuple(feeds)))
        well = {feed.id for n, feed in enumerate(feeds) if n not in set(lost)}
        began = time.perf_counter()
        done = threading.Thread(target=lambda: asyncio.run(ingest(house)))
        done.start()
        while not well <= known(house):
            assert time.perf_counter() - began < 120
            time.sleep(0.25)
        others_s = time.perf_counter() - began
        done.join()
    what = f"feeds first read while {len(lost)} of {count:,} hosts hang for 8 s"
    measured.add(what, "feeds/s", engine, len(well) / others_s)


def test_five_years_of_hot_searches_are_read_as_feeds(
    database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    """A feed a day; `HUIYING_BENCH=long` reads all of them."""
    size = 20 if short else None if os.environ.get("HUIYING_BENCH") == "long" else 200
    days = list(islice(hotsearch.days(), size))
    titles = sum(len({(hour, title) for hour, title in seen}) for _, seen in days)
    with Web() as web:
        for day, seen in days:
            web.page(f"/{day}.xml", as_feed(day, seen), {"Content-Type": "application/rss+xml"})
        site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
        with House.open(site, ENVIRON) as house:
            rows = [
                {
                    "id": f"d{day}",
                    "name": day,
                    "url": web.url(f"/{day}.xml"),
                    "medium": "hot_search",
                    "every": "PT1H",
                }
                for day, _ in days
            ]
            manners = {
                "allow_hosts": ["127.0.0.1"],
                "ignore_robots": ["127.0.0.1"],
                "per_host": 20,
                "host_gap": "PT0S",
            }
            house.site = replace(
                house.site,
                sources=SourcesSource.model_validate({"feeds": rows}),
                http=HttpSource.model_validate(manners),
            )
            house.time = HandTime(local(machine_now()))
            seconds, accepted = rounds(house)
    assert accepted == titles
    measured.add(
        f"hot searches of {len(days):,} days as feeds, committed", "titles/s", engine, titles / seconds
    )


def as_feed(day: str, seen: list[tuple[str, str]]) -> bytes:
    items = "".join(
        f"<item><guid>{escape(f'{day} {hour} {title}')}</guid><title>{escape(title)}</title>"
        f"<pubDate>{day}T{hour}:00+08:00</pubDate></item>"
        for hour, title in seen
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{day}</title>'
    return f"{head}{items}</channel></rss>".encode()


class Silence:
    """A listener that takes connections and never says a word, at as many loopback addresses as asked."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("0.0.0.0", 0), backlog=512)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def host(self, number: int) -> str:
        return f"127.1.{number // 250 + 1}.{number % 250 + 1}"

    def url(self, number: int) -> str:
        return f"http://{self.host(number)}:{self._socket.getsockname()[1]}/"


def known(house: House) -> set[str]:
    with house.store.read() as conn:
        return {row.id for row in duties.source_states(conn).values() if row.last_good_at}
