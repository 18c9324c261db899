"""Time by hand on a real ledger: people act in any order, the sweep runs or fails to, and whatever comes,
every step is accounted for once, none before its time, and `verify` holds.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Row, select

from models.core.clock import ClockRule, LateNotice, StepRule
from models.core.moment import CST, iso
from models.core.situation import Situation
from models.core.vocabulary import OPEN_STATES, ClockState, EvidenceKind, Grade, StartEvent
from models.core.workdays import WorkingDays, YearDays
from models.ledger import acts, clocks, joining, journal, proving
from models.ledger.clocks import LIVE, BoundRule
from models.ledger.entry import Entry
from models.ledger.incidents import INCIDENT
from models.ledger.joining import JUDGEMENT
from models.ledger.outbox import ALERT, STEP
from models.ledger.planning import EVIDENCE
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Connection, LedgerError, Store
from models.ledger.verify import verify
from support.duty import FIRST, GENERAL, HOUR, MINUTE, PRESS, ROSTER
from support.duty import rule as clock_rule

LONG = os.environ.get("HUIYING_FAULTS") == "long"
OPEN = tuple(state.value for state in OPEN_STATES)
CALENDAR = {year: YearDays() for year in (2026, 2027, 2028)}
BEGINNINGS = (
    datetime(2026, 11, 21, 0, 0, tzinfo=CST),
    datetime(2026, 12, 31, 22, 30, tzinfo=CST),
    datetime(2028, 2, 28, 20, 0, tzinfo=CST),
)
"""An ordinary midnight, the turn of a year, the eve of a leap day."""

ACK = replace(
    clock_rule("acknowledge", 1, EvidenceKind.ACKNOWLEDGEMENT, StartEvent.GRADED),
    amount=10 * MINUTE,
    repeat=30 * MINUTE,
)
UPDATE = replace(
    clock_rule("update", 12, EvidenceKind.UPDATE, StartEvent.LAST_UPDATE),
    evidence=frozenset({EvidenceKind.STATEMENT, EvidenceKind.UPDATE}),
    fallback=(),
)
REPLY = replace(clock_rule("reply", 1, EvidenceKind.REPLY_RECEIPT, StartEvent.RECEIPT), amount=WorkingDays(5))
LATE = replace(
    GENERAL,
    late_notice=LateNotice(3 * HOUR, StartEvent.RECEIPT, 6 * HOUR),
    steps=(*GENERAL.steps, StepRule(2, after=50 * HOUR)),  # beyond the limit, between two repeats
)
GRAVE, OTHER = (FIRST, PRESS, UPDATE), (LATE, REPLY)


def rules_for(situation: Situation) -> Sequence[BoundRule]:
    """5 h, 24 h and rolling updates for I and II, armed until confirmed; 48 h and five working days
    for the rest; and an acknowledgement for all."""
    chosen: list[ClockRule] = [ACK, *(GRAVE if situation.grade >= Grade.II else OTHER)]
    return [
        BoundRule(
            replace(made, armed=made is PRESS and not situation.confirmed), "test", "v1", 2 * HOUR, CALENDAR
        )
        for made in chosen
    ]


grades = st.sampled_from([Grade.I, Grade.II, Grade.III, Grade.IV])
people = st.sampled_from(["chen", "li", "zhao", "zhou"])
some_time = st.one_of(st.integers(0, 40 * 60), st.integers(0, 12 * 3600), st.integers(0, 5 * 24 * 3600)).map(
    lambda seconds: timedelta(seconds=seconds)
)
kinds = st.sampled_from(
    [
        EvidenceKind.STATEMENT,
        EvidenceKind.PRESS_CONFERENCE,
        EvidenceKind.RESPONSE,
        EvidenceKind.UPDATE,
        EvidenceKind.REPLY_RECEIPT,
    ]
)
pick = st.integers(0, 10**6)
numbers = count(1)


@cache
def blank() -> Path:
    """An empty ledger, migrated once and copied for every play."""
    folder = tempfile.mkdtemp(prefix="huiying-properties-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "blank.sqlite"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


class Night(RuleBasedStateMachine):
    """One night on duty, or many. `now` moves by hand; `clean` = the sweep has seen all that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="huiying-night-"))
        shutil.copy(blank(), self.folder / "night.sqlite")
        self.store = Store(f"sqlite:///{self.folder / 'night.sqlite'}")
        self.now, self.clean = BEGINNINGS[0], True
        self.known: list[str] = []
        self.clocks: set[str] = set()

    @initialize(beginning=st.sampled_from(BEGINNINGS), grade=grades)
    def begin(self, beginning: datetime, grade: Grade) -> None:
        self.now = beginning
        self.open(grade, timedelta(hours=1), True)

    # ── time ──────────────────────────────────────────────────────────────────────────────────

    @rule(length=some_time)
    def time_passes_and_the_sweep_runs(self, length: timedelta) -> None:
        self.now += length
        self.sweep(500)
        self.clean = True

    @rule(length=some_time)
    def nobody_is_at_work(self, length: timedelta) -> None:
        self.now += length
        self.clean = self.clean and length == timedelta(0)

    @rule(most=st.integers(1, 2))
    def the_sweep_gets_through_a_part(self, most: int) -> None:
        self.sweep(most)

    def sweep(self, most: int) -> None:
        with self.store.write() as conn:
            raised = raise_due(conn, Sweep(self.now, ROSTER), most)
        if raised.steps == most:
            return
        with self.store.write() as conn:
            assert raise_due(conn, Sweep(self.now, ROSTER), 500).steps == 0, "a sweep leaves nothing due"

    # ── people ────────────────────────────────────────────────────────────────────────────────

    @rule(grade=grades, ago=some_time, confirmed=st.booleans())
    def open(self, grade: Grade, ago: timedelta, confirmed: bool) -> None:
        times = {StartEvent.DISCOVERY: self.now, StartEvent.OCCURRENCE: self.now - ago}
        times[StartEvent.RECEIPT] = self.now
        opening = acts.Opening("化工园区火灾", grade, times, "chen", "热线来电", provisional=not confirmed)

        def do(conn: Connection) -> None:
            self.known.append(acts.open_incident(conn, self.now, opening, rules_for))
            self.give_signals(conn, self.known[-1])

        self.act(do)

    def give_signals(self, conn: Connection, incident: str) -> None:
        """Two signals, so that there is something to split off."""
        rows = [judgement(next(numbers), incident, self.now) for _ in range(2)]
        change = {"incident": [{"id": incident, "signal_count": 2}]}
        entry = Entry("signals_judged", {"insert": {"judgement": rows}, "update": change}, "huiying")
        journal.append(conn, self.now, [entry])

    @rule(which=pick, grade=grades, provisional=st.booleans())
    def grade(self, which: int, grade: Grade, provisional: bool) -> None:
        self.act(
            lambda conn: acts.set_grade(
                conn, self.now, self.one(which), grade, "li", "会商", rules_for, provisional=provisional
            )
        )

    @rule(
        which=pick,
        event=st.sampled_from([StartEvent.OCCURRENCE, StartEvent.RECEIPT, StartEvent.FIRST_PUBLIC]),
        ago=some_time,
    )
    def correct_a_time(self, which: int, event: StartEvent, ago: timedelta) -> None:
        self.act(
            lambda conn: acts.correct_time(
                conn, self.now, self.one(which), event, self.now - ago, "li", "核实", rules_for
            )
        )

    @rule(which=pick, by=people)
    def acknowledge(self, which: int, by: str) -> None:
        self.act(lambda conn: acts.acknowledge(conn, self.now, self.one(which), by, by, "知悉", rules_for))

    @rule(which=pick, kind=kinds, ago=some_time)
    def stop(self, which: int, kind: EvidenceKind, ago: timedelta) -> None:
        url = f"https://example.org/{next(numbers)}"
        proof = proving.Proof(kind, "临江发布", self.now - ago, self.now, url=url, snapshot=url.encode())
        self.act(lambda conn: proving.stop(conn, self.now, self.one(which), proof, "li", "已发布", rules_for))

    @rule(which=pick, clock=st.sampled_from([r.id for r in (ACK, *GRAVE, *OTHER)]))
    def waive(self, which: int, clock: str) -> None:
        self.act(lambda conn: proving.waive(conn, self.now, self.one(which), clock, "li", "李", "无需回应"))

    @rule(which=pick, other=pick)
    def merge(self, which: int, other: int) -> None:
        self.act(
            lambda conn: joining.merge(
                conn, self.now, self.one(which), self.one(other), "li", "同一事件", rules_for
            )
        )

    @rule(which=pick)
    def split(self, which: int) -> None:
        def do(conn: Connection) -> None:
            incident = self.one(which)
            of_it = select(JUDGEMENT.c.signal_id).where(JUDGEMENT.c.incident_id == incident)
            first = list(conn.execute(of_it).scalars())[:1]
            made = joining.split(conn, self.now, incident, first, "另一件事", "li", "误并", rules_for)
            self.known.append(made)

        self.act(do)

    @rule(which=pick)
    def retract(self, which: int) -> None:
        def do(conn: Connection) -> None:
            incident = self.one(which)
            proofs = conn.execute(select(EVIDENCE.c.id).where(EVIDENCE.c.incident_id == incident)).scalars()
            for proof in list(proofs)[:1]:
                proving.retract(conn, self.now, incident, proof, "li", "原文已删除", rules_for)

        self.act(do)

    @rule(which=pick)
    def waive_all_and_close(self, which: int) -> None:
        def do(conn: Connection) -> None:
            incident = self.one(which)
            for clock in clocks.live_clocks(conn, incident):
                proving.waive(conn, self.now, incident, clock.rule_id, "li", "李", "演练结束")
            acts.close(conn, self.now, incident, "li", "办结")

        self.act(do)

    @rule(which=pick)
    def reopen(self, which: int) -> None:
        self.act(lambda conn: acts.reopen(conn, self.now, self.one(which), "li", "声明有误", rules_for))

    def one(self, which: int) -> str:
        return self.known[which % len(self.known)]

    def act(self, do: Callable[[Connection], Any]) -> None:
        """One act in one transaction; what a rule forbids changes nothing."""
        before = list(self.known)
        try:
            with self.store.write() as conn:
                do(conn)
        except LedgerError:
            self.known = before
        else:
            self.clean = False  # new clocks may be overdue at once

    # ── what must always be so ────────────────────────────────────────────────────────────────

    @invariant()
    def the_ledger_is_sound(self) -> None:
        with self.store.read() as conn:
            rows = conn.execute(select(clocks.CLOCK)).all()
            steps = conn.execute(select(STEP)).all()
            alerts = conn.execute(select(ALERT.c.clock_id, ALERT.c.step_key, ALERT.c.person_id)).all()
            merged = conn.execute(select(INCIDENT.c.id).where(INCIDENT.c.merged_into.is_not(None))).scalars()
            gone = set(merged)
        recorded: dict[str, set[str]] = {}
        for step in steps:
            assert step.due_at <= step.raised_at <= self.now, f"{step.clock_id} {step.key} before its time"
            recorded.setdefault(step.clock_id, set()).add(step.key)
        for row in rows:
            self.look_at(row, recorded.get(row.id, set()))
        assert max(Counter(alerts).values(), default=1) == 1, "one step tells one person once"
        live = Counter((row.incident_id, row.rule_id) for row in rows if row.state in LIVE)
        assert max(live.values(), default=1) == 1, "one live clock for each rule of an incident"
        assert not gone & {row.incident_id for row in rows if row.state in LIVE}
        assert self.clocks <= {row.id for row in rows}, "a superseded clock is kept"
        self.clocks = {row.id for row in rows}

    def look_at(self, row: Row[Any], recorded: set[str]) -> None:
        """Of one clock: what is recorded has no gap, and what is open looks at the first step that is not."""
        passed = [s.key for s in takewhile(lambda s: s.due_at <= self.now, clocks.sequence(row))]
        assert recorded <= set(passed)
        assert set(passed[: len(recorded)]) == recorded, f"{row.id} has a gap"
        assert (row.ended_at is None) == (row.state in LIVE)
        if row.state not in OPEN:
            assert row.next_step_at is None
            return
        assert row.next_key == next((s.key for s in clocks.sequence(row) if s.key not in recorded), None), (
            f"{row.id} looks at the wrong step"
        )
        if self.clean:
            assert set(passed) == recorded, f"{row.id} has lost a step"
            assert (row.state == ClockState.BREACHED.value) == (row.due_at <= self.now)

    def teardown(self) -> None:
        try:
            with self.store.write() as conn:
                raise_due(conn, Sweep(self.now, ROSTER), 500)
            self.clean = True
            self.the_ledger_is_sound()
            found = verify(self.store, self.now)
            assert found["ok"], found["findings"]
        finally:
            self.store.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def judgement(number: int, incident: str, at: datetime) -> dict[str, Any]:
    return {
        "signal_id": number,
        "at": iso(at),
        "sentiment": "negative",
        "sentiment_score": 0.1,
        "topic": "safety",
        "topic_margin": 0.5,
        "rumour": 0.0,
        "concern": 0.9,
        "flagged": True,
        "grade": "II",
        "facts": {},
        "grade_parts": [],
        "reasons": [],
        "versions": {},
        "cluster": f"c{number}",
        "incident_id": incident,
    }


TestNights = Night.TestCase
TestNights.settings = settings(
    max_examples=150 if LONG else 40,
    stateful_step_count=50 if LONG else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
