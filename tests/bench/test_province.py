"""What a province asks of the program, by its commands in processes of their own, with each part alone beside it:
`make bench-all`. The last test computes from these figures what a province needs.

Rates count from the first signal to the last, so that no process's start is in them.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import text

from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SEEN, SIGNAL
from models.ledger.store import Store
from support import figures, postgres
from support.bench_site import Queue
from support.feeder import Feeder
from support.figures import Figures, percentile
from support.inquest import lateness, timed, to_alert
from support.kafka import Broker, broker
from support.looker import Looker
from support.processes import environ, huiying
from support.province import EACH, Province
from support.sizing import Measured, sizing
from support.voices import Stream

UNIT = "signals/s"
BOTH = "postgresql"
STREAM = Stream()
LATE = {"p50": 0.5, "p99": 0.99}
RATE = 200.0
FEW, MANY, NEXT, ROUNDS = 10_000, 1_000_000, 10_000, 3
SHORT = os.environ.get("HUIYING_BENCH") == "short"
COUNT = 3_000 if SHORT else 40_000
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """`count` messages that wait in these topics."""

    kafka: Broker
    topics: dict[str, str]
    count: int


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def backlog(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Backlog:
    topics = fresh_topics(kafka)
    put(kafka, topics, tmp_path_factory.mktemp("fed"), COUNT)
    return Backlog(kafka, topics, COUNT)


def fresh_topics(kafka: Broker) -> dict[str, str]:
    name = uuid.uuid4().hex[:8]
    topics = {"tickets": f"tickets-{name}", "posts": f"posts-{name}"}
    for topic in topics.values():
        kafka.create(topic, 4)
    return topics


def put(kafka: Broker, topics: dict[str, str], folder: Path, count: int, first: int = 0) -> None:
    """So many messages into the topics, at once."""
    with Feeder(kafka.bootstrap, topics, count, 0, STREAM, folder, first) as feeder:
        feeder.wait(PATIENCE_S)


# ── signals per second ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_queue_becomes_judged_signals_and_incidents(
    workers: int, backlog: Backlog, database_url: str, engine: str, tmp_path: Path, measured: Figures
) -> None:
    queue = Queue(tmp_path, database_url, backlog.kafka, backlog.topics)
    with queue.workers("ingest", "triage", count=workers) as parts:
        done = queue.emptied("judged", backlog.count, parts)
        memory = max(part.memory_mb for part in parts)
    measured.add(f"Kafka to judged, {workers} worker{'s' * (workers > 1)}", UNIT, engine, done.rate)
    measured.add(f"  memory of a worker, {workers} at work", "MB", engine, memory)
    if workers == 1:
        apiece = (queue.bytes() - queue.empty_bytes) / backlog.count
        measured.add("on disk, with journal and indexes", "bytes/signal", engine, apiece)
    queue.close()


def test_the_stages_of_the_same_queue_one_after_the_other(
    backlog: Backlog, database_url: str, engine: str, tmp_path: Path, measured: Figures
) -> None:
    queue = Queue(tmp_path, database_url, backlog.kafka, backlog.topics)
    with queue.workers("ingest") as parts:
        stored = queue.emptied("stored", backlog.count, parts)
    with queue.workers("triage") as parts:
        judged = queue.emptied("judged", backlog.count, parts)
    queue.close()
    measured.add("ingest alone", UNIT, engine, stored.rate)
    measured.add("triage alone", UNIT, engine, judged.rate)
    slowest = min(stored.rate, judged.rate)
    for workers in ("1 worker", "2 workers"):
        whole = measured.found.get((f"Kafka to judged, {workers}", UNIT), {}).get(engine)
        if whole:
            share = 100 * whole / slowest
            measured.add(f"{workers} to the slowest stage alone (goal 50)", "%", engine, share)


def test_a_file_is_imported_and_judged(
    kafka: Broker, database_url: str, engine: str, tmp_path: Path, measured: Figures
) -> None:
    queue = Queue(tmp_path, database_url, kafka, fresh_topics(kafka))
    path = tmp_path / "posts.jsonl"
    now = datetime.now(UTC)
    with path.open("w", encoding="utf-8") as sink:
        for n in range(COUNT):
            sink.write(json.dumps(STREAM.message(n, now)[1], ensure_ascii=False) + "\n")
    line = huiying("import", str(path), "--kind", "posts", "--site", str(queue.site))
    with queue.workers("triage") as parts:
        began = time.perf_counter()
        done = subprocess.run(line, env=environ(), capture_output=True, text=True, check=False)
        imported = time.perf_counter() - began
        assert json.loads(done.stdout)["accepted"] == COUNT, done.stderr[-500:]
        queue.emptied("judged", COUNT, parts)
        judged = time.perf_counter() - began
    queue.close()
    measured.add("huiying import beside a worker, from start to exit", UNIT, engine, COUNT / imported)
    measured.add("huiying import to judged", UNIT, engine, COUNT / judged)


# ── as more is stored ─────────────────────────────────────────────────────────────────────────


def test_a_signal_costs_the_same_when_a_million_are_stored(
    kafka: Broker, postgres_server: postgres.Server, tmp_path: Path, measured: Figures
) -> None:
    few, many, following = (1_000, 20_000, 1_000) if SHORT else (FEW, MANY, NEXT)
    queues = {}
    for count in (few, many):
        queue = Queue(tmp_path, postgres_server.database(), kafka, fresh_topics(kafka))
        put(kafka, queue.topics, tmp_path, few)
        with queue.workers("ingest", "triage") as parts:
            queue.emptied("judged", few, parts)
        if count > few:
            began = time.monotonic()
            multiply(queue.store, few, count // few - 1)
            measured.add(f"putting in {count:,} signals for it", "s", BOTH, time.monotonic() - began)
        queues[count] = queue
    rates: dict[int, list[float]] = {few: [], many: []}
    for turn in range(ROUNDS):  # by turns, so that whatever else the machine does falls on both
        for count, queue in queues.items():
            rates[count].append(_next(queue, few, following, turn, count, tmp_path))
    costs = {count: 1000 / median(found) for count, found in rates.items()}
    for count, cost in costs.items():
        measured.add(f"ingest and triage at {count:,} stored", "ms/signal", BOTH, cost)
        queues[count].close()
    measured.add(f"cost at {many:,} to cost at {few:,} (goal 1.2)", "ratio", BOTH, costs[many] / costs[few])


def _next(queue: Queue, few: int, following: int, turn: int, stored: int, folder: Path) -> float:
    """Signals a second of the `following` next ones."""
    with queue.workers("ingest", "triage") as parts:
        first = few + turn * following
        put(queue.kafka, queue.topics, folder, following, first)
        return queue.emptied("judged", stored + (turn + 1) * following, parts).rate


def multiply(store: Store, few: int, times: int) -> None:
    """Copies of the first `few` signals and judgements, two days older with each round, made within PostgreSQL:
    each with a uid and words of its own. They are not in the journal: what is measured comes after them."""
    days = timedelta(days=few / 5_000)
    uid = "md5(b.uid || s.n)"
    changed = {
        "uid": uid, "seen_at": "b.seen_at - s.n * :days", "fingerprint": "md5(b.fingerprint || s.n)",
        "published_at": "b.published_at - s.n * :days", "triaged_at": "b.triaged_at - s.n * :days",
    }  # fmt: skip
    names = [column.name for column in SIGNAL.columns if column.name != "id"]
    told = [column.name for column in JUDGEMENT.columns if column.name not in ("id", "signal_id")]
    judged = {"cluster": "b.cluster || '-' || s.n", "incident_id": "NULL", "at": "b.at - s.n * :days"}
    base = f"generate_series(1, {times}) AS s(n)"
    commands = (
        f"INSERT INTO signal ({', '.join(names)}) SELECT {_listed(names, changed)}"
        f" FROM (SELECT * FROM signal ORDER BY id LIMIT {few}) b CROSS JOIN {base}",
        f"INSERT INTO {SEEN.name} (uid, at) SELECT {uid}::uuid, b.seen_at - s.n * :days"
        f" FROM (SELECT * FROM signal ORDER BY id LIMIT {few}) b CROSS JOIN {base}",
        f"INSERT INTO judgement (signal_id, {', '.join(told)}) SELECT t.id, {_listed(told, judged)}"
        f" FROM (SELECT s.uid, j.* FROM signal s JOIN judgement j ON j.signal_id = s.id ORDER BY s.id LIMIT {few}) b"
        f" CROSS JOIN {base} JOIN signal t ON t.uid = {uid}",
    )
    for command in commands:
        with store.write() as conn:
            conn.execute(text(command), {"days": days} if ":days" in command else {})
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")


def _listed(names: list[str], changed: dict[str, str]) -> str:
    return ", ".join(changed.get(name, f"b.{name}") for name in names)


# ── a province at work ────────────────────────────────────────────────────────────────────────


def test_a_province_at_work(tmp_path: Path, measured: Figures) -> None:
    """Open clocks, 200 signals a second through Kafka, every process beside the others: how late is what."""
    clocks, calm_s, loaded_s = (2_000, 15, 25) if SHORT else (100_000, 45, 120)
    with Province(tmp_path, stream=Stream(block=100, voices=2)) as province:
        first = province.ready_at(clocks)
        province.lay(clocks, first, calm_s + loaded_s, min(100, clocks // EACH // 5))
        measured.add(
            f"laying {clocks:,} clocks, with journal", "clocks/s", BOTH, province.laid / province.laid_s
        )
        _start(province, measured)
        _rest_until(first)
        with Looker(province.url) as alone:
            time.sleep(calm_s)
        loaded = time.time()
        with province.feed(int(RATE * loaded_s), RATE) as feeder, Looker(province.url) as looker:
            feeder.wait(PATIENCE_S)
            for name, megabytes in province.memory().items():
                measured.add(f"memory, {clocks:,} clocks and {RATE:g}/s: {name}", "MB", BOTH, megabytes)
        province.settle(int(RATE * loaded_s))
        times, log, steps = feeder.times(), province.witness.log(), list(timed(province))
    _tell_alerts(measured, to_alert(log, times))
    _tell_steps(measured, clocks, [one for one in steps if one[0] < loaded], "before it")
    _tell_steps(measured, clocks, [one for one in steps if one[0] >= loaded], f"at {RATE:g}/s")
    _tell_board(measured, clocks, alone, looker)


def _start(province: Province, measured: Figures) -> None:
    began = time.monotonic()
    province.start("console")
    measured.add("start of huiying console to /healthz, clocks laid", "s", BOTH, time.monotonic() - began)
    province.start(*(name for name in province.parts if name != "console"))


def _rest_until(moment: datetime) -> None:
    time.sleep(max(0.0, moment.timestamp() - time.time()))


def _tell_alerts(measured: Figures, found: dict[str, float]) -> None:
    """Beside all else; the goal, two seconds at 200/s, is that of `tests/bench/test_triage.py`."""
    assert found["steps"] > 0
    for name in LATE | {"worst": 1.0}:
        what = f"signal into Kafka to alert accepted at {RATE:g}/s, beside steps and alerts: {name}"
        measured.add(what, "s", BOTH, found[name])


def _tell_steps(measured: Figures, clocks: int, steps: list[tuple[float, float]], when: str) -> None:
    found = lateness(steps, [])["database there"]
    for name in ("p50", "p99", "worst"):
        goal = " (goal 1)" * (name == "p99")
        measured.add(f"step due to committed, {clocks:,} open, {when}: {name}{goal}", "s", BOTH, found[name])


def _tell_board(measured: Figures, clocks: int, alone: Looker, loaded: Looker) -> None:
    assert set(loaded.statuses) == {200}
    what = f"board, {clocks:,} open clocks"
    for name, share in LATE.items():
        before, under = percentile(alone.ms, share), percentile(loaded.ms, share)
        measured.add(f"{what}, no signals: {name}", "ms", BOTH, before)
        measured.add(f"{what}, {RATE:g}/s: {name}", "ms", BOTH, under)
        measured.add(f"{what}, the second to the first: {name}", "ratio", BOTH, under / before)


# ── on paper ──────────────────────────────────────────────────────────────────────────────────


def test_what_a_province_needs_on_paper(measured: Figures) -> None:
    """From the figures above; it needs the whole file to have run."""
    one, two = (_of(measured, f"Kafka to judged, {n}", UNIT) for n in ("1 worker", "2 workers"))
    apiece = _of(measured, "on disk, with journal and indexes", "bytes/signal")
    memory = {
        what.rpartition(": ")[2]: by[BOTH]
        for (what, unit), by in measured.found.items()
        if what.startswith("memory, ") and unit == "MB"
    }
    if one is None or two is None or apiece is None:
        pytest.skip("the figures it computes from were not measured in this run")
    needs = sizing(Measured(one, two, figures.machine()["cores"], apiece, memory))
    for what, how in needs:
        measured.add(f"a province: {what}", "on paper", BOTH, how)
    assert [what for what, _ in needs][-1] == "disk"


def _of(measured: Figures, what: str, unit: str) -> float | None:
    return measured.found.get((what, unit), {}).get(BOTH)
