"""`/metrics` of a process that has no pages: its memory and processor time, and how its own threads get on.

What stands in the database any console tells; here is what only this process knows. prometheus_client's own
server, on this machine's loopback unless another address is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from flows.office.gauges import build_info, many, one
from flows.processes.lookout import Lookout
from flows.wiring import House
from models.ledger import presence

LOOPBACK = "127.0.0.1"


@dataclass(eq=False)  # a registry keeps its collectors by what they are
class Own(Collector):
    """What this process knows of itself, at each scrape anew; nothing of it asks the database."""

    house: House
    lookout: Lookout | None = None

    def collect(self) -> Iterable[Metric]:
        yield build_info()
        used = presence.pool(self.house.store)
        if used is not None:
            told = [(("used",), float(used[0])), (("allowed",), float(used[1]))]
            yield many("huiying_pool_connections", "of this process, to the database", ["of"], told)
        yield from self._duties()

    def _duties(self) -> Iterator[Metric]:
        rounds = self.lookout.rounds() if self.lookout else {}
        ages = [((name,), age) for name, (age, _) in rounds.items()]
        yield many("huiying_duty_round_seconds", "since a duty's last good round here", ["duty"], ages)
        failing = [((name,), float(wrong)) for name, (_, wrong) in rounds.items()]
        yield many("huiying_duty_failing", "1 while a duty's rounds fail here", ["duty"], failing)
        yield one("huiying_duties_here", "duties that this process has run", float(len(rounds)))


@contextmanager
def metered(own: Own, port: int | None, host: str = LOOPBACK) -> Iterator[int | None]:
    """Answer scrapes meanwhile; the port, or None where nobody asked for one. Raises OSError when it is taken."""
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    registry.register(own)
    ProcessCollector(registry=registry)
    server, thread = start_http_server(port, host, registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
