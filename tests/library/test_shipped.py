"""The shipped playbooks carry the real numbers, each with its document and fact."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models.core.clock import ClockRule, plan
from models.core.moment import CST
from models.core.situation import Situation
from models.core.vocabulary import EventType, Grade, OpinionKind, StartEvent
from playbooks.book import Library
from playbooks.condition import samples
from playbooks.lint import lint
from playbooks.problem import Problem
from playbooks.schema_json import KINDS, SCHEMAS, schema, schema_text
from playbooks.shelf import HOME, PROFILES, SHIPPED, profile_names, read_profile, shelve

HOUR = timedelta(hours=1)


def library(profile: str = "cn-national") -> Library:
    problems: list[Problem] = []
    made = shelve(read_profile(PROFILES / f"{profile}.yaml", problems), [], problems)
    assert problems == []
    return made


def all_rules(profile: str = "cn-national") -> list[ClockRule]:
    return [clock.rule for book in library(profile).playbooks for clock in book.clocks]


def rule(name: str, profile: str = "cn-national") -> ClockRule:
    return next(each for each in all_rules(profile) if each.id == name)


def test_nothing_shipped_has_a_problem() -> None:
    assert lint([SHIPPED, PROFILES, HOME / "starter"]) == []


@pytest.mark.parametrize(
    ("clock", "hours", "start", "facts", "statutory"),
    [
        ("first_statement", 5, StartEvent.OCCURRENCE, {"N-007", "S-020"}, True),
        ("press_conference", 24, StartEvent.OCCURRENCE, {"N-003", "N-008", "S-021", "S-022"}, True),
        ("general_response", 48, StartEvent.FIRST_PUBLIC, {"N-004", "S-023"}, True),
        ("update", 12, StartEvent.OCCURRENCE, {"S-024"}, False),
        ("clarify", 2, StartEvent.DISCOVERY, {"N-040", "N-061"}, False),
        ("handover", 2, StartEvent.DISCOVERY, {"N-006", "S-035"}, False),
        ("acknowledge", 1, StartEvent.GRADED, {"N-091"}, False),
    ],
)
def test_each_number_is_the_one_of_its_source(
    clock: str, hours: int, start: StartEvent, facts: set[str], statutory: bool
) -> None:
    found = rule(clock)
    assert (found.amount, found.start, found.statutory) == (hours * HOUR, start, statutory)
    assert {basis.fact for basis in found.basis} == facts


@pytest.mark.parametrize("profile", profile_names())
def test_every_clock_names_a_document_and_a_fact(profile: str) -> None:
    for each in all_rules(profile):
        assert each.basis, each.id
        assert all(basis.doc and re.fullmatch(r"[SNL]-\d{3}", basis.fact) for basis in each.basis), each.id


def test_a_clock_that_no_document_numbers_says_that_it_is_a_proposal() -> None:
    for path in SHIPPED.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        clocks = text.count("amount:")
        assert text.count("statutory: true") + text.count("proposal:") == clocks, path.name


@pytest.mark.parametrize(
    ("profile", "clock", "hours", "fact"),
    [
        ("cn-52-guizhou", "first_statement", 3, "L-001"),
        ("cn-52-guizhou", "press_conference", 24, "L-003"),
        ("cn-41-henan", "general_response", 24, "L-012"),
        ("cn-41-henan", "first_statement", 5, "N-007"),
    ],
)
def test_a_province_has_its_own_numbers(profile: str, clock: str, hours: int, fact: str) -> None:
    found = rule(clock, profile)
    assert found.amount == hours * HOUR
    assert fact in {basis.fact for basis in found.basis}


def test_guizhou_gives_one_hour_from_receipt_when_the_report_came_late() -> None:
    occurred = datetime(2026, 11, 21, 2, 0, tzinfo=CST)
    times = {StartEvent.OCCURRENCE: occurred, StartEvent.RECEIPT: occurred + 4 * HOUR}
    planned = plan(rule("first_statement", "cn-52-guizhou"), times)
    assert planned is not None
    assert planned.due_at == occurred + 5 * HOUR
    assert "L-002" in {basis.fact for basis in planned.basis}


def ids(situation: Situation) -> list[str]:
    return [each.id for _, each in library().rules(situation)]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (Situation(Grade.IV), ["acknowledge", "general_response"]),
        (
            Situation(Grade.II, event_grade=Grade.II),
            ["acknowledge", "first_statement", "press_conference", "update"],
        ),
        (
            Situation(Grade.I, heat_grade=Grade.I),
            ["acknowledge", "first_statement", "press_conference", "update"],
        ),
        (Situation(Grade.II, sensitivity_grade=Grade.II), ["acknowledge", "general_response"]),
        (
            Situation(Grade.III, kind=OpinionKind.FALSE_INFO),
            ["acknowledge", "general_response", "clarify", "handover"],
        ),
    ],
)
def test_a_situation_gets_its_clocks(situation: Situation, expected: list[str]) -> None:
    assert ids(situation) == expected


def test_every_situation_has_an_acknowledgement_and_exactly_one_of_strict_and_general() -> None:
    names = frozenset({"grade", "event_grade", "heat_grade", "kind"})
    books = library()
    for values in samples(names):
        found = [book.id for book in books.playbooks if book.trigger.true_of(values)]
        rules = [clock for clock in books.playbooks[0].clocks if clock.applies_when.true_of(values)]
        assert len(rules) == 1
        assert ("major_emergency" in found) != ("general_opinion" in found)


@pytest.mark.parametrize(
    ("grade", "expected"),
    [
        (Grade.II, [("0m", 1), ("10m", 2), ("30m", 3), ("100%", 4)]),
        (Grade.III, [("0m", 1), ("30m", 2), ("1h", 2), ("100%", 3)]),
    ],
)
def test_an_acknowledgement_climbs_the_ladder_by_grade(grade: Grade, expected: list[tuple[str, int]]) -> None:
    found = next(each for _, each in library().rules(Situation(grade)) if each.id == "acknowledge")
    assert [(step.key, step.rung) for step in found.steps] == expected
    assert found.repeat is None


def test_every_clock_can_start_from_discovery_alone() -> None:
    """The system always knows when it discovered: no clock may wait for a time nobody knows."""
    for profile in profile_names():
        assert all(StartEvent.DISCOVERY in (each.start, *each.fallback) for each in all_rules(profile))


def test_the_version_names_the_content_and_not_the_comments() -> None:
    versions = {name: {book.id: book.version for book in library(name).playbooks} for name in profile_names()}
    assert versions["cn-national"]["rumour"] == versions["cn-52-guizhou"]["rumour"]
    assert versions["cn-national"]["major_emergency"] != versions["cn-52-guizhou"]["major_emergency"]
    assert all(re.fullmatch(r"[0-9a-f]{12}", each) for each in versions["cn-national"].values())


def test_a_condition_on_the_type_of_event_can_be_told() -> None:
    assert library().choose(Situation(Grade.IV, event_type=EventType.NATURAL))[-1].id == "general_opinion"


# ---- the editor's schema ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_committed_schema_is_fresh(kind: str) -> None:
    committed = (SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(kind), (
        "run: python -c 'from playbooks.schema_json import *; write_schemas()'"
    )


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_key_of_a_schema_is_described_in_chinese(kind: str) -> None:
    body = schema(kind)
    for model in (body, *body.get("$defs", {}).values()):
        for name, field in model.get("properties", {}).items():
            assert re.search("[一-鿿]", field.get("description", "")), f"{model.get('title')}.{name}"


def test_an_unknown_schema_is_refused_with_a_guess() -> None:
    with pytest.raises(ValueError, match="是不是 “playbook”"):
        schema("playbok")


@pytest.mark.parametrize(
    "path", sorted([*SHIPPED.glob("*.yaml"), *PROFILES.glob("*.yaml")]), ids=lambda path: path.stem
)
def test_every_file_points_the_editor_to_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match is not None
    assert json.loads((path.parent / match[1]).read_text(encoding="utf-8"))["type"] == "object"
