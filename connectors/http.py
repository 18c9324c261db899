"""Fetching pages from outside, guarded.

http and https only; every address is checked after resolving and the connection goes to the
checked address, on redirects too, so that no feed can point us at our own network. Total time
and the size of the body after decompression are bounded.
"""

from __future__ import annotations

import asyncio
import functools
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import httpcore2
import httpx2

from connectors import bodies
from connectors.addresses import GuardedBackend, Resolver, resolve
from connectors.ports import Refused, Unreachable

USER_AGENT = "Huiying/0.1 (+government public-opinion duty desk)"
MAX_REDIRECTS = 5
KEPT_OPEN = 8
"""Idle connections: the pool looks at each of them for every request."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429})  # these 4xx may go well later
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Guard:
    """What a fetch may do. `allow_hosts`: names or addresses, as written in the URL, that are let
    through though they lie in our own network; `deadline_s`: seconds for everything, redirects
    included; `max_body`: bytes after decompression; `agent`: who we say we are; `resolver`: where
    addresses come from."""

    allow_hosts: frozenset[str] = frozenset()
    deadline_s: float = 20.0
    max_body: int = 20 * 2**20
    agent: str = USER_AGENT
    resolver: Resolver = resolve


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. Header names are in lower case; `url` is where the redirects ended;
    `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed: float


def agent_of(site: str, contact: str = "") -> str:
    """Who we are, for the other side's logs: the site's name and where its keepers are reached.

    A header is ASCII: what is not is percent-encoded, as in addresses.
    """
    said = "; ".join(quote(part, safe=" @:/.,+-_~?=&") for part in (contact, site) if part)
    return f"Huiying/0.1 (+{said[:300]})" if said else USER_AGENT


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
            max_keepalive_connections=min(max_connections, KEPT_OPEN),
            keepalive_expiry=15.0,
            network_backend=GuardedBackend(guard.allow_hosts, guard.resolver),
        )


def open_client(guard: Guard, max_connections: int = 100) -> httpx2.AsyncClient:
    """A client to share between fetches (`async with`): no cookies, no proxy from the environment."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(guard, max_connections),
        headers={"User-Agent": guard.agent, "Accept-Encoding": "gzip, deflate"},
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


def max_age(headers: Mapping[str, str]) -> float | None:
    """Seconds for which the answer says it stays fresh (Cache-Control max-age less Age), if it does."""
    said = headers.get("cache-control", "").lower()
    found = _MAX_AGE.search(said)
    if found is None or "no-cache" in said or "no-store" in said:
        return None
    age = headers.get("age", "").strip()
    spent = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0
    return float(max(0, int(found[1]) - spent))


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
        raise Refused(f"“{shown(str(url))}” 不是网址（{error}）；写成 http://… 或 https://…") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Refused(f"“{shown(parsed)}” 不能访问：只访问 http:// 和 https:// 的地址；请改正地址")
    return parsed


def settle(page: Page) -> Page:
    """The page itself for 2xx and 304. Raises Unreachable for what may pass, Refused for the rest."""
    if 200 <= page.status < 300 or page.status == 304:
        return page
    place = f"{shown(page.url)} 回答 {page.status}"
    if page.status in PASSING or page.status >= 500:
        raise Unreachable(f"{place}；稍后自动再试", retry_after(page.headers))
    raise Refused(f"{place}；请核对 sources.yaml 里的地址")


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
        raise Unreachable(
            f"{shown(url)} {guard.deadline_s:g} 秒内没有传完，已中断；稍后自动再试", reached=False
        ) from None
    except httpx2.TimeoutException:
        raise Unreachable(
            f"{shown(url)} {guard.deadline_s:g} 秒内没有回答；稍后自动再试", reached=False
        ) from None
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        why = str(error) or type(error).__name__
        raise Unreachable(f"{shown(url)} 连不上（{why}）；稍后自动再试", reached=False) from None
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
                body = await bodies.bounded(
                    answer.aiter_raw(), answer.headers.get("content-encoding", ""), guard.max_body, shown(url)
                )
                return answer.status_code, dict(answer.headers), body, url
        url, headers = _next_hop(url, target, headers)
    raise Refused(f"{shown(url)}：连续转向超过 {MAX_REDIRECTS} 次；请写最终的地址")


def _next_hop(url: httpx2.URL, target: str, headers: dict[str, str]) -> tuple[httpx2.URL, dict[str, str]]:
    try:
        there = checked_url(url.join(target))
    except (httpx2.InvalidURL, ValueError) as error:
        raise Refused(f"{shown(url)} 转向 “{target[:100]}”，不是网址（{error}）；请写最终的地址") from None
    if there.host != url.host:  # what was meant for one house is not carried to another
        headers = {
            name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")
        }
    return there, headers
