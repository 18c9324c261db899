"""Spans out of the journal: what happened to each incident, from its signals to its end, entry by entry.

What an entry does not say itself (when a signal was seen, when an alert was raised) is looked up by number;
rows that are gone meanwhile leave their span out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, Table, select

from models.core.moment import parse_iso
from models.core.traces import ROOT, TraceSpan, Value
from models.core.vocabulary import ClockState, StartEvent
from models.ledger.clocks import CLOCK
from models.ledger.incidents import INCIDENT
from models.ledger.journal import JOURNAL, length
from models.ledger.outbox import ALERT
from models.ledger.signals import SIGNAL

STRETCH: Final = 300
"""Entries told at once."""
UNTOLD: Final = ("signals_collected", "signals_counted")
SIGNALS: Final = 8
"""Of one incident from one entry: a burst of a thousand posts is no story of a thousand spans."""
MOMENTS: Final = {
    "acknowledged": "acknowledged",
    "taken": "taken over",
    "escalated": "escalated",
    "grade_confirmed": "graded",
    "grade_provisional": "graded provisionally",
    "clock_waived": "clock waived",
    "evidence_retracted": "evidence retracted",
    "incident_reopened": "incident reopened",
    "alert_refused": "attempt refused",
    "alert_turned": "turned to another channel",
    "alert_sent_again": "accepted again",
    "alert_delivered": "delivered",
    "alert_read": "read",
}
"""Kinds of entries that are a moment in their incident's story."""
ENDS: Final = {"alert_accepted": "accepted", "alert_dead": "dead", "alert_withdrawn": "withdrawn"}
GOOD: Final = frozenset({ClockState.MET.value, ClockState.WAIVED.value, ClockState.SUPERSEDED.value})
Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the journal, its payload read."""

    seq: int
    at: datetime
    kind: str
    incident_id: str | None
    payload: Payload


@dataclass
class Known:
    """Rows that entries point at, by their number."""

    signals: Mapping[Any, Row[Any]] = field(default_factory=dict)
    clocks: Mapping[Any, Row[Any]] = field(default_factory=dict)
    alerts: Mapping[Any, Row[Any]] = field(default_factory=dict)
    incidents: Mapping[Any, Row[Any]] = field(default_factory=dict)


def after(conn: Connection, seq: int, limit: int = STRETCH) -> tuple[list[TraceSpan], int]:
    """The spans of the next entries behind number `seq`, and the number up to which that is all."""
    upto = min(length(conn)[0], seq + limit)
    query = select(JOURNAL.c.seq, JOURNAL.c.at, JOURNAL.c.kind, JOURNAL.c.incident_id, JOURNAL.c.payload)
    rows = conn.execute(
        query.where(JOURNAL.c.seq > seq, JOURNAL.c.seq <= upto, JOURNAL.c.kind.not_in(UNTOLD)).order_by(
            JOURNAL.c.seq
        )
    )
    entries = [Told(row.seq, row.at, row.kind, row.incident_id, json.loads(row.payload)) for row in rows]
    known = _known(conn, entries)
    return [span for entry in entries for span in _spans(entry, known)], max(seq, upto)


def _known(conn: Connection, entries: list[Told]) -> Known:
    read = [row for entry in entries for row in _judged(entry)]
    clocks = {row["clock_id"] for entry in entries for row in _rows(entry, "insert", "step")}
    clocks |= {row["id"] for entry in entries for row in _ended(entry)}
    alerts = {entry.payload["alert"] for entry in entries if entry.kind in ENDS}
    stories = {entry.incident_id for entry in entries if entry.incident_id} | {
        id_.split(":")[0] for id_ in clocks
    }
    return Known(
        _by(
            conn, SIGNAL, [SIGNAL.c.id, SIGNAL.c.seen_at, SIGNAL.c.medium], {row["signal_id"] for row in read}
        ),
        _by(conn, CLOCK, [CLOCK.c[name] for name in CLOCK_FACE], clocks),
        _by(conn, ALERT, [ALERT.c[name] for name in ALERT_FACE], alerts),
        _by(conn, INCIDENT, [INCIDENT.c.id, INCIDENT.c.grade, INCIDENT.c.opened_at], stories),
    )


CLOCK_FACE: Final = ("id", "rule_id", "statutory", "created_at", "started_at", "due_at")
ALERT_FACE: Final = ("id", "clock_id", "step_key", "kind", "rung", "raised_at", "not_before", "attempts")


def _by(conn: Connection, table: Table, columns: Iterable[Column[Any]], ids: set[Any]) -> dict[Any, Row[Any]]:
    listed, query = sorted(ids), select(*columns)
    slices = (listed[n : n + 500] for n in range(0, len(listed), 500))
    return {row.id: row for some in slices for row in conn.execute(query.where(table.c.id.in_(some)))}


def _rows(entry: Told, change: str, table: str) -> list[Payload]:
    return list(entry.payload.get(change, {}).get(table, ()))


def _judged(entry: Told) -> list[Payload]:
    """The first few signals of each incident that this entry judged."""
    found: dict[str, list[Payload]] = {}
    for row in _rows(entry, "insert", "judgement") if entry.kind == "signals_judged" else ():
        if row.get("incident_id"):
            found.setdefault(row["incident_id"], []).append(row)
    return [row for rows in found.values() for row in rows[:SIGNALS]]


def _ended(entry: Told) -> list[Payload]:
    return [row for row in _rows(entry, "update", "clock") if row.get("ended_at")]


def _spans(entry: Told, known: Known) -> Iterator[TraceSpan]:
    maker = _MAKERS.get(entry.kind)
    made = maker(entry, known) if maker else _moment(entry) if entry.kind in MOMENTS else ()
    yield from (_with_grade(span, known) for span in chain(made, _clocks(entry, known)))


def _with_grade(span: TraceSpan, known: Known) -> TraceSpan:
    about = known.incidents.get(span.incident_id)
    said: dict[str, Value] = {"incident.id": span.incident_id, **span.said}
    said |= {"incident.grade": about.grade} if about is not None else {}
    began = min(span.began, span.ended)
    return TraceSpan(span.incident_id, span.key, span.name, began, span.ended, span.parent, said, span.failed)


def _opened(entry: Told, _known: Known) -> Iterator[TraceSpan]:
    """The root: from its discovery to the moment when its clocks stood."""
    for row in _rows(entry, "insert", "incident"):
        times = [one for one in _rows(entry, "insert", "incidenttime") if one["incident_id"] == row["id"]]
        seen = [parse_iso(one["value"]) for one in times if one["event"] == StartEvent.DISCOVERY.value]
        said: dict[str, Value] = {"journal.seq": entry.seq, "incident.provisional": bool(row["provisional"])}
        began = min([*seen, entry.at])
        yield TraceSpan(row["id"], ROOT, "incident opened", began, entry.at, "", said)


def _signals(entry: Told, known: Known) -> Iterator[TraceSpan]:
    for row in _judged(entry):
        seen = known.signals.get(row["signal_id"])
        if seen is not None:
            said: dict[str, Value] = {"signal.id": row["signal_id"], "signal.medium": seen.medium}
            said |= {"signal.topic": row["topic"], "signal.grade": row["grade"]}
            key = f"signal {row['signal_id']}"
            yield TraceSpan(row["incident_id"], key, "signal judged", seen.seen_at, entry.at, said=said)


def _steps(entry: Told, known: Known) -> Iterator[TraceSpan]:
    """Due, or its clock made where that was later → raised."""
    for row in _rows(entry, "insert", "step"):
        clock = known.clocks.get(row["clock_id"])
        if row["skipped"] or clock is None:
            continue
        able, raised = max(parse_iso(row["due_at"]), clock.created_at), parse_iso(row["raised_at"])
        said = _of_clock(clock) | {"step.key": row["key"], "step.rung": row["rung"]}
        said |= {"step.late_s": max(0.0, (raised - able) / timedelta(seconds=1))}
        said |= {"step.alerts": len(_rows(entry, "insert", "alert"))}
        yield TraceSpan(
            row["incident_id"], _step_key(row["clock_id"], row["key"]), "step raised", able, raised, said=said
        )


def _step_key(clock_id: str, key: str) -> str:
    return f"step {clock_id} {key}"


def _of_clock(clock: Row[Any]) -> dict[str, Value]:
    return {"clock.rule": clock.rule_id, "clock.statutory": bool(clock.statutory)}


def _alerts(entry: Told, known: Known) -> Iterator[TraceSpan]:
    """Raised → accepted, dead or withdrawn: the last word of the channel that had it."""
    row = known.alerts.get(entry.payload["alert"])
    if row is None or entry.incident_id is None:
        return
    said: dict[str, Value] = {"alert.outcome": ENDS[entry.kind], "alert.channel": entry.payload["channel"]}
    said |= {
        "alert.rung": row.rung,
        "alert.attempt": entry.payload["attempt"],
        "alert.kind": row.kind or "step",
    }
    parent = ROOT if row.clock_id.startswith("notice:") else _step_key(row.clock_id, row.step_key)
    began = row.not_before or row.raised_at
    dead = entry.kind == "alert_dead"
    name = f"alert {ENDS[entry.kind]}"
    key = f"alert {row.id}{' dead' if dead else ''}"  # one that was dead may be taken after all
    yield TraceSpan(entry.incident_id, key, name, began, entry.at, parent, said, dead)


def _evidence(entry: Told, _known: Known) -> Iterator[TraceSpan]:
    """Published → entered."""
    for row in _rows(entry, "insert", "evidence"):
        said: dict[str, Value] = {"evidence.kind": row["kind"]}
        published = parse_iso(row["published_at"])
        yield TraceSpan(
            row["incident_id"], f"evidence {row['id']}", "evidence added", published, entry.at, said=said
        )


def _closed(entry: Told, known: Known) -> Iterator[TraceSpan]:
    """The whole of it: opened → closed."""
    for row in _rows(entry, "update", "incident"):
        about = known.incidents.get(row["id"])
        if about is not None and row.get("closed_at"):
            yield TraceSpan(row["id"], f"closed {entry.seq}", "incident closed", about.opened_at, entry.at)


def _clocks(entry: Told, known: Known) -> Iterator[TraceSpan]:
    """A clock that ended: started → ended."""
    for row in _ended(entry):
        clock = known.clocks.get(row["id"])
        if clock is not None:
            said = _of_clock(clock) | {"clock.state": row["state"]}
            ended, failed = parse_iso(row["ended_at"]), row["state"] not in GOOD
            key, incident_id = f"clock {row['id']} {entry.seq}", row["id"].split(":")[0]
            yield TraceSpan(
                incident_id, key, "clock ended", clock.started_at, ended, said=said, failed=failed
            )


def _moment(entry: Told) -> Iterator[TraceSpan]:
    if entry.incident_id is None:
        return
    alert, channel = entry.payload.get("alert"), entry.payload.get("channel")
    said: dict[str, Value] = {"journal.seq": entry.seq}
    said |= {"alert.channel": channel} if isinstance(channel, str) else {}
    parent = f"alert {alert}" if isinstance(alert, str) else ROOT
    name, failed = MOMENTS[entry.kind], entry.kind == "alert_refused"
    yield TraceSpan(entry.incident_id, f"entry {entry.seq}", name, entry.at, entry.at, parent, said, failed)


_MAKERS: Final[dict[str, Callable[[Told, Known], Iterator[TraceSpan]]]] = {
    "incident_opened": _opened,
    "signals_judged": _signals,
    "step_raised": _steps,
    "alert_accepted": _alerts,
    "alert_dead": _alerts,
    "alert_withdrawn": _alerts,
    "evidence_added": _evidence,
    "incident_closed": _closed,
}
