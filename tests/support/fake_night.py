"""An invented night in an invented city: the data behind support.fake_desk."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from connectors.console.desk import View
from models.core.moment import iso, parse_iso, span
from models.core.vocabulary import ClockState, EvidenceKind, Grade, Stage, StartEvent

NIGHT = parse_iso("2026-11-21T02:13:05+08:00")
_FIRST_STATEMENT = ["国办发〔2016〕80号", "黔财办〔2017〕14号 (七)3"]
LADDER = [(1, "值班员"), (2, "带班领导"), (3, "分管领导"), (4, "主要领导")]

PEOPLE = [
    {"id": "chen", "name": "陈值班", "unit": "市政府办公室", "role_zh": "值班员", "rung": 1},
    {"id": "zhou", "name": "周值班", "unit": "市网信办", "role_zh": "值班员", "rung": 1},
    {"id": "li", "name": "李主任", "unit": "市政府办公室", "role_zh": "带班领导", "rung": 2},
    {"id": "wang", "name": "王秘书长", "unit": "市政府", "role_zh": "分管领导", "rung": 3},
]


def hours(amount: float) -> str:
    """`amount` hours before the night's moment, as ISO."""
    return iso(NIGHT - timedelta(hours=amount))


def clock(
    rule: str, name: str, ago_h: float, length_h: float, start: StartEvent = StartEvent.OCCURRENCE,
    *, met_after_h: float | None = None, waived: bool = False, basis: list[str] | None = None,
) -> View:  # fmt: skip
    """A clock that started `ago_h` hours ago for `length_h`, with its steps as of the night."""
    began, length = NIGHT - timedelta(hours=ago_h), timedelta(hours=length_h)
    due = began + length
    fractions = [0.5, 0.75, 0.9, 1.0] + [
        1 + n / length_h for n in range(1, 40) if _end(ago_h, met_after_h) > length_h + n
    ]
    end = began + timedelta(hours=met_after_h) if met_after_h is not None else NIGHT
    steps = [_step(began, length, f, end) for f in fractions]
    raised = [s for s in steps if s["raised_at"]]
    state = _state(NIGHT, due, bool(raised), met_after_h is not None, end, waived)
    return {
        "id": rule, "key": f"{rule}-{ago_h:g}-{length_h:g}", "name": name, "state": state.value, "state_zh": state.zh,
        "start_event": start.value, "start_event_zh": start.zh, "started_at": iso(began), "due_at": iso(due),
        "left_s": 0.0, "fraction": 0.0, "basis": _FIRST_STATEMENT if basis is None else basis,
        "reason": f"自{start.zh} {began:%m-%d %H:%M} 起 {span(length.total_seconds())}",
        "next_step": _next(steps) if state.open else None, "steps": steps,
        "met_at": iso(end) if met_after_h is not None else None,
        "evidence_url": "https://www.example.gov.cn/tongbao/1" if met_after_h is not None else None,
    }  # fmt: skip


def _end(ago_h: float, met_after_h: float | None) -> float:
    return ago_h if met_after_h is None else met_after_h


def _state(now: datetime, due: datetime, raised: bool, met: bool, end: datetime, waived: bool) -> ClockState:
    if waived:
        return ClockState.WAIVED
    if met:
        return ClockState.MET if end <= due else ClockState.MET_LATE
    if now >= due:
        return ClockState.BREACHED
    return ClockState.AT_RISK if raised else ClockState.RUNNING


def _step(began: datetime, length: timedelta, fraction: float, end: datetime) -> View:
    at = began + length * fraction
    key = f"{fraction:.0%}" if fraction <= 1 else f"+{round((fraction - 1) * length / timedelta(hours=1))}h"
    rung = {0.5: 1, 0.75: 2, 0.9: 3}.get(fraction, 4)
    return {"key": key, "due_at": iso(at), "raised_at": iso(at) if at <= end else None, "late_by_s": 0.4,
            "skipped": False, "rung": rung}  # fmt: skip


def _next(steps: list[View]) -> View | None:
    ahead = next((s for s in steps if not s["raised_at"]), None)
    if ahead is None:
        return {"key": "+1h", "due_at": hours(-0.7), "rung": 4, "role": "主要领导"}
    return {k: ahead[k] for k in ("key", "due_at", "rung")} | {"role": dict(LADDER)[ahead["rung"]]}


def incident(
    key: str, title: str, grade: Grade, opened_h: float, clocks: list[View] | None = None, **more: Any
) -> View:
    stage = Stage(more.pop("stage", "assess"))
    acked_by, acked_h = more.pop("acked", (None, 0))
    acked = [{"person": "chen", "name": acked_by, "at": hours(acked_h)}] if acked_by else []
    return {
        "id": key, "ref": f"舆-2026-{40 + int(key[-1]):04d}", "title": title,
        "grade": grade.value, "grade_zh": grade.zh,
        "colour": grade.colour, "provisional": False, "stage": stage.value, "stage_zh": stage.zh,
        "owner": None, "merged_into": None,
        "kind": "major_problem", "kind_zh": "重大问题", "domain": None, "domain_zh": None,
        "event_type_zh": "事故灾难", "opened_at": hours(opened_h),
        "reason": "人工立案", "signal_count": 12, "place": "临江市江东区", "acked": acked,
        "snoozed": [], "proposals_waiting": 0, "holder": acked_by or "",
        "clocks": clocks or [], **more,
    }  # fmt: skip


def incidents() -> list[View]:
    """Every state a clock can be in, every grade, taken and not taken."""
    found, public, receipt = StartEvent.DISCOVERY, StartEvent.FIRST_PUBLIC, StartEvent.RECEIPT
    return [
        incident("inc-1", "江东化工园区储罐起火，已致 3 人死亡 12 人受伤", Grade.II, 3.6, [
            clock("first_statement", "首次权威发布", 4.15, 5),
            clock("press_conference", "新闻发布会", 4.15, 24),
            clock("update", "滚动续报", 4.15, 12, basis=["建议 S-024"]),
            clock("acknowledge", "签收", 3.6, 1, found, met_after_h=0.12, basis=[]),
        ], acked=("陈值班", 3.48), stage="respond", signal_count=147, provisional=True),
        incident("inc-2", "网传 “江水中毒致多人入院” 与事实不符", Grade.III, 5.2, [
            clock("clarify", "澄清不实信息", 5.2, 2, found, basis=["黔财办〔2017〕14号 (七)3"]),
            clock("acknowledge", "签收", 5.2, 2, found, met_after_h=2.6, basis=[]),
        ], acked=("周值班", 2.6), kind_zh="虚假和不实信息", signal_count=63, place="滨江新区"),
        incident("inc-3", "西城多个小区自来水有异味，12345 一小时内 9 件来电", Grade.IV, 0.4, [
            clock("general_response", "一般舆情回应", 30.2, 48, public, basis=["国办发〔2018〕123号"]),
            clock("acknowledge", "签收", 0.62, 1, found, basis=[]),
        ], kind_zh="实际困难", event_type_zh="公共卫生", signal_count=9, place="西城区"),
        incident("inc-4", "地铁 2 号线江心站扶梯故障多人摔伤", Grade.I, 0.1, [
            clock("first_statement", "首次权威发布", 0.3, 5),
            clock("press_conference", "新闻发布会", 0.3, 24),
            clock("acknowledge", "签收", 0.1, 1, found, basis=[]),
        ], signal_count=31, provisional=True, place="江心洲", stage="collect"),
        incident("inc-5", "老旧小区加装电梯收费标准不一，业主集中留言", Grade.IV, 40, [
            clock("general_response", "一般舆情回应", 39, 48, receipt, basis=["国办发〔2018〕123号"]),
            clock("handover", "移交主管部门", 39, 24, receipt, met_after_h=25.5, basis=[]),
            clock("rumour", "澄清", 39, 2, receipt, waived=True, basis=[]),
        ], acked=("陈值班", 38.7), kind_zh="建设性意见建议", event_type_zh="", signal_count=22, place="城中区"),
        incident("inc-6", "城北客运站春运抢票加价投诉", Grade.IV, 60, [
            clock("general_response", "一般舆情回应", 60, 48, public, met_after_h=41),
        ], acked=("陈值班", 59), stage="evaluate", event_type_zh="", place="城北区"),
    ]  # fmt: skip


def whole(view: View) -> View:
    """An incident with everything its own page shows."""
    at = view["opened_at"]
    return {
        **view,
        "grade_parts": [
            {"part": "事件", "grade": "III",
             "reason": "死亡 3 人，达到较大事故（死亡 3 人以上）· 国务院令第493号 N-081"},
            {"part": "热度", "grade": view["grade"], "reason": "两小时内 4 个平台 147 条，阅读 1,240 万（建议）"},
            {"part": "敏感", "grade": "IV", "reason": "未涉及敏感人群或节点"},
        ],
        "times": [
            {"event": "occurrence", "event_zh": "事件发生", "value": hours(4.15), "by": "陈值班",
             "reason": "应急局电话核实", "recorded_at": hours(3.2)},
            {"event": "first_public", "event_zh": "首次公开", "value": hours(3.9), "by": "系统",
             "reason": "最早一条线索", "recorded_at": hours(3.6)},
            {"event": "discovery", "event_zh": "发现", "value": at, "by": "系统", "reason": "", "recorded_at": at},
        ],
        "facts": [
            {"name": "死亡", "value": 3, "text": "已致 3 人死亡"},
            {"name": "受伤", "value": 12, "text": "12 人受伤"},
            {"name": "疏散", "value": "400 余", "text": "疏散四百余人"},
        ],
        "timeline": timeline(),
        "signals_list": signals_list(),
        "evidence": [
            {"kind_zh": EvidenceKind.STATEMENT.zh, "url": "https://www.example.gov.cn/tongbao/1",
             "publisher": "临江发布", "published_at": hours(0.2), "seen_at": hours(0.15),
             "sha256": hashlib.sha256(b"statement").hexdigest(),
             "id": "5f0c9a7be1d24c43", "standing": None, "by": "系统",
             "pages": [{"at": hours(0.1), "outcome": "taken", "outcome_zh": "已存证", "status": 200,
                        "page_sha256": None, "text_sha256": None, "warc_sha256": "0" * 64, "note": ""}],
             "looked": {"at": hours(0.1), "text": "未变", "next_at": hours(-1)}, "file": None},
        ],
        "proposals": proposals(),
        "alerts": alerts()[:4],
    }  # fmt: skip


def proposals() -> list[View]:
    rows = [
        ("7b1d", "关于江东化工园区储罐起火的续报", 0.71, "pending", "待确认", None),
        ("90fe", "全市化工园区安全生产检查通告", 0.34, "rejected", "不采信", "说的是检查，不是这起事件"),
    ]
    return [
        {"id": id_, "title": title, "score": score, "state": state, "state_zh": zh, "decision": decision,
         "incident_id": "inc-1", "kind": EvidenceKind.UPDATE.value, "kind_zh": EvidenceKind.UPDATE.zh,
         "url": f"https://www.example.gov.cn/tongbao/{id_}", "publisher": "临江市政府新闻办", "sure": False,
         "account": "微博 · 备案 临网 0001", "published_at": hours(0.6), "seen_at": hours(0.5),
         "sha256": "0" * 64, "decided_at": hours(0.2) if decision else None,
         "decided_by": "陈值班" if decision else None,
         "reasons": ["共有特征词: 江东化工园区、储罐", "事件特征词的 62% 在发布中出现，把握 71%"]}
        for id_, title, score, state, zh, decision in rows
    ]  # fmt: skip


def timeline() -> list[View]:
    rows = [
        (
            "opened",
            "立案",
            "由 4 条线索聚成",
            "系统",
            "伤亡事实“1 死 5 伤”达到立案线；与其他 3 条共有 化工园区、储罐、江东",
        ),
        (
            "graded",
            "定级",
            "暂定 III 级，5 小时与 24 小时时钟按此起算",
            "系统",
            "死亡 1 人，热度两小时 61 条",
        ),
        ("alerted", "提醒", "签收 0m → 陈值班，渠道 slack", "系统", "第 1 级值班员在岗"),
        ("acked", "签收", "陈值班签收", "陈值班", ""),
        ("corrected", "更正时间", "事件发生 22:04", "陈值班", "应急局电话核实"),
        ("regraded", "升级", "III → II,原起算时间不变", "系统", "死亡更新为 3 人；热度达 II"),
        ("alerted", "提醒", "首次发布 75% → 李主任", "系统", "第 2 级带班领导，离时限 1 小时 15 分"),
    ]
    return [
        {"seq": 200 + n, "at": hours(3.6 - n * 0.5), "kind": kind, "kind_zh": zh, "text": text, "actor": actor,
         "reason": reason}
        for n, (kind, zh, text, actor, reason) in enumerate(rows)
    ]  # fmt: skip


def signals_list() -> list[View]:
    rows = [
        (
            "江东化工园区突发火情，现场可见浓烟",
            "多名网友称听到爆炸声，消防车辆陆续到场。",
            "https://news.example.com/1",
            "媒体",
        ),
        (
            "<script>alert('xss')</script> 园区怎么了?",
            "<img src=x onerror=alert(1)> 有人知道吗",
            "javascript:alert(1)",
            "论坛",
        ),
        ("来电反映园区附近有刺鼻气味", "来电人住在江东路，要求说明空气是否安全。", None, "热线工单"),
    ]
    return [
        {"id": f"s{n}", "at": hours(3.9 - n * 0.3), "title": title, "body": body, "url": url, "source": "临江论坛",
         "medium_zh": medium, "sentiment_zh": "负面", "link_score": 0.82, "link_reason": "共有 化工园区、储罐、江东",
         "plans": ["监测方案 化工: 化工园区 … 气味"] if n == 2 else [], "topic": "环境保护",
         "filed": "主题归类：环境保护 / 大气污染，共有字词 “气味”" if n == 2 else None}
        for n, (title, body, url, medium) in enumerate(rows)
    ]  # fmt: skip


def signal(
    minutes: float,
    title: str,
    medium: str,
    source: str,
    mood: str,
    to: int | None = None,
    flagged: bool = False,
) -> View:
    zh = {"neg": "负面", "neu": "中性", "pos": "正面"}[mood]
    return {"at": hours(minutes / 60), "title": title, "medium_zh": medium, "source": source, "source_name": source,
            "sentiment": mood,
            "sentiment_zh": zh, "incident_id": f"inc-{to}" if to else None,
            "incident_ref": f"舆-2026-{40 + to:04d}" if to else None, "flagged": flagged}  # fmt: skip


def signals() -> list[View]:
    return [
        signal(0.2, "江心站扶梯突然反转，我前面好几个人摔倒了", "微博", "微博", "neg", 4, True),
        signal(0.9, "<b onmouseover=alert(1)>扶梯</b>事故现场视频", "短视频", "短视频平台", "neg", 4),
        signal(2, "园区火势已得到控制，空气监测数据正常", "官方渠道", "临江发布", "neu", 1),
        signal(4, "自来水放出来有股土腥味，烧开也有", "热线工单", "12345 热线", "neg", 3),
        signal(5, "请问加装电梯的补贴标准是多少", "网站留言", "市政府网站", "neu", 5),
        signal(8, "点赞凌晨还在巡查的环卫师傅", "论坛", "临江论坛", "pos"),
        signal(11, "西城供水公司客服说正在排查", "热线工单", "12345 热线", "neu", 3),
        signal(15, "明早江东区学校停课一天，家长互相转告", "微信", "家长群转载", "neu", 1),
        signal(19, "江水中毒？医院到底收了多少人", "论坛", "临江论坛", "neg", 2),
    ]


def alert(
    n: int,
    minutes: float,
    name: str,
    to: int,
    title: str,
    step: str,
    state: str = "accepted",
    reason: str = "",
) -> View:
    zh = {"accepted": "已送达渠道", "queued": "待发", "dead": "未能送达"}[state]
    ref = f"舆-2026-{40 + to:04d}"
    return {"id": f"a{n}", "at": hours(minutes / 60), "person": "chen", "name": name, "channel": "slack", "ref": ref,
            "incident_id": f"inc-{to}", "title": title, "step": step, "state": state, "state_zh": zh,
            "reason": reason, "attempts": 3 if state == "dead" else 1, "kind": "step",
            "delivered_at": None, "read_at": hours(minutes / 60 - 0.02) if n == 2 else None}  # fmt: skip


def alerts() -> list[View]:
    return [
        alert(1, 0.1, "周值班", 3, "供水异味", "签收 50%", "queued", "等候发送"),
        alert(2, 5, "陈值班", 4, "江心站扶梯故障", "签收 0m"),
        alert(
            3,
            12,
            "主要领导",
            2,
            "江水中毒传言",
            "澄清 +3h",
            "dead",
            "短信网关答复：余额不足。已改由 slack 送达",
        ),
        alert(4, 13, "主要领导", 2, "江水中毒传言", "澄清 +3h"),
        alert(5, 24, "李主任", 1, "化工园区火灾", "首次发布 75%"),
        alert(6, 71, "陈值班", 1, "化工园区火灾", "首次发布 50%"),
    ]


def coverage(healthy: bool) -> list[View]:
    def item(name: str, label: str, state: str = "ok", detail: str = "", mend: str = "") -> View:
        return {
            "name": name,
            "label": label,
            "state": state,
            "last_good_at": hours(0.01),
            "detail": detail,
            "mend": mend,
        }

    fine = [
        item("sources", "信源 5/5"), item("clocks", "时钟巡查 0.4 秒前"), item("slack", "Slack"),
        item("roster", "今晚四级有人"), item("database", "数据库"), item("kafka", "Kafka", "off"),
    ]  # fmt: skip
    if healthy:
        return fine
    return [
        item("forum", "临江论坛", "late", "已 47 分没有新帖，平时每 6 分一条", "huiying poll forum"),
        item("sms", "短信网关", "down", "余额不足", "在 channels.yaml 换用备用网关"),
        item("prefect", "Prefect", "down", "没有应答；时钟与提醒不受影响", "huiying doctor"),
        *fine[1:],
    ]


def sources(healthy: bool) -> list[View]:
    names = [("news", "临江新闻网", "RSS"), ("weibo", "微博同城", "RSS"), ("forum", "临江论坛", "Atom"),
             ("hotline", "12345 热线", "工单"), ("release", "临江发布", "官方")]  # fmt: skip
    late = () if healthy else ("forum",)
    return [
        {"id": key, "name": name, "kind": kind,
         "url": "javascript:alert(1)" if key == "weibo" else f"https://{key}.example.com/feed",
         "state": "silent" if key in late else "ok", "last_good_at": hours(0.8 if key in late else 0.05),
         "error": "47 分没有新帖" if key in late else None,
         "every_s": 600.0, "every": "每 10 分", "due_at": hours(-0.1), "lag_s": 0.0, "failing_since": None,
         "errors": 0, "last_new_at": hours(0.8), "usual": "约每 6 分", "gaps": 1 if key == "weibo" else 0,
         "last_gap_at": hours(3) if key == "weibo" else None,
         "signals": 1204, "dead_letters": 2 if key == "hotline" else 0}
        for key, name, kind in names
    ]  # fmt: skip


def playbooks() -> list[View]:
    strict = {"start_zh": "事件发生", "statutory": True, "steps": ["50%", "75%", "90%", "100%", "之后每小时"]}
    return [
        {"id": "major_emergency", "name": "特别重大、重大突发事件", "version": "9f31c2ab",
         "live": True, "shipped": True, "waiting": 1,
         "trigger": 'event_grade in ["I", "II"]', "clocks": [
            {"id": "first_statement", "name": "首次权威发布", "amount_zh": "5 小时", "basis": _FIRST_STATEMENT,
             "evidence_zh": ["权威信息发布"], **strict},
            {"id": "press_conference", "name": "新闻发布会", "amount_zh": "24 小时", "basis": _FIRST_STATEMENT,
             "evidence_zh": ["新闻发布会"], **strict}]},
        {"id": "acknowledge", "name": "签收", "version": "11d0e7c4", "live": True, "shipped": True,
         "waiting": 0, "trigger": "true", "clocks": [
            {"id": "acknowledge", "name": "签收", "amount_zh": "1 小时", "start_zh": "发现", "statutory": False,
             "steps": [], "basis": [], "evidence_zh": []}]},
    ]  # fmt: skip


def playbook(versions: list[View]) -> View:
    """The first of them whole, with one draft that waits for a second person."""
    given = {"start": "2026-11-21T02:13", "grade": "II", "kind": "", "event_type": "", "answers": "", "hours": "48",
             "kinds": [{"value": "false_info", "zh": "虚假和不实信息"}], "grades": ["I", "II", "III", "IV"],
             "event_types": [{"value": "natural", "zh": "自然灾害"}]}  # fmt: skip
    held = [{"version": "9f31c2ab", "incidents": ["inc-1"]}]
    source = "\nid: major_emergency\nname: 重大\n"
    return {
        **playbooks()[0],
        "review": True,
        "source": source,
        "source_zh": "现行条文",
        "given": given,
        "versions": versions,
        "held": held,
    }


def draft() -> View:
    return {"id": "d-1", "version": "77aa", "state": "draft", "state_zh": "待审", "current": False, "empty": False,
            "content": "id: major_emergency\nname: 更严的\n", "author": "陈值班", "author_id": "chen",
            "submitted_at": hours(3), "reason": "汛期从严", "reviewer": None, "reviewed_at": None, "opinion": None,
            "active_from": None}  # fmt: skip


def tried(text: str) -> View:
    """What a text comes to: one with 五小时 in it is wrong at its line."""
    wrong = [{"line": n, "column": 9, "message": "“五小时” 不是时长", "hint": "写成 PT5H",
              "warning": False, "text": line}
             for n, line in enumerate(text.splitlines(), 1) if "五小时" in line]  # fmt: skip
    line = {"at": hours(0), "clock": "首次权威发布", "step": "50%", "told": "陈值班(slack)", "quiet": []}
    moved = {"same": False, "changes": [{"words": "时限由 5 小时 改为 4 小时", "laxer": False, "statutory": True}],
             "moved": ["02:13 定为 II 级：王带班 在 05:28 而不是 06:00 被通知"], "more": 0}  # fmt: skip
    return {"ok": not wrong, "version": "77aa", "problems": wrong, "svg": "" if wrong else "<svg id='gantt'></svg>",
            "lines": [] if wrong else [line], "more": 0, "silent": [], "asked": "",
            "diff": None if wrong else moved}  # fmt: skip


def handovers(now: datetime) -> list[View]:
    """The last change of shift, not accepted yet, and the one before it, which was."""
    clock = {
        "id": "first_statement", "name": "首次发布权威信息", "state": "breached", "state_zh": "已逾期",
        "due_at": hours(1), "left_s": -3600.0, "next": {"key": "+2h", "due_at": hours(-1), "role": "主要领导"},
    }  # fmt: skip
    left = {
        "id": "inc-1", "ref": "舆-2026-0001", "title": "江东化工园区发生火灾", "grade": "II", "colour": "橙",
        "owner": "市应急管理局", "provisional": False, "acked": ["陈值班"], "clocks": [clock],
        "progress": [{"at": hours(2), "by": "陈值班", "text": "消防已控制火势，正在核对失联名单"}],
    }  # fmt: skip
    summary = {
        "written_at": iso(now), "late_s": 0, "open": 1, "more": 0, "incidents": [left],
        "alerts": [{"ref": "舆-2026-0001 首次发布权威信息 90%", "name": "赵副", "state": "dead", "why": "查无此人"}],
        "sources": [{"name": "临江论坛", "why": "已超过自身节奏三倍没有读到"}],
    }  # fmt: skip
    quiet = {**summary, "open": 0, "incidents": [], "alerts": [], "sources": []}
    chen, li = {"id": "chen", "name": "陈值班"}, {"id": "li", "name": "李主任"}
    shared = {"rung": 1, "role_zh": "值班员", "note": "", "accepted_at": None, "accepted_by": None}
    return [
        {**shared, "id": "1-b", "at": hours(0), "from": [chen], "to": [li], "summary": summary, "waiting": True},
        {
            **shared, "id": "1-a", "at": hours(12), "from": [li], "to": [chen], "summary": quiet, "waiting": False,
            "note": "李主任：记者 23 点会再来电话", "accepted_at": hours(11.9), "accepted_by": "陈值班",
        },
    ]  # fmt: skip


def letter(number: int, *, row: dict[str, str] | None = None, state: str = "open") -> View:
    """A dead letter; a row of markup shows whether a page escapes it."""
    done = state != "open"
    return {
        "id": number,
        "source": "hotline",
        "source_name": "12345 热线",
        "place": "工单.csv:3",
        "reason": "工单.csv:3: 列 “受理时间”: “昨天” 不是时间",
        "raw": "2,停电,<script>alert(1)</script>,〔电话〕,昨天",
        "row": {"标题": "<b>停电</b>", "受理时间": "昨天"} if row is None else row,
        "columns": {"title": "标题", "published_at": "受理时间"},
        "at": hours(1),
        "state": state,
        "state_zh": "已重放" if done else "待修补",
        "settled_at": hours(0) if done else None,
        "settled_by": "chen" if done else None,
        "note": "陈值班 改了 受理时间" if done else None,
        "signal_uid": None,
    }
