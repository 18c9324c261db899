"""The wall clock is stepped by an hour under a running system; nothing is early, late or lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from flows.office.desk import Desk
from flows.timekeeping import ANCHOR, RESYNC_S, DatabaseTime, machine_now
from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.ledger import outbox
from models.ledger.duties import SETTING
from models.ledger.outbox import STEP
from models.ledger.store import LedgerError, Store
from support.missing import missing
from support.moody import Moody
from support.processes import Worker, command
from support.sites import ENVIRON, write_site
from support.truth import look, wrong
from support.waiting import until
from support.wall import LIBRARIES, Wall

HALF_OF_FIRST = timedelta(hours=2.5)
"""The first statement's first step: half of five hours."""
LEAD = timedelta(seconds=2)
LATE_AT_MOST = timedelta(seconds=20)
"""Told from an hour; how late a step really is depends on what else this machine does."""
NOTICED_S = RESYNC_S + 1
BEGINS = timedelta(seconds=30)
"""A worker may take a while to begin on a busy machine; what falls due then is late by that."""

STEPS = (("+1h", False), ("-1h", True), ("-1h", False), ("+1h", True))
"""By how much, and whether the worker is killed and starts anew on the stepped clock."""


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    if not LIBRARIES:
        missing("no libfaketime; mend it with: sudo apt-get install faketime")
    return Wall(tmp_path)


@pytest.fixture
def house(tmp_path: Path, receiver: Moody) -> Iterator[House]:
    """The true time's own house: this process reads the real clock."""
    with House.open(write_site(tmp_path / "site", receiver.url), ENVIRON) as opened:
        yield opened


@pytest.fixture
def receiver(seed: int) -> Iterator[Moody]:
    with Moody(seed) as started:
        started.calm = True
        yield started


def opened(house: House, first_step_in: timedelta) -> str:
    """An incident whose first statement has its first step so long from now, by the true clock."""
    occurred = machine_now() + first_step_in - HALF_OF_FIRST
    params = {"title": "化工园区火灾", "grade": "II", "occurred_at": iso(occurred)}
    return str(Desk(house).act("open", "", params, "chen")["id"])


def raised(house: House, incident: str, key: str = "50%") -> timedelta:
    """How late, by the true clock, the first statement's step is seen to be raised."""
    wanted = (
        (STEP.c.incident_id == incident) & STEP.c.clock_id.like("%first_statement%") & (STEP.c.key == key)
    )

    def due() -> list[datetime]:
        with house.store.read() as conn:
            return list(conn.execute(select(STEP.c.due_at).where(wanted)).scalars())

    (moment,) = until(due, lambda: _words(house))
    return machine_now() - moment


def _words(house: House) -> str:
    log = house.site.directory / "workers.log"
    return log.read_text(encoding="utf-8", errors="replace")[-2000:] if log.exists() else "no words"


def raised_ahead(house: House) -> list[Any]:
    """Steps that stand in the database before their time has come, by the true clock."""
    with house.store.read() as conn:
        return list(conn.execute(select(STEP.c.clock_id, STEP.c.key).where(STEP.c.due_at > machine_now())))


def test_a_wall_clock_stepped_by_an_hour_makes_no_step_early_and_none_late(
    wall: Wall, house: House, receiver: Moody, long: bool, campaigns: list[dict[str, Any]]
) -> None:
    site, late = house.site.directory, []
    for step, restart in STEPS if long else STEPS[:2]:
        wall.step("+0")
        with _worker(house, wall) as worker:
            wall.step(step)
            if restart:
                worker.kill()
                worker.start()
                raised(house, opened(house, -LEAD))
            time.sleep(NOTICED_S)
            late.append(raised(house, opened(house, LEAD)))
            assert raised_ahead(house) == []
            now = parse_iso(command(site, "board", **wall.environ)["now"])
            assert abs(now - machine_now()) < BEGINS, "a command that starts now reads the site's time"
    wall.step("+0")
    with _worker(house, wall):
        until(lambda: not _waiting(house), lambda: _words(house))
    truth = look(house.store, receiver.log, house.time.now())
    verified = command(site, "verify")
    worst = max(late).total_seconds()
    campaigns.append(
        {"workers on": "sqlite, clock stepped", "steps of the wall clock": len(late), "latest step, s": worst}
        | {"verify": "ok" if verified["ok"] else "BROKEN"}
    )
    assert timedelta(0) <= min(late) <= max(late) < LATE_AT_MOST
    assert wrong(truth) == {}
    assert verified["ok"], verified["findings"]


@contextmanager
def _worker(house: House, wall: Wall) -> Iterator[Worker]:
    """A worker that is already at work."""
    with Worker(house.site.directory, **wall.environ) as worker:
        raised(house, opened(house, -LEAD))
        yield worker


def _waiting(house: House) -> int:
    with house.store.read() as conn:
        return int(outbox.queue(conn, house.time.now())["waiting"])


class Stepped(Store):
    """A database server whose clock somebody steps (`off`), and that may be away."""

    off, away = timedelta(0), False

    def server_time(self) -> datetime | None:
        if self.away:
            raise LedgerError("数据库不在")
        return machine_now() + self.off


@pytest.fixture
def stepped(tmp_path: Path) -> Iterator[Stepped]:
    made = Stepped(f"sqlite:///{tmp_path / 'stepped.sqlite'}")
    made.migrate()
    yield made
    made.close()


def near(piece: DatabaseTime) -> bool:
    return abs(piece.now() - machine_now()) < timedelta(seconds=1)


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1)], ids=["forward", "back"])
def test_a_servers_clock_that_is_stepped_is_told_and_not_followed(stepped: Stepped, step: timedelta) -> None:
    piece = DatabaseTime(stepped, resync_s=0.0)
    assert near(piece)
    assert piece.jump is None
    stepped.off = step
    assert near(piece)
    assert piece.jump is not None
    assert abs(piece.jump - step) < timedelta(seconds=1)
    later = DatabaseTime(stepped, resync_s=0.0)
    assert near(later), "who starts after the step reads the same time"
    stepped.off = timedelta(0)
    assert near(piece)
    assert piece.jump is None


def test_a_server_that_is_away_stops_no_time(stepped: Stepped) -> None:
    piece = DatabaseTime(stepped, resync_s=0.0)
    stepped.away = True
    assert near(piece)


def test_a_servers_small_correction_is_followed(stepped: Stepped) -> None:
    piece = DatabaseTime(stepped, resync_s=0.0)
    stepped.off = timedelta(seconds=1.5)
    assert piece.now() - machine_now() > timedelta(seconds=1)
    assert piece.jump is None


def test_a_system_that_starts_on_a_clock_set_back_goes_on_from_its_newest_entry(
    wall: Wall, house: House
) -> None:
    """As after a reboot: no course is known of this boot, and the clock says an hour ago."""
    opened(house, LEAD)
    newest = machine_now()
    _forget_this_boot(house)
    wall.step("-1h")
    answer = command(house.site.directory, "board", **wall.environ)
    assert parse_iso(answer["now"]) >= newest - timedelta(seconds=2)


def _forget_this_boot(house: House) -> None:
    with house.store.write() as conn:
        conn.execute(delete(SETTING).where(SETTING.c.key.startswith(ANCHOR)))
