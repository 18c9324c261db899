"""The five stages: which moves are legal, who may make them, what each stage must leave behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.core.casework import ProductKind
from models.core.lifecycle import ORDER, Move, forbidden, owed
from models.core.vocabulary import Stage

EVERYTHING = frozenset(ProductKind)
FORWARD = Move(Stage.COLLECT, Stage.CONSULT, 1, 4, "摘要已成", made=EVERYTHING)


@pytest.mark.parametrize(
    ("here", "to"),
    [
        (Stage.COLLECT, Stage.CONSULT),
        (Stage.COLLECT, Stage.ASSESS),
        (Stage.CONSULT, Stage.ASSESS),
        (Stage.ASSESS, Stage.RESPOND),
        (Stage.RESPOND, Stage.EVALUATE),
    ],
)
def test_the_legal_moves_forward_need_nothing_but_the_product_and_the_rank(here: Stage, to: Stage) -> None:
    assert forbidden(Move(here, to, 2, 4, "理由", made=EVERYTHING, answered=True)) == ""


def test_every_other_move_forward_is_refused_with_what_comes_next() -> None:
    legal = {
        (Stage.COLLECT, Stage.CONSULT), (Stage.COLLECT, Stage.ASSESS), (Stage.CONSULT, Stage.ASSESS),
        (Stage.ASSESS, Stage.RESPOND), (Stage.RESPOND, Stage.EVALUATE),
    }  # fmt: skip
    others = [(a, b) for n, a in enumerate(ORDER) for b in ORDER[n + 1 :] if (a, b) not in legal]
    assert others
    for here, to in others:
        said = forbidden(Move(here, to, 4, 4, "理由", made=EVERYTHING, answered=True))
        assert f"{here.zh}之后是" in said
        assert "S-002" in said


def test_an_emergency_goes_straight_to_the_answer_without_papers() -> None:
    move = Move(Stage.COLLECT, Stage.RESPOND, 2, 4, "特别重大", urgent=True)
    assert forbidden(move) == ""
    assert "收集之后是" in forbidden(replace(move, urgent=False))


def test_a_stage_is_not_left_without_its_product() -> None:
    said = forbidden(replace(FORWARD, made=frozenset()))
    assert "收集摘要" in said
    assert "--text" in said


def test_nothing_published_keeps_it_from_being_evaluated() -> None:
    move = Move(Stage.RESPOND, Stage.EVALUATE, 2, 4, "已平息", made=EVERYTHING)
    assert "还没有公开发布" in forbidden(move)
    assert forbidden(replace(move, answered=True)) == ""


def test_back_goes_anywhere_but_only_with_a_reason_and_from_the_second_rung() -> None:
    back = Move(Stage.EVALUATE, Stage.COLLECT, 2, 4, "情况有变")
    assert forbidden(back) == ""
    assert "写明理由" in forbidden(replace(back, reason=" "))
    assert "第 2 级以上" in forbidden(replace(back, rung=1))


def test_who_stands_on_no_rung_moves_nothing() -> None:
    assert "第 1 级以上" in forbidden(replace(FORWARD, rung=0))


def test_a_short_ladder_is_enough_for_its_own_site() -> None:
    assert forbidden(Move(Stage.ASSESS, Stage.RESPOND, 1, 1, "发布", made=EVERYTHING)) == ""


def test_closing_is_no_move_and_the_same_stage_is_none_either() -> None:
    assert "close" in forbidden(replace(FORWARD, to=Stage.CLOSED))
    assert "已在收集" in forbidden(replace(FORWARD, to=Stage.COLLECT))


def test_what_was_skipped_is_still_owed() -> None:
    assert owed(Stage.RESPOND, frozenset({ProductKind.MINUTES})) == (
        ProductKind.COLLECTED,
        ProductKind.ASSESSMENT,
    )
    assert owed(Stage.CLOSED, EVERYTHING) == ()
