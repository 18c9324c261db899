"""An incident moved through its stages: products, limits, ranks; and what moves it by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.core.casework import ProductKind
from models.core.vocabulary import EvidenceKind, Grade, Stage
from models.ledger import acts, incidents, limits, stages
from models.ledger.incidents import NotAllowed
from models.ledger.stages import Mover
from models.ledger.store import Store
from support.duty import HOUR, MIDNIGHT
from support.limits import Rules, holds, opened, publish, rule, shown, timeline

QUIET = Rules()
CHIEF = Mover("li", 2, 4)
OFFICER = Mover("chen", 1, 4)


def calm(store: Store, rules: Rules = QUIET) -> str:
    """An incident of grade IV, in 研判 as every one begins."""
    incident = opened(store, rules)
    with store.write() as conn:
        acts.set_grade(conn, MIDNIGHT, incident, Grade.IV, "li", "核实", rules)
    return incident


def move(
    store: Store, incident: str, to: Stage, at: datetime = MIDNIGHT, text: str = "", mover: Mover = CHIEF,
    within: timedelta | None = HOUR,
) -> None:  # fmt: skip
    with store.write() as conn:
        stages.move(conn, at, incident, to, mover, "推进", text=text, within=within, people=("chen",))


def stage(store: Store, incident: str) -> str:
    with store.read() as conn:
        return str(incidents.get(conn, incident).stage)


def test_a_stage_is_left_with_its_product_and_entered_with_its_own_limit(store: Store) -> None:
    incident = calm(store)
    move(store, incident, Stage.COLLECT)
    move(store, incident, Stage.CONSULT, MIDNIGHT + HOUR / 2, "三处信源，均称停水")
    assert shown(store, incident, MIDNIGHT + HOUR)["stage.consult"] == "running 0.5 → 1.5"
    assert shown(store, incident, MIDNIGHT + HOUR)["stage.collect"].startswith("met ")
    with store.read() as conn:
        seen = stages.view(conn, incidents.get(conn, incident), {})
    assert [(one["kind_zh"], one["text"]) for one in seen["products"]] == [("收集摘要", "三处信源，均称停水")]
    assert timeline(store, incident, "stage_moved") == ["退回收集", "由收集 → 会商"]
    holds(store, MIDNIGHT + HOUR)


def test_no_product_no_move_and_nothing_is_written(store: Store) -> None:
    incident = calm(store)
    with pytest.raises(NotAllowed, match="研判结论"):
        move(store, incident, Stage.RESPOND)
    assert stage(store, incident) == "assess"
    holds(store, MIDNIGHT)


def test_the_officer_moves_it_on_but_neither_back_nor_into_the_answer(store: Store) -> None:
    incident = calm(store)
    with pytest.raises(NotAllowed, match="第 2 级以上"):
        move(store, incident, Stage.COLLECT, mover=OFFICER)
    with pytest.raises(NotAllowed, match="第 2 级以上"):
        move(store, incident, Stage.RESPOND, text="可以回应", mover=OFFICER)
    move(store, incident, Stage.COLLECT)
    move(store, incident, Stage.CONSULT, text="摘要", mover=OFFICER)
    assert stage(store, incident) == "consult"


def test_what_is_published_puts_it_into_the_answer_and_ends_the_stage_s_limit(store: Store) -> None:
    incident = calm(store)
    move(store, incident, Stage.COLLECT)
    publish(store, QUIET, incident, MIDNIGHT + HOUR / 2)
    assert stage(store, incident) == "respond"
    with store.read() as conn:
        assert limits.live(conn, incident, "stage.") == []
    holds(store, MIDNIGHT + HOUR)


def test_an_answer_while_it_is_evaluated_does_not_throw_it_back(store: Store) -> None:
    incident = calm(store)
    publish(store, QUIET, incident, MIDNIGHT + HOUR)
    move(store, incident, Stage.EVALUATE, MIDNIGHT + 2 * HOUR)
    publish(store, QUIET, incident, MIDNIGHT + 3 * HOUR, EvidenceKind.UPDATE)
    assert stage(store, incident) == "evaluate"


def test_it_is_not_evaluated_before_anything_is_published(store: Store) -> None:
    rules = Rules(rule("general_response", 48, EvidenceKind.RESPONSE))
    incident = calm(store, rules)
    move(store, incident, Stage.RESPOND, text="须回应")
    with pytest.raises(NotAllowed, match="还没有公开发布"):
        move(store, incident, Stage.EVALUATE)
    publish(store, rules, incident, MIDNIGHT + HOUR, EvidenceKind.RESPONSE)
    move(store, incident, Stage.EVALUATE, MIDNIGHT + HOUR)
    assert stage(store, incident) == "evaluate"


def test_a_running_stage_keeps_no_incident_from_closing(store: Store) -> None:
    incident = calm(store)
    move(store, incident, Stage.COLLECT)
    with store.write() as conn:
        acts.close(conn, MIDNIGHT + HOUR / 2, incident, "li", "误报")
    assert stage(store, incident) == "closed"
    with store.read() as conn:
        assert limits.live(conn, incident) == []
    with pytest.raises(NotAllowed, match="已办结"):
        move(store, incident, Stage.CONSULT)
    holds(store, MIDNIGHT + HOUR)


def test_a_product_may_be_written_without_moving_and_the_newest_stands_first(store: Store) -> None:
    incident = calm(store)
    with store.write() as conn:
        for hour, text in enumerate(("初步意见", "定论")):
            at = MIDNIGHT + hour * HOUR
            stages.write(conn, at, incident, ProductKind.ASSESSMENT, text, "chen", "")
        seen = stages.view(conn, incidents.get(conn, incident), {"chen": "陈值班"})
        with pytest.raises(NotAllowed, match="不能为空"):
            stages.write(conn, MIDNIGHT, incident, ProductKind.MINUTES, "  ", "chen", "")
    assert [one["text"] for one in seen["products"]] == ["定论", "初步意见"]
    assert seen["products"][0]["by"] == "陈值班"
    assert seen["owed"] == ["收集摘要", "会商纪要"]
    holds(store, MIDNIGHT + HOUR)


def test_a_product_too_long_and_one_that_the_stage_does_not_have_are_refused(store: Store) -> None:
    incident = calm(store)
    with pytest.raises(NotAllowed, match="超过 20000 字"):
        move(store, incident, Stage.RESPOND, text="长" * 20_001)
    publish(store, QUIET, incident, MIDNIGHT + HOUR)
    with pytest.raises(NotAllowed, match="登记凭据"):
        move(store, incident, Stage.EVALUATE, MIDNIGHT + HOUR, text="已回应")
