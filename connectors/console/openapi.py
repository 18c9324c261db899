"""The OpenAPI of `/api/v1`: what FastAPI knows of the paths, and what it cannot know of acts and answers.

Acts come from `deeds`, answers from `shapes`; every refusal has the same form. Nothing here is asked while
a request is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from connectors.console import shapes
from connectors.console.deeds import API, MANY, ONE, WORDS, Deed
from connectors.uploads import DOCX, XLSX

Schema = dict[str, Any]

REFUSALS: Final = {
    "400": "请求看不懂",
    "401": "令牌或签名不对",
    "403": "没有说明是谁，或无权做，或来自别的网站",
    "404": "没有这一项",
    "405": "这个地址不能这样访问",
    "409": "规则不允许，原因照原话",
    "413": "内容太大",
    "422": "内容不完整或写法不对",
    "429": "太频繁，稍后再试（Retry-After 是秒数）",
    "503": "数据库或对方系统不可用，稍后再试",
}
"""Every refusal is `{"error": …}`: one sentence that says what is wrong and what to do."""
_SECURITY: Final = {
    "令牌": {
        "type": "http",
        "scheme": "bearer",
        "description": "有登录的站点：在“我的账号”里建一个接口令牌，写 Authorization: Bearer 令牌。没有登录的站点不用，"
        "在请求里写 by 说明是谁。",
    }
}
_BINARY: Final = {"type": "string", "contentEncoding": "binary"}
FILES: Final = {
    f"{API}/statements/{{statement_id}}/package": ("application/zip",),
    f"{API}/dossiers/{{dossier_id}}": ("application/octet-stream",),
    f"{API}/snapshots/{{sha256}}": (
        "application/gzip",
        "text/plain",
        "application/octet-stream",
        "image/png",
        "image/jpeg",
    ),
    f"{API}/audit/export": ("text/csv", "application/x-ndjson"),
    f"{API}/reports/{{kind}}/file": ("application/pdf", "text/csv", "text/markdown", DOCX, XLSX),
}
"""Doors that answer with a file, and the types that it may have; always a download."""
_GROUPS: Final = [
    {"name": "看", "description": "读，什么也不改变"},
    {"name": "做", "description": "人的操作，每一个都记在一个人名下，写进日志链"},
    {"name": "报告", "description": "报告的数据和文件"},
]


def describe(app: FastAPI) -> None:
    """From now on `app` tells this of itself; drawn when it is first asked for."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = _drawn(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend its schema


def _drawn(app: FastAPI) -> Schema:
    drawn = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=_GROUPS
    )
    components = drawn.setdefault("components", {})
    components["schemas"] = {"Refusal": shapes.REFUSAL, **shapes.COMPONENTS}
    components["securitySchemes"] = _SECURITY
    components["responses"] = {status: _refusal(words) for status, words in REFUSALS.items()}
    for path, operations in drawn["paths"].items():
        for method, operation in operations.items():
            if path.startswith(f"{API}/"):
                _complete(path, method, operation)
    return drawn


def _refusal(words: str) -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {"description": words, "content": content}


def _complete(path: str, method: str, operation: Schema) -> None:
    """One operation: its body, its answer, its refusals, whether a token may be asked for."""
    operation["security"] = [{}, {"令牌": []}]
    if method == "post" and path in MANY:
        _many(operation, MANY[path])
    if method == "post" and path in ONE:
        operation["requestBody"] = _body({"": ONE[path]})
    answers = operation["responses"]
    _answer(answers, shapes.ANSWERS.get((method, path)))
    if path in FILES:
        answers["200"] = {
            "description": "文件",
            "content": {kind: {"schema": _BINARY} for kind in FILES[path]},
        }
    for status in REFUSALS:
        answers[status] = {"$ref": f"#/components/responses/{status}"}


def _answer(answers: Schema, shape: Schema | None) -> None:
    if shape is not None:
        good = next(status for status in answers if status.startswith("2"))
        answers[good]["content"] = {"application/json": {"schema": shape}}


def _many(operation: Schema, deeds: Mapping[str, Deed]) -> None:
    name = next(one for one in operation["parameters"] if one["name"] == "name")
    name["schema"] = {"type": "string", "enum": list(deeds)}
    name["description"] = "哪个操作：" + "，".join(f"{key} {deed.zh}" for key, deed in deeds.items())
    lines = (f"- `{key}` {deed.zh}：{_takes(deed)}" for key, deed in deeds.items())
    operation["description"] = "\n".join(("粗体的必须写，其余可不写。", "", *lines))
    operation["requestBody"] = _body(deeds)


def _takes(deed: Deed) -> str:
    return "、".join(f"**{word}**" if word in deed.needed else word for word in deed.words) or "只要 by"


def _body(deeds: Mapping[str, Deed]) -> Schema:
    """All words are texts; which of them an act takes stands in the description, for one door has many acts."""
    words = dict.fromkeys(("by", *(word for deed in deeds.values() for word in deed.words)))
    schema: Schema = {
        "type": "object",
        "properties": {word: _word(word) for word in words},
        "additionalProperties": {"type": "string"},
    }
    examples = {
        key or "example": {"summary": deed.zh, "value": dict(deed.example)} for key, deed in deeds.items()
    }
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}


def _word(word: str) -> Schema:
    """A word is a text; only the cells of a table are many."""
    many = {"type": "object", "additionalProperties": {"type": "string"}}
    kind: Schema = many if word == "cells" else {"type": "string"}
    return kind | {"description": WORDS[word]}
