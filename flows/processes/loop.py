"""The clock loop: plain Python, no Prefect. Every second it asks the database what is due.

Each of its threads only reads, decides and appends: the sweep, the senders, triage, and the slow duties (which it
takes over within a second or two whenever nobody else does them). Beside them are the lookout, the sign that this
process is there, what the metrics need, and one for each line to the outside, which may hang: Kafka in and out, the
collector of traces, Slack, each receiver, each neighbour. `_jobs` names them all.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog

from connectors.ports import ConnectorError
from flows import triage
from flows.collecting.following import follow_broker
from flows.deliver import AT_ONCE, Sent, deliver
from flows.duty import DUTIES, EVERY_SECOND, SLOW, SOONEST_S, overdue, perform
from flows.holders import bury
from flows.judging.appending import Done
from flows.office import measuring
from flows.processes.logs import on_duty
from flows.processes.lookout import Lookout
from flows.processes.presence import Presence
from flows.respond import respond
from flows.telling import couriers, hooked, lines, slack_duties, tracing
from flows.telling.publishing import follow_results
from flows.wiring import House
from models.ledger import duties
from models.ledger.store import LedgerError
from playbooks.hooks_paper import OutHookSource
from playbooks.levels_paper import NeighbourSource

log = structlog.get_logger()

BEAT_S = 3.0
LOOK_EVERY_S = 0.25
TRIAGE_S = 0.2
PAUSE_AFTER_FAULT_S = 1.0
FRESH = timedelta(seconds=15)
GRACE = timedelta(seconds=2)
"""How long a duty is left to Prefect's runner before the loop takes it, while the runner is alive."""


class ClockLoop:
    """Start with `start()`, stop with `stop()`; a failure inside is logged and tried again for ever."""

    def __init__(self, house: House, only: tuple[str, ...] | None = None, kind: str = "run") -> None:
        self.house = house
        self.stopped = threading.Event()
        self._poke = threading.Event()
        self._rung = threading.Event()
        self._judged, self._said_at = Done(), float("-inf")
        self._tick = 0.1 if house.time.speed > 1 else 0.5
        self.lookout = Lookout(house, "-".join(only or ("run",)))
        wanted = only or (*EVERY_SECOND, *SLOW)
        self.presence = Presence(house, kind, wanted)
        self._threads = [
            threading.Thread(target=_named(name, run), name=name, daemon=True)
            for name, run in self._jobs(wanted)
        ]

    def _jobs(self, wanted: tuple[str, ...]) -> list[tuple[str, Callable[[], None]]]:
        jobs: list[tuple[str, Callable[[], None]]] = [
            ("lookout", lambda: self.lookout.watch(self.stopped)),
            ("presence", lambda: self.presence.watch(self.stopped)),
            *measuring.jobs(self.house, wanted, self.stopped),
            *tracing.jobs(self.house, wanted, self.stopped),
        ]
        if "respond" in wanted:
            jobs.append(("respond", self._respond))
        if "deliver" in wanted:
            jobs.append(("deliver", self._deliver))
        if triage.TRIAGE in wanted:
            jobs.append((triage.TRIAGE, self._triage))
        slow = tuple(name for name in SLOW if name in wanted and name != triage.TRIAGE)
        if slow:
            jobs.append(("duties", lambda: asyncio.run(self._duties(slow))))
        if "ingest" in wanted and self.house.site.kafka.enabled:
            jobs.append(("kafka", lambda: follow_broker(self.house, self.stopped)))
        if "deliver" in wanted and self.house.site.kafka.publishes:
            jobs.append(("publish", lambda: follow_results(self.house, self.stopped)))
        if "deliver" in wanted:
            jobs += [self._hook(hook) for hook in self.house.site.hooks]
            jobs += [self._neighbour(one) for one in self.house.site.neighbours]
            jobs += slack_duties.jobs(self.house, self.stopped)
        return jobs

    def _hook(self, hook: OutHookSource) -> tuple[str, Callable[[], None]]:
        """A thread for each receiver: one that hangs holds up no other."""
        return hooked.duty(hook), lambda: hooked.follow_hook(self.house, hook, self.stopped)

    def _neighbour(self, one: NeighbourSource) -> tuple[str, Callable[[], None]]:
        """A thread for each neighbour, above, below or beside, for the same reason."""
        return lines.duty(one), lambda: couriers.follow_neighbour(self.house, one, self.stopped)

    def start(self) -> None:
        freed = bury(self.house)
        if freed:
            log.info("took over what a dead process held", leases=freed)
        for thread in self._threads:
            thread.start()

    def stop(self, patience_s: float = 15.0) -> None:
        """Finish the transaction at hand and stop; what is left undone is done by the next start."""
        self.stopped.set()
        self._poke.set()
        self._rung.set()
        deadline = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    def _respond(self) -> None:
        beaten = float("-inf")
        while not self.stopped.is_set():
            began = time.monotonic()
            try:
                found = respond(self.house)
                self.lookout.good("respond")
                if found.alerts:
                    self._poke.set()
                if began - beaten > BEAT_S or found.steps:
                    self._beat(
                        "respond", f"最近一次发出 {found.steps} 个节点" if found.steps else "无到点节点"
                    )
                    beaten = began
            except Exception as error:  # noqa: BLE001  whatever it is, the clocks go on
                self._fault("respond", error)
            self._rung.wait(max(0.0, self._tick - (time.monotonic() - began)))
            self._rung.clear()

    def _triage(self) -> None:
        """Sort, or read for whoever sorts, as soon as something waits; Prefect's flow stays for the case that
        no such thread is alive anywhere."""
        while not self.stopped.is_set():
            try:
                found = triage.look(self.house, self._note)
                self._note(Done(read=found.read))
                if not found.judged and not found.read:
                    self.stopped.wait(TRIAGE_S)
            except Exception as error:  # noqa: BLE001  whatever it is, what waits is judged later
                self._fault(triage.TRIAGE, error)
        with contextlib.suppress(LedgerError):
            triage.let_go(self.house)

    def _note(self, done: Done) -> bool:
        """A batch is judged: wake the sweep for what it opened, and say now and then that all is well. True
        = go on."""
        self._judged += done
        self.lookout.good(triage.TRIAGE)
        if done.opened or done.regraded:
            self._rung.set()
        if time.monotonic() - self._said_at > BEAT_S:
            triage.note_good(self.house, self._next_look(), self._judged)
            self._judged, self._said_at = Done(), time.monotonic()
        return not self.stopped.is_set()

    def _next_look(self) -> datetime:
        """Until when nobody else need look after triage."""
        pace = self.house.time.speed
        return self.house.time.now() + max(DUTIES[triage.TRIAGE].every, timedelta(seconds=SOONEST_S * pace))

    def _deliver(self) -> None:
        beaten = float("-inf")
        pool = _senders()
        while not self.stopped.is_set():
            self._poke.clear()
            try:
                sent = deliver(self.house, pool)
                self.lookout.good("deliver")
                if sent.hung:  # their threads wait on; the others get a pool that is whole
                    pool.shutdown(wait=False)
                    pool = _senders()
                if time.monotonic() - beaten > BEAT_S or sent.claimed:
                    self._beat("deliver", _sent_in_words(sent))
                    beaten = time.monotonic()
                if not sent.claimed:
                    self._poke.wait(self._tick / 2)
            except Exception as error:  # noqa: BLE001  whatever it is, the senders go on
                self._fault("deliver", error)
        pool.shutdown(wait=False)

    async def _duties(self, names: tuple[str, ...]) -> None:
        await asyncio.gather(*(self._one_duty(name) for name in names))

    async def _one_duty(self, name: str) -> None:
        on_duty(name)  # a task has a context of its own
        while not self.stopped.is_set():
            try:
                if await asyncio.to_thread(overdue, self.house, name, self._grace()):
                    await perform(self.house, name)
                self.lookout.good(name)
            except Exception as error:  # noqa: BLE001  one bad duty stops no other
                await asyncio.to_thread(self._fault, name, error)
            await asyncio.sleep(LOOK_EVERY_S)

    def _grace(self) -> timedelta:
        """At the real pace Prefect's runner goes first while it is alive; else nobody waits for it."""
        if self.house.time.speed > 1 or not self.house.site.prefect.enabled:
            return timedelta(0)
        with self.house.store.read() as conn:
            beat = next((row for row in duties.all_duties(conn) if row.name == "prefect"), None)
        if beat is None or beat.error or beat.last_good_at is None:
            return timedelta(0)
        return GRACE if self.house.time.now() - beat.last_good_at < FRESH else timedelta(0)

    def _beat(self, name: str, detail: str) -> None:
        with self.house.store.write() as conn:
            duties.beat(conn, name, self.house.time.now(), detail)

    def _fault(self, name: str, error: Exception) -> None:
        """Say it in the log and, where the database answers, on the board; then try again."""
        expected = isinstance(error, LedgerError | ConnectorError)
        self.lookout.wrong(name, str(error) or repr(error))
        log.error(
            "a duty failed and will be tried again", duty=name, reason=repr(error), exc_info=not expected
        )
        with contextlib.suppress(LedgerError), self.house.store.write() as conn:
            duties.beat(conn, name, self.house.time.now(), error=str(error) or repr(error))
        self.stopped.wait(PAUSE_AFTER_FAULT_S)


def _named(name: str, run: Callable[[], None]) -> Callable[[], None]:
    """The same work, its lines in the log naming it."""

    def named() -> None:
        on_duty(name)
        run()

    return named


def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")


def _sent_in_words(sent: Sent) -> str:
    return f"最近一次送达 {sent.accepted}，未达 {sent.refused}" if sent.claimed else "无待发提醒"
