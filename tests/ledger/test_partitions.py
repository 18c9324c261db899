"""Months on PostgreSQL: made ahead, a net under them, an old database turned while an older process writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql

from models import migrations
from models.core.months import Month, month_of, read_month
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import partitions, signals
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.store import LedgerError, Store
from models.ledger.verify import verify
from support import postgres

NOW = datetime(2027, 3, 31, 16, 30, tzinfo=UTC)
"""Half past midnight of April in Beijing, and still March in Greenwich."""


@pytest.fixture
def server(postgres_server: postgres.Server) -> Iterator[Store]:
    made = Store(postgres_server.database())
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def older(postgres_server: postgres.Server) -> Iterator[Store]:
    """A database as the release before this one left it."""
    made = Store(postgres_server.database())
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with made.write() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0004")
    yield made
    made.close()


def batch(*numbers: int) -> Batch:
    return Batch(tuple(RawSignal("s", str(one), Medium.HOTLINE, f"停水 {one}", "三天了") for one in numbers))


def collect(store: Store, at: datetime, *numbers: int) -> dict[str, int]:
    with store.write() as conn:
        return signals.collect(conn, at, batch(*numbers), "s", fingerprint)


def collect_as_before(store: Store, at: datetime, *numbers: int) -> int:
    """The statement of the release before this one, and its journal entry."""
    rows = [signals._row(one, at, fingerprint) for one in batch(*numbers).signals]
    said = postgresql.insert(signals.SIGNAL).on_conflict_do_nothing(index_elements=["uid"])
    with store.write() as conn:
        new = set(conn.execute(said.returning(signals.SIGNAL.c.uid), rows).scalars())
        seals = [[row["uid"], row["digest"]] for row in rows if row["uid"] in new]
        append(conn, at, [Entry("signals_collected", {"source": "s", "seals": seals}, actor="source:s")])
    return len(new)


def lying(store: Store, table: str = "signal") -> dict[str, int]:
    """part → rows in it."""
    with store.read() as conn:
        found = conn.execute(
            text(f"SELECT tableoid::regclass::text AS part, count(*) FROM {table} GROUP BY 1")
        )
        return {row[0]: row[1] for row in found}


def test_a_month_begins_and_ends_at_midnight_in_beijing() -> None:
    assert month_of(NOW) == Month(2027, 4) == read_month("2027_04")
    assert Month(2026, 12).until == Month(2027, 1).since == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert [str(Month(2026, 11).later(n)) for n in (-11, 0, 2)] == ["2025-12", "2026-11", "2027-01"]
    with pytest.raises(ValueError, match="不是月份"):
        read_month("2026-13")


def test_months_are_made_ahead_and_what_fell_into_the_net_is_brought_to_its_month(server: Store) -> None:
    late = NOW + timedelta(days=300)
    assert collect(server, late, 1, 2)["accepted"] == 2
    assert collect(server, late - timedelta(days=40), 3)["accepted"] == 1
    with server.read() as conn:
        assert partitions.strays(conn) == {"signal": 3, "journal": 2}
    made = partitions.make_ahead(server, late)
    assert {"signal_2028_01", "signal_2028_04", "journal_2028_04", "signal_2027_12"} <= set(made)
    assert lying(server) == {"signal_2027_12": 1, "signal_2028_01": 2}
    with server.read() as conn:
        assert partitions.strays(conn) == {}
        assert [row.title for row in signals.pending(conn, 9)] == ["停水 1", "停水 2", "停水 3"]
    assert partitions.make_ahead(server, late) == []
    assert verify(server, late)["findings"] == []


def test_too_many_strays_are_left_in_the_net_until_somebody_has_time(server: Store) -> None:
    late = NOW + timedelta(days=300)
    collect(server, late, 1, 2, 3)
    made = partitions.make_ahead(server, late, most=2)
    assert made
    assert "signal_2028_01" not in made
    with server.read() as conn:
        assert partitions.strays(conn) == {"signal": 3}
    assert partitions.make_ahead(server, late, most=None) == ["signal_2028_01"]
    assert lying(server) == {"signal_2028_01": 3}


def test_a_long_reading_lets_the_months_wait_and_not_the_writers(server: Store) -> None:
    with server.read() as reading:
        reading.execute(select(signals.SIGNAL))
        with pytest.raises(LedgerError):
            partitions.make_ahead(server, NOW + timedelta(days=300))
        assert collect(server, NOW, 1)["accepted"] == 1
    assert partitions.make_ahead(server, NOW + timedelta(days=300))


def test_an_older_process_works_on_until_the_tables_are_turned(older: Store) -> None:
    assert collect_as_before(older, NOW, 1, 2) == 2
    older.migrate()
    assert collect_as_before(older, NOW, 2, 3) == 1
    assert collect(older, NOW, 3, 4) == {"read": 2, "accepted": 1, "duplicate": 1, "rejected": 0}
    with older.read() as conn:
        assert [one.table for one in partitions.plain(conn)] == ["signal", "journal"]
    assert verify(older, NOW)["findings"] == []
    said: list[str] = []
    assert partitions.convert(older, NOW, said.append) == ["signal", "journal"]
    assert collect(older, NOW, 1, 2, 3, 4, 5)["accepted"] == 1
    with pytest.raises(LedgerError, match="ON CONFLICT"):
        collect_as_before(older, NOW, 6)  # in words, and nothing of it is stored: the source is read again
    assert collect(older, NOW, 6)["accepted"] == 1
    assert lying(older) == {"signal_before_2027_06": 6}
    assert collect(older, NOW + timedelta(days=70), 7)["accepted"] == 1
    assert lying(older) == {"signal_before_2027_06": 6, "signal_2027_06": 1}
    with older.read() as conn:
        ids = [row.id for row in signals.pending(conn, 99)]
    assert ids == sorted(set(ids))
    assert len(ids) == 7
    assert verify(older, NOW)["findings"] == []
    assert partitions.convert(older, NOW, said.append) == []


def test_the_rows_stay_where_they_are_when_a_table_is_turned(older: Store) -> None:
    collect_as_before(older, NOW, *range(50))
    older.migrate()
    where = text("SELECT pg_relation_filenode('signal'), pg_relation_filenode('ix_signal_fingerprint')")
    with older.read() as conn:
        before = conn.execute(where).one()
    partitions.convert(older, NOW, lambda _: None)
    moved = text(
        "SELECT pg_relation_filenode('signal_before_2027_06'), pg_relation_filenode('ix_signal_fingerprint_before')"
    )
    with older.read() as conn:
        assert conn.execute(moved).one() == before
        kept = conn.execute(
            text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'ix_signal_fingerprint'::regclass")
        )
        assert kept.scalar_one() == len(partitions.parts(conn, "signal"))


def test_what_was_broken_off_is_begun_anew(older: Store) -> None:
    collect_as_before(older, NOW, 1)
    older.migrate()
    partitions._index_beside(older, "signal")
    partitions._check_beside(older, "signal", Month(2027, 6))
    assert partitions.unbind(older, NOW) == [], "it may be at work: its bound is two months off"
    late = NOW + timedelta(days=100)
    assert partitions.unbind(older, late) == ["signal"]
    assert collect(older, late, 2)["accepted"] == 1, "nothing is refused for want of a month"
    assert partitions.convert(older, late, lambda _: None) == ["signal", "journal"]
    assert lying(older) == {"signal_before_2027_09": 2}
