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
from datetime import timedelta
from itertools import groupby
from typing import Any

from connectors import channels
from connectors.ports import Channel, Delivery, Message, Outcome
from flows import timekeeping
from flows.holders import ME
from flows.telling.publishing import result
from flows.telling.tries import Tries, keep_tries, pause, tries_in
from flows.tireless import follow
from flows.wiring import House
from models.ledger import announced, duties, journal
from models.ledger.announced import Announcement
from models.ledger.store import Connection
from models.ledger.words import KINDS
from playbooks.hooks_paper import EVERYTHING, OutHookSource

BATCH = 100
LEASE = timedelta(seconds=150)
"""Longer than one message may take, so that two processes seldom tell the same."""
IDLE_S, BEAT_S, FAULT_S = 0.5, 3.0, 3.0


def duty(hook: OutHookSource) -> str:
    """The name of its row among the duties, which the coverage shows."""
    return f"hook:{hook.id}"


def mark_of(hook: OutHookSource) -> str:
    """The setting that keeps how far the receiver was told, and what came of the last try."""
    return f"hooks:{hook.id}"


@dataclass(frozen=True, slots=True)
class Standing(Tries):
    """`upto`: the last entry that was told; the tries are of the next one."""

    upto: int = 0


def standing(conn: Connection, hook: OutHookSource) -> Standing | None:
    """None while nobody has told this receiver anything."""
    kept = duties.get_setting(conn, mark_of(hook))
    if kept is None:
        return None
    at = tries_in(kept)
    return Standing(at.tries, at.next_at, at.why, upto=kept["upto"])


def keep(conn: Connection, hook: OutHookSource, now: Standing) -> None:
    """Note how it stands with a receiver."""
    keep_tries(conn, mark_of(hook), now, upto=now.upto)


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


def follow_hook(house: House, hook: OutHookSource, stopped: threading.Event) -> None:
    """Tell one receiver until told to stop."""
    teller = Teller(house, hook, stopped)
    follow(house, duty(hook), teller.step, stopped, idle_s=IDLE_S, fault_s=FAULT_S, let_go=teller.let_go)


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
            self.beaten = time.monotonic()  # another process tells: we ask again as seldom as it beats
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
                keep(conn, self.hook, Standing(upto=journal.length(conn)[0]))
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
                keep(conn, self.hook, Standing(upto=upto))

    def _failed(self, done: Delivery) -> None:
        now = self.house.time.now()
        with self.house.store.write() as conn:
            known = standing(conn, self.hook) or Standing()
            later = now + pause(known.tries, done.retry_after) * self.house.time.speed
            keep(conn, self.hook, Standing(known.tries + 1, later, done.reason, upto=known.upto))
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
