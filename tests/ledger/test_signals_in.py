"""Signals in: the seal is RFC 8785's, and a batch goes in whole, each signal once, on both engines."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import signals
from models.ledger.store import Store
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
