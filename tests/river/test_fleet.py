"""Every process of every machine as doctor, the board and Prometheus see it: real processes, started and killed."""

from __future__ import annotations

import os
import signal
import urllib.request
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from flows.office.desk import Desk
from flows.office.machines import forget
from flows.processes.presence import Presence, around
from flows.wiring import House
from models.core.fleet import Seen
from models.ledger import presence
from support.ports import free_port
from support.postgres import Server
from support.processes import Process, command, huiying
from support.receiver import Receiver
from support.serving import serving
from support.sites import ENVIRON, write_site
from support.waiting import until

NOBODY = "http://127.0.0.1:9"


class Worker(Process):
    """`huiying worker` of some duties, answering scrapes."""

    def __init__(self, site: Path, *duties: str) -> None:
        self.port = free_port()
        line = huiying("worker", *duties, "--site", str(site), "--metrics-port", str(self.port))
        super().__init__(line, site / "worker.log", HUIYING_LOG="json")

    def metrics(self) -> str:
        """Empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""


def known(house: House) -> list[Seen]:
    with house.store.read() as conn:
        return presence.known(conn)


def findings(site: Path) -> list[str]:
    return [one["detail"] for one in command(site, "doctor")["findings"] if one["what"] == "机器与进程"]


def test_a_worker_tells_of_itself_is_missed_when_killed_and_ends_in_order_without_a_word(
    tmp_path: Path, postgres_server: Server
) -> None:
    site = write_site(tmp_path / "site", NOBODY, database=postgres_server.database())
    with House.open(site, ENVIRON) as house, Worker(site, "respond", "deliver") as worker:
        (seen,) = until(lambda: known(house), worker.words, alive=lambda: worker.alive)
        assert (seen.pid, seen.kind, seen.duties) == (worker.pid, "worker", ("respond", "deliver"))
        assert seen.offset_ms is not None and abs(seen.offset_ms) < 60_000
        assert (seen.memory or 0) > 10**7
        assert str(house.state_dir) in seen.disks
        shown = until(worker.metrics, worker.words)
        assert "process_cpu_seconds_total" in shown
        until(lambda: 'huiying_duty_round_seconds{duty="respond"}' in worker.metrics(), worker.words)
        assert any(f"pid {worker.pid}" in told for told in findings(site))
        assert (
            f'huiying_process_up{{host="{seen.host}",kind="worker",pid="{seen.pid}"}} 1.0'
            in Desk(house).metrics()
        )
        worker.stop()
        assert known(house) == []
        worker.start()
        (again,) = until(lambda: known(house), worker.words, alive=lambda: worker.alive)
        worker.kill()
        assert [one.id for one in known(house)] == [again.id]  # nobody took its row away


def test_the_board_and_doctor_name_a_machine_that_fell_silent_until_it_is_struck_off(
    tmp_path: Path, database_url: str
) -> None:
    site = write_site(tmp_path / "site", NOBODY, database=database_url)
    with House.open(site, ENVIRON) as house:
        here = Presence(house, "worker", ("respond", "deliver"))
        here.tell()
        gone = _elsewhere(house, here, minutes=10)
        item = next(one for one in Desk(house).board()["coverage"]["items"] if one["name"] == "machines")
        assert (item["state"], "zone-b" in item["detail"]) == ("late", True)
        assert forget(house, "zone-c") == []
        assert forget(house, f"zone-b:{gone.pid}") == [gone.called]
        item = next(one for one in Desk(house).board()["coverage"]["items"] if one["name"] == "machines")
        assert item["state"] == "ok"
        assert forget(house, here.seen().host) == []  # one that lives is not struck off
        here.leave()
        assert known(house) == []


def test_a_console_that_is_told_to_end_takes_its_row_away(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", NOBODY)
    with House.open(site, ENVIRON) as house, serving(site) as console:
        (seen,) = until(lambda: known(house), console.words, alive=lambda: console.alive)
        assert (seen.kind, seen.pid) == ("console", console.pid)
        os.kill(console.pid, signal.SIGTERM)
        until(lambda: not console.alive, console.words)
        assert known(house) == []


def test_what_stands_around_is_asked_from_each_machine_for_itself(tmp_path: Path) -> None:
    with Receiver() as there:
        kafka = {"bootstrap": "127.0.0.1:9", "topics": ["tickets"]}
        prefect = {"enabled": True, "api_url": f"{there.url}/api"}
        site = write_site(tmp_path / "site", NOBODY, site={"kafka": kafka, "prefect": prefect})
        with House.open(site, ENVIRON) as house:
            found = around(house, ("ingest",))
            assert found["prefect"] == ""
            assert "127.0.0.1:9" in found["kafka"]
            assert list(around(house, ("respond",))) == ["prefect"]
            there.answer(status=503)
            assert "503" in around(house, ())["prefect"]


def test_a_row_of_yesterday_goes_away_by_itself(tmp_path: Path, database_url: str) -> None:
    with House.open(write_site(tmp_path / "site", NOBODY, database=database_url), ENVIRON) as house:
        here = Presence(house, "worker", ("respond",))
        _elsewhere(house, here, minutes=25 * 60)
        here.tell()
        assert [one.host for one in known(house)] == [here.seen().host]


def _elsewhere(house: House, here: Presence, minutes: int) -> Seen:
    """A worker of another machine whose last word is so old."""
    at = house.time.now() - timedelta(minutes=minutes)
    gone = replace(
        here.seen(), id="zone-b:7:1:elsewhere", host="zone-b", pid=7, duties=("triage",), beat_at=at
    )
    with house.store.write() as conn:
        presence.say(conn, gone)
    return gone
