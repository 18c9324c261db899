"""compose.yaml at work without a container engine: every service of ours as the kernel would run it, to the end of
the river. Each has its own network and a closed disk, is nobody, and finds its secrets in files.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.broker import BrokerSettings
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import CST, iso
from support import postgres
from support.boxes import Box, Folders, compose, give
from support.kafka import Broker, broker, publish
from support.missing import missing
from support.networks import Host, Network, line
from support.receiver import Receiver
from support.sites import ENVIRON, SECRET, write_site
from support.waiting import LONG_S, until

TOPIC = f"tickets-{uuid.uuid4().hex[:8]}"
SERVICES = {
    name: one
    for name, one in compose()["services"].items()
    if one["image"] == "huiying" and "profiles" not in one
}
TOOLS = {name: one for name, one in compose()["services"].items() if "profiles" in one}
MACHINES = [
    f"{name}-{n}" if n else name
    for name, one in SERVICES.items()
    for n in range(one.get("deploy", {}).get("replicas", 1))
]


@dataclass
class Stage:
    """The boxes by name, and what stands around them."""

    lan: Network
    folders: Folders
    receiver: Receiver
    kafka: Broker
    house: House
    boxes: dict[str, Box]

    def words(self) -> str:
        return "\n".join(f"── {name}: {box.words(600)}" for name, box in self.boxes.items())

    def all_alive(self) -> bool:
        return all(box.alive for box in self.boxes.values())

    def tool(self, name: str) -> int:
        """`docker compose run --rm NAME`: its exit code."""
        box = Box(TOOLS[name], Host(self.lan.hosts["tools"].name, "", ""), self.folders, **ENVIRON)
        box.start()
        assert box.process is not None
        return box.process.wait(120)


@contextmanager
def _around(folder: Path) -> Iterator[tuple[Network, Receiver, str, str, Broker]]:
    """The network, a receiver, two databases and a broker."""
    with ExitStack() as stack:
        lan = stack.enter_context(line(*MACHINES, "tools"))
        receiver = stack.enter_context(Receiver(lan.address))
        try:
            server = stack.enter_context(postgres.server(also=lan.address))
        except postgres.Missing as why:
            missing(str(why))
        (folder / "kafka").mkdir()
        kafka = stack.enter_context(broker(folder / "kafka", lan.address))
        kafka.needs_own()
        yield lan, receiver, server.database(), server.database(), kafka


def _folders(here: Path, lan: Network, ours: str, prefects: str) -> Folders:
    """What the comment at the head of compose.yaml tells the operator to make."""
    for name in ("secrets", "backup", "state"):
        (here / name).mkdir()
    names = {"database": lan.address, "prefect": lan.hosts["prefect"].address}
    for name, kind, url in (("database_url", "psycopg", ours), ("prefect_database_url", "asyncpg", prefects)):
        said = url.replace("postgresql://", f"postgresql+{kind}://").replace("127.0.0.1", "database")
        (here / "secrets" / name).write_text(said, encoding="utf-8")
    return Folders(here, names)


def _site(here: Path, receiver: Receiver, kafka: Broker) -> None:
    settings: dict[str, Any] = {
        "database": "file:/run/secrets/database_url",
        "kafka": {"bootstrap": kafka.bootstrap, "topics": [TOPIC], "group": "huiying"},
        "prefect": {"api_url": "http://prefect:4200/api"},
        "console": {"host": "0.0.0.0"},
        "retention": {"folder": "/var/lib/huiying/archive"},
        "http": {"allow_hosts": [receiver.host]},
    }
    write_site(here / "site", receiver.url, site=settings)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with _around(tmp_path) as (lan, receiver, ours, prefects, kafka):
        kafka.create(TOPIC)
        folders = _folders(tmp_path, lan, ours, prefects)
        _site(tmp_path, receiver, kafka)
        for name in ("secrets", "backup", "state", "site"):
            give(tmp_path / name)
        seen = {"kafka": {"bootstrap": kafka.bootstrap, "topics": [TOPIC], "group": "huiying"}}
        outside = write_site(tmp_path / "outside", receiver.url, database=ours, prefect=True, site=seen)
        boxes = {name: Box(SERVICES[name.rpartition("-")[0] or name], host, folders, **ENVIRON)
                 for name, host in lan.hosts.items() if name != "tools"}  # fmt: skip
        with House.open(outside, ENVIRON) as house, ExitStack() as running:
            for box in boxes.values():
                running.enter_context(box)
            yield Stage(lan, folders, receiver, kafka, house, boxes)


def test_every_service_of_the_compose_file_runs_healthy_as_nobody_on_a_closed_disk_to_the_end_of_the_river(
    stage: Stage,
) -> None:
    assert SECRET not in "".join(path.read_text() for path in (stage.folders.here / "site").glob("*.yaml"))
    for name, box in stage.boxes.items():
        until(box.healthy, stage.words, alive=stage.all_alive, patience_s=LONG_S)
        assert _owner(box) == 10001, name
    _closed(stage.boxes["console"])

    ticket = {"id": "1", "title": "自来水发臭", "text": "南浦区自来水有土腥异味，多个小区居民反映。"}
    publish(BrokerSettings(bootstrap=stage.kafka.bootstrap, topics=(TOPIC,)), TOPIC, [ticket])
    desk = Desk(stage.house)
    until(lambda: desk.board()["signals"]["last"], stage.words)
    began = iso(datetime.now(CST) - timedelta(minutes=160))
    desk.act(
        "open", "", {"title": "化工园区火灾", "grade": "II", "occurred_at": began, "reason": "来电"}, "chen"
    )
    until(lambda: stage.receiver.requests, stage.words)
    wanted = ("respond", "deliver", "ingest", "triage", "prefect", "kafka")
    until(
        lambda: {_state(desk, name) for name in wanted} == {"ok"},
        lambda: str(_coverage(desk)),
        patience_s=LONG_S,
    )

    assert stage.tool("backup") == 0, stage.words()
    assert stage.tool("drill") == 0, stage.words()
    for name, box in stage.boxes.items():
        assert box.ask_to_stop() in (0, -15), f"{name}: {box.words()}"
    assert not list(stage.folders.here.glob("site/var")), "nobody writes beside the settings"


def _coverage(desk: Desk) -> dict[str, Any]:
    return {item["name"]: item for item in desk.board()["coverage"]["items"]}


def _state(desk: Desk, name: str) -> str:
    return str(_coverage(desk)[name]["state"])


def _owner(box: Box) -> int:
    status = Path(f"/proc/{box.pid}/status").read_text()
    effective = next(row for row in status.splitlines() if row.startswith("CapEff"))
    assert int(effective.split()[1], 16) == 0, "no capability is left"
    return int(next(row for row in status.splitlines() if row.startswith("Uid")).split()[1])


def _closed(box: Box) -> None:
    """Nothing of the disk that the process sees takes a word, but for its own two folders."""
    mounts = [row.split() for row in Path(f"/proc/{box.pid}/mounts").read_text().splitlines()]
    open_ones = {row[1] for row in mounts if "ro" not in row[3].split(",")}
    kernels = {at for at in open_ones if at.startswith(("/proc", "/dev"))}
    assert open_ones - kernels == {"/tmp", "/var/lib/huiying"}
