"""How hard to press (`HUIYING_FAULTS=long`), and the table that the campaigns print at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from support import figures, postgres
from support.missing import missing

LINES = pytest.StashKey[list[dict[str, Any]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


@pytest.fixture
def long() -> bool:
    """The long campaign: a thousand kills and more, for `make faults`."""
    return os.environ.get("HUIYING_FAULTS") == "long"


@pytest.fixture
def seed() -> int:
    """`HUIYING_FAULTS_SEED` plays the same dice again (the machine's own timing still differs)."""
    return int(os.environ.get("HUIYING_FAULTS_SEED") or random.SystemRandom().randrange(10**6))


@pytest.fixture
def campaigns(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Each campaign adds its figures here, as a column of the table."""
    return request.config.stash[LINES]


@pytest.fixture
def own_postgres() -> Iterator[postgres.Server]:
    """A PostgreSQL that a test may stop: nobody else's work is on it."""
    if os.environ.get("HUIYING_TEST_POSTGRES"):
        missing("HUIYING_TEST_POSTGRES names a server that is not ours to stop")
    try:
        with postgres.server() as server:
            yield server
    except postgres.Missing as why:
        missing(str(why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    columns = config.stash.get(LINES, [])
    if columns:
        names = list(dict.fromkeys(name for column in columns for name in column))
        head, *rows = [[name, *(column.get(name, "–") for column in columns)] for name in names]
        terminalreporter.section("faults")
        terminalreporter.write_line(figures.table(head, rows))
