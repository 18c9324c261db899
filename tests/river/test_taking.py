"""接手, 升级, acts that are sent twice and acts that waited for a line: by the desk, the API and the command line."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal
from flows.deliver import deliver
from flows.respond import respond
from support.cli import Cli
from support.river_site import Site, at

KEY = "3e0f7a52-4f0e-4a34-9a53-7c1d1c6b1a01"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def opened(site: Site) -> str:
    site.time.moment = at("00:00")
    about = {"title": "化工园区火灾", "grade": "II", "occurred_at": at("00:00").isoformat()}
    return str(site.desk.act("open", "", about, "chen")["id"])


def texts(site: Site, incident: str) -> list[str]:
    shown = site.desk.incident(incident)
    assert shown is not None
    return [line["text"] for line in shown["timeline"]]


def door(site: Site) -> TestClient:
    made = TestClient(build(site.desk), follow_redirects=False)
    made.cookies.set("huiying_person", "chen")
    return made


def test_the_rung_above_is_told_by_its_channel_at_once(site: Site) -> None:
    incident = opened(site)
    site.time.moment = at("00:10")
    done = site.desk.act("escalate", incident, {"reason": "伤亡上升"}, "chen")
    assert (done["told_rung"], done["told_role"]) == (2, "带班领导")
    deliver(site.house)
    (body,) = [one for one in site.bodies() if one["step"]["key"] == "升级2"]
    assert (body["recipient"]["person"], body["step"]["rung"]) == ("li", 2)
    assert "陈值班请您介入: 伤亡上升" in body["reason"]
    assert site.verified()


def test_two_presses_of_the_same_offer_call_the_rung_once(site: Site) -> None:
    incident = opened(site)

    def press(_: int) -> str:
        try:
            return str(site.desk.act("escalate", incident, {"to": "2"}, "chen")["told_rung"])
        except Refusal as refused:
            return str(refused)

    with ThreadPoolExecutor(4) as four:
        said = sorted(four.map(press, range(4)))
    assert said[0] == "2"
    assert all("收到通知" in one for one in said[1:])


def test_mine_shows_what_waits_first_and_whom_one_would_call(site: Site) -> None:
    first, second = opened(site), opened(site)
    site.until("00:06")  # the officer is told of both
    site.desk.act("take", first, {}, "chen")
    view = site.desk.mine("chen")
    shown = [(one["id"], one["waits"], one["taken"]) for one in view["incidents"]]
    assert shown == [(second, True, False), (first, False, True)]
    assert (view["waiting"], view["total"], view["left_off"]) == (1, 2, 0)
    assert view["incidents"][0]["above"] == {"rung": 2, "role": "带班领导", "names": ["李主任"]}
    site.desk.act("snooze", second, {"minutes": "15"}, "chen")
    assert site.desk.mine("chen")["waiting"] == 0


@pytest.mark.parametrize(
    "send",
    [
        lambda client, incident: client.post(
            f"/api/v1/incidents/{incident}/acts/update",
            json={"text": "已派员"},
            headers={"Idempotency-Key": KEY},
        ),
        lambda client, incident: client.post(
            f"/incidents/{incident}/acts/update", data={"text": "已派员"}, headers={"Idempotency-Key": KEY}
        ),
        lambda client, incident: client.post(
            f"/api/v1/incidents/{incident}/evidence",
            data={"kind": "published_update", "reason": "现场照片"},
            files={"file": ("现场.pdf", PDF, "application/pdf")},
            headers={"Idempotency-Key": KEY},
        ),
    ],
    ids=["api", "form", "file"],
)
def test_an_act_that_is_sent_twice_with_one_key_is_done_once(
    site: Site, send: Callable[[TestClient, str], Any]
) -> None:
    incident, client = opened(site), door(site)
    before = len(texts(site, incident))
    first = send(client, incident)
    after = len(texts(site, incident))
    again = send(client, incident)
    assert first.status_code in (200, 303) and again.status_code == first.status_code
    assert len(texts(site, incident)) == after > before
    if first.status_code == 200:
        assert "repeated" not in first.json()
        assert again.json()["repeated"] is True


def test_an_opening_that_is_sent_twice_opens_one_incident(site: Site) -> None:
    client = door(site)
    site.time.moment = at("00:00")
    body = {"title": "桥面塌陷", "grade": "III"}
    made = [
        client.post("/api/v1/incidents", json=body, headers={"Idempotency-Key": KEY}).json()["id"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(site.desk.board()["incidents"]) == 1


def test_a_key_of_another_act_is_refused_in_words_and_nothing_is_done(site: Site) -> None:
    incident, client = opened(site), door(site)
    for name, code in (("ack", 200), ("take", 409)):
        answer = client.post(
            f"/api/v1/incidents/{incident}/acts/{name}", json={}, headers={"Idempotency-Key": KEY}
        )
        assert answer.status_code == code
    assert "另一个操作" in answer.json()["error"]
    bad = client.post(f"/api/v1/incidents/{incident}/acts/ack", json={}, headers={"Idempotency-Key": "short"})
    assert (bad.status_code, "8 到 100" in bad.json()["error"]) == (409, True)


def test_a_refused_act_leaves_its_key_free_for_another_try(site: Site) -> None:
    incident = opened(site)
    with pytest.raises(Refusal, match="时钟"):
        site.desk.act("close", incident, {"reason": "已平息"}, "li", once=KEY)
    for clock in [c["id"] for c in site.desk.incident(incident)["clocks"] if not c["ended_at"]]:  # type: ignore[index]
        site.desk.act("waive", incident, {"clock": clock, "reason": "误报"}, "zhou")
    site.desk.work.act("drop", incident, {"task": "all", "reason": "误报"}, "zhou")
    assert "repeated" not in site.desk.act("close", incident, {"reason": "已平息"}, "li", once=KEY)
    assert site.desk.act("close", incident, {"reason": "已平息"}, "li", once=KEY)["repeated"]


def test_an_act_that_waited_for_the_line_says_when_it_was_pressed(site: Site) -> None:
    incident = opened(site)
    site.time.moment = at("00:21")
    site.desk.act("update", incident, {"text": "已到现场", "waited_s": "480"}, "chen")
    site.desk.act("ack", incident, {"waited_s": "480"}, "chen")
    shown = site.desk.incident(incident)
    assert shown is not None
    said = [line["text"] + line["reason"] for line in shown["timeline"]]
    assert any("已到现场(11-21 00:13 按下，当时断线，现在送达)" in one for one in said)
    (acked,) = shown["acked"]
    assert acked["at"] == at("00:21").isoformat()  # the clock counts when the server took it


@pytest.mark.parametrize(("act", "given"), [("grade", {"grade": "I"}), ("update", {}), ("close", {})])
def test_having_waited_for_the_line_is_no_reason_where_one_is_asked_for(
    site: Site, act: str, given: dict[str, str]
) -> None:
    with pytest.raises(Refusal, match="缺少"):
        site.desk.act(act, opened(site), {**given, "waited_s": "480"}, "li")


def test_an_act_that_waited_keeps_the_reason_it_has_without_one(site: Site) -> None:
    incident = opened(site)
    site.time.moment = at("00:21")
    site.desk.act("escalate", incident, {"waited_s": "480"}, "chen")
    deliver(site.house)
    (body,) = [one for one in site.bodies() if one["step"]["key"] == "升级2"]
    assert "需要上级决定(11-21 00:13 按下，当时断线，现在送达)" in body["reason"]


def test_who_holds_an_incident_is_asked_again_when_it_becomes_graver(site: Site) -> None:
    incident = opened(site)
    site.desk.act("take", incident, {}, "chen")
    assert site.desk.mine("chen")["waiting"] == 0
    site.time.moment = at("00:30")
    site.desk.act("grade", incident, {"grade": "I", "reason": "伤亡上升"}, "li")
    (held,) = site.desk.mine("chen")["incidents"]
    assert (held["waits"], held["taken"]) == (True, True)
    site.desk.act("ack", incident, {}, "chen")
    assert site.desk.mine("chen")["waiting"] == 0


def test_nobody_sleeps_through_a_graver_grade(site: Site) -> None:
    site.until("00:05")
    incident = opened(site)
    respond(site.house)
    site.desk.act("snooze", incident, {"minutes": "30"}, "chen")
    assert [one["asleep"] for one in site.desk.mine("chen")["incidents"]] == [True]
    site.time.moment += timedelta(minutes=1)
    site.desk.act("grade", incident, {"grade": "I", "reason": "伤亡上升"}, "li")
    assert site.desk.mine("chen")["waiting"] == 1


def test_what_somebody_holds_stays_in_their_hands_when_it_goes_into_another(site: Site) -> None:
    incident, into = opened(site), opened(site)
    site.desk.act("take", incident, {}, "chen")
    site.desk.act("merge", incident, {"into": into}, "li")
    assert site.desk.incident(into)["taken_by"] == "chen"  # type: ignore[index]
    (held,) = site.desk.mine("chen")["incidents"]
    assert (held["id"], held["taken"], held["waits"]) == (into, True, True)
    assert site.verified()


@pytest.mark.parametrize("waited", ["-3", "soon", "99999999", "604801"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(site: Site, waited: str) -> None:
    with pytest.raises(Refusal, match="waited_s"):
        site.desk.act("ack", opened(site), {"waited_s": waited}, "chen")


def test_take_and_escalate_on_the_command_line(site: Site) -> None:
    cli = Cli(site.house.site.directory)
    incident = cli.json("open", "--title", "桥面塌陷", "--grade", "II", "--by", "chen")["id"]
    assert cli.json("take", incident, "--by", "chen")["taken_by"] == "chen"
    again = cli("take", incident, "--by", "chen")
    assert (again.code, "已由您接手" in again.err) == (1, True)
    told = cli("escalate", incident, "--by", "chen", "--reason", "伤亡上升")
    assert (told.code, "已通知: 带班领导(第 2 级)" in told.err) == (0, True)
    assert cli.json("escalate", incident, "--by", "chen")["told_rung"] == 3
    wrong = cli("escalate", incident, "--by", "chen", "--to", "二")
    assert (wrong.code, "不是值班级数" in wrong.err) == (1, True)
