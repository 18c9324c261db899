"""Journal entries in words an officer understands: one short sentence for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.core.moment import clock_face, deadline_face, parse_iso
from models.core.vocabulary import BookState, EvidenceKind, PageState, ProposalState, StartEvent
from models.ledger.entry import Entry

KINDS = {
    "signals_collected": "收集",
    "signals_judged": "研判",
    "signals_linked": "归并",
    "signals_counted": "计数",
    "incident_opened": "立案",
    "clocks_planned": "设钟",
    "clocks_superseded": "换钟",
    "clock_refused": "未设钟",
    "step_raised": "提醒",
    "alert_accepted": "送达",
    "alert_sent_again": "重复送达",
    "alert_refused": "未达",
    "alert_turned": "改道",
    "alert_delivered": "到达",
    "alert_read": "已读",
    "alert_withdrawn": "撤回",
    "alert_dead": "死信",
    "notice_raised": "通知",
    "acknowledged": "签收",
    "grade_provisional": "暂定级",
    "grade_confirmed": "定级",
    "grade_proposed": "建议改级",
    "time_corrected": "更正时间",
    "time_learned": "得知时间",
    "evidence_added": "凭据",
    "earlier_evidence_used": "凭据",
    "evidence_proposed": "凭据建议",
    "proposal_decided": "建议处理",
    "page_found": "凭据核对",
    "evidence_retracted": "撤回凭据",
    "snoozed": "稍后提醒",
    "handover_written": "交接",
    "handover_accepted": "接班",
    "handover_noted": "交接备注",
    "clock_waived": "免除",
    "progress_noted": "进展",
    "owner_assigned": "交办",
    "incident_closed": "办结",
    "incident_reopened": "重开",
    "incidents_merged": "合并",
    "incident_split": "拆分",
    "letters_mended": "死信修补",
    "letters_replayed": "死信重放",
    "letters_dropped": "死信作废",
    "personal_revealed": "查看原文",
    "playbook_submitted": "预案送审",
    "playbook_settled": "预案审定",
    "playbook_rolled_back": "预案回退",
    "playbooks_frozen": "预案定版",
    "playbook_moved": "换预案版本",
}
"""Every kind of entry, in the word the timeline shows."""

Names = Mapping[str, str]
Payload = Mapping[str, Any]


def _planned(payload: Payload, _: Names) -> str:
    return "；".join(
        f"{c['name']} 时限 {deadline_face(parse_iso(c['due_at']))}({c['reason']})"
        for c in payload["insert"]["clock"]
    )


def _refused(payload: Payload, _: Names) -> str:
    lacking = "；".join(f"{c['name']}未能设立: {c['why']}" for c in payload["clocks"])
    return lacking or "先前未能设立的时钟已补齐"


def _raised(payload: Payload, _: Names) -> str:
    told_to = "、".join(name.split("(")[0] for name in payload["told"]) or "无人"
    quiet = f"；{'、'.join(payload['quiet'])}" if payload["quiet"] else ""
    return f"{payload['name']} {payload['step']} → {told_to}{quiet}"


def _sent(payload: Payload, names: Names) -> str:
    person = names.get(payload["person"], payload["person"])
    return f"{payload['ref']} → {person}，渠道 {payload['channel']}，第 {payload['attempt']} 次"


def _received(payload: Payload, names: Names) -> str:
    person = names.get(payload["person"], payload["person"])
    seen = "已读" if payload["state"] == "read" else "已到达"
    return f"{payload['ref']} → {person}，{seen} {clock_face(parse_iso(payload['at']))}"


def _noticed(payload: Payload, _: Names) -> str:
    rows = payload["insert"]["alert"]
    titles = "；".join(dict.fromkeys(row["title"] for row in rows))
    return f"{titles} → {'、'.join(dict.fromkeys(row['person_name'] for row in rows))}"


def _judged(payload: Payload, _: Names) -> str:
    return f"研判 {len(payload['insert']['judgement'])} 条线索"


def _numbers(payload: Payload) -> str:
    shown = [str(number) for number in payload["letters"]]
    return "、".join(shown[:8]) + (f" 等 {len(shown)} 条" if len(shown) > 8 else "")


_TOLD: dict[str, Callable[[Payload, Names], str]] = {
    "signals_collected": lambda p, _: f"收到 {len(p['seals'])} 条线索",
    "signals_judged": _judged,
    "signals_linked": lambda p, _: f"先前的 {len(p['update']['judgement'])} 条线索归入事件",
    "signals_counted": lambda p, _: f"{len(p['update']['incident'])} 起事件有新线索",
    "incident_opened": lambda p, _: f"{p['title']}(级别 {p['grade']})",
    "clocks_planned": _planned,
    "clocks_superseded": lambda p, _: f"原计划由新计划取代: {p['names']}",
    "clock_refused": _refused,
    "step_raised": _raised,
    "alert_accepted": _sent,
    "alert_sent_again": _sent,
    "alert_refused": _sent,
    "alert_turned": lambda p, names: (
        f"{p['ref']} → {names.get(p['person'], p['person'])}，渠道 {p['from']} 限速，改用 {p['channel']}"
    ),
    "alert_delivered": _received,
    "alert_read": _received,
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
    "time_learned": lambda p, _: f"得知{StartEvent(p['event']).zh}时间 {clock_face(parse_iso(p['value']))}",
    "evidence_retracted": lambda p, _: (
        f"{EvidenceKind(p['kind']).zh}已撤回；重新计时: {'、'.join(p['clocks']) or '无'}"
    ),
    "evidence_added": lambda p, _: (
        f"{EvidenceKind(p['kind']).zh}；停止时钟: {'、'.join(p['clocks']) or '无'}"
    ),
    "evidence_proposed": lambda p, _: f"疑似{EvidenceKind(p['kind']).zh}“{p['title']}”，待人确认",
    "proposal_decided": lambda p, _: f"{ProposalState(p['state']).zh}: “{p['title']}”",
    "page_found": lambda p, _: f"{p['url']} {PageState(p['outcome']).zh}",
    "earlier_evidence_used": lambda p, _: f"已有凭据，停止时钟: {'、'.join(p['clocks'])}",
    "clock_waived": lambda p, _: f"免除 {'、'.join(p['clocks'])}",
    "progress_noted": lambda p, _: str(p["text"]),
    "owner_assigned": lambda p, _: f"责任单位 {p['from'] or '未定'} → {p['to']}",
    "incident_closed": lambda p, _: "事件办结",
    "incident_reopened": lambda p, _: "事件重开",
    "incidents_merged": lambda p, _: f"并入舆-{p['into']}",
    "incident_split": lambda p, _: f"拆出舆-{p['to']}",
    "snoozed": lambda p, _: f"{p['name']} 选择 {clock_face(parse_iso(p['until']))} 再提醒",
    "handover_written": lambda p, names: (
        f"第 {p['rung']} 级交接给 {'、'.join(names.get(who, who) for who in p['to'])}"
    ),
    "handover_accepted": lambda p, _: f"{p['name']} 接班(第 {p['rung']} 级)",
    "handover_noted": lambda p, _: str(p["text"]),
    "letters_mended": lambda p, _: f"修补死信 {_numbers(p)}: {'、'.join(p['columns'])}",
    "letters_replayed": lambda p, _: f"重放死信 {_numbers(p)}: 收下 {p['accepted']} 条",
    "letters_dropped": lambda p, _: f"作废死信 {_numbers(p)}",
    "personal_revealed": lambda p, _: f"查看线索 {p['signal']} 的未遮盖原文",
    "playbook_submitted": lambda p, _: f"预案 {p['playbook']}@{p['version']} 送审",
    "playbook_settled": lambda p, _: f"预案 {p['playbook']}@{p['version']} {BookState(p['state']).zh}",
    "playbook_rolled_back": lambda p, _: f"预案 {p['playbook']} 回退到 {p['version'] or '内置预案或没有'}",
    "playbooks_frozen": lambda p, _: f"按预案 {'、'.join(p['playbooks'])}",
    "playbook_moved": lambda p, _: f"预案 {p['playbook']}: {p['from']} → {p['to']}",
}


def told(entry: Entry, names: Names) -> str:
    """The entry in one sentence; an unknown kind shows its own name rather than nothing."""
    tell = _TOLD.get(entry.kind)
    return tell(entry.payload, names) if tell else entry.kind


def acting(actor: str, names: Names) -> str:
    """Who acted, for people: a person's name, 渠道 terminal, 信源 news."""
    kind, _, name = actor.partition(":")
    return names.get(actor) or {"channel": f"渠道 {name}", "source": f"信源 {name}"}.get(kind, actor)
