"""联络测试: what the afternoon's test messages came to. They are alerts like any other (kind test), one
for each contact of each person, under the occasion "DAY NUMBER"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.moment import iso
from models.core.roster import Contact, Person
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import notices
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.notices import ALERT, PREFIX, Notice

TOPIC = "reach"
OWN = "reach-own"
"""A test that somebody sends to themselves."""
PAUSE = timedelta(seconds=30)
"""Between two of them by one contact: a text message costs money."""
PATIENCE = timedelta(minutes=20)
"""So long one of them is tried; then it is withdrawn."""
LOOKED_AT = 200
"""Alerts of a person, the newest, from which the last results are read."""


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


def try_own(conn: Connection, now: datetime, person: Person, number: int) -> None:
    """A test of one's own `number`-th contact (from 1). Raises NotAllowed for one there is not, or too soon."""
    if not 1 <= number <= len(person.contacts):
        raise NotAllowed(f"{person.name} 没有第 {number} 种联系方式；请在 roster.yaml 里补上")
    contact = person.contacts[number - 1]
    if any(row.raised_at > now - PAUSE for row in _own(conn, person.id, [contact.channel, contact.address])):
        raise NotAllowed(f"刚刚才测试过 {contact.channel}，请过 {PAUSE.seconds} 秒再试")
    test = Notice(
        topic=OWN,
        occasion=f"{iso(now)} {number}",
        title="您自己发的测试",
        reason=f"收到即可，无须回复。测试的是您的第 {number} 种联系方式：{contact.channel}",
        people=[person],
        kind=AlertKind.TEST,
        contacts=[contact],
    )
    notices.tell(conn, now, [test], by=person.id)


def _own(conn: Connection, person_id: str, contact: list[str]) -> list[Row[Any]]:
    own = select(ALERT).where(ALERT.c.person_id == person_id, ALERT.c.clock_id == PREFIX + OWN)
    newest = conn.execute(own.order_by(ALERT.c.raised_at.desc()).limit(LOOKED_AT))
    return [row for row in newest if row.contacts == [contact]]


def lapse(conn: Connection, now: datetime) -> int:
    """Withdraw people's own tests that have had their time; how many."""
    stale = select(ALERT).where(
        ALERT.c.clock_id == PREFIX + OWN,
        ALERT.c.state == AlertState.QUEUED.value,
        ALERT.c.raised_at < now - PATIENCE,
    )
    rows = conn.execute(stale).all()
    withdraw(conn, now, rows)
    return len(rows)


def newest(conn: Connection, person_id: str) -> Sequence[Row[Any]]:
    """A person's last alerts of any kind, newest first: what each contact came to."""
    query = select(ALERT).where(ALERT.c.person_id == person_id)
    return conn.execute(query.order_by(ALERT.c.raised_at.desc()).limit(LOOKED_AT)).all()


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
