"""A real Kafka broker for tests: Apache Kafka's own jars in KRaft mode, on a free port.

`broker()` gives the bootstrap address. `HUIYING_TEST_KAFKA` names a broker that is already there.
Without Java and Maven the test is skipped; under CI=true it fails.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.missing import missing

ROOT = Path(__file__).parents[2]
POM = ROOT / "tests" / "edges" / "kafka" / "pom.xml"
JARS = ROOT / ".cache" / "kafka" / "jars"
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"  # any 16 bytes in base64


@dataclass(frozen=True)
class Broker:
    bootstrap: str


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """A running broker with its data under `folder`; it is stopped at the end."""
    named = os.environ.get("HUIYING_TEST_KAFKA")
    if named:
        yield Broker(named)
        return
    java, jars = _java(), _jars()
    port, control = _free_port(), _free_port()
    settings = folder / "server.properties"
    settings.write_text(_properties(folder, port, control), encoding="utf-8")
    base = [java, "-Xmx256m", "-cp", f"{jars}/*"]
    _format(base, settings, folder)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen([*base, "kafka.Kafka", str(settings)], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(port, process, folder / "broker.log")
        yield Broker(f"127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _java() -> str:
    return shutil.which("java") or missing("java is not installed (apt-get install default-jre-headless)")


def _jars() -> Path:
    """Fetched once by Maven into the ignored cache; moved into place whole, so a broken fetch leaves none."""
    stamp = POM.read_text(encoding="utf-8")
    done = JARS / "pom.xml"
    if done.is_file() and done.read_text(encoding="utf-8") == stamp:
        return JARS
    maven = shutil.which("mvn") or missing(
        "Kafka's jars are not here and Maven is not installed (apt-get install maven)"
    )
    fresh = JARS.with_name(f"fetch-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        maven,
        "-q",
        "-B",
        "-f",
        str(POM),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={fresh}",
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if run.returncode:
        missing(f"Maven could not fetch Kafka's jars: {(run.stdout + run.stderr)[-400:]}")
    (fresh / "pom.xml").write_text(stamp, encoding="utf-8")
    shutil.rmtree(JARS, ignore_errors=True)
    fresh.replace(JARS)
    return JARS


def _format(base: list[str], settings: Path, folder: Path) -> None:
    command = [
        *base,
        "kafka.tools.StorageTool",
        "format",
        "--standalone",
        "-t",
        _CLUSTER,
        "-c",
        str(settings),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, check=False)
    if run.returncode:
        raise RuntimeError(f"Kafka's storage could not be formatted: {(run.stdout + run.stderr)[-800:]}")


def _properties(folder: Path, port: int, control: int) -> str:
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{control}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "data"),
        "num.partitions": "2",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "message.max.bytes": "8388608",
        "auto.create.topics.enable": "true",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the broker did not start: {log.read_text(errors='replace')[-1500:]}")
