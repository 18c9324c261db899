"""Feishu's (Lark's) app (企业自建应用): a card to one person, whose buttons come back to us.

https://open.feishu.cn/document/server-docs/im-v1/message/create: 5 messages a second to one person; `uuid`
makes the same message within an hour one message, so that a resend after a lost answer is no second one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import httpx2

from connectors.channels import apps, posting, robots
from connectors.channels.apps import Press, Ticket
from connectors.channels.feishu import door
from connectors.channels.feishu.cards import card, links, plain_card, presses, words
from connectors.channels.posting import Answer
from connectors.channels.robots import MINUTE, Body, Codes
from connectors.channels.settings import Now, Secrets, Settings, secret, text, web_address
from connectors.channels.view import plain, view
from connectors.ports import Delivery, Message, Outcome
from models.core import mentions
from models.core.mentions import OPENID, Mention, mention

BASE = "https://open.feishu.cn"
LIMIT = 28_000
"""Bytes of a card in a body, which may have 30 kB."""
_EXPIRED = frozenset({99991661, 99991663, 99991664, 99991668, 99991671})

CODES = Codes(
    names=("code",),
    words=("msg",),
    passing={99991400: MINUTE, 230020: MINUTE, 1000: None, **dict.fromkeys(_EXPIRED)},
    passing_words=("too many", "frequency limit"),
    telling=frozenset({400}),  # most of its noes
    hints={
        10003: "app_id 不对，请核对 channels.yaml",
        10014: "secret 不是这个应用的 App Secret，请核对",
        10015: "secret 不是这个应用的 App Secret，请核对",
        99992351: "这个 open_id 不是本应用看得到的人，请重新取一次",
        99992402: "地址写法不对，请核对 roster.yaml",
        230006: "应用还没有启用机器人能力",
        230013: "这个人不在应用的可用范围里，请在飞书后台加上",
    },
)


@dataclass(slots=True, eq=False)
class FeishuApp:
    """Writes to the person in each message's address; usable from many threads."""

    id: str
    base: str
    client: httpx2.Client = field(repr=False)
    ticket: Ticket = field(repr=False)
    encrypt_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    now: Now | None = field(default=None, repr=False)
    type: str = "feishu_app"

    def send(self, message: Message) -> Delivery:
        called = mention(self.type, message.address)
        if called is None:
            return apps.unaddressed(self.id, mentions.trouble(self.type, message.address))
        bodies = [addressed(called, made, message, n) for n, made in enumerate(cards(message, self.hears))]
        return robots.in_parts(self.id, bodies, partial(self._post, called))

    @property
    def hears(self) -> bool:
        """Do presses come back? Else a card has links."""
        return bool(self.encrypt_key and self.token)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def open(self, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
        """What Feishu says at our door. Raises NotSigned."""
        return door.opened(self.encrypt_key, self.token, headers, body, now)

    def press(self, told: Mapping[str, Any]) -> Press | None:
        """The button in what was opened; None when it is about none. Raises Refused."""
        return door.press(told)

    def _post(self, called: Mention, body: Body) -> Delivery:
        ticket = self.ticket.get()
        if isinstance(ticket, Delivery):
            return ticket
        url = f"{self.base}/open-apis/im/v1/messages?receive_id_type={_KINDS[called.way]}"
        headers = {"Authorization": f"Bearer {ticket}"}
        content = robots.written(body)
        return posting.deliver(self.id, self.client, url, content, partial(self._judge, ticket), headers)

    def _judge(self, ticket: str, answer: Answer) -> Delivery:
        told = robots.told(answer)
        if robots.number(told, "code") in _EXPIRED:
            self.ticket.drop(ticket)
        done = robots.judge(self.id, answer, CODES, self.now and self.now())
        sent = told.get("data")
        number = plain(sent.get("message_id"), 60) if isinstance(sent, dict) else ""
        return replace(done, receipt=number or None) if done.outcome is Outcome.ACCEPTED else done


_KINDS = {OPENID: "open_id", mentions.USERID: "user_id"}


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> FeishuApp:
    """{id, type: feishu_app, app_id, secret, token: none, encrypt_key: none, base_url, timeout_s: 10}; `token`
    and `encrypt_key` are what the presses of its buttons are verified by. Raises Refused."""
    place, base = text(settings, "id"), web_address(settings, "base_url", BASE).rstrip("/")
    line = posting.client(settings)
    asked = {"app_id": text(settings, "app_id"), "app_secret": secret(settings, secrets, "secret")}
    url = f"{base}/open-apis/auth/v3/tenant_access_token/internal"
    fetch = partial(apps.fetch, place, line, "POST", url, robots.written(asked), CODES, "tenant_access_token")
    return FeishuApp(
        place, base, line, Ticket(fetch), _optional(settings, secrets, "encrypt_key"),
        _optional(settings, secrets, "token"), now,
    )  # fmt: skip


def _optional(settings: Settings, secrets: Secrets, key: str) -> str:
    return secret(settings, secrets, key) if settings.get(key) else ""


def cards(message: Message, hears: bool) -> list[dict[str, Any]]:
    """The first has the buttons; the others are text. What is about a clock can be taken, a notice only read."""
    seen = view(message)
    foot, takes = robots.foot(seen, message.alert_id), hears and bool(message.payload.get("clock"))
    actions = presses(seen, message.alert_id) if takes else links(seen)
    room = LIMIT - _within(json.dumps(card(seen, "", None, foot, actions), ensure_ascii=False))
    first, *rest = robots.parts(words(seen), room, foot, _within)
    return [card(seen, first, None, foot, actions), *(plain_card(part) for part in rest)]


def _within(said: str) -> int:
    """Bytes of words in a card in a body: JSON within JSON, where a quotation mark takes four."""
    return robots.size(json.dumps(said, ensure_ascii=False)[1:-1])


def addressed(called: Mention, made: dict[str, Any], message: Message, number: int) -> Body:
    name = hashlib.sha256(f"{message.alert_id}\n{called.name}\n{number}".encode()).hexdigest()
    return {
        "receive_id": called.name,
        "msg_type": "interactive",
        "content": json.dumps(made, ensure_ascii=False),
        "uuid": name[:50],
    }
