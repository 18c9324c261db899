"""Acknowledging by a one-use link, over the console's real HTTP door, as a phone would. (Both databases:
tests/ledger/test_onelinks.py.)"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.deliver import deliver
from flows.respond import respond
from flows.wiring import House
from models.ledger import onelinks
from models.ledger.journal import entries
from support.console import served
from support.river_site import Site
from support.sites import ENVIRON

PUBLIC = "https://huiying.example.gov.cn"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'huiying.sqlite'}"


@pytest.fixture
def door(site: Site) -> Iterator[httpx.Client]:
    """The console's door, of a site that can be reached from outside."""
    reached = site.house.site.console.model_copy(update={"public_url": PUBLIC})
    site.house.site = dataclasses.replace(site.house.site, console=reached)
    with served(site.desk) as url, httpx.Client(base_url=url) as client:
        yield client


def alerted(site: Site) -> dict[str, Any]:
    """The first alert of a new incident, as the duty officer's channel got it."""
    site.desk.act("open", "", {"title": "化工园区火灾<b>", "grade": "II"}, "li")
    return told(site)


def told(site: Site) -> dict[str, Any]:
    respond(site.house)
    deliver(site.house)
    return next(one for one in site.bodies() if one["recipient"]["person"] == "chen")


def path(alert: dict[str, Any]) -> str:
    link = str(alert["ack_url"])
    assert link.startswith(f"{PUBLIC}/a/")
    return link.removeprefix(PUBLIC)


def acked(site: Site) -> list[str]:
    (incident,) = site.desk.board()["incidents"]
    return [ack["person"] for ack in incident["acked"]]


def journal(site: Site, kind: str) -> list[dict[str, Any]]:
    with site.house.store.read() as conn:
        return list(entries(conn, kind=kind))


def test_the_link_shows_what_will_be_done_and_does_it_at_one_press(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    page = door.get(link)
    assert page.status_code == 200
    for words in ("化工园区火灾&lt;b&gt;", "II", "将以 陈值班 的名义签收", "签收</button>"):
        assert words in page.text, words
    assert acked(site) == []
    pressed = door.post(link)
    assert (pressed.status_code, pressed.headers["location"]) == (303, link)
    assert acked(site) == ["chen"]
    assert re.search(r"陈值班 已于 00:0\d 签收", door.get(link).text)
    assert "</button>" not in door.get(link).text
    assert [entry["actor"] for entry in journal(site, "link_used")] == ["chen"]
    (ack,) = journal(site, "acknowledged")
    assert (ack["actor"], ack["reason"]) == ("chen", "经一次性链接签收")
    assert site.verified()


def test_looking_however_often_and_however_asked_changes_nothing(site: Site, door: httpx.Client) -> None:
    link, before = path(alerted(site)), site.desk.revision()
    for ask in (door.get, door.head, door.get, door.options):
        ask(link)
    door.get(link, headers={"sec-purpose": "prefetch", "user-agent": "SafeLinks scanner"})
    assert site.desk.revision() == before
    assert acked(site) == []


def test_it_works_once_and_a_second_press_says_since_when(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: door.post(link).status_code, range(8)))
    assert set(answers) == {303}
    assert len(journal(site, "link_used")) == len(journal(site, "acknowledged")) == 1
    assert site.verified()


def test_whoever_acknowledged_otherwise_is_told_so(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    (incident,) = site.desk.board()["incidents"]
    site.time.moment += timedelta(minutes=2)
    site.desk.act("ack", incident["id"], {}, "chen")
    assert "陈值班 已于 00:02 签收" in door.get(link).text
    door.post(link)
    assert journal(site, "link_used") == []


@pytest.mark.parametrize("harm", ["cut", "changed", "other site", "nonsense"])
def test_a_forged_link_opens_nothing_and_says_what_to_do(site: Site, door: httpx.Client, harm: str) -> None:
    link = path(alerted(site))
    bad = {
        "cut": link[:-3],
        "changed": link[:20] + ("A" if link[20] != "A" else "B") + link[21:],
        "other site": "/a/AQFpIKrPASNFZ4mrze8BI0VniavN72NoZW5kMrmKZ2_6KfCPVGvHCp0v",
        "nonsense": "/a/" + "%3Cscript%3E" * 9,
    }[harm]
    for answer in (door.get(bad), door.post(bad)):
        assert answer.status_code == 404
        assert "不是本系统发出的" in answer.text
        assert "化工园区" not in answer.text
        assert "<script>" not in answer.text
    assert acked(site) == []


def test_a_link_of_yesterday_is_past(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    site.time.moment += timedelta(hours=24)
    for answer in (door.get(link), door.post(link)):
        assert answer.status_code == 410
        assert "过期" in answer.text
    assert acked(site) == []


def test_a_closed_incidents_link_ends_with_it(site: Site, door: httpx.Client) -> None:
    alert = alerted(site)
    other = site.desk.act("open", "", {"title": "另一起", "grade": "IV"}, "li")
    site.desk.act("merge", alert["incident"]["id"], {"into": other["id"]}, "li")
    for answer in (door.get(path(alert)), door.post(path(alert))):
        assert answer.status_code == 410
        assert f"已并入 舆-{other['id']}" in answer.text
    assert journal(site, "link_used") == []


def test_whoever_left_the_roster_can_use_no_link(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    roster = site.house.site.roster
    left = dataclasses.replace(roster, people=tuple(p for p in roster.people if p.id != "chen"))
    site.house.site = dataclasses.replace(site.house.site, roster=left)
    assert door.post(link).status_code == 410
    assert "链接作废" in door.get(link).text
    assert acked(site) == []


def test_on_a_colleagues_device_the_link_does_not_act_for_its_owner(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    door.cookies.set("huiying_person", "li")
    answer = door.post(link)
    assert answer.status_code == 403
    assert "发给 陈值班 的，而这台设备上是 李主任" in answer.text
    assert acked(site) == []


def test_another_sites_page_cannot_press_the_button(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    assert door.post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert acked(site) == []


def test_a_resend_carries_the_same_link_and_a_later_alert_another(site: Site, door: httpx.Client) -> None:
    site.receiver.answer(status=500)
    first = alerted(site)
    site.receiver.answer()
    site.time.moment += timedelta(minutes=1)
    again = told(site)
    deliver(site.house)
    resent = [one for one in site.bodies() if one["alert_id"] == first["alert_id"]]
    assert {one["ack_url"] for one in resent} == {first["ack_url"]}
    assert len(resent) > 1
    others = [one["ack_url"] for one in site.bodies() if one["alert_id"] != again["alert_id"]]
    assert first["ack_url"] not in others


def test_every_process_of_a_site_signs_with_one_key(site: Site, door: httpx.Client) -> None:
    link = path(alerted(site))
    with House.open(site.house.site.directory, ENVIRON) as other:
        assert other.link_key == site.house.link_key
        with other.store.write() as conn:
            assert onelinks.draw(conn, bytes(32)) == site.house.link_key
    assert site.house.link_key.hex() not in "".join(entry["payload"] for entry in journal(site, "link_used"))
    assert door.get(link).status_code == 200


def test_without_an_address_from_outside_no_link_is_sent(site: Site) -> None:
    assert "ack_url" not in alerted(site)


def test_a_notice_has_nothing_to_acknowledge(site: Site, door: httpx.Client) -> None:
    alerted(site)
    site.until("06:00", every=timedelta(minutes=30))
    kinds = {one["kind"]: "ack_url" in one for one in site.bodies() if one["kind"] != "step"}
    assert not any(kinds.values())


def test_so_many_tries_from_one_address_have_to_wait(site: Site, door: httpx.Client) -> None:
    answers = [door.get("/a/AAAA").status_code for _ in range(61)]
    assert answers[:60] == [404] * 60
    last = door.get("/a/AAAA")
    assert (last.status_code, last.headers["retry-after"]) == (429, "60")
    assert "一分钟后再试" in last.text
