"""What a report says of place, time and kind reaches the incident, each with its words and open to correction."""

from __future__ import annotations

from typing import Any

from models.core.moment import parse_iso
from support.river_site import Site, at


def opened(site: Site, title: str, body: str) -> dict[str, Any]:
    """The one incident that this item opens."""
    site.say("news", title, body)
    site.until("02:01")
    (one,) = site.desk.board()["incidents"]
    shown = site.desk.incident(one["id"])
    assert shown is not None
    return shown


def time_of(shown: dict[str, Any], event: str) -> dict[str, Any] | None:
    return next((one for one in shown["times"] if one["event"] == event), None)


def test_a_sound_time_in_the_text_is_proposed_as_the_start_with_its_words(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "厂房爆炸", "今日0时30分，浙江温州鹿城区一厂房发生爆炸，造成3人死亡。")
    told = time_of(shown, "occurrence")
    assert told is not None
    assert parse_iso(told["value"]) == at("00:30")
    assert "今日0时30分" in told["reason"]
    assert "核对" in told["reason"]
    assert site.verified()


def test_a_wide_or_missing_time_proposes_no_start(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "厂房爆炸", "11月20日，一厂房发生爆炸，造成3人死亡。")
    assert time_of(shown, "occurrence") is None


def test_a_time_to_come_is_no_start(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "厂房爆炸致3人死亡", "今晚8时，爆炸现场发生的损失将公布，造成3人死亡。")
    assert time_of(shown, "occurrence") is None


def test_a_sure_place_is_the_incidents_place(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "温州鹿城区一厂房爆炸", "造成3人死亡。")
    assert shown["place"] == "浙江省温州市鹿城区"


def test_an_ambiguous_place_is_left_to_people(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "鼓楼区一厂房爆炸", "造成3人死亡。")
    assert not shown["place"]


def test_facts_are_shown_with_units_and_words(site: Site) -> None:
    site.time.moment = at("02:00")
    shown = opened(site, "山区发生5.6级地震", "已有3人死亡，直接经济损失2亿元。")
    facts = {fact["name"]: fact for fact in shown["facts"]}
    assert (facts["震级"]["value"], facts["震级"]["unit"]) == (5.6, "级")
    assert "5.6级地震" in facts["震级"]["text"]
    assert facts["损失"]["unit"] == "元"
    assert shown["grade"] == "III"


def test_a_report_of_an_old_disaster_opens_nothing(site: Site) -> None:
    site.time.moment = at("02:00")
    site.say("news", "港口修复工程验收", "2015年8月的爆炸曾造成165人遇难，修复工程通过验收。")
    site.until("02:01")
    assert site.desk.board()["incidents"] == []


def test_an_earthquake_abroad_grades_nothing_here(site: Site) -> None:
    site.time.moment = at("02:00")
    site.say("news", "缅甸发生6.4级地震", "")
    site.until("02:01")
    assert site.desk.board()["incidents"] == []
