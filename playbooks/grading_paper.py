"""grading.yaml: by what an incident is graded. The shipped file holds all of it; a site's file lies over it.

A site's rows of a statutory table are added to the shipped ones, so that a site can only tighten the law;
heat and sensitivity are proposals, and what a site writes of them takes the shipped one's place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from models.core.standards import HeatRules, Period, Row, Standards, Table
from models.core.vocabulary import Grade
from playbooks.checked import checked
from playbooks.fields import Items, Name, Strict, refuse
from playbooks.loader import Document, load
from playbooks.problem import Problem
from playbooks.schema import FactId

SHIPPED = Path(__file__).resolve().parent / "grading.yaml"

Measure = Literal[
    "deaths", "dead_or_missing", "serious", "injured", "evacuated", "loss_cny", "magnitude", "crowd", "leaked",
    "derailed", "halted_h", "source_cut",
]  # fmt: skip
Mark = Literal[
    "reposts", "reads", "reads_1h", "posts_1h", "rank", "rank_hours", "city_list", "central_media",
    "provincial_media", "foreign_media", "leader_note", "local_posts", "tickets_24h",
]  # fmt: skip
TableId = Literal[
    "work_safety", "railway", "environment", "earthquake", "mass_event", "cyber", "food_poisoning"
]
Rule = Literal[
    "gathering", "official_wrong", "school_food", "minor_hurt", "custody_death", "mass_leak",
    "gathering_unsized", "cac_notice", "sensitive_period",
]  # fmt: skip
Level = Literal["I", "II", "III", "IV"]
Bound = Annotated[float, Field(gt=0, le=1e12)]
Share = Annotated[float, Field(ge=0, le=100)]
Line = Annotated[dict[Measure, Bound], Field(min_length=1)]
MarkLine = Annotated[dict[Mark, Bound], Field(min_length=1)]


class TableSource(Strict):
    """一张分级表。每级写若干行，任一行满足即达到该级；一行里的数要同时满足。"""

    name: Name | None = None
    """名称；只写在内置文件里"""
    document: Name | None = None
    """文号和条款；只写在内置文件里"""
    facts: Annotated[tuple[FactId, FactId, FactId, FactId] | None, Field(default=None)] = None
    """规则研究中的编号，依次为特别重大、重大、较大、一般；只写在内置文件里"""
    active: bool | None = None
    """是否启用；法定的表不能关"""
    I: Items[Line] = ()  # noqa: E741
    """特别重大，例如 [{deaths: 30}]；站点写的行另加在内置的行上"""
    II: Items[Line] = ()
    """重大"""
    III: Items[Line] = ()
    """较大"""

    def rows(self) -> dict[Grade, tuple[Row, ...]]:
        return {level: tuple(getattr(self, level.value)) for level in (Grade.I, Grade.II, Grade.III)}


class HeatSource(Strict):
    """热度（建议）。站点写的项取代内置的同名项。"""

    marks: dict[Level, Items[MarkLine]] = Field(default_factory=dict)
    """级 → 若干行，任一行满足即达到；rank 是名次，越小越热"""
    worth: dict[Literal["comments", "likes", "reads"], Share] = Field(default_factory=dict)
    """一次评论、点赞、阅读折合多少转发"""
    media: dict[Literal["weibo", "wechat", "video", "forum", "news"], Share] = Field(default_factory=dict)
    """各平台的数乘以多少；不写的平台为 1"""
    most: Bound | None = None
    """转发以外的数合计最多折合多少转发，免得刷出来的阅读量到顶"""
    index: dict[Level, Bound] = Field(default_factory=dict)
    """折合转发满多少达到该级"""


class PeriodSource(Strict):
    """一段敏感时点，首尾两天都算。"""

    name: Name
    """名称，例如 两会"""
    first: date
    """第一天，例如 2027-03-01"""
    last: date
    """最后一天"""

    @model_validator(mode="after")
    def _in_order(self) -> PeriodSource:
        if self.last < self.first:
            raise refuse(f"{self.name} 的最后一天早于第一天", "从早到晚写")
        return self


class GradingSource(Strict):
    """定级标准：法定分级表只能收紧，热度和敏感度可以改写。"""

    tables: dict[TableId, TableSource] = Field(default_factory=dict)
    """分级表；站点写的行另加在内置的行上"""
    heat: HeatSource = HeatSource()
    """热度（建议）"""
    sensitivity: dict[Rule, Level | Literal["off"]] = Field(default_factory=dict)
    """敏感度（建议）：规则 → 不低于哪一级，off 为不用"""
    periods: Items[PeriodSource] = ()
    """敏感时点"""


@cache
def shipped() -> Standards:
    """The shipped standards. Raises Problems when the shipped file is broken."""
    return _whole(checked(GradingSource, load(SHIPPED)))


def over(source: GradingSource) -> Standards:
    """A site's file over the shipped one."""
    base = shipped()
    own = {str(id_): table for id_, table in source.tables.items()}
    return Standards(
        tables={id_: _tightened(table, own.get(id_)) for id_, table in base.tables.items()},
        heat=_heated(base.heat, source.heat),
        sensitivity=_sensed(base.sensitivity, source.sensitivity),
        periods=(*base.periods, *_periods(source)),
    )


def loosening(document: Document, source: GradingSource) -> list[Problem]:
    """What a site's file may not say of a statutory table: its name and text, and that it does not hold."""
    found = []
    for id_, table in source.tables.items():
        for key in ("name", "document", "facts"):
            if getattr(table, key) is not None:
                message = f"分级表 {id_} 的 {key} 是内置的，站点不能改"
                found.append(document.problem(("tables", id_, key), message, "去掉这一行", key=True))
        if table.active is False and shipped().tables[id_].active:
            message = f"法定分级表 {id_}（{shipped().tables[id_].document}）不能关"
            found.append(document.problem(("tables", id_, "active"), message, "去掉这一行", key=True))
    return found


def _whole(source: GradingSource) -> Standards:
    return Standards(
        tables={id_: _table(id_, table) for id_, table in source.tables.items()},
        heat=_heated(HeatRules({}, {}, {}, 0, {}), source.heat),
        sensitivity=_sensed({}, source.sensitivity),
        periods=_periods(source),
    )


def _table(id_: str, source: TableSource) -> Table:
    facts = source.facts or ("N-000",) * 4
    return Table(
        id_, source.name or id_, source.document or "", facts, source.rows(), source.active is not False
    )


def _tightened(table: Table, own: TableSource | None) -> Table:
    """The shipped rows with a site's beside them."""
    if own is None:
        return table
    more = own.rows()
    rows = {level: (*table.rows[level], *more[level]) for level in table.rows}
    return Table(table.id, table.name, table.document, table.facts, rows, table.active or own.active is True)


def _heated(base: HeatRules, own: HeatSource) -> HeatRules:
    marks = {Grade(level): tuple(_row(row) for row in rows) for level, rows in own.marks.items()}
    return HeatRules(
        marks={**base.marks, **marks},
        worth={**base.worth, **_row(own.worth)},
        media={**base.media, **_row(own.media)},
        most=own.most if own.most is not None else base.most,
        index={**base.index, **{Grade(level): least for level, least in own.index.items()}},
    )


def _row(given: Mapping[Any, float]) -> dict[str, float]:
    """The keys of a file are a few words; the core knows them as text."""
    return {str(name): value for name, value in given.items()}


def _sensed(base: Mapping[str, Grade], own: Mapping[Rule, str]) -> dict[str, Grade]:
    levels = {rule: level.value for rule, level in base.items()} | {
        str(rule): one for rule, one in own.items()
    }
    return {rule: Grade(level) for rule, level in levels.items() if level != "off"}


def _periods(source: GradingSource) -> tuple[Period, ...]:
    return tuple(Period(one.name, one.first, one.last) for one in source.periods)
