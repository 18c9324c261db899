from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pytest

from connectors import isolation
from connectors.feeds import FeedSource, FeedState, Poll, parse, parse_isolated, poll
from connectors.http import Guard
from connectors.ports import Refused, Unreachable
from models.core.moment import CST
from models.core.signals import Batch
from models.core.vocabulary import Medium
from support.web import Web

URL = "http://news.example/feed.xml"


def rss(*items: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'{head}<rss version="2.0"><channel><title>临江新闻</title>{body}</channel></rss>'


def item(number: int, title: str = "供水管道抢修") -> str:
    return f"<guid>n-{number}</guid><title>{title} {number}</title><link>http://news.example/{number}</link>"


def read(text: str | bytes, content_type: str | None = None) -> Batch:
    return parse(text.encode() if isinstance(text, str) else text, content_type, "news", URL)


def test_an_entry_becomes_a_signal_with_id_words_link_and_beijing_time() -> None:
    entry = (
        item(1, "化工园区起火") + "<author>记者</author><pubDate>Sat, 21 Nov 2026 02:13:00 +0800</pubDate>"
        "<description>&lt;p&gt;凌晨&lt;b&gt;两点&lt;/b&gt;，园区起火。&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;&lt;p&gt;无人伤亡。&lt;/p&gt;</description>"
    )
    (signal,) = read(rss(entry)).signals
    assert (signal.external_id, signal.url, signal.medium) == ("n-1", "http://news.example/1", Medium.NEWS)
    assert signal.body == "凌晨两点，园区起火。\n无人伤亡。"
    assert signal.published_at == datetime(2026, 11, 21, 2, 13, tzinfo=CST)
    assert signal.published_at.utcoffset() == CST.utcoffset(None)


def test_a_time_without_a_zone_is_beijing_time() -> None:
    batch = read(
        rss(
            item(1) + "<pubDate>2026-11-21 02:13:00</pubDate>",
            item(2) + "<pubDate>Sat, 21 Nov 2026 02:13:00</pubDate>",
        )
    )
    assert [signal.published_at for signal in batch.signals] == [
        datetime(2026, 11, 21, 2, 13, tzinfo=CST)
    ] * 2


@pytest.mark.parametrize(
    "written", ["", "Thu, 01 Jan 1970 00:00:00 GMT", "some day", "Sat, 21 Nov 2099 02:13:00 GMT"]
)
def test_an_absent_or_absurd_time_is_none_and_the_entry_is_kept(written: str) -> None:
    now = datetime(2026, 11, 21, 3, 0, tzinfo=CST)
    batch = parse(rss(item(1) + f"<pubDate>{written}</pubDate>").encode(), None, "news", URL, now=now)
    assert [signal.published_at for signal in batch.signals] == [None]


def test_without_a_guid_the_link_is_the_id_and_without_a_link_the_words_are() -> None:
    batch = read(
        rss("<title>甲</title><link>http://news.example/a</link>", "<title>乙</title>", "<title>丙</title>")
    )
    ids = [signal.external_id for signal in batch.signals]
    assert ids[0] == "http://news.example/a"
    assert ids[1].startswith("sha256:")
    assert len(set(ids)) == 3
    assert ids == [
        signal.external_id
        for signal in read(
            rss(
                *[
                    "<title>甲</title><link>http://news.example/a</link>",
                    "<title>乙</title>",
                    "<title>丙</title>",
                ]
            )
        ).signals
    ]


def test_an_entry_without_words_is_rejected_with_its_place_and_the_others_are_kept() -> None:
    batch = read(rss(item(1), "<guid>empty</guid>", item(3)))
    assert (batch.read, len(batch.signals)) == (3, 2)
    assert batch.rejected[0].place == f"{URL}#条目 2"
    assert "既无标题也无正文" in batch.rejected[0].reason
    assert "empty" in batch.rejected[0].raw


@pytest.mark.parametrize("charset", ["gb18030", "gb2312", "gbk", "utf-8", "utf-16"])
def test_a_feed_is_read_in_its_declared_charset(charset: str) -> None:
    head = f'<?xml version="1.0" encoding="{charset}"?>'
    assert read(rss(item(1), head=head).encode(charset)).signals[0].title == "供水管道抢修 1"


@pytest.mark.parametrize("charset", ["gb18030", "utf-8", "utf-16-le"])
def test_a_feed_that_declares_nothing_or_wrongly_is_read_all_the_same(charset: str) -> None:
    assert read(rss(item(1), head="").encode(charset)).signals[0].title == "供水管道抢修 1"
    assert (
        read(rss(item(1), head="").encode(charset), "text/xml; charset=iso-8859-1").signals[0].title
        == "供水管道抢修 1"
    )


def test_a_traditional_feed_in_big5_is_read() -> None:
    assert (
        read(rss("<title>臨江市供水異味調查</title>", head="").replace("临江新闻", "").encode("big5"))
        .signals[0]
        .title
        == "臨江市供水異味調查"
    )


def test_a_feed_with_broken_markup_is_read_as_far_as_it_goes() -> None:
    batch = read('<rss version="2.0"><channel><item><title>停水 & 停电</title><item><title>第二条</title>')
    assert [signal.title for signal in batch.signals] == ["停水 & 停电", "第二条"]


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (b"", "空的"),
        (b"  \n", "空的"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "HTML 网页"),
        (b'{"code": 500}', "JSON"),
        (b'<?xml version="1.0"?><sitemap><url/></sitemap>', "根元素为 <sitemap>"),
        (b"Service temporarily unavailable", "既非 RSS、Atom 也非 JSON Feed"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "既非 RSS、Atom 也非 JSON Feed"),
    ],
)
def test_what_is_no_feed_is_refused_by_what_it_looks_like(body: bytes, looks: str) -> None:
    with pytest.raises(Refused, match=looks) as caught:
        read(body)
    assert URL in str(caught.value)


def test_a_json_feed_is_read() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1", "home_page_url": "http://news.example/",
        "items": [{"id": "1", "title": "停水", "content_html": "<p>三天<br>了</p>", "url": "/1",
                   "date_published": "2026-11-21T02:13:00+08:00", "authors": [{"name": "记者"}]}, {"id": "2"}],
    }  # fmt: skip
    batch = read(json.dumps(feed, ensure_ascii=False))
    (signal,) = batch.signals
    assert (signal.body, signal.url, signal.author) == ("三天\n了", "http://news.example/1", "记者")
    assert signal.published_at == datetime(2026, 11, 21, 2, 13, tzinfo=CST)
    assert len(batch.rejected) == 1


def test_an_entity_in_a_feed_reads_no_file_of_ours(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do-not-tell", encoding="utf-8")
    head = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    batch = read(rss("<title>停水 &x;</title>", head=head))
    assert "do-not-tell" not in "".join(signal.text for signal in batch.signals)


def test_the_isolated_parser_gives_the_same_as_the_parser_itself() -> None:
    body = rss(item(1) + "<pubDate>2026-11-21 02:13:00</pubDate>", "<guid>empty</guid>").encode()
    assert parse_isolated(body, None, "news", URL) == parse(body, None, "news", URL)
    with pytest.raises(Refused, match="HTML 网页"):
        parse_isolated(b"<html></html>", None, "news", URL)


FLOODS = {
    "comments": b'<rss version="2.0"><channel>' + b"<!--" * 100_000,
    "comments in a text": b'<rss version="2.0"><channel><item><description>' + b"&lt;!--" * 100_000,
    "nested tags": b'<rss version="2.0"><channel><item><title>' + b"<a>" * 100_000,
    "entities": b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><rss version="2.0"><channel><item><title>&j;</title></item></channel></rss>',
    "broken ends": b'<rss version="2.0"><channel><item><title>' + b"<![CDATA[" * 50_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_answered_or_cut_at_the_limit_and_the_next_feed_is_parsed(name: str) -> None:
    try:
        batch = parse_isolated(FLOODS[name], None, "news", URL, timeout_s=4)
        assert batch.read <= 1
    except Refused as refused:
        assert URL in str(refused)
    assert len(parse_isolated(rss(item(1)).encode(), None, "news", URL).signals) == 1


def test_a_job_that_never_ends_is_cut_at_the_wall_limit_and_the_pool_goes_on() -> None:
    pool = isolation.Pool("support.jobs:job", size=1)
    try:
        with pytest.raises(isolation.Cut, match=r"超过 0\.3 秒"):
            pool.run({"do": "spin"}, b"", 0.3)
        assert pool.run({"do": "answer"}, b"abc", 10)["size"] == 3
    finally:
        pool.close()


@pytest.mark.parametrize("how", ["die", "eat"])
def test_a_job_that_dies_or_eats_memory_is_named_and_the_pool_goes_on(how: str) -> None:
    pool = isolation.Pool("support.jobs:job", size=1)
    try:
        with pytest.raises(isolation.Cut, match="内存"):
            pool.run({"do": how}, b"", 10)
        assert pool.run({"do": "answer"}, b"abc", 10)["size"] == 3
    finally:
        pool.close()


def test_the_isolated_process_sees_none_of_our_secrets_and_ends_with_the_pool() -> None:
    os.environ["HUIYING_TEST_SECRET"] = "geheim"
    pool = isolation.Pool("support.jobs:job", size=2)
    try:
        found = pool.run({"do": "look"}, b"", 10)
    finally:
        pool.close()
        del os.environ["HUIYING_TEST_SECRET"]
    assert "PYTHONPATH" in found["names"]
    assert "HUIYING_TEST_SECRET" not in found["names"]
    assert not Path(f"/proc/{found['process']}").exists()


def test_one_process_serves_many_jobs() -> None:
    pool = isolation.Pool("support.jobs:job", size=1)
    try:
        assert len({pool.run({"do": "answer"}, b"", 10)["process"] for _ in range(5)}) == 1
    finally:
        pool.close()


def polled(web: Web, guard: Guard, state: FeedState) -> Poll:
    return asyncio.run(poll(FeedSource("news", "临江新闻", web.url("/feed.xml")), state, guard))


def test_a_feed_that_has_not_changed_is_not_parsed_again(web: Web, guard: Guard) -> None:
    web.page(
        "/feed.xml", rss(item(1)).encode(), {"ETag": '"1"', "Last-Modified": "Sat, 21 Nov 2026 02:13:00 GMT"}
    )
    first = polled(web, guard, FeedState())
    assert (len(first.batch.signals), first.unchanged, first.state.etag) == (1, False, '"1"')
    same_bytes = polled(web, guard, first.state)
    assert (same_bytes.batch.read, same_bytes.unchanged) == (0, True)
    web.page("/feed.xml", b"", status=304)
    told = polled(web, guard, first.state)
    assert (told.unchanged, told.state) == (True, first.state)
    assert web.seen[-1].headers["if-none-match"] == '"1"'


def test_the_state_of_a_feed_survives_being_stored_as_json(web: Web, guard: Guard) -> None:
    web.page("/feed.xml", rss(item(1)).encode())
    state = polled(web, guard, FeedState()).state
    stored = json.loads(json.dumps(asdict(state)))
    assert polled(web, guard, FeedState(**stored)).unchanged


def test_two_polls_that_share_nothing_raise_a_possible_gap(web: Web, guard: Guard) -> None:
    web.page("/feed.xml", rss(item(1), item(2)).encode())
    first = polled(web, guard, FeedState())
    web.page("/feed.xml", rss(item(2), item(3)).encode())
    second = polled(web, guard, first.state)
    web.page("/feed.xml", rss(item(8), item(9)).encode())
    third = polled(web, guard, second.state)
    assert [one.gap for one in (first, second, third)] == [False, False, True]


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_long_feed_that_grew_by_half_has_no_gap(web: Web, guard: Guard, oldest_first: bool) -> None:
    def page(numbers: range) -> bytes:
        return rss(*(item(n) for n in (numbers if oldest_first else numbers[::-1]))).encode()

    web.page("/feed.xml", page(range(300)))
    first = polled(web, guard, FeedState())
    web.page("/feed.xml", page(range(150, 450)))
    assert not polled(web, guard, first.state).gap
    web.page("/feed.xml", page(range(300, 600)))
    assert polled(web, guard, first.state).gap


def test_what_an_earlier_version_remembered_is_no_gap(web: Web, guard: Guard) -> None:
    web.page("/feed.xml", rss(item(1), item(2)).encode())
    assert not polled(web, guard, FeedState(last_ids=("n-2", "n-0"))).gap


def test_a_feed_that_is_down_or_gone_is_told_apart(web: Web, guard: Guard) -> None:
    web.page("/feed.xml", b"", {"Retry-After": "60"}, status=503)
    with pytest.raises(Unreachable) as caught:
        polled(web, guard, FeedState())
    assert caught.value.retry_after == 60
    web.page("/feed.xml", b"", status=410)
    with pytest.raises(Refused):
        polled(web, guard, FeedState())
