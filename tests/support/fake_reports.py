"""Reports of a desk without a ledger: one kind, one small file, the same refusals."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.console.desk import Refusal, Unknown, View
from connectors.console.desks.reports import File


class FakeReports:
    """Speaks the port of connectors.console.desks.reports."""

    def __init__(self, incidents: Iterable[str]) -> None:
        self._incidents = list(incidents)
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def overview(self) -> View:
        kind = {
            "key": "special", "zh": "舆情专报", "about": "一起事件", "of": "incident", "form": "docx",
            "forms": [{"key": "docx", "zh": "Word"}, {"key": "pdf", "zh": "PDF"}], "period": "2026-11-21",
            "periods": [{"key": "2026-11-21", "name": "2026年11月21日"}],
        }  # fmt: skip
        shown = [{"id": i, "ref": f"舆-{i}", "title": i, "closed": False} for i in self._incidents]
        return {"site": "临江", "now": "2026-11-21T02:13:00+08:00", "kinds": [kind], "incidents": shown}

    def file(self, kind: str, form: str, params: dict[str, str]) -> File:
        self.asked.append((kind, form, params))
        if kind != "special":
            raise Unknown(f"没有报告 {kind}；可用 special")
        if "incident" not in params:
            raise Refusal("舆情专报要写明哪一起事件")
        return File(f"舆情专报-{params['incident']}.{form}", b"words", "application/octet-stream")

    def data(self, kind: str, params: dict[str, str]) -> View:
        return {"kind": kind, "data": dict(params)}
