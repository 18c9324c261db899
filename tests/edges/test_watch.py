"""Looking at our own pages over real HTTP: there, gone, not to be seen; and the proof that is kept."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler

import pytest

from connectors import warc
from connectors.http import Guard
from connectors.watch import Sight, look
from models.core.moment import CST
from models.core.vocabulary import PageState
from support.web import Web

AT = datetime(2026, 11, 21, 4, 12, tzinfo=CST)
GUARD = Guard(allow_hosts=frozenset({"127.0.0.1"}), deadline_s=2.0)
SAID = "21日零时许，江东化工园区澜港公司一车间发生爆炸，救援和调查正在进行。"
HTML = f"""<html><head><title>情况通报</title><meta name="PubDate" content="2026-11-21 04:10">
<script>var a = "假的，不要读。";</script></head><body><div>首页</div><h1>情况通报</h1><p>{SAID}</p>
<div>浏览次数：12，责任编辑：小王</div></body></html>"""


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def at(web: Web, path: str = "/1", guard: Guard = GUARD) -> Sight:
    return asyncio.run(look(guard, web.url(path), AT))


def test_a_page_is_taken_with_its_main_text_its_time_and_both_hashes(web: Web) -> None:
    web.page("/1", HTML.encode(), {"Content-Type": "text/html; charset=utf-8"})
    seen = at(web)
    assert (seen.state, seen.status, seen.text) == (PageState.TAKEN, 200, SAID)
    assert seen.page_sha256 == hashlib.sha256(HTML.encode()).hexdigest()
    assert seen.text_sha256 == hashlib.sha256(SAID.encode()).hexdigest()
    assert seen.published_at == datetime(2026, 11, 21, 4, 10, tzinfo=CST)


def test_the_record_is_warc_with_the_body_as_it_came(web: Web) -> None:
    web.page("/1", gzip.compress(HTML.encode()), {"Content-Type": "text/html", "Content-Encoding": "gzip"})
    head, http, body = gzip.decompress(at(web).warc).split(b"\r\n\r\n", 2)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"WARC/1.1\r\n")
    assert fields["WARC-Type"] == "response"
    assert fields["WARC-Target-URI"] == web.url("/1")
    assert fields["WARC-Date"] == f"{AT.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert fields["WARC-Payload-Digest"] == f"sha256:{hashlib.sha256(HTML.encode()).hexdigest()}"
    assert int(fields["Content-Length"]) == len(http) + 4 + len(HTML.encode())
    assert http.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"x-archive-orig-content-encoding: gzip" in http
    assert body == HTML.encode() + b"\r\n\r\n"


def test_a_header_cannot_break_the_record() -> None:
    made = gzip.decompress(warc.record("http://a.cn/", AT, 200, {"x": "a\r\nWARC-Type: warcinfo"}, b"b"))
    assert b"\r\nWARC-Type: warcinfo" not in made


@pytest.mark.parametrize("charset", ["gb18030", "utf-16"])
def test_a_page_in_another_encoding_is_read(web: Web, charset: str) -> None:
    web.page("/1", HTML.encode(charset), {"Content-Type": f"text/html; charset={charset}"})
    assert at(web).text == SAID


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_not_there_is_gone(web: Web, status: int) -> None:
    web.page("/1", b"", status=status)
    assert (at(web).state, at(web).status) == (PageState.GONE, status)


def test_a_page_that_says_it_was_deleted_is_gone_though_the_server_says_200(web: Web) -> None:
    web.page("/1", "<p>该内容已被发布者删除</p>".encode(), {"Content-Type": "text/html; charset=utf-8"})
    seen = at(web)
    assert (seen.state, "已被发布者删除" in seen.why) == (PageState.GONE, True)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_a_server_error_or_a_login_is_never_gone(web: Web, status: int) -> None:
    web.page("/1", b"<p>404</p>", status=status)
    assert at(web).state is PageState.UNSEEN


def test_a_host_that_does_not_answer_is_never_gone(web: Web) -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.close()

    web.speak("/1", hang_up)
    assert at(web).state is PageState.UNSEEN


def test_a_page_inside_our_own_network_is_not_looked_at(web: Web) -> None:
    web.page("/1", HTML.encode())
    seen = at(web, guard=Guard())
    assert (seen.state, bool(seen.why)) == (PageState.UNSEEN, True)
    assert web.seen == []


def test_a_flood_of_markup_is_bounded(web: Web) -> None:
    web.page(
        "/1", b"<html>" + b"<!--" * 200_000 + SAID.encode(), {"Content-Type": "text/html; charset=utf-8"}
    )
    assert at(web).state in (PageState.TAKEN, PageState.UNSEEN)
