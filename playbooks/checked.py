"""A document checked against a model; what pydantic finds is said in Chinese, at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from playbooks.loader import Document, KeyPath
from playbooks.problem import Problem, Problems, did_you_mean, listed
from playbooks.secret import SECRET_KEYS

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], document: Document) -> M:
    """The document as `model`. Raises Problems with everything that is wrong in it."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise Problems([document.problem((), "文件应是 “键: 值” 的形式", "参看 huiying init 写出的样例")])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Problems(_problem(model, document, each) for each in error.errors()) from None


def first_words(model: type[BaseModel], error: ValidationError) -> str:
    """The first that is wrong where no file is written: 级别：“V” 不是可用的值（可用：I、II、III、IV）."""
    found = error.errors()[0]
    path = tuple(found["loc"])
    message, hint = _say(model, found, path)
    name = re.split("[：，；（]", _described(model, path[:-1], str(path[-1])))[0] if path else ""
    words = f"{message}（{hint}）" if hint else message
    return f"{name or path[0]}：{words}" if path else words


def _problem(model: type[BaseModel], document: Document, error: Any) -> Problem:
    path = _path(document.data, error["loc"])
    message, hint = _say(model, error, path)
    path = _origin(document.data, path)
    return document.problem(path, message, hint, key=error["type"] in ("extra_forbidden", "missing"))


def _path(data: Any, loc: Iterable[str | int]) -> KeyPath:
    """Pydantic's location as far as the file knows it: names of unions are left out."""
    path: list[str | int] = []
    for part in loc:
        if _holds(data, part):
            data = data[part]
            path.append(part)
    return tuple(path)


def _origin(data: Any, path: KeyPath) -> KeyPath:
    """Where a value was written: that of `$name` stands among the variables."""
    value = data
    for part in path:
        value = value[part]
    name = value[1:] if isinstance(value, str) and value.startswith("$") else ""
    own = ("variables", name, "value")
    return own if name and _path(data, own) == own else path


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, dict) and part in data


def _say(model: type[BaseModel], error: Any, path: KeyPath) -> tuple[str, str]:
    kind, ctx, last = error["type"], error.get("ctx", {}), str(error["loc"][-1]) if error["loc"] else ""
    value = "…" if last in SECRET_KEYS else error.get("input")
    if kind == "huiying":
        return ctx["text"], ctx["hint"]
    if kind == "missing":
        return f"缺少键 “{last}”", _described(model, path, last)
    if kind == "extra_forbidden":
        known = _keys(model, path[:-1])
        return f"未知的键 “{last}”{did_you_mean(last, known)}", f"可用：{listed(known)}" if known else ""
    if kind in ("enum", "literal_error"):
        known = re.findall(r"'([^']*)'", ctx["expected"])
        return (
            f"“{str(value)[:40]}” 不是可用的值{did_you_mean(str(value), known)}",
            f"可用：{listed(known, 20)}",
        )
    return _type_words(kind, ctx, value, error["msg"])


_TYPES = {
    "string_type": ("应为文本", "给值加上引号"),
    "bool_type": ("应为 true 或 false", ""),
    "bool_parsing": ("应为 true 或 false", ""),
    "int_type": ("应为整数", ""),
    "int_parsing": ("应为整数", ""),
    "int_from_float": ("应为整数", ""),
    "float_type": ("应为数字", ""),
    "float_parsing": ("应为数字", ""),
    "tuple_type": ("应为列表", "每项一行，以 “- ” 开头"),
    "list_type": ("应为列表", "每项一行，以 “- ” 开头"),
    "dict_type": ("应为 “键: 值” 的形式", ""),
    "model_type": ("应为 “键: 值” 的形式", ""),
    "model_attributes_type": ("应为 “键: 值” 的形式", ""),
}


def _type_words(kind: str, ctx: dict[str, Any], value: Any, english: str) -> tuple[str, str]:
    if kind in _TYPES:
        message, hint = _TYPES[kind]
        return f"{message}，这里是 {_kind_of(value)}", hint
    limits = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
    if kind in limits:
        signs = {"ge": "不小于", "le": "不大于", "gt": "大于", "lt": "小于"}
        return f"{value} 超出范围，应{signs[limits[kind]]} {ctx[limits[kind]]}", ""
    if kind in ("string_too_long", "too_long"):
        return f"太长，最多 {ctx['max_length']}", ""
    if kind in ("string_too_short", "too_short"):
        return "不能是空的", ""
    if kind == "string_pattern_mismatch":
        return f"“{str(value)[:40]}” 的写法不对", f"应符合 {ctx['pattern']}"
    return english, ""


def _kind_of(value: Any) -> str:
    if value is None:
        return "空"
    if isinstance(value, bool):
        return "真假值"
    if isinstance(value, dict):
        return "键值对"
    if isinstance(value, list):
        return "列表"
    return f"“{str(value)[:40]}”"


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model that stands at `path`: through lists, optional values and maps by name."""
    annotation: Any = model
    for part in path:
        here = _model_in(annotation) if isinstance(part, str) else None
        if here is not None and part in here.model_fields:
            annotation = here.model_fields[str(part)].annotation
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


def _keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    here = _model_at(model, path)
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _described(model: type[BaseModel], path: KeyPath, key: str) -> str:
    here = _model_at(model, path)
    field = here.model_fields.get(key) if here else None
    return (field.description or "") if field else ""
