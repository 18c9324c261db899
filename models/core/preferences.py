"""提醒偏好: by which of their contacts a person is told first, and when what is not urgent may wait.

A preference arranges; it never silences. What is about a limit of a clock goes at once, to every contact
in turn, whatever is preferred: quiet hours hold back low notices alone, and only low notices may be kept
from a contact, never from all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from models.core.moment import local
from models.core.roster import DAY, Contact, Roster
from models.core.vocabulary import AlertKind

LONGEST = timedelta(hours=14)
"""Quiet hours, so that a day's low notices are told on that day or the next morning (a proposal)."""


class Urgency(StrEnum):
    """提醒的急缓, the gravest first."""

    DEADLINE = "deadline"  # 时限: a step of a clock
    HIGH = "high"  # 紧急: the watch itself, evidence and reviews that a clock hangs on
    NORMAL = "normal"  # 一般: keyword plans, supervision
    LOW = "low"  # 不急: the day's lists

    @property
    def zh(self) -> str:
        return {"deadline": "时限", "high": "紧急", "normal": "一般", "low": "不急"}[self.value]

    @property
    def means(self) -> str:
        """What is told under it, for the page."""
        return {
            "deadline": "时钟的每个节点：首次发布、发布会、反馈等时限",
            "high": "接班、有人联系不上、凭据待确认、稿件待审等",
            "normal": "监测方案命中、督办",
            "low": "每天的任务清单、台账清单",
        }[self.value]


_LOW = frozenset({"tasks", "registers"})
_NORMAL = frozenset({"supervision", "plan"})


def urgency(kind: AlertKind, topic: str = "") -> Urgency:
    """How urgent an alert is; a topic that nobody has named here is urgent."""
    family = topic.partition(":")[0]
    if kind is not AlertKind.NOTICE:
        return Urgency.DEADLINE
    if family in _LOW:
        return Urgency.LOW
    return Urgency.NORMAL if family in _NORMAL else Urgency.HIGH


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begins` until `ends` in Beijing, over midnight where it ends earlier."""

    begins: time
    ends: time

    @property
    def length(self) -> timedelta:
        return _span(self.begins, self.ends)

    def over_at(self, now: datetime) -> datetime | None:
        """When the quiet hours that hold `now` end; None outside them."""
        here = local(now)
        for day in (here, here - DAY):
            began = day.replace(hour=self.begins.hour, minute=self.begins.minute, second=0, microsecond=0)
            if began <= now < began + self.length:
                return began + self.length
        return None

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}–{self.ends:%H:%M}"


def _span(begins: time, ends: time) -> timedelta:
    minutes = (ends.hour - begins.hour) * 60 + ends.minute - begins.minute
    return timedelta(minutes=minutes % (24 * 60))


@dataclass(frozen=True, slots=True)
class Wishes:
    """One person's. `channels`: by urgency, the channels wished first; of low notices, the only ones."""

    channels: Mapping[Urgency, tuple[str, ...]] = field(default_factory=dict)
    quiet: Quiet | None = None

    def __bool__(self) -> bool:
        return self.quiet is not None or any(self.channels.values())


NONE = Wishes()


def refusal(wishes: Wishes, known: Iterable[str]) -> str | None:
    """What is wrong with them, in words with the way out; None when nothing is. `known`: the person's channels."""
    own = list(dict.fromkeys(known))
    strange = [one for names in wishes.channels.values() for one in names if one not in own]
    if strange:
        return f"值班表里没有您的 {strange[0]} 联系方式；可用: {'、'.join(own) or '无'}"
    if wishes.quiet and wishes.quiet.length == timedelta(0):
        return "静默时段的起止相同；写成 22:00 到 07:00，或清空"
    if wishes.quiet and wishes.quiet.length > LONGEST:
        return f"静默时段最长 {LONGEST // timedelta(hours=1)} 小时；请缩短"
    return None


def ways(contacts: Sequence[Contact], wishes: Wishes, urgent: Urgency) -> tuple[Contact, ...]:
    """The contacts in the order wished; all of them, but for low notices that are to go to some alone."""
    first = wishes.channels.get(urgent, ())
    place = {channel: at for at, channel in enumerate(first)}
    ordered = sorted(contacts, key=lambda contact: place.get(contact.channel, len(place)))
    if urgent is not Urgency.LOW or not first:
        return tuple(ordered)
    return tuple(contact for contact in ordered if contact.channel in place) or tuple(contacts)


def held_until(wishes: Wishes, urgent: Urgency, now: datetime) -> datetime | None:
    """When a notice may go that is told now; None: at once. Only low ones ever wait."""
    return wishes.quiet.over_at(now) if urgent is Urgency.LOW and wishes.quiet else None


def arranged(roster: Roster, wishes: Mapping[str, Wishes]) -> Roster:
    """The same roster, each person's contacts in the order wished for a deadline. Nobody gains or loses one."""
    if not wishes:
        return roster
    people = [
        replace(one, contacts=ways(one.contacts, wishes.get(one.id, NONE), Urgency.DEADLINE))
        for one in roster.people
    ]
    return replace(roster, people=tuple(people))


def in_words(wishes: Wishes) -> str:
    """For the journal and the page."""
    first = [
        f"{urgent.zh}{'只用' if urgent is Urgency.LOW else '先用'} {'、'.join(names)}"
        for urgent in Urgency
        if (names := wishes.channels.get(urgent))
    ]
    quiet = [f"{wishes.quiet} 不急的通知留到其后"] if wishes.quiet else []
    return "；".join([*first, *quiet]) or "按值班表的顺序，不设静默时段"
