"""Every act of the API in one table: what it is called, which words it takes, and an example of it.

The OpenAPI is drawn from this table (`openapi.py`); a test carries every example out on a real desk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Deed:
    """`takes`: the names of its words, "!" behind what is needed. `example`: what one would send."""

    zh: str
    takes: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needed(self) -> list[str]:
        return [name[:-1] for name in self.takes.split() if name.endswith("!")]

    @property
    def words(self) -> list[str]:
        return [name.removesuffix("!") for name in self.takes.split()]


WORDS: Final = {
    "by": "谁做的：值班表中的人员标识，如 chen；有登录的站点以令牌为准，不必写",
    "reason": "理由，一句话",
    "title": "标题",
    "grade": "级别：I、II、III、IV",
    "occurred_at": "发生时间",
    "first_public_at": "首次公开时间",
    "discovered_at": "发现时间",
    "received_at": "收到时间",
    "kind": "种类",
    "event_type": "突发事件类型",
    "medium": "来源渠道",
    "domain": "领域",
    "place": "地点",
    "owner": "责任单位",
    "minutes": "分钟数，5 到 120",
    "to": "给谁：值班级数、单位、阶段或接收方",
    "waited_s": "按下以后等了多少秒（手机断网时由页面填写）",
    "clock": "时钟的 id，如 first_statement",
    "url": "网址，http 或 https",
    "document": "文件名或文号",
    "publisher": "发布者",
    "published_at": "发布时间，如 2026-11-21T06:20+08:00；不写即现在",
    "text": "文字",
    "unit": "单位，标识或全称",
    "co": "其他单位，逗号分隔",
    "event": "哪个时间，如 discovered_at 的种类 discovery",
    "into": "并入哪个事件",
    "signals": "线索编号，逗号分隔",
    "evidence": "凭据编号或凭据种类",
    "proposal": "建议的编号",
    "playbook": "预案标识",
    "note": "备注",
    "result": "结果",
    "name": "任务名称",
    "due": "期限",
    "due_at": "期限",
    "must": "yes 即必做",
    "task": "任务编号，all 即全部",
    "instead": "建议由谁办",
    "receipt": "回执编号",
    "at": "时间",
    "disclosure": "公开属性",
    "disclosure_reason": "公开属性的理由",
    "audience": "对谁公开",
    "outlets": "发布渠道，逗号分隔",
    "replaces": "代替哪份稿件",
    "sha256": "稿件的哈希，签的就是这一版",
    "reviewers": "三审人员，逗号分隔",
    "secrecy": "保密审查人",
    "emergency": "应急两签的理由",
    "facts_reason": "数字已核实的说明",
    "step": "第几道",
    "person": "人员标识",
    "outlet": "发布渠道",
    "release": "发布编号",
    "starts_at": "开始时间",
    "speaker": "发言人",
    "post": "职务",
    "meeting": "发布会编号",
    "ask": "问题",
    "answer": "答复",
    "number": "序号或编号",
    "held_at": "举行时间",
    "transcript": "文字实录",
    "promise": "承诺的编号",
    "look": "yes 即同时打开原网页存档",
    "dossier": "证据包编号",
    "cause": "逾期原因",
    "words": "说明",
    "happened_at": "发生时间",
    "incident": "事件编号",
    "counter": "计入哪一项",
    "period": "期间",
    "filing_no": "备案号",
    "finding": "结论：upheld 成立，dropped 不成立",
    "content": "预案全文（YAML）",
    "version": "版本编号",
    "active_from": "生效时间",
    "form": "csv 或 jsonl",
    "actor": "人员标识",
    "from": "自，日期或时间",
    "source": "信源标识",
    "cells": "列名 → 改后的值",
    "label": "哪种标签：sentiment、topic、kind、rumour",
    "value": "更正后的时间，或改成什么",
    "purpose": "transfer 移交(对方接收后由其办理)，inform 仅供知悉(抄报、通报)；不写即移交",
    "clocks": "只接过哪些时钟，逗号分隔；不写即对方开出而我方也有的全部",
    "signal": "线索编号，逗号分隔；不写为全部，kind 则为事件自身",
    "shift": "那一班的编号，如 20261121T200000；记事不写为当前一班",
}
"""What each word means, wherever it stands."""

_TIMES: Final = "occurred_at first_public_at discovered_at received_at"
_OPEN: Final = Deed(
    "立案",
    f"title! grade! {_TIMES} kind event_type medium domain place owner reason",
    {
        "by": "chen",
        "title": "望江路路面塌陷，有人员被困",
        "grade": "II",
        "place": "望江路",
        "reason": "热线反映",
    },
)
_STATED: Final = {"url": "https://example.gov.cn/tongbao/1", "publisher": "市政府新闻办"}

INCIDENT: Final = {
    "ack": Deed("签收", "reason", {"by": "chen"}),
    "take": Deed("接手", "reason", {"by": "chen", "reason": "由我处理"}),
    "escalate": Deed("升级", "to reason", {"by": "chen", "reason": "需要带班领导决定"}),
    "snooze": Deed("稍后提醒", "minutes reason", {"by": "chen", "minutes": "30"}),
    "grade": Deed(
        "定级", "grade! reason! kind domain", {"by": "li", "grade": "II", "reason": "死亡人数经核实"}
    ),
    "stop": Deed(
        "加凭据",
        "kind clock url document publisher published_at reason",
        {"by": "chen", "kind": "published_statement", **_STATED},
    ),
    "waive": Deed(
        "免除", "clock! reason!", {"by": "li", "clock": "press_conference", "reason": "省级统一发布"}
    ),
    "retract": Deed(
        "撤回凭据", "evidence! reason!", {"by": "li", "evidence": "E1", "reason": "发布的不是本事件"}
    ),
    "adopt": Deed("采信", "proposal! kind published_at reason", {"by": "chen", "proposal": "P1"}),
    "dismiss": Deed(
        "不采信", "proposal! reason!", {"by": "chen", "proposal": "P1", "reason": "说的是另一件事"}
    ),
    "update": Deed("记录进展", "text!", {"by": "chen", "text": "消防已到场"}),
    "assign": Deed("交办", "unit! co reason", {"by": "li", "unit": "office", "reason": "属地负责"}),
    "correct": Deed(
        "更正时间",
        "event! value! reason!",
        {"by": "li", "event": "occurrence", "value": "2026-11-21T01:50+08:00", "reason": "报警记录为准"},
    ),
    "merge": Deed("合并", "into! reason", {"by": "li", "into": "2026-0002", "reason": "同一事件"}),
    "split": Deed("拆分", "signals! title! reason", {"by": "li", "signals": "1", "title": "另一处塌陷"}),
    "reopen": Deed("重开", "reason!", {"by": "li", "reason": "又有新情况"}),
    "move": Deed("换预案版本", "playbook reason!", {"by": "li", "reason": "按新审定的预案"}),
    "close": Deed("办结", "reason!", {"by": "li", "reason": "善后完成"}),
}
WORK: Final = {
    "stage": Deed("换阶段", "to! text reason", {"by": "li", "to": "assess", "reason": "信息已核实"}),
    "product": Deed(
        "写成果",
        "kind! text! reason",
        {"by": "chen", "kind": "collected", "text": "收集 12 条，均指向望江路"},
    ),
    "claim": Deed("认领", "unit reason", {"by": "li", "reason": "属本单位职责"}),
    "reject": Deed("退回", "unit instead reason!", {"by": "li", "reason": "不属本单位职责"}),
    "transfer": Deed("移交", "to! unit reason!", {"by": "li", "to": "市应急管理局", "reason": "属其职责"}),
    "receipt": Deed(
        "登记回执", "to! receipt! at reason", {"by": "chen", "to": "网信部门", "receipt": "网办〔2026〕12号"}
    ),
    "add": Deed(
        "加任务", "name! unit due must evidence reason", {"by": "chen", "name": "现场核查", "unit": "office"}
    ),
    "done": Deed("完成任务", "task! result!", {"by": "chen", "task": "1", "result": "已核查"}),
    "refer": Deed(
        "移送给别的系统",
        "to! purpose reason!",
        {"by": "li", "to": "upper", "purpose": "inform", "reason": "可能升级，先行报告"},
    ),
    "accept": Deed("接收移交", "reason clocks", {"by": "chen", "reason": "由我市办理"}),
    "give_back": Deed("退回移交", "reason!", {"by": "li", "reason": "不属我市管辖"}),
    "drop": Deed("核销任务", "task! reason!", {"by": "li", "task": "1", "reason": "已由省级统一处理"}),
}
_DRAFT: Final = "title text kind unit disclosure disclosure_reason audience outlets"
STATEMENT: Final = {
    "edit": Deed(
        "修改",
        f"{_DRAFT} sha256 reason",
        {"by": "chen", "text": "关于望江路路面塌陷的情况通报。", "reason": "改标点"},
    ),
    "submit": Deed(
        "送审",
        "reviewers! secrecy emergency facts_reason reason",
        {"by": "chen", "reviewers": "li,zhao,zhou", "secrecy": "li", "facts_reason": "已与现场核对"},
    ),
    "sign": Deed("同意", "sha256! step reason", {"by": "li", "sha256": "0123456789abcdef"}),
    "refuse": Deed(
        "退回", "sha256! step reason!", {"by": "li", "sha256": "0123456789abcdef", "reason": "缺处置措施"}
    ),
    "reassign": Deed(
        "换审核人",
        "step! person! reason!",
        {"by": "li", "step": "first", "person": "zhao", "reason": "在外开会"},
    ),
    "release": Deed(
        "登记发布",
        "outlet! url document published_at sha256 reason",
        {"by": "chen", "outlet": "website", "url": "https://example.gov.cn/tongbao/1"},
    ),
    "compare": Deed("比对", "release text", {"by": "chen", "text": "页面上的全文"}),
    "withdraw": Deed("撤回", "reason!", {"by": "li", "reason": "数字有误"}),
    "discard": Deed("作废", "reason!", {"by": "chen", "reason": "另拟"}),
}
MEETING: Final = {
    "book": Deed(
        "预约",
        "kind! starts_at! place! speaker post reason",
        {
            "by": "li",
            "kind": "press_conference",
            "starts_at": "2026-11-21T16:00+08:00",
            "place": "市政府新闻发布厅",
            "speaker": "zhou",
        },
    ),
    "move": Deed(
        "改期",
        "meeting! starts_at place reason!",
        {"by": "li", "meeting": "M1", "starts_at": "2026-11-21T17:00+08:00", "reason": "等伤情通报"},
    ),
    "speaker": Deed("发言人", "meeting! speaker! post", {"by": "li", "meeting": "M1", "speaker": "zhou"}),
    "notice": Deed("通知媒体", "meeting! text", {"by": "chen", "meeting": "M1"}),
    "ask": Deed("加问题", "meeting! ask! answer", {"by": "chen", "meeting": "M1", "ask": "伤亡人数？"}),
    "answer": Deed(
        "答复",
        "meeting! number! answer!",
        {"by": "chen", "meeting": "M1", "number": "1", "answer": "两人受伤"},
    ),
    "held": Deed(
        "已举行",
        "meeting! held_at url document publisher transcript reason",
        {"by": "li", "meeting": "M1", **_STATED},
    ),
    "transcript": Deed(
        "文字实录", "meeting! text!", {"by": "chen", "meeting": "M1", "text": "主持人：各位好。"}
    ),
    "cancel": Deed("取消", "meeting! reason!", {"by": "li", "meeting": "M1", "reason": "改发通报"}),
    "promise": Deed(
        "承诺续报",
        "due_at! text!",
        {"by": "li", "due_at": "2026-11-22T12:00+08:00", "text": "明日中午再次通报"},
    ),
    "drop": Deed("撤回承诺", "promise! reason!", {"by": "li", "promise": "1", "reason": "已提前通报"}),
}
DOSSIER: Final = {
    "make": Deed("制作", "signals look reason", {"by": "chen", "reason": "涉嫌编造谣言"}),
    "hand": Deed(
        "移交",
        "dossier! to! reason!",
        {"by": "li", "dossier": "D1", "to": "市公安局网安支队", "reason": "涉嫌违法"},
    ),
    "receipt": Deed(
        "回执",
        "dossier! number! received_at reason",
        {"by": "li", "dossier": "D1", "number": "公网安〔2026〕3号"},
    ),
    "follow": Deed("后续", "dossier! text!", {"by": "chen", "dossier": "D1", "text": "已立案"}),
}
AFTERMATH: Final = {
    "cause": Deed(
        "逾期原因",
        "clock! cause! words",
        {"by": "li", "clock": "first_statement", "cause": "review_slow", "words": "审核人不在岗"},
    ),
    "lesson": Deed("复盘", "text!", {"by": "li", "text": "夜间审核应有替补"}),
    "improve": Deed(
        "整改任务", "name! unit! due_at reason", {"by": "li", "name": "补充夜间审核人", "unit": "office"}
    ),
    "lookback": Deed("回头看", "text!", {"by": "li", "text": "整改已落实"}),
}
REGISTER: Final = {
    "done": Deed("办结", "result! at", {"by": "chen", "result": "已解读"}),
    "cancel": Deed("作废", "reason!", {"by": "li", "reason": "登记有误"}),
    "issue": Deed("下达督办", "reason", {"by": "li", "reason": "逾期未报"}),
    "answer": Deed("督办答复", "text!", {"by": "chen", "text": "已整改"}),
    "file": Deed("补备案号", "filing_no! reason", {"by": "chen", "filing_no": "政新备〔2026〕1号"}),
    "decide": Deed(
        "决定问责", "finding! reason!", {"by": "li", "finding": "dropped", "reason": "情况属实但已整改"}
    ),
    "consult": Deed("征求意见", "at reason", {"by": "chen"}),
    "consulted": Deed("意见已到", "at reason", {"by": "chen"}),
    "extend": Deed("延长", "at reason!", {"by": "li", "reason": "情况复杂"}),
    "mend": Deed("补正告知", "at reason", {"by": "chen"}),
    "supplemented": Deed("收到补正", "at reason", {"by": "chen"}),
}
PLAYBOOK: Final = {
    "submit": Deed(
        "送审",
        "content! reason!",
        {"by": "chen", "content": "id: our\nname: 本市预案\n", "reason": "增加本市时限"},
    ),
    "approve": Deed("审定", "version! reason! active_from", {"by": "li", "version": "V1", "reason": "同意"}),
    "return": Deed("退回", "version! reason!", {"by": "li", "version": "V1", "reason": "缺依据"}),
    "withdraw": Deed("撤回", "version! reason!", {"by": "chen", "version": "V1", "reason": "再改"}),
    "rollback": Deed("回退", "version reason!", {"by": "li", "reason": "新版有误"}),
}
HANDOVER: Final = {
    "accept": Deed("接班", "note", {"by": "chen", "note": "已交接清楚"}),
    "note": Deed("写备注", "text!", {"by": "chen", "text": "望江路一事等伤情通报"}),
}
DUTYLOG: Final = {
    "note": Deed("记事", "text! shift", {"by": "chen", "text": "22:10 消防支队来电，火势已控制"}),
    "sign": Deed("带班签字", "shift! reason", {"by": "li", "shift": "20261121T000000", "reason": "已阅"}),
}
REFERRAL: Final = {
    "accept": Deed("接收", "reason clocks", {"by": "chen", "reason": "由我市办理"}),
    "return": Deed("退回", "reason!", {"by": "li", "reason": "不属我市管辖"}),
    "note": Deed("已阅", "reason", {"by": "chen"}),
}
LETTER: Final = {
    "mend": Deed("修补并重放", "cells!", {"by": "chen", "cells": {"标题": "望江路塌陷"}}),
    "replay": Deed("重放", "", {"by": "chen"}),
    "drop": Deed("作废", "reason!", {"by": "li", "reason": "测试数据"}),
}

API: Final = "/api/v1"
MANY: Final[Mapping[str, Mapping[str, Deed]]] = {
    f"{API}/incidents/{{incident_id}}/acts/{{name}}": INCIDENT,
    f"{API}/incidents/{{incident_id}}/work/acts/{{name}}": WORK,
    f"{API}/incidents/{{incident_id}}/meetings/acts/{{name}}": MEETING,
    f"{API}/incidents/{{incident_id}}/dossiers/acts/{{name}}": DOSSIER,
    f"{API}/incidents/{{incident_id}}/aftermath/acts/{{name}}": AFTERMATH,
    f"{API}/statements/{{statement_id}}/acts/{{name}}": STATEMENT,
    f"{API}/registers/{{entry_id}}/acts/{{name}}": REGISTER,
    f"{API}/playbooks/{{playbook_id}}/acts/{{name}}": PLAYBOOK,
    f"{API}/handover/{{handover_id}}/acts/{{name}}": HANDOVER,
    f"{API}/handover/log/acts/{{name}}": DUTYLOG,
    f"{API}/tasks/acts/{{name}}": {name: WORK[name] for name in ("add", "done", "drop")},
    f"{API}/deadletters/{{number}}/acts/{{name}}": LETTER,
    f"{API}/levels/referrals/{{referral_id}}/acts/{{name}}": REFERRAL,
}
"""Doors behind which the act is named in the path."""
ONE: Final[Mapping[str, Deed]] = {
    f"{API}/incidents": _OPEN,
    f"{API}/incidents/{{incident_id}}/statements": Deed(
        "拟稿",
        f"{_DRAFT} replaces reason".replace("title text", "title! text!"),
        {
            "by": "chen",
            "title": "情况通报",
            "text": "11月21日，望江路发生路面塌陷。市应急部门已到场处置。后续情况将及时发布。",
        },
    ),
    f"{API}/incidents/{{incident_id}}/wording": Deed(
        "共享口径", "text! reason", {"by": "li", "text": "以市政府新闻办通报为准"}
    ),
    f"{API}/incidents/{{incident_id}}/labels": Deed(
        "更正标签，留作训练",
        "label! value! signal reason",
        {"by": "chen", "label": "kind", "value": "hardship"},
    ),
    f"{API}/registers": Deed(
        "登记一项台账",
        "kind! title! unit happened_at due_at incident counter period reason",
        {"by": "chen", "kind": "training", "title": "舆情应对培训", "unit": "office"},
    ),
    f"{API}/playbooks/{{playbook_id}}/try": Deed(
        "试推演", "content", {"content": "id: our\nname: 本市预案\n"}
    ),
    f"{API}/audit/export": Deed(
        "导出日志",
        "form! kind actor incident from to text reason",
        {"by": "li", "form": "jsonl", "reason": "季度抽查"},
    ),
    f"{API}/deadletters/replay": Deed("全部重放", "source", {"by": "chen"}),
}
"""Doors that are one act."""
