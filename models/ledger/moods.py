"""What an incident's signals say around our own publications, read for `models.core.mood`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from models.core.mood import Voice
from models.core.vocabulary import EvidenceKind, Medium
from models.ledger.incidents import PUBLICATIONS
from models.ledger.planning import EVIDENCE
from models.records import Judgement, Signal

SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
SPOKEN = (*PUBLICATIONS, EvidenceKind.CLARIFICATION.value, EvidenceKind.INTERPRETATION.value)
"""The evidence that the public can have read or heard."""
NEGATIVE = "neg"


def voices(conn: Connection, incident_id: str) -> list[Voice]:
    """Every signal of the incident but our own, copies too: volume is how often it was said."""
    rows = conn.execute(
        select(
            SIGNAL.c.seen_at,
            SIGNAL.c.published_at,
            SIGNAL.c.medium,
            JUDGEMENT.c.sentiment,
            JUDGEMENT.c.topic,
        )
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id, SIGNAL.c.medium != Medium.OFFICIAL.value)
        .order_by(SIGNAL.c.id)
    )
    return [
        Voice(row.published_at or row.seen_at, row.sentiment == NEGATIVE, row.topic, Medium(row.medium).zh)
        for row in rows
    ]


def spoken(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Our publications on the incident that stand, oldest first."""
    return conn.execute(
        select(EVIDENCE)
        .where(
            EVIDENCE.c.incident_id == incident_id, EVIDENCE.c.kind.in_(SPOKEN), EVIDENCE.c.standing.is_(None)
        )
        .order_by(EVIDENCE.c.published_at)
    ).all()


def times(rows: Sequence[Row[Any]]) -> list[datetime]:
    return [row.published_at for row in rows]
