"""What somebody meant who wrote a length of time in another way: 5小时, 两天半, 1.5h, pt5h, P2H → PT5H …"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from models.core.moment import parse_duration
from models.core.numerals import number

LONGEST = timedelta(days=3660)
"""Ten years: more is a slip of the pen, and would run past the end of the calendar."""

_SECONDS = {"周": 604_800, "天": 86_400, "时": 3_600, "分": 60, "秒": 1}
_UNITS = {
    "周": "周", "星期": "周", "礼拜": "周", "w": "周", "week": "周", "weeks": "周",
    "天": "天", "日": "天", "d": "天", "day": "天", "days": "天",
    "小时": "时", "钟头": "时", "时": "时", "h": "时", "hr": "时", "hour": "时", "hours": "时",
    "分钟": "分", "分": "分", "m": "分", "min": "分", "mins": "分", "minute": "分", "minutes": "分",
    "秒": "秒", "秒钟": "秒", "s": "秒", "sec": "秒",
}  # fmt: skip
_NUMBER = r"(?P<n>\d+(?:\.\d+)?|[零一二两三四五六七八九十百半]+)"
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_PART = re.compile(
    rf"{_NUMBER}\s*个?\s*(?P<half>半)?\s*(?P<unit>{_UNIT})(?:钟)?(?P<more>半)?\s*", re.IGNORECASE
)
_WORKING = re.compile(r"-?([一二两三四五六七八九十百]+|\d+)\s*个?\s*(?:工作日|工作天)")


def suggest_duration(text: str) -> str:
    """The right form of a loose one: 5小时, 5h → PT5H; 2天 → P2D; 一个半小时 → PT90M; "" when nothing can
    be guessed."""
    plain = unicodedata.normalize("NFKC", text).strip().lower().removeprefix("-")
    seconds = _loose(plain) or _iso(plain.upper())
    return _written(seconds) if seconds and seconds <= LONGEST.total_seconds() else ""


def suggest_working_days(text: str) -> str:
    """五个工作日, -5个工作日 → 5 个工作日; "" when it is none."""
    found = _WORKING.fullmatch(unicodedata.normalize("NFKC", text).strip())
    count = int(number(found[1]) or 0) if found else 0
    return f"{count} 个工作日" if count else ""


def _loose(text: str) -> float:
    """The seconds of a row of parts like 1小时30分; 0 when some of it is no such part."""
    total, at = 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            return 0.0
        total += _amount(part) * _SECONDS[_UNITS[part["unit"].lower()]]
        at = part.end()
    return total


def _amount(part: re.Match[str]) -> float:
    """两 → 2, 半 → 0.5, 一个半 → 1.5."""
    half = 0.5 if part["half"] or part["more"] or part["n"].endswith("半") else 0.0
    whole = part["n"].removesuffix("半")
    return (number(whole) or 0.0) + half if whole else half


def _iso(text: str) -> float:
    """The seconds of a duration with a small slip: pt5h, P5H (the T is missing), PT5 (the unit), P1W."""
    weeks = re.fullmatch(r"P(\d{1,3})W", text)
    if weeks:
        return int(weeks[1]) * _SECONDS["周"]
    if re.fullmatch(r"P\d+M", text):
        return 0.0  # a month or a minute: not to be guessed
    for each in (text, text.replace("P", "PT", 1), f"{text}H"):
        try:
            return parse_duration(each).total_seconds()
        except (ValueError, OverflowError):
            continue
    return 0.0


def _written(seconds: float) -> str:
    """P2D, PT5H, PT90M, PT30S: in the largest unit that leaves no rest."""
    for unit, form in (("天", "P{}D"), ("时", "PT{}H"), ("分", "PT{}M")):
        if seconds % _SECONDS[unit] == 0:
            return form.format(int(seconds // _SECONDS[unit]))
    return f"PT{int(seconds)}S"
