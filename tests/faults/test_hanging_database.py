"""A database that hangs without a word (a paused machine, a route that swallows packets): the time goes on,
and whoever keeps watch still sees and speaks."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flows.asker import Asker
from flows.processes.lookout import Lookout
from flows.telling import alarm
from flows.timekeeping import DatabaseTime
from flows.wiring import House
from models.ledger.store import PATIENCE, Connection, Store, Unavailable
from support.receiver import Receiver
from support.sites import ENVIRON, write_site
from support.waiting import until

HANGS_S = 60.0
"""Far beyond all patience: half of it tells a moment from waiting."""


class Hanging(Store):
    """A database that answers until it is told to hang."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.free = threading.Event()
        self.free.set()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.free.wait(HANGS_S)
        with super().read() as conn:
            yield conn

    def server_time(self) -> datetime | None:
        self.free.wait(HANGS_S)
        return super().server_time()


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Hanging]:
    made = Hanging(f"sqlite:///{tmp_path / 'hanging.sqlite'}")
    made.migrate()
    yield made
    made.free.set()
    made.close()


def seconds_of(work: object) -> float:
    began = time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - began


def test_the_time_is_told_while_another_waits_for_a_database_that_hangs(hanging: Hanging) -> None:
    piece = DatabaseTime(hanging, resync_s=0.0)
    before = piece.now()
    hanging.free.clear()
    assert seconds_of(piece.now) < HANGS_S / 2, "who asks waits no longer than it is patient"
    others = seconds_of(lambda: [piece.now() for _ in range(100)])
    assert others < HANGS_S / 2, "nobody else waits at all"  # a patience each were longer
    assert timedelta(0) < piece.now() - before < timedelta(seconds=HANGS_S)
    hanging.free.set()


def test_an_answer_that_comes_too_late_is_no_answer() -> None:
    free = threading.Event()
    asker = Asker(lambda: free.wait(10) and "late", 0.05)
    assert asker.ask() == []
    assert asker.ask() == [], "the first question is still being asked"
    free.set()
    assert until(asker.ask) == ["late"]


def test_what_the_question_raises_is_raised_to_whoever_asked() -> None:
    def question() -> str:
        raise Unavailable("weg")

    with pytest.raises(Unavailable, match="weg"):
        Asker(question, 1.0).ask()


def test_the_lookout_sees_a_database_that_hangs_and_tells_people(tmp_path: Path, hanging: Hanging) -> None:
    with Receiver() as receiver, House.open(write_site(tmp_path / "site", receiver.url), ENVIRON) as house:
        house.store.close()
        house.store, house.time = hanging, DatabaseTime(hanging, resync_s=0.0)
        lookout, memory = Lookout(house, patience_s=0.2), alarm.OnDisk(tmp_path / "lookout.json")
        assert lookout.look() == []
        hanging.free.clear()
        for _ in range(2):
            alarm.speak(house, memory, lookout.look())
        assert [request.json()["kind"] for request in receiver.requests[:1]] == ["alarm"]
        assert "没有回答" in receiver.requests[0].json()["reason"]
        hanging.free.set()


def test_a_server_that_takes_the_call_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        store = Store(f"postgresql://huiying@127.0.0.1:{port}/huiying?connect_timeout=2")
        began = time.monotonic()
        with pytest.raises(Unavailable), store.read():
            pass
        assert time.monotonic() - began < HANGS_S / 2
        store.close()


def test_every_connection_to_a_server_has_its_limits(store: Store) -> None:
    if store.sqlite:
        pytest.skip("no network lies between us and a file")
    with store.read() as conn:
        raw = conn.connection.dbapi_connection
        assert raw is not None
        said = raw.info.get_parameters()
    assert {name: said[name] for name in PATIENCE} == {name: str(value) for name, value in PATIENCE.items()}
