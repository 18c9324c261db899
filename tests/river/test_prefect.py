"""Prefect beside the work: it shows the duties and the story, and nothing waits for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import State
from prefect.states import Pending, Running, Scheduled

from flows.duty import DUTIES
from flows.office.desk import Desk
from flows.processes.automations import TAG, Patience, automations, ensure
from flows.processes.children import UPKEEP
from flows.processes.deployed import audit
from flows.processes.loop import ClockLoop
from flows.processes.projector import KEY
from flows.respond import respond
from flows.wiring import House
from models.core.moment import CST, iso
from models.ledger import duties, views
from support.prefect import MOST, PoolWorker, PrefectServer, Runner, deploy
from support.processes import command, environ
from support.receiver import Receiver
from support.river_site import rss
from support.sites import ENVIRON, write_site
from support.waiting import LONG_S, until
from support.web import Web

XML = {"Content-Type": "application/rss+xml"}


OFTEN = {"PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "2"}
"""Prefect tidies once an hour by itself."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with PrefectServer(tmp_path_factory.mktemp("prefect"), **UPKEEP, **OFTEN) as running:
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
    assert said["flows"].keys() == DUTIES.keys()
    assert said["flows"]["ingest"] == "新 0，重复 0，退回 0"
    assert said["flows"]["audit"] == "全部时钟与提醒正常"
    assert not [words for words in said["flows"].values() if "失败" in words]
    assert said["again"] == {"ingest": None, "audit": None}  # neither is due a second time so soon


def test_the_runner_waits_for_a_server_that_was_never_there_and_begins_when_it_comes(tmp_path: Path) -> None:
    late = PrefectServer(tmp_path)
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True)
    with House.open(site, ENVIRON) as house, Runner(site, late) as runner:

        def shown() -> dict[str, Any]:
            items = Desk(house).board()["coverage"]["items"]
            return next(item for item in items if item["name"] == "prefect")

        until(
            lambda: "无应答" in shown()["detail"], runner.words, alive=lambda: runner.alive, patience_s=LONG_S
        )
        with late:
            until(
                lambda: shown()["state"] == "ok", runner.words, alive=lambda: runner.alive, patience_s=LONG_S
            )


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


@pytest.fixture(scope="module")
def pooled(server: PrefectServer) -> PrefectServer:
    """The server with the pool and the deployments of prefect.yaml."""
    if not server.alive:
        server.start()
        server.wait_ready()
    deploy(server)
    return server


def of_the_pool(server: PrefectServer, state: str, duty: str = "") -> list[dict[str, Any]]:
    """The runs of the pool's deployments in that state; of one duty or of all."""
    return server.runs(state=state, deployment="pool", flow=duty)


def test_a_work_pool_has_the_slow_duties_on_a_schedule_and_does_one_when_asked(
    pooled: PrefectServer, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True)
    with PoolWorker(site, pooled) as worker:
        worker.ask_for("audit")
        until(
            lambda: of_the_pool(pooled, "COMPLETED"),
            worker.words,
            alive=lambda: worker.alive,
            patience_s=LONG_S,
        )
        until(lambda: any(run["auto_scheduled"] for run in of_the_pool(pooled, "SCHEDULED")), worker.words)
    with House.open(site, ENVIRON) as house, house.store.read() as conn:
        done = {row.name for row in duties.all_duties(conn) if row.last_good_at}
    assert "audit" in done, "and the ledger knows of it"


async def _ensure(server: PrefectServer, *rounds: Patience) -> list[int]:
    """What each round of putting right changed."""
    async with PrefectClient(server.url) as client:
        return [await ensure(client, automations(patience)) for patience in rounds]


def test_prefect_is_told_once_what_to_do_about_runs_that_nobody_ends(server: PrefectServer) -> None:
    if not server.alive:
        server.start()
        server.wait_ready()
    other = Patience(late=timedelta(minutes=3))
    asyncio.run(_ensure(server, Patience()))
    assert asyncio.run(_ensure(server, Patience(), other, other, Patience())) == [0, 1, 0, 1]
    told = server.ask("/automations/filter", limit=MOST)
    assert sorted(one["name"] for one in told) == sorted(one.name for one in automations())


async def _left(server: PrefectServer, *states: State[Any]) -> list[UUID]:
    """Runs of ours that somebody left in each of these states."""
    async with PrefectClient(server.url) as client:
        made = [
            await client.create_flow_run(
                audit, tags=[TAG, "left"], state=Scheduled(scheduled_time=datetime.now(UTC))
            )
            for _ in states
        ]
        for run, state in zip(made, states, strict=True):
            await client.set_flow_run_state(run.id, state, force=True)
    return [run.id for run in made]


def test_prefect_ends_runs_that_never_begin_never_end_or_are_never_fetched(server: PrefectServer) -> None:
    if not server.alive:
        server.start()
        server.wait_ready()
    soon = timedelta(seconds=10)
    asyncio.run(_ensure(server, Patience(pending=soon, running=soon, late=soon)))
    late: State[Any] = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(minutes=30), name="Late")
    wanted = asyncio.run(_left(server, Pending(), Running(), late))

    def ended() -> list[str]:
        runs = {run["id"]: run["state_type"] for run in server.runs("left")}
        return [runs[str(run)] for run in wanted]

    until(lambda: ended() == ["CRASHED", "CRASHED", "CANCELLED"], lambda: str(ended()), patience_s=LONG_S)


def test_a_run_whose_machine_is_gone_is_ended_by_prefect_and_done_again_by_another(
    pooled: PrefectServer, tmp_path: Path
) -> None:
    """The pool's worker and its run are killed together: nobody is left to say that the run has crashed."""
    asyncio.run(_ensure(pooled, Patience(silent=timedelta(seconds=12), again=timedelta(0))))
    with Web() as web:
        asked, gone = threading.Event(), threading.Event()

        def say_nothing(_handler: BaseHTTPRequestHandler) -> None:
            asked.set()
            gone.wait(60)

        web.speak("/news.xml", say_nothing)
        site = write_site(tmp_path / "site", "http://127.0.0.1:9", prefect=True)
        feed = {
            "id": "news",
            "name": "临江新闻",
            "url": web.url("/news.xml"),
            "medium": "news",
            "every": "PT1M",
        }
        (site / "sources.yaml").write_text(json.dumps({"feeds": [feed]}), encoding="utf-8")
        with PoolWorker(site, pooled) as worker:
            worker.ask_for("ingest")
            until(asked.is_set, worker.words, alive=lambda: worker.alive, patience_s=LONG_S)
            (lost,) = of_the_pool(pooled, "RUNNING", "ingest")
            worker.die_with_all_it_started()
        gone.set()
        web.page("/news.xml", rss([("供水异味", "自来水有土腥异味。", datetime.now(CST))], web.url("")), XML)
        ended = until(lambda: of_the_pool(pooled, "CRASHED", "ingest"), pooled.words, patience_s=LONG_S)
        assert [run["id"] for run in ended] == [lost["id"]]
        assert "没有心跳" in ended[0]["state"]["message"]
        with PoolWorker(site, pooled) as second:
            done = until(
                lambda: [r for r in of_the_pool(pooled, "COMPLETED", "ingest") if r["name"].startswith("收集 · 新 1")],
                second.words, alive=lambda: second.alive, patience_s=LONG_S,
            )  # fmt: skip
    assert done[0]["id"] != lost["id"]


async def _log(server: PrefectServer, run: str) -> None:
    said = {
        "name": "test",
        "level": 20,
        "message": "已受理",
        "timestamp": datetime.now(CST),
        "flow_run_id": run,
    }
    line = LogCreate.model_validate(said)
    async with PrefectClient(server.url) as client:
        await client.create_logs([line])


def test_prefects_own_database_forgets_old_runs_logs_and_events_and_keeps_the_new(
    server: PrefectServer, place: Place
) -> None:
    incident = place.opened("化工园区火灾")
    respond(place.house)
    (run, *_) = until(lambda: server.runs("journal", incident), place.runner.words, patience_s=LONG_S)
    until(place.told_to_the_end, place.runner.words, patience_s=LONG_S)
    asyncio.run(_log(server, run["id"]))
    until(lambda: all(server.rows(0).values()), server.words, patience_s=LONG_S)
    server.age(
        "UPDATE flow_run SET end_time = datetime(end_time, '-31 days') WHERE end_time IS NOT NULL",
        "UPDATE events SET occurred = datetime(occurred, '-31 days')",
        "UPDATE event_resources SET occurred = datetime(occurred, '-31 days')",
    )
    before = server.rows(30)
    until(lambda: not any(server.rows(30).values()), server.words, patience_s=LONG_S)
    sys.stdout.write(f"past their time in Prefect's database: {before}, then {server.rows(30)}\n")
    fresh = place.opened("学校食堂食物中毒")
    until(lambda: server.runs("journal", fresh), place.runner.words, patience_s=LONG_S)
    until(place.told_to_the_end, place.runner.words, patience_s=LONG_S)
    assert not server.runs("journal", incident), "what was told once is not told again"
