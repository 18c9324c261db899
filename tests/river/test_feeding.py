"""Feeds in the whole site: their rhythm, possible loss, our own outage, robots, and who waits for whom."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from connectors.http import Guard
from flows.collecting.intake import Tally
from flows.ingest import ingest
from models.ledger import duties
from models.ledger.store import Row
from playbooks.papers import HttpSource
from playbooks.sources_paper import SourcesSource
from support.ports import free_port
from support.river_site import Site

XML = {"Content-Type": "application/rss+xml"}


def feed(*numbers: int, head: str = "") -> bytes:
    items = "".join(f"<item><guid>n-{n}</guid><title>第 {n} 条消息</title></item>" for n in numbers)
    return f'<rss version="2.0"><channel><title>t</title>{head}{items}</channel></rss>'.encode()


def register(site: Site, *feeds: dict[str, Any], **http: Any) -> None:
    """The site with these feeds (`url` may be a path) and no other source."""
    rows = [
        {"id": f"f{n}", "name": f"信源{n}", "every": "PT10M"}
        | feed
        | {"url": site.web.url(feed["url"]) if feed["url"].startswith("/") else feed["url"]}
        for n, feed in enumerate(feeds)
    ]
    settings = HttpSource.model_validate(
        {"allow_hosts": ["127.0.0.1"], "host_gap": "PT0S", "per_host": 9} | http
    )
    sources = SourcesSource.model_validate({"feeds": rows})
    site.house.site = replace(site.house.site, sources=sources, http=settings)


def read(site: Site) -> Tally:
    return asyncio.run(ingest(site.house))


def later(site: Site, minutes: float) -> Tally:
    site.time.moment += timedelta(minutes=minutes)
    return read(site)


def row(site: Site, name: str = "f0") -> Row[Any]:
    with site.house.store.read() as conn:
        return duties.source_states(conn)[name]


def wait_of(site: Site, name: str = "f0") -> float:
    """Minutes until the source is due."""
    return float((row(site, name).due_at - site.time.now()) / timedelta(minutes=1))


def seen(site: Site, number: int = 0) -> dict[str, Any]:
    return dict(site.desk.sources()[number])


def coverage(site: Site, name: str) -> dict[str, Any] | None:
    return next((item for item in site.desk.board()["coverage"]["items"] if item["name"] == name), None)


def test_a_feed_without_news_is_asked_less_often_and_one_full_of_news_more_often(site: Site) -> None:
    site.web.page("/a.xml", feed(1, 2, 3), XML)
    register(site, {"url": "/a.xml"})
    read(site)
    waits = [wait_of(site)]
    for _ in range(3):
        later(site, waits[-1])
        waits.append(wait_of(site))
    assert waits == [10, 15, 20, 20]
    for first in range(100, 700, 100):
        site.web.page("/a.xml", feed(3, *range(first, first + 9)), XML)
        later(site, wait_of(site))
    assert wait_of(site) == 2.5


def test_the_wish_of_a_feed_is_kept_up_to_the_ceiling(site: Site) -> None:
    site.web.page("/a.xml", feed(1), XML | {"Cache-Control": "max-age=840"})
    site.web.page("/b.xml", feed(1, head="<ttl>600</ttl>"), XML)
    register(site, {"url": "/a.xml"}, {"url": "/b.xml"})
    read(site)
    assert (wait_of(site, "f0"), wait_of(site, "f1")) == (14, 20)


def test_a_possible_loss_is_told_until_the_next_overlap_and_stays_counted(site: Site) -> None:
    site.web.page("/a.xml", feed(1, 2), XML)
    register(site, {"url": "/a.xml"})
    read(site)
    site.web.page("/a.xml", feed(8, 9), XML)
    later(site, 11)
    told = seen(site)
    assert (told["state"], told["gaps"], wait_of(site)) == ("gap", 1, 2.5)
    assert "可能漏读" in told["error"]
    item = coverage(site, "sources")
    assert item is not None
    assert (item["state"], item["detail"]) == ("late", "1/1 个信源可能漏读: 信源0")
    site.web.page("/a.xml", feed(9, 10), XML)
    later(site, 3)
    told = seen(site)
    assert (told["state"], told["error"], told["gaps"]) == ("ok", None, 1)
    assert told["last_gap_at"] is not None


def test_when_nobody_can_be_reached_it_is_our_network_and_no_source_is_charged(site: Site) -> None:
    site.web.page("/a.xml", feed(1), XML)
    gone = [{"url": f"http://127.0.0.1:{free_port()}/{n}.xml"} for n in range(2)]
    register(site, *gone)
    tally = read(site)
    assert [words.partition("：")[0] for words in tally.failed] == ["本机网络中断"]
    assert [(row(site, name).errors, row(site, name).error) for name in ("f0", "f1")] == [(0, None)] * 2
    assert wait_of(site) == 1
    item = coverage(site, "network")
    assert item is not None
    assert "2 个信源都连不上" in item["detail"]
    register(site, {"url": "/a.xml"}, gone[1])
    tally = later(site, 2)
    assert coverage(site, "network") is None
    assert (row(site, "f0").errors, row(site, "f1").errors) == (0, 1)
    assert len(tally.failed) == 1


def test_a_round_with_one_dead_source_asks_the_neighbours_whose_fault_it_is(site: Site) -> None:
    site.web.page("/a.xml", feed(1), XML)
    register(site, {"url": "/a.xml", "every": "PT1H"}, {"url": f"http://127.0.0.1:{free_port()}/"})
    read(site)
    later(site, 30)  # only the dead one is due
    assert row(site, "f1").errors == 2
    assert coverage(site, "network") is None


def test_waits_after_failures_grow_and_end_with_the_first_good_read(site: Site) -> None:
    site.web.page("/a.xml", b"", status=503)
    register(site, {"url": "/a.xml"})
    read(site)
    waits = [wait_of(site)]
    for _ in range(2):
        later(site, waits[-1])
        waits.append(wait_of(site))
    assert waits == [15, 20, 25]
    told = seen(site)
    assert (told["state"], told["errors"]) == ("failing", 3)
    assert "回答 503" in told["error"]
    site.web.page("/a.xml", feed(1), XML)
    later(site, 25)
    assert (seen(site)["state"], wait_of(site)) == ("ok", 10)


def test_what_robots_forbid_is_not_fetched_unless_the_host_is_our_own(site: Site) -> None:
    site.web.page("/robots.txt", b"User-agent: *\nDisallow: /in/\n")
    site.web.page("/in/a.xml", feed(1), XML)
    site.web.page("/out.xml", feed(2), XML)
    register(site, {"url": "/in/a.xml"}, {"url": "/out.xml"})
    assert read(site).accepted == 1
    assert "robots.txt 不许访问（Disallow: /in/）" in seen(site)["error"]
    assert [request.path for request in site.web.seen].count("/robots.txt") == 1
    later(site, 60)
    assert [request.path for request in site.web.seen].count("/robots.txt") == 1  # once a day
    assert "/in/a.xml" not in [request.path for request in site.web.seen]
    register(site, {"url": "/in/a.xml"}, {"url": "/out.xml"}, ignore_robots=["127.0.0.1"])
    assert later(site, 60).accepted == 1


def test_a_source_that_is_read_but_brings_nothing_new_against_its_habit_raises_an_alarm(site: Site) -> None:
    register(site, {"url": "/a.xml", "every": "PT20M", "every_min": "PT20M", "every_max": "PT20M"})
    for n in range(12):
        site.web.page("/a.xml", feed(n, n + 1), XML)
        later(site, 20)
    assert seen(site)["state"] == "ok"
    for _ in range(13):
        later(site, 60)
    told = seen(site)
    assert told["state"] == "silent"
    assert "平时约每 20 分" in told["error"]
    item = coverage(site, "sources")
    assert item is not None
    assert item["detail"] == "1/1 个信源沉默或出错: 信源0"


def test_a_page_without_a_feed_is_read_by_its_rule(site: Site) -> None:
    site.web.page("/list.html", '<ul><li><a href="/1">停水通告</a> 2026-11-20</ul>'.encode(), {})
    register(site, {"url": "/list.html", "type": "page", "select": {"item": "ul > li"}})
    assert read(site).accepted == 1
    assert seen(site)["kind"] == "网页"


def hang(stop: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def speak(handler: BaseHTTPRequestHandler) -> None:
        stop.wait(60)
        handler.close_connection = True

    return speak


def test_hosts_that_hang_delay_no_other_not_even_its_next_poll(site: Site) -> None:
    stop = threading.Event()
    site.house.__dict__["guard"] = Guard(allow_hosts=frozenset({"127.0.0.1", "localhost"}), deadline_s=30.0)
    for n in range(40):
        site.web.speak(f"/hang/{n}", hang(stop))
    site.web.page("/a.xml", feed(1), XML)
    well = {"url": site.web.url("/a.xml", "localhost"), "id": "well"}
    register(site, *({"url": f"/hang/{n}"} for n in range(40)), well, per_host=20)
    done = threading.Thread(target=read, args=(site,))
    try:
        done.start()
        until(lambda: paths(site).count("/a.xml") == 1, 15)
        until(lambda: "well" in known(site), 15)
        site.time.moment += timedelta(minutes=11)
        until(lambda: paths(site).count("/a.xml") == 2, 15)
        assert done.is_alive(), "the others hang still"
    finally:
        stop.set()
        done.join(60)
    assert not done.is_alive()


def paths(site: Site) -> list[str]:
    return [request.path for request in site.web.seen]


def known(site: Site) -> set[str]:
    with site.house.store.read() as conn:
        return set(duties.source_states(conn))


def until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def test_feeds_that_a_parser_can_hardly_finish_delay_no_other(site: Site) -> None:
    hog = b'<rss version="2.0"><channel><item><description>' + b"<div>" * 250_000
    for n in range(2):
        site.web.page(f"/hog{n}", hog + b" " * n, XML)
        site.web.page(f"/a{n}.xml", feed(n), XML)
    hogs = [{"url": f"/hog{n}", "id": f"hog{n}"} for n in range(2)]
    register(site, *hogs, *({"url": f"/a{n}.xml", "id": f"well{n}"} for n in range(2)))
    done = threading.Thread(target=read, args=(site,))
    done.start()
    try:
        until(lambda: {"well0", "well1"} <= known(site), 12)
        # either hog may be first in the slow lane, which takes one at a time
        assert not {"hog0", "hog1"} <= known(site)
    finally:
        done.join(60)
    assert {"hog0", "hog1"} <= known(site)


JSON = {"Content-Type": "application/json"}
HOSTILE = rb"""{"version": "https://jsonfeed.org/version/1.1", "title": "t\ud800", "items": [
  "\ud800", {"id": "\u0000"}, {"id": "x\ud800", "title": "y\ud800", "url": "http://a/\ud800\u0000"}]}"""


def test_a_feed_of_characters_that_no_database_takes_stops_no_other(site: Site) -> None:
    site.web.page("/evil.json", HOSTILE, JSON)
    site.web.page("/a.xml", feed(1), XML)
    gone = {"url": f"http://127.0.0.1:{free_port()}/x"}
    register(site, {"url": "/evil.json"}, {"url": "/a.xml"}, gone)
    for _ in range(2):
        read(site)
        site.time.moment += timedelta(minutes=31)
    assert (row(site, "f0").errors, row(site, "f1").errors, row(site, "f2").errors) == (0, 0, 2)


def test_what_the_database_refuses_is_charged_to_its_source_and_the_failures_are_noted(site: Site) -> None:
    """A database of our own that takes no such title: on SQLite a trigger, on PostgreSQL a constraint."""
    with site.house.store.write() as conn:
        if site.house.store.sqlite:
            conn.exec_driver_sql(
                "CREATE TRIGGER picky BEFORE INSERT ON signal WHEN NEW.title = '第 7 条消息' "
                "BEGIN SELECT RAISE(ABORT, 'picky'); END"
            )
        else:
            conn.exec_driver_sql("ALTER TABLE signal ADD CONSTRAINT picky CHECK (title <> '第 7 条消息')")
    site.web.page("/bad.xml", feed(7), XML)
    site.web.page("/a.xml", feed(1), XML)
    gone = {"url": f"http://127.0.0.1:{free_port()}/x"}
    register(site, {"url": "/bad.xml"}, {"url": "/a.xml"}, gone)
    tally = read(site)
    assert tally.accepted == 1
    assert "picky" in row(site, "f0").error
    assert (row(site, "f0").errors, row(site, "f1").errors, row(site, "f2").errors) == (1, 0, 1)
    assert len(tally.failed) == 2
