"""The shape of the numbers that `grade` applies; the numbers themselves are a file (`playbooks/grading.yaml`).

A row is one condition of a text: measure → least value, all of which must hold; of a level's rows any one
is enough. 以上含本数 (493号令): a bound is reached when it is met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from models.core.vocabulary import Grade

Row = Mapping[str, float]
Rows = Mapping[Grade, tuple[Row, ...]]

LEVELS: Final = (Grade.I, Grade.II, Grade.III, Grade.IV)

MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "deaths": ("死亡", "人"),
    "dead_or_missing": ("死亡和失踪", "人"),
    "serious": ("重伤", "人"),
    "injured": ("受伤", "人"),
    "evacuated": ("转移疏散", "人"),
    "loss_cny": ("损失", "元"),
    "magnitude": ("震级", "级"),
    "crowd": ("聚集", "人"),
    "leaked": ("泄露", "条"),
    "derailed": ("脱轨", "辆"),
    "halted_h": ("中断行车", "小时"),
    "source_cut": ("水源取水中断", "级"),
}
"""Measure of an event → (name, unit)."""

SENSITIVE: Final[Mapping[str, str]] = {
    "gathering": "群体聚集已发生",
    "official_wrong": "官方信息疑被证明有误",
    "school_food": "学校、幼儿园食品问题",
    "minor_hurt": "未成年人受害",
    "custody_death": "执法中有人死亡",
    "mass_leak": "涉隐私信息大规模泄露",
    "gathering_unsized": "述及聚集，规模待核实",
    "cac_notice": "网信部门通报",
    "sensitive_period": "处于敏感时点",
}
"""Rules of sensitivity: id → what is said of them."""


@dataclass(frozen=True, slots=True)
class Table:
    """One text's bounds. `facts` are its fact ids for I, II, III, IV; without `active` it does not hold."""

    id: str
    name: str
    document: str
    facts: tuple[str, str, str, str]
    rows: Rows
    active: bool = True

    def measures(self) -> tuple[str, ...]:
        """Every measure the text asks for, in the order of its rows."""
        return tuple(dict.fromkeys(name for rows in self.rows.values() for row in rows for name in row))


@dataclass(frozen=True, slots=True)
class HeatRules:
    """Marks of single numbers, and a sum of all of them in reposts (折合转发).

    `worth`: one read, comment, like in reposts; `media`: how much a platform's numbers count;
    `most`: what the numbers beside reposts give at the most, so that bought reads reach no top level;
    `index`: the sum that reaches a level.
    """

    marks: Rows
    worth: Mapping[str, float]
    media: Mapping[str, float]
    most: float
    index: Mapping[Grade, float]


@dataclass(frozen=True, slots=True)
class Period:
    """敏感时点, both days included."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Standards:
    """Everything that a grade is measured by. A rule of sensitivity that is switched off is not in it."""

    tables: Mapping[str, Table]
    heat: HeatRules
    sensitivity: Mapping[str, Grade]
    periods: tuple[Period, ...] = field(default=())

    def period(self, on: date) -> str:
        """The name of the sensitive period that a day lies in, or nothing."""
        return next((one.name for one in self.periods if one.first <= on <= one.last), "")
