"""What a message says: alerts of the outbox as the webhook's body and in words for a person.

Several alerts for one person are one message: its body is the most urgent alert's, the others stand
under `also`, each whole; its text has a line for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from connectors.ports import Message
from flows.wiring import House
from models.core import onelink
from models.core.moment import deadline_face, iso, span
from models.core.vocabulary import AlertKind, Grade
from models.ledger.store import Row

LINES = 20
"""How many alerts of one message are told one by one; the rest are counted and are on the page."""


def message(rows: Sequence[Row[Any]], address: str, house: House) -> Message:
    """One message of alerts for one person, the most urgent first."""
    now = house.time.now()
    bodies = [_body(row, now, house) for row in rows]
    payload = bodies[0] | ({"also": bodies[1:]} if len(bodies) > 1 else {})
    return Message(
        alert_id=rows[0].id,
        ref=rows[0].ref,
        address=address,
        title=_title(rows),
        text=_text(rows, now, house),
        payload=payload,
    )


def _title(rows: Sequence[Row[Any]]) -> str:
    more = f"（另 {len(rows) - 1} 条）" if len(rows) > 1 else ""
    return _headline(rows[0]) + more


def _headline(row: Row[Any]) -> str:
    if is_notice(row):
        return f"{AlertKind(row.kind).zh} · {row.title}"
    grade = Grade(row.grade)
    return f"{grade.colour}色 {grade.value} 级 · {row.incident_title}"


def is_notice(row: Row[Any]) -> bool:
    """About the watch itself: no clock, no step."""
    return row.kind in (AlertKind.NOTICE, AlertKind.TEST)


def _text(rows: Sequence[Row[Any]], now: datetime, house: House) -> str:
    if len(rows) == 1:
        return _words(rows[0], now, house)
    lines = [f"共 {len(rows)} 条，最急的在前"]
    lines += [_line(number, row, now) for number, row in enumerate(rows[:LINES], 1)]
    if len(rows) > LINES:
        lines.append(f"另有 {len(rows) - LINES} 条，见页面")
    return "\n".join([*lines, f"页面: {house.public_url}/mine"])


def _line(number: int, row: Row[Any], now: datetime) -> str:
    if is_notice(row):
        return f"{number}. {row.title}: {row.reason}"
    return f"{number}. {_left(row, now)}，时限 {deadline_face(row.due_at)}｜{row.ref}｜{row.incident_title}"


def _words(row: Row[Any], now: datetime, house: House) -> str:
    """One alert alone."""
    if is_notice(row):
        return f"{row.reason}\n{_url(row, house)}"
    first = f"{row.clock_name} {_left(row, now)}，时限 {deadline_face(row.due_at)}"
    return f"{first}\n{row.reason}\n签收: {_url(row, house)}"


def _left(row: Row[Any], now: datetime) -> str:
    left = (row.due_at - now).total_seconds()
    return f"还剩 {span(left)}" if left > 0 else f"已超时 {span(left)}"


def _body(row: Row[Any], now: datetime, house: House) -> dict[str, Any]:
    """One alert in the contract's webhook shape; a notice has no clock and no step."""
    return _notice(row, now, house) if is_notice(row) else _step(row, now, house)


def _notice(row: Row[Any], now: datetime, house: House) -> dict[str, Any]:
    """`incident` only where the notice is about one."""
    told = _common(row, now, house) | {"title": row.title, "url": _url(row, house), "late_by_s": 0.0}
    return told | ({"incident": _incident(row, house)} if row.incident_id else {})


def _step(row: Row[Any], now: datetime, house: House) -> dict[str, Any]:
    told = _common(row, now, house) | {
        "incident": _incident(row, house),
        "clock": {
            "id": row.rule_id,
            "name": row.clock_name,
            "state": row.clock_state,
            "started_at": iso(row.started_at),
            "due_at": iso(row.due_at),
            "basis": row.basis,
        },
        "step": {"key": row.step_key, "due_at": iso(_step_due(row)), "rung": row.step_rung or row.rung},
        "late_by_s": round(max(0.0, (row.raised_at - _step_due(row)).total_seconds()), 3),
    }
    link = _ack_url(row, now, house)
    return told | ({"ack_url": link} if link else {})


def _ack_url(row: Row[Any], now: datetime, house: House) -> str | None:
    """The one-use link that acknowledges; None where the site has no address that is reached from outside."""
    if not house.site.console.public_url:
        return None
    grant = onelink.granted(row.id, row.person_id, row.raised_at)
    return f"{house.public_url}/a/{onelink.token(house.link_key, grant)}" if now < grant.until else None


def _common(row: Row[Any], now: datetime, house: House) -> dict[str, Any]:
    return {
        "alert_id": row.id,
        "ref": row.ref,
        "kind": row.kind or AlertKind.STEP.value,
        "attempt": row.attempts + 1,
        "reason": row.reason,
        "recipient": {"person": row.person_id, "name": row.person_name, "unit": _unit(row, house)},
        "raised_at": iso(row.raised_at),
        "sent_at": iso(now),
    }


def _incident(row: Row[Any], house: House) -> dict[str, Any]:
    return {
        "id": row.incident_id,
        "title": row.incident_title,
        "grade": row.grade,
        "url": _url(row, house),
    }


def _url(row: Row[Any], house: House) -> str:
    return f"{house.public_url}/incidents/{row.incident_id}" if row.incident_id else f"{house.public_url}/"


def _unit(row: Row[Any], house: House) -> str:
    unit = house.site.roster.unit(row.unit)
    return unit.name if unit else row.unit


def _step_due(row: Row[Any]) -> datetime:
    due: datetime = row.step_due_at or row.raised_at
    return due
