"""Deliver: claim → send → record. At least once, never silent (law 3).

What goes to one person at one address at one moment is one message (`Group`), sent and answered once;
each alert in it keeps its own id, reference and outcome.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors import channels
from connectors.ports import Delivery, Outcome
from flows.holders import ME
from flows.office.coverage import CHANNEL
from flows.telling.rooms import placed
from flows.telling.unreached import notices_of
from flows.telling.wording import message
from flows.wiring import House
from models.core.pacing import Limit
from models.ledger import clocks, duties, notices, outbox
from models.ledger.outbox import Attempt
from models.ledger.store import Connection, Row

BATCH = 256
AT_ONCE = 32
SETTLED_TOGETHER = 64
"""Alerts, not messages: a crash forgets no more of them than before there were groups."""
GATHER_S = 0.01
ROUND_S = 60.0
"""As long as a round waits for its answers: one that drips for ever holds up nobody else's alerts."""
LEASE = timedelta(seconds=90)
"""Longer than a round, so that no slow answer is sent twice."""

HUNG = "已发出，对方迟迟没有答完，不再等待"

log = structlog.get_logger()

Group = list[Row[Any]]
Answers = list[tuple[Row[Any], Attempt]]


@dataclass(frozen=True, slots=True)
class Sent:
    """What one round did, in alerts; `hung`: whose channel had not answered when the round was over. The
    thread that waits for it is lost to the pool."""

    claimed: int = 0
    accepted: int = 0
    refused: int = 0
    withdrawn: int = 0
    dead: int = 0
    hung: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def deliver(house: House, pool: ThreadPoolExecutor | None = None, round_s: float = ROUND_S) -> Sent:
    """One round: up to `BATCH` alerts, sent side by side, each recorded soon after its answer came,
    so that a crash forgets few of them and a hanging channel holds up no other for long."""
    now, pace = house.time.now(), house.time.speed
    with house.store.write() as conn:
        rows = outbox.claim(conn, now, now + LEASE * pace, ME, BATCH, limits(house), pace)
    total = Sent()
    hung: dict[Future[Answers], Group] = {}
    for chunk in _answers(house, grouped(rows), pool, round_s, hung):
        total = total + _settle(house, chunk)
    for chunk in _given_up(hung):
        total = total + replace(_settle(house, chunk), hung=len(chunk))
    return total


def limits(house: House) -> dict[str, Limit]:
    """What each channel of the site bears."""
    return {str(settings["id"]): channels.limit(settings) for settings in house.site.channels}


def grouped(rows: Iterable[Row[Any]]) -> list[Group]:
    """The claim's messages: what it has put under one name for one address, in its order."""
    groups: dict[tuple[str, ...], Group] = {}
    for row in rows:
        groups.setdefault((row.bundle, *row.contacts[row.contact]), []).append(row)
    return list(groups.values())


def _answers(
    house: House,
    groups: Sequence[Group],
    pool: ThreadPoolExecutor | None,
    round_s: float,
    hung: dict[Future[Answers], Group],
) -> Iterator[Answers]:
    """Attempts in the order in which the channels answer, about `SETTLED_TOGETHER` at the most; into `hung`
    what is still without an answer when the round is over."""
    if pool is None:
        yield from (send(house, group) for group in groups)
        return
    waiting, until = {pool.submit(send, house, group): group for group in groups}, time.monotonic() + round_s
    while waiting:
        done, _ = wait(waiting, max(0.0, until - time.monotonic()), FIRST_COMPLETED)
        if not done:
            hung.update(waiting)
            return
        if len(waiting) > len(done) < SETTLED_TOGETHER:  # a little later more of them will have answered
            done, _ = wait(waiting, GATHER_S)
        for future in done:
            del waiting[future]
        yield from batched(done, SETTLED_TOGETHER)


def _given_up(hung: Mapping[Future[Answers], Group]) -> Iterator[Answers]:
    """Sent, and nobody knows what came of it. What had not begun stays claimed and comes again."""
    for future, group in hung.items():
        if not future.cancel():
            channel_id, _ = group[0].contacts[group[0].contact]
            log.error(
                "a channel answers without an end",
                channel=channel_id,
                alerts=len(group),
                incident_id=group[0].incident_id,
            )
            done = Delivery(Outcome.UNKNOWN, f"{channel_id}: {HUNG}")
            yield [(row, _attempt(row, channel_id, done, len(group))) for row in group]


def batched(done: Iterable[Future[Answers]], size: int) -> Iterator[Answers]:
    """Whole messages, gathered until they hold `size` alerts."""
    chunk: Answers = []
    for future in done:
        chunk += future.result()
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _settle(house: House, chunk: Answers) -> Sent:
    now = house.time.now()
    with house.store.write() as conn:
        dead = outbox.settle(conn, now, chunk, house.time.speed)
        notices.tell(conn, now, notices_of(conn, dead, house, now))
        _beat(conn, chunk, now)
    for row in dead:
        log.error("an alert reached nobody", incident_id=row.incident_id, alert=row.id, rung=row.rung)
    accepted = sum(attempt.accepted for _, attempt in chunk)
    withdrawn = sum(attempt.withdrawn for _, attempt in chunk)
    return Sent(len(chunk), accepted, len(chunk) - accepted - withdrawn, withdrawn, len(dead))


def _beat(conn: Connection, chunk: Answers, now: datetime) -> None:
    """Each channel's last good time; a refusal of one address says nothing about the channel."""
    answered: dict[str, Attempt] = {}
    for _, attempt in chunk:
        known = answered.get(attempt.channel)
        if not (attempt.withdrawn or attempt.lasting or attempt.alone or (known and known.accepted)):
            answered[attempt.channel] = attempt
    for channel, attempt in answered.items():
        error = None if attempt.accepted else attempt.reason
        duties.beat(conn, CHANNEL + channel, now, attempt.reason, error)


def send(house: House, group: Group) -> Answers:
    """Send one message to its contact; what the channel answered holds for every alert in it."""
    gone = [row for row in group if row.clock_state is not None and row.clock_state not in clocks.OPEN]
    left = [row for row in group if row not in gone]
    answers: Answers = [(row, _withdrawn(row)) for row in gone]
    if left:
        channel_id, address = left[0].contacts[left[0].contact]
        done = _sent(house, left, channel_id, address)
        answers += [(row, _attempt(row, channel_id, done, len(left))) for row in left]
    return answers


def _withdrawn(row: Row[Any]) -> Attempt:
    return Attempt(row.id, False, False, "时钟已停，不再打扰", "outbox", withdrawn=True)


def _sent(house: House, group: Group, channel_id: str, address: str) -> Delivery:
    channel = house.channels.get(channel_id)
    if channel is None:
        return Delivery(Outcome.REFUSED, f"没有名为 {channel_id} 的渠道；请核对 channels.yaml")
    try:
        return channel.send(placed(house, channel_id, message(group, address, house)))
    except Exception as error:  # noqa: BLE001  one alert that a channel stumbles over stops no other
        kind = type(error).__name__  # its words may hold a key
        log.error(
            "a channel's program failed",
            channel=channel_id,
            alert=group[0].id,
            incident_id=group[0].incident_id,
            error=kind,
        )
        return Delivery(
            Outcome.UNKNOWN, f"{channel_id}: 程序出错 ({kind})，不知是否送达；请把日志交给维护人员"
        )


def _attempt(row: Row[Any], channel_id: str, done: Delivery, size: int) -> Attempt:
    """A lasting no to several at once may be about one of them: each is asked again by itself."""
    refused = done.outcome is Outcome.REFUSED
    return Attempt(
        alert_id=row.id,
        accepted=done.outcome is Outcome.ACCEPTED,
        lasting=refused and size == 1,
        reason=done.reason,
        channel=channel_id,
        receipt=done.receipt,
        retry_after=done.retry_after,
        alone=refused and size > 1,
        messages=done.messages,
    )
