"""舆情态势: how loud and how angry the talk is; 发布前后: what each publication did to it, as the page of moods
reads it, with its uncertainty in words."""

from __future__ import annotations

from datetime import datetime

from connectors.reports.paper import Block, Table
from flows.reporting import sections
from flows.reporting.asking import View
from models.core import mood
from models.core.vocabulary import EvidenceKind
from models.ledger import moods, reporting
from models.ledger.store import Connection


def talk(conn: Connection, view: View, now: datetime) -> list[Block]:
    """The talk of an incident, and what publications did to it."""
    hours, makeup = reporting.hours(conn, view["id"]), reporting.makeup(conn, view["id"])
    return [*sections.loudness(view, hours, makeup), *effects(conn, view["id"], now)]


def effects(conn: Connection, incident_id: str, now: datetime) -> list[Block]:
    """A line for each publication; nothing while nothing was published."""
    voices, spoken = moods.voices(conn, incident_id), moods.spoken(conn, incident_id)
    times = moods.times(spoken)
    rows = tuple(
        (
            sections.full(row.published_at)[5:],
            EvidenceKind(row.kind).zh,
            mood.read(voices, row.published_at, times, now).sentence,
        )
        for row in spoken
    )
    return [Table(("发布", "种类", "前后变化"), rows, "发布前后", (1.2, 1.2, 4))] if rows else []
