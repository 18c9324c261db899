"""The signals of one incident as its page asks for them: all of them in a few columns, and one page of them.

An incident may have ten thousand. What is drawn of all is read narrow; what is read by people comes a page at
a time, chosen by platform, mood and words, the newest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, func, select

from models.core.personal import mask_personal
from models.core.spread import Heard
from models.core.vocabulary import Medium
from models.ledger.judgements import JUDGEMENT
from models.ledger.moods import NEGATIVE
from models.ledger.signals import SIGNAL

PAGE = 25
_FROM = SIGNAL.join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
_READ_AT = JUDGEMENT.c.details["place"]["name"].as_string()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which signals of an incident; what is empty asks nothing. `below`: only those with a smaller number."""

    medium: str = ""
    sentiment: str = ""
    text: str = ""
    rumour: bool = False
    below: int | None = None


def heard(conn: Connection, incident_id: str, names: Mapping[str, str]) -> list[Heard]:
    """Every signal of the incident but our own publications, copies too, in the order of their numbers."""
    columns = (
        SIGNAL.c.id, SIGNAL.c.seen_at, SIGNAL.c.published_at, SIGNAL.c.medium, SIGNAL.c.source_id, SIGNAL.c.place,
        JUDGEMENT.c.sentiment, JUDGEMENT.c.topic, _READ_AT.label("read_at"),
    )  # fmt: skip
    ours = SIGNAL.c.medium == Medium.OFFICIAL.value
    query = select(*columns).select_from(_FROM).where(JUDGEMENT.c.incident_id == incident_id, ~ours)
    return [_heard(row, names) for row in conn.execute(query.order_by(SIGNAL.c.id))]


def _heard(row: Row[Any], names: Mapping[str, str]) -> Heard:
    return Heard(
        id=row.id,
        at=row.published_at or row.seen_at,
        negative=row.sentiment == NEGATIVE,
        medium=Medium(row.medium).zh,
        source=names.get(row.source_id, row.source_id),
        topic=row.topic,
        place=_masked(row.place or row.read_at),
    )


def _masked(place: str | None) -> str | None:
    """A road is shown, the household behind it is not."""
    return mask_personal(place) if place else None


def page(conn: Connection, incident_id: str, wanted: Wanted, size: int = PAGE) -> Sequence[Row[Any]]:
    """The newest signals that are wanted, one more than `size` where there are more."""
    numbers = select(JUDGEMENT.c.signal_id).select_from(_narrow(wanted)).where(*_chosen(incident_id, wanted))
    if wanted.below is not None:
        numbers = numbers.where(JUDGEMENT.c.signal_id < wanted.below)
    first = numbers.order_by(JUDGEMENT.c.signal_id.desc()).limit(size + 1)
    chosen = list(conn.execute(first).scalars())  # the texts of those alone: not of ten thousand to be sorted
    query = select(SIGNAL, *_judged()).select_from(_FROM).where(SIGNAL.c.id.in_(chosen))
    return conn.execute(query.order_by(SIGNAL.c.id.desc())).all()


def _narrow(wanted: Wanted) -> FromClause:
    """The judgements alone, where nothing is asked of the signals themselves."""
    return _FROM if wanted.medium or wanted.text else JUDGEMENT


def one(conn: Connection, incident_id: str, signal_id: int) -> Row[Any] | None:
    here = (JUDGEMENT.c.incident_id == incident_id) & (SIGNAL.c.id == signal_id)
    return conn.execute(select(SIGNAL, *_judged()).select_from(_FROM).where(here)).first()


def _judged() -> tuple[ColumnElement[Any], ...]:
    """What was judged of a signal beside its own columns."""
    names = (
        "sentiment", "sentiment_score", "topic", "topic_margin", "kind", "rumour", "concern", "flagged", "facts",
        "reasons", "versions", "cluster", "link_score", "link_reason", "copy_of", "details",
    )  # fmt: skip
    return (*(JUDGEMENT.c[name] for name in names), JUDGEMENT.c.at.label("judged_at"))


def _chosen(incident_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = [JUDGEMENT.c.incident_id == incident_id]
    if wanted.medium:
        asked.append(SIGNAL.c.medium == wanted.medium)
    if wanted.sentiment:
        asked.append(JUDGEMENT.c.sentiment == wanted.sentiment)
    if wanted.rumour:
        asked.append(JUDGEMENT.c.rumour >= 0.5)
    if wanted.text:
        said = (SIGNAL.c[name].icontains(wanted.text, autoescape=True) for name in ("title", "body"))
        asked.append(next(said) | next(said))
    return asked


def count(conn: Connection, incident_id: str, wanted: Wanted) -> int:
    """How many signals are wanted, on all pages together."""
    query = select(func.count()).select_from(_narrow(wanted)).where(*_chosen(incident_id, wanted))
    return int(conn.execute(query).scalar_one())


def choices(conn: Connection, incident_id: str) -> dict[str, list[tuple[str, int]]]:
    """medium and sentiment → the values there are, with how many signals of the incident have each."""
    return {
        name: _grouped(conn, column, incident_id)
        for name, column in (("medium", SIGNAL.c.medium), ("sentiment", JUDGEMENT.c.sentiment))
    }


def _grouped(conn: Connection, column: ColumnElement[Any], incident_id: str) -> list[tuple[str, int]]:
    query: Select[Any] = select(column, func.count()).select_from(_FROM)
    rows = conn.execute(query.where(JUDGEMENT.c.incident_id == incident_id).group_by(column)).all()
    return sorted(((row[0], row[1]) for row in rows), key=lambda pair: (-pair[1], pair[0]))


def said_at(row: Row[Any]) -> datetime:
    """When it was said, as far as known."""
    moment: datetime = row.published_at or row.seen_at
    return moment
