"""The migrations and the models say the same, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlmodel import SQLModel

from models.ledger.store import Store
from models.records import TRUTH


def test_the_migrated_schema_is_the_one_that_the_models_declare(store: Store) -> None:
    with store.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_again_changes_nothing_and_loses_nothing(store: Store) -> None:
    store.migrate()
    with store.read() as conn:
        names = set(inspect(conn).get_table_names())
    assert {model.__tablename__ for model in TRUTH} <= names
