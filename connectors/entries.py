"""Entries → signals: what RSS, Atom, JSON Feed and pages have in common once they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin

from connectors import plaintext
from connectors.times import EARLIEST, LATEST
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

MAX_ENTRIES = 5_000
MAX_RAW = 20_000  # characters of a rejected entry kept for the dead letters
MAX_TITLE = 1_000
_AHEAD = timedelta(days=1)  # clocks of sources run fast; more than a day ahead is no publication time


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in plain words. `guid`: the source's own id; `link`: absolute where it could be made so."""

    guid: str
    link: str
    title: str
    body: str = ""
    author: str = ""
    published_at: datetime | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)


def to_batch(
    entries: Sequence[Entry | Rejected], place: str, source_id: str, medium: Medium, now: datetime | None
) -> Batch:
    """Every entry is a signal or is rejected with a reason; `place` is the source's address in words."""
    signals, rejected = [], []
    for number, entry in enumerate(entries[:MAX_ENTRIES], 1):
        if isinstance(entry, Rejected):
            rejected.append(entry)
        elif not (entry.title or entry.body):
            rejected.append(refuse(f"{place}#条目 {number}", "条目既无标题也无正文，未收", asdict(entry)))
        else:
            signals.append(_signal(entry, source_id, medium, now))
    if left := entries[MAX_ENTRIES:]:
        reason = f"一次最多读 {MAX_ENTRIES} 条，其余 {len(left)} 条未读；请把这个信源拆开"
        rejected.append(refuse(f"{place}#条目 {MAX_ENTRIES + 1} 起", reason, asdict(left[0])))
    return Batch(tuple(signals), tuple(rejected))


def refuse(place: str, reason: str, raw: object) -> Rejected:
    return Rejected(place, reason, json.dumps(raw, ensure_ascii=False, default=str)[:MAX_RAW])


def _signal(entry: Entry, source_id: str, medium: Medium, now: datetime | None) -> RawSignal:
    return RawSignal(
        source_id=source_id,
        external_id=_external_id(entry),
        medium=medium,
        title=entry.title,
        body=entry.body,
        url=entry.link or None,
        author=entry.author or None,
        published_at=_believable(entry.published_at, now),
        metrics=dict(entry.metrics),
    )


def _external_id(entry: Entry) -> str:
    """guid, else link, else a hash of the words; one too long to store becomes its hash."""
    named = entry.guid or entry.link
    if named and len(named) <= 500:
        return named
    words = named or "\x1f".join((entry.title, entry.body))
    return "sha256:" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:40]


def _believable(moment: datetime | None, now: datetime | None) -> datetime | None:
    if moment is None or not EARLIEST <= moment.year < LATEST:
        return None
    return None if now is not None and moment > now + _AHEAD else moment


def joined(base: str, link: str) -> str:
    """A link made absolute; one that is no URL at all stays as it was written."""
    try:
        return plaintext.clean(urljoin(base, link) if link else "", 2_000)
    except ValueError:
        return plaintext.clean(link, 2_000)
