"""舆情走势 as people see it: the curve of an incident and what each publication did, if anything."""

from __future__ import annotations

from typing import Any

from connectors.console.desk import View
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core import mood
from models.core.moment import iso
from models.core.mood import Reading, Window
from models.core.vocabulary import EvidenceKind
from models.ledger import incidents, moods


class Moods:
    """The desk's room for moods. Implements `connectors.console.desks.mood.MoodDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def overview(self, incident_id: str) -> View:
        """The curve, and a reading around each publication. Raises Unknown."""
        now = self._desk.now()
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            found = incidents.get(conn, incident_id).id
            voices, spoken = moods.voices(conn, found), moods.spoken(conn, found)
        times = moods.times(spoken)
        marks = [(row.published_at, EvidenceKind(row.kind).zh) for row in spoken]
        return {
            "incident_id": found,
            "now": iso(now),
            "signals": len(voices),
            "negative": sum(voice.negative for voice in voices),
            "curve": mood.curve(voices, marks, now),
            "readings": [
                {
                    "kind_zh": EvidenceKind(row.kind).zh,
                    "publisher": row.publisher,
                    "published_at": iso(row.published_at),
                    "url": row.url,
                    **_reading(mood.read(voices, row.published_at, times, now)),
                }
                for row in spoken
            ],
        }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "before": _window(reading.before),
        "after": _window(reading.after),
        "volume": reading.volume.value,
        "volume_zh": reading.volume.zh,
        "mood": reading.mood.value,
        "mood_zh": reading.mood.zh,
        "ratio": reading.ratio,
        "ratio_within": _finite(reading.ratio_within.low, reading.ratio_within.high),
        "shift": reading.shift,
        "shift_within": [reading.shift_within.low, reading.shift_within.high],
        "sentence": reading.sentence,
    }


def _finite(*bounds: float) -> list[float | None]:
    """JSON knows no infinity: None is "without a bound"."""
    return [bound if bound < float("inf") else None for bound in bounds]


def _window(window: Window) -> dict[str, Any]:
    return {
        "since": iso(window.since),
        "until": iso(window.until),
        "count": window.count,
        "negative": window.negative,
        "share": window.share,
        "topics": [list(one) for one in window.topics],
        "media": [list(one) for one in window.media],
    }
