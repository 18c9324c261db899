"""Two at once: senders whose lease has run out, people who act while the sweep is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from models.core.vocabulary import AlertState, EvidenceKind, Grade, StartEvent
from models.ledger import acts, outbox, proving
from models.ledger.outbox import ALERT, Attempt
from models.ledger.raising import Sweep, raise_due
from models.ledger.store import LedgerError, Store
from models.ledger.verify import verify
from support.duty import HOUR, MIDNIGHT, MINUTE, ROSTER, rules_for

LEASE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def opened(store: Store, at: datetime = MIDNIGHT) -> str:
    times = {StartEvent.DISCOVERY: at, StartEvent.OCCURRENCE: at}
    opening = acts.Opening("化工园区火灾", Grade.II, times, "chen", "热线来电", provisional=False)
    with store.write() as conn:
        return acts.open_incident(conn, at, opening, rules_for)


def side_by_side(*works: Callable[[], object]) -> list[str]:
    """Run all at once; what the database refused."""
    refused: list[str] = []

    def one(work: Callable[[], object]) -> None:
        try:
            work()
        except LedgerError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def test_a_sender_that_comes_too_late_does_not_undo_anothers_acceptance(store: Store) -> None:
    opened(store)
    due = MIDNIGHT + 2.5 * HOUR
    with store.write() as conn:
        raise_due(conn, Sweep(due, ROSTER))
    with store.write() as conn:
        (slow,) = outbox.claim(conn, due, due + LEASE, "slow", 10)
    later = due + LEASE + SECOND
    with store.write() as conn:
        (quick,) = outbox.claim(conn, later, later + LEASE, "quick", 10)
    with store.write() as conn:
        taken = Attempt(quick.id, accepted=True, lasting=False, reason="HTTP 200", channel="hook")
        outbox.settle(conn, later + SECOND, [(quick, taken)])
    with store.write() as conn:
        missed = Attempt(slow.id, accepted=False, lasting=False, reason="no answer", channel="hook")
        outbox.settle(conn, later + 2 * SECOND, [(slow, missed)])
    with store.read() as conn:
        assert conn.execute(select(ALERT.c.state)).scalars().all() == [AlertState.ACCEPTED.value]


def test_incidents_that_people_open_at_the_same_moment_get_numbers_of_their_own(store: Store) -> None:
    made: list[str] = []

    def some() -> None:
        made.extend(opened(store) for _ in range(10))

    assert side_by_side(*[some] * 4) == []
    assert len(set(made)) == 40


def test_a_person_who_stops_a_clock_while_the_sweep_runs_is_not_refused(store: Store) -> None:
    incidents = [opened(store) for _ in range(40)]
    ended = threading.Event()

    def stop() -> None:
        try:
            for incident in incidents:
                proof = proving.Proof(
                    EvidenceKind.STATEMENT, "临江发布", MIDNIGHT + HOUR, MIDNIGHT + HOUR,
                    url="https://example.org/1", snapshot=b"1",
                )  # fmt: skip
                with store.write() as conn:
                    proving.stop(conn, MIDNIGHT + 1000 * HOUR, incident, proof, "li", "已发布", rules_for)
        finally:
            ended.set()

    def sweep() -> None:
        now = MIDNIGHT + 2 * HOUR
        while not ended.is_set() and now < MIDNIGHT + 1000 * HOUR:
            now += 10 * MINUTE
            with store.write() as conn:
                raise_due(conn, Sweep(now, ROSTER))

    assert side_by_side(stop, sweep) == []
    assert verify(store, MIDNIGHT + 1000 * HOUR)["ok"]
