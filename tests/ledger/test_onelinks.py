"""The ledger's side of one-use links, on both databases: the key, what is known of a link, its one use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from models.core.onelink import LinkAct, LinkState, granted, judge
from models.core.vocabulary import Grade, StartEvent
from models.ledger import acts, onelinks, raising
from models.ledger.acts import Opening
from models.ledger.raising import Sweep
from models.ledger.reaching import newest
from models.ledger.store import Connection, Row, Store
from models.ledger.verify import verify
from support.duty import HOUR, MIDNIGHT, ROSTER, rules_for

HALF = MIDNIGHT + 2.5 * HOUR
"""Half of the first statement's five hours."""
LATER = HALF + timedelta(minutes=5)


def alerted(store: Store) -> Row[Any]:
    """An incident with its first alert to chen."""
    times = {StartEvent.OCCURRENCE: MIDNIGHT, StartEvent.DISCOVERY: MIDNIGHT}
    with store.write() as conn:
        acts.open_incident(conn, MIDNIGHT, Opening("火灾", Grade.II, times, "li", "人工"), rules_for)
        raising.raise_due(conn, Sweep(HALF, ROSTER))
        return newest(conn, "chen")[0]


def state(conn: Connection, alert: str) -> LinkState:
    row = onelinks.about(conn, alert)
    assert row is not None
    grant = granted(row.id, row.person_id, row.raised_at)
    return judge(grant, onelinks.known(conn, row, LinkAct.ACK, counts=True), LATER)


def test_the_key_is_drawn_once_and_the_first_counts(store: Store) -> None:
    with store.write() as conn:
        assert onelinks.key(conn) is None
        assert onelinks.draw(conn, bytes(32)) == bytes(32)
        assert onelinks.draw(conn, bytes(range(32))) == bytes(32)
        assert onelinks.key(conn) == bytes(32)


def test_a_use_acknowledges_and_is_remembered_together(store: Store) -> None:
    alert = alerted(store)
    with store.write() as conn:
        assert state(conn, alert.id) is LinkState.READY
        row = onelinks.about(conn, alert.id)
        assert row is not None
        onelinks.use(conn, LATER, granted(row.id, row.person_id, row.raised_at), row, rules_for)
        assert state(conn, alert.id) is LinkState.DONE
        assert onelinks.known(conn, row, LinkAct.ACK, counts=True).done_at == LATER
    assert verify(store, LATER)["findings"] == []


def test_an_acknowledgement_before_the_alert_does_not_use_its_link(store: Store) -> None:
    alert = alerted(store)
    with store.write() as conn:
        earlier = HALF - HOUR
        acts.acknowledge(conn, earlier, alert.incident_id, "chen", "陈", "已知悉", rules_for)
        assert state(conn, alert.id) is LinkState.READY
        acts.acknowledge(conn, LATER, alert.incident_id, "chen", "陈", "已知悉", rules_for)
        assert state(conn, alert.id) is LinkState.DONE


def test_there_is_nothing_about_an_alert_that_never_was(store: Store) -> None:
    with store.read() as conn:
        assert onelinks.about(conn, "0" * 32) is None
