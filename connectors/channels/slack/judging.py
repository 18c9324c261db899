"""What Slack's no means. It says it inside an HTTP 200 (`ok: false`), for which slack_sdk raises."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.channels.view import plain
from connectors.ports import Delivery, Outcome

# https://docs.slack.dev/reference/methods/chat.postMessage#errors
_PASSING = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
)
_PERHAPS = frozenset({"internal_error", "fatal_error"})  # "some aspect of the operation may have succeeded"


def read(place: str, error: Exception) -> Delivery:
    """What became of a call that raised."""
    if isinstance(error, SlackApiError):
        return judge(place, error.response.status_code, error.response.data, error.response.headers)
    if isinstance(error, OSError | HTTPException | SlackClientError):
        return unanswered(place, error)
    return Delivery(Outcome.UNKNOWN, f"{place}: 答复读不懂 ({type(error).__name__})")


def code(error: Exception) -> str:
    """Slack's own word for its no; "" where it has said none."""
    data = error.response.data if isinstance(error, SlackApiError) else None
    return plain(data.get("error"), 80) if isinstance(data, Mapping) else ""


def judge(place: str, status: int, data: object, headers: Mapping[str, Any]) -> Delivery:
    """What Slack's no means: passing, lasting, or perhaps done."""
    body = data if isinstance(data, Mapping) else {}
    error = plain(body.get("error"), 200)
    said = f"{place}: HTTP {status} {error}{_lacking(body)}".strip()
    if status == 429 or error in _PASSING or status >= 500:
        return Delivery(Outcome.RETRY, said, retry_after=_retry_after(headers))
    if error in _PERHAPS or (status == 200 and not _is_code(error)):  # no code: cut short, or not JSON
        return Delivery(Outcome.UNKNOWN, said)
    return Delivery(Outcome.REFUSED, said)


def _lacking(body: Mapping[str, Any]) -> str:
    """missing_scope says which."""
    needed = plain(body.get("needed"), 120)
    return f"，缺少权限 {needed}；请在 Slack 应用的 OAuth 页加上并重新安装" if needed else ""


def _is_code(error: str) -> bool:
    """Slack's error codes are lower-case words; anything else is slack_sdk telling of a bad answer."""
    return bool(error) and error.isascii() and error.replace("_", "").isalnum()


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    wish = next((value for key, value in headers.items() if key.lower() == "retry-after"), None)
    wish = wish[0] if isinstance(wish, list) and wish else wish
    return float(wish) if isinstance(wish, str) and wish.isascii() and wish.isdecimal() else None


def unanswered(place: str, error: Exception) -> Delivery:
    """No answer was read. Before the request was out: try again; after: perhaps it arrived."""
    cause = error.reason if isinstance(error, URLError) else error
    words = plain(f"{type(cause).__name__} {cause}", 160)
    before = isinstance(error, URLError) and isinstance(
        cause, ConnectionRefusedError | socket.gaierror | TimeoutError
    )
    if before:
        return Delivery(Outcome.RETRY, f"{place}: 未能连接 ({words})")
    return Delivery(Outcome.UNKNOWN, f"{place}: 已发出，未见答复 ({words})")
