"""The robots under the outbox: their minute is kept, a no falls through, a deadline does not wait for them.

On SQLite alone: what the ledger does of it is shown on both engines in test_grouping.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.deliver import deliver
from flows.office.desk import Desk
from flows.respond import respond
from flows.wiring import House
from models.ledger import journal, notices
from models.ledger.notices import Notice
from models.ledger.verify import verify
from support.console import served
from support.receiver import Answer, Receiver
from support.river_site import HandTime
from support.sites import ENVIRON, write_site

TOKEN = "rehearsal-token-of-a-robot"
TYPES = {
    "dingtalk": ("@1380000000{}", b'{"errcode": 0}', b'{"errcode": 130101, "errmsg": "send too fast"}', 20),
    "wecom": ("userid:u{}", b'{"errcode": 0}', b'{"errcode": 45009, "errmsg": "freq out of limit"}', 20),
    "feishu": ("openid:ou_{}", b'{"code": 0}', b'{"code": 11232, "msg": "frequency limited"}', 100),
}
every = pytest.mark.parametrize("kind", TYPES)


@dataclass
class Duty:
    """A site whose people have a robot first and a webhook behind it."""

    house: House
    time: HandTime
    robot: Receiver
    hook: Receiver

    def open(self, title: str = "化工园区火灾") -> str:
        return str(Desk(self.house).act("open", "", {"title": title, "grade": "II"}, "chen")["id"])

    def send(self, rounds: int = 1) -> None:
        respond(self.house)
        for _ in range(rounds):
            deliver(self.house)

    def verified(self) -> bool:
        return bool(verify(self.house.store, self.time.now())["ok"])


@contextmanager
def duty(folder: Path, kind: str, **site: Any) -> Iterator[Duty]:
    address, yes, _, _ = TYPES[kind]
    with Receiver() as robot, Receiver() as hook:
        robot.answer(body=yes)
        directory = write_site(folder / "site", hook.url, site=site)
        channels = _read(directory, "channels")
        channels["channels"].insert(0, {"id": "robot", "type": kind, "robot": "${ROBOT}", "timeout_s": 2})
        roster = _read(directory, "roster")
        for n, person in enumerate(roster["people"]):
            person["contacts"].insert(0, {"channel": "robot", "address": address.format(n)})
        _write(directory, "channels", channels)
        _write(directory, "roster", roster)
        environ = ENVIRON | {"ROBOT": f"{robot.url}/robot/send?access_token={TOKEN}"}
        with House.open(directory, environ) as house:
            house.time = time = HandTime()
            yield Duty(house, time, robot, hook)


def _read(directory: Path, stem: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((directory / f"{stem}.yaml").read_text(encoding="utf-8"))
    return read


def _write(directory: Path, stem: str, content: dict[str, Any]) -> None:
    (directory / f"{stem}.yaml").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


@pytest.fixture
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Duty]:
    with duty(tmp_path, request.param) as made:
        yield made


on_each = pytest.mark.parametrize("kept", TYPES, indirect=True)


@every
def test_a_robot_gets_no_more_than_its_platform_s_minute(kind: str, tmp_path: Path) -> None:
    with duty(tmp_path, kind) as site:
        per_minute, people = TYPES[kind][3], site.house.site.roster.people
        for n in range(per_minute // 2):  # each to four people, each a moment of its own
            with site.house.store.write() as conn:
                told = Notice("test", str(n), "通知", "缘由", people)
                notices.tell(conn, site.time.now(), [told])
            site.send()
        assert 0 < len(site.robot.requests) <= per_minute
        assert site.verified()


@on_each
def test_a_robot_that_says_too_fast_is_left_alone_and_the_deadline_goes_another_way(
    kept: Duty, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["kept"]
    kept.robot.then(Answer(body=TYPES[kind][2]))
    kept.open()
    kept.send()
    assert len(kept.robot.requests) >= 1
    kept.robot.requests.clear()
    kept.open("停水")
    kept.time.moment += timedelta(seconds=1)
    kept.send()
    assert not kept.robot.requests, "it asked to be left alone"
    waits = kind == "feishu"  # five seconds are soon over; for a minute no deadline waits
    assert waits != any("停水" in one.body.decode() for one in kept.hook.requests)
    kept.time.moment += timedelta(seconds=61)
    kept.send(3)
    asked = "".join(one.body.decode() for one in kept.robot.requests)
    assert asked and (not waits or "停水" in asked), "and it is asked again after it"
    assert kept.verified()


@on_each
def test_a_lasting_no_inside_a_200_falls_through_and_is_written_down_without_the_key(
    kept: Duty, request: pytest.FixtureRequest
) -> None:
    names = "code" if request.node.callspec.params["kept"] == "feishu" else "errcode"
    kept.robot.answer(body=json.dumps({names: 19024, "errmsg": "no", "msg": "no"}).encode())
    incident = kept.open()
    kept.send(3)
    assert kept.robot.requests and kept.hook.requests
    shown = Desk(kept.house).incident(incident)
    assert shown is not None
    assert {alert["channel"] for alert in shown["alerts"]} == {"hook"}
    with kept.house.store.read() as conn:
        entries = list(journal.entries(conn))
    everything = json.dumps([shown, Desk(kept.house).board(), entries], default=str, ensure_ascii=False)
    assert "19024" in everything
    assert TOKEN not in everything
    assert kept.verified()


@on_each
def test_an_answer_that_is_lost_is_sent_again_under_the_same_reference(kept: Duty) -> None:
    kept.open()
    kept.robot.then(*[Answer(close=True)] * 8)
    kept.send()
    first = {one.body for one in kept.robot.requests}
    kept.robot.requests.clear()
    kept.time.moment += timedelta(seconds=10)
    kept.send()
    again = [one.body.decode() for one in kept.robot.requests]
    assert len(again) >= len(first) > 0
    assert all("重发，第 2 次" in body for body in again)
    assert kept.verified()


@every
def test_each_part_of_a_long_message_is_one_of_the_robot_s_minute(kind: str, tmp_path: Path) -> None:
    with duty(tmp_path, kind) as site:
        per_minute, people = TYPES[kind][3], site.house.site.roster.people
        for n in range(per_minute // 4):  # each in several parts, to four people
            with site.house.store.write() as conn:
                told = Notice("test", str(n), "通知", "长" * 9_000, people)
                notices.tell(conn, site.time.now(), [told])
            site.send()
        assert any("（2/" in one.body.decode() for one in site.robot.requests)
        most = per_minute + 4 * 5  # what one round had in hand when the minute was full
        assert len(site.robot.requests) <= most
        assert site.verified()


@every
def test_the_link_in_a_message_acknowledges_by_one_press_and_never_by_a_preview(
    kind: str, tmp_path: Path
) -> None:
    with duty(tmp_path, kind, console={"public_url": "https://board.example"}) as site:
        incident = site.open()
        site.send()
        (path,) = {
            found[1]
            for one in site.robot.requests
            if (found := re.search(r"https://board\.example(/a/[^\s\")]+)", one.body.decode()))
        }
        with served(Desk(site.house)) as url, httpx.Client(base_url=url) as phone:
            for _ in range(3):  # the chat's preview, the proxy's scanner, the officer's first look
                assert phone.get(path).status_code == 200
            assert acked(site, incident) == []
            assert phone.post(path, headers={"Origin": url}).status_code == 303
            assert acked(site, incident) == ["chen"]
        assert site.verified()


def acked(site: Duty, incident: str) -> list[str]:
    shown = Desk(site.house).incident(incident)
    assert shown is not None
    return [one["person"] for one in shown["acked"]]
