"""新闻发布会 and its like: what counts as one, who its first speaker is, when to remind, what is announced. Pure.

国办发〔2016〕61号 asks for a press conference within 24 hours (N-003) and names briefings and interviews as
other ways to answer (N-005): only the first stops that clock, unless a site's own rule says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from models.core.casework import MeetingKind
from models.core.clock import StepRule
from models.core.moment import clock_face, local, span

REMIND: Final = (timedelta(hours=24), timedelta(hours=2), timedelta(minutes=30))
"""How long before it begins its people are reminded (a proposal)."""
RECORD_WITHIN: Final = timedelta(hours=1)
"""How long after it was to begin somebody must have said whether it was held (a proposal)."""
COUNTED: Final = (MeetingKind.PRESS_CONFERENCE,)
_WEEKDAYS: Final = "一二三四五六日"


def why_not_counted(kind: MeetingKind) -> str:
    """What to tell people of a meeting that stops no press conference's clock."""
    return (
        f"{kind.zh}是回应的一种方式(国办发〔2016〕61号 N-005)，但时限要的是新闻发布会(N-003)，"
        "不停发布会的时钟；本地规定可以计入的，在 site.yaml 写 "
        f"meetings: {{counts: [press_conference, {kind.value}]}}"
    )


def too_late(starts_at: datetime, limits: Iterable[tuple[str, datetime]]) -> list[str]:
    """A warning for each clock (name, due) that ends before the meeting begins."""
    return [
        f"开始时间 {clock_face(starts_at)} 晚于“{name}”的时限 {clock_face(due)}，届时已经逾期；"
        "请提前举行，或先请示并留痕(国办发〔2016〕61号 N-003)"
        for name, due in limits
        if due < starts_at
    ]


def reminders(booked_at: datetime, starts_at: datetime, before: Sequence[timedelta]) -> tuple[StepRule, ...]:
    """The steps of the reminder, whose limit ends `RECORD_WITHIN` after the start: so long before it as is
    still to come, at its start, and when nobody has said whether it was held."""
    ahead = sorted((b for b in before if starts_at - b > booked_at), reverse=True)
    soon = tuple(StepRule(1, before=b + RECORD_WITHIN) for b in ahead)
    return (*soon, StepRule(1, before=RECORD_WITHIN), StepRule(2, fraction=1.0))


def is_principal(speaker: str, name: str, principals: Mapping[str, str]) -> bool:
    """第一新闻发言人 (S-012, S-013, N-013): is the speaker, by id or by name, one of the principals?"""
    return speaker in principals or (bool(name) and name in principals.values())


def notice(
    site: str, title: str, kind: MeetingKind, starts_at: datetime, place: str, speaker: str, contacts: Sequence[str]
) -> str:  # fmt: skip
    """The notice to the media, ready to be sent or changed."""
    who = f"届时由{speaker}介绍有关情况并回答记者提问。" if speaker else "届时将介绍有关情况并回答记者提问。"
    lines = [
        f"关于举行“{title}”{kind.zh}的通知",
        "",
        "各新闻单位：",
        f"{site}定于{_date(starts_at)}在{place}举行{kind.zh}，通报“{title}”有关情况。{who}",
        "请派记者参加，并提前 30 分钟凭有效证件签到。",
        "",
        site,
    ]
    return "\n".join([*lines, *([f"（送：{'、'.join(contacts)}）"] if contacts else [])])


def _date(moment: datetime) -> str:
    at = local(moment)
    return f"{at.year}年{at.month}月{at.day}日(星期{_WEEKDAYS[at.weekday()]}){at:%H:%M}"


def ahead(starts_at: datetime, now: datetime) -> str:
    """For people: 还有 2 小时, 已过 10 分."""
    left = (starts_at - now).total_seconds()
    return f"还有 {span(left)}" if left > 0 else f"已过 {span(left)}"
