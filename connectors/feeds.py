"""Feeds and pages → signals: fetched politely, parsed in isolation, told in plain words.

Reading is three steps that can be called apart: `poll` fetches, `parse_isolated` parses under a wall
limit in a process of its own, `parse` is the parser itself (xmlfeed, jsonfeed or pages).
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx2

from connectors import encodings, entries, http, isolation, jsonfeed, pages, xmlfeed
from connectors.ports import Refused
from connectors.times import parse_when
from models.core.moment import iso
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

PARSE_LIMIT_S = 10.0
QUICK_S = 2.0  # what takes longer goes to the slow lane, so that it holds up nobody else
QUICK_BYTES = 2_000_000
MEMORY_OF_IDS = 100  # ids remembered to see whether two polls overlap


@dataclass(frozen=True, slots=True)
class FeedSource:
    """A feed, or a page with its rule (`select`: the fields of `pages.Rule`), as the site registers it."""

    id: str
    name: str
    url: str
    medium: Medium = Medium.NEWS
    select: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the next poll must know of the last one. Plain data: `asdict` and `feed_state`."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    last_ids: tuple[str, ...] = ()
    ttl_s: float | None = None


def feed_state(plain: Mapping[str, Any]) -> FeedState:
    """What `asdict` gave, back from JSON; what belongs to others is left aside."""
    known = {name: value for name, value in plain.items() if name in FeedState.__dataclass_fields__}
    return FeedState(**known | {"last_ids": tuple(known.get("last_ids") or ())})


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll. `gap`: nothing overlaps the last poll, so entries may have scrolled off unseen.
    `wish_s`: seconds until the source itself expects to be asked again, where it says so."""

    batch: Batch
    state: FeedState
    unchanged: bool
    gap: bool = False
    wish_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body says: its entries, and its `ttl_s` in seconds where it states one."""

    batch: Batch = field(default_factory=Batch)
    ttl_s: float | None = None


async def poll(
    source: FeedSource,
    state: FeedState,
    guard: http.Guard,
    *,
    now: datetime | None = None,
    client: httpx2.AsyncClient | None = None,
    timeout_s: float = PARSE_LIMIT_S,
) -> Poll:
    """Asks a source what is new. `now` bounds believable times; `client` is shared when given.

    Raises ports.Unreachable (try again, `retry_after`) or ports.Refused (mend the source first).
    """
    page = await http.fetch(guard, source.url, http.conditional(state.etag, state.last_modified), client)
    if page.status == 304:
        return Poll(Batch(), state, unchanged=True, wish_s=_wish(page, state.ttl_s))
    digest = hashlib.sha256(page.body).hexdigest()
    fresh = replace(
        state,
        etag=page.headers.get("etag"),
        last_modified=page.headers.get("last-modified"),
        body_hash=digest,
    )
    if digest == state.body_hash:
        return Poll(Batch(), fresh, unchanged=True, wish_s=_wish(page, state.ttl_s))
    reading = await _read(source, page, now, timeout_s)
    ids = [signal.external_id for signal in reading.batch.signals]
    known = replace(fresh, last_ids=_remembered(ids) or state.last_ids, ttl_s=reading.ttl_s)
    gap = bool(state.last_ids and ids) and not _overlap(ids, state.last_ids)
    return Poll(reading.batch, known, unchanged=False, gap=gap, wish_s=_wish(page, reading.ttl_s))


def _remembered(ids: Sequence[str]) -> tuple[str, ...]:
    """Marks of the first and the last ids: some feeds begin with the newest, some with the oldest."""
    half = MEMORY_OF_IDS // 2
    chosen = ids if len(ids) <= MEMORY_OF_IDS else [*ids[:half], *ids[-half:]]
    return tuple(map(_mark, chosen))


def _overlap(ids: Sequence[str], last: Sequence[str]) -> bool:
    """Is any of the remembered among these? Earlier versions remembered the ids themselves."""
    known = set(last)
    return any(name in known or _mark(name) in known for name in ids)


def _mark(external_id: str) -> str:
    """An id in twelve letters: enough to see an overlap, and small for thousands of sources."""
    return hashlib.sha256(external_id.encode("utf-8", "replace")).hexdigest()[:12]


def _wish(page: http.Page, ttl_s: float | None) -> float | None:
    return max((wish for wish in (http.max_age(page.headers), ttl_s) if wish), default=None)


# ── in a process of its own ───────────────────────────────────────────────────────────────────


@functools.cache
def _pool(lane: str) -> isolation.Pool:
    pool = isolation.Pool("connectors.feeds:isolated_job", size=2 if lane == "quick" else 1)
    atexit.register(pool.close)
    return pool


@functools.cache
def _threads(lane: str) -> ThreadPoolExecutor:
    # one for each process: who waits for a parser waits here and not among the loop's own threads
    return ThreadPoolExecutor(2 if lane == "quick" else 1, thread_name_prefix=f"parse-{lane}")


async def _read(source: FeedSource, page: http.Page, now: datetime | None, timeout_s: float) -> Reading:
    """In the quick lane first; what is large, or was not done in time there, in the slow one."""
    request = _request(page.headers.get("content-type"), source, page.url, now)
    ask = asyncio.get_running_loop().run_in_executor
    if timeout_s > QUICK_S and len(page.body) <= QUICK_BYTES:
        try:
            return await ask(_threads("quick"), _isolated, "quick", request, page.body, QUICK_S)
        except isolation.TooSlow:
            pass  # not yet a verdict: the machine may be busy
    try:
        return await ask(_threads("slow"), _isolated, "slow", request, page.body, timeout_s)
    except isolation.Cut as cut:
        raise _hostile(page.url, cut) from None


def parse_isolated(
    body: bytes, content_type: str | None, source_id: str, url: str,
    *, medium: Medium = Medium.NEWS, now: datetime | None = None, select: Mapping[str, str] | None = None,
    timeout_s: float = PARSE_LIMIT_S,
) -> Batch:  # fmt: skip
    """`parse` in a process that is killed after `timeout_s` seconds. Raises Refused, as `parse` does."""
    source = FeedSource(source_id, source_id, url, medium, select)
    try:
        return _isolated("slow", _request(content_type, source, url, now), body, timeout_s).batch
    except isolation.Cut as cut:
        raise _hostile(url, cut) from None


def _hostile(url: str, cut: isolation.Cut) -> Refused:
    return Refused(f"{http.shown(url)} 的内容解析不了：{cut}；内容畸形或带有攻击，请查看对方网站")


def _request(content_type: str | None, source: FeedSource, url: str, now: datetime | None) -> dict[str, Any]:
    return {
        "content_type": content_type,
        "source_id": source.id,
        "url": url,
        "medium": source.medium.value,
        "now": iso(now) if now else None,
        "select": dict(source.select) if source.select else None,
    }


def _isolated(lane: str, request: dict[str, Any], body: bytes, timeout_s: float) -> Reading:
    answer = _pool(lane).run(request, body, timeout_s)
    if "refused" in answer:
        raise Refused(answer["refused"])
    signals = tuple(_from_wire(row) for row in answer["signals"])
    return Reading(Batch(signals, tuple(Rejected(**row) for row in answer["rejected"])), answer["ttl_s"])


def isolated_job(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What runs in the isolated process: a request in plain data → a Reading in plain data."""
    try:
        reading = _reading(
            body, request["content_type"], request["source_id"], request["url"],
            Medium(request["medium"]), parse_when(request["now"]), request["select"],
        )  # fmt: skip
    except Refused as refused:
        return {"refused": str(refused)}
    return {
        "signals": [_to_wire(signal) for signal in reading.batch.signals],
        "rejected": [asdict(row) for row in reading.batch.rejected],
        "ttl_s": reading.ttl_s,
    }


def _to_wire(signal: RawSignal) -> dict[str, Any]:
    row = {name: getattr(signal, name) for name in RawSignal.__dataclass_fields__}
    return {**row, "published_at": iso(signal.published_at) if signal.published_at else None}


def _from_wire(row: dict[str, Any]) -> RawSignal:
    at = row["published_at"]
    return RawSignal(
        **{**row, "medium": Medium(row["medium"]), "published_at": datetime.fromisoformat(at) if at else None}
    )


# ── the parser itself ─────────────────────────────────────────────────────────────────────────


def parse(
    body: bytes, content_type: str | None, source_id: str, url: str,
    *, medium: Medium = Medium.NEWS, now: datetime | None = None, select: Mapping[str, str] | None = None,
) -> Batch:  # fmt: skip
    """A feed's or a page's bytes → its entries, every one either a signal or rejected with a reason.

    Raises Refused when this is no feed at all, saying what it looks like instead. Unbounded in
    time: for bytes from outside use `parse_isolated`.
    """
    return _reading(body, content_type, source_id, url, medium, now, select).batch


def _reading(
    body: bytes, content_type: str | None, source_id: str, url: str,
    medium: Medium, now: datetime | None, select: Mapping[str, str] | None,
) -> Reading:  # fmt: skip
    text, place = encodings.decode(body, _charset(content_type)), http.shown(url)
    if not text.strip():
        raise Refused(f"{place} 的回答是空的，不是订阅源；请核对地址")
    found, ttl_s = _entries(text, place, url, select, now)
    return Reading(entries.to_batch(found, place, source_id, medium, now), ttl_s)


def _entries(
    text: str, place: str, url: str, select: Mapping[str, str] | None, now: datetime | None
) -> tuple[Sequence[entries.Entry | Rejected], float | None]:
    if select:
        return pages.read(text, place, url, select, now), None
    items = jsonfeed.read(text, place, url)
    return (items, None) if items is not None else xmlfeed.read(text, place, url)


def _charset(content_type: str | None) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type or "", re.IGNORECASE)
    return found[1] if found else None
