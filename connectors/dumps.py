"""A whole database into a file and back, by the engine's own means while others go on writing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from connectors.ports import Refused, Unreachable


def copy_sqlite(database: Path, to: Path) -> None:
    """SQLite's online backup: one moment of the database, its write-ahead log included."""
    with (
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(to)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it


def dump_postgres(where: Mapping[str, str], to: Path) -> None:
    """pg_dump in its own compressed form. `where`: libpq's environment (PGHOST …). Raises Refused, Unreachable."""
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"], where)


def load_postgres(where: Mapping[str, str], dump: Path) -> None:
    """All or nothing, into an empty database. Raises Refused, Unreachable."""
    database = where["PGDATABASE"]
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run(["pg_restore", *options, f"--dbname={database}", str(dump)], where)


def _run(command: Sequence[str], where: Mapping[str, str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise Refused(f"缺少 {command[0]}；安装 PostgreSQL 客户端（apt-get install postgresql-client）后重试")
    done = subprocess.run(
        [program, *command[1:]], env={**os.environ, **where}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Unreachable(f"{command[0]} 没有完成：{said[-1] if said else f'退出码 {done.returncode}'}")
