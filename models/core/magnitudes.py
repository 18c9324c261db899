"""What is measured rather than counted: magnitude, wind, how long a supply was cut, money lost.

Every value keeps the words it was read from and where they stand. Linear in the (bounded) text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from models.core.numerals import NUMERAL, number
from models.core.said import STOP, unreal


@dataclass(frozen=True, slots=True)
class Fact:
    """One number read from one place: `text[start:end] == words`.

    Persons for people, yuan for `loss_cny`, the number of the scale for `magnitude` (里氏) and
    `wind` (蒲福), hours for `outage_h`.
    """

    kind: str
    value: float
    start: int
    end: int
    words: str
    corrected: bool = False  # 上升至, 更正为: a later state of the same count
    past: bool = False  # told of an earlier event
    added: bool = False  # 另有: comes on top of what was said before it


GATE: Final = "[级损停断聚围堵泄脱]"
_LOSS = re.compile(r"损失")
_MONEY = re.compile(rf"(?P<n>{NUMERAL})(?:余|多)?(?P<m>[万亿])?(?:余|多)?(?:元|块钱?|人民币)")
_LEVEL: Final = r"(?P<n>\d{1,2}(?:\.\d)?|[一二三四五六七八九十]{1,3}(?:点[一二三四五六七八九])?)级"
_QUAKE = re.compile(
    rf"(?:震级(?:为|是|达|约)?|里氏(?:震级)?)(?P<m>\d(?:\.\d)?)级?|(?:里氏)?{_LEVEL}(?:左右)?(?:的)?(?:强烈|强|浅源|破坏性)?(?:地震|余震|强震)"
    r"|地震[^。;!?\n]{0,14}?(?P<l>\d\.\d)级"
)
_WIND = re.compile(
    rf"(?:阵风|风力|大风|风速|瞬时风|极大风|台风|风暴)[^。;,!?\n\d一二三四五六七八九十]{{0,8}}(?:\d{{1,2}}(?:至|到|-|~)(?=\d))?{_LEVEL}"
    rf"|(?P<b>\d{{1,2}})级(?:以上)?(?:的)?(?:阵|大|狂|强)?(?:阵风|大风|狂风|强风)"
)
_CUT: Final = r"[停断缺][水电气暖热网]|停止?供[水电气暖热]|中断供[水电气暖热]|供[水电气暖热]中断"


def _span(n: int) -> str:
    """A length of time whose groups end in `n`: 12小时, 半天, 两个半小时."""
    return (
        rf"(?P<n{n}>半|{NUMERAL}|整)(?:余|多)?个?"
        rf"(?P<u{n}>半?小时|钟头|天|日(?!上午|下午|晚|凌晨|早|\d)|昼夜|周|星期|礼拜|月)(?P<h{n}>半)?"
    )


_OUTAGE = re.compile(rf"(?:{_CUT})[^。;!?\n,\d]{{0,8}}?{_span(1)}|{_span(2)}[^。;!?\n,\d]{{0,4}}?(?:{_CUT})")
_HOURS: Final = {"小时": 1.0, "半小时": 1.0, "钟头": 1.0, "天": 24.0, "日": 24.0, "昼夜": 24.0, "周": 168.0}
_MORE_HOURS: Final = {"星期": 168.0, "礼拜": 168.0, "月": 720.0}
_AGO = re.compile(r"[以之]?[前内]")
_PLANNED = re.compile(r"计划|将(?!近)|拟|定于|预告|准备|否则|扬言|避免|严禁")


_PEOPLE: Final = (
    r"(?:名|位|个)?(?:业主|村民|工人|家长|市民|群众|居民|司机|商户|农?民工|学生|职工|员工|股民|人(?![民次]))"
)
_GATHER: Final = r"聚集|围堵|静坐|堵路|堵门|游行|围攻|集体上访|聚众|集体维权|罢工"
_LEAK: Final = r"泄露|泄漏|外泄|流出|贩卖|窃取|被盗"
_COUNTED: Final = (
    (
        "crowd",
        re.compile(_GATHER),
        (
            re.compile(rf"(?P<n>{NUMERAL})(?:余|多)?{_PEOPLE}[^,。;!?\n]{{0,8}}?(?:{_GATHER})"),
            re.compile(rf"(?:{_GATHER})[^,。;!?\n\d]{{0,8}}?(?P<n>{NUMERAL})(?:余|多)?{_PEOPLE}"),
        ),
    ),
    (
        "leaked",
        re.compile(_LEAK),
        (
            re.compile(rf"(?:{_LEAK})[^。;!?\n]{{0,16}}?(?P<n>{NUMERAL})(?:余|多)?(?:条|份|名|人)"),
            re.compile(rf"(?P<n>{NUMERAL})(?:余|多)?(?:条|份)[^,。;!?\n]{{0,14}}?(?:{_LEAK})"),
        ),
    ),
    (
        "derailed",
        re.compile("脱轨"),
        (
            re.compile(rf"(?P<n>{NUMERAL})[节辆](?:车厢|车辆|客车|罐车|货车)?[^,。;!?\n]{{0,4}}脱轨"),
            re.compile(rf"脱轨(?P<n>{NUMERAL})[节辆]"),
        ),
    ),
    (
        "halted_h",
        re.compile("中断|停运"),
        (re.compile(rf"(?:铁路|行车|列车|线路|运行|线|运营)[^,。;!?\n\d]{{0,6}}(?:中断|停运)[^,。;!?\n\d]{{0,6}}(?P<n>{NUMERAL})(?:余|多)?个?小时"
                    rf"|中断(?:行车|运行|运营)[^,。;!?\n\d]{{0,4}}(?P<n2>{NUMERAL})(?:余|多)?个?小时"),),
    ),
)  # fmt: skip
_SOURCE_CUT = re.compile(r"取水中断|停止取水|中断取水|水源地?[^,。;!?\n]{0,6}(?:中断|切断|停用)")
_CITY_WIDE = re.compile(r"设区|地级|全市|市区|中心城区|主城区")


def _counted(text: str, kind: str, patterns: tuple[re.Pattern[str], ...]) -> Iterator[Fact]:
    """The first pattern that fits says it: how many gathered, leaked, left the rails, how long no train ran."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            value = number(next(group for group in match.groups() if group))
            planned = _PLANNED.search(text, max(0, match.start() - 10), match.end())
            if value and not planned and not unreal(text, match.start(), match.end()):
                yield Fact(kind, value, match.start(), match.end(), match.group())


def _sources_cut(text: str) -> Iterator[Fact]:
    """取水中断: 2 where a city's source is named, else 1 (县级水源, the least it can mean)."""
    for match in _SOURCE_CUT.finditer(text):
        if not unreal(text, match.start(), match.end()):
            near = _CITY_WIDE.search(text, max(0, match.start() - 24), match.end() + 12)
            yield Fact("source_cut", 2 if near else 1, match.start(), match.end(), match.group())


def measured(text: str) -> Iterator[Fact]:
    """Every measure in a canonical text; what is only supposed or rehearsed is left out."""
    if "级" in text:
        yield from _scaled(text, "magnitude", _QUAKE, 9.9)
        yield from _scaled(text, "wind", _WIND, 18)
    if "停" in text or "断" in text or "缺" in text:
        yield from _outages(text)
    if "损失" in text:
        yield from _losses(text)
    for kind, gate, patterns in _COUNTED:
        if gate.search(text):
            yield from _counted(text, kind, patterns)
    if "水源" in text or "取水" in text:
        yield from _sources_cut(text)


def _scaled(text: str, kind: str, pattern: re.Pattern[str], most: float) -> Iterator[Fact]:
    for match in pattern.finditer(text):
        value = _level(next(group for group in match.groups() if group))
        if value is not None and 0 < value <= most and not unreal(text, match.start(), match.end()):
            yield Fact(kind, value, match.start(), match.end(), match.group())


def _level(word: str) -> float | None:
    """5.2, 六, 六点八."""
    whole, _, part = word.partition("点")
    if not part:
        return number(word)
    high, low = number(whole), number(part)
    return None if high is None or low is None else high + low / 10


def _outages(text: str) -> Iterator[Fact]:
    for match in _OUTAGE.finditer(text):
        which = "1" if match["n1"] else "2"
        hours = _hours(match["n" + which], match["u" + which], match["h" + which])
        if hours is not None and not _not_yet(text, match) and not unreal(text, match.start(), match.end()):
            yield Fact("outage_h", hours, match.start(), match.end(), match.group())


def _not_yet(text: str, match: re.Match[str]) -> bool:
    """计划停水8小时 is a notice; 停电3天前 says when, not how long."""
    ahead = max(0, match.start() - 12)
    return bool(_AGO.match(text, match.end()) or _PLANNED.search(text, ahead, match.start()))


def _hours(amount: str, unit: str, half: str | None) -> float | None:
    each = (_HOURS | _MORE_HOURS)[unit]
    value = 0.5 if amount == "半" else 1.0 if amount == "整" else number(amount)
    if value is None or value > 1_000:
        return None
    more = 0.5 if half or (unit == "半小时" and amount != "半") else 0.0  # 两个半小时
    return round((value + more) * each, 1)


def _losses(text: str) -> Iterator[Fact]:
    """损失约1.2亿元, 造成500万元的经济损失; 赔偿…损失 is a claim in court, no loss of an event."""
    for key in _LOSS.finditer(text):
        found = _money_of(text, key)
        if found and not unreal(text, found[1], found[2]):
            money, start, end = found
            yield Fact("loss_cny", int(_yuan(money)), start, end, text[start:end])


_CLAIM = re.compile(r"赔偿|索赔|诉请|诉讼|判令|法院|抚慰金|补偿|挽回|减少|避免")


def _money_of(text: str, key: re.Match[str]) -> tuple[re.Match[str], int, int] | None:
    if _CLAIM.search(text, max(0, key.start() - 10), key.start()):
        return None
    near = _MONEY.search(text, key.end(), key.end() + 28)
    if near and not STOP.search(text, key.end(), near.start()):
        return None if _CLAIM.search(text, key.end(), near.start()) else (near, key.start(), near.end())
    ahead = list(_MONEY.finditer(text, max(0, key.start() - 30), key.start()))
    if ahead and not re.search("[,，。;]", text[ahead[-1].end() : key.start()]):
        return ahead[-1], ahead[-1].start(), key.end()
    return None


def _yuan(match: re.Match[str]) -> float:
    return (number(match["n"]) or 0) * {"万": 10_000, "亿": 100_000_000}.get(match["m"] or "", 1)
