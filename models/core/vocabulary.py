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
    DOCUMENT = "document"  # 文件公开: what a policy's interpretation counts from (S-070)
    AFTER = "after"  # 前一时钟停止: the next link of a chain of reports (N-085)
    WORK = "work"  # 办理环节: a review, a claim, a promise that the work itself set, never a playbook

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
            "document": "文件公开",
            "after": "前一时钟停止",
            "work": "办理环节",
        }[self.value]

    @property
    def stated(self) -> bool:
        """May a person state it? The others are read from proofs: the last publication, a clock's end."""
        return self not in (StartEvent.LAST_UPDATE, StartEvent.AFTER, StartEvent.WORK)

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
            "document": "document_at",
            "after": "after_at",
            "work": "work_at",
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


class EventSubtype(StrEnum):
    """突发事件类型之下: what kind of accident, disaster, health or safety event (N-060, the study's 2.1)."""

    PRODUCTION = "production"  # 生产安全
    TRAFFIC = "traffic"  # 道路交通
    RAIL = "rail"  # 铁路、轨道交通
    WATERWAY = "waterway"  # 水上交通
    AVIATION = "aviation"  # 航空
    FIRE = "fire"  # 火灾
    EXPLOSION = "explosion"  # 爆炸
    COLLAPSE = "collapse"  # 坍塌
    MINE = "mine"  # 矿山
    HAZMAT = "hazmat"  # 危险化学品
    EQUIPMENT = "equipment"  # 特种设备
    POISONING = "poisoning"  # 中毒窒息
    DROWNING = "drowning"  # 溺水
    STAMPEDE = "stampede"  # 踩踏
    SUPPLY = "supply"  # 水电气暖中断
    ENVIRONMENT = "environment"  # 突发环境事件
    EARTHQUAKE = "earthquake"  # 地震
    FLOOD = "flood"  # 洪涝
    TYPHOON = "typhoon"  # 台风
    GEOLOGY = "geology"  # 地质灾害
    WEATHER = "weather"  # 气象灾害
    DROUGHT = "drought"  # 干旱
    FOREST_FIRE = "forest_fire"  # 森林草原火灾
    EPIDEMIC = "epidemic"  # 传染病疫情
    FOOD_POISONING = "food_poisoning"  # 食物中毒
    UNKNOWN_ILLNESS = "unknown_illness"  # 群体性不明原因疾病、职业中毒
    ANIMAL_DISEASE = "animal_disease"  # 动物疫情
    DRUG = "drug"  # 药品疫苗
    CRIME = "crime"  # 治安刑事
    CROWD = "crowd"  # 群体性事件
    BRAWL = "brawl"  # 械斗
    TERROR = "terror"  # 恐怖袭击
    CYBER = "cyber"  # 网络安全

    @property
    def zh(self) -> str:
        return SUBTYPES[self][1]

    @property
    def parent(self) -> EventType:
        return SUBTYPES[self][0]


SUBTYPES: dict[EventSubtype, tuple[EventType, str]] = {
    EventSubtype.PRODUCTION: (EventType.ACCIDENT, "生产安全"),
    EventSubtype.TRAFFIC: (EventType.ACCIDENT, "道路交通"),
    EventSubtype.RAIL: (EventType.ACCIDENT, "铁路与轨道交通"),
    EventSubtype.WATERWAY: (EventType.ACCIDENT, "水上交通"),
    EventSubtype.AVIATION: (EventType.ACCIDENT, "航空"),
    EventSubtype.FIRE: (EventType.ACCIDENT, "火灾"),
    EventSubtype.EXPLOSION: (EventType.ACCIDENT, "爆炸"),
    EventSubtype.COLLAPSE: (EventType.ACCIDENT, "坍塌"),
    EventSubtype.MINE: (EventType.ACCIDENT, "矿山"),
    EventSubtype.HAZMAT: (EventType.ACCIDENT, "危险化学品"),
    EventSubtype.EQUIPMENT: (EventType.ACCIDENT, "特种设备"),
    EventSubtype.POISONING: (EventType.ACCIDENT, "中毒窒息"),
    EventSubtype.DROWNING: (EventType.ACCIDENT, "溺水"),
    EventSubtype.STAMPEDE: (EventType.ACCIDENT, "踩踏"),
    EventSubtype.SUPPLY: (EventType.ACCIDENT, "水电气暖中断"),
    EventSubtype.ENVIRONMENT: (EventType.ACCIDENT, "突发环境事件"),
    EventSubtype.EARTHQUAKE: (EventType.NATURAL, "地震"),
    EventSubtype.FLOOD: (EventType.NATURAL, "洪涝"),
    EventSubtype.TYPHOON: (EventType.NATURAL, "台风"),
    EventSubtype.GEOLOGY: (EventType.NATURAL, "地质灾害"),
    EventSubtype.WEATHER: (EventType.NATURAL, "气象灾害"),
    EventSubtype.DROUGHT: (EventType.NATURAL, "干旱"),
    EventSubtype.FOREST_FIRE: (EventType.NATURAL, "森林草原火灾"),
    EventSubtype.EPIDEMIC: (EventType.PUBLIC_HEALTH, "传染病疫情"),
    EventSubtype.FOOD_POISONING: (EventType.PUBLIC_HEALTH, "食物中毒"),
    EventSubtype.UNKNOWN_ILLNESS: (EventType.PUBLIC_HEALTH, "不明原因疾病与职业中毒"),
    EventSubtype.ANIMAL_DISEASE: (EventType.PUBLIC_HEALTH, "动物疫情"),
    EventSubtype.DRUG: (EventType.PUBLIC_HEALTH, "药品与疫苗"),
    EventSubtype.CRIME: (EventType.SOCIAL_SAFETY, "治安刑事"),
    EventSubtype.CROWD: (EventType.SOCIAL_SAFETY, "群体性事件"),
    EventSubtype.BRAWL: (EventType.SOCIAL_SAFETY, "械斗"),
    EventSubtype.TERROR: (EventType.SOCIAL_SAFETY, "恐怖袭击"),
    EventSubtype.CYBER: (EventType.SOCIAL_SAFETY, "网络安全"),
}


class Domain(StrEnum):
    """领域: which body of law an incident falls under beside its kind and type; a person names it.

    Each has a chain of reports or a limit of its own in the domain study 2.2 and 5.2.
    """

    SCHOOL_FOOD = "school_food"  # 食品、校园
    ANIMAL = "animal"  # 动物疫情
    ENVIRONMENT = "environment"  # 环境、供水
    CYBER = "cyber"  # 网络安全、政务网站和新媒体
    POLICY = "policy"  # 政策文件
    PETITION = "petition"  # 信访
    DISCLOSURE = "disclosure"  # 依申请公开

    @property
    def zh(self) -> str:
        return {
            "school_food": "食品、校园",
            "animal": "动物疫情",
            "environment": "环境、供水",
            "cyber": "网络安全、政务新媒体",
            "policy": "政策文件",
            "petition": "信访",
            "disclosure": "依申请公开",
        }[self.value]


class EvidenceKind(StrEnum):
    """止算凭据: what stops a clock (law 8)."""

    STATEMENT = "published_statement"  # 权威信息/情况通报
    PRESS_CONFERENCE = "press_conference"  # 新闻发布会
    RESPONSE = "published_response"  # 公开回应
    UPDATE = "published_update"  # 续报
    CLARIFICATION = "published_clarification"  # 澄清/辟谣
    INTERPRETATION = "published_interpretation"  # 政策解读 (S-070)
    HANDOVER_RECEIPT = "handover_receipt"  # 移交回执
    REPLY_RECEIPT = "reply_receipt"  # 回复凭证
    REPORT_RECEIPT = "report_receipt"  # 上报回执
    INVESTIGATION = "investigation_report"  # 核实调查报告 (S-032)
    ACKNOWLEDGEMENT = "acknowledgement"  # 签收

    @property
    def zh(self) -> str:
        return {
            "published_statement": "权威信息发布",
            "press_conference": "新闻发布会",
            "published_response": "公开回应",
            "published_update": "续报发布",
            "published_clarification": "澄清信息",
            "published_interpretation": "政策解读",
            "handover_receipt": "移交回执",
            "reply_receipt": "回复凭证",
            "report_receipt": "上报回执",
            "investigation_report": "核实调查报告",
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


class TicketKind(StrEnum):
    """工单种类: through which of the government's own doors a citizen or a superior body wrote.

    国办发〔2016〕61号 and 国办发〔2018〕123号 name the doors; the hotlines are those of 国办发〔2020〕53号.
    """

    HOTLINE = "12345"  # 政务服务便民热线
    LABOUR = "12333"  # 人力资源社会保障
    RURAL = "12317"  # 乡村振兴(原扶贫)监督举报
    TAX = "12366"  # 纳税缴费服务
    MAILBOX = "领导信箱"
    MESSAGE = "网站留言"
    SITE_ERROR = "网站找错"
    CAC_NOTICE = "网信通报"
    MANUAL = "manual"  # 人工录入

    @property
    def medium(self) -> Medium:
        return {
            "领导信箱": Medium.MAILBOX,
            "网站留言": Medium.MESSAGE,
            "网站找错": Medium.SITE_ERROR,
            "网信通报": Medium.CAC_NOTICE,
            "manual": Medium.MANUAL,
        }.get(self.value, Medium.HOTLINE)


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


class AccountRole(StrEnum):
    """账号角色: what an account may do (`access`); whose turn it is says the roster (`Role`)."""

    OFFICER = "officer"  # 值班员
    MANAGER = "manager"  # 带班领导
    AUTHOR = "author"  # 预案作者
    REVIEWER = "reviewer"  # 审核人
    AUDITOR = "auditor"  # 督查
    ADMIN = "admin"  # 管理员

    @property
    def zh(self) -> str:
        return {
            "officer": "值班员",
            "manager": "带班领导",
            "author": "预案作者",
            "reviewer": "审核人",
            "auditor": "督查",
            "admin": "管理员",
        }[self.value]


class AlertKind(StrEnum):
    """提醒种类: a step of a clock; something the team must know of itself; a test of reach."""

    STEP = "step"  # 时限提醒
    NOTICE = "notice"  # 值守通知
    TEST = "test"  # 联络测试
    ALARM = "alarm"  # 系统告警: the auditor's own, past the outbox

    @property
    def zh(self) -> str:
        return {"step": "时限提醒", "notice": "值守通知", "test": "联络测试", "alarm": "系统告警"}[self.value]


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


class ProposalState(StrEnum):
    """凭据建议: a publication of ours that seems to answer an incident (law 14)."""

    PENDING = "pending"  # 待人确认
    ACCEPTED = "accepted"  # 采信, by a person
    REJECTED = "rejected"  # 不采信, by a person: never proposed again
    USED = "used"  # 自动采信, where the playbook allows
    LAPSED = "lapsed"  # 已失效: the very publication was registered by hand

    @property
    def zh(self) -> str:
        return {
            "pending": "待确认",
            "accepted": "已采信",
            "rejected": "不采信",
            "used": "自动采信",
            "lapsed": "已另行登记",
        }[self.value]


class BookState(StrEnum):
    """预案版本状态: a draft of a playbook on its way to being in force."""

    DRAFT = "draft"  # 待审, by a second person
    RETURNED = "returned"  # 退回
    WITHDRAWN = "withdrawn"  # 撤回, by its author
    REVIEWED = "reviewed"  # 已审定: in force from its time on, until a newer one is

    @property
    def zh(self) -> str:
        return {"draft": "待审", "returned": "已退回", "withdrawn": "已撤回", "reviewed": "已审定"}[
            self.value
        ]


class PageState(StrEnum):
    """凭据页面: how the page of an evidence was found when it was looked at."""

    TAKEN = "taken"  # 已存证
    SAME = "same"  # 未变
    EDITED = "edited"  # 已修改: small changes, told
    CHANGED = "changed"  # 已改写: no longer what stopped the clock
    GONE = "gone"  # 已删除: 404 or 410
    UNSEEN = "unseen"  # 无法核对: the network, a server error, a login; never a retraction

    @property
    def zh(self) -> str:
        return {
            "taken": "已存证",
            "same": "未变",
            "edited": "已修改",
            "changed": "已改写",
            "gone": "已删除",
            "unseen": "无法核对",
        }[self.value]
