"""Merge and split: the earliest start and the evidence are kept, and a person's word stands.

What an officer put together or apart stays so: the machine asks `judgements.homes` where a group belongs, moves no
signal that has a home, and what was split off is a group of its own, which later signals may join.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.moment import iso
from models.core.vocabulary import Grade, OpinionKind, Stage, StartEvent
from models.ledger import acts, incidents, moving, planning
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.records import Judgement, Signal

JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
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
    """Put `incident_id` into `into`: signals and the work (`moving`) go along, the earlier of each time counts,
    and the graver grade: no deadline is lost by joining."""
    gone, stays = incidents.get(conn, incident_id), incidents.get(conn, into)
    if gone.id == stays.id:
        raise NotAllowed("不能把事件并入它自己")
    for row in (gone, stays):
        if row.closed_at is not None:
            raise NotAllowed(f"{row.ref} 已办结，不能合并；请先 reopen")
    moved = _moved_signals(conn, JUDGEMENT.c.incident_id == gone.id, stays.id)
    times = _earlier(conn, gone, stays, by, reason, at)
    work = moving.along(conn, moving.Joining(gone, stays, at, by))
    joined = [
        {"id": gone.id, "stage": Stage.CLOSED.value, "closed_at": iso(at), "merged_into": stays.id},
        {"id": stays.id, "signal_count": stays.signal_count + len(moved)}
        | _graded(gone, stays)
        | _only_known_to(gone, stays),
    ]
    payload: dict[str, Any] = {
        "into": stays.id,
        "ref": gone.ref,
        "insert": _filled({"incidenttime": times, **work["insert"]}),
        "update": _filled(
            {"judgement": moved, **work["update"], "incident": [*joined, *work["update"]["incident"]]}
        ),
    }
    raised = {"from": stays.grade, "to": gone.grade} if _is_graver(gone, stays) else {}
    append(conn, at, [Entry("incidents_merged", payload | raised, by, reason, stays.id)])
    graver = f"，级别随之由 {stays.grade} 定为 {gone.grade}" if raised else ""
    planning.replan(conn, at, stays, rules_for, f"{gone.ref} 并入{graver}")


# ── the grade of what is joined ───────────────────────────────────────────────────────────────


def _is_graver(gone: Row[Any], stays: Row[Any]) -> bool:
    return Grade(gone.grade) > Grade(stays.grade)


def _graded(gone: Row[Any], stays: Row[Any]) -> dict[str, Any]:
    """The grade of the two together: the graver counts, of two alike the one that a person confirmed; each
    part of it at its gravest; with the graver grade come its facts."""
    graver = _is_graver(gone, stays)
    same_but_surer = gone.grade == stays.grade and stays.provisional and not gone.provisional
    leads = gone if graver or same_but_surer else stays
    change = {"grade": leads.grade, "provisional": leads.provisional, "grade_parts": _parts(stays, gone)}
    if graver:
        change |= {"facts": gone.facts or stays.facts}
    return change


def _parts(*rows: Row[Any]) -> list[dict[str, Any]]:
    """The gravest of each part. What a person confirmed counts as the event's own grade."""
    best: dict[str, dict[str, Any]] = {}
    for part in (part for row in rows for part in (*row.grade_parts, *_confirmed(row))):
        known = best.get(part["part"])
        if known is None or _weight(part) > _weight(known):
            best[part["part"]] = part
    return list(best.values())


def _confirmed(row: Row[Any]) -> list[dict[str, Any]]:
    reason = f"{row.ref} 并入前由人确认 {row.grade}"
    part = {"part": "event", "grade": row.grade, "reason": reason, "basis": [], "suggested": False}
    return [] if row.provisional else [part]


def _weight(part: dict[str, Any]) -> Grade:
    return Grade(part.get("grade") or Grade.IV)


def _only_known_to(gone: Row[Any], stays: Row[Any]) -> dict[str, Any]:
    """What calls for clocks, proof and somebody to answer, in whose hands it is, and `stays` leaves open; that nobody
    talks of it yet is not taken over."""
    known = {name: getattr(gone, name) for name in ("kind", "event_type", "domain", "owner", "holder")}
    unspread = OpinionKind.NOT_YET_SPREAD.value
    return {k: v for k, v in known.items() if v not in (None, unspread) and getattr(stays, k) is None}


def _filled(changes: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Without the tables that nothing happens to."""
    return {table: rows for table, rows in changes.items() if rows}


def _moved_signals(conn: Connection, which: Any, to: str) -> list[dict[str, Any]]:
    found = conn.execute(select(JUDGEMENT.c.signal_id).where(which)).scalars()
    return [{"signal_id": signal, "incident_id": to, "link_reason": "由人工合并或拆分"} for signal in found]


def _earlier(
    conn: Connection, gone: Row[Any], stays: Row[Any], by: str, reason: str, at: datetime
) -> list[dict[str, Any]]:
    """The times of `gone` that are earlier than, or missing in, those of `stays`; with a graver grade the
    time of that grade, which is news to whoever had the milder one."""
    ours, theirs = incidents.stated_times(conn, stays.id), incidents.stated_times(conn, gone.id)
    if _is_graver(gone, stays):
        ours.pop(StartEvent.GRADED, None)
        theirs.setdefault(StartEvent.GRADED, at)
    return [
        incidents.time_row(stays.id, event, value, by, f"自 {gone.ref} 并入: {reason}", at)
        for event, value in theirs.items()
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
    """Take signals out into an incident of their own, which keeps the earliest known times. All the work stays
    with the incident that it was split from: which of it was done for these signals, only people can say."""
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
    was = conn.execute(select(JUDGEMENT.c.signal_id, JUDGEMENT.c.cluster).where(chosen)).all()
    moved = [row | {"cluster": f"i{new_id}"} for row in _moved_signals(conn, chosen, new_id)]
    counts = [
        {"id": row.id, "signal_count": row.signal_count - found},
        {"id": new_id, "signal_count": found},
    ]
    payload = {
        "from": row.id,
        "to": new_id,
        "clusters": [[signal, cluster] for signal, cluster in was],
        "update": {"judgement": moved, "incident": counts},
    }
    append(conn, at, [Entry("incident_split", payload, by, reason, row.id)])
    return new_id
