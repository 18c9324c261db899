"""Variables of a playbook: `$name` in a limit or a condition is filled with the value of that name, which a
profile may set otherwise. They are filled before the file is checked, so that a value is checked as if
it had been written there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NAMED = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


class Unset(str):
    """A text with a `$name` that no variable fills; `known` are those that there are."""

    known: tuple[str, ...]

    def __new__(cls, text: str, known: tuple[str, ...]) -> Unset:
        made = super().__new__(cls, text)
        made.known = known
        return made

    @property
    def missing(self) -> str:
        return next((name for name in _NAMED.findall(self) if name not in self.known), "")


def filled(data: Any) -> Any:
    """A playbook's data with its own variables in their places."""
    given = data.get("variables") if isinstance(data, dict) else None
    variables = given if isinstance(given, dict) else {}
    values = {name: each["value"] for name, each in variables.items() if _has_value(each)}
    return _fill(data, values) if used(data) else data


def _has_value(variable: Any) -> bool:
    return isinstance(variable, dict) and isinstance(variable.get("value"), str | int | float)


def with_values(data: Any, values: Mapping[str, Any]) -> Any:
    """The data with other values for some of its variables; names that it has not are left out."""
    variables = dict(data.get("variables") or {})
    changed = {name: {**variables[name], "value": values[name]} for name in values if name in variables}
    return {**data, "variables": variables | changed} if changed else data


def used(data: Any) -> set[str]:
    """The names of the variables that the data asks for."""
    if isinstance(data, dict):
        return {name for key, value in data.items() if key != "variables" for name in used(value)}
    if isinstance(data, list):
        return {name for value in data for name in used(value)}
    return set(_NAMED.findall(data)) if isinstance(data, str) else set()


def _fill(data: Any, values: Mapping[str, Any]) -> Any:
    """A whole text becomes the value as it is; within a condition (`when` …) it becomes a literal of CEL."""
    if isinstance(data, dict):
        return {key: _fill(_in_words(key, value, values), values) for key, value in data.items()}
    if isinstance(data, list):
        return [_fill(value, values) for value in data]
    whole = _NAMED.fullmatch(data) if isinstance(data, str) else None
    if whole is None:
        return data
    return values[whole[1]] if whole[1] in values else Unset(data, tuple(values))


def _in_words(key: str, value: Any, values: Mapping[str, Any]) -> Any:
    if not key.endswith("when") or not isinstance(value, str):
        return value
    if not used(value) <= values.keys():
        return Unset(value, tuple(values))
    return _NAMED.sub(lambda found: json.dumps(values[found[1]], ensure_ascii=False), value)
