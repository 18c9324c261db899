"""What the processes of a site say of themselves: working state, a row each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, QueuePool, Table, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite

from models import migrations
from models.core.fleet import Seen
from models.ledger.store import Store
from models.records import Process

PROCESS: Table = Process.__table__  # type: ignore[attr-defined]


def say(conn: Connection, one: Seen) -> None:
    """Insert or replace a process's row."""
    row = {column.name: _plain(getattr(one, column.name)) for column in PROCESS.columns}
    changed = {name: value for name, value in row.items() if name != "id"}
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(PROCESS).values(row)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def known(conn: Connection) -> list[Seen]:
    """Every process that spoke and has not ended in order, by host and number."""
    rows = conn.execute(select(PROCESS).order_by(PROCESS.c.host, PROCESS.c.pid)).mappings()
    return [Seen(**{**row, "duties": tuple(row["duties"])}) for row in rows]


def forget(conn: Connection, ids: Iterable[str]) -> int:
    """Take rows away; how many there were."""
    return conn.execute(delete(PROCESS).where(PROCESS.c.id.in_(list(ids)))).rowcount


def forget_before(conn: Connection, then: datetime) -> int:
    """Take away the rows of those whose last word is older than this."""
    return conn.execute(delete(PROCESS).where(PROCESS.c.beat_at < then)).rowcount


def pool(store: Store) -> tuple[int, int] | None:
    """Of this process: connections in use, and how many it may have; None where they are not counted."""
    held = store.engine.pool
    return (held.checkedout(), held.size() + held._max_overflow) if isinstance(held, QueuePool) else None


def connections(conn: Connection) -> tuple[int, int] | None:
    """Of the server: connections in use by everybody, and how many it lets in; None on SQLite."""
    if conn.dialect.name != "postgresql":
        return None
    used = "SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database"  # other roles' too, whoever asks
    most = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    return conn.execute(text(used)).scalar_one(), conn.execute(text(most)).scalar_one()


def schema_in_force(conn: Connection) -> str:
    """The number of the newest migration that this database has seen."""
    return str(conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


@cache
def schema_known() -> str:
    """The number of the newest migration that this program brings."""
    return str(ScriptDirectory(str(Path(migrations.__file__).parent)).get_current_head())
