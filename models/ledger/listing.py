"""Incidents one page after another, closed ones too: the newest first, asked on from the last that was shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select

from models.ledger import incidents, scopes, views
from models.ledger.views import INCIDENT, Names

STATES: Final = ("open", "closed", "all")


def page(
    conn: Connection,
    state: str,
    before: str,
    limit: int,
    now: datetime,
    names: Names,
    units: Collection[str] | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Incidents in the shape of the board, and the id to ask on from; None when these were the last;
    `units`: only what such units may see. Raises NoSuchIncident for a `before` that is none."""
    query = select(INCIDENT).order_by(INCIDENT.c.opened_at.desc(), INCIDENT.c.id.desc()).limit(limit + 1)
    if state != "all":
        query = query.where(
            INCIDENT.c.closed_at.is_(None) if state == "open" else INCIDENT.c.closed_at.is_not(None)
        )
    if units is not None:
        query = query.where(scopes.theirs(units))
    if before:
        query = query.where(_older(conn, before))
    shown = views.drawn(conn, query, now, names)
    return shown[:limit], shown[limit - 1]["id"] if len(shown) > limit else None


def _older(conn: Connection, before: str) -> Any:
    """Behind that incident in the order of the pages, even where it has been merged or closed since."""
    known = incidents.get(conn, before)
    same = and_(INCIDENT.c.opened_at == known.opened_at, INCIDENT.c.id < known.id)
    return or_(INCIDENT.c.opened_at < known.opened_at, same)
