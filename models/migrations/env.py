"""Alembic's entry: it is handed an open connection by `Store.migrate` and owns no settings."""

from alembic import context
from sqlmodel import SQLModel

from models import records  # noqa: F401  (registers the tables)


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
