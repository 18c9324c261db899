"""What somebody presses in Feishu or WeCom, done at the desk: the same acts, refusals and journal as on a page.

Only a person whose own contact on that very channel bears the name that the platform gives is let act, and
where accounts are on under the roles of their account. The platform's name of a press is the act's key, so
that what it tells twice is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from connectors.channels.apps import SNOOZE_MINUTES, NotSigned, Press
from connectors.channels.feishu import door as feishu_door
from connectors.channels.feishu.app import FeishuApp
from connectors.channels.feishu.cards import afterwards
from connectors.channels.wecom.app import WeComApp
from connectors.console.desk import Refusal, Unavailable, Unknown, Unsigned, View
from connectors.ports import Delivery, Outcome, Refused
from flows import timekeeping
from flows.office.plainly import reachable
from flows.wiring import House
from models.core.mentions import Mention, folded, mention
from models.core.moment import clock_face, deadline_face, parse_iso
from models.ledger import chat, clocks

log = structlog.get_logger()

A = TypeVar("A", FeishuApp, WeComApp)
DONE = {"ack": "已签收", "take": "已接手", "snooze": "稍后再提醒"}
_STRANGER = "您的账号没有登记在值班表里，没有执行；请值班表负责人把它写进 roster.yaml 的联系方式"
_FAULT = "没有完成：系统出错。时钟和提醒仍在独立运行；请打开页面操作，或稍后再试"


class Desk(Protocol):
    """What is asked of the desk (`flows.office.desk.Desk`)."""

    house: House
    access: Any

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str, once: str = "") -> View: ...


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a press, for the one who pressed."""

    words: str
    good: bool
    card: dict[str, Any] | None = None


class Chats:
    """The desk's room for Feishu and WeCom. Implements `connectors.console.desks.chats.ChatsDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def feishu(self, channel: str, headers: Mapping[str, str], body: bytes) -> View:
        app = self._app(channel, FeishuApp)
        try:
            told = app.open(headers, body, self._wall())
            if told.get("type") == feishu_door.CHALLENGE:
                return {"challenge": str(told.get("challenge", ""))[:2000]}
            press = app.press(told)
        except NotSigned as error:
            raise Unsigned(str(error)) from None
        except Refused as error:
            return feishu_door.toast(str(error), good=False)
        said = self._done(app, press) if press else None
        return feishu_door.toast(said.words, said.good, said.card) if said else {}

    def wecom_greeting(self, channel: str, query: Mapping[str, str]) -> str:
        try:
            return self._app(channel, WeComApp).greet(query, self._wall())
        except NotSigned as error:
            raise Unsigned(str(error)) from None

    def wecom(self, channel: str, query: Mapping[str, str], body: bytes) -> tuple[str, View]:
        app, now = self._app(channel, WeComApp), self._wall()
        try:
            told = app.open(query, body, now)
            press = app.press(told)
        except NotSigned as error:
            raise Unsigned(str(error)) from None
        except Refused as error:
            log.warning("a button in WeCom that is none of ours", reason=str(error))
            return "", {}
        if press is None:
            return "", {}
        said = self._done(app, press)
        after = {"channel": channel, "user": told.get("FromUserName", ""), "words": said.words}
        stays = (
            press.act == "snooze"
        )  # a renamed button cannot be pressed again: what is put off can be taken
        return ("", after) if stays or not said.good else (app.answer(told, DONE[press.act], now), {})

    def say(self, told: View) -> None:
        done: Delivery = self._app(told["channel"], WeComApp).say(told["user"], told["words"])
        if done.outcome is not Outcome.ACCEPTED:
            log.warning("nobody was told why a press was not done", reason=done.reason)

    # ── one press ─────────────────────────────────────────────────────────────────────────────

    def _done(self, app: FeishuApp | WeComApp, press: Press) -> Said:
        """Do it; whatever hinders it is said in words to the one who pressed."""
        try:
            with reachable():
                return self._act(person_of(self._desk.house, app.id, app.type, press.who), press)
        except Unavailable as error:
            return Said(f"没有执行：{error}。时钟都在数据库里，恢复后会补上应发的提醒", good=False)
        except (Refusal, Unknown, ValueError) as error:
            return Said(f"没有执行：{error}", good=False)
        except Exception as error:
            log.error("a fault in what a chat asked for", act=press.act, reason=repr(error), exc_info=True)
            return Said(_FAULT, good=False)

    def _act(self, person: str | None, press: Press) -> Said:
        if person is None:
            return Said(_STRANGER, good=False)
        incident = self._incident(press.about)
        why = self._desk.access.may_person(person, f"act.{press.act}", incident)
        if why is not None:
            return Said(f"没有执行：{why}", good=False)
        params = {"minutes": str(SNOOZE_MINUTES)} if press.act == "snooze" else {}
        done = self._desk.act(press.act, incident, params, person, once=press.key)
        until = f"，{clock_face(parse_iso(done['until']))} 前不再重复提醒" if done.get("until") else ""
        stays = press.act == "snooze" or press.others
        card = None if stays else self._afterwards(done, person, press.act)
        return Said(f"{DONE[press.act]} {done['ref']} {done['title']}{until}", good=True, card=card)

    def _afterwards(self, done: View, person: str, act: str) -> View:
        """Who has taken it and what still runs; a card that was put off keeps its buttons, and one of
        several alerts all of them."""
        house = self._desk.house
        running = [clock for clock in done["clocks"] if clock["state"] in clocks.OPEN]
        lines = [f"{clock_face(house.time.now())} {house.names[person]} {DONE[act]}"]
        lines += [f"{clock['name']}：期限 {deadline_face(parse_iso(clock['due_at']))}" for clock in running]
        url = f"{house.public_url}/incidents/{done['id']}"
        return afterwards(f"{done['ref']} {done['title']}", str(done["colour"]), "\n".join(lines), url)

    def _incident(self, about: str) -> str:
        """Raises Refusal for a button that is about no incident (any more)."""
        with self._desk.house.store.read() as conn:
            found = chat.incident_of(conn, about)
        if found is None:
            raise Refusal("这条提醒不关某一起事件；请打开页面查看")
        return found

    def _wall(self) -> Any:
        return timekeeping.world(self._desk.house.time)()

    def _app(self, channel: str, kind: type[A]) -> A:
        app = self._desk.house.channels.get(channel)
        if not isinstance(app, kind):
            raise Unknown(f"没有这样的渠道: {channel[:40]}；请核对 channels.yaml 和回调地址")
        return app


def person_of(house: House, channel: str, kind: str, names: tuple[Mention, ...]) -> str | None:
    """The one person whose contact on this channel bears one of the names; None for nobody and for several."""
    given = {folded(kind, name) for name in names}
    found = {
        person.id
        for person in house.site.roster.people
        for contact in person.contacts
        if contact.channel == channel and folded(kind, mention(kind, contact.address)) in given
    }
    return next(iter(found)) if len(found) == 1 else None
