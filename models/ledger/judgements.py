"""Reading what was judged: the window for linking, the home of a cluster, the words of an incident."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, Select, Table, func, select, text

from models.core.burst import IN_PASSING
from models.core.personal import mask_said
from models.core.vocabulary import Medium
from models.ledger import incidents, journal
from models.ledger.signals import SIGNAL, listed
from models.records import Judgement, Relabel

JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
RELABEL: Table = Relabel.__table__  # type: ignore[attr-defined]
NEWEST_FEW = 4
"""Beside the first, as many as a newcomer is compared with."""


def reload_from(conn: Connection, after_id: int, oldest: datetime, most: int) -> int:
    """Behind which number the newest `most` judgements of what was seen since `oldest` lie, and `after_id` at the
    least."""
    last = select(JUDGEMENT.c.signal_id).order_by(JUDGEMENT.c.signal_id.desc()).offset(most).limit(1)
    return max(after_id, conn.execute(last).scalar() or 0, _number_before(conn, oldest))


def judged_between(conn: Connection, after: int, last: int, oldest: datetime) -> Sequence[Row[Any]]:
    """The signals behind number `after` up to `last` that are not older than `oldest`, with their judgement. Asked
    by numbers and not for so many rows: however much lies behind them, a piece costs what it holds."""
    between = SIGNAL.c.id.between(after + 1, last), JUDGEMENT.c.signal_id.between(after + 1, last)
    return conn.execute(_sorted_since(oldest).where(*between)).all()


def judged_of(conn: Connection, names: Collection[str], last: int, oldest: datetime) -> Sequence[Row[Any]]:
    """The same of what lies up to number `last` and belongs to these incidents: of each of their groups the first
    signal and the newest few."""
    number, group = JUDGEMENT.c.signal_id, JUDGEMENT.c.cluster
    first = func.row_number().over(partition_by=group, order_by=number).label("first")
    newest = func.row_number().over(partition_by=group, order_by=number.desc()).label("newest")
    theirs = JUDGEMENT.c.incident_id.in_(names), number <= last, ~_in_passing()
    ranked = select(number, first, newest).where(*theirs).subquery()
    few = (ranked.c.first == 1) | (ranked.c.newest <= NEWEST_FEW)
    return conn.execute(
        _sorted_since(oldest).join(ranked, ranked.c.signal_id == SIGNAL.c.id).where(few)
    ).all()


def _sorted_since(oldest: datetime) -> Select[Any]:
    """What the sorter knows of each signal that was seen since then, in the order of their numbers."""
    about = JUDGEMENT.c
    flagged = about.flagged.label("was_flagged")
    more = about.cluster, about.facts, about.grade_parts, flagged, about.rumour, about.details
    query = select(SIGNAL, *more).join(JUDGEMENT, about.signal_id == SIGNAL.c.id)
    return query.where(SIGNAL.c.seen_at >= oldest).order_by(SIGNAL.c.id)


def _number_before(conn: Connection, moment: datetime) -> int:
    """A number that nothing seen since then lies below, though a clock were set back by an hour: judgements know
    no time of their own, and so are read from there on and not from their beginning."""
    later = SIGNAL.c.seen_at >= moment - timedelta(hours=1)
    first = select(SIGNAL.c.id).where(later).order_by(SIGNAL.c.seen_at, SIGNAL.c.id).limit(1)
    found: int | None = conn.execute(first).scalar()
    return found - 1 if found is not None else 0


def newest(conn: Connection) -> int:
    """The number of the last signal that was judged; 0 while there is none."""
    last = select(JUDGEMENT.c.signal_id).order_by(JUDGEMENT.c.signal_id.desc()).limit(1)
    return conn.execute(last).scalar() or 0


def homes(conn: Connection, clusters: Iterable[str]) -> dict[str, str]:
    """cluster → the open incident its signals belong to (officers' merges and splits followed): that of the
    newest which has one, found at the same cost however many there are. What a burst took in passing has none of its
    own: two grave matters must not vanish in one burst."""
    asked = listed(conn, clusters)
    last = (
        select(JUDGEMENT.c.incident_id)
        .where(JUDGEMENT.c.cluster == asked.c.value, JUDGEMENT.c.incident_id.is_not(None), ~_in_passing())
        .order_by(JUDGEMENT.c.signal_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = conn.execute(select(asked.c.value.label("cluster"), last.label("home")))
    known = {row.cluster: row.home for row in found if row.home is not None}
    about = incidents.by_ids(conn, set(known.values()))
    return {cluster: home for cluster, home in known.items() if about[home].closed_at is None}


def answers(conn: Connection, most: int, skip: int = 0) -> dict[str, dict[str, int]]:
    """sentiment and topic → answer → how many of the newest `most` signals were judged so, the very
    newest `skip` left out. Its cost does not grow with what is stored."""
    newest = select(JUDGEMENT.c.sentiment, JUDGEMENT.c.topic).order_by(JUDGEMENT.c.signal_id.desc())
    rows = conn.execute(newest.limit(most).offset(skip)).all()
    return {name: dict(Counter(getattr(row, name) for row in rows)) for name in ("sentiment", "topic")}


def words(conn: Connection, most: int) -> list[str]:
    """The words of the newest `most` judged signals. Its cost does not grow with what is stored."""
    newest = select(JUDGEMENT.c.signal_id).order_by(JUDGEMENT.c.signal_id.desc()).limit(most)
    rows = conn.execute(select(SIGNAL.c.title, SIGNAL.c.body).where(SIGNAL.c.id.in_(newest)))
    return [f"{row.title}\n{row.body}" for row in rows]


def corrected(conn: Connection, *, masked: bool = True) -> Iterator[dict[str, str]]:
    """{"text", "kind"} of every signal whose incident an officer gave another kind than the machine
    had read in it: the last word of each incident counts. What the public said; our own pages are not.
    `masked` False: with the personal data that is stored."""
    for incident_id, kind in _kinds_said(conn).items():
        for told in _read_otherwise(conn, incident_id, kind):
            text = f"{told.title}\n{told.body}".strip()
            yield {"text": mask_said(text, told.medium, told.author) if masked else text, "kind": kind}


def _kinds_said(conn: Connection) -> dict[str, str]:
    """incident → the kind that a person gave it last."""
    kinds = ("grade_confirmed", "kind_corrected")
    rows = [row for kind in kinds for row in journal.entries(conn, kind=kind)]
    changes = [
        change
        for row in sorted(rows, key=lambda row: row["seq"])
        for change in journal.as_entry(row).payload["update"]["incident"]
    ]
    return {change["id"]: change["kind"] for change in changes if change.get("kind")}


def _read_otherwise(conn: Connection, incident_id: str, kind: str) -> Iterator[Any]:
    by_hand = select(RELABEL.c.signal_id).where(
        RELABEL.c.label == "kind"
    )  # a word of its own: corrections.labels
    rows = conn.execute(
        select(SIGNAL.c.title, SIGNAL.c.body, SIGNAL.c.medium, SIGNAL.c.author, JUDGEMENT.c.kind)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id, SIGNAL.c.medium != Medium.OFFICIAL.value)
        .where(SIGNAL.c.id.not_in(by_hand))
        .order_by(SIGNAL.c.id)
    )
    return (row for row in rows if row.kind != kind)


def _in_passing() -> ColumnElement[bool]:
    return func.coalesce(JUDGEMENT.c.link_reason, "").startswith(IN_PASSING)


def taken_in_passing(conn: Connection, clusters: Iterable[str]) -> list[tuple[int, str, str]]:
    """(signal id, cluster, the burst's incident) of the signals of these clusters that a burst took in passing; what
    is closed stays as it was closed."""
    asked = listed(conn, clusters)
    about = JUDGEMENT.c
    query = select(about.signal_id, about.cluster, about.incident_id).where(
        about.cluster.in_(select(asked.c.value)), about.incident_id.is_not(None), _in_passing()
    )
    found = conn.execute(query).all()
    homes = incidents.by_ids(conn, {row.incident_id for row in found})
    return [
        (row.signal_id, row.cluster, row.incident_id)
        for row in found
        if homes[row.incident_id].closed_at is None
    ]


def homeless(conn: Connection, clusters: Iterable[str]) -> list[tuple[int, str]]:
    """(signal id, cluster) of the judged signals of these clusters that have no incident yet."""
    found = _homeless_by_name(clusters) if conn.dialect.name == "sqlite" else _homeless(conn, clusters)
    return [(row.signal_id, row.cluster) for row in conn.execute(found)]


def _homeless(conn: Connection, clusters: Iterable[str]) -> Executable:
    asked = listed(conn, clusters)
    of_these = JUDGEMENT.c.cluster.in_(select(asked.c.value)) & JUDGEMENT.c.incident_id.is_(None)
    return select(JUDGEMENT.c.signal_id, JUDGEMENT.c.cluster).where(of_these).order_by(JUDGEMENT.c.signal_id)


def _homeless_by_name(clusters: Iterable[str]) -> Executable:
    """The same with its index named: SQLite by itself goes through every signal that never had an incident."""
    query = text(
        "SELECT signal_id, cluster FROM judgement INDEXED BY ix_judgement_homeless"
        " WHERE incident_id IS NULL AND cluster IN (SELECT value FROM json_each(:clusters)) ORDER BY signal_id"
    )
    return query.bindparams(clusters=json.dumps(list(clusters), ensure_ascii=False))


def titles(conn: Connection, incident_id: str, most: int) -> list[str]:
    """The titles of an incident's first signals, our own publications left out."""
    rows = conn.execute(
        select(SIGNAL.c.title)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id, SIGNAL.c.medium != Medium.OFFICIAL.value)
        .order_by(SIGNAL.c.id)
        .limit(most)
    )
    return list(rows.scalars())
