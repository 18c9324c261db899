"""Journal entries in words an officer understands: one short sentence for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.core import labels
from models.core.casework import (
    Cause,
    MeetingKind,
    Outlet,
    PartyRole,
    ProductKind,
    Register,
    StatementState,
    Verdict,
)
from models.core.facts import ZH as FACT_ZH
from models.core.labels import Label
from models.core.levels import ReferralState
from models.core.moment import clock_face, deadline_face, parse_iso
from models.core.vocabulary import (
    AccountRole,
    BookState,
    EvidenceKind,
    OpinionKind,
    PageState,
    ProposalState,
    Stage,
    StartEvent,
)
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
    "link_used": "链接",
    "preferences_set": "提醒偏好",
    "taken": "接手",
    "escalated": "升级",
    "grade_provisional": "暂定级",
    "grade_confirmed": "定级",
    "grade_proposed": "建议改级",
    "label_corrected": "更正标签",
    "kind_corrected": "更正类别",
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
    "duty_noted": "值班记事",
    "duty_signed": "值班日志签字",
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
    "originals_taken": "导出原文",
    "audit_exported": "导出日志",
    "archived": "归档",
    "archive_forgotten": "删除归档",
    "playbook_submitted": "预案送审",
    "playbook_settled": "预案审定",
    "playbook_rolled_back": "预案回退",
    "playbooks_frozen": "预案定版",
    "playbook_moved": "换预案版本",
    "register_added": "登记",
    "register_done": "台账办结",
    "register_cancelled": "台账作废",
    "register_marked": "台账",
    "cause_named": "逾期原因",
    "lessons_written": "复盘",
    "looked_back": "回头看",
    "meeting_booked": "发布会",
    "meeting_moved": "发布会改期",
    "meeting_speaker": "发言人",
    "meeting_noticed": "媒体通知",
    "meeting_question": "问答清单",
    "meeting_held": "发布会举行",
    "meeting_transcribed": "文字实录",
    "meeting_cancelled": "发布会取消",
    "update_promised": "承诺续报",
    "promise_dropped": "撤回承诺",
    "dossier_made": "证据包",
    "dossier_handed": "移交",
    "dossier_receipted": "移交回执",
    "dossier_followed": "移交后续",
    "dossier_taken": "取出证据包",
    "statement_drafted": "拟稿",
    "statement_edited": "改稿",
    "statement_submitted": "送审",
    "statement_emergency": "应急两签",
    "statement_reassigned": "换审核人",
    "statement_signed": "审核",
    "statement_released": "发布",
    "statement_compared": "发布比对",
    "statement_withdrawn": "撤回稿件",
    "statement_discarded": "作废稿件",
    "facts_verified": "核实数字",
    "wording_shared": "口径",
    "tasks_laid": "任务",
    "task_added": "加任务",
    "task_done": "任务完成",
    "task_dropped": "任务核销",
    "notified": "通报",
    "stage_moved": "换阶段",
    "product_kept": "阶段成果",
    "incident_referred": "移送",
    "referral_delivered": "移送送达",
    "referral_refused": "移送拒收",
    "referral_received": "移送来件",
    "referral_accepted": "接收移交",
    "referral_returned": "退回移送",
    "referral_noted": "已阅",
    "referral_answered": "移送回执",
    "referral_receipted": "回执送达",
    "referral_unheard": "移送未获接受",
    "referral_progress": "对方进展",
    "referral_told": "告知进展",
    "owner_claimed": "认领",
    "owner_rejected": "退回",
    "owner_transferred": "移交",
    "account_added": "开设账号",
    "account_changed": "改账号",
    "account_disabled": "停用账号",
    "account_enabled": "启用账号",
    "account_locked": "账号锁定",
    "account_password": "改口令",
    "account_second_factor": "两步验证",
    "account_recovered": "用备用码",
    "account_linked": "连单位身份",
    "token_made": "开令牌",
    "token_revoked": "作废令牌",
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


def _merged(payload: Payload, _: Names) -> str:
    """The first release named only where to; the grade is told where the graver one was taken over."""
    graver = f"，级别从严 {payload['from']} → {payload['to']}" if "to" in payload else ""
    return f"{payload.get('ref', '')} 并入舆-{payload['into']}{graver}".strip()


def _numbers(payload: Payload) -> str:
    return _listed(payload["letters"])


def _clocks(rules: Sequence[str], names: Names) -> str:
    """The clocks by their names, where `names` knows them (`clock:first_statement`)."""
    return "、".join(names.get(f"clock:{rule}", rule) for rule in rules) or "无"


def _listed(numbers: Sequence[int]) -> str:
    shown = [str(number) for number in numbers]
    return "、".join(shown[:8]) + (f" 等 {len(shown)} 条" if len(shown) > 8 else "")


_FILTERS = {"kind": "类别", "actor": "人员", "incident": "事件", "from": "自", "to": "至", "text": "含"}


def _filtered(payload: Payload, names: Names) -> str:
    """By what an export was narrowed, in words."""
    said = {
        name: KINDS.get(value, value) if name == "kind" else names.get(value, value)
        for name, value in payload["asked"].items()
    }
    return "，".join(f"{_FILTERS.get(name, name)} {value}" for name, value in said.items()) or "全部"


_ACCOUNT = {"roles": "角色", "units": "单位", "person": "人员"}


def _account_roles(roles: Sequence[str]) -> str:
    known = {role.value: role.zh for role in AccountRole}
    return "、".join(known.get(role, role) for role in roles)


def _account_changes(payload: Payload) -> list[str]:
    """What became of each: 角色 值班员 → 值班员、管理员."""
    return [
        f"{_ACCOUNT.get(name, name)} {_account_value(payload['from'].get(name))} → {_account_value(value)}"
        for name, value in payload["to"].items()
    ]


def _account_value(value: Any) -> str:
    return _account_roles(value) or "不限" if isinstance(value, list) else str(value or "无")


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
    "link_used": lambda p, _: f"{p['name']} 打开了提醒 {p['ref']} 里的一次性链接",
    "preferences_set": lambda p, _: f"{p['name']}: {p['words']}",
    "taken": lambda p, names: (
        f"{p['name']} 接手" + (f"，原由 {names.get(p['from'], p['from'])} 处理" if p["from"] else "")
    ),
    "escalated": lambda p, _: f"{p['name']} 升级到{p['role']} → {'、'.join(p['told'])}",
    "grade_provisional": lambda p, _: f"级别 {p['from']} → {p['to']}(暂定，待人工确认)",
    "grade_confirmed": lambda p, _: f"级别 {p['from']} → {p['to']}(人工确认)",
    "grade_proposed": lambda p, _: f"系统建议改为 {p['to']}，待人工决定",
    "label_corrected": lambda p, _: (
        f"{Label(p['label']).zh}改为“{labels.shown(Label(p['label']), p['to'])}”，"
        f"线索 {_listed(p['signals'])}"
    ),
    "kind_corrected": lambda p, _: f"类别改为{OpinionKind(p['to']).zh}",
    "time_corrected": lambda p, _: (
        f"{StartEvent(p['event']).zh}时间更正为 {clock_face(parse_iso(p['value']))}"
    ),
    "time_learned": lambda p, _: f"得知{StartEvent(p['event']).zh}时间 {clock_face(parse_iso(p['value']))}",
    "evidence_retracted": lambda p, names: (
        f"{EvidenceKind(p['kind']).zh}已撤回；重新计时: {_clocks(p['clocks'], names)}"
    ),
    "evidence_added": lambda p, names: (
        f"{EvidenceKind(p['kind']).zh}；停止时钟: {_clocks(p['clocks'], names)}"
    ),
    "evidence_proposed": lambda p, _: f"疑似{EvidenceKind(p['kind']).zh}“{p['title']}”，待人确认",
    "proposal_decided": lambda p, _: f"{ProposalState(p['state']).zh}: “{p['title']}”",
    "page_found": lambda p, _: f"{p['url']} {PageState(p['outcome']).zh}",
    "earlier_evidence_used": lambda p, names: f"已有凭据，停止时钟: {_clocks(p['clocks'], names)}",
    "clock_waived": lambda p, names: f"免除 {_clocks(p['clocks'], names)}",
    "progress_noted": lambda p, _: str(p["text"]),
    "owner_assigned": lambda p, names: (
        f"责任单位 {names.get(p['from'], p['from']) or '未定'} → {names.get(p['to'], p['to'])}"
    ),
    "incident_closed": lambda p, _: "事件办结",
    "incident_reopened": lambda p, _: "事件重开",
    "incidents_merged": _merged,
    "incident_split": lambda p, _: f"拆出舆-{p['to']}",
    "snoozed": lambda p, _: f"{p['name']} 选择 {clock_face(parse_iso(p['until']))} 再提醒",
    "handover_written": lambda p, names: (
        f"第 {p['rung']} 级交接给 {'、'.join(names.get(who, who) for who in p['to'])}"
    ),
    "handover_accepted": lambda p, _: f"{p['name']} 接班(第 {p['rung']} 级)",
    "handover_noted": lambda p, _: str(p["text"]),
    "duty_noted": lambda p, _: str(p["text"]),
    "duty_signed": lambda p, _: f"{clock_face(parse_iso(p['since']))} 起的一班，日志由 {p['name']} 签字",
    "letters_mended": lambda p, _: f"修补死信 {_numbers(p)}: {'、'.join(p['columns'])}",
    "letters_replayed": lambda p, _: f"重放死信 {_numbers(p)}: 收下 {p['accepted']} 条",
    "letters_dropped": lambda p, _: f"作废死信 {_numbers(p)}",
    "personal_revealed": lambda p, _: f"查看线索 {p['signal']} 的未遮盖原文",
    "originals_taken": lambda p, _: f"把 {p['rows']} 条更正的未遮盖原文写成文件",
    "archived": lambda p, _: f"{p['rows']} 行移入归档文件 {p['file']}(SHA-256 {p['sha256'][:16]})",
    "archive_forgotten": lambda p, _: f"归档文件 {p['file']} 到期删除，不可恢复",
    "audit_exported": lambda p, names: f"导出日志 {p['rows']} 条({p['form']})，筛选: {_filtered(p, names)}",
    "playbook_submitted": lambda p, _: f"预案 {p['playbook']}@{p['version']} 送审",
    "playbook_settled": lambda p, _: f"预案 {p['playbook']}@{p['version']} {BookState(p['state']).zh}",
    "playbook_rolled_back": lambda p, _: f"预案 {p['playbook']} 回退到 {p['version'] or '内置预案或没有'}",
    "playbooks_frozen": lambda p, _: f"按预案 {'、'.join(p['playbooks'])}",
    "playbook_moved": lambda p, _: f"预案 {p['playbook']}: {p['from']} → {p['to']}",
    "register_added": lambda p, _: f"{p['entry']} {Register(p['kind']).zh}“{p['title']}”",
    "register_done": lambda p, _: f"{p['entry']}“{p['title']}”办结",
    "register_cancelled": lambda p, _: f"{p['entry']}“{p['title']}”作废",
    "register_marked": lambda p, _: f"{p['entry']}“{p['title']}”{p['words']}",
    "cause_named": lambda p, _: f"{p['clock']}逾期: {Cause(p['cause']).zh}",
    "lessons_written": lambda p, _: "写下复盘",
    "looked_back": lambda p, _: "写下回头看",
    "meeting_booked": lambda p, _: f"预约{_meeting(p)}",
    "meeting_moved": lambda p, _: f"由 {clock_face(parse_iso(p['from']))} 改为{_meeting(p)}",
    "meeting_speaker": lambda p, names: (
        f"{names.get(p['speaker'], p['speaker'])}{'(第一新闻发言人)' if p['principal'] else ''}"
    ),
    "meeting_noticed": lambda p, _: f"已通知{'、'.join(p['media']) or '媒体'}",
    "meeting_question": lambda p, _: f"第 {p['number']} 问: {p['ask']}{'' if p['answer'] else '(待答)'}",
    "meeting_held": lambda p, _: (
        f"{MeetingKind(p['kind']).zh}于 {clock_face(parse_iso(p['held_at']))} 举行"
        f"{'' if p['counts'] else '；不计为新闻发布会，时钟照走'}"
    ),
    "meeting_transcribed": lambda p, _: "已存文字实录",
    "meeting_cancelled": lambda p, _: f"{MeetingKind(p['kind']).zh}取消",
    "update_promised": lambda p, _: f"{clock_face(parse_iso(p['due_at']))} 前再次发布: {p['words']}",
    "promise_dropped": lambda p, _: "撤回续报承诺",
    "dossier_made": lambda p, _: f"做成证据包，线索 {p['posts']} 条，SHA-256 {p['sha256'][:12]}…",
    "dossier_handed": lambda p, _: f"证据包移交{p['receiver']}",
    "dossier_receipted": lambda p, _: f"移交回执 {p['receipt']}",
    "dossier_followed": lambda p, _: str(p["text"]),
    "dossier_taken": lambda p, _: f"取出含个人信息的证据包 {p['dossier']}",
}


def _meeting(payload: Payload) -> str:
    when = clock_face(parse_iso(payload["starts_at"]))
    return f"{MeetingKind(payload['kind']).zh} {when} {payload['place']}"


_TOLD |= {
    "statement_drafted": lambda p, _: f"拟稿“{p['title']}”({p['statement']})",
    "statement_edited": lambda p, names: (
        f"“{p['title']}”改为第 {p['version']} 版"
        + (f"，{_people(p['voided'], names)} 的审核作废" if p["voided"] else "")
    ),
    "statement_submitted": lambda p, names: f"“{p['title']}”送审: {_chain(p['chain'], names)}",
    "statement_emergency": lambda p, _: f"“{p['title']}”按应急两签送审: {'、'.join(p['chain'])}",
    "statement_reassigned": lambda p, names: (
        f"“{p['title']}”{p['step']} {_people([p['from']], names)} → {_people([p['to']], names)}"
    ),
    "statement_signed": lambda p, _: (
        f"“{p['title']}”{p['step']}{Verdict(p['verdict']).zh}，{StatementState(p['state']).zh}；"
        f"稿件 {p['sha256'][:12]}，签名 {p['signature'][:12]}"
    ),
    "statement_released": lambda p, _: (
        f"“{p['title']}”在{Outlet(p['outlet']).zh}发布 {p['url'] or ''}".strip()
    ),
    "statement_compared": lambda p, _: (
        f"{Outlet(p['outlet']).zh}所发与审定稿" + ("一致" if p["same"] else f"不一致: {p['difference']}")
    ),
    "statement_withdrawn": lambda p, names: f"“{p['title']}”撤回；重新计时: {_clocks(p['clocks'], names)}",
    "statement_discarded": lambda p, _: f"“{p['title']}”作废",
    "facts_verified": lambda p, _: (
        "核实: " + "、".join(f"{FACT_ZH.get(name, name)} {value:g}" for name, value in p["facts"].items())
    ),
    "wording_shared": lambda p, _: f"口径第 {p['version']} 版",
}


def _people(people: Sequence[str], names: Names) -> str:
    return "、".join(names.get(person, person) for person in people)


def _chain(chain: Sequence[str], names: Names) -> str:
    """ "初审 li" → "初审 李主任"."""
    parts = (step.rpartition(" ") for step in chain)
    return "、".join(f"{name} {names.get(person, person)}" for name, _, person in parts)


def _laid(payload: Payload, _: Names) -> str:
    counts = (
        ("新增", "made"),
        ("完成", "done"),
        ("不再需要", "dropped"),
        ("重新打开", "opened"),
        ("改期限", "dated"),
    )
    return "，".join(f"{word} {payload[name]} 项" for word, name in counts if payload.get(name))


def _answered(payload: Payload, names: Names) -> str:
    """已接收，回执 …；由对方办理的时钟: …"""
    said = (
        f"{payload['name']}{ReferralState(payload['state']).zh}，回执 {payload['receipt']}，{payload['by']}"
    )
    return said + (f"；由对方办理的时钟: {_clocks(payload['clocks'], names)}" if payload["clocks"] else "")


_TOLD |= {
    "tasks_laid": _laid,
    "task_added": lambda p, names: (
        f"{p['name']}{'(' + names.get(p['unit'], p['unit']) + ')' if p['unit'] else ''}"
    ),
    "task_done": lambda p, _: str(p["name"]),
    "task_dropped": lambda p, _: str(p["name"]),
    "notified": lambda p, names: (
        f"已通报{p['to']}，回执 {p['number']}"
        + (f"；停止时钟: {_clocks(p['clocks'], names)}" if p["clocks"] else "")
    ),
    "stage_moved": lambda p, _: (
        f"{'退回' if p['back'] else '由'}{'' if p['back'] else Stage(p['from']).zh + ' → '}{Stage(p['to']).zh}"
    ),
    "product_kept": lambda p, _: f"写下{ProductKind(p['product']).zh}",
    "incident_referred": lambda p, _: f"{p['word']} {p['name']}；对方接收以前时钟照走",
    "referral_delivered": lambda p, _: (
        f"{p['name']}的系统已收到" + (f"，对方编号 {p['ref']}" if p["ref"] else "")
    ),
    "referral_refused": lambda p, _: f"{p['name']}的系统拒收，时钟照走",
    "referral_received": lambda p, _: (
        f"由 {p['name']} {p['word']}，原编号 {p['ref']}"
        + (f"；未能带入的凭据: {'；'.join(p['left'])}" if p["left"] else "")
    ),
    "referral_accepted": lambda p, names: (
        f"接收 {p['name']} 的 {p['ref']}，回执 {p['receipt']}，接过时钟: {_clocks(p['taken'], names)}"
    ),
    "referral_returned": lambda p, _: f"退回 {p['name']}（{p['ref']}），回执 {p['receipt']}",
    "referral_noted": lambda p, _: f"已阅 {p['name']} 的 {p['ref']}，回执 {p['receipt']}",
    "referral_answered": _answered,
    "referral_receipted": lambda p, _: f"{p['name']}的系统已收到回执",
    "referral_unheard": lambda p, _: f"{p['name']}的系统没有接受{p['what']}，对方可能还不知道；隔一会儿再送",
    "referral_progress": lambda p, _: (
        f"{p['name']}: {p['stage']}，" + ("已办结" if p["closed"] else f"还有 {p['open']} 个时钟在走")
    ),
    "referral_told": lambda p, _: f"已把进展告知 {p['name']}",
    "owner_claimed": lambda p, names: f"{names.get(p['unit'], p['unit'])}认领，{PartyRole(p['role']).zh}",
    "owner_rejected": lambda p, _: (
        f"{p['unit']}退回"
        + (f"，建议由{p['instead']}负责" if p["instead"] else "")
        + (f"，交回首问单位{p['back']}" if p.get("back") else "")
    ),
    "owner_transferred": lambda p, _: f"{p['from']}移交{p['to']}，待认领；时钟不重置",
    "account_added": lambda p, _: f"账号 {p['account']}（{p['name']}）：{_account_roles(p['roles'])}",
    "account_changed": lambda p, _: f"账号 {p['account']}：{'；'.join(_account_changes(p))}",
    "account_disabled": lambda p, _: f"账号 {p['account']} 停用",
    "account_enabled": lambda p, _: f"账号 {p['account']} 启用并解锁",
    "account_locked": lambda p, _: (
        f"账号 {p['account']} 连续 {p['failures']} 次输错，锁到 {clock_face(parse_iso(p['until']))}"
    ),
    "account_password": lambda p, _: f"账号 {p['account']} {'改了' if p['own'] else '被重设'}口令",
    "account_second_factor": lambda p, _: f"账号 {p['account']} {'启用' if p['on'] else '取消'}两步验证",
    "account_recovered": lambda p, _: f"账号 {p['account']} 用了一个备用码，还剩 {p['left']} 个",
    "account_linked": lambda p, _: f"账号 {p['account']} 连到 {p['issuer']} 的身份",
    "token_made": lambda p, _: (
        f"账号 {p['account']} 的令牌“{p['name']}”（{_account_roles(p['roles'])}），"
        f"到 {clock_face(parse_iso(p['ends_at']))}"
    ),
    "token_revoked": lambda p, _: f"账号 {p['account']} 的令牌“{p['name']}”作废",
}


def told(entry: Entry, names: Names) -> str:
    """The entry in one sentence; an unknown kind shows its own name rather than nothing."""
    tell = _TOLD.get(entry.kind)
    return tell(entry.payload, names) if tell else entry.kind


def acting(actor: str, names: Names) -> str:
    """Who acted, for people: a person's name, 渠道 terminal, 信源 news."""
    kind, _, name = actor.partition(":")
    said = {"channel": f"渠道 {name}", "source": f"信源 {name}", "neighbour": f"{name} 的系统"}
    return names.get(actor) or said.get(kind, actor)
