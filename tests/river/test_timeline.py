"""The promise, played: from a feed to a clock, an alert, an acknowledgement and a proof."""

from __future__ import annotations

from support.river_site import Site, at


def test_a_night_from_the_first_word_to_the_statement(site: Site) -> None:
    # 00:00 a feed says that a plant has exploded
    site.say(
        "news",
        "江东化工园区澜港公司发生爆炸",
        "21日零时许，江东化工园区澜港公司一车间发生爆炸，已致12人死亡，40余人受伤。",
    )
    assert site.until("00:01") == ["acknowledge 0m chen"]
    (incident,) = site.desk.board()["incidents"]
    assert (incident["grade"], incident["provisional"]) == ("II", True)
    assert incident["id"] == "2026-0001"
    due = {clock["id"]: clock["due_at"] for clock in incident["clocks"]}
    assert due["first_statement"] == "2026-11-21T05:00:00+08:00"
    assert due["press_conference"] == "2026-11-22T00:00:00+08:00"

    # 02:30 the 50 % step reaches the duty officer (nobody has acknowledged: the ladder has been told)
    told = site.until("02:30")
    assert "first_statement 50% chen" in told
    assert {"acknowledge 10m li", "acknowledge 30m zhao", "acknowledge 100% zhou"} <= set(told)

    # 03:00 the officer acknowledges: repeats to him stop, the clocks go on
    site.until("03:00")
    site.desk.act("ack", incident["id"], {"reason": "正在核实"}, "chen")
    assert "first_statement 75% chen" not in (told := site.until("03:50"))
    assert "first_statement 75% li" in told
    assert site.clocks(incident["id"])["acknowledge"] == "met_late"

    # 04:10 our own channel publishes the statement, and the watch sees it
    site.until("04:10")
    site.say(
        "release",
        "江东化工园区澜港公司爆炸情况通报",
        "21日零时许，江东化工园区澜港公司一车间发生爆炸，救援和调查正在进行。",
    )
    assert site.until("04:12") == []
    clocks = site.clocks(incident["id"])
    assert clocks["first_statement"] == "met"
    assert clocks["press_conference"] == "running"

    # and no more is said of the first clock, while the 24 h clock goes on to its own half time
    later = site.until("12:30")
    assert [line for line in later if line.startswith("first_statement")] == []
    assert "press_conference 50% chen" in later
    (evidence,) = site.desk.incident(incident["id"])["evidence"]  # type: ignore[index]
    assert evidence["published_at"] == "2026-11-21T04:10:00+08:00"
    assert len(evidence["sha256"]) == 64
    assert site.verified()


def test_a_resend_carries_the_same_id_and_the_next_attempt(site: Site) -> None:
    site.receiver.answer(status=503)
    site.desk.act("open", "", {"title": "供水异味", "grade": "IV"}, "chen")
    site.until("00:01")
    site.receiver.answer(status=200)
    site.until("00:03")
    first, *rest = site.receiver.requests
    assert rest
    assert {r.headers["webhook-id"] for r in (first, *rest)} == {first.json()["alert_id"]}
    assert [r.json()["attempt"] for r in (first, *rest)] == [1, 2]


def test_an_outage_sends_only_the_latest_step_and_says_how_late(site: Site) -> None:
    opened = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")
    site.until("00:01")
    site.time.moment = at("04:36")
    site.receiver.requests.clear()
    site.beat()
    sent = [body for body in site.bodies() if body["clock"]["id"] == "first_statement"]
    assert {body["step"]["key"] for body in sent} == {"90%"}
    assert all("迟 6 分" in body["reason"] for body in sent)
    assert all(359 <= body["late_by_s"] <= 361 for body in sent)
    shown = site.desk.incident(opened["id"])
    assert shown is not None
    first = next(clock for clock in shown["clocks"] if clock["id"] == "first_statement")
    assert [step["key"] for step in first["steps"] if step["skipped"]] == ["50%", "75%", "-1h"]


def test_six_calls_about_one_thing_become_one_incident(site: Site) -> None:
    for n in range(6):
        site.say(
            "news", "南浦区自来水有异味", f"南浦区多个小区居民反映自来水有土腥异味，第{n}栋住户无法饮用。"
        )
        site.until(f"00:{n + 1:02d}")
    incidents = site.desk.board()["incidents"]
    assert len(incidents) <= 1
    assert site.verified()


def test_a_feed_that_fails_is_named_and_stops_no_other(site: Site) -> None:
    site.web.page("/news.xml", b"<html><body>moved</body></html>", {"Content-Type": "text/html"})
    site.until("00:02")
    (bad, good) = site.desk.sources()
    assert bad["state"] == "failing"
    assert "HTML" in bad["error"]
    assert good["state"] == "ok"
    item = next(i for i in site.desk.board()["coverage"]["items"] if i["name"] == "sources")
    assert item["state"] == "late"
    assert "1/2" in item["detail"]
