"""roster.yaml: units, people, how each is reached, and who is on duty when."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.core.vocabulary import Role
from playbooks.fields import Duration, Ident, Items, Moment, Name, OneOrMany, Strict


class UnitSource(Strict):
    """一个单位。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""


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
    """每班多久，例如 PT12H 或 P1D"""
    since: Moment
    """第一班开始的时间"""


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


class AbsenceSource(Strict):
    """外出或休假。"""

    person: Ident
    """谁"""
    since: Moment
    """从何时起"""
    until: Moment
    """到何时止"""
    substitute: Ident | None = None
    """由谁代班"""


class RosterSource(Strict):
    """值班表 roster.yaml。"""

    units: Items[UnitSource] = ()
    """单位"""
    people: Items[PersonSource] = ()
    """人员"""
    ladder: Items[RungSource] = ()
    """值班阶梯"""
    absences: Items[AbsenceSource] = ()
    """外出与代班"""
