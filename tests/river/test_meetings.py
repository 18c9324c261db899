"""Press conferences and promises as a person meets them: the page, the API, the clocks they stop."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from flows.respond import respond
from models.core.moment import iso
from models.ledger.entry import Entry
from models.ledger.journal import append
from support.river_site import Site, at


def client(site: Site) -> TestClient:
    made = TestClient(build(site.desk), follow_redirects=False)
    made.cookies.set("huiying_person", "chen")
    return made


def opened(site: Site, grade: str = "II") -> str:
    shown = site.desk.act(
        "open", "", {"title": "化工园区爆炸", "grade": grade, "occurred_at": "2026-11-21T00:00"}, "chen"
    )
    return str(shown["id"])


def act(site: Site, incident: str, name: str, **params: str) -> dict[str, Any]:
    return site.desk.meetings.act(name, incident, params, "chen")


def booked(
    site: Site, incident: str, kind: str = "press_conference", starts: str = "10:00"
) -> dict[str, Any]:
    view = act(
        site,
        incident,
        "book",
        kind=kind,
        starts_at=f"2026-11-21T{starts}",
        place="新闻发布厅",
        speaker="周正",
    )
    (meeting,) = (one for one in view["meetings"] if one["id"] == view["acted_on"])
    return dict(meeting) | {"said": view["said"]}


def test_a_press_conference_that_is_held_stops_its_clock(site: Site) -> None:
    incident = opened(site)
    meeting = booked(site, incident)
    assert meeting["principal"] and meeting["speaker"] == "zhou"
    assert "关于举行“化工园区爆炸”新闻发布会的通知" in meeting["notice_draft"]
    site.time.moment = at("10:20")
    with pytest.raises(Refusal, match=r"须有凭据.*document"):
        act(site, incident, "held", meeting=meeting["id"], held_at="2026-11-21T10:05")
    view = act(site, incident, "held", meeting=meeting["id"], held_at="2026-11-21T10:05", document="实录")
    assert "press_conference" in view["said"]
    assert site.clocks(incident)["press_conference"] == "met"
    assert view["principal_spoke"] is True
    assert site.verified()


def test_a_conference_whose_proof_was_taken_back_says_so(site: Site) -> None:
    incident = opened(site)
    meeting = booked(site, incident)
    site.time.moment = at("10:20")
    proof = act(site, incident, "held", meeting=meeting["id"], document="实录")["meetings"][0]["evidence_id"]
    site.desk.act("retract", incident, {"evidence": proof, "reason": "实为通气会"}, "li")
    assert (
        act(site, incident, "ask", meeting=meeting["id"], ask="为何撤回？")["meetings"][0]["retracted"]
        is True
    )
    assert "它的凭据已撤回" in client(site).get(f"/incidents/{incident}/meetings").text
    assert site.clocks(incident)["press_conference"] == "running"


def test_the_media_of_the_register_are_told(site: Site) -> None:
    incident = opened(site)
    number = booked(site, incident)["id"]
    row = {
        "id": "m1", "kind": "press_contact", "title": "王记者", "happened_at": iso(at("00:00")),
        "details": {"outlet": "临江日报"}, "recorded_at": iso(at("00:00")), "recorded_by": "chen", "reason": "",
    }  # fmt: skip
    with site.house.store.write() as conn:
        append(conn, at("00:00"), [Entry("registered", {"insert": {"registerentry": [row]}}, "chen")])
    view = act(site, incident, "notice", meeting=number)
    assert "送 临江日报 王记者" in view["said"]
    assert "（送：临江日报 王记者）" in view["meetings"][0]["notice"]


def test_a_briefing_stops_no_clock_and_says_by_which_rule(site: Site) -> None:
    incident = opened(site)
    meeting = booked(site, incident, "briefing")
    assert "N-003" in meeting["said"] and "N-005" in meeting["said"]
    site.time.moment = at("10:20")
    view = act(site, incident, "held", meeting=meeting["id"])
    assert "不停发布会的时钟" in view["said"]
    assert site.clocks(incident)["press_conference"] == "running"
    assert site.verified()


def test_a_conference_after_the_limit_is_warned_of_when_it_is_booked(site: Site) -> None:
    incident = opened(site)
    view = act(site, incident, "book", kind="press_conference", starts_at="2026-11-22T09:00", place="厅")
    assert "晚于“" in view["said"] and "N-003" in view["said"]
    assert view["meetings"][0]["warnings"]


def test_its_people_are_reminded_before_it_begins_and_when_nobody_records_it(site: Site) -> None:
    incident = opened(site)
    booked(site, incident)
    respond(site.house)
    reminder = next(c for c in site.desk.incident(incident)["clocks"] if c["id"].startswith("meeting."))  # type: ignore[index]
    assert [step["key"] for step in reminder["steps"]] == ["-2h", "-30m", "0m", "100%"]
    assert reminder["due_at"].startswith("2026-11-21T11:00")


def test_a_meeting_that_was_moved_is_reminded_of_by_its_new_time(site: Site) -> None:
    incident = opened(site)
    meeting = booked(site, incident)
    act(site, incident, "move", meeting=meeting["id"], starts_at="2026-11-21T15:00", reason="家属座谈在上午")
    live = [c for c in site.desk.incident(incident)["clocks"] if c["id"].startswith("meeting.")]  # type: ignore[index]
    assert [c["due_at"][:16] for c in live] == ["2026-11-21T16:00"]
    assert site.verified()


def test_questions_notice_and_transcript_are_kept(site: Site) -> None:
    incident = opened(site)
    number = booked(site, incident)["id"]
    act(site, incident, "ask", meeting=number, ask="伤亡多少？")
    act(site, incident, "answer", meeting=number, number="1", answer="3 人轻伤")
    view = act(site, incident, "notice", meeting=number)
    assert "媒体联系人台账是空的" in view["said"]
    site.time.moment = at("10:20")
    act(site, incident, "held", meeting=number, document="实录")
    view = act(site, incident, "transcript", meeting=number, text="主持人：各位记者……")
    (meeting,) = view["meetings"]
    assert meeting["questions"][0] | {"by": ""} == {
        "number": 1,
        "ask": "伤亡多少？",
        "answer": "3 人轻伤",
        "by": "",
    }
    assert meeting["transcript"].startswith("主持人") and meeting["notice"].startswith("关于举行")
    assert site.verified()


def test_a_promise_is_kept_by_what_is_published_in_time_and_broken_when_nothing_is(site: Site) -> None:
    incident = opened(site)
    act(site, incident, "promise", due_at="2026-11-21T08:00", text="早 8 时再次通报")
    act(site, incident, "promise", due_at="2026-11-21T20:00", text="今晚 8 时再次通报")
    site.time.moment = at("21:00")
    site.desk.act(
        "stop", incident,
        {"kind": "published_update", "url": "https://example.org/2", "published_at": "2026-11-21T19:40"}, "chen",
    )  # fmt: skip
    act(site, incident, "promise", due_at="2026-11-21T22:00", text="今晚 10 时再次通报")
    site.time.moment = at("23:00")
    view = site.desk.meetings.overview(incident)
    assert view["promised"] == {"kept": 1, "late": 1, "broken": 1, "open": 0, "dropped": 0}
    assert [p["words"] for p in view["promises"]] == [
        "早 8 时再次通报",
        "今晚 8 时再次通报",
        "今晚 10 时再次通报",
    ]
    assert site.verified()


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("book", {"kind": "press", "starts_at": "2026-11-21T10:00", "place": "厅"}, "种类 “press” 不存在"),
        ("book", {"kind": "briefing", "starts_at": "明早", "place": "厅"}, "不是时间"),
        ("book", {"kind": "briefing", "starts_at": "2026-11-21T10:00"}, "缺少地点"),
        ("promise", {"due_at": "2026-11-20T10:00", "text": "昨天"}, "已经过去"),
        ("promise", {"due_at": "2027-11-21T10:00", "text": "明年"}, "30 天以后"),
        ("promise", {"due_at": "2026-11-21T10:00"}, "缺少对公众的说法"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(site: Site, name: str, params: dict[str, str], said: str) -> None:
    incident = opened(site)
    with pytest.raises(Refusal, match=said):
        site.desk.meetings.act(name, incident, params, "chen")


def test_a_meeting_of_another_incident_and_one_that_is_over_are_refused(site: Site) -> None:
    first, second = opened(site), opened(site)
    number = booked(site, first)["id"]
    with pytest.raises(Refusal, match="属于 舆-"):
        act(site, second, "cancel", meeting=number, reason="误")
    with pytest.raises(Unknown, match="没有编号为"):
        act(site, first, "cancel", meeting="zzz", reason="误")
    with pytest.raises(Refusal, match="在将来"):
        act(site, first, "held", meeting=number, document="实录")
    act(site, first, "cancel", meeting=number, reason="省里统一发布")
    with pytest.raises(Refusal, match="已取消"):
        act(site, first, "held", meeting=number, held_at="2026-11-21T00:00")


def test_the_page_books_and_shows_what_was_booked(site: Site) -> None:
    incident = opened(site)
    pages = client(site)
    answer = pages.post(
        f"/incidents/{incident}/meetings/acts/book",
        data={"kind": "media_meeting", "starts_at": "2026-11-21T10:00", "place": "三楼<b>会议室"},
    )
    assert answer.status_code == 303
    page = pages.get(answer.headers["location"]).text
    assert "媒体通气会" in page and "不停发布会的时钟" in page and "三楼&lt;b&gt;会议室" in page
    refused = pages.post(f"/incidents/{incident}/meetings/acts/promise", data={"due_at": "x", "text": "y"})
    assert refused.status_code == 409 and "不是时间" in refused.text


def test_the_api_says_the_same_as_the_page(site: Site) -> None:
    incident = opened(site)
    pages = client(site)
    body = {"by": "li", "kind": "press_conference", "starts_at": "2026-11-21T10:00", "place": "厅"}
    done = pages.post(f"/api/v1/incidents/{incident}/meetings/acts/book", json=body)
    assert done.status_code == 200 and done.json()["meetings"][0]["booked_by"] == "李主任"
    assert pages.get(f"/api/v1/incidents/{incident}/meetings").json()["meetings"] == done.json()["meetings"]
    assert json.dumps(done.json())
