"""A page without a feed → entries, by the CSS selectors that the site wrote for it.

Unbounded in time: for bytes from outside it runs in the isolated process of `connectors.feeds`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors import markup, plaintext
from connectors.entries import MAX_TITLE, Entry, joined
from connectors.ports import Refused
from connectors.times import parse_when
from models.core import selector
from models.core.moment import CST, local

_WHEN = re.compile(
    r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:\s*\d{1,2}\s*[:时]\s*\d{1,2}(?:[:分]\s*\d{1,2})?)?"
)
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_CLIPPED = re.compile(r"(?:…|\.{2,})$")


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the parts of an entry stand on the page; all but `item` are looked for inside it."""

    item: str
    title: str = ""
    link: str = ""
    time: str = ""
    body: str = ""


def read(text: str, place: str, url: str, rule: Mapping[str, str], now: datetime | None) -> list[Entry]:
    """The entries in the page's order. `now` gives a date without a year its year.

    Raises Refused when a selector cannot be read or nothing on the page fits `item`.
    """
    wanted = Rule(**rule)
    root = markup.tree(text)
    found = [node for node in root.below() if _selector(wanted.item, place).fits(node)]
    if not found:
        raise Refused(
            f"{place} 上没有符合 item “{wanted.item}” 的条目；网页可能改版或由脚本生成，请核对 sources.yaml 的 select"
        )
    return [_entry(node, wanted, place, url, now) for node in found]


@functools.lru_cache(maxsize=64)
def _selector(text: str, place: str) -> selector.Selector:
    try:
        return selector.parse(text)
    except ValueError as error:
        raise Refused(f"{place}：{error}；请改正 sources.yaml 的 select") from None


def _entry(item: markup.Node, rule: Rule, place: str, url: str, now: datetime | None) -> Entry:
    anchor = _first(item, rule.link, place) if rule.link else _anchor(item)
    link = _taken(anchor, rule.link, place, "href") if anchor else ""
    titled = _first(item, rule.title, place) if rule.title else anchor
    dated = _first(item, rule.time, place) if rule.time else item
    told = _first(item, rule.body, place) if rule.body else None
    return Entry(
        guid="",
        link=joined(url, link),
        title=_title(titled, rule, place),
        body=told.text() if told else "",
        published_at=_time(_taken(dated, rule.time, place, "") if dated else "", now),
    )


def _first(item: markup.Node, words: str, place: str) -> markup.Node | None:
    wanted = _selector(words, place)
    return next((node for node in (item, *item.below()) if wanted.fits(node)), None)


def _anchor(item: markup.Node) -> markup.Node | None:
    return next((node for node in (item, *item.below()) if node.tag == "a" and "href" in node.attrs), None)


def _taken(node: markup.Node, words: str, place: str, attr: str) -> str:
    """The attribute that the selector names, else `attr`, else the words."""
    name = (_selector(words, place).attr if words else None) or attr
    return node.attrs.get(name, "") if name else node.text(2_000)


def _title(node: markup.Node | None, rule: Rule, place: str) -> str:
    """The words; where the page has clipped them, the whole title that it keeps in `title`."""
    if node is None:
        return ""
    words = plaintext.clean(_taken(node, rule.title, place, ""), MAX_TITLE).replace("\n", " ")
    whole = plaintext.clean(node.attrs.get("title", ""), MAX_TITLE)
    return whole if whole and (not words or _CLIPPED.search(words)) else words


def _time(words: str, now: datetime | None) -> datetime | None:
    """The first date in the words; one without a year is the latest such day up to `now`."""
    try:
        if whole := _WHEN.search(words):
            return parse_when(whole[0])
        return parse_when(words) if len(words) <= 40 and not _MONTH_DAY.search(words) else _day(words, now)
    except ValueError:
        return None


def _day(words: str, now: datetime | None) -> datetime | None:
    found = _MONTH_DAY.search(words)
    if found is None or now is None:
        return None
    today = local(now)
    day = date(today.year, int(found[1]), int(found[2]))
    year = day.year if day <= today.date() else day.year - 1
    return datetime(year, day.month, day.day, tzinfo=CST)
