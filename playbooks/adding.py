"""Feeds added to the text of sources.yaml: what stands there, comments included, stays as it is.

The new text is read again and compared before anybody writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import ValidationError

from playbooks.checked import checked
from playbooks.loader import Document, parse
from playbooks.problem import Problems
from playbooks.sources_paper import FeedSource, SourcesSource


def with_feeds(text: str, file: str, feeds: Sequence[Mapping[str, str]]) -> str:
    """`text` with these feeds (id, name, url) at the end of its list.

    Raises Problems when the text is broken, or is written in a way that cannot be added to.
    """
    document = parse(text, file)
    old = checked(SourcesSource, document)
    if not feeds:
        return text
    wanted = [*(feed.id for feed in old.feeds), *(feed["id"] for feed in feeds)]
    for candidate in _candidates(text, document, feeds):
        if _is_whole(candidate, file, document, wanted):
            return candidate
    raise Problems(
        [
            document.problem(
                ("feeds",), "feeds 的写法无法自动添加", "改成每行一个 “  - {…}” 的列表再导入", key=True
            )
        ]
    )


def _candidates(text: str, document: Document, feeds: Sequence[Mapping[str, str]]) -> Iterable[str]:
    """The places where the list may end, the likeliest first."""
    lines = text.splitlines()
    if ("feeds",) not in document.keys:
        yield _joined([*lines, "feeds:", *_items("  ", feeds)])
        return
    at = document.keys[("feeds",)].line
    if not (document.data or {}).get("feeds"):
        head = re.sub(r"(feeds\s*:)\s*(?:\[\s*\]|~|null)?", r"\1", lines[at - 1], count=1)
        yield _joined([*lines[: at - 1], head, *_items("  ", feeds), *lines[at:]])
        return
    within = [mark.line for path, mark in document.values.items() if path[:1] == ("feeds",)]
    first = lines[document.values[("feeds", 0)].line - 1]
    indent = first[: len(first) - len(first.lstrip())]
    for end in range(max(within), len(lines) + 1):
        yield _joined([*lines[:end], *_items(indent, feeds), *lines[end:]])


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _items(indent: str, feeds: Sequence[Mapping[str, str]]) -> list[str]:
    """JSON's strings are YAML's too, whatever is in them."""
    said = (
        ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in feed.items())
        for feed in feeds
    )
    return [f"{indent}- {{{words}}}" for words in said]


def _is_whole(text: str, file: str, before: Document, wanted: Sequence[str]) -> bool:
    """The same as before, and the wanted feeds in this order."""
    try:
        after = parse(text, file)
        found = checked(SourcesSource, after)
    except Problems:
        return False
    old, new = dict(before.data or {}), dict(after.data or {})
    kept = old.pop("feeds", None) or []
    rows = new.pop("feeds", [])
    return old == new and rows[: len(kept)] == kept and [feed.id for feed in found.feeds] == list(wanted)


def sorted_out(
    sources: SourcesSource, offered: Sequence[tuple[str, str]]
) -> tuple[list[dict[str, str]], list[str], list[str]]:
    """(name, url) pairs → feeds to add, what is there already, what is no web address; the last two
    in words."""
    taken = {source.id for group in (sources.feeds, sources.tickets, sources.official) for source in group}
    known = {_same(feed.url): feed.name for feed in sources.feeds}
    fresh: list[dict[str, str]] = []
    there, wrong = [], []
    for name, url in offered:
        if _same(url) in known:
            there.append(f"{name}：地址已登记为“{known[_same(url)]}”，未再加（{url}）")
        elif not _is_feed(name, url):
            wrong.append(f"{name}：“{url[:80]}” 不是网址，未加；请改正清单")
        else:
            known[_same(url)] = name
            fresh.append({"id": fresh_id(url, taken), "name": name, "url": url})
    return fresh, there, wrong


def _same(url: str) -> str:
    """Addresses that lead to the same feed: the scheme, the host's case and a last slash tell nothing."""
    scheme, mark, rest = url.strip().partition("://")
    host, slash, path = rest.partition("/") if mark else (scheme, "", "")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def _is_feed(name: str, url: str) -> bool:
    try:
        FeedSource.model_validate({"id": "x", "name": name, "url": url})
    except ValidationError:
        return False
    return True


def fresh_id(url: str, taken: set[str]) -> str:
    """An identifier made of the host, numbered where it is taken; it is added to `taken`."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", urlsplit(url).hostname or "").strip("-")[:50] or "feed"
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    taken.add(name)
    return name
