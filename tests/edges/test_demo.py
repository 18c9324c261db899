"""The demonstration's story parses, its feeds are real feeds, and they grow with time."""

from __future__ import annotations

import urllib.error
import urllib.request
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import feedparser
import pytest
from ruamel.yaml import YAML

from connectors.channels import build_all
from connectors.demo import FEEDS, DemoServer, Story, feed_xml, tickets_until, told
from connectors.ports import Refused
from models.core.moment import CST

DEMO = Path(__file__).resolve().parents[2] / "deploy" / "demo"
BASE = datetime(2026, 11, 21, 2, 0, tzinfo=CST)
END = timedelta(hours=48)


def status(url: str, **headers: str) -> int:
    """What the server answers, without keeping anything open."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def parsed(name: str) -> dict[str, Any]:
    data: dict[str, Any] = YAML(typ="safe").load((DEMO / name).read_text("utf-8"))
    return data


@pytest.fixture(scope="module")
def story() -> Story:
    return Story.from_dict(parsed("story.yaml"))


class Hand:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.since = timedelta(0)

    def now(self) -> datetime:
        return BASE + self.since


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def server(story: Story, hand: Hand) -> Iterator[DemoServer]:
    with DemoServer(story, hand.now, BASE, port=0) as running:
        yield running


def test_the_story_tells_three_threads_in_noise_within_48_hours(story: Story) -> None:
    threads = {item.thread for item in story.items}
    noise = [item for item in story.items if item.thread is None]
    assert threads == {"plant", "water", "rumour", None}
    assert len(story.items) >= 110 and len(noise) >= 50
    assert story.length <= END
    assert len({item.id for item in story.items}) == len(story.items)


def test_enough_tickets_of_one_matter_come_within_a_day(story: Story) -> None:
    water = [item.at for item in story.items if item.thread == "water" and item.via == "hotline"]
    assert sum(1 for at in water if at - min(water) <= timedelta(hours=24)) >= 6


def test_the_first_statement_is_in_time_and_the_clarification_is_not(story: Story) -> None:
    official = {item.thread: item.at for item in reversed(story.until("official", END))}
    first_rumour = next(item.at for item in story.items if item.thread == "rumour")
    assert official["plant"] == timedelta(hours=4, minutes=10)
    assert official["rumour"] - first_rumour > timedelta(hours=2)


def test_everybody_who_acts_is_on_the_roster_and_reachable_over_a_channel_that_exists(story: Story) -> None:
    roster, channels = parsed("roster.yaml"), parsed("channels.yaml")["channels"]
    people = {person["id"]: person for person in roster["people"]}
    ids = build_all(channels, lambda reference: "").keys()
    assert {act.by for act in story.acts} <= {rung["role"] for rung in roster["ladder"]}
    assert all(contact["channel"] in ids for person in people.values() for contact in person["contacts"])


def test_every_source_of_the_site_is_served(server: DemoServer, hand: Hand) -> None:
    hand.since = END
    sources = parsed("sources.yaml")
    for source in (*sources["feeds"], *sources["official"]):
        path = source["url"].removeprefix("http://127.0.0.1:8788")
        with urllib.request.urlopen(server.url + path, timeout=5) as reply:
            assert reply.status == 200
            assert feedparser.parse(reply.read()).feed.title == source["name"]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_valid_dated_and_linked(story: Story, feed: str) -> None:
    parse = feedparser.parse(feed_xml(story, feed, END, BASE))
    assert not parse.bozo, parse.get("bozo_exception")
    assert parse.version in ("rss20", "atom10")
    assert len(parse.entries) == len(story.until(feed, END))
    for entry in parse.entries:
        assert entry.title and entry.link.startswith("http://") and entry.id and entry.published_parsed
        assert "[[" not in entry.title + entry.get("summary", "")


def test_one_feed_is_atom_in_gb18030_and_one_title_is_traditional(story: Story) -> None:
    forum = feed_xml(story, "forum", END, BASE)
    assert forum.startswith(b"<?xml version='1.0' encoding='gb18030'?>")
    assert "化工园区" in forum.decode("gb18030")
    assert any("園區" in item.title for item in story.items)


def test_times_in_a_feed_are_the_story_s_own(story: Story) -> None:
    item = story.until("news", END)[0]
    oldest = feedparser.parse(feed_xml(story, "news", END, BASE)).entries[-1]
    assert datetime.fromtimestamp(timegm(oldest.published_parsed), UTC) == BASE + item.at


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_only_grows(story: Story, feed: str) -> None:
    seen: set[str] = set()
    for hours in (0, 1, 4, 12, 30, 48):
        ids = {e.id for e in feedparser.parse(feed_xml(story, feed, timedelta(hours=hours), BASE)).entries}
        assert seen <= ids
        seen = ids
    assert len(seen) == len(story.until(feed, END))


def test_nothing_is_said_before_it_happens(story: Story) -> None:
    at_start = timedelta(0)
    assert all(not feedparser.parse(feed_xml(story, feed, at_start, BASE)).entries for feed in FEEDS)
    assert tickets_until(story, at_start, BASE) == []


def test_tickets_are_rows_with_stable_ids_and_times(story: Story) -> None:
    early, late = (tickets_until(story, timedelta(hours=h), BASE) for h in (8, 48))
    assert late[: len(early)] == early and len(late) > len(early)
    assert early[0]["published_at"] == "2026-11-21T02:09:00+08:00"
    assert early[0]["place"] == "东埠区" and "2时1分" in early[0]["body"]


def test_a_moment_in_a_text_is_told_in_words() -> None:
    assert told("[[PT1M]]起火,[[PT22H]]开会", BASE) == "21日2时1分起火,22日0时开会"


def test_acts_fall_into_one_span_each(story: Story) -> None:
    marks = [timedelta(hours=h) for h in range(49)]
    spans = [story.acts_between(a, b) for a, b in pairwise(marks)]
    assert [act for span in spans for act in span] == list(story.acts)


def test_an_unchanged_feed_answers_304_and_a_grown_one_does_not(server: DemoServer, hand: Hand) -> None:
    url = f"{server.url}/feeds/news.xml"
    hand.since = timedelta(hours=1)
    with urllib.request.urlopen(url, timeout=5) as first:
        tag = first.headers["ETag"]
    assert status(url, **{"If-None-Match": tag}) == 304
    hand.since = timedelta(hours=5)
    assert status(url, **{"If-None-Match": tag}) == 200


def test_an_item_s_page_is_there_once_it_is_published(server: DemoServer, hand: Hand) -> None:
    hand.since = END
    with urllib.request.urlopen(f"{server.url}/feeds/official.xml", timeout=5) as feed:
        link = feedparser.parse(feed.read()).entries[-1].link
    with urllib.request.urlopen(link, timeout=5) as page:
        assert "情况通报" in page.read().decode()
    hand.since = timedelta(0)
    assert status(link) == 404


@pytest.mark.parametrize(
    "path", ["/", "/feeds/none.xml", "/items/hotline-3", "/feeds/../story.yaml", "/items/x"]
)
def test_any_other_path_is_a_404(path: str, server: DemoServer, hand: Hand) -> None:
    hand.since = END
    assert status(server.url + path) == 404


def test_a_taken_port_is_refused_with_the_way_out(story: Story, hand: Hand, server: DemoServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(Refused, match=f"port {port} .* is taken"):
        DemoServer(story, hand.now, BASE, port=port)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"at": "PT1H", "via": "radio", "title": "t", "body": "b"}, r"items\[1\]: no way in called 'radio'"),
        ({"at": "1 小时", "via": "news", "title": "t", "body": "b"}, r"items\[1\]: .*PT5H"),
        ({"at": "PT1H", "via": "news", "body": "b"}, r"items\[1\]: 'title' is missing"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        Story.from_dict({"items": [entry]})
