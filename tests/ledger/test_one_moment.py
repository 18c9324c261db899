"""What is proven is proven of one moment, while others write."""

from __future__ import annotations

from models.ledger import journal
from models.ledger.entry import Entry
from models.ledger.store import Store
from support.duty import MIDNIGHT


def written(store: Store) -> None:
    with store.write() as conn:
        journal.append(conn, MIDNIGHT, [Entry("written_beside", {}, "huiying")])


def test_a_reader_of_one_moment_sees_nothing_of_what_is_written_meanwhile(store: Store) -> None:
    written(store)
    with store.moment() as conn:
        before = journal.length(conn)
        written(store)
        assert journal.length(conn) == before
    with store.read() as conn:
        assert journal.length(conn)[0] == before[0] + 1
