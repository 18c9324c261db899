"""Prefect's side of a site: deployments by module path, duties run as flows, the story projected.

Runs as a process of its own (`huiying serve`). When it is gone the clock loop does the same duties
without it; when Prefect's server is gone this process waits and says so on the board.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import structlog
from prefect import get_client, tags
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.exceptions import PrefectException
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from flows.duty import SLOW, due_names
from flows.processes.automations import TAG, automations, ensure
from flows.processes.deployed import FLOWS, SAFETY_NET, house_of
from flows.processes.projector import BATCH, project
from flows.wiring import House
from models.ledger import duties
from models.ledger.store import LedgerError

log = structlog.get_logger()
BEAT_S = 5.0
PAUSE_S = 0.5
AWAY_S = 3.0
ONCE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""A second run of the same duty would only learn that the first has it."""
AWAY = (httpx.HTTPError, PrefectException, OSError, RuntimeError)
"""What Prefect's client raises when its server is away; RuntimeError where it was never there since we began."""


async def serve(site: Path) -> None:
    """Register the deployments and work until cancelled."""
    house = house_of(str(site))
    async with asyncio.TaskGroup() as group:
        group.create_task(_runner(site))
        group.create_task(_flows(house, site))
        group.create_task(_story(house))


async def _runner(site: Path) -> None:
    """The deployments, with Prefect's own schedule as a safety net and a button in its page; and what the
    server does about runs that nobody ends (flows/processes/automations.py)."""
    while True:
        try:
            async with get_client() as client:
                await ensure(client, automations())
            runner = Runner(name="huiying", limit=1, pause_on_shutdown=False)
            for name, flow in FLOWS.items():
                deployment = await flow.ato_deployment(
                    name="huiying",
                    interval=SAFETY_NET if name in SLOW else None,
                    parameters={"site": str(site)},
                    entrypoint_type=EntrypointType.MODULE_PATH,
                    tags=[TAG, name],
                    concurrency_limit=ONCE,
                )
                await runner.aadd_deployment(deployment)
            await runner.start()
        except AWAY as error:
            log.warning("prefect is away; the clock loop goes on without it", reason=str(error))
            await asyncio.sleep(AWAY_S)


async def _flows(house: House, site: Path) -> None:
    """Run each slow duty as a flow the moment it is due."""
    while True:
        try:
            for name in await asyncio.to_thread(due_names, house, SLOW):
                with tags(TAG, name):
                    await FLOWS[name](site=str(site))
        except (*AWAY, LedgerError) as error:
            log.warning("a flow could not run; the clock loop takes its duty", reason=str(error))
            await asyncio.sleep(AWAY_S)
        await asyncio.sleep(PAUSE_S)


async def _story(house: House) -> None:
    """Project the journal, and beat: the beat is what the board shows as Prefect's last good time."""
    told, beaten = 0, float("-inf")
    loop = asyncio.get_running_loop()
    while True:
        try:
            async with get_client() as client:
                await client.hello()
                count = BATCH
                while count == BATCH:
                    count = await project(house, client)
                    told += count
                    if loop.time() - beaten > BEAT_S:
                        await asyncio.to_thread(_beat, house, await _in_words(client, told))
                        beaten = loop.time()
        except AWAY as error:
            with contextlib.suppress(LedgerError):
                await asyncio.to_thread(_beat, house, "", f"Prefect 无应答: {error}")
            await asyncio.sleep(AWAY_S)
        except LedgerError as error:
            log.warning("the database is away", reason=str(error))
            await asyncio.sleep(AWAY_S)
        await asyncio.sleep(1.0)


async def _in_words(client: PrefectClient, told: int) -> str:
    """How Prefect is, for the board; runs that broke off are named, for nobody else would look."""
    broken = await _count(
        client, {"state": {"type": {"any_": ["CRASHED"]}}, "end_time": {"after_": _yesterday()}}
    )
    said = f"，近一天中断 {broken} 次（已自动再做，请看 Prefect 页面）" if broken else ""
    return f"{client.api_url}，已记 {told} 条{said}"


def _yesterday() -> str:
    return (datetime.now(UTC) - timedelta(days=1)).isoformat()


async def _count(client: PrefectClient, which: dict[str, Any]) -> int:
    answer = await client.request("POST", "/flow_runs/count", json={"flow_runs": which})
    return int(answer.json())


def _beat(house: House, detail: str, error: str | None = None) -> None:
    with house.store.write() as conn:
        duties.beat(conn, "prefect", house.time.now(), detail, error)
