"""Our own channels seen publishing: from a feed or a column page to a proposal, a stop, and a reopening."""

from __future__ import annotations

import asyncio
import json

import pytest

from connectors.broker import read_message
from connectors.console.desk import Refusal, View
from flows.collecting.intake import store
from flows.triage import triage
from flows.watch import MOST, watch
from flows.wiring import House
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from models.ledger import notices
from support.river_site import MIDNIGHT, Site, at, rss
from support.sites import ENVIRON

TITLE = "江东化工园区澜港公司发生爆炸"
BODY = "21日零时许，江东化工园区澜港公司一车间发生爆炸，已致12人死亡，40余人受伤。"
NOTICE = "江东化工园区澜港公司爆炸情况通报"
SAID = (
    "21日零时许，江东化工园区澜港公司一车间发生爆炸，已致12人死亡。救援和调查正在进行，市政府已成立调查组。"
)


def incident(site: Site) -> str:
    """The incident that the public's word has opened."""
    site.say("news", TITLE, BODY)
    site.until("00:01")
    (one,) = site.desk.board()["incidents"]
    return str(one["id"])


def shown(site: Site, incident_id: str) -> View:
    view = site.desk.incident(incident_id)
    assert view is not None
    return view


def proposals(site: Site, incident_id: str) -> list[View]:
    return list(shown(site, incident_id)["proposals"])


def told(site: Site, topic: str = "evidence-page") -> list[str]:
    with site.house.store.read() as conn:
        return [f"{row.person_id} {row.title}" for row in notices.of_topic(conn, topic)]


def look(site: Site, moment: str) -> str:
    site.time.moment = at(moment)
    return asyncio.run(watch(site.house))


def stopped(site: Site) -> str:
    """An incident whose first clock our statement has stopped at 04:10."""
    incident_id = incident(site)
    site.time.moment = at("04:10")
    site.say("release", NOTICE, SAID)
    look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] == "met"
    return incident_id


def test_a_sure_statement_stops_the_clock_with_proof_of_the_page(site: Site) -> None:
    incident_id = stopped(site)
    (proposal,) = proposals(site, incident_id)
    assert (proposal["state"], proposal["sure"], proposal["decided_by"]) == ("used", True, "系统")
    (evidence,) = shown(site, incident_id)["evidence"]
    assert evidence["published_at"] == "2026-11-21T04:10:00+08:00"
    (page,) = evidence["pages"]
    assert (page["outcome"], page["status"]) == ("taken", 200)
    text = site.desk.snapshot(page["text_sha256"])
    record = site.desk.snapshot(page["warc_sha256"])
    assert text is not None
    assert SAID in text[0].decode()
    assert record is not None
    assert record[1] == "application/warc"
    assert evidence["looked"]["next_at"] == "2026-11-21T05:11:00+08:00"
    assert site.verified()


def test_a_statement_about_another_incident_with_similar_words_stops_nothing(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("04:10")
    site.say(
        "release", "西山化工园区仓库爆炸情况通报", "21日零时许，西山化工园区一仓库发生爆炸，无人员伤亡。"
    )
    site.say("release", "江东化工园区企业停产检查的公告", "江东化工园区企业即日起停产检查。")
    look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] != "met"
    assert [one["state"] for one in proposals(site, incident_id)] in ([], ["pending"])


def test_a_press_conference_is_only_proposed_and_an_officer_corrects_its_time(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("09:30")
    site.say("release", "江东化工园区澜港公司爆炸事故新闻发布会文字实录", SAID)
    look(site, "09:31")
    (proposal,) = proposals(site, incident_id)
    assert (proposal["kind"], proposal["state"]) == ("press_conference", "pending")
    (board,) = site.desk.board()["incidents"]
    assert board["proposals_waiting"] == 1
    assert told(site, "evidence-proposed") == [f"chen {board['ref']} 有一条官方发布待确认为凭据"]
    assert site.desk.proposals()[0]["id"] == proposal["id"]
    params = {"proposal": proposal["id"], "published_at": "2026-11-21T09:00:00+08:00", "reason": "九点开始"}
    answer = site.desk.act("adopt", incident_id, params, "chen")
    assert "press_conference" in answer["stopped"]
    (evidence,) = answer["evidence"]
    assert evidence["published_at"] == "2026-11-21T09:00:00+08:00"
    assert site.desk.proposals() == []
    assert site.verified()


def test_what_was_rejected_is_never_proposed_again(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("09:30")
    site.say("release", "江东化工园区澜港公司爆炸事故新闻发布会文字实录", SAID)
    look(site, "09:31")
    with pytest.raises(Refusal, match="理由"):
        site.desk.act("dismiss", incident_id, {}, "chen")
    site.desk.act("dismiss", incident_id, {"reason": "是上月事故的"}, "chen")
    site.say("news", TITLE, BODY + "现场仍有浓烟。")  # the incident grows, so all is compared anew
    site.until("09:40")
    assert [one["state"] for one in proposals(site, incident_id)] == ["rejected"]


def test_a_statement_that_came_before_we_knew_of_the_incident_is_found_when_it_opens(site: Site) -> None:
    site.time.moment = at("01:00")
    site.say("release", NOTICE, SAID)
    site.until("01:02")
    params = {"title": TITLE, "grade": "II", "occurred_at": "2026-11-21T00:05:00+08:00"}
    made = site.desk.act("open", "", params, "chen")
    look(site, "01:03")
    assert site.clocks(made["id"])["first_statement"] == "met"


def test_a_headline_alone_is_read_on_its_page(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("04:10")
    site.say("release", "情况通报", "")
    site.show("/release/0", "情况通报", SAID)
    look(site, "04:11")
    assert [one["state"] for one in proposals(site, incident_id)] == ["used"]


def test_a_column_page_that_gives_dates_takes_the_time_from_the_page(site: Site) -> None:
    incident_id = incident(site)
    column = f'<ul class="news"><li><a href="/n/1">{NOTICE}</a><span>2026-11-21</span></li></ul>'
    site.web.page("/column", column.encode(), {"Content-Type": "text/html; charset=utf-8"})
    page = f'<meta name="PubDate" content="2026-11-21 04:05"><h1>{NOTICE}</h1><p>{SAID}</p>'
    site.web.page("/n/1", page.encode(), {"Content-Type": "text/html; charset=utf-8"})
    with reopened(site, "/column") as again:
        again.time = site.time
        site.time.moment = at("04:11")
        asyncio.run(watch(again))
    (proposal,) = proposals(site, incident_id)
    assert proposal["published_at"] == "2026-11-21T04:05:00+08:00"
    assert proposal["account"] == "政府网站 · 备案 临ICP备0001号"
    assert proposal["state"] == "used"


def reopened(site: Site, path: str) -> House:
    """The same site with a column page as its official channel."""
    directory = site.house.site.directory
    (directory / "sources.yaml").write_text(
        f"""official:
  - {{id: column, name: 通知公告, url: "{site.web.url(path)}", type: page, select: {{item: "ul.news > li"}},
      platform: 政府网站, filing_no: 临ICP备0001号, every: PT1M}}
""",
        encoding="utf-8",
    )
    return House.open(directory, ENVIRON)


def test_a_page_that_is_gone_twice_opens_the_clock_again_and_tells_those_on_duty(site: Site) -> None:
    incident_id = stopped(site)
    site.web.page("/release/0", b"", status=404)
    look(site, "05:12")
    assert site.clocks(incident_id)["first_statement"] == "met"  # once proves nothing
    look(site, "05:23")
    assert site.clocks(incident_id)["first_statement"] == "breached"  # its five hours ended at five
    (evidence,) = shown(site, incident_id)["evidence"]
    assert evidence["standing"] == "retracted"
    assert [page["outcome"] for page in evidence["pages"]] == ["taken", "gone"]
    assert told(site)
    assert all("凭据页面已删除" in line for line in told(site))
    assert site.verified()


def test_a_page_rewritten_opens_the_clock_again_and_shows_what_is_missing(site: Site) -> None:
    incident_id = stopped(site)
    site.show(
        "/release/0", "会议", "全市安全生产工作会议今日召开，会议要求各地各部门压实责任，确保冬季安全。"
    )
    look(site, "05:12")
    look(site, "05:23")
    assert site.clocks(incident_id)["first_statement"] == "breached"
    (evidence,) = shown(site, incident_id)["evidence"]
    assert "救援和调查正在进行" in evidence["pages"][-1]["note"]


def test_a_mended_page_is_told_once_and_opens_nothing(site: Site) -> None:
    incident_id = stopped(site)
    site.show("/release/0", NOTICE, SAID.replace("12人", "13人"))
    look(site, "05:12")
    look(site, "10:12")
    assert site.clocks(incident_id)["first_statement"] == "met"
    assert len(set(told(site))) == len(told(site)) == 1
    assert "已修改" in told(site)[0]


def test_a_server_that_fails_takes_no_proof_away(site: Site) -> None:
    incident_id = stopped(site)
    site.web.page("/release/0", b"", status=502)
    for moment in ("05:12", "05:43", "06:14", "08:00", "1+02:00"):
        look(site, moment)
    assert site.clocks(incident_id)["first_statement"] == "met"
    (evidence,) = shown(site, incident_id)["evidence"]
    assert "502" in evidence["looked"]["text"]
    assert told(site) == []


def test_evidence_that_a_person_registers_is_taken_too_and_not_in_the_acts_way(site: Site) -> None:
    incident_id = incident(site)
    site.show("/by-hand", NOTICE, SAID)
    asked = len(site.web.seen)
    site.time.moment = at("04:00")
    url = site.web.url("/by-hand")
    params = {"kind": "published_statement", "url": url, "published_at": "2026-11-21T03:59:00+08:00"}
    site.desk.act("stop", incident_id, params, "chen")
    assert len(site.web.seen) == asked  # the act itself asks nobody
    look(site, "04:01")
    (evidence,) = shown(site, incident_id)["evidence"]
    assert [page["outcome"] for page in evidence["pages"]] == ["taken"]


def test_one_statement_for_two_incidents_is_proposed_for_both_and_stops_neither(site: Site) -> None:
    first = incident(site)
    params = {"title": TITLE, "grade": "II", "occurred_at": "2026-11-21T00:00:00+08:00"}
    second = site.desk.act("open", "", params, "chen")["id"]
    site.time.moment = at("04:10")
    site.say("release", NOTICE, SAID)
    look(site, "04:11")
    for incident_id in (first, second):
        assert [one["state"] for one in proposals(site, incident_id)] == ["pending"]
        assert site.clocks(incident_id)["first_statement"] != "met"


def test_a_channel_that_fails_is_named_and_holds_up_nothing(site: Site) -> None:
    incident_id = stopped(site)
    site.web.page("/release.xml", b"<html>moved</html>", {"Content-Type": "text/html"})
    look(site, "04:13")
    state = next(source for source in site.desk.sources() if source["id"] == "release")
    assert state["state"] == "failing"
    site.web.page("/release/0", b"", status=404)
    look(site, "05:13")
    look(site, "05:24")
    assert site.clocks(incident_id)["first_statement"] == "breached"


def test_the_same_round_again_proposes_nothing_twice(site: Site) -> None:
    incident_id = stopped(site)
    listed = rss(site.feeds["release"], site.web.url("/release"))
    site.web.page("/release.xml", listed + b"<!-- again -->", {"Content-Type": "application/rss+xml"})
    site.say("news", TITLE, BODY + "浓烟未散。")
    site.until("04:20")
    assert len(proposals(site, incident_id)) == 1
    assert site.time.moment > MIDNIGHT


# ── whose word it is ──────────────────────────────────────────────────────────────────────────


def test_a_message_that_calls_itself_official_answers_nothing(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("04:10")
    said = {
        "id": "x1",
        "title": NOTICE,
        "body": SAID,
        "channel": "official",
        "published_at": "2026-11-21 04:09",
    }
    value = json.dumps(said, ensure_ascii=False).encode()
    forged = read_message(value, "tickets/0@1", source_id="tickets", medium=Medium.HOTLINE)
    assert isinstance(forged, RawSignal)
    store(site.house, Batch((forged,)), "kafka")
    triage(site.house)
    look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] != "met"
    assert proposals(site, incident_id) == []


def test_what_no_registered_channel_said_is_not_ours_whatever_its_medium(site: Site) -> None:
    incident_id = incident(site)
    ours = RawSignal("elsewhere", "1", Medium.OFFICIAL, NOTICE, SAID, published_at=at("04:09"))
    store(site.house, Batch((ours,)), "elsewhere")
    triage(site.house)
    look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] != "met"
    assert proposals(site, incident_id) == []


# ── more than one round holds ─────────────────────────────────────────────────────────────────


def publish_many(site: Site, count: int, since: int = 0) -> None:
    """Our channel publishes so much about other things."""
    said = [
        RawSignal(
            "release", f"o{n}", Medium.OFFICIAL, f"临江市举办第{n}届文化活动", "活动顺利举行。" * 30,
            published_at=at("02:00"),
        )
        for n in range(since, since + count)
    ]  # fmt: skip
    store(site.house, Batch(tuple(said)), "release")
    triage(site.house)


def test_a_statement_is_compared_however_much_we_published_before(site: Site) -> None:
    incident_id = incident(site)
    publish_many(site, MOST + 50)
    look(site, "04:00")
    look(site, "04:01")
    site.time.moment = at("04:10")
    site.say(
        "news", TITLE, BODY + "现场仍有浓烟。"
    )  # the incident grows, so what came before is compared too
    site.say("release", NOTICE, SAID)
    site.until("04:11")
    assert site.clocks(incident_id)["first_statement"] == "met"
    assert site.verified()


def test_what_one_round_cannot_hold_is_said_and_comes_in_the_next(site: Site) -> None:
    incident_id = incident(site)
    publish_many(site, MOST + 10)
    site.time.moment = at("04:10")
    site.say("release", NOTICE, SAID)
    assert f"新发布超过 {MOST} 条" in look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] != "met"
    assert "超过" not in look(site, "04:12")
    assert site.clocks(incident_id)["first_statement"] == "met"


def test_of_too_many_earlier_publications_the_newest_are_compared_and_the_rest_is_said(site: Site) -> None:
    publish_many(site, MOST + 10)
    site.time.moment = at("03:00")
    site.say("release", NOTICE, SAID)
    site.until("03:02")  # no incident yet: nothing to compare with
    made = site.desk.act(
        "open", "", {"title": TITLE, "grade": "II", "occurred_at": at("00:05").isoformat()}, "chen"
    )
    assert f"只比对了最近 {MOST} 条" in look(site, "03:03")
    assert site.clocks(made["id"])["first_statement"] == "met"


def test_a_page_that_cannot_be_read_yet_holds_up_nothing_behind_it(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("04:05")
    site.say("release", "情况通报", "")
    site.web.page("/release/0", b"", status=502)
    look(site, "04:06")
    publish_many(site, MOST + 10)
    look(site, "04:07")
    site.time.moment = at("04:10")
    site.say("release", NOTICE, SAID)
    look(site, "04:11")
    assert site.clocks(incident_id)["first_statement"] == "met"


def test_a_page_that_can_be_read_later_is_compared_then(site: Site) -> None:
    incident_id = incident(site)
    site.time.moment = at("04:05")
    site.say("release", "情况通报", "")
    site.web.page("/release/0", b"", status=502)
    look(site, "04:06")
    site.show("/release/0", "情况通报", SAID)
    look(site, "04:17")
    assert site.clocks(incident_id)["first_statement"] == "met"
