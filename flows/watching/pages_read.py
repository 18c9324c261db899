"""The pages of our own publications, read where the channel gave a headline or a date only.

What was read is kept in memory for as long as it may be compared again, so that nobody is asked twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from connectors import http
from connectors.manners import Manners
from connectors.watch import Sight, look
from flows.wiring import House
from models.core.answers import Publication
from models.core.moment import local
from models.core.vocabulary import PageState
from models.ledger.store import Row

SHORT = 120
"""A text of so many characters is a summary: the page itself is read."""
AT_MOST, AT_ONCE = 30, 4
KEPT = 1_000
AGAIN = timedelta(minutes=10)
"""A page that could not be seen is asked for again after so long."""
GAP_S = 0.2


@dataclass(frozen=True, slots=True)
class Item:
    """A publication of ours as it is compared: the signal, the fullest text of it, its best time.

    `doubts`: what is uncertain about it, in words. `unread`: its page should be read and was not yet.
    """

    row: Row[Any]
    text: str
    published_at: datetime
    doubts: tuple[str, ...] = ()
    unread: bool = False

    @property
    def publication(self) -> Publication:
        return Publication(self.row.title, self.text, self.published_at)


@dataclass
class PageReader:
    """One for each process (`House.pages`)."""

    _kept: dict[str, tuple[datetime, Sight]] = field(default_factory=dict)

    async def whole(self, house: House, rows: Sequence[Row[Any]]) -> list[Item]:
        """The publications, with their pages read as far as that was possible now."""
        now = house.time.now()
        wanted = [row.url for row in rows if _is_brief(row) and self._is_open(row.url, now)][:AT_MOST]
        if wanted:
            await self._read(house, wanted, now)
        return [_item(row, self._sight(row)) for row in rows]

    def _is_open(self, url: str | None, now: datetime) -> bool:
        if not url or not url.startswith(("http://", "https://")):
            return False
        at, sight = self._kept.get(url, (None, None))
        return at is None or (sight is not None and sight.state is PageState.UNSEEN and now - at >= AGAIN)

    def _sight(self, row: Row[Any]) -> Sight | None:
        return self._kept.get(row.url or "", (None, None))[1]

    async def _read(self, house: House, urls: Sequence[str], now: datetime) -> None:
        gate, manners = asyncio.Semaphore(AT_ONCE), Manners(2, GAP_S)

        async def one(url: str) -> Sight:
            async with manners.turn(url), gate:
                return await look(house.guard, url, now, client)

        async with http.open_client(house.guard, AT_ONCE) as client:
            for url, sight in zip(urls, await asyncio.gather(*map(one, urls)), strict=True):
                self._kept[url] = (now, sight)
        for old in list(self._kept)[:-KEPT]:
            del self._kept[old]


def _is_brief(row: Row[Any]) -> bool:
    return len(row.body) < SHORT or _dated_only(row.published_at)


def _dated_only(moment: datetime) -> bool:
    """Midnight sharp is what a list of dates without times gives."""
    return local(moment).time() == time(0)


def _item(row: Row[Any], sight: Sight | None) -> Item:
    """The fuller text and the exacter time of the two."""
    there = sight if sight is not None and sight.state is PageState.TAKEN else None
    unread = _is_brief(row) and bool(row.url) and (sight is None or sight.state is PageState.UNSEEN)
    text = there.text if there is not None and len(there.text) > len(row.body) else row.body
    published_at, doubts = _when(row, there)
    return Item(row, text, published_at, doubts, unread)


DATE_ONLY = "来源只写日期，时刻按见到时记，确认时请更正"


def _when(row: Row[Any], there: Sight | None) -> tuple[datetime, tuple[str, ...]]:
    if not _dated_only(row.published_at):
        return row.published_at, ()
    if there is not None and there.published_at is not None:
        return there.published_at, ("发布时刻取自页面",)
    return min(row.seen_at, row.published_at + timedelta(days=1)), (DATE_ONLY,)
