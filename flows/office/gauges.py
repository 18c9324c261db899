"""Prometheus metrics of a site: what an outside watcher needs to see that all is well."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from flows.office import coverage
from flows.wiring import House
from models.ledger import outbox, signals, tallies
from models.ledger.store import Connection


def text(conn: Connection, house: House, now: datetime) -> str:
    """Text format 0.0.4; seconds are the site's own."""
    registry, known = CollectorRegistry(), dict[str, Gauge]()

    def gauge(name: str, words: str, value: float, **labels: str) -> None:
        if name not in known:
            known[name] = Gauge(name, words, list(labels), registry=registry)
        (known[name].labels(**labels) if labels else known[name]).set(value)

    for state, count in tallies.clocks_by_state(conn).items():
        gauge("huiying_clocks", "clocks by state", count, state=state)
    for state, count in tallies.alerts_by_state(conn).items():
        gauge("huiying_alerts", "alerts by state", count, state=state)
    waiting = outbox.queue(conn, now)
    oldest = (now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0.0
    gauge("huiying_outbox_oldest_seconds", "age of the oldest unsent alert", oldest)
    gauge("huiying_outbox_held", "unsent alerts that a channel's rate limit holds back", waiting["held"])
    gauge("huiying_signals_waiting", "signals that nobody has judged yet", signals.waiting(conn))
    gauge("huiying_steps_overdue", "steps that are due and not raised", tallies.steps_overdue(conn, now)[0])
    worst = tallies.worst_lateness_s(conn)
    gauge("huiying_step_lateness_worst_seconds", "worst lateness of a raised step", worst)
    for part, waits in coverage.kafka_waits(conn)[1].items() if house.site.kafka.enabled else ():
        topic, _, partition = part.rpartition("/")
        gauge("huiying_kafka_lag", "messages waiting in Kafka", waits, topic=topic, partition=partition)
    for item in coverage.report(conn, house, now)["items"]:
        works = float(item["state"] in coverage.WORKING)
        gauge("huiying_part_up", "1 when a part works", works, part=item["name"])
    return generate_latest(registry).decode()
