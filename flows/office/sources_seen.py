"""Each source as it is seen: last good, its rhythm, how far behind, what is wrong and since when.

"Nothing new" beside a silent source is no news at all (law 12), so coverage says both together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors import polling
from flows.collecting.intake import WAIT, rhythm_of
from flows.wiring import House
from models.core.moment import clock_face, iso, span
from models.ledger import duties, tallies
from models.ledger.store import Connection, Row

Item = dict[str, Any]

RHYTHMS_MISSED = 3
"""A source is silent when it was not good for so many of its own intervals."""
SLACK = timedelta(seconds=30)
NAMED = 3
WELL = ("ok", "new")


def sources(conn: Connection, house: House, now: datetime) -> list[Item]:
    """Every registered source as `states` tells it, with how much it gave: signals, dead_letters."""
    given, dead = tallies.signals_by_source(conn), tallies.dead_letters_by_source(conn)
    return [
        item | {"signals": given.get(item["id"], 0), "dead_letters": dead.get(item["id"], 0)}
        for item in states(conn, house, now)
    ]


def states(conn: Connection, house: House, now: datetime) -> list[Item]:
    """Every registered source, without the counts that need all its signals.

    {id, name, kind, url, state: ok | new | silent | failing | gap, error (in words, None when well),
    last_good_at, every_s, every (in words), due_at, lag_s (behind its own plan), failing_since, errors,
    last_new_at, usual (in words), gaps, last_gap_at}
    """
    rows = duties.source_states(conn)
    return [_seen(kind, source, rows.get(source.id), house, now) for kind, source in _registered(house)]


def _registered(house: House) -> Iterator[tuple[str, Any]]:
    registered = house.site.sources
    for feed in registered.feeds:
        yield "网页" if feed.type == "page" else "订阅", feed
    for kind, group in (("工单", registered.tickets), ("官方渠道", registered.official)):
        for source in group:
            yield kind, source


def _seen(kind: str, source: Any, row: Row[Any] | None, house: House, now: datetime) -> Item:
    rhythm = rhythm_of(row)
    every = _interval(source, row)
    state, error = _state(row, rhythm, every, now, house.time.speed)
    late = now - row.due_at if row and row.due_at else timedelta(0)
    return {
        "id": source.id,
        "name": source.name,
        "kind": kind,
        "url": _place(source),
        "state": state,
        "error": error,
        "last_good_at": _iso(row.last_good_at if row else None),
        "every_s": every.total_seconds(),
        "every": f"每 {span(every.total_seconds())}",
        "due_at": _iso(row.due_at if row else None),
        "lag_s": max(0.0, late.total_seconds()),
        "failing_since": _iso(row.failing_since if row else None),
        "errors": row.errors if row else 0,
        "last_new_at": _iso(rhythm.new_at),
        "usual": f"约每 {span(rhythm.usual_s)}" if rhythm.usual_s else None,
        "gaps": rhythm.gaps,
        "last_gap_at": _iso(rhythm.gap_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _place(source: Any) -> str:
    return next(
        (value for name in ("url", "place", "folder", "file") if (value := getattr(source, name, None))), ""
    )


def _interval(source: Any, row: Row[Any] | None) -> timedelta:
    """The source's interval now: what was planned after its last good read."""
    wait_s = (row.state or {}).get(WAIT) if row else None
    every: timedelta = source.every
    return timedelta(seconds=wait_s) if wait_s else every


def _state(
    row: Row[Any] | None, rhythm: polling.Rhythm, every: timedelta, now: datetime, speed: float
) -> tuple[str, str | None]:
    if row is None or (row.last_tried_at is None and row.error is None):
        return "new", None
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起: " if row.failing_since else ""
        return "failing", since + str(row.error)
    if row.last_good_at is None or now - row.last_good_at > every * RHYTHMS_MISSED + SLACK * speed:
        return "silent", "已超过自身节奏三倍没有读到；请看“收集”是否在运行、本机网络是否通"
    if rhythm.gap_open and rhythm.gap_at:
        return (
            "gap",
            f"{clock_face(rhythm.gap_at)} 读到的与上次毫无重叠，其间的条目可能漏读；请到原站核对，已加快轮询",
        )
    if polling.strangely_quiet(rhythm, now) and rhythm.new_at and rhythm.usual_s:
        quiet = span((now - rhythm.new_at).total_seconds())
        return "silent", f"读得到，但已 {quiet}没有新内容，平时约每 {span(rhythm.usual_s)}就有；请到原站核对"
    return "ok", None


# ── all of them in one line ───────────────────────────────────────────────────────────────────


def summary(listed: list[Item]) -> tuple[str, str]:
    """The state of all sources for the board (ok | late | off) and the words for it."""
    if not listed:
        return "off", "没有登记信源；没有消息不等于平静"
    wrong = [item for item in listed if item["state"] not in (*WELL, "gap")]
    lossy = [item for item in listed if item["state"] == "gap"]
    words = []
    if wrong:
        words.append(f"{len(wrong)}/{len(listed)} 个信源沉默或出错: {_names(wrong)}")
    if lossy:
        words.append(f"{len(lossy)}/{len(listed)} 个信源可能漏读: {_names(lossy)}")
    if words:
        return "late", "；".join(words)
    fresh = sum(item["state"] == "new" for item in listed)
    waiting = f"，{fresh} 个尚未读过" if fresh else ""
    return "ok", f"{len(listed) - fresh}/{len(listed)} 个信源正常{waiting}"


def _names(items: list[Item]) -> str:
    named = "、".join(item["name"] for item in items[:NAMED])
    return named + (" 等" if len(items) > NAMED else "")
