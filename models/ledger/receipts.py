"""Receipts 回执: what a channel tells later of an alert that it has taken: it arrived, it was read.

Reading is no acknowledgement: it stops no repeat and no clock. A receipt is taken once, never goes
backwards, and is proof of arrival where no answer had been seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.moment import iso
from models.core.vocabulary import AlertState
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.outbox import ALERT, THROTTLE
from models.ledger.store import LedgerError


class ReceiptKind(StrEnum):
    """回执: 已到达 or 已读."""

    DELIVERED = "delivered"
    READ = "read"


class NoSuchAlert(LedgerError):
    """No alert of this id was ever sent by this channel."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel says became of an alert, and when."""

    alert_id: str
    kind: ReceiptKind
    at: datetime


def record(conn: Connection, now: datetime, receipts: Iterable[Receipt], channels: Sequence[str]) -> int:
    """Write down what is new in `receipts`; how many that were. `channels`: all that whoever tells may be.
    Raises NoSuchAlert before any."""
    told = list(receipts)
    known = _known(conn, [receipt.alert_id for receipt in told], channels)
    entries = []
    for receipt in told:
        alert, channel = known[receipt.alert_id]
        change = _change(alert, receipt, now)
        if change:
            entries.append(_entry(alert, receipt, change, channel))
            known[receipt.alert_id] = (alert | change, channel)
    append(conn, now, entries)
    return len(entries)


def _known(
    conn: Connection, ids: list[str], channels: Sequence[str]
) -> dict[str, tuple[dict[str, Any], str]]:
    """alert id → the alert and the channel that vouches for it."""
    rows = conn.execute(select(ALERT).where(ALERT.c.id.in_(ids))).all()
    by = {row.id: next((name for name in channels if _went_by(row, name)), None) for row in rows}
    found = {row.id: (dict(row._mapping), name) for row in rows if (name := by[row.id]) is not None}
    for alert_id in ids:
        if alert_id not in found:
            names = "、".join(channels)
            raise NoSuchAlert(f"没有由渠道 {names} 发出的提醒 {alert_id[:80]}；请核对 alert_id")
    return found


def _went_by(row: Row[Any], channel: str) -> bool:
    """Was it ever given to this channel? A channel vouches only for what it has had in hand."""
    if row.tried is None and row.attempts:  # sent before channels were noted one by one
        return any(name == channel for name, _ in row.contacts)
    return channel in (row.tried or ()) or (_in_hand(row) and row.contacts[row.contact][0] == channel)


def _in_hand(row: Row[Any]) -> bool:
    """A sender has it, or had it when it died: what a limit keeps back lies with nobody."""
    held_back = str(row.leased_by or "").startswith(THROTTLE)
    return not held_back and (row.leased_by is not None or row.bundle is not None)


def _change(alert: dict[str, Any], receipt: Receipt, now: datetime) -> dict[str, Any]:
    """What the receipt adds: nothing when it is known or older than what is known."""
    at = iso(min(max(receipt.at, alert["raised_at"]), now))
    change: dict[str, Any] = {}
    if alert["delivered_at"] is None:
        change["delivered_at"] = at
    if receipt.kind is ReceiptKind.READ and alert["read_at"] is None:
        change["read_at"] = at
    if change and _given_up_or_to_be_resent(alert, now):
        change |= _arrived_after_all(alert, now)
    return change


def _given_up_or_to_be_resent(alert: dict[str, Any], now: datetime) -> bool:
    """Not while a sender has it in hand: that one still waits for the channel's own answer."""
    in_hand = alert["leased_until"] is not None and alert["leased_until"] > now
    throttled = str(alert["leased_by"] or "").startswith(THROTTLE)
    return alert["state"] in (AlertState.QUEUED, AlertState.DEAD) and (throttled or not in_hand)


def _arrived_after_all(alert: dict[str, Any], now: datetime) -> dict[str, Any]:
    """No answer was seen when it was sent; now somebody has it, and it need not go again."""
    return {
        "state": AlertState.ACCEPTED.value,
        "accepted_at": iso(now),
        "attempts": max(1, alert["attempts"]),
        "next_try_at": None,
    }


def _entry(alert: dict[str, Any], receipt: Receipt, change: dict[str, Any], channel: str) -> Entry:
    payload = {
        "alert": alert["id"],
        "ref": alert["ref"],
        "person": alert["person_id"],
        "channel": channel,
        "state": receipt.kind.value,
        "at": iso(receipt.at),
        "update": {"alert": [{"id": alert["id"]} | change]},
    }
    kind = f"alert_{receipt.kind.value}"
    return Entry(kind, payload, f"channel:{channel}", "渠道回执", alert["incident_id"])
