"""更正标签: a person's word on a signal's sentiment, topic, kind or rumour, beside what the machine had said.

It counts from the moment it is given: curves, reports and conditions read the corrected column. What stood
there before is a row of its own, so that `corrections.labels` can hand both to the classifiers (law 14).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import labels
from models.core.labels import Label
from models.core.moment import iso
from models.core.vocabulary import OpinionKind
from models.ledger import incidents, planning
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.judgements import JUDGEMENT
from models.ledger.store import NotThere
from models.records import Relabel

RELABEL: Table = Relabel.__table__  # type: ignore[attr-defined]
MOST = 2_000
"""Signals that one word may correct at once; more are more than one person has read."""
Names = Mapping[str, str]


class NoSuchSignal(NotThere):
    """The incident has no signal of that number."""


def relabel(
    conn: Connection,
    at: datetime,
    incident_id: str,
    signal_ids: Sequence[int],
    label: Label,
    value: str,
    by: str,
    reason: str = "",
) -> int:
    """Correct one label of some signals of an incident; how many were changed. Raises NotAllowed, NoSuchSignal."""
    wrong = labels.why_not(label, value)
    if wrong:
        raise NotAllowed(wrong)
    rows = [row for row in _judged(conn, incident_id, signal_ids) if _now(row, label) != value]
    if not rows:
        raise NotAllowed(f"{label.zh}已经是“{labels.shown(label, value)}”，不用再改")
    made = [_row(row, incident_id, label, value, by, at, reason) for row in rows]
    payload = {
        "label": label.value,
        "to": value,
        "from": sorted({str(row["was"]) for row in made if row["was"]}),
        "signals": [row.signal_id for row in rows],
        "insert": {"relabel": made},
        "update": {
            "judgement": [
                {"signal_id": row.signal_id, label.value: labels.kept(label, value)} for row in rows
            ]
        },
    }
    append(conn, at, [Entry("label_corrected", payload, by, reason, incident_id)])
    return len(rows)


def _judged(conn: Connection, incident_id: str, signal_ids: Sequence[int]) -> Sequence[Row[Any]]:
    wanted = sorted(set(signal_ids))
    if len(wanted) > MOST:
        raise NotAllowed(f"一次最多改 {MOST} 条线索的标签，这里有 {len(wanted)} 条；请先拆分，或逐页更正")
    here = JUDGEMENT.c.signal_id.in_(wanted) & (JUDGEMENT.c.incident_id == incident_id)
    rows = conn.execute(select(JUDGEMENT).where(here).order_by(JUDGEMENT.c.signal_id)).all()
    if not rows or len(rows) != len(wanted):
        lacking = "、".join(str(n) for n in sorted({*wanted} - {row.signal_id for row in rows})[:5])
        raise NoSuchSignal(f"这起事件没有编号为 {lacking or '空'} 的线索；编号见事件页的线索一栏")
    return rows


def _now(row: Row[Any], label: Label) -> str | None:
    return labels.read(label, row._mapping[label.value])


def _row(
    row: Row[Any], incident_id: str, label: Label, value: str, by: str, at: datetime, reason: str
) -> dict[str, Any]:
    return {
        "id": uuid4().hex[:16],
        "signal_id": row.signal_id,
        "incident_id": incident_id,
        "label": label.value,
        "was": _now(row, label),
        "now": value,
        "by": by,
        "at": iso(at),
        "reason": reason,
    }


def correct_kind(
    conn: Connection,
    at: datetime,
    incident_id: str,
    kind: str,
    by: str,
    reason: str,
    rules_for: planning.RulesFor,
) -> None:
    """The incident's own kind of opinion; the grade and who confirmed it stay as they are, clocks are planned
    anew on the same starts. Raises NotAllowed."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    wrong = labels.why_not(Label.KIND, kind)
    if wrong:
        raise NotAllowed(wrong)
    if row.kind == kind:
        raise NotAllowed(f"类别已经是“{OpinionKind(kind).zh}”，不用再改")
    payload = {"from": row.kind, "to": kind, "update": {"incident": [{"id": row.id, "kind": kind}]}}
    append(conn, at, [Entry("kind_corrected", payload, by, reason, row.id)])
    planning.replan(conn, at, row, rules_for, f"类别改为{OpinionKind(kind).zh}")


def all_of(conn: Connection, incident_id: str) -> list[int]:
    """Every signal of an incident, oldest first."""
    chosen = select(JUDGEMENT.c.signal_id).where(JUDGEMENT.c.incident_id == incident_id)
    return list(conn.execute(chosen.order_by(JUDGEMENT.c.signal_id)).scalars())


def of_signals(conn: Connection, signal_ids: Sequence[int], names: Names) -> dict[int, list[dict[str, Any]]]:
    """signal → what people corrected of it, oldest first: [{label, label_zh, was, was_zh, now, now_zh, by, at,
    reason}]."""
    query = select(RELABEL).where(RELABEL.c.signal_id.in_(list(signal_ids)))
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in conn.execute(query.order_by(RELABEL.c.at, RELABEL.c.id)):
        found[row.signal_id].append(_view(row, names))
    return dict(found)


def _view(row: Row[Any], names: Names) -> dict[str, Any]:
    label = Label(row.label)
    return {
        "label": label.value,
        "label_zh": label.zh,
        "was": row.was,
        "was_zh": labels.shown(label, row.was),
        "now": row.now,
        "now_zh": labels.shown(label, row.now),
        "by": names.get(row.by, row.by),
        "at": iso(row.at),
        "reason": row.reason,
    }
