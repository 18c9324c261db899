"""Prefect beside the work: it shows the duties and the story, and nothing waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.office.desk import Desk
from flows.processes.loop import ClockLoop
from flows.processes.projector import KEY
from flows.respond import respond
from flows.wiring import House
from models.core.moment import CST, iso
from models.ledger import duties, views
from support.prefect import PoolWorker, PrefectServer, Runner
from support.processes import command, environ
from support.receiver import Receiver
from support.river_site import rss
from support.sites import ENVIRON, write_site
from support.waiting import until
from support.web import Web

DUTIES = (
    "ingest",
    "triage",
    "respond",
    "deliver",
    "watch",
    "handover",
    "reach",
    "plans",
    "bursts",
    "cadence",
    "registers",
    "audit",
)
XML = {"Content-Type": "application/rss+xml"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as running:
        running.wait_ready()
        yield running


@dataclass
class Place:
    """A site at the real pace with one feed, its house, and the runner beside it."""

    directory: Path
    house: House
    runner: Runner
    server: PrefectServer

    def coverage(self) -> dict[str, Any]:
        items = Desk(self.house).board()["coverage"]["items"]
        return next(item for item in items if item["name"] == "prefect")

    def opened(self, title: str) -> str:
        """An incident of which 2 h 40 min have passed: its 50 % step is due at once."""
        began = iso(datetime.now(CST) - timedelta(minutes=160))
        args = ("--title", title, "--grade", "II", "--occurred-at", began, "--by", "chen")
        return str(command(self.directory, "open", *args)["id"])

    def raised(self, incident: str) -> list[str]:
        shown = Desk(self.house).incident(incident)
        assert shown is not None
        return [f"{c['id']} {s['key']}" for c in shown["clocks"] for s in c["steps"] if s["raised_at"]]

    def told_to_the_end(self) -> bool:
        with self.house.store.read() as conn:
            kept = duties.get_setting(conn, KEY)
            return kept is not None and kept["seq"] >= views.revision(conn)

    def story(self, incident: str) -> list[str]:
        """The names of the recorded runs of an incident's raised steps, sorted."""
        return sorted(run["name"] for run in self.server.runs("journal", "step_raised", incident))


@pytest.fixture
def place(tmp_path: Path, server: PrefectServer) -> Iterator[Place]:
    if not server.alive:
        server.start()
        server.wait_ready()
    with Receiver() as receiver, Web() as web:
        site = write_site(tmp_path / "site", receiver.url, prefect=True, site={"name": tmp_path.name})
        url = web.url("/news.xml")
        feeds = [{"id": "news", "name": "临江新闻", "url": url, "medium": "news", "every": "PT1M"}]
        (site / "sources.yaml").write_text(json.dumps({"feeds": feeds}), encoding="utf-8")
        item = ("供水异味", "南浦区多个小区居民反映自来水有土腥异味。", datetime.now(CST))
        web.page("/news.xml", rss([item], web.url("")), XML)
        with House.open(site, ENVIRON) as house, Runner(site, server) as runner:
            yield Place(site, house, runner, server)


def test_a_feed_item_becomes_a_signal_through_a_run_that_prefect_shows(place: Place) -> None:
    entrypoints = {f"flows.processes.deployed.{name}" for name in DUTIES}
    until(lambda: place.server.deployments().keys() >= entrypoints, place.runner.words)
    done = until(
        lambda: [run for run in place.server.runs() if run["name"].startswith("收集 · 新 1")],
        place.runner.words,
    )
    assert [run["state_type"] for run in done] == ["COMPLETED"]
    assert done[0]["state_name"] == "Completed"
    (signal,) = Desk(place.house).board()["signals"]["last"]
    assert signal["title"] == "供水异味"
    until(lambda: place.coverage()["state"] == "ok", place.runner.words)
    assert place.server.url in place.coverage()["detail"]


def test_a_raised_step_is_told_as_one_run_however_often_it_is_projected(place: Place) -> None:
    incident = place.opened("化工园区火灾")
    assert respond(place.house).steps
    until(lambda: any("50%" in name for name in place.story(incident)), place.runner.words)
    until(place.told_to_the_end, place.runner.words)
    before = place.story(incident)
    assert len(before) == len(place.raised(incident))
    (half,) = [run for run in place.server.runs("step_raised", incident) if "50%" in run["name"]]
    assert half["state_type"] == "COMPLETED"
    assert incident in half["name"]

    with place.house.store.write() as conn:  # a crash before the note was written: all is told again
        duties.put_setting(conn, KEY, {"seq": 0})
    until(place.told_to_the_end, place.runner.words)
    assert place.story(incident) == before


PLAIN = """
import asyncio, json, sys
from pathlib import Path
from flows.processes.deployed import FLOWS
from flows.duty import perform
from flows.wiring import House

async def all_of_them(site):
    plain = {name: (await flow.fn(site=site)).message for name, flow in FLOWS.items()}
    with House.open(Path(site)) as house:
        return {"flows": plain, "again": {name: await perform(house, name) for name in ("ingest", "audit")}}

print(json.dumps(asyncio.run(all_of_them(sys.argv[1]))))
"""


def test_every_duty_does_its_work_with_no_prefect_server_anywhere(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True)
    nowhere = environ(PREFECT_HOME=str(tmp_path / "home"), PREFECT_API_URL="http://127.0.0.1:1/api")
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(site)], env=nowhere, capture_output=True, text=True, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["flows"].keys() == set(DUTIES)
    assert said["flows"]["ingest"] == "新 0，重复 0，退回 0"
    assert said["flows"]["audit"] == "全部时钟与提醒正常"
    assert not [words for words in said["flows"].values() if "失败" in words]
    assert said["again"] == {"ingest": None, "audit": None}  # neither is due a second time so soon


def test_people_and_clocks_go_on_when_the_prefect_server_is_killed(place: Place) -> None:
    until(lambda: place.coverage()["state"] == "ok", place.runner.words)
    place.server.kill()
    incident = place.opened("学校食堂食物中毒")
    acked = command(place.directory, "ack", incident, "--by", "chen", "--reason", "正在核实")
    assert acked["acked"][0]["person"] == "chen"
    loop = ClockLoop(place.house, ("respond",))
    loop.start()
    try:
        until(lambda: "first_statement 50%" in place.raised(incident))
    finally:
        loop.stop()
    away = until(lambda: (item := place.coverage())["state"] == "late" and item, place.runner.words)
    assert "时钟不受影响" in away["detail"]

    place.server.start()  # and when it is back, what happened meanwhile is told
    place.server.wait_ready()
    until(lambda: place.coverage()["state"] == "ok", place.runner.words, alive=lambda: place.runner.alive)
    until(lambda: any("50%" in name for name in place.story(incident)), place.runner.words)


def test_a_work_pool_has_the_slow_duties_on_a_schedule_and_does_one_when_asked(
    server: PrefectServer, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True)
    with PoolWorker(site, server) as worker:

        def ours(state: str) -> list[dict[str, Any]]:
            pool = {one["id"] for one in server.deployments().values() if one["name"] == "pool"}
            return [run for run in server.runs("huiying", state=state) if run["deployment_id"] in pool]

        until(lambda: ours("COMPLETED"), worker.words, alive=lambda: worker.alive)
        until(lambda: any(run["auto_scheduled"] for run in ours("SCHEDULED")), worker.words)
    with House.open(site, ENVIRON) as house, house.store.read() as conn:
        done = {row.name for row in duties.all_duties(conn) if row.last_good_at}
    assert "audit" in done, "and the ledger knows of it"
