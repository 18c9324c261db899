"""What somebody does in Slack, done at the desk: the same acts, the same refusals, the same journal.

A press, a form, a command is first taken down under its key, then answered, then done; what Slack sends a
second time is known by its key, and the act itself carries it too, so that nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from connectors.channels.slack import Slack, alerts, arriving, escape, fit, forms, home, names
from connectors.channels.slack.arriving import Arrived, Door, Payload
from connectors.channels.view import plain
from connectors.console.desk import Refusal, Unavailable, Unknown, View
from connectors.ports import ConnectorError
from connectors.uploads import MOST
from flows.telling.slack_people import person_of
from flows.wiring import House
from models.core.boards import EVERYTHING, Wanted
from models.core.moment import clock_face, iso, parse_iso
from models.core.text import storable_json
from models.ledger import chat, chat_asks

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
FORM_S = 2.0
"""Slack shows an error after three seconds: what takes longer is answered by a message."""
LISTED = 100
"""Incidents that are looked through for a list of the command's twenty."""
DONE = {
    "ack": "已签收",
    "take": "已接手",
    "escalate": "已通知上一级",
    "snooze": "稍后再提醒",
    "grade": "已定级",
    "stop": "已登记凭据",
    "update": "已记进展",
    "close": "已办结",
}
COMMANDS = {
    "ack": "ack",
    "take": "take",
    "up": "escalate",
    "snooze": "snooze",
    "note": "update",
    "close": "close",
}
"""The command's word → the desk's act; what stands behind the incident's number is its reason or text."""
_FAULT = "没有完成：系统出错。时钟和提醒仍在独立运行；请打开页面操作，或稍后再试。"


class Desk(Protocol):
    """What is asked of the desk (`flows.office.desk.Desk`)."""

    house: House
    files: Any
    access: Any

    def now(self) -> datetime: ...

    def board(self, wanted: Wanted = EVERYTHING) -> View: ...

    def mine(self, person_id: str) -> View: ...

    def incident(self, incident_id: str) -> View | None: ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str, once: str = "") -> View: ...


@dataclass
class Clerk:
    """At the desk for one Slack channel. `receive` takes down and answers, `work` does."""

    desk: Desk
    channel: Slack
    form_s: float = FORM_S
    pool: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 4, "slack-form"), repr=False)

    @property
    def house(self) -> House:
        return self.desk.house

    def receive(self, payload: Payload) -> tuple[View, str]:
        """The answer that Slack waits for, and the key of what is still to be done ("" for nothing)."""
        one = arriving.arrived(payload)
        if one.door is Door.NOTHING or not self._is_new(one, payload):
            return {}, ""
        if one.door is not Door.FORM:
            return {}, one.key
        doing = self.pool.submit(self._work, one.key)
        try:
            return doing.result(self.form_s) or {}, ""
        except TooLong:
            doing.add_done_callback(partial(self._answer_late, one))
            return {}, ""

    def _is_new(self, one: Arrived, payload: Payload) -> bool:
        now = self.house.time.now()
        with self.house.store.write() as conn:
            body = storable_json(arriving.kept(payload))
            return chat_asks.take_down(conn, one.key, self.channel.id, body, now)

    def _answer_late(self, one: Arrived, doing: Future[View]) -> None:
        """The form is closed by now: why it was not done is said where its button was pressed."""
        wrong = {"": _FAULT} if doing.exception() else (doing.result() or {}).get("errors", {})
        for words in wrong.values():
            self._say(one, escape(words))

    def work(self, key: str) -> None:
        """Do what was taken down under `key`, unless it is done or in other hands."""
        self._work(key)

    def _work(self, key: str) -> View:
        now, lease = self.house.time.now(), LEASE * self.house.time.speed
        with self.house.store.write() as conn:
            row = chat_asks.claim(conn, key, now, now + lease)
        if row is None:
            return {}
        one = arriving.arrived(row.body)
        wrong = self._handled(one)
        with self.house.store.write() as conn:
            chat_asks.done(conn, key, self.house.time.now(), wrong or "ok")
        shows = one.door is Door.FORM and wrong and one.shown
        return forms.errors(wrong, [str(name) for name in one.shown]) if shows else {}

    def _handled(self, one: Arrived) -> str:
        """Do it and say what came of it; the answer is why it was not done, "" when it was."""
        try:
            self._say(one, self._by_door(one))
        except Unavailable as error:
            wrong = f"没有执行：{error}。时钟都在数据库里，恢复后会补上应发的提醒。"
        except (Refusal, Unknown, ConnectorError, ValueError) as error:
            wrong = f"没有执行：{error}"
        except Exception as error:
            log.error(
                "a fault in what Slack asked for", door=one.door.value, reason=repr(error), exc_info=True
            )
            wrong = _FAULT
        else:
            return ""
        if one.door is not Door.FORM:  # a form shows its refusal itself
            self._say(one, escape(wrong))
        return wrong

    def _by_door(self, one: Arrived) -> str:
        person = person_of(self.house, self.channel, one.user)
        if person is None:
            return self._refuse_stranger(one)
        do: dict[Door, Callable[[Arrived, str], str]] = {
            Door.PRESS: self._press,
            Door.ASK: self._open_form,
            Door.FORM: self._form,
            Door.COMMAND: self._command,
            Door.HOME: self._home,
        }
        return do[one.door](one, person)

    def _refuse_stranger(self, one: Arrived) -> str:
        if one.door is Door.HOME:
            self.channel.talk.publish_home(one.user, home.stranger(one.user))
            return ""
        if one.door is Door.FORM:
            raise Refusal(home.unknown(one.user))
        return home.unknown(one.user)

    def _say(self, one: Arrived, words: str) -> None:
        """To the one person who acted, in Slack's own form: where they did it, else in a message to them."""
        if not words:
            return
        talk = self.channel.talk
        said = talk.answer(one.answer_at, words) if one.answer_at else None
        if (said is None or not said.ok) and one.place:
            said = talk.whisper(one.place, one.user, words, one.thread)
        if (said is None or not said.ok) and one.user:
            talk.post(channel=one.user, text=words)

    # ── what can be done ──────────────────────────────────────────────────────────────────────

    def _act(self, one: Arrived, name: str, incident_id: str, params: dict[str, str], person: str) -> View:
        self._may(person, f"act.{name}", incident_id)
        return self.desk.act(name, incident_id, params, person, once=one.key)

    def _may(self, person: str, permit: str, incident_id: str) -> None:
        """Where accounts are on, the roles and units of that person's account hold here too. Raises Refusal."""
        refusal = self.desk.access.may_person(person, permit, incident_id)
        if refusal is not None:
            raise Refusal(refusal)

    def _seen_by(self, person: str, incidents: list[View]) -> list[View]:
        may = self.desk.access.may_person
        return [chat.outside(one) for one in incidents if may(person, "see", one["id"]) is None]

    def _incident(self, about: str) -> str:
        """Raises Refusal for a button that is about no incident (any more)."""
        with self.house.store.read() as conn:
            found = chat.incident_of(conn, about)
        if found is None:
            raise Refusal("这条提醒不关某一起事件；请打开页面查看")
        return found

    def _press(self, one: Arrived, person: str) -> str:
        incident_id = self._incident(one.about)
        done = self._act(one, one.act, incident_id, _params(one.act), person)
        words = self._done_words(one.act, done)
        self._mark_taken(one, incident_id, person, words)
        if one.text == "home":
            self._home(one, person)
            return ""
        return words

    def _done_words(self, act: str, done: View) -> str:
        until = f"，{clock_face(parse_iso(done['until']))} 前不再重复提醒" if done.get("until") else ""
        stopped = f"，停止时钟：{'、'.join(done['stopped']) or '无'}" if "stopped" in done else ""
        return f"{DONE[act]} {done['ref']} {fit(plain(chat.outside(done)['title']), 200)}{until}{stopped}"

    def _mark_taken(self, one: Arrived, incident_id: str, person: str, words: str) -> None:
        """An alert's own message says who has taken it; an incident's message is changed by its teller."""
        if one.act not in ("ack", "take") or not one.message or not one.shown or one.about == incident_id:
            return
        said = f"{clock_face(self.desk.now())} {self.house.names[person]} {DONE[one.act]}"
        shown = alerts.taken([dict(block) for block in one.shown], said)
        self.channel.talk.update(channel=one.place, ts=one.message, text=words, blocks=shown)

    def _open_form(self, one: Arrived, person: str) -> str:
        incident_id = self._incident(one.about)
        self._may(person, f"act.{one.act}", incident_id)
        incident = self.desk.incident(incident_id)
        if incident is None:
            raise Unknown("没有这起事件；请打开页面查看")
        where = {"place": one.place, "thread": one.thread or one.message}
        incident = chat.outside(incident)
        if one.act == "grade":
            form = forms.grade_form(incident, where)
        else:
            form = forms.proof_form(incident, where, self.house.site.name, self.desk.now())
        said = self.channel.talk.open_form(one.trigger, form)
        return "" if said.ok else f"表单没有打开（{said.code or said.reason}）；请再按一次，或打开页面操作"

    def _form(self, one: Arrived, person: str) -> str:
        incident_id = self._incident(one.about)
        if one.file:
            self._may(person, "act.stop", incident_id)
            content = self.channel.talk.download(one.file["url"], MOST)
            name = one.file["name"]
            done = self.desk.files.stop(incident_id, dict(one.fields), person, name, content, once=one.key)
        else:
            done = self._act(one, one.act, incident_id, dict(one.fields), person)
        return self._done_words(one.act, done)

    def _command(self, one: Arrived, person: str) -> str:
        word, _, rest = one.text.strip().partition(" ")
        word = word.lower() or "mine"
        if word == "board":
            board = self.desk.board(Wanted(limit=LISTED))
            shown = self._seen_by(person, board["incidents"])
            return home.listing("未结事件", shown, self.house.public_url)
        if word == "mine":
            shown = self._seen_by(person, self.desk.mine(person)["incidents"])
            return home.listing("我的事项", shown, f"{self.house.public_url}/mine")
        about, _, words = rest.strip().partition(" ")
        if word not in COMMANDS or not about:
            return home.HELP
        act, incident_id = COMMANDS[word], self._incident(about)
        return self._done_words(act, self._act(one, act, incident_id, _params(act, words.strip()), person))

    def _home(self, one: Arrived, person: str) -> str:
        mine = self.desk.mine(person)
        shown = self._seen_by(person, mine["incidents"])
        view = home.home(mine["person"]["name"], shown, self.house.public_url, iso(self.desk.now()))
        said = self.channel.talk.publish_home(one.user, view)
        return "" if said.ok else said.reason


def _params(act: str, words: str = "") -> dict[str, str]:
    """What an act is given beside the incident."""
    if act == "snooze":
        return {"minutes": words or str(names.SNOOZE_MINUTES)}
    if act == "update":
        return {"text": words} if words else {}
    return {"reason": words} if words else {}
