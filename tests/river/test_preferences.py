"""Preferences on a whole site: through the console's real door, into the outbox, and rebuilt from the journal.
(Both databases: tests/ledger/test_preferences.py.)"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.console.desk import Refusal, Unknown
from flows.audit import findings
from flows.deliver import deliver
from flows.respond import respond
from flows.telling.reach import reach
from models.core.roster import Contact
from models.ledger import notices, outbox, reaching
from models.ledger.notices import Notice
from support.cli import Cli
from support.console import served
from support.river_site import Site, at
from support.sites import write_site


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'huiying.sqlite'}"


@pytest.fixture
def door(site: Site) -> Iterator[httpx.Client]:
    """chen, who has two ways: `hook`, and one that the site does not know and so refuses."""
    known = site.house.site.roster
    people = [
        dataclasses.replace(one, contacts=(Contact("hook", "chen"), Contact("slack", "U1")))
        if one.id == "chen"
        else one
        for one in known.people
    ]
    roster = dataclasses.replace(known, people=tuple(people))
    site.house.site = dataclasses.replace(site.house.site, roster=roster)
    with served(site.desk) as url, httpx.Client(base_url=url, cookies={"huiying_person": "chen"}) as client:
        yield client


def daily(site: Site, topic: str = "tasks", who: str = "chen") -> None:
    person = site.house.site.roster.person(who)
    assert person is not None
    with site.house.store.write() as conn:
        notices.tell(
            conn, site.time.now(), [Notice(topic, f"{site.time.now():%H:%M}", "清单", "…", [person])]
        )


def alerts(site: Site, who: str = "chen") -> list[dict[str, Any]]:
    with site.house.store.read() as conn:
        return [dict(row._mapping) for row in reaching.newest(conn, who)]


def test_the_page_keeps_what_was_wished_and_says_it(site: Site, door: httpx.Client) -> None:
    form = {"deadline.1": "slack", "low.hook": "1", "quiet_from": "22:00", "quiet_to": "07:00"}
    answer = door.post("/me/preferences", data=form)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/me/preferences")
    page = door.get(answer.headers["location"]).text
    for words in ("已保存：时限先用 slack；不急只用 hook；22:00–07:00", 'value="22:00"', "任何时候都立即发"):
        assert words in page, words
    kept = site.desk.preferences.of("chen")
    assert kept["quiet"] == {"from": "22:00", "to": "07:00"}
    assert {one["key"]: one["first"] for one in kept["urgencies"]} == {
        "deadline": ["slack"], "high": [], "normal": [], "low": ["hook"],
    }  # fmt: skip
    door.post("/me/preferences", data={"high.1": "hook"})
    assert site.desk.preferences.of("chen")["quiet"] is None
    assert site.verified()


def test_a_deadline_goes_by_the_wished_channel_first_and_by_the_others_all_the_same(
    site: Site, door: httpx.Client
) -> None:
    site.desk.preferences.save("chen", {"deadline": "slack", "quiet": "20:00-09:00"}, "chen")
    site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "li")
    respond(site.house)
    mine = alerts(site)
    assert mine
    for alert in mine:
        assert alert["contacts"] == [["slack", "U1"], ["hook", "chen"]]
        assert (alert["next_try_at"], alert["not_before"]) == (site.time.now(), None)
    deliver(site.house)
    deliver(site.house)
    told = [body for body in site.bodies() if body["recipient"]["person"] == "chen"]
    assert told, "the channel that is not there refused, so the other one took it"
    assert site.verified()


def test_whoever_is_called_by_hand_is_called_by_the_wished_channel(site: Site, door: httpx.Client) -> None:
    site.desk.preferences.save("chen", {"deadline": "slack"}, "chen")
    made = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "IV"}, "li")
    site.time.moment += timedelta(hours=3)
    site.desk.act("escalate", made["id"], {"to": "1", "reason": "请值班员"}, "li")
    assert alerts(site)[0]["contacts"][0] == ["slack", "U1"]


def test_a_low_notice_waits_for_the_morning_and_nothing_else_does(site: Site, door: httpx.Client) -> None:
    site.desk.preferences.save("chen", {"quiet": "22:00-07:00"}, "chen")
    site.time.moment = at("02:13")
    daily(site, "tasks")
    daily(site, "handover")
    deliver(site.house)
    assert [body["kind"] for body in site.bodies()] == ["notice"]
    low = next(one for one in alerts(site) if one["clock_id"] == "notice:tasks")
    assert (low["state"], low["not_before"], low["next_try_at"]) == ("queued", at("07:00"), at("07:00"))
    assert "静默时段，07:00 发" in [one["state_zh"] for one in site.desk.board()["recent_alerts"]]
    site.time.moment = at("06:59")
    deliver(site.house)
    assert len(site.bodies()) == 1
    site.time.moment = at("07:00")
    deliver(site.house)
    assert len(site.bodies()) == 2
    assert site.verified()


def test_what_waits_for_the_morning_is_no_trouble_for_the_auditor(site: Site, door: httpx.Client) -> None:
    site.desk.preferences.save("chen", {"quiet": "22:00-07:00"}, "chen")
    site.time.moment = at("02:13")
    daily(site)
    site.time.moment = at("06:50")
    assert "alerts" not in {one.key for one in findings(site.house)}
    with site.house.store.read() as conn:
        assert outbox.queue(conn, site.time.now())["waiting"] == 0
    site.time.moment = at("07:30")
    assert "alerts" in {one.key for one in findings(site.house)}, "nobody sent it after all"


def test_nobody_sets_anothers_preferences(site: Site, door: httpx.Client) -> None:
    with pytest.raises(Refusal, match="由本人设置"):
        site.desk.preferences.save("li", {"quiet": "22:00-07:00"}, "chen")
    answer = door.post("/api/v1/people/li/preferences", json={"quiet": "22:00-07:00"})
    assert answer.status_code == 409
    assert "本人" in answer.json()["error"]
    with pytest.raises(Unknown):
        site.desk.preferences.of("nobody")


@pytest.mark.parametrize(
    ("params", "words"),
    [({"quiet": "late"}, "写成 22:00-07:00"), ({"quiet": "08:00-07:00"}, "最长 14"), ({"high": "pigeon"}, "可用"),
     ({"quiet": "25:00-07:00"}, "22:00-07:00"), ({"deadlines": "slack"}, "没有 deadlines 这一项")],
)  # fmt: skip
def test_a_wish_that_cannot_be_kept_is_refused(
    site: Site, door: httpx.Client, params: dict[str, str], words: str
) -> None:
    answer = door.post("/api/v1/people/chen/preferences", json=params)
    assert answer.status_code == 409
    assert words in answer.json()["error"]
    assert site.desk.preferences.of("chen")["words"] == "按值班表的顺序，不设静默时段"


def test_the_api_keeps_what_it_is_not_asked_to_change(site: Site, door: httpx.Client) -> None:
    door.post("/api/v1/people/chen/preferences", json={"quiet": "22:00-07:00"})
    door.post("/api/v1/people/chen/preferences", json={"deadline": "slack，hook"})
    kept = door.get("/api/v1/people/chen/preferences").json()
    assert kept["words"] == "时限先用 slack、hook；22:00–07:00 不急的通知留到其后"
    assert [one["address"] for one in kept["contacts"]] == ["chen", "U1"]


# ── 我能收到吗 ──


def test_a_test_to_oneself_shows_what_became_of_it(site: Site, door: httpx.Client) -> None:
    assert door.post("/me/preferences/tests/1").status_code == 303
    first = site.desk.preferences.of("chen")["contacts"][0]
    assert (first["ok"], first["state_zh"]) == (None, "待发")
    deliver(site.house)
    (body,) = site.bodies()
    assert (body["kind"], body["title"]) == ("test", "您自己发的测试")
    first, second = site.desk.preferences.of("chen")["contacts"]
    assert (first["ok"], first["state_zh"], second["ok"]) == (True, "已送达渠道", None)
    assert "已送达渠道" in door.get("/me/preferences").text
    assert site.verified()


def test_a_test_that_is_refused_says_why(site: Site, door: httpx.Client) -> None:
    door.post("/api/v1/people/chen/tests/2", json={})
    deliver(site.house)
    second = site.desk.preferences.of("chen")["contacts"][1]
    assert (second["ok"], "没有名为 slack 的渠道" in second["why"]) == (False, True)
    assert "没有名为 slack 的渠道" in door.get("/me/preferences").text


def test_tests_are_not_sent_in_a_row_nor_to_what_is_not_there(site: Site, door: httpx.Client) -> None:
    door.post("/me/preferences/tests/1")
    again = door.post("/me/preferences/tests/1")
    assert again.status_code == 409
    assert "30 秒" in again.text
    assert door.post("/me/preferences/tests/9").status_code == 409
    site.time.moment += timedelta(seconds=31)
    assert door.post("/me/preferences/tests/1").status_code == 303


def test_a_test_that_no_channel_takes_is_not_tried_all_night(site: Site, door: httpx.Client) -> None:
    site.receiver.answer(status=503)
    site.desk.preferences.test("chen", 1, "chen")
    deliver(site.house)
    site.time.moment += timedelta(minutes=21)
    reach(site.house)
    assert [one["state"] for one in alerts(site)] == ["withdrawn"]
    assert site.verified()


def test_whoever_is_nobody_yet_is_asked_who_they_are(site: Site, door: httpx.Client) -> None:
    door.cookies.clear()
    page = door.get("/me/preferences")
    assert page.status_code == 200
    assert "选择本机的值班人" in page.text
    assert door.post("/me/preferences", data={"quiet_from": "22:00"}).status_code == 403


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    with_site = Cli(write_site(tmp_path / "site", "http://127.0.0.1:9"))
    said = with_site("prefer", "quiet", "22:00-07:00", "--by", "chen", "--json")
    assert json.loads(said.out)["quiet"] == {"from": "22:00", "to": "07:00"}
    assert "时限先用 hook" in with_site("prefer", "channels", "--deadline", "hook", "--by", "chen").out
    shown = with_site("prefer", "show", "--by", "chen")
    assert "1. hook chen  还没有发过" in shown.out
    assert with_site("prefer", "quiet", "noon", "--by", "chen").code == 1
    assert "测试已发往 hook" in with_site("prefer", "test", "--by", "chen").err
