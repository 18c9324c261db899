"""What reports are made of: rows of a period or of one incident, as plain dicts. Read only; no rules here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, func, or_, select

from models.core.moment import local
from models.core.personal import mask_personal
from models.core.vocabulary import AlertState, Medium
from models.ledger import journal, views
from models.ledger.views import ALERT, INCIDENT, JUDGEMENT, SIGNAL
from models.records import (
    Dossier,
    Meeting,
    Party,
    Product,
    RegisterEntry,
    Release,
    Signature,
    Statement,
    StatementText,
    Task,
)

PARTY: Table = Party.__table__  # type: ignore[attr-defined]
TASK: Table = Task.__table__  # type: ignore[attr-defined]
PRODUCT: Table = Product.__table__  # type: ignore[attr-defined]
STATEMENT: Table = Statement.__table__  # type: ignore[attr-defined]
TEXT: Table = StatementText.__table__  # type: ignore[attr-defined]
SIGNATURE: Table = Signature.__table__  # type: ignore[attr-defined]
RELEASE: Table = Release.__table__  # type: ignore[attr-defined]
MEETING: Table = Meeting.__table__  # type: ignore[attr-defined]
DOSSIER: Table = Dossier.__table__  # type: ignore[attr-defined]
ENTRY: Table = RegisterEntry.__table__  # type: ignore[attr-defined]
PARTIES = (PARTY.c.asked_at, PARTY.c.role.desc(), PARTY.c.unit, PARTY.c.id)
"""Of those that were asked at one moment the lead first."""
View = dict[str, Any]
Names = dict[str, str]


def incidents(conn: Connection, since: datetime, until: datetime, now: datetime, names: Names) -> list[View]:
    """Incidents that were open at any time of the period, without those merged into others, oldest first;
    the shape of the board."""
    still = or_(INCIDENT.c.closed_at.is_(None), INCIDENT.c.closed_at >= since)
    wanted = select(INCIDENT).where(INCIDENT.c.opened_at < until, still, INCIDENT.c.merged_into.is_(None))
    return views.drawn(conn, wanted.order_by(INCIDENT.c.opened_at, INCIDENT.c.id), now, names)


def titles(conn: Connection, most: int) -> list[View]:
    """The newest incidents to choose from: id, ref, title, closed."""
    wanted = select(INCIDENT).where(INCIDENT.c.merged_into.is_(None)).order_by(INCIDENT.c.opened_at.desc())
    return [
        {"id": row.id, "ref": row.ref, "title": mask_personal(row.title), "closed": row.closed_at is not None}
        for row in conn.execute(wanted.limit(most))
    ]


def head(conn: Connection) -> tuple[int, str]:
    """How many entries the journal has, and the hash of the last."""
    return journal.length(conn)


def hours(conn: Connection, incident_id: str) -> list[tuple[datetime, int, int]]:
    """Signals of an incident by the hour in which they were said: (hour, all, negative), only hours
    that had any."""
    rows = conn.execute(
        select(SIGNAL.c.published_at, SIGNAL.c.seen_at, JUDGEMENT.c.sentiment)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id)
    ).all()
    said = [(_hour(row.published_at or row.seen_at), row.sentiment) for row in rows]
    every = Counter(hour for hour, _ in said)
    negative = Counter(hour for hour, sentiment in said if sentiment == "neg")
    return [(hour, every[hour], negative[hour]) for hour in sorted(every)]


def _hour(moment: datetime) -> datetime:
    return local(moment).replace(minute=0, second=0, microsecond=0)


def makeup(conn: Connection, incident_id: str) -> View:
    """Of an incident's signals: by_medium [(词, n)], by_sentiment [(词, n)], negative share 0..1, total."""
    rows = conn.execute(
        select(SIGNAL.c.medium, JUDGEMENT.c.sentiment)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id)
    ).all()
    return _makeup(rows)


def intake(conn: Connection, since: datetime, until: datetime) -> View:
    """Of all signals seen in the period: the same as `makeup`, and by_topic [(topic, n)]."""
    rows = conn.execute(
        select(SIGNAL.c.medium, JUDGEMENT.c.sentiment, JUDGEMENT.c.topic)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(SIGNAL.c.seen_at >= since, SIGNAL.c.seen_at < until)
    ).all()
    return _makeup(rows) | {"by_topic": Counter(row.topic for row in rows).most_common()}


def _makeup(rows: Iterable[Any]) -> View:
    rows = list(rows)
    media = Counter(Medium(row.medium).zh for row in rows)
    moods = Counter(views.SENTIMENT_ZH.get(row.sentiment, "待研判") for row in rows)
    return {
        "total": len(rows),
        "by_medium": media.most_common(),
        "by_sentiment": moods.most_common(),
        "negative": moods["负面"] / len(rows) if rows else None,
    }


def deliveries(conn: Connection, since: datetime, until: datetime) -> View:
    """Of the alerts raised in the period: raised, accepted, dead."""
    rows = conn.execute(
        select(ALERT.c.state, func.count())
        .where(ALERT.c.raised_at >= since, ALERT.c.raised_at < until)
        .group_by(ALERT.c.state)
    )
    states = {row[0]: row[1] for row in rows}
    return {
        "raised": sum(states.values()),
        "accepted": states.get(AlertState.ACCEPTED.value, 0),
        "dead": states.get(AlertState.DEAD.value, 0),
    }


def work(conn: Connection, incident_id: str) -> View:
    """What people did for an incident: parties, tasks, products, statements (each with its texts and
    signatures), releases, meetings, dossiers; rows as they are, oldest first."""
    statements = _of(
        conn, select(STATEMENT).order_by(STATEMENT.c.created_at, STATEMENT.c.id), STATEMENT, incident_id
    )
    ids = [row["id"] for row in statements]
    texts = _rows(conn, select(TEXT).where(TEXT.c.statement_id.in_(ids)).order_by(TEXT.c.version))
    signed = _rows(conn, select(SIGNATURE).where(SIGNATURE.c.statement_id.in_(ids)).order_by(SIGNATURE.c.at))
    return {
        "parties": _of(conn, select(PARTY).order_by(*PARTIES), PARTY, incident_id),
        "tasks": _of(conn, select(TASK).order_by(TASK.c.created_at, TASK.c.id), TASK, incident_id),
        "products": _of(conn, select(PRODUCT).order_by(PRODUCT.c.at, PRODUCT.c.id), PRODUCT, incident_id),
        "statements": [
            row
            | {
                "texts": [text for text in texts if text["statement_id"] == row["id"]],
                "signatures": [sign for sign in signed if sign["statement_id"] == row["id"]],
            }
            for row in statements
        ],
        "releases": _of(conn, select(RELEASE).order_by(RELEASE.c.at, RELEASE.c.id), RELEASE, incident_id),
        "meetings": _of(conn, select(MEETING).order_by(MEETING.c.starts_at), MEETING, incident_id),
        "dossiers": _of(conn, select(DOSSIER).order_by(DOSSIER.c.made_at), DOSSIER, incident_id),
    }


def _of(conn: Connection, query: Select[Any], table: Table, incident_id: str) -> list[View]:
    return _rows(conn, query.where(table.c.incident_id == incident_id))


def _rows(conn: Connection, query: Select[Any]) -> list[View]:
    return [dict(row) for row in conn.execute(query).mappings()]


def entries(conn: Connection, since: datetime, until: datetime, *kinds: str) -> list[View]:
    """Register entries of the period that were not cancelled, of these kinds or of all, oldest first."""
    query = select(ENTRY).where(
        ENTRY.c.happened_at >= since, ENTRY.c.happened_at < until, ENTRY.c.cancelled_at.is_(None)
    )
    if kinds:
        query = query.where(ENTRY.c.kind.in_(kinds))
    return _rows(conn, query.order_by(ENTRY.c.happened_at, ENTRY.c.id))


def meetings(conn: Connection, since: datetime, until: datetime) -> list[View]:
    """Press conferences and their like that were held in the period."""
    held = select(MEETING).where(MEETING.c.held_at >= since, MEETING.c.held_at < until)
    return _rows(conn, held.order_by(MEETING.c.held_at))


def releases(conn: Connection, since: datetime, until: datetime) -> list[View]:
    """Texts released in the period, one row for each outlet."""
    made = select(RELEASE).where(RELEASE.c.at >= since, RELEASE.c.at < until)
    return _rows(conn, made.order_by(RELEASE.c.at))
