"""What the benches share: sizes, a receiver in a process of its own, and the table at the end.

Collected only when asked for (`make bench`, or a path under tests/bench): `make test` measures nothing.
`HUIYING_BENCH=short` makes everything small, `HUIYING_BENCH_OUT` names another folder for bench.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import figures, postgres
from support.figures import Figures
from support.sink import Sink

HERE = Path(__file__).parent
FIGURES = pytest.StashKey[Figures]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked = any("bench" in str(argument) for argument in config.args) or "HUIYING_BENCH" in os.environ
    return None if asked else True


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = Figures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(FIGURES, Figures())
    if not found.found:
        return
    where = figures.machine()
    out = Path(os.environ.get("HUIYING_BENCH_OUT") or HERE.parent / "output")
    out.mkdir(parents=True, exist_ok=True)
    answer = {"machine": where, "short": is_short(), "figures": found.plain()}
    (out / "bench.json").write_text(json.dumps(answer, ensure_ascii=False, indent=1), encoding="utf-8")
    terminalreporter.section("bench")
    terminalreporter.write_line(f"{where['cores']} cores, {where['system']}, Python {where['python']}")
    terminalreporter.write_line(found.table())


def is_short() -> bool:
    return os.environ.get("HUIYING_BENCH") == "short"


@pytest.fixture
def short() -> bool:
    return is_short()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Figures:
    """`measured.add(what, unit, engine, value)`."""
    return request.config.stash[FIGURES]


@pytest.fixture
def engine(database_url: str) -> str:
    return database_url.split(":")[0]


@pytest.fixture
def second_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another fresh database on the same engine."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'second.sqlite'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as started:
        yield started
