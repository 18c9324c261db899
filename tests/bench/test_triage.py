"""Signals per second from the door to the verdict, committed; and what of it is judging or writing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import func, select

from flows.collecting.intake import store as put
from flows.judging import slices
from flows.judging.reading import read
from flows.judging.sorting import Sorter
from flows.timekeeping import machine_now
from flows.triage import triage
from flows.wiring import House
from models.classify.judge import Judge
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from models.ledger import journal, signals
from models.ledger.entry import Entry
from models.ledger.judgements import JUDGEMENT
from models.ledger.outbox import ALERT
from models.ledger.signals import SIGNAL
from models.ledger.store import Store
from support.figures import Figures, percentile
from support.processes import Process, huiying
from support.sink import Sink
from support.sites import ENVIRON, write_site
from support.texts import signals as texts

T = TypeVar("T")
UNIT = "signals/s"
NOBODY = "http://127.0.0.1:9"


def parts_of(things: Iterable[T], size: int = slices.BATCH) -> Iterator[list[T]]:
    left = iter(things)
    while part := list(islice(left, size)):
        yield part


def test_signals_are_taken_in_and_judged_whole(
    database_url: str, second_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    count = 1_500 if short else 20_000
    site = write_site(tmp_path / "site", NOBODY, database=database_url)
    with House.open(site, ENVIRON) as house:
        said = list(texts(count, house.time.now()))
        house.judge.judge(["预热"])  # the weights are read once a process: that is the cold start's figure
        began = time.perf_counter()
        for part in parts_of(said):
            put(house, Batch(tuple(part)), "bench")
        stored = time.perf_counter()
        judged = triage(house).judged
        ended = time.perf_counter()
        with house.store.read() as conn:
            waiting, rows = signals.waiting(conn), list(journal.entries(conn))
        measured.add(f"ingest and triage with commit, {count:,} texts", UNIT, engine, count / (ended - began))
        measured.add("  of it ingest", UNIT, engine, count / (stored - began))
        measured.add("  of it triage", UNIT, engine, count / (ended - stored))
        alone = count / _written_again(second_url, said, rows, house.time.now())
        measured.add("  the database alone (the same rows and journal written again)", UNIT, engine, alone)
        measured.add("  whole to database alone", "ratio", engine, count / (ended - began) / alone)
    assert (judged, waiting) == (count, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_judge_while_signals_come_in(
    workers: int, database_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    """`huiying worker triage` in processes of their own, and this process at the door; beside it, in the same
    run, each stage alone."""
    count = 1_000 if short else slices.AHEAD * slices.BATCH
    site = write_site(tmp_path / "site", NOBODY, database=database_url)
    with House.open(site, ENVIRON) as house:
        alone = _stages(house, count)
        said = list(texts(2 * count + 1, house.time.now(), seed=8))
        with ExitStack() as stack:
            running = [stack.enter_context(_Worker(site, number)) for number in range(workers)]
            _put_all(house, said[:1])  # the weights are read once a process: that is the cold start's figure
            _wait_until_judged(house, running)
            time.sleep(0 if short else 5)
            began = time.perf_counter()
            _put_all(house, said[1:])
            _wait_until_judged(house, running)
            whole = 2 * count / (time.perf_counter() - began)
            for one in running:
                one.stop()
    what = f"signals in and judged, {workers} worker{'s' if workers > 1 else ''} of triage"
    measured.add(what, UNIT, engine, whole)
    for name, rate in alone.items():
        measured.add(f"  {name} alone", UNIT, engine, rate)
    measured.add(
        "  whole to its slowest stage alone (goal 0.5)", "ratio", engine, whole / min(alone.values())
    )


def _stages(house: House, count: int) -> dict[str, float]:
    """Signals per second of each stage, nothing else at work."""
    house.judge.judge(["预热"])
    began = time.perf_counter()
    _put_all(house, list(texts(count, house.time.now())))
    stored = time.perf_counter()
    read_ahead = 0
    while some := slices.read_for_others(house):
        read_ahead += some
    done = time.perf_counter()
    assert triage(house).judged == read_ahead == count
    sorted_ = time.perf_counter()
    return {
        "taking in": count / (stored - began),
        "reading slices": count / (done - stored),
        "sorting and writing": count / (sorted_ - done),
    }


def _put_all(house: House, said: Sequence[RawSignal]) -> None:
    for part in parts_of(said):
        put(house, Batch(tuple(part)), "bench")


class _Worker(Process):
    """`huiying worker triage`."""

    def __init__(self, site: Path, number: int, *more: str) -> None:
        super().__init__(
            huiying("worker", "triage", *more, "--site", str(site)), site / f"worker-{number}.log"
        )


def _wait_until_judged(house: House, running: Sequence[Process]) -> None:
    deadline = time.perf_counter() + 1_200
    while _is_waiting(house):
        assert all(one.alive for one in running)
        assert time.perf_counter() < deadline, " ".join(one.words() for one in running)
        time.sleep(0.02)


def _is_waiting(house: House) -> bool:
    with house.store.read() as conn:
        return signals.first_waiting(conn) is not None


def test_a_grave_signal_among_two_hundred_a_second_becomes_an_accepted_alert(
    database_url: str, engine: str, sink: Sink, tmp_path: Path, short: bool, measured: Figures
) -> None:
    """From the commit that took it in to the receiver's yes, by the times in the ledger."""
    seconds, rate, grave = (5, 40, 10) if short else (60, 200, 50)
    site = write_site(tmp_path / "site", sink.url, database=database_url, together=20)
    with House.open(site, ENVIRON) as house, _Worker(site, 0, "respond", "deliver") as worker:
        calm = (one for one in texts(10**7, house.time.now()) if not one.title)
        _put_all(house, [next(calm)])
        _wait_until_judged(house, [worker])
        began = time.perf_counter()
        for tick in range(seconds * 10):
            said = [replace(one, published_at=house.time.now()) for one in islice(calm, rate // 10)]
            if tick % (grave // 10) == 0:
                said[0] = _grave(tick, house.time.now())
            put(house, Batch(tuple(said)), "bench")
            time.sleep(max(0.0, began + (tick + 1) / 10 - time.perf_counter()))
        _wait_until_judged(house, [worker])
        deadline = time.perf_counter() + 120
        while None in (waits := _waits(house)) and time.perf_counter() < deadline:
            time.sleep(0.2)
        worker.stop()
    assert len(waits) > seconds * 10 / (grave // 10) / 2  # few of them were taken for one
    assert None not in waits
    for share, name in ((0.5, "p50"), (0.99, "p99 (goal 2)")):
        what = f"a signal in → its alert accepted, {rate} signals a second: {name}"
        measured.add(what, "s", engine, percentile([wait for wait in waits if wait is not None], share))


def _grave(number: int, now: datetime) -> RawSignal:
    """A matter of its own: what is rare in it no other has."""
    dice = random.Random(number)
    where = "".join(chr(0x4E00 + dice.randrange(20_000)) for _ in range(80))
    return RawSignal("grave", f"G{number}", Medium.NEWS, f"{where}爆炸致3人死亡", "", published_at=now)


def _waits(house: House) -> list[float | None]:
    """Seconds from storing the first signal of each grave incident to its first accepted alert, if there is one."""
    first = select(func.min(ALERT.c.accepted_at)).where(ALERT.c.incident_id == JUDGEMENT.c.incident_id)
    query = (
        select(func.min(SIGNAL.c.seen_at).label("seen_at"), first.scalar_subquery().label("accepted_at"))
        .join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
        .where(SIGNAL.c.source_id == "grave", JUDGEMENT.c.incident_id.is_not(None))
        .group_by(JUDGEMENT.c.incident_id)
    )
    with house.store.read() as conn:
        rows = conn.execute(query).all()
    return [(row.accepted_at - row.seen_at).total_seconds() if row.accepted_at else None for row in rows]


def _written_again(
    url: str, said: Sequence[RawSignal], rows: Sequence[dict[str, Any]], now: datetime
) -> float:
    """Seconds that the same signals and the same journal take in a fresh database, nothing judged."""
    store = Store(url)
    store.migrate()
    began = time.perf_counter()
    for part in parts_of(said):
        with store.write() as conn:
            signals.collect(conn, now, Batch(tuple(part)), "bench", lambda _: "")
    for commit in _commits(rows):
        with store.write() as conn:
            journal.append(conn, now, commit)
    seconds = time.perf_counter() - began
    store.close()
    return seconds


def _commits(rows: Sequence[dict[str, Any]]) -> Iterator[list[Entry]]:
    """What triage wrote, a batch of judgements with what followed from it in one transaction."""
    commit: list[Entry] = []
    for row in rows:
        if row["kind"] == "signals_collected":
            continue
        commit.append(journal.as_entry(row))
        if row["kind"] == "signals_judged":
            yield commit
            commit = []
    if commit:
        yield commit


def test_texts_are_sorted_by_the_classifiers_alone(tmp_path: Path, short: bool, measured: Figures) -> None:
    count = 1_500 if short else 20_000
    judge, now = Judge.load(), machine_now()
    said = list(texts(count, now))
    judge.judge(["预热"])
    began = time.perf_counter()
    for part in parts_of(said):
        judge.judge([signal.text for signal in part])
    judged = time.perf_counter()
    sorter, verdicts = Sorter(judge, timedelta(hours=72)), 0
    for part in parts_of(said):
        verdicts += len(sorter.sort(read(judge, [(s.external_id, s, s.published_at or now) for s in part])))
    ended = time.perf_counter()
    measured.add("classifiers alone", UNIT, "no database", count / (judged - began))
    measured.add("classifiers, facts, grade and clusters", UNIT, "no database", count / (ended - judged))
    assert verdicts == count


@pytest.mark.parametrize("length", [40, 400])
def test_texts_of_one_length_are_sorted(length: int, short: bool, measured: Figures, tmp_path: Path) -> None:
    """CPU seconds of this process, so that neighbours on the machine count less."""
    count = 500 if short else 5_000
    judge, now = Judge.load(), machine_now()
    said = [_as_long_as(length, one) for one in islice(texts(20_000, now), count)]
    judge.judge(["预热"])
    sorter, verdicts = Sorter(judge, timedelta(hours=72)), 0
    began = time.process_time()
    for part in parts_of(said):
        verdicts += len(sorter.sort(read(judge, [(s.external_id, s, s.published_at or now) for s in part])))
    spent = time.process_time() - began
    measured.add(
        f"whole judgement of texts of {length} characters", "texts/CPU s", "no database", count / spent
    )
    assert verdicts == count


def _as_long_as(length: int, signal: RawSignal) -> RawSignal:
    """The same signal with `length` characters in all: its own words again and again, or cut."""
    words = signal.title + "。" + signal.body
    return replace(signal, title="", body=(words * (length // len(words) + 1))[:length])
