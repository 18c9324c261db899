"""Journal entries in words an officer understands: one short sentence for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.core.moment import clock_face, parse_iso
from models.core.vocabulary import EvidenceKind, StartEvent
from models.ledger.entry import Entry

KINDS = {
    "signals_collected": "收集",
    "signals_judged": "研判",
    "signals_linked": "归并",
    "signals_counted": "计数",
    "incident_opened": "立案",
    "clocks_planned": "设钟",
    "clocks_superseded": "换钟",
    "step_raised": "提醒",
    "alert_accepted": "送达",
    "alert_sent_again": "重复送达",
    "alert_refused": "未达",
    "alert_withdrawn": "撤回",
    "alert_dead": "死信",
    "notice_raised": "通知",
    "acknowledged": "签收",
    "grade_provisional": "暂定级",
    "grade_confirmed": "定级",
    "grade_proposed": "建议改级",
    "time_corrected": "更正时间",
    "evidence_added": "凭据",
    "earlier_evidence_used": "凭据",
    "clock_waived": "免除",
    "progress_noted": "进展",
    "owner_assigned": "交办",
    "incident_closed": "办结",
    "incident_reopened": "重开",
    "incidents_merged": "合并",
    "incident_split": "拆分",
}
"""Every kind of entry, in the word the timeline shows."""

Names = Mapping[str, str]
Payload = Mapping[str, Any]


def _planned(payload: Payload, _: Names) -> str:
    return "；".join(
        f"{c['name']} 时限 {clock_face(parse_iso(c['due_at']))}({c['reason']})"
        for c in payload["insert"]["clock"]
    )


def _raised(payload: Payload, _: Names) -> str:
    told_to = "、".join(name.split("(")[0] for name in payload["told"]) or "无人"
    quiet = f"；{'、'.join(payload['quiet'])}" if payload["quiet"] else ""
    return f"{payload['name']} {payload['step']} → {told_to}{quiet}"


def _sent(payload: Payload, names: Names) -> str:
    person = names.get(payload["person"], payload["person"])
    return f"{payload['ref']} → {person}，渠道 {payload['channel']}，第 {payload['attempt']} 次"


def _noticed(payload: Payload, _: Names) -> str:
    rows = payload["insert"]["alert"]
    titles = "；".join(dict.fromkeys(row["title"] for row in rows))
    return f"{titles} → {'、'.join(dict.fromkeys(row['person_name'] for row in rows))}"


def _judged(payload: Payload, _: Names) -> str:
    return f"研判 {len(payload['insert']['judgement'])} 条线索"


_TOLD: dict[str, Callable[[Payload, Names], str]] = {
    "signals_collected": lambda p, _: f"收到 {len(p['seals'])} 条线索",
    "signals_judged": _judged,
    "signals_linked": lambda p, _: f"先前的 {len(p['update']['judgement'])} 条线索归入事件",
    "signals_counted": lambda p, _: f"{len(p['update']['incident'])} 起事件有新线索",
    "incident_opened": lambda p, _: f"{p['title']}(级别 {p['grade']})",
    "clocks_planned": _planned,
    "clocks_superseded": lambda p, _: f"原计划由新计划取代: {p['names']}",
    "step_raised": _raised,
    "alert_accepted": _sent,
    "alert_sent_again": _sent,
    "alert_refused": _sent,
    "alert_withdrawn": _sent,
    "alert_dead": _sent,
    "notice_raised": _noticed,
    "acknowledged": lambda p, _: f"{p['name']} 签收",
    "grade_provisional": lambda p, _: f"级别 {p['from']} → {p['to']}(暂定，待人工确认)",
    "grade_confirmed": lambda p, _: f"级别 {p['from']} → {p['to']}(人工确认)",
    "grade_proposed": lambda p, _: f"系统建议改为 {p['to']}，待人工决定",
    "time_corrected": lambda p, _: (
        f"{StartEvent(p['event']).zh}时间更正为 {clock_face(parse_iso(p['value']))}"
    ),
    "evidence_added": lambda p, _: (
        f"{EvidenceKind(p['kind']).zh}；停止时钟: {'、'.join(p['clocks']) or '无'}"
    ),
    "earlier_evidence_used": lambda p, _: f"已有凭据，停止时钟: {'、'.join(p['clocks'])}",
    "clock_waived": lambda p, _: f"免除 {'、'.join(p['clocks'])}",
    "progress_noted": lambda p, _: str(p["text"]),
    "owner_assigned": lambda p, _: f"责任单位 {p['from'] or '未定'} → {p['to']}",
    "incident_closed": lambda p, _: "事件办结",
    "incident_reopened": lambda p, _: "事件重开",
    "incidents_merged": lambda p, _: f"并入舆-{p['into']}",
    "incident_split": lambda p, _: f"拆出舆-{p['to']}",
}


def told(entry: Entry, names: Names) -> str:
    """The entry in one sentence; an unknown kind shows its own name rather than nothing."""
    tell = _TOLD.get(entry.kind)
    return tell(entry.payload, names) if tell else entry.kind


def acting(actor: str, names: Names) -> str:
    """Who acted, for people: a person's name, 渠道 terminal, 信源 news."""
    kind, _, name = actor.partition(":")
    return names.get(actor) or {"channel": f"渠道 {name}", "source": f"信源 {name}"}.get(kind, actor)
