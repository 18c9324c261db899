"""Two machines on a line that is cut: what one of them held passes to the other, and nothing is doubled or lost.

Each has a network of its own (support/networks.py). Nobody is told of the cut: packets are lost, and connections
look as they did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from flows.audit import verify_chain
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST, iso
from models.ledger.outbox import ALERT
from models.ledger.store import Store
from support import postgres
from support.machines import Machine
from support.missing import missing
from support.moody import Moody
from support.networks import Network, two_machines
from support.processes import environ
from support.receiver import Answer, Request
from support.sites import ENVIRON, write_site
from support.truth import look, wrong
from support.waiting import until

LONG = os.environ.get("HUIYING_FAULTS") == "long"
LEASE_AND_MORE_S = 240.0
"""An alert that a vanished sender holds is free again after a minute and a half."""


class Gated(Moody):
    """Takes everything, once the gate is open."""

    def __init__(self, host: str) -> None:
        super().__init__(seed=1, host=host)
        self.calm, self.gate, self.reached = True, threading.Event(), threading.Event()

    def take(self, request: Request) -> Answer:
        self.reached.set()
        self.gate.wait(LEASE_AND_MORE_S)
        return super().take(request)


@dataclass(frozen=True)
class Place:
    """A database and a receiver that both machines reach, and the line to them."""

    lan: Network
    database: str
    receiver: Gated

    def opened(self, house: House, title: str) -> str:
        """An incident of which 2 h 40 min have passed: several of its steps are due at once."""
        began = iso(datetime.now(CST) - timedelta(minutes=160))
        said = {"title": title, "grade": "II", "occurred_at": began, "reason": "来电"}
        return str(Desk(house).act("open", "", said, "chen")["id"])


@pytest.fixture
def place() -> Iterator[Place]:
    with two_machines() as lan, Gated(lan.address) as receiver:
        try:
            with postgres.server(also=lan.address) as server:
                yield Place(lan, server.database().replace("127.0.0.1", lan.address), receiver)
        except postgres.Missing as why:
            missing(str(why))


HOLD = """
import sys, threading
from models.ledger.store import Store
with Store(sys.argv[1]).write():
    print("held", flush=True)
    threading.Event().wait()
"""


def test_a_writer_whose_line_is_cut_holds_nobody_up_for_long(place: Place) -> None:
    """By itself PostgreSQL would ask after two hours whether it is still there."""
    line = [*place.lan.one.inside, sys.executable, "-c", HOLD, place.database]
    with closing(Store(place.database)) as store:
        store.migrate()
        holder = subprocess.Popen(line, env=environ(), stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            place.lan.one.cut()
            with store.write():
                assert holder.poll() is None, "it still believes that it holds the end of the journal"
        finally:
            holder.kill()
            holder.communicate()


def held(house: House) -> set[str]:
    """Who holds a lease on an alert."""
    with house.store.read() as conn:
        return {str(row.leased_by) for row in conn.execute(select(ALERT.c.leased_by)) if row.leased_by}


def settled(house: House, incident: str) -> bool:
    """The incident has alerts, and none of them waits any more."""
    with house.store.read() as conn:
        asked = select(ALERT.c.next_try_at).where(ALERT.c.incident_id == incident)
        rows = conn.execute(asked).all()
    return bool(rows) and all(row.next_try_at is None for row in rows)


@pytest.mark.skipif(not LONG, reason="waits for the end of a lease, 90 s; mend it with: make faults")
def test_what_a_machine_held_when_its_line_was_cut_is_sent_by_the_other_and_nothing_twice_after_mending(
    place: Place, tmp_path: Path
) -> None:
    reach = {"http": {"allow_hosts": [place.lan.address]}}
    site = write_site(tmp_path / "site", place.receiver.url, database=place.database, timeout_s=5, site=reach)
    with House.open(site, ENVIRON) as house:
        first = place.opened(house, "化工园区火灾")
        one = Machine(site, "one", inside=place.lan.one.inside)
        two = Machine(site, "two", inside=place.lan.two.inside)
        try:
            cut_off = one.worker()
            until(place.receiver.reached.is_set)
            holders = held(house)
            place.lan.one.cut()
            place.receiver.gate.set()  # its messages are taken, and it never hears of that
            other = two.worker()
            second = place.opened(house, "学校食堂食物中毒")
            until(lambda: settled(house, second), patience_s=LEASE_AND_MORE_S)
            assert not settled(house, first), "what the other holds is its own until the lease ends"
            until(lambda: settled(house, first), patience_s=LEASE_AND_MORE_S)
            place.lan.one.mend()
            other.kill()
            third = place.opened(house, "供水管道爆裂")
            until(lambda: settled(house, third), patience_s=LEASE_AND_MORE_S)  # by the one that is back
            cut_off.kill()
        finally:
            one.close()
            two.close()
        assert len({name.split(":")[0] for name in holders}) == 1
        truth = look(house.store, place.receiver.log, house.time.now())
        assert wrong(truth) == {}
        assert truth.taken_twice > 0, "else the cut came too late to prove anything"
        assert verify_chain(house)["ok"]
