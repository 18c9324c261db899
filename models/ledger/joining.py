"""Merge and split: the earliest start and the evidence are kept, and a person's word stands.

The machine asks `decided` before it links anything, so that it never undoes what an officer did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.moment import iso
from models.core.vocabulary import ClockState, Stage
from models.ledger import acts, clocks, incidents, planning
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.records import Evidence, Judgement, Signal

JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]


def merge(
    conn: Connection,
    at: datetime,
    incident_id: str,
    into: str,
    by: str,
    reason: str,
    rules_for: planning.RulesFor,
) -> None:
    """Put `incident_id` into `into`: signals and evidence move, the earlier of each time counts."""
    gone, stays = incidents.get(conn, incident_id), incidents.get(conn, into)
    if gone.id == stays.id:
        raise NotAllowed("不能把事件并入它自己")
    for row in (gone, stays):
        if row.closed_at is not None:
            raise NotAllowed(f"{row.ref} 已办结，不能合并；请先 reopen")
    moved = _moved_signals(conn, JUDGEMENT.c.incident_id == gone.id, stays.id)
    evidence = conn.execute(select(EVIDENCE.c.id).where(EVIDENCE.c.incident_id == gone.id)).scalars()
    why = f"并入 {stays.ref}"
    ended = [clocks.ending(c.id, ClockState.SUPERSEDED, at, why) for c in clocks.live_clocks(conn, gone.id)]
    payload: dict[str, Any] = {
        "into": stays.id,
        "insert": {"incidenttime": _earlier(conn, gone, stays, by, reason, at)},
        "update": {
            "judgement": moved,
            "evidence": [{"id": e, "incident_id": stays.id} for e in evidence],
            "clock": ended,
            "incident": [
                {"id": gone.id, "stage": Stage.CLOSED.value, "closed_at": iso(at), "merged_into": stays.id},
                {"id": stays.id, "signal_count": stays.signal_count + len(moved)},
            ],
        },
    }
    payload["update"] = _uniform(payload["update"])
    append(conn, at, [Entry("incidents_merged", payload, by, reason, stays.id)])
    planning.replan(conn, at, stays, rules_for, f"{gone.ref} 并入")


def _uniform(update: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {table: rows for table, rows in update.items() if rows}


def _moved_signals(conn: Connection, which: Any, to: str) -> list[dict[str, Any]]:
    found = conn.execute(select(JUDGEMENT.c.signal_id).where(which)).scalars()
    return [{"signal_id": signal, "incident_id": to, "link_reason": "由人工合并或拆分"} for signal in found]


def _earlier(
    conn: Connection, gone: Row[Any], stays: Row[Any], by: str, reason: str, at: datetime
) -> list[dict[str, Any]]:
    """The times of `gone` that are earlier than, or missing in, those of `stays`."""
    ours = incidents.stated_times(conn, stays.id)
    return [
        incidents.time_row(stays.id, event, value, by, f"自 {gone.ref} 并入: {reason}", at)
        for event, value in incidents.stated_times(conn, gone.id).items()
        if event not in ours or value < ours[event]
    ]


def split(
    conn: Connection,
    at: datetime,
    incident_id: str,
    signal_ids: Sequence[int],
    title: str,
    by: str,
    reason: str,
    rules_for: planning.RulesFor,
) -> str:
    """Take signals out into an incident of their own, which keeps the earliest known times."""
    row = incidents.get(conn, incident_id)
    chosen = JUDGEMENT.c.signal_id.in_(signal_ids) & (JUDGEMENT.c.incident_id == row.id)
    found = conn.execute(select(func.count()).select_from(JUDGEMENT).where(chosen)).scalar_one()
    if found != len(set(signal_ids)):
        raise NotAllowed(f"所选 {len(set(signal_ids))} 条线索中只有 {found} 条属于 {row.ref}；请核对编号")
    if found == row.signal_count:
        raise NotAllowed("不能把全部线索拆出；如要改名或改级，请直接修改本事件")
    times = incidents.stated_times(conn, row.id)
    sit = incidents.situation(row, times, at)
    opening = acts.Opening(
        title=title,
        grade=sit.grade,
        times=times,
        by=by,
        reason=f"自 {row.ref} 拆出: {reason}",
        provisional=row.provisional,
        grade_parts=row.grade_parts,
        kind=sit.kind,
        event_type=sit.event_type,
        medium=sit.medium,
        domain=sit.domain,
        place=row.place,
        owner=row.owner,
    )
    new_id = acts.open_incident(conn, at, opening, rules_for)
    moved = _moved_signals(conn, chosen, new_id)
    counts = [
        {"id": row.id, "signal_count": row.signal_count - found},
        {"id": new_id, "signal_count": found},
    ]
    payload = {"from": row.id, "to": new_id, "update": {"judgement": moved, "incident": counts}}
    append(conn, at, [Entry("incident_split", payload, by, reason, row.id)])
    return new_id
