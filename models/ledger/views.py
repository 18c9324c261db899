"""What people are shown, as JSON-ready dicts in the shapes of docs/outside.md.

Read only; `now` is an argument, so that a view can be drawn for any moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.clock import state as clock_state
from models.core.facts import ZH as FACT_ZH
from models.core.grade import PART_ZH
from models.core.moment import iso, local
from models.core.personal import headline, mask_said
from models.core.plans import MARK as PLAN
from models.core.topics import TOPIC
from models.core.vocabulary import (
    OPEN_STATES,
    AlertKind,
    AlertState,
    ClockState,
    Domain,
    EventType,
    EvidenceKind,
    Grade,
    Medium,
    OpinionKind,
    PageState,
    ProposalState,
    Stage,
    StartEvent,
)
from models.ledger import captures, incidents, journal, proposals, retired, snoozing
from models.ledger.words import KINDS, acting, told
from models.records import Alert, Clock, Evidence, Incident, Judgement, Signal, Step

INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
STEP: Table = Step.__table__  # type: ignore[attr-defined]
ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
SIGNAL: Table = Signal.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
OPEN = tuple(state.value for state in OPEN_STATES)
SENTIMENT_ZH = {"neg": "负面", "neu": "中性", "pos": "正面"}
Names = dict[str, str]


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def board(conn: Connection, now: datetime, names: Names) -> list[dict[str, Any]]:
    """Every open incident with all its clocks, the most pressing first."""
    rows = conn.execute(select(INCIDENT).where(INCIDENT.c.closed_at.is_(None))).all()
    made = list(_incidents(conn, rows, now, names))
    return sorted(made, key=_pressing)


def drawn(conn: Connection, query: Any, now: datetime, names: Names) -> list[dict[str, Any]]:
    """The incidents that a query over their table asks for, in its order, in the shape of the board."""
    return list(_incidents(conn, conn.execute(query).all(), now, names))


def _pressing(incident: dict[str, Any]) -> tuple[float, int, str]:
    left = [c["left_s"] for c in incident["clocks"] if c["state"] in OPEN]
    return (min(left, default=float("inf")), -Grade(incident["grade"]).rank, incident["id"])


def _incidents(
    conn: Connection, rows: Sequence[Row[Any]], now: datetime, names: Names
) -> Iterable[dict[str, Any]]:
    ids = [row.id for row in rows]
    by_clock = _group(_chunked(conn, select(CLOCK).order_by(CLOCK.c.due_at), CLOCK.c.incident_id, ids))
    by_steps = _group(_chunked(conn, select(STEP), STEP.c.incident_id, ids), "clock_id")
    urls = {row.id: row.url for row in _chunked(conn, select(EVIDENCE), EVIDENCE.c.incident_id, ids)}
    acked = incidents.acks(conn, ids) if len(ids) <= 900 else incidents.newest_acks(conn)
    asleep = snoozing.standing(conn, ids if len(ids) <= 900 else None, now)
    waiting = proposals.waiting(conn)
    for row in rows:
        shown = [
            _clock(clock, by_steps.get(clock.id, []), now, urls)
            for clock in by_clock.get(row.id, [])
            if clock.state != ClockState.SUPERSEDED.value
        ]
        snoozed = [
            {"person": p, "name": names.get(p, p), "until": iso(wish.until)}
            for p, wish in asleep.get(row.id, {}).items()
        ]
        yield _incident(row, shown, acked.get(row.id, {}), names) | {
            "snoozed": snoozed,
            "proposals_waiting": waiting.get(row.id, 0),
        }


def _chunked(conn: Connection, query: Any, column: Any, ids: Sequence[str]) -> Iterable[Row[Any]]:
    """`WHERE column IN ids` in slices that every database takes."""
    for start in range(0, len(ids), 900):
        yield from conn.execute(query.where(column.in_(ids[start : start + 900])))


def _group(rows: Iterable[Row[Any]], key: str = "incident_id") -> dict[str, list[Row[Any]]]:
    groups: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return groups


def _incident(
    row: Row[Any], shown: list[dict[str, Any]], acked: dict[str, datetime], names: Names
) -> dict[str, Any]:
    grade = Grade(row.grade)
    people = [{"person": p, "name": names.get(p, p), "at": iso(at)} for p, at in acked.items()]
    return {
        "id": row.id,
        "ref": row.ref,
        "title": row.title,
        "place": row.place,
        "grade": grade.value,
        "grade_zh": grade.zh,
        "colour": grade.colour,
        "provisional": row.provisional,
        "stage": row.stage,
        "stage_zh": Stage(row.stage).zh,
        "kind": row.kind,
        "kind_zh": OpinionKind(row.kind).zh if row.kind else None,
        "domain": row.domain,
        "domain_zh": Domain(row.domain).zh if row.domain else None,
        "event_type_zh": EventType(row.event_type).zh if row.event_type else None,
        "opened_at": iso(row.opened_at),
        "closed_at": _iso(row.closed_at),
        "merged_into": row.merged_into,
        "owner": row.owner,
        "reason": row.reason,
        "signal_count": row.signal_count,
        "acked": people,
        "holder": names.get(row.holder, row.holder) if row.holder else people[-1]["name"] if people else None,
        "taken_by": row.holder,
        "clocks": shown,
    }


def _clock(row: Row[Any], raised: list[Row[Any]], now: datetime, urls: Names) -> dict[str, Any]:
    by_key = {step.key: step for step in raised}
    ended = row.ended_at is not None
    warned = row.state == ClockState.AT_RISK.value
    still = ended or row.state == ClockState.ARMED.value
    state = ClockState(row.state) if still else clock_state(row.started_at, row.due_at, now, warned)
    return {
        "id": row.rule_id,
        "key": row.id,
        "name": row.name,
        "state": state.value,
        "state_zh": state.zh,
        "start_event": row.start_event,
        "start_event_zh": StartEvent(row.start_event).zh,
        "started_at": iso(row.started_at),
        "due_at": iso(row.due_at),
        "left_s": round((row.due_at - (row.ended_at if ended else now)).total_seconds(), 3),
        "fraction": _fraction(row, row.ended_at if ended else now),
        "basis": row.basis,
        "evidence": row.evidence,
        "evidence_zh": [EvidenceKind(kind).zh for kind in row.evidence],
        "reason": row.reason,
        "next_step": _next_step(row),
        "steps": [_step(s["key"], s["due_at"], s["rung"], by_key.pop(s["key"], None)) for s in row.steps]
        + [_step(s.key, iso(s.due_at), s.rung, s) for s in sorted(by_key.values(), key=lambda s: s.due_at)],
        "ended_at": _iso(row.ended_at),
        "met_at": _iso(row.ended_at) if state in (ClockState.MET, ClockState.MET_LATE) else None,
        "ended_reason": row.ended_reason,
        "evidence_url": urls.get(row.evidence_id) if row.evidence_id else None,
    }


def _fraction(row: Row[Any], at: datetime) -> float:
    whole = (row.due_at - row.started_at).total_seconds()
    return round(min(1.0, max(0.0, (at - row.started_at).total_seconds() / whole)), 4) if whole > 0 else 1.0


def _next_step(row: Row[Any]) -> dict[str, Any] | None:
    if row.next_step_at is None:
        return None
    rung = next((s["rung"] for s in row.steps if s["key"] == row.next_key), row.repeat_rung)
    return {"key": row.next_key, "due_at": iso(row.next_step_at), "rung": rung}


def _step(key: str, due_at: str, rung: int, raised: Row[Any] | None) -> dict[str, Any]:
    return {
        "key": key,
        "due_at": due_at,
        "rung": rung,
        "raised_at": iso(raised.raised_at) if raised else None,
        "late_by_s": raised.late_ms / 1000 if raised else None,
        "skipped": bool(raised and raised.skipped),
    }


def counts(made: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many incidents are open and how many clocks are in each state."""
    states = [c["state"] for incident in made for c in incident["clocks"]]
    return {
        "open": len(made),
        "unacked": sum(not incident["acked"] for incident in made),
        **{
            name: states.count(name)
            for name in ("armed", "running", "at_risk", "breached", "met", "met_late", "waived")
        },
    }


def recent_alerts(conn: Connection, limit: int, incident_id: str | None = None) -> list[dict[str, Any]]:
    query = (
        select(ALERT, INCIDENT.c.title.label("incident_title"), CLOCK.c.name.label("clock"))
        .join(INCIDENT, INCIDENT.c.id == ALERT.c.incident_id, isouter=True)
        .join(CLOCK, CLOCK.c.id == ALERT.c.clock_id, isouter=True)
        .order_by(ALERT.c.raised_at.desc(), ALERT.c.rung)
        .limit(limit)
    )
    if incident_id:
        query = query.where(ALERT.c.incident_id == incident_id)
    return [_alert(row) for row in conn.execute(query)]


def _alert(row: Row[Any]) -> dict[str, Any]:
    contact = row.contacts[min(row.contact, len(row.contacts) - 1)] if row.contacts else ["—", ""]
    return {
        "id": row.id,
        "at": iso(row.raised_at),
        "person": row.person_id,
        "name": row.person_name,
        "channel": contact[0],
        "ref": row.ref,
        "incident_id": row.incident_id,
        "kind": row.kind or AlertKind.STEP.value,
        "title": row.title or row.incident_title,
        "step": f"{row.clock} {row.step_key}" if row.clock else row.step_key,
        "rung": row.rung,
        "state": row.state,
        "state_zh": _held(row) or AlertState(row.state).zh,
        "reason": row.reason,
        "attempts": row.attempts,
        "accepted_at": _iso(row.accepted_at),
        "delivered_at": _iso(row.delivered_at),
        "read_at": _iso(row.read_at),
        "error": row.last_error,
    }


def _held(row: Row[Any]) -> str | None:
    """In words, of a low notice that waits for the end of its person's quiet hours."""
    waits = row.state == AlertState.QUEUED.value and row.not_before is not None and not row.attempts
    return f"静默时段，{row.not_before:%H:%M} 发" if waits else None


def recent_signals(conn: Connection, now: datetime, limit: int) -> dict[str, Any]:
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = conn.execute(select(func.count()).where(SIGNAL.c.seen_at >= midnight)).scalar_one()
    waiting = conn.execute(select(func.count()).where(SIGNAL.c.triaged_at.is_(None))).scalar_one()
    return {"total": _numbered(conn), "today": today, "waiting": waiting, "last": newest_signals(conn, limit)}


def _numbered(conn: Connection) -> int:
    """How many ever came, whether they still lie here or not: they are numbered as they come, and nobody counts
    millions of rows each second. A batch that was broken off leaves a gap."""
    newest = select(SIGNAL.c.id).order_by(SIGNAL.c.id.desc()).limit(1)
    return conn.execute(newest).scalar() or 0


def newest_signals(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """The last that came in, newest first."""
    if not limit:
        return []
    rows = conn.execute(
        select(
            SIGNAL.c.title,
            SIGNAL.c.body,
            SIGNAL.c.author,
            SIGNAL.c.medium,
            SIGNAL.c.source_id,
            SIGNAL.c.seen_at,
            JUDGEMENT,
        )
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id, isouter=True)
        .order_by(SIGNAL.c.id.desc())
        .limit(limit)
    )
    return [_arrival(row) for row in rows]


def _arrival(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": iso(row.seen_at),
        "title": headline(row.title, row.body, row.medium, row.author, 60),
        "medium_zh": Medium(row.medium).zh,
        "source": row.source_id,
        "sentiment": row.sentiment,
        "sentiment_zh": SENTIMENT_ZH.get(row.sentiment, "待研判"),
        "incident_id": row.incident_id,
        "incident_ref": f"舆-{row.incident_id}" if row.incident_id else None,
        "flagged": bool(row.flagged),
    }


def incident(conn: Connection, incident_id: str, now: datetime, names: Names) -> dict[str, Any]:
    """One incident whole: grade with reasons, times, timeline, signals, evidence, alerts."""
    made = face(conn, incident_id, now, names)
    lines = {"timeline": _timeline(conn, made["id"], names), "signals_list": _signals(conn, made["id"])}
    return made | lines | {"archived": retired.of(conn, incidents.get(conn, made["id"]))}


def face(conn: Connection, incident_id: str, now: datetime, names: Names) -> dict[str, Any]:
    """The same without timeline and signals, of which there may be thousands: its page asks for them in slices."""
    row = incidents.get(conn, incident_id)
    (made,) = _incidents(conn, [row], now, names)
    return made | {
        "grade_parts": [part | {"part": PART_ZH.get(part["part"], "人工")} for part in row.grade_parts],
        "facts": [{"name": FACT_ZH.get(name, name), **fact} for name, fact in (row.facts or {}).items()],
        "times": _times(conn, row.id, names),
        "evidence": _evidence(conn, row.id, names),
        "proposals": _proposals(conn, row.id, names),
        "alerts": recent_alerts(conn, 60, row.id),
    }


def _times(conn: Connection, incident_id: str, names: Names) -> list[dict[str, Any]]:
    rows = conn.execute(
        select(incidents.TIME)
        .where(incidents.TIME.c.incident_id == incident_id)
        .order_by(*(incidents.TIME.c[name] for name in ("recorded_at", "value", "event", "id")))
    )
    return [
        {
            "event": row.event,
            "event_zh": StartEvent(row.event).zh,
            "value": iso(row.value),
            "by": names.get(row.author, row.author),
            "reason": row.reason,
            "recorded_at": iso(row.recorded_at),
        }
        for row in rows
    ]


def _timeline(conn: Connection, incident_id: str, names: Names) -> list[dict[str, Any]]:
    """What was decided and done; single deliveries stand in `alerts`, failures in both."""
    table = journal.JOURNAL
    rows = conn.execute(
        select(table)
        .where(table.c.incident_id == incident_id, table.c.kind.not_in(("alert_accepted", "alert_withdrawn")))
        .order_by(table.c.seq)
    ).mappings()
    return [_told(dict(row), names) for row in rows]


def _told(row: dict[str, Any], names: Names) -> dict[str, Any]:
    return {
        "seq": row["seq"],
        "at": iso(row["at"]),
        "kind": row["kind"],
        "kind_zh": KINDS.get(row["kind"], row["kind"]),
        "text": told(journal.as_entry(row), names),
        "actor": acting(row["actor"], names),
        "reason": row["reason"],
        "incident_id": row["incident_id"],
        "hash": row["hash"],
    }


def _signals(conn: Connection, incident_id: str, limit: int = 200) -> list[dict[str, Any]]:
    rows = conn.execute(
        select(
            SIGNAL,
            JUDGEMENT.c.sentiment,
            JUDGEMENT.c.topic,
            JUDGEMENT.c.link_score,
            JUDGEMENT.c.link_reason,
            JUDGEMENT.c.copy_of,
            JUDGEMENT.c.reasons,
        )
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.incident_id == incident_id)
        .order_by(SIGNAL.c.id.desc())
        .limit(limit)
    )
    return [
        {
            "id": row.id,
            "at": iso(row.published_at or row.seen_at),
            "title": mask_said(row.title, row.medium, row.author),
            "body": mask_said(row.body, row.medium, row.author),
            "url": row.url,
            "source": row.source_id,
            "medium_zh": Medium(row.medium).zh,
            "sentiment": row.sentiment,
            "sentiment_zh": SENTIMENT_ZH.get(row.sentiment),
            "link_score": row.link_score,
            "link_reason": f"与线索 {row.copy_of} 文字相同(转载)" if row.copy_of else row.link_reason,
            "copy_of": row.copy_of,
            "plans": [reason for reason in row.reasons if reason.startswith(PLAN)],
            "topic": row.topic,
            "filed": next((reason for reason in row.reasons if reason.startswith(TOPIC)), None),
        }
        for row in rows
    ]


def _evidence(conn: Connection, incident_id: str, names: Names) -> list[dict[str, Any]]:
    rows = conn.execute(
        select(EVIDENCE).where(EVIDENCE.c.incident_id == incident_id).order_by(EVIDENCE.c.seen_at)
    ).all()
    ids = [row.id for row in rows]
    pages, looking = captures.of_evidence(conn, ids), captures.looking(conn, ids)
    kept = captures.files(conn, [row.sha256 for row in rows])
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "kind_zh": EvidenceKind(row.kind).zh,
            "url": row.url,
            "publisher": row.publisher,
            "published_at": iso(row.published_at),
            "seen_at": iso(row.seen_at),
            "sha256": row.sha256,
            "by": names.get(row.by, row.by),
            "reason": row.reason,
            "standing": row.standing,
            "pages": [_capture(page) for page in pages.get(row.id, ())],
            "looked": _looked(looking.get(row.id)),
            "file": _file(kept.get(row.sha256)),
        }
        for row in rows
    ]


def _file(kept: tuple[str, int] | None) -> dict[str, Any] | None:
    """What was handed in with the proof, or read of its page, if its bytes are kept."""
    return {"media_type": kept[0], "bytes": kept[1]} if kept else None


def _capture(row: Row[Any]) -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "outcome": row.outcome,
        "outcome_zh": PageState(row.outcome).zh,
        "status": row.status,
        "page_sha256": row.page_sha256,
        "text_sha256": row.text_sha256,
        "warc_sha256": row.warc_sha256,
        "note": row.note,
    }


def _looked(row: Row[Any] | None) -> dict[str, Any] | None:
    """When the page was looked at last and what was seen; None while it is not looked at."""
    if row is None or row.last_at is None:
        return None
    return {"at": iso(row.last_at), "text": row.last_word, "next_at": _iso(row.due_at)}


def _proposals(conn: Connection, incident_id: str, names: Names) -> list[dict[str, Any]]:
    return [proposal(row, names) for row in proposals.of_incident(conn, incident_id)]


def proposal(row: Row[Any], names: Names) -> dict[str, Any]:
    """One proposal, with what became of it."""
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "kind": row.kind,
        "kind_zh": EvidenceKind(row.kind).zh,
        "url": row.url,
        "title": row.title,
        "publisher": row.publisher,
        "account": row.account,
        "published_at": iso(row.published_at),
        "seen_at": iso(row.seen_at),
        "sha256": row.sha256,
        "score": row.score,
        "sure": row.sure,
        "reasons": row.reasons,
        "state": row.state,
        "state_zh": ProposalState(row.state).zh,
        "decided_at": _iso(row.decided_at),
        "decided_by": names.get(row.decided_by, row.decided_by) if row.decided_by else None,
        "decision": row.decision,
    }


def revision(conn: Connection) -> int:
    """A number that changes with every journal entry: what is shown may have changed."""
    return journal.length(conn)[0]
