"""What becomes of a store's connections."""

from __future__ import annotations

from models.ledger.store import Store


def test_a_connection_that_is_in_use_when_the_store_closes_is_closed_when_it_comes_back(
    database_url: str,
) -> None:
    made = Store(database_url)
    with made.read() as conn:
        held = conn.connection
        record = held._connection_record
        assert record is not None
        made.close()
        assert record.dbapi_connection is not None
    assert record.dbapi_connection is None
    with made.read() as conn:  # a thread that has not heard of it yet
        record = conn.connection._connection_record
        assert record is not None
    assert record.dbapi_connection is None
