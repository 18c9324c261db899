"""The database itself: engines, transactions, and nothing about meaning.

A write transaction holds the journal's end from its first statement (SQLite: `BEGIN IMMEDIATE`;
PostgreSQL: an advisory lock). So the chain has no forks, a decision stands on what it has read, and no
two writers can wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, Row, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from models import migrations

__all__ = ["Connection", "LedgerError", "Row", "Store"]  # the shapes that flows hold in their hands

LIBPQ = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
"""What an address's query may say, by the variables that PostgreSQL's own programs read."""

BUSY_S = 30
"""How long a writer waits for another on SQLite, in seconds."""


class LedgerError(Exception):
    """The database said no; the words name it and the way out."""


class Unavailable(LedgerError):
    """The database as a whole cannot now: away, locked, full. Nothing that was written is to blame."""


class Unfit(LedgerError):
    """What was asked or written holds what no text or number of the database can (a NUL, 10^30): the words are to
    blame, and the database is well."""


class NotThere(LedgerError):
    """There is no such thing in the ledger; the words name what was asked for and where to look."""


class Store:
    """One database. Thread-safe; make one per process and `close()` it."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.archive: Path | None = None
        """Where the files of months that have left lie; who opens the store says it."""
        self.engine = _sqlite(parsed) if self.sqlite else _server(parsed)
        self._closed = False
        event.listen(self.engine, "checkin", self._came_back)

    @property
    def shown(self) -> str:
        """The address without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    @property
    def libpq(self) -> dict[str, str]:
        """The address as PostgreSQL's own programs read it from their environment: no password in a
        list of processes."""
        url = self.url
        said = {
            "PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
            "PGDATABASE": url.database,
        }  # fmt: skip
        more = {LIBPQ[name]: value for name, value in url.query.items() if name in LIBPQ}
        return {name: str(value) for name, value in {**said, **more}.items() if value is not None}

    def is_empty(self) -> bool:
        """No table is there yet."""
        if self.sqlite and not Path(str(self.url.database)).exists():
            return True
        with self._guarded():
            return not inspect(self.engine).get_table_names()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._guarded(), self._connected() as conn, conn.begin():
            yield conn

    @contextmanager
    def moment(self) -> Iterator[Connection]:
        """Reading everything as it stood at one moment, whatever is written meanwhile (SQLite always does)."""
        level = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with self._guarded(), self._connected(**level) as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with (
            self._guarded(),
            self._connected(huiying_write=True) as conn,
            conn.begin(),
        ):
            if not self.sqlite:
                conn.execute(_JOURNALS_END)
            yield conn

    def _connected(self, **options: Any) -> Connection:
        return self.engine.connect().execution_options(huiying_archive=self.archive, **options)

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """Each statement by itself, and no other writer is held up: what takes long on a table in use."""
        with self._guarded(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            yield conn

    @contextmanager
    def part(self, conn: Connection) -> Iterator[None]:
        """A part of a transaction that may fail alone: what it did is undone, and the rest can go on."""
        with self._guarded(), conn.begin_nested():
            yield

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unavailable(self._in_words(error)) from error
        except DataError as error:
            raise Unfit(self._in_words(error)) from error
        except SQLAlchemyError as error:
            raise LedgerError(self._in_words(error)) from error

    def _in_words(self, error: SQLAlchemyError) -> str:
        return f"数据库 {self.shown}: {_first_line(error)}"

    def server_time(self) -> datetime | None:
        """The database server's own clock; None on SQLite, which has none of its own."""
        if self.sqlite:
            return None
        with self.read() as conn:
            moment: datetime = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
            return moment

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe to call from several processes."""
        if self.sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        with self.write() as conn:
            if not self.sqlite:
                conn.execute(text("SELECT pg_advisory_xact_lock(4711)"))
            if not _is_ahead(conn, config):
                config.attributes["connection"] = conn
                command.upgrade(config, "head")

    def close(self) -> None:
        """Give up all connections; one that a thread still has in hand when it comes back."""
        self._closed = True
        self.engine.dispose()

    def _came_back(self, _: object, record: ConnectionPoolEntry) -> None:
        if self._closed:
            record.invalidate()


def _is_ahead(conn: Connection, config: Config) -> bool:
    """Has a newer program brought the schema on? Then this one works on it as it is: that is what newer schemas are
    made for, and an older process that starts again during an upgrade must not stay away."""
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    return not known.issuperset(MigrationContext.configure(conn).get_current_heads())


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return str(cause or error).strip().splitlines()[0]


_JOURNALS_END: Final = text(
    "SELECT set_config('idle_in_transaction_session_timeout', '15s', true),"
    " set_config('tcp_user_timeout', '15s', true),"
    " set_config('tcp_keepalives_idle', '5', true),"
    " set_config('tcp_keepalives_interval', '5', true),"
    " set_config('tcp_keepalives_count', '2', true),"
    " set_config('client_connection_check_interval', '5s', true),"
    " pg_advisory_xact_lock(4712)"
)
"""Take the end of the journal, after saying how the server is to know within seconds that the writer's machine has
vanished. By itself it asks after two hours, and so long nobody else could write: every clock would stand. Said for
this transaction alone, so that it also holds behind a pooler."""

PATIENCE = {
    "connect_timeout": 10,  # seconds, for each address
    "keepalives": 1,
    "keepalives_idle": 15,  # seconds of silence before the first question
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds that what we sent may go unacknowledged
}
"""A server that vanishes without a word (a dropped route, a frozen machine) is given up after half a
minute; the database's address may say otherwise (libpq's own names)."""


POOL: Final = {"pool_size": (8, 1, 200), "max_overflow": (16, 0, 200), "pool_timeout": (30, 1, 600)}
"""What the address may say of a process's connections: what holds where it says nothing, the least, the most.
`pool_size` stay open, up to `max_overflow` more come and go, who gets none within `pool_timeout` seconds is told."""
POOLER: Final = "pgbouncer"
"""`pgbouncer=1`: a pooler stands between, which may give each transaction another connection of its own."""


def _server(url: URL) -> Engine:
    """Nothing of ours outlives a transaction (locks and settings are of one alone), so that a pooler by transactions
    needs one thing: that no statement is prepared on a connection that the next may not have. Raises LedgerError."""
    patience: dict[str, Any] = {name: value for name, value in PATIENCE.items() if name not in url.query}
    if _told(url, POOLER, (0, 0, 1)):
        patience["prepare_threshold"] = None
    said = {name: _told(url, name, limits) for name, limits in POOL.items()}
    bare = url.difference_update_query([*POOL, POOLER])
    return create_engine(bare, pool_pre_ping=True, connect_args=patience, **said)


def _told(url: URL, name: str, limits: tuple[int, int, int]) -> int:
    usual, least, most = limits
    said = str(url.query.get(name, usual))
    if not said.isdecimal() or not least <= int(said) <= most:
        raise LedgerError(f"database 地址里的 {name}={said} 不行；写 {least} 到 {most} 之间的整数")
    return int(said)


def _sqlite(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settle(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves: the driver's own is too late
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        write = conn.get_execution_options().get("huiying_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
