"""The shipped playbooks carry the real numbers, each with its document and fact."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models.core.clock import ClockRule, plan
from models.core.moment import CST
from models.core.situation import Situation
from models.core.vocabulary import Domain, EventType, Grade, OpinionKind, StartEvent
from models.core.workdays import WorkingDays
from playbooks.book import Library
from playbooks.condition import samples
from playbooks.lint import lint
from playbooks.problem import Problem
from playbooks.schema import PlaybookSource
from playbooks.schema_json import KINDS, SCHEMAS, schema, schema_text
from playbooks.shelf import (
    HOME,
    PROFILES,
    SHIPPED,
    profile_names,
    read_profile,
    shelve,
    shipped_playbooks,
)

HOUR = timedelta(hours=1)


def shipped() -> list[PlaybookSource]:
    problems: list[Problem] = []
    books = [draft.playbook for draft in shipped_playbooks(problems)]
    assert problems == []
    return books


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
        ("update", 12, StartEvent.LAST_UPDATE, {"S-024"}, False),
        ("clarify", 2, StartEvent.DISCOVERY, {"N-040", "N-061"}, False),
        ("handover", 2, StartEvent.DISCOVERY, {"N-006", "S-035"}, False),
        ("acknowledge", 1, StartEvent.GRADED, {"N-091"}, False),
        ("cac_reply", 4, StartEvent.RECEIPT, {"S-040"}, False),
        ("upward_report", 1, StartEvent.RECEIPT, {"S-041", "N-063", "N-065"}, False),
        ("accident_report", 2, StartEvent.RECEIPT, {"N-085"}, True),
        ("accident_report_province", 2, StartEvent.AFTER, {"N-085"}, False),
        ("accident_report_state", 2, StartEvent.AFTER, {"N-085"}, False),
        ("health_report", 2, StartEvent.RECEIPT, {"N-095", "N-096"}, True),
        ("health_report_province", 2, StartEvent.AFTER, {"N-096"}, False),
        ("health_report_state", 1, StartEvent.AFTER, {"N-097"}, False),
        ("animal_report", 2, StartEvent.RECEIPT, {"N-099"}, True),
        ("animal_report_province", 1, StartEvent.AFTER, {"N-099"}, False),
        ("animal_report_state", 1, StartEvent.AFTER, {"N-099"}, False),
        ("environment_report", 2, StartEvent.DISCOVERY, {"N-101"}, True),
        ("public_notice", 1, StartEvent.DISCOVERY, {"N-061"}, False),
        ("cyber_report", 4, StartEvent.DISCOVERY, {"N-104"}, True),
        ("message_answer", 90 * 24, StartEvent.RECEIPT, {"N-034"}, True),
        ("petition_notice", 15 * 24, StartEvent.RECEIPT, {"N-132"}, True),
        ("petition_result", 60 * 24, StartEvent.AFTER, {"N-134"}, True),
    ],
)
def test_each_number_is_the_one_of_its_source(
    clock: str, hours: int, start: StartEvent, facts: set[str], statutory: bool
) -> None:
    found = rule(clock)
    assert (found.amount, found.start, found.statutory) == (hours * HOUR, start, statutory)
    assert {basis.fact for basis in found.basis} == facts


@pytest.mark.parametrize(
    ("clock", "days", "fact", "statutory"),
    [
        ("interpretation", 3, "S-070", False),
        ("investigation_interim", 5, "S-032", False),
        ("ticket_reply", 5, "L-030", False),
        ("site_error_reply", 3, "N-037", True),
        ("disclosure_reply", 20, "N-046", True),
    ],
)
def test_each_number_of_working_days_is_the_one_of_its_source(
    clock: str, days: int, fact: str, statutory: bool
) -> None:
    found = rule(clock)
    assert (found.amount, found.statutory) == (WorkingDays(days), statutory)
    assert fact in {basis.fact for basis in found.basis}


@pytest.mark.parametrize("profile", profile_names())
def test_every_clock_names_a_document_and_a_fact(profile: str) -> None:
    for each in all_rules(profile):
        assert each.basis, each.id
        assert all(basis.doc and re.fullmatch(r"[SNL]-\d{3}", basis.fact) for basis in each.basis), each.id


def test_a_clock_that_no_document_numbers_says_that_it_is_a_proposal() -> None:
    for book in shipped():
        for clock in book.clocks:
            assert clock.statutory != bool(clock.proposal), f"{book.id}.{clock.id}"
        for task in (*book.tasks, *book.after_action):
            assert task.due is None or task.basis or task.proposal, f"{book.id}: {task.name}"
        for variable in book.variables.values():
            assert variable.basis or variable.proposal, variable.about


@pytest.mark.parametrize(
    ("profile", "clock", "hours", "fact"),
    [
        ("cn-52-guizhou", "first_statement", 3, "L-001"),
        ("cn-52-guizhou", "press_conference", 24, "L-003"),
        ("cn-52-guizhou", "accident_release", 3, "L-004"),
        ("cn-36-jiangxi-2014", "first_statement", 2, "L-005"),
        ("cn-36-jiangxi-2014", "press_conference", 4, "L-006"),
        ("cn-11-beijing", "first_statement", 5, "L-008"),
        ("cn-11-beijing", "detail_report", 2, "L-009"),
        ("township-strict", "general_response", 48, "L-021"),
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
        (
            Situation(Grade.II, event_grade=Grade.II, event_type=EventType.ACCIDENT, medium="weibo"),
            ["acknowledge", "first_statement", "press_conference", "update"],
        ),
        (
            Situation(Grade.II, event_grade=Grade.II, event_type=EventType.ACCIDENT, confirmed=True),
            [
                "acknowledge",
                "first_statement",
                "press_conference",
                "update",
                "accident_report",
                "accident_report_province",
                "accident_report_state",
            ],
        ),
        (Situation(Grade.IV, medium="weibo", kind=OpinionKind.HARDSHIP), ["acknowledge", "general_response"]),
        (Situation(Grade.IV, medium="hotline"), ["acknowledge", "general_response", "ticket_reply"]),
        (
            Situation(Grade.IV, medium="message"),
            ["acknowledge", "general_response", "ticket_reply", "message_answer"],
        ),
        (Situation(Grade.III, medium="site_error"), ["acknowledge", "general_response", "site_error_reply"]),
        (Situation(Grade.III, medium="cac_notice"), ["acknowledge", "general_response", "cac_reply"]),
        (
            Situation(Grade.III, kind=OpinionKind.MAJOR_PROBLEM),
            ["acknowledge", "general_response", "investigation_interim"],
        ),
        (
            Situation(Grade.IV, domain=Domain.ENVIRONMENT),
            ["acknowledge", "general_response", "environment_report", "public_notice"],
        ),
        (Situation(Grade.IV, domain=Domain.DISCLOSURE), ["acknowledge", "disclosure_reply"]),
        (Situation(Grade.IV, domain=Domain.POLICY), ["acknowledge", "general_response", "interpretation"]),
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


REPORTED = {"accident_report", "health_report", "animal_report"}
"""Counted by law from the moment that somebody reported it to us (493号令10, 376号令20): where nobody did, there is
nothing to pass on yet, and the receipt is for a person to state."""


def test_every_clock_can_start_from_discovery_alone() -> None:
    """The system always knows when it discovered: no clock may wait for a time nobody knows. Only a round
    waits for its publication, a link for the one before it, an interpretation for its document."""
    waiting = (StartEvent.LAST_UPDATE, StartEvent.AFTER, StartEvent.DOCUMENT)
    for profile in profile_names():
        for each in all_rules(profile):
            if each.start not in waiting and each.id not in REPORTED:
                assert StartEvent.DISCOVERY in (each.start, *each.fallback), each.id


def test_a_name_of_a_variable_is_used_by_one_playbook_only() -> None:
    """A profile sets a variable by its name: two playbooks must not share one."""
    names = [name for book in shipped() for name in book.variables]
    assert len(names) == len(set(names))


def test_the_stricter_limit_holds_while_an_environmental_event_is_not_graded() -> None:
    amounts = {
        grade: next(
            rule.amount
            for _, rule in library().rules(Situation(Grade.IV, grade, domain=Domain.ENVIRONMENT))
            if rule.id == "environment_report"
        )
        for grade in (None, Grade.II, Grade.III)
    }
    assert amounts == {None: 2 * HOUR, Grade.II: 2 * HOUR, Grade.III: 4 * HOUR}


def test_the_version_names_the_content_and_not_the_comments() -> None:
    versions = {name: {book.id: book.version for book in library(name).playbooks} for name in profile_names()}
    assert versions["cn-national"]["rumour"] == versions["cn-52-guizhou"]["rumour"]
    assert versions["cn-national"]["major_emergency"] != versions["cn-52-guizhou"]["major_emergency"]
    assert all(re.fullmatch(r"[0-9a-f]{12}", each) for each in versions["cn-national"].values())


def test_a_condition_on_the_type_of_event_can_be_told() -> None:
    chosen = [
        book.id
        for book in library().choose(Situation(Grade.IV, event_type=EventType.PUBLIC_HEALTH, confirmed=True))
    ]
    assert chosen == ["acknowledge", "three_reviews", "general_opinion", "health_food_school"]


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
