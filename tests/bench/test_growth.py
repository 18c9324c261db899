"""What one more signal costs when a hundred times as many are stored: the same arrival rate, a longer past.

`HUIYING_BENCH=long` fills up to 1,000,000 (goal: at the most 1.2 times the cost at 10,000), otherwise 100,000.
The past is written straight into the tables: measured is what comes after it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from flows.collecting.intake import store as put
from flows.triage import triage
from flows.wiring import House
from models.core.signals import Batch
from models.core.text import fingerprint
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL
from support.figures import Figures
from support.sites import ENVIRON, write_site
from support.texts import signals as texts

A_DAY = 5_000
FEW = 10_000
PART = 5_000
ROUNDS = 7
AT_ONCE = 500


def test_the_cost_of_a_signal_does_not_grow_with_what_is_stored(
    database_url: str, second_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    many = 20_000 if short else 1_000_000 if os.environ.get("HUIYING_BENCH") == "long" else 100_000
    sites = [
        write_site(tmp_path / name, "http://127.0.0.1:9", database=url)
        for name, url in (("few", database_url), ("many", second_url))
    ]
    with House.open(sites[0], ENVIRON) as small, House.open(sites[1], ENVIRON) as large:
        fill(small, FEW)
        fill(large, many)
        took: dict[int, list[float]] = {FEW: [], many: []}
        for n in range(ROUNDS + 1):  # by turns, so that whatever else the machine does falls on both
            for count, house in ((FEW, small), (many, large)):
                took[count].append(cost(house, n))
    costs = {count: sorted(rounds[1:])[ROUNDS // 2] for count, rounds in took.items()}  # the first catches up
    for count, seconds in costs.items():
        measured.add(f"a signal's ingest and triage at {count:,} stored", "ms", engine, seconds * 1000)
    measured.add(f"cost at {many:,} to cost at {FEW:,} (goal 1.2)", "ratio", engine, costs[many] / costs[FEW])


def cost(house: House, n: int) -> float:
    """Seconds a signal in one round."""
    batch = Batch(tuple(islice(texts(10**7, house.time.now()), n * AT_ONCE, (n + 1) * AT_ONCE)))
    began = time.perf_counter()
    put(house, batch, "bench")
    assert triage(house).judged == AT_ONCE
    return (time.perf_counter() - began) / AT_ONCE


def fill(house: House, wanted: int) -> None:
    """So many signals and judgements of the past, `A_DAY` a day up to now."""
    now = house.time.now()
    for low in range(0, wanted, PART):
        high = min(low + PART, wanted)
        with house.store.write() as conn:
            past(conn, now - (wanted - high) * timedelta(days=1) / A_DAY, low, high)


def past(conn: Connection, at: datetime, low: int, high: int) -> None:
    last = conn.execute(select(func.max(SIGNAL.c.id))).scalar() or 0
    conn.execute(insert(SIGNAL), list(said(at, low, high)))
    ids = conn.execute(select(SIGNAL.c.id).where(SIGNAL.c.id > last)).scalars()
    conn.execute(insert(JUDGEMENT), [judged(number, at) for number in ids])


def said(at: datetime, low: int, high: int) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(islice(texts(10**9, at), high - low), start=low):
        yield {
            "uid": f"past-{number}", "source_id": "past", "medium": one.medium.value, "title": one.title,
            "body": one.body, "metrics": {}, "published_at": at, "seen_at": at,
            "fingerprint": fingerprint(f"{number}{one.body}"), "digest": "", "triaged_at": at,
        }  # fmt: skip


def judged(number: int, at: datetime) -> dict[str, Any]:
    return {
        "signal_id": number, "at": at, "sentiment": "neu", "sentiment_score": 0.0, "topic": "城乡建设",
        "topic_margin": 0.5, "rumour": 0.1, "concern": 0.1, "flagged": False, "grade": "IV", "facts": {},
        "grade_parts": [], "reasons": [], "versions": {}, "cluster": f"p{number}",
    }  # fmt: skip
