"""A journal of an invented night: 212 entries, read back by their numbers and taken out as a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from connectors.console.desk import Refusal, View
from connectors.console.desks.auditing import Export
from models.core.moment import iso
from support.fake_night import NIGHT, hours

LAST = 213
KINDS = {"signals_collected": "收集", "step_raised": "提醒", "acknowledged": "签收"}


class FakeAuditing:
    """Speaks the port of connectors.console.desks.auditing."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], str, str, str]] = []

    def overview(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        last = before or LAST
        wanted = [seq for seq in range(last - 1, 0, -1) if asked.get("kind") in (None, _code(seq))]
        shown = wanted[:limit]
        return {
            "entries": [entry(seq) for seq in shown],
            "next": shown[-1] if len(wanted) > limit else None,
            "looked_to": None,
            "total": LAST - 1,
            "head": entry(LAST - 1)["hash"],
            "verified_at": iso(NIGHT - timedelta(minutes=13)),
            "ok": True,
            "asked": dict(asked),
            "kinds": [{"code": code, "zh": zh} for code, zh in KINDS.items()],
            "actors": [{"id": "chen", "name": "陈值班"}],
        }

    def export(self, asked: Mapping[str, str], form: str, by: str, reason: str) -> Export:
        if form not in ("csv", "jsonl"):
            raise Refusal("导出只有 csv、jsonl；请改选一种")
        self.taken.append((dict(asked), form, by, reason))
        lines = (
            json.dumps(entry(seq), ensure_ascii=False).encode() + b"\n" for seq in range(LAST - 1, 0, -1)
        )
        return Export(f"日志链.{form}", "application/x-ndjson", lines)

    def signins(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        return {"signins": [], "next": None, "accounts": False, "asked": dict(asked)}


def _code(seq: int) -> str:
    return list(KINDS)[seq % 3]


def entry(seq: int) -> View:
    return {
        "seq": seq,
        "at": hours((LAST - seq) * 0.02),
        "code": _code(seq),
        "kind": KINDS[_code(seq)],
        "actor": "陈值班" if seq % 3 == 2 else "",
        "actor_id": "chen" if seq % 3 == 2 else "huiying",
        "incident_id": "inc-1",
        "text": "首次发布 75% 已提醒李主任",
        "reason": "",
        "hash": hashlib.sha256(str(seq).encode()).hexdigest(),
    }
