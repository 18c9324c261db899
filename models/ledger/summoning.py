"""升级: a person calls a higher rung to an incident now, without waiting for the clock's own next step.

It raises a step of its own on the most pressing clock, with its alerts in the same transaction (law 2); the
clock's planned steps stay as they are and come in their time. A rung that has been told within `FRESH` is not
told again by hand, so that two presses at once call nobody twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from models.core.clock import PlannedStep
from models.core.escalate import Escalation, summoned
from models.core.moment import clock_face, deadline_face, iso, span
from models.core.roster import Roster
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import clocks, handovers, incidents, notices, preferences
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.notices import ALERT
from models.ledger.outbox import STEP
from models.ledger.raising import Sweep, alert_row, holes, unreached

FRESH = timedelta(hours=2)
"""As long as an acknowledgement lasts: whoever was told before that is told again (a proposal)."""
KEY = "升级"


@dataclass(frozen=True, slots=True)
class Summoner:
    """Who calls, and on which rung they stand themselves (0: on none)."""

    by: str
    name: str
    rung: int


def told_since(conn: Connection, ids: Collection[str], since: datetime) -> dict[str, dict[int, datetime]]:
    """incident id → rung → when it was last told, by a clock's step or by hand; what reached nobody is no telling."""
    at = func.max(ALERT.c.raised_at).label("at")
    query = select(ALERT.c.incident_id, ALERT.c.rung, at).where(
        ALERT.c.incident_id.in_(list(ids)),
        ALERT.c.kind == AlertKind.STEP.value,
        ALERT.c.state.not_in((AlertState.DEAD.value, AlertState.WITHDRAWN.value)),
        ALERT.c.raised_at > since,
    )
    found: dict[str, dict[int, datetime]] = {one: {} for one in ids}
    for row in conn.execute(query.group_by(ALERT.c.incident_id, ALERT.c.rung)):
        found[row.incident_id][row.rung] = row.at
    return found


def next_rung(told: Mapping[int, datetime], own: int) -> int:
    """Above whoever was told already, and above who calls."""
    return max(1, own, *told) + 1


def summon(
    conn: Connection, sweep: Sweep, incident_id: str, who: Summoner, reason: str, to: int | None = None
) -> int:
    """Tell `to`, or the next rung, now; returns the rung. Raises NotAllowed where nobody is left to tell, or the
    rung has been told just before."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    told = told_since(conn, [row.id], sweep.now - FRESH)[row.id]
    rung = _wanted(sweep.roster, told, who, to)
    clock = _most_pressing(conn, row)
    standing = sweep.roster.keeping(handovers.staying(conn, sweep.now))
    sweep = replace(sweep, roster=preferences.arranged(conn, standing))
    gone = unreached(conn, [row.id]).get(row.id, ())
    called = summoned(rung, sweep.roster, sweep.now, by=who.by, unreached=gone)
    if not called.tellings:
        raise NotAllowed(f"{sweep.roster.called(rung)}及以上此刻无人可通知；请电话联系，并请管理员补值班表")
    append(conn, sweep.now, [_entry(conn, row, clock, rung, called, who, reason, sweep)])
    notices.tell(conn, sweep.now, holes(clock, called, sweep))
    return rung


def _wanted(roster: Roster, told: Mapping[int, datetime], who: Summoner, to: int | None) -> int:
    rung = next_rung(told, who.rung) if to is None else to
    if not 1 <= rung <= roster.top():
        top = roster.top()
        when = f"，{clock_face(told[top])} 已通知" if top in told else ""
        raise NotAllowed(f"值班表最高为第 {top} 级({roster.called(top)}){when}；请直接打电话")
    if rung in told:
        said = f"{roster.called(rung)}已于 {clock_face(told[rung])} 收到通知"
        raise NotAllowed(f"{said}，不重复打扰；要再上一级，请刷新后再按，或直接打电话")
    return rung


def _most_pressing(conn: Connection, row: Row[Any]) -> Row[Any]:
    open_ = clocks.open_clocks(conn, row.id)
    if not open_:
        raise NotAllowed(f"{row.ref} 没有在走的时钟，无从升级；请直接打电话，或先重新定级")
    return open_[0]


def _entry(
    conn: Connection,
    incident: Row[Any],
    clock: Row[Any],
    rung: int,
    called: Escalation,
    who: Summoner,
    reason: str,
    sweep: Sweep,
) -> Entry:
    step = PlannedStep(_key(conn, clock, rung), sweep.now, rung)
    said = _said(clock, who, reason, sweep.now)
    alerts = [alert_row(clock, step, incident, telling, said, sweep.now) for telling in called.tellings]
    payload = {
        "clock": clock.rule_id,
        "name": who.name,
        "step": step.key,
        "rung": rung,
        "role": sweep.roster.called(rung),
        "told": [telling.person.name for telling in called.tellings],
        "unfilled": list(called.unfilled),
        "insert": {"step": [_step_row(clock, step, said)], "alert": alerts},
    }
    return Entry("escalated", payload, who.by, reason, incident.id)


def _key(conn: Connection, clock: Row[Any], rung: int) -> str:
    """升级2; 升级2.2 when the rung was called on this clock before."""
    name = f"{KEY}{rung}"
    query = select(STEP.c.key).where(STEP.c.clock_id == clock.id, STEP.c.key.startswith(name))
    earlier: Sequence[str] = [key for key in conn.execute(query).scalars() if key.split(".")[0] == name]
    return f"{name}.{len(earlier) + 1}" if earlier else name


def _said(clock: Row[Any], who: Summoner, reason: str, now: datetime) -> str:
    left = (clock.due_at - now).total_seconds()
    time_left = f"还剩 {span(left)}" if left > 0 else f"已超时 {span(left)}"
    return f"{who.name}请您介入: {reason}；{clock.name}: {time_left}，时限 {deadline_face(clock.due_at)}"


def _step_row(clock: Row[Any], step: PlannedStep, said: str) -> dict[str, Any]:
    at = iso(step.due_at)
    return {
        "clock_id": clock.id,
        "key": step.key,
        "incident_id": clock.incident_id,
        "rung": step.rung,
        "due_at": at,
        "raised_at": at,
        "late_ms": 0,
        "skipped": False,
        "reason": said,
    }
