"""The kinds of values that the files of a site are made of, checked while they are read.

Each refuses with PydanticCustomError("huiying", …, {"text", "hint"}), which `checked` turns into
a Problem at its line.
"""

from __future__ import annotations

import re
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

from models.core.moment import iso, parse_duration, parse_iso
from models.core.situation import Situation
from playbooks.condition import MAX_LENGTH, check


class Strict(BaseModel):
    """A record of a file: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, use_attribute_docstrings=True
    )


def refuse(text: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("huiying", "{text}", {"text": text, "hint": hint})


# ---- lengths of time --------------------------------------------------------------------------

_UNITS = {"d": "D", "天": "D", "日": "D", "h": "H", "时": "H", "小时": "H", "钟头": "H"}
_LOOSE = re.compile(r"(\d+)\s*(天|日|小时|钟头|时|分钟|分|d|h|min|m)(?:钟)?", re.IGNORECASE)


def suggest_duration(text: str) -> str:
    """The right form of a loose one: 5小时, 5h → PT5H; 2天 → P2D; "" when nothing can be guessed."""
    match = _LOOSE.fullmatch(text.strip())
    if not match:
        return ""
    number, unit = int(match[1]), _UNITS.get(match[2].lower(), "M")
    return f"P{number}D" if unit == "D" else f"PT{number}{unit}"


def _duration_hint(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"带上单位：{value:g} 小时写成 PT{value:g}H"
    suggested = suggest_duration(str(value))
    return f"写成 {suggested}" if suggested else "5 小时写成 PT5H，30 分钟写成 PT30M，2 天写成 P2D"


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (value.startswith("-") or _is_zero(value)):
        raise refuse(f"时长 “{value}” 必须大于零", "5 小时写成 PT5H")
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except (ValueError, OverflowError):
        raise refuse(f"“{str(value)[:40]}” 不是时长", _duration_hint(value)) from None


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
    "pattern": r"^P(\d+D)?(T(\d+(\.\d+)?H)?(\d+M)?(\d+S)?)?$",
    "examples": ["PT5H", "PT30M", "P2D"],
}
Duration = Annotated[timedelta, BeforeValidator(_duration), _TO_TEXT, WithJsonSchema(_DURATION_SCHEMA)]
"""ISO 8601, longer than zero: PT5H."""
Delay = Annotated[timedelta, BeforeValidator(_delay), _TO_TEXT, WithJsonSchema(_DURATION_SCHEMA)]
"""The same, zero allowed: PT0M."""


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
        return parse_iso(str(value))
    except (ValueError, OverflowError):
        raise refuse(
            f"“{str(value)[:40]}” 不是时间", "写成 2026-11-21T08:00 或 2026-11-21T08:00+08:00"
        ) from None


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
