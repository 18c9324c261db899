"""Recheck: does what stopped a clock still stand? The pages of evidence are taken as proof, and looked
at again; one that is gone or rewritten opens its clocks again, and those on duty are told (law 8).

A page that cannot be seen proves nothing: it is tried again, and the incident's page says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx2

from connectors import warc
from connectors.manners import Manners
from connectors.watch import Sight, look
from flows.wiring import House
from models.core.escalate import next_reachable
from models.core.rechecking import Finding, Look, judge
from models.core.roster import Person
from models.core.vocabulary import PageState
from models.ledger import captures, incidents, notices, proving
from models.ledger.captures import Page
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row

AT_MOST, AT_ONCE = 60, 6
GAP_S = 0.2
TOPIC = "evidence-page"


async def recheck(house: House, client: httpx2.AsyncClient) -> str:
    """Look at every page that is due; a line of what was found, "" when nothing was due."""
    rows = await asyncio.to_thread(_due, house)
    if not rows:
        return ""
    gate, manners = asyncio.Semaphore(AT_ONCE), Manners(2, GAP_S)

    async def one(row: Row[Any]) -> tuple[Row[Any], Sight]:
        async with manners.turn(row.url), gate:
            return row, await look(house.guard, row.url, house.time.now(), client)

    seen = await asyncio.gather(*map(one, rows))
    found = await asyncio.to_thread(lambda: [_settle(house, row, sight) for row, sight in seen])
    return "凭据页 " + "，".join(f"{state.zh} {count}" for state, count in Counter(found).items())


def _due(house: House) -> Sequence[Row[Any]]:
    now = house.time.now()
    with house.store.write() as conn:
        captures.adopt(conn, now)
        return captures.due(conn, now, AT_MOST)


def _settle(house: House, row: Row[Any], sight: Sight) -> PageState:
    """One look, one transaction: what was found, what it takes back, who is told."""
    now = house.time.now()
    seen = Look(sight.state, now, sight.text, sight.text_sha256, sight.why)
    with house.store.write() as conn:
        taken = captures.first_text(conn, row.id)
        first, began = taken if taken else (None, row.seen_at)
        finding = judge(seen, first, began, captures.course(row))
        captures.note(conn, now, row, _page(sight), finding)
        freed = _take_back(conn, house, now, row, finding) if finding.retract else []
        if finding.tell:
            _tell(conn, house, now, row, finding, sight, freed)
    return finding.state


def _page(sight: Sight) -> Page:
    return Page(sight.status, sight.text, sight.page_sha256, sight.text_sha256, sight.warc, warc.MEDIA_TYPE)


def _take_back(conn: Connection, house: House, now: datetime, row: Row[Any], finding: Finding) -> list[str]:
    reason = f"凭据页面{finding.state.zh}，相隔十分钟两次核对一致: {finding.note}"
    try:
        return proving.retract(conn, now, row.incident_id, row.id, "huiying", reason, house.rules_for)
    except NotAllowed:
        return []  # withdrawn by a person meanwhile, or its incident was merged: nothing to add


def _tell(
    conn: Connection,
    house: House,
    now: datetime,
    row: Row[Any],
    finding: Finding,
    sight: Sight,
    freed: Sequence[str],
) -> None:
    """Those on duty; for a proof that is lost, the rung above as well."""
    incident = incidents.get(conn, row.incident_id)
    rungs = (1, 2) if finding.retract else (1,)
    opened = f"；重新计时: {'、'.join(freed)}" if freed else ""
    wish = "请核对后重新发布或登记新凭据" if finding.retract else "请看改动是否要紧，要紧就撤回这份凭据"
    notice = Notice(
        topic=TOPIC,
        occasion=f"{row.id[:6]} {finding.state.value} {(sight.text_sha256 or '')[:6]}".strip(),
        title=f"{incident.ref} 的凭据页面{finding.state.zh}",
        reason=f"{row.url} {finding.note}{opened}；{wish}",
        people=on_duty(house, rungs, now),
        incident_id=row.incident_id,
    )
    notices.tell(conn, now, [notice])


def on_duty(house: House, rungs: Sequence[int], now: datetime) -> Sequence[Person]:
    """Those on duty on these rungs, each once; where nobody is, whoever can be reached next."""
    roster = house.site.roster
    found = {person.id: person for rung in rungs for person in roster.on_duty(rung, now)}
    return tuple(found.values()) or next_reachable(roster, 1, now, ())
