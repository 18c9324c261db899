"""Fetching pages from outside, guarded.

http and https only; every address is checked after resolving and the connection goes to the
checked address, on redirects too, so that no feed can point us at our own network. Total time
and the size of the body after decompression are bounded.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2

from connectors.ports import Refused, Unreachable

USER_AGENT = "Huiying/0.1 (+government public-opinion duty desk)"
MAX_REDIRECTS = 5
MAX_ADDRESSES = 4
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429})  # these 4xx may go well later
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Guard:
    """What a fetch may do. `allow_hosts`: names or addresses, as written in the URL, that are let
    through though they lie in our own network; `deadline_s`: seconds for everything, redirects
    included; `max_body`: bytes after decompression."""

    allow_hosts: frozenset[str] = frozenset()
    deadline_s: float = 20.0
    max_body: int = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. Header names are in lower case; `url` is where the redirects ended;
    `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed: float


def canonical_host(host: str) -> str:
    """A host as the guard compares it: lower case, punycode, no brackets, no final dot."""
    host = host.strip().strip("[]").rstrip(".").lower()
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def is_public(address: Address) -> bool:
    """True for an address on the open internet, seen through every IPv4-in-IPv6 notation."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address.teredo:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def resolve(host: str, port: int) -> list[Address]:
    """Every address of a host, in the resolver's order. Raises Unreachable when it has none."""
    loop = asyncio.get_running_loop()
    try:
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host}: the name does not resolve ({error}); check the spelling or DNS") from None
    found = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
    return list(dict.fromkeys(found))


async def checked_addresses(host: str, port: int, allowed: frozenset[str]) -> list[Address]:
    """The addresses that may be connected to. Raises Refused when the guard lets none through."""
    addresses = await resolve(host, port)
    if canonical_host(host) in allowed:
        return addresses[:MAX_ADDRESSES]
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise Refused(
            f"{host} is {addresses[0]}, an address inside a network, and is not fetched; "
            f"if it is meant, add {host!r} to http.allow_hosts in site.yaml"
        )
    return public[:MAX_ADDRESSES]


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections to checked addresses only; TLS still verifies the name in the URL."""

    def __init__(self, allow_hosts: frozenset[str]) -> None:
        self._allowed = frozenset(canonical_host(host) for host in allow_hosts)
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await checked_addresses(host, port, self._allowed)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue  # the next address of the same host may answer
        return await self._inner.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)


@functools.cache
def _tls() -> ssl.SSLContext:
    # loading the certificates costs tens of milliseconds: once per process
    return httpx2.create_ssl_context()


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's own transport over a pool whose connections are guarded."""

    def __init__(self, guard: Guard, max_connections: int) -> None:
        # the parent builds its pool without a network backend, so its place is filled here
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=15.0,
            network_backend=GuardedBackend(guard.allow_hosts),
        )


def open_client(guard: Guard, max_connections: int = 100) -> httpx2.AsyncClient:
    """A client to share between fetches (`async with`): no cookies, no proxy from the environment."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(guard, max_connections),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=guard.deadline_s,
        follow_redirects=False,
        trust_env=False,
    )


def conditional(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The headers of a conditional GET; empty when nothing is known yet."""
    pairs = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in pairs.items() if value}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the other side asks us to wait. A date is counted from the answer's own Date."""
    wish = headers.get("retry-after", "").strip()
    if wish.isascii() and wish.isdigit() and len(wish) < 10:
        return float(wish)
    until, sent = _http_date(wish), _http_date(headers.get("date", ""))
    return max(0.0, (until - sent).total_seconds()) if until and sent else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def shown(url: httpx2.URL | str) -> str:
    """A URL for messages: without user and password, and not endless."""
    text = str(url)
    scheme, mark, rest = text.partition("://")
    head, slash, tail = rest.partition("/")
    return f"{scheme}{mark}{head.rpartition('@')[2]}{slash}{tail}"[:300]


def checked_url(url: str | httpx2.URL) -> httpx2.URL:
    """A URL of http or https with a host. Raises Refused for every other."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise Refused(f"{shown(str(url))!r} is not a web address ({error})") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused(f"{shown(parsed)!r}: only http:// and https:// addresses are fetched")
    return parsed


def settle(page: Page) -> Page:
    """The page itself for 2xx and 304. Raises Unreachable for what may pass, Refused for the rest."""
    if 200 <= page.status < 300 or page.status == 304:
        return page
    place = f"{shown(page.url)} answered {page.status}"
    if page.status in PASSING or page.status >= 500:
        raise Unreachable(f"{place}; it is tried again later", retry_after(page.headers))
    raise Refused(f"{place}; check the address in sources.yaml")


async def fetch(
    guard: Guard, url: str, headers: Mapping[str, str] | None = None, client: httpx2.AsyncClient | None = None
) -> Page:
    """GET a page, 2xx or 304. Raises Refused or Unreachable (with `retry_after`), never another."""
    return settle(await get(guard, url, headers, client))


async def get(
    guard: Guard, url: str, headers: Mapping[str, str] | None = None, client: httpx2.AsyncClient | None = None
) -> Page:
    """GET a page whatever its status (a 404 of our own statement is news). Raises as `fetch` does."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.timeout(guard.deadline_s), _shared(guard, client) as web:
            status, answered, body, at = await _follow(web, guard, checked_url(url), dict(headers or {}))
    except TimeoutError:
        raise Unreachable(f"{shown(url)} was not done within {guard.deadline_s:g} s and was cut") from None
    except httpx2.TimeoutException:
        raise Unreachable(f"{shown(url)} did not answer within {guard.deadline_s:g} s") from None
    except httpx2.DecodingError as error:
        raise Refused(f"{shown(url)}: the body is not what its Content-Encoding says ({error})") from None
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise Unreachable(f"{shown(url)} cannot be reached ({str(error) or type(error).__name__})") from None
    return Page(status, answered, body, str(at), loop.time() - start)


@asynccontextmanager
async def _shared(guard: Guard, client: httpx2.AsyncClient | None) -> AsyncIterator[httpx2.AsyncClient]:
    if client is not None:
        yield client
        return
    async with open_client(guard) as own:
        yield own


async def _follow(
    web: httpx2.AsyncClient, guard: Guard, url: httpx2.URL, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes, httpx2.URL]:
    for _ in range(MAX_REDIRECTS + 1):
        async with web.stream("GET", url, headers=headers) as answer:
            target = answer.headers.get("location") if answer.status_code in REDIRECTS else None
            if target is None:
                body = await _bounded_body(answer, guard.max_body)
                return answer.status_code, dict(answer.headers), body, url
        url, headers = _next_hop(url, target, headers)
    raise Refused(f"{shown(url)}: more than {MAX_REDIRECTS} redirects, one after another")


def _next_hop(url: httpx2.URL, target: str, headers: dict[str, str]) -> tuple[httpx2.URL, dict[str, str]]:
    try:
        there = checked_url(url.join(target))
    except (httpx2.InvalidURL, ValueError) as error:
        raise Refused(f"{shown(url)} redirects to {target[:100]!r}, no web address ({error})") from None
    if there.host != url.host:  # what was meant for one house is not carried to another
        headers = {
            name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")
        }
    return there, headers


async def _bounded_body(answer: httpx2.Response, limit: int) -> bytes:
    # each stage of a stacked encoding multiplies what a bomb can do before we see a byte
    if "," in answer.headers.get("content-encoding", ""):
        raise Refused(f"{shown(answer.url)}: more than one Content-Encoding is not unpacked")
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > limit:
            raise Refused(
                f"{shown(answer.url)}: the body is larger than {limit:,} bytes unpacked and was cut; "
                "if that is right for this source, raise http.max_body in site.yaml"
            )
        parts.append(part)
    return b"".join(parts)
