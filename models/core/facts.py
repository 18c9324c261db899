"""What a text says happened: people dead, hurt, missing …, money lost, each with its place in the text.

None means that the text does not say; 0 means that it says "none" (无人伤亡). Every number keeps the
words it was read from, so that an officer can check it at a glance (law 10). What is supposed,
rehearsed, denied or long past is told apart in `said`; what is measured, in `magnitudes`.
The text is bounded by `text.LIMIT`; windows around key words are short, so time is linear in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from models.core import magnitudes
from models.core.magnitudes import Fact as Fact
from models.core.magnitudes import measured
from models.core.numerals import NUMERAL, number
from models.core.said import STOP, asked, past, sentence_end, sentence_start, unreal
from models.core.text import LIMIT


@dataclass(frozen=True, slots=True)
class Facts:
    """Persons; yuan for `loss_cny`, hours for `outage_h` and `halted_h` (行车), the scale's number for
    `magnitude` and `wind`, records for `leaked`, cars for `derailed`; `source_cut` is 2 for a city's water.

    `serious` counts 重伤 alone, which 493号令 grades by; `crowd` those who gathered.
    """

    deaths: int | None = None
    injured: int | None = None
    missing: int | None = None
    trapped: int | None = None
    evacuated: int | None = None
    hospitalised: int | None = None
    loss_cny: int | None = None
    serious: int | None = None
    magnitude: float | None = None
    wind: int | None = None
    outage_h: float | None = None
    crowd: int | None = None
    leaked: int | None = None
    derailed: int | None = None
    halted_h: float | None = None
    source_cut: int | None = None
    evidence: tuple[Fact, ...] = field(default=(), compare=False)

    def as_dict(self) -> dict[str, float | None]:
        """The contract's `facts` object."""
        return {name: getattr(self, name) for name in SHOWN}

    def why(self, kind: str) -> str:
        """The words the number was read from, or nothing."""
        return "、".join(fact.words for fact in self.shown(kind))

    def shown(self, kind: str) -> tuple[Fact, ...]:
        """The place, or the places that were added up, that the number stands on."""
        value = getattr(self, kind)
        found = [f for f in self.evidence if f.kind == kind and not f.past]
        found = found or [f for f in self.evidence if f.kind == kind]
        exact = next((f for f in found if f.value == value), None)
        if exact is not None or value is None:
            return (exact,) if exact is not None else ()
        parts = [f for f in self.evidence if f.kind in (kind, *_PARTS.get(kind, ())) and not f.past]
        return tuple(parts[:4])

    @property
    def history(self) -> bool:
        """Harm of an earlier event is told."""
        return any(fact.past for fact in self.evidence)

    @property
    def harm(self) -> bool:
        """Somebody is said to be dead, hurt, missing, trapped or in hospital."""
        return any((self.deaths, self.injured, self.missing, self.trapped, self.hospitalised))


NOTHING: Final = Facts()


def told(text: str, facts: Facts) -> tuple[str, ...]:
    """The sentences that tell of harm, and again the very words: what stands around them weighs nothing here."""
    harmed = [fact for fact in facts.evidence if fact.kind in _HARM and not fact.past and fact.value]
    sentences = (text[sentence_start(text, f.start) : sentence_end(text, f.end)] for f in harmed)
    return tuple(dict.fromkeys((*sentences, *(fact.words for fact in harmed))))[:_MOST_TOLD]


_MOST_TOLD: Final = 8
_HARM: Final = ("deaths", "injured", "serious", "missing", "trapped", "hospitalised")
ZH: Final = {
    "deaths": "死亡",
    "injured": "受伤",
    "serious": "重伤",
    "missing": "失踪",
    "trapped": "被困",
    "evacuated": "转移疏散",
    "hospitalised": "送医住院",
    "loss_cny": "损失",
    "magnitude": "震级",
    "wind": "风力",
    "outage_h": "停供时长",
    "crowd": "聚集",
    "leaked": "泄露条数",
    "derailed": "脱轨车辆",
    "halted_h": "中断行车",
    "source_cut": "水源中断",
}
UNITS: Final = {
    "loss_cny": "元", "magnitude": "级", "wind": "级", "outage_h": "小时", "leaked": "条",
    "derailed": "辆", "halted_h": "小时", "source_cut": "级",
}  # fmt: skip
"""Of a count that is not of persons."""
FRACTIONS: Final = frozenset({"magnitude", "outage_h", "halted_h"})
SHOWN: Final = tuple(name for name in ZH if name != "serious") + ("serious",)
_PARTS: Final = {"injured": ("serious", "light", "slight")}

_DEAD: Final = (
    r"死亡(?![率谷线]|名单|人员(?:名单|被发|领|冒领|的养老)|证明|赔偿|威胁|笔记|游戏)|遇难|身亡|丧生|罹难|殉职|殉难|牺牲(?![地品]|精神)|丧命|毙命|殒命|溺亡|坠亡|猝死|遇害"
    r"|去世|离世|身故|亡故|惨死|遗体|尸体|死者|无一生还|无人生还|无一幸[存免]|无人幸存|(?:无|没有|失去|丧失)生命体征|没了呼吸"
    r"|(?<![急累气笑烦爱愁羡怕吓该找作生垂濒誓拼社])死(?![者神党角灰心刑水机因板缓磕守记结敌伤亡里囚难])"
    r"|(?<=[\d人一两三四五六七八九十百余多])亡(?![命羊者故国])|(?<![逃死身遇伤流灭阵存消兴丧])亡(?=\d|[一两三四五六七八九十]人)"
)
_VERBS: Final = {
    "deaths": _DEAD,
    "serious": r"(?:受)?重伤|伤势?严重|危重(?!症)|伤势危重",
    "light": r"(?:受)?轻伤",
    "slight": r"(?:受)?轻微伤",
    "injured": r"受(?:轻重)?伤|轻重伤|[烧灼烫炸砸撞刺砍摔咬捅打割冻挫擦压]伤|负伤|骨折|伤者|伤员|烧烫伤"
    r"|(?<=[\d人名一二两三四五六七八九十百余多])伤(?![亡害心感风势员者])|(?<![死杀轻重受])伤(?=\d|[一两三四五六七八九十百]{1,3}(?:人|死|亡|$))"
    r"|中毒(?!身亡|死亡|致死|去世|而死)|(?:身体|肠胃|出现|感到|集体|多人)不适",
    "missing": r"失踪|失联|下落不明|失去联系|去向不明",
    "trapped": r"被困|被埋|受困|被压|围困",
    "evacuated": r"转移|疏散|撤离|紧急避险|安置|撤出",
    "hospitalised": r"住院|送医|送往?(?:附近|当地|就近)?(?:的)?医院|入院|就医|就诊|救治|留院",
}
_BEGIN: Final = (
    "[死亡遇身丧罹殉牺毙殒溺坠猝去离故惨遗尸无没失受重伤危轻烧灼烫炸砸撞刺砍摔咬捅打割冻挫擦压负骨"
    "中肠出感集多下被围转疏撤紧安住送入就救留]"
)
"""The characters a key word can begin with: looked at first, it makes the search ten times as fast."""
_KEY = re.compile(f"(?={_BEGIN})(?:{'|'.join(f'(?P<{kind}>{verbs})' for kind, verbs in _VERBS.items())})")
_ACTED: Final = re.compile(r"[烧灼烫炸砸撞刺砍摔咬捅打割冻压]伤|死")
"""Words that take their victims after them: 持刀砍伤两人."""
_KILLS: Final = tuple("打捅砍勒掐捂撞杀咬毒刺砸")
_SUFFERED: Final = re.compile("[被遭受致将把]")
_DOER: Final = re.compile(r"[被遭](?:其中|另外?|其)?$")
"""被一名女子捅伤: she is not the one who is hurt."""
_UNHURT: Final = re.compile(r"(?:未|没|没有|无|免于|免遭|幸未|无一人?)$")
_BEAST: Final = re.compile("[犬狗猫牛羊猪鸡鸭鱼鸟]|动物|熊")
_OBJECT: Final = re.compile(r"[^\s,。;!?、)(的后致并及和与住送身死不入在于约逾近\d]")
_PERSON: Final = (
    r"男|女|老[人师太]|老年|儿童|孩|婴|幼|学生|教师|司机|驾驶|乘客|旅客|游客|工人|员工|职工|矿工|村民|居民|群众|市民|路人|行人"
    r"|消防|民警|警|辅警|士兵|平民|患者|病人|医生|护士|保安|死|伤|亡|遇难|失联|失踪|被困"
)
_UNIT: Final = (
    r"名|位|人(?!次|民)|个(?!多?(?:月|小时|星期|半|县|区|村|乡|镇|市|省|车|厂))|例|口|具|条(?=生命|人命)"
    rf"|(?<=俩)(?!个?(?:小时|月|天|年|星期))|(?={_PERSON})"
)
_RANGE: Final = rf"(?:(?P<low>{NUMERAL})(?:至|到|-|~|—|、)(?={NUMERAL}))?"
_YEAR_OF_STUDY: Final = r"(?<![大高初研](?=[一二三四](?:学|女|男)))"  # 高三女生 is one girl
_COUNT = re.compile(
    r"(?P<men>[一二两三四五六七八九十\d]{1,3})[名个]?男[、,和]?(?P<women>[一二两三四五六七八九十\d]{1,3})[名个]?女(?=[^,。]{0,4}(?:$|[,。、)]|"
    + _PERSON
    + r"|身|溺|受|被))"
    r"|男(?:性)?(?P<men2>[一二两三四五六七八九十\d]{1,3})[名人][、,和]?女(?:性)?(?P<women2>[一二两三四五六七八九十\d]{1,3})[名人]"
    rf"|(?P<both>双双)|{_RANGE}(?<![第a-z\d.]){_YEAR_OF_STUDY}(?P<n>{NUMERAL})(?:余|多|来)? ?(?P<u>{_UNIT})?"
)

_BEFORE: Final = 34  # characters looked at in front of a key word
_AFTER: Final = 28
_COMMA_OK = re.compile(
    r".{0,18}?[,，、 ](?:\s*(?:均|都|全部|全都|已|经|因|后|当场|不幸|抢救|送医|不治"
    r"|最终|其后|随后|目前|现已|双双).{0,12})"
)
_DENIED = re.compile(r"(?:未|没有?|无|不|零)(?:造成|发生|出现|有|致)?$")
_FOREIGN = re.compile(
    r"[。;；!！?？\n#\[\]|]|多人|数人|有人|其中|若干|另有|还有|无人|逃生|确诊|治愈|逾|角色"
    r"|(?:[死伤]亡|失[踪联]|获救|生还|脱险|[重轻受]伤)(?=[,、;和及\d])|[死亡伤](?=逾)"
)
_SHORT: Final = frozenset(
    {
        "死",
        "伤",
        "亡",
        "死亡",
        "受伤",
        "重伤",
        "轻伤",
        "遇难",
        "身亡",
        "失踪",
        "失联",
        "被困",
        "被埋",
        "溺亡",
        "中毒",
    }
)
_LED_IN = re.compile(r"(?:致|造成|已有?|酿|逾|超|近|约|上|至少|死亡?[,、]?|伤[,、]?|亡[,、]?)$")
_PAIRED = re.compile(rf"[,、]?(?:逾|超|近|约|上)?(?:{NUMERAL})人?(?:重|轻|受)?[伤死亡失]")
_YEARLY = re.compile(r"[年月日第\-·.]$")
_UP: Final = (
    r"(?:又|再)?(?:上升|增加|增长|上调|升|增|攀升|更新|更正|修正|订正|调整|核实|核减|下调|下降|减少|降|变更|改)"
    r"(?:至|到|为|成)"
)
_LED = re.compile(
    r"(?:者|人员|人数|数字|(?:[从由](?:此前|之前|原来|最初|先前)?的?(?:约|近)?\d{1,6}[人名例]?(?=[上升增攀更修调减下]))|总数|病例|伤员|员|群众|居民|旅客|游客|村民|师生|学生|职工|工人"
    r"|的|了|总人数|共计?|合计|总计|已经?|仍|目前|现|累计|至少|最少|初步统计|初步核实|大约|分别|现有|仍有|尚有"
    rf"|(?P<up>{_UP})|为|达到?|超过?|逾|约|近|有|计|是|:|\s|上|\(|\d{{1,6}}余?户[、,]?"
    r"){0,7}"
)
_RELATIVES = re.compile(r"[^,。;!?]{0,3}(?:家属|亲属|亲友|家人|同事|亲戚)")
_NONE = re.compile(
    r"(?=[无没未暂尚零0])(?<!抢救)(?<!医治)(?<!救治)(?:无(?!人机|效|法|论|故|辜|证|照|牌|视|名|奈|比|意|良)|没有(?!给|人?管|及时|得到|使|让|把|被)|未造成|未有|未发生|未出现|未接报|未酿成?|未致|暂无|暂未|尚无|未见|未发现|零|(?<![\d.])0)"
    r"(?P<gap>[^。;；!！?？\n,，未无没]{0,6}?)(?P<what>人员伤亡|伤亡|死亡|受伤|失踪|被困)"
)
_NONE_GAP = re.compile(
    r"(?:人员?|人因?|造成|发生|出现|发现|任何|接报|接到|有|发现有|新增|乘客|旅客|群众|学生|居民|师生|人身|重大|较大|报告|(?:人|导)致)*"
)
_NONE_OF: Final = {
    "人员伤亡": ("deaths", "injured"),
    "伤亡": ("deaths", "injured"),
    "死亡": ("deaths",),
    "受伤": ("injured",),
    "失踪": ("missing",),
    "被困": ("trapped",),
}
_UNKNOWN = re.compile(
    r"不明|不详|未知|待核实?|核实|统计中|信息|报告|消息|情况|的?说法|的?具体|的?确切|的?(?:假|谎|鬼|瞎)话|的?谎"
)
_NOT_COUNTED: Final = re.compile(
    r"[?？岁年月日时分点%‰]|周岁|以[上下](?:的|,|或|、|[\d一二三十百]{1,4}人)|[百千]分|万?元|倍|次"
)
_LASTLY = re.compile(r"[^,。;!?]{0,2}(?:例|人|名)")
_TALLY = re.compile(r"(?:确诊|病例|感染|报告|治愈|出院|阳性|疑似)[^,。;!?]{0,6}$")
_MORE = re.compile(r"另有|另外|还有|又有|再有|以及|另(?=\d|[一二两三四五六七八九])|同时")
_FIRST, _THEN = re.compile(r"当场|现场"), re.compile(r"抢救|送医|送院|不治|医院|救治")
_TOTAL = re.compile(r"共|累计|总|合计|上升|增至|升至|达到|已达")
_LISTED = re.compile(
    r"(?P<gap>|[^,，。;；!！?？\n\d]{0,11}?[员者童子人生兵工民客警师机妇孩婴友男女亲长医士属手商])"
    r"(?:和|及|与|、|以及|并)$"
)
_HURT_THERE = re.compile(r"伤者|伤员|受伤|伤情|伤势|轻伤|皮外伤")
_GATE = re.compile(rf"[死亡难伤失困埋移疏撤避安医院诊治尸遗害世故毒压丧殉牲殒命生适落踪]|{magnitudes.GATE}")


def extract(text: str, said: date | None = None) -> Facts:
    """Read every count in a normalised, Simplified text (`text.canonical`).

    `said` is the day of publication: what the text dates two months or more before it is history.
    """
    text = text[:LIMIT]
    if not _GATE.search(text):
        return NOTHING
    found = sorted((*_counts(text, said), *_nones(text), *measured(text)), key=lambda f: (f.start, f.end))
    if not found:
        return NOTHING
    told = _present(found, said)
    values = {kind: _settle([f for f in told if f.kind == kind]) for kind in ZH}
    values["injured"] = _all_injured(values["injured"], told)
    if values["injured"] is None and values["hospitalised"] and _HURT_THERE.search(text):
        values["injured"] = values["hospitalised"]
        found += [replace(f, kind="injured") for f in told if f.kind == "hospitalised"]
    return _facts(values, found)


def _facts(values: dict[str, float | None], found: Sequence[Fact]) -> Facts:
    whole = {
        name: value if value is None or name in FRACTIONS else int(value) for name, value in values.items()
    }
    return Facts(**whole, evidence=tuple(found))  # type: ignore[arg-type]


def _present(found: list[Fact], said: date | None) -> list[Fact]:
    """Without history; where a text of unknown date tells nothing else, its history is its news."""
    now = [f for f in found if not f.past]
    return now if now or said is not None else found


def _settle(facts: list[Fact]) -> float | None:
    """Of several numbers the last correction, else the largest, with what is said to come on top."""
    if not facts:
        return None
    corrections = [f.value for f in facts if f.corrected]
    if corrections:
        return corrections[-1]
    best = max(f.value for f in facts)
    if any(_TOTAL.search(f.words) for f in facts):
        return best
    total = running = facts[0].value
    for fact in facts[1:]:
        running = running + fact.value if fact.added else fact.value
        total = max(total, running)
    return max(best, total)


def _all_injured(stated: float | None, found: list[Fact]) -> float | None:
    """受伤 as stated, or the sum of its parts where they are more: 1人重伤,6人轻伤 → 7."""
    parts = [_settle([f for f in found if f.kind == kind]) for kind in ("serious", "light", "slight")]
    known = [part for part in parts if part is not None]
    return max(sum(known), stated or 0) if known else stated


def _counts(text: str, said: date | None) -> Iterator[Fact]:
    last: dict[str, Fact] = {}
    for key in _KEY.finditer(text):
        kind = key.lastgroup
        if kind is None:
            continue
        fact = _read(text, key, kind)
        if fact is None or unreal(text, fact.start, fact.end):
            continue
        told = replace(fact, past=past(text, fact.start, said), added=_on_top(text, last.get(kind), fact))
        last[kind] = told
        yield told


def _read(text: str, key: re.Match[str], kind: str) -> Fact | None:
    """The count that belongs to a key word: behind 死者 and 砍伤, elsewhere in front, else behind."""
    if key.group() == "死者" or _victims_follow(text, key):
        return _after(text, key, kind)
    return _before(text, key, kind) or _after(text, key, kind)


def _victims_follow(text: str, key: re.Match[str]) -> bool:
    """砍伤两人; 确诊440例，死亡9例: the number behind is the one, the one in front counts others."""
    behind = _COUNT.match(text, key.end())
    if behind is None or behind["u"] is None or not behind["n"]:
        return False
    ahead = text[sentence_start(text, key.start(), _BEFORE) : key.start()]
    if _ACTED.fullmatch(key.group()):
        return not re.search(r"[被遭受]|致", ahead) and _KEY.match(text, behind.end()) is None
    counted = [m for m in _COUNT.finditer(ahead) if m["u"]]
    return bool(counted) and _TALLY.search(ahead[: counted[-1].start()]) is not None


def _on_top(text: str, before: Fact | None, fact: Fact) -> bool:
    """3人当场死亡，另有2人送医后死亡: said in one sentence to come beside the others."""
    if before is None or fact.start < before.end or STOP.search(text, before.end, fact.start):
        return False
    between = text[before.end : fact.start]
    if _MORE.search(between) and "其中" not in between:
        return True
    return bool(_FIRST.search(before.words) and _THEN.search(fact.words))


def _before(text: str, key: re.Match[str], kind: str) -> Fact | None:
    """The nearest count in front of the key word with nothing foreign between: 3名工人当场死亡."""
    low = max(0, key.start() - _BEFORE)
    window = text[low : key.start()]
    counts = [
        m
        for m in _COUNT.finditer(window)
        if (m["u"] is not None or m["n"] is None or _bare(text, key, window, m))
        and not _DOER.search(window, 0, m.start())
    ]
    if not counts or not _joined(window[counts[-1].end() :].strip()):
        return None
    value = _value(counts[-1])
    gap = window[counts[-1].end() :]
    if _UNHURT.search(gap):
        return _fact(text, kind, 0, low + counts[-1].start(), key.end()) if gap.endswith("一") else None
    if _does_it(text, key, gap):
        beast = _BEAST.search(text, key.end(), key.end() + 8)
        return None if beast else _fact(text, kind, 1, low + counts[-1].start(), key.end())
    if value is None or _DENIED.search(window, 0, counts[-1].start()) or asked(text, key.end()):
        return None
    value, first = _with_listed(window, counts, value)
    return _fact(text, kind, value, low + first, key.end())


def _does_it(text: str, key: re.Match[str], gap: str) -> bool:
    """一女子持刀捅伤小学生, 三人打死司机: those who are counted do it, to somebody named behind."""
    acted = gap[-1:] in _KILLS if key.group() == "死" else _ACTED.fullmatch(key.group()) is not None
    return acted and bool(gap) and _OBJECT.match(text, key.end()) is not None and not _SUFFERED.search(gap)


def _with_listed(window: str, counts: Sequence[re.Match[str]], value: float) -> tuple[float, int]:
    """一名飞行员和一名教员遇难: those that are named in one breath with the last are added."""
    start = counts[-1].start()
    for other in reversed(counts[:-1]):
        gap = _LISTED.fullmatch(window, other.end(), start)
        more = _value(other)
        if gap is None or more is None or not other["u"] or other["u"] == "个" or _KEY.search(gap["gap"]):
            break
        value, start = value + more, other.start()
    return value, start


def _bare(text: str, key: re.Match[str], window: str, count: re.Match[str]) -> bool:
    """A number without unit: 3死, 致两死, 两死一伤 — not 男二死了, 难逃一死, 八万安置费."""
    if count.end() != len(window) or key.group() not in _SHORT:
        return False
    ahead = window[: count.start()]
    digits = count["n"][0].isdigit() and not _YEARLY.search(ahead)
    return digits or _LED_IN.search(ahead) is not None or _PAIRED.match(text, key.end()) is not None


def _value(count: re.Match[str]) -> float | None:
    if count["both"]:
        return 2.0
    for men, women in (("men", "women"), ("men2", "women2")):
        if count[men]:
            return (number(count[men]) or 0) + (number(count[women]) or 0)
    return number(count["low"] or count["n"])


def _joined(gap: str) -> bool:
    """What may stand between a count and its verb: one clause, or a comma and a resultative."""
    if _FOREIGN.search(gap) or len(gap) > 24:
        return False
    if gap and _BEAST.match(gap[-1]) and not _SUFFERED.search(gap):
        return False  # 救了32条人命的搜救犬牺牲
    return not re.search("[,，、: ]", gap) or _COMMA_OK.fullmatch(gap) is not None


def _after(text: str, key: re.Match[str], kind: str) -> Fact | None:
    """死亡3人, 遇难人数上升至5人, 被困者约二十名."""
    window = text[key.end() : key.end() + _AFTER]
    led = _LED.match(window)
    end = led.end() if led else 0
    count = _COUNT.match(window, end)
    if count is None or not (count["u"] or count["n"] is None or (led and "数" in led.group())):
        return None
    value = _value(count)
    if value is None or _NOT_COUNTED.match(window, count.end()) or asked(text, key.end() + count.end()):
        return None
    if len(key.group()) == 1 and not (led and led.group()) and _KEY.match(window, count.end()):
        return None  # 32死数千人受伤: these are hurt
    if key.group() == "死者" and _RELATIVES.match(window, count.end()):
        return None
    return _fact(text, kind, value, key.start(), key.end() + count.end(), bool(led and led["up"]))


def _fact(text: str, kind: str, value: float, start: int, end: int, corrected: bool = False) -> Fact:
    return Fact(kind, int(value), start, end, text[start:end], corrected)


def _nones(text: str) -> Iterator[Fact]:
    """无人员伤亡, 未造成伤亡, 暂无人员伤亡 → 0; "情况不明" and "暂无伤亡消息" say nothing."""
    for match in _NONE.finditer(text):
        if _UNKNOWN.match(text, match.end()) or not _NONE_GAP.fullmatch(match["gap"]):
            continue
        if asked(text, match.end()) or unreal(text, match.start(), match.end()):
            continue
        for kind in _NONE_OF[match["what"]]:
            yield _fact(text, kind, 0, match.start(), match.end())
