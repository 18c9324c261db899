"""Each statement that is asked all day reads an index, and only the months it is about: PostgreSQL's own word for it.

The statements are caught while the real functions run on a site of some size; none is written down here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from flows import audit
from flows.deliver import deliver
from flows.office import coverage
from flows.office.desk import Desk
from flows.respond import respond
from flows.triage import triage
from flows.wiring import House
from models.core.boards import Wanted
from models.core.moment import CST, iso
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import (
    auditing,
    board_view,
    dutylog,
    handovers,
    heard,
    incidents,
    journal,
    judgements,
    moods,
    outbox,
    partitions,
    proposals,
    pulses,
    retiring,
    signals,
    story,
    tallies,
    trends,
    views,
)  # fmt: skip
from support import postgres
from support.explained import Said, copy, listened, plan, read_whole, touched
from support.river_site import HandTime
from support.sites import ENVIRON, write_site

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=CST)
BUSY = "2025-19950"
"""One of the incidents that are open."""
PAST = "'{now}'::timestamptz - ({count} - n) * interval '{step} minutes'"
LARGE = ("signal", "judgement", "journal", "seen", "incident", "incidenttime", "clock", "step", "alert")
NUMBERS = itertools.count(1)
FEW = 500
"""Rows: a table with fewer is read whole by anybody."""
OF_OLD = ("_2026_03", "_2026_04", "_2026_05", "_2026_06", "_2026_07", "_2026_08", "_2026_09")


@dataclass(frozen=True)
class Large:
    """The site, and which of its tables and parts hold few rows."""

    house: House
    few: frozenset[str]


@pytest.fixture(scope="module")
def large(postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    folder: Path = tmp_path_factory.mktemp("explained")
    site = write_site(folder / "site", "http://127.0.0.1:9", database=postgres_server.database())
    with House.open(site, ENVIRON) as house:
        _seed(house)
        _multiply(house)
        partitions.make_ahead(house.store, NOW, most=None)
        come(house, 30)
        with house.store.beside() as conn:
            conn.execute(text("VACUUM ANALYZE"))
            small = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples < :few")
            few = frozenset(conn.execute(small, {"few": FEW}).scalars())
        yield Large(house, few)


def _seed(house: House) -> None:
    """One real row of everything."""
    house.time = HandTime(NOW - timedelta(days=240))
    come(house, 3)
    triage(house)
    said = {"title": "化工园区火灾", "grade": "II", "occurred_at": iso(house.time.now()), "reason": "来电"}
    Desk(house).act("open", "", said, "chen")
    respond(house)
    house.time = HandTime(NOW)


def come(house: House, count: int) -> None:
    at = house.time.now()
    numbers = [next(NUMBERS) for _ in range(count)]
    said = [RawSignal("s", str(n), Medium.HOTLINE, f"停水 {n}", "三天没人管") for n in numbers]
    with house.store.write() as conn:
        signals.collect(conn, at, Batch(tuple(said)), "s", fingerprint)


def _multiply(house: House) -> None:
    """Eight months of it: 30 000 signals and entries, 20 000 incidents of which 100 are open."""

    def past(count: int, step: int) -> str:
        return PAST.format(now=iso(NOW), count=count + 1, step=step)

    def one_of(number: str) -> str:
        return f"'2025-' || lpad(({number})::text, 5, '0')"

    closed = "CASE WHEN n < 19900 THEN"
    with house.store.write() as conn:
        copy(
            conn, "signal", 10_000, "one.id <= 3", id="nextval('signal_id_seq')", uid="md5(one.id::text || '-' || n)",
            seen_at=past(10_000, 34), triaged_at=past(10_000, 34), fingerprint="md5('f' || n || one.id)",
            body="repeat('没水三天了', 20) || n",
        )  # fmt: skip
        conn.execute(text("INSERT INTO seen SELECT uid::uuid, seen_at FROM signal ON CONFLICT DO NOTHING"))
        judged = "INSERT INTO judgement SELECT more.* FROM judgement AS one, signal, LATERAL jsonb_populate_record(one,"
        homes = f"CASE WHEN signal.id % 20 = 0 THEN {one_of('signal.id % 20000')} END"
        row = f"'signal_id', signal.id, 'at', seen_at, 'cluster', 'c' || signal.id, 'incident_id', {homes}"
        where = "WHERE one.signal_id = 1 AND signal.id > 3"
        conn.execute(text(f"{judged} jsonb_build_object({row})) AS more {where}"))
        copy(
            conn, "incident", 20_000, id=one_of("n"), ref=f"'舆-' || {one_of('n')}", opened_at=past(20_000, 17),
            closed_at=f"{closed} {past(20_000, 17)} + interval '1 minute' END",
        )  # fmt: skip
        one = "one.id = (SELECT min(id) FROM {})"
        copy(
            conn,
            "incidenttime",
            20_000,
            id="one.id || n",
            incident_id=one_of("n"),
        )
        copy(
            conn, "clock", 20_000, one.format("clock"), id="one.id || n", incident_id=one_of("n"),
            state=f"{closed} 'met' ELSE one.state END", due_at=f"{past(20_000, 17)} + interval '5 hours'",
            next_step_at=f"{closed} NULL ELSE timestamptz '{iso(NOW)}' + (n - 19903) * interval '1 minute' END",
            ended_at=f"{closed} {past(20_000, 17)} + interval '1 minute' END",
        )  # fmt: skip
        copy(
            conn, "step", 20_000, clock_id="one.clock_id || n", incident_id=one_of("n"), raised_at=past(20_000, 17),
            due_at=past(20_000, 17),
        )  # fmt: skip
        copy(
            conn, "alert", 20_000, id="one.id || n", clock_id="one.clock_id || n", incident_id=one_of("n"),
            person_id="'p' || n % 300", raised_at=past(20_000, 17),
            state="CASE WHEN n < 19990 THEN 'accepted' ELSE 'queued' END",
            next_try_at="CASE WHEN n >= 19990 THEN one.raised_at END", accepted_at=past(20_000, 17), attempts="1",
        )  # fmt: skip
        copy(
            conn, "journal", 5_000, "one.seq <= 6", seq="100 + one.seq + 6 * n", at=past(5_000, 68),
            incident_id=f"CASE WHEN one.incident_id IS NOT NULL THEN {one_of('4 * n')} END",
        )  # fmt: skip


def reading(house: House, ask: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """A call of the ledger in a transaction of its own."""

    def run() -> Any:
        with house.store.read() as conn:
            found = ask(conn, *args)
            return list(found) if isinstance(found, Iterator) else found

    return run


def caught(large: Large, run: Callable[[], Any]) -> Iterator[tuple[Said, dict[str, Any]]]:
    """Each statement that a function sends, with its plan."""
    with listened(large.house.store) as heard:
        run()
    with large.house.store.read() as conn:
        for said in heard:
            if "pg_" not in said.sql and "set_config" not in said.sql:
                yield said, plan(conn, said)


def is_large(large: Large, table: str) -> bool:
    return table not in large.few and any(table == one or table.startswith(f"{one}_") for one in LARGE)


ALL_DAY: dict[str, Callable[[House], Callable[[], Any]]] = {
    "collect": lambda house: partial(come, house, 20),
    "triage": lambda house: partial(triage, house),
    "sweep": lambda house: partial(respond, house),
    "send": lambda house: partial(deliver, house),
    "queue": lambda house: reading(house, outbox.queue, NOW),
    "board": lambda house: Desk(house).board,
    "board counts": lambda house: reading(house, board_view.counts, Wanted(), NOW),
    "revision": lambda house: Desk(house).revision,
    "face": lambda house: partial(Desk(house).face, BUSY),
    "incident": lambda house: partial(Desk(house).incident, BUSY),
    "its signals": lambda house: reading(house, heard.page, BUSY, heard.Wanted()),
    "all its signals": lambda house: reading(house, heard.heard, BUSY, {}),
    "its moods": lambda house: reading(house, moods.voices, BUSY),
    "its story": lambda house: reading(house, story.read, BUSY, (), None, {}),
    "mine": lambda house: partial(Desk(house).mine, "chen"),
    "newest signals": lambda house: reading(house, views.recent_signals, NOW, 30),
    "coverage": lambda house: reading(house, coverage.report, house, NOW),
    "audit": lambda house: partial(audit.findings, house),
    "audit page": lambda house: reading(house, auditing.found, auditing.Filter(actor="chen"), None, 50),
    "audit page of one": lambda house: reading(
        house, auditing.found, auditing.Filter(incident_id=BUSY), None, 50
    ),
    "trends": lambda house: reading(house, trends.since, {"day": NOW - timedelta(hours=9)}, NOW),
    "duty log": lambda house: reading(house, dutylog.lines, shift(), {}, ["chen"]),
    "duty log counts": lambda house: reading(house, dutylog.counts, shift()),
    "handover": lambda house: reading(house, handovers.progress, [BUSY], NOW - timedelta(hours=12)),
    "bursts": lambda house: reading(house, pulses.counted, NOW - timedelta(hours=1), NOW),
    "signals of a burst": lambda house: reading(
        house, lambda conn: list(pulses.heard(conn, NOW - timedelta(hours=1), NOW))
    ),
    "memory of groups": lambda house: reading(
        house, judgements.judged_between, 100, 600, NOW - timedelta(days=3)
    ),
    "published of late": lambda house: reading(
        house, proposals.any_published, ["news"], NOW - timedelta(days=7)
    ),
    "changed incidents": lambda house: reading(house, journal.touched, 30_000),
    "closed lately": lambda house: reading(house, incidents.faces, NOW - timedelta(days=1)),
    "oldest unjudged": lambda house: reading(house, tallies.oldest_unjudged),
    "seen": lambda house: reading(house, signals.months_of, ["0" * 32, "1" * 32]),
    "journal read on": lambda house: reading(house, lambda conn: next(journal.entries(conn, 30_000))),
    "months due": lambda house: reading(house, retiring.waiting, "signal", NOW - timedelta(days=730)),
}


def shift() -> dutylog.Span:
    return dutylog.Span(NOW - timedelta(hours=12), NOW)


@pytest.mark.parametrize("name", ALL_DAY)
def test_no_large_table_is_read_from_end_to_end(large: Large, name: str) -> None:
    found = list(caught(large, ALL_DAY[name](large.house)))
    assert found, "nothing was asked"
    for said, made in found:
        whole = {table for table in read_whole(made) if is_large(large, table)}
        assert not whole, f"{whole} from end to end: {said.sql}"


@pytest.mark.parametrize(
    "name", ["trends", "duty log", "duty log counts", "handover", "bursts", "memory of groups"]
)
def test_what_asks_for_a_time_looks_into_no_other_month(large: Large, name: str) -> None:
    _only_lately(large, ALL_DAY[name](large.house))


def test_what_was_judged_is_marked_in_its_own_month_alone(large: Large) -> None:
    come(large.house, 5)
    with large.house.store.read() as conn:
        rows = signals.pending(conn, 5)

    def mark() -> None:
        with large.house.store.write() as conn:
            signals.mark_triaged(conn, rows, NOW)

    _only_lately(large, mark)


def _only_lately(large: Large, run: Callable[[], Any]) -> None:
    looked = 0
    for said, made in caught(large, run):
        parts = {table for table in touched(made) if table.startswith(("signal_", "journal_"))}
        looked += len(parts)
        assert not {part for part in parts if part.endswith(OF_OLD)}, said.sql
    assert looked, "no month was looked into at all"
