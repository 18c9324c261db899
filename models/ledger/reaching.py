"""联络测试: what the afternoon's test messages came to. They are alerts like any other (kind test), one
for each contact of each person, under the occasion "DAY NUMBER"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from models.core.roster import Contact, Person
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import notices
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.notices import Notice

TOPIC = "reach"


def ask(day: str, person: Person) -> list[Notice]:
    """A test message for each contact of a person by itself: one that works must not hide another."""
    return [
        Notice(
            topic=TOPIC,
            occasion=f"{day} {n}",
            title="今晚值班",
            reason=f"收到即可，无须回复。测试的是您的第 {n} 种联系方式：{contact.channel}",
            people=[person],
            kind=AlertKind.TEST,
            contacts=[Contact(contact.channel, contact.address)],
        )
        for n, contact in enumerate(person.contacts, 1)
    ]


def asked(conn: Connection, day: str) -> dict[str, list[Row[Any]]]:
    """person id → the day's test messages, as they stand."""
    found: dict[str, list[Row[Any]]] = {}
    for row in notices.of_topic(conn, TOPIC):
        if row.step_key.split(" ")[0] == day:
            found.setdefault(row.person_id, []).append(row)
    return found


def withdraw(conn: Connection, now: datetime, rows: Sequence[Row[Any]]) -> None:
    """A test that has had its time is not sent in the night."""
    waiting = [row for row in rows if row.state == AlertState.QUEUED.value]
    append(conn, now, [_withdrawn(row) for row in waiting])


def _withdrawn(row: Row[Any]) -> Entry:
    change = {"id": row.id, "state": AlertState.WITHDRAWN.value, "next_try_at": None}
    payload = {
        "alert": row.id,
        "ref": row.ref,
        "person": row.person_id,
        "channel": row.contacts[0][0],
        "attempt": row.attempts,
        "state": change["state"],
        "update": {"alert": [change]},
    }
    return Entry("alert_withdrawn", payload, "huiying", "联络测试已有结论，不再发送")
