"""Which signals fired which keyword plans, who has not been told yet, and how often each fired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, update

from models.ledger.signals import SIGNAL
from models.records import Incident, Judgement, PlanHit

HIT: Table = PlanHit.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
MOST = 1_000
"""Hits told in one notice; what is beyond waits for the next."""


@dataclass(frozen=True, slots=True)
class Hit:
    """`told`: there is nobody to tell."""

    plan_id: str
    signal_id: int
    words: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A hit with the signal and the incident that it belongs to, if any."""

    signal_id: int
    at: datetime
    words: str
    title: str
    medium: str
    author: str | None
    incident_id: str | None
    ref: str | None


def add(conn: Connection, at: datetime, hits: Sequence[Hit]) -> None:
    rows = [
        {
            "plan_id": hit.plan_id,
            "signal_id": hit.signal_id,
            "at": at,
            "words": hit.words,
            "told_at": at if hit.told else None,
        }
        for hit in hits
    ]
    if rows:
        conn.execute(insert(HIT), rows)


def untold(conn: Connection) -> dict[str, int]:
    """plan → how many of its hits nobody has been told of."""
    query = select(HIT.c.plan_id, func.count()).where(HIT.c.told_at.is_(None)).group_by(HIT.c.plan_id)
    return {row[0]: row[1] for row in conn.execute(query)}


def last_told(conn: Connection) -> dict[str, datetime]:
    """plan → when its owner was told last."""
    query = select(HIT.c.plan_id, func.max(HIT.c.told_at)).group_by(HIT.c.plan_id)
    return {row[0]: row[1] for row in conn.execute(query) if row[1] is not None}


def of_plan_untold(conn: Connection, plan_id: str) -> list[Told]:
    """The oldest untold hits of a plan."""
    query = (
        select(HIT, SIGNAL.c.title, SIGNAL.c.body, SIGNAL.c.medium, SIGNAL.c.author)
        .add_columns(JUDGEMENT.c.incident_id, INCIDENT.c.ref)
        .join(SIGNAL, SIGNAL.c.id == HIT.c.signal_id)
        .outerjoin(JUDGEMENT, JUDGEMENT.c.signal_id == HIT.c.signal_id)
        .outerjoin(INCIDENT, INCIDENT.c.id == JUDGEMENT.c.incident_id)
        .where(HIT.c.plan_id == plan_id, HIT.c.told_at.is_(None))
        .order_by(HIT.c.signal_id)
        .limit(MOST)
    )
    return [_told(row) for row in conn.execute(query)]


def _told(row: Row[Any]) -> Told:
    title = row.title or row.body  # cut by whoever shows it, behind the mask
    return Told(row.signal_id, row.at, row.words, title, row.medium, row.author, row.incident_id, row.ref)


def mark_told(conn: Connection, plan_id: str, ids: Sequence[int], at: datetime) -> None:
    told = (HIT.c.plan_id == plan_id) & HIT.c.signal_id.in_(ids) & HIT.c.told_at.is_(None)
    conn.execute(update(HIT).where(told).values(told_at=at))


def counts(conn: Connection, since: datetime) -> dict[str, dict[str, Any]]:
    """plan → {"fired": since then, "last_at", "incidents": how many incidents these signals belong to}."""
    query = (
        select(
            HIT.c.plan_id,
            func.count().label("fired"),
            func.max(HIT.c.at).label("last_at"),
            func.count(func.distinct(JUDGEMENT.c.incident_id)).label("incidents"),
        )
        .outerjoin(JUDGEMENT, JUDGEMENT.c.signal_id == HIT.c.signal_id)
        .where(HIT.c.at >= since)
        .group_by(HIT.c.plan_id)
    )
    return {
        row.plan_id: {"fired": row.fired, "last_at": row.last_at, "incidents": row.incidents}
        for row in conn.execute(query)
    }


def stream(conn: Connection, since: datetime, until: datetime, size: int = 1_000) -> Iterator[Row[Any]]:
    """Stored signals seen within [since, until), oldest first, read in slices: for a look back."""
    after = 0
    while True:
        rows = conn.execute(
            select(SIGNAL)
            .where(SIGNAL.c.id > after, SIGNAL.c.seen_at >= since, SIGNAL.c.seen_at < until)
            .order_by(SIGNAL.c.id)
            .limit(size)
        ).all()
        yield from rows
        if len(rows) < size:
            return
        after = rows[-1].id
