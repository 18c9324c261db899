"""Several workers triage together: what is waiting is read by all and sorted by one, whoever is killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from flows.collecting.intake import store as put
from flows.holders import MARK
from flows.judging import left, slices
from flows.judging.appending import Done
from flows.judging.reading import read
from flows.timekeeping import machine_now
from flows.triage import TRIAGE, hold, look, note_good, triage
from flows.wiring import House
from models.classify.judge import Judge, Judgement
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from models.ledger import duties, incidents, signals
from models.ledger import slices as slice_rows
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL
from models.ledger.slices import SLICE
from models.ledger.verify import verify
from support.explained import Said
from support.processes import Process, environ, huiying
from support.river_site import HandTime
from support.sites import ENVIRON, write_site
from support.texts import signals as texts
from support.waiting import until

NOBODY = "http://127.0.0.1:9"
EVENTS = (
    "临江市江东化工园区仓库爆炸起火，造成2人死亡",
    "青石镇长青隧道坍塌，5名工人被困",
    "北岸区幸福大桥一辆大客车坠江，7人失踪",
    "柳溪县滨河路山体滑坡掩埋三间房屋，4人失联",
    "东埠港一艘渡轮与货轮相撞沉没，9人落水失踪",
)
DEAD = f"somewhere:{2**22 + 1}:1:{MARK}"  # no process has that number
FAR = "somewhere:7:1:another boot"


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    site = write_site(tmp_path / "site", NOBODY, database=database_url)
    with House.open(site, ENVIRON) as opened:
        yield opened


def mixed(house: House, events: int, noise: int) -> list[RawSignal]:
    """Each event told `events` times in other words, between `noise` texts about everything else."""
    now = house.time.now()
    told = [
        RawSignal("n", f"{n}-{k}", Medium.NEWS, f"{words}({k})", "", published_at=now)
        for k in range(events)
        for n, words in enumerate(EVENTS)
    ]
    other = (replace(one, title="", published_at=now) for one in texts(10**6, now) if not one.title)
    calm = list(islice((one for one in other if not any(w in one.body for w in "死失联伤")), noise))
    step = max(1, noise // len(told))
    return list(chain.from_iterable([one, *calm[n * step : (n + 1) * step]] for n, one in enumerate(told)))


def judged(house: House) -> int:
    with house.store.read() as conn:
        return conn.execute(select(func.count()).select_from(JUDGEMENT)).scalar_one()


def waiting(house: House) -> int:
    with house.store.read() as conn:
        return signals.waiting(conn)


def homes(house: House) -> dict[str, set[str | None]]:
    """event → the incidents in which its reports lie."""
    query = select(SIGNAL.c.title, JUDGEMENT.c.incident_id).join(
        JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id
    )
    with house.store.read() as conn:
        rows = conn.execute(query.where(SIGNAL.c.source_id == "n")).all()
    return {words: {row.incident_id for row in rows if row.title.startswith(words)} for words in EVENTS}


def assert_each_judged_once_and_no_event_split(house: House, count: int) -> None:
    assert (judged(house), waiting(house)) == (count, 0)
    found = homes(house)
    assert all(len(ids) == 1 and None not in ids for ids in found.values()), found
    assert len(set().union(*found.values())) == len(EVENTS)
    with house.store.read() as conn:
        assert conn.execute(select(func.count()).select_from(SLICE)).scalar_one() == 0
    assert verify(house.store, house.time.now())["findings"] == []


class Workers:
    """`huiying worker triage`, twice; one that was killed is followed by another."""

    def __init__(self, house: House, stack: ExitStack) -> None:
        self.house, self.stack = house, stack
        self.all: list[Process] = []
        for _ in range(2):
            self.begin()

    def begin(self) -> None:
        log = self.house.site.directory / f"worker-{len(self.all)}.log"
        line = huiying("worker", TRIAGE, "--site", str(self.house.site.directory))
        one = self.stack.enter_context(Process(line, log))
        self.all.append(one)

    def alive(self) -> list[Process]:
        return [one for one in self.all if one.alive]

    def sorter(self) -> Process | None:
        """Who holds the lease, if he lives."""
        with self.house.store.read() as conn:
            holder = duties.holder(conn, TRIAGE) or ""
        return next((one for one in self.alive() if f":{one.pid}:" in holder), None)

    def known_sorter(self) -> Process:
        found = until(self.sorter, self.words)
        assert found is not None
        return found

    def words(self) -> str:
        return " | ".join(one.words(400) for one in self.all)


def test_two_workers_judge_each_signal_once_while_one_after_the_other_is_killed(house: House) -> None:
    said = mixed(house, events=20, noise=2_000)
    for start in range(0, len(said), 500):
        put(house, Batch(tuple(said[start : start + 500])), "n")
    with ExitStack() as stack:
        workers = Workers(house, stack)
        until(lambda: judged(house) > 0.1 * len(said), workers.words)
        workers.known_sorter().kill()
        workers.begin()
        until(lambda: judged(house) > 0.4 * len(said), workers.words)
        sorter = workers.known_sorter()
        next(one for one in workers.alive() if one is not sorter).kill()
        workers.begin()
        until(lambda: not waiting(house), workers.words)
        for one in workers.alive():
            until(
                lambda one=one: "运行中" in one.words(), workers.words
            )  # before that nobody listens to Ctrl-C
            one.stop()
    assert_each_judged_once_and_no_event_split(house, len(said))


def test_two_who_both_believe_that_they_sort_never_write_beside_each_other(house: House) -> None:
    """Both live in this process and so bear one name: the lease lets both in, and the ledger decides."""
    said = mixed(house, events=8, noise=400)
    for start in range(0, len(said), 60):  # a batch of triage takes whatever waits, so let it come bit by bit
        put(house, Batch(tuple(said[start : start + 60])), "n")
    with House.open(house.site.directory, ENVIRON) as other, ThreadPoolExecutor(2) as both:
        rounds = [both.submit(_until_judged, one) for one in (house, other)]
        assert sum(one.result(120) for one in rounds) == len(said)
    assert_each_judged_once_and_no_event_split(house, len(said))


def _until_judged(house: House) -> int:
    done = 0
    while waiting(house):
        done += triage(house).judged
    return done


def test_who_has_lost_the_lease_judges_nothing_and_reads_for_the_other(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=600))), "n")
    assert hold(house)
    later = house.time.now() + timedelta(hours=1)
    with house.store.write() as conn:
        duties.release_one(conn, TRIAGE, str(duties.holder(conn, TRIAGE)))
        assert duties.hold(conn, TRIAGE, house.time.now(), later, FAR)
    assert triage(house).judged == 0
    found = look(house)
    assert (found.judged, found.read) == (0, slices.BATCH)
    assert judged(house) == 0


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_at_once(house: House) -> None:
    with house.store.write() as conn:
        assert duties.hold(conn, TRIAGE, house.time.now(), house.time.now() + timedelta(hours=1), DEAD)
    assert hold(house)


@contextmanager
def heard(house: House, which: Callable[[Said], bool]) -> Iterator[list[Said]]:
    """Each time that such a statement is sent meanwhile."""
    found: list[Said] = []

    def hear(_conn: Any, _cursor: Any, sql: str, params: Any, *_: Any) -> None:
        if which(one := Said(sql, params)):
            found.append(one)

    event.listen(house.store.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(house.store.engine, "before_cursor_execute", hear)


def locks(house: House) -> AbstractContextManager[list[Said]]:
    """Each transaction that takes the write lock meanwhile."""
    return heard(house, lambda one: one.sql == "BEGIN IMMEDIATE" or "pg_advisory_xact_lock(4712)" in one.sql)


def claimed(house: House, most: int) -> slice_rows.Slice:
    """The first of what waits, in the hands of another machine that lives."""
    with house.store.write() as conn:
        found = slice_rows.claim(conn, most, FAR, house.time.now() + timedelta(hours=1))
    assert found is not None
    return found


def test_who_only_reads_takes_no_lock_to_learn_that_another_sorts(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=5))), "n")
    later = house.time.now() + timedelta(hours=1)
    with house.store.write() as conn:
        assert duties.hold(conn, TRIAGE, house.time.now(), later, FAR)
    with locks(house) as taken:
        assert look(house) == Done()
        note_good(house, later, Done())
    assert taken == []


def test_whoever_stands_by_keeps_up_and_sorts_on_without_reading_the_past(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = mixed(house, events=4, noise=60)
    later = house.time.now() + timedelta(hours=1)
    with House.open(house.site.directory, ENVIRON) as stand_by:
        for part in (said[:50], said[50:80]):
            put(house, Batch(tuple(part)), "n")
            assert triage(house).judged == len(part)
            with house.store.write() as conn:
                assert duties.hold(conn, TRIAGE, house.time.now(), later, FAR)
            assert look(stand_by) == Done()
            assert stand_by.sorted_to == house.sorted_to
            with house.store.write() as conn:
                duties.release_one(conn, TRIAGE, FAR)
        put(house, Batch(tuple(said[80:])), "n")
        monkeypatch.setattr("models.ledger.judgements.judged_between", None)  # whoever calls it fails
        assert triage(stand_by).judged == len(said) - 80
    assert_each_judged_once_and_no_event_split(house, len(said))


def test_too_little_behind_anothers_slice_takes_no_lock(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=600))), "n")
    ahead = claimed(house, slices.BATCH)
    with locks(house) as taken:
        assert slices.read_for_others(house) == 0
        slices.Coming(house)._beside(ahead)
    assert taken == []


class Broken(Judge):
    """Weights that cannot be used."""

    def judge_canonical(self, texts: Sequence[str]) -> list[Judgement]:
        raise RuntimeError("broken weights")


def test_a_slice_that_cannot_be_read_is_given_back_at_once(house: House) -> None:
    said = mixed(house, events=2, noise=600)
    put(house, Batch(tuple(said)), "n")
    whole, house.judge = house.judge, Broken.load()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken weights"):
            slices.read_for_others(house)
        with house.store.read() as conn:
            assert slice_rows.listed(conn) == []
    house.judge = whole
    assert triage(house).judged == len(said)


def test_who_waits_for_anothers_reader_keeps_the_lease_and_hears_whoever_stops_him(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=30))), "n")
    claimed(house, 20)
    told: list[Done] = []
    with locks(house) as taken:
        sorting = Thread(target=look, args=(house, told.append), daemon=True)  # None: stop
        sorting.start()
        sorting.join(60)
        assert not sorting.is_alive()
    assert told == [Done()]
    assert len(taken) == 2, "the lease was taken, and kept"
    assert judged(house) == 0


@pytest.mark.parametrize(
    ("by", "hours"), [(DEAD, 1), (FAR, -1)], ids=["dead on this machine", "silent on another"]
)
def test_a_slice_whose_reader_is_gone_is_read_by_the_sorter(house: House, by: str, hours: int) -> None:
    put(house, Batch(tuple(mixed(house, events=2, noise=40))), "n")
    with house.store.write() as conn:
        lease = house.time.now() + timedelta(hours=hours)
        assert slice_rows.claim(conn, 20, by, lease) is not None
    assert triage(house).judged == judged(house) > 20
    assert waiting(house) == 0


def test_two_readers_never_claim_the_same_and_little_is_left_to_the_sorter(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=50))), "n")
    until_then = house.time.now() + timedelta(hours=1)
    with house.store.write() as conn:
        first, second = (slice_rows.claim(conn, 20, by, until_then, least=20) for by in ("a", "b"))
        assert first is not None
        assert second is not None
        assert first.last < second.first
        assert slice_rows.claim(conn, 20, "c", until_then, least=20) is None


def test_what_was_left_is_taken_as_it_is_and_what_another_program_left_is_read_anew(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=2, noise=600))), "n")
    assert slices.read_for_others(house) == slices.BATCH
    with house.store.read() as conn:
        (one,) = slice_rows.listed(conn)
    left = slices.Coming(house).after(0).readings
    assert not any(one.title or one.body for one in left)  # the canonical text does not travel
    with house.store.write() as conn:
        conn.execute(SLICE.update().values(version="another"))
    fresh = slices.Coming(house).after(0)
    assert any(one.body for one in fresh.readings)
    assert [row.id for row in fresh.rows] == list(range(one.first, one.last + 1))


def test_readings_that_were_left_lead_to_the_same_judgements(house: House, tmp_path: Path) -> None:
    said = mixed(house, events=3, noise=560)
    site = write_site(tmp_path / "other", NOBODY, database=f"sqlite:///{tmp_path / 'other.sqlite'}")
    with House.open(site, ENVIRON) as alone:
        for one in (house, alone):
            put(one, Batch(tuple(said)), "n")
        assert slices.read_for_others(house) == slices.BATCH
        assert triage(house).judged == triage(alone).judged == len(said)
        assert _judgements(house) == _judgements(alone)


def _judgements(house: House) -> list[tuple[object, ...]]:
    left_out = {"at", "incident_id"}
    columns = [column for column in JUDGEMENT.columns if column.name not in left_out]
    with house.store.read() as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(JUDGEMENT.c.signal_id))]


def test_what_is_read_from_sealed_originals_is_left_under_the_key(tmp_path: Path, database_url: str) -> None:
    extra = {"personal_data": "encrypt", "personal_key": "${HUIYING_PERSONAL_KEY}"}
    site = write_site(tmp_path / "site", NOBODY, database=database_url, site=extra)
    with House.open(site, ENVIRON | {"HUIYING_PERSONAL_KEY": "k" * 40}) as house:
        now = house.time.now()
        words = "居民王小明反映停水，电话13812345678，家住幸福路3号2单元501室"
        said = [
            RawSignal("n", str(n), Medium.HOTLINE, "", f"{words}{n}", published_at=now) for n in range(500)
        ]
        put(house, Batch(tuple(said)), "n")
        assert slices.read_for_others(house) == len(said)
        with house.store.read() as conn:
            (one,) = slice_rows.listed(conn)
            box = slice_rows.body(conn, one.first) or b""
        opened = left.unlocked(house, one.first, box)
        assert opened not in box
        assert b"138123" not in box
        assert triage(house).judged == len(said)


# ── what is remembered after a restart ────────────────────────────────────────────────────────


def remembering(folder: Path, url: str, most: int) -> House:
    site = write_site(folder / "site", NOBODY, database=url, site={"clustering": {"remember": most}})
    return House.open(site, ENVIRON)


def one_more(house: House) -> None:
    """A memory that is lost is built anew for the next signal."""
    house.sorter = None
    number = str(house.sorted_to)
    put(house, Batch((RawSignal("n", number, Medium.NEWS, number, "", published_at=house.time.now()),)), "n")
    assert triage(house).judged == 1


def told(house: House) -> str:
    """What the board says of triage."""
    note_good(house, house.time.now(), Done())
    with house.store.read() as conn:
        return next(row.detail for row in duties.all_duties(conn) if row.name == TRIAGE)


def values_of(one: Said) -> list[object]:
    """The values that a statement was given."""
    return list(one.params.values() if isinstance(one.params, dict) else one.params)


def test_as_much_is_read_back_as_the_site_lets_the_memory_hold(tmp_path: Path, database_url: str) -> None:
    with remembering(tmp_path, database_url, 60_000) as house:
        one_more(house)
        with heard(house, lambda one: 60_000 in values_of(one)) as asked:
            one_more(house)
    assert len(asked) == 1


def test_what_does_not_fit_or_is_not_read_back_is_told_until_the_window_has_passed(
    tmp_path: Path, database_url: str
) -> None:
    with remembering(tmp_path, database_url, 1_000) as house:
        house.time = HandTime(house.time.now())
        put(house, Batch(tuple(mixed(house, events=1, noise=1_100))), "n")
        triage(house)
        assert hold(house)
        assert "归并已记满 1000 条" in told(house)
        house.time.moment += timedelta(minutes=1)
        one_more(house)
        assert hold(house)
        assert "重启后没有读回" in told(house)
        assert house.sorter is not None
        assert len(house.sorter.index) == 1_000
        house.time.moment += timedelta(hours=73)
        assert "归并" not in told(house).replace("归并 0", "")


def test_an_incident_older_than_what_is_read_back_is_found_by_the_next_words_about_it(
    tmp_path: Path, database_url: str
) -> None:
    def say(number: int, title: str) -> RawSignal:
        return RawSignal("n", f"fire-{number}", Medium.NEWS, title, "", published_at=house.time.now())

    with remembering(tmp_path, database_url, 1_000) as house:
        put(house, Batch(tuple(say(n, "谭家桥化工厂爆炸，已致5人死亡、11人受伤") for n in range(9))), "n")
        put(house, Batch(tuple(mixed(house, events=1, noise=1_100))), "n")
        triage(house)
        house.sorter = None
        put(house, Batch((say(9, "谭家桥化工厂爆炸亲历者说没能出来"),)), "n")
        assert triage(house).opened == 0
        assert house.sorter is not None
        assert len(house.sorter.index) == 1_000
        with house.store.read() as conn:
            home = conn.execute(
                select(JUDGEMENT.c.incident_id).where(JUDGEMENT.c.signal_id == 1)
            ).scalar_one()
            assert incidents.get(conn, home).signal_count == 10


# ── a reading on its way ──────────────────────────────────────────────────────────────────────

JUDGE = Judge.load()
NOW = machine_now()
PIECES = st.sampled_from(
    [
        *EVENTS,
        "昨晚9时许",
        "造成3人死亡、12人受伤",
        "网传",
        "直接经济损失200万元",
        "浙江省温州市鹿城区",
        "\U0001f631",
        '"',
        "\\",
        "自来水发黄",
        "辟谣",
    ]
)
SAID = st.one_of(st.lists(PIECES, max_size=6).map("，".join), st.text(max_size=60))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(SAID, SAID, st.sampled_from(list(Medium))), max_size=4),
    st.integers(0, 10**9),
)
def test_a_reading_comes_out_as_it_went_in(said: list[tuple[str, str, Medium]], then: int) -> None:
    at = NOW - timedelta(milliseconds=then)
    items = [
        (f"s{n}", RawSignal("x", str(n), medium, title, body, metrics={"reposts": 9 * n}), at)
        for n, (title, body, medium) in enumerate(said)
    ]
    made = read(JUDGE, items)
    by_number = {n: signal for n, (_, signal, _) in enumerate(items)}
    found = left.unpack(left.pack(made, list(by_number)), by_number, {})
    assert [found[n] for n in by_number] == [replace(one, title="", body="") for one in made]
    assert [found[n].facts.evidence for n in by_number] == [one.facts.evidence for one in made]


@pytest.mark.parametrize("body", [b"", b"no", left.pack([], []) + b"x", b"x\x9c"])
def test_what_is_no_reading_is_refused_in_words(body: bytes) -> None:
    if body.endswith(b"x"):
        assert left.unpack(body, {}, {}) == {}  # bytes behind the end are nobody's
        return
    with pytest.raises(ValueError, match="not readings"):
        left.unpack(body, {}, {})


def test_the_version_is_the_same_in_every_process_and_another_for_other_settings(tmp_path: Path) -> None:
    asked = (
        "import sys; from pathlib import Path; from flows.judging import left; from flows.wiring import House;"
        "print(left.version(House.open(Path(sys.argv[1]))))"
    )
    names: Counter[str] = Counter()
    for seed, region in (("1", "云南省"), ("2", "云南省"), ("3", "浙江省")):
        site = write_site(tmp_path / f"site-{seed}", NOBODY, site={"region": region})
        names[_said(asked, site, seed)] += 1
    assert sorted(names.values()) == [1, 2]


def _said(code: str, site: Path, seed: str) -> str:
    line = [sys.executable, "-c", code, str(site)]
    root = Path(__file__).parents[2]
    done = subprocess.run(line, env=environ(PYTHONHASHSEED=seed), cwd=root, capture_output=True, check=True)
    return done.stdout.decode().split()[-1]


def test_a_signal_that_comes_while_the_rest_is_sorted_is_found_by_the_next_look(house: House) -> None:
    put(house, Batch(tuple(mixed(house, events=1, noise=5))), "n")
    assert look(house).judged > 0
    assert look(house).judged == 0
    put(
        house,
        Batch((RawSignal("n", "late", Medium.NEWS, EVENTS[0], "", published_at=house.time.now()),)),
        "n",
    )
    assert look(house).judged == 1
    with house.store.read() as conn:
        assert len(incidents.faces(conn)) == len(EVENTS)
