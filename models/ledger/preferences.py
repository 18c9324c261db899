"""What people wish of our messages: kept as entries of the journal, read where contacts are ordered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from models.core import preferences
from models.core.moment import iso
from models.core.preferences import Quiet, Urgency, Wishes
from models.core.roster import Roster
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Preference

PREFERENCE: Table = Preference.__table__  # type: ignore[attr-defined]


def of(conn: Connection, people: Collection[str] | None = None) -> dict[str, Wishes]:
    """person id → wishes, of those who have any; None: of everybody."""
    query = select(PREFERENCE)
    if people is not None:
        query = query.where(PREFERENCE.c.person_id.in_(list(people)))
    found = {row.person_id: _wishes(row) for row in conn.execute(query)}
    return {person: wishes for person, wishes in found.items() if wishes}


def _wishes(row: Row[Any]) -> Wishes:
    known = {urgent.value for urgent in Urgency}
    channels = {Urgency(name): tuple(names) for name, names in row.channels.items() if name in known}
    both = row.quiet_from and row.quiet_to
    quiet = Quiet(time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_to)) if both else None
    return Wishes(channels, quiet)


def save(conn: Connection, at: datetime, person_id: str, name: str, wishes: Wishes) -> None:
    """A person's own word; it counts for what is raised from now on."""
    row = {
        "person_id": person_id,
        "channels": {urgent.value: list(names) for urgent, names in wishes.channels.items() if names},
        "quiet_from": f"{wishes.quiet.begins:%H:%M}" if wishes.quiet else None,
        "quiet_to": f"{wishes.quiet.ends:%H:%M}" if wishes.quiet else None,
        "at": iso(at),
    }
    known = select(PREFERENCE.c.person_id).where(PREFERENCE.c.person_id == person_id)
    change = "update" if conn.execute(known).first() else "insert"
    payload = {"name": name, "words": preferences.in_words(wishes), change: {"preference": [row]}}
    append(conn, at, [Entry("preferences_set", payload, person_id, "本人设置提醒偏好")])


def arranged(conn: Connection, roster: Roster) -> Roster:
    """The roster with each person's contacts in the order that they wish for a deadline."""
    return preferences.arranged(roster, of(conn))
