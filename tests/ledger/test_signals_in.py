"""Signals in: the seal is RFC 8785's, and a batch goes in whole, each signal once, on both engines."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.core.signals import Batch, RawSignal, Rejected
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import deadletters, signals
from models.ledger.store import LedgerError, Store
from models.ledger.verify import verify

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@given(title=WORDS, body=WORDS, author=st.none() | WORDS, reads=st.integers(0, 2**53 - 1))
def test_the_seal_is_the_one_that_rfc_8785_gives(
    title: str, body: str, author: str | None, reads: int
) -> None:
    row = {
        "uid": "u", "source_id": "s", "medium": "news", "title": title, "body": body, "url": None,
        "author": author, "place": None, "metrics": {"reads": reads, "likes": 0},
        "published_at": NOW, "occurred_at": None,
    }  # fmt: skip
    said = row | {"published_at": "2026-11-21T10:13:00+08:00"}
    assert signals.digest(row) == hashlib.sha256(rfc8785.dumps(said)).hexdigest()


def raw(number: int, title: str) -> RawSignal:
    return RawSignal(
        "s", str(number), Medium.HOTLINE, title, "小区停水", published_at=NOW, metrics={"reads": 3}
    )


def test_of_two_alike_in_a_batch_the_first_stands_and_what_is_known_is_not_touched(store: Store) -> None:
    first = Batch((raw(1, "甲"), raw(2, "乙"), raw(1, "甲改")))
    second = Batch((raw(2, "乙改"), raw(3, "丙"), raw(4, '引号"与\\斜杠\n换行')))
    with store.write() as conn:
        assert signals.collect(conn, NOW, first, "s", fingerprint)["accepted"] == 2
        assert signals.collect(conn, NOW, second, "s", fingerprint)["accepted"] == 2
    with store.read() as conn:
        found = {row.title: row for row in signals.pending(conn, 10)}
    assert list(found) == ["甲", "乙", "丙", '引号"与\\斜杠\n换行']
    assert found["丙"].metrics == {"reads": 3}
    assert (found["丙"].published_at, found["丙"].occurred_at) == (NOW, None)
    assert verify(store, NOW)["findings"] == []


DIRT = "坏\ud800字\x00"


def test_no_text_of_a_stranger_makes_the_database_refuse_it(store: Store) -> None:
    dirty = RawSignal(
        DIRT, DIRT, Medium.HOTLINE, DIRT, DIRT, url=DIRT, author=DIRT, place=DIRT, metrics={DIRT: 3}
    )
    letter = Rejected(DIRT, DIRT, DIRT, {"row": {DIRT: [DIRT, float("nan")]}, "columns": {"title": DIRT}})
    with store.write() as conn:
        done = signals.collect(conn, NOW, Batch((dirty,), (letter,)), "s", fingerprint)
        assert (done["accepted"], done["rejected"]) == (1, 1)
        (row,), (kept,) = signals.pending(conn, 9), deadletters.listed(conn)
    assert row.title == row.url == row.author == kept.reason == "坏\\ud800字\ufffd"
    assert kept.fields["columns"]["title"] in kept.fields["row"]
    assert verify(store, NOW)["findings"] == []


def test_two_ids_that_differ_in_what_cannot_be_written_stay_two(store: Store) -> None:
    both = [RawSignal("s", f"T{end}", Medium.HOTLINE, "停水", "") for end in ("\ud800", "\ud801")]
    with store.write() as conn:
        assert signals.collect(conn, NOW, Batch(tuple(both)), "s", fingerprint)["accepted"] == 2


def test_a_part_of_a_transaction_fails_alone(store: Store) -> None:
    with store.write() as conn:
        signals.collect(conn, NOW, Batch((raw(1, "甲"),)), "s", fingerprint)
        with pytest.raises(LedgerError), store.part(conn):
            signals.collect(conn, NOW, Batch((raw(2, "乙"),)), "s", fingerprint)
            conn.exec_driver_sql("SELECT no_such_column FROM signal")
        signals.collect(conn, NOW, Batch((raw(3, "丙"),)), "s", fingerprint)
    with store.read() as conn:
        assert [row.title for row in signals.pending(conn, 9)] == ["甲", "丙"]
    assert verify(store, NOW)["findings"] == []
