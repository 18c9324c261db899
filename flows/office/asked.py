"""What a person's form or command says, read into values; refused in words that name the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from connectors.console.desk import Refusal
from models.core.moment import parse_stated
from models.ledger import promises
from playbooks.problem import did_you_mean

Params = dict[str, str]
E = TypeVar("E", bound=StrEnum)


def needed(params: Mapping[str, str], name: str, zh: str) -> str:
    value = (params.get(name) or "").strip()
    if not value:
        raise Refusal(f"缺少{zh}({name})")
    return value


def moment(params: Mapping[str, str], name: str, zh: str) -> datetime:
    """A time that must be given."""
    return _moment(needed(params, name, zh), name, zh)


def moment_or(params: Mapping[str, str], name: str, zh: str, default: datetime) -> datetime:
    return _moment(params[name], name, zh) if params.get(name) else default


def _moment(text: str, name: str, zh: str) -> datetime:
    try:
        return parse_stated(text)
    except ValueError:
        raise Refusal(f"{zh}({name}) “{text[:40]}” 不是时间；写成 2026-11-22T10:00，默认北京时间") from None


def choice(kind: type[E], params: Mapping[str, str], name: str, zh: str) -> E:
    value = needed(params, name, zh)
    try:
        return kind(value)
    except ValueError:
        options = [member.value for member in kind]
        meant = did_you_mean(value, options)
        raise Refusal(f"{zh} “{value[:40]}” 不存在{meant}；可用: {'、'.join(options)}") from None


def number(params: Mapping[str, str], name: str, zh: str) -> int:
    value = needed(params, name, zh)
    if not (value.isdecimal() and len(value) < 10):
        raise Refusal(f"{zh}({name}) “{value[:20]}” 不是数字")
    return int(value)


def numbers(params: Mapping[str, str], name: str, zh: str) -> list[int]:
    """12，15 → [12, 15]; nothing → []."""
    parts = [part.strip() for part in (params.get(name) or "").replace("，", ",").split(",") if part.strip()]
    wrong = next((part for part in parts if not (part.isdecimal() and len(part) < 19)), None)
    if wrong is not None:
        raise Refusal(f"{zh}({name}) “{wrong[:20]}” 不是编号；写成逗号分隔的数字，如 12,15")
    return [int(part) for part in parts]


def stopped(rule_ids: Sequence[str]) -> str:
    """What a proof ended, for the sentence after an act: clocks by their ids, a promise by its name."""
    named = [promises.NAME if one.startswith(promises.SUBJECT) else one for one in rule_ids]
    return f"停止的时钟: {'、'.join(dict.fromkeys(named)) or '无(凭据已登记)'}"
