"""The migrations and the models say the same, on both databases."""

from __future__ import annotations

import re
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

from models.ledger.store import Store
from models.records import TRUTH

PART = re.compile(r"(signal|journal)_(default|\d{4}_\d{2})")
"""A month of a table; its columns are its table's."""


def _compared(thing: Any, name: str | None, kind: str, _there: bool, _other: Any) -> bool:
    return not (kind == "table" and name and PART.fullmatch(name))


def _in_months(difference: Any) -> bool:
    """A table in months cannot keep its uids single by itself: `seen` does."""
    return difference[0] == "add_constraint" and difference[1].table.name == "signal"


def test_the_migrated_schema_is_the_one_that_the_models_declare(store: Store) -> None:
    with store.read() as conn:
        options = {"compare_type": True, "include_object": _compared}
        found = compare_metadata(MigrationContext.configure(conn, opts=options), SQLModel.metadata)
    assert [one for one in found if store.sqlite or not _in_months(one)] == []


def test_migrating_again_changes_nothing_and_loses_nothing(store: Store) -> None:
    store.migrate()
    with store.read() as conn:
        names = set(inspect(conn).get_table_names())
    assert {model.__tablename__ for model in TRUTH} <= names
