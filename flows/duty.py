"""The duties of a site and how often each is due; `perform` does one if it is due and nobody has it.

The same `perform` is called by the embedded loop, by a bare worker and by Prefect's flow runs, so
that whoever is alive does the work and nobody does it twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from connectors.http import Guard, fetch
from connectors.ports import ConnectorError
from flows import timekeeping
from flows.audit import findings
from flows.cadence import cadence
from flows.deliver import deliver
from flows.holders import ME
from flows.ingest import ingest
from flows.judging.bursts import look
from flows.judging.planning import tell_owners
from flows.keeping.archives import keep
from flows.office.supervision import keep_registers
from flows.respond import respond
from flows.telling import alarm
from flows.telling.handover import hand_over
from flows.telling.reach import reach
from flows.triage import triage
from flows.watch import watch
from flows.wiring import House
from models.ledger import duties
from models.ledger.store import LedgerError, Row

log = structlog.get_logger()

SOONEST_S = 1.0
"""However fast a demonstration runs, a duty is not repeated within a real second."""
LEASE = timedelta(minutes=3)
RETRY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class DutySpec:
    """A recurring piece of work: its period in the site's time, and what does it."""

    name: str
    every: timedelta
    work: Callable[[House], Awaitable[str]]


async def _ingest(house: House) -> str:
    return str(await ingest(house))


async def _triage(house: House) -> str:
    return str(await asyncio.to_thread(triage, house))


async def _respond(house: House) -> str:
    found = await asyncio.to_thread(respond, house)
    return f"发出 {found.steps} 个节点，{found.alerts} 条提醒"


async def _deliver(house: House) -> str:
    found = await asyncio.to_thread(deliver, house)
    return f"送达 {found.accepted}，未达 {found.refused}"


async def _watch(house: House) -> str:
    return await watch(house)


async def _handover(house: House) -> str:
    return await asyncio.to_thread(hand_over, house)


async def _reach(house: House) -> str:
    return await asyncio.to_thread(reach, house)


async def _plans(house: House) -> str:
    return await asyncio.to_thread(tell_owners, house)


async def _bursts(house: House) -> str:
    return await asyncio.to_thread(look, house)


async def _cadence(house: House) -> str:
    return await asyncio.to_thread(cadence, house)


async def _registers(house: House) -> str:
    return await asyncio.to_thread(keep_registers, house)


async def _keeping(house: House) -> str:
    return await asyncio.to_thread(keep, house)


async def _audit(house: House) -> str:
    await asyncio.to_thread(timekeeping.keep, house.time)
    found = await asyncio.to_thread(findings, house)
    await asyncio.to_thread(alarm.speak, house, alarm.InDatabase(house), found)
    if found:
        raise LedgerError("；".join(finding.words for finding in found))
    return "全部时钟与提醒正常" + await _heartbeat(house)


async def _heartbeat(house: House) -> str:
    """Tell an outside watcher that all is well; its silence is what it will alarm about (law 13)."""
    url = house.site.heartbeat.url
    if url is None:
        return ""
    host = urlsplit(url).hostname or ""
    guard = Guard(allow_hosts=house.guard.allow_hosts | {host}, deadline_s=10.0, max_body=2**16)
    await fetch(guard, url)
    return "；心跳已送"


DUTIES = {
    spec.name: spec
    for spec in (
        DutySpec("ingest", timedelta(seconds=15), _ingest),
        DutySpec("triage", timedelta(seconds=3), _triage),
        DutySpec("respond", timedelta(seconds=1), _respond),
        DutySpec("deliver", timedelta(seconds=1), _deliver),
        DutySpec("watch", timedelta(seconds=60), _watch),
        DutySpec("handover", timedelta(seconds=15), _handover),
        DutySpec("reach", timedelta(seconds=60), _reach),
        DutySpec("plans", timedelta(seconds=30), _plans),
        DutySpec("bursts", timedelta(seconds=60), _bursts),
        DutySpec("cadence", timedelta(minutes=5), _cadence),
        DutySpec("registers", timedelta(minutes=10), _registers),
        DutySpec("keeping", timedelta(hours=1), _keeping),
        DutySpec("audit", timedelta(seconds=60), _audit),
    )
}
EVERY_SECOND = ("respond", "deliver")
"""The sweep and the senders: the clock loop's own."""
SLOW = tuple(name for name in DUTIES if name not in EVERY_SECOND)
"""What Prefect's flows do where they are alive, and the clock loop where they are not."""


async def perform(house: House, name: str, by: str = ME) -> str | None:
    """Do the duty if it is due and free; its one-line result, or None when there was nothing to do.

    A failure is recorded on the duty (the board names it) and told in the result; it never escapes,
    so that one bad duty stops no other.
    """
    spec = DUTIES[name]
    pace = house.time.speed
    with house.store.write() as conn:
        if not duties.take(conn, name, house.time.now(), LEASE * pace, by):
            return None
    try:
        detail = await spec.work(house)
    except Exception as error:
        if not isinstance(error, LedgerError | ConnectorError):
            log.error("an unexpected fault in a duty", duty=name, exc_info=True)
        await asyncio.to_thread(_note_failure, house, name, str(error) or repr(error))
        return f"失败: {error}"
    with house.store.write() as conn:
        now = house.time.now()
        duties.done(conn, name, now, now + max(spec.every, timedelta(seconds=SOONEST_S * pace)), by, detail)
    return detail


def _note_failure(house: House, name: str, error: str) -> None:
    now = house.time.now()
    with house.store.write() as conn:
        duties.failed(conn, name, now, now + RETRY * house.time.speed, error)


def due_names(house: House, names: tuple[str, ...]) -> list[str]:
    """Which of these duties are due and held by nobody at this moment (cheap: one read)."""
    now = house.time.now()
    with house.store.read() as conn:
        known = {row.name: row for row in duties.all_duties(conn)}
    return [name for name in names if _is_due(known.get(name), now)]


def _is_due(row: Row[Any] | None, now: datetime) -> bool:
    if row is None or row.due_at is None:
        return True
    return bool(row.due_at <= now and (row.leased_until is None or row.leased_until <= now))


def overdue(house: House, name: str, grace: timedelta) -> bool:
    """Has this duty waited longer than `grace`? Then whoever is alive takes it."""
    with house.store.read() as conn:
        row = next((row for row in duties.all_duties(conn) if row.name == name), None)
    return row is None or row.due_at is None or row.due_at + grace <= house.time.now()
