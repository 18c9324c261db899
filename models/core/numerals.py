"""Numbers as Chinese writes them: 3, ３, 1,200, 1.2亿, 三十余, 十几, 百余, 三四十, 数十, 近百, 两.

A vague number counts as the least it can mean (三十余 → 30, 十几 → 11): a grade must not rest on
more than was said.
"""

from __future__ import annotations

import re

_DIGIT = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "俩": 2}
_DIGIT |= {c: i for i, c in enumerate("壹贰叁", 1)}  # 伍 and 陆 are words (队伍, 大陆)
_VAGUE = {"几": 2, "数": 2}
_UNIT = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_TENS = {"廿": "二十", "卅": "三十"}

# one number in running text; at most 24 characters, so that a flood of digits stays cheap
NUMERAL = (
    r"(?:\d{1,3}(?:,\d{3}){1,3}|\d{1,12}(?:\.\d{1,4})?)(?:余|多|来)?[十百千]?(?:万|亿)?"
    r"|[〇零一二两俩三四五六七八九十百千万亿几数廿卅壹贰叁]{1,12}"
)
_ARABIC = re.compile(r"([\d,]+(?:\.\d+)?)(?:余|多|来)?([十百千]?)([万亿]?)")
_CLEAN = re.compile(r"[余多来个近约上]")


def number(word: str) -> float | None:
    """The least value the numeral can mean, or None when it is not a numeral."""
    match = _ARABIC.fullmatch(word)
    if match:
        digits, small, large = match.groups()
        return float(digits.replace(",", "")) * _UNIT.get(small, 1) * _UNIT.get(large, 1)
    plain = _CLEAN.sub("", "".join(_TENS.get(c, c) for c in word))
    return _chinese(plain) if plain else None


def _chinese(word: str) -> float | None:
    """Sections by 亿 and 万, each read alone: 一万二千三 is not guessed further than 12003."""
    for name in ("亿", "万"):
        head, found, tail = word.partition(name)
        if found:
            high = _section(head) if head else 1
            low = _chinese(tail) if tail else 0
            return None if high is None or low is None else high * _UNIT[name] + low
    return _section(word)


def _section(word: str) -> float | None:
    """A numeral below 万: 三百二十一, 十几, 三四十 (the lesser), 数百; a row of digits as it stands."""
    if len(word) > 1 and all(c in _DIGIT for c in word):
        return _row(word)
    total, held = 0, None
    for place, char in enumerate(word):
        if char in _DIGIT or char in _VAGUE:
            held = _digit(char, place, held)
        elif char in _UNIT:
            total += (1 if held is None else held) * _UNIT[char]
            held = None
        else:
            return None
    return float(total + (held or 0))


def _digit(char: str, place: int, held: int | None) -> int:
    """A digit in its place; of two neighbours the first (三四十), a vague one after 十 is 1 (十几)."""
    if char in _VAGUE:
        return 1 if place else _VAGUE[char]
    return held if held else _DIGIT[char]


def _row(word: str) -> float:
    """三四 is "three or four", so 3; 二〇二六 is a row of digits."""
    digits = [_DIGIT[c] for c in word]
    if len(digits) == 2 and digits[1] - digits[0] == 1:
        return float(digits[0])
    return float("".join(map(str, digits)))
