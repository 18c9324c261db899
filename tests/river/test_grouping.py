"""One person gets one message; limits hold back notices, never a deadline; a dead letter is an alert."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.ports import Channel, Delivery, Message
from flows.deliver import HUNG, deliver
from flows.office.desk import Desk
from flows.respond import respond
from flows.wiring import House
from models.core.vocabulary import AlertKind
from models.ledger import notices
from models.ledger.notices import Notice
from models.ledger.verify import verify
from support.receiver import Receiver, Request
from support.river_site import HandTime, Site, river
from support.sites import ENVIRON, write_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    """A webhook that speaks to people: it carries several alerts in one message."""
    with river(tmp_path, database_url, together=20) as made:
        yield made


def opened(site: Site, title: str = "化工园区火灾") -> str:
    return str(site.desk.act("open", "", {"title": title, "grade": "II"}, "chen")["id"])


def to(request: Request) -> str:
    return str(request.json()["recipient"]["person"])


def test_alerts_of_one_moment_are_one_message_with_each_time_left(site: Site) -> None:
    for title in ("火灾", "停水", "塌方"):
        opened(site, title)
    site.until("00:10")
    site.receiver.requests.clear()
    site.time.moment += timedelta(hours=4)
    respond(site.house)
    deliver(site.house)
    people = [to(request) for request in site.receiver.requests]
    assert len(people) == len(set(people)), "each person got one message"
    bodies = site.bodies()
    assert len({body["alert_id"] for body in bodies}) == len(bodies) > len(people)
    assert all(body["ref"] and body["clock"]["due_at"] for body in bodies)
    for request in site.receiver.requests:
        message = request.json()
        dues = [one["clock"]["due_at"] for one in (message, *message.get("also", ()))]
        assert dues == sorted(dues), "the nearest deadline first"
        assert request.headers["webhook-id"] == message["alert_id"]


def test_a_group_without_an_answer_is_sent_again_whole_under_the_same_name(site: Site) -> None:
    for title in ("火灾", "停水"):
        opened(site, title)
    respond(site.house)
    site.receiver.answer(close=True)
    deliver(site.house)
    opened(site, "塌方")
    site.time.moment += timedelta(seconds=30)
    respond(site.house)
    site.receiver.answer(status=200)
    deliver(site.house)
    first, *later = site.receiver.requests
    again = next(one for one in later if one.headers["webhook-id"] == first.headers["webhook-id"])
    assert carried(again) == carried(first)
    assert again.json()["attempt"] == 2
    assert sum("塌方" in request.body.decode() for request in later) == 1
    assert site.verified()


def carried(request: Request) -> set[tuple[str, str]]:
    message = request.json()
    return {(one["alert_id"], one["ref"]) for one in (message, *message.get("also", ()))}


def test_one_alert_that_a_channel_cannot_take_does_not_spoil_the_others(site: Site) -> None:
    for title in ("火灾", "停水"):
        opened(site, title)
    respond(site.house)
    site.receiver.judge = lambda request: 413 if "停水" in request.body.decode() else 200
    deliver(site.house)
    deliver(site.house)
    states = {alert["title"]: alert["state"] for alert in site.desk.board()["recent_alerts"]}
    assert (states["火灾"], states["停水"]) == ("accepted", "dead")
    assert site.verified()


def test_a_dead_letter_is_told_at_once_to_the_next_rung(site: Site) -> None:
    incident = opened(site)
    respond(site.house)
    site.receiver.judge = lambda request: 410 if to(request) == "chen" else 200
    for _ in range(3):
        deliver(site.house)
    told = [body for body in site.bodies() if body["kind"] == AlertKind.NOTICE.value]
    notice = told[0]
    assert {body["recipient"]["person"] for body in told} == {"li", "zhou"}, "the next rung, and the owner"
    assert notice["title"] == "陈值班 联系不上"
    assert "人工通知" in notice["reason"]
    assert notice["incident"]["id"] == incident
    assert "clock" not in notice
    assert site.verified()


def test_a_notice_about_a_notice_goes_one_level_and_no_further(site: Site) -> None:
    opened(site)
    respond(site.house)
    site.receiver.answer(status=410)
    for _ in range(12):
        deliver(site.house)
    made = [alert for alert in site.desk.board()["recent_alerts"] if alert["kind"] == "notice"]
    assert {alert["state"] for alert in made} == {"dead"}
    before = len(made)
    for _ in range(6):
        deliver(site.house)
    assert len([a for a in site.desk.board()["recent_alerts"] if a["kind"] == "notice"]) == before
    with site.house.store.read() as conn:
        topics = {one.clock_id for topic in ("dead", "dead-again") for one in notices.of_topic(conn, topic)}
    assert topics == {"notice:dead", "notice:dead-again"}


@contextmanager
def two_ways(
    folder: Path, database: str, per_minute: int
) -> Iterator[tuple[House, HandTime, Receiver, Receiver]]:
    """A site whose people have a narrow channel first and a wide one behind it."""
    with Receiver() as narrow, Receiver() as wide:
        directory = write_site(folder / "site", narrow.url, database=database, per_minute=per_minute)
        hook = json.loads((directory / "channels.yaml").read_text(encoding="utf-8"))["channels"][0]
        channels = [hook, {**hook, "id": "wide", "url": f"{wide.url}/alerts", "per_minute": 1000}]
        (directory / "channels.yaml").write_text(json.dumps({"channels": channels}), encoding="utf-8")
        roster = json.loads((directory / "roster.yaml").read_text(encoding="utf-8"))
        for person in roster["people"]:
            person["contacts"].append({"channel": "wide", "address": person["id"]})
        (directory / "roster.yaml").write_text(json.dumps(roster, ensure_ascii=False), encoding="utf-8")
        with House.open(directory, ENVIRON) as house:
            house.time = time = HandTime()
            yield house, time, narrow, wide


def test_a_deadline_never_waits_for_a_throttle_and_notices_do(tmp_path: Path, database_url: str) -> None:
    with two_ways(tmp_path, database_url, per_minute=1) as (house, time, narrow, wide):
        people = house.site.roster.people
        with house.store.write() as conn:
            notices.tell(conn, time.now(), [Notice("test", "a", "通知", "缘由", people)])
        deliver(house)
        assert (len(narrow.requests), len(wide.requests)) == (1, 0)
        Desk(house).act("open", "", {"title": "火灾", "grade": "II"}, "chen")
        time.moment += timedelta(seconds=1)
        respond(house)
        deliver(house)
        assert [request.json()["kind"] for request in wide.requests] == ["step"]
        assert len(narrow.requests) == 1
        for _ in range(5):
            time.moment += timedelta(seconds=61)
            deliver(house)
        assert len(narrow.requests) == 4
        assert verify(house.store, time.now())["ok"]


def test_a_limit_is_kept_by_senders_that_know_nothing_of_each_other(
    tmp_path: Path, database_url: str
) -> None:
    with (
        two_ways(tmp_path, database_url, per_minute=2) as (house, time, narrow, _),
        House.open(house.site.directory, ENVIRON) as another,
    ):
        another.time = time
        with house.store.write() as conn:
            told = Notice("test", "a", "通知", "缘由", house.site.roster.people)
            notices.tell(conn, time.now(), [told])
        for _ in range(4):
            deliver(house)
            deliver(another)
        assert len(narrow.requests) == 2


def test_a_channel_that_says_later_is_left_alone_by_the_next_alert_too(site: Site) -> None:
    opened(site)
    respond(site.house)
    site.receiver.answer(status=429, headers={"Retry-After": "30"})
    deliver(site.house)
    opened(site, "停水")
    respond(site.house)
    deliver(site.house)
    assert len(site.receiver.requests) == 1
    site.receiver.answer(status=200)
    site.time.moment += timedelta(seconds=31)
    deliver(site.house)
    assert len(site.bodies()) > 2


def test_a_webhook_that_the_site_says_nothing_of_gets_one_body_an_alert(
    tmp_path: Path, database_url: str
) -> None:
    with river(tmp_path, database_url) as site:
        for title in ("火灾", "停水"):
            opened(site, title)
        respond(site.house)
        deliver(site.house)
        messages = [request.json() for request in site.receiver.requests]
        assert len({message["alert_id"] for message in messages}) == len(messages) > 1
        assert not any("also" in message for message in messages)


@dataclass
class Broken:
    """A channel whose program fails over one person's alerts, as an adapter of ours never should."""

    real: Channel
    over: str
    id: str = "hook"
    type: str = "webhook"

    def send(self, message: Message) -> Delivery:
        if message.address == self.over:
            raise ZeroDivisionError("secret words")
        return self.real.send(message)

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.real.close()


@pytest.mark.parametrize("at_once", [0, 4])
def test_an_alert_over_which_a_channel_s_program_fails_stops_no_other(site: Site, at_once: int) -> None:
    people = site.house.site.roster.people
    site.house.channels["hook"] = Broken(site.house.channels["hook"], people[0].id)
    with site.house.store.write() as conn:
        notices.tell(conn, site.time.now(), [Notice("test", "a", "通知", "缘由", people)])
    with ThreadPoolExecutor(4) as pool:
        sent = deliver(site.house, pool if at_once else None)
    assert (sent.claimed, sent.accepted) == (len(people), len(people) - 1)
    failed = next(alert for alert in site.desk.board()["recent_alerts"] if alert["state"] == "queued")
    assert "ZeroDivisionError" in failed["error"] and "secret" not in failed["error"]


@contextmanager
def dripping() -> Iterator[str]:
    """A gateway that sends the head of its answer a byte now and then, without an end."""
    over = threading.Event()

    def drip(taken: socket.socket) -> None:
        with taken, suppress(OSError):
            taken.recv(65536)
            taken.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not over.wait(0.1):
                taken.sendall(b"x")

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}/"
        finally:
            over.set()
            door.shutdown(socket.SHUT_RDWR)


def test_a_gateway_that_drips_without_an_end_holds_up_nobody_elses_alert(
    tmp_path: Path, database_url: str
) -> None:
    with ThreadPoolExecutor(8) as pool, dripping() as gateway:

        def chen_by_it(directory: Path) -> None:
            channels = json.loads((directory / "channels.yaml").read_text(encoding="utf-8"))
            hook = channels["channels"][0]
            channels["channels"].append({**hook, "id": "drip", "url": gateway})
            (directory / "channels.yaml").write_text(json.dumps(channels), encoding="utf-8")
            roster = json.loads((directory / "roster.yaml").read_text(encoding="utf-8"))
            chen = next(person for person in roster["people"] if person["id"] == "chen")
            chen["contacts"] = [{"channel": "drip", "address": "chen"}]
            (directory / "roster.yaml").write_text(json.dumps(roster), encoding="utf-8")

        with river(tmp_path, database_url, chen_by_it) as site:
            site.desk.act("escalate", opened(site), {"reason": "请带班知悉"}, "chen")
            respond(site.house)
            sent = deliver(site.house, pool, round_s=2.0)
            told = {alert["person"]: alert for alert in site.desk.board()["recent_alerts"]}
    assert sent.hung > 0
    assert sent.accepted == sent.claimed - sent.hung > 0
    assert told["li"]["state"] == "accepted"
    assert told["chen"]["state"] != "accepted"
    assert HUNG in told["chen"]["reason"] or told["chen"]["attempts"] == 1
