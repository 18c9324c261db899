"""roster.yaml: units, people, how each is reached, and who is on duty when."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from models.core.casework import Level
from models.core.roster import NEXT
from models.core.vocabulary import Role
from playbooks.fields import Duration, Ident, Items, Moment, Name, OneOrMany, Strict, Text, refuse

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


def _clock(value: Any) -> Any:
    """08:00, or 24:00 for the end of the day."""
    if isinstance(value, time):
        return value
    match = _CLOCK.fullmatch(str(value).strip().replace("：", ":"))
    if match is None or (match[1] == "24" and match[2] != "00"):
        raise refuse(f"“{str(value)[:40]}” 不是钟点", '写成 "08:00"；午夜写 "24:00" 或 "00:00"')
    return time(int(match[1]) % 24, int(match[2]))


ClockFace = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda clock: f"{clock:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-4]):[0-5]\d$", "examples": ["08:00"]}),
]
"""A time of day in Beijing: 08:00."""


class UnitSource(Strict):
    """一个单位。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    level: Level | None = None
    """层级：town 乡镇，county 县区，city 市州，province 省，state 国家；涉及几个地方时由管得着的上级负责"""
    parent: Ident | None = None
    """上级单位的标识；账号的单位范围包括它下面的全部单位"""
    places: OneOrMany[Name] = ()
    """管哪些地方，例如 临江市滨江区；事件的地点包含它即属地；不写不限地方"""
    topics: OneOrMany[Name] = ()
    """主管哪些事：写标题里会出现的词（例如 燃气），或 kind、event_type、domain 的值；不写不限"""
    coordinates: bool = False
    """统筹协调的单位（本级政府办公厅、办公室）"""


class ContactSource(Strict):
    """一种联系方式；按书写顺序，前一个不通用后一个。"""

    channel: Ident
    """渠道标识，见 channels.yaml"""
    address: Name
    """该渠道里的地址：用户标识、邮箱等；数字要加引号"""


class PersonSource(Strict):
    """一个人。"""

    id: Ident
    """标识"""
    name: Name
    """姓名"""
    unit: Ident
    """单位标识"""
    contacts: Items[ContactSource] = ()
    """联系方式"""


class RotationSource(Strict):
    """轮班：从 since 起，每 every 换下一个人，循环。"""

    people: Annotated[Items[Ident], Field(min_length=1)]
    """按顺序轮值的人"""
    every: Duration
    """每班多久，例如 PT12H 或 P1D；写在 shifts 里时是隔多久换人，例如 P1D 每天换"""
    since: Moment
    """第一班开始的时间"""


class ShiftSource(Strict):
    """一天中的一班；跨午夜的班算在开始的那一天。"""

    begins: Annotated[ClockFace, Field(alias="from")]
    """几点接班，例如 "20:00" """
    ends: Annotated[ClockFace, Field(alias="to")]
    """几点交班，例如 "08:00"；与 from 相同表示一整天"""
    on_duty: OneOrMany[Ident] = ()
    """这一班固定的人"""
    rotation: RotationSource | None = None
    """这一班轮值的人"""


class RungSource(Strict):
    """值班阶梯的一级。"""

    rung: Annotated[int, Field(ge=1, le=9)]
    """级：1 最先被通知"""
    role: Role
    """角色：duty_officer 值班员，duty_chief 值班主任，duty_leader 带班领导，deputy 分管领导，
    principal 主要领导"""
    on_duty: OneOrMany[Ident] = ()
    """固定在班的人"""
    rotation: RotationSource | None = None
    """轮班的人"""
    shifts: Items[ShiftSource] = ()
    """一天分几班"""


class AbsenceSource(Strict):
    """外出或休假。"""

    person: Ident
    """谁"""
    since: Moment
    """从何时起"""
    until: Moment
    """到何时止"""
    substitute: Ident | None = None
    """由谁代班；代班人也外出时，由他的代班人顶上"""


class OverrideSource(Strict):
    """临时调班：这段时间这一级由这些人值，不看轮班。"""

    rung: Annotated[int, Field(ge=1, le=9)]
    """哪一级"""
    since: Moment
    """从何时起"""
    until: Moment
    """到何时止"""
    people: Annotated[OneOrMany[Ident], Field(min_length=1)]
    """由谁值班"""
    reason: Text = ""
    """为什么，例如 与李值班对调"""


class SensitiveSource(Strict):
    """敏感时段：双岗。"""

    name: Name
    """名称，例如 两会"""
    since: Moment
    """从何时起"""
    until: Moment
    """到何时止"""
    rungs: Annotated[OneOrMany[Annotated[int, Field(ge=1, le=9)]], Field(min_length=1)]
    """哪几级双岗"""
    extra: Annotated[OneOrMany[Ident], Field(min_length=1)] = (NEXT,)
    """再加谁：next 轮班的下一个人，或写人员标识"""


class ReachTestSource(Strict):
    """联络测试：每天问一遍今晚在班的人，每一种联系方式都试。"""

    at: ClockFace = time(16)
    """几点"""
    rungs: Annotated[int, Field(ge=1, le=9)] = 2
    """测到第几级"""


class RosterSource(Strict):
    """值班表 roster.yaml。"""

    owner: OneOrMany[Ident] = ()
    """值班表由谁负责：无人可达、联络测试不通时通知他；不写则通知最高一级"""
    units: Items[UnitSource] = ()
    """单位"""
    people: Items[PersonSource] = ()
    """人员"""
    ladder: Items[RungSource] = ()
    """值班阶梯"""
    absences: Items[AbsenceSource] = ()
    """外出与代班"""
    overrides: Items[OverrideSource] = ()
    """临时调班"""
    sensitive: Items[SensitiveSource] = ()
    """敏感时段"""
    reach_test: ReachTestSource | None = ReachTestSource()
    """联络测试；写 null 关闭"""
