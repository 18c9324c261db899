"""A database for a while: empty, of the same engine, gone at the end. For drills; nothing of the ledger is touched."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from models.ledger.store import LedgerError, Store

MARK = "_drill_"
LONGEST = 63
"""PostgreSQL's bound for a name, in bytes."""


@contextmanager
def scratch(store: Store, folder: Path) -> Iterator[str]:
    """The address of an empty database: a file in `folder`, or one on the same server (whose user must be allowed
    to create databases). What drills that were killed have left there goes too. Raises LedgerError."""
    if store.sqlite:
        yield f"sqlite:///{folder / 'scratch.sqlite'}"
        return
    name = _prefix(store) + secrets.token_hex(4)
    with store.beside() as conn:
        _allowed(conn)
        for left in _left_over(conn, _prefix(store)):
            _drop(conn, left)
        conn.execute(text(f"CREATE DATABASE {_quoted(name)}"))
    try:
        yield store.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with store.beside() as conn:
            _drop(conn, name)


def _allowed(conn: Connection) -> None:
    asked = "SELECT rolcreatedb OR rolsuper AS may, rolname FROM pg_roles WHERE rolname = current_user"
    role = conn.execute(text(asked)).one()
    if not role.may:
        raise LedgerError(
            f"数据库用户 {role.rolname} 不能建库，演练没有地方恢复；"
            f"请数据库管理员执行 ALTER ROLE {role.rolname} CREATEDB"
        )


def _prefix(store: Store) -> str:
    return str(store.url.database)[: LONGEST - len(MARK) - 8] + MARK


def _left_over(conn: Connection, prefix: str) -> list[str]:
    """Those that nobody is connected to."""
    found = conn.execute(
        text(
            "SELECT datname FROM pg_database WHERE starts_with(datname, :prefix) AND datname NOT IN"
            " (SELECT datname FROM pg_stat_activity WHERE datname IS NOT NULL)"
        ),
        {"prefix": prefix},
    )
    return [str(row.datname) for row in found]


def _drop(conn: Connection, name: str) -> None:
    conn.execute(text(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace(":", r"\:") + '"'
