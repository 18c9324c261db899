"""Slack through slack_sdk: one Block Kit message for each alert.

Slack says no inside an HTTP 200 (`ok: false`); slack_sdk raises SlackApiError for it, and this
file turns its `error` into an outcome. slack_sdk's own retries are switched off: the outbox
retries, with the same reference, and every attempt is on record.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import accumulate
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.channels.settings import Now, Secrets, Settings, seconds, secret, text, web_address
from connectors.channels.view import CUT_MARK, View, plain, view
from connectors.ports import Delivery, Message, Outcome

ACK_ACTION = "huiying_ack"  # the button's action_id; its value is the alert_id
OPEN_ACTION = "huiying_open"
EVENT_TYPE = "huiying_alert"  # the metadata's event_type

# https://api.slack.com/methods/chat.postMessage#errors and reference/block-kit/blocks
_PASSING = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
)
_PERHAPS = frozenset({"internal_error", "fatal_error"})  # "some aspect of the operation may have succeeded"
_HEADER, _SECTION, _FIELD, _TEXT = 150, 3000, 2000, 4000  # characters, after escaping
_ESCAPED_WIDTH = {"&": 5, "<": 4, ">": 4, "@": 2}
_MENTIONS = ("@here", "@channel", "@everyone")


@dataclass(slots=True, eq=False)
class Slack:
    """Posts to the channel or user id in each message's address; usable from many threads."""

    id: str
    client: WebClient = field(repr=False)  # holds the token
    type: str = "slack"

    def send(self, message: Message) -> Delivery:
        try:
            answer = self.client.chat_postMessage(**post(message))
        except SlackApiError as error:
            return judge(self.id, error.response.status_code, error.response.data, error.response.headers)
        except (OSError, HTTPException, SlackClientError) as error:
            return unanswered(self.id, error)
        except Exception as error:  # noqa: BLE001  (slack_sdk stumbles over odd answers in many ways)
            return Delivery(Outcome.UNKNOWN, f"{self.id}: 答复读不懂 ({type(error).__name__})")
        return Delivery(Outcome.ACCEPTED, f"{self.id}: ok", receipt=plain(answer.get("ts"), 60) or None)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        """slack_sdk opens a connection for each call and keeps none."""


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> Slack:
    """{id, type: slack, token, base_url: https://slack.com/api/, timeout_s: 10, proxy: none}.

    `token` refers to a bot token (xoxb-…) with chat:write. Raises Refused.
    """
    client = WebClient(
        token=secret(settings, secrets, "token"),
        base_url=web_address(settings, "base_url", WebClient.BASE_URL),
        timeout=seconds(settings, "timeout_s", 10.0),  # type: ignore[arg-type]  # passed on to a socket
        retry_handlers=[],
    )
    # slack_sdk would take HTTPS_PROXY and overlook NO_PROXY; without a proxy of its own it leaves
    # both to the standard library, which heeds both
    client.proxy = settings.get("proxy")
    return Slack(text(settings, "id"), client)


def post(message: Message) -> dict[str, Any]:
    """The arguments of chat.postMessage."""
    seen = view(message)
    return {
        "channel": message.address,
        "text": fit(_summary(seen), _TEXT),
        "blocks": blocks(seen, message.alert_id),
        "metadata": {
            "event_type": EVENT_TYPE,
            "event_payload": {"ref": message.ref, "alert_id": message.alert_id},
        },
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _summary(seen: View) -> str:
    """For the notification on a locked phone."""
    more = f"（另 {len(seen.also)} 条）" if seen.also else ""
    return f"{seen.badge} {seen.title} {seen.ref} {seen.due} {seen.left}{more}".strip()


def blocks(seen: View, alert_id: str) -> list[dict[str, Any]]:
    """Header with the level, why, due and rung, the reference, and two buttons."""
    head = " ".join(filter(None, (f"【{seen.badge}】" if seen.badge else "", seen.title)))
    kept: list[dict[str, Any]] = [{"type": "header", "text": _plain_text(head or "提醒", _HEADER)}]
    if seen.why:
        kept.append({"type": "section", "text": _markdown(f"*缘由* {fit(seen.why, _SECTION - 10)}")})
    if named := fields(seen):
        kept.append({"type": "section", "fields": named})
    if seen.also:
        kept.append({"type": "section", "text": _markdown(others(seen))})
    again = f" · 第 {seen.attempt} 次发送，同一提醒" if seen.attempt > 1 else ""
    kept.append({"type": "context", "elements": [_markdown(fit(seen.ref or alert_id, 300) + again)]})
    kept.append({"type": "actions", "elements": buttons(seen, alert_id)})
    return kept


def fields(seen: View) -> list[dict[str, str]]:
    """At most ten, by Slack's rule; only those that say something."""
    said = {
        "期限": seen.due,
        "剩余": " ".join(filter(None, (seen.left, seen.state))),
        "送": " ".join(filter(None, (seen.who, seen.rung))),
        "依据": seen.basis,
    }
    return [_markdown(f"*{label}*\n{fit(words, _FIELD - 20)}") for label, words in said.items() if words]


def others(seen: View) -> str:
    """The other alerts of the message, a line each; what does not fit is counted."""
    lines, shown, used = [f"*另有 {len(seen.also)} 条*"], 0, 40
    for other in seen.also:
        line = f"• {fit(other, 300)}"
        used += len(line) + 1
        if used > _SECTION - 40:
            break
        lines.append(line)
        shown += 1
    left = len(seen.also) - shown
    return "\n".join([*lines, *([f"还有 {left} 条，见页面"] if left else [])])


def buttons(seen: View, alert_id: str) -> list[dict[str, Any]]:
    take = {
        "type": "button",
        "style": "primary",
        "text": _plain_text("签收", 75),
        "action_id": ACK_ACTION,
        "value": alert_id,
    }
    look = {"type": "button", "text": _plain_text("打开页面", 75), "action_id": OPEN_ACTION, "url": seen.url}
    return [take, look] if seen.url else [take]


def escape(words: str) -> str:
    """Slack's three characters, and mentions that would call a whole channel out of bed."""
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mention in _MENTIONS:
        words = _blunt(words, mention)
    return words


def _blunt(words: str, mention: str) -> str:
    """Put a word joiner (unseen) after the @, whatever the case of the letters."""
    at = words.lower().find(mention)
    while at >= 0:
        words = f"{words[: at + 1]}\u2060{words[at + 1 :]}"
        at = words.lower().find(mention, at + 1)
    return words


def fit(words: str, limit: int) -> str:
    """`words` escaped within `limit` characters; never cut inside an escape, never cut unseen."""
    whole = escape(words)
    if len(whole) <= limit:
        return whole
    used = accumulate(_ESCAPED_WIDTH.get(letter, 1) for letter in words)
    kept = sum(1 for width in used if width <= limit - len(CUT_MARK))
    return escape(words[:kept]) + CUT_MARK


def _plain_text(words: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": fit(words, limit), "emoji": False}


def _markdown(escaped: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": escaped}


def judge(place: str, status: int, data: object, headers: Mapping[str, Any]) -> Delivery:
    """What Slack's no means: passing, lasting, or perhaps done."""
    body = data if isinstance(data, Mapping) else {}
    error = plain(body.get("error"), 200)
    said = f"{place}: HTTP {status} {error}".strip()
    if status == 429 or error in _PASSING or status >= 500:
        return Delivery(Outcome.RETRY, said, retry_after=_retry_after(headers))
    if error in _PERHAPS or (status == 200 and not _is_code(error)):  # no code: cut short, or not JSON
        return Delivery(Outcome.UNKNOWN, said)
    return Delivery(Outcome.REFUSED, said)


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
