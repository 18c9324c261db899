"""The paper of a rehearsal: what is given, who answers how fast, what happens meanwhile.

One shape for three readers: `huiying simulate --people FILE`, golden tests (`golden`) and the console's
page for authors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from models.core.moment import parse_duration
from models.core.roster import Absence, Roster
from models.core.situation import Situation
from models.core.vocabulary import Domain, EventType, EvidenceKind, Grade, Medium, OpinionKind, StartEvent
from playbooks.fields import Duration, Ident, Items, Moment, Name, Strict, iso_duration, refuse
from playbooks.problem import Problem, did_you_mean, listed
from playbooks.roster_paper import AbsenceSource
from playbooks.simulate import EVERYBODY, KNOWN_AT_FIRST, Change, Scene

NEVER = timedelta.max
"""How `never` is held: nobody waits that long."""
NEVER_WORDS = frozenset({"never", "none", "从不", "不签收"})


def _answer(value: Any) -> Any:
    """5 (minutes), PT5M, 5分钟, never."""
    if isinstance(value, timedelta):
        return value
    if value is None or str(value).strip().lower() in NEVER_WORDS:
        return NEVER
    text = str(value).strip().removesuffix("钟").removesuffix("分")
    if text.isdecimal() and len(text) < 5:
        return timedelta(minutes=int(text))
    try:
        return parse_duration(str(value))
    except (ValueError, OverflowError):
        raise refuse(
            f"“{str(value)[:40]}” 不是签收快慢", "写几分钟，例如 5；或 PT5M；从不签收写 never"
        ) from None


def _answer_text(value: timedelta) -> str:
    return "never" if value == NEVER else iso_duration(value)


Answer = Annotated[
    timedelta,
    BeforeValidator(_answer),
    PlainSerializer(_answer_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}], "examples": [5, "never"]}
    ),
]
"""How long after being told somebody acknowledges; minutes, or never."""


class ChangeSource(Strict):
    """其间发生的一件事。"""

    at: Moment
    """何时，例如 2026-11-21T02:13"""
    grade: Grade | None = None
    """由人定级：I 特别重大、II 重大、III 较大、IV 一般"""
    kind: OpinionKind | None = None
    """改定的舆情类别"""
    known: StartEvent | None = None
    """得知哪一个起算时间（就是 at），例如 first_public 首次公开"""
    evidence: EvidenceKind | None = None
    """看到的凭据，停下要它的时钟"""
    clock: Ident | None = None
    """只停这一个时钟；不写 evidence 时用它要的第一种凭据"""

    @model_validator(mode="after")
    def _something(self) -> ChangeSource:
        said = (self.grade, self.kind, self.known, self.evidence, self.clock)
        if all(value is None for value in said):
            raise refuse("这一项什么也没有发生", "写 grade、kind、known、evidence 或 clock 之一")
        return self

    def change(self) -> Change:
        return Change(self.at, self.grade, self.kind, self.known, self.evidence, self.clock)


class CastSource(Strict):
    """谁多快签收，其间发生什么。"""

    people: dict[Name, Answer] = Field(default_factory=dict)
    """人员标识（或角色）→ 收到提醒几分钟后签收，从不签收写 never；其他人写 "*"；没有写到的从不签收"""
    happens: Items[ChangeSource] = ()
    """其间发生的事：定级、凭据、得知时间"""
    absences: Items[AbsenceSource] = ()
    """另外的外出与代班，加在值班表上"""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        """A mere list of people and minutes stands without the key `people`."""
        if isinstance(data, dict) and data and not set(data) & {"people", "happens", "absences"}:
            return {"people": data}
        return data


class GivenSource(Strict):
    """给定：怎样的事件，什么时间知道什么。"""

    grade: Grade
    """级别：I 特别重大、II 重大、III 较大、IV 一般"""
    event_grade: Grade | None = None
    """突发事件级别；不写时，已由人定级（confirmed）的与 grade 相同"""
    heat_grade: Grade | None = None
    """热度级别"""
    sensitivity_grade: Grade | None = None
    """敏感度级别"""
    kind: OpinionKind | None = None
    """舆情类别"""
    event_type: EventType | None = None
    """突发事件类型"""
    medium: Medium | None = None
    """来源渠道"""
    domain: Domain | None = None
    """领域"""
    confirmed: bool = True
    """级别已由人确认；false 为系统暂定"""
    signals: Annotated[int, Field(ge=0)] = 0
    """线索条数"""
    quiet_hours: Annotated[int, Field(ge=0)] = 0
    """距上一条线索几小时"""
    start: Moment | None = None
    """各起算时间都是这一时刻；要分开写用 times"""
    times: dict[StartEvent, Moment] = Field(default_factory=dict)
    """起算时间：occurrence 发生、first_public 首次公开、discovery 发现、receipt 接报；没有写的即不知道"""
    opens: Moment | None = None
    """立案时刻；不写取发现，再取接报，再取已知时间中最晚的"""
    lasts: Duration = timedelta(hours=48)
    """推演多久，例如 PT48H"""

    @model_validator(mode="after")
    def _timed(self) -> GivenSource:
        if self.start is None and not self.times:
            raise refuse("没有任何起算时间", "写 start: 2026-11-21T02:13，或写 times")
        return self

    def known(self) -> dict[StartEvent, datetime]:
        if self.start is None:
            return dict(self.times)
        return {**dict.fromkeys(KNOWN_AT_FIRST, self.start), **self.times}

    def situation(self) -> Situation:
        """As the ledger would see it (`incidents.situation`)."""
        told = set(Situation.__dataclass_fields__)
        values = {
            name: value for name in type(self).model_fields if name in told and (value := getattr(self, name))
        }
        event = self.event_grade or (self.grade if self.confirmed else None)
        return Situation(
            **{
                **values,
                "event_grade": event,
                "confirmed": self.confirmed,
                "spread": StartEvent.FIRST_PUBLIC in self.known(),
            }
        )

    def opened(self) -> datetime:
        known = self.known()
        for event in (StartEvent.DISCOVERY, StartEvent.RECEIPT):
            if event in known:
                return self.opens or known[event]
        return self.opens or max(known.values())


def scene_of(given: GivenSource, cast: CastSource, playbook: str | None = None) -> Scene:
    """The scene that both papers describe."""
    opens = given.opened()
    return Scene(
        situation=given.situation(),
        times=given.known(),
        opens=opens,
        until=opens + given.lasts,
        answers=answers_of(cast.people),
        changes=tuple(change.change() for change in cast.happens),
        playbook=playbook,
    )


def answers_of(people: Mapping[str, timedelta]) -> dict[str, timedelta | None]:
    return {person: None if after == NEVER else after for person, after in people.items()}


def with_absences(roster: Roster, cast: CastSource) -> Roster:
    """The roster with these people away too."""
    away = tuple(Absence(a.person, a.since, a.until, a.substitute) for a in cast.absences)
    return replace(roster, absences=(*roster.absences, *away)) if away else roster


def by_role(cast: CastSource, roster: Roster) -> CastSource:
    """The same with every role's name replaced by the people of that role."""
    named: dict[str, timedelta] = {}
    for name, after in cast.people.items():
        people = [p for rung in roster.ladder if rung.role == name for p in rung.everybody()]
        named.update(dict.fromkeys(people or [name], after))
    return cast.model_copy(update={"people": named})


def strangers(cast: CastSource, roster: Roster, file: str) -> list[Problem]:
    """People who answer or are away and whom the roster does not know."""
    known = [person.id for person in roster.people]
    named = [*(name for name in cast.people if name != EVERYBODY), *(a.person for a in cast.absences)]
    return [
        Problem(file, 1, 1, f"值班表里没有 “{name}”{did_you_mean(name, known)}", f"可用：{listed(known)}")
        for name in dict.fromkeys(named)
        if name not in known
    ]
