"""What other systems are told over Kafka: every change of incidents and clocks, in order, through kills."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import pytest
from sqlalchemy import select

from connectors.broker import Publisher, schema
from flows.collecting.following import Follower, broker_settings
from flows.office.desk import Desk
from flows.respond import respond
from flows.telling.publishing import follow_results, publish_letters, publish_results, results_mark
from flows.wiring import House
from models.core.moment import iso
from models.core.signals import Rejected
from models.ledger import announced, deadletters, duties
from models.ledger.clocks import CLOCK
from models.ledger.journal import length
from models.ledger.store import LedgerError, Store
from support.gate import Gate
from support.kafka import Broker, at_work, broker, publish, read_topic
from support.sites import ENVIRON, write_site
from support.waiting import until

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, kafka: Broker, database_url: str) -> Iterator[House]:
    name = uuid.uuid4().hex[:8]
    topics = {"topics": [f"in-{name}"], "results": f"out-{name}", "dead_letters": f"dead-{name}"}
    for topic in (f"in-{name}", f"out-{name}", f"dead-{name}"):
        kafka.create(topic)
    site = {"kafka": {"bootstrap": kafka.bootstrap, "group": name, "security": kafka.settings, **topics}}
    directory = write_site(tmp_path / "site", NOBODY, database=database_url, site=site)
    with House.open(directory, ENVIRON) as opened:
        yield opened


def open_one(house: House, title: str = "望江路塌陷") -> str:
    began = iso(house.time.now() - timedelta(minutes=5))
    about = {"title": title, "grade": "II", "discovered_at": began, "reason": "来电 13800138000"}
    return str(Desk(house).act("open", "", about, "chen")["id"])


def live(house: House, incident: str) -> None:
    """An incident's whole life: graded, answered, what is left waived, closed."""
    desk = Desk(house)
    desk.act("grade", incident, {"grade": "I", "reason": "核实死亡三人"}, "li")
    where = f"https://example.gov.cn/{incident}"
    desk.act("stop", incident, {"kind": "published_statement", "url": where}, "li")
    shown = desk.incident(incident)
    assert shown is not None
    for clock in [clock["id"] for clock in shown["clocks"] if clock["ended_at"] is None]:
        desk.act("waive", incident, {"clock": clock, "reason": "并入总报告"}, "zhou")
    desk.work.act("drop", incident, {"task": "all", "reason": "已由省级统一通报、发声"}, "li")
    desk.act("close", incident, {"reason": "善后完成"}, "li")


@contextmanager
def publisher_of(house: House) -> Iterator[Publisher]:
    made = Publisher(broker_settings(house))
    try:
        yield made
    finally:
        made.close()


@contextmanager
def telling(house: House) -> Iterator[threading.Thread]:
    """The results followed by a thread of its own, as the clock loop does."""
    with at_work(follow_results, house) as thread:
        yield thread


def told(kafka: Broker, house: House, wanted: int) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in read_topic(kafka, house.site.kafka.results, wanted)]


def due(house: House) -> list[tuple[int, str]]:
    """What the journal has to tell, by number and incident."""
    with house.store.read() as conn:
        found, _ = announced.after(conn, 0, 10_000)
    return [(one.seq, one.incident_id) for one in found]


def test_an_incident_is_told_from_its_opening_to_its_end_in_the_promised_shape(
    house: House, kafka: Broker
) -> None:
    incident = open_one(house)
    respond(house)
    live(house, incident)
    with publisher_of(house) as publisher:
        sent = publish_results(house, publisher)
    found = told(kafka, house, sent)
    assert len(found) == sent
    for message in found:
        jsonschema.validate(message, schema("result"))
    events = [message["event"] for message in found]
    assert events[:2] == ["incident_opened", "clocks_planned"]
    assert {"grade_confirmed", "step_raised", "evidence_added", "clock_waived"} <= set(events)
    assert events[-1] == "incident_closed"
    assert found[0]["incident"]["grade"] == "II"
    assert next(m for m in found if m["event"] == "grade_confirmed")["incident"]["grade"] == "I"
    assert found[-1]["incident"]["closed_at"]
    assert found[0]["ref"] == f"舆-{incident}"


def test_the_states_that_others_add_up_are_those_of_our_own_tables(house: House, kafka: Broker) -> None:
    for number in range(3):
        live(house, open_one(house, f"事件 {number}"))
    open_one(house)
    respond(house)
    with publisher_of(house) as publisher:
        sent = publish_results(house, publisher)
    theirs: dict[str, str] = {}
    for message in told(kafka, house, sent):
        theirs |= {clock["id"]: clock["state"] for clock in message["clocks"]}
    with house.store.read() as conn:
        ours = {row.id: row.state for row in conn.execute(select(CLOCK.c.id, CLOCK.c.state))}
    assert theirs == ours


def test_one_incident_stands_in_one_partition_in_the_order_of_the_journal(
    house: House, kafka: Broker
) -> None:
    for number in range(6):
        live(house, open_one(house, f"事件 {number}"))
    with publisher_of(house) as publisher:
        sent = publish_results(house, publisher)
    records = read_topic(kafka, house.site.kafka.results, sent)
    places: dict[str, set[int]] = {}
    numbers: dict[str, list[int]] = {}
    for record in records:
        key = record.key.decode()
        assert key == json.loads(record.value)["incident_id"]
        places.setdefault(key, set()).add(record.partition)
        numbers.setdefault(key, []).append(json.loads(record.value)["seq"])
    assert len(numbers) == 6
    assert all(len(one) == 1 for one in places.values())
    assert all(seqs == sorted(seqs) for seqs in numbers.values())


def test_numbers_of_persons_are_masked_and_no_contact_leaves_the_house(house: House, kafka: Broker) -> None:
    open_one(house, "举报人13900139000")
    respond(house)
    with publisher_of(house) as publisher:
        sent = publish_results(house, publisher)
    words = json.dumps(told(kafka, house, sent), ensure_ascii=False)
    assert "13800138000" not in words
    assert "13900139000" not in words
    assert "contacts" not in words


def test_what_was_told_is_not_told_again_and_what_is_new_is(house: House, kafka: Broker) -> None:
    open_one(house)
    with publisher_of(house) as publisher:
        first = publish_results(house, publisher)
        assert publish_results(house, publisher) == 0
        open_one(house, "另一起")
        second = publish_results(house, publisher)
    assert len(told(kafka, house, first + second)) == first + second


def test_a_death_between_sending_and_noting_repeats_and_loses_nothing(house: House, kafka: Broker) -> None:
    live(house, open_one(house))
    with publisher_of(house) as publisher, pytest.raises(LedgerError):
        publish_results(replace(house, store=Forgetful(house.store)), publisher)  # type: ignore[arg-type]
    with publisher_of(house) as publisher:
        sent = publish_results(house, publisher)
    found = [(m["seq"], m["incident_id"]) for m in told(kafka, house, 2 * sent)]
    assert len(found) == 2 * sent
    assert set(found) == set(due(house))


class Forgetful:
    """A database that answers questions and dies at the first write."""

    def __init__(self, behind: Store) -> None:
        self.behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)

    def write(self) -> NoReturn:
        raise LedgerError("数据库没有应答")


HERALD = """
import sys, threading
from pathlib import Path
from flows.telling.publishing import follow_results
from flows.wiring import House
with House.open(Path(sys.argv[1])) as house:
    follow_results(house, threading.Event())
"""


def test_heralds_that_are_killed_again_and_again_lose_nothing_and_keep_the_order(
    house: House, kafka: Broker
) -> None:
    kafka.needs_real()
    command = [sys.executable, "-c", HERALD, str(house.site.directory)]
    for number in range(4):
        for _ in range(5):
            live(house, open_one(house, f"事件 {number}"))
        with subprocess.Popen(command, env=os.environ | ENVIRON) as process:
            before = _mark(house)
            until(lambda: _mark(house) > before or process.poll() is not None)  # noqa: B023
            process.kill()
        with house.store.write() as conn:  # what the dead one held; a starting loop buries it
            duties.release(conn, [row.leased_by for row in duties.all_duties(conn) if row.leased_by])
    with telling(house) as last:
        until(lambda: _mark(house) >= _head(house), alive=last.is_alive)
    wanted = due(house)
    found = told(kafka, house, len(wanted))
    firsts: dict[str, list[int]] = {}
    for message in found:
        seqs = firsts.setdefault(message["incident_id"], [])
        if message["seq"] not in seqs:
            seqs.append(message["seq"])
    assert {(seq, one) for one, seqs in firsts.items() for seq in seqs} == set(wanted)
    assert all(seqs == sorted(seqs) for seqs in firsts.values())


def _mark(house: House) -> int:
    with house.store.read() as conn:
        kept = duties.get_setting(conn, results_mark(house.site.kafka.results))
    return int(kept["upto"]) if kept else 0


def _head(house: House) -> int:
    with house.store.read() as conn:
        return length(conn)[0]


def test_an_absent_broker_holds_up_no_clock_and_is_told_later(
    tmp_path: Path, kafka: Broker, database_url: str
) -> None:
    topic = f"out-{uuid.uuid4().hex[:8]}"
    kafka.create(topic)
    with Gate(kafka.bootstrap) as gate:
        site = {"kafka": {"bootstrap": gate.address, "results": topic, "security": kafka.settings}}
        directory = write_site(tmp_path / "site", NOBODY, database=database_url, site=site)
        with House.open(directory, ENVIRON) as house:
            with telling(house):
                open_one(house)
                assert respond(house).steps > 0  # the first word goes out at once, broker or not
                until(lambda: "没有应答" in _item(house)["detail"], lambda: str(_item(house)))
                assert _item(house)["state"] == "down"
                gate.open()
                until(lambda: _mark(house) >= _head(house), lambda: str(_item(house)))
                until(lambda: _item(house)["state"] == "ok", lambda: str(_item(house)))
            assert [(m["seq"], m["incident_id"]) for m in told(kafka, house, len(due(house)))] == due(house)


def _item(house: House) -> dict[str, Any]:
    items: list[dict[str, Any]] = Desk(house).board()["coverage"]["items"]
    return next(item for item in items if item["name"] == "publish")


class Bewitched(Forgetful):
    """A database that fails once in a way that nobody expected, then answers."""

    def __init__(self, behind: Store) -> None:
        super().__init__(behind)
        self.left = 1

    def write(self) -> Any:
        if self.left:
            self.left -= 1
            raise RuntimeError("this is new \ud800")
        return self.behind.write()


def test_whatever_goes_wrong_the_results_are_told_on(house: House, kafka: Broker) -> None:
    open_one(house)
    bewitched: Any = Bewitched(house.store)
    with telling(replace(house, store=bewitched)) as thread:
        until(lambda: _mark(house) >= _head(house), lambda: str(_item(house)), alive=thread.is_alive)
    assert bewitched.left == 0


def test_poison_goes_to_its_topic_byte_for_byte_with_its_place_and_reason(
    house: House, kafka: Broker
) -> None:
    source = house.site.kafka.topics[0]
    poison = [b"{not json", b"\xff\xfe\x00", b'{"id": "T9"}']
    settings = broker_settings(house)
    publish(settings, source, [{"id": "T1", "title": "停水"}, *poison])
    with ThreadPoolExecutor(1) as pool:
        follower = Follower(house, pool)
        for _ in range(120):
            follower.step(0.5)
            if follower.counts["read"] >= 4:
                break
        follower.let_go()
    with publisher_of(house) as publisher:
        assert publish_letters(house, publisher) == 3
        assert publish_letters(house, publisher) == 0
    letters = read_topic(kafka, house.site.kafka.dead_letters, 3)
    assert {letter.value for letter in letters} == set(poison)
    for letter in letters:
        headers = {name: value.decode() for name, value in letter.headers}
        jsonschema.validate(headers, schema("dead_letter"))
        assert letter.key.decode() == f"{source}/{headers['partition']}@{headers['offset']}"
        assert headers["whole"] == "yes"
        assert headers["reason"].startswith(letter.key.decode())


def test_a_letter_whose_message_is_gone_carries_the_text_that_was_kept(house: House, kafka: Broker) -> None:
    gone = Rejected("no-such-topic/0@7", "no-such-topic/0@7: not JSON", "{kept")
    with house.store.write() as conn:
        deadletters.reject(conn, house.time.now(), "kafka", [gone])
    with publisher_of(house) as publisher:
        assert publish_letters(house, publisher) == 1
    letter = read_topic(kafka, house.site.kafka.dead_letters, 1)[0]
    assert letter.value == b"{kept"
    assert dict(letter.headers)["whole"] == b"no"
