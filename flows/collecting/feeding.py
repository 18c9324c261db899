"""Feeds and pages: polled side by side, each on its own rhythm; a slow one holds up no other.

Read (a polite poll) → decide (the rhythm, the outage) → append (signals and the source's state in one
transaction, many sources to a transaction when many are done at once).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors import addresses, http, polling, robots
from connectors.feeds import FeedSource, Poll, feed_state, poll
from connectors.manners import Manners, host_of
from connectors.polling import Seen
from connectors.ports import ConnectorError, Refused, Unreachable
from flows.collecting import privacy
from flows.collecting.intake import RHYTHM, WAIT, Tally, bad_row, bounds_of, due_sources, good_row, rhythm_of
from flows.collecting.scribe import Counts, Scribe
from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.ledger import duties
from models.ledger.store import Connection, Row

AT_ONCE, AILING_AT_ONCE = 64, 16
"""Polls at once; those that failed last time have places of their own, so that they fill no others'."""
PATIENCE_S = 3.0
"""Real seconds after which a poll gives up its place, though it goes on: the next need not wait for it."""
IN_FLIGHT = 256
"""Polls at once with those that have given up their place."""
ROUND_S = 30.0
"""Real seconds for which a round goes on taking up what becomes due, while others still answer."""
LOOK_S = 1.0
ROBOTS = "robots"
ROBOTS_FRESH = timedelta(hours=24)
LONGEST_GAP_S = 10.0
"""What a host's Crawl-delay may ask for."""
NETWORK = "network"
"""The duty under which our own way to the outside is noted."""
OUTAGE_RETRY = timedelta(minutes=1)
NEIGHBOURS = 3
NEIGHBOUR_S = 5.0

Due = tuple[Any, Row[Any] | None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one source: `found` or `error`, and what its robots.txt says."""

    source: Any
    row: Row[Any] | None
    found: Poll | None = None
    error: ConnectorError | None = None
    rules: dict[str, Any] | None = None

    @property
    def reached(self) -> bool:
        return not isinstance(self.error, Unreachable) or self.error.reached


async def ingest_feeds(house: House, tally: Tally) -> None:
    """One round over the feeds and pages that are due.

    Raises LedgerError when what came in could not be written: it is read again then.
    """
    due = list(due_sources(house, house.site.sources.feeds))
    if not due:
        return
    async with http.open_client(house.guard, IN_FLIGHT) as client:
        await Round(house, client, tally, house.site.sources.feeds).go(due)


@dataclass
class Round:
    """What is due starts at once and is written as it comes in; the round ends with the last of it."""

    house: House
    client: httpx2.AsyncClient
    tally: Tally
    registered: Sequence[Any]
    kind: str = "feed"
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _asking: set[str] = field(default_factory=set)
    _reached: set[str] = field(default_factory=set)
    _unreached: list[Heard] = field(default_factory=list)
    _rules: dict[str, asyncio.Task[robots.Robots]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        said = self.house.site.http
        self._manners = Manners(said.per_host, said.host_gap.total_seconds())
        self._own = {addresses.canonical_host(host) for host in said.ignore_robots}
        self._places = {False: asyncio.Semaphore(AT_ONCE), True: asyncio.Semaphore(AILING_AT_ONCE)}
        self._flight = asyncio.Semaphore(IN_FLIGHT)
        self._scribe = Scribe(self.house.store, self._note)

    async def go(self, due: Sequence[Due]) -> None:
        """The whole round. Failures are charged whatever became of the rest: a source that nobody notes
        as failing would be silent without a word."""
        try:
            await self.run(due)
        finally:
            await self.settle()

    async def run(self, due: Sequence[Due]) -> None:
        """Poll these, and what becomes due meanwhile, until nothing is left or the round's time is up."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + ROUND_S
        try:
            self._begin(due)
            while waiting := [task for task in self._tasks.values() if not task.done()]:
                await asyncio.wait(waiting, timeout=LOOK_S)
                if loop.time() < ends_at:
                    self._begin(await asyncio.to_thread(self._newly_due))
                else:
                    self._call_off()
        finally:
            await _end([*self._tasks.values(), *self._rules.values()])
        _raise_first(self._tasks.values())

    def _begin(self, due: Iterable[Due]) -> None:
        for source, row in due:
            self._asking.discard(source.id)
            self._tasks[source.id] = asyncio.create_task(self._one(source, row))

    def _newly_due(self) -> list[Due]:
        """Not those at work, nor those whose failure is still to be judged."""
        busy = {name for name, task in self._tasks.items() if not task.done()}
        busy |= {heard.source.id for heard in self._unreached}
        due = due_sources(self.house, self.registered)
        return [(source, row) for source, row in due if source.id not in busy]

    def _call_off(self) -> None:
        """Those still waiting for their turn are left to the next round, first come first."""
        for name, task in self._tasks.items():
            if name not in self._asking:
                task.cancel()

    async def _one(self, source: Any, row: Row[Any] | None) -> None:
        rules = _rules_kept(source, row)
        gap_s = min((rules or {}).get("delay_s") or 0.0, LONGEST_GAP_S)
        ailing = bool(row and row.errors)
        async with self._manners.turn(source.url, gap_s), self._flight:
            async with self._places[ailing]:
                self._asking.add(source.id)
                asking = asyncio.create_task(self._ask(source, row, rules))
                try:
                    await asyncio.wait({asking}, timeout=PATIENCE_S)
                except asyncio.CancelledError:
                    asking.cancel()
                    raise
            heard = await asking
        if heard.reached:
            self._reached.add(_origin(source.url))
            await self._write(heard)
        else:
            self._unreached.append(heard)  # it may be our own network: judged at the end

    async def _ask(self, source: Any, row: Row[Any] | None, rules: dict[str, Any] | None) -> Heard:
        select = source.select.model_dump() if source.select else None
        asked = FeedSource(source.id, source.name, source.url, source.medium, select)
        now = self.house.time.now()
        try:
            rules = await self._rules_for(source, rules, now)
            _check(source.url, rules)
            state = feed_state(row.state if row else {})
            found = await poll(asked, state, self.house.guard, now=now, client=self.client)
        except ConnectorError as error:
            return Heard(source, row, error=error, rules=rules)
        return Heard(source, row, found, rules=rules)

    # ── robots.txt ────────────────────────────────────────────────────────────────────────────

    async def _rules_for(
        self, source: Any, known: dict[str, Any] | None, now: datetime
    ) -> dict[str, Any] | None:
        """What robots.txt says of this address, asked once a day; None for the site's own hosts."""
        if host_of(source.url) in self._own:
            return None
        if known is None or parse_iso(known["until"]) <= now:
            return await self._fresh_rules(source.url, known, now)
        return known

    async def _fresh_rules(self, url: str, old: dict[str, Any] | None, now: datetime) -> dict[str, Any]:
        asking = self._rules.get(_origin(url))
        if asking is None:  # one question for all sources of a host
            asking = asyncio.create_task(robots.ask(self.house.guard, url, self.client))
            self._rules[_origin(url)] = asking
        try:
            said = await asyncio.shield(asking)
        except Unreachable:
            if old is None:
                raise
            return old  # as long as they cannot be had, the last known rules hold
        until = iso(now + ROBOTS_FRESH * self.house.time.speed)
        return {"url": url, "until": until, "forbidden": said.forbids(url), "delay_s": said.delay_s}

    # ── what is noted ─────────────────────────────────────────────────────────────────────────

    async def _write(self, heard: Heard) -> None:
        """What cannot be stored is its source's failure. Raises when not even that can be written."""
        try:
            counts = await self._scribe.put(heard)
        except Exception as error:  # noqa: BLE001  whatever it is, it is noted or raised again
            heard, counts = await self._not_stored(heard, error), {}
        if heard.error is not None:
            self.tally.failed.append(f"{heard.source.name}: {heard.error}")
        self.tally.add(counts)

    async def _not_stored(self, heard: Heard, why: Exception) -> Heard:
        words = f"读到的内容存不进数据库（{why}）；请核对数据库和日志，这个信源隔一阵再读"
        failed = replace(heard, found=None, error=Refused(words))
        try:
            await self._scribe.put(failed)
        except Exception:  # noqa: BLE001  it is the database that is away
            raise why from None
        return failed

    def _note(self, conn: Connection, heard: Heard) -> Counts:
        """Signals and the feed's new state go in together, so that a crash repeats the poll whole."""
        house, source, now = self.house, heard.source, self.house.time.now()
        said = {ROBOTS: heard.rules} if heard.rules else {}
        if heard.found is None:
            assert heard.error is not None
            row = bad_row(source, self.kind, heard.row, heard.error, now, house.time.speed)
            duties.put_source(conn, row | {"state": row["state"] | said})
            return {}
        counts = privacy.take_in(house, conn, heard.found.batch, source.id)
        seen = Seen(counts["accepted"], counts["duplicate"], heard.found.gap)
        bounds = bounds_of(source)
        rhythm = polling.after_good(rhythm_of(heard.row), seen, bounds, now)
        wait = polling.wait_after_good(rhythm, bounds, (heard.found.wish_s or 0.0) * house.time.speed)
        learned = {RHYTHM: polling.kept(rhythm), WAIT: wait.total_seconds()}
        state = asdict(heard.found.state) | learned | said
        duties.put_source(conn, good_row(source, self.kind, source.url, now, state, wait))
        return counts

    # ── is it our own network? ────────────────────────────────────────────────────────────────

    async def settle(self) -> None:
        """Charge the failures to their sources, or to our own network when nobody at all was reached."""
        unreached = {_origin(heard.source.url) for heard in self._unreached}
        if unreached and not self._reached:
            asked = self._neighbours(unreached)
            self._reached |= await self._answering(asked)
            unreached |= set(asked) - self._reached
        if polling.own_outage(self._reached, unreached):
            await asyncio.to_thread(self._note_outage)
            return
        await asyncio.gather(*(self._write(heard) for heard in self._unreached))
        if self._reached:
            await asyncio.to_thread(self._note_network, "", f"{len(self._reached)} 个主机有应答")

    def _neighbours(self, asked: set[str]) -> list[str]:
        registered = self.house.site.sources
        urls = [feed.url for feed in registered.feeds] + [own.url for own in registered.official]
        return [origin for origin in dict.fromkeys(map(_origin, urls)) if origin not in asked][:NEIGHBOURS]

    async def _answering(self, origins: Sequence[str]) -> set[str]:
        """Those where somebody takes a connection."""
        guard = self.house.guard
        there = await asyncio.gather(
            *(addresses.answers(one, guard.allow_hosts, guard.resolver, NEIGHBOUR_S) for one in origins)
        )
        return {origin for origin, is_there in zip(origins, there, strict=True) if is_there}

    def _note_outage(self) -> None:
        words = f"本机网络中断：{len(self._unreached)} 个信源都连不上，未计入它们的错误；请检查本机网络与 DNS"
        self.tally.failed.append(words)
        self._note_network(words, "")

    def _note_network(self, error: str, detail: str) -> None:
        now = self.house.time.now()
        with self.house.store.write() as conn:
            duties.beat(conn, NETWORK, now, detail, error or None)
            for heard in self._unreached if error else ():
                duties.put_source(
                    conn, _untouched(heard, self.kind, now, OUTAGE_RETRY * self.house.time.speed)
                )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _rules_kept(source: Any, row: Row[Any] | None) -> dict[str, Any] | None:
    """What was learned of this address; another address must be asked about anew."""
    kept: dict[str, Any] | None = (row.state or {}).get(ROBOTS) if row else None
    return kept if kept and kept.get("url") == source.url else None


def _check(url: str, rules: dict[str, Any] | None) -> None:
    """Raises Refused when robots.txt forbids the address."""
    if rules is not None and rules["forbidden"]:
        raise Refused(
            f"{http.shown(url)} 的 robots.txt 不许访问（Disallow: {rules['forbidden'][:100]}）；"
            "请换地址或征得对方同意，本单位自己的主机写进 site.yaml 的 http.ignore_robots"
        )


def _untouched(heard: Heard, kind: str, now: datetime, wait: timedelta) -> dict[str, Any]:
    """A source's row as it was, but for the time of the next try."""
    row, source = heard.row, heard.source
    kept = {} if row is None else dict(row._mapping)
    fresh = good_row(source, kind, source.url, now, {}) | {"last_good_at": None}
    return fresh | kept | {"last_tried_at": now, "due_at": now + min(wait, source.every)}


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Nothing outlives the round, nor the client it speaks through."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_first(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
