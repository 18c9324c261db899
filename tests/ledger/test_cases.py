"""Which clock of the journal is judged as which case, and the fold that is read on from where it was read to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.core.vocabulary import ClockState
from models.ledger import assessment
from models.ledger.assessment import TABLES, Span
from models.ledger.replayed import Broken, Memory, Replayed
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT
from support.limits import Rules, opened

SPAN = Span(MIDNIGHT, MIDNIGHT + timedelta(days=2), MIDNIGHT + timedelta(days=2))
OVER = MIDNIGHT + 6 * HOUR


def row(number: int, state: str, **more: Any) -> dict[str, Any]:
    """A clock of 2026-0001 that was due at 05:00 and ended at 06:00."""
    return {
        "id": f"c{number}", "incident_id": "2026-0001", "rule_id": "first_statement", "subject": None,
        "name": "首次发布", "state": state, "start_event": "occurrence", "started_at": MIDNIGHT,
        "due_at": MIDNIGHT + 5 * HOUR, "ended_at": OVER, "evidence": ["published_statement"], "evidence_id": None,
        "statutory": True, **more,
    }  # fmt: skip


def judged(*rows: dict[str, Any], **proofs: str | None) -> list[tuple[str, str]]:
    evidence = {id_: {"id": id_, "published_at": OVER, "standing": stands} for id_, stands in proofs.items()}
    incidents = {"2026-0002": {"id": "2026-0002", "merged_into": "2026-0001"}}
    clocks = {each["id"]: each for each in rows}
    told = Replayed({"incident": incidents, "clock": clocks, "evidence": evidence, "registerentry": {}}, {})
    return [(one.ref, one.state.value) for one in assessment.clocks(told, SPAN, str)]


CASE = "2026-0001:first_statement"


@pytest.mark.parametrize("state", ["running", "at_risk", "breached"])
def test_what_was_overdue_when_its_rule_ceased_stays_so(state: str) -> None:
    assert judged(row(1, "superseded", was=state)) == [(CASE, "breached")]


def test_what_was_replaced_in_time_or_was_never_armed_is_no_case() -> None:
    assert judged(row(1, "superseded", was="running", ended_at=MIDNIGHT + HOUR)) == []
    assert judged(row(1, "superseded", was="armed")) == []


def test_a_proof_that_stands_keeps_its_case_and_a_withdrawn_one_does_not() -> None:
    met = row(1, "superseded", was="met", evidence_id="e")
    assert judged(met, e=None) == [(CASE, "met")]
    assert judged(met, e="retracted") == [(CASE, "breached")]


def test_the_newest_plan_that_stands_is_the_case() -> None:
    assert judged(row(1, "met_late"), row(2, "superseded", was="running"), row(3, "met")) == [(CASE, "met")]
    assert judged(row(1, "superseded", was="breached"), row(2, "met_late")) == [(CASE, "met_late")]


def test_the_plan_of_the_incident_that_stays_goes_before_that_of_the_one_that_was_merged() -> None:
    assert judged(row(1, "met"), row(2, "met_late", incident_id="2026-0002")) == [(CASE, "met")]
    assert judged(row(2, "superseded", was="breached", incident_id="2026-0002")) == [(CASE, "breached")]


@pytest.mark.parametrize("event", ["last_update", "after"])
def test_every_round_is_a_case_of_its_own(event: str) -> None:
    rounds = [
        row(n, "met", start_event=event, rule_id="daily", started_at=MIDNIGHT + n * HOUR) for n in range(3)
    ]
    assert [state for _, state in judged(*rounds)] == ["met", "met", "met"]
    last = row(4, "superseded", was="breached", start_event=event, rule_id="daily", started_at=OVER)
    assert [state for _, state in judged(*rounds, last)] == ["met", "met", "met", "breached"]
    assert len(judged(last, *rounds)) == 3


def test_a_limit_of_the_work_itself_is_named_by_its_own_clock() -> None:
    assert judged(row(1, "met", subject="review.a.1")) == [("clock:c1", "met")]


# ── the fold that stays in memory ──


def test_what_was_read_on_is_what_is_read_anew(store: Store) -> None:
    memory = Memory(TABLES)
    for _ in range(2):
        opened(store, Rules(FIRST))
        with store.read() as conn:
            assert memory.read(conn) == Memory(TABLES).read(conn)


def test_an_older_reading_is_not_changed_by_a_newer_one(store: Store) -> None:
    memory = Memory(TABLES)
    opened(store, Rules(FIRST))
    with store.read() as conn:
        old = memory.read(conn)
    opened(store, Rules(FIRST))
    with store.read() as conn:
        new = memory.read(conn)
    assert (len(old.tables["incident"]), len(new.tables["incident"])) == (1, 2)


def test_an_entry_that_is_changed_behind_the_reading_bends_nothing_and_the_last_one_makes_it_read_anew(
    store: Store,
) -> None:
    memory = Memory(TABLES)
    opened(store, Rules(FIRST))
    with store.read() as conn:
        before = memory.read(conn)
    with store.write() as conn:
        conn.execute(text("UPDATE journal SET reason = '改过' WHERE seq = 1"))
    with store.read() as conn:
        assert memory.read(conn) == before
        with pytest.raises(Broken, match="第 1 条"):
            Memory(TABLES).read(conn)
    with store.write() as conn:
        conn.execute(text("UPDATE journal SET hash = 'x' WHERE seq = :last"), {"last": before.entries})
    with store.read() as conn, pytest.raises(Broken, match="第 1 条"):
        memory.read(conn)


def test_nothing_is_kept_that_nobody_reads(store: Store) -> None:
    opened(store, Rules(FIRST))
    with store.read() as conn:
        told = Memory(TABLES).read(conn)
    assert set(told.tables) == {"incident", "clock", "evidence", "registerentry"}
    (clock,) = told.rows("clock")
    assert set(clock) <= TABLES["clock"] | {"id", "was"}
    assert ClockState(clock["state"]) is ClockState.RUNNING
