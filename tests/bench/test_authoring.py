"""How long an author waits: lint, rehearsals, differences, golden tests; and how many facts the library
stands on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from models.core.moment import CST
from models.core.situation import Situation
from models.core.vocabulary import EventType, Grade
from playbooks.book import Library
from playbooks.diff import difference
from playbooks.gantt import gantt, special_days
from playbooks.golden import files, run, team
from playbooks.holidays import published
from playbooks.library_page import coverage
from playbooks.lint import lint
from playbooks.problem import Problem
from playbooks.shelf import PROFILES, SHIPPED, _read_shipped, read_profile, shelve
from playbooks.simulate import EVERYBODY, rehearse, scene_at
from support.figures import Figures

ROUNDS = 5
MINUTE = timedelta(minutes=1)
T = TypeVar("T")


def test_lint_of_the_whole_library(measured: Figures) -> None:
    took: list[float] = []
    for _ in range(ROUNDS):
        _read_shipped.cache_clear()
        began = time.perf_counter()
        assert lint([SHIPPED, PROFILES]) == []
        took.append(time.perf_counter() - began)
    measured.add("lint of the whole library, first of a process", "s", "process", took[0])
    measured.add("lint of the whole library, worst of five", "s", "process", max(took))


def test_the_command_answers_soon(measured: Figures) -> None:
    began = time.perf_counter()
    command = [sys.executable, "-m", "flows.cli", "lint", str(SHIPPED), str(PROFILES)]
    subprocess.run(command, check=True, capture_output=True)
    measured.add(
        "huiying lint of the whole library, with its start", "s", "process", time.perf_counter() - began
    )


def test_the_facts_that_the_library_stands_on_are_counted(measured: Figures) -> None:
    found = coverage()
    measured.add("facts of evidence A and B cited by the library", "facts", "process", len(found.cited))
    measured.add("… built into the program instead", "facts", "process", len(found.elsewhere))
    measured.add("… left out, each with its reason", "facts", "process", len(found.without))
    assert len(found.cited) > 150


DAY_AND_NIGHT = timedelta(hours=48)
START = datetime(2026, 2, 13, 2, 13, tzinfo=CST)  # over the eve of a long holiday and a shifted Saturday


@pytest.mark.parametrize(
    ("answers", "who"), [({}, "nobody answers"), ({EVERYBODY: 5 * MINUTE}, "all answer")]
)
def test_a_rehearsal_of_two_days(answers: dict[str, timedelta], who: str, measured: Figures) -> None:
    """Every playbook that a confirmed major emergency calls for, and its picture."""
    situation = Situation(Grade.I, event_grade=Grade.I, event_type=EventType.ACCIDENT, confirmed=True)
    scene = replace(scene_at(START, situation, DAY_AND_NIGHT), answers=answers)
    library, calendar = national(), published()
    took, found = worst(lambda: rehearse(scene, library, team(), calendar))
    assert len(found.lines) > 20
    measured.add(
        f"simulate 48 h, {who}, {len(found.lines)} steps, worst of five", "ms", "process", took * 1000
    )
    drawn, _ = worst(lambda: gantt(found, special_days(found, calendar)))
    measured.add("  its picture, worst of five", "ms", "process", drawn * 1000)


def test_a_difference_and_the_golden_tests(measured: Figures) -> None:
    old = national()
    problems: list[Problem] = []
    stricter = read_profile(PROFILES / "cn-52-guizhou.yaml", problems)
    new = shelve(stricter, [], problems)
    took, found = worst(lambda: difference(old, new, team(), published()))
    assert found
    measured.add("diff of two libraries over its sample nights, worst of five", "ms", "process", took * 1000)
    took, outcomes = worst(lambda: run(files(SHIPPED)))
    assert not any(outcome.problems for outcome in outcomes)
    measured.add(f"{len(outcomes)} golden tests of the library, worst of five", "ms", "process", took * 1000)


def national() -> Library:
    return shelve(read_profile(PROFILES / "cn-national.yaml", []), [], [])


def worst(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of the slowest of `ROUNDS`, and what the last one gave."""
    longest = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = work()
        longest = max(longest, time.perf_counter() - began)
    return longest, found
