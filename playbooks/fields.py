"""The kinds of values that the files of a site are made of, checked while they are read.

Each refuses with PydanticCustomError("huiying", …, {"text", "hint"}), which `checked` turns into
a Problem at its line.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from models.core.clock import Amount as CoreAmount
from models.core.moment import iso, parse_duration, parse_stated
from models.core.situation import Situation
from models.core.workdays import WorkingDays
from playbooks.condition import MAX_LENGTH, check
from playbooks.durations import LONGEST, suggest_duration, suggest_working_days
from playbooks.problem import did_you_mean, listed
from playbooks.variables import Unset


class Strict(BaseModel):
    """A record of a file: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, use_attribute_docstrings=True
    )


def refuse(text: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("huiying", "{text}", {"text": text, "hint": hint})


def _is_set(value: Any) -> Any:
    """Refuses a `$name` that no variable fills."""
    if isinstance(value, Unset):
        hint = f"可用：{listed(value.known)}" if value.known else "先在 variables 里写它"
        raise refuse(f"没有变量 “${value.missing}”{did_you_mean(value.missing, value.known)}", hint)
    return value


# ---- lengths of time --------------------------------------------------------------------------


def _duration_hint(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"带上单位：{value:g} 小时写成 PT{value:g}H"
    if suggest_working_days(str(value)):
        return "这里只能写时长，例如 PT24H；工作日只用在时限 amount 里"
    suggested = suggest_duration(str(value))
    return f"写成 {suggested}" if suggested else "5 小时写成 PT5H，30 分钟写成 PT30M，2 天写成 P2D"


def _duration(value: Any) -> Any:
    if isinstance(_is_set(value), timedelta):
        return value
    if isinstance(value, str) and (value.startswith("-") or _is_zero(value)):
        suggested = suggest_duration(value)
        raise refuse(
            f"时长 “{value[:40]}” 必须大于零", f"写成 {suggested}" if suggested else "5 小时写成 PT5H"
        )
    try:
        length = parse_duration(value if isinstance(value, str) and value.isascii() else "")
    except (ValueError, OverflowError):
        raise refuse(f"“{str(value)[:40]}” 不是时长", _duration_hint(value)) from None
    if length > LONGEST:
        raise refuse(f"时长 “{str(value)[:40]}” 太长", f"最长 {LONGEST.days} 天，写成 P{LONGEST.days}D")
    return length


def _is_zero(value: str) -> bool:
    return re.fullmatch(r"P(?:0+D)?(?:T(?:0+H)?(?:0+M)?(?:0+S)?)?", value) is not None and "0" in value


def _delay(value: Any) -> Any:
    return timedelta(0) if isinstance(value, str) and _is_zero(value) else _duration(value)


def iso_duration(length: timedelta) -> str:
    """PT5H, PT90M, PT0M: in the largest of hours, minutes and seconds that leaves no rest."""
    seconds = int(length.total_seconds())
    for size, letter in ((3600, "H"), (60, "M")):
        if seconds % size == 0 and (seconds or letter == "M"):
            return f"PT{seconds // size}{letter}"
    return f"PT{seconds}S"


_TO_TEXT = PlainSerializer(iso_duration, return_type=str, when_used="json")
_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^(P(\d+D)?(T(\d+(\.\d+)?H)?(\d+M)?(\d+S)?)?|\$\w+)$",
    "examples": ["PT5H", "PT30M", "P2D"],
}
Duration = Annotated[timedelta, BeforeValidator(_duration), _TO_TEXT, WithJsonSchema(_DURATION_SCHEMA)]
"""ISO 8601, longer than zero: PT5H."""
Delay = Annotated[timedelta, BeforeValidator(_delay), _TO_TEXT, WithJsonSchema(_DURATION_SCHEMA)]
"""The same, zero allowed: PT0M."""


_WORKING = re.compile(r"(\d{1,4})\s*个?\s*(?:工作日|工作天)")
_LOOSE_WORKING = re.compile(r"P?(\d{1,4})\s*(?:wd|bd|(?:working|business|work)[ _-]?days?)", re.IGNORECASE)
_MOST_DAYS = 250


def _amount(value: Any) -> Any:
    """PT5H, or 5 个工作日."""
    if isinstance(_is_set(value), WorkingDays):
        return value
    text = str(value).strip()
    loose = _LOOSE_WORKING.fullmatch(text)
    if loose:
        raise refuse(f"“{text[:40]}” 不是时限", f"工作日写成 {int(loose[1])} 个工作日")
    match = _WORKING.fullmatch(text)
    meant = suggest_working_days(text)
    if meant and (match is None or (not text.isascii() and unicodedata.normalize("NFKC", text) != text)):
        raise refuse(f"“{text[:40]}” 不是时限", f"写成 {meant}")
    return _working_days(int(match[1])) if match else _duration(value)


def _working_days(count: int) -> WorkingDays:
    if not 1 <= count <= _MOST_DAYS:
        raise refuse(f"{count} 个工作日超出范围", f"写 1 到 {_MOST_DAYS} 个工作日")
    return WorkingDays(count)


def amount_text(amount: CoreAmount) -> str:
    """As a file writes it: PT5H, 5 个工作日."""
    return amount.zh if isinstance(amount, WorkingDays) else iso_duration(amount)


Amount = Annotated[
    CoreAmount,
    BeforeValidator(_amount),
    PlainSerializer(amount_text, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(P(\d+D)?(T(\d+(\.\d+)?H)?(\d+M)?(\d+S)?)?|[1-9]\d{0,2} ?个?工作日|\$\w+)$",
            "examples": ["PT5H", "PT30M", "5 个工作日"],
        }
    ),
]
"""A limit: an ISO 8601 duration, whose hours never pause, or a number of working days."""


def _percent(value: Any) -> Any:
    text = (
        f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value).strip()
    )
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)%", text)
    if match is None:
        number = re.fullmatch(r"0?\.(\d{1,2})", text)
        raise refuse(
            f"“{text[:40]}” 不是百分比", f"写成 {int(number[1].ljust(2, '0'))}%" if number else "写成 50%"
        )
    share = float(match[1]) / 100
    if not 0 < share <= 1:
        raise refuse(f"“{text}” 永远走不到", "步骤要在 1% 到 100% 之间；到期以后由 repeat 负责")
    return share


Percent = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(lambda share: f"{share * 100:g}%", return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,3})?%$", "examples": ["50%", "75%", "100%"]}
    ),
]


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        return parse_stated(str(value))
    except ValueError as error:
        words, _, hint = str(error).partition("；")
        raise refuse(words, hint) from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["2026-11-21T08:00+08:00"]}),
]
"""ISO 8601; a time without offset is Beijing time."""

# ---- words --------------------------------------------------------------------------------------

_IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _ident(value: str) -> str:
    if not _IDENT.fullmatch(value):
        raise refuse(f"标识 “{value[:40]}” 不合规", "用半角字母、数字、_ 和 -，最长 64 个，不含空格和汉字")
    return value


Ident = Annotated[str, AfterValidator(_ident), Field(json_schema_extra={"pattern": f"^{_IDENT.pattern}$"})]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=2000)]


def _when(value: Any) -> Any:
    """`true` without quotes is the condition that always holds."""
    _is_set(value)
    return str(value).lower() if isinstance(value, bool) else value


def _checked_condition(value: str) -> str:
    found = check(value)
    if found is not None:
        raise refuse(*found)
    return value


_VARIABLES = "、".join(Situation.__dataclass_fields__)
When = Annotated[
    str,
    BeforeValidator(_when, json_schema_input_type=str | bool),
    AfterValidator(_checked_condition),
    Field(max_length=MAX_LENGTH, description=f"CEL 条件，可用变量：{_VARIABLES}"),
]

T = TypeVar("T")


def _none_is_empty(value: Any) -> Any:
    return [] if value is None else value


def _one_is_many(value: Any) -> Any:
    many = _none_is_empty(value)
    return many if isinstance(many, list | tuple) else [many]


class _OrOne:
    """Tells the editor's schema that a single item may stand without brackets."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        many = handler(core)
        return {"anyOf": [many, many["items"]]}


Items = Annotated[tuple[T, ...], BeforeValidator(_none_is_empty)]
"""A list; a key whose items are all commented out is an empty one."""
OneOrMany = Annotated[tuple[T, ...], BeforeValidator(_one_is_many), _OrOne()]
"""A list, or its only item without the brackets."""
