"""How long an author waits: lint of the whole library, and how many facts it stands on."""

from __future__ import annotations

import subprocess
import sys
import time

from playbooks.library_page import coverage
from playbooks.lint import lint
from playbooks.shelf import PROFILES, SHIPPED, _read_shipped
from support.figures import Figures

ROUNDS = 5


def test_lint_of_the_whole_library_takes_less_than_a_second(measured: Figures) -> None:
    took: list[float] = []
    for _ in range(ROUNDS):
        _read_shipped.cache_clear()
        began = time.perf_counter()
        assert lint([SHIPPED, PROFILES]) == []
        took.append(time.perf_counter() - began)
    measured.add("lint of the whole library, first of a process", "s", "process", took[0])
    measured.add("lint of the whole library, worst of five", "s", "process", max(took))
    assert max(took) < 1.0


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
