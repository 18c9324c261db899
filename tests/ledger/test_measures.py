"""Histograms from the journal: each entry counted once, and what was late is late by our own fault."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.deliver import deliver
from flows.office import measuring
from flows.office.desk import Desk
from flows.office.gauges import Slowly
from flows.respond import respond
from flows.triage import triage
from flows.wiring import House
from models.core.buckets import Buckets
from models.core.moment import iso
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import measures
from models.ledger.measures import LATE, TAKEN, TRIED
from models.ledger.signals import collect
from support.receiver import Answer, Receiver
from support.sites import ENVIRON, write_site


def house_of(tmp_path: Path, url: str, database_url: str) -> House:
    return House.open(write_site(tmp_path / "site", url, database=database_url), ENVIRON)


def open_one(house: House, hours: float) -> None:
    happened = iso(house.time.now() - timedelta(hours=hours))
    Desk(house).act("open", "", {"title": "火灾", "grade": "II", "occurred_at": happened}, "chen")


def kept(house: House) -> dict[tuple[str, str], Buckets]:
    with house.store.read() as conn:
        return measures.kept(conn)


def test_steps_and_alerts_are_counted_once_however_often_one_looks(tmp_path: Path, database_url: str) -> None:
    with Receiver() as receiver, house_of(tmp_path, receiver.url, database_url) as house:
        receiver.then(Answer(status=503))
        open_one(house, 6)
        raised = respond(house)
        sent = deliver(house)
        assert measuring.count(house) > 0
        assert measuring.count(house) == 0
        found = kept(house)
        assert sum(found[LATE, ""].counts) == raised.steps > 0
        assert sum(found[TRIED, "hook accepted"].counts) == sent.accepted > 0
        assert sum(found[TRIED, "hook refused"].counts) == sent.refused == 1
        assert sum(found[TAKEN, "hook"].counts) == sent.accepted
        open_one(house, 0.1)
        respond(house)
        measuring.count(house)
        assert sum(kept(house)[LATE, ""].counts) > raised.steps


def test_a_limit_that_had_passed_before_the_incident_was_opened_is_no_lateness_of_ours(
    tmp_path: Path, database_url: str
) -> None:
    with house_of(tmp_path, "http://127.0.0.1:9", database_url) as house:
        open_one(house, 48)
        respond(house)
        measuring.count(house)
        late = kept(house)[LATE, ""]
        assert late.total < 60 * sum(late.counts)


def test_two_that_count_the_same_stretch_count_it_once(tmp_path: Path, database_url: str) -> None:
    with house_of(tmp_path, "http://127.0.0.1:9", database_url) as house:
        open_one(house, 6)
        respond(house)
        with house.store.read() as conn:
            one, other = measures.count(conn), measures.count(conn)
        with house.store.write() as conn:
            assert measures.keep(conn, one)
        before = kept(house)
        with house.store.write() as conn:
            assert not measures.keep(conn, other)
        assert kept(house) == before


def test_a_scrape_shows_the_histogram_the_version_and_the_processor_time(
    tmp_path: Path, database_url: str
) -> None:
    with house_of(tmp_path, "http://127.0.0.1:9", database_url) as house:
        open_one(house, 6)
        steps = respond(house).steps
        measuring.count(house)
        shown = Desk(house).metrics()
    assert f'huiying_step_lateness_seconds_bucket{{le="+Inf"}} {steps:.1f}' in shown
    assert "huiying_build_info{" in shown
    assert "process_resident_memory_bytes " in shown
    assert "huiying_measures_behind 0.0" in shown
    assert ("huiying_partition_headroom_seconds{" in shown) == database_url.startswith("postgresql")


def test_drift_is_worked_out_once_and_every_scrape_and_the_board_read_it(tmp_path: Path) -> None:
    with House.open(write_site(tmp_path / "site", "http://127.0.0.1:9"), ENVIRON) as house:
        now = house.time.now()
        told = [f"第{number}户反映小区停水三天没人管" for number in range(3)]
        signals = tuple(
            RawSignal("hotline", str(n), Medium.HOTLINE, "停水", text, published_at=now)
            for n, text in enumerate(told)
        )
        with house.store.write() as conn:
            collect(conn, now, Batch(signals), "hotline", fingerprint)
        measurer = measuring.Measurer(house, counts=False, looks=True)
        measurer.step()
        assert "huiying_unseen_share{" not in Desk(house).metrics()  # nobody has loaded the classifiers
        triage(house)
        measurer.step()
        shown = Desk(house).metrics()
        kept = measuring.look(house)
    assert 'huiying_unseen_share{of="unseen"}' in shown
    assert 0 <= kept["unseen"] <= 1
    assert kept["answers"] == {"sentiment": None, "topic": None}  # too few to say


def test_buckets_hold_what_is_at_most_their_bound() -> None:
    made = Buckets((1.0, 5.0))
    made.take([0.5, 1.0, 1.1, 5.0, 6.0])
    assert made.counts == [2, 2, 1]
    assert made.heaped() == [("1", 2.0), ("5", 4.0), ("+Inf", 5.0)]
    assert made.total == pytest.approx(13.6)


def test_what_was_dear_is_kept_and_what_was_cheap_is_asked_again() -> None:
    now, asked = [0.0], []

    def ask(cost: float) -> Any:
        asked.append(cost)
        now[0] += cost
        return len(asked)

    slowly = Slowly(tick=lambda: now[0])
    assert [slowly("cheap", lambda: ask(0.001)) for _ in range(2)] == [1, 2]
    assert [slowly("dear", lambda: ask(1.0)) for _ in range(2)] == [3, 3]
    now[0] += 101.0
    assert slowly("dear", lambda: ask(1.0)) == 4
