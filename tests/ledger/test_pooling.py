"""How many connections a process holds is said in the database's address, and a pooler may stand between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import partitions, signals
from models.ledger.store import LedgerError, Store, Unavailable
from models.ledger.verify import verify
from support import pgbouncer, postgres
from support.missing import missing

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=UTC)
THREADS, ROUNDS = 6, 12


def test_a_process_holds_no_more_connections_than_its_address_says(postgres_server: postgres.Server) -> None:
    store = Store(postgres_server.database() + "?pool_size=1&max_overflow=1&pool_timeout=1")
    try:
        with store.read(), store.read(), pytest.raises(Unavailable), store.read():
            pass
        with store.read() as conn:
            assert conn.execute(text("SELECT 1")).scalar_one() == 1
    finally:
        store.close()


@pytest.mark.parametrize("said", ["pool_size=0", "pool_size=many", "max_overflow=-1", "pgbouncer=yes"])
def test_a_wrong_number_is_refused_in_words(said: str) -> None:
    with pytest.raises(LedgerError, match="之间的整数"):
        Store(f"postgresql://huiying@127.0.0.1/none?{said}")


def _work(store: Store, mine: int) -> int:
    """What a process does all day, often enough that a driver would prepare its statements."""
    stored = 0
    for one in range(ROUNDS):
        post = RawSignal("s", f"{mine}-{one}", Medium.HOTLINE, f"停水 {mine}-{one}", "三天了")
        with store.write() as conn:
            stored += signals.collect(conn, NOW, Batch((post,)), "s", fingerprint)["accepted"]
        with store.write() as conn, store.part(conn):
            signals.mark_triaged(conn, signals.pending(conn, 1), NOW)
    return stored


def test_all_works_behind_a_pooler_that_changes_connections_with_each_transaction(
    postgres_server: postgres.Server,
) -> None:
    try:
        with pgbouncer.pooler(postgres_server.database(), connections=2) as address:
            store = Store(address + "?pgbouncer=1")
            try:
                store.migrate()
                partitions.make_ahead(store, NOW)
                with ThreadPoolExecutor(THREADS) as pool:
                    stored = sum(pool.map(lambda mine: _work(store, mine), range(THREADS)))
                assert stored == THREADS * ROUNDS
                with store.read() as conn:
                    assert signals.waiting(conn) == 0
                assert verify(store, NOW)["findings"] == []
            finally:
                store.close()
    except postgres.Missing as why:
        missing(str(why))
