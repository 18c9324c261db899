"""Feeds → signals: RSS and Atom in every dialect (feedparser), and JSON Feed 1.1.

Reading is three steps that can be called apart: `poll` fetches politely, `parse_isolated` parses
under a wall limit in a process of its own, `parse` is the parser itself.
"""

from __future__ import annotations

import asyncio
import atexit
import calendar
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import feedparser  # type: ignore[import-untyped]
import httpx2

from connectors import encodings, http, isolation, plaintext
from connectors.ports import Refused
from connectors.times import EARLIEST, LATEST, parse_when
from models.core.moment import CST, iso
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

PARSE_LIMIT_S = 10.0
MAX_ENTRIES = 5_000
MAX_RAW = 20_000  # characters of a rejected entry kept for the dead letters
MEMORY_OF_IDS = 200  # ids remembered to see whether two polls overlap
JSON_FEED = "https://jsonfeed.org/version/"
_AHEAD = timedelta(days=1)  # clocks of sources run fast; more than a day ahead is no publication time
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_ZONED = re.compile(r"(?:Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2})\)?\s*$")


@dataclass(frozen=True, slots=True)
class FeedSource:
    """A feed as the site registers it."""

    id: str
    name: str
    url: str
    medium: Medium = Medium.NEWS


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the next poll must know of the last one. Plain data: `asdict` and `FeedState(**…)`."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    last_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll. `gap`: nothing overlaps the last poll, so entries may have scrolled off unseen."""

    batch: Batch
    state: FeedState
    unchanged: bool
    gap: bool = False


async def poll(
    source: FeedSource,
    state: FeedState,
    guard: http.Guard,
    *,
    now: datetime | None = None,
    client: httpx2.AsyncClient | None = None,
    timeout_s: float = PARSE_LIMIT_S,
) -> Poll:
    """Asks a feed what is new. `now` bounds believable times; `client` is shared when given.

    Raises ports.Unreachable (try again, `retry_after`) or ports.Refused (mend the source first).
    """
    page = await http.fetch(guard, source.url, http.conditional(state.etag, state.last_modified), client)
    if page.status == 304:
        return Poll(Batch(), state, unchanged=True)
    digest = hashlib.sha256(page.body).hexdigest()
    fresh = replace(
        state,
        etag=page.headers.get("etag"),
        last_modified=page.headers.get("last-modified"),
        body_hash=digest,
    )
    if digest == state.body_hash:
        return Poll(Batch(), fresh, unchanged=True)
    batch = await asyncio.to_thread(
        parse_isolated, page.body, page.headers.get("content-type"), source.id, page.url,
        medium=source.medium, now=now, timeout_s=timeout_s,
    )  # fmt: skip
    ids = tuple(signal.external_id for signal in batch.signals[:MEMORY_OF_IDS])
    gap = bool(state.last_ids and ids) and not set(ids) & set(state.last_ids)
    return Poll(batch, replace(fresh, last_ids=ids or state.last_ids), unchanged=False, gap=gap)


@functools.cache
def _pool() -> isolation.Pool:
    pool = isolation.Pool("connectors.feeds:isolated_job")
    atexit.register(pool.close)
    return pool


def parse_isolated(
    body: bytes, content_type: str | None, source_id: str, url: str,
    *, medium: Medium = Medium.NEWS, now: datetime | None = None, timeout_s: float = PARSE_LIMIT_S,
) -> Batch:  # fmt: skip
    """`parse` in a process that is killed after `timeout_s` seconds. Raises Refused, as `parse` does."""
    request = {
        "content_type": content_type, "source_id": source_id, "url": url,
        "medium": medium.value, "now": iso(now) if now else None,
    }  # fmt: skip
    try:
        answer = _pool().run(request, body, timeout_s)
    except isolation.Cut as cut:
        raise Refused(
            f"{http.shown(url)}: the feed could not be parsed: {cut}; it is malformed or hostile, look at its source"
        ) from None
    if "refused" in answer:
        raise Refused(answer["refused"])
    signals = tuple(_from_wire(row) for row in answer["signals"])
    return Batch(signals, tuple(Rejected(**row) for row in answer["rejected"]))


def isolated_job(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What runs in the isolated process: a request in plain data → a Batch in plain data."""
    try:
        batch = parse(
            body, request["content_type"], request["source_id"], request["url"],
            medium=Medium(request["medium"]), now=parse_when(request["now"]),
        )  # fmt: skip
    except Refused as refused:
        return {"refused": str(refused)}
    return {
        "signals": [_to_wire(signal) for signal in batch.signals],
        "rejected": [asdict(row) for row in batch.rejected],
    }


def _to_wire(signal: RawSignal) -> dict[str, Any]:
    return {**asdict(signal), "published_at": iso(signal.published_at) if signal.published_at else None}


def _from_wire(row: dict[str, Any]) -> RawSignal:
    at = row["published_at"]
    return RawSignal(
        **{**row, "medium": Medium(row["medium"]), "published_at": datetime.fromisoformat(at) if at else None}
    )


def parse(
    body: bytes, content_type: str | None, source_id: str, url: str,
    *, medium: Medium = Medium.NEWS, now: datetime | None = None,
) -> Batch:  # fmt: skip
    """A feed's bytes → its entries, every one either a signal or rejected with a reason.

    Raises Refused when this is no feed at all, saying what it looks like instead. Unbounded in
    time: for bytes from outside use `parse_isolated`.
    """
    text = encodings.decode(body, _charset(content_type))
    entries = _json_entries(text)
    if entries is None:
        entries = _xml_entries(text, content_type, url)
    signals, rejected = [], []
    for number, entry in enumerate(entries, 1):
        place = f"{http.shown(url)}#entry {number}"
        if number > MAX_ENTRIES:
            rejected.append(
                _reject(place, f"only the first {MAX_ENTRIES} entries of one poll are read", entry)
            )
        elif not (entry["title"] or entry["body"]):
            rejected.append(_reject(place, "the entry has neither a title nor a text", entry))
        else:
            signals.append(_signal(entry, source_id, medium, now))
    return Batch(tuple(signals), tuple(rejected))


def _reject(place: str, reason: str, entry: Mapping[str, Any]) -> Rejected:
    return Rejected(place, reason, json.dumps(entry, ensure_ascii=False, default=str)[:MAX_RAW])


def _charset(content_type: str | None) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type or "", re.IGNORECASE)
    return found[1] if found else None


def _signal(entry: Mapping[str, Any], source_id: str, medium: Medium, now: datetime | None) -> RawSignal:
    return RawSignal(
        source_id=source_id,
        external_id=_external_id(entry),
        medium=medium,
        title=entry["title"],
        body=entry["body"],
        url=entry["link"] or None,
        author=entry["author"] or None,
        published_at=_believable(entry["published_at"], now),
        metrics=entry["metrics"],
    )


def _external_id(entry: Mapping[str, Any]) -> str:
    """guid, else link, else a hash of the words; one too long to store becomes its hash."""
    named = entry["guid"] or entry["link"]
    if named and len(named) <= 500:
        return str(named)
    words = named or "\x1f".join((entry["title"], entry["body"]))
    return "sha256:" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:40]


def _believable(moment: datetime | None, now: datetime | None) -> datetime | None:
    if moment is None or not EARLIEST <= moment.year < LATEST:
        return None
    return None if now is not None and moment > now + _AHEAD else moment


def _xml_entries(text: str, content_type: str | None, url: str) -> list[dict[str, Any]]:
    if not text.strip():
        raise Refused(f"{http.shown(url)}: the answer is empty, not a feed; check the address")
    # decoded here by our own rules, so feedparser is told UTF-8 and nothing else
    data = _XML_DECLARATION.sub("", text, count=1).lstrip().encode("utf-8", "replace")
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        feed = feedparser.parse(
            BytesIO(data), response_headers=headers, resolve_relative_uris=False, sanitize_html=False
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        AssertionError,
        RecursionError,
    ) as error:
        # feedparser's loose parser can trip over what no feed contains; that is the feed's fault
        raise Refused(
            f"{http.shown(url)}: cannot be parsed ({type(error).__name__}: {str(error)[:120]})"
        ) from None
    if not feed.get("version"):
        raise Refused(
            f"{http.shown(url)}: this is {_looks_like(text, content_type)}, not a feed; check the address"
        )
    return [_xml_entry(entry, url) for entry in feed.entries]


def _looks_like(text: str, content_type: str | None) -> str:
    head = text.lstrip()[:2_000].lower()
    if head.startswith(("<!doctype html", "<html")) or "<body" in head or "<head" in head:
        return "an HTML page"
    if head[:1] in "{[":
        return "JSON"
    if head.startswith("<"):
        root = re.search(r"<([a-z][\w:.-]{0,60})", head)
        return f"XML with the root <{root[1]}>" if root else "XML without any element"
    kind = (content_type or "").partition(";")[0].strip()
    return f"{kind or 'text'} that is neither RSS, Atom nor JSON Feed"


def _xml_entry(entry: Any, url: str) -> dict[str, Any]:
    texts = [entry.get("summary") or "", *(part.get("value") or "" for part in entry.get("content") or ())]
    comments = str(entry.get("slash_comments") or "")
    return {
        "guid": plaintext.clean(str(entry.get("id") or "")),
        # joined here and not by feedparser, which would join ids too: an id must outlive a new address
        "link": _joined(url, str(entry.get("link") or "")),
        "title": plaintext.from_html(entry.get("title") or "", 1_000),
        "body": max((plaintext.from_html(text) for text in texts), key=len),
        "author": plaintext.clean(str(entry.get("author") or ""), 200),
        "published_at": _xml_time(entry, "published")
        or _xml_time(entry, "updated")
        or _xml_time(entry, "created"),
        "metrics": {"comments": int(comments)} if comments.isascii() and comments.isdigit() else {},
    }


def _joined(base: str, link: str) -> str:
    """A link made absolute; one that is no URL at all stays as it was written."""
    try:
        return plaintext.clean(urljoin(base, link) if link else "", 2_000)
    except ValueError:
        return plaintext.clean(link, 2_000)


def _xml_time(entry: Any, name: str) -> datetime | None:
    """feedparser's own reading where a zone is written; ours (Beijing time) where none is."""
    written, parts = dict.get(entry, name), dict.get(entry, f"{name}_parsed")
    if written and (parts is None or not _ZONED.search(written.strip())):
        try:
            return parse_when(written)
        except ValueError:
            return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), CST) if parts else None
    except (ValueError, OverflowError, OSError):
        return None


def _json_entries(text: str) -> list[dict[str, Any]] | None:
    """The items of a JSON Feed, None when the text is none."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(feed, dict) or not str(feed.get("version", "")).startswith(JSON_FEED):
        return None
    items = feed.get("items")
    base = str(feed.get("home_page_url") or feed.get("feed_url") or "")
    return (
        [_json_entry(item, base) for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else []
    )


def _json_entry(item: Mapping[str, Any], base: str) -> dict[str, Any]:
    words = item.get("content_text") or item.get("content_html") or item.get("summary") or ""
    link = str(item.get("url") or item.get("external_url") or "")
    return {
        "guid": plaintext.clean(str(item.get("id") or "")),
        "link": _joined(base, link),
        "title": plaintext.from_html(str(item.get("title") or ""), 1_000),
        "body": plaintext.from_html(str(words))
        if not item.get("content_text")
        else plaintext.clean(str(words)),
        "author": plaintext.clean(_json_author(item.get("authors") or [item.get("author")]), 200),
        "published_at": _json_time(item),
        "metrics": {},
    }


def _json_author(authors: Any) -> str:
    named: Iterable[Any] = authors if isinstance(authors, list) else ()
    return next((str(one.get("name") or "") for one in named if isinstance(one, dict)), "")


def _json_time(item: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_when(item.get("date_published") or item.get("date_modified"))
    except ValueError:
        return None
