"""When it happened, from the words of a text and the hour it was published: an interval, not a guess.

昨晚9时许, 今日凌晨, 11月3日上午, 3小时前, 上周五 → (earliest, latest) in civil time. 凌晨 0–6, 上午 6–12, 中午 11–13,
下午 12–18, 晚 18–24 (domain study, section 7). When a report was written (截至…, …日电, …日通报) is not when the
event was; a day long past belongs to another event. Nothing lies after the publication. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from models.core.moment import local
from models.core.numerals import number
from models.core.said import HISTORY, STOP, unreal

READ: Final = 3_000  # characters: the time of an event is told at the beginning
SOUND: Final = timedelta(hours=8)
_ABOUT: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class When:
    """The event was between `earliest` and `latest`; `text[start:end] == words` says so.

    `sure`: the day is named, an event stands behind it in the sentence, and it is narrowed to `SOUND`:
    a clock may start on it.
    """

    earliest: datetime
    latest: datetime
    start: int
    end: int
    words: str
    sure: bool


_NUM: Final = r"\d{1,2}|[一二两三四五六七八九十]{1,3}"
_DAY: Final = (
    r"(?P<word>大前天|前天|前日|前[晚夜]|昨夜今晨|昨[天日]|昨(?=[晚夜晨早])|今[天日]|今(?=[晚夜晨早])|当[天日]|当(?=[晚夜]))"
    r"|(?:(?P<year>(?:19|20)\d\d)年)?(?P<month>\d{1,2})月(?P<mday>\d{1,2})[日号]"
    r"|(?<![\d月年第])(?P<bare>\d{1,2})日(?![内前后均报游程益]|以[内前后])"
    r"|(?P<week>上周|上星期|本周|这周|周|星期|礼拜)(?P<wday>[一二三四五六日天])(?![期年]?[至到])"
)
_PART: Final = (
    r"凌晨|今晨|清晨|早晨|早上|早间|晨|早(?!就|已|在)|上午|中午|正午|午间|午后|下午|傍晚|晚上|晚间|夜间|夜里"
    r"|深夜|午夜|半夜|当晚|晚|夜"
)
_CLOCK: Final = (
    rf"(?P<hour>{_NUM})(?:(?P<colon>:)(?P<cmin>[0-5]\d)"
    rf"|(?P<mark>[时点])(?:(?P<min>{_NUM})分|(?P<half>半)|(?P<quarter>[一三])刻)?)"
    r"(?P<about>许|左右|前后|多|余)?"
)
_WHEN = re.compile(
    r"(?=[\d一二两三四五六七八九十半几大前昨今当上本这周星礼凌清早晨中正午下傍晚夜深刚])(?:"
    rf"(?P<ago>{_NUM}|半|几)(?:个|多)?(?P<unit>小时|钟头|分钟|天)(?:之|以)?前"
    rf"|(?:{_DAY})(?:\([^()]{{1,14}}\))?(?:[,的 ]?(?P<part>{_PART}))?(?:[,的 ]?{_CLOCK.replace('?P<', '?P<d')})?"
    rf"|(?P<lone>{_PART})[,的 ]?(?:{_CLOCK.replace('?P<', '?P<l')})"
    rf"|(?P<lonely>今晨|当晚|凌晨)"
    r"|(?P<now>刚刚|刚才))"
)
_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "凌晨": (0, 6), "今晨": (0, 9), "清晨": (5, 9), "早晨": (5, 9), "早上": (5, 10), "早间": (5, 10),
    "晨": (0, 9), "早": (5, 10), "上午": (6, 12), "中午": (11, 13), "正午": (11, 13), "午间": (11, 14),
    "午后": (12, 18), "下午": (12, 18), "傍晚": (16, 20), "晚上": (18, 24), "晚间": (18, 24), "夜间": (18, 24),
    "夜里": (18, 30), "深夜": (21, 30), "午夜": (23, 26), "半夜": (22, 30), "当晚": (18, 24), "晚": (18, 24),
    "夜": (18, 30),
}  # fmt: skip
_WORD_DAYS: Final[Mapping[str, int]] = {
    "今天": 0, "今日": 0, "今": 0, "昨天": 1, "昨日": 1, "昨": 1, "昨夜今晨": 1,
    "前天": 2, "前日": 2, "前晚": 2, "前夜": 2, "大前天": 3,
}  # fmt: skip
_AS_OF = re.compile(r"(?:截至|截止|截止到|直到|预计|计划|将于|定于|拟于|自|从)$")
_REPORTED = re.compile(
    r",?[^,，。;!?\n]{0,18}?(?:通报|获悉|报道|消息|发布|披露|回应|表示|采访|召开|举行|印发|讯[(:,]|电[(:,]|电(?=\s)|宣布|公布|获刑|判处|开庭|受审|宣判)"
)
_EVENT = re.compile(
    r"发生|突发|起火|着火|失火|爆炸|爆燃|闪爆|[坍垮倒]塌|塌方|塌陷|滑坡|相撞|追尾|侧翻|翻车|坠|溺|触电|泄漏|中毒|地震|停水|停电|断水|决堤|溃|砍|捅"
    r"|行凶|袭击|踩踏|透水|落水|失联|失踪|被困|遇难|死亡|身亡|受伤|造成|致[\d一二两三四五六七八九十]|出现|遭遇|接警|接报|发现|撞|闹事|围堵|聚集"
)


def occurred(text: str, said: datetime) -> When | None:
    """The time of the event in a canonical text that was published at `said`, or None when none is told."""
    said = local(said)
    day: date | None = None
    for match in _WHEN.finditer(text[:READ]):
        named = _day(match, said, day)
        if named is None and (match["month"] or match["bare"]):
            continue  # 2月30日
        day = named or day
        found = _interval(match, said, day)
        if found is None or not _tells(text, match) or unreal(text, match.start(), match.end()):
            continue
        earliest, latest = found
        shifted = day is None and earliest > said  # 晚上十点, published in the morning
        if shifted:
            earliest, latest = earliest - timedelta(days=1), latest - timedelta(days=1)
        if earliest <= said and said - earliest <= HISTORY:
            latest = min(latest, said)
            sure = latest - earliest <= SOUND and not match["lonely"] and not shifted
            return When(earliest, latest, match.start(), match.end(), match.group().strip(), sure)
    return None


def _tells(text: str, match: re.Match[str]) -> bool:
    """The words date an event: one stands behind them, and neither a bulletin nor a count does."""
    if _AS_OF.search(text, max(0, match.start() - 4), match.start()) or _REPORTED.match(text, match.end()):
        return False
    stop = STOP.search(text, match.end(), match.end() + 90)
    return _EVENT.search(text, match.end(), stop.start() if stop else match.end() + 90) is not None


def _interval(match: re.Match[str], said: datetime, day: date | None) -> tuple[datetime, datetime] | None:
    if match["now"]:
        return said - timedelta(hours=2), said
    if match["ago"]:
        return _ago(match, said)
    if match["word"] == "昨夜今晨" and day:
        return _at(said, day, 18), _at(said, day, 33)
    on = day or said.date()
    part = match["part"] or match["lone"] or match["lonely"]
    prefix = "d" if match["dhour"] else "l" if match["lhour"] else ""
    if match["lonely"]:
        return _hours(said, on, part)
    return _clock(match, prefix, part, said, on) if prefix else _hours(said, on, part)


def _ago(match: re.Match[str], said: datetime) -> tuple[datetime, datetime] | None:
    """3小时前: an hour's play either way; 两天前: that whole day; 10分钟前: some minutes."""
    amount = 0.5 if match["ago"] == "半" else number(match["ago"])
    if amount is None:
        return None
    if match["unit"] == "天":
        on = (said - timedelta(days=amount)).date()
        return _at(said, on, 0), _at(said, on, 24)
    unit = timedelta(minutes=1) if match["unit"] == "分钟" else timedelta(hours=1)
    slack = max(unit * amount / 4, timedelta(minutes=5))
    return said - unit * amount - slack, said - unit * amount + slack


def _hours(said: datetime, on: date, part: str | None) -> tuple[datetime, datetime]:
    low, high = _PARTS.get(part or "", (0, 24))
    return _at(said, on, low), _at(said, on, high)


def _clock(
    match: re.Match[str], prefix: str, part: str | None, said: datetime, on: date
) -> tuple[datetime, datetime] | None:
    """A stated hour; 许 gives a quarter either way, an hour without minutes its whole hour."""
    hour, minute = number(match[prefix + "hour"]), _minute(match, prefix)
    if hour is None or minute is None or hour > 24 or minute > 59:
        return None
    at = _at(said, on, _civil(int(hour), part)) + timedelta(minutes=minute)
    exact = bool(match[prefix + "colon"] or match[prefix + "min"] or match[prefix + "half"])
    late = at if exact else at + timedelta(minutes=59)
    if match[prefix + "about"] not in (None, "多", "余"):
        return at - _ABOUT, (at if exact else at + _ABOUT) + _ABOUT
    if match[prefix + "mark"] == "点" and part is None and hour <= 12:
        return at, late + timedelta(hours=12)  # 9点: morning or evening
    return at, late


def _minute(match: re.Match[str], prefix: str) -> float | None:
    if match[prefix + "half"]:
        return 30.0
    if match[prefix + "quarter"]:
        return 15.0 if match[prefix + "quarter"] == "一" else 45.0
    word = match[prefix + "cmin"] or match[prefix + "min"]
    return number(word) if word else 0.0


def _civil(hour: int, part: str | None) -> int:
    """下午3点 → 15, 晚上12点 → 24, 凌晨12点 → 0, 半夜2点 → 26: the night that follows the day."""
    low, high = _PARTS.get(part or "", (0, 24))
    if part in ("凌晨", "今晨", "晨") and hour == 12:
        return 0
    if high > 24 and hour < 6:
        return hour + 24
    if low >= 11 and hour < 12 and hour + 12 < high + 1:
        return hour + 12
    return 24 if low >= 18 and hour == 12 else hour


def _day(match: re.Match[str], said: datetime, known: date | None) -> date | None:
    """The civil day that the words name, the last one that is not after the publication."""
    today = said.date()
    if match["word"]:
        word = match["word"]
        return (known or today) if word.startswith("当") else today - timedelta(days=_WORD_DAYS[word])
    if match["month"]:
        return _dated(match["year"], int(match["month"]), int(match["mday"]), today)
    if match["bare"]:
        return _month_day(int(match["bare"]), today)
    if match["wday"]:
        return _weekday(match["week"], match["wday"], today)
    return today if match["now"] or match["ago"] else None


def _dated(year: str | None, month: int, day: int, today: date) -> date | None:
    wanted = int(year) if year else today.year
    found = _date(wanted, month, day)
    if found and not year and found > today:
        return _date(wanted - 1, month, day)
    return found


def _month_day(day: int, today: date) -> date | None:
    """11日: of this month, or of the one before when it is still to come."""
    found = _date(today.year, today.month, day)
    if found and found <= today:
        return found
    last = today.replace(day=1) - timedelta(days=1)
    return _date(last.year, last.month, day)


def _weekday(week: str, name: str, today: date) -> date:
    wanted = "一二三四五六日".index(name.replace("天", "日"))
    monday = today - timedelta(days=today.weekday())
    if week.startswith("上"):
        return monday + timedelta(days=wanted - 7)
    back = (today.weekday() - wanted) % 7
    return today - timedelta(days=back)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _at(said: datetime, on: date, hour: int) -> datetime:
    """A civil hour of a day; 24 and more run into the next."""
    return datetime(on.year, on.month, on.day, tzinfo=said.tzinfo) + timedelta(hours=hour)
