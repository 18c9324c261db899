"""Compared: what stands on the pages where our statements were released, against what was approved.

A page that cannot be seen proves nothing and is tried again. Changes later on are found by `recheck`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx2

from connectors.manners import Manners
from connectors.watch import Sight, look
from flows.watching.recheck import on_duty
from flows.wiring import House
from models.core.casework import Outlet
from models.core.pagetext import READABLE
from models.core.published import Change, differences, in_words, is_there
from models.core.vocabulary import PageState
from models.ledger import incidents, notices, releases, statements
from models.ledger.notices import Notice
from models.ledger.releases import Approved
from models.ledger.store import Connection, Row

AT_MOST, AT_ONCE = 20, 4
GAP_S = 0.2
TOPIC = "statement-page"
GONE = (Change("全文", ""),)
"""What a page that is gone differs in."""


async def compare_released(house: House, client: httpx2.AsyncClient) -> str:
    """Compare every release whose round has come; a line of what was found, "" when nothing was due."""
    rows = await asyncio.to_thread(_due, house)
    if not rows:
        return ""
    gate, manners = asyncio.Semaphore(AT_ONCE), Manners(2, GAP_S)

    async def one(row: Row[Any]) -> Sight:
        async with manners.turn(row.url), gate:
            return await look(house.guard, row.url, house.time.now(), client)

    sights = await asyncio.gather(*map(one, rows))
    found = [
        await asyncio.to_thread(settle, house, row, sight) for row, sight in zip(rows, sights, strict=True)
    ]
    differ = sum(changes != () for changes in found if changes is not None)
    unseen = sum(changes is None for changes in found)
    return f"发布比对 {len(found) - unseen}，不一致 {differ}" + (f"，看不到 {unseen}" if unseen else "")


def _due(house: House) -> list[Row[Any]]:
    with house.store.read() as conn:
        return releases.due(conn, house.time.now(), AT_MOST)


def settle(house: House, release: Row[Any], sight: Sight, by: str = "huiying") -> tuple[Change, ...] | None:
    """Keep what one look found; None when the page could not be seen, so that nothing was found."""
    if unread(house, release, sight):
        return None
    return settle_text(house, release, sight.words if sight.state is PageState.TAKEN else None, by)


def unread(house: House, release: Row[Any], sight: Sight) -> str:
    """Why nothing can be said of the page; "" when it was read. What a script or a picture shows is not read."""
    if sight.state is PageState.UNSEEN:
        return sight.why
    with house.store.read() as conn:
        texts = releases.approved(conn, release).texts
    known = sight.state is PageState.GONE or any(is_there(text, sight.words) for text in texts)
    bare = not known and len(sight.text) < READABLE
    return "页面上没有可读的文字（图片或脚本）；请人工核对，或用 --file 给出页面文字" if bare else ""


def settle_text(house: House, release: Row[Any], page: str | None, by: str) -> tuple[Change, ...]:
    """The same with the page's words at hand; None: it is gone."""
    now = house.time.now()
    with house.store.write() as conn:
        approved = releases.approved(conn, release, house.site.statements.weibo)
        changes = GONE if page is None else _differs(approved, page)
        if releases.compared(conn, now, release, changes, by):
            _tell(conn, house, release, changes)
    return changes


def _differs(approved: Approved, page: str) -> tuple[Change, ...]:
    """Against the one of the approved texts that it is nearest to."""
    return min((differences(text, page, approved.besides) for text in approved.texts), key=len)


def _tell(conn: Connection, house: House, release: Row[Any], changes: Sequence[Change]) -> None:
    """Its author and those on duty: what the public reads is not what was approved."""
    now, row = house.time.now(), statements.get(conn, release.statement_id)
    author = house.site.roster.person(row.author)
    people = {person.id: person for person in (*on_duty(house, (1,), now), *filter(None, [author]))}
    told = in_words(changes)
    notice = Notice(
        topic=TOPIC,
        occasion=f"{release.id[:6]} {releases.mark(told)}",
        title=f"{incidents.get(conn, row.incident_id).ref} {Outlet(release.outlet).zh}所发与审定稿不一致",
        reason=f"{release.url}: {told}；请改正页面，或撤回后按程序另发(S-051)",
        people=tuple(people.values()),
        incident_id=row.incident_id,
    )
    notices.tell(conn, now, [notice])
