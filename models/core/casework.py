"""The words of the response work: what people do while a clock runs, and what is kept of it.

Beside `vocabulary`, which names what is measured. Source of the terms: 黔财办〔2017〕14号 (七), 国办发〔2016〕61号,
国办发〔2016〕80号, 国办发〔2018〕123号 四(二), 西政办发〔2016〕55号 通知四; fact ids stand where one is meant.
"""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """层级: of a unit's government, the lowest first (分级负责, N-001)."""

    TOWN = "town"  # 乡镇、街道
    COUNTY = "county"  # 县、区
    CITY = "city"  # 市、州
    PROVINCE = "province"  # 省
    STATE = "state"  # 国家

    @property
    def zh(self) -> str:
        return {"town": "乡镇", "county": "县区", "city": "市州", "province": "省", "state": "国家"}[
            self.value
        ]


class PartyRole(StrEnum):
    """责任: a unit's part in an incident (N-001, S-010, S-014)."""

    LEAD = "lead"  # 牵头单位, 第一责任
    CO = "co"  # 协办单位
    COORDINATOR = "coordinator"  # 统筹协调: 政府办会同宣传部门

    @property
    def zh(self) -> str:
        return {"lead": "牵头单位", "co": "协办单位", "coordinator": "统筹协调"}[self.value]


class PartyState(StrEnum):
    """认领: what a unit has said to the part it was given."""

    ASKED = "asked"  # 待认领
    CLAIMED = "claimed"  # 已认领
    REJECTED = "rejected"  # 已退回, with its reason, within 24 hours
    RELIEVED = "relieved"  # 已移交 to another unit

    @property
    def zh(self) -> str:
        return {"asked": "待认领", "claimed": "已认领", "rejected": "已退回", "relieved": "已移交"}[
            self.value
        ]


class TaskState(StrEnum):
    """任务: open until its result is written, or dropped with a reason."""

    OPEN = "open"  # 办理中
    DONE = "done"  # 已完成
    DROPPED = "dropped"  # 不再需要

    @property
    def zh(self) -> str:
        return {"open": "办理中", "done": "已完成", "dropped": "不再需要"}[self.value]


class StatementState(StrEnum):
    """稿件: from a draft to what was released (S-050…S-052)."""

    DRAFT = "draft"  # 起草中
    IN_REVIEW = "in_review"  # 送审中
    RETURNED = "returned"  # 退回修改
    APPROVED = "approved"  # 已审定: this very text may be released
    RELEASED = "released"  # 已发布
    WITHDRAWN = "withdrawn"  # 已撤回

    @property
    def zh(self) -> str:
        return {
            "draft": "起草中",
            "in_review": "送审中",
            "returned": "退回修改",
            "approved": "已审定",
            "released": "已发布",
            "withdrawn": "已撤回",
        }[self.value]


class Verdict(StrEnum):
    """审核意见: what a reviewer said of a text."""

    PASSED = "passed"  # 同意
    REFUSED = "refused"  # 退回

    @property
    def zh(self) -> str:
        return {"passed": "同意", "refused": "退回"}[self.value]


class Disclosure(StrEnum):
    """公开属性: which of them a site knows is its profile's to say (S-053 three, S-055 four)."""

    PROACTIVE = "proactive"  # 主动公开
    REDACTED = "redacted"  # 删减后公开
    ON_REQUEST = "on_request"  # 依申请公开
    NONE = "none"  # 不予公开

    @property
    def zh(self) -> str:
        return {
            "proactive": "主动公开",
            "redacted": "删减后公开",
            "on_request": "依申请公开",
            "none": "不予公开",
        }[self.value]


class Outlet(StrEnum):
    """发布渠道: where a text is released; the website comes first (S-099)."""

    WEBSITE = "website"  # 政府门户网站
    WEIBO = "weibo"  # 微博
    WECHAT = "wechat"  # 微信
    APP = "app"  # 客户端
    PRESS = "press"  # 新闻通稿

    @property
    def zh(self) -> str:
        return {
            "website": "门户网站",
            "weibo": "微博",
            "wechat": "微信",
            "app": "客户端",
            "press": "新闻通稿",
        }[self.value]


class MeetingKind(StrEnum):
    """发布会种类: which of them count as a press conference is the profile's to say (N-003, N-005)."""

    PRESS_CONFERENCE = "press_conference"  # 新闻发布会
    BRIEFING = "briefing"  # 吹风会
    MEDIA_MEETING = "media_meeting"  # 媒体通气会
    INTERVIEW = "interview"  # 集体采访

    @property
    def zh(self) -> str:
        return {
            "press_conference": "新闻发布会",
            "briefing": "吹风会",
            "media_meeting": "媒体通气会",
            "interview": "集体采访",
        }[self.value]


class MeetingState(StrEnum):
    """发布会: booked, announced, held, or called off."""

    BOOKED = "booked"  # 已预约
    NOTICED = "noticed"  # 已通知
    HELD = "held"  # 已举行
    CANCELLED = "cancelled"  # 已取消

    @property
    def zh(self) -> str:
        return {"booked": "已预约", "noticed": "已通知", "held": "已举行", "cancelled": "已取消"}[self.value]


class ProductKind(StrEnum):
    """阶段成果: what a stage of the work leaves behind (S-002, S-003)."""

    COLLECTED = "collected"  # 收集: 舆情摘要
    MINUTES = "minutes"  # 会商: 纪要
    ASSESSMENT = "assessment"  # 研判: 结论
    WORDING = "wording"  # 口径, shared by the units
    EVALUATION = "evaluation"  # 评估: 效果
    LESSONS = "lessons"  # 复盘: 原因与教训
    LOOK_BACK = "look_back"  # 回头看 (S-129)

    @property
    def zh(self) -> str:
        return {
            "collected": "收集摘要",
            "minutes": "会商纪要",
            "assessment": "研判结论",
            "wording": "口径",
            "evaluation": "效果评估",
            "lessons": "复盘",
            "look_back": "回头看",
        }[self.value]


class Cause(StrEnum):
    """逾期原因: why a limit was missed, in the terms of the after-action review."""

    LATE_NOTICE = "late_notice"  # 报送迟缓
    UNCLAIMED = "unclaimed"  # 责任不清、推诿
    FACTS_UNKNOWN = "facts_unknown"  # 情况未核实
    REVIEW_SLOW = "review_slow"  # 审核迟缓
    NOBODY_REACHED = "nobody_reached"  # 值守无人
    SYSTEM = "system"  # 系统故障
    OTHER = "other"  # 其他

    @property
    def zh(self) -> str:
        return {
            "late_notice": "报送迟缓",
            "unclaimed": "责任不清",
            "facts_unknown": "情况未核实",
            "review_slow": "审核迟缓",
            "nobody_reached": "值守无人",
            "system": "系统故障",
            "other": "其他",
        }[self.value]


class Register(StrEnum):
    """台账: what a year's work is counted by (S-062…S-135)."""

    INTERPRETATION = "interpretation"  # 主要负责人解读 (S-076…S-078)
    HEARING = "hearing"  # 听取汇报 (S-110…S-112)
    OPEN_MEETING = "open_meeting"  # 列席会议 (S-113)
    TRAINING = "training"  # 培训 (S-116, S-117)
    DRILL = "drill"  # 演练
    DISCLOSURE_REQUEST = "disclosure_request"  # 依申请公开 (S-086)
    FINDING = "finding"  # 网站监测问题 (S-118, S-119)
    SITE_ERROR = "site_error"  # 网站找错 (S-094)
    ACCOUNT = "account"  # 政务新媒体账号 (S-062)
    PRESS_CONTACT = "press_contact"  # 媒体联系人 (S-043, S-100)
    MEDIA = "media"  # 媒体服务: 采访、通气会、报道 (S-100)
    COMPLAINT = "complaint"  # 投诉举报 (S-124, S-128)
    PLAN = "plan"  # 应急预案与预警公开 (S-085)
    SUPERVISION = "supervision"  # 督办 (S-090, S-132)
    ACCOUNTABILITY = "accountability"  # 问责建议 (S-125…S-127)
    BONUS = "bonus"  # 加分 (S-133)
    OTHER = "other"  # 其他事项

    @property
    def zh(self) -> str:
        return {
            "interpretation": "政策解读",
            "hearing": "听取汇报",
            "open_meeting": "列席会议",
            "training": "业务培训",
            "drill": "应急演练",
            "disclosure_request": "依申请公开",
            "finding": "网站问题",
            "site_error": "网站找错",
            "account": "政务新媒体账号",
            "press_contact": "媒体联系人",
            "media": "媒体服务",
            "complaint": "投诉举报",
            "plan": "预案与预警公开",
            "supervision": "督办",
            "accountability": "问责建议",
            "bonus": "加分事项",
            "other": "其他",
        }[self.value]


class Defect(StrEnum):
    """四类问题: what the monitoring of websites looks for (S-119)."""

    LATE = "late"  # 不及时
    INACCURATE = "inaccurate"  # 不准确
    UNRESPONSIVE = "unresponsive"  # 不回应
    USELESS = "useless"  # 不实用

    @property
    def zh(self) -> str:
        return {
            "late": "不及时",
            "inaccurate": "不准确",
            "unresponsive": "不回应",
            "useless": "不实用",
        }[self.value]
