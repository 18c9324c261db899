"""Who was told of an incident: each person once, how often, when first and last, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.moment import iso
from models.core.vocabulary import AlertState
from models.ledger import incidents
from models.ledger.outbox import ALERT

View = dict[str, Any]
_COLUMNS = tuple(
    ALERT.c[name]
    for name in (
        "person_id", "person_name", "unit", "rung", "state", "raised_at", "accepted_at", "read_at", "contacts",
        "contact", "last_error",
    )
)  # fmt: skip


def people(conn: Connection, incident_id: str, names: Mapping[str, str]) -> list[View]:
    """[{person, name, unit, rung, times, first_at, last_at, channel, state, state_zh, error, acked_at}], in the
    order in which they heard of it; whoever acknowledged without being asked comes last."""
    rows = conn.execute(
        select(*_COLUMNS).where(ALERT.c.incident_id == incident_id).order_by(ALERT.c.raised_at, ALERT.c.rung)
    ).all()
    acked = incidents.acks(conn, [incident_id]).get(incident_id, {})
    groups: dict[str, list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault(row.person_id, []).append(row)
    told = [_told(person, group, acked.get(person), names) for person, group in groups.items()]
    return told + [_came(person, at, names) for person, at in acked.items() if person not in groups]


def _told(person: str, group: Sequence[Row[Any]], acked: Any, names: Mapping[str, str]) -> View:
    last = group[-1]
    state = AlertState(last.state)
    channel = last.contacts[min(last.contact, len(last.contacts) - 1)][0] if last.contacts else None
    return {
        "person": person,
        "name": last.person_name,
        "unit": names.get(last.unit, last.unit),
        "rung": min(row.rung for row in group),
        "times": len(group),
        "first_at": iso(group[0].raised_at),
        "last_at": iso(last.raised_at),
        "channel": channel,
        "state": state.value,
        "state_zh": "已读" if last.read_at else state.zh,
        "error": last.last_error if state is AlertState.DEAD else None,
        "acked_at": iso(acked) if acked else None,
    }


def _came(person: str, at: Any, names: Mapping[str, str]) -> View:
    """Whoever took notice without an alert."""
    nothing = dict.fromkeys(("rung", "first_at", "last_at", "channel", "state", "error"))
    return {
        **nothing,
        "person": person,
        "name": names.get(person, person),
        "unit": "",
        "times": 0,
        "state_zh": "自行签收",
        "acked_at": iso(at),
    }
