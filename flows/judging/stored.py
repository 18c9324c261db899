"""Stored signals as triage reads them: the row as a signal, and a batch of rows as readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.collecting import privacy
from flows.judging import hotsearch, planning
from flows.judging.reading import Reading, read
from flows.wiring import House
from models.core.signals import RawSignal
from models.core.vocabulary import Medium
from models.ledger.store import Row


def raw(row: Row[Any]) -> RawSignal:
    return RawSignal(
        source_id=row.source_id,
        external_id=row.uid,
        medium=Medium(row.medium),
        title=row.title,
        body=row.body,
        url=row.url,
        author=row.author,
        published_at=row.published_at,
        place=row.place,
        metrics=row.metrics,
        occurred_at=row.occurred_at,
    )


def time_of(row: Row[Any]) -> datetime:
    """When it was said: published, but never later than we saw it."""
    moment: datetime = min(row.published_at, row.seen_at) if row.published_at else row.seen_at
    return moment


def key_of(row: Row[Any]) -> str:
    """By which its group is called, if it begins one."""
    return f"s{row.id}"


def read_rows(house: House, rows: Sequence[Row[Any]]) -> list[Reading]:
    """Each of these rows read on its own, by the site's own standards, topics and plans."""
    with house.store.read() as conn:
        words = privacy.originals(house, conn, rows)  # what is stored masked is judged whole
    whole = [privacy.whole(raw(row), words.get(row.uid)) for row in rows]
    items = [(key_of(row), one, time_of(row)) for row, one in zip(rows, whole, strict=True)]
    readings = read(house.judge, items, house.site.grading, house.site.region, house.tree)
    if house.site.watch.hot_search:
        readings = hotsearch.noticed(readings, house.attention)
    return planning.watched(readings, house.site.watch.book)
