"""提醒偏好 as people see and change their own, and how each of their contacts fared the last time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.telling import reach
from models.core import preferences
from models.core.addressing import masked
from models.core.moment import iso
from models.core.preferences import NONE, Quiet, Urgency, Wishes
from models.core.roster import Contact, Person
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import preferences as kept
from models.ledger import reaching
from models.ledger.store import Connection, Row

_QUIET = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–—~至到]\s*([01]?\d|2[0-4]):([0-5]\d)")


class Preferences:
    """The desk's room for preferences. Implements `connectors.console.desks.preferences.PreferencesDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of(self, person_id: str) -> View:
        person, now = self._person(person_id), self._desk.now()
        with reachable(), self._desk.house.store.read() as conn:
            return self._view(conn, person, now)

    def save(self, person_id: str, params: Mapping[str, str], by: str) -> View:
        person = self._own(person_id, by)
        with in_words(), self._desk.writing() as conn:
            before = kept.of(conn, [person.id]).get(person.id, NONE)
            wishes = _changed(before, params)
            wrong = preferences.refusal(wishes, [contact.channel for contact in person.contacts])
            if wrong:
                raise Refusal(wrong)
            kept.save(conn, self._desk.now(), person.id, person.name, wishes)
        return self.of(person.id) | {"said": f"已保存：{preferences.in_words(wishes)}"}

    def test(self, person_id: str, number: int, by: str) -> View:
        person = self._own(person_id, by)
        with in_words(), self._desk.writing() as conn:
            reaching.try_own(conn, self._desk.now(), person, number)
        contact = person.contacts[number - 1]
        said = f"测试已发往 {contact.channel}，收到后刷新本页看结果"
        return self.of(person.id) | {"said": said}

    def _person(self, person_id: str) -> Person:
        person = self._desk.house.site.roster.person(person_id)
        if person is None:
            raise Unknown(f"值班表里没有 {person_id[:40]}；请写 roster.yaml 中的人员标识")
        return person

    def _own(self, person_id: str, by: str) -> Person:
        person = self._person(person_id)
        if by != person.id:
            raise Refusal(
                f"提醒偏好由本人设置，您不能替 {person.name} 改；请 {person.name} 自己打开“提醒偏好”"
            )
        return person

    def _view(self, conn: Connection, person: Person, now: datetime) -> View:
        wishes = kept.of(conn, [person.id]).get(person.id, NONE)
        rows = reaching.newest(conn, person.id)
        contacts = [self._contact(n, one, rows) for n, one in enumerate(person.contacts, 1)]
        own = {one["channel"]: one for one in contacts}
        return {
            "person": person.id,
            "name": person.name,
            "now": iso(now),
            "words": preferences.in_words(wishes),
            "channels": [{"id": key, "name": one["name"], "type": one["type"]} for key, one in own.items()],
            "urgencies": [_urgency(urgent, wishes) for urgent in Urgency],
            "quiet": _quiet(wishes.quiet),
            "longest_h": preferences.LONGEST.total_seconds() / 3600,
            "contacts": contacts,
            "reach": _afternoon(reach.last(conn), person.id),
            "said": "",
        }

    def _contact(self, number: int, contact: Contact, rows: Sequence[Row[Any]]) -> View:
        settings = next((one for one in self._desk.house.site.channels if one["id"] == contact.channel), {})
        return {
            "n": number,
            "channel": contact.channel,
            "name": settings.get("name") or contact.channel,
            "type": settings.get("type", ""),
            "address": masked(contact.address),
            **_last(rows, contact),
        }


def _changed(before: Wishes, params: Mapping[str, str]) -> Wishes:
    """What is named in `params` in the place of what was wished before. Raises Refusal."""
    known = [*(urgent.value for urgent in Urgency), "quiet"]
    strange = next((key for key in params if key not in known), None)
    if strange is not None:
        raise Refusal(f"没有 {strange[:40]} 这一项；可写: {'、'.join(known)}")
    named = {urgent: _names(params[urgent.value]) for urgent in Urgency if urgent.value in params}
    changed = replace(before, channels={**before.channels, **named})
    return replace(changed, quiet=_hours(params["quiet"])) if "quiet" in params else changed


def _names(text: str) -> tuple[str, ...]:
    parts = re.split(r"[,，、\s]+", text)
    return tuple(dict.fromkeys(part for part in parts if part))


def _hours(text: str) -> Quiet | None:
    """22:00-07:00; "" is none. Raises Refusal."""
    if not text.strip():
        return None
    match = _QUIET.fullmatch(text.strip().replace("：", ":"))
    if match is None or (match[3] == "24" and match[4] != "00"):
        raise Refusal(f"“{text[:40]}” 不是时段；写成 22:00-07:00，清空即不设")
    begins, ends = time(int(match[1]), int(match[2])), time(int(match[3]) % 24, int(match[4]))
    return Quiet(begins, ends)


def _urgency(urgent: Urgency, wishes: Wishes) -> View:
    first = list(wishes.channels.get(urgent, ()))
    only = urgent is Urgency.LOW and bool(first)
    return {"key": urgent.value, "zh": urgent.zh, "means": urgent.means, "first": first, "only": only}


def _quiet(quiet: Quiet | None) -> View | None:
    return {"from": f"{quiet.begins:%H:%M}", "to": f"{quiet.ends:%H:%M}"} if quiet else None


def _last(rows: Sequence[Row[Any]], contact: Contact) -> View:
    """What came of the newest alert that this contact had in hand; it may have gone on to another since."""
    known = [contact.channel, contact.address]
    for row in rows:
        place = next((n for n, one in enumerate(row.contacts) if list(one) == known), None)
        if place is not None and place in row.refused and row.contact != place:
            return _came_of(False, "被拒收，已换下一个", row)
        if place == row.contact and (row.attempts or row.kind == AlertKind.TEST):
            waiting = row.state == AlertState.QUEUED.value and not row.last_error
            accepted = row.state == AlertState.ACCEPTED.value
            return _came_of(None if waiting else accepted, AlertState(row.state).zh, row)
    return _came_of(None, "还没有发过", None)


def _came_of(ok: bool | None, words: str, row: Row[Any] | None) -> View:
    """A contact's last result; receipts only where this very contact took it."""
    told = row if row is not None and ok else None
    return {
        "ok": ok,
        "state_zh": words,
        "at": iso(row.accepted_at or row.sent_at or row.raised_at) if row is not None else None,
        "delivered_at": iso(told.delivered_at) if told is not None and told.delivered_at else None,
        "read_at": iso(told.read_at) if told is not None and told.read_at else None,
        "why": (row.last_error or "") if row is not None and not ok else "",
    }


def _afternoon(last: reach.Result | None, person_id: str) -> View:
    """The afternoon's test of this person, where they were asked."""
    mine = next((one for one in (last or {}).get("people", ()) if one["person"] == person_id), None)
    return {
        "words": reach.in_words(last),
        "at": last["checked_at"] if last else None,
        "ok": mine["ok"] if mine else None,
        "why": mine["why"] if mine else "",
    }
