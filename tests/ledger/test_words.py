"""Entries of the journal, in words that an officer reads."""

from __future__ import annotations

import pytest

from models.ledger.entry import Entry
from models.ledger.words import told


@pytest.mark.parametrize(
    ("names", "said"),
    [({"clock:first_statement": "首次权威发布"}, "首次权威发布"), ({}, "first_statement")],
)
def test_a_clock_is_told_by_its_name_where_that_is_known(names: dict[str, str], said: str) -> None:
    entry = Entry("evidence_added", {"kind": "published_statement", "clocks": ["first_statement"]}, "chen")
    assert told(entry, names).endswith(f"停止时钟: {said}")


def test_evidence_that_stops_nothing_says_so() -> None:
    assert told(Entry("evidence_added", {"kind": "published_statement", "clocks": []}, "chen"), {}).endswith(
        "无"
    )
