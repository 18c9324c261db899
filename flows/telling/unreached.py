"""Whom to tell that somebody cannot be reached: a dead letter is itself an alert (law 3).

At once to the next rung that can be reached, and to the roster's owner. When the notice about it dies
as well, one more is sent, and that is the last: after it only the auditor's alarm speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows.wiring import House
from models.core.escalate import next_reachable
from models.core.roster import Person, each_once
from models.core.vocabulary import AlertKind
from models.ledger.notices import PREFIX, Notice
from models.ledger.raising import unreached
from models.ledger.store import Connection, Row

TOPIC, LAST = "dead", "dead-again"


def notices_of(conn: Connection, dead: Sequence[Row[Any]], house: House, now: datetime) -> list[Notice]:
    """One notice for each alert that has just become a dead letter. A test of reach has its own answer."""
    mine = [row for row in dead if row.kind != AlertKind.TEST and row.clock_id != PREFIX + LAST]
    if not mine:
        return []
    away = unreached(conn, {row.incident_id for row in mine if row.incident_id})
    return [_notice(row, {row.person_id, *away.get(row.incident_id, ())}, house, now) for row in mine]


def _notice(row: Row[Any], excluding: set[str], house: House, now: datetime) -> Notice:
    why = row.title if row.kind == AlertKind.NOTICE else row.ref
    return Notice(
        topic=LAST if row.clock_id == PREFIX + TOPIC else TOPIC,
        occasion=row.id,
        title=f"{row.person_name} 联系不上",
        reason=f"“{why}” 没有送到 {row.person_name}，其所有联系方式都被拒收；"
        f"请马上人工通知本人，并核对 roster.yaml 里的联系方式",
        people=_people(row.rung, excluding, house, now),
        incident_id=row.incident_id,
    )


def _people(rung: int, excluding: set[str], house: House, now: datetime) -> list[Person]:
    """Each once: the next rung's people first, then the owner."""
    roster = house.site.roster
    people = (*next_reachable(roster, rung, now, excluding), *roster.owners(now))
    return each_once(person for person in people if person.id not in excluding)
