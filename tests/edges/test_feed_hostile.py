"""Bad input: bounded in time and memory, named in words an officer understands, nothing else delayed."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors import entries
from connectors.feeds import FeedSource, FeedState, parse, parse_isolated, poll
from connectors.http import Guard
from connectors.ports import ConnectorError, Refused
from models.core.signals import Batch
from support.web import Web

URL = "http://news.example/feed.xml"
ITEM = "<item><guid>n-{0}</guid><title>第 {0} 条</title><description>{1}</description></item>"


def rss(items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


def read(body: bytes) -> Batch:
    return parse(body, None, "news", URL)


def test_a_feed_of_twenty_megabytes_is_read_or_refused_in_time_and_the_next_is_read(
    web: Web, guard: Guard
) -> None:
    large = rss("".join(ITEM.format(n, "凌晨停水" * 2_000) for n in range(830)))
    assert 19_000_000 < len(large) < 20 * 2**20
    web.page("/large.xml", large)
    web.page("/small.xml", rss(ITEM.format(1, "停水")))

    async def both() -> tuple[float, float, int]:
        began = time.monotonic()

        async def ask(path: str) -> tuple[float, int]:
            try:
                found = await poll(FeedSource(path, path, web.url(path)), FeedState(), guard)
            except Refused as refused:
                assert "解析不了" in str(refused)
                return time.monotonic() - began, 0
            return time.monotonic() - began, found.batch.read

        (large_s, _), (small_s, read_small) = await asyncio.gather(ask("/large.xml"), ask("/small.xml"))
        return large_s, small_s, read_small

    large_s, small_s, read_small = asyncio.run(both())
    assert read_small == 1
    assert large_s < 25
    assert small_s < large_s


def test_a_feed_beyond_the_limit_is_refused_by_its_size(web: Web, guard: Guard) -> None:
    web.page("/huge.xml", b"<rss>" + b" " * (20 * 2**20))
    with pytest.raises(Refused, match="超过 20,971,520 字节"):
        asyncio.run(poll(FeedSource("a", "a", web.url("/huge.xml")), FeedState(), guard))


def test_entries_without_end_are_read_up_to_the_limit_and_the_rest_is_told_once() -> None:
    batch = read(rss("".join(ITEM.format(n, "") for n in range(entries.MAX_ENTRIES + 7))))
    assert len(batch.signals) == entries.MAX_ENTRIES
    (told,) = batch.rejected
    assert "其余 7 条未读" in told.reason


def test_invalid_bytes_become_marks_and_the_rest_of_the_words_is_kept() -> None:
    words = "城东停水三天，XX居民反映自来水有土腥异味，物业称正在抢修，预计今晚恢复供水。"
    body = rss(ITEM.format(1, words)).replace(b"XX", b"\xff\xfe\x80")
    (signal,) = read(body).signals
    assert signal.body.startswith("城东停水三天，")
    assert signal.body.endswith("预计今晚恢复供水。")


def test_nuls_and_controls_do_not_reach_the_ledger() -> None:
    (signal,) = read(rss(ITEM.format(1, "城东\x00停水\x1b[31m\x07"))).signals
    assert signal.body.replace("\ufffd", "") in ("城东停水[31m", "城东停水 [31m")
    assert not any(ord(letter) < 32 for letter in signal.text if letter != "\n")


def test_words_cannot_be_turned_around_by_overrides_of_direction() -> None:
    """U+202E would show 辟谣 as 谣辟, and an address as another one."""
    (signal,) = read(rss(ITEM.format(1, "\u202e谣辟\u202c 见 \u2066moc.live\u2069"))).signals
    assert signal.body == "谣辟 见 moc.live"


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999999999999999999", "2026-13-45"]
)
def test_an_impossible_time_costs_the_time_and_not_the_entry(when: str) -> None:
    (signal,) = read(rss(ITEM.format(1, "").replace("</item>", f"<pubDate>{when}</pubDate></item>"))).signals
    assert signal.published_at is None


EMPTY_SHAPES = [
    b"\x00" * 1000,
    b"\xff\xfe" * 500,
    b"<" * 1000,
    b"{" * 100_000,
    b"[" * 100_000,
    b'{"version": "https://jsonfeed.org/version/1"',
]


@pytest.mark.parametrize("body", EMPTY_SHAPES)
def test_what_has_no_shape_at_all_is_refused_in_chinese_with_a_way_out(body: bytes) -> None:
    with pytest.raises(ConnectorError) as caught:
        parse_isolated(body, None, "news", URL)
    words = str(caught.value)
    assert URL in words
    assert "；" in words
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words)
