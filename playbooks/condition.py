"""Conditions in CEL: small, without macros, dry-run on samples before they are trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice, product
from math import prod
from typing import Any

import cel

from models.core.situation import Situation
from models.core.vocabulary import Domain, EventType, Grade, Medium, OpinionKind
from playbooks.problem import did_you_mean, listed

MAX_LENGTH = 500
MAX_NESTING = 20
MAX_TRIALS = 5_000

_GRADES = tuple(str(grade) for grade in Grade)
WORDS: Mapping[str, tuple[str, ...]] = {
    "grade": _GRADES,
    "event_grade": _GRADES,
    "heat_grade": _GRADES,
    "sensitivity_grade": _GRADES,
    "event_type": tuple(str(word) for word in EventType),
    "kind": tuple(str(word) for word in OpinionKind),
    "medium": tuple(str(word) for word in Medium),
    "domain": tuple(str(word) for word in Domain),
}
"""What a variable may be, beside the empty string that stands for "unknown"."""

FLAGS = frozenset(name for name, value in Situation(Grade.IV).variables().items() if value is False)
"""The variables that are true or false."""

VARIABLES = tuple(Situation(Grade.IV).variables())
Values = Mapping[str, str | bool | int]


UNDECIDABLE = (TypeError, RuntimeError, ValueError, ArithmeticError, LookupError)


@lru_cache(maxsize=512)
def _program(text: str) -> cel.Program:
    return cel.compile(text)


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked condition. `holds` is pure: the same situation gives the same answer."""

    text: str

    def holds(self, situation: Situation) -> bool:
        return self.true_of(situation.variables())

    def true_of(self, values: Values) -> bool:
        """The answer; a condition that cannot be decided holds, so that no clock is lost."""
        try:
            return bool(_program(self.text).execute(dict(values)))
        except UNDECIDABLE:
            return True

    def surely(self, situation: Situation) -> bool:
        """Does it hold beyond doubt? For what keeps a clock quiet: here "undecided" is no."""
        try:
            return bool(_program(self.text).execute(dict(situation.variables())))
        except UNDECIDABLE:
            return False

    def variables(self) -> frozenset[str]:
        return frozenset(_program(self.text).variables())


ALWAYS = Condition("true")


def samples(names: frozenset[str] = frozenset()) -> Iterator[dict[str, str | bool | int]]:
    """Situations to try a condition on: every value of `names`, the rest unknown; else two."""
    empty = Situation(Grade.IV).variables()
    if not names:
        yield empty
        yield {name: _some(name) for name in empty}
        return
    varied = [name for name in empty if name in names]
    for values in product(*(_range(name) for name in varied)):
        yield {**empty, **dict(zip(varied, values, strict=True))}


def _some(name: str) -> str | bool | int:
    return WORDS[name][0] if name in WORDS else name in FLAGS or 10


def grid(names: frozenset[str]) -> int:
    """How many situations `samples` makes of `names`."""
    return prod(len(_range(name)) for name in names)


def _range(name: str) -> tuple[str | bool | int, ...]:
    if name in WORDS:
        return WORDS[name] if name == "grade" else ("", *WORDS[name])
    return (False, True) if name in FLAGS else (0, 1, 2, 3, 5, 10, 50, 100, 1000)


def check(text: str) -> tuple[str, str] | None:
    """What is wrong with a condition: (message, hint), or None when it can be trusted."""
    return _shape(text) or _parses(text) or _names(text) or _runs(text) or _words(text)


_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(|\bhas\s*\(")
_WIDE = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "（": "(", "）": ")", "，": ",", "！": "!", "＝": "="}
)


def _shape(text: str) -> tuple[str, str] | None:
    if not text.strip():
        return "条件是空的", "总是成立写 true"
    if len(text) > MAX_LENGTH:
        return f"条件有 {len(text)} 个字符，最多 {MAX_LENGTH}", "拆成几条预案"
    if text.translate(_WIDE) != text:
        return "条件里有全角符号", f"写成 {text.translate(_WIDE)}"
    if max(_depths(text), default=0) > MAX_NESTING:
        return f"条件的括号超过 {MAX_NESTING} 层", "写简单些"
    if _MACRO.search(text):
        return "条件里不能用 all、exists、map、filter、has", "用 in、==、&&、|| 和 ! 表达"
    return None


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        yield depth


def _parses(text: str) -> tuple[str, str] | None:
    try:
        _program(text)
    except ValueError as error:
        place = re.search(r"<input>:\d+:(\d+)", str(error))
        where = f"第 {place[1]} 个字符处" if place else ""
        single = re.search(r"(?<![=!<>])=(?!=)", text)
        return f"条件{where}写错了", "相等写两个等号 ==" if single else '例如 event_grade in ["I", "II"]'
    return None


_PLAIN_CALLS = {"startsWith", "endsWith", "contains", "size"}


def _names(text: str) -> tuple[str, str] | None:
    program = _program(text)
    for name in program.variables():
        if name not in VARIABLES:
            return (
                f"条件里的变量 “{name}” 不认识{did_you_mean(name, VARIABLES)}",
                f"可用：{listed(VARIABLES)}",
            )
    for name in program.functions():
        if name.isidentifier() and name not in _PLAIN_CALLS:
            return f"条件里不能用函数 “{name}”", f"可用：{listed(sorted(_PLAIN_CALLS))}"
    return None


def _runs(text: str) -> tuple[str, str] | None:
    for values in chain(samples(), islice(samples(Condition(text).variables()), MAX_TRIALS)):
        try:
            answer: Any = _program(text).execute(values)
        except UNDECIDABLE:
            return (
                "条件比较了不同类型的值",
                '级别和类别是文本，要加引号：grade == "II"；signals、quiet_hours 是数字；'
                "confirmed、spread 是 true/false",
            )
        if not isinstance(answer, bool):
            return "条件的结果不是真或假", '写成比较，例如 kind == "false_info"'
    return None


_LITERAL = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")


def _words(text: str) -> tuple[str, str] | None:
    """A word that no variable of the condition can ever be is a typo: it would never hold."""
    program = _program(text)
    if any(name.isidentifier() for name in program.functions()):
        return None
    known = sorted({word for name in program.variables() for word in WORDS.get(name, ())})
    for match in _LITERAL.finditer(text):
        word = match[1] if match[1] is not None else match[2]
        if word and word not in known:
            return f"条件里的值 “{word}” 永远不会出现{did_you_mean(word, known)}", f"可用：{listed(known)}"
    return None
