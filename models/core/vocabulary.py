"""The words of the field, one per thing, in both languages.

Every name that a page, a message, a playbook or a table shows comes from here.
Source of the terms: the glossary of the domain study (section 6) and the documents that
each docstring names.
"""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """级别: how grave an incident is. I is the gravest, so `Grade.I > Grade.IV`.

    突发事件应对法(2024) 第3条 (N-060): 特别重大 重大 较大 一般; the colours 红橙黄蓝 are those
    of the warning scale.
    """

    I = "I"  # noqa: E741  (the statutory name of the level)
    II = "II"
    III = "III"
    IV = "IV"

    @property
    def rank(self) -> int:
        """4 for I down to 1 for IV."""
        return {"I": 4, "II": 3, "III": 2, "IV": 1}[self.value]

    @property
    def zh(self) -> str:
        return {"I": "特别重大", "II": "重大", "III": "较大", "IV": "一般"}[self.value]

    @property
    def colour(self) -> str:
        return {"I": "红", "II": "橙", "III": "黄", "IV": "蓝"}[self.value]

    # All four by hand: a text's own order ("III" > "II") would otherwise leak through.
    def __lt__(self, other: str) -> bool:
        return self.rank < Grade(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Grade(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Grade(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Grade(other).rank


class Stage(StrEnum):
    """阶段: the five stages of 黔财办〔2017〕14号 (七)2 (S-002), and the end."""

    COLLECT = "collect"  # 收集
    CONSULT = "consult"  # 会商
    ASSESS = "assess"  # 研判
    RESPOND = "respond"  # 回应
    EVALUATE = "evaluate"  # 评估
    CLOSED = "closed"  # 办结

    @property
    def zh(self) -> str:
        return {
            "collect": "收集",
            "consult": "会商",
            "assess": "研判",
            "respond": "回应",
            "evaluate": "评估",
            "closed": "办结",
        }[self.value]


class ClockState(StrEnum):
    """时钟状态: every clock has its own (law 5)."""

    ARMED = "armed"  # 预置: an emergency that nobody talks of yet; the start is kept, no step is raised
    RUNNING = "running"  # 计时中
    AT_RISK = "at_risk"  # 临期: at least one step has been raised
    MET = "met"  # 按时
    MET_LATE = "met_late"  # 逾期完成
    BREACHED = "breached"  # 已逾期, still escalating
    WAIVED = "waived"  # 免除, by signature
    SUPERSEDED = "superseded"  # 被新计划取代

    @property
    def zh(self) -> str:
        return {
            "armed": "预置",
            "running": "计时中",
            "at_risk": "临期",
            "met": "按时完成",
            "met_late": "逾期完成",
            "breached": "已逾期",
            "waived": "已免除",
            "superseded": "已取代",
        }[self.value]

    @property
    def open(self) -> bool:
        """Still escalating: nobody has met, waived or superseded it."""
        return self in OPEN_STATES


OPEN_STATES = frozenset({ClockState.RUNNING, ClockState.AT_RISK, ClockState.BREACHED})


class StartEvent(StrEnum):
    """起算: the moment a clock counts from (domain study 5.1; law 7)."""

    OCCURRENCE = "occurrence"  # 事件发生
    FIRST_PUBLIC = "first_public"  # 首次公开出现
    DISCOVERY = "discovery"  # 发现
    RECEIPT = "receipt"  # 接报
    ACK = "ack"  # 认领/签收
    GRADED = "graded"  # 定级
    LAST_UPDATE = "last_update"  # 上次发布: what rolling updates count from (S-024)

    @property
    def zh(self) -> str:
        return {
            "occurrence": "事件发生",
            "first_public": "首次公开",
            "discovery": "发现",
            "receipt": "接报",
            "ack": "签收",
            "graded": "定级",
            "last_update": "上次发布",
        }[self.value]

    @property
    def field(self) -> str:
        """The name of the stored time: `occurrence` → `occurred_at`."""
        return {
            "occurrence": "occurred_at",
            "first_public": "first_public_at",
            "discovery": "discovered_at",
            "receipt": "received_at",
            "ack": "acknowledged_at",
            "graded": "graded_at",
            "last_update": "last_update_at",
        }[self.value]


class OpinionKind(StrEnum):
    """舆情类别: 黔财办〔2017〕14号 (七)2 (S-030…S-041); each has its own closing evidence."""

    CONSTRUCTIVE = "constructive"  # 建设性意见建议
    HARDSHIP = "hardship"  # 实际困难
    MAJOR_PROBLEM = "major_problem"  # 重大问题
    UNINFORMED = "uninformed"  # 不了解情况、模糊认识
    ERRONEOUS = "erroneous"  # 错误看法
    FALSE_INFO = "false_info"  # 虚假和不实信息
    CAC_NOTICE = "cac_notice"  # 网信部门通报
    NOT_YET_SPREAD = "not_yet_spread"  # 尚未传播的突发事件

    @property
    def zh(self) -> str:
        return {
            "constructive": "建设性意见建议",
            "hardship": "实际困难",
            "major_problem": "重大问题",
            "uninformed": "不了解情况、模糊认识",
            "erroneous": "错误看法",
            "false_info": "虚假和不实信息",
            "cac_notice": "网信部门通报",
            "not_yet_spread": "尚未传播的突发事件",
        }[self.value]


class EventType(StrEnum):
    """突发事件类型: 突发事件应对法(2024) 第2–3条 (N-060)."""

    ACCIDENT = "accident"  # 事故灾难
    NATURAL = "natural"  # 自然灾害
    PUBLIC_HEALTH = "public_health"  # 公共卫生
    SOCIAL_SAFETY = "social_safety"  # 社会安全

    @property
    def zh(self) -> str:
        return {
            "accident": "事故灾难",
            "natural": "自然灾害",
            "public_health": "公共卫生",
            "social_safety": "社会安全",
        }[self.value]


class EvidenceKind(StrEnum):
    """止算凭据: what stops a clock (law 8)."""

    STATEMENT = "published_statement"  # 权威信息/情况通报
    PRESS_CONFERENCE = "press_conference"  # 新闻发布会
    RESPONSE = "published_response"  # 公开回应
    UPDATE = "published_update"  # 续报
    CLARIFICATION = "published_clarification"  # 澄清/辟谣
    HANDOVER_RECEIPT = "handover_receipt"  # 移交回执
    REPLY_RECEIPT = "reply_receipt"  # 回复凭证
    REPORT_RECEIPT = "report_receipt"  # 上报回执
    ACKNOWLEDGEMENT = "acknowledgement"  # 签收

    @property
    def zh(self) -> str:
        return {
            "published_statement": "权威信息发布",
            "press_conference": "新闻发布会",
            "published_response": "公开回应",
            "published_update": "续报发布",
            "published_clarification": "澄清信息",
            "handover_receipt": "移交回执",
            "reply_receipt": "回复凭证",
            "report_receipt": "上报回执",
            "acknowledgement": "签收",
        }[self.value]


class Medium(StrEnum):
    """来源渠道: by which door a signal came in."""

    NEWS = "news"  # 媒体
    WEIBO = "weibo"  # 微博
    WECHAT = "wechat"  # 微信
    VIDEO = "video"  # 短视频
    FORUM = "forum"  # 论坛
    HOT_SEARCH = "hot_search"  # 热搜
    HOTLINE = "hotline"  # 12345/12333/12317/12366
    MAILBOX = "leader_mailbox"  # 领导信箱
    MESSAGE = "message"  # 网站留言
    SITE_ERROR = "site_error"  # 网站找错
    CAC_NOTICE = "cac_notice"  # 网信通报
    MANUAL = "manual"  # 人工录入
    OFFICIAL = "official"  # 官方渠道

    @property
    def zh(self) -> str:
        return {
            "news": "媒体",
            "weibo": "微博",
            "wechat": "微信",
            "video": "短视频",
            "forum": "论坛",
            "hot_search": "热搜",
            "hotline": "热线工单",
            "leader_mailbox": "领导信箱",
            "message": "网站留言",
            "site_error": "网站找错",
            "cac_notice": "网信通报",
            "manual": "人工录入",
            "official": "官方渠道",
        }[self.value]


class Role(StrEnum):
    """值班角色: the rungs of the ladder (domain study 4.3)."""

    DUTY_OFFICER = "duty_officer"  # 值班员
    DUTY_CHIEF = "duty_chief"  # 值班主任
    DUTY_LEADER = "duty_leader"  # 带班领导
    DEPUTY = "deputy"  # 分管领导
    PRINCIPAL = "principal"  # 主要领导

    @property
    def zh(self) -> str:
        return {
            "duty_officer": "值班员",
            "duty_chief": "值班主任",
            "duty_leader": "带班领导",
            "deputy": "分管领导",
            "principal": "主要领导",
        }[self.value]


class AlertKind(StrEnum):
    """提醒种类: a step of a clock; something the team must know of itself; a test of reach."""

    STEP = "step"  # 时限提醒
    NOTICE = "notice"  # 值守通知
    TEST = "test"  # 联络测试

    @property
    def zh(self) -> str:
        return {"step": "时限提醒", "notice": "值守通知", "test": "联络测试"}[self.value]


class AlertState(StrEnum):
    """提醒状态: claim → send → record (law 3)."""

    QUEUED = "queued"  # 待发
    ACCEPTED = "accepted"  # 渠道已收
    WITHDRAWN = "withdrawn"  # 已处理, so nobody is woken for it any more
    DEAD = "dead"  # 未能送达, itself an alert

    @property
    def zh(self) -> str:
        return {
            "queued": "待发",
            "accepted": "已送达渠道",
            "withdrawn": "已处理，不再发送",
            "dead": "未能送达",
        }[self.value]
