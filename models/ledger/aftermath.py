"""What an incident leaves behind: its journal as a chain, what was late and why, lessons, improvements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core.aftermath import REVIEW_KEY, REVIEW_WITHIN, Late, Told, late
from models.core.assignments import Want
from models.core.casework import Cause, ProductKind, TaskState
from models.core.moment import clock_face, iso
from models.core.vocabulary import ClockState, Grade, Stage
from models.ledger import incidents, journal, tasks
from models.ledger.clocks import CLOCK
from models.ledger.entry import Entry
from models.ledger.incidents import EVIDENCE, INCIDENT, NotAllowed
from models.ledger.journal import JOURNAL, append
from models.ledger.notices import ALERT
from models.ledger.tasks import TASK
from models.records import Product

PRODUCT: Table = Product.__table__  # type: ignore[attr-defined]
AFTERMATH = "复盘"
"""What stands as the source of a task that looking back has set."""
REVIEW = "复盘：时限、原因、教训"
_REVIEWS = (TASK.c.key == REVIEW_KEY) | TASK.c.key.contains(f":after:{AFTERMATH}", autoescape=True)
"""Ours, or the one that a playbook asks for after closing; never what people called so."""
IMPROVES = ("2022年大理州政务公开工作要点 五(四) S-130",)


def told(conn: Connection, incident_id: str) -> list[Told]:
    """The incident's entries, oldest first, as the chain reads them."""
    query = select(JOURNAL).where(JOURNAL.c.incident_id == incident_id).order_by(JOURNAL.c.seq)
    rows = [dict(row) for row in conn.execute(query).mappings()]
    return [Told(r["seq"], r["at"], r["kind"], r["actor"], journal.as_entry(r).payload) for r in rows]


def late_clocks(conn: Connection, incident_id: str, now: datetime) -> list[Late]:
    """Every clock of the incident that was not in time, by its proof's own time."""
    query = (
        select(CLOCK, EVIDENCE.c.published_at)
        .outerjoin(EVIDENCE, EVIDENCE.c.id == CLOCK.c.evidence_id)
        .where(CLOCK.c.incident_id == incident_id)
        .order_by(CLOCK.c.due_at)
    )
    found = (_late(row, now) for row in conn.execute(query))
    return [one for one in found if one is not None]


def _late(row: Row[Any], now: datetime) -> Late | None:
    ended = row.published_at or row.ended_at
    return late(row.id, row.rule_id, row.name, ClockState(row.state), row.due_at, ended, now)


def told_of(conn: Connection, incident_id: str) -> dict[str, list[Row[Any]]]:
    """clock → the alerts it raised, oldest first: who was told, and what became of it."""
    found: dict[str, list[Row[Any]]] = {}
    query = select(ALERT).where(ALERT.c.incident_id == incident_id).order_by(ALERT.c.raised_at, ALERT.c.rung)
    for row in conn.execute(query):
        found.setdefault(row.clock_id, []).append(row)
    return found


def products(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Lessons, causes and look-backs, oldest first."""
    kinds = (ProductKind.LESSONS.value, ProductKind.LOOK_BACK.value)
    query = select(PRODUCT).where(PRODUCT.c.incident_id == incident_id, PRODUCT.c.kind.in_(kinds))
    return conn.execute(query.order_by(PRODUCT.c.at, PRODUCT.c.id)).all()


def causes(rows: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
    """clock → the newest word on why it was late."""
    return {row.data["clock"]: row for row in rows if (row.data or {}).get("clock")}


# ── acts ──────────────────────────────────────────────────────────────────────────────────────


def name_cause(
    conn: Connection, at: datetime, incident_id: str, rule_id: str, cause: Cause, words: str, by: str
) -> None:
    """逾期原因: a person says why a clock was late. Raises NotAllowed for one that was not."""
    over = [one for one in late_clocks(conn, incident_id, at) if rule_id in (one.clock, one.rule_id)]
    if not over:
        raise NotAllowed(f"时钟 {rule_id} 没有逾期，不需要写原因；逾期的时钟见复盘页")
    if not words.strip():
        raise NotAllowed("逾期原因要用一句话写明；例如 三个部门各自核实，数字对不上")
    row = _product(incident_id, ProductKind.LESSONS, words, at, by)
    row["data"] = {"clock": over[-1].clock, "cause": cause.value}
    payload = {"clock": over[-1].name, "cause": cause.value, "insert": {"product": [row]}}
    append(conn, at, [Entry("cause_named", payload, by, words.strip(), incident_id)])


def learn(conn: Connection, at: datetime, incident_id: str, text: str, by: str) -> None:
    """复盘教训. The review that waited for it is done with it."""
    if not text.strip():
        raise NotAllowed("复盘内容不能为空；写明做得怎样、为什么、今后怎么改")
    row = _product(incident_id, ProductKind.LESSONS, text, at, by)
    payload: dict[str, Any] = {"product": ProductKind.LESSONS.value, "insert": {"product": [row]}}
    waiting = _open_review(conn, incident_id)
    if waiting is not None:
        payload["update"] = {"task": [tasks.ending(waiting.id, TaskState.DONE, at, by, "已写复盘")]}
    append(conn, at, [Entry("lessons_written", payload, by, text.strip(), incident_id)])


def look_back(conn: Connection, at: datetime, incident_id: str, text: str, by: str) -> None:
    """回头看: have the lessons been followed? Of a closed incident alone (S-129)."""
    row = incidents.get(conn, incident_id)
    if row.closed_at is None:
        raise NotAllowed(f"{row.ref} 还没有办结，不能回头看；办结以后再看整改是否落实（S-129）")
    if not text.strip():
        raise NotAllowed("回头看的内容不能为空；写明整改是否落实、还差什么（S-129）")
    made = _product(row.id, ProductKind.LOOK_BACK, text, at, by)
    payload = {"product": ProductKind.LOOK_BACK.value, "insert": {"product": [made]}}
    append(conn, at, [Entry("looked_back", payload, by, text.strip(), row.id)])


def improve(
    conn: Connection,
    at: datetime,
    incident_id: str,
    name: str,
    unit: str,
    due_at: datetime,
    by: str,
    reason: str,
) -> str:
    """整改任务 with its owner and its date; its id. Overdue it comes before 督办 like any task."""
    if not name.strip() or not unit.strip():
        raise NotAllowed("整改任务要写做什么(name)和由谁负责(unit)（S-130）")
    if due_at <= at:
        raise NotAllowed(f"整改期限 {clock_face(due_at)} 已经过去；写一个以后的日期")
    want = Want(f"improve:{uuid4().hex[:8]}", name.strip(), AFTERMATH, IMPROVES, unit)
    return tasks.set_(conn, at, incident_id, want, due_at, by, reason)


def _open_review(conn: Connection, incident_id: str) -> Row[Any] | None:
    query = select(TASK).where(
        TASK.c.incident_id == incident_id, _REVIEWS, TASK.c.state == TaskState.OPEN.value
    )
    return conn.execute(query).first()


def unreviewed(conn: Connection, now: datetime, within: timedelta) -> Sequence[Row[Any]]:
    """Incidents closed of late that have no review set and none written. Merged ones are others' story."""
    reviewed = select(TASK.c.incident_id).where(_REVIEWS, TASK.c.incident_id.is_not(None))
    query = select(INCIDENT).where(
        INCIDENT.c.stage == Stage.CLOSED.value,
        INCIDENT.c.closed_at > now - within,
        INCIDENT.c.merged_into.is_(None),
        INCIDENT.c.id.not_in(reviewed),
    )
    rows = conn.execute(query.order_by(INCIDENT.c.closed_at)).all()
    return [row for row in rows if not _written(conn, row.id)]


def _written(conn: Connection, incident_id: str) -> bool:
    """Has somebody looked back in words? That one clock has its cause is no review."""
    rows = products(conn, incident_id)
    return any(row.kind == ProductKind.LESSONS.value and not (row.data or {}).get("clock") for row in rows)


def set_reviews(conn: Connection, now: datetime, within: timedelta, which: str) -> int:
    """A review due 7 days after the closing, for those incidents that are worth one; how many were set.

    `which`: late (a clock was late), grave (or the grade is III or graver), all.
    """
    made = [row for row in unreviewed(conn, now, within) if _worth_it(conn, row, which, now)]
    for row in made:
        want = Want(REVIEW_KEY, REVIEW, AFTERMATH, owner=row.owner or "")
        due_at = row.closed_at + REVIEW_WITHIN
        tasks.set_(conn, now, row.id, want, due_at, "huiying", "办结后 7 日内复盘（建议值）")
    return len(made)


def _worth_it(conn: Connection, row: Row[Any], which: str, now: datetime) -> bool:
    grave = which == "all" or (which == "grave" and Grade(row.grade) >= Grade.III)
    return grave or bool(late_clocks(conn, row.id, now))


def _product(incident_id: str, kind: ProductKind, text: str, at: datetime, by: str) -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "incident_id": incident_id,
        "kind": kind.value,
        "text": text.strip(),
        "data": {},
        "at": iso(at),
        "by": by,
    }
