"""How grave: grade = max(event, heat, sensitivity), each part visible and with its reason.

The event part is statutory and cites its 文号 and fact id. Heat and sensitivity are a proposal of
the domain study (4.2) and say 建议. A machine's grade is provisional; a person confirms (law 14).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from models.core.facts import ZH, Facts
from models.core.lexicon import PLANNED, Hits, scan
from models.core.vocabulary import EventType, Grade, Medium

PartName = Literal["event", "heat", "sensitivity"]
PART_ZH: Final[Mapping[str, str]] = {"event": "事件等级", "heat": "热度", "sensitivity": "敏感度"}


@dataclass(frozen=True, slots=True)
class GradePart:
    """One of the three parts: what it says, why in Chinese, and on which fact ids it rests."""

    part: PartName
    grade: Grade
    reason: str
    basis: tuple[str, ...] = ()
    suggested: bool = False  # 建议: not statutory


@dataclass(frozen=True, slots=True)
class Graded:
    """The whole, provisional until a person confirms it."""

    grade: Grade
    parts: tuple[GradePart, ...]
    reasons: tuple[str, ...]

    def part(self, name: PartName) -> Grade | None:
        return next((p.grade for p in self.parts if p.part == name), None)


@dataclass(frozen=True, slots=True)
class Table:
    """Least numbers for I, II, III; None where the text sets none. Below all of them: IV."""

    domain: str
    document: str
    facts: tuple[str, str, str, str]  # fact ids of I, II, III, IV
    least: Mapping[str, tuple[int | None, int | None, int | None]]


_WAN: Final = 10_000
_YI: Final = 100_000_000
WORK_SAFETY: Final = Table(
    "生产安全事故",
    "国务院令493号第3条",
    ("N-080", "N-081", "N-082", "N-083"),
    {
        "deaths": (30, 10, 3),
        "serious": (100, 50, 10),
        "loss_cny": (_YI, 5_000 * _WAN, 1_000 * _WAN),
    },
)
ENVIRONMENT: Final = Table(
    "突发环境事件",
    "国办函〔2014〕119号附件1",
    ("N-107",) * 4,
    {
        "deaths": (30, 10, 3),
        "serious": (100, 50, 10),
        "evacuated": (5 * _WAN, 1 * _WAN, 5_000),
        "loss_cny": (_YI, 2_000 * _WAN, 500 * _WAN),
    },
)
EARTHQUAKE: Final = Table("地震灾害", "国家地震应急预案(2012修订)", ("N-108",) * 4, {"deaths": (300, 50, 10)})
MASS_EVENT: Final = Table(
    "群体性事件",
    "特别重大、重大突发公共事件分级标准(试行)",
    ("N-109",) * 4,
    {"deaths": (10, 3, None), "injured": (30, 10, None)},
)
_LEVELS: Final = (Grade.I, Grade.II, Grade.III)


def event_type(text: str, hits: Hits | None = None) -> EventType | None:
    """The type with the most watched words; of equals the one that is named first."""
    hits = hits or scan(text)
    found = [(len(hits.of(kind)), -_first(hits, kind), kind) for kind in EventType if hits.of(kind)]
    return EventType(max(found)[2]) if found else None


def _first(hits: Hits, family: str) -> int:
    return min(hits.first[word] for word in hits.of(family))


def table_for(kind: EventType | None, hits: Hits | None = None) -> Table:
    """Which table of 2.1 applies: its own for 地震, 环境, 社会安全; else 493号令 as the yardstick."""
    if kind is EventType.SOCIAL_SAFETY:
        return MASS_EVENT
    if hits and kind is EventType.NATURAL and hits.of("earthquake"):
        return EARTHQUAKE
    if hits and hits.of("environment"):
        return ENVIRONMENT
    return WORK_SAFETY


def event_grade(kind: EventType | None, facts: Facts, hits: Hits | None = None) -> GradePart | None:
    """The statutory part, or None when neither an emergency nor a count is stated.

    以上含本数、以下不含 (493号令). 受伤 without 轻重 does not reach a threshold of 重伤: the reason says so.
    """
    stated = any(getattr(facts, name) is not None for name in ZH)
    if not stated and kind is None:
        return None
    table = table_for(kind, hits)
    for level, place in zip(_LEVELS, range(3), strict=True):
        for name, least in table.least.items():
            bound, value = least[place], _value(facts, name, table)
            if bound is not None and value is not None and value >= bound:
                return _reached(kind, facts, table, level, name, bound)
    return _ordinary(kind, facts, table)


def _value(facts: Facts, name: str, table: Table) -> int | None:
    """The count a table asks for; 地震 counts the missing among the dead (N-108)."""
    value: int | None = getattr(facts, name)
    if table is EARTHQUAKE and name == "deaths" and facts.missing:
        return (value or 0) + facts.missing
    return value


def _reached(
    kind: EventType | None, facts: Facts, table: Table, level: Grade, name: str, bound: int
) -> GradePart:
    words = facts.why(name)
    fact_id = table.facts[_LEVELS.index(level)]
    reason = (
        f"{level.zh}({level}):{ZH[name]} {_said(name, _value(facts, name, table) or 0)} ≥ {_said(name, bound)}"
        f"{f'(“{words}”)' if words else ''},{_measure(kind, table)}{table.document}〔{fact_id}〕"
    )
    return GradePart("event", level, reason, (fact_id,))


def _ordinary(kind: EventType | None, facts: Facts, table: Table) -> GradePart:
    fact_id = table.facts[3]
    known = [f"{ZH[n]} {_said(n, getattr(facts, n))}" for n in table.least if getattr(facts, n) is not None]
    said = "、".join(known) or "伤亡和损失未见说明"
    reason = f"一般(IV):{said},未达较大标准,{_measure(kind, table)}{table.document}〔{fact_id}〕"
    if facts.injured and facts.serious is None and "serious" in table.least:
        reason += f";受伤 {facts.injured} 人未分轻重,重伤满 10 人即为较大"
    return GradePart("event", Grade.IV, reason, (fact_id,))


def _measure(kind: EventType | None, table: Table) -> str:
    """依 where the document governs the event, 暂比照 where it only lends its numbers."""
    governed = {
        EventType.ACCIDENT: (WORK_SAFETY, ENVIRONMENT),
        EventType.NATURAL: (EARTHQUAKE, ENVIRONMENT),
    }
    return "依" if kind and table in governed.get(kind, ()) else "类型待确认,暂比照"


def _said(name: str, value: int) -> str:
    if name != "loss_cny":
        return f"{value} 人"
    return f"{value / _YI:g} 亿元" if value >= _YI else f"{value / _WAN:g} 万元"


@dataclass(frozen=True, slots=True)
class Heat:
    """How far it has spread, as far as anybody counted. Unknown stays 0 or None.

    `rank` is the best place on a national hot-search list and `rank_hours` the time since it
    entered; `reads_1h` are reads within one hour.
    """

    reads: int = 0
    reposts: int = 0
    reads_1h: int = 0
    rank: int | None = None
    rank_hours: float = 0.0
    city_list: bool = False
    central_media: int = 0
    provincial_media: int = 0
    foreign_media: bool = False
    leader_note: bool = False
    local_posts: bool = False
    tickets_24h: int = 0

    @classmethod
    def of(cls, metrics: Mapping[str, int], medium: Medium, rank: int | None = None) -> Heat:
        """From one signal's own counts; a hot-search title has been on the national list."""
        on_list = rank if rank is not None else (50 if medium is Medium.HOT_SEARCH else None)
        return cls(
            reads=max(0, metrics.get("reads", 0)),
            reposts=max(0, metrics.get("reposts", 0)),
            rank=on_list,
            local_posts=medium in (Medium.FORUM, Medium.WECHAT),
        )


def heat_grade(heat: Heat) -> GradePart | None:
    """The proposal of 4.2: any one mark is enough, the gravest counts."""
    for level, marks in _heat_marks(heat):
        said = next((words for holds, words in marks if holds), None)
        if said:
            return GradePart("heat", level, f"{level.zh}({level}):{said},热度默认规则(建议)", (), True)
    return None


def _heat_marks(heat: Heat) -> Sequence[tuple[Grade, Sequence[tuple[bool, str]]]]:
    top_ten = heat.rank is not None and heat.rank <= 10 and heat.rank_hours >= 2
    return (
        (
            Grade.I,
            (
                (heat.reposts >= 100_000, f"转发 {heat.reposts} ≥ 10万"),
                (heat.reads >= 1_000_000, f"阅读 {heat.reads} ≥ 100万"),
                (top_ten, f"全国热搜第 {heat.rank} 位已 {heat.rank_hours:g} 小时(前10且≥2小时)"),
                (heat.central_media >= 2, f"中央媒体连续报道 {heat.central_media} 次"),
                (heat.foreign_media, "境外主流媒体报道"),
                (heat.leader_note, "上级领导批示"),
            ),
        ),
        (
            Grade.II,
            (
                (heat.reposts >= 10_000, f"转发 {heat.reposts} ≥ 1万"),
                (heat.reads >= 100_000, f"阅读 {heat.reads} ≥ 10万"),
                (heat.rank is not None, "登全国热搜"),
                (heat.central_media == 1, "中央媒体报道 1 次"),
            ),
        ),
        (
            Grade.III,
            (
                (heat.reposts >= 500, f"转发 {heat.reposts} ≥ 500"),
                (heat.reads_1h >= 5_000, f"1 小时内阅读 {heat.reads_1h} ≥ 5000"),
                (heat.city_list, "登同城热搜"),
                (heat.provincial_media > 0, f"省级媒体报道 {heat.provincial_media} 次"),
            ),
        ),
        (
            Grade.IV,
            (
                (heat.tickets_24h >= 5, f"24 小时内同类工单 {heat.tickets_24h} 件 ≥ 5"),
                (heat.local_posts, "见于本地论坛、群聊"),
            ),
        ),
    )


def sensitivity_grade(
    text: str, medium: Medium, hits: Hits | None = None, sensitive_period: bool = False
) -> GradePart | None:
    """The proposal of 4.2 for what must not be handled as routine, whatever its size."""
    hits = hits or scan(text)
    for level, said in _sensitive(text, medium, hits, sensitive_period):
        if said:
            reason = f"不低于{level.zh}({level}):{said},敏感度默认规则(建议)"
            return GradePart("sensitivity", level, reason, (), True)
    return None


def _sensitive(text: str, medium: Medium, hits: Hits, sensitive_period: bool) -> Sequence[tuple[Grade, str]]:
    return (
        (Grade.I, _gathering(text, hits, crowd=True)),
        (Grade.I, _quote("官方信息疑被证明有误", hits, "official_wrong")),
        (Grade.II, _near("学校、幼儿园食品问题", hits, "school", "food")),
        (Grade.II, _near("未成年人受害", hits, "minor", "abuse")),
        (Grade.II, _near("执法中有人死亡", hits, "police", "killed")),
        (Grade.II, _leak(hits)),
        (Grade.III, _gathering(text, hits, crowd=False)),
        (Grade.III, "网信部门通报" if medium is Medium.CAC_NOTICE else ""),
        (Grade.III, "处于敏感时点" if sensitive_period else ""),
    )


def _quote(said: str, hits: Hits, *families: str) -> str:
    return f"{said}({'、'.join(hits.of(f)[0] for f in families)})" if hits.all(*families) else ""


def _leak(hits: Hits) -> str:
    near = _near("涉隐私信息大规模泄露", hits, "leak", "privacy")
    return near if near and hits.of("massive") else ""


_CROWD = re.compile(
    r"(?:[数几上近]?[十百千万]|\d{2,6}|大量|众多|大批|成群)[余多来]?[名位个]?"
    r"(?:业主|村民|工人|家长|市民|群众|居民|司机|商户|民工|农民工|学生|人(?!民))"
)
NEAR: Final = 24  # characters between two words that speak of one thing


def _near(said: str, hits: Hits, one: str, other: str) -> str:
    """Both families, close together: a school in one paragraph and a death in another are two things."""
    for a in hits.of(one):
        for b in hits.of(other):
            if abs(hits.first[a] - hits.first[b]) <= NEAR:
                return f"{said}({a}、{b})"
    return ""


def _gathering(text: str, hits: Hits, crowd: bool) -> str:
    """A gathering that has happened: not planned, threatened or warned of; a crowd is named beside it."""
    for word in hits.of("gathering"):
        at = hits.first[word]
        ahead = text[max(0, at - NEAR) : at]
        if not any(mark in ahead[-10:] for mark in PLANNED):
            many = _CROWD.search(ahead + text[at : at + NEAR])
            if many and crowd:
                return f"群体聚集已发生({many.group()}、{word})"
            if not crowd:
                return f"述及聚集({word}),规模待核实"
    return ""


def grade(parts: Sequence[GradePart | None]) -> Graded:
    """The gravest part; IV 一般 when none speaks."""
    known = tuple(part for part in parts if part is not None)
    top = max((part.grade for part in known), default=Grade.IV)
    reasons = tuple(f"{PART_ZH[p.part]}:{p.reason}" for p in sorted(known, key=lambda p: -p.grade.rank))
    return Graded(top, known, reasons or ("未见定级依据,默认一般(IV)",))
