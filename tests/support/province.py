"""A province on one machine: real PostgreSQL, real Kafka, a real Prefect server, a receiver of alerts, and the
program in its parts, each a process of its own, half of them on a second machine (support/cable.py).

    with Province(folder) as province:
        province.lay(100_000, first, seconds)    # open clocks whose next steps fall due from `first` on
        province.start()
        with province.feed(1_000_000, 1500) as feeder: … province.kill("sweep-1") … province.revive("sweep-1")
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select, text

from flows.wiring import House
from models.core.vocabulary import AlertState, Grade, Medium, StartEvent
from models.ledger import acts, clocks
from models.ledger.outbox import ALERT
from models.ledger.signals import SIGNAL
from models.ledger.store import LedgerError, Store
from support import postgres
from support.cable import cable
from support.feeder import Feeder
from support.kafka import Broker, broker
from support.ports import free_port
from support.prefect import PrefectServer
from support.processes import Process, answers, family, huiying, resident_mb
from support.sites import ENVIRON, write_site
from support.voices import Stream
from support.waiting import until
from support.witness import Witness

SETTINGS = {
    "track_commit_timestamp": "on",  # when a row was there for others, not when its writer began
    "shared_buffers": "'512MB'",
    "max_wal_size": "'4GB'",
    "max_connections": "300",
}
EACH = 10
"""Clocks of an incident that is laid: its 48 hours, and nine duties of a playbook of the site."""
HALF = timedelta(hours=24)
TOGETHER = 25
"""Incidents laid in one transaction."""
BURST = 100
"""Incidents whose steps, ten each, fall due within one second."""
PARTS = {
    "console": ("console",),
    "sweep-1": ("worker", "respond", "deliver"),
    "sort-1": ("worker", "ingest", "triage"),
    "prefect-side": ("serve",),
    "sweep-2": ("worker", "respond", "deliver"),
    "sort-2": ("worker", "ingest", "triage"),
}
ON_SECOND = ("sweep-2", "sort-2")
TRIED = 100
"""Clocks that are laid to see how long the others will take, and how much longer that may be."""
SLOWER = 1.5
STARTING_S = 30.0
PAUSE_S = 0.5
STILL_S = 420.0
"""Without any movement: a broker may wait five minutes for a member of the group that is gone."""


class Part(Process):
    """One process of the program, here or on the second machine, as a service manager keeps it: who ends
    by itself is started again."""

    def __init__(self, line: list[str], log: Path, **more: str) -> None:
        super().__init__(line, log, **more)
        self.wanted, self.restarts = False, 0

    def start(self) -> None:
        super().start()
        self.wanted = True

    def kill(self) -> None:
        self.wanted = False
        super().kill()

    def end(self) -> int:
        """Ask it to stop, wherever it runs."""
        self.wanted = False
        if self.alive:
            os.killpg(self.pid, signal.SIGINT)
        return self.stop()

    def keep(self) -> None:
        if self.wanted and not self.alive:
            self.restarts += 1
            super().start()

    @property
    def memory_mb(self) -> float:
        total = 0.0
        for pid in family(self.pid) if self.alive else ():
            with suppress(OSError, StopIteration):
                total += resident_mb(pid)
        return total


@dataclass
class Outage:
    """What was away, and from when to when, in seconds since 1970."""

    what: str
    since: float
    until: float = 0.0


@dataclass
class Province:
    folder: Path
    prefect: bool = True
    partitions: int = 4
    stream: Stream = field(default_factory=Stream)
    parts: dict[str, Part] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    laid_s: float = 0.0
    laid: int = 0

    def __enter__(self) -> Self:
        self._closing = ExitStack()
        with self._closing as stack:
            self._build(stack)
            self._closing = stack.pop_all()
        return self

    def _build(self, stack: ExitStack) -> None:
        self.cable = stack.enter_context(cable())
        also = self.cable.here if self.cable.parted else ""
        self.postgres = stack.enter_context(postgres.server(also=also))
        settle_in(self.postgres)
        self.kafka: Broker = stack.enter_context(broker(self.folder, self.cable.here))
        self.witness = stack.enter_context(Witness(self.cable.here))
        name = f"province-{uuid.uuid4().hex[:8]}"
        self.topics = {"tickets": f"{name}-tickets", "posts": f"{name}-posts"}
        for topic in self.topics.values():
            self.kafka.create(topic, self.partitions)
        self.site = self._write(name)
        self.server = PrefectServer(self.folder)
        if self.prefect:
            stack.enter_context(self.server)
            self.server.wait_ready()
        self.house = stack.enter_context(House.open(self.site, ENVIRON))
        self.store: Store = self.house.store
        self._make_parts(stack)

    def _write(self, group: str) -> Path:
        here = self.cable.here
        self.database = self.postgres.database().replace("127.0.0.1", here)
        self.port = free_port()
        kafka = {
            "bootstrap": self.kafka.bootstrap, "group": group, "topics": [self.topics["tickets"]],
            "posts": [self.topics["posts"]], "security": self.kafka.settings,
        }  # fmt: skip
        more = {"kafka": kafka, "http": {"allow_hosts": ["127.0.0.1", here]}}
        site = write_site(
            self.folder / "site", self.witness.url, database=self.database, port=self.port,
            prefect=self.prefect, prefect_port=free_port(), site=more, per_minute=100_000,
        )  # fmt: skip
        (site / "playbooks").mkdir()
        (site / "playbooks" / "province.yaml").write_text(json.dumps(duties(), ensure_ascii=False), "utf-8")
        return site

    def _make_parts(self, stack: ExitStack) -> None:
        for name, words in PARTS.items():
            if name == "prefect-side" and not self.prefect:
                continue
            line = huiying(*words, "--site", str(self.site))
            if name in ON_SECOND:
                line = self.cable.there(line)
            more = self.server.settings if name == "prefect-side" else {}
            self.parts[name] = Part(line, self.folder / f"{name}.log", **more)
            stack.callback(_gone, self.parts[name])
        self._over = threading.Event()
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        stack.callback(keeper.join)
        stack.callback(self._over.set)

    def _keep(self) -> None:
        while not self._over.wait(PAUSE_S):
            for part in self.parts.values():
                part.keep()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    # ── before ────────────────────────────────────────────────────────────────────────────────

    def ready_at(self, count: int, starting_s: float = STARTING_S) -> datetime:
        """When `count` clocks are surely laid and the parts started, by the pace of a few that are laid now and fall
        due tomorrow."""
        later = self.house.time.now() + HALF
        for _ in range(2):  # the first also pays for what is done once
            began = time.monotonic()
            self.lay(TRIED, later, 60.0, burst=0)
        pace = TRIED / (time.monotonic() - began)
        return self.house.time.now() + timedelta(seconds=starting_s + SLOWER * count / pace)

    def lay(self, count: int, first: datetime, seconds: float, burst: int = BURST) -> None:
        """Open incidents with `EACH` clocks each, `count` clocks in all, as people do and acknowledged: the next
        step of each falls due within `seconds` of `first`, those of `burst` incidents in one second."""
        began = time.monotonic()
        many = count // EACH
        for low in range(0, many, TOGETHER):
            with self.store.write() as conn:
                for n in range(low, min(low + TOGETHER, many)):
                    at = seconds / 2 + n / max(1, burst) if n < burst else seconds * (n - burst) / many
                    self._open(conn, n, first + timedelta(seconds=at) - HALF)
        with self.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("ANALYZE")
        self.laid, self.laid_s = self.laid + many * EACH, self.laid_s + time.monotonic() - began

    def _open(self, conn: Any, n: int, started: datetime) -> None:
        now = self.house.time.now()
        opening = acts.Opening(
            title=f"第 {n} 号在办事项", grade=Grade.III, times={StartEvent.DISCOVERY: started}, by="chen",
            reason="演练", provisional=False, medium=Medium.MANUAL.value,
        )  # fmt: skip
        made = acts.open_incident(conn, now, opening, self.house.rules_for)
        acts.acknowledge(conn, now, made, "chen", "陈值班", "已知悉", self.house.rules_for)

    # ── at work ───────────────────────────────────────────────────────────────────────────────

    def start(self, *names: str) -> None:
        """These parts, or all of them; ready when the console answers."""
        for name in names or self.parts:
            self.parts[name].start()
        if not names or "console" in names:
            part = self.parts["console"]
            until(lambda: answers(f"{self.url}/healthz"), part.words, patience_s=180)

    def stop(self) -> dict[str, int]:
        """Ask all that run to stop, one after the other; their exit codes."""
        return {name: part.end() for name, part in self.parts.items() if part.wanted}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def feed(self, count: int, rate: float, first: int = 0) -> Feeder:
        return Feeder(self.kafka.bootstrap, self.topics, count, rate, self.stream, self.folder, first)

    def memory(self) -> dict[str, float]:
        """Resident MB of every part, its helpers counted in."""
        return {name: part.memory_mb for name, part in self.parts.items() if part.alive}

    # ── killed ────────────────────────────────────────────────────────────────────────────────

    def kill(self, what: str) -> None:
        """SIGKILL: a part of the program, or "broker", "database", "prefect"; or the "cable" to
        the second machine is pulled."""
        self.outages.append(Outage(what, time.time()))
        if what == "broker":
            self.kafka.needs_own().stop(kill=True)
        elif what == "database":
            kill_cluster(self.postgres)
        elif what == "prefect":
            self.server.kill()
        elif what == "cable":
            self.cable.pull()
        else:
            self.parts[what].kill()

    def revive(self, what: str) -> None:
        """Start again what was killed; returns when it answers."""
        if what == "broker":
            self.kafka.needs_own().start()
        elif what == "database":
            self.postgres.revive()
        elif what == "prefect":
            self.server.start()
            self.server.wait_ready()
        elif what == "cable":
            self.cable.plug()
        else:
            self.start(what)
        next(one for one in reversed(self.outages) if one.what == what).until = time.time()

    # ── the end ───────────────────────────────────────────────────────────────────────────────

    def rest(self, produced: int) -> dict[str, int]:
        """What is still to be done: messages that are no row yet, signals not judged, steps due, alerts that
        wait. The database may be away: then everything is."""
        try:
            return self._rest(produced)
        except LedgerError:
            return {"database": 1}

    def _rest(self, produced: int) -> dict[str, int]:
        now = self.house.time.now()
        counts = {
            "judged": select(func.count()).where(SIGNAL.c.triaged_at.is_(None)),
            "due": select(func.count()).where(clocks.CLOCK.c.next_step_at <= now),
            "alerts": select(func.count()).where(ALERT.c.state == AlertState.QUEUED.value),
        }
        with self.store.read() as conn:
            missing = produced - conn.execute(select(func.count()).select_from(SIGNAL)).scalar_one()
            found = {name: int(conn.execute(query).scalar_one()) for name, query in counts.items()}
        return {"stored": missing, **found}

    def settle(self, produced: int, patience_s: float = STILL_S) -> datetime:
        """Wait until nothing is left to do; the moment up to which everything is done. `patience_s`: without any
        movement."""
        seen, since = self.rest(produced), time.monotonic()
        while any(seen.values()):
            time.sleep(PAUSE_S)
            asked = time.monotonic()
            fresh = self.rest(produced)
            time.sleep(9 * (time.monotonic() - asked))  # a million rows are not counted in a few milliseconds
            seen, since = fresh, since if fresh == seen else time.monotonic()
            assert time.monotonic() - since < patience_s, self._stuck(seen)
        return self.house.time.now() - timedelta(seconds=2)

    def _stuck(self, rest: dict[str, int]) -> str:
        words = "\n".join(f"── {name}\n{part.words(600)}" for name, part in self.parts.items())
        return f"nothing moves any more; left: {rest}\n{words}"

    def rows(self, query: str, **values: Any) -> Iterator[Any]:
        with self.store.read() as conn:
            yield from conn.execute(text(query), values)


def duties() -> dict[str, Any]:
    """A playbook of the site: nine limits of 48 hours for what was opened by hand."""
    clock = {
        "amount": "PT48H", "start": "discovery", "steps": [{"after": "PT24H", "rung": 1}, {"at": "100%", "rung": 4}],
        "stop": {"evidence": ["published_response"]}, "proposal": "演练",
    }  # fmt: skip
    return {
        "id": "province", "name": "省级演练", "version": 1, "trigger": {"when": 'medium == "manual"'},
        "clocks": [{"id": f"duty_{n}", "name": f"职责 {n}", **clock} for n in range(1, EACH)],
    }  # fmt: skip


def settle_in(server: postgres.Server) -> None:
    """A province's settings; and it notes when each transaction was committed."""
    assert server.data, "HUIYING_TEST_POSTGRES names a server that is not ours to kill"
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"\n{name} = {value}" for name, value in SETTINGS.items())
    server.stop()
    server.start()


def kill_cluster(server: postgres.Server) -> None:
    """SIGKILL to the postmaster and all its children, as when the machine's memory is out."""
    assert server.data
    master = int((server.data / "postmaster.pid").read_text().split()[0])
    for pid in [*family(master)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{master}").exists(), lambda: "the postmaster lives on")


def _gone(part: Part) -> None:
    part.wanted = False
    if part.process is not None:
        part.__exit__(None, None, None)
