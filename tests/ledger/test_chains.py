"""Chained clocks: a link starts when the one before is stopped, by the proof's own time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from models.core.vocabulary import EvidenceKind, StartEvent
from models.ledger import acts, incidents, planning, proving
from models.ledger.incidents import NotAllowed
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT, rule
from support.limits import Rules, holds, opened, publish, raised, shown

RECEIPT = EvidenceKind.REPORT_RECEIPT
COUNTY = replace(rule("county", 2, RECEIPT, StartEvent.RECEIPT), fallback=())
CITY = replace(rule("city", 2, RECEIPT, StartEvent.AFTER), fallback=(), after="county")
PROVINCE = replace(rule("province", 1, RECEIPT, StartEvent.AFTER), fallback=(), after="city")
CHAIN = Rules(COUNTY, CITY, PROVINCE, FIRST)


def hand_in(store: Store, incident: str, at: datetime, published: datetime | None = None) -> list[str]:
    return publish(store, CHAIN, incident, at, RECEIPT, published)


def test_a_link_is_not_there_before_the_one_before_it_is_stopped(store: Store) -> None:
    incident = opened(store, CHAIN)
    assert shown(store, incident, MIDNIGHT) == {
        "county": "running 0 → 2",
        "first_statement": "running 0 → 5",
    }


def test_each_link_counts_from_the_receipt_of_the_one_before(store: Store) -> None:
    incident = opened(store, CHAIN)
    assert hand_in(store, incident, MIDNIGHT + HOUR) == ["county"]
    assert shown(store, incident, MIDNIGHT + HOUR)["city"] == "running 1 → 3"
    assert hand_in(store, incident, MIDNIGHT + 2 * HOUR) == ["city"]
    assert shown(store, incident, MIDNIGHT + 2 * HOUR) == {
        "county": "met 0 → 2",
        "city": "met 1 → 3",
        "province": "running 2 → 3",
        "first_statement": "running 0 → 5",
    }
    holds(store, MIDNIGHT + 2 * HOUR)


def test_the_superior_s_own_time_counts_and_a_link_may_be_late_at_once(store: Store) -> None:
    incident = opened(store, CHAIN)
    at = MIDNIGHT + 4 * HOUR
    hand_in(store, incident, at, published=MIDNIGHT + HOUR)
    assert shown(store, incident, at)["county"] == "met 0 → 2"
    assert shown(store, incident, at)["city"] == "breached 1 → 3"
    assert "city 100%" in raised(store, at) or "city +1h" in raised(store, at)


def test_a_retracted_receipt_takes_the_next_link_back_and_a_new_one_starts_it_anew(store: Store) -> None:
    incident = opened(store, CHAIN)
    hand_in(store, incident, MIDNIGHT + HOUR)
    with store.write() as conn:
        (proof,) = conn.execute(planning.EVIDENCE.select()).all()
        proving.retract(conn, MIDNIGHT + 1.5 * HOUR, incident, proof.id, "li", "回执有误", CHAIN)
    assert shown(store, incident, MIDNIGHT + 1.5 * HOUR)["county"] == "running 0 → 2"
    assert "city" not in shown(store, incident, MIDNIGHT + 1.5 * HOUR)
    hand_in(store, incident, MIDNIGHT + 2 * HOUR)
    assert shown(store, incident, MIDNIGHT + 2 * HOUR)["city"] == "running 2 → 4"
    holds(store, MIDNIGHT + 2 * HOUR)


def test_a_waived_link_starts_no_next_one(store: Store) -> None:
    incident = opened(store, CHAIN)
    with store.write() as conn:
        proving.waive(conn, MIDNIGHT + HOUR, incident, "county", "zhou", "周主要", "上级已知悉")
    assert "city" not in shown(store, incident, MIDNIGHT + HOUR)


def test_an_acknowledgement_can_be_the_first_link(store: Store) -> None:
    taken = rule("acknowledge", 1, EvidenceKind.ACKNOWLEDGEMENT, StartEvent.DISCOVERY)
    rules = Rules(taken, replace(CITY, after="acknowledge"))
    incident = opened(store, rules)
    with store.write() as conn:
        acts.acknowledge(conn, MIDNIGHT + 0.5 * HOUR, incident, "chen", "陈值班", "已知悉", rules)
    assert shown(store, incident, MIDNIGHT + 0.5 * HOUR)["city"] == "running 0.5 → 2.5"


def test_what_was_published_before_a_link_was_planned_starts_the_next_one_too(store: Store) -> None:
    """A raised grade brings a whole chain whose receipts are in hand already."""
    later = Rules(COUNTY, CITY, PROVINCE)
    before = Rules(FIRST)
    incident = opened(store, before)
    publish(store, before, incident, MIDNIGHT + HOUR, RECEIPT)
    publish(store, before, incident, MIDNIGHT + 2 * HOUR, RECEIPT)
    with store.write() as conn:
        planning.replan(conn, MIDNIGHT + 3 * HOUR, acts.incidents.get(conn, incident), later, "升级")
    seen = shown(store, incident, MIDNIGHT + 3 * HOUR)
    assert [seen[link] for link in ("county", "city", "province")] == [
        "met 0 → 2",
        "met 1 → 3",
        "breached 2 → 3",
    ]


def test_nobody_states_the_end_of_a_clock_by_hand(store: Store) -> None:
    incident = opened(store, CHAIN)
    with store.write() as conn, pytest.raises(NotAllowed, match="由凭据决定"):
        acts.correct_time(conn, MIDNIGHT, incident, StartEvent.AFTER, MIDNIGHT, "li", "更正", CHAIN)


def test_a_chain_is_never_out_of_step_with_itself(store: Store) -> None:
    incident = opened(store, CHAIN)
    hand_in(store, incident, MIDNIGHT + HOUR)
    with store.read() as conn:
        assert not planning.out_of_step(conn, MIDNIGHT + 1.5 * HOUR, incidents.get(conn, incident), CHAIN)
