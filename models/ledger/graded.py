"""By whose word a grade stands: confirmed by a person, or the machine's, with what it would change now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from models.core.moment import iso
from models.core.vocabulary import Grade
from models.ledger import journal
from models.ledger.words import acting

JOURNAL = journal.JOURNAL
View = dict[str, Any]


def said(conn: Connection, incident_id: str, names: Mapping[str, str]) -> View:
    """{confirmed {by, at, reason, grade} | None, proposed {grade, grade_zh, at, reason} | None}: the last word of
    a person, and what the machine has wished for since (law 14)."""
    kinds = ("grade_confirmed", "grade_proposed", "incident_opened")
    chosen = (JOURNAL.c.incident_id == incident_id) & JOURNAL.c.kind.in_(kinds)
    found: View = {"confirmed": None, "proposed": None}
    for row in conn.execute(select(JOURNAL).where(chosen).order_by(JOURNAL.c.seq)).mappings():
        entry = journal.as_entry(dict(row))
        if entry.kind == "grade_proposed":
            grade = Grade(entry.payload["to"])
            found["proposed"] = {
                "grade": grade.value,
                "grade_zh": grade.zh,
                "at": iso(row["at"]),
                "reason": entry.reason,
            }
        elif entry.kind == "grade_confirmed" or (entry.actor in names and entry.actor != "huiying"):
            found = {"confirmed": _confirmed(entry, row["at"], names), "proposed": None}
    return found


def _confirmed(entry: Any, at: Any, names: Mapping[str, str]) -> View:
    return {
        "by": acting(entry.actor, names),
        "at": iso(at),
        "reason": entry.reason,
        "grade": entry.payload.get("to") or entry.payload["grade"],
    }
