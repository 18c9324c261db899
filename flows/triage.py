"""Triage: unjudged signals → verdicts → incidents with clocks. Read, decide, append.

Reading (flows/judging/slices.py) is done by any number of workers; sorting remembers, so one does it: the
process that holds the lease of `triage`. Its sorter catches up with what others judged before it decides,
and every transaction proves that nobody judged meanwhile; if a commit fails the sorter is thrown away and
rebuilt from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from flows.holders import ME, is_dead
from flows.judging import planning
from flows.judging.appending import Done, append_verdicts
from flows.judging.rows import part_of
from flows.judging.slices import LEASE, Coming, Read, read_for_others
from flows.judging.sorting import Cluster, Sorter, shown_title, whereabouts
from flows.judging.stored import key_of, time_of
from flows.wiring import House
from models.core.cluster import gist
from models.core.facts import ZH, Facts
from models.core.moment import clock_face
from models.core.places import Place
from models.core.text import canonical
from models.core.vocabulary import Medium
from models.ledger import duties, incidents, judgements, signals
from models.ledger.journal import newest_of
from models.ledger.store import Connection, LedgerError, Row

TRIAGE = "triage"
SPLIT = "incident_split"
TRIES = 3
"""How often a batch is decided anew because others were quicker."""
RELOAD_PIECE = 2_000
INCIDENTS_PIECE = 200
WAIT_S = 1.0
"""How long the next batch is waited for before the lease is renewed and whoever stops us is heard."""


def triage(house: House) -> Done:
    """Sort everything that waits, one transaction a batch; while one is written the next is read. Nothing
    where another process sorts: one sorts at a time."""
    with house.sorting:
        had = _is_mine(house)
        if not hold(house):
            return Done()
        try:
            return _sort_all(house)
        finally:
            if not had:
                let_go(house)


def look(house: House, each: Callable[[Done], bool] = lambda _: True) -> Done:
    """One look of a worker that stands ready: sort what waits and keep the lease for the next look, or read
    a slice for whoever sorts. Where nothing waits it costs a question or two, and who does not sort uses the time to
    keep up. `each` is told of every batch and answers whether to go on."""
    with house.store.read() as conn:
        waits = signals.first_waiting(conn) is not None
    if not waits:
        _keep_up(house)
        return Done()
    with house.sorting:
        if _is_mine(house) or hold(house):
            return _sort_all(house, each)
    return Done(read=read_for_others(house))


def note_good(house: House, next_at: datetime, done: Done) -> None:
    """Say that triage is well, if it is we who sort or if nobody does."""
    if _is_anothers(house):
        return
    with house.store.write() as conn:
        if _renew(conn, house):
            duties.good(conn, TRIAGE, house.time.now(), next_at, ME, f"{done}{_forgotten(house)}")


def _forgotten(house: House) -> str:
    """That the window did not fit into memory, or was not read back whole, until all of it has come since."""
    sorter = house.sorter
    if sorter is None:
        return ""
    oldest = house.time.now() - sorter.window
    shed, unread = sorter.index.shed_to, sorter.unread_to
    said = []
    if shed is not None and shed >= oldest:
        said.append(f"归并已记满 {len(sorter.index)} 条，{clock_face(shed)} 以前无人呼应的线索不再参与归并")
    if unread is not None and unread >= oldest:
        said.append(f"重启后没有读回 {clock_face(unread)} 以前未立案的线索，不再参与归并")
    return "".join(f"；{one}（site.yaml 的 clustering.remember）" for one in said)


def _sort_all(house: House, each: Callable[[Done], bool] = lambda _: True) -> Done:
    total, coming = Done(), Coming(house)
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as ahead, closing(coming):
        upto, next_one = 0, ahead.submit(coming.after, 0)
        while (batch := _awaited(house, next_one, each)).rows:
            upto = batch.rows[-1].id
            next_one = ahead.submit(coming.after, upto)
            done = _decide(house, batch)
            total += done
            if not each(done):
                break
    return total


def _awaited(house: House, next_one: Future[Read], each: Callable[[Done], bool]) -> Read:
    """The next batch; empty where `each` says to stop. It may be long in another machine's hands: meanwhile the
    lease stays ours."""
    while not wait([next_one], WAIT_S).done:
        with house.store.write() as conn:
            if not _renew(conn, house):
                raise Lost("研判已由另一进程接手")
        if not each(Done()):
            return Read()
    return next_one.result()


def _decide(house: House, batch: Read) -> Done:
    """Where each belongs is decided and written in one transaction, which holds only while nobody else has
    judged or taken a group apart since the sorter looked: it decides anew then."""
    for _ in range(TRIES):
        try:
            sorter = _sorter(house)
            batch = _still_waiting(house, batch)
            if not batch.rows:
                return Done()
            verdicts = sorter.sort(batch.readings)
            with house.store.write() as conn:
                _fence(conn, house)
                done = append_verdicts(conn, house, sorter, batch.rows, verdicts)
                planning.note(conn, batch.readings, [row.id for row in batch.rows], house.time.now())
            house.sorted_to = batch.rows[-1].id
            return done
        except Overtaken:
            house.sorter = None
        except BaseException:
            house.sorter = None  # its memory is ahead of the ledger now: build it anew
            raise
    raise Lost("研判被反复打断；几秒后自动再试")


def _still_waiting(house: House, batch: Read) -> Read:
    """The batch without what others judged since it was read; mostly all of it lies behind their last."""
    if batch.rows[0].id > house.sorted_to:
        return batch
    with house.store.read() as conn:
        waiting = {row.id for row in signals.between(conn, batch.rows[0].id, batch.rows[-1].id)}
    both = [(row, one) for row, one in zip(batch.rows, batch.readings, strict=True) if row.id in waiting]
    return Read([row for row, _ in both], [one for _, one in both])


# ── who sorts ─────────────────────────────────────────────────────────────────────────────────


class Overtaken(Exception):
    """The ledger has moved on since the sorter looked."""


class Lost(LedgerError):
    """Another process sorts now; what we had decided is not written."""


def hold(house: House) -> bool:
    """Take or keep the lease of the one that sorts; from a dead process of this machine at once."""
    if _is_anothers(house):
        return False
    with house.store.write() as conn:
        before = duties.holder(conn, TRIAGE)
        if before is not None and before != ME and is_dead(before):
            duties.release_one(conn, TRIAGE, before)
        return _renew(conn, house)


def _renew(conn: Connection, house: House) -> bool:
    now = house.time.now()
    return duties.hold(conn, TRIAGE, now, now + LEASE * house.time.speed, ME)


def let_go(house: House) -> None:
    with house.store.write() as conn:
        duties.release_one(conn, TRIAGE, ME)


def _is_mine(house: House) -> bool:
    """As far as can be seen without the lock; what is written asks again."""
    with house.store.read() as conn:
        return duties.holder(conn, TRIAGE) == ME


def _is_anothers(house: House) -> bool:
    """Does another live and sort? Asked first, for whoever only reads would else take the lock with every slice."""
    with house.store.read() as conn:
        holder, until = duties.lease(conn, TRIAGE)
    if holder is None or until is None or holder == ME or is_dead(holder):
        return False
    return until > house.time.now()


def _fence(conn: Connection, house: House) -> None:
    """Asked under the write lock, so it stays true until the end of the transaction."""
    if not _renew(conn, house):
        raise Lost("研判已由另一进程接手；本批不落库")
    if (judgements.newest(conn), newest_of(conn, SPLIT)) != (house.sorted_to, house.sorted_for):
        raise Overtaken


# ── the sorter's memory ───────────────────────────────────────────────────────────────────────


def _sorter(house: House) -> Sorter:
    """The process's sorter, caught up with whatever other processes have judged; a new one after a person
    took a group apart, which the old one still remembers whole."""
    sorter, newest = _made(house)
    if newest != house.sorted_to:
        _catch_up(house, sorter, newest)
    return sorter


def _made(house: House) -> tuple[Sorter, int]:
    """The sorter, and the last that was judged."""
    with house.store.read() as conn:
        newest, parted = judgements.newest(conn), newest_of(conn, SPLIT)
    if house.sorter is None or parted != house.sorted_for:
        said = house.site.clustering
        window = timedelta(hours=said.window_hours)
        house.sorter = Sorter(house.judge, window, house.site.grading, said.remember)
        house.sorted_to, house.sorted_for = 0, parted
    return house.sorter, newest


def _keep_up(house: House) -> None:
    """A piece of what the one who sorts has judged: when it dies, whoever follows it sorts on at once."""
    if _is_anothers(house):
        with house.sorting:
            sorter, newest = _made(house)
            if newest != house.sorted_to:
                oldest = _begin(house, sorter, newest)
                _read_back(house, sorter, min(house.sorted_to + RELOAD_PIECE, newest), oldest)


def _catch_up(house: House, sorter: Sorter, newest: int) -> None:
    """As much of the window as the site lets the memory hold, and what older incidents are known by: else they would
    open a second time after each restart. That costs about 2 s for 10,000 signals, 40 s for the 200,000 that are
    usual where nobody kept up: clocks and alerts go on meanwhile, and what waits is judged that much later.

    Read piece by piece, the lease renewed between: a long past is no reason to lose it.
    """
    oldest = _begin(house, sorter, newest)
    while house.sorted_to < newest:
        _read_back(house, sorter, min(house.sorted_to + RELOAD_PIECE, newest), oldest)
        with house.store.write() as conn:
            _renew(conn, house)


def _begin(house: House, sorter: Sorter, newest: int) -> datetime:
    """Leave out what is too old or more than the memory holds; how old that is."""
    oldest, most = house.time.now() - sorter.window, house.site.clustering.remember
    if not house.sorted_to or newest - house.sorted_to > most:
        with house.store.read() as conn:
            begin = judgements.reload_from(conn, house.sorted_to, oldest, most)
        if begin > house.sorted_to:
            _read_incidents(house, sorter, begin, oldest)
        house.sorted_to = min(begin, newest)
    return oldest


def _read_incidents(house: House, sorter: Sorter, end: int, oldest: datetime) -> None:
    """What is left out has its incidents nevertheless: the next words about one that is open must find it."""
    with house.store.read() as conn:
        sorter.unread_to = signals.seen_at(conn, end)
        names = incidents.heard_since(conn, oldest, house.site.clustering.remember // 4)
    for start in range(0, len(names), INCIDENTS_PIECE):
        with house.store.read() as conn:
            rows = judgements.judged_of(conn, names[start : start + INCIDENTS_PIECE], end, oldest)
        for row in rows:
            _remember(sorter, row)
        if _is_mine(house):
            with house.store.write() as conn:
                _renew(conn, house)


def _read_back(house: House, sorter: Sorter, end: int, oldest: datetime) -> None:
    with house.store.read() as conn:
        rows = judgements.judged_between(conn, house.sorted_to, end, oldest)
    for row in rows:
        _remember(sorter, row)
    house.sorted_to = end


def _remember(sorter: Sorter, row: Row[Any]) -> None:
    at = time_of(row)
    cluster = sorter.clusters.get(row.cluster)
    if cluster is None:
        cluster = sorter.clusters[row.cluster] = Cluster(row.cluster, shown_title(row), at, at)
    words = gist(canonical(row.title), canonical(row.body))
    sorter.index.add_gist(row.cluster, key_of(row), words, at, _whereabouts(row))
    counts = {name: value for name, value in row.facts.items() if name in ZH}
    parts = [part_of(part) for part in row.grade_parts]
    cluster.take(Facts(**counts), parts, Medium(row.medium), at, row.rumour)
    cluster.flagged = cluster.flagged or row.was_flagged
    if cluster.flagged:
        sorter.index.hold_fast(row.cluster)


def _whereabouts(row: Row[Any]) -> str | None:
    found = (row.details or {}).get("place")
    named = ("province", "city", "county", "sure")
    return whereabouts(Place(**{name: found[name] for name in named}) if found else None, row.place)
