"""Coverage: is the quiet real? Each part with its last good time (law 12).

"Nothing new" beside a silent source is no news at all, so the board shows both together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from flows.collecting.feeding import NETWORK
from flows.collecting.following import LAG
from flows.office import entrance, machines, measuring, sources_seen
from flows.office.measuring import LATELY
from flows.telling import hooked, lines, reach, slack_duties, tracing
from flows.telling.listening import last_said, listeners
from flows.wiring import House
from models.classify.drift import CHANGED
from models.core.levels import Relation, silent_since
from models.core.moment import clock_face, iso, local, parse_iso, span
from models.ledger import announced, clocks, deadletters, duties, levels_board, outbox, presence, signals
from models.ledger.store import Connection, Row
from playbooks.holidays import lacking, what_to_do
from playbooks.hooks_paper import OutHookSource
from playbooks.levels_paper import NeighbourSource
from playbooks.problem import Problem

Item = dict[str, Any]

WORKING = ("ok", "warn", "off")
"""The states of a part that does its work; `warn`: it does, and somebody should look at it in time."""

PARTS = {
    "respond": ("时钟巡检", timedelta(seconds=15), "huiying worker respond"),
    "deliver": ("提醒发送", timedelta(seconds=30), "huiying worker deliver"),
    "ingest": ("收集", timedelta(minutes=5), "huiying worker ingest"),
    "triage": ("研判", timedelta(minutes=5), "huiying worker triage"),
    "watch": ("官方渠道核对", timedelta(minutes=15), "huiying worker watch"),
    "handover": ("交接班", timedelta(minutes=5), "huiying worker handover"),
    "reach": ("联络测试", timedelta(minutes=10), "huiying worker reach"),
    "plans": ("监测方案通知", timedelta(minutes=5), "huiying worker plans"),
    "bursts": ("突增监测", timedelta(minutes=10), "huiying worker bursts"),
    "cadence": ("续报节奏", timedelta(minutes=20), "huiying worker cadence"),
    "registers": ("台账与督办", timedelta(minutes=40), "huiying worker registers"),
    "keeping": ("分区与归档", timedelta(hours=4), "huiying worker keeping"),
    "audit": ("自我审计", timedelta(minutes=10), "huiying worker audit"),
}
"""duty → its name, the real time after which its silence is a fault, and what starts it."""

CHANNEL = "channel:"
"""Before a channel's name: its row among the duties, which tells what came of its last message."""
KAFKA_PATIENCE = timedelta(seconds=60)
SLACK_PATIENCE = timedelta(minutes=5)
KAFKA_WAITING = 5000
"""Messages: more than so many waiting is a lag worth a word (law 12)."""
WORST = 5
_DRIFTS = {"sentiment": "情感", "topic": "主题"}


def report(conn: Connection, house: House, now: datetime) -> dict[str, Any]:
    """Every part with state ok | warn | late | down | off, when it was last good, and what mends it."""
    items = list(_items(conn, house, now))
    return {"ok": all(item["state"] in WORKING for item in items), "items": items}


def _items(conn: Connection, house: House, now: datetime) -> Iterator[Item]:
    yield _item("database", "数据库", "ok", now, house.store.shown, "")
    known = {row.name: row for row in duties.all_duties(conn)}
    for name in PARTS:
        yield _duty(name, known.get(name), now, house.time.speed)
    yield _queue(conn, known, now, house.time.speed)
    yield _sources(conn, house, now)
    if (network := known.get(NETWORK)) is not None and network.error:
        yield _network(network)
    yield _roster(conn, house, now)
    yield _calendar(house, now)
    if left_out := house.rules_for.left_out():
        yield _playbooks(left_out, house)
    yield from _channels(house, known)
    yield _alarm(conn, house, now)
    yield _prefect(house, known.get("prefect"), now)
    if house.site.kafka.enabled:
        yield _kafka(conn, house, known.get("kafka"), now)
    if house.site.kafka.publishes:
        yield _results(house, known.get("publish"), now)
    if house.site.tracing.endpoint:
        yield _tracing(conn, house, known.get(tracing.DUTY), now)
    for hook in house.site.hooks:
        yield _hook(conn, house, hook, known.get(hooked.duty(hook)), now)
    for neighbour in house.site.neighbours:
        yield _neighbour(conn, house, neighbour, known.get(lines.duty(neighbour)), now)
    yield from _slack(house, known, now)
    yield from _entrance(conn, house, now)
    yield from _machines(conn, house, now)
    yield _backlog(conn, now)
    yield _drift(conn, now, house.time.speed)
    if waiting := deadletters.by_source(conn):
        yield _letters(waiting, house, now)


def _entrance(conn: Connection, house: House, now: datetime) -> Iterator[Item]:
    """Who may come in, where that is worth a word."""
    found = entrance.standing(conn, house)
    if found is not None:
        well, words, mend = found
        yield _item("access", "账号", "ok" if well else "warn", now if well else None, words, mend)


def _machines(conn: Connection, house: House, now: datetime) -> Iterator[Item]:
    """The processes by their last word; a duty that nobody does has a line of its own."""
    fleet = presence.known(conn)
    if not fleet:
        return
    found = machines.standing(conn, house, now)
    if not found:
        told = machines.counted(fleet, now, house.time.speed)
        yield _item("machines", "机器与进程", "ok", now, told, "")
        return
    more = f"；另有 {len(found) - 1} 处，见 huiying doctor" if len(found) > 1 else ""
    state = "late" if found[0].grave else "warn"
    yield _item("machines", "机器与进程", state, None, found[0].words + more, found[0].mend)


def _drift(conn: Connection, now: datetime, pace: float) -> Item:
    """The newest answers against those before them, on this site, as a worker worked it out; else here."""
    kept = measuring.drift(conn, now, pace)
    found = kept["answers"] if kept else measuring.compare(conn)
    told = "，".join(f"{_DRIFTS[name]} {value:.2f}" for name, value in found.items() if value is not None)
    if not told:
        return _item("drift", "分类器漂移", "off", None, "研判过的信号还太少，看不出变化", "")
    changed = any(value is not None and value >= CHANGED for value in found.values())
    detail = f"最近 {LATELY} 条与此前 {4 * LATELY} 条相比（PSI，{CHANGED} 以上为明显变化）：{told}"
    mend = "核对近来的研判，必要时用 huiying train --corrections 重新训练" if changed else ""
    return _item("drift", "分类器漂移", "warn" if changed else "ok", now, detail, mend)


def _letters(waiting: dict[str, int], house: House, now: datetime) -> Item:
    """Rows that nobody could read: not lost, and not judged either until a person mends them."""
    worst = sorted(waiting, key=lambda source: -waiting[source])[:3]
    where = "、".join(f"{source} {waiting[source]}" for source in worst)
    detail = f"{sum(waiting.values())} 行读不了，等人修补: {where}"
    return _item("deadletters", "死信", "warn", None, detail, f"打开 {house.public_url}/deadletters")


def _playbooks(left_out: Sequence[Problem], house: House) -> Item:
    """A reviewed playbook that this release refuses: the shipped one runs in its place."""
    first = left_out[0]
    detail = f"审定过的预案 {first.file} 没有生效，按内置的执行：{first.message}"
    return _item("playbooks", "预案", "late", None, detail, f"改好后重新送审：{house.public_url}/playbooks")


def _calendar(house: House, now: datetime) -> Item:
    """Missing this year is a fault where a clock counts working days; missing next year a word in time."""
    calendar, today = house.calendar, local(now).date()
    if not house.library.counts_days():
        return _item("calendar", "工作日历", "off", None, "预案里没有按工作日计的时限", "")
    gone = lacking(calendar, today)
    if not gone:
        return _item("calendar", "工作日历", "ok", now, f"已有至 {max(calendar)} 年", "")
    years = "、".join(str(year) for year in gone)
    state = "late" if today.year in gone else "warn"
    return _item("calendar", "工作日历", state, None, f"{years} 年没有放假安排", what_to_do(gone[0]))


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


def _queue(conn: Connection, known: dict[str, Row[Any]], now: datetime, speed: float) -> Item:
    queue, good = outbox.queue(conn, now), _last_accepted(known)
    held = f"，其中 {queue['held']} 条因限速等候" if queue["held"] else ""
    waiting = f"{queue['waiting']} 条待发{held}"
    if queue["dead"]:
        detail = f"{queue['dead']} 条提醒未能送达，{waiting}"
        return _item("outbox", "提醒队列", "down", good, detail, "huiying doctor")
    oldest = queue["oldest"]
    if oldest and now - oldest > timedelta(minutes=2) * speed:
        detail = f"{waiting}，最久 {span((now - oldest).total_seconds())}"
        return _item("outbox", "提醒队列", "late", oldest, detail, "huiying doctor")
    return _item("outbox", "提醒队列", "ok", now, waiting, "")


def _last_accepted(known: dict[str, Row[Any]]) -> datetime | None:
    """When any channel last took a message."""
    good = [row.last_good_at for name, row in known.items() if name.startswith(CHANNEL)]
    return max((moment for moment in good if moment), default=None)


def _sources(conn: Connection, house: House, now: datetime) -> Item:
    listed = sources_seen.states(conn, house, now)
    state, detail = sources_seen.summary(listed)
    mend = {"off": "在 sources.yaml 里登记", "late": "打开“信源”页查看原因"}.get(state, "")
    good = max((s["last_good_at"] for s in listed if s["last_good_at"]), default=None)
    return _item("sources", "信源", state, None, detail, mend) | {"last_good_at": good}


def _network(row: Row[Any]) -> Item:
    """Only when it is gone: that it is there, every source says."""
    since = f"自 {clock_face(row.failing_since)} 起，" if row.failing_since else ""
    return _item("network", "本机网络", "down", row.last_good_at, f"{since}{row.error}", "huiying doctor")


def _roster(conn: Connection, house: House, now: datetime) -> Item:
    roster = house.site.roster
    empty = [rung for rung in roster.ladder if not roster.on_duty(rung.rung, now)]
    if not roster.ladder:
        return _item("roster", "值班表", "down", None, "没有阶梯，提醒无人可送", "填写 roster.yaml 的 ladder")
    if empty:
        names = "、".join(rung.role.zh for rung in empty)
        return _item("roster", "值班表", "late", now, f"此刻无人在班: {names}", "补 roster.yaml 或安排代班")
    tested = reach.last(conn)
    wrong = reach.trouble(tested, roster.reach_test, now) or reach.hole_ahead(roster, now)
    if wrong:
        return _item(
            "roster", "值班表", "late", reach.good_at(tested), wrong, "补联系方式或安排代班(roster.yaml)"
        )
    tonight = f"在班 {'、'.join(p.name for p in roster.on_duty(1, now))}"
    said = f"；{reach.in_words(tested)}" if roster.reach_test else ""
    return _item("roster", "值班表", "ok", reach.good_at(tested) or now, tonight + said, "")


def _channels(house: House, known: dict[str, Row[Any]]) -> Iterator[Item]:
    """Each channel: are its settings usable, and what came of the last message."""
    for channel in house.channels.values():
        row, wrong = known.get(CHANNEL + channel.id), channel.check()
        good = row.last_good_at if row else None
        name, label = f"channel:{channel.id}", f"渠道 {channel.id}"
        if wrong:
            yield _item(name, label, "down", good, wrong, "改 channels.yaml")
        elif row is not None and row.error:
            since = f"自 {clock_face(row.failing_since)} 起: " if row.failing_since else ""
            yield _item(name, label, "late", good, since + row.error, "核对该渠道与网络；提醒会自动重试")
        else:
            yield _item(name, label, "ok", good, channel.type + ("" if good else "，尚未发过"), "")


def _slack(house: House, known: dict[str, Row[Any]], now: datetime) -> Iterator[Item]:
    """The room of incidents and the open line of each Slack channel that has them."""
    for settings in slack_duties.listed(house):
        shown, name = settings["id"], str(settings["id"])
        if settings.get("incidents"):
            yield _told(slack_duties.telling(name), f"Slack 事件频道 {shown}", known, now, house.time.speed)
        if settings.get("app_token"):
            yield _told(slack_duties.line(name), f"Slack 连接 {shown}", known, now, house.time.speed)


def _told(name: str, label: str, known: dict[str, Row[Any]], now: datetime, speed: float) -> Item:
    """Alerts do not depend on it: it is late at the worst."""
    row, mend = known.get(name), "核对 channels.yaml 的令牌与频道；会自动重试，提醒照发"
    good = row.last_good_at if row else None
    if row is None or (good is None and row.error is None):
        return _item(name, label, "late", None, "尚未运行", "huiying worker deliver")
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起: " if row.failing_since else ""
        return _item(name, label, "late", good, since + row.error, mend)
    if good is not None and now - good > SLACK_PATIENCE * speed:
        words = f"已 {span((now - good).total_seconds())}没有动静"
        return _item(name, label, "late", good, words, "huiying worker deliver")
    return _item(name, label, "ok", good, row.detail or "", "")


def _alarm(conn: Connection, house: House, now: datetime) -> Item:
    """Who would hear of our own trouble, and whether somebody has just been told."""
    heard = [listener.name for listener in listeners(house, now)]
    said = last_said(conn)
    if not heard:
        mend = "在 site.yaml 写 alarm，或补 roster.yaml"
        return _item("alarm", "系统告警", "down", None, "出了问题无人可告", mend)
    words = f"送 {'、'.join(heard[:3])}{' 等' if len(heard) > 3 else ''}"
    if said.told and said.at:
        told = f"{clock_face(parse_iso(said.at))} 已告警，尚未恢复；{words}"
        return _item("alarm", "系统告警", "warn", None, told, "见“自我审计”一行")
    return _item("alarm", "系统告警", "ok", now, words, "")


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


def _kafka(conn: Connection, house: House, row: Row[Any] | None, now: datetime) -> Item:
    shown = house.site.kafka.bootstrap
    if row is None or row.last_good_at is None or row.error:
        good, why = (row.last_good_at, row.error) if row else (None, None)
        return _item("kafka", "Kafka", "down", good, why or f"{shown} 尚未连上", "huiying doctor")
    silent = now - row.last_good_at
    if silent > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span(silent.total_seconds())}没有读 {shown}"
        return _item("kafka", "Kafka", "late", row.last_good_at, words, "huiying worker ingest")
    missing, waiting = kafka_waits(conn)
    if missing:
        words = f"没有主题 {'、'.join(missing)}，其余照读"
        return _item("kafka", "Kafka", "down", row.last_good_at, words, "建立主题，或改 kafka 的 topics")
    if held := (duties.get_setting(conn, LAG) or {}).get("held"):
        words = f"待研判的太多，暂缓读取 {'、'.join(held)}，消息留在 Kafka；{_lag(waiting)}"
        return _item("kafka", "Kafka", "late", row.last_good_at, words, "多开一个 huiying worker triage")
    state = "late" if sum(waiting.values()) > KAFKA_WAITING else "ok"
    mend = "多开一个 huiying worker ingest" if state == "late" else ""
    return _item("kafka", "Kafka", state, row.last_good_at, f"{row.detail or shown}，{_lag(waiting)}", mend)


def kafka_waits(conn: Connection) -> tuple[list[str], dict[str, int]]:
    """Topics that are gone; messages waiting by "topic/partition", as the members last saw them."""
    known = duties.get_setting(conn, LAG) or {}
    waiting = {name: int(one["waiting"]) for name, one in known.get("parts", {}).items()}
    return list(known.get("missing", [])), waiting


def _lag(waiting: dict[str, int]) -> str:
    """5 in all, and the longest queues by name."""
    worst = sorted(((count, name) for name, count in waiting.items() if count), reverse=True)[:WORST]
    named = f"({'、'.join(f'{name} {count}' for count, name in worst)})" if worst else ""
    return f"积压 {sum(waiting.values())}{named}"


def _results(house: House, row: Row[Any] | None, now: datetime) -> Item:
    if row is None or row.last_good_at is None or row.error:
        good, why = (row.last_good_at, row.error) if row else (None, None)
        return _item("publish", "结果外送", "down", good, why or "尚未连上 Kafka", "huiying doctor")
    silent = now - row.last_good_at
    if silent > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span(silent.total_seconds())}没有外送"
        return _item("publish", "结果外送", "late", row.last_good_at, words, "huiying worker deliver")
    return _item("publish", "结果外送", "ok", row.last_good_at, row.detail or "", "")


def _tracing(conn: Connection, house: House, row: Row[Any] | None, now: datetime) -> Item:
    """Whether the collector is told; nothing of ours depends on it."""
    good, waiting = row.last_good_at if row else None, f"，{tracing.behind(conn)} 条日志未送"
    if row is None or (good is None and row.error is None):
        return _item("tracing", "追踪外送", "late", None, "尚未运行", "huiying worker deliver")
    if row.error:
        mend = "核对收集器、地址和请求头；会自动重试"
        return _item("tracing", "追踪外送", "late", good, row.error + waiting, mend)
    if good is not None and now - good > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span((now - good).total_seconds())}没有外送{waiting}"
        return _item("tracing", "追踪外送", "late", good, words, "huiying worker deliver")
    return _item("tracing", "追踪外送", "ok", good, row.detail or "", "")


def _hook(conn: Connection, house: House, hook: OutHookSource, row: Row[Any] | None, now: datetime) -> Item:
    """A receiver of ours: was it told, and if not since when and why."""
    name, label, at = hooked.duty(hook), f"外送 {hook.id}", hooked.standing(conn, hook)
    good = row.last_good_at if row else None
    if strange := hooked.strange(hook):
        words = f"没有这种事件: {'、'.join(strange)}"
        return _item(name, label, "late", good, words, "改 site.yaml 的 hooks，写 incident、clock 或事件种类")
    waiting = f"，{announced.behind(conn, at.upto)} 条日志未送" if at else ""
    if row is None or at is None or (good is None and row.error is None):
        return _item(name, label, "down", None, "尚未运行", "huiying worker deliver")
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起，已试 {at.tries} 次: " if row.failing_since else ""
        mend = "核对对方系统、地址和密钥；会自动重试，一条也不跳过"
        return _item(name, label, "late", good, f"{since}{row.error}{waiting}", mend)
    if good is not None and now - good > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span((now - good).total_seconds())}没有外送{waiting}"
        return _item(name, label, "late", good, words, "huiying worker deliver")
    return _item(name, label, "ok", good, row.detail or "", "")


def _neighbour(
    conn: Connection, house: House, one: NeighbourSource, row: Row[Any] | None, now: datetime
) -> Item:
    """The line to another installation, and whether a lower one has said anything lately."""
    name, label, at = lines.duty(one), f"{one.relation.zh} {one.name}", lines.standing(conn, one)
    good = row.last_good_at if row else None
    if row is None or (good is None and row.error is None):
        return _item(name, label, "down", None, "尚未运行", "huiying worker deliver")
    if row.error:
        since = f"自 {clock_face(row.failing_since)} 起，已试 {at.tries} 次: " if row.failing_since else ""
        mend = "核对对方地址、网络和两边的公钥；会自动重试，一封也不丢"
        return _item(name, label, "late", good, f"{since}{row.error}", mend)
    if good is not None and now - good > KAFKA_PATIENCE * house.time.speed:
        words = f"已 {span((now - good).total_seconds())}没有去送"
        return _item(name, label, "late", good, words, "huiying worker deliver")
    silent = _unheard(conn, house, one, now)
    if silent:
        return _item(name, label, "late", good, silent, f"电话核实；{house.public_url}/levels")
    return _item(name, label, "ok", good, row.detail or "", "")


def _unheard(conn: Connection, house: House, one: NeighbourSource, now: datetime) -> str | None:
    """That a lower one is silent, in words: it is never shown as calm."""
    if one.relation is not Relation.LOWER:
        return None
    found = levels_board.lower(conn).get(one.id)
    if not silent_since(
        found.heard_at if found else None, now, house.site.levels.silent_after * house.time.speed
    ):
        return None
    return f"最近一次态势在 {clock_face(found.heard_at)}，此后没有消息" if found else "从未收到它的态势"


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
