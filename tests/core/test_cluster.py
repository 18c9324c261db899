"""Signals of one event find each other, by rare words, within the window."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.core.cluster import IncidentIndex, Match, gist, same
from models.core.moment import CST

START = datetime(2026, 11, 21, 2, 0, tzinfo=CST)
HOUR = timedelta(hours=1)
FIRE = "临江市化工园区凌晨发生爆燃"


def index() -> IncidentIndex:
    made = IncidentIndex()
    made.add_gist("fire", "s1", gist(FIRE, "现场浓烟滚滚,消防正在处置"), START, "临江市")
    water = gist("南山县自来水出现异味", "多个小区居民反映")
    made.add_gist("water", "s2", water, START + HOUR, "南山县")
    return made


def add(
    made: IncidentIndex, incident: str, signal: str, title: str, at: datetime, place: str | None = None
) -> None:
    made.add_gist(incident, signal, gist(title, ""), at, place)


def found(made: IncidentIndex, title: str, hours: float = 2, place: str | None = None) -> Match | None:
    return made.match_gist(gist(title, ""), START + hours * HOUR, place)


def test_a_second_report_of_the_event_joins_its_incident_with_the_shared_words_as_reason() -> None:
    match = found(index(), "化工园区爆燃最新情况:临江市发布通报")
    assert match is not None
    assert match.incident_id == "fire"
    assert "化工园区" in match.reason
    assert "爆燃" in match.reason
    assert 0 < match.score <= 1


def test_another_event_joins_nothing() -> None:
    assert found(index(), "高铁站出站口电梯停运引发吐槽") is None


def test_an_empty_index_and_an_empty_text_match_nothing() -> None:
    assert found(IncidentIndex(), FIRE) is None
    assert index().match_gist("", START) is None


def test_matching_changes_nothing() -> None:
    made = index()
    assert found(made, FIRE) == found(made, FIRE)
    assert len(made) == 2


def test_after_the_window_the_incident_is_not_found() -> None:
    made = index()
    assert found(made, FIRE, hours=72) is not None
    assert found(made, FIRE, hours=72.1) is None


def test_what_leaves_the_window_leaves_the_memory() -> None:
    made = index()
    for day in range(1, 60):
        add(
            made,
            f"i{day}",
            f"d{day}",
            f"第{day}号线路检修{chr(0x4E00 + day * 7)}路改道",
            START + day * 24 * HOUR,
        )
    assert len(made) <= 4
    assert len(made._pairs) <= 4 * 60
    assert len(made._incidents) <= 4


def test_the_same_signal_twice_counts_once() -> None:
    made = index()
    add(made, "fire", "s1", FIRE, START)
    assert len(made) == 2


def test_another_place_asks_for_more_likeness() -> None:
    title = "化工园区有车间突发爆燃"
    near, far = found(index(), title, place="临江市东城区"), found(index(), title, place="北河市")
    assert near is not None
    assert far is None


def test_what_is_linked_all_the_same_says_that_the_places_differ() -> None:
    copy = found(index(), FIRE, place="北河市")
    assert copy is not None
    assert "地点不同(北河市)" in copy.reason


def test_signals_that_come_out_of_order_are_linked_all_the_same() -> None:
    made = index()
    add(made, "late", "s9", "体育馆屋顶局部垮塌", START + 10 * HOUR)
    match = made.match_gist(gist("体育馆屋顶垮塌现场", ""), START + 5 * HOUR)
    assert match is not None
    assert match.incident_id == "late"


def test_a_common_word_alone_links_nothing() -> None:
    made = IncidentIndex()
    for k in range(80):
        add(
            made,
            f"i{k}",
            f"s{k}",
            f"关于{chr(0x5000 + 3 * k)}{chr(0x6000 + 5 * k)}{chr(0x7000 + 7 * k)}问题的投诉",
            START,
        )
    assert found(made, "关于噪声扰民问题的投诉", hours=1) is None


def test_a_title_speaks_and_the_body_helps() -> None:
    assert gist("短", "正文写得长一些") == "短正文写得长一些"
    assert gist("足够长的一个标题", "正文") == "足够长的一个标题正文"
    assert gist("足够长的一个标题", "足够长的一个标题。后文") == "足够长的一个标题"


def test_pairs_of_one_topic_are_told_from_pairs_of_two() -> None:
    alike, score = same("临江市化工园区爆燃已致三人受伤", "化工园区爆燃:伤者已送医")
    other, low = same("临江市化工园区爆燃已致三人受伤", "今年高考作文题目公布")
    assert alike
    assert not other
    assert score > low


def test_likeness_is_symmetric_and_whole_for_the_same_text() -> None:
    a, b = "供水管网抢修完成", "供水管网抢修仍在进行"
    assert same(a, b) == same(b, a)
    assert same(a, a)[1] == 1.0
    assert same("", a) == (False, 0.0)


def test_what_does_not_fit_leaves_the_oldest_that_nobody_joined_first() -> None:
    made = IncidentIndex(most=20)
    for k in range(3):
        add(made, "fire", f"f{k}", FIRE, START)
    for n in range(40):
        add(
            made,
            f"i{n}",
            f"s{n}",
            f"第{chr(0x5000 + 9 * n)}{chr(0x6000 + 7 * n)}号路灯不亮",
            START + n * HOUR / 60,
        )
    assert len(made) == 20
    assert (made.shed, made.shed_to) == (21, START + 20 * HOUR / 60), "the group takes the room of one"
    assert "i20" not in made
    assert "i21" in made
    match = found(made, FIRE)
    assert match is not None
    assert match.incident_id == "fire"


def flooded(*, fast: bool) -> IncidentIndex:
    """A fire that was told once, and then twice as much as there is room for, half of it in pairs."""
    made = IncidentIndex(most=40)
    add(made, "fire", "f", FIRE, START)
    if fast:
        made.hold_fast("fire")
    for n in range(80):
        words = f"第{chr(0x5000 + 9 * (n // 2))}{chr(0x6000 + 7 * (n // 2))}号路灯不亮"
        add(made, f"i{n // 2 if n % 4 < 2 else n}", f"s{n}", words, START + n * HOUR / 60)
    return made


def test_what_somebodys_clocks_run_for_is_found_however_much_came_between() -> None:
    assert found(flooded(fast=False), FIRE) is None
    made = flooded(fast=True)
    assert len(made) == 40
    match = found(made, FIRE)
    assert match is not None
    assert match.incident_id == "fire"


def test_what_is_held_fast_fills_a_quarter_at_the_most_and_leaves_with_the_window() -> None:
    made = IncidentIndex(most=40)
    for n in range(200):
        add(
            made,
            f"i{n}",
            f"s{n}",
            f"第{chr(0x5000 + 9 * n)}{chr(0x6000 + 7 * n)}号楼坍塌",
            START + n * HOUR / 60,
        )
        made.hold_fast(f"i{n}")
    assert len(made) == 40
    assert [n for n in range(200) if f"i{n}" in made] == list(range(160, 200)), (
        "the newest, no matter how many"
    )
    add(made, "late", "late", "很久以后的另一件事情", START + 200 * HOUR)
    assert len(made) == 1
    made.hold_fast("gone")  # what nothing can join any more is not held


def test_what_is_new_stays_though_old_groups_fill_their_room() -> None:
    made = IncidentIndex(most=40)
    for n in range(120):
        words = f"第{chr(0x5000 + 9 * (n // 2))}{chr(0x6000 + 7 * (n // 2))}号楼坍塌"
        add(made, f"i{n // 2}", f"s{n}", words, START + n * HOUR / 60)
        if n % 4 < 2:
            made.hold_fast(f"i{n // 2}")
    add(made, "fire", "f", FIRE, START + 2 * HOUR)
    made.hold_fast("fire")
    for n in range(15):
        add(made, "flood", f"w{n}", "南湖街道积水没过膝盖", START + 2 * HOUR)
    for n in range(35):
        words = f"第{chr(0x7000 + 9 * n)}{chr(0x8000 + 7 * n)}号路灯不亮"
        add(made, f"o{n}", f"o{n}", words, START + 2 * HOUR)
    assert len(made) == 40
    for title, home in ((FIRE, "fire"), ("南湖街道积水没过膝盖", "flood")):
        match = found(made, title, hours=2)
        assert match is not None
        assert match.incident_id == home


def test_a_flood_of_one_event_cannot_fill_more_than_there_is_room_for() -> None:
    made = IncidentIndex(most=20)
    for k in range(200):
        add(made, "fire", f"f{k}", FIRE, START + k * HOUR / 60)
    assert len(made) == 20
    assert found(made, FIRE, hours=4) is not None


def test_a_pair_that_was_everywhere_points_to_newcomers_when_it_is_rare_again() -> None:
    made = IncidentIndex()
    for n in range(120):
        add(made, f"i{n}", f"s{n}", f"台风{chr(0x5000 + 9 * n)}{chr(0x6000 + 7 * n)}", START)
    later = START + 100 * HOUR
    add(made, "new", "s-new", "台风登陆", later)
    assert made.incidents == 1
    match = made.match_gist(gist("台风登陆", ""), later)
    assert match is not None
    assert match.incident_id == "new"
    add(made, "last", "s-last", "无关", later + 100 * HOUR)
    assert set(made._pairs) == {"无关"}
