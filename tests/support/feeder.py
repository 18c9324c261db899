"""Puts a stream of voices (support/voices.py) into Kafka at a steady rate, in a process of its own.

`with Feeder(bootstrap, topics, count, rate, stream, folder) as feeder: feeder.sent; feeder.wait(); feeder.times()`.
A broker that is away is waited for, and what it may not have stored is sent again: at least once. What was
missed meanwhile is made up for at once, as real senders do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.broker import BrokerSettings, Outgoing, Publisher
from connectors.ports import ConnectorError
from models.core.moment import local
from support.processes import with_support
from support.voices import Stream
from support.waiting import until

SLICE_S = 0.05
MOST = 2_000
"""Messages handed to the producer at once."""


@dataclass
class Feeder:
    """`rate` in messages/s; 0: as fast as it goes. `topics`: {"tickets": name, "posts": name}. Message numbers
    run from `first` to `first + count`."""

    bootstrap: str
    topics: dict[str, str]
    count: int
    rate: float
    stream: Stream
    folder: Path
    first: int = 0

    def __enter__(self) -> Self:
        self.progress = self.folder / f"fed-{self.first}.txt"
        self.told = self.folder / f"fed-{self.first}.json"
        self.log = self.folder / "feeder.log"
        for old in (self.progress, self.told):
            old.unlink(missing_ok=True)
        order = {
            "bootstrap": self.bootstrap, "topics": self.topics, "count": self.count, "rate": self.rate,
            "stream": asdict(self.stream), "first": self.first, "progress": str(self.progress),
            "told": str(self.told),
        }  # fmt: skip
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "support.feeder", json.dumps(order)],
                stdout=out, stderr=out, env=with_support(), start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def sent(self) -> int:
        """Messages that the broker has stored for sure."""
        return self.progress.stat().st_size if self.progress.exists() else 0

    def wait(self, patience_s: float) -> None:
        until(self.told.exists, self.words, alive=self.alive, patience_s=patience_s)

    def alive(self) -> bool:
        """It is at work, or has told all."""
        return self.process.poll() is None or self.told.exists()

    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-1500:]

    def times(self) -> dict[int, float]:
        """matter → when its first voice was handed to the broker, in seconds since 1970."""
        told = json.loads(self.told.read_text(encoding="utf-8"))
        return {int(matter): at for matter, at in told["matters"].items()}

    @property
    def repeated(self) -> int:
        """Messages that were sent a second time, since nobody knew whether the broker had them."""
        return int(json.loads(self.told.read_text(encoding="utf-8"))["repeated"])


def feed(order: dict[str, object]) -> None:
    """Runs in the feeder's own process."""
    count, first, rate = int(str(order["count"])), int(str(order["first"])), float(str(order["rate"]))
    stream = Stream(**order["stream"])  # type: ignore[arg-type]
    sender = _Sender(str(order["bootstrap"]), dict(order["topics"]))  # type: ignore[call-overload]
    matters: dict[int, float] = {}
    done, began = 0, time.monotonic()
    with Path(str(order["progress"])).open("ab", buffering=0) as progress:
        while done < count:
            wanted = count if rate == 0 else min(count, int((time.monotonic() - began) * rate))
            high = min(wanted, done + MOST)
            if high > done:
                _send(sender, stream, first + done, first + high, matters)
                progress.write(b"." * (high - done))
                done = high
            if high == wanted:
                time.sleep(SLICE_S)
    made = {"matters": matters, "repeated": sender.repeated}
    part = Path(f"{order['told']}.part")
    part.write_text(json.dumps(made), encoding="utf-8")
    part.replace(str(order["told"]))


def _send(sender: _Sender, stream: Stream, low: int, high: int, matters: dict[int, float]) -> None:
    at = local(datetime.now(UTC))
    bundles: dict[str, list[Outgoing]] = {"tickets": [], "posts": []}
    for n in range(low, high):
        kind, message = stream.message(n, at)
        told = stream.matter_of(n)
        if told is not None:
            matters.setdefault(told[0], time.time())
        bundles[kind].append(Outgoing(json.dumps(message, ensure_ascii=False).encode()))
    for kind, bundle in bundles.items():
        sender.send(kind, bundle)


class _Sender:
    def __init__(self, bootstrap: str, topics: dict[str, str]) -> None:
        self.settings = BrokerSettings(bootstrap)
        self.topics, self.repeated = topics, 0
        self.publisher: Publisher | None = None

    def send(self, kind: str, bundle: list[Outgoing]) -> None:
        """Until the broker has stored it, however often that takes."""
        while bundle:
            try:
                if self.publisher is None:
                    self.publisher = Publisher(self.settings)
                self.publisher.send(self.topics[kind], bundle)
                return
            except ConnectorError as error:
                sys.stderr.write(f"{error}\n")
                self.repeated += len(bundle)
                self._let_go()
                time.sleep(1)

    def _let_go(self) -> None:
        if self.publisher is not None:
            try:
                self.publisher.close()
            except ConnectorError as error:
                sys.stderr.write(f"{error}\n")
        self.publisher = None


if __name__ == "__main__":
    feed(json.loads(sys.argv[1]))
