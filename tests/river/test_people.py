"""The people's side of a whole site: a shift that changes, a wish to be reminded later, and the test of
reach in the afternoon, over a real receiver and both databases."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
import threading
from datetime import time, timedelta
from typing import Any

import pytest

from connectors.console.desk import Refusal, Unknown
from flows.deliver import deliver
from flows.duty import perform
from flows.telling.handover import hand_over
from flows.telling.reach import reach
from models.core.roster import Contact, ReachTest, Roster, Rotation, Rung, Shift
from models.core.vocabulary import Role
from models.ledger import notices
from models.ledger.notices import Notice
from support.cli import Cli
from support.processes import with_support
from support.river_site import Site, at

DAYTIME, NIGHT = time(8), time(20)


def rostered(site: Site, **changes: Any) -> Roster:
    """Give the site a roster: chen by day and zhao by night on rung 1, the others as they are."""
    known = site.house.site.roster
    turn = Rotation(("chen",), timedelta(days=1), at("08:00"))
    shifts = (Shift(DAYTIME, NIGHT, rotation=turn), Shift(NIGHT, DAYTIME, ("zhao",)))
    first = Rung(1, Role.DUTY_OFFICER, shifts=shifts)
    made = dataclasses.replace(known, ladder=(first, *known.ladder[1:]), **changes)
    site.house.site = dataclasses.replace(site.house.site, roster=made)
    return made


def opened(site: Site) -> str:
    return str(site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")["id"])


def pass_on(site: Site, moment: str) -> list[tuple[str, str]]:
    """Hand over at `moment` and deliver; who was told what since, as (person, title)."""
    before = len(site.receiver.requests)
    site.time.moment = at(moment)
    hand_over(site.house)
    deliver(site.house)
    return said(site, before)


def said(site: Site, before: int) -> list[tuple[str, str]]:
    """(person, title) of the notices among what the receiver got, also of those that came in a group."""
    bodies = [request.json() for request in site.receiver.requests[before:]]
    every = [one for body in bodies for one in (body, *body.get("also", []))]
    return sorted((one["recipient"]["person"], one["title"]) for one in every if one["kind"] != "step")


# ── hand-over ──


def test_a_change_of_shift_is_written_told_and_accepted(site: Site) -> None:
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    incident = opened(site)
    site.desk.act("ack", incident, {}, "chen")
    site.desk.act("update", incident, {"text": "明火已扑灭，19:30 前报伤亡"}, "chen")
    site.time.moment = at("19:59")
    assert hand_over(site.house) == "没有换班"
    assert ("zhao", "接班 · 值班员") in pass_on(site, "20:00")
    (one,) = site.desk.handover()["handovers"]
    assert ([p["id"] for p in one["from"]], [p["id"] for p in one["to"]]) == (["chen"], ["zhao"])
    (left,) = one["summary"]["incidents"]
    assert (left["ref"], left["acked"]) == (f"舆-{incident}", ["陈值班"])
    assert "明火已扑灭，19:30 前报伤亡" in [entry["text"] for entry in left["progress"]]
    assert {"first_statement", "press_conference"} <= {clock["id"] for clock in left["clocks"]}
    assert all(clock["next"]["role"] for clock in left["clocks"])
    with pytest.raises(Refusal, match="接班人是 赵副"):
        site.desk.hand("accept", one["id"], {}, "chen")
    site.desk.hand("note", one["id"], {"text": "记者 23 点再来电"}, "chen")
    shown = site.desk.hand("accept", one["id"], {}, "zhao")
    assert (shown["handovers"][0]["accepted_by"], shown["waiting"]) == ("赵副", [])
    assert pass_on(site, "20:30") == []
    assert site.verified()


def test_the_message_leads_to_the_page_where_it_is_accepted(site: Site) -> None:
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    pass_on(site, "20:00")
    body = site.receiver.requests[-1].json()
    assert f"{site.house.public_url}/handover" in body["reason"]
    assert "未结事件 0 起" in body["reason"]


def test_a_hand_over_that_nobody_accepts_is_told_again_and_to_the_rung_above_once(site: Site) -> None:
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    pass_on(site, "20:00")
    assert pass_on(site, "20:14") == []
    assert pass_on(site, "20:15") == [("li", "交接未签收 · 值班员"), ("zhao", "交接未签收 · 值班员")]
    assert pass_on(site, "20:40") == []


def test_after_an_outage_only_the_newest_change_is_handed_over_and_says_how_late(site: Site) -> None:
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    assert pass_on(site, "1+09:00") == [("chen", "接班 · 值班员")]
    (one,) = site.desk.handover()["handovers"]
    assert one["at"] == "2026-11-22T08:00:00+08:00"
    assert one["summary"]["late_s"] == 3600
    assert pass_on(site, "1+09:10") == []  # its fifteen minutes count from when it was told
    assert len(pass_on(site, "1+09:16")) == 2


def test_a_change_before_the_duty_first_ran_is_nobodys_to_hand_over(site: Site) -> None:
    rostered(site)
    assert pass_on(site, "20:30") == []
    assert site.desk.handover()["handovers"] == []


def test_two_processes_at_the_moment_of_change_write_one_hand_over(site: Site) -> None:
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    site.time.moment = at("20:00")

    async def both() -> None:
        await asyncio.gather(*(asyncio.to_thread(hand_over, site.house) for _ in range(4)))

    asyncio.run(both())
    deliver(site.house)
    assert said(site, 0) == [("zhao", "接班 · 值班员")]
    assert len(site.desk.handover()["handovers"]) == 1
    assert site.verified()


def test_an_unknown_hand_over_or_act_is_named(site: Site) -> None:
    with pytest.raises(Unknown, match="没有编号为 1-x"):
        site.desk.hand("accept", "1-x", {}, "chen")
    with pytest.raises(Unknown, match="是不是 “accept”"):
        site.desk.hand("acept", "1-x", {}, "chen")


# ── snooze ──


def test_later_comes_when_the_snooze_is_over(site: Site) -> None:
    incident = opened(site)
    shown = site.desk.act("snooze", incident, {"minutes": "30", "reason": "在现场"}, "chen")
    assert shown["snoozed"] == [{"person": "chen", "name": "陈值班", "until": shown["until"]}]
    hand_over(site.house)
    assert pass_on(site, "00:29") == []
    assert pass_on(site, "00:30") == [("chen", "稍后提醒 · 舆-2026-0001 化工园区火灾")]
    assert pass_on(site, "00:31") == []


def test_whoever_acknowledged_meanwhile_is_not_reminded(site: Site) -> None:
    incident = opened(site)
    site.desk.act("snooze", incident, {"minutes": "30"}, "chen")
    site.desk.act("ack", incident, {}, "chen")
    hand_over(site.house)
    assert pass_on(site, "00:31") == []


def test_minutes_that_are_no_number_are_refused_in_words(site: Site) -> None:
    with pytest.raises(Refusal, match="不是分钟数"):
        site.desk.act("snooze", opened(site), {"minutes": "一会儿"}, "chen")


# ── the test of reach ──


def ask(site: Site, moment: str) -> str:
    site.time.moment = at(moment)
    words = reach(site.house)
    deliver(site.house)
    return words


def roster_item(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = next(i for i in site.desk.board()["coverage"]["items"] if i["name"] == "roster")
    return found


def test_each_afternoon_everybody_of_the_night_is_asked_over_each_contact_once(site: Site) -> None:
    known = site.house.site.roster
    twice = (*known.people[0].contacts, Contact("hook", "chen-2"))
    people = (dataclasses.replace(known.people[0], contacts=twice), *known.people[1:])
    rostered(site, reach_test=ReachTest(), people=people)
    assert ask(site, "15:59") == "联络测试尚未做过"
    assert ask(site, "16:00") == "联络测试已发给 3 人"
    told = [(person, title) for person, title in said(site, 0) if title == "今晚值班"]
    assert sorted(person for person, _ in told) == ["chen", "chen", "li", "zhao"]
    assert ask(site, "16:10") == "联络测试等待答复"
    assert ask(site, "16:20") == "联络测试 11-21 16:00 3/3 人可达"
    assert ask(site, "17:00") == "联络测试 11-21 16:00 3/3 人可达"
    assert len([1 for _, title in said(site, 0) if title == "今晚值班"]) == 4
    item = roster_item(site)
    assert (item["state"], item["last_good_at"]) == ("ok", "2026-11-21T16:20:00+08:00")
    assert site.verified()


def test_who_cannot_be_reached_is_told_to_the_owner_and_the_rung_above_while_it_is_day(site: Site) -> None:
    known = site.house.site.roster
    mute = dataclasses.replace(known.people[2], contacts=(Contact("nowhere", "zhao"),))
    people = (*known.people[:2], mute, known.people[3])
    rostered(site, reach_test=ReachTest(rungs=1), people=people, owner=("zhou",))
    ask(site, "16:00")
    assert "1/2 人可达" in ask(site, "16:20")
    lost = [(person, title) for person, title in said(site, 0) if "联系不上" in title]
    assert lost == [("li", "今晚值班 赵副 联系不上"), ("zhou", "今晚值班 赵副 联系不上")]
    item = roster_item(site)
    assert item["state"] == "late"
    assert "没有名为 nowhere 的渠道" in item["detail"]
    assert item["mend"]
    ask(site, "16:40")
    assert len([1 for _, title in said(site, 0) if "联系不上" in title]) == 2


def test_a_missed_test_is_made_up_for_until_ten_at_night(site: Site) -> None:
    rostered(site, reach_test=ReachTest())
    assert ask(site, "22:00") == "联络测试尚未做过"
    assert ask(site, "1+21:59") == "联络测试已发给 3 人"


def test_answers_that_nobody_read_in_time_are_read_before_the_next_test(site: Site) -> None:
    rostered(site, reach_test=ReachTest())
    ask(site, "16:00")
    assert ask(site, "1+16:00") == "联络测试 11-21 16:00 3/3 人可达"
    assert ask(site, "1+16:01") == "联络测试已发给 3 人"


def test_hours_of_the_night_without_anybody_are_told_in_the_afternoon(site: Site) -> None:
    roster = rostered(site, reach_test=ReachTest(), owner=("zhou",))
    holed = Rung(1, Role.DUTY_OFFICER, shifts=(Shift(DAYTIME, NIGHT, ("chen",)),))
    made = dataclasses.replace(roster, ladder=(holed, *roster.ladder[1:]))
    site.house.site = dataclasses.replace(site.house.site, roster=made)
    ask(site, "16:00")
    ask(site, "16:20")
    (hole,) = [(person, title) for person, title in said(site, 0) if "无人可达" in title]
    assert hole == ("zhou", "今晚第 1 级无人可达")
    item = roster_item(site)
    assert (item["state"], "值班员 11-21 20:00 至 11-22 08:00 无人可达" in item["detail"]) == ("late", True)


def test_a_test_message_that_no_channel_took_is_not_sent_in_the_night(site: Site) -> None:
    rostered(site, reach_test=ReachTest())
    site.receiver.answer(status=503)
    ask(site, "16:00")
    assert "0/3 人可达" in ask(site, "16:20")
    before = len(site.receiver.requests)
    site.time.moment = at("1+02:00")
    deliver(site.house)
    titles = [json.dumps(request.json(), ensure_ascii=False) for request in site.receiver.requests[before:]]
    assert not [title for title in titles if "联络测试" in title]
    assert site.verified()


def test_both_duties_are_performed_like_all_the_others(site: Site) -> None:
    assert asyncio.run(perform(site.house, "handover")) == "没有换班"
    assert asyncio.run(perform(site.house, "reach")) == "联络测试未启用"


# ── a process that dies at the moment of change ──

DYING = """
import sys
from datetime import datetime
from pathlib import Path
from flows.telling.handover import hand_over
from flows.wiring import House
from support.river_site import HandTime
from models.core.moment import parse_iso

with House.open(Path(sys.argv[1])) as house:
    house.time = HandTime(parse_iso(sys.argv[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    hand_over(house)
    print("done", flush=True)
    sys.stdin.readline()
"""


def dying(site: Site, moment: str, after_s: float) -> None:
    """Another process hands over at `moment` and is killed so long after it began."""
    line = [sys.executable, "-c", DYING, str(site.house.site.directory), at(moment).isoformat()]
    with subprocess.Popen(line, env=with_support(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.stdin.write(b"\n")
        process.stdin.flush()
        threading.Event().wait(after_s)
        process.kill()


def test_a_process_killed_at_the_moment_of_change_loses_nothing_and_doubles_nothing(site: Site) -> None:
    made = json.loads((site.house.site.directory / "roster.yaml").read_text(encoding="utf-8"))
    made["ladder"][0] = {
        "rung": 1,
        "role": "duty_officer",
        "shifts": [
            {"from": "08:00", "to": "20:00", "on_duty": "chen"},
            {"from": "20:00", "to": "08:00", "on_duty": "zhao"},
        ],
    }
    (site.house.site.directory / "roster.yaml").write_text(json.dumps(made), encoding="utf-8")
    rostered(site)
    site.time.moment = at("19:00")
    hand_over(site.house)
    for number, after_s in enumerate((0.0, 0.004, 0.012, 0.03)):
        dying(site, f"{number}+20:00", after_s)
        site.time.moment = at(f"{number}+20:00")
        hand_over(site.house)
        deliver(site.house)
        site.desk.hand("accept", site.desk.handover()["handovers"][0]["id"], {}, "zhao")
        site.time.moment = at(f"{number + 1}+08:00")
        hand_over(site.house)
        site.desk.hand("accept", site.desk.handover()["handovers"][0]["id"], {}, "chen")
    deliver(site.house)
    assert len(site.desk.handover()["handovers"]) == 8
    assert [title for _, title in said(site, 0)].count("接班 · 值班员") == 8
    assert site.verified()


# ── the same on the command line ──


def test_the_roster_the_hand_over_and_the_snooze_on_the_command_line(site: Site) -> None:
    cli = Cli(site.house.site.directory)
    known = cli.json("roster")
    assert [rung["people"][0]["id"] for rung in known["ladder"]] == ["chen", "li", "zhao", "zhou"]
    assert "第 1 级 值班员  陈值班 hook" in cli("roster").out
    assert cli.json("handover")["handovers"] == []
    assert "还没有交接" in cli("handover").out
    rostered(site)
    for moment in ("19:00", "20:00"):
        site.time.moment = at(moment)
        hand_over(site.house)
    listed = cli("handover")
    assert "陈值班 → 赵副" in listed.out
    refused = cli("handover", "--accept", "--by", "li")
    assert (refused.code, "没有与 li 有关的交接" in refused.err) == (1, True)
    assert cli("handover", "--accept").code == 2
    shown = cli.json("handover", "--accept", "--by", "zhao", "--note", "已核对")
    assert (shown["handovers"][0]["accepted_by"], shown["handovers"][0]["note"]) == ("赵副", "赵副：已核对")
    assert "赵副 " in cli("handover").out
    incident = cli.json("open", "--title", "桥面塌陷", "--grade", "III", "--by", "chen")["id"]
    snoozed = cli.json("snooze", incident, "--by", "chen", "--minutes", "30")
    assert snoozed["snoozed"][0]["person"] == "chen"
    too_long = cli("snooze", incident, "--by", "chen", "--minutes", "600")
    assert (too_long.code, "5 到 120 分钟" in too_long.err) == (1, True)


def test_what_a_person_was_told_of_stays_in_their_hands_however_many_others_are_told_since(
    site: Site,
) -> None:
    """Not only while it is among the newest alerts of everybody."""
    incident, people = opened(site), {person.id: person for person in site.house.site.roster.people}
    for who, count in (("zhao", 1), ("li", 600)):
        site.time.moment += timedelta(minutes=1)
        with site.house.store.write() as conn:
            asked = [
                Notice("t", f"{who}{n}", "x", "x", (people[who],), incident_id=incident) for n in range(count)
            ]
            assert notices.tell(conn, site.time.moment, asked) == count
    assert [each["id"] for each in site.desk.mine("zhao")["incidents"]] == [incident]
    assert site.desk.mine("zhou")["incidents"] == []
