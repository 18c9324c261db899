"""A campaign: a site with many running clocks, workers that are killed, people who go on acting.

The site's time runs `SPEED` times as fast, and every kill of the last worker is an outage of up to
some hours of the site's time, so that leases end, clocks are missed and catch-up has work.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select

from connectors.console.desk import Refusal, Unavailable
from flows import timekeeping
from flows.office.desk import Desk
from flows.timekeeping import FastTime, machine_now
from flows.wiring import House
from models.core.moment import iso
from models.ledger import clocks, duties
from models.ledger.outbox import ALERT
from models.ledger.store import LedgerError
from support.aim import MOMENTS, Moment
from support.machines import Machine, Worker
from support.moody import MOODS, NO, Moody
from support.sites import ENVIRON
from support.truth import Truth, look

SPEED = 60.0
OPEN_AT_MOST = 30
CATCH_BREATH = timedelta(hours=8)
"""Longer, in the site's time, than any lease and any wait before another try."""
STUCK_S = 120.0
ROUNDS_AT_MOST = 5
"""So often a worker is given time to bring everything out; what waits then is told as it is."""


@dataclass
class Campaign:
    """Open with a site that `write_site` made; `live` some lives, then `settle` and look."""

    site: Path
    receiver: Moody
    seed: int
    workers: int = 1
    machines: int = 1
    kills: int = 0
    aimed: Counter[str] = field(default_factory=Counter)
    acts: int = 0
    refused: list[str] = field(default_factory=list)
    alive: list[Worker] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.dice = random.Random(self.seed)
        self.house = House.open(self.site, ENVIRON)
        self.house.time = timekeeping.start(self.house.store, SPEED)
        self.desk = Desk(self.house)
        self.began = self.house.time.now()
        self.places = [Machine(self.site, f"machine-{n}" if n else "") for n in range(self.machines)]
        self.incidents: list[str] = []
        for _ in range(OPEN_AT_MOST):
            self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.alive:
            worker.kill()
        for machine in self.places:
            machine.close()
        self.house.close()

    # ── lives ─────────────────────────────────────────────────────────────────────────────────

    def live(self, kills: int, longest_s: float) -> None:
        """Start workers, act, wait a random while of at most `longest_s`, kill; `kills` times."""
        for _ in range(kills):
            self.fill()
            self.act()
            time.sleep(self.dice.uniform(0.02, longest_s))
            self.kill()

    def live_to(self, kills: int, moment: str, longest_s: float) -> None:
        """As `live`, but each kill waits for `moment` (support/aim.py), for `longest_s` at the most; until
        `kills` of them hit it, or thrice as many have tried."""
        for _ in range(3 * kills):
            if self.aimed[moment] >= kills:
                return
            self.act()
            self.fill()
            self.aimed[moment] += self._frozen_at(MOMENTS[moment], longest_s)
            self.kill(whole=True)

    def _frozen_at(self, moment: Moment, longest_s: float) -> bool:
        """Freeze the workers again and again until it is the moment; they stay frozen then."""
        until = time.monotonic() + longest_s
        while time.monotonic() < until:
            time.sleep(self.dice.uniform(0.0, 0.01))
            for worker in self.alive:
                worker.freeze()
            if moment(self.house.store):
                return True
            for worker in self.alive:
                worker.thaw()
        return False

    def some_minutes(self) -> timedelta:
        return timedelta(minutes=self.dice.uniform(0, 180))

    def fill(self) -> None:
        while len(self.alive) < self.workers:
            here = Counter(worker.machine for worker in self.alive)
            self.alive.append(min(self.places, key=lambda place: here[place]).worker())

    def kill(self, whole: bool = False) -> None:
        """Kill one worker; now and then all of them, and then some hours pass."""
        whole = whole or self.workers == 1 or self.dice.random() < 0.3
        for worker in self.alive if whole else [self.dice.choice(self.alive)]:
            worker.kill()
            self.kills += 1
            self.alive = [one for one in self.alive if one is not worker]
        if whole:
            self.outage(self.some_minutes())

    def outage(self, length: timedelta, stopped: bool = False) -> None:
        """Nobody is at work while the site's time goes on by `length`."""
        now = self.house.time.now() + length
        self.house.time = FastTime(now, machine_now(), SPEED, stopped)
        with self.house.store.write() as conn:
            duties.put_setting(conn, timekeeping.KEY, self.house.time.anchor(stopped))

    # ── people ────────────────────────────────────────────────────────────────────────────────

    def act(self) -> None:
        """One person does one thing, as the work goes on."""
        if len(self.incidents) < OPEN_AT_MOST or self.dice.random() < 0.2:
            self._open()
            return
        one = self.dice.choice(self.incidents)
        if self.dice.random() < 0.5:
            self._do("ack", one, {"reason": "已知悉"}, self.dice.choice(["chen", "li"]))
        else:
            self.incidents.remove(one)
            self._stop(one)

    def _open(self) -> None:
        occurred = self.house.time.now() - timedelta(minutes=self.dice.uniform(0, 600))
        grade = self.dice.choice(["II", "II", "III"])
        params = {"title": f"第 {self.acts} 号演练", "grade": grade, "occurred_at": iso(occurred)}
        made = self._do("open", "", params, "chen")
        if made is not None:
            self.incidents.append(made)

    def _stop(self, incident: str) -> None:
        """Every clock of the incident ends: one by evidence, the others with a signature."""
        shown = self.desk.incident(incident)
        assert shown is not None
        for clock in shown["clocks"]:
            if clock["id"] == "first_statement":
                proof = {"clock": clock["id"], "url": f"https://example.org/{incident}"}
                self._do("stop", incident, proof, "li")
            elif clock["ended_at"] is None:
                self._do("waive", incident, {"clock": clock["id"], "reason": "演练结束"}, "li")

    def _do(self, act: str, incident: str, params: dict[str, str], by: str) -> str | None:
        self.acts += 1
        try:
            return str(self.desk.act(act, incident, params, by)["id"])
        except (LedgerError, Refusal, Unavailable) as error:
            self.refused.append(f"{act}: {error}")
            return None

    # ── the end ───────────────────────────────────────────────────────────────────────────────

    def settle(self) -> Truth:
        """Calm weather, time stands still, one worker: wait until nothing is due and nothing waits."""
        while self.alive:
            self.alive.pop().kill()
        self.receiver.calm = True
        for _ in range(ROUNDS_AT_MOST):
            self.outage(CATCH_BREATH, stopped=True)
            self.alive = [self.places[0].worker()]
            rest = self._wait_while_it_moves()
            self.alive.pop().kill()
            if rest == 0:
                break
        return look(self.house.store, self.receiver.log, self.house.time.now())

    def _wait_while_it_moves(self) -> int:
        """Until all is done, or nothing has moved for a while (a send that failed waits for time)."""
        rest, seen, since = -1, -1, time.monotonic()
        while rest and time.monotonic() - since < (STUCK_S if rest < 0 else 5):
            rest = self._rest()
            if rest != seen:
                seen, since = rest, time.monotonic()
            time.sleep(0.1)
        return rest

    def _rest(self) -> int:
        """How many clocks owe a step now, and how many alerts wait."""
        now = self.house.time.now()
        with self.house.store.read() as conn:
            due = select(func.count()).select_from(clocks.CLOCK).where(clocks.CLOCK.c.next_step_at <= now)
            waits = select(func.count()).select_from(ALERT).where(ALERT.c.next_try_at.is_not(None))
            return int(conn.execute(due).scalar_one() + conn.execute(waits).scalar_one())

    def words(self, most: int = 2000) -> str:
        """The end of what the workers have said."""
        log = self.site / "workers.log"
        return log.read_text(encoding="utf-8", errors="replace")[-most:] if log.exists() else ""

    @property
    def hours(self) -> float:
        return (self.house.time.now() - self.began).total_seconds() / 3600


def column(name: str, campaign: Campaign, truth: Truth, verified: dict[str, Any]) -> dict[str, Any]:
    """One campaign's figures, in the order the table shows them."""
    return {
        "workers on": name,
        "kills": campaign.kills,
        **{f"  of them {moment}": campaign.aimed[moment] for moment in MOMENTS},
        "hours of the site": round(campaign.hours, 1),
        "acts of people": campaign.acts,
        "requests": campaign.receiver.log.requests,
        **{
            mood: campaign.receiver.log.answers[mood]
            for mood in ("taken", NO, *(name for name, _, _ in MOODS))
        },
        **asdict(truth),
        "journal entries": verified["entries"],
        "verify": "ok" if verified["ok"] else "BROKEN",
        "seed": campaign.seed,
    }
