"""Kafka → committed rows beside kafka-python alone; a message in Kafka → a flagged incident; files in.

`HUIYING_BENCH=long` puts all five years of hot-search titles through Kafka; the data stays outside of the
repository.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer  # type: ignore[import-untyped]
from sqlalchemy import func, select

from connectors.broker import Publisher, TicketConsumer
from connectors.broker.producer import Outgoing
from flows.collecting.following import broker_settings, follow_broker
from flows.processes.loop import ClockLoop
from flows.wiring import House
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL
from models.ledger.verify import verify
from support import generator, hotsearch
from support.figures import Figures, percentile
from support.kafka import Broker, broker, publish
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"
RATE = "messages/s"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, kafka: Broker, database_url: str) -> Iterator[House]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    kafka.create(name, 4)
    site = {
        "kafka": {"bootstrap": kafka.bootstrap, "group": name, "topics": [name], "security": kafka.settings}
        | {"hold_tickets": 10**9}  # nothing is judged here: nothing is to wait for it
    }
    directory = write_site(tmp_path / "site", NOBODY, database=database_url, site=site)
    with House.open(directory, ENVIRON) as opened:
        yield opened


def rows_in(house: House) -> int:
    with house.store.read() as conn:
        return conn.execute(select(func.count()).select_from(SIGNAL)).scalar_one()


def _newest(house: House) -> int:
    with house.store.read() as conn:
        return conn.execute(select(func.max(SIGNAL.c.id))).scalar_one() or 0


def follow_until(house: House, wanted: int) -> float:
    """Seconds until `wanted` messages are committed rows, by the follower that the clock loop runs."""
    stopped = threading.Event()
    thread = threading.Thread(target=follow_broker, args=(house, stopped), daemon=True)
    began = time.perf_counter()
    thread.start()
    try:
        while _newest(house) < wanted:  # a fresh table: numbers without gaps; counting would be work
            assert thread.is_alive()
            assert time.perf_counter() - began < 1_200, f"{rows_in(house)} of {wanted}"
            time.sleep(0.05)
        return time.perf_counter() - began
    finally:
        stopped.set()
        thread.join(60)


def alone(kafka: Broker, topic: str, wanted: int) -> float:
    """Seconds that kafka-python takes for the same messages, doing nothing with them."""
    began, seen = time.perf_counter(), 0
    reader = KafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap,
        group_id=f"alone-{uuid.uuid4().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **kafka.settings,
    )
    with closing(reader):
        while seen < wanted:
            seen += sum(len(some) for some in reader.poll(timeout_ms=1000, max_records=2000).values())
    return time.perf_counter() - began


def read_only(house: House, wanted: int) -> float:
    """Seconds to read and translate the same messages without storing any."""
    began, seen = time.perf_counter(), 0
    with TicketConsumer(replace(broker_settings(house), group=f"read-{uuid.uuid4().hex}")) as consumer:
        while seen < wanted:
            seen += consumer.poll(1.0, 2000).batch.read
    return time.perf_counter() - began


def test_messages_become_committed_rows(
    house: House, kafka: Broker, engine: str, short: bool, measured: Figures
) -> None:
    count = 2_000 if short else 100_000
    topic = house.site.kafka.topics[0]
    publish(broker_settings(house), topic, generator.tickets(count, house.time.now()))
    plain = count / alone(kafka, topic, count)
    translated = count / read_only(house, count)
    whole = count / follow_until(house, count)
    measured.add(f"Kafka to committed rows, {count:,} tickets", RATE, engine, whole)
    measured.add("  kafka-python alone, the same messages", RATE, engine, plain)
    measured.add("  read and translated, not stored", RATE, engine, translated)
    with house.store.read() as conn:
        assert conn.execute(select(func.count(func.distinct(SIGNAL.c.uid)))).scalar_one() == count


def test_a_message_becomes_a_flagged_incident(
    house: House, engine: str, short: bool, measured: Figures
) -> None:
    """The whole river runs, everything of it in this process; one disaster after another is reported."""
    count, pause = (5, 0.5) if short else (200, 0.25)
    topic = house.site.kafka.topics[0]
    loop = ClockLoop(house)
    loop.start()
    publisher = Publisher(broker_settings(house))
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    stopped = threading.Event()
    watcher = threading.Thread(target=_watch, args=(house, seen, stopped), daemon=True)
    watcher.start()
    try:
        for message in islice(generator.disasters(house.time.now), count + 1):
            publisher.send(topic, [Outgoing(json.dumps(message, ensure_ascii=False).encode())])
            sent[message["title"]] = time.perf_counter()
            time.sleep(pause if len(sent) > 1 else 10)  # the first loads the weights
        deadline = time.perf_counter() + 120
        while len(seen) < len(sent) and time.perf_counter() < deadline:
            time.sleep(0.1)
    finally:
        stopped.set()
        watcher.join(10)
        publisher.close()
        loop.stop()
    waits = [seen[title] - sent[title] for title in list(sent)[1:] if title in seen]
    assert len(waits) == count
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        measured.add(
            f"a message in Kafka to a flagged incident, whole river: {name}",
            "s",
            engine,
            percentile(waits, share),
        )


def _watch(house: House, seen: dict[str, float], stopped: threading.Event) -> None:
    flagged = (
        select(SIGNAL.c.title)
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(JUDGEMENT.c.flagged, JUDGEMENT.c.incident_id.is_not(None))
    )
    while not stopped.is_set():
        with house.store.read() as conn:
            titles = conn.execute(flagged).scalars().all()
        now = time.perf_counter()
        for title in titles:
            seen.setdefault(title, now)
        time.sleep(0.02)


def test_a_file_of_tickets_is_imported(
    house: House, engine: str, short: bool, measured: Figures, tmp_path: Path
) -> None:
    count = 2_000 if short else 100_000
    path = tmp_path / "tickets.csv"
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["工单编号", "工单标题", "工单内容", "来电时间", "区域"])
        for row in generator.tickets(count, house.time.now()):
            writer.writerow([row[name] for name in ("id", "title", "body", "published_at", "place")])
    command = [sys.executable, "-m", "flows.cli", "import", str(path), "--site", str(house.site.directory)]
    began = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | ENVIRON, cwd=ROOT, check=False
    )
    seconds = time.perf_counter() - began
    assert json.loads(done.stdout)["accepted"] == count, done.stderr[-500:]
    measured.add(f"huiying import, {count:,} tickets, from start to exit", "rows/s", engine, count / seconds)


def test_five_years_of_hot_searches_pass_through_kafka(
    house: House, kafka: Broker, engine: str, short: bool, measured: Figures
) -> None:
    topic = house.site.kafka.topics[0]
    settings = broker_settings(house)
    size = 5_000 if short else None if os.environ.get("HUIYING_BENCH") == "long" else 50_000
    said = list(islice(hotsearch.posts(), size))
    for start in range(0, len(said), 50_000):
        publish(settings, topic, said[start : start + 50_000])
    distinct = len({post["id"] for post in said})
    measured.add(
        f"hot searches over Kafka, {len(said):,} posts",
        RATE,
        engine,
        distinct / follow_until(house, distinct),
    )
    assert rows_in(house) == distinct
    if short:
        assert verify(house.store, house.time.now())["findings"] == []
