"""值班日志: what came and what was done in a shift, as the journal has it; notes and signatures, append only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from models.core.moment import iso
from models.core.personal import mask_personal
from models.core.vocabulary import AlertState, ClockState, Grade, Medium
from models.ledger import journal
from models.ledger.clocks import CLOCK
from models.ledger.entry import Entry
from models.ledger.incidents import EVIDENCE, INCIDENT, NotAllowed
from models.ledger.outbox import ALERT
from models.ledger.signals import SIGNAL
from models.ledger.words import KINDS, acting, told

JOURNAL = journal.JOURNAL
NOTED, SIGNED = "duty_noted", "duty_signed"
MOST = 300
"""Lines of one shift; what is beyond them is told as a number, and stands in the audit page."""
LONGEST_NOTE = 2000
SYSTEM = ("incident_opened", "grade_provisional", "grade_proposed", "alert_dead", "handover_written")
"""What the machine did that belongs into a log; its single clocks and deliveries do not."""
LATE = (ClockState.BREACHED.value, ClockState.MET_LATE.value)
View = dict[str, Any]
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A shift: from `since` on, up to but without `until`."""

    since: datetime
    until: datetime

    def has(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        return (column >= self.since) & (column < self.until)


# ── what happened ─────────────────────────────────────────────────────────────────────────────


def lines(conn: Connection, span: Span, names: Names, people: Sequence[str]) -> tuple[list[View], int]:
    """What people did and what of the machine's belongs here: ([{at, kind, kind_zh, text, by, incident_id, ref}],
    how many more there were), oldest first."""
    did = JOURNAL.c.actor.in_(list(people)) & JOURNAL.c.kind.not_in((NOTED, SIGNED))
    chosen = span.has(JOURNAL.c.at) & (did | JOURNAL.c.kind.in_(SYSTEM))
    query = select(JOURNAL).where(chosen).order_by(JOURNAL.c.at, JOURNAL.c.seq)
    rows = conn.execute(query.limit(MOST)).mappings().all()
    beyond = 0
    if len(rows) == MOST:
        beyond = conn.execute(select(func.count()).select_from(JOURNAL).where(chosen)).scalar_one() - MOST
    return [_line(dict(row), names) for row in rows], beyond


def _line(row: dict[str, Any], names: Names) -> View:
    incident = row["incident_id"]
    return {
        "at": iso(row["at"]),
        "kind": row["kind"],
        "kind_zh": KINDS.get(row["kind"], row["kind"]),
        "text": mask_personal(told(journal.as_entry(row), names)),
        "by": acting(row["actor"], names),
        "incident_id": incident,
        "ref": f"舆-{incident}" if incident else None,
    }


def counts(conn: Connection, span: Span) -> View:
    """{signals, media [[zh, n]], opened [{id, ref, title, grade}], closed [the same], late [{incident_id, ref, clock,
    due_at}], evidence, alerts, dead}: what came in the shift and how it stood. The lists are whole:
    their length is told as the number."""
    media = conn.execute(
        select(SIGNAL.c.medium, func.count()).where(span.has(SIGNAL.c.seen_at)).group_by(SIGNAL.c.medium)
    ).all()
    alerts = conn.execute(
        select(ALERT.c.state, func.count()).where(span.has(ALERT.c.raised_at)).group_by(ALERT.c.state)
    ).all()
    states = Counter({row[0]: row[1] for row in alerts})
    return {
        "signals": sum(row[1] for row in media),
        "media": sorted(([Medium(row[0]).zh, row[1]] for row in media), key=lambda pair: -pair[1]),
        "opened": _incidents(conn, span.has(INCIDENT.c.opened_at)),
        "closed": _incidents(conn, span.has(INCIDENT.c.closed_at) & INCIDENT.c.merged_into.is_(None)),
        "late": _late(conn, span),
        "evidence": conn.execute(
            select(func.count()).select_from(EVIDENCE).where(span.has(EVIDENCE.c.seen_at))
        ).scalar_one(),
        "alerts": states.total(),
        "dead": states[AlertState.DEAD.value],
    }


def _incidents(conn: Connection, which: ColumnElement[bool]) -> list[View]:
    rows = conn.execute(select(INCIDENT).where(which).order_by(INCIDENT.c.opened_at)).all()
    return [
        {
            "id": row.id,
            "ref": row.ref,
            "title": mask_personal(row.title),
            "grade": row.grade,
            "grade_zh": Grade(row.grade).zh,
        }
        for row in rows
    ]


def _late(conn: Connection, span: Span) -> list[View]:
    """Limits that ran out in the shift without their proof."""
    query = (
        select(CLOCK, INCIDENT.c.ref)
        .join(INCIDENT, INCIDENT.c.id == CLOCK.c.incident_id)
        .where(span.has(CLOCK.c.due_at), CLOCK.c.state.in_(LATE))
        .order_by(CLOCK.c.due_at)
    )
    return [
        {"incident_id": row.incident_id, "ref": row.ref, "clock": row.name, "due_at": iso(row.due_at)}
        for row in conn.execute(query)
    ]


# ── what people wrote ─────────────────────────────────────────────────────────────────────────


def written(conn: Connection, spans: Sequence[Span], names: Names) -> dict[datetime, View]:
    """shift's beginning → {notes [{at, by, text, after}], signed {by, at, words, head} | None}; `after`: written when
    the log had been signed."""
    kinds = JOURNAL.c.kind.in_((NOTED, SIGNED))
    starts = {iso(span.since): span.since for span in spans}
    first = min((span.since for span in spans), default=None)
    found: dict[datetime, View] = {span.since: {"notes": [], "signed": None} for span in spans}
    if first is None:
        return found
    query = select(JOURNAL).where(kinds, JOURNAL.c.at >= first).order_by(JOURNAL.c.seq)
    for row in conn.execute(query).mappings():
        entry = journal.as_entry(dict(row))
        if entry.payload["since"] in starts:
            _write_in(found[starts[entry.payload["since"]]], entry, row["at"], names)
    return found


def _write_in(shown: View, entry: Entry, at: datetime, names: Names) -> None:
    by = acting(entry.actor, names)
    if entry.kind == NOTED:
        text, after = mask_personal(entry.payload["text"]), shown["signed"] is not None
        shown["notes"].append({"at": iso(at), "by": by, "text": text, "after": after})
    elif shown["signed"] is None:
        head = {"seq": entry.payload["seq"], "hash": entry.payload["head"]}
        shown["signed"] = {"by": by, "at": iso(at), "words": entry.reason, "head": head}


def note(conn: Connection, at: datetime, span: Span, text: str, by: str) -> None:
    """A note on a shift, for good. Raises NotAllowed."""
    words = text.strip()
    if not words:
        raise NotAllowed("记事不能为空；写下要留给后人知道的")
    if len(words) > LONGEST_NOTE:
        raise NotAllowed(f"记事有 {len(words)} 字，最多 {LONGEST_NOTE} 字；请分成几条写")
    if at < span.since:
        raise NotAllowed("这一班还没有开始；请写到当前的一班")
    payload = {"since": iso(span.since), "until": iso(span.until), "text": words}
    append(conn, at, NOTED, payload, by, words)


def sign(conn: Connection, at: datetime, span: Span, by: str, name: str, words: str) -> None:
    """签字: the log as the journal stood at its head. Whether this person may is decided before (`core.dutylog`)."""
    seq, head = journal.length(conn)
    payload = {"since": iso(span.since), "until": iso(span.until), "name": name, "seq": seq, "head": head}
    append(conn, at, SIGNED, payload, by, words)


def append(conn: Connection, at: datetime, kind: str, payload: View, by: str, reason: str) -> None:
    journal.append(conn, at, [Entry(kind, payload, by, reason)])
