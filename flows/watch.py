"""Watch: our own official channels, seen publishing. What answers an open incident is proposed as
evidence; where the match is sure and the playbook allows, it stops the clock (law 8).

Read (a polite poll, then what was published and what is open) → decide (`core.answers`) → append. What
was proposed once is never proposed again, so that every part may be repeated after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors import http
from flows.collecting.feeding import AILING_AT_ONCE, AT_ONCE, Round
from flows.collecting.intake import Tally, due_sources
from flows.watching.compared import compare_released
from flows.watching.matters import Matters
from flows.watching.pages_read import DATE_ONLY, Item, PageReader
from flows.watching.recheck import on_duty, recheck
from flows.wiring import House
from models.core.answers import Answer, OpenIncident, answers
from models.core.moment import clock_face, iso, parse_iso
from models.core.publications import kind_of
from models.ledger import duties, incidents, notices, proposals
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.proposals import Found
from models.ledger.store import Connection, Row

TOPIC = "evidence-proposed"
MARK = "watch"
"""The setting that says how far publications have been compared (`signal`), when (`at`), and which are
compared again because their page could not be read yet (`again`)."""
BACK = timedelta(days=7)
"""How old a publication may be that is compared with an incident opened since."""
UNREAD_FOR = timedelta(hours=6)
"""So long a publication whose page cannot be read is compared again."""
DAY = timedelta(days=1)
MOST = 500
"""Publications of one round, of each sort: the new ones that are left over come next."""


@dataclass
class Seen:
    """What one round of comparing made."""

    proposed: int = 0
    stopped: int = 0
    cut: str = ""

    def __str__(self) -> str:
        return f"建议 {self.proposed}，自动止算 {self.stopped}" + (f"；{self.cut}" if self.cut else "")


async def watch(house: House) -> str:
    """Poll the official channels that are due, compare what they published, look again at evidence,
    and at our own statements against what was approved."""
    tally = Tally()
    due = list(due_sources(house, house.site.sources.official))
    async with http.open_client(house.guard, AT_ONCE + AILING_AT_ONCE) as client:
        if due:
            round_ = Round(house, client, tally, house.site.sources.official, "official")
            await round_.go(due)
        seen = await compare(house)
        looked = await recheck(house, client)
        checked = await compare_released(house, client)
    return "；".join(filter(None, (str(tally), str(seen), looked, checked)))


# ── what is compared ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Work:
    """Publications since the last round (with those whose page is still to be read) against all open
    incidents; earlier ones against those that were opened, or grew, since."""

    new: Sequence[Row[Any]] = ()
    earlier: Sequence[Row[Any]] = ()
    about: Sequence[OpenIncident] = ()
    stirred: Collection[str] = ()
    done_to: int = 0
    cut: str = ""

    def pairs(self, items: Sequence[Item]) -> Iterator[tuple[Item, Sequence[OpenIncident]]]:
        ids = {row.id for row in self.new}
        moved = [one for one in self.about if one.id in self.stirred]
        return ((item, self.about if item.row.id in ids else moved) for item in items)


async def compare(house: House) -> Seen:
    """Match, propose, and stop what may be stopped."""
    house.pages = house.pages or PageReader()
    house.matters = house.matters or Matters()
    now = house.time.now()
    work = await asyncio.to_thread(_read, house, house.matters, now)
    items = await house.pages.whole(house, [*work.new, *work.earlier]) if work.about else []
    return await asyncio.to_thread(_decide, house, work, items, now)


def _read(house: House, matters: Matters, now: datetime) -> Work:
    ours = [one.id for one in house.site.sources.official]
    with house.store.read() as conn:
        mark = duties.get_setting(conn, MARK) or {"signal": 0, "at": iso(now - BACK)}
        done_to = proposals.newest_signal(conn)
        if not proposals.any_published(conn, ours, now - BACK):
            return Work(done_to=done_to)
        about = matters.open(conn, now)
        if not about:
            return Work(done_to=done_to)
        stirred = proposals.stirred(conn, parse_iso(mark["at"]))
        since = max(now - BACK, min(one.started_at for one in about) - DAY)
        fresh = proposals.published(conn, ours, mark["signal"], since, MOST + 1)
        again = proposals.published_again(conn, ours, mark.get("again", []), since)
        old = proposals.published_before(conn, ours, mark["signal"], since, MOST + 1) if stirred else []
    known = {row.id for row in again}
    earlier = [row for row in old[:MOST] if row.id not in known]
    if len(fresh) > MOST:  # what is left over is the next round's, and nothing behind it is done
        done_to = fresh[MOST - 1].id
    return Work([*fresh[:MOST], *again], earlier, about, stirred, done_to, _cut(fresh, old))


def _cut(fresh: Sequence[Row[Any]], old: Sequence[Row[Any]]) -> str:
    """What this round leaves out, in words (law 12)."""
    said = [f"新发布超过 {MOST} 条，其余下一轮接着比对"] if len(fresh) > MOST else []
    if len(old) > MOST:
        said.append(f"此前的发布只比对了最近 {MOST} 条，更早的请人工核对")
    return "，".join(said)


# ── what is made of it ───────────────────────────────────────────────────────────────────────────


def _decide(house: House, work: Work, items: Sequence[Item], now: datetime) -> Seen:
    found = [
        _found(house, item, answer)
        for item, about in work.pairs(items)
        for answer in answers(item.publication, about, house.judge.rarity)
    ]
    seen = Seen(cut=work.cut)
    mark = {"signal": work.done_to, "at": iso(now), "again": _unread(items, now)}
    with house.store.write() as conn:
        known = proposals.known(conn, {one.incident_id for one in found})
        for one in found:
            if (one.incident_id, one.item) not in known:
                known.add((one.incident_id, one.item))
                _put(conn, house, now, one, seen)
        proposals.lapse(conn, now)
        proposals.follow_merges(conn, now)
        duties.put_setting(conn, MARK, mark)
    return seen


def _unread(items: Sequence[Item], now: datetime) -> list[int]:
    """What came in lately and could not be read yet, the newest of it."""
    unread = {int(item.row.id) for item in items if item.unread and now - item.row.seen_at < UNREAD_FOR}
    return sorted(unread)[-MOST:]


def _found(house: House, item: Item, answer: Answer) -> Found:
    row, source = item.row, _source(house, item.row.source_id)
    kind, why = kind_of(row.title, item.text)
    return Found(
        incident_id=answer.incident_id,
        source_id=row.source_id,
        url=row.url,
        title=row.title,
        text=item.text,
        publisher=(source.publisher or source.name) if source else row.author or row.source_id,
        account=source.account if source else None,
        kind=kind,
        published_at=item.published_at,
        seen_at=row.seen_at,
        score=answer.score,
        sure=answer.sure and source is not None and DATE_ONLY not in item.doubts,
        reasons=(*answer.reasons, why, *item.doubts),
    )


def _source(house: House, source_id: str) -> Any:
    """The registered channel; None when it is no longer registered."""
    return next((one for one in house.site.sources.official if one.id == source_id), None)


def _put(conn: Connection, house: House, now: datetime, found: Found, seen: Seen) -> None:
    """Propose it; use it at once where everything allows that."""
    proposal_id = proposals.propose(conn, now, found)
    seen.proposed += 1
    waits = proposals.would_stop(conn, found)
    with suppress(NotAllowed):  # a rule may forbid the machine what a person may still do
        if proposals.may_use(conn, now, found, house.rules_for):
            seen.stopped += bool(proposals.use(conn, now, proposal_id, found, house.rules_for))
            return
    if waits:
        _tell(conn, house, now, proposal_id, found)


def _tell(conn: Connection, house: House, now: datetime, proposal_id: str, found: Found) -> None:
    """A clock goes on although its answer may be out: those on duty are to look."""
    ref = incidents.get(conn, found.incident_id).ref
    notice = Notice(
        topic=TOPIC,
        occasion=f"{clock_face(found.published_at)} {proposal_id[:6]}",
        title=f"{ref} 有一条官方发布待确认为凭据",
        reason=f"{found.publisher}发布“{found.title}”，像是在回应本事件；请打开事件页采信或不采信，确认前时钟照走",
        people=on_duty(house, (1,), now),
        incident_id=found.incident_id,
    )
    notices.tell(conn, now, [notice])
