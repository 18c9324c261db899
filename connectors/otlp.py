"""Traces to a collector: OTLP over HTTP, the one home of OpenTelemetry. Without its packages nothing is imported.

The spans come ready (`models.core.traces`), with their numbers, so no sampler, no processor and no thread of the
library's is at work: they are encoded, posted, and the collector's answer decides whether they are told.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

import httpx2

from connectors.ports import ConnectorError, Refused, Unreachable
from models.core.moment import utc
from models.core.traces import TraceSpan, span_id, trace_id

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.common")
LASTING: Final = frozenset({400, 413, 415, 422})
"""Answers about what was sent, not about who sent it or when: the same again would get the same."""


class Unwanted(Refused):
    """The collector will never take these spans; the words say why."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Where to, with what; `site` names the resource and seeds the numbers."""

    endpoint: str
    site: str
    version: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 10.0


def missing() -> str | None:
    """In words what to install, or None when it is there."""
    try:
        there = all(importlib.util.find_spec(name) for name in PACKAGES)
    except ModuleNotFoundError:  # not even the package above it
        there = False
    return (
        None
        if there
        else "没有安装 OpenTelemetry；pip install 'huiying[tracing]'（离线包里也有），或去掉 tracing"
    )


def post(client: httpx2.Client, to: Collector, spans: Sequence[TraceSpan]) -> None:
    """Tell the collector. Raises `Unwanted`, or another `ConnectorError` where a later try may succeed."""
    if not spans:
        return
    try:
        answer = client.post(
            to.endpoint, content=encoded(to, spans), headers=_headers(to), timeout=to.timeout_s
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unreachable(f"追踪收集器 {to.endpoint} 没有应答: {type(error).__name__}") from error
    if not answer.is_success:
        told = f"追踪收集器 {to.endpoint} 答复 {answer.status_code}"
        raise (Unwanted if answer.status_code in LASTING else Unreachable)(told)


def _headers(to: Collector) -> dict[str, str]:
    return {**to.headers, "Content-Type": "application/x-protobuf"}


def encoded(to: Collector, spans: Sequence[TraceSpan]) -> bytes:
    """An ExportTraceServiceRequest. Raises `ConnectorError` where the packages are missing."""
    if (wrong := missing()) is not None:
        raise ConnectorError(wrong)
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource

    about = {"service.name": "huiying", "service.namespace": to.site, "service.version": to.version}
    resource = Resource(about)
    return bytes(encode_spans([_readable(to, span, resource) for span in spans]).SerializeToString())


def _readable(to: Collector, span: TraceSpan, resource: Resource) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    def context(key: str) -> SpanContext:
        of = trace_id(to.site, span.incident_id), span_id(to.site, span.incident_id, key)
        return SpanContext(*of, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        span.name,
        context(span.key),
        parent=context(span.parent) if span.parent else None,
        resource=resource,
        attributes=dict(span.said),
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=_nanoseconds(span.began),
        end_time=_nanoseconds(span.ended),
        instrumentation_scope=InstrumentationScope("huiying", to.version),
    )


def _nanoseconds(moment: datetime) -> int:
    """Since 1970, exact to the microsecond: a float would not be."""
    since = utc(moment) - utc(_EPOCH)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
