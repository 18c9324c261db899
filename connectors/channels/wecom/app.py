"""WeCom's app (自建应用): a card to one person, whose buttons come back to us.

https://developer.work.weixin.qq.com/document/path/90236: 30 messages a minute to one person. A name that
nobody has is told inside a yes (`invaliduser`): that is a refusal here. A card needs a callback address in
the app's settings; without `token` and `encrypt_key` it has links instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from urllib.parse import quote

import httpx2

from connectors.channels import apps, posting, robots
from connectors.channels.apps import Press, Ticket
from connectors.channels.posting import Answer
from connectors.channels.robots import MINUTE, Body, Codes
from connectors.channels.settings import Now, Secrets, Settings, secret, text, web_address, whole
from connectors.channels.view import plain, view
from connectors.channels.wecom import cards, door
from connectors.channels.wecom.door import Keys
from connectors.ports import Delivery, Message, Outcome
from models.core import mentions
from models.core.mentions import Mention, mention

BASE = "https://qyapi.weixin.qq.com"
_EXPIRED = frozenset({40014, 42001, 41001})

CODES = Codes(
    names=("errcode",),
    words=("errmsg",),
    passing={-1: None, 6000: None, 45009: MINUTE, 45033: MINUTE, **dict.fromkeys(_EXPIRED)},
    hints={
        40001: "secret 不是这个应用的 Secret，请核对",
        40013: "app_id 不是企业 ID，请核对 channels.yaml",
        40056: "agent_id 不对，请核对 channels.yaml",
        60020: "本机地址不在应用的“企业可信 IP”里，请在企业微信后台加上",
        81013: "这个人不在应用的可见范围里，请在企业微信后台加上",
    },
)


@dataclass(slots=True, eq=False)
class WeComApp:
    """Writes to the person in each message's address; usable from many threads."""

    id: str
    base: str
    agent: int
    client: httpx2.Client = field(repr=False)
    ticket: Ticket = field(repr=False)
    keys: Keys = field(repr=False)
    now: Now | None = field(default=None, repr=False)
    type: str = "wecom_app"

    def send(self, message: Message) -> Delivery:
        called = mention(self.type, message.address)
        if called is None:
            return apps.unaddressed(self.id, mentions.trouble(self.type, message.address))
        made = [addressed(called, self.agent, body) for body in bodies(message, self.keys.usable)]
        return robots.in_parts(self.id, made, self._post)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def greet(self, query: Mapping[str, str], now: datetime) -> str:
        """The answer to WeCom's question whether we are there. Raises NotSigned."""
        return door.greeted(self.keys, query, now)

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
        """What WeCom says at our door. Raises NotSigned."""
        return door.opened(self.keys, query, body, now)

    def press(self, told: Mapping[str, str]) -> Press | None:
        """The button in what was opened; None when it is about none. Raises Refused."""
        return door.press(told)

    def answer(self, told: Mapping[str, str], words: str, now: datetime) -> str:
        """The sealed answer that puts `words` on the button that was pressed."""
        return door.answered(self.keys, told, words, now)

    def say(self, user: str, words: str) -> Delivery:
        """A line to one person: an answer that no button can show."""
        said = {"msgtype": "text", "text": {"content": robots.defuse(words)[:600]}}
        return self._post(addressed(Mention(mentions.USERID, user), self.agent, said))

    def _post(self, body: Body) -> Delivery:
        ticket = self.ticket.get()
        if isinstance(ticket, Delivery):
            return ticket
        url = f"{self.base}/cgi-bin/message/send?access_token={quote(ticket, safe='')}"
        return posting.deliver(self.id, self.client, url, robots.written(body), partial(self._judge, ticket))

    def _judge(self, ticket: str, answer: Answer) -> Delivery:
        told = robots.told(answer)
        if robots.number(told, "errcode") in _EXPIRED:
            self.ticket.drop(ticket)
        done = robots.judge(self.id, answer, CODES, self.now and self.now())
        if done.outcome is not Outcome.ACCEPTED:
            return done
        if told.get("invaliduser") or told.get("unlicenseduser"):
            words = (
                f"{self.id}: HTTP {answer.status} 没有送给这个人：不在应用的可见范围；请在企业微信后台加上"
            )
            return Delivery(Outcome.REFUSED, words)
        return replace(done, receipt=plain(told.get("msgid"), 60) or None)


def build(settings: Settings, secrets: Secrets, now: Now | None = None) -> WeComApp:
    """{id, type: wecom_app, app_id (the corporation's), agent_id, secret, token: none, encrypt_key: none, base_url,
    timeout_s: 10}; `token` and `encrypt_key` are what the presses of its buttons are verified by. Raises Refused."""
    place, base = text(settings, "id"), web_address(settings, "base_url", BASE).rstrip("/")
    line, corp = posting.client(settings), text(settings, "app_id")
    key = quote(secret(settings, secrets, "secret"), safe="")
    url = f"{base}/cgi-bin/gettoken?corpid={quote(corp, safe='')}&corpsecret={key}"
    fetch = partial(apps.fetch, place, line, "GET", url, b"", CODES, "access_token")
    token, aes = (_optional(settings, secrets, name) for name in ("token", "encrypt_key"))
    keys = door.keys(settings, corp, token, aes)
    return WeComApp(place, base, whole(settings, "agent_id", 0, 2**31), line, Ticket(fetch), keys, now)


def _optional(settings: Settings, secrets: Secrets, key: str) -> str:
    return secret(settings, secrets, key) if settings.get(key) else ""


def bodies(message: Message, hears: bool) -> list[Body]:
    """A card with buttons where presses come back; what it would shorten goes before it, whole."""
    seen = view(message)
    foot = robots.foot(seen, message.alert_id)
    texts: list[Body] = [
        {"msgtype": "markdown", "markdown": {"content": piece}} for piece in cards.markdown(seen, None, foot)
    ]
    if not (hears and message.payload.get("clock")):
        return texts
    card: Body = {"msgtype": "template_card", "template_card": cards.pressable(seen, foot, message.alert_id)}
    return [card] if cards.fits(seen, foot) else [card, *texts]


def addressed(called: Mention, agent: int, body: Body) -> Body:
    return {"touser": called.name, "agentid": agent, **body}
