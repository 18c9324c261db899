"""Group commit: what waits goes in together, and what the database refuses stops nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

import pytest

from flows.collecting.scribe import Counts, Scribe
from models.core.moment import CST
from models.ledger import duties
from models.ledger.store import Connection, LedgerError, Store

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    opened.migrate()
    yield opened
    opened.close()


def note(conn: Connection, name: str) -> Counts:
    """A row for each name; a name without words is one that no table takes."""
    row = {"id": name or None, "kind": "feed", "name": name, "url": "", "state": {}, "errors": 0}
    duties.put_source(conn, row)
    return {"written": 1}


def put(store: Store, names: list[str]) -> list[Counts | BaseException]:
    async def all_at_once() -> list[Counts | BaseException]:
        scribe = Scribe(store, note)
        return await asyncio.gather(*map(scribe.put, names), return_exceptions=True)

    return asyncio.run(all_at_once())


def written(store: Store) -> set[str]:
    with store.read() as conn:
        return set(duties.source_states(conn))


def test_everybody_is_told_when_their_own_is_committed(store: Store) -> None:
    names = [f"f{n}" for n in range(450)]
    assert put(store, names) == [{"written": 1}] * 450
    assert written(store) == set(names)


def test_what_the_database_refuses_is_told_to_its_owner_and_the_others_are_written(store: Store) -> None:
    ends = put(store, ["a", "", "b", "c"])
    assert [isinstance(end, LedgerError) for end in ends] == [False, True, False, False]
    assert written(store) == {"a", "b", "c"}


def test_what_is_wrong_with_one_thing_itself_is_told_to_its_owner_alone(store: Store) -> None:
    def picky(conn: Connection, name: str) -> Counts:
        name.encode()  # a lone surrogate is no fault of the database
        return note(conn, name)

    async def all_at_once() -> list[Counts | BaseException]:
        scribe = Scribe(store, picky)
        return await asyncio.gather(*map(scribe.put, ["a", "\ud800", "b"]), return_exceptions=True)

    ends = asyncio.run(all_at_once())
    assert [isinstance(end, UnicodeEncodeError) for end in ends] == [False, True, False]
    assert written(store) == {"a", "b"}


def test_when_the_database_is_away_all_are_told(store: Store) -> None:
    store.close()
    broken = Store("sqlite:////nonexistent-folder/x.sqlite")
    ends = put(broken, ["a", "b", "c", "d"])
    assert all(isinstance(end, LedgerError) for end in ends)
