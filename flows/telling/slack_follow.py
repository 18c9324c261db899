"""Slack's threads in a process: one tells the room of incidents, one keeps the line of Socket Mode open.

Any number of processes may run them; a lease lets one at a time do each.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.channels.slack import Slack
from connectors.channels.slack.arriving import Payload
from connectors.channels.slack.live import Live
from connectors.ports import ConnectorError
from flows.holders import ME
from flows.office.desk import Desk
from flows.telling.slack_acts import Clerk
from flows.telling.slack_duties import line, telling
from flows.telling.slack_story import Teller
from flows.tireless import follow
from flows.wiring import House
from models.ledger import chat_asks, duties
from models.ledger.store import LedgerError

IDLE_S = 0.5
PAUSE_S = 3.0
LINE_S = 3.0
LINE_LEASE = timedelta(seconds=15)
"""How long a line is missed when its holder dies: another process opens its own then."""
GRACE = timedelta(seconds=10)
"""What was taken down so long ago and nobody does: its process was killed."""


def follow_room(house: House, channel: Slack, stopped: threading.Event) -> None:
    """Tell the room, and do what a killed process left, until told to stop."""
    teller = Teller(house, channel, stopped.wait)
    clerk = Clerk(Desk(house), channel)

    def step() -> bool:
        try:
            finish_left(clerk)
            return bool(channel.incidents and teller.step())
        except ConnectorError:
            stopped.wait(PAUSE_S)  # the duty says what it was and when it is tried again
            return True

    follow(house, telling(channel.id), step, stopped, idle_s=IDLE_S, fault_s=PAUSE_S)


def finish_left(clerk: Clerk) -> None:
    """What was taken down before a kill is done now; its key keeps it from being done twice."""
    now, pace = clerk.house.time.now(), clerk.house.time.speed
    with clerk.house.store.read() as conn:
        keys = chat_asks.left(conn, clerk.channel.id, now, GRACE * pace)
    for key in keys:
        clerk.work(key)


def follow_line(house: House, channel: Slack, stopped: threading.Event) -> None:
    """Keep the line open while it is ours, until told to stop."""
    keeper = Keeper(house, channel)

    def step() -> None:  # open or not, the next look is LINE_S away
        keeper.step()

    follow(house, line(channel.id), step, stopped, idle_s=LINE_S, fault_s=LINE_S, let_go=keeper.let_go)
    keeper.close()


@dataclass
class Keeper:
    """Holds the lease and the line. `step()` now and then; `let_go()` at the end."""

    house: House
    channel: Slack
    by: str = ME
    live: Live | None = None
    clerk: Clerk | None = None

    def step(self) -> bool:
        """True while the line is ours and open. Raises Unreachable when it cannot be opened."""
        if not self._is_ours():
            self.let_go()
            return False
        if self.live is None or not self.live.is_open():
            self.let_go()
            self.clerk = self.clerk or Clerk(Desk(self.house), self.channel)
            self.live = Live(self.channel, self._receive)
            self.live.open()
        self._beat()
        return True

    @property
    def _lease(self) -> str:
        return f"{line(self.channel.id)}:lease"

    def _is_ours(self) -> bool:
        now, lease = self.house.time.now(), LINE_LEASE * self.house.time.speed
        with self.house.store.write() as conn:
            return duties.take(conn, self._lease, now, lease, self.by)

    def _receive(self, payload: Payload) -> tuple[dict[str, Any], Callable[[], None] | None]:
        assert self.clerk is not None
        clerk = self.clerk
        answer, key = clerk.receive(payload)
        return answer, (lambda: clerk.work(key)) if key else None

    def _beat(self) -> None:
        with self.house.store.write() as conn:
            duties.beat(conn, line(self.channel.id), self.house.time.now(), "Socket Mode 已连接")

    def close(self) -> None:
        """The line and the lease, so that another process need not wait for its end."""
        self.let_go()
        with contextlib.suppress(LedgerError), self.house.store.write() as conn:
            duties.release_one(conn, self._lease, self.by)

    def let_go(self) -> None:
        live, self.live = self.live, None
        if live is not None:
            live.close()
