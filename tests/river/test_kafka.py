"""From a real broker into the ledger: each ticket once, poison kept with its place, outages named."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.broker import TicketConsumer
from connectors.ports import Refused
from flows.collecting.following import Follower, broker_settings, follow_broker, note, to_hold
from flows.collecting.intake import store
from flows.office.desk import Desk
from flows.office.gauges import Gauges
from flows.triage import triage
from flows.wiring import House
from models.core.vocabulary import Medium
from models.ledger.deadletters import DEAD
from models.ledger.signals import SIGNAL
from models.ledger.store import LedgerError, Store
from models.ledger.verify import verify
from playbooks.papers import KafkaSource
from support import postgres
from support.gate import Gate
from support.kafka import USER, Broker, at_work, broker, publish
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


@contextmanager
def follower_of(house: House, most: int = 2000) -> Iterator[Follower]:
    with ThreadPoolExecutor(1) as pool:
        made = Follower(house, pool, most)
        try:
            yield made
        finally:
            made.let_go()


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
        """A follower comes, takes `wanted` messages or more, and goes."""
        with follower_of(self.house) as follower:
            for _ in range(POLLS):
                follower.step(0.5)
                if follower.counts["read"] >= wanted:
                    return follower.counts
        raise AssertionError(f"{POLLS} polls brought {follower.counts} of {wanted} messages")

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
def queue_of(folder: Path, kafka: Broker, database: str, bootstrap: str = "", **more: Any) -> Iterator[Queue]:
    topic = f"tickets-{uuid.uuid4().hex[:8]}"
    kafka.create(topic)
    settings = {"bootstrap": bootstrap or kafka.bootstrap, "topics": [topic], "group": f"g-{topic}"}
    site = {"kafka": {**settings, "security": kafka.settings, **more}}
    with House.open(write_site(folder, NOBODY, database=database, site=site), ENVIRON) as house:
        yield Queue(house, topic)


@pytest.fixture
def queue(tmp_path: Path, kafka: Broker, database_url: str) -> Iterator[Queue]:
    with queue_of(tmp_path / "site", kafka, database_url) as made:
        yield made


@contextmanager
def following(house: House) -> Iterator[threading.Thread]:
    """The broker followed by a thread of its own, as the clock loop does."""
    with at_work(follow_broker, house) as thread:
        yield thread


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
    with follower_of(broken) as follower, pytest.raises(LedgerError):
        for _ in range(POLLS):
            follower.looked = time.monotonic()  # the board is in the same database: it is not asked
            follower.step(0.5)
    empty.close()
    assert queue.read(10) == {"read": 10, "accepted": 10, "duplicate": 0, "rejected": 0}


def picky(house: House) -> None:
    """From now on the database takes no ticket of this title."""
    with house.store.write() as conn:
        if house.store.sqlite:
            conn.exec_driver_sql(
                "CREATE TRIGGER picky BEFORE INSERT ON signal WHEN NEW.title = '第 003 件' "
                "BEGIN SELECT RAISE(ABORT, 'picky'); END"
            )
        else:
            conn.exec_driver_sql("ALTER TABLE signal ADD CONSTRAINT picky CHECK (title <> '第 003 件')")


def test_a_message_that_the_database_refuses_holds_up_the_queue_once_and_then_is_a_dead_letter(
    queue: Queue,
) -> None:
    picky(queue.house)
    queue.send(*(ticket(n) for n in range(6)))
    with following(queue.house) as thread:
        until(lambda: len(queue.titles()) == 5, lambda: str(queue.item()), alive=thread.is_alive)
        until(lambda: len(queue.dead()) == 1, alive=thread.is_alive)
        queue.send(ticket(9))
        until(lambda: len(queue.titles()) == 6, lambda: str(queue.item()), alive=thread.is_alive)
    (letter,) = queue.dead()
    assert letter.place.startswith(f"{queue.topic}/")
    assert "picky" in letter.reason
    assert (letter.fields["row"]["title"], letter.fields["medium"]) == ("第 003 件", "hotline")
    assert verify(queue.house.store, queue.house.time.now())["findings"] == []


def test_characters_that_no_database_takes_are_no_end_of_the_queue(queue: Queue) -> None:
    dirty = [b'{"id": "a\\ud800", "title": "x"}', b'{"id": "b", "title": "y", "url": "http://a/\\u0000"}']
    queue.send(*dirty, b'{"id": "c", "title": "z", "source": "s\\u0000\\ud800"}', b'["\\ud800"]', ticket(1))
    counts = queue.read(5)
    assert (counts["accepted"], counts["rejected"]) == (4, 1)


class Bewitched:
    """A database that fails twice in a way that nobody expected, then answers."""

    def __init__(self, behind: Store) -> None:
        self.behind, self.left = behind, 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    def write(self) -> Any:
        if self.left and threading.current_thread().name.startswith("store"):
            self.left -= 1
            raise RuntimeError("this is new")
        return self.behind.write()


def test_whatever_goes_wrong_the_queue_is_named_and_read_on(queue: Queue) -> None:
    queue.send(ticket(1))
    bewitched: Any = Bewitched(queue.house.store)
    with following(replace(queue.house, store=bewitched)) as thread:
        until(
            lambda: "this is new" in queue.item()["detail"], lambda: str(queue.item()), alive=thread.is_alive
        )
        until(lambda: queue.titles() == ["第 001 件"], lambda: str(queue.item()), alive=thread.is_alive)


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
    with (
        Gate(kafka.bootstrap) as gate,
        queue_of(tmp_path / "site", kafka, database_url, gate.address) as queue,
    ):
        assert queue.item()["state"] == "down"
        with following(queue.house) as thread:
            until(lambda: "没有应答" in queue.item()["detail"])
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
        queue_of(tmp_path / "site", kafka, server.database()) as queue,
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


# ── members come, go and die; brokers restart; topics vanish ──────────────────────────────────

MEMBER = """
import sys, threading
from pathlib import Path
from flows.collecting.following import follow_broker
from flows.wiring import House
with House.open(Path(sys.argv[1])) as house:
    follow_broker(house, threading.Event())
"""


@contextmanager
def member(queue: Queue) -> Iterator[subprocess.Popen[bytes]]:
    """A process that follows the broker like a worker's; killed at the end."""
    command = [sys.executable, "-c", MEMBER, str(queue.house.site.directory)]
    with subprocess.Popen(command, env=os.environ | ENVIRON) as process:
        try:
            yield process
        finally:
            process.kill()


LONG = os.environ.get("HUIYING_FAULTS") == "long"


@pytest.mark.parametrize("assignor", ["range", "cooperative"] if LONG else ["cooperative"])
def test_nothing_is_lost_while_members_of_the_group_join_leave_and_die(
    tmp_path: Path, kafka: Broker, postgres_server: postgres.Server, assignor: str
) -> None:
    kafka.needs_real()
    with queue_of(tmp_path / "site", kafka, postgres_server.database(), assignor=assignor) as queue:
        sent = 0

        def send(count: int) -> None:
            nonlocal sent
            queue.send(*(ticket(n) for n in range(sent, sent + count)))
            sent += count

        def read() -> int:
            return len(queue.titles())

        send(300)
        with following(queue.house):
            until(lambda: read() >= 1, alive=lambda: True)
            with member(queue):
                for _ in range(10):  # it joins somewhere in here, and dies at the end of the block
                    send(100)
                    time.sleep(0.3)
            send(300)
        with following(queue.house) as thread:  # the first has left; a third takes over
            send(300)
            until(lambda: read() >= sent, lambda: f"{read()} of {sent}", alive=thread.is_alive)
        assert queue.titles() == [f"第 {n:03} 件" for n in sorted(range(sent), key=lambda n: f"{n:03}")]
        assert verify(queue.house.store, queue.house.time.now())["findings"] == []


@pytest.fixture
def hushed() -> Iterator[None]:
    """kafka-python leaves each refused socket to the garbage collector, and a captured log record would
    keep it until the end of the run."""
    logging.disable(logging.CRITICAL)
    yield
    gc.collect()
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("hushed")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_is_killed_and_comes_back_loses_and_repeats_nothing(
    queue: Queue, kafka: Broker
) -> None:
    own = kafka.needs_own()
    with following(queue.house) as thread:
        queue.send(*(ticket(n) for n in range(50)))
        until(lambda: len(queue.titles()) == 50, alive=thread.is_alive)
        own.stop(kill=True)
        time.sleep(1)
        own.start()
        queue.send(*(ticket(n) for n in range(50, 100)))
        until(lambda: len(queue.titles()) == 100, lambda: str(queue.item()), alive=thread.is_alive)
        until(lambda: queue.item()["state"] == "ok", lambda: str(queue.item()), alive=thread.is_alive)


def test_a_topic_that_vanishes_is_named_and_read_from_its_start_when_it_is_back(
    queue: Queue, kafka: Broker
) -> None:
    kafka.needs_real()
    with following(queue.house) as thread:
        queue.send(*(ticket(n) for n in range(20)))
        until(lambda: len(queue.titles()) == 20, alive=thread.is_alive)
        until(lambda: queue.item()["state"] == "ok", alive=thread.is_alive)
        kafka.delete(queue.topic)
        gone = until(lambda: (item := queue.item())["state"] == "down" and item, alive=thread.is_alive)
        assert f"没有主题 {queue.topic}" in gone["detail"]
        kafka.create(queue.topic)
        queue.send(*(ticket(n) for n in range(100, 160)))
        until(lambda: len(queue.titles()) == 80, lambda: str(queue.item()), alive=thread.is_alive)
        until(lambda: queue.item()["state"] == "ok", lambda: str(queue.item()), alive=thread.is_alive)


def test_a_topic_made_anew_between_two_looks_is_read_from_its_start(queue: Queue, kafka: Broker) -> None:
    kafka.needs_real()
    with follower_of(queue.house) as follower:
        queue.send(*(ticket(n) for n in range(20)))
        assert until(lambda: _stepped(follower)["read"] >= 20)
        until(lambda: _stepped(follower) and follower.known)
        kafka.delete(queue.topic)
        kafka.create(queue.topic)
        queue.send(*(ticket(n) for n in range(100, 200)))
        until(lambda: _stepped(follower) and len(queue.titles()) == 120, lambda: str(follower.counts))


def test_a_topic_that_is_made_after_the_member_has_joined_is_read(queue: Queue, kafka: Broker) -> None:
    kafka.needs_real()
    kafka.delete(queue.topic)
    with following(queue.house) as thread:
        until(lambda: queue.item()["state"] != "ok", alive=thread.is_alive)
        kafka.create(queue.topic)
        queue.send(*(ticket(n) for n in range(20)))
        until(lambda: len(queue.titles()) == 20, lambda: str(queue.item()), alive=thread.is_alive)


def _stepped(follower: Follower) -> Counter[str]:
    follower.step(0.3)
    return follower.counts


def test_a_message_of_more_than_two_megabytes_delays_nothing_behind_it(queue: Queue) -> None:
    queue.send(ticket(1), b'{"id": "T2", "body": "' + b"x" * (2 * 2**20) + b'"}', ticket(3))
    assert queue.read(3) == {"read": 3, "accepted": 2, "duplicate": 0, "rejected": 1}
    assert "more than" in queue.dead()[0].reason
    assert len(queue.dead()[0].raw) < 100_000


def test_what_waits_is_on_the_board_and_in_the_metrics_by_partition(queue: Queue) -> None:
    queue.send(*(ticket(n) for n in range(30)))
    house = queue.house
    with queue.consumer() as consumer:
        for _ in range(POLLS):  # it has joined, read one message, and looks at what is left
            if consumer.poll(0.5, 1).batch.read:
                break
        note(house, consumer.lags(), consumer.topics(), "已收 1 条")
    assert "积压 29" in queue.item()["detail"]
    assert f"{queue.topic}/" in queue.item()["detail"]
    with house.store.read() as conn:
        shown = Gauges(house).text(conn, house.time.now())
    waiting = [line for line in shown.splitlines() if line.startswith("huiying_kafka_lag{")]
    assert sum(float(line.split()[-1]) for line in waiting) == 29
    assert all(f'topic="{queue.topic}"' in line and 'partition="' in line for line in waiting)


def test_a_wrong_password_is_named_on_the_board_without_the_password(
    tmp_path: Path, kafka: Broker, database_url: str
) -> None:
    own = kafka.needs_own()
    login = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": USER}
    login["sasl_plain_password"] = "${KAFKA_WORD}"
    address = f"127.0.0.1:{own.sasl}"
    with queue_of(tmp_path / "site", kafka, database_url, address, security=login) as queue:
        unset = replace(queue.house, environ=ENVIRON)
        with pytest.raises(Refused, match="KAFKA_WORD"):
            broker_settings(unset)
    directory = tmp_path / "site"
    with House.open(directory, ENVIRON | {"KAFKA_WORD": "falsch-99"}) as house, following(house):
        item = Queue(house, queue.topic).item
        until(lambda: "用户名、密码" in item()["detail"], lambda: str(item()))
        assert "falsch-99" not in str(item())


# ── when the database cannot judge as fast as messages come ───────────────────────────────────


def test_posts_are_left_in_kafka_until_triage_has_caught_up_and_tickets_go_on(
    tmp_path: Path, kafka: Broker, database_url: str
) -> None:
    posts = f"posts-{uuid.uuid4().hex[:8]}"
    kafka.create(posts)
    with queue_of(tmp_path / "site", kafka, database_url, posts=[posts], hold_posts=10) as queue:
        house = queue.house
        with following(house):
            queue.send(*(ticket(n) for n in range(20)))
            until(lambda: len(queue.titles()) == 20)
            until(lambda: "暂缓读取" in queue.item()["detail"], lambda: str(queue.item()))
            publish(broker_settings(house), posts, [ticket(200 + n) for n in range(5)])
            queue.send(*(ticket(100 + n) for n in range(5)))
            until(lambda: len(queue.titles()) == 25)  # the tickets came, and no post
            assert (queue.item()["state"], posts in queue.item()["detail"]) == ("late", True)
            assert _media(house) == {Medium.HOTLINE.value}
            triage(house)
            until(lambda: len(queue.titles()) == 30)
            until(lambda: "暂缓读取" not in queue.item()["detail"], lambda: str(queue.item()))


def _media(house: House) -> set[str]:
    with house.store.read() as conn:
        return set(conn.execute(select(SIGNAL.c.medium)).scalars())


def test_what_is_held_goes_on_at_half_of_its_bound() -> None:
    said = KafkaSource(bootstrap="k", topics=("t",), posts=("p",), hold_posts=100, hold_tickets=1_000)
    assert to_hold(said, 100) == frozenset()
    assert to_hold(said, 101) == {"p"}
    assert to_hold(said, 1_001, {"p"}) == {"p", "t"}
    assert to_hold(said, 501, {"p", "t"}) == {"p", "t"}
    assert to_hold(said, 500, {"p", "t"}) == {"p"}
    assert to_hold(said, 51, {"p"}) == {"p"}
    assert to_hold(said, 50, {"p"}) == frozenset()
