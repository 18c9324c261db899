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
from flows.holders import bury
from flows.wiring import House

_houses: dict[str, House] = {}


def house_of(site: str) -> House:
    """One open House for each site in this process: classifiers are loaded once. What a run that died on this
    machine still held is freed first."""
    if site not in _houses:
        _houses[site] = House.open(Path(site))
        bury(_houses[site])
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
    "handover": "交接班",
    "reach": "联络测试",
    "plans": "监测方案",
    "bursts": "突增",
    "cadence": "续报节奏",
    "registers": "台账",
    "keeping": "保存",
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


@flow(name="handover", description="换班 → 交接摘要、接班通知；到时的稍后提醒", retries=0)
async def handover(site: str = "") -> State[None]:
    return await _run("handover", site)


@flow(name="reach", description="今晚值班 → 联络测试及其结论", retries=0)
async def reach(site: str = "") -> State[None]:
    return await _run("reach", site)


@flow(name="plans", description="命中的监测方案 → 通知负责人", retries=0)
async def plans(site: str = "") -> State[None]:
    return await _run("plans", site)


@flow(name="bursts", description="多于往常的线索 → 立案或升温", retries=0)
async def bursts(site: str = "") -> State[None]:
    return await _run("bursts", site)


@flow(name="cadence", description="热度变化 → 时钟启停；补设工作日时钟", retries=0)
async def cadence(site: str = "") -> State[None]:
    return await _run("cadence", site)


@flow(name="registers", description="逾期 → 建议督办、问责；年度计数 → 提醒", retries=0)
async def registers(site: str = "") -> State[None]:
    return await _run("registers", site)


@flow(name="keeping", description="备好以后各月的分区；到期的月份 → 归档文件", retries=0)
async def keeping(site: str = "") -> State[None]:
    return await _run("keeping", site)


@flow(name="audit", description="检查全部时钟与提醒", retries=0)
async def audit(site: str = "") -> State[None]:
    return await _run("audit", site)


FLOWS = {
    "ingest": ingest,
    "triage": triage,
    "respond": respond,
    "deliver": deliver,
    "watch": watch,
    "handover": handover,
    "reach": reach,
    "plans": plans,
    "bursts": bursts,
    "cadence": cadence,
    "registers": registers,
    "keeping": keeping,
    "audit": audit,
}
assert FLOWS.keys() == DUTIES.keys()

SAFETY_NET = timedelta(minutes=5)
"""How often Prefect's own schedule looks in; each run first asks whether it is still needed."""
