"""Signals per second from the door to the verdict, committed; and what of it is judging or writing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pytest

from flows.collecting.intake import store as put
from flows.judging.reading import read
from flows.judging.sorting import Sorter
from flows.timekeeping import machine_now
from flows.triage import BATCH, triage
from flows.wiring import House
from models.classify.judge import Judge
from models.core.signals import Batch, RawSignal
from models.ledger import journal, signals
from models.ledger.entry import Entry
from models.ledger.store import Store
from support.figures import Figures
from support.sites import ENVIRON, write_site
from support.texts import signals as texts

T = TypeVar("T")
UNIT = "signals/s"


def slices(things: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    left = iter(things)
    while part := list(islice(left, size)):
        yield part


def test_signals_are_taken_in_and_judged_whole(
    database_url: str, second_url: str, engine: str, tmp_path: Path, short: bool, measured: Figures
) -> None:
    count = 1_500 if short else 20_000
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(site, ENVIRON) as house:
        said = list(texts(count, house.time.now()))
        house.judge.judge(["预热"])  # the weights are read once a process: that is the cold start's figure
        began = time.perf_counter()
        for part in slices(said):
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


def _written_again(
    url: str, said: Sequence[RawSignal], rows: Sequence[dict[str, Any]], now: datetime
) -> float:
    """Seconds that the same signals and the same journal take in a fresh database, nothing judged."""
    store = Store(url)
    store.migrate()
    began = time.perf_counter()
    for part in slices(said):
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
    for part in slices(said):
        judge.judge([signal.text for signal in part])
    judged = time.perf_counter()
    sorter, verdicts = Sorter(judge, timedelta(hours=72)), 0
    for part in slices(said):
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
    for part in slices(said):
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
