"""Audit: a second pair of eyes on ourselves, over *all* open clocks and unsent alerts (law 13).

It looks at rows, never at what the sweep believes it did, and it keeps no window: a 48 h clock is
checked as often as a 5 h one. What it finds is shown on the board and told on standard error; the
heartbeat is beaten only when nothing was found.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flows.wiring import House
from models.core.moment import iso, span
from models.ledger import clocks, duties, tallies, verify
from models.ledger.store import Connection

STEP_GRACE = timedelta(seconds=30)
ALERT_GRACE = timedelta(minutes=5)
VERIFIED = "verified"


def audit(house: House) -> list[str]:
    """Everything that is overdue inside ourselves, in words; empty when all is well."""
    now, pace = house.time.now(), house.time.speed
    with house.store.read() as conn:
        return [
            *_steps_not_raised(conn, now, STEP_GRACE * pace),
            *_alerts_not_accepted(conn, now, ALERT_GRACE * pace),
            *_clocks_without_rungs(conn, house, now),
        ]


def _steps_not_raised(conn: Connection, now: datetime, grace: timedelta) -> list[str]:
    count, oldest = tallies.steps_overdue(conn, now - grace)
    if oldest is None:
        return []
    return [
        f"{count} 个时钟的提醒到点未发，最早的已迟 {span((now - oldest).total_seconds())}；请检查 respond 是否在运行"
    ]


def _alerts_not_accepted(conn: Connection, now: datetime, grace: timedelta) -> list[str]:
    count, dead = tallies.alerts_waiting(conn, now - grace), tallies.alerts_dead(conn)
    found = []
    if count:
        found.append(f"{count} 条提醒发出后迟迟没有渠道接收；请检查渠道与网络")
    if dead:
        found.append(f"{dead} 条提醒所有联系方式都失败；请人工通知并核对 roster.yaml、channels.yaml")
    return found


def _clocks_without_rungs(conn: Connection, house: House, now: datetime) -> list[str]:
    running = clocks.count_open(conn)
    reachable = any(house.site.roster.on_duty(rung.rung, now) for rung in house.site.roster.ladder)
    if running and not reachable:
        return [f"{running} 个时钟在走，但值班表此刻无人可达；请立即补齐 roster.yaml"]
    return []


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
