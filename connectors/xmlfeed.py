"""RSS and Atom in every dialect → entries. The only home of feedparser.

Unbounded in time: for bytes from outside it runs in the isolated process of `connectors.feeds`.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime
from io import BytesIO
from typing import Any

import feedparser  # type: ignore[import-untyped]

from connectors import plaintext
from connectors.entries import MAX_TITLE, Entry, joined
from connectors.ports import Refused
from connectors.times import parse_when
from models.core.moment import CST

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")
_ZONED = re.compile(r"(?:Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2})\)?\s*$")
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}


def read(text: str, place: str, url: str) -> tuple[list[Entry], float | None]:
    """The entries, and the seconds for which the feed says that it stays as it is (ttl), if it does.

    `place`: the address in words. Raises Refused when this is no feed at all, saying what it looks
    like instead.
    """
    feed = _parsed(text, place)
    if not feed.get("version"):
        raise Refused(f"{place} 是{looks_like(text)}，不是订阅源；请核对地址")
    return [_entry(entry, url) for entry in feed.entries], _ttl_s(feed.get("feed") or {})


def _parsed(text: str, place: str) -> Any:
    # decoded here by our own rules, so feedparser is told UTF-8 and nothing else
    data = _XML_DECLARATION.sub("", text, count=1).lstrip().encode("utf-8", "replace")
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        return feedparser.parse(
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
        why = f"{type(error).__name__}: {str(error)[:120]}"
        raise Refused(f"{place} 的内容解析不了（{why}）；请核对地址，或联系对方修正") from None


def looks_like(text: str, content_type: str | None = None) -> str:
    """What a text that is no feed seems to be, for the message."""
    head = text.lstrip()[:2_000].lower()
    if head.startswith(("<!doctype html", "<html")) or "<body" in head or "<head" in head:
        return " HTML 网页"
    if head[:1] in "{[":
        return " JSON 数据"
    if head.startswith("<"):
        root = re.search(r"<([a-z][\w:.-]{0,60})", head)
        return f"根元素为 <{root[1]}> 的 XML" if root else "没有元素的 XML"
    return "既非 RSS、Atom 也非 JSON Feed 的文本"


def _ttl_s(head: Any) -> float | None:
    """RSS <ttl> in minutes, or the syndication module's period over its frequency."""
    ttl = str(head.get("ttl") or "").strip()
    if ttl.isascii() and ttl.isdigit() and len(ttl) < 8:
        return int(ttl) * 60.0
    period = _PERIODS.get(str(head.get("sy_updateperiod") or "").strip().lower())
    often = str(head.get("sy_updatefrequency") or "1").strip()
    times = int(often) if often.isascii() and often.isdigit() and len(often) < 6 else 1
    return period / max(times, 1) if period else None


def _entry(entry: Any, url: str) -> Entry:
    texts = [entry.get("summary") or "", *(part.get("value") or "" for part in entry.get("content") or ())]
    comments = str(entry.get("slash_comments") or "")
    return Entry(
        guid=plaintext.clean(str(entry.get("id") or "")),
        # joined here and not by feedparser, which would join ids too: an id must outlive a new address
        link=joined(url, str(entry.get("link") or "")),
        title=plaintext.from_html(entry.get("title") or "", MAX_TITLE),
        body=max((plaintext.from_html(text) for text in texts), key=len),
        author=plaintext.clean(str(entry.get("author") or ""), 200),
        published_at=_time(entry, "published") or _time(entry, "updated") or _time(entry, "created"),
        metrics={"comments": int(comments)} if _is_count(comments) else {},
    )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _time(entry: Any, name: str) -> datetime | None:
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
