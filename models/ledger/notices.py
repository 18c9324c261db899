"""Notices: what the team must know of its own watch — nobody on duty, a message that reached nobody,
a shift to take over — through the same outbox as every alert, each occasion once for each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, select

from models.core.moment import iso
from models.core.preferences import NONE, Wishes, held_until, urgency, ways
from models.core.roster import Contact, Person
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import preferences
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Alert

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
PREFIX = "notice:"


@dataclass(frozen=True, slots=True)
class Notice:
    """One occasion of one topic for some people.

    `topic` and `occasion` together are said once to a person, however often they are asked for:
    ("reach", "2026-11-22"). `contacts` None: each person's own, in the order they wish; a topic that is
    not urgent also waits for the end of their quiet hours (`models.core.preferences`).
    """

    topic: str
    occasion: str
    title: str
    reason: str
    people: Sequence[Person]
    kind: AlertKind = AlertKind.NOTICE
    incident_id: str | None = None
    contacts: Sequence[Contact] | None = None


def tell(conn: Connection, now: datetime, notices: Sequence[Notice], by: str = "huiying") -> int:
    """Put what is new of these notices into the outbox; how many alerts that made."""
    told: set[tuple[str, str, str]] = set()
    entries = []
    wishes = preferences.of(conn) if notices else {}
    for notice in notices:
        new = _new(conn, notice, told)
        rows = [_alert(notice, person, wishes.get(person.id, NONE), now) for person in new]
        if rows:
            entries.append(_entry(notice, rows, by))
    append(conn, now, entries)
    return len(told)


def _entry(notice: Notice, rows: list[dict[str, Any]], by: str) -> Entry:
    return Entry("notice_raised", {"insert": {"alert": rows}}, by, notice.title, notice.incident_id)


def _new(conn: Connection, notice: Notice, told: set[tuple[str, str, str]]) -> list[Person]:
    """Those who can be reached at all and have not been told yet, here or ever; `told` learns them."""
    asked = select(ALERT.c.person_id).where(
        ALERT.c.clock_id == PREFIX + notice.topic, ALERT.c.step_key == notice.occasion
    )
    known, fresh = set(conn.execute(asked).scalars()), []
    for person in notice.people:
        key = (notice.topic, notice.occasion, person.id)
        if (notice.contacts or person.contacts) and person.id not in known and key not in told:
            told.add(key)
            fresh.append(person)
    return fresh


def _alert(notice: Notice, person: Person, wishes: Wishes, now: datetime) -> dict[str, Any]:
    urgent = urgency(notice.kind, notice.topic)
    contacts = ways(person.contacts, wishes, urgent) if notice.contacts is None else notice.contacts
    held = held_until(wishes, urgent, now)
    return {
        "id": uuid4().hex,
        "incident_id": notice.incident_id,
        "clock_id": PREFIX + notice.topic,
        "step_key": notice.occasion,
        "kind": notice.kind.value,
        "title": notice.title,
        "rung": 0,
        "person_id": person.id,
        "person_name": person.name,
        "unit": person.unit,
        "contacts": [[contact.channel, contact.address] for contact in contacts],
        "contact": 0,
        "contact_tries": 0,
        "refused": [],
        "ref": f"{notice.kind.zh} {notice.title} {notice.occasion}",
        "reason": notice.reason,
        "state": AlertState.QUEUED.value,
        "raised_at": iso(now),
        "attempts": 0,
        "next_try_at": iso(held or now),
        "not_before": iso(held) if held else None,
    }


def of_topic(conn: Connection, topic: str, occasion: str | None = None) -> Sequence[Any]:
    """The alerts that a topic has made, newest first: who was told, and what became of it."""
    query = select(ALERT).where(ALERT.c.clock_id == PREFIX + topic).order_by(ALERT.c.raised_at.desc())
    return conn.execute(query if occasion is None else query.where(ALERT.c.step_key == occasion)).all()
