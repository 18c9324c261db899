"""What Prefect's server does by itself about our runs: the silent, the stuck and the late are ended, the crashed
are done again.

A run that died with its machine stays Running for Prefect, and a deployment that allows one run at a time would
never run again. No clock depends on it (the ledger's lease ends by itself), but Prefect's page must not lie and
its pool must not stand still. Doing a run again is harmless: each asks the ledger first whether it is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, RunDeployment
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

TAG: Final = "huiying"
RUN: Final = "prefect.flow-run."
HEARTBEAT: Final = RUN + "heartbeat"
ENDED: Final = frozenset(RUN + name for name in ("Completed", "NotNeeded", "Failed", "Cancelled", "Crashed"))
"""The names of states that a run of ours does not leave (flows/processes/deployed.py names one of its own)."""
PREFIX: Final = "回应 · "
"""Automations whose name begins so are ours to put right; all others are left alone."""


Whose: TypeAlias = ResourceSpecification | dict[str, str | list[str]]
"""What a run is related to: Prefect's own two ways to say it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run may stay so; `again` is the wait before a crashed one is done once more."""

    silent: timedelta = timedelta(seconds=90)
    """Three heartbeats of PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30, which deploy/ sets."""
    pending: timedelta = timedelta(minutes=10)
    running: timedelta = timedelta(minutes=15)
    late: timedelta = timedelta(minutes=10)
    again: timedelta = timedelta(seconds=30)


def automations(patience: Patience = Patience()) -> tuple[AutomationCore, ...]:
    """Ours, each with the words that its run will bear."""
    return (
        _stuck(
            "失去心跳的运行记为中断",
            {HEARTBEAT},
            {HEARTBEAT, *ENDED},
            patience.silent,
            StateType.CRASHED,
            "没有心跳：进程或机器已经不在；所做的工作由租约到期后的另一进程接手",
            [_tagged(), _deployed()],  # those that `huiying serve` runs itself end before their heartbeat arrives
        ),
        _stuck(
            "起不来的运行记为中断",
            {RUN + "Pending"},
            {RUN + "Running", *ENDED},
            patience.pending,
            StateType.CRASHED,
            "领走后一直没有开始；请看工作池的进程和镜像",
        ),
        _stuck(
            "运行过久的记为中断",
            {RUN + "Running"},
            set(ENDED),
            patience.running,
            StateType.CRASHED,
            "运行得太久；这项工作由 huiying worker 照常做",
        ),
        _stuck(
            "迟到过久的运行取消",
            {RUN + "Late"},
            {RUN + "Pending", RUN + "Running", *ENDED},
            patience.late,
            StateType.CANCELLED,
            "没有工作池来领；下一次照表再来，不补旧的",
        ),
        AutomationCore(
            name=PREFIX + "中断的运行再做一次",
            description="再做无害：每次运行先问台账是否还需要",
            trigger=EventTrigger(
                expect={RUN + "Crashed"},
                match=_runs(),
                match_related=[_tagged(), _deployed()],
                for_each={"prefect.resource.id"},
                posture=Posture.Reactive,
            ),
            actions=[RunDeployment(source="inferred", deployment_id=None, parameters=None, job_variables=None,
                                   schedule_after=patience.again)],
        ),
    )  # fmt: skip


def _stuck(
    name: str,
    after: set[str],
    expect: set[str],
    within: timedelta,
    state: StateType,
    words: str,
    whose: list[Whose] | None = None,
) -> AutomationCore:
    """When none of `expect` has followed one of `after` within that time, the run is put into `state`."""
    trigger = EventTrigger(
        after=after,
        expect=expect,
        match=_runs(),
        match_related=whose or [_tagged()],
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=within,
    )
    does: list[ActionTypes] = [ChangeFlowRunState(name=None, state=state, message=words, force=False)]
    return AutomationCore(name=PREFIX + name, description=words, trigger=trigger, actions=does)


def _runs() -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.id": RUN + "*"})


def _tagged() -> ResourceSpecification:
    return ResourceSpecification(
        {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
    )


def _deployed() -> ResourceSpecification:
    return ResourceSpecification({"prefect.resource.role": "deployment"})


async def ensure(client: PrefectClient, wanted: tuple[AutomationCore, ...]) -> int:
    """Make the server have exactly these of ours; how many were made, mended or removed. One that somebody has
    paused in Prefect's page stays paused. Raises what Prefect's client raises."""
    there = [one for one in await client.read_automations() if one.name.startswith(PREFIX)]
    changed = 0
    for ours in wanted:
        found = [one for one in there if one.name == ours.name]
        changed += await _put(client, ours, found)
    names = {one.name for one in wanted}
    for former in (one for one in there if one.name not in names):
        await client.delete_automation(former.id)
        changed += 1
    return changed


async def _put(client: PrefectClient, ours: AutomationCore, found: list[Automation]) -> int:
    """Two processes that start at once may each have made one: the first is kept."""
    for double in found[1:]:
        await client.delete_automation(double.id)
    if not found:
        await client.create_automation(ours)
        return 1
    if _shape(found[0]) == _shape(ours):
        return len(found) - 1
    await client.update_automation(found[0].id, ours.model_copy(update={"enabled": found[0].enabled}))
    return len(found)


def _shape(one: AutomationCore) -> dict[str, Any]:
    """What must agree; whether it is paused is for whoever looks after Prefect to say."""
    return AutomationCore.model_validate(one.model_dump()).model_dump(exclude={"enabled"})
