"""Limits that the work itself sets: swept like any clock, led by their own people, replanned by nobody."""

from __future__ import annotations

from sqlalchemy import select

from models.core.vocabulary import ClockState, EvidenceKind, Grade
from models.ledger import acts, limits
from models.ledger.clocks import CLOCK
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.notices import ALERT
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT, ROSTER
from support.limits import Rules, holds, opened, publish, shown

RULES = Rules(FIRST)
REVIEW = limits.Limit(
    "review.s1.1", "初审", MIDNIGHT, MIDNIGHT + 2 * HOUR, "送审", people=("li",), repeat=None
)
PROMISE = limits.Limit(
    "promise.p1", "承诺续报", MIDNIGHT, MIDNIGHT + 6 * HOUR, "已公布下次发布时间",
    people=("chen",), evidence=frozenset({EvidenceKind.UPDATE}),
)  # fmt: skip


def set_(store: Store, incident: str, *wanted: limits.Limit) -> None:
    with store.write() as conn:
        append(conn, MIDNIGHT, limits.set_(conn, wanted, incident, MIDNIGHT, "送审"))


def told(store: Store) -> list[tuple[str, str]]:
    with store.read() as conn:
        return [
            (row.step_key, row.person_id) for row in conn.execute(select(ALERT).order_by(ALERT.c.raised_at))
        ]


def test_its_own_people_are_told_first_and_the_ladder_above_them_later(store: Store) -> None:
    incident = opened(store, Rules())
    set_(store, incident, REVIEW)
    for hours in (0, 1, 1.8):
        with store.write() as conn:
            raise_due(conn, Sweep(MIDNIGHT + hours * HOUR, ROSTER))
    firsts = [(key, person) for key, person in told(store) if key in ("0m", "50%")]
    assert firsts == [("0m", "li"), ("50%", "li")]
    on_second = {person.id for person in ROSTER.on_duty(2, MIDNIGHT)}
    assert {person for key, person in told(store) if key == "90%"} >= on_second
    holds(store, MIDNIGHT + 2 * HOUR)


def test_a_new_plan_leaves_it_alone(store: Store) -> None:
    incident = opened(store, RULES)
    set_(store, incident, REVIEW)
    with store.write() as conn:
        acts.set_grade(conn, MIDNIGHT + HOUR, incident, Grade.I, "li", "上调", RULES)
    assert shown(store, incident, MIDNIGHT + HOUR)[REVIEW.subject] == "running 0 → 2"


def test_work_that_is_done_ends_it_met_or_late(store: Store) -> None:
    incident = opened(store, Rules())
    set_(store, incident, REVIEW)
    with store.write() as conn:
        live = limits.live(conn, incident, "review.s1")
        change = limits.ended(live, None, MIDNIGHT + 3 * HOUR, "李主任 同意")
        append(conn, MIDNIGHT + 3 * HOUR, [Entry("x", {"update": {"clock": change}}, "li", "同意", incident)])
        row = conn.execute(select(CLOCK).where(CLOCK.c.subject == REVIEW.subject)).one()
    assert (row.state, row.next_step_at) == (ClockState.MET_LATE.value, None)
    holds(store, MIDNIGHT + 4 * HOUR)


def test_a_promised_update_is_kept_by_what_is_published_after_the_promise(store: Store) -> None:
    incident = opened(store, RULES)
    set_(store, incident, PROMISE)
    publish(store, RULES, incident, MIDNIGHT + HOUR, EvidenceKind.UPDATE)
    with store.read() as conn:
        assert limits.live(conn, incident) == []
