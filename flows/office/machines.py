"""The machines of a site as the board and `huiying doctor` tell of them: every process by its last word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flows.wiring import House
from models.core.fleet import FULL_POOL, Needs, Seen, Trouble, alive, is_silent, troubles
from models.ledger import duties, presence
from models.ledger.store import Connection

JUST_NOW = timedelta(minutes=1)


def standing(
    conn: Connection, house: House, now: datetime, wanted: Iterable[str] = (), *, spread: bool = False
) -> list[Trouble]:
    """What is wrong among the processes, each of which should do some of the `wanted` duties; `spread`: also
    that the clocks stand on one machine alone."""
    pace = house.time.speed
    good = {row.name for row in duties.all_duties(conn) if _is_good(row.last_good_at, now, pace)}
    two = spread and house.site.production and not house.store.sqlite
    needs = Needs(frozenset(wanted), frozenset(good), presence.schema_in_force(conn), two)
    return troubles(presence.known(conn), needs, now, pace)


def _is_good(moment: datetime | None, now: datetime, pace: float) -> bool:
    """Done just now by whomever: a process of an older release tells nothing of itself."""
    return moment is not None and now - moment <= JUST_NOW * pace


def counted(fleet: list[Seen], now: datetime, pace: float) -> str:
    """2 台机器 3 个进程，版本 0.1.0"""
    here = alive(fleet, now, pace)
    versions = "、".join(sorted({one.version for one in here}))
    return f"{len({one.host for one in here})} 台机器 {len(here)} 个进程，版本 {versions}"


def in_words(fleet: list[Seen], now: datetime, pace: float) -> str:
    """2 台机器 3 个进程，版本 0.1.0: a 的 worker(pid 12) respond deliver、…"""
    here = alive(fleet, now, pace)
    told = "、".join(f"{one.called} {' '.join(one.duties)}".strip() for one in here)
    return f"{counted(here, now, pace)}: {told}" if here else "没有进程在运行"


def crowded(conn: Connection) -> str | None:
    """In words, when the database server has hardly a place left for anybody."""
    found = presence.connections(conn)
    if found is None or found[0] < FULL_POOL * found[1]:
        return None
    return f"数据库的连接用到 {found[0]}/{found[1]}"


def forget(house: House, named: str) -> list[str]:
    """Strike off the silent processes called `host:pid` or `host`; the words of those that went."""
    now, pace = house.time.now(), house.time.speed
    with house.store.write() as conn:
        gone = [one for one in presence.known(conn) if _is_called(one, named) and is_silent(one, now, pace)]
        presence.forget(conn, [one.id for one in gone])
    return [one.called for one in gone]


def _is_called(one: Seen, named: str) -> bool:
    return named in (one.host, f"{one.host}:{one.pid}")
