"""Pages without a feed, JSON Feed, and what else hangs on the shape of what comes in."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest

from connectors.feeds import FeedSource, FeedState, parse, parse_isolated, poll
from connectors.http import Guard
from connectors.ports import Refused
from models.core.moment import CST
from models.core.signals import Batch
from support.web import Web

URL = "https://www.linjiang.example/gk/tzgg/index.html"
NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)
RULE = {"item": "ul.list > li", "time": "span"}
PAGE = """<html><head><title>通知公告</title><script>var a = "<li>不是条目</li>";</script></head><body>
<ul class="menu"><li><a href="/">首页</a></li></ul>
<ul class="list">
<!-- <li><a href="x">旧</a></li> -->
<li><a href="../t1.html"
 title="关于临江路供水管道抢修的通告（第三号）">关于临江路供水管道抢修的…</a><span>2026-11-20</span>
<li><a href="t2.html">停电 &amp; 停气</a><span>[11-19]</span></li>
<li><span>没有标题</span></li>
<li><a href='https://other.example/3'>去年的事</a><span>发布时间：12-30</span></li>
</ul></body></html>"""


def read(page: str, rule: dict[str, str] | None = None) -> Batch:
    return parse(page.encode(), "text/html", "gov", URL, now=NOW, select=rule or RULE)


def test_a_page_is_read_by_its_rule_with_links_whole_titles_and_days() -> None:
    batch = read(PAGE)
    assert [(s.title, s.url, s.published_at and f"{s.published_at:%Y-%m-%d}") for s in batch.signals] == [
        ("关于临江路供水管道抢修的通告（第三号）", "https://www.linjiang.example/gk/t1.html", "2026-11-20"),
        ("停电 & 停气", "https://www.linjiang.example/gk/tzgg/t2.html", "2026-11-19"),
        ("去年的事", "https://other.example/3", "2025-12-30"),
    ]
    assert [s.external_id for s in batch.signals] == [s.url for s in batch.signals]
    assert [row.reason for row in batch.rejected] == ["条目既无标题也无正文，未收"]


def test_a_rule_may_name_every_part() -> None:
    rule = {
        "item": "tr",
        "title": "td:nth-child(2)",
        "link": "td > a@data-url",
        "time": "td.t",
        "body": "td.s",
    }
    page = (
        '<table><tr><td><a data-url="/9">查看</a><td>水质投诉'
        '<td class="t">2026年11月20日 08:30<td class="s">三栋<br>异味'
    )
    (signal,) = read(page, rule).signals
    assert (signal.title, signal.body, signal.url) == (
        "水质投诉",
        "三栋\n异味",
        "https://www.linjiang.example/9",
    )
    assert signal.published_at == datetime(2026, 11, 20, 8, 30, tzinfo=CST)


def test_a_page_that_was_rebuilt_is_refused_with_the_rule_that_finds_nothing() -> None:
    with pytest.raises(Refused, match=r"没有符合 item “ul\.list > li” 的条目.*select"):
        read("<html><body><div>改版了</div></body></html>")


def test_a_page_is_polled_like_a_feed(web: Web, guard: Guard) -> None:
    web.page(
        "/list.html", PAGE.encode("gb18030"), {"Content-Type": "text/html; charset=gb2312", "ETag": '"1"'}
    )
    source = FeedSource("gov", "公告", web.url("/list.html"), select=RULE)
    first = asyncio.run(poll(source, FeedState(), guard, now=NOW))
    again = asyncio.run(poll(source, first.state, guard, now=NOW))
    assert (len(first.batch.signals), again.unchanged) == (3, True)


FLOODS = {
    "nested tags": "<ul class=list>" + "<li><div>" * 50_000,
    "open quotes": "<ul class=list><li>" + '<a href="' * 50_000,
    "open comments": "<ul class=list><li><a href=1>甲</a>" + "<!--" * 100_000,
    "ends without beginnings": "<ul class=list><li>" + "</b>" * 100_000,
    "open scripts": "<ul class=list><li>" + "<script>" * 50_000,
    "ampersands": "<ul class=list><li><a href=1>" + "&" * 300_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_markup_is_read_or_refused_within_the_limit(name: str) -> None:
    try:
        batch = parse_isolated(FLOODS[name].encode(), "text/html", "gov", URL, select=RULE, timeout_s=4)
        assert batch.read <= 5_001
    except Refused as refused:
        assert URL in str(refused) or "元素" in str(refused)


def json_feed(**changes: object) -> Batch:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "临江", "items": []} | changes
    return parse(
        json.dumps(feed).encode(), "application/feed+json", "news", "https://news.example/a/feed.json"
    )


def test_a_json_feed_without_a_home_page_joins_links_to_its_own_address() -> None:
    (signal,) = json_feed(items=[{"id": 7, "title": "停水", "external_url": "b/1"}]).signals
    assert (signal.external_id, signal.url) == ("7", "https://news.example/a/b/1")


def test_an_item_that_is_no_object_is_rejected_by_number_and_not_dropped() -> None:
    batch = json_feed(items=[{"id": "1", "content_text": "停水"}, "broken", None])
    assert (len(batch.signals), len(batch.rejected)) == (1, 2)
    assert batch.rejected[0].place.endswith("#条目 2")


@pytest.mark.parametrize("items", [None, {}, "x", 5])
def test_items_of_another_shape_are_none(items: object) -> None:
    assert json_feed(items=items).read == 0


def test_values_of_another_shape_do_not_become_words() -> None:
    (signal,) = json_feed(
        items=[
            {"id": {"a": 1}, "title": ["x"], "content_text": "停水", "authors": "x", "date_published": [1]}
        ]
    ).signals
    assert (signal.title, signal.body, signal.author, signal.published_at) == ("", "停水", None, None)
