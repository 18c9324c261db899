"""What an alert says, once, for every channel that writes to a person.

The webhook body (contract.md, "Webhook channel") is read into short Chinese phrases here, so
that a channel only places them. Text from outside is stripped of control, bidi and zero-width
marks: it can neither move a cursor nor turn a line round.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.ports import Message
from models.core.moment import clock_face, deadline_face, parse_iso, span
from models.core.vocabulary import ClockState, Grade

CUT_MARK = "（截断，全文见页面）"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BLANKS = re.compile(r"[ \t\u3000]+|\n\s*")
_LONGEST = 20_000  # characters looked at before a channel's own limit is applied


@dataclass(frozen=True, slots=True)
class View:
    """One alert in phrases; an empty string where the alert has nothing to say."""

    ref: str  # 舆-2026-0012 首次发布 75%: the same on a resend
    badge: str  # 橙 · II 级 重大
    colour: str  # 红 橙 黄 蓝
    title: str
    why: str
    who: str  # 陈值班（市政府办公室）
    rung: str  # 第 1 级
    due: str  # 11-21 07:10
    left: str  # 还剩 1 小时 15 分 / 已逾期 20 分
    state: str  # 临期
    basis: str  # 国办发〔2016〕80号
    sent: str  # 11-21 02:13
    url: str
    take: str  # huiying ack … : the command that takes it
    ack_url: str  # the one-use link that takes it, where the site can be reached from outside
    attempt: int
    late_s: float  # how late this alert itself is, seconds
    also: tuple[str, ...] = ()  # the other alerts of this message, a line each, the most urgent first
    also_ack: tuple[tuple[str, str], ...] = ()  # (reference, one-use link), once for each other incident


def plain(text: object, limit: int = _LONGEST) -> str:
    """`text` on one line, without anything unseen, cut to `limit` characters."""
    words = "" if text is None else str(text)
    words, rest = words[:_LONGEST], words[_LONGEST:]
    words = _BLANKS.sub(" ", _UNSEEN.sub("", words)).strip()
    return cut(words + CUT_MARK if rest else words, limit)


def cut(text: str, limit: int) -> str:
    """`text` within `limit` characters; what was cut is marked, never silent."""
    if len(text) <= limit:
        return text
    return text[: max(0, limit - len(CUT_MARK))] + CUT_MARK[:limit]


def view(message: Message) -> View:
    """Read a message's payload; what is absent there falls back to its title and text."""
    body = message.payload
    incident, clock, step = (_part(body, name) for name in ("incident", "clock", "step"))
    due, sent = _moment(clock.get("due_at")), _moment(body.get("sent_at"))
    return View(
        ref=plain(message.ref or body.get("ref"), 120),
        badge=_badge(incident.get("grade")),
        colour=_colour(incident.get("grade")),
        title=plain(body.get("title") or incident.get("title") or message.title, 200),
        why=plain(body.get("reason") or message.text),
        who=_who(_part(body, "recipient"), message.address),
        rung=f"第 {step['rung']} 级" if step.get("rung") else "",
        due=deadline_face(due) if due else "",
        left=_left(due, sent),
        state=_state(clock.get("state")),
        basis=plain("、".join(map(str, clock.get("basis") or ())), 200),
        sent=clock_face(sent) if sent else "",
        url=_url(incident.get("url") or body.get("url")),
        ack_url=_url(body.get("ack_url")),
        take=_take(incident.get("id"), _part(body, "recipient").get("person") or message.address),
        attempt=int(body.get("attempt") or 1),
        late_s=float(body.get("late_by_s") or 0),
        also=tuple(_other(other, sent) for other in _others(body)),
        also_ack=tuple(_other_links(incident.get("id"), _others(body))),
    )


def _others(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = body.get("also")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _other(body: Mapping[str, Any], sent: datetime | None) -> str:
    """还剩 1 小时 15 分 · 舆-2026-0012 首次发布 75% · 化工园区爆燃."""
    left = _left(_moment(_part(body, "clock").get("due_at")), sent)
    title = body.get("title") or _part(body, "incident").get("title")
    return " · ".join(filter(None, (left, plain(body.get("ref"), 120), plain(title, 60))))


def _other_links(first: object, others: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """One press takes all alerts of an incident, so one link each is enough."""
    seen = {first}
    for other in others:
        incident, link = _part(other, "incident").get("id"), _url(other.get("ack_url"))
        if link and incident not in seen:
            seen.add(incident)
            yield plain(other.get("ref"), 120), link


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _moment(value: object) -> datetime | None:
    try:
        return parse_iso(str(value)) if value else None
    except ValueError:
        return None


def _badge(grade: object) -> str:
    if grade not in set(Grade):
        return ""
    known = Grade(str(grade))
    return f"{known.colour} · {known} 级 {known.zh}"


def _colour(grade: object) -> str:
    return Grade(str(grade)).colour if grade in set(Grade) else ""


def _state(state: object) -> str:
    return ClockState(str(state)).zh if state in set(ClockState) else ""


def _who(recipient: Mapping[str, Any], address: str) -> str:
    name = recipient.get("name") or recipient.get("person") or address
    person, unit = plain(name, 60), plain(recipient.get("unit"), 60)
    return f"{person}（{unit}）" if unit else person


def _left(due: datetime | None, sent: datetime | None) -> str:
    """Time left when the alert was sent: no clock is read here."""
    if due is None or sent is None:
        return ""
    seconds = (due - sent).total_seconds()
    return f"还剩 {span(seconds)}" if seconds > 0 else f"已逾期 {span(seconds)}"


def _url(value: object) -> str:
    """Only a web address may become a link or a button."""
    url = plain(value, 2000)
    return url if url.startswith(("http://", "https://")) else ""


def _take(incident_id: object, person: object) -> str:
    if not incident_id:
        return ""
    return f"huiying ack {_word(plain(incident_id, 80))} --by {_word(plain(person, 60))}"


def _word(text: str) -> str:
    """`text` as one word of a shell; Chinese needs no quotes (shlex would add them)."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text) else shlex.quote(text)
