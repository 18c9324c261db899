"""Results out over HTTP: the messages that Kafka gets, each signed and POSTed to who asked for it.

Read (the entries behind the receiver's mark) → send, one after another → append (the mark). A kill between
the two sends one again: each arrives at least once, in order, and its `webhook-id` tells a copy. A receiver
that fails is asked again after ever longer pauses, and what it was not told waits; it has a thread of its
own, so it holds up neither the clocks nor another receiver.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from connectors import channels
from connectors.ports import Channel, Delivery, Message, Outcome
from flows import timekeeping
from flows.collecting.following import name_fault
from flows.holders import ME
from flows.telling.publishing import result
from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.ledger import announced, duties, journal
from models.ledger.announced import Announcement
from models.ledger.store import Connection
from models.ledger.words import KINDS
from playbooks.hooks_paper import EVERYTHING, OutHookSource

BATCH = 100
LEASE = timedelta(seconds=150)
"""Longer than one message may take, so that two processes seldom tell the same."""
IDLE_S, BEAT_S, FAULT_S = 0.5, 3.0, 3.0
FIRST, LONGEST = timedelta(seconds=2), timedelta(minutes=5)
"""The pause before a refused message is sent again, doubled each time."""


def duty(hook: OutHookSource) -> str:
    """The name of its row among the duties, which the coverage shows."""
    return f"hook:{hook.id}"


def mark_of(hook: OutHookSource) -> str:
    """The setting that keeps how far the receiver was told, and what came of the last try."""
    return f"hooks:{hook.id}"


@dataclass(frozen=True, slots=True)
class Standing:
    """`upto`: the last entry that was told; `tries` of the next one have failed, the last with `why`;
    it is tried again from `next_at`."""

    upto: int
    tries: int = 0
    next_at: datetime | None = None
    why: str = ""


def standing(conn: Connection, hook: OutHookSource) -> Standing | None:
    """None while nobody has told this receiver anything."""
    kept = duties.get_setting(conn, mark_of(hook))
    if kept is None:
        return None
    next_at = parse_iso(kept["next_at"]) if kept.get("next_at") else None
    return Standing(kept["upto"], kept.get("tries", 0), next_at, kept.get("why", ""))


def keep(conn: Connection, hook: OutHookSource, now: Standing) -> None:
    """Note how it stands with a receiver."""
    value = {"upto": now.upto, "tries": now.tries, "why": now.why}
    duties.put_setting(conn, mark_of(hook), value | {"next_at": iso(now.next_at) if now.next_at else None})


def strange(hook: OutHookSource) -> list[str]:
    """Events that nothing is ever told of."""
    return [event for event in hook.events if event not in EVERYTHING and event not in KINDS]


def wanted(hook: OutHookSource, body: dict[str, Any]) -> bool:
    """Whether the receiver asked for this message."""
    said = {body["event"], "incident" if body["incident"] else "", "clock" if body["clocks"] else ""}
    return not hook.events or bool(said & set(hook.events))


def message(house: House, one: Announcement) -> Message:
    """Standard Webhooks' own form; the id is the same on every try."""
    body = result(house, one)
    payload = {"type": body["event"], "timestamp": body["at"], "data": body}
    return Message(
        f"evt_{one.seq}_{one.incident_id}", body["ref"], "", body["event_zh"], body["ref"], payload
    )


def pause(tries: int, asked: float | None) -> timedelta:
    """2 s, 4 s, 8 s … 5 min; or what the receiver asked for, an hour at most."""
    grown = min(LONGEST, FIRST * (1 << min(tries, 10)))
    return grown if asked is None else max(grown, timedelta(seconds=min(asked, 3600)))


def follow_hook(house: House, hook: OutHookSource, stopped: threading.Event) -> None:
    """Tell one receiver until told to stop."""
    teller = Teller(house, hook, stopped)
    while not stopped.is_set():
        try:
            if not teller.step():
                stopped.wait(IDLE_S)
        except Exception as error:  # noqa: BLE001  whatever it is, the receiver is told on
            name_fault(house, duty(hook), error)
            stopped.wait(FAULT_S)
    teller.let_go()


@dataclass
class Teller:
    """One receiver being told."""

    house: House
    hook: OutHookSource
    stopped: threading.Event = field(default_factory=threading.Event)
    told: int = 0
    beaten: float = float("-inf")
    _channel: Channel | None = None

    def step(self) -> int:
        """One round if the duty is ours and something is due; how many messages were taken."""
        if time.monotonic() - self.beaten <= BEAT_S and not self._waits():
            return 0
        if not self._is_ours():
            return 0
        count = self._round()
        self.told += count
        self._beat()
        return count

    def _waits(self) -> bool:
        with self.house.store.read() as conn:
            known = standing(conn, self.hook)
            if known is None or announced.behind(conn, known.upto) == 0:
                return known is None
        return known.next_at is None or known.next_at <= self.house.time.now()

    def _is_ours(self) -> bool:
        with self.house.store.write() as conn:
            if standing(conn, self.hook) is None:  # a new receiver is told what happens from now on
                keep(conn, self.hook, Standing(journal.length(conn)[0]))
            return duties.take(conn, duty(self.hook), self.house.time.now(), self._lease(), ME)

    def _lease(self) -> timedelta:
        return LEASE * self.house.time.speed

    def _round(self) -> int:
        """Tell what waits, up to the first that is not taken; the mark moves when the whole of an entry,
        which may concern two incidents, has been told."""
        found, upto = self._due()
        count = 0
        for seq, told in groupby(found, key=lambda one: one.seq):
            for one in told:
                done = self._send(message(self.house, one))
                if done.outcome is not Outcome.ACCEPTED:
                    self._failed(done)
                    return count
                count += 1
            self._advance(seq)
            if self.stopped.is_set():
                return count
        self._advance(upto)
        return count

    def _due(self) -> tuple[list[Announcement], int]:
        """What the receiver asked for, in order, and the entry up to which that is all."""
        with self.house.store.read() as conn:
            known = standing(conn, self.hook)
            if known is None or (known.next_at is not None and known.next_at > self.house.time.now()):
                return [], 0
            found, upto = announced.after(conn, known.upto, BATCH)
        return [one for one in found if wanted(self.hook, one.body)], upto

    def _send(self, said: Message) -> Delivery:
        if self._channel is None:
            hook = self.hook
            settings: dict[str, Any] = {
                "id": hook.id,
                "type": "webhook",
                "url": hook.url,
                "secret": hook.secret,
            }
            settings |= {"timeout_s": hook.timeout_s, "connections": 1}
            world = timekeeping.world(self.house.time)
            self._channel = channels.build(settings, self.house.site.secrets, world)
        return self._channel.send(said)

    def _advance(self, upto: int) -> None:
        """Note how far we are, unless another process is farther."""
        with self.house.store.write() as conn:
            known = standing(conn, self.hook)
            if known is not None and known.upto < upto:
                keep(conn, self.hook, Standing(upto))

    def _failed(self, done: Delivery) -> None:
        now = self.house.time.now()
        with self.house.store.write() as conn:
            known = standing(conn, self.hook) or Standing(0)
            later = now + pause(known.tries, done.retry_after) * self.house.time.speed
            keep(conn, self.hook, Standing(known.upto, known.tries + 1, later, done.reason))
            duties.beat(conn, duty(self.hook), now, error=done.reason)

    def _beat(self) -> None:
        with self.house.store.write() as conn:
            known = standing(conn, self.hook)
            if known is not None and not known.tries:
                detail = f"本次启动以来已送 {self.told} 条"
                duties.beat(conn, duty(self.hook), self.house.time.now(), detail)
        self.beaten = time.monotonic()

    def let_go(self) -> None:
        if self._channel is not None:
            with contextlib.suppress(Exception):  # it is being given up in any case
                self._channel.close()
        self._channel = None
