"""site.yaml's sections on registers 台账 and assessment 考核. Field docstrings are what the editor shows.

The law's minima of the weights: S-120 (3 %), S-121 … S-123 (4 %); a site may only raise them. All points are
proposals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.core.assessment import Part
from models.core.clock import Amount as CoreAmount
from models.core.workdays import WorkingDays
from playbooks.book import Library
from playbooks.fields import Amount, Ident, Items, Percent, Strict, refuse
from playbooks.loader import Document
from playbooks.problem import Problem, did_you_mean
from playbooks.schema import CounterSource

Points = Annotated[float, Field(gt=0, le=20)]

LEAST_DISCLOSURE = 0.04
LEAST_WEBSITE = 0.03
BASIS: dict[Part, tuple[str, ...]] = {
    Part.RESPONSE: (
        "国办发〔2016〕19号 N-014",
        "海南省2016年政务公开工作要点 S-121",
        "黔财办〔2017〕14号 (十九)1 S-122",
        "2022年大理州政务公开工作要点 五(二) S-123",
    ),
    Part.DISCLOSURE: ("国办发〔2016〕19号 N-014", "S-121", "S-122", "S-123"),
    Part.WEBSITE: ("海南省2016年政务公开工作要点 六(二) S-120",),
}
"""What fixes the minimum of each part; response and disclosure together are 政务公开."""


class WeightsSource(Strict):
    """各部分占年度绩效考核的权重。"""

    response: Percent = 0.02
    """舆情回应；与政务公开合计不低于 4%"""
    disclosure: Percent = 0.02
    """政务公开（依申请公开、预案公开等）；与舆情回应合计不低于 4%"""
    website: Percent = 0.03
    """网站与新媒体；不低于 3%"""

    @model_validator(mode="after")
    def _no_less_than_the_law(self) -> WeightsSource:
        together = round(self.response + self.disclosure, 6)
        if together < LEAST_DISCLOSURE:
            raise refuse(
                f"舆情回应与政务公开的权重合计 {together:.1%}，不得低于 4%"
                "（国办发〔2016〕19号，黔财办〔2017〕14号 (十九)1；S-121…S-123）",
                "例如 response: 2%，disclosure: 2%",
            )
        if self.website < LEAST_WEBSITE:
            raise refuse(
                f"网站与新媒体的权重 {self.website:.1%}，不得低于 3%（海南省2016年政务公开工作要点 六(二)，S-120）",
                "写 website: 3% 或更高",
            )
        return self

    def by_part(self) -> dict[Part, float]:
        return {
            Part.RESPONSE: self.response,
            Part.DISCLOSURE: self.disclosure,
            Part.WEBSITE: self.website,
        }


class AssessmentSource(Strict):
    """考核：权重与扣分、加分。分值都是建议值。"""

    weights: WeightsSource = WeightsSource()
    """各部分占年度绩效考核的权重，合计折成一百分"""
    complaint: Points = 1.0
    """一件查实的投诉举报扣几分（没有写分值的）"""
    accountability: Points = 5.0
    """一件予以追究的问责扣几分"""
    bonus: Points = 1.0
    """一件加分事项加几分（没有写分值的）"""
    most_bonus: Points = 5.0
    """加分合计的上限"""


class RegistersSource(Strict):
    """台账与督办。"""

    not_ours: Items[Ident] = ()
    """合规日历里与本单位无关的事项，例如 [water_quality_month]；不计数、不提醒"""
    remind: bool = True
    """到期前每周、逾期后每天提醒值班表负责人"""
    supervise: bool = True
    """每天把逾期的时钟、任务、台账列为建议督办"""
    answer_within: Amount = WorkingDays(3)
    """督办要求多久内答复（建议值），例如 3 个工作日"""
    review: Literal["late", "grave", "all"] = "grave"
    """办结后 7 日内要复盘的：late 有逾期的；grave 有逾期的和较大以上的；all 全部"""

    @property
    def answering(self) -> CoreAmount:
        return self.answer_within


# ── against the playbooks ─────────────────────────────────────────────────────────────────────

SHARES = {"weight_disclosure": (Part.RESPONSE, Part.DISCLOSURE), "weight_site": (Part.WEBSITE,)}
"""The calendar's counters that fix a minimum share, and the parts that reach it together."""


def too_light(document: Document, given: AssessmentSource, library: Library) -> Iterator[Problem]:
    """Weights below what a calendar in force asks for: a profile's may ask for more than the law."""
    weights = given.weights.by_part()
    for counter in _counters(library):
        parts = SHARES.get(counter.id, ())
        together = round(sum(weights[part] for part in parts), 6)
        if parts and counter.share is not None and together < counter.share:
            message = f"{_together(parts)} {together:.1%}，低于{counter.name} {counter.share:.1%}（{_cited(counter)}）"
            yield document.problem(("assessment", "weights"), message, f"写到 {counter.share:.1%} 以上")


def _together(parts: tuple[Part, ...]) -> str:
    return "、".join(part.zh for part in parts) + ("的权重合计" if len(parts) > 1 else "的权重")


def _cited(counter: CounterSource) -> str:
    said = ((basis.doc, basis.article, basis.fact or "") for basis in counter.basis)
    return "、".join(" ".join(part for part in each if part) for each in said) or "未写依据"


def strange_counters(document: Document, given: RegistersSource, library: Library) -> Iterator[Problem]:
    """What is said not to be ours and is not in any calendar: a slip of the pen, and still counted."""
    known = [counter.id for counter in _counters(library)]
    for n, name in enumerate(given.not_ours):
        if name not in known:
            message = f"合规日历里没有 “{name}”{did_you_mean(name, known)}"
            yield document.problem(
                ("registers", "not_ours", n), message, "事项标识见 huiying register counters"
            )


def _counters(library: Library) -> Iterator[CounterSource]:
    return (counter for book in library.playbooks for counter in book.counters)
