"""One POST to whoever takes alerts, and what became of it: shared by the channels that speak HTTP.

The HTTP library logs the addresses that it is asked for, and the path or the query of a robot's
address is its key. So the library is asked for the server alone; the rest goes beside it, onto the
wire and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.channels.settings import Settings, seconds, whole
from connectors.channels.view import plain
from connectors.ports import Delivery, Outcome
from models.core.moment import utc

ANSWER_LIMIT = 16_384
"""Bytes of an answer that are read: enough to say why, and to keep the line open."""
_RETRY = frozenset({408, 425, 429})
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `whole` False: it broke off, dripped, or was longer than is read."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    whole: bool = True

    @property
    def words(self) -> str:
        """The start of the body on one line, for a reason."""
        return plain(self.body.decode("utf-8", "replace"), 200)


def client(settings: Settings, content_type: str = "application/json; charset=utf-8") -> httpx2.Client:
    """Kept-open connections by the settings timeout_s, connections and proxy. Raises Refused."""
    most = whole(settings, "connections", 32, 1000)
    return httpx2.Client(
        timeout=timeout(settings),
        limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
        headers={
            "User-Agent": "Huiying/0.1",
            "Content-Type": content_type,
            "Accept-Encoding": "identity",  # what little is read is read as it comes
        },
        proxy=settings.get("proxy"),
    )


def timeout(settings: Settings) -> float:
    """How long an answer is waited for, seconds. Raises Refused."""
    return seconds(settings, "timeout_s", 10.0)


def deliver(
    place: str,
    line: httpx2.Client,
    url: str,
    content: bytes,
    judge: Callable[[Answer], Delivery],
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> Delivery:
    """Send `content`; `judge` says what the answer means. Before it was out: try again; after it,
    without an answer: unknown. What can never be sent as it is written is refused, its words unsaid: they
    may be a key."""
    try:
        return judge(exchange(line, method, url, content, headers))
    except httpx2.InvalidURL:
        return Delivery(Outcome.REFUSED, f"{place}: 地址写法不对；请核对 channels.yaml")
    except UnicodeError:  # a host that is none, a header that is not ASCII
        return Delivery(Outcome.REFUSED, f"{place}: 地址、密钥或请求头里有发不出的字符；请核对 channels.yaml")
    except _NOT_SENT as error:
        return Delivery(Outcome.RETRY, f"{place}: 未能连接 ({_words(error)})")
    except httpx2.HTTPError as error:
        return Delivery(Outcome.UNKNOWN, f"{place}: 已发出，未见答复 ({_words(error)})")


def exchange(
    line: httpx2.Client,
    method: str,
    url: str,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request and its answer. Raises httpx2.HTTPError where no status line came."""
    server, target = _parted(url)
    beside = {"target": target}
    with line.stream(method, server, content=content, headers=headers, extensions=beside) as answer:
        body, complete = _read(answer, line.timeout.read or 10.0)
        told = {key.lower(): value for key, value in answer.headers.items()}
        return Answer(answer.status_code, told, body, complete)


def _parted(url: str) -> tuple[str, bytes]:
    """The server, which may be logged, and the target, which may not."""
    asked: Any = httpx2.URL(url)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/", asked.raw_path


def _read(answer: httpx2.Response, timeout_s: float) -> tuple[bytes, bool]:
    """The start of an answer, and whether it is all of it. One without end, or that drips, is left."""
    until, got = time.monotonic() + timeout_s, b""
    try:
        for part in answer.iter_raw():
            got += part
            if len(got) > ANSWER_LIMIT or time.monotonic() > until:
                return got[:ANSWER_LIMIT], False
    except httpx2.HTTPError:
        return got, False
    return got, True


def no(place: str, answer: Answer, now: datetime | None) -> Delivery | None:
    """What a status that is no success means for the outbox; None for a 2xx."""
    if 200 <= answer.status < 300:
        return None
    said = f"{place}: HTTP {answer.status}" + (f" {answer.words}" if answer.words else "")
    if answer.status in _RETRY or answer.status >= 500:
        return Delivery(Outcome.RETRY, said, retry_after=retry_after(answer.headers, now))
    if 300 <= answer.status < 400:
        said = f"{place}: HTTP {answer.status} 地址已迁移；请把新地址写入 channels.yaml"
    return Delivery(Outcome.REFUSED, said)


def retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Retry-After in seconds, from seconds or an HTTP date (RFC 9110, 10.2.3); None when unreadable.

    A date is measured against the answer's own Date, so that two clocks that differ do no harm.
    """
    low = {key.lower(): value for key, value in headers.items()}
    wish = low.get("retry-after", "").strip()
    if wish.isdecimal() and wish.isascii():
        return float(wish[:9])
    until, since = _http_date(wish), _http_date(low.get("date", "")) or now
    return max(0.0, (until - since).total_seconds()) if until and since else None


def _http_date(value: str) -> datetime | None:
    try:
        return utc(parsedate_to_datetime(value))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _words(error: Exception) -> str:
    return plain(f"{type(error).__name__} {error}", 160)
