from __future__ import annotations

import asyncio
import gzip
import ipaddress
import socket
import threading
import tracemalloc
import zlib
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest

from connectors.addresses import Address, checked_addresses, is_public
from connectors.http import (
    USER_AGENT,
    Guard,
    Page,
    conditional,
    fetch,
    get,
    open_client,
    retry_after,
)
from connectors.ports import Refused, Unreachable
from support.web import Web, answer


def fetched(guard: Guard, url: str, headers: dict[str, str] | None = None) -> Page:
    return asyncio.run(fetch(guard, url, headers))


def test_a_page_comes_with_its_status_headers_and_body_and_we_say_who_we_are(web: Web, guard: Guard) -> None:
    web.page("/a", "你好".encode(), {"ETag": '"7"'})
    page = fetched(guard, web.url("/a"))
    assert (page.status, page.body.decode(), page.headers["etag"]) == (200, "你好", '"7"')
    assert web.seen[0].headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0",
     "LOCALHOST", "[::ffff:7f00:1]"],
)  # fmt: skip
def test_no_notation_of_our_own_machine_is_fetched(web: Web, host: str) -> None:
    web.page("/secret", b"inside")
    with pytest.raises(Refused):
        fetched(Guard(), web.url("/secret", host))
    assert web.seen == []


@pytest.mark.parametrize(
    "address",
    ["10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
     "0.0.0.0", "::", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
     "2002:7f00:1::", "2001:0:0:0:0:0:f5ff:fffe"],
)  # fmt: skip
def test_an_address_inside_any_network_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "114.114.114.114", "2400:3200::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_on_the_open_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_the_refusal_names_the_setting_that_would_allow_it(web: Web) -> None:
    with pytest.raises(Refused, match=r"http\.allow_hosts"):
        fetched(Guard(), web.url("/"))


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://example.org/a", "gopher://x/", "//host/a", "http://", "no"]
)
def test_only_http_and_https_are_fetched(guard: Guard, url: str) -> None:
    with pytest.raises(Refused):
        fetched(guard, url)


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/hostname",
    ],
)
def test_a_redirect_into_a_network_is_refused(web: Web, guard: Guard, target: str) -> None:
    web.page("/go", b"", {"Location": target}, status=302)
    with pytest.raises(Refused):
        fetched(guard, web.url("/go"))


def test_a_redirect_within_the_allowed_host_is_followed_and_the_last_address_is_told(
    web: Web, guard: Guard
) -> None:
    web.page("/old", b"", {"Location": "/new"}, status=301)
    web.page("/new", b"here")
    page = fetched(guard, web.url("/old"))
    assert (page.body, page.url) == (b"here", web.url("/new"))


def test_redirects_in_a_circle_end_after_five(web: Web, guard: Guard) -> None:
    web.page("/round", b"", {"Location": "/round"}, status=302)
    with pytest.raises(Refused, match="连续转向超过 5 次"):
        fetched(guard, web.url("/round"))
    assert len(web.seen) == 6


def test_a_gzip_bomb_is_cut_at_the_limit_after_unpacking(web: Web, guard: Guard) -> None:
    bomb = gzip.compress(bytes(64 * 2**20))
    assert len(bomb) < 100_000
    web.page("/bomb", bomb, {"Content-Encoding": "gzip"})
    with pytest.raises(Refused, match="超过 1,000,000 字节"):
        fetched(replace(guard, max_body=1_000_000), web.url("/bomb"))


def test_stacked_encodings_are_refused_before_unpacking(web: Web, guard: Guard) -> None:
    web.page("/nested", gzip.compress(gzip.compress(b"x")), {"Content-Encoding": "gzip, gzip"})
    with pytest.raises(Refused, match="不展开"):
        fetched(guard, web.url("/nested"))


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_body_is_unpacked(web: Web, guard: Guard, name: str, pack: object) -> None:
    assert callable(pack)
    web.page("/z", pack("停水通知".encode()), {"Content-Encoding": name})
    assert fetched(guard, web.url("/z")).body.decode() == "停水通知"


def test_a_body_that_is_not_what_its_encoding_says_is_refused(web: Web, guard: Guard) -> None:
    web.page("/lie", b"plain words", {"Content-Encoding": "gzip"})
    with pytest.raises(Refused, match="Content-Encoding"):
        fetched(guard, web.url("/lie"))


def test_a_body_that_drips_is_cut_at_the_total_deadline(web: Web, guard: Guard) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b".")

    web.speak("/drip", drip)
    try:
        with pytest.raises(Unreachable, match=r"0\.5 秒"):
            fetched(replace(guard, deadline_s=0.5), web.url("/drip"))
    finally:
        stop.set()


def test_a_server_that_says_nothing_is_unreachable(web: Web, guard: Guard) -> None:
    stop = threading.Event()

    def silence(handler: BaseHTTPRequestHandler) -> None:
        stop.wait(20)

    web.speak("/silent", silence)
    try:
        with pytest.raises(Unreachable, match=r"0\.3 秒"):
            fetched(replace(guard, deadline_s=0.3), web.url("/silent"))
    finally:
        stop.set()


def test_a_server_that_hangs_up_is_unreachable(web: Web, guard: Guard) -> None:
    web.speak("/bye", lambda handler: handler.connection.shutdown(socket.SHUT_RDWR))
    with pytest.raises(Unreachable):
        fetched(guard, web.url("/bye"))


def test_nobody_listening_is_unreachable(guard: Guard) -> None:
    with pytest.raises(Unreachable):
        fetched(guard, "http://127.0.0.1:1/")


def test_a_passing_no_is_unreachable_with_the_wish_of_the_other_side(web: Web, guard: Guard) -> None:
    web.page("/busy", b"", {"Retry-After": "120"}, status=429)
    with pytest.raises(Unreachable) as caught:
        fetched(guard, web.url("/busy"))
    assert caught.value.retry_after == 120


def test_a_retry_date_is_counted_from_the_answers_own_date() -> None:
    headers = {"retry-after": "Sat, 21 Nov 2026 02:15:00 GMT", "date": "Sat, 21 Nov 2026 02:13:00 GMT"}
    assert retry_after(headers) == 120
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "Sat, 21 Nov 2026 02:15:00 GMT"}) is None


def test_a_lasting_no_is_refused_but_get_tells_its_status(web: Web, guard: Guard) -> None:
    with pytest.raises(Refused, match="404"):
        fetched(guard, web.url("/gone"))
    assert asyncio.run(get(guard, web.url("/gone"))).status == 404


def test_a_conditional_get_carries_what_was_learned_and_takes_304(web: Web, guard: Guard) -> None:
    web.page("/feed", b"", status=304)
    page = fetched(guard, web.url("/feed"), conditional('"7"', "Sat, 21 Nov 2026 02:13:00 GMT"))
    assert page.status == 304
    assert web.seen[0].headers["if-none-match"] == '"7"'
    assert web.seen[0].headers["if-modified-since"] == "Sat, 21 Nov 2026 02:13:00 GMT"


def test_a_password_in_an_address_is_not_repeated_in_messages(guard: Guard) -> None:
    with pytest.raises(Unreachable) as caught:
        fetched(guard, "http://user:geheim@127.0.0.1:1/feed")
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1:1/feed" in str(caught.value)


def test_a_shared_client_keeps_no_cookies_of_one_source_for_another(web: Web, guard: Guard) -> None:
    web.page("/a", b"1", {"Set-Cookie": "track=1; Path=/"})

    async def twice() -> None:
        async with open_client(guard) as client:
            await fetch(guard, web.url("/a"), client=client)
            await fetch(guard, web.url("/a"), client=client)

    asyncio.run(twice())
    assert "cookie" not in web.seen[1].headers


def test_what_was_meant_for_one_host_is_not_carried_to_another(web: Web) -> None:
    web.speak("/hop", lambda handler: answer(handler, 302, b"", {"Location": web.url("/end", "localhost")}))
    web.page("/end", b"done")
    guard = Guard(allow_hosts=frozenset({"127.0.0.1", "localhost"}))
    assert fetched(guard, web.url("/hop"), {"Authorization": "Bearer x"}).body == b"done"
    assert [("authorization" in seen.headers) for seen in web.seen] == [True, False]


class Names:
    """A resolver told by the test: each question takes the next answer; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ipaddress.ip_address(address) for address in found]


def test_a_name_that_answers_with_an_address_inside_is_refused(web: Web) -> None:
    web.page("/", b"inside")
    names = Names(["127.0.0.1", "10.0.0.8", "::1"])
    with pytest.raises(Refused, match=r"intranet\.example 指向 127\.0\.0\.1"):
        fetched(Guard(resolver=names), web.url("/", "intranet.example"))
    assert web.seen == []


def test_of_mixed_answers_only_the_public_ones_are_connected_to() -> None:
    names = Names(["127.0.0.1", "1.1.1.1", "10.0.0.8", "2400:3200::1"])
    found = asyncio.run(checked_addresses("mixed.example", 80, frozenset(), names))
    assert [str(address) for address in found] == ["1.1.1.1", "2400:3200::1"]


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once(web: Web) -> None:
    """A name that would say another address the second time has no second time."""
    web.page("/", b"checked")
    names = Names(["127.0.0.1"], ["10.255.255.1"])
    guard = Guard(allow_hosts=frozenset({"pinned.example"}), resolver=names, deadline_s=5)
    assert fetched(guard, web.url("/", "pinned.example")).body == b"checked"
    assert names.asked == ["pinned.example"]
    assert web.seen[0].headers["host"] == f"pinned.example:{web.port}"


def test_a_redirect_to_a_name_that_leads_inside_is_refused(web: Web) -> None:
    web.page("/go", b"", {"Location": "http://evil.example/latest"}, status=302)
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    guard = Guard(allow_hosts=frozenset({"good.example"}), resolver=names)
    with pytest.raises(Refused, match=r"evil\.example 指向 169\.254\.169\.254"):
        fetched(guard, web.url("/go", "good.example"))


def test_an_allowed_name_stands_for_itself_and_not_for_what_ends_like_it(web: Web) -> None:
    web.page("/", b"inside")
    guard = Guard(allow_hosts=frozenset({"news.example"}), resolver=Names(["127.0.0.1"]))
    assert fetched(guard, web.url("/", "NEWS.example.")).status == 200
    with pytest.raises(Refused):
        fetched(guard, web.url("/", "evil-news.example"))


@pytest.mark.parametrize(
    "host", ["１２７.０.０.１", "127。0。0。1", "①②⑦.0.0.1", "public@127.0.0.1", "0x7f000001"]
)
def test_no_disguise_of_our_own_machine_is_fetched(web: Web, host: str) -> None:
    web.page("/secret", b"inside")
    with pytest.raises((Refused, Unreachable)):
        fetched(Guard(), web.url("/secret", host))
    assert web.seen == []


def test_a_bomb_costs_no_more_memory_than_the_limit(web: Web, guard: Guard) -> None:
    web.page("/bomb", gzip.compress(bytes(64 * 2**20)), {"Content-Encoding": "gzip"})
    fetched_once = replace(guard, max_body=1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            fetched(fetched_once, web.url("/bomb"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12_000_000


def test_a_packed_body_that_ends_too_early_is_refused(web: Web, guard: Guard) -> None:
    web.page("/half", gzip.compress(bytes(range(256)) * 100)[:-30], {"Content-Encoding": "gzip"})
    with pytest.raises(Refused, match="不完整"):
        fetched(guard, web.url("/half"))


def test_a_bare_deflate_body_is_unpacked(web: Web, guard: Guard) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    web.page("/raw", packer.compress(b"x" * 200_000) + packer.flush(), {"Content-Encoding": "deflate"})
    assert fetched(guard, web.url("/raw")).body == b"x" * 200_000


def test_headers_without_end_are_cut(web: Web, guard: Guard) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(2000))
        )

    web.speak("/flood", flood)
    with pytest.raises(Unreachable):
        fetched(guard, web.url("/flood"))


def test_nobody_reached_and_a_no_are_told_apart(web: Web, guard: Guard) -> None:
    web.page("/busy", b"", status=503)
    with pytest.raises(Unreachable) as busy:
        fetched(guard, web.url("/busy"))
    with pytest.raises(Unreachable) as gone:
        fetched(guard, "http://127.0.0.1:1/")
    assert (busy.value.reached, gone.value.reached) == (True, False)
