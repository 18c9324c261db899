"""Which open incidents does a publication of our own answer, and how surely? Pure.

A statement for another incident with similar words must not stop a clock. So a match needs words that
are particular to the incident (names, places, things; not 火灾 or 通报), must come after its start, and
must name no other place and no other day. How likely the match is, 0..1, is a logistic function of
five measures; the figures were fitted on titles and replies of real authorities and are measured by
`huiying evaluate` (docs/model-card.md). From `PROPOSE_AT` a person is asked; `sure` asks for more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final

from models.core.moment import CST, clock_face
from models.core.text import canonical

Rarity = Callable[[str], float]
"""How rare a pair of characters is in the language: its idf, about 3 (common) to 10."""
Grams = dict[str, float]

PROPOSE_AT: Final = 0.30
SURE_AT: Final = 0.95
SURE_COVERED: Final = 0.40
RIVAL_AT: Final = 0.30  # another incident that is as likely makes nobody sure
APART: Final = 16.0  # … unless the item names so much of ours that the other has not: two rare words
_NAMED: Final = 8.0  # weight of a name in Latin letters or of a number of three digits
_LEAST_TITLE: Final = 45.0  # a title lighter than this says too little to be covered by chance
_RUN_CAP: Final = 60.0
_SUM_CAP: Final = 60.0
_LENGTH_UNIT: Final = 8.5  # ln of the longest text that is looked at
_READ: Final = 5_000  # characters of a publication that are compared
_HEAD: Final = 160  # of one without a title: its first words speak for it
_INCIDENT: Final = 600  # characters of an incident's own reports
_DATE_SLACK: Final = timedelta(days=2)

# What any statement of any authority says: shared, it tells nothing about which incident.
_COMMON: Final = (  # noqa: SIM905  (words are read and mended more easily as lines of text)
    "情况通报 情况说明 警情通报 新闻发布会 发布会 通报 说明 公告 通告 声明 回应 发布 "
    "辟谣 澄清 不实 谣言 传言 网传 关于 有关 相关 部门 人员 工作 调查 处置 救援 现场 "
    "原因 进一步 正在 已经 目前 全力 开展 组织 第一时间 高度重视 善后 事件 事故 事发 "
    "发生 情况 火灾 起火 着火 爆炸 坍塌 泄漏 事态 伤亡 死亡 受伤 遇难 失联 被困 人死 "
    "人伤 死伤 致 多人 一人 两人 三人 官方 警方 政府 应急 管理局 委员会 办公室 公安局 "
    "召开 举行 最新 进展 续报 我市 我县 我区 今日 昨日 凌晨 上午 下午 晚上 时许 分许 "
    "网友 网民 群众 居民 市民 反映 投诉 问题 关注 舆情 热搜 视频 小区 公司 有限公司 "
    "企业 学校 医院 医生 学生 男子 女子 老人 孩子 "
).split()
# What things are, not which: it counts, but a name counts more than three times as much.
_KINDS: Final = (
    "化工园区 工业园区 产业园区 开发区 园区 化工 厂房 工厂 车间 仓库 "
    "道路 自来水 供水 停水 停电 水质 异味 食堂 老师 大学 景区 列车 地铁"
)
_KIND_WEIGHT: Final = 0.3
# What happened, in the words of the public and of offices: each line is one matter. One place or company
# has many matters, so a publication that names none of the incident's is never sure.
_MATTERS: Final = tuple(
    re.compile("|".join(line.split()))
    for line in (
        "火灾 起火 着火 失火 大火 燃烧 明火 火情 火势",
        "爆炸 爆燃 闪爆 炸",
        "坍塌 垮塌 倒塌 塌方 塌陷 塌",
        "泄漏 泄露 外泄",
        "中毒 腹泻 呕吐",
        "车祸 相撞 追尾 侧翻 翻车 碰撞 撞 交通事故 坠江",
        "坠楼 坠亡 坠落 跳楼 高坠",
        "溺水 溺亡 落水",
        "异味 发臭 臭味 浑浊 水质 发黄 自来水",
        "停水 断水 停电 断电 停气 断气 停暖 供暖 供热",
        "污染 排污 偷排 超标 废水 废气 死鱼",
        "殴打 打人 被打 施暴 霸凌 欺凌 体罚 虐待 伤人 持刀 行凶 命案 遇害 杀",
        "猥亵 性侵 强奸 骚扰",
        "欠薪 拖欠 讨薪 工资",
        "强拆 拆迁 征地 违建",
        "贪污 受贿 索贿 举报 腐败 违纪",
        "洪水 内涝 暴雨 泥石流 滑坡 山洪 地震 台风 山火",
        "确诊 感染 疫情 流感 诺如",
        "食物 食材 变质 食品 异物 过期 鼠头",
        "死亡 身亡 遇难 猝死 去世 丧生",
    )
)
# two characters and what kind of place they name; 我市, 小区 and 公路 name none
_PLACE = re.compile(
    r"([\u4e00-\u9fff]{2})(?:(?<![本全我该各城超上股夜门菜都])(市)|(?<![全我该本各])(县)|(?<![全本我各城乡集])(镇|乡)"
    r"|(?<![小社地片辖矿景园灾校郊山城厂新居片发湾保])(区)|(?<![农乡本该全各])(村)|(?<![道公马铁一线电网之思退出])(路)"
    r"|(化工园|工业园|产业园|开发区|街道|小区|花园|大桥|隧道|水库|煤矿|医院|中学|小学|大学|学院))"
)
_DATE = re.compile(r"(?<!\d)(\d{1,2})月(\d{1,2})日")
_WORDS = re.compile(r"[\u4e00-\u9fff]+|[a-z]{2,}|\d{3,}")
_STOP = re.compile("|".join(sorted(_COMMON, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What matching needs to know of an incident. `terms`: its names and key words, if known;
    `reports`: words of its first signals."""

    id: str
    title: str
    started_at: datetime
    terms: tuple[str, ...] = ()
    place: str | None = None
    reports: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """One item of an official channel; `published_at` is the platform's time, None when it gave none."""

    title: str
    body: str
    published_at: datetime | None

    @property
    def text(self) -> str:
        return f"{self.title}\n{self.body}".strip()


@dataclass(frozen=True, slots=True)
class Measures:
    """What the likelihood is made of. Weights of words are sums of their pairs' idf."""

    covered: float  # 0..1, the share of the incident's particular words that the item repeats
    told: float  # 0..1, the share of the item's own head that the incident's reports know
    longest: float  # 0..1, the weightiest stretch of words that both have
    shared: float  # 0..1, the weight of all of them
    length: float  # 0..1, of the item: a long text shares more by chance


@dataclass(frozen=True, slots=True)
class Answer:
    """The item answers the incident with this likelihood; `sure`: a machine may act on it."""

    incident_id: str
    score: float
    sure: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    incident: OpenIncident
    score: float
    measures: Measures
    words: tuple[str, ...]  # what both name, the weightiest first
    face: Grams  # the particular words of the title, or those that the signals share
    known: Grams  # all that is known of the incident


# fitted on pairs of the development set; models/classify/answering.py fits them anew
BIAS: Final = -1.48
WEIGHTS: Final = Measures(covered=5.05, told=7.81, longest=5.69, shared=4.99, length=-9.09)


def answers(item: Publication, incidents: Sequence[OpenIncident], rarity: Rarity) -> list[Answer]:
    """Every open incident that the item seems to answer, the likeliest first."""
    text = canonical(item.text)[:_READ]
    about = [one for one in incidents if _possible(item, text, one)]
    fits = [fit for one in about if (fit := _fit(item, text, one, rarity)).score >= PROPOSE_AT]
    fits.sort(key=lambda fit: -fit.score)
    return [_answer(item, fit, fits, text) for fit in fits]


def measure(item: Publication, title: str, reports: str, rarity: Rarity) -> Measures:
    """The measures of an item against an incident of this title, of which these reports are known."""
    profile, text = particular(title, rarity), canonical(item.text)[:_READ]
    known = {**particular(reports[:_INCIDENT], rarity), **profile}
    return _measures(text, _head(item, rarity), profile, known)


def likelihood(of: Measures) -> float:
    """Five measures → 0..1."""
    total = (
        BIAS
        + WEIGHTS.covered * of.covered
        + WEIGHTS.told * of.told
        + WEIGHTS.longest * of.longest
        + WEIGHTS.shared * of.shared
        + WEIGHTS.length * of.length
    )
    return 1 / (1 + math.exp(-total))


def _possible(item: Publication, text: str, incident: OpenIncident) -> bool:
    """Nothing speaks against it: it comes after the start and names no other place and no other day."""
    if item.published_at is None or item.published_at < incident.started_at:
        return False  # without a time it cannot be shown to come after
    return not _other_place(text, incident) and not _other_date(text, item.published_at, incident.started_at)


def _fit(item: Publication, text: str, incident: OpenIncident, rarity: Rarity) -> _Fit:
    """The better of two faces: the incident's title, and the words that its signals share."""
    faces, known = _profile(incident, rarity)
    head = _head(item, rarity)
    measured = [(_measures(text, head, face, known), face) for face in faces]
    best, face = max(measured, key=lambda pair: likelihood(pair[0]))
    words = tuple(dict.fromkeys(word for _, word in sorted(_runs(text, known), reverse=True)))
    return _Fit(incident, likelihood(best), best, words[:6], face, known)


@lru_cache(maxsize=512)  # an incident is compared with every publication of a week: read, not changed
def _profile(incident: OpenIncident, rarity: Rarity) -> tuple[tuple[Grams, ...], Grams]:
    """An incident's faces, and all that is known of it."""
    title = particular(f"{incident.title} {incident.place or ''}", rarity)
    terms = (particular(" ".join(incident.terms), rarity),) if incident.terms else ()
    known = particular(incident.reports[:_INCIDENT], rarity)
    for face in (title, *terms):
        known |= face
    return (title, *terms), known


def _measures(text: str, head: Grams, profile: Grams, known: Grams) -> Measures:
    shared = sum(weight for gram, weight in profile.items() if gram in text)
    told = sum(weight for gram, weight in head.items() if gram in known)
    longest = max((weight for weight, _ in _runs(text, known)), default=0.0)
    return Measures(
        covered=shared / max(sum(profile.values()), _LEAST_TITLE),
        told=told / (sum(head.values()) or 1.0),
        longest=min(longest, _RUN_CAP) / _RUN_CAP,
        shared=min(shared, _SUM_CAP) / _SUM_CAP,
        length=math.log(len(text) + 1) / _LENGTH_UNIT,
    )


def _runs(text: str, known: Grams) -> Iterator[tuple[float, str]]:
    """Stretches of the text whose every pair is known, with their weight: 东湖化工园区, 恒远."""
    run, weight = "", 0.0
    for a, b in pairwise(text):
        if (pair := a + b) in known:
            run, weight = (run + b if run else pair), weight + known[pair]
        elif run:
            yield weight, run
            run, weight = "", 0.0
    if run:
        yield weight, run


@lru_cache(maxsize=64)
def _head(item: Publication, rarity: Rarity) -> Grams:
    """The words by which the item introduces itself: its title, else its first words."""
    return particular(item.title, rarity) or particular(item.body[:_HEAD], rarity)


def particular(words: str, rarity: Rarity) -> Grams:
    """Pairs of characters, Latin names and long numbers → weight; what any statement says taken out."""
    found: Grams = {}
    for run in _WORDS.findall(_STOP.sub(" ", canonical(words))):
        if run[0] < "\u4e00":
            found[run] = _NAMED
        else:
            found |= {a + b: _weight(a + b, rarity) for a, b in pairwise(run)}
    return found


def _weight(pair: str, rarity: Rarity) -> float:
    return rarity(pair) * (_KIND_WEIGHT if pair in _kinds() else 1.0)


@cache
def _kinds() -> frozenset[str]:
    return frozenset(a + b for word in _KINDS.split() for a, b in pairwise(word))


def _answer(item: Publication, fit: _Fit, fits: Sequence[_Fit], text: str) -> Answer:
    rivals = [other for other in fits if other is not fit and other.score >= RIVAL_AT]
    close = [other for other in rivals if not _apart(fit, other, text)]
    surely = fit.score >= SURE_AT and fit.measures.covered >= SURE_COVERED
    sure = surely and not close and _same_matter(text, fit)
    return Answer(fit.incident.id, round(fit.score, 3), sure, tuple(_reasons(item, text, fit, close)))


def _apart(fit: _Fit, other: _Fit, text: str) -> bool:
    """The item names enough of this incident that the other has nothing to do with: it answers both."""
    own = {gram: weight for gram, weight in fit.face.items() if gram not in other.known}
    named = sum(weight for gram, weight in own.items() if gram in text)
    return named >= max(APART, sum(own.values()) / 2)


def _same_matter(text: str, fit: _Fit) -> bool:
    """The item names what happened; where the incident's title says none of the known matters, enough
    of its words beside the names of places."""
    title = canonical(fit.incident.title)
    matters = [matter for matter in _MATTERS if matter.search(title)]
    if matters:
        return any(matter.search(text) for matter in matters)
    places = {a + b for found in _PLACE.finditer(title) for a, b in pairwise(found[0])}
    rest = {gram: weight for gram, weight in fit.face.items() if gram not in places}
    named = sum(weight for gram, weight in rest.items() if gram in text)
    return named >= SURE_COVERED * sum(rest.values())


def _reasons(item: Publication, text: str, fit: _Fit, close: Sequence[_Fit]) -> Iterator[str]:
    assert item.published_at is not None  # `_possible` lets nothing else through
    yield f"共有特征词: {'、'.join(fit.words)}"
    yield f"事件特征词的 {min(1.0, fit.measures.covered):.0%} 在发布中出现，把握 {fit.score:.0%}"
    started = clock_face(fit.incident.started_at)
    yield f"发布于 {clock_face(item.published_at)}，在事件开始 {started} 之后；地点、日期无矛盾"
    if not _same_matter(text, fit):
        yield "没有提到事件发生的是什么，须由人决定"
    if close:
        names = "、".join(f"“{other.incident.title[:20]}”" for other in close[:3])
        yield f"与另一事件{names}同样相符，须由人决定"


def _other_place(text: str, incident: OpenIncident) -> bool:
    """Both name places of one kind, all different ones, and the item names none of the incident's."""
    ours = _places(canonical(f"{incident.title} {' '.join(incident.terms)} {incident.place or ''}"))
    theirs = _places(text)
    if any(name in text for names in ours.values() for name in names):
        return False
    return any(kind in theirs for kind in ours)


@lru_cache(maxsize=1024)
def _places(text: str) -> dict[str, set[str]]:
    """Kind of place → the names of two characters before it: 东湖区 → {区: {东湖}}."""
    found: dict[str, set[str]] = {}
    for name, *kinds in _PLACE.findall(text):
        found.setdefault("".join(kinds), set()).add(name)
    return found


def _other_date(text: str, published_at: datetime, started_at: datetime) -> bool:
    """The item names days, and none of them lies between the start and the publication."""
    named = [_on(int(month), int(day), published_at) for month, day in _DATE.findall(text)]
    days = [day for day in named if day is not None]
    return bool(days) and not any(
        started_at - _DATE_SLACK <= day <= published_at + _DATE_SLACK for day in days
    )


def _on(month: int, day: int, published_at: datetime) -> datetime | None:
    """That day in the year that lies nearest to the publication."""
    years = (published_at.year, published_at.year - 1, published_at.year + 1)
    try:
        return min(
            (datetime(year, month, day, tzinfo=CST) for year in years), key=lambda at: abs(at - published_at)
        )
    except ValueError:
        return None
