"""The duties as Prefect flows, and the only module that defines them (entrypoints are module paths).

A flow run asks the ledger first whether the duty is due and free, does it, and names itself after
what it did. Nothing waits inside a flow, and no clock depends on one.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from prefect import flow, get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.duty import DUTIES, perform
from flows.wiring import House

_houses: dict[str, House] = {}


def house_of(site: str) -> House:
    """One open House for each site in this process: classifiers are loaded once."""
    if site not in _houses:
        _houses[site] = House.open(Path(site))
    return _houses[site]


async def _run(name: str, site: str) -> State[None]:
    found = await perform(house_of(site or os.environ["HUIYING_SITE"]), name)
    words = found if found is not None else "未到时间或已由他处执行"
    await _rename(f"{TITLES[name]} · {words}")
    return Completed(message=words, name="Completed" if found is not None else "NotNeeded")


async def _rename(words: str) -> None:
    """Name the run after what it did, so that Prefect's page reads like a log."""
    run_id = flow_run.id
    if run_id:
        async with get_client() as client:
            await client.update_flow_run(run_id, name=words[:200])


TITLES = {
    "ingest": "收集",
    "triage": "研判",
    "respond": "时钟",
    "deliver": "发送",
    "watch": "官方渠道",
    "audit": "审计",
}


@flow(name="ingest", description="信源与工单 → 线索", retries=0)
async def ingest(site: str = "") -> State[None]:
    return await _run("ingest", site)


@flow(name="triage", description="线索 → 研判、归并、定级、立案", retries=0)
async def triage(site: str = "") -> State[None]:
    return await _run("triage", site)


@flow(name="respond", description="到点的节点 → 提醒", retries=0)
async def respond(site: str = "") -> State[None]:
    return await _run("respond", site)


@flow(name="deliver", description="提醒 → 渠道", retries=0)
async def deliver(site: str = "") -> State[None]:
    return await _run("deliver", site)


@flow(name="watch", description="官方渠道的发布 → 凭据", retries=0)
async def watch(site: str = "") -> State[None]:
    return await _run("watch", site)


@flow(name="audit", description="检查全部时钟与提醒", retries=0)
async def audit(site: str = "") -> State[None]:
    return await _run("audit", site)


FLOWS = {
    "ingest": ingest,
    "triage": triage,
    "respond": respond,
    "deliver": deliver,
    "watch": watch,
    "audit": audit,
}
assert FLOWS.keys() == DUTIES.keys()

SAFETY_NET = timedelta(minutes=5)
"""How often Prefect's own schedule looks in; each run first asks whether it is still needed."""
