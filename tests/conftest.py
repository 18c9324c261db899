"""Fixtures that every kind of test shares: real databases, and time that moves by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.ledger.store import Store
from support import postgres
from support.missing import missing

WAITING = ("river", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for processes stand evenly among those that compute: several at once then fill the machine,
    and none of the long ones is left for the end."""
    waits = {item.path: item.path.parent.name in WAITING for item in items}
    place = {
        path: number / len(group)
        for group in ([p for p in waits if waits[p]], [p for p in waits if not waits[p]])
        for number, path in enumerate(group)
    }
    items.sort(key=lambda item: place[item.path])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    try:
        with postgres.server() as server:
            yield server
    except postgres.Missing as why:
        missing(str(why))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh, empty database: each test that asks runs once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'huiying.sqlite'}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = Store(database_url)
    made.migrate()
    yield made
    made.close()
