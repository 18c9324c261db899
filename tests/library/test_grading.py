"""grading.yaml: the statutory bounds as they are written, and what a site may and may not change."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.core.standards import MEASURES, SENSITIVE
from models.core.vocabulary import Grade
from playbooks.checked import checked
from playbooks.grading_paper import SHIPPED, GradingSource, loosening, over, shipped
from playbooks.lint import lint
from playbooks.loader import load, parse
from playbooks.problem import Problems


def own(text: str) -> GradingSource:
    return checked(GradingSource, parse(text, "grading.yaml"))


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "grading.yaml"
    path.write_text(text, encoding="utf-8")
    return [problem.message for problem in lint([path])]


def test_the_shipped_file_has_no_problem_and_names_every_document() -> None:
    assert lint([SHIPPED]) == []
    for table in shipped().tables.values():
        assert table.document
        assert "N-000" not in table.facts
        assert set(table.measures()) <= set(MEASURES)
    assert set(shipped().sensitivity) == set(SENSITIVE)


@pytest.mark.parametrize(
    ("table", "level", "row"),
    [
        ("work_safety", Grade.I, {"deaths": 30}),
        ("work_safety", Grade.II, {"serious": 50}),
        ("work_safety", Grade.III, {"loss_cny": 10_000_000}),
        ("railway", Grade.I, {"derailed": 18, "halted_h": 48}),
        ("environment", Grade.II, {"evacuated": 10_000}),
        ("earthquake", Grade.I, {"dead_or_missing": 300}),
        ("earthquake", Grade.III, {"magnitude": 5.0}),
        ("mass_event", Grade.I, {"crowd": 5_000}),
        ("cyber", Grade.I, {"leaked": 100_000_000}),
    ],
)
def test_each_bound_is_the_one_of_its_text(table: str, level: Grade, row: dict[str, float]) -> None:
    assert row in [dict(one) for one in shipped().tables[table].rows[level]]


def test_levels_never_ask_for_more_than_the_graver_one() -> None:
    for table in shipped().tables.values():
        for graver, lesser in ((Grade.I, Grade.II), (Grade.II, Grade.III)):
            for row in table.rows[graver]:
                for other in table.rows[lesser]:
                    assert row.keys() != other.keys() or all(row[name] > other[name] for name in row)


def test_a_sites_row_comes_beside_the_shipped_ones_so_that_nothing_gets_laxer() -> None:
    table = over(own("tables: {work_safety: {III: [{injured: 30}]}}")).tables["work_safety"]
    rows = [dict(row) for row in table.rows[Grade.III]]
    assert {"injured": 30} in rows
    assert {"deaths": 3} in rows
    assert table.document == shipped().tables["work_safety"].document


def test_a_row_that_asks_for_more_changes_nothing_of_the_law() -> None:
    table = over(own("tables: {work_safety: {III: [{deaths: 9}]}}")).tables["work_safety"]
    assert {"deaths": 3} in [dict(row) for row in table.rows[Grade.III]]


def test_a_table_of_unchecked_numbers_holds_only_where_a_site_switches_it_on() -> None:
    assert not shipped().tables["food_poisoning"].active
    assert over(own("tables: {food_poisoning: {active: true}}")).tables["food_poisoning"].active


def test_heat_and_sensitivity_are_the_sites_to_change() -> None:
    made = over(
        own(
            "heat: {marks: {III: [{reposts: 2000}]}, worth: {reads: 0}}\nsensitivity: {minor_hurt: I, mass_leak: 'off'}"
        )
    )
    assert [dict(row) for row in made.heat.marks[Grade.III]] == [{"reposts": 2000}]
    assert made.heat.marks[Grade.I] == shipped().heat.marks[Grade.I]
    assert (made.heat.worth["reads"], made.heat.worth["comments"]) == (0, 0.5)
    assert made.sensitivity["minor_hurt"] is Grade.I
    assert "mass_leak" not in made.sensitivity


def test_a_sensitive_period_holds_on_both_its_ends() -> None:
    made = over(own("periods: [{name: 两会, first: 2027-03-01, last: 2027-03-15}]"))
    assert [made.period(date(2027, 3, day)) for day in (1, 15, 16)] == ["两会", "两会", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tables: {work_safety: {active: false}}", "不能关"),
        ("tables: {work_safety: {document: 本市标准}}", "站点不能改"),
        ("tables: {work_safty: {III: [{deaths: 1}]}}", "work_safty"),
        ("tables: {work_safety: {III: [{dead: 1}]}}", "dead"),
        ("tables: {work_safety: {III: [{deaths: 0}]}}", ""),
        ("heat: {marks: {V: [{reposts: 1}]}}", "V"),
        ("periods: [{name: 两会, first: 2027-03-15, last: 2027-03-01}]", "早于"),
        ("sensitivity: {gathering: maybe}", ""),
    ],
)
def test_what_a_site_may_not_say_is_refused_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert found
    assert any(said in message for message in found)


def test_nothing_at_all_is_the_shipped_standards() -> None:
    assert over(own("")) == shipped()
    assert loosening(load(SHIPPED), own("{}")) == []


def test_a_broken_file_raises_its_problems() -> None:
    with pytest.raises(Problems):
        own("tables: [1]")
