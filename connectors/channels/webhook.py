"""A signed webhook after the Standard Webhooks specification.

Headers: `webhook-id` is the alert's id, the same on a resend, so that a receiver can drop the
copy; `webhook-timestamp`; `webhook-signature`. The body is contract.md's JSON, UTF-8.

The secret is either `whsec_` and base64, or any plain string. A plain string signs twice, which
the specification allows (signatures are a list): once with its UTF-8 bytes as the key, and, where
it can be read as base64, once with that, so that both `Webhook(secret)` and
`Webhook(secret.encode())` of any receiver verify it. `whsec_` signs once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from connectors.channels.settings import (
    Now,
    Secrets,
    Settings,
    name,
    seconds,
    secret,
    text,
    web_address,
    whole,
)
from connectors.channels.view import plain
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core.moment import parse_iso, utc

_ANSWER_LIMIT = 16_384  # bytes of an answer that are read: enough to say why, and to keep the line open
_RETRY = frozenset({408, 425, 429})
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


@dataclass(slots=True, eq=False)
class Webhook:
    """POSTs alerts to one URL over kept-open connections; usable from many threads at once."""

    id: str
    url: str = field(repr=False)  # may carry a token in its query
    client: httpx2.Client = field(repr=False)
    signers: tuple[Signer, ...] = field(repr=False)
    timeout_s: float
    now: Now | None = field(repr=False, default=None)
    type: str = "webhook"

    def send(self, message: Message) -> Delivery:
        body = json.dumps(message.payload, ensure_ascii=False).encode("utf-8", "replace")
        headers = _signed(message, body, self.signers, self._moment(message))
        try:
            return self._post(body, headers)
        except _NOT_SENT as error:
            return Delivery(Outcome.RETRY, f"{self.id}: 未能连接 ({_words(error)})")
        except httpx2.HTTPError as error:
            return Delivery(Outcome.UNKNOWN, f"{self.id}: 已发出，未见答复 ({_words(error)})")

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        with self.client.stream("POST", self.url, content=body, headers=headers) as answer:
            status, told = answer.status_code, dict(answer.headers)
            return judge(self.id, status, told, _read(answer, self.timeout_s), self.now and self.now())

    def _moment(self, message: Message) -> datetime:
        return self.now() if self.now else parse_iso(str(message.payload["sent_at"]))


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Webhook:
    """{id, type: webhook, url, secret, timeout_s: 10, connections: 32}. Raises Refused."""
    timeout = seconds(settings, "timeout_s", 10.0)
    connections = whole(settings, "connections", 32, 1000)
    client = httpx2.Client(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        headers={"User-Agent": "Huiying/0.1", "Content-Type": "application/json; charset=utf-8"},
    )
    return Webhook(
        id=text(settings, "id"),
        url=web_address(settings, "url"),
        client=client,
        signers=signers(settings, secret(settings, secrets, "secret")),
        timeout_s=timeout,
        now=now,
    )


def signers(settings: Settings, key: str) -> tuple[Signer, ...]:
    """One signer for `whsec_…`, up to two for a plain string (module docstring). Raises Refused."""
    as_base64 = _base64_signer(key)
    if key.startswith("whsec_"):
        if as_base64 is None:
            raise Refused(f"{name(settings)}: the secret starts with whsec_ but what follows is not base64")
        return (as_base64,)
    as_bytes = Signer(key.encode())
    return (as_bytes, as_base64) if as_base64 else (as_bytes,)


def _base64_signer(key: str) -> Signer | None:
    try:
        return Signer(key)
    except (ValueError, EmptyWebhookSecretError):  # not base64, or nothing in it
        return None


def _signed(message: Message, body: bytes, by: tuple[Signer, ...], at: datetime) -> dict[str, str]:
    moment = utc(at)  # the library takes whatever hour it is given for UTC
    data = body.decode()
    marks = (signer.sign(message.alert_id, moment, data) for signer in by)
    return {
        "webhook-id": message.alert_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(marks),
    }


def _read(answer: httpx2.Response, timeout_s: float) -> str:
    """The start of an answer. A stream without end, or one that drips, is left: the status is known."""
    until, got = time.monotonic() + timeout_s, b""
    try:
        for part in answer.iter_raw():
            got += part
            if len(got) > _ANSWER_LIMIT or time.monotonic() > until:
                break
    except httpx2.HTTPError:
        pass  # the status line has come, and only it counts
    return plain(got[:_ANSWER_LIMIT].decode("utf-8", "replace"), 200)


def judge(place: str, status: int, headers: Mapping[str, str], body: str, now: datetime | None) -> Delivery:
    """What an HTTP answer means for the outbox."""
    if 200 <= status < 300:
        return Delivery(Outcome.ACCEPTED, f"{place}: HTTP {status}", receipt=str(status))
    said = f"{place}: HTTP {status}" + (f" {body}" if body else "")
    if status in _RETRY or status >= 500:
        return Delivery(Outcome.RETRY, said, retry_after=retry_after(headers, now))
    if 300 <= status < 400:
        said = f"{place}: HTTP {status} 地址已迁移；请把新地址写入 channels.yaml"
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
