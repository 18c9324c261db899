"""Traces 追踪: to which collector the story of each incident is told (OpenTelemetry, OTLP over HTTP)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated

from pydantic import Field, field_validator

from playbooks.fields import Strict, refuse
from playbooks.loader import Document
from playbooks.problem import Problem
from playbooks.urls import Url

_REFERENCE = re.compile(r"^file:|\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class TracingSource(Strict):
    """把每起事件从线索到提醒的经过作为追踪送给 OTLP 收集器；不写 endpoint 即不送。须装 huiying[tracing]。"""

    endpoint: Url | None = None
    """收集器的完整地址，例如 http://otel.lan:4318/v1/traces"""
    headers: dict[str, str] = Field(default_factory=dict)
    """附带的请求头，例如 Authorization；值写 ${变量名} 或 file:路径"""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """等收集器答复多少秒"""

    @field_validator("headers")
    @classmethod
    def _no_secret_stands_here(cls, headers: dict[str, str]) -> dict[str, str]:
        """What goes into a header of a collector is a key as a rule."""
        bare = next((name for name, value in headers.items() if not _REFERENCE.search(value)), None)
        if bare:
            raise refuse(f"请求头 {bare} 的值不能直接写在文件里", "写成 ${变量名} 或 file:路径")
        return headers


def unpacked(document: Document, tracing: TracingSource) -> Iterator[Problem]:
    """A word in time, on the machine that lints: the packages may be missing here alone."""
    if tracing.endpoint and find_spec("opentelemetry") is None:
        hint = "pip install 'huiying[tracing]'，或去掉 tracing"
        message = "这台机器没有安装 OpenTelemetry，追踪送不出去"
        yield document.problem(("tracing",), message, hint, key=True, warning=True)
