"""Deliver: claim → send → record. At least once, never silent (law 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.ports import Delivery, Message, Outcome
from flows.holders import ME
from flows.wiring import House
from models.core.moment import clock_face, iso, span
from models.core.vocabulary import OPEN_STATES, AlertKind, Grade
from models.ledger import outbox
from models.ledger.outbox import Attempt
from models.ledger.store import Row

BATCH = 256
AT_ONCE = 32
SETTLED_TOGETHER = 64
GATHER_S = 0.01
LEASE = timedelta(seconds=90)
"""Longer than a whole batch on a channel that hangs (8 turns of 10 s), so that no slow answer is
sent twice."""

OPEN = {state.value for state in OPEN_STATES}


@dataclass(frozen=True, slots=True)
class Sent:
    """What one round did."""

    claimed: int = 0
    accepted: int = 0
    refused: int = 0
    withdrawn: int = 0
    dead: int = 0

    def __add__(self, other: Sent) -> Sent:
        return Sent(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def deliver(house: House, pool: ThreadPoolExecutor | None = None) -> Sent:
    """One round: up to `BATCH` alerts, sent side by side, each recorded soon after its answer came,
    so that a crash forgets few of them and a hanging channel holds up no other."""
    now = house.time.now()
    with house.store.write() as conn:
        rows = outbox.claim(conn, now, now + LEASE * house.time.speed, ME, BATCH)
    total = Sent()
    for chunk in _answers(house, rows, pool):
        total = total + _settle(house, chunk)
    return total


def _answers(
    house: House, rows: Sequence[Row[Any]], pool: ThreadPoolExecutor | None
) -> Iterator[list[tuple[Row[Any], Attempt]]]:
    """Attempts in the order in which the channels answer, `SETTLED_TOGETHER` at the most."""
    if pool is None or len(rows) < 2:
        yield from ([(row, send(house, row))] for row in rows)
        return
    waiting = {pool.submit(send, house, row): row for row in rows}
    while waiting:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        if len(waiting) > len(done) < SETTLED_TOGETHER:  # a little later more of them will have answered
            done, _ = wait(waiting, timeout=GATHER_S)
        for some in batched(list(done), SETTLED_TOGETHER):
            yield [(waiting.pop(future), future.result()) for future in some]


def _settle(house: House, chunk: list[tuple[Row[Any], Attempt]]) -> Sent:
    with house.store.write() as conn:
        dead = outbox.settle(conn, house.time.now(), chunk, house.time.speed)
    accepted = sum(attempt.accepted for _, attempt in chunk)
    withdrawn = sum(attempt.withdrawn for _, attempt in chunk)
    return Sent(len(chunk), accepted, len(chunk) - accepted - withdrawn, withdrawn, dead)


def batched(items: Sequence[Future[Attempt]], size: int) -> Iterator[Sequence[Future[Attempt]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def send(house: House, row: Row[Any]) -> Attempt:
    """Send one alert to its current contact; what the channel answered, in our words."""
    if row.clock_state is not None and row.clock_state not in OPEN:
        return Attempt(row.id, False, False, "时钟已停，不再打扰", "outbox", withdrawn=True)
    channel_id, address = row.contacts[row.contact]
    channel = house.channels.get(channel_id)
    if channel is None:
        return Attempt(row.id, False, True, f"没有名为 {channel_id} 的渠道；请核对 channels.yaml", channel_id)
    done = channel.send(message(row, address, house))
    return _attempt(row.id, channel_id, done)


def _attempt(alert_id: str, channel_id: str, done: Delivery) -> Attempt:
    return Attempt(
        alert_id=alert_id,
        accepted=done.outcome is Outcome.ACCEPTED,
        lasting=done.outcome is Outcome.REFUSED,
        reason=done.reason,
        channel=channel_id,
        receipt=done.receipt,
        retry_after=done.retry_after,
    )


def message(row: Row[Any], address: str, house: House) -> Message:
    """An outbox row in the contract's webhook shape and in words for a person."""
    now = house.time.now()
    if row.kind in (AlertKind.NOTICE, AlertKind.TEST):
        return _notice(row, address, now, house)
    payload = _payload(row, now, house)
    grade = Grade(row.grade)
    return Message(
        alert_id=row.id,
        ref=row.ref,
        address=address,
        title=f"{grade.colour}色 {grade.value} 级 · {row.incident_title}",
        text=_text(row, now, payload),
        payload=payload,
    )


def _notice(row: Row[Any], address: str, now: datetime, house: House) -> Message:
    """A message about the watch itself: no clock, no step; `incident` only where it is about one."""
    url = f"{house.public_url}/incidents/{row.incident_id}" if row.incident_id else f"{house.public_url}/"
    kind = AlertKind(row.kind)
    payload = {
        "alert_id": row.id,
        "ref": row.ref,
        "kind": kind.value,
        "attempt": row.attempts + 1,
        "reason": row.reason,
        "title": row.title,
        "url": url,
        "recipient": {"person": row.person_id, "name": row.person_name, "unit": _unit(row, house)},
        "raised_at": iso(row.raised_at),
        "sent_at": iso(now),
        "late_by_s": 0.0,
    }
    if row.incident_id:
        payload["incident"] = {
            "id": row.incident_id,
            "title": row.incident_title,
            "grade": row.grade,
            "url": url,
        }
    text = f"{row.reason}\n{url}"
    return Message(row.id, row.ref, address, f"{kind.zh} · {row.title}", text, payload)


def _payload(row: Row[Any], now: datetime, house: House) -> dict[str, Any]:
    return {
        "alert_id": row.id,
        "ref": row.ref,
        "kind": AlertKind.STEP.value,
        "attempt": row.attempts + 1,
        "reason": row.reason,
        "incident": {
            "id": row.incident_id,
            "title": row.incident_title,
            "grade": row.grade,
            "url": f"{house.public_url}/incidents/{row.incident_id}",
        },
        "clock": {
            "id": row.rule_id,
            "name": row.clock_name,
            "state": row.clock_state,
            "started_at": iso(row.started_at),
            "due_at": iso(row.due_at),
            "basis": row.basis,
        },
        "step": {"key": row.step_key, "due_at": iso(_step_due(row)), "rung": row.step_rung or row.rung},
        "recipient": {"person": row.person_id, "name": row.person_name, "unit": _unit(row, house)},
        "raised_at": iso(row.raised_at),
        "sent_at": iso(now),
        "late_by_s": round(max(0.0, (row.raised_at - _step_due(row)).total_seconds()), 3),
    }


def _unit(row: Row[Any], house: House) -> str:
    unit = house.site.roster.unit(row.unit)
    return unit.name if unit else row.unit


def _step_due(row: Row[Any]) -> datetime:
    due: datetime = row.step_due_at or row.raised_at
    return due


def _text(row: Row[Any], now: datetime, payload: dict[str, Any]) -> str:
    left = (row.due_at - now).total_seconds()
    time_left = f"还剩 {span(left)}" if left > 0 else f"已超时 {span(left)}"
    return "\n".join(
        (
            f"{row.clock_name} {time_left}，时限 {clock_face(row.due_at)}",
            row.reason,
            f"签收: {payload['incident']['url']}",
        )
    )
