"""An incident's clocks brought in line with its situation, its times and the evidence in hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from models.core.clock import met
from models.core.moment import clock_face, iso
from models.core.situation import Situation
from models.core.vocabulary import EvidenceKind, StartEvent
from models.ledger import books, clocks, incidents, levels_rows
from models.ledger.clocks import BoundRule
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Clock, Evidence

CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
RulesFor = Callable[[Situation], Sequence[BoundRule]]
"""The playbooks' answer: which clocks a situation calls for."""


def waiting_for(
    conn: Connection, incident_id: str, kind: EvidenceKind, rule_id: str | None, published_at: datetime
) -> list[Row[Any]]:
    return [
        clock
        for clock in clocks.live_clocks(conn, incident_id)
        if _answers(kind, published_at, clock) and rule_id in (None, clock.rule_id)
    ]


def stopped_by(
    conn: Connection, incident_id: str, kind: EvidenceKind, published_at: datetime
) -> list[Row[Any]]:
    """The clocks that such a proof would stop."""
    return waiting_for(conn, incident_id, kind, None, published_at)


def _answers(kind: str, published_at: datetime, clock: Row[Any]) -> bool:
    """Does such a proof stop this clock? What a round of 持续发布, or a link of a chain, began with does not
    end it."""
    ends_a_round = StartEvent(clock.start_event).stated or published_at > clock.started_at
    return kind in clock.evidence and ends_a_round


def begins_another(
    conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor, ended: Sequence[str]
) -> bool:
    """Does a clock of this incident start when one of those that just ended is stopped?"""
    if not ended:
        return False
    times = incidents.known_times(conn, row.id)
    held = books.rules_of(conn, row.id, rules_for)
    return any(each.rule.after in ended for each in held(incidents.situation(row, times, at)))


def replan(conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor, why: str) -> None:
    """Bring the incident's clocks in line with its situation and times as they stand now. What is closed
    or merged has none to be planned, whoever asks: nobody could stop them."""
    fresh = incidents.get(conn, row.id)
    if fresh.closed_at is not None:
        return
    existing = conn.execute(
        select(CLOCK).where(CLOCK.c.incident_id == row.id, CLOCK.c.subject.is_(None))
    ).all()
    times = incidents.known_times(conn, row.id)
    bound = levels_rows.kept_here(
        conn, row.id, books.rules_of(conn, row.id, rules_for)(incidents.situation(fresh, times, at))
    )
    before = clocks.missing(conn, row.id)
    ended = clocks.ends(conn, row.id)
    frozen = books.freezing(conn, at, row.id, bound, rules_for)
    append(conn, at, [*frozen, *clocks.replan(existing, bound, times, row.id, at, why, before, ended)])
    used = _use_earlier_evidence(conn, at, row.id)
    if any(each.rule.after in used for each in bound):
        replan(conn, at, row, rules_for, why)  # the next link of the chain; chains have no cycles


def _use_earlier_evidence(conn: Connection, at: datetime, incident_id: str) -> list[str]:
    """A clock that is planned now ends at once on evidence in hand: what was published stays published
    when a grade is raised, a time corrected, an incident merged. What stood before a reopening does not.
    Returns the rule ids of the clocks that ended."""
    since = incidents.reopened_at(conn, incident_id)
    query = (
        select(EVIDENCE)
        .where(EVIDENCE.c.incident_id == incident_id, EVIDENCE.c.standing.is_(None))
        .order_by(EVIDENCE.c.published_at)
    )
    proofs = [proof for proof in conn.execute(query) if since is None or proof.seen_at > since]
    ended = []
    for clock in clocks.live_clocks(conn, incident_id):
        fits = (
            p
            for p in proofs
            if p.published_at >= clock.started_at and _answers(p.kind, p.published_at, clock)
        )
        proof = next(fits, None) if iso(clock.created_at) == iso(at) else None
        if proof is not None:
            why = (
                f"已有凭据: {EvidenceKind(proof.kind).zh} {clock_face(proof.published_at)} {proof.publisher}"
            )
            ended.append(clocks.ending(clock.id, met(clock.due_at, proof.published_at), at, why, proof.id))
    if ended:
        payload = {"clocks": [change["id"].split(":")[1] for change in ended], "update": {"clock": ended}}
        append(conn, at, [Entry("earlier_evidence_used", payload, "huiying", "凭据此前已登记", incident_id)])
    return [change["id"].split(":")[1] for change in ended]


def plan_refused(conn: Connection, at: datetime, rules_for: RulesFor) -> int:
    """Try again every clock that was refused for want of a calendar; how many are planned now."""
    before = clocks.refused(conn)
    for incident_id in {one.incident_id for one in before}:
        replan(conn, at, incidents.get(conn, incident_id), rules_for, "工作日历已补，重新设钟")
    return len(before) - len(clocks.refused(conn))


def out_of_step(conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor) -> bool:
    """Does the heat of an open incident now ask for other clocks than it has? Reads only."""
    times = incidents.known_times(conn, row.id)
    existing = conn.execute(
        select(CLOCK).where(CLOCK.c.incident_id == row.id, CLOCK.c.subject.is_(None))
    ).all()
    ended = clocks.ends(conn, row.id)
    bound = levels_rows.kept_here(
        conn, row.id, books.rules_of(conn, row.id, rules_for)(incidents.situation(row, times, at))
    )
    return clocks.out_of_step(existing, bound, times, ended)


def keep_pace(conn: Connection, at: datetime, incident_id: str, rules_for: RulesFor) -> None:
    """Plan an incident anew that is out of step, and say what its heat is."""
    row = incidents.get(conn, incident_id)
    now = incidents.situation(row, {}, at)
    heat = f"线索 {now.signals} 条，距上一条 {now.quiet_hours} 小时"
    replan(conn, at, row, rules_for, f"{heat}，时钟随之调整")
