"""接手 and 升级 on both databases: whose hands an incident is in, and a higher rung called by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.core.roster import Absence, Roster
from models.core.vocabulary import EvidenceKind, Grade, StartEvent
from models.ledger import acts, doneonce, incidents, planning, proving, summoning, views
from models.ledger.clocks import BoundRule
from models.ledger.doneonce import Asked
from models.ledger.incidents import NotAllowed
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import Store
from models.ledger.summoning import Summoner
from models.ledger.verify import verify
from models.records import Alert, Step
from support.duty import FIRST, HOUR, MIDNIGHT, MINUTE, ROSTER, rule, rules_for

NAMES = {person.id: person.name for person in ROSTER.people}
ACKNOWLEDGE = rule("acknowledge", 1, EvidenceKind.ACKNOWLEDGEMENT, StartEvent.DISCOVERY)
CHEN = Summoner("chen", "陈值班", 1)


def rules(_: object) -> list[BoundRule]:
    return [BoundRule(made, "test", "v1", 2 * HOUR) for made in (FIRST, ACKNOWLEDGE)]


def opened(store: Store, rules_of: planning.RulesFor = rules_for) -> str:
    times = {StartEvent.DISCOVERY: MIDNIGHT, StartEvent.OCCURRENCE: MIDNIGHT}
    opening = acts.Opening("化工园区火灾", Grade.II, times, "chen", "热线来电", provisional=False)
    with store.write() as conn:
        return acts.open_incident(conn, MIDNIGHT, opening, rules_of)


def take(store: Store, incident: str, at: datetime, by: str) -> None:
    with store.write() as conn:
        acts.take(conn, at, incident, by, NAMES[by], "由我处理", rules)


def summon(
    store: Store,
    incident: str,
    at: datetime,
    who: Summoner = CHEN,
    to: int | None = None,
    roster: Roster = ROSTER,
) -> int:
    with store.write() as conn:
        return summoning.summon(conn, Sweep(at, roster), incident, who, "伤亡上升", to)


def told(store: Store, at: datetime) -> list[str]:
    with store.read() as conn:
        rows = conn.execute(select(Alert.step_key, Alert.person_id).where(Alert.raised_at == at)).all()
    return sorted(f"{row.step_key} {row.person_id}" for row in rows)


def shown(store: Store, incident: str, at: datetime) -> dict[str, object]:
    with store.read() as conn:
        return views.incident(conn, incident, at, NAMES)


# ── 接手 ──


def test_who_takes_an_incident_has_acknowledged_it_and_holds_it(store: Store) -> None:
    incident = opened(store, rules)
    take(store, incident, MIDNIGHT + MINUTE, "chen")
    view = shown(store, incident, MIDNIGHT + 2 * MINUTE)
    assert (view["holder"], view["taken_by"]) == ("chen某", "chen")
    with store.read() as conn:
        assert set(incidents.acks(conn, [incident])[incident]) == {"chen"}
    clocks = {clock["id"]: clock["state"] for clock in view["clocks"]}  # type: ignore[attr-defined]
    assert clocks == {"acknowledge": "met", "first_statement": "running"}
    assert verify(store, MIDNIGHT + HOUR)["ok"]


def test_an_acknowledgement_after_it_takes_the_incident_out_of_nobodys_hands(store: Store) -> None:
    incident = opened(store)
    take(store, incident, MIDNIGHT + MINUTE, "chen")
    with store.write() as conn:
        acts.acknowledge(conn, MIDNIGHT + 2 * MINUTE, incident, "li", "李某", "已知悉", rules)
    assert shown(store, incident, MIDNIGHT + 3 * MINUTE)["holder"] == "chen某"


def test_taking_over_from_somebody_names_both_on_the_timeline(store: Store) -> None:
    incident = opened(store)
    take(store, incident, MIDNIGHT + MINUTE, "chen")
    take(store, incident, MIDNIGHT + 2 * MINUTE, "li")
    view = shown(store, incident, MIDNIGHT + 3 * MINUTE)
    assert view["holder"] == "li某"
    texts = [line["text"] for line in view["timeline"]]  # type: ignore[attr-defined]
    assert "li某 接手，原由 chen某 处理" in texts


def test_taking_what_one_holds_already_is_refused_with_what_to_do(store: Store) -> None:
    incident = opened(store)
    take(store, incident, MIDNIGHT, "chen")
    with pytest.raises(NotAllowed, match=r"已由您接手.*升级"):
        take(store, incident, MIDNIGHT + MINUTE, "chen")


# ── 升级 ──


def test_escalating_tells_the_next_rung_at_once_and_nobody_below(store: Store) -> None:
    incident, at = opened(store), MIDNIGHT + 10 * MINUTE
    assert summon(store, incident, at) == 2
    assert told(store, at) == ["升级2 li"]
    with store.read() as conn:
        reason = conn.execute(select(Alert.reason).where(Alert.raised_at == at)).scalar_one()
        (step,) = conn.execute(select(Step.key, Step.rung, Step.skipped)).all()
    assert "陈值班请您介入: 伤亡上升；first_statement: 还剩 4 小时 50 分" in reason
    assert tuple(step) == ("升级2", 2, False)
    assert verify(store, MIDNIGHT + HOUR)["ok"]


def test_the_clocks_own_steps_come_in_their_time_all_the_same(store: Store) -> None:
    incident = opened(store)
    summon(store, incident, MIDNIGHT + 10 * MINUTE)
    with store.write() as conn:
        raise_due(conn, Sweep(MIDNIGHT + 2.5 * HOUR, ROSTER))
    assert told(store, MIDNIGHT + 2.5 * HOUR) == ["50% chen"]
    with store.write() as conn:
        raise_due(conn, Sweep(MIDNIGHT + 3.75 * HOUR, ROSTER))
    assert told(store, MIDNIGHT + 3.75 * HOUR) == ["75% chen", "75% li"]


def test_a_second_press_calls_the_rung_above_and_the_offered_rung_only_once(store: Store) -> None:
    incident = opened(store)
    assert summon(store, incident, MIDNIGHT + MINUTE, to=2) == 2
    with pytest.raises(NotAllowed, match=r"带班领导已于 .* 收到通知"):
        summon(store, incident, MIDNIGHT + 2 * MINUTE, to=2)
    assert summon(store, incident, MIDNIGHT + 3 * MINUTE) == 3
    assert told(store, MIDNIGHT + 3 * MINUTE) == ["升级3 zhao"]


def test_a_rung_that_a_step_has_told_is_not_called_again_by_hand(store: Store) -> None:
    incident = opened(store)
    with store.write() as conn:
        raise_due(conn, Sweep(MIDNIGHT + 3.75 * HOUR, ROSTER))  # 75 %: rung 2
    assert summon(store, incident, MIDNIGHT + 3.8 * HOUR) == 3


def test_hours_later_the_same_rung_may_be_called_once_more(store: Store) -> None:
    incident = opened(store)
    summon(store, incident, MIDNIGHT + MINUTE)
    again = MIDNIGHT + MINUTE + summoning.FRESH + timedelta(seconds=1)
    assert summon(store, incident, again) == 2
    assert told(store, again) == ["升级2.2 li"]


def test_a_rung_that_nobody_fills_passes_to_the_next_and_the_hole_is_told(store: Store) -> None:
    incident = opened(store)
    away = replace(ROSTER, absences=(Absence("li", MIDNIGHT, MIDNIGHT + 24 * HOUR),), owner=("zhou",))
    summon(store, incident, MIDNIGHT + MINUTE, roster=away)
    assert [line.split()[-1] for line in told(store, MIDNIGHT + MINUTE)] == ["zhou", "zhao"]


def test_above_the_last_rung_there_is_only_the_telephone(store: Store) -> None:
    incident = opened(store)
    zhou = Summoner("zhou", "周某", 4)
    with pytest.raises(NotAllowed, match=r"最高为第 4 级.*打电话"):
        summon(store, incident, MIDNIGHT + MINUTE, zhou)


def test_without_a_clock_there_is_nothing_to_escalate(store: Store) -> None:
    incident = opened(store)
    with store.write() as conn:
        for clock in ("first_statement", "press_conference"):
            proving.waive(conn, MIDNIGHT, incident, clock, "li", "李某", "不涉及公众")
    with pytest.raises(NotAllowed, match="没有在走的时钟"):
        summon(store, incident, MIDNIGHT + MINUTE)


# ── once ──

KEY = "6f9a1c1e-0000-4000-8000-000000000001"
ASKED = Asked(KEY, "chen", "ack", "2026-0001")


def test_a_key_is_known_once_its_act_was_done(store: Store) -> None:
    with store.write() as conn:
        assert doneonce.known(conn, ASKED) is None
        doneonce.remember(conn, MIDNIGHT, ASKED)
        assert doneonce.known(conn, ASKED) == "2026-0001"


def test_a_key_that_stands_for_another_act_is_refused(store: Store) -> None:
    with store.write() as conn:
        doneonce.remember(conn, MIDNIGHT, ASKED)
        for other in (replace(ASKED, person="li"), replace(ASKED, act="take"), replace(ASKED, target="9")):
            with pytest.raises(NotAllowed, match="另一个操作"):
                doneonce.known(conn, other)


def test_the_key_of_an_opening_knows_what_was_opened(store: Store) -> None:
    made, asked = opened(store), replace(ASKED, act="open", target="")
    with store.write() as conn:
        doneonce.remember(conn, MIDNIGHT, asked)
        assert doneonce.known(conn, asked) == made


def test_keys_are_forgotten_after_a_month(store: Store) -> None:
    with store.write() as conn:
        doneonce.remember(conn, MIDNIGHT, ASKED)
        later = MIDNIGHT + doneonce.KEPT + MINUTE
        doneonce.remember(conn, later, replace(ASKED, key=KEY.replace("1", "2")))
        assert doneonce.known(conn, ASKED) is None


@pytest.mark.parametrize("key", ["", "short", "一二三四五六七八", "a b c d e f", "x" * 101])
def test_a_key_that_is_no_key_is_refused_with_its_form(key: str) -> None:
    with pytest.raises(NotAllowed, match="8 到 100"):
        doneonce.shaped(key)
