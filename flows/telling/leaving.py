"""What a change of shift also leaves: what changed in the shift that ends, what falls due in the one that begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.core.roster import Change
from models.ledger import clocks, dutylog, leaving
from models.ledger.dutylog import Span
from models.ledger.store import Connection

View = dict[str, Any]
LONGEST = timedelta(days=1)
"""A shift that lasts longer is looked at by the day."""
MOST = 40


def parts(conn: Connection, house: House, now: datetime, change: Change, incidents: Sequence[View]) -> View:
    """{shift {since, until}, changed {signals, opened, closed, late, evidence, alerts, dead}, coming {until, hours
    [{at, limits [{incident_id, ref, title, clock, due_at}]}], more}, promises, drafts}. `incidents`: all that are open,
    as the board has them."""
    began, ends = _began(house, change), _ends(house, change)
    changed = dutylog.counts(conn, Span(began, change.at))
    return {
        "shift": {"since": iso(began), "until": iso(change.at)},
        "changed": {name: changed[name] for name in changed if name != "media"},
        "coming": coming(incidents, now, ends),
        "promises": leaving.promised(conn, now),
        "drafts": leaving.drafts(conn, now, house.names),
    }


def _began(house: House, change: Change) -> datetime:
    """When those who go off had come on."""
    turns = house.site.roster.turns(change.rung, change.at - LONGEST, change.at)
    return turns[-1].since if turns else change.at - LONGEST


def _ends(house: House, change: Change) -> datetime:
    turns = house.site.roster.turns(change.rung, change.at, change.at + LONGEST)
    return turns[0].until if turns else change.at + LONGEST


def coming(incidents: Sequence[View], now: datetime, until: datetime) -> View:
    """What falls due after `now` and up to `until`, by the hour."""
    due = sorted(
        (
            (parse_iso(clock["due_at"]), incident, clock)
            for incident in incidents
            for clock in incident["clocks"]
            if clock["state"] in clocks.OPEN and now < parse_iso(clock["due_at"]) <= until
        ),
        key=lambda one: (one[0], one[1]["id"]),
    )
    hours: dict[str, list[View]] = {}
    for at, incident, clock in due[:MOST]:
        hour = iso(at.replace(minute=0, second=0, microsecond=0))
        about = {"incident_id": incident["id"], "ref": incident["ref"], "title": incident["title"]}
        hours.setdefault(hour, []).append(about | {"clock": clock["name"], "due_at": clock["due_at"]})
    return {
        "until": iso(until),
        "hours": [{"at": hour, "limits": limits} for hour, limits in hours.items()],
        "more": max(0, len(due) - MOST),
    }
