"""Audit: a second pair of eyes on ourselves, over *all* open clocks and unsent alerts (law 13).

It looks at rows, never at what the sweep believes it did, and it keeps no window: a 48 h clock is
checked as often as a 5 h one. What it finds is shown on the board, told on standard error and by a way
of its own (flows/telling/alarm.py); the heartbeat is beaten only when nothing was found. That the auditor
itself does not run is seen by every process's lookout (flows/processes/lookout.py), by the coverage on the board
and, when nothing of ours is left, by whoever waits for the heartbeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.keeping import archives
from flows.office.coverage import PARTS
from flows.telling import handover, reach
from flows.wiring import House
from models.core.moment import clock_face, iso, span
from models.ledger import clocks, duties, tallies, verify
from models.ledger.store import Connection, Row

STEP_GRACE = timedelta(seconds=30)
ALERT_GRACE = timedelta(minutes=5)
NOTICE_DAY = timedelta(days=1)
"""A notice that nobody took is told of for so long; a clock's alert as long as its clock runs."""
VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something overdue inside ourselves. `key` is the same as long as it is the same trouble;
    `urgent`: a deadline may be missed over it, so that the alarm is repeated."""

    key: str
    words: str
    urgent: bool = True


def findings(house: House) -> list[Finding]:
    """Everything that is overdue inside ourselves; empty when all is well."""
    now, pace = house.time.now(), house.time.speed
    with house.store.read() as conn:
        return [
            *_clock_stepped(house.time.jump),
            *_steps_not_raised(conn, now, STEP_GRACE * pace),
            *_alerts_not_accepted(conn, now, ALERT_GRACE * pace),
            *_clocks_without_way(conn, house, now),
            *_clocks_refused(conn),
            *_duties_not_run(conn, now, pace),
            *_rows_in_the_net(conn),
            *_people_not_there(conn, house, now),
        ]


def _clock_stepped(jump: timedelta | None) -> Iterator[Finding]:
    if jump is not None:
        way = "快" if jump > timedelta(0) else "慢"
        yield Finding(
            "clock-stepped",
            f"本机(或数据库服务器)的时钟比系统时间{way} {span(jump.total_seconds())}，未予跟随，各时钟照常走；"
            "请核对对时服务(chrony、NTP)：时钟校准、对时成功一分钟后自动一致",
        )


def _steps_not_raised(conn: Connection, now: datetime, grace: timedelta) -> Iterator[Finding]:
    count, oldest = tallies.steps_overdue(conn, now - grace)
    if oldest is not None:
        late = span((now - oldest).total_seconds())
        yield Finding(
            "steps",
            f"{count} 个时钟的提醒到点未发，最早的已迟 {late}；请检查 respond 是否在运行、日志有无报错",
        )


def _alerts_not_accepted(conn: Connection, now: datetime, grace: timedelta) -> Iterator[Finding]:
    waiting = tallies.alerts_waiting(conn, now - grace)
    dead, unheard = tallies.alerts_dead(conn), tallies.notices_dead(conn, now - NOTICE_DAY)
    if waiting:
        yield Finding("alerts", f"{waiting} 条提醒发出后迟迟没有渠道接收；请检查渠道与网络")
    if dead:
        yield Finding("dead", f"{dead} 条提醒所有联系方式都失败；请人工通知并核对 roster.yaml、channels.yaml")
    if unheard:
        yield Finding(
            "dead-notices",
            f"{unheard} 条值守通知没有送到任何人；请看“态势”页的提醒，并核对联系方式",
            urgent=False,
        )


def _clocks_without_way(conn: Connection, house: House, now: datetime) -> Iterator[Finding]:
    """Clocks that run while nobody would hear of them, or that have forgotten what comes next."""
    running, roster = clocks.count_open(conn), house.site.roster
    stopped = tallies.clocks_without_next(conn)
    if stopped:
        yield Finding(
            "no-next", f"{stopped} 个时钟在走却没有下一个节点；请运行 huiying verify，并按页面逐个核对时限"
        )
    empty = [rung for rung in roster.ladder if not roster.on_duty(rung.rung, now)]
    if running and len(empty) == len(roster.ladder):
        yield Finding("no-ladder", f"{running} 个时钟在走，但值班表此刻无人可达；请立即补齐 roster.yaml")
    elif running and empty:
        names = "、".join(f"第 {rung.rung} 级{rung.role.zh}" for rung in empty)
        words = f"{running} 个时钟在走，{names}此刻无人可达，其提醒转给其他级；请补联系方式或安排代班"
        yield Finding(f"rungs:{names}", words, urgent=False)


def _clocks_refused(conn: Connection) -> Iterator[Finding]:
    refused = clocks.refused(conn)
    if refused:
        named = "；".join(f"{one.ref} {one.name}: {one.why}" for one in refused[:3])
        words = f"{len(refused)} 个时钟没有设立（{named}）；请补上所缺的，补上后自动设立"
        yield Finding("refused", words, urgent=False)


def _duties_not_run(conn: Connection, now: datetime, pace: float) -> Iterator[Finding]:
    """What has run before and does so no more. What never ran shows by its effects, and on the board."""
    for row in duties.all_duties(conn):
        if row.name in PARTS and row.name != "audit":
            words = _unwell(row, now, pace)
            if words:
                yield Finding(f"duty:{row.name}", words)


def _rows_in_the_net(conn: Connection) -> Iterator[Finding]:
    """Rows of a time for which no month was ready: somebody's clock is wrong, or nobody makes the months."""
    if words := archives.strays(conn):
        yield Finding("partition-strays", words, urgent=False)


def _unwell(row: Row[Any], now: datetime, pace: float) -> str | None:
    label, patience, mend = PARTS[row.name]
    if row.error and row.failing_since and now - row.failing_since > patience * pace:
        return f"{label}自 {clock_face(row.failing_since)} 起一直失败: {row.error}；请运行 huiying doctor"
    if row.error or row.last_good_at is None or now - row.last_good_at <= patience * pace:
        return None
    silent = span((now - row.last_good_at).total_seconds())
    return f"{label}已 {silent}没有运行；请检查进程，或另起一个 {mend}"


def _people_not_there(conn: Connection, house: House, now: datetime) -> Iterator[Finding]:
    """Shifts that nobody has taken over, and people whom this afternoon's test did not reach."""
    for row in handover.unaccepted(conn, now, house.time.speed):
        names = "、".join(house.names.get(person, person) for person in row.to_people)
        words = f"第 {row.rung} 级 {clock_face(row.at)} 的交接还没有人签收（接班: {names}）；请打电话确认在岗"
        yield Finding(f"handover:{row.id}", words, urgent=False)
    wrong = reach.trouble(reach.last(conn), house.site.roster.reach_test, now)
    if wrong:
        yield Finding("reach", f"{wrong}；请补联系方式或安排代班", urgent=False)


def verify_chain(house: House) -> dict[str, Any]:
    """The whole of `huiying verify`, and a note of when it was done."""
    now = house.time.now()
    found = verify.verify(house.store, now)
    with house.store.write() as conn:
        note = {"at": iso(now), "ok": found["ok"], "entries": found["entries"], "head": found["head"]}
        duties.put_setting(conn, VERIFIED, note)
    return found


def last_verification(conn: Connection) -> dict[str, Any]:
    """When the journal was last verified whole and whether it held; None = not yet."""
    kept = duties.get_setting(conn, VERIFIED)
    return {"verified_at": kept["at"] if kept else None, "ok": kept["ok"] if kept else None}
