"""The database goes away and comes back: the page says so, and no step is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from flows.office.desk import Desk
from flows.processes.loop import ClockLoop
from flows.wiring import House
from support import postgres
from support.missing import missing
from support.receiver import Receiver
from support.sites import ENVIRON, write_site


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """A PostgreSQL of this test alone, since the test stops it."""
    try:
        with postgres.server() as server:
            if server.data is None:
                missing("HUIYING_TEST_POSTGRES names a server that is not ours to stop")
            yield server
    except postgres.Missing as why:
        missing(str(why))


def eventually(holds: Callable[[], bool], patience_s: float = 40.0) -> bool:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_the_page_names_a_database_that_is_away_and_the_clocks_catch_up(
    own_server: postgres.Server, tmp_path: Path
) -> None:
    with Receiver() as receiver:
        directory = write_site(tmp_path / "site", receiver.url, database=own_server.database())
        with House.open(directory, ENVIRON) as house:
            desk = Desk(house)
            client = TestClient(build(desk), raise_server_exceptions=False)
            loop = ClockLoop(house, ("respond", "deliver"))
            loop.start()
            own_server.stop("immediate")
            away = client.get("/")
            assert away.status_code == 503
            assert "数据库" in away.text
            assert "huiying doctor" in away.text
            assert client.get("/api/v1/board").json()["error"].startswith("数据库")
            own_server.start()
            assert eventually(lambda: client.get("/").status_code == 200)
            opened = desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")
            assert eventually(lambda: len(receiver.requests) >= 1)
            assert receiver.requests[0].json()["incident"]["id"] == opened["id"]
            loop.stop()
