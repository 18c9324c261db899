"""How grave: grade = max(event, heat, sensitivity), each part visible and with its reason.

The numbers come from `standards`, a file. The event part is statutory and cites its 文号 and fact id;
heat and sensitivity are a proposal of the domain study (4.2) and say 建议. A machine's grade is
provisional; a person confirms (law 14).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from models.core.facts import ZH, Facts
from models.core.lexicon import PLANNED, Hits, scan
from models.core.standards import LEVELS, MEASURES, HeatRules, Row, Rows, Standards, Table
from models.core.vocabulary import EventSubtype, EventType, Grade, Medium

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


# ── what kind of event ───────────────────────────────────────────────────────────────────────────


def event_type(text: str, hits: Hits | None = None, facts: Facts | None = None) -> EventType | None:
    """The type with the most watched words, of equals the one named first; else the one that a measure
    speaks of (取水中断, 2000人围堵)."""
    hits = hits or scan(text)
    found = [(len(hits.of(kind)), -_first(hits, kind), kind) for kind in EventType if hits.of(kind)]
    if found:
        return EventType(max(found)[2])
    return _implied(facts) if facts else None


def _implied(facts: Facts) -> EventType | None:
    if facts.magnitude:
        return EventType.NATURAL
    if facts.crowd:
        return EventType.SOCIAL_SAFETY
    return EventType.ACCIDENT if facts.source_cut or facts.derailed else None


def _first(hits: Hits, family: str) -> int:
    return min(hits.first[word] for word in hits.of(family))


@dataclass(frozen=True, slots=True)
class Subtype:
    """What kind below the four, and the words that say so."""

    kind: EventSubtype
    words: tuple[str, ...]

    @property
    def reason(self) -> str:
        return f"{self.kind.parent.zh}/{self.kind.zh}(“{'”“'.join(self.words[:3])}”)"


def event_subtype(kind: EventType | None, hits: Hits) -> Subtype | None:
    """The kind below a type: the most words, of equals the one named first; None when no word tells.

    A cause outranks its setting: 工地 and 高速公路 say where, 坍塌 and 起火 say what.
    """
    found = [
        (len(hits.of(sub)) - (0.5 if sub in _SETTINGS else 0), -_first(hits, sub), sub)
        for sub in (_BELOW[kind] if kind else ())
        if sub in hits.words
    ]
    if not found:
        return None
    best = EventSubtype(max(found)[2])
    return Subtype(best, hits.of(best))


_BELOW: Final = {kind: tuple(sub for sub in EventSubtype if sub.parent is kind) for kind in EventType}
_SETTINGS: Final = frozenset({EventSubtype.PRODUCTION, EventSubtype.HAZMAT, EventSubtype.SUPPLY})


# ── the statutory part ───────────────────────────────────────────────────────────────────────────

_TABLE_OF: Final[Mapping[EventSubtype, str]] = {
    EventSubtype.RAIL: "railway",
    EventSubtype.ENVIRONMENT: "environment",
    EventSubtype.EARTHQUAKE: "earthquake",
    EventSubtype.CROWD: "mass_event",
    EventSubtype.BRAWL: "mass_event",
    EventSubtype.CYBER: "cyber",
    EventSubtype.FOOD_POISONING: "food_poisoning",
}
_BY_493: Final = frozenset(
    {
        EventSubtype.PRODUCTION, EventSubtype.EXPLOSION, EventSubtype.COLLAPSE, EventSubtype.MINE,
        EventSubtype.HAZMAT, EventSubtype.EQUIPMENT, EventSubtype.POISONING,
    }
)  # fmt: skip
"""What 493号令 itself governs; to the others it only lends its numbers."""


def table_for(
    kind: EventType | None, sub: EventSubtype | None, hits: Hits | None, standards: Standards
) -> Table:
    """Which table of 2.1 applies; without one of its own 493号令 is the yardstick, 群体性 for 社会安全."""
    if hits is not None and kind is not EventType.SOCIAL_SAFETY and hits.of(EventSubtype.ENVIRONMENT):
        sub = sub if sub is EventSubtype.EARTHQUAKE else EventSubtype.ENVIRONMENT
    usual = "mass_event" if kind is EventType.SOCIAL_SAFETY else "work_safety"
    table = standards.tables[_TABLE_OF.get(sub, usual) if sub else usual]
    return table if table.active else standards.tables[usual]


def event_grade(
    kind: EventType | None,
    facts: Facts,
    standards: Standards,
    sub: EventSubtype | None = None,
    hits: Hits | None = None,
) -> GradePart | None:
    """The statutory part, or None when neither an emergency nor a count is stated.

    以上含本数、以下不含 (493号令). 受伤 without 轻重 does not reach a threshold of 重伤: the reason says so.
    """
    stated = any(getattr(facts, name) is not None for name in ZH)
    if not stated and kind is None:
        return None
    table = table_for(kind, sub, hits, standards)
    reached = _highest(table.rows, facts)
    return _reached(kind, sub, facts, table, *reached) if reached else _ordinary(kind, sub, facts, table)


def _highest(rows: Rows, facts: Facts) -> tuple[Grade, Row] | None:
    """The gravest level of which one row holds."""
    for level in LEVELS:
        for row in rows.get(level, ()):
            if all((value := _value(facts, name)) is not None and value >= row[name] for name in row):
                return level, row
    return None


def _value(facts: Facts, name: str) -> float | None:
    """The count a table asks for; 地震 counts the missing among the dead (N-108)."""
    if name == "dead_or_missing":
        known = [n for n in (facts.deaths, facts.missing) if n is not None]
        return sum(known) if known else None
    value: float | None = getattr(facts, name)
    return value


def _reached(
    kind: EventType | None, sub: EventSubtype | None, facts: Facts, table: Table, level: Grade, row: Row
) -> GradePart:
    fact_id = table.facts[LEVELS.index(level)]
    said = "、".join(_met(facts, name, bound) for name, bound in row.items())
    reason = f"{level.zh}({level}):{said},{_measure(kind, sub, table)}{table.document}〔{fact_id}〕"
    if "magnitude" in row:
        reason += ";震级为初判,人口密集地区按高一级"
    return GradePart("event", level, reason, (fact_id,))


def _met(facts: Facts, name: str, bound: float) -> str:
    """死亡 12 人 ≥ 10 人(“12人死亡”)."""
    words = facts.why("deaths" if name == "dead_or_missing" else name)
    return (
        f"{MEASURES[name][0]} {_said(name, _value(facts, name) or 0)} ≥ {_said(name, bound)}"
        f"{f'(“{words}”)' if words else ''}"
    )


def _ordinary(kind: EventType | None, sub: EventSubtype | None, facts: Facts, table: Table) -> GradePart:
    fact_id = table.facts[3]
    measures = table.measures()
    known = [f"{MEASURES[n][0]} {_said(n, v)}" for n in measures if (v := _value(facts, n)) is not None]
    said = "、".join(known) or "伤亡和损失未见说明"
    reason = f"一般(IV):{said},未达较大标准,{_measure(kind, sub, table)}{table.document}〔{fact_id}〕"
    if facts.injured and facts.serious is None and "serious" in measures:
        least = min(row["serious"] for row in table.rows.get(Grade.III, ()) if "serious" in row)
        reason += f";受伤 {facts.injured} 人未分轻重,重伤满 {least:g} 人即为较大"
    return GradePart("event", Grade.IV, reason, (fact_id,))


def _measure(kind: EventType | None, sub: EventSubtype | None, table: Table) -> str:
    """依 where the document governs the event, 暂比照 where it only lends its numbers."""
    if kind is None:
        return "类型待确认,暂比照"
    own = sub is not None and _TABLE_OF.get(sub) == table.id
    accident = table.id == "work_safety" and kind is EventType.ACCIDENT and (sub is None or sub in _BY_493)
    spilt = table.id == "environment"
    return "依" if own or accident or spilt else "暂比照"


def _said(name: str, value: float) -> str:
    if name == "source_cut":
        return "设区的市级" if value >= 2 else "县级"
    if name != "loss_cny":
        return f"{value:g} {MEASURES[name][1]}"
    return f"{value / 1e8:g} 亿元" if value >= 1e8 else f"{value / 1e4:g} 万元"


# ── heat ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Heat:
    """How far it has spread, as far as anybody counted. Unknown stays 0 or None.

    `rank` is the best place on a national hot-search list and `rank_hours` the time since it
    entered; `reads_1h` are reads within one hour, `posts_1h` signals of one matter within one hour.
    """

    reads: int = 0
    reposts: int = 0
    comments: int = 0
    likes: int = 0
    reads_1h: int = 0
    posts_1h: int = 0
    rank: int | None = None
    rank_hours: float = 0.0
    city_list: bool = False
    central_media: int = 0
    provincial_media: int = 0
    foreign_media: bool = False
    leader_note: bool = False
    local_posts: bool = False
    tickets_24h: int = 0
    medium: Medium | None = None

    @classmethod
    def of(cls, metrics: Mapping[str, int], medium: Medium, rank: int | None = None) -> Heat:
        """From one signal's own counts; a hot-search title has been on the national list."""
        on_list = rank if rank is not None else (50 if medium is Medium.HOT_SEARCH else None)
        return cls(
            reads=max(0, metrics.get("reads", 0)),
            reposts=max(0, metrics.get("reposts", 0)),
            comments=max(0, metrics.get("comments", 0)),
            likes=max(0, metrics.get("likes", 0)),
            rank=on_list,
            local_posts=medium in (Medium.FORUM, Medium.WECHAT),
            medium=medium,
        )


_MARKS_ZH: Final[Mapping[str, str]] = {
    "reposts": "转发", "reads": "阅读", "reads_1h": "1 小时内阅读", "posts_1h": "1 小时内线索",
    "rank_hours": "在榜小时", "central_media": "中央媒体报道次数",
    "provincial_media": "省级媒体报道次数", "tickets_24h": "24 小时内同类工单",
}  # fmt: skip
_FLAGS_ZH: Final[Mapping[str, str]] = {
    "city_list": "登同城热搜", "foreign_media": "境外主流媒体报道", "leader_note": "上级领导批示",
    "local_posts": "见于本地论坛、群聊",
}  # fmt: skip


def heat_grade(heat: Heat, standards: Standards) -> GradePart | None:
    """The proposal of 4.2: any one mark is enough, or all numbers together; the gravest counts."""
    if heat == Heat(medium=heat.medium):
        return None  # nobody counted anything
    rules = standards.heat
    total = reposts_worth(heat, rules)
    for level in LEVELS:
        said = _marked(heat, rules.marks.get(level, ())) or _summed(heat, rules, level, total)
        if said:
            index = f",热度指数 {heat_index(total, rules):.2f}" if total else ""
            return GradePart("heat", level, f"{level.zh}({level}):{said}{index},热度默认规则(建议)", (), True)
    return None


def reposts_worth(heat: Heat, rules: HeatRules) -> float:
    """All numbers in reposts. What is not a repost counts up to `most`, so that bought reads reach no top."""
    counted = {"comments": heat.comments, "likes": heat.likes, "reads": heat.reads}
    others = sum(count * rules.worth.get(name, 0.0) for name, count in counted.items())
    weight = rules.media.get(heat.medium.value, 1.0) if heat.medium else 1.0
    return weight * (heat.reposts + min(rules.most, others))


def heat_index(total: float, rules: HeatRules) -> float:
    """0..1 on a scale of tenfolds: 1 is what level I asks for."""
    top = rules.index.get(Grade.I, 0)
    return min(1.0, math.log10(1 + total) / math.log10(1 + top)) if top > 0 else 0.0


def _summed(heat: Heat, rules: HeatRules, level: Grade, total: float) -> str:
    least = rules.index.get(level)
    if least is None or total < least:
        return ""
    counts = f"转发 {heat.reposts}、评论 {heat.comments}、点赞 {heat.likes}、阅读 {heat.reads}"
    return f"合计折合转发 {total:.0f} ≥ {_wan(least)}({counts})"


def _marked(heat: Heat, rows: Sequence[Row]) -> str:
    for row in rows:
        if all(_holds(heat, name, bound) for name, bound in row.items()):
            return "、".join(_mark(heat, name, bound) for name, bound in row.items())
    return ""


def _holds(heat: Heat, name: str, bound: float) -> bool:
    if name == "rank":
        return heat.rank is not None and heat.rank <= bound
    return float(getattr(heat, name)) >= bound


def _mark(heat: Heat, name: str, bound: float) -> str:
    if name == "rank":
        return f"全国热搜第 {heat.rank} 位(前 {bound:g})" if heat.rank and heat.rank < 50 else "登全国热搜"
    if name in _FLAGS_ZH:
        return _FLAGS_ZH[name]
    return f"{_MARKS_ZH[name]} {getattr(heat, name):g} ≥ {_wan(bound)}"


def _wan(value: float) -> str:
    return f"{value / 10_000:g}万" if value >= 10_000 else f"{value:g}"


# ── sensitivity ──────────────────────────────────────────────────────────────────────────────────


def sensitivity_grade(
    text: str, medium: Medium, standards: Standards, hits: Hits | None = None, on: date | None = None
) -> GradePart | None:
    """The proposal of 4.2 for what must not be handled as routine, whatever its size. `on`: the day it was
    said, which may lie in a sensitive period."""
    hits = hits or scan(text)
    if not hits.words and medium is not Medium.CAC_NOTICE:
        return None
    levels = standards.sensitivity
    period = standards.period(on) if on and standards.periods and _unquiet(hits) else ""
    found = [
        (levels[rule], said)
        for rule, said in _sensitive(text, medium, hits, period)
        if said and rule in levels
    ]
    if not found:
        return None
    level, said = max(found, key=lambda one: one[0].rank)
    return GradePart("sensitivity", level, f"不低于{level.zh}({level}):{said},敏感度默认规则(建议)", (), True)


def _unquiet(hits: Hits) -> bool:
    """A sensitive period makes nothing of a broken lamp."""
    return any(hits.of(family) for family in ("harm", "gathering", *EventType))


def _sensitive(text: str, medium: Medium, hits: Hits, period: str) -> Iterator[tuple[str, str]]:
    yield "gathering", _gathering(text, hits, crowd=True)
    yield "official_wrong", _quote("官方信息疑被证明有误", hits, "official_wrong")
    yield "school_food", _near("学校、幼儿园食品问题", hits, "school", "food")
    yield "minor_hurt", _near("未成年人受害", hits, "minor", "abuse")
    yield "custody_death", _near("执法中有人死亡", hits, "police", "killed")
    yield "mass_leak", _leak(hits)
    yield "gathering_unsized", _gathering(text, hits, crowd=False)
    yield "cac_notice", "网信部门通报" if medium is Medium.CAC_NOTICE else ""
    yield "sensitive_period", f"处于敏感时点({period})" if period else ""


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
