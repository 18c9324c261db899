"""The `work` section of site.yaml: how long each stage and a claim may take. All of it proposals."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from models.core.vocabulary import Stage
from playbooks.fields import Duration, Strict, refuse

CLAIM_MOST = timedelta(hours=24)
"""退回须在 24 小时内: 安阳市政务服务条例(2021) 第50条 (L-033)."""


def _within_a_day(length: timedelta) -> timedelta:
    if length > CLAIM_MOST:
        raise refuse("认领时限不能超过 24 小时（安阳市政务服务条例(2021) 50 [L-033]）", "写成 PT24H 或更短")
    return length


Claim = Annotated[Duration, AfterValidator(_within_a_day)]


class StagesSource(Strict):
    """各阶段多久内完成；写 null 则不设时限。回应阶段由预案的时钟管。"""

    collect: Duration | None = timedelta(minutes=30)
    """收集：写出收集摘要"""
    consult: Duration | None = timedelta(hours=1)
    """会商：写出纪要"""
    assess: Duration | None = timedelta(hours=1)
    """研判：写出结论"""
    evaluate: Duration | None = timedelta(days=7)
    """评估：写出效果评估"""

    def of(self, stage: Stage) -> timedelta | None:
        found: timedelta | None = getattr(self, stage.value, None)
        return found


class WorkSource(Strict):
    """办理：阶段与认领的时限（都是建议值，文件没有数字）。"""

    stages: StagesSource = StagesSource()
    """各阶段的时限，由人换到该阶段时起算"""
    claim: Claim = timedelta(hours=24)
    """交办后多久内认领或退回；超过 24 小时不能再退回（L-033）"""
    claim_urgent: Claim = timedelta(minutes=30)
    """特别重大、重大事件多久内认领"""
