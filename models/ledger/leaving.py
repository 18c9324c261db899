"""What stands open at a change of shift beside incidents and clocks: drafts under review, promises to the public."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from models.core.casework import StatementState
from models.core.moment import iso
from models.core.vocabulary import OPEN_STATES
from models.ledger import promises, statement_views
from models.ledger.clocks import CLOCK
from models.ledger.incidents import INCIDENT
from models.ledger.statements import STATEMENT

View = dict[str, Any]
_OPEN = [state.value for state in OPEN_STATES]


def drafts(conn: Connection, now: datetime, names: Mapping[str, str]) -> list[View]:
    """Statements that wait for a reviewer or for their release, the oldest first: [{id, incident_id, ref, title,
    state_zh, waiting [{name, person_name, due_at}]}]."""
    states = (StatementState.IN_REVIEW.value, StatementState.APPROVED.value)
    query = (
        select(STATEMENT, INCIDENT.c.ref)
        .join(INCIDENT, INCIDENT.c.id == STATEMENT.c.incident_id)
        .where(STATEMENT.c.state.in_(states), INCIDENT.c.closed_at.is_(None))
        .order_by(STATEMENT.c.submitted_at, STATEMENT.c.id)
    )
    found = []
    for row in conn.execute(query):
        head = statement_views.head(conn, row, now, names)
        kept = {name: head[name] for name in ("id", "incident_id", "title", "state_zh", "waiting")}
        found.append(kept | {"ref": row.ref})
    return found


def promised(conn: Connection, now: datetime) -> list[View]:
    """Promises of a next word that are still open, the first due first: [{incident_id, ref, words, by, due_at,
    state_zh}]."""
    query = (
        select(CLOCK, INCIDENT.c.ref)
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .where(CLOCK.c.subject.startswith(promises.SUBJECT), CLOCK.c.state.in_(_OPEN))
        .order_by(CLOCK.c.due_at)
    )
    found = []
    for row in conn.execute(query):
        seen = promises.view(row, now)
        kept = {name: seen[name] for name in ("incident_id", "words", "by", "state_zh")}
        found.append(kept | {"ref": row.ref, "due_at": iso(row.due_at)})
    return found
