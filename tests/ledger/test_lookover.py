"""Which incidents are looked at again: those that something has touched, and no others."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.core.vocabulary import Grade, StartEvent
from models.ledger import acts
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.lookover import Lookover
from models.ledger.store import Store
from support.duty import MIDNIGHT

HOUR = timedelta(hours=1)
BOOKS = object()


def opened(store: Store, at: datetime) -> str:
    with store.write() as conn:
        times = {StartEvent.DISCOVERY: at}
        return acts.open_incident(
            conn, at, acts.Opening("停水", Grade.III, times, "chen", "试"), lambda _: []
        )


def looked_at(store: Store, over: Lookover, at: datetime, rules: object = BOOKS) -> list[str]:
    with store.read() as conn:
        found = over.changed(conn, at, rules)
    for one in found:
        over.settled(one)
    return sorted(one.id for one in found)


def test_an_incident_is_looked_at_once_until_something_touches_it(store: Store) -> None:
    over, minute = Lookover(), timedelta(minutes=1)
    first, second = opened(store, MIDNIGHT), opened(store, MIDNIGHT)
    assert looked_at(store, over, MIDNIGHT) == [first, second]
    assert looked_at(store, over, MIDNIGHT + minute) == []
    with store.write() as conn:
        acts.acknowledge(conn, MIDNIGHT + minute, second, "chen", "陈值班", "已知悉", lambda _: [])
    assert looked_at(store, over, MIDNIGHT + 2 * minute) == [second]
    assert looked_at(store, over, MIDNIGHT + 3 * minute) == []


def test_more_signals_and_each_hour_are_seen_though_no_entry_speaks_of_the_incident(store: Store) -> None:
    over, incident = Lookover(), opened(store, MIDNIGHT)
    assert looked_at(store, over, MIDNIGHT) == [incident]
    with store.write() as conn:
        grown = {"update": {"incident": [{"id": incident, "signal_count": 7}]}}
        append(conn, MIDNIGHT, [Entry("signals_counted", grown, "huiying")])
    assert looked_at(store, over, MIDNIGHT) == [incident]
    assert looked_at(store, over, MIDNIGHT + 0.9 * HOUR) == []
    assert looked_at(store, over, MIDNIGHT + HOUR) == [incident]


def test_other_playbooks_are_a_reason_to_look_at_all(store: Store) -> None:
    over, incident = Lookover(), opened(store, MIDNIGHT)
    assert looked_at(store, over, MIDNIGHT) == [incident]
    assert looked_at(store, over, MIDNIGHT, object()) == [incident]


def test_what_was_not_settled_is_looked_at_again(store: Store) -> None:
    over, incident = Lookover(), opened(store, MIDNIGHT)
    with store.read() as conn:
        assert len(over.changed(conn, MIDNIGHT, BOOKS)) == 1
    assert looked_at(store, over, MIDNIGHT) == [incident]
