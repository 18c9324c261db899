"""Who is responsible: asked, claimed, rejected within a day, handed over; and no clock ever starts anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from models.core.casework import PartyRole
from models.core.vocabulary import ClockState, Stage
from models.ledger import acts, incidents, limits, parties, stages
from models.ledger.clocks import CLOCK
from models.ledger.incidents import NotAllowed
from models.ledger.parties import Ask, Caller
from models.ledger.store import Store
from support.duty import FIRST, HOUR, MIDNIGHT
from support.limits import Rules, holds, opened, raised, shown

RULES = Rules(FIRST)
GAS = Caller("gao", ("gas", "市住建局"), 0)
FIRE = Caller("fang", ("fire", "市应急局"), 0)
DUTY = Caller("li", ("office", "市政府办公室"), 2)


def name(unit: str) -> str:
    return {"gas": "市住建局", "fire": "市应急局"}.get(unit, unit)


def assign(store: Store, incident: str, *units: str, at: datetime = MIDNIGHT) -> None:
    asks = [Ask(unit, PartyRole.LEAD if n == 0 else PartyRole.CO, ("chen",)) for n, unit in enumerate(units)]
    with store.write() as conn:
        parties.assign(conn, at, incident, asks, "li", "属地管理")


def claim(store: Store, incident: str, caller: Caller, at: datetime, unit: str = "") -> None:
    with store.write() as conn:
        parties.claim(conn, at, incident, unit, caller, "接办", name)


def reject(
    store: Store, incident: str, caller: Caller, at: datetime, reason: str = "不属职责", instead: str = ""
) -> None:
    other = Ask(instead, PartyRole.LEAD) if instead else None
    with store.write() as conn:
        parties.reject(conn, at, incident, "", caller, reason, name, other)


def transfer(store: Store, incident: str, caller: Caller, to: str, at: datetime) -> None:
    with store.write() as conn:
        parties.transfer(conn, at, incident, "", Ask(to, PartyRole.LEAD), caller, "另有分工", name)


def now(store: Store, incident: str) -> tuple[str | None, bool, str | None]:
    """Who answers for it, whether only as the first asked, and the incident's owner."""
    with store.read() as conn:
        seen = parties.view(conn, incident, {}, name)
        return seen["answerable"], seen["by_first"], incidents.get(conn, incident).owner


def told(store: Store, incident: str) -> list[tuple[str, str]]:
    with store.read() as conn:
        seen = parties.view(conn, incident, {}, name)["parties"]
    return [(one["unit_name"], one["state"]) for one in seen]


def test_a_unit_that_is_asked_has_a_limit_of_its_own_and_ends_it_by_claiming(store: Store) -> None:
    incident = opened(store, RULES)
    before = shown(store, incident, MIDNIGHT)
    assign(store, incident, "gas", "fire")
    assert now(store, incident) == ("市住建局", True, "gas")
    claim(store, incident, GAS, MIDNIGHT + HOUR)
    assert now(store, incident) == ("市住建局", False, "gas")
    with store.read() as conn:
        live = limits.live(conn, incident, "party.")
    assert [row.name for row in live] == ["协办单位认领"]
    after = shown(store, incident, MIDNIGHT + HOUR)
    assert {k: v for k, v in after.items() if not k.startswith("party.")} == before
    holds(store, MIDNIGHT + HOUR)


def test_who_does_not_answer_is_told_and_then_the_ladder_above(store: Store) -> None:
    incident = opened(store, Rules())
    assign(store, incident, "gas")
    assert any("0m" in step for step in raised(store, MIDNIGHT))
    assert any("90%" in step for step in raised(store, MIDNIGHT + 22 * HOUR))


def test_a_unit_rejects_within_a_day_and_whoever_it_names_is_asked(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    reject(store, incident, GAS, MIDNIGHT + 24 * HOUR, instead="fire")
    assert told(store, incident) == [("市住建局", "rejected"), ("市应急局", "asked")]
    assert now(store, incident) == ("市住建局", True, "gas")  # 首问: until another has claimed
    claim(store, incident, FIRE, MIDNIGHT + 25 * HOUR)
    assert now(store, incident) == ("市应急局", False, "fire")
    holds(store, MIDNIGHT + 25 * HOUR)


def test_after_a_day_nobody_rejects_any_more(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    with pytest.raises(NotAllowed, match=r"24 小时内.*L-033.*transfer"):
        reject(store, incident, GAS, MIDNIGHT + 24.1 * HOUR)


@pytest.mark.parametrize(
    ("reason", "instead", "words"), [(" ", "", "说明理由"), ("不属职责", "gas", "不能还写本单位")]
)
def test_a_rejection_says_why_and_names_somebody_else(
    store: Store, reason: str, instead: str, words: str
) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    with pytest.raises(NotAllowed, match=words):
        reject(store, incident, GAS, MIDNIGHT + HOUR, reason, instead)


def test_nobody_answers_for_another_unit_but_the_duty_leader(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    with pytest.raises(NotAllowed, match="交办给市住建局"):
        claim(store, incident, FIRE, MIDNIGHT + HOUR)
    claim(store, incident, DUTY, MIDNIGHT + HOUR, "gas")
    assert told(store, incident) == [("市住建局", "claimed")]


def test_handing_over_restarts_no_clock_and_the_old_one_stays_until_the_new_one_claims(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    claim(store, incident, GAS, MIDNIGHT + HOUR)
    before = shown(store, incident, MIDNIGHT + HOUR)[FIRST.id]
    transfer(store, incident, GAS, "fire", MIDNIGHT + 2 * HOUR)
    assert now(store, incident) == ("市住建局", False, "gas")
    claim(store, incident, FIRE, MIDNIGHT + 3 * HOUR)
    assert now(store, incident) == ("市应急局", False, "fire")
    assert told(store, incident) == [("市住建局", "relieved"), ("市应急局", "claimed")]
    assert shown(store, incident, MIDNIGHT + HOUR)[FIRST.id] == before
    with store.read() as conn:
        rows = conn.execute(CLOCK.select().where(CLOCK.c.rule_id == FIRST.id)).all()
        row = parties.of(conn, incident)[0]
    assert len(rows) == 1
    assert row.handed_to == parties_id(store, incident, "fire")
    holds(store, MIDNIGHT + 3 * HOUR)


def parties_id(store: Store, incident: str, unit: str) -> str:
    with store.read() as conn:
        return next(str(one.id) for one in parties.of(conn, incident) if one.unit == unit)


def test_a_part_is_handed_over_once_and_not_to_oneself(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    with pytest.raises(NotAllowed, match="已是责任单位"):
        transfer(store, incident, GAS, "gas", MIDNIGHT + HOUR)
    transfer(store, incident, GAS, "fire", MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed, match="尚未认领"):
        transfer(store, incident, GAS, "fire", MIDNIGHT + 2 * HOUR)


def test_another_lead_assigned_relieves_the_one_before(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    assign(store, incident, "fire", at=MIDNIGHT + HOUR)
    assert told(store, incident) == [("市住建局", "relieved"), ("市应急局", "asked")]
    assert now(store, incident)[2] == "fire"
    with store.read() as conn:
        rows = conn.execute(CLOCK.select().where(CLOCK.c.subject.startswith("party."))).all()
    assert sorted(row.state for row in rows) == sorted(
        [ClockState.SUPERSEDED.value, ClockState.RUNNING.value]
    )
    holds(store, MIDNIGHT + HOUR)


def test_whoever_took_over_and_rejects_gives_it_back_to_the_first_asked(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    assign(store, incident, "fire", at=MIDNIGHT + HOUR)
    assert now(store, incident) == ("市应急局", True, "fire")
    reject(store, incident, FIRE, MIDNIGHT + 2 * HOUR)
    assert now(store, incident) == ("市住建局", True, "gas")
    assert told(store, incident) == [("市住建局", "asked"), ("市应急局", "rejected")]
    (limit,) = running(store, incident)
    assert (limit.people, limit.due_at) == (["chen"], MIDNIGHT + 26 * HOUR)
    claim(store, incident, GAS, MIDNIGHT + 3 * HOUR)
    assert (now(store, incident), running(store, incident)) == (("市住建局", False, "gas"), [])
    holds(store, MIDNIGHT + 3 * HOUR)


def test_until_the_one_named_instead_claims_the_first_asked_answers_for_it(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    assign(store, incident, "fire", at=MIDNIGHT + HOUR)
    reject(store, incident, FIRE, MIDNIGHT + 2 * HOUR, instead="office")
    assert now(store, incident) == ("市住建局", True, "gas")
    claim(store, incident, DUTY, MIDNIGHT + 3 * HOUR)
    assert now(store, incident) == ("office", False, "office")
    assert told(store, incident)[0] == ("市住建局", "relieved")
    assert running(store, incident) == []
    holds(store, MIDNIGHT + 3 * HOUR)


def test_one_named_instead_who_was_the_first_is_asked_once(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    assign(store, incident, "fire", at=MIDNIGHT + HOUR)
    reject(store, incident, FIRE, MIDNIGHT + 2 * HOUR, instead="gas")
    assert (now(store, incident), len(running(store, incident))) == (("市住建局", True, "gas"), 1)
    holds(store, MIDNIGHT + 2 * HOUR)


def test_a_stage_stands_before_the_people_of_whoever_leads_now(store: Store) -> None:
    incident = opened(store, RULES)
    with store.write() as conn:
        parties.assign(conn, MIDNIGHT, incident, [Ask("gas", PartyRole.LEAD, ("gao",))], "li", "属地管理")
        mover = stages.Mover("li", 2, 4)
        stages.move(
            conn, MIDNIGHT, incident, Stage.RESPOND, mover, "转入", text="结论", within=HOUR, people=["gao"]
        )
        to = Ask("fire", PartyRole.LEAD, ("fang",))
        parties.transfer(conn, MIDNIGHT, incident, "", to, GAS, "另有分工", name)
    assert [one.people for one in running(store, incident, "stage.")] == [["gao"]]
    claim(store, incident, FIRE, MIDNIGHT, "fire")
    assert [one.people for one in running(store, incident, "stage.")] == [["fang"]]
    holds(store, MIDNIGHT)


def running(store: Store, incident: str, subject: str = "party.") -> list[Any]:
    with store.read() as conn:
        return list(limits.live(conn, incident, subject))


def test_only_the_newest_signals_tell_what_an_incident_is_about(store: Store) -> None:
    incident = opened(store, RULES)
    places = ["滨江区"] * 3 + ["高新区"] * parties.MOST_READ
    read = [
        {
            "signal_id": n, "at": MIDNIGHT, "sentiment": "negative", "sentiment_score": 1, "topic": "t",
            "topic_margin": 1, "rumour": 0, "concern": 0, "flagged": False, "grade": "IV", "facts": {},
            "grade_parts": [], "reasons": [], "versions": {}, "cluster": "c", "incident_id": incident,
            "details": {"place": {"name": place, "sure": True}},
        }
        for n, place in enumerate(places)
    ]  # fmt: skip
    with store.write() as conn:
        conn.execute(parties.JUDGEMENT.insert(), read)
        assert parties.about(conn, incident) == (("高新区",), ("t",))


def test_the_same_unit_assigned_twice_is_asked_once(store: Store) -> None:
    incident = opened(store, RULES)
    assign(store, incident, "gas")
    assign(store, incident, "gas", at=MIDNIGHT + HOUR)
    assert told(store, incident) == [("市住建局", "asked")]


def test_nothing_is_claimed_before_it_was_assigned(store: Store) -> None:
    incident = opened(store, RULES)
    with pytest.raises(NotAllowed, match="请先交办"):
        claim(store, incident, GAS, MIDNIGHT + HOUR)


def test_a_claim_that_waits_keeps_no_incident_from_closing(store: Store) -> None:
    incident = opened(store, Rules())
    assign(store, incident, "gas")
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + HOUR, incident, "li", "误报")
        assert limits.live(conn, incident) == []
    holds(store, MIDNIGHT + HOUR)


def test_whoever_coordinates_is_there_by_the_rule_and_claims_nothing(store: Store) -> None:
    incident = opened(store, RULES)
    asks = [Ask("gas", PartyRole.LEAD), Ask("office", PartyRole.COORDINATOR)]
    with store.write() as conn:
        parties.assign(conn, MIDNIGHT, incident, asks, "li", "属地管理")
        assert len(limits.live(conn, incident, "party.")) == 1
        seen = parties.view(conn, incident, {}, name)["parties"]
    assert [(one["role_zh"], one["state_zh"]) for one in seen] == [
        ("牵头单位", "待认领"),
        ("统筹协调", "已认领"),
    ]
    assert "N-001" in seen[1]["answer"]
    assert now(store, incident) == ("市住建局", True, "gas")
    holds(store, MIDNIGHT)
