"""`verify` compares the tables with the journal piece by piece, and finds what is more, less or other at any place."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from models.core.vocabulary import Grade, StartEvent
from models.ledger import acts, verify
from models.ledger.incidents import INCIDENT, TIME
from models.ledger.store import Store
from support.duty import MIDNIGHT


def opened(store: Store) -> str:
    with store.write() as conn:
        opening = acts.Opening("停水", Grade.III, {StartEvent.DISCOVERY: MIDNIGHT}, "chen", "试")
        return acts.open_incident(conn, MIDNIGHT, opening, lambda _: [])


@pytest.mark.parametrize("size", [1, 3, 2000])
def test_each_difference_is_found_whatever_piece_it_lies_in(
    store: Store, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(verify, "READ_AT_ONCE", size)
    monkeypatch.setattr(verify, "KEYS_AT_ONCE", size)
    names = [opened(store) for _ in range(7)]
    assert verify.verify(store, MIDNIGHT)["findings"] == []
    with store.write() as conn:
        conn.execute(update(INCIDENT).where(INCIDENT.c.id == names[3]).values(title="改过"))
        (time,) = conn.execute(select(TIME).where(TIME.c.incident_id == names[5])).mappings()
        conn.execute(delete(TIME).where(TIME.c.id == time["id"]))
        conn.execute(insert(TIME).values(dict(time) | {"id": "made up"}))
    table = TIME.name
    assert set(verify.verify(store, MIDNIGHT)["findings"]) == {
        f"tables: incident {names[3]} 与日志不符: title",
        f"tables: {table} made up 不是日志写下的",
        f"tables: {table} {time['id']} 在日志中有、在表中没有",
    }
