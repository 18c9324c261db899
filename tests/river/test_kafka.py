"""From a real broker into the ledger: each ticket once, poison kept with its place, outages named."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.broker import TicketConsumer, publish
from flows.desk import Desk
from flows.ingest import broker_settings, consume, follow_broker, store
from flows.wiring import House
from models.ledger.signals import DEAD, SIGNAL
from models.ledger.store import LedgerError, Store
from models.ledger.verify import verify
from support import postgres
from support.gate import Gate
from support.kafka import Broker, broker
from support.missing import missing
from support.sites import ENVIRON, write_site
from support.waiting import until

NOBODY = "http://127.0.0.1:9"
POLLS = 120
"""A consumer that never gets its messages is cut here, by the count of its polls."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@dataclass
class Queue:
    """A site that reads one topic of the broker, and the topic's other end."""

    house: House
    topic: str

    def send(self, *messages: dict[str, Any] | bytes, bootstrap: str = "") -> None:
        settings = broker_settings(self.house)
        publish(replace(settings, bootstrap=bootstrap or settings.bootstrap), self.topic, messages)

    @contextmanager
    def consumer(self) -> Iterator[TicketConsumer]:
        with TicketConsumer(replace(broker_settings(self.house), session_timeout_s=6)) as made:
            yield made

    def read(self, wanted: int) -> Counter[str]:
        """A consumer comes, takes `wanted` messages or more, and goes."""
        counts: Counter[str] = Counter()
        with self.consumer() as consumer:
            for _ in range(POLLS):
                counts.update(consume(self.house, consumer, 0.5))
                if counts["read"] >= wanted:
                    return counts
        raise AssertionError(f"{POLLS} polls brought {counts} of {wanted} messages")

    def titles(self) -> list[str]:
        with self.house.store.read() as conn:
            return sorted(conn.execute(select(SIGNAL.c.title)).scalars())

    def dead(self) -> list[Any]:
        with self.house.store.read() as conn:
            return list(conn.execute(select(DEAD).order_by(DEAD.c.id)))

    def item(self) -> dict[str, Any]:
        """What the board says of Kafka."""
        items = Desk(self.house).board()["coverage"]["items"]
        return next(item for item in items if item["name"] == "kafka")


@contextmanager
def queue_of(folder: Path, bootstrap: str, database: str) -> Iterator[Queue]:
    topic = f"tickets-{uuid.uuid4().hex[:8]}"
    kafka = {"bootstrap": bootstrap, "topics": [topic], "group": f"g-{topic}"}
    with House.open(write_site(folder, NOBODY, database=database, site={"kafka": kafka}), ENVIRON) as house:
        yield Queue(house, topic)


@pytest.fixture
def queue(tmp_path: Path, kafka: Broker, database_url: str) -> Iterator[Queue]:
    with queue_of(tmp_path / "site", kafka.bootstrap, database_url) as made:
        yield made


@contextmanager
def following(house: House) -> Iterator[threading.Thread]:
    """The broker followed by a thread of its own, as the clock loop does."""
    stopped = threading.Event()
    thread = threading.Thread(target=follow_broker, args=(house, stopped), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stopped.set()
        thread.join(60)
    assert not thread.is_alive()


def ticket(number: int) -> dict[str, Any]:
    return {
        "id": f"T{number:03}",
        "title": f"第 {number:03} 件",
        "body": "小区停水三天",
        "published_at": "2026-11-21 02:13",
    }


def test_tickets_become_signals_once_each_and_are_not_read_again(queue: Queue) -> None:
    queue.send(*(ticket(n) for n in range(40)), ticket(7), ticket(8))
    counts = queue.read(42)
    assert counts == {"read": 42, "accepted": 40, "duplicate": 2, "rejected": 0}
    assert queue.titles() == [f"第 {n:03} 件" for n in range(40)]
    queue.send(ticket(100))
    assert queue.read(1)["read"] == 1
    assert verify(queue.house.store, queue.house.time.now())["findings"] == []


def test_death_between_the_two_commits_gives_duplicates_and_no_second_signal(queue: Queue) -> None:
    queue.send(*(ticket(n) for n in range(20)))
    stored: Counter[str] = Counter()
    with queue.consumer() as dying:  # it stores what it polls and never commits an offset
        for _ in range(POLLS):
            stored.update(store(queue.house, dying.poll(0.5).batch, "kafka"))
            if stored["read"] >= 20:
                break
    assert (stored["read"], stored["accepted"]) == (20, 20)
    assert queue.read(20) == {"read": 20, "accepted": 0, "duplicate": 20, "rejected": 0}
    assert len(queue.titles()) == 20
    queue.send(ticket(99))
    assert queue.read(1)["accepted"] == 1


def test_a_batch_that_the_database_refused_is_read_again_whole(queue: Queue, tmp_path: Path) -> None:
    queue.send(*(ticket(n) for n in range(10)))
    empty = Store(f"sqlite:///{tmp_path / 'no-tables.sqlite'}")
    broken = replace(queue.house, store=empty)
    with queue.consumer() as consumer, pytest.raises(LedgerError):
        for _ in range(POLLS):
            consume(broken, consumer, 0.5)
    empty.close()
    assert queue.read(10) == {"read": 10, "accepted": 10, "duplicate": 0, "rejected": 0}


def test_poison_goes_to_the_dead_letters_with_its_place_and_stops_nothing(queue: Queue) -> None:
    poison = [b"{not json", b"\xff\xfe\x00", b"[1, 2]", b'{"id": "T9"}']
    queue.send(ticket(1), *poison, ticket(2))
    assert queue.read(6) == {"read": 6, "accepted": 2, "duplicate": 0, "rejected": 4}
    assert queue.titles() == ["第 001 件", "第 002 件"]
    letters = queue.dead()
    assert len(letters) == 4
    for letter in letters:
        partition, at, offset = letter.place.removeprefix(f"{queue.topic}/").partition("@")
        assert (at, partition.isdigit(), offset.isdigit()) == ("@", True, True)
        assert letter.reason.startswith(letter.place)
    assert "{not json" in {letter.raw for letter in letters}


def test_poison_read_again_after_a_crash_is_kept_once(queue: Queue) -> None:
    queue.send(b"{not json", ticket(1))
    stored = 0
    with queue.consumer() as dying:
        for _ in range(POLLS):
            stored += store(queue.house, dying.poll(0.5).batch, "kafka")["read"]
            if stored >= 2:
                break
    assert queue.read(2) == {"read": 2, "accepted": 0, "duplicate": 1, "rejected": 1}
    assert len(queue.dead()) == 1


def test_an_absent_broker_is_named_on_the_board_and_read_when_it_comes(
    tmp_path: Path, kafka: Broker, database_url: str
) -> None:
    with Gate(kafka.bootstrap) as gate, queue_of(tmp_path / "site", gate.address, database_url) as queue:
        assert queue.item()["state"] == "down"
        with following(queue.house) as thread:
            until(lambda: "does not answer" in queue.item()["detail"])
            away = queue.item()
            assert away["state"] == "down"
            assert gate.address in away["detail"]
            assert away["mend"]
            assert thread.is_alive()
            queue.send(ticket(1), ticket(2), bootstrap=kafka.bootstrap)
            gate.open()
            until(lambda: len(queue.titles()) == 2, lambda: str(queue.item()), alive=thread.is_alive)
            until(lambda: queue.item()["state"] == "ok", lambda: str(queue.item()), alive=thread.is_alive)


def test_tickets_wait_in_the_broker_while_the_database_is_away(tmp_path: Path, kafka: Broker) -> None:
    try:
        with postgres.server() as server:
            _outlive(tmp_path, kafka, server)
    except postgres.Missing as why:
        missing(str(why))


def _outlive(tmp_path: Path, kafka: Broker, server: postgres.Server) -> None:
    if server.data is None:
        missing("HUIYING_TEST_POSTGRES names a server that is not ours to stop")
    with (
        queue_of(tmp_path / "site", kafka.bootstrap, server.database()) as queue,
        following(queue.house) as thread,
    ):
        queue.send(ticket(1))
        until(lambda: queue.titles() == ["第 001 件"], alive=thread.is_alive)
        server.stop("immediate")
        queue.send(ticket(2))
        with pytest.raises(LedgerError), queue.house.store.read() as conn:
            conn.execute(select(func.count()).select_from(SIGNAL))
        server.start()
        until(
            lambda: len(queue.titles()) == 2, lambda: f"following: {thread.is_alive()}", alive=thread.is_alive
        )
