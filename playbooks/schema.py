"""The language of playbooks and profiles: what a YAML file may say, and what it compiles to.

Field docstrings are in Chinese because the editor shows them to authors: what it is, its unit,
its source. The shape follows the domain study 5.3.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from models.core.clock import Basis, ClockRule, LateNotice, StepRule
from models.core.vocabulary import EvidenceKind, OpinionKind, Role, StartEvent
from playbooks.fields import (
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
    StepSource.model_validate({"at": at, "rung": rung})
    for at, rung in (("50%", 1), ("75%", 2), ("90%", 3), ("100%", 4))
)
"""The warnings of the study's 5.3 (a proposal)."""


class StopSource(Strict):
    """止算：什么凭据能让时钟停下。"""

    evidence: OneOrMany[EvidenceKind]
    """凭据种类，任一即可；发布以平台时间为准"""


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


class ClockSource(Strict):
    """一个时钟：多长、从何时起、什么凭据止算、何时通知谁。小时连续计算，夜间和节假日不停。"""

    id: Ident
    """时钟标识，参数集和凭据用它指认，例如 first_statement"""
    name: Name
    """名称，例如 首次发布权威信息"""
    amount: Duration
    """时限，ISO 8601，例如 PT5H（5 小时）"""
    start: StartEvent
    """起算事件：occurrence 发生，first_public 首次公开，discovery 发现，receipt 接报，
    ack 签收，graded 定级"""
    fallback: OneOrMany[StartEvent] = ()
    """起算事件的时间不明时依次改用哪些"""
    late_notice: LateNoticeSource | None = None
    """迟报切换规则；没有就不写"""
    applies_when: When | None = None
    """只在此条件下启用（CEL）；不写则预案触发即启用"""
    steps: Items[StepSource] = DEFAULT_STEPS
    """提醒步骤；默认 50% 第 1 级，75% 第 2 级，90% 第 3 级，100% 第 4 级（建议值）"""
    repeat: Duration | None = HOUR
    """到期后每隔多久再次提醒，默认 PT1H；写 null 则不重复"""
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


class TaskSource(Strict):
    """任务：启用预案后要做的一件事。"""

    name: Name
    """做什么"""
    role: Role | None = None
    """由哪个值班角色牵头"""
    evidence: EvidenceKind | None = None
    """办结时要留的凭据"""
    basis: Items[BasisSource] = ()
    """依据"""


class NotifySource(Strict):
    """通报：同时告诉别的部门。"""

    to: Name
    """通报给谁，例如 宣传部"""
    together_with: OneOrMany[Name] = ()
    """与谁同步通报，例如 网信办"""
    skew: Duration | None = None
    """同步允许相差多久，例如 PT10M（建议值）"""
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
    trigger: TriggerSource
    """何时启用"""
    clocks: Items[ClockSource] = ()
    """时钟"""
    ack_valid: Duration = timedelta(hours=2)
    """一次签收多久内不再重复提醒本人（建议值），时钟照走"""
    notify: Items[NotifySource] = ()
    """通报"""
    tasks: Items[Annotated[TaskSource, BeforeValidator(_named, json_schema_input_type=str | TaskSource)]] = ()
    """任务清单；一项可以只写一句话"""
    kinds: Items[KindSource] = ()
    """各类舆情的办理要求"""


class OverlaySource(Strict):
    """对一个时钟的调整；不写的保持不变。"""

    amount: Duration | None = None
    """新的时限；法定时钟只能更短"""
    start: StartEvent | None = None
    """新的起算事件；法定时钟只能更早"""
    fallback: OneOrMany[StartEvent] | None = None
    """新的后备起算事件"""
    late_notice: LateNoticeSource | None = None
    """迟报切换规则；法定时钟须有依据"""
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
    clocks: dict[Ident, OverlaySource] = Field(default_factory=dict)
    """按时钟标识调整；同一标识的时钟都受影响"""


def compile_(clock: ClockSource) -> ClockRule:
    """The core's rule for a clock of a playbook."""
    return ClockRule(
        id=clock.id,
        name=clock.name,
        amount=clock.amount,
        start=clock.start,
        evidence=frozenset(clock.stop.evidence),
        steps=tuple(_step(step) for step in clock.steps),
        fallback=clock.fallback,
        late_notice=_late(clock.late_notice),
        repeat=clock.repeat,
        repeat_rung=clock.repeat_rung,
        basis=tuple(_basis(basis) for basis in all_basis(clock)),
        statutory=clock.statutory,
    )


def _step(step: StepSource) -> StepRule:
    return StepRule(rung=step.rung, fraction=step.at, before=step.before, after=step.after)


def _late(late: LateNoticeSource | None) -> LateNotice | None:
    return LateNotice(late.threshold, late.start, late.amount) if late else None


def _basis(basis: BasisSource) -> Basis:
    return Basis(basis.doc, basis.article, basis.fact or "")


def all_basis(clock: ClockSource) -> tuple[BasisSource, ...]:
    """A clock's own basis and that of its late-notice rule."""
    return (*clock.basis, *(clock.late_notice.basis if clock.late_notice else ()))
