"""A real Kafka broker for tests: Apache Kafka's own jars in KRaft mode, on free ports.

`broker()` gives a `Broker`. `HUIYING_TEST_KAFKA` names one that is already there. Without Java and Maven
it is the mock cluster inside confluent-kafka, which knows no restart, no passwords and no deletion: tests
that need those call `broker.needs_real()`. With none of the three the test is skipped; under CI=true it fails.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer  # type: ignore[import-untyped]
from kafka.admin import KafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from kafka.structs import TopicPartition  # type: ignore[import-untyped]

from connectors.broker import BrokerSettings, Outgoing, Publisher
from flows.wiring import House
from support import certificates
from support.missing import missing
from support.ports import free_port

ROOT = Path(__file__).parents[2]
POM = ROOT / "tests" / "edges" / "kafka" / "pom.xml"
JARS = ROOT / ".cache" / "kafka" / "jars"
USER, PASSWORD = "huiying", "geheim-77"
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"  # any 16 bytes in base64
_WORDS = """\
log4j.rootLogger=WARN, err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d %p %c %m%n
"""


@dataclass
class Broker:
    """`settings` is what a client needs beside the address, by kafka-python's names."""

    bootstrap: str
    settings: dict[str, Any] = field(default_factory=dict)
    own: Own | None = None
    mock: Any = None

    def needs_own(self) -> Own:
        """The process, for tests that stop it or log in; others' brokers and the mock have none."""
        return self.own or missing("this needs a broker of our own: Java and Maven, HUIYING_TEST_KAFKA unset")

    def needs_real(self) -> None:
        if self.mock is not None:
            missing("the mock cluster cannot do this; install Java and Maven")

    def create(self, topic: str, partitions: int = 2, **settings: str) -> None:
        if self.mock is not None:
            self.mock.list_topics(topic, timeout=20)  # asking for a topic makes it there
            return
        made = NewTopic(topic, partitions, 1, topic_configs=settings)
        with closing(self._admin()) as admin:
            admin.create_topics([made], timeout_ms=20_000)
            admin.wait_for_topics([topic], timeout_ms=20_000)

    def delete(self, topic: str) -> None:
        with closing(self._admin()) as admin:
            admin.delete_topics([topic], timeout_ms=20_000)

    def expire(self, topic: str) -> None:
        """Everything that the topic holds is past its time."""
        with closing(self._admin()) as admin:
            parts = [TopicPartition(topic, number) for number in range(2)]
            admin.delete_records(dict.fromkeys(parts, -1), timeout_ms=20_000)

    def _admin(self) -> Any:
        return KafkaAdminClient(bootstrap_servers=self.bootstrap, **self.settings)


@dataclass
class Own:
    """A broker process of ours: plain, with passwords (PLAIN and SCRAM-SHA-256) and with TLS."""

    folder: Path
    command: list[str]
    plain: int
    sasl: int
    tls: int
    authority: Path
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.plain}"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    def start(self) -> None:
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(self.command, stdout=sink, stderr=sink, cwd=self.folder)
        for port in (self.plain, self.sasl, self.tls):  # they open one after the other
            self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((self.host, port)) == 0:
                    return
            time.sleep(0.2)
        raise RuntimeError(f"the broker did not start: {self.words()}")

    def words(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]

    def stop(self, *, kill: bool = False) -> None:
        """RuntimeError where it has died by itself."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is not None:
            raise RuntimeError(f"the broker died by itself: {self.words()}")
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def broker(folder: Path, host: str = "127.0.0.1") -> Iterator[Broker]:
    """A running broker with its data under `folder`, to be found at `host`; it is stopped at the end."""
    named = os.environ.get("HUIYING_TEST_KAFKA")
    if named:
        yield Broker(named)
    elif os.environ.get("HUIYING_TEST_KAFKA_MOCK") or shutil.which("java") is None:
        with _mock() as mocked:
            yield mocked
    else:
        own = _own(folder, host)
        own.start()
        try:
            yield Broker(own.address, own=own)
        finally:
            own.stop()


def _own(folder: Path, host: str) -> Own:
    words = folder / "log4j.properties"
    words.write_text(_WORDS, encoding="utf-8")
    base = [_java(), "-Xmx256m", f"-Dlog4j.configuration={words.as_uri()}", "-cp", f"{_jars()}/*"]
    authority, keystore = certificates.make(folder)
    ports = [free_port() for _ in range(4)]
    settings = folder / "server.properties"
    settings.write_text(_properties(folder, keystore, host, *ports), encoding="utf-8")
    _format(base, settings, folder)
    plain, sasl, tls, _ = ports
    return Own(folder, [*base, "kafka.Kafka", str(settings)], plain, sasl, tls, authority, host)


@contextmanager
def _mock() -> Iterator[Broker]:
    """librdkafka's mock cluster lives as long as the producer that was asked for it."""
    try:
        from confluent_kafka import Producer
    except ImportError:
        missing("neither Java (apt-get install default-jre-headless maven) nor confluent-kafka is here")
    host = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    seen = host.list_topics(timeout=20).brokers.values()
    yield Broker(",".join(f"{one.host}:{one.port}" for one in seen), {"api_version": (2, 3)}, mock=host)
    host.flush(1)


def _java() -> str:
    return shutil.which("java") or missing("java is not installed (apt-get install default-jre-headless)")


def _jars() -> Path:
    """Fetched once by Maven into the ignored cache; whoever comes meanwhile waits. Moved into place whole, so
    a broken fetch leaves none."""
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with JARS.with_name("kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetched()


def _fetched() -> Path:
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
    scram = f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]"
    tool = [*base, "kafka.tools.StorageTool", "format", "--standalone", "-t", _CLUSTER, "-c", str(settings)]
    command = [*tool, "--add-scram", scram]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, check=False)
    if run.returncode:
        raise RuntimeError(f"Kafka's storage could not be formatted: {(run.stdout + run.stderr)[-800:]}")


def _properties(
    folder: Path, keystore: Path, host: str, plain: int, sasl: int, tls: int, control: int
) -> str:
    places = {"PLAINTEXT": plain, "WORD": sasl, "TLS": tls, "CONTROLLER": control}
    listeners = ",".join(f"{name}://{host}:{port}" for name, port in places.items())
    login = "org.apache.kafka.common.security"
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"{host}:{control}",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,WORD:SASL_PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
        "listener.name.word.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
        "listener.name.word.plain.sasl.jaas.config": (
            f'{login}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        ),
        "listener.name.word.scram-sha-256.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.tls.ssl.keystore.type": "PEM",
        "listener.name.tls.ssl.keystore.location": str(keystore),
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


def publish(settings: BrokerSettings, topic: str, messages: Iterable[Mapping[str, Any] | bytes]) -> int:
    """Sends messages (objects as JSON, bytes as they are), waits until all are stored, gives their number."""
    publisher = Publisher(settings)
    try:
        return publisher.send(topic, (Outgoing(_bytes(message)) for message in messages))
    finally:
        publisher.close()


def _bytes(message: Mapping[str, Any] | bytes) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()


def read_topic(kafka: Broker, topic: str, wanted: int, looks: int = 60) -> list[Any]:
    """The topic's records from its start, in the order of each partition; at least `wanted` if they come."""
    reader = KafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=None,
        auto_offset_reset="earliest",
        **kafka.settings,
    )
    found: list[Any] = []
    with closing(reader):
        for _ in range(looks):
            found += [record for records in reader.poll(timeout_ms=500).values() for record in records]
            if len(found) >= wanted:
                break
    return found


@contextmanager
def at_work(follow: Callable[[House, threading.Event], object], house: House) -> Iterator[threading.Thread]:
    """What follows the broker or feeds it, in a thread of its own; it must end when it is told to."""
    stopped = threading.Event()
    thread = threading.Thread(target=follow, args=(house, stopped), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stopped.set()
        thread.join(60)
    assert not thread.is_alive()
