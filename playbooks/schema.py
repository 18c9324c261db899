"""The language of playbooks and profiles: what a YAML file may say, and what it compiles to.

Field docstrings are in Chinese because the editor shows them to authors: what it is, its unit,
its source. The shape follows the domain study 5.3.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from models.core.casework import Register
from models.core.clock import Basis, ClockRule, LateNotice, StepRule, least
from models.core.vocabulary import EvidenceKind, Grade, OpinionKind, Role, StartEvent
from playbooks.fields import (
    Amount,
    Delay,
    Duration,
    Ident,
    Items,
    Name,
    OneOrMany,
    Percent,
    Strict,
    Text,
    When,
    refuse,
)
from playbooks.variables import filled

HOUR = timedelta(hours=1)
Rung = Annotated[int, Field(ge=1, le=9)]
FactId = Annotated[str, Field(pattern=r"^[SNL]-\d{3}$")]


class BasisSource(Strict):
    """依据：一份文件的一条。"""

    doc: Name
    """文号或文件名，例如 国办发〔2016〕80号"""
    article: Text = ""
    """条款，例如 (七)3"""
    fact: FactId | None = None
    """规则研究中的编号，例如 N-007（S 种子文件、N 国家、L 地方）"""


class StepSource(Strict):
    """时钟上的一步：到了某个时刻，通知某一级。at、before、after 三者只写一个。"""

    at: Percent | None = None
    """占整个时限的百分比，例如 50%；100% 就是到期时刻"""
    before: Duration | None = None
    """到期前多久，例如 PT15M"""
    after: Delay | None = None
    """起算后多久，例如 PT10M；PT0M 是立刻"""
    rung: Rung
    """值班阶梯的级：1 值班员，2 值班主任或带班领导，3 分管领导，4 主要领导"""

    @model_validator(mode="after")
    def _exactly_one(self) -> StepSource:
        if sum(value is not None for value in (self.at, self.before, self.after)) != 1:
            raise refuse("一步里 at、before、after 要写且只写一个", "例如 {at: 50%, rung: 1}")
        return self


DEFAULT_STEPS = tuple(
    StepSource.model_validate(step)
    for step in (
        {"at": "50%", "rung": 1},
        {"at": "75%", "rung": 2},
        {"at": "90%", "rung": 3},
        {"before": "PT1H", "rung": 3},
        {"before": "PT15M", "rung": 3},
        {"at": "100%", "rung": 4},
    )
)
"""The warnings of the study's 5.3, an hour and a quarter of an hour before the end (a proposal). Where a
clock is too short for the last two they yield."""


class StopSource(Strict):
    """止算：什么凭据能让时钟停下。"""

    evidence: OneOrMany[EvidenceKind]
    """凭据种类，任一即可；发布以平台时间为准"""
    auto: bool = False
    """官方渠道的发布匹配确定时，系统可否不等人确认就停下；不写为否，只作建议"""


class LateNoticeSource(Strict):
    """迟报切换（贵州 L-002）：接报距发生超过 threshold，改从 start 起算 amount。"""

    threshold: Duration
    """接报时间减发生时间超过多少才切换，例如 PT3H"""
    start: StartEvent
    """切换后的起算事件，通常是 receipt（接报）"""
    amount: Duration
    """切换后的时限，例如 PT1H"""
    basis: Items[BasisSource] = ()
    """切换规则的依据；法定时钟必须有"""


class ChainSource(Strict):
    """链式起算：前一个时钟凭据止算之时起算，例如逐级上报的下一级。"""

    after: Ident
    """本预案里前一个时钟的标识，例如 accident_report；它停下以前，这个时钟不开"""

    @property
    def zh(self) -> str:
        return f"“{self.after}” 停止"


def _kind_of_start(value: Any) -> str:
    return "chain" if isinstance(value, dict | ChainSource) else "event"


Start = Annotated[
    Annotated[StartEvent, Tag("event")] | Annotated[ChainSource, Tag("chain")], Discriminator(_kind_of_start)
]


class ClockSource(Strict):
    """一个时钟：多长、从何时起、什么凭据止算、何时通知谁。小时连续计算，夜间和节假日不停；
    只有写成工作日的才按工作日历。"""

    id: Ident
    """时钟标识，参数集和凭据用它指认，例如 first_statement"""
    name: Name
    """名称，例如 首次发布权威信息"""
    amount: Amount
    """时限，ISO 8601，例如 PT5H（5 小时）；按工作日的写 5 个工作日（当日不计，末日 24 时止）"""
    start: Start
    """起算事件：occurrence 发生，first_public 首次公开，discovery 发现，receipt 接报，ack 签收，graded 定级，
    document 文件公开，last_update 上次发布（每次发布后重新起算）；写 {after: 时钟标识} 是前一个时钟停下之时"""
    fallback: OneOrMany[StartEvent] = ()
    """起算事件的时间不明时依次改用哪些"""
    late_notice: LateNoticeSource | None = None
    """迟报切换规则；没有就不写"""
    applies_when: When | None = None
    """只在此条件下启用（CEL）；不写则预案触发即启用"""
    pre_arm_when: When | None = None
    """此条件（CEL）成立时只预置：起算和时限照算，不提醒；不再成立即从同一起算时间计时"""
    steps: Items[StepSource] = DEFAULT_STEPS
    """提醒步骤；默认 50% 第 1 级，75% 第 2 级，90%、到期前 1 小时、15 分第 3 级，100% 第 4 级（建议值）；
    时限太短放不下的自动省去"""
    repeat: Duration | None = HOUR
    """到期后每隔多久再次提醒，整分钟，默认 PT1H；写 null 则不重复"""
    repeat_rung: Rung = 4
    """到期后的重复提醒由哪一级负责"""
    stop: StopSource
    """止算凭据"""
    basis: Items[BasisSource] = ()
    """依据；法定时钟必须有文号"""
    statutory: bool = False
    """法定：时限由文件规定，站点只能缩短，不能放宽"""
    proposal: Text = ""
    """数字不是文件规定而是建议值时，在此说明"""


class TriggerSource(Strict):
    """触发：事件满足条件时启用本预案。"""

    when: When
    """CEL 条件，例如 event_grade in ["I", "II"]；总是启用写 true"""


class GradeRuleSource(Strict):
    """定级规则：满足条件的事件，级别不低于 at_least（只抬高，不压低，由人确认）。"""

    when: When
    """CEL 条件，例如 kind == "cac_notice" """
    at_least: Grade
    """不低于哪一级：I 特别重大，II 重大，III 较大，IV 一般"""
    basis: Items[BasisSource] = ()
    """依据"""
    proposal: Text = ""
    """不是文件规定而是建议时，在此说明"""


class LadderSource(Strict):
    """本预案的提醒阶梯：某些级别的事件，没有自写 steps 的时钟用这些步骤代替默认步骤。"""

    grades: OneOrMany[Grade]
    """适用的事件级别，例如 [I, II]；一个级别只能出现一次"""
    steps: Items[StepSource]
    """提醒步骤，写法同时钟的 steps；时限太短走不到的步骤自动省去"""
    proposal: Text = ""
    """数字的来历；文件没有规定时写明是建议值"""


class VariableSource(Strict):
    """变量：一处写值，预案里用 $名字 引用；参数集可以改它的值。"""

    value: str | int | float
    """值：时限写 PT4H 或 5 个工作日，条件里用的写数字或文字"""
    about: Name
    """是什么，单位是什么"""
    basis: Items[BasisSource] = ()
    """依据"""
    proposal: Text = ""
    """不是文件规定而是建议值时，在此说明"""


class ReviewStepSource(Strict):
    """审核的一道：谁审，占剩余时间的几成。"""

    name: Name
    """哪一道，例如 初审"""
    by: Name
    """由谁审，例如 部门分管负责人；各道须不同人"""
    share: Percent
    """占审核可用时间的百分比；各道之和不超过 100%"""


class ReviewSource(Strict):
    """发布前的审核链（三审）：稿件送审后按它走，各道各有时限；保密审查总是同时进行。"""

    steps: Items[ReviewStepSource]
    """各道审核，按先后"""
    checks: Items[Name] = ()
    """同时做的审查，例如 保密审查"""
    disclosure: Items[Name] = ()
    """公开属性可选的值，例如 主动公开"""
    basis: Items[BasisSource] = ()
    """依据"""
    proposal: Text = ""
    """不是文件规定而是建议值的部分，在此说明"""


class TaskSource(Strict):
    """任务：启用预案后要做的一件事。"""

    name: Name
    """做什么"""
    role: Role | None = None
    """由哪个值班角色牵头"""
    owner: Text = ""
    """由哪个单位负责，例如 涉事责任部门"""
    due: Amount | None = None
    """多久内完成，例如 PT1H 或 3 个工作日；不写不设期限"""
    since: StartEvent | None = None
    """due 从何时算起，例如 occurrence；不写：任务自启用预案，事后任务自办结"""
    evidence: EvidenceKind | None = None
    """办结时要留的凭据；没有它，任务未核销，事件不能办结"""
    when: When | None = None
    """只在此条件（CEL）下才要做；不写则预案启用即要做"""
    basis: Items[BasisSource] = ()
    """依据"""
    proposal: Text = ""
    """期限不是文件规定而是建议值时，在此说明"""


class CounterSource(Strict):
    """年度计数或定期事项（合规日历）：每个周期至少几次，或何时以前完成。"""

    id: Ident
    """标识"""
    name: Name
    """事项"""
    every: Literal["month", "quarter", "half_year", "year", "two_years", "once"]
    """周期：month 月，quarter 季，half_year 半年，year 年，two_years 两年，once 一事一次"""
    at_least: Annotated[int, Field(ge=1, le=1000)] = 1
    """每个周期至少几次"""
    until: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")] | None = None
    """周期里的最后一天，月-日，例如 03-31；不写即周期末"""
    within: Amount | None = None
    """从 since 起多久内，例如 20 个工作日"""
    since: Text = ""
    """within 从何时算起，例如 作出行政决定之日"""
    share: Percent | None = None
    """占比的下限，例如考核权重 4%"""
    owner: Text = ""
    """由谁负责"""
    counts: Register | None = None
    """记入哪一本台账，例如 training；登记这一种即计数，不写则登记时写明 counter"""
    basis: Items[BasisSource] = ()
    """依据"""
    proposal: Text = ""
    """不是文件规定而是建议时，在此说明"""


class NotifySource(Strict):
    """通报：同时告诉别的部门。"""

    to: Name
    """通报给谁，例如 宣传部"""
    together_with: OneOrMany[Name] = ()
    """与谁同步通报，例如 网信办"""
    skew: Duration | None = None
    """同步允许相差多久，例如 PT10M（建议值）"""
    evidence: EvidenceKind | None = None
    """每一方要留的回执，例如 report_receipt"""
    basis: Items[BasisSource] = ()
    """依据"""


class KindSource(Strict):
    """某类舆情必须怎么办，凭什么办结（黔财办〔2017〕14号 (七)2）。"""

    kind: OpinionKind
    """舆情类别"""
    must: Text
    """必须做什么"""
    evidence: OneOrMany[EvidenceKind]
    """办结凭据，要求全部具备"""
    basis: Items[BasisSource] = ()
    """依据"""


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class PlaybookSource(Strict):
    """一个预案文件。"""

    id: Ident
    """预案标识；站点自己的预案与内置预案同名即替换它"""
    name: Name
    """预案名称"""
    version: Annotated[int, Field(ge=1)] | None = None
    """作者的版本号（可不写；系统另按内容计算版本）"""
    profile: Ident | None = None
    """只在这个参数集下启用；不写则都启用"""
    example: bool = False
    """示例：依据只有单一或二手来源，启用前须自行核对"""
    trigger: TriggerSource
    """何时启用"""
    clocks: Annotated[Items[ClockSource], Field(max_length=60)] = ()
    """时钟；最多 60 个"""
    ack_valid: Duration = timedelta(hours=2)
    """一次签收多久内不再重复提醒本人（建议值），时钟照走"""
    variables: dict[Ident, VariableSource] = Field(default_factory=dict)
    """变量：名字 → 值；时限和条件里用 $名字 引用，参数集可以改"""
    grades: Items[GradeRuleSource] = ()
    """定级规则：抬高最低级别"""
    ladder: Items[LadderSource] = ()
    """提醒阶梯：按级别代替默认步骤"""
    review: ReviewSource | None = None
    """审核链；不写用通用的"""
    notify: Items[NotifySource] = ()
    """通报"""
    tasks: Items[Annotated[TaskSource, BeforeValidator(_named, json_schema_input_type=str | TaskSource)]] = ()
    """任务清单；一项可以只写一句话"""
    kinds: Items[KindSource] = ()
    """各类舆情的办理要求"""
    after_action: Items[
        Annotated[TaskSource, BeforeValidator(_named, json_schema_input_type=str | TaskSource)]
    ] = ()
    """事后任务：办结以后要做的，各有期限"""
    counters: Items[CounterSource] = ()
    """年度计数和定期事项"""

    @model_validator(mode="before")
    @classmethod
    def _variables(cls, data: Any) -> Any:
        return filled(data)


class OverlaySource(Strict):
    """对一个时钟的调整；不写的保持不变。"""

    amount: Amount | None = None
    """新的时限；法定时钟只能更短，小时不能换成工作日"""
    start: StartEvent | None = None
    """新的起算事件；法定时钟只能更早，链式的不能改"""
    fallback: OneOrMany[StartEvent] | None = None
    """新的后备起算事件"""
    late_notice: LateNoticeSource | None = None
    """迟报切换规则；法定时钟须有依据"""
    auto: bool | None = None
    """可否自动止算；法定时钟只能改为 false（一律由人确认）"""
    basis: Items[BasisSource] = ()
    """增加的依据"""


class ProfileSource(Strict):
    """参数集：用哪些预案，各时钟取什么数。"""

    id: Ident
    """参数集标识，例如 cn-52-guizhou"""
    name: Name
    """名称"""
    extends: Ident | None = None
    """在哪个内置参数集上调整"""
    playbooks: Items[Ident] | None = None
    """启用哪些内置预案，按此顺序；不写则沿用上一层"""
    variables: dict[Ident, str | int | float] = Field(default_factory=dict)
    """按变量名改值；法定的只能更严"""
    clocks: dict[Ident, OverlaySource] = Field(default_factory=dict)
    """按时钟标识调整；同一标识的时钟都受影响"""
    example: bool = False
    """示例：依据只有单一或二手来源，启用前须自行核对；用到它的站点会被提醒"""


def compile_(clock: ClockSource, ladder: LadderSource | None = None) -> ClockRule:
    """The core's rule for a clock of a playbook, under the ladder of a grade where there is one."""
    return ClockRule(
        id=clock.id,
        name=clock.name,
        amount=clock.amount,
        start=StartEvent.AFTER if isinstance(clock.start, ChainSource) else clock.start,
        evidence=frozenset(clock.stop.evidence),
        steps=_laddered(clock, ladder)
        if ladder
        else tuple(step_rule(s, by_default(clock)) for s in clock.steps),
        fallback=clock.fallback,
        late_notice=_late(clock.late_notice),
        repeat=clock.repeat,
        repeat_rung=clock.repeat_rung,
        basis=tuple(_basis(basis) for basis in all_basis(clock)),
        statutory=clock.statutory,
        auto=clock.stop.auto,
        after=clock.start.after if isinstance(clock.start, ChainSource) else "",
    )


def by_default(clock: ClockSource) -> bool:
    """Has its author left the steps to the ladder?"""
    return clock.steps == DEFAULT_STEPS


def _laddered(clock: ClockSource, ladder: LadderSource) -> tuple[StepRule, ...]:
    """The ladder's steps that come before the limit, and the limit itself."""
    fits = [step for step in ladder.steps if _comes_before(step, least(clock.amount))]
    return tuple(step_rule(step) for step in fits)


def _comes_before(step: StepSource, limit: timedelta) -> bool:
    return all(length is None or length < limit for length in (step.before, step.after))


def step_rule(step: StepSource, default: bool = False) -> StepRule:
    """What an author wrote stays; of the default ladder the steps before due give way."""
    yields = default and step.before is not None
    return StepRule(rung=step.rung, fraction=step.at, before=step.before, after=step.after, yields=yields)


def _late(late: LateNoticeSource | None) -> LateNotice | None:
    return LateNotice(late.threshold, late.start, late.amount) if late else None


def _basis(basis: BasisSource) -> Basis:
    return Basis(basis.doc, basis.article, basis.fact or "")


def all_basis(clock: ClockSource) -> tuple[BasisSource, ...]:
    """A clock's own basis and that of its late-notice rule."""
    return (*clock.basis, *(clock.late_notice.basis if clock.late_notice else ()))
