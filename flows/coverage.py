"""Coverage: is the quiet real? Each part with its last good time (law 12).

"Nothing new" beside a silent source is no news at all, so the board shows both together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flows.wiring import House
from models.core.moment import clock_face, iso, span
from models.ledger import clocks, duties, outbox, signals, tallies
from models.ledger.store import Connection, Row

Item = dict[str, Any]

PARTS = {
    "respond": ("时钟巡检", timedelta(seconds=15), "huiying worker respond"),
    "deliver": ("提醒发送", timedelta(seconds=30), "huiying worker deliver"),
    "ingest": ("收集", timedelta(minutes=5), "huiying worker ingest"),
    "triage": ("研判", timedelta(minutes=5), "huiying worker triage"),
    "watch": ("官方渠道核对", timedelta(minutes=15), "huiying worker watch"),
    "audit": ("自我审计", timedelta(minutes=10), "huiying worker audit"),
}
"""duty → its name, the real time after which its silence is a fault, and what starts it."""

KAFKA_PATIENCE = timedelta(seconds=60)
RHYTHMS_MISSED = 3
"""A source is silent when it was not good for so many of its own intervals."""
SLACK = timedelta(seconds=30)


def report(conn: Connection, house: House, now: datetime) -> dict[str, Any]:
    """Every part with state ok | late | down | off, when it was last good, and what mends it."""
    items = list(_items(conn, house, now))
    return {"ok": all(item["state"] in ("ok", "off") for item in items), "items": items}


def _items(conn: Connection, house: House, now: datetime) -> Iterator[Item]:
    yield _item("database", "数据库", "ok", now, house.store.shown, "")
    known = {row.name: row for row in duties.all_duties(conn)}
    for name in PARTS:
        yield _duty(name, known.get(name), now, house.time.speed)
    yield _queue(conn, now, house.time.speed)
    yield _sources(conn, house, now)
    yield _roster(house, now)
    yield from _channels(house, now)
    yield _prefect(house, known.get("prefect"), now)
    if house.site.kafka.enabled:
        yield _kafka(house, known.get("kafka"), now)
    yield _backlog(conn, now)


def _item(name: str, label: str, state: str, good: datetime | None, detail: str, mend: str) -> Item:
    return {
        "name": name,
        "label": label,
        "state": state,
        "last_good_at": iso(good) if good else None,
        "detail": detail,
        "mend": mend,
    }


def _duty(name: str, row: Row[Any] | None, now: datetime, speed: float) -> Item:
    label, patience, mend = PARTS[name]
    if row is None or (row.last_good_at is None and row.error is None):
        return _item(name, label, "down", None, "尚未运行", mend)
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起失败: " if row.failing_since else ""
        return _item(name, label, "down", row.last_good_at, f"{since}{row.error}", "huiying doctor")
    silent = now - row.last_good_at
    if silent > patience * speed:
        return _item(
            name, label, "late", row.last_good_at, f"已 {span(silent.total_seconds())}没有动静", mend
        )
    return _item(name, label, "ok", row.last_good_at, row.detail or "", "")


def _queue(conn: Connection, now: datetime, speed: float) -> Item:
    queue = outbox.queue(conn, now)
    if queue["dead"]:
        detail = f"{queue['dead']} 条提醒未能送达，{queue['waiting']} 条待发"
        return _item("outbox", "提醒队列", "down", None, detail, "huiying doctor")
    oldest = queue["oldest"]
    if oldest and now - oldest > timedelta(minutes=2) * speed:
        waited = span((now - oldest).total_seconds())
        return _item(
            "outbox",
            "提醒队列",
            "late",
            oldest,
            f"{queue['waiting']} 条待发，最久 {waited}",
            "huiying doctor",
        )
    return _item("outbox", "提醒队列", "ok", now, f"{queue['waiting']} 条待发", "")


def _sources(conn: Connection, house: House, now: datetime) -> Item:
    listed = sources(conn, house, now)
    silent = [source for source in listed if source["state"] not in ("ok", "new")]
    if not listed:
        return _item(
            "sources", "信源", "off", None, "没有登记信源；没有消息不等于平静", "在 sources.yaml 里登记"
        )
    if silent:
        names = "、".join(source["name"] for source in silent[:3])
        detail = f"{len(silent)}/{len(listed)} 个信源沉默或出错: {names}"
        return _item("sources", "信源", "late", None, detail, "打开“信源”页查看原因")
    good = max((s["last_good_at"] for s in listed if s["last_good_at"]), default=None)
    return _item("sources", "信源", "ok", None, f"{len(listed)}/{len(listed)} 正常", "") | {
        "last_good_at": good
    }


def sources(conn: Connection, house: House, now: datetime) -> list[Item]:
    """Every registered source: how it is, since when it fails, how much it gave."""
    states = duties.source_states(conn)
    given, dead = tallies.signals_by_source(conn), tallies.dead_letters_by_source(conn)
    listed = []
    for kind, source in _registered(house):
        row = states.get(source.id)
        state, error = _source_state(row, source.every, now, house.time.speed)
        listed.append(
            {
                "id": source.id,
                "name": source.name,
                "kind": kind,
                "url": getattr(source, "url", None)
                or getattr(source, "folder", None)
                or getattr(source, "file", "")
                or "",
                "state": state,
                "last_good_at": iso(row.last_good_at) if row and row.last_good_at else None,
                "error": error,
                "signals": given.get(source.id, 0),
                "dead_letters": dead.get(source.id, 0),
            }
        )
    return listed


def _registered(house: House) -> Iterator[tuple[str, Any]]:
    registered = house.site.sources
    for kind, group in (
        ("订阅", registered.feeds),
        ("工单文件", registered.tickets),
        ("官方渠道", registered.official),
    ):
        for source in group:
            yield kind, source


def _source_state(
    row: Row[Any] | None, every: timedelta, now: datetime, speed: float
) -> tuple[str, str | None]:
    if row is None:
        return "new", None
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起: " if row.failing_since else ""
        return "failing", since + str(row.error)
    if row.last_good_at is None or now - row.last_good_at > every * RHYTHMS_MISSED + SLACK * speed:
        return "silent", "已超过自身节奏三倍没有读到"
    return "ok", None


def _roster(house: House, now: datetime) -> Item:
    roster = house.site.roster
    empty = [rung for rung in roster.ladder if not roster.on_duty(rung.rung, now)]
    if not roster.ladder:
        return _item("roster", "值班表", "down", None, "没有阶梯，提醒无人可送", "填写 roster.yaml 的 ladder")
    if empty:
        names = "、".join(rung.role.zh for rung in empty)
        return _item("roster", "值班表", "late", now, f"此刻无人在班: {names}", "补 roster.yaml 或安排代班")
    tonight = roster.on_duty(1, now)
    return _item("roster", "值班表", "ok", now, f"在班 {'、'.join(p.name for p in tonight)}", "")


def _channels(house: House, now: datetime) -> Iterator[Item]:
    for channel in house.channels.values():
        wrong = channel.check()
        state = "down" if wrong else "ok"
        yield _item(
            f"channel:{channel.id}",
            f"渠道 {channel.id}",
            state,
            now,
            wrong or channel.type,
            "改 channels.yaml" if wrong else "",
        )


def _prefect(house: House, row: Row[Any] | None, now: datetime) -> Item:
    if not house.site.prefect.enabled:
        return _item("prefect", "Prefect", "off", None, "未启用；各流程由本机直接运行", "")
    if row is None or row.last_good_at is None:
        return _item(
            "prefect", "Prefect", "off", None, (row and row.error) or "正在启动；各流程由本机直接运行", ""
        )
    if row.error or now - row.last_good_at > timedelta(seconds=45) * house.time.speed:
        why = row.error or "没有心跳"
        return _item(
            "prefect",
            "Prefect",
            "late",
            row.last_good_at,
            f"{why}；各流程由本机直接运行，时钟不受影响",
            "huiying doctor",
        )
    return _item("prefect", "Prefect", "ok", row.last_good_at, row.detail or "", "")


def _kafka(house: House, row: Row[Any] | None, now: datetime) -> Item:
    shown = house.site.kafka.bootstrap
    if row is None or row.last_good_at is None or row.error:
        good, why = (row.last_good_at, row.error) if row else (None, None)
        return _item("kafka", "Kafka", "down", good, why or f"{shown} 尚未连上", "huiying doctor")
    silent = now - row.last_good_at
    if silent > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span(silent.total_seconds())}没有读 {shown}"
        return _item("kafka", "Kafka", "late", row.last_good_at, words, "huiying worker ingest")
    return _item("kafka", "Kafka", "ok", row.last_good_at, row.detail or shown, "")


def _backlog(conn: Connection, now: datetime) -> Item:
    waiting = signals.waiting(conn)
    running = clocks.count_open(conn)
    state = "late" if waiting > 5000 else "ok"
    return _item(
        "backlog",
        "待研判",
        state,
        now,
        f"{waiting} 条线索待研判，{running} 个时钟在走",
        "huiying worker triage" if waiting > 5000 else "",
    )
