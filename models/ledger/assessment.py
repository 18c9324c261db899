"""What the journal alone has to say for an assessment: clocks by unit, entries with limits, points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from models.core.assessment import NOBODY, Finding, Judged, Kept, Points, Trigger
from models.core.casework import Register
from models.core.moment import iso
from models.core.personal import mask_personal
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent
from models.ledger import limits
from models.ledger.replayed import Memory, Replayed, Row

TABLES = {
    "incident": frozenset({"opened_at", "merged_into"}),
    "clock": frozenset(
        ("incident_id", "rule_id", "subject", "name", "state", "start_event", "started_at", "due_at")
        + ("ended_at", "evidence", "evidence_id", "statutory")
    ),
    "evidence": frozenset({"published_at", "standing"}),
    "registerentry": frozenset(
        ("kind", "title", "unit", "happened_at", "due_at", "done_at", "cancelled_at", "result", "incident_id")
        + ("details",)
    ),
}
"""What is read of the journal, and nothing else."""
ROUNDS = frozenset({StartEvent.LAST_UPDATE.value, StartEvent.AFTER.value})
"""Limits that come round again: each round is a case of its own."""
_SETTLED = frozenset({ClockState.MET, ClockState.MET_LATE, ClockState.WAIVED})
_SIGNED = [EvidenceKind.ACKNOWLEDGEMENT.value]
"""A clock that asks for nothing else is the duty team's own affair, not the unit's."""

Names = Callable[[str], str]
"""A unit as it is written → as it is called."""


@dataclass(frozen=True, slots=True)
class Span:
    """[since, until) as it stands at `now`: nothing later than now is judged."""

    since: datetime
    until: datetime
    now: datetime

    @property
    def end(self) -> datetime:
        return min(self.until, self.now)

    def holds(self, moment: datetime | None) -> bool:
        return moment is not None and self.since <= moment < self.until and moment <= self.now


_MEMORY = Memory(TABLES)


def read(conn: Connection) -> Replayed:
    """The journal replayed in memory, read on from where it was read to. Raises Broken."""
    return _MEMORY.read(conn)


def clocks(told: Replayed, span: Span, unit: Names) -> Iterator[Judged]:
    """Every case whose limit fell into the span, with the unit that led the incident then."""
    for ref, home, row in _cases(told):
        state = _state(told, row)
        if state is not None and span.holds(row["due_at"]):
            yield _judged(told, ref, home, row, state, unit)


def _cases(told: Replayed) -> Iterator[tuple[str, str, Row]]:
    """(ref, incident, clock): an incident with all that was merged into it has one case of each rule, by its newest
    plan; a corrected time makes no second one. Rounds, and limits of the work itself, are each their own."""
    homes = _homes(told)
    found: dict[str, tuple[tuple[bool, bool, int], Row]] = {}
    newest: dict[str, int] = {}
    for n, row in enumerate(told.rows("clock")):
        home = homes.get(row["incident_id"], row["incident_id"])
        stands = row["state"] != ClockState.SUPERSEDED.value
        place = (stands, row["incident_id"] == home, n)
        ref = case_ref(home, row)
        if ref not in found or place > found[ref][0]:
            found[ref] = (place, row)
        if stands:
            newest[f"{home}:{row['rule_id']}"] = n
    for ref, (place, row) in found.items():
        home = homes.get(row["incident_id"], row["incident_id"])
        if place[0] or newest.get(f"{home}:{row['rule_id']}", -1) < place[2]:
            yield ref, home, row


def case_ref(home: str, row: Mapping[str, Any]) -> str:
    """What the case of a clock is called, whichever plan of it runs: "INCIDENT:RULE", with a round's start."""
    if row.get("subject"):
        return f"clock:{row['id']}"
    again = f":{iso(row['started_at'])}" if row["start_event"] in ROUNDS else ""
    return f"{home}:{row['rule_id']}{again}"


def _homes(told: Replayed) -> Mapping[str, str]:
    """Every incident → the one that it belongs to after all mergers."""
    into = {row["id"]: row["merged_into"] for row in told.rows("incident") if row.get("merged_into")}
    homes = {}
    for incident in into:
        home = incident
        while home in into:
            home = into[home]
        homes[incident] = home
    return homes


def _state(told: Replayed, row: Row) -> ClockState | None:
    """How it ended, as the journal knows now; None for what waits unarmed, or was replaced in time.

    What was waived behind its limit was missed by then, and what was overdue when its rule ceased to ask for
    it stays so: neither a waiver nor a lower grade undoes a lateness.
    """
    state = ClockState(row["state"])
    if state is ClockState.SUPERSEDED:
        return _replaced(told, row)
    if state is ClockState.ARMED:
        return None
    return ClockState.BREACHED if state.open or _waived_late(row) else state


def _replaced(told: Replayed, row: Row) -> ClockState | None:
    """A plan that nothing took the place of: what it had come to, unless its proof was withdrawn."""
    was = ClockState(row.get("was", ClockState.RUNNING.value))
    proof = told.tables["evidence"].get(row.get("evidence_id") or "", {})
    if was is ClockState.ARMED:
        return None
    if was in _SETTLED and not proof.get("standing"):
        return was
    return ClockState.BREACHED if _ended_late(row) else None


def _waived_late(row: Row) -> bool:
    return bool(row["state"] == ClockState.WAIVED.value and _ended_late(row))


def _ended_late(row: Row) -> bool:
    return row.get("ended_at") is not None and row["ended_at"] > row["due_at"]


def _judged(told: Replayed, ref: str, home: str, row: Row, state: ClockState, unit: Names) -> Judged:
    subject = row.get("subject")
    first = str(subject).partition(".")[0] if subject else ""
    return Judged(
        rule_id=first or row["rule_id"],
        name=limits.kind_zh(subject) or str(row["name"]),
        unit=unit(owner(told, row["incident_id"], row["due_at"])),
        state=state,
        incident=home,
        ref=ref,
        evidence=frozenset(EvidenceKind(kind) for kind in row["evidence"]),
        statutory=bool(row.get("statutory")),
        took_s=_took(told, row),
        own=bool(subject) or row["evidence"] == _SIGNED,
        waived_late=_waived_late(row),
    )


def owner(told: Replayed, incident_id: str, at: datetime) -> str:
    """Who led the incident at that time; who was named later, where nobody was yet."""
    known = told.owners.get(incident_id, ())
    before = [unit for since, unit in known if since <= at]
    return before[-1] if before else known[0][1] if known else NOBODY


def _took(told: Replayed, row: Row) -> float | None:
    """From the clock's start to its proof, in seconds."""
    if row["state"] not in (ClockState.MET.value, ClockState.MET_LATE.value):
        return None
    proof = told.tables["evidence"].get(row.get("evidence_id") or "")
    end = proof["published_at"] if proof else row.get("ended_at")
    return (end - row["started_at"]).total_seconds() if end else None


def entries(told: Replayed) -> list[Row]:
    """The register entries that were not cancelled."""
    return [row for row in told.rows("registerentry") if row.get("cancelled_at") is None]


def kept(told: Replayed, span: Span, unit: Names) -> Iterator[Kept]:
    """Entries whose limit fell into the span."""
    for row in entries(told):
        if span.holds(row.get("due_at")):
            yield Kept(
                Register(row["kind"]),
                unit(row.get("unit") or NOBODY),
                f"entry:{row['id']}",
                mask_personal(row["title"]),
                row["due_at"],
                row.get("done_at"),
                row.get("incident_id"),
            )


@dataclass(frozen=True, slots=True)
class Pricing:
    """What a matter weighs that names no points of its own (proposals)."""

    complaint: float = 1.0
    accountability: float = 5.0
    bonus: float = 1.0


def deductions(told: Replayed, span: Span, unit: Names, price: Pricing) -> Iterator[Points]:
    """Complaints (S-124), and what a person has upheld (S-125 … S-127)."""
    for row in entries(told):
        worth = _worth(row, price)
        if worth and span.holds(row["happened_at"]):
            yield _points(row, unit, worth)


def _worth(row: Row, price: Pricing) -> float:
    """What an entry costs its unit; 0 for one that costs nothing."""
    details = row.get("details") or {}
    upheld = details.get("state") == Finding.UPHELD.value
    if row["kind"] == Register.COMPLAINT.value:
        return float(details.get("points", price.complaint))
    if row["kind"] == Register.ACCOUNTABILITY.value and upheld:
        return float(details.get("points", price.accountability))
    return 0.0


def bonuses(told: Replayed, span: Span, unit: Names, price: Pricing) -> Iterator[Points]:
    """信息报送等加分 (S-133)."""
    for row in entries(told):
        if row["kind"] == Register.BONUS.value and span.holds(row["happened_at"]):
            yield _points(row, unit, float((row.get("details") or {}).get("points", price.bonus)))


def _points(row: Row, unit: Names, points: float) -> Points:
    return Points(unit(row.get("unit") or NOBODY), mask_personal(row["title"]), points, row["id"])


def findings(told: Replayed, span: Span, unit: Names) -> Iterator[dict[str, Any]]:
    """The drafts of accountability of the span, with what was decided."""
    for row in entries(told):
        if row["kind"] == Register.ACCOUNTABILITY.value and span.holds(row["happened_at"]):
            yield _finding(row, unit)


def _finding(row: Row, unit: Names) -> dict[str, Any]:
    details = row.get("details") or {}
    trigger, state = Trigger(details["trigger"]), Finding(details.get("state", "draft"))
    return {
        "id": row["id"],
        "trigger": trigger.value,
        "trigger_zh": trigger.zh,
        "unit": unit(row.get("unit") or NOBODY),
        "incident": row.get("incident_id"),
        "why": mask_personal(row["title"]),
        "state": state.value,
        "state_zh": state.zh,
        "result": mask_personal(row.get("result") or "") or None,
        "ref": details.get("ref", ""),
        "basis": trigger.basis,
    }


def opened(told: Replayed, span: Span) -> int:
    """How many incidents began in the span; one that was merged is its other one."""
    rows = (row for row in told.rows("incident") if not row.get("merged_into"))
    return sum(span.holds(row["opened_at"]) for row in rows)


def drafted(told: Replayed) -> set[str]:
    """What has been written down as a draft at any time, cancelled or not: it is not proposed again. A case of
    an incident that was merged later is called as it is now."""
    homes = _homes(told)
    rows = (row for row in told.rows("registerentry") if row["kind"] == Register.ACCOUNTABILITY.value)
    refs = (str((row.get("details") or {}).get("ref", "")).partition(":") for row in rows)
    return {homes.get(first, first) + colon + rest for first, colon, rest in refs}
