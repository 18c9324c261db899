"""JSON Feed 1.0 and 1.1 → entries. Source: https://jsonfeed.org/version/1.1"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors import plaintext
from connectors.entries import MAX_TITLE, Entry, joined, refuse
from connectors.times import parse_when
from models.core.signals import Rejected

VERSION = "https://jsonfeed.org/version/"


def read(text: str, place: str, url: str) -> list[Entry | Rejected] | None:
    """The items in order, None when the text is no JSON Feed. `url`: the address it came from;
    links are joined to it, as the standard's own addresses may be missing."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(feed, dict) or not str(feed.get("version", "")).startswith(VERSION):
        return None
    items = feed.get("items")
    base = joined(url, _words(feed.get("home_page_url") or feed.get("feed_url"))) or url
    rows: list[Any] = items if isinstance(items, list) else []
    return [_item(item, base, f"{place}#条目 {number}") for number, item in enumerate(rows, 1)]


def _item(item: Any, base: str, place: str) -> Entry | Rejected:
    if not isinstance(item, dict):
        return refuse(place, "JSON Feed 的条目应为对象，未收", item)
    return Entry(
        guid=plaintext.clean(_words(item.get("id"))),
        link=joined(base, _words(item.get("url") or item.get("external_url"))),
        title=plaintext.from_html(_words(item.get("title")), MAX_TITLE),
        body=_body(item),
        author=plaintext.clean(_author(item.get("authors") or [item.get("author")]), 200),
        published_at=_time(item),
    )


def _words(value: Any) -> str:
    """Text or a number as text (ids are numbers in old feeds); everything else is none."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _body(item: Mapping[str, Any]) -> str:
    if item.get("content_text"):
        return plaintext.clean(_words(item["content_text"]))
    return plaintext.from_html(_words(item.get("content_html")) or _words(item.get("summary")))


def _author(authors: Any) -> str:
    named: Iterable[Any] = authors if isinstance(authors, list) else ()
    return next((_words(one.get("name")) for one in named if isinstance(one, dict)), "")


def _time(item: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_when(item.get("date_published") or item.get("date_modified"))
    except ValueError:
        return None
