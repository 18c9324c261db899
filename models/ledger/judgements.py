"""Reading what was judged: the window for linking, the home of a cluster, the words of an incident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from models.core.personal import mask_said
from models.core.vocabulary import Medium
from models.ledger import incidents, journal
from models.ledger.signals import SIGNAL
from models.records import Judgement, Relabel

JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
RELABEL: Table = Relabel.__table__  # type: ignore[attr-defined]


def judged_since(conn: Connection, after_id: int, oldest: datetime, most: int) -> Sequence[Row[Any]]:
    """Signals after `after_id` and not older than `oldest` with their judgement, oldest first; the
    newest `most` of them where there are more."""
    query = (
        select(
            SIGNAL,
            JUDGEMENT.c.cluster,
            JUDGEMENT.c.facts,
            JUDGEMENT.c.grade_parts,
            JUDGEMENT.c.flagged.label("was_flagged"),
            JUDGEMENT.c.rumour,
            JUDGEMENT.c.details,
        )
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(SIGNAL.c.id > after_id, SIGNAL.c.seen_at >= oldest)
        .order_by(SIGNAL.c.id.desc())
        .limit(most)
    )
    return list(reversed(conn.execute(query).all()))


def homes(conn: Connection, clusters: Iterable[str]) -> dict[str, str]:
    """cluster → the open incident its signals belong to (officers' merges and splits followed)."""
    found = conn.execute(
        select(JUDGEMENT.c.cluster, JUDGEMENT.c.incident_id)
        .where(JUDGEMENT.c.cluster.in_(list(clusters)), JUDGEMENT.c.incident_id.is_not(None))
        .order_by(JUDGEMENT.c.signal_id)
    )
    known = {row.cluster: row.incident_id for row in found}
    about = incidents.by_ids(conn, set(known.values()))
    return {cluster: home for cluster, home in known.items() if about[home].closed_at is None}


def answers(conn: Connection, most: int, skip: int = 0) -> dict[str, dict[str, int]]:
    """sentiment and topic → answer → how many of the newest `most` signals were judged so, the very
    newest `skip` left out. Its cost does not grow with what is stored."""
    newest = select(JUDGEMENT.c.sentiment, JUDGEMENT.c.topic).order_by(JUDGEMENT.c.signal_id.desc())
    rows = conn.execute(newest.limit(most).offset(skip)).all()
    return {name: dict(Counter(getattr(row, name) for row in rows)) for name in ("sentiment", "topic")}


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


def homeless(conn: Connection, clusters: Iterable[str]) -> list[tuple[int, str]]:
    """(signal id, cluster) of the judged signals of these clusters that have no incident yet."""
    columns = (JUDGEMENT.c.signal_id, JUDGEMENT.c.cluster, JUDGEMENT.c.incident_id)
    found = conn.execute(select(*columns).where(JUDGEMENT.c.cluster.in_(list(clusters))))
    # told apart here: asked for IS NULL, SQLite goes through every signal that never had an incident
    return [(row.signal_id, row.cluster) for row in found if row.incident_id is None]


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
