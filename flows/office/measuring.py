"""What the metrics need and no scrape should have to work for: histograms of the journal, drift of the classifiers.

Both are kept in the database, so that any console answers the same, and right after a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from flows.wiring import House
from models.classify.drift import stability_index
from models.core.moment import iso, parse_iso
from models.core.text import canonical
from models.ledger import duties, judgements, measures
from models.ledger.store import Connection

log = structlog.get_logger()

COUNT_S: Final = 2.0
DRIFT_S: Final = 600.0
"""Between two looks at the drift, in real seconds: it is ten thousand rows."""
FRESH: Final = timedelta(hours=1)
LATELY: Final = 2000
"""Judgements that are compared with four times as many before them."""
WORDS: Final = 300
"""Texts whose features are looked up."""
DRIFT: Final = "drift"


def count(house: House) -> int:
    """Count one stretch of the journal; how many entries it went forward."""
    with house.store.read() as conn:
        if not measures.behind(conn):
            return 0
        found = measures.count(conn)
    with house.store.write() as conn:
        return found.upto - found.after if measures.keep(conn, found) else 0


def compare(conn: Connection) -> dict[str, float | None]:
    """sentiment, topic → how far the newest answers stand off from those before (PSI); None where there are few."""
    lately = judgements.answers(conn, LATELY)
    before = judgements.answers(conn, 4 * LATELY, skip=LATELY)
    return {name: stability_index(before[name], lately[name]) for name in lately}


def look(house: House) -> dict[str, Any]:
    """Work out the drift and keep it: {at, answers: what `compare` says, unseen, usual}."""
    with house.store.read() as conn:
        found: dict[str, Any] = {"answers": compare(conn)}
        texts = judgements.words(conn, WORDS)
    found["unseen"], found["usual"] = house.judge.strangeness([canonical(text) for text in texts])
    with house.store.write() as conn:
        found["at"] = iso(house.time.now())
        duties.put_setting(conn, DRIFT, found)
    return found


def drift(conn: Connection, now: datetime, pace: float = 1.0) -> dict[str, Any] | None:
    """What was kept last, unless that is long ago."""
    kept = duties.get_setting(conn, DRIFT)
    return kept if kept and now - parse_iso(kept["at"]) < FRESH * pace else None


@dataclass
class Measurer:
    """`counts`: this process counts the journal; `looks`: it has the classifiers at hand anyway."""

    house: House
    counts: bool
    looks: bool
    _looked: float = float("-inf")

    def watch(self, stopped: threading.Event) -> None:
        """Until told to stop; a database that is away is asked again."""
        while not stopped.is_set():
            try:
                went = self.step()
            except Exception as error:  # noqa: BLE001  whatever it is, it is counted later
                log.warning("the metrics could not be counted", reason=str(error) or repr(error))
                went = 0
            stopped.wait(0.0 if went >= measures.STRETCH else COUNT_S)

    def step(self) -> int:
        if self.looks and time.monotonic() - self._looked > DRIFT_S and "judge" in self.house.__dict__:
            self._looked = time.monotonic()
            look(self.house)
        return count(self.house) if self.counts else 0


def jobs(
    house: House, wanted: Collection[str], stopped: threading.Event
) -> list[tuple[str, Callable[[], None]]]:
    """The auditor's process counts; the one that judges looks at the drift."""
    if not {"audit", "triage"} & set(wanted):
        return []
    measurer = Measurer(house, "audit" in wanted, "triage" in wanted)
    return [("measure", lambda: measurer.watch(stopped))]
