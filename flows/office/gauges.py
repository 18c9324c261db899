"""Prometheus metrics of a site: what an outside watcher needs to see that all is well.

Every console answers the same: what it says stands in the database. What is dear is asked seldom (`Slowly`),
histograms are counted by a worker (`flows.office.measuring`), so a scrape costs the same with a hundred open
clocks and with a hundred thousand.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from flows import machine
from flows.office import coverage, measuring, sources_seen
from flows.wiring import House
from models.core.fleet import is_silent
from models.core.moment import parse_iso
from models.ledger import journal, measures, outbox, presence, signals, tallies
from models.ledger.store import Connection

T = TypeVar("T")
QUICK_S: Final = 0.02
TIMES: Final = 100
"""What took longer than `QUICK_S` is asked again after a hundred times as long: 1 % of a processor at the most."""


@dataclass
class Slowly:
    """Answers that are kept the longer the dearer they were."""

    tick: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def __call__(self, name: str, ask: Callable[[], T]) -> T:
        until, value = self._kept.get(name, (float("-inf"), None))
        began = self.tick()
        if began < until:
            return value  # type: ignore[no-any-return]  # what `ask` gave under this name
        answer = ask()
        ended = self.tick()
        took = ended - began
        self._kept[name] = (ended + took * TIMES if took > QUICK_S else ended, answer)
        return answer


class Families(Collector):
    """Metric families that are ready, as a registry wants to ask for them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def one(name: str, words: str, value: float) -> Metric:
    """A gauge with a single number."""
    return GaugeMetricFamily(name, words, value=value)


def many(name: str, words: str, labels: list[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """A gauge with a number for each set of labels."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def build_info() -> Metric:
    """Which program this is."""
    labels = ("version", "schema")
    said = (machine.version(), presence.schema_known())
    return many("huiying_build_info", "the program that runs", [*labels], [(said, 1.0)])


def text_of(families: Iterable[Metric]) -> str:
    """Text format 0.0.4, with this process's own memory and processor time."""
    registry = CollectorRegistry()
    registry.register(Families(families))
    ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


@dataclass
class Gauges:
    """The metrics of one house. Seconds are the site's own."""

    house: House
    slowly: Slowly = field(default_factory=Slowly)

    def text(self, conn: Connection, now: datetime) -> str:
        began = time.monotonic()
        families = [*self._families(conn, now)]
        took = one("huiying_scrape_seconds", "how long it took to answer this", time.monotonic() - began)
        return text_of([*families, took])

    def _families(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        yield build_info()
        yield from self._states(conn)
        yield from self._queue(conn, now)
        yield from self._signals(conn, now)
        yield from _steps(conn, now, self.slowly("worst", lambda: tallies.worst_lateness_s(conn)))
        yield from _counted(conn)
        yield from self._sources(conn, now)
        yield from self._parts(conn, now)
        yield from _ledger(conn, now)
        yield from self._drift(conn, now)
        yield from _processes(conn, now, self.house.time.speed)

    def _states(self, conn: Connection) -> Iterator[Metric]:
        running = self.slowly("clocks", lambda: tallies.clocks_by_state(conn))
        alerts = self.slowly("alerts", lambda: tallies.alerts_by_state(conn))
        yield many("huiying_clocks", "clocks by state", ["state"], _labelled(running))
        yield many("huiying_alerts", "alerts by state", ["state"], _labelled(alerts))

    def _queue(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        waiting = outbox.queue(conn, now)
        yield one("huiying_outbox_waiting", "alerts that wait to be sent", waiting["waiting"])
        yield one(
            "huiying_outbox_oldest_seconds", "age of the oldest unsent alert", _age(waiting["oldest"], now)
        )
        words = "unsent alerts that a channel's rate limit holds back"
        yield one("huiying_outbox_held", words, waiting["held"])

    def _signals(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        waiting = self.slowly("waiting", lambda: signals.waiting(conn))
        yield one("huiying_signals_waiting", "signals that nobody has judged yet", waiting)
        oldest = _age(tallies.oldest_unjudged(conn), now)
        yield one("huiying_signals_waiting_oldest_seconds", "age of the oldest of them", oldest)

    def _sources(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        listed = sources_seen.states(conn, self.house, now)
        well = [((item["id"],), float(item["state"] in sources_seen.WELL)) for item in listed]
        yield many("huiying_source_up", "1 when a source is read as it should be", ["source"], well)
        good = [(item["id"], item["last_good_at"]) for item in listed if item["last_good_at"]]
        ages = [((name,), _age(parse_iso(at), now)) for name, at in good]
        yield many("huiying_source_last_good_seconds", "since a source was last read", ["source"], ages)
        if self.house.site.kafka.enabled:
            waits = [(_place(part), float(n)) for part, n in coverage.kafka_waits(conn)[1].items()]
            yield many("huiying_kafka_lag", "messages waiting in Kafka", ["topic", "partition"], waits)

    def _parts(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        items = self.slowly("parts", lambda: coverage.report(conn, self.house, now))["items"]
        works = [((item["name"],), float(item["state"] in coverage.WORKING)) for item in items]
        yield many("huiying_part_up", "1 when a part works", ["part"], works)

    def _drift(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        kept = measuring.drift(conn, now, self.house.time.speed) or {"answers": {}}
        told = [((name,), value) for name, value in kept["answers"].items() if value is not None]
        yield many(
            "huiying_drift", "stability index of the classifiers' answers (0.25: changed)", ["of"], told
        )
        shares = [((name,), kept[name]) for name in ("unseen", "usual") if name in kept]
        yield many("huiying_unseen_share", "share of features that no training text had", ["of"], shares)


def _labelled(counts: dict[str, int]) -> list[tuple[tuple[str, ...], float]]:
    return [((name,), float(count)) for name, count in sorted(counts.items())]


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment) / timedelta(seconds=1)) if moment else 0.0


def _place(part: str) -> tuple[str, str]:
    topic, _, partition = part.rpartition("/")
    return topic, partition


def _steps(conn: Connection, now: datetime, worst: float) -> Iterator[Metric]:
    count, oldest = tallies.steps_overdue(conn, now)
    yield one("huiying_steps_overdue", "steps that are due and not raised", count)
    yield one("huiying_steps_overdue_oldest_seconds", "how long the oldest of them is due", _age(oldest, now))
    yield one("huiying_step_lateness_worst_seconds", "worst lateness of a raised step", worst)


def _counted(conn: Connection) -> Iterator[Metric]:
    """What a worker counted from the journal."""
    late = HistogramMetricFamily("huiying_step_lateness_seconds", "how late steps were raised")
    words = "from raising an alert to its acceptance"
    taken = HistogramMetricFamily("huiying_alert_accepted_seconds", words, labels=["channel"])
    tried = CounterMetricFamily("huiying_alert_attempts", "attempts at alerts", labels=["channel", "outcome"])
    for (name, label), kept in measures.kept(conn).items():
        if name == measures.LATE:
            late.add_metric([], kept.heaped(), kept.total)
        elif name == measures.TAKEN:
            taken.add_metric([label], kept.heaped(), kept.total)
        elif name == measures.TRIED:
            tried.add_metric(label.rsplit(" ", 1), sum(kept.counts))
    yield from (late, taken, tried)
    yield one("huiying_measures_behind", "journal entries not counted yet", measures.behind(conn))


def _ledger(conn: Connection, now: datetime) -> Iterator[Metric]:
    yield one("huiying_journal_entries", "entries of the journal", journal.length(conn)[0])
    ends = tallies.partitions_end(conn)
    left = [((table,), (until - now) / timedelta(seconds=1)) for table, until in ends.items()]
    yield many(
        "huiying_partition_headroom_seconds", "until the last month that is made ends", ["table"], left
    )
    used = presence.connections(conn)
    told = [(("used",), float(used[0])), (("allowed",), float(used[1]))] if used else []
    yield many("huiying_database_connections", "of the server: in use, and let in at most", ["of"], told)


def _processes(conn: Connection, now: datetime, pace: float) -> Iterator[Metric]:
    """Every process by its last word, without a scrape of each."""
    fleet = presence.known(conn)
    names = ["host", "kind", "pid"]
    here = [((seen.host, seen.kind, str(seen.pid)), seen) for seen in fleet]
    up = [(key, float(not is_silent(seen, now, pace))) for key, seen in here]
    yield many("huiying_process_up", "1 when a process has told of itself lately", names, up)
    memory = [(key, float(seen.memory)) for key, seen in here if seen.memory is not None]
    yield many("huiying_process_memory_bytes", "resident memory as it told", names, memory)
    offsets = {(seen.host,): seen.offset_ms / 1000 for _, seen in here if seen.offset_ms is not None}
    words = "a machine's clock before the database's"
    yield many("huiying_machine_clock_offset_seconds", words, ["host"], offsets.items())
    versions = Counter((seen.version,) for _, seen in here if not is_silent(seen, now, pace))
    told = [(version, float(count)) for version, count in sorted(versions.items())]
    yield many("huiying_processes", "living processes by version", ["version"], told)
