"""Keyword plans and bursts along the whole path: from a signal to its owner, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.collecting.intake import store as put
from flows.deliver import deliver
from flows.judging import bursts, planning
from flows.judging.backtest import Window, of_plan, of_rule
from flows.triage import triage
from flows.wiring import House
from models.core.moment import iso
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from models.ledger import incidents, joining, plan_hits, pulses, views
from models.ledger.journal import Entry, append
from models.ledger.verify import verify
from support.cli import Cli
from support.receiver import Receiver
from support.river_site import HandTime, at
from support.sites import ENVIRON, write_site

PLANS: dict[str, Any] = {
    "plans": [
        {"id": "water", "name": "供水", "match": "自来水 NEAR/6 异味 NOT 招聘", "owner": "li"},
        {"id": "gas", "name": "燃气泄漏", "any": "燃气泄漏", "open": True, "urgent": True, "owner": "office"},
        {"id": "meal", "name": "食堂", "all": ["食堂", "剩菜"], "grade": "III"},
    ]
}


class Team:
    """A site with plans, a hand on its time, and what its people were told."""

    def __init__(self, house: House, time: HandTime, receiver: Receiver) -> None:
        self.house, self.time, self.receiver = house, time, receiver
        self.number = 0

    def say(self, title: str, body: str = "", **more: Any) -> int:
        """A signal comes in now, and is judged; its number."""
        self.put(title, body, **more)
        triage(self.house)
        return self.number

    def put(self, title: str, body: str = "", **more: Any) -> None:
        self.number += 1
        given = {"source_id": "hotline", "medium": Medium.HOTLINE, "published_at": self.time.now(), **more}
        put(
            self.house,
            Batch((RawSignal(external_id=str(self.number), title=title, body=body, **given),)),
            "x",
        )

    def told(self) -> list[dict[str, Any]]:
        """Let the duties run, and read what came."""
        before = len(self.receiver.requests)
        planning.tell_owners(self.house)
        deliver(self.house)
        bodies = [request.json() for request in self.receiver.requests[before:]]
        return [one for body in bodies for one in (body, *body.get("also", ())) if one["kind"] == "notice"]

    def judged(self, number: int) -> Any:
        with self.house.store.read() as conn:
            rows = list(pulses.heard(conn, self.time.now() - timedelta(days=365), self.time.now()))
            about = plan_hits.JUDGEMENT.c
            return conn.execute(
                plan_hits.JUDGEMENT.select().where(about.signal_id == rows[number - 1].id)
            ).one()

    def incidents(self) -> list[dict[str, Any]]:
        with self.house.store.read() as conn:
            return views.board(conn, self.time.now(), {})

    def whole(self) -> bool:
        found = verify(self.house.store, self.time.now())
        assert found["findings"] == []
        return bool(found["ok"])


@pytest.fixture
def team(tmp_path: Path, database_url: str) -> Iterator[Team]:
    with Receiver() as receiver:
        directory = write_site(tmp_path / "site", receiver.url, database=database_url)
        (directory / "plans.yaml").write_text(json.dumps(PLANS, ensure_ascii=False), encoding="utf-8")
        with House.open(directory, ENVIRON) as house:
            house.time = HandTime(at("12:00"))
            yield Team(house, house.time, receiver)


# ── plans ─────────────────────────────────────────────────────────────────────────────────────


def test_what_fires_stands_first_among_the_reasons_and_its_owner_is_told(team: Team) -> None:
    number = team.say("小区自来水有股异味", body="电话 13812345678")
    assert team.judged(number).reasons[0] == "监测方案 供水: 自来水 … 异味"
    [notice] = team.told()
    assert (notice["recipient"]["person"], notice["title"]) == ("li", "监测方案“供水”命中 1 条")
    assert "自来水 … 异味" in notice["reason"]
    assert team.told() == []
    assert team.whole()


def test_a_plan_that_only_tells_opens_nothing_and_one_that_opens_does(team: Team) -> None:
    team.say("小区自来水有股异味")
    assert team.incidents() == []
    team.say("路口疑似燃气泄漏")
    [opened] = team.incidents()
    assert opened["reason"].startswith("监测方案 燃气泄漏: 燃气泄漏")
    assert team.whole()


def test_the_floor_of_a_plan_is_the_grade_of_its_signal(team: Team) -> None:
    plain, floored = team.say("食堂饭菜贵"), team.say("食堂给学生吃剩菜")
    assert (team.judged(plain).grade, team.judged(floored).grade) == ("IV", "III")
    parts = {part["part"]: part for part in team.judged(floored).grade_parts}
    assert "监测方案 食堂" in parts["sensitivity"]["reason"]


def test_at_night_only_the_urgent_is_told_and_the_rest_together_in_the_morning(team: Team) -> None:
    team.time.moment = at("23:30")
    team.say("小区自来水有股异味")
    team.say("楼下燃气泄漏快来人")
    told = team.told()
    assert {one["title"] for one in told} == {"监测方案“燃气泄漏”命中 1 条"}
    team.time.moment = at("1+03:00")
    team.say("我家自来水也有异味")
    assert team.told() == []
    team.time.moment = at("1+07:00")
    [morning] = team.told()
    assert morning["title"] == "监测方案“供水”命中 2 条"
    assert team.whole()


def test_what_fires_again_soon_is_gathered(team: Team) -> None:
    team.say("小区自来水有股异味")
    assert len(team.told()) == 1
    team.say("我家自来水也有异味")
    team.time.moment += timedelta(minutes=9)
    assert team.told() == []
    team.time.moment += timedelta(minutes=1)
    assert len(team.told()) == 1


def test_what_fired_is_counted_and_can_be_looked_back_on(team: Team) -> None:
    for title in ("小区自来水有股异味", "公园很美", "自来水异味招聘", "东区自来水昨晚有异味"):
        team.say(title)
    with team.house.store.read() as conn:
        counted = plan_hits.counts(conn, at("00:00"))
    assert counted["water"]["fired"] == 2
    plan = team.house.site.watch.plan("water")
    assert plan is not None
    window = Window(at("00:00"), at("1+00:00"), shown=1)
    found = of_plan(team.house, plan, window)
    assert (found["read"], found["fired"], found["left_off"]) == (4, 2, 1)
    assert [one["title"] for one in found["signals"]] == ["小区自来水有股异味"]


def test_the_incident_shows_which_plan_its_signals_fired(team: Team) -> None:
    team.say("路口疑似燃气泄漏")
    with team.house.store.read() as conn:
        shown = views.incident(conn, team.incidents()[0]["id"], team.time.now(), {})
    assert [one["plans"] for one in shown["signals_list"]] == [["监测方案 燃气泄漏: 燃气泄漏"]]


def test_the_command_line_counts_plans_and_looks_back(team: Team, tmp_path: Path) -> None:
    team.time.moment = datetime.now(at("00:00").tzinfo) - timedelta(hours=1)
    team.say("小区自来水有股异味")
    cli = Cli(team.house.site.directory)
    rows = {row["id"]: row for row in cli("plans", "--json").value["plans"]}
    assert (rows["water"]["fired"], rows["water"]["untold"], rows["gas"]["fired"]) == (1, 1, 0)
    since = f"{team.time.now() - timedelta(days=1):%Y-%m-%d}"
    assert cli("backtest", "water", "--since", since, "--json").value["fired"] == 1
    draft = tmp_path / "draft.yaml"
    draft.write_text("plans:\n  - {id: water, name: 新写法, any: 停水}\n", encoding="utf-8")
    assert cli("backtest", "water", "--since", since, "--plans", str(draft), "--json").value["fired"] == 0
    wrong = cli("backtest", "watr", "--since", since)
    assert (wrong.code, "是不是 “water”？" in wrong.err) == (1, True)
    assert cli("backtest", "water", "--since", "昨天").code == 2
    assert cli("backtest", "place-tickets", "--since", since, "--json").value["fired"] == 0


# ── grades ────────────────────────────────────────────────────────────────────────────────────

FIRE = {"source_id": "news", "medium": Medium.NEWS}
BUS = {**FIRE, "place": "北岭县"}


@pytest.mark.parametrize("graver_last", [True, False])
def test_two_matters_of_one_incident_never_lower_its_grade(team: Team, graver_last: bool) -> None:
    team.say("江东化工园区澜港公司发生爆炸致3人死亡", "江东化工园区澜港公司车间发生爆炸，致3人死亡。", **FIRE)
    team.say("蓝天幼儿园校车侧翻，4名幼儿遇难", "蓝天幼儿园校车在盘山公路侧翻，4名幼儿遇难。", **BUS)
    first, second = sorted(one["id"] for one in team.incidents())
    with team.house.store.write() as conn:
        joining.merge(conn, team.time.now(), second, first, "chen", "同一事件", team.house.rules_for)
    news: list[tuple[str, str, dict[str, Any]]] = [
        ("江东化工园区澜港公司爆炸已致35人死亡", "江东化工园区澜港公司车间发生爆炸，已致35人死亡。", FIRE),
        ("蓝天幼儿园校车侧翻，12名幼儿遇难", "蓝天幼儿园校车在盘山公路侧翻，12名幼儿遇难。", BUS),
    ]
    for title, body, more in reversed(news) if graver_last else news:
        team.put(title, body, **more)
    triage(team.house)
    with team.house.store.read() as conn:
        assert incidents.get(conn, first).grade == "I"
    assert team.whole()


# ── bursts ────────────────────────────────────────────────────────────────────────────────────


def matter(number: int) -> str:
    """Words that no other number shares, so that nothing but the burst brings signals together."""
    return "".join(chr(0x4E00 + (number * 89 + place * 1361) % 20_000) for place in range(8))


def crowd(team: Team, count: int, place: str = "临江市东城区") -> None:
    """So many tickets of one place, each of another matter."""
    for _ in range(count):
        team.put(matter(team.number), place=place)
    triage(team.house)


def test_more_than_twenty_tickets_of_one_place_within_two_hours_open_an_incident(team: Team) -> None:
    crowd(team, 20)
    assert bursts.look(team.house) == "没有突增"
    crowd(team, 1)
    assert "立案 1" in bursts.look(team.house)
    [opened] = team.incidents()
    assert (opened["grade"], opened["provisional"], opened["place"]) == ("III", True, "临江市东城区")
    assert "2 小时内 21 件，超过 20 件" in opened["reason"]
    assert opened["signal_count"] == 21
    assert team.whole()


def test_a_burst_is_told_once_and_again_when_it_has_grown(team: Team) -> None:
    crowd(team, 21)
    bursts.look(team.house)
    crowd(team, 5)
    assert "立案 0，升温 0" in bursts.look(team.house)
    crowd(team, 6)
    assert "立案 0，升温 1" in bursts.look(team.house)
    assert len(team.incidents()) == 1
    assert team.incidents()[0]["signal_count"] == 32
    assert team.whole()


def test_a_burst_of_the_next_day_is_not_muted_by_the_first(team: Team) -> None:
    crowd(team, 21)
    bursts.look(team.house)
    team.time.moment += timedelta(days=4)
    crowd(team, 21)
    assert "突增 1 处" in bursts.look(team.house)
    told = [one for one in team.incidents() if "超过 20 件" in one["reason"]]
    assert len(told) == 2


def ruled(team: Team, *kinds: str) -> None:
    """The site with burst rules of these kinds, each for more than ten within two hours."""
    rules = [
        {"id": kind, "name": kind, "by": kind, "within": "PT2H", "count": 10, "grade": "III"}
        for kind in kinds
    ]
    made = json.dumps({"plans": [], "bursts": rules}, ensure_ascii=False)
    (team.house.site.directory / "plans.yaml").write_text(made, encoding="utf-8")
    with House.open(team.house.site.directory, ENVIRON) as fresh:
        team.house.site = fresh.site


@pytest.mark.parametrize("kinds", [("place", "source"), ("source", "place")])
def test_two_rules_that_fire_on_the_same_signals_open_one_incident(
    team: Team, kinds: tuple[str, str]
) -> None:
    ruled(team, *kinds)
    crowd(team, 12)
    assert bursts.look(team.house) == "突增 2 处，立案 1，升温 1"
    assert len(team.incidents()) == 1
    assert team.incidents()[0]["signal_count"] == 12
    assert bursts.look(team.house) == "突增 2 处，立案 0，升温 0"
    assert team.whole()


def test_a_rule_that_fires_a_look_later_finds_the_incident_of_the_first(team: Team) -> None:
    ruled(team, "source")
    crowd(team, 12)
    bursts.look(team.house)
    ruled(team, "source", "place")
    assert bursts.look(team.house) == "突增 2 处，立案 0，升温 1"
    assert len(team.incidents()) == 1


def test_a_burst_inside_a_far_larger_one_is_a_matter_of_its_own(team: Team) -> None:
    ruled(team, "source", "place")
    for number in range(8):
        crowd(team, 5, place=f"临江市第{'一二三四五六七八'[number]}区")
    crowd(team, 12)
    assert bursts.look(team.house) == "突增 2 处，立案 2，升温 0"


GRAVE, OTHER = "谭家桥化工厂爆炸亲历者说没能出来", "柳树巷码头渡船倾覆岸边一片呼救"


def test_a_grave_matter_that_went_with_a_burst_becomes_an_incident_of_its_own(team: Team) -> None:
    crowd(team, 19)
    first, second = (team.say(told, place="临江市东城区") for told in (GRAVE, OTHER))
    assert "立案 1" in bursts.look(team.house)
    [burst] = team.incidents()
    assert burst["signal_count"] == 21
    team.say(f"{GRAVE}，已致5人死亡、11人受伤", place="临江市东城区")
    team.say(f"{OTHER}，乘客9人遇难", place="临江市东城区")
    opened = {one["id"]: one for one in team.incidents()}
    assert len(opened) == 3, "two emergencies do not vanish in one burst"
    homes = {team.judged(first).incident_id, team.judged(second).incident_id}
    assert homes == opened.keys() - {burst["id"]}, "and what was said of them before goes along"
    assert [opened[one]["signal_count"] for one in sorted(opened)] == [19, 2, 2]
    assert team.whole()


def test_a_burst_that_is_one_matter_stays_its_incident_when_it_grows_grave(team: Team) -> None:
    for n in range(21):
        team.put(f"{GRAVE}，第{n}位居民来电", place="临江市东城区")
    triage(team.house)
    bursts.look(team.house)
    [burst] = team.incidents()
    team.say(f"{GRAVE}，已致5人死亡、11人受伤", place="临江市东城区")
    assert [one["id"] for one in team.incidents()] == [burst["id"]]
    assert team.incidents()[0]["signal_count"] == 22
    assert team.whole()


def test_what_was_closed_keeps_its_signals(team: Team) -> None:
    crowd(team, 20)
    first = team.say(GRAVE, place="临江市东城区")
    bursts.look(team.house)
    [burst] = team.incidents()
    closed(team, burst["id"])
    team.say(f"{GRAVE}，已致5人死亡、11人受伤", place="临江市东城区")
    assert team.judged(first).incident_id == burst["id"]
    with team.house.store.read() as conn:
        assert incidents.get(conn, burst["id"]).signal_count == 21
    assert [one["signal_count"] for one in team.incidents()] == [1]
    assert team.whole()


def closed(team: Team, incident: str) -> None:
    """The incident, closed here by its row: what its clocks ask for is not of interest."""
    now = team.time.now()
    change = {"incident": [{"id": incident, "closed_at": iso(now), "stage": "closed"}]}
    with team.house.store.write() as conn:
        append(conn, now, [Entry("incident_closed", {"update": change}, "li", "处置完毕", incident)])


def test_two_places_with_eleven_tickets_each_are_no_burst(team: Team) -> None:
    crowd(team, 11, "临江市东城区")
    crowd(team, 11, "临江市西城区")
    assert bursts.look(team.house) == "没有突增"


def history(team: Team, days: int, each: int, skip: tuple[int, ...] = ()) -> None:
    """`each` posts about one place at this hour of every day before, but for those of `skip` days back.

    The source speaks at three other hours of each day too, so that its nights are usual.
    """
    now = team.time.now()
    for back in range(days, 0, -1):
        if back in skip:
            continue
        for hour in (0, 3, 6, -3):
            for _ in range(each if hour == 0 else 1):
                team.time.moment = now - timedelta(days=back) + timedelta(hours=hour) - timedelta(minutes=10)
                team.put(matter(team.number),
                    source_id="forum", medium=Medium.FORUM, place="临江市东城区",
                )  # fmt: skip
    team.time.moment = now
    triage(team.house)


def posts(team: Team, count: int) -> None:
    for _ in range(count):
        team.put(
            matter(team.number),
            source_id="forum",
            medium=Medium.FORUM,
            place="临江市东城区",
        )
    triage(team.house)


def test_more_than_this_hour_should_bring_is_a_burst_and_the_usual_is_not(team: Team) -> None:
    history(team, 28, 3)
    posts(team, 7)
    assert bursts.look(team.house) == "没有突增"
    posts(team, 20)
    assert "立案 1" in bursts.look(team.house)
    [opened] = team.incidents()
    assert "往常此时约 3" in opened["reason"]
    assert "同一时段 3、3、3" in opened["reason"]
    assert team.whole()


def test_a_source_that_has_just_come_back_makes_no_burst(team: Team) -> None:
    history(team, 28, 3, skip=(1, 2, 3, 4))
    posts(team, 27)
    assert bursts.look(team.house) == "没有突增"


def test_a_new_source_makes_no_burst_by_chance(team: Team) -> None:
    posts(team, 60)
    assert bursts.look(team.house) == "没有突增"


def test_a_look_back_tells_when_a_rule_would_have_fired(team: Team) -> None:
    crowd(team, 25)
    rule = next(rule for rule in team.house.site.watch.bursts if rule.id == "place-tickets")
    found = of_rule(team.house, rule, Window(at("10:00"), at("18:00")))
    assert (found["fired"], found["bursts"][0]["group"]) == (1, "临江市东城区")
    assert team.incidents() == []


def test_the_hours_are_counted_when_things_were_said(team: Team) -> None:
    said: datetime = at("09:30")
    team.say("停车难", published_at=said, place="临江市东城区滨河街道")
    with team.house.store.read() as conn:
        [row] = pulses.in_hours(conn, [at("09:00")])
    assert (row.place, row.signals, row.medium) == ("临江市东城区滨河街道", 1, "hotline")
