"""Conditions are small, safe, and mean what they say."""

import pytest

from models.core.situation import Situation
from models.core.vocabulary import Grade, OpinionKind
from playbooks.condition import Condition, check
from playbooks.strict import TooWide, narrower


def test_a_condition_sees_the_situation() -> None:
    condition = Condition('kind == "false_info" && signals >= 5')
    assert condition.holds(Situation(Grade.IV, kind=OpinionKind.FALSE_INFO, signals=5))
    assert not condition.holds(Situation(Grade.IV, kind=OpinionKind.FALSE_INFO, signals=4))
    assert not condition.holds(Situation(Grade.IV, signals=9))


@pytest.mark.parametrize(
    "text",
    [
        "true",
        'grade in ["I", "II"]',
        '!(event_grade == "I" || heat_grade == "I")',
        'confirmed && event_type != ""',
        'medium.startsWith("we")',
        "signals > 3 ? confirmed : false",
    ],
)
def test_a_sensible_condition_passes(text: str) -> None:
    assert check(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "grade",
        "signals + 1",
        "grade > 3",
        "nothing == 1",
        "confirmed == ",
        "grade in grade",
        'matches(medium, "x")',
        'grade == "V"',
        "has(grade.x)",
        "[1, 2].map(x, x) == [1]",
        "(" * 30 + "true" + ")" * 30,
        "confirmed || signals == 'x'",
        '"' + "x" * 600 + '" == medium',
    ],
)
def test_a_senseless_one_is_refused(text: str) -> None:
    assert check(text) is not None


def test_a_type_error_behind_a_short_circuit_is_found() -> None:
    assert check('kind == "false_info" && signals > "5"') is not None
    assert check('kind != "" || signals > "5"') is not None


def test_a_narrower_condition_is_found_by_an_example() -> None:
    law = Condition('event_grade in ["I", "II"]')
    missed = narrower(law, Condition('event_grade == "I"'))
    assert missed is not None
    assert missed["event_grade"] == "II"
    assert narrower(law, Condition('event_grade != ""')) is None
    assert narrower(law, Condition("true")) is None


def test_conditions_over_too_many_variables_are_not_compared() -> None:
    words = " || ".join(
        f'{name} == ""' for name in ("grade", "event_type", "kind", "medium", "sensitivity_grade")
    )
    with pytest.raises(TooWide):
        narrower(Condition('event_grade == "I" || heat_grade == "I"'), Condition(words))


def test_a_condition_that_cannot_be_decided_holds() -> None:
    assert Condition("signals / 0 > 1").holds(Situation(Grade.IV))


def test_a_division_by_an_unlucky_number_is_refused() -> None:
    assert check("10 / signals > 1") is not None
