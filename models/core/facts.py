"""What a text says happened: people dead, hurt, missing …, money lost, each with its place in the text.

None means that the text does not say; 0 means that it says "none" (无人伤亡). Every number keeps the
words it was read from, so that an officer can check it at a glance (law 10).
The text is bounded by `text.LIMIT`; windows around key words are short, so time is linear in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from models.core.numerals import NUMERAL, number
from models.core.text import LIMIT


@dataclass(frozen=True, slots=True)
class Fact:
    """One number read from one place: `text[start:end] == words`."""

    kind: str
    value: int
    start: int
    end: int
    words: str
    corrected: bool = False  # 上升至, 增至: a later state of the same count


@dataclass(frozen=True, slots=True)
class Facts:
    """Persons, and yuan for `loss_cny`. `serious` counts 重伤 alone, which 493号令 grades by."""

    deaths: int | None = None
    injured: int | None = None
    missing: int | None = None
    trapped: int | None = None
    evacuated: int | None = None
    hospitalised: int | None = None
    loss_cny: int | None = None
    serious: int | None = None
    evidence: tuple[Fact, ...] = field(default=(), compare=False)

    def as_dict(self) -> dict[str, int | None]:
        """The contract's `facts` object."""
        return {name: getattr(self, name) for name in SHOWN}

    def why(self, kind: str) -> str:
        """The words the number was read from, or nothing."""
        value = getattr(self, kind)
        return next((f.words for f in self.evidence if f.kind == kind and f.value == value), "")

    @property
    def harm(self) -> bool:
        """Somebody is said to be dead, hurt, missing, trapped or in hospital."""
        return any((self.deaths, self.injured, self.missing, self.trapped, self.hospitalised))


NOTHING: Final = Facts()
SHOWN: Final = ("deaths", "injured", "missing", "trapped", "evacuated", "hospitalised", "loss_cny")
ZH: Final = {
    "deaths": "死亡",
    "injured": "受伤",
    "serious": "重伤",
    "missing": "失踪",
    "trapped": "被困",
    "evacuated": "转移疏散",
    "hospitalised": "送医住院",
    "loss_cny": "损失",
}

_VERBS: Final = {
    "deaths": r"死亡|遇难|身亡|丧生|罹难|殉职|牺牲|丧命|毙命|溺亡|坠亡|遇害|去世|离世|身故|遗体|尸体"
    r"|死(?![者神党角灰心刑水机因板])|亡(?=\d|[一二两三四五六七八九十])",
    "serious": r"(?:受)?重伤|伤势?严重|危重",
    "light": r"(?:受)?轻伤",
    "slight": r"(?:受)?轻微伤",
    "injured": r"受(?:轻重)?伤|轻重伤|烧伤|灼伤|烫伤|炸伤|砸伤|撞伤|刺伤|砍伤|摔伤|咬伤|伤者|伤员"
    r"|(?<=[\d人名一二两三四五六七八九十百余多])伤(?![亡害心感风势员者])|中毒|不适",
    "missing": r"失踪|失联|下落不明|失去联系",
    "trapped": r"被困|被埋|受困|被压",
    "evacuated": r"转移|疏散|撤离|紧急避险|安置",
    "hospitalised": r"住院|送医|送往?(?:附近)?医院|入院|就医|就诊|救治",
}
_KEY = re.compile("|".join(f"(?P<{kind}>{verbs})" for kind, verbs in _VERBS.items()))
_PERSON: Final = (
    r"男|女|老[人师太]|老年|儿童|孩|婴|幼|学生|教师|司机|驾驶|乘客|旅客|游客|工人|员工|职工|矿工|村民|居民|群众|市民"
    r"|消防|民警|警|辅警|士兵|平民|患者|病人|医生|护士|保安|死|伤|亡"
)
_UNIT: Final = (
    r"名|位|人(?!次|民)|个(?!多?(?:月|小时|星期|半|县|区|村|乡))|例|口|具|条(?=生命)"
    rf"|(?={_PERSON})"
)
_COUNT = re.compile(
    r"(?P<men>[一二两三四五\d])男(?P<women>[一二两三四五\d])女"
    rf"|(?P<n>{NUMERAL})(?:余|多|来)? ?(?P<u>{_UNIT})?"
)

_BEFORE: Final = 34  # characters looked at in front of a key word
_AFTER: Final = 26
_STOP = re.compile(r"[。;；!！?？\n]")
_COMMA_OK = re.compile(
    r".{0,18}?[,，、 ](?:\s*(?:均|都|全部|全都|已|经|因|后|当场|不幸|抢救|送医|不治|最终).{0,10})"
)
_DENIED = re.compile(r"(?:未|没有?|无|不)(?:造成|发生|出现|有)?$")
_FOREIGN = re.compile(r"[。;；!！?？\n]|多人|数人|有人|其中|若干|另有|还有|无人")
_SHORT: Final = frozenset(
    {"死", "伤", "亡", "死亡", "受伤", "重伤", "轻伤", "遇难", "身亡", "失踪", "失联", "被困", "被埋"}
)
_LED_IN = re.compile(r"(?:致|造成|已有?|酿|死亡?[,、]?|伤[,、]?)$")
_PAIRED = re.compile(rf"[,、]?(?:{NUMERAL})人?(?:重|轻|受)?伤")
_YEARLY = re.compile(r"[年月日第]$")
_LED = re.compile(
    r"(?:者|人员|人数|(?:从|由)\d{1,6}[人名](?=[上升增攀])|总数|病例|伤员|员|群众|居民|旅客|游客|的|了|总人数|共计?|已经?|目前|累计|至少|初步统计|大约"
    r"|(?P<up>(?:又|再)?(?:上升|增加|升|增|攀升|更新)(?:至|到|为))|为|达到?|超过?|逾|约|近|有|计|是|:|\s|上|\(){0,6}"
)
_NONE = re.compile(
    r"(?:无|没有|未造成|未有|未发生|未出现|未接报|暂无|暂未|尚无|未见|未)[^。;；!！?？\n,，]{0,8}?"
    r"(?P<what>人员伤亡|伤亡|死亡|受伤|失踪|被困)"
)
_NONE_OF: Final = {
    "人员伤亡": ("deaths", "injured"),
    "伤亡": ("deaths", "injured"),
    "死亡": ("deaths",),
    "受伤": ("injured",),
    "失踪": ("missing",),
    "被困": ("trapped",),
}
_UNREAL = re.compile(
    r"如果|假如|倘若|一旦|万一|假设|假定|模拟|演练|推演|可能(?:会|造成|导致)|足以|避免|防止|以免|险些|差点"
)
_UNKNOWN = re.compile(r"不明|不详|未知|待核实?|核实|统计中|信息|报告|消息|情况")
_ASKED: Final = ("?", "？", "岁", "年", "月", "日", "时")
_LOSS = re.compile(r"损失")
_MONEY = re.compile(rf"(?P<n>{NUMERAL})(?:余|多)?(?P<m>[万亿])?(?:余|多)?(?:元|块钱?|人民币)")
_GATE = re.compile(r"[死亡难伤失困埋移疏撤避安医院诊治尸遗害世故毒压丧殉牲]")


def extract(text: str) -> Facts:
    """Read every count in a normalised, Simplified text (`text.canonical`)."""
    text = text[:LIMIT]
    if not _GATE.search(text):
        return NOTHING
    found = [*_counts(text), *_nones(text), *_losses(text)]
    if not found:
        return NOTHING
    values = {kind: _settle([f for f in found if f.kind == kind]) for kind in ZH}
    values["injured"] = _all_injured(values["injured"], found)
    return Facts(**values, evidence=tuple(sorted(found, key=lambda f: f.start)))


def _settle(facts: list[Fact]) -> int | None:
    """Of several numbers the last correction, else the largest."""
    corrections = [f.value for f in facts if f.corrected]
    return max((f.value for f in facts), default=None) if not corrections else corrections[-1]


def _all_injured(stated: int | None, found: list[Fact]) -> int | None:
    """受伤 as stated, or the sum of its parts where they are more: 1人重伤,6人轻伤 → 7."""
    parts = [_settle([f for f in found if f.kind == kind]) for kind in ("serious", "light", "slight")]
    known = [part for part in parts if part is not None]
    return max(sum(known), stated or 0) if known else stated


def _counts(text: str) -> Iterator[Fact]:
    for key in _KEY.finditer(text):
        kind = key.lastgroup
        if kind is None or _imagined(text, key.start()):
            continue
        fact = _before(text, key, kind) or _after(text, key, kind)
        if fact:
            yield fact


def _imagined(text: str, start: int) -> bool:
    """Hypothetical or rehearsed: such a word stands in the same sentence, just before."""
    window = text[max(0, start - 24) : start]
    stop = max((m.end() for m in _STOP.finditer(window)), default=0)
    return _UNREAL.search(window, stop) is not None


def _before(text: str, key: re.Match[str], kind: str) -> Fact | None:
    """The nearest count in front of the key word with nothing foreign between: 3名工人当场死亡."""
    low = max(0, key.start() - _BEFORE)
    window = text[low : key.start()]
    counts = [
        m for m in _COUNT.finditer(window) if m["u"] is not None or m["men"] or _bare(text, key, window, m)
    ]
    if not counts or not _joined(window[counts[-1].end() :].strip()):
        return None
    value = _value(counts[-1])
    if value is None or _DENIED.search(window, 0, counts[-1].start()):
        return None
    return _fact(text, kind, value, low + counts[-1].start(), key.end())


def _bare(text: str, key: re.Match[str], window: str, count: re.Match[str]) -> bool:
    """A number without unit: 3死, 致两死, 两死一伤 — not 男二死了, 难逃一死, 八万安置费."""
    if count.end() != len(window) or key.group() not in _SHORT:
        return False
    ahead = window[: count.start()]
    digits = count["n"][0].isdigit() and not _YEARLY.search(ahead)
    return digits or _LED_IN.search(ahead) is not None or _PAIRED.match(text, key.end()) is not None


def _value(count: re.Match[str]) -> float | None:
    if count["men"]:
        return (number(count["men"]) or 0) + (number(count["women"]) or 0)
    return number(count["n"])


def _joined(gap: str) -> bool:
    """What may stand between a count and its verb: one clause, or a comma and a resultative."""
    if _FOREIGN.search(gap) or len(gap) > 24:
        return False
    return not re.search("[,，、: ]", gap) or _COMMA_OK.fullmatch(gap) is not None


def _after(text: str, key: re.Match[str], kind: str) -> Fact | None:
    """死亡3人, 遇难人数上升至5人, 被困者约二十名."""
    window = text[key.end() : key.end() + _AFTER]
    led = _LED.match(window)
    end = led.end() if led else 0
    count = _COUNT.match(window, end)
    if count is None or not (count["u"] or count["men"] or (led and "数" in led.group())):
        return None
    value = _value(count)
    if value is None or window[count.end() : count.end() + 1] in _ASKED:
        return None
    return _fact(text, kind, value, key.start(), key.end() + count.end(), bool(led and led["up"]))


def _fact(text: str, kind: str, value: float, start: int, end: int, corrected: bool = False) -> Fact:
    return Fact(kind, int(value), start, end, text[start:end], corrected)


def _nones(text: str) -> Iterator[Fact]:
    """无人员伤亡, 未造成伤亡, 暂无人员伤亡 → 0; "情况不明" and "暂无伤亡消息" say nothing."""
    for match in _NONE.finditer(text):
        if _UNKNOWN.match(text, match.end()):
            continue
        for kind in _NONE_OF[match["what"]]:
            yield _fact(text, kind, 0, match.start(), match.end())


def _losses(text: str) -> Iterator[Fact]:
    for key in _LOSS.finditer(text):
        near = _MONEY.search(text, key.end(), key.end() + 28)
        if near and not _STOP.search(text, key.end(), near.start()):
            yield _fact(text, "loss_cny", _yuan(near), key.start(), near.end())
            continue
        low = max(0, key.start() - 30)
        ahead = list(_MONEY.finditer(text, low, key.start()))
        if ahead and not re.search("[,，。;]", text[ahead[-1].end() : key.start()]):
            yield _fact(text, "loss_cny", _yuan(ahead[-1]), ahead[-1].start(), key.end())


def _yuan(match: re.Match[str]) -> float:
    return (number(match["n"]) or 0) * {"万": 10_000, "亿": 100_000_000}.get(match["m"] or "", 1)
