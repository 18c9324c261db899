"""Counts are read as they are written, and only when they are said to be so."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.facts import Facts, extract
from models.core.numerals import number
from models.core.text import canonical


def read(text: str) -> Facts:
    return extract(canonical(text))


def stated(text: str) -> dict[str, Any]:
    return {name: value for name, value in read(text).as_dict().items() if value is not None}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3", 3), ("1,200", 1200), ("3.5万", 35_000), ("1.2亿", 120_000_000), ("30余", 30), ("三千余", 3000),
        ("两", 2), ("十二", 12), ("三十", 30), ("一百零五", 105), ("两千三百", 2300), ("一万两千", 12_000),
        ("三十余", 30), ("十几", 11), ("几十", 20), ("百余", 100), ("数百", 200), ("三四十", 30), ("三四", 3),
        ("二〇二六", 2026),
    ],
)  # fmt: skip
def test_a_numeral_has_the_least_value_it_can_mean(word: str, value: float) -> None:
    assert number(word) == value


@pytest.mark.parametrize("word", ["", "水", "余", "人"])
def test_what_is_no_numeral_has_no_value(word: str) -> None:
    assert number(word) is None


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("厂房爆炸造成三十余人死亡，十几人受伤", {"deaths": 30, "injured": 11}),
        ("两车相撞致1死3伤", {"deaths": 1, "injured": 3}),
        ("连环追尾，两死一伤", {"deaths": 2, "injured": 1}),
        ("酒楼垮塌造成4死87伤3人被困", {"deaths": 4, "injured": 87, "trapped": 3}),
        ("2名消防队员在救援中壮烈牺牲", {"deaths": 2}),
        ("一家三口全部遇难", {"deaths": 3}),
        ("一男子在桥上坠河身亡", {"deaths": 1}),
        ("一男一女受伤", {"injured": 2}),
        ("確認十二人罹難", {"deaths": 12}),
        ("造成１０人死亡", {"deaths": 10}),
        ("矿井下仍有11人被困、2人失联", {"trapped": 11, "missing": 2}),
        ("现场发现3具遗体", {"deaths": 3}),
        ("百余名群众紧急转移", {"evacuated": 100}),
        ("已疏散群众1,200余人", {"evacuated": 1200}),
        ("20多人被送往医院救治", {"hospitalised": 20}),
        ("直接经济损失约1.2亿元", {"loss_cny": 120_000_000}),
        ("损失3000余万元", {"loss_cny": 30_000_000}),
        ("造成500万元的经济损失", {"loss_cny": 5_000_000}),
        ("5名工人中3人死亡", {"deaths": 3}),
        ("被困的4名矿工，经抢救无效均已死亡", {"deaths": 4, "trapped": 4}),
    ],
)  # fmt: skip
def test_counts_are_read_in_every_way_of_writing(text: str, counts: dict[str, int]) -> None:
    assert stated(text) == counts


@pytest.mark.parametrize("text", ["幸无人员伤亡", "火灾未造成人员伤亡", "目前没有人员伤亡", "暂无人员伤亡"])
def test_none_is_zero_and_not_unknown(text: str) -> None:
    assert stated(text) == {"deaths": 0, "injured": 0}


@pytest.mark.parametrize(
    "text",
    [
        "伤亡情况不明",
        "暂未收到人员伤亡报告",
        "小区停水三天了",
        "加班加得累死了",
        "演练模拟5人死亡的场景",
        "一旦爆炸，可能造成100人死亡",
        "网传死亡五人？",
        "3月5日死亡",
        "剧里男二死了,看得难逃一死",
        "领到八万七千安置费",
        "",
    ],
)
def test_what_is_not_said_to_have_happened_is_not_stated(text: str) -> None:
    assert stated(text) == {}


def test_a_correction_takes_the_later_number_over_an_earlier_larger_one() -> None:
    assert read("死亡人数由3人上升至5人").deaths == 5
    assert read("此前误报9人死亡，截至今晨死亡人数更新为6人").deaths == 6


def test_the_largest_of_several_reports_counts() -> None:
    assert read("上午通报2人死亡。下午记者获悉共有7人死亡").deaths == 7


def test_light_and_grave_injuries_add_up_and_the_grave_are_kept_apart() -> None:
    facts = read("另有5人重伤，8人轻伤，2人轻微伤")
    assert (facts.injured, facts.serious) == (15, 5)


def test_every_number_shows_the_words_it_was_read_from() -> None:
    text = canonical("昨夜发生垮塌，3名工人被埋，1人重伤，损失80万元")
    facts = extract(text)
    assert {fact.kind for fact in facts.evidence} == {"trapped", "serious", "loss_cny"}
    for fact in facts.evidence:
        assert text[fact.start : fact.end] == fact.words
    assert facts.why("trapped") == "3名工人被埋"


def test_good_news_around_it_does_not_hide_a_death() -> None:
    praise = "感谢政府，大家生活幸福美满，点赞！" * 200
    assert read(f"{praise}厂房起火，致3人死亡。{praise}").deaths == 3


@pytest.mark.parametrize(
    "flood",
    [
        "死",
        "一",
        "1",
        "无",
        "损失",
        "1元损失",
        "1人死亡",
        "死亡者人数",
        "3人,经",
        "如果",
        "1,111",
        "😀",
        "未 ",
    ],
)
def test_a_hostile_flood_still_gives_facts(flood: str) -> None:
    assert isinstance(extract(flood * (100_000 // len(flood))), Facts)


@given(
    st.integers(1, 9_999),
    st.sampled_from(["名工人", "人", "位村民", "名学生"]),
    st.sampled_from(["死亡", "遇难", "身亡"]),
)
def test_any_plain_count_of_dead_is_read(n: int, who: str, verb: str) -> None:
    assert read(f"事故已造成{n}{who}{verb}。").deaths == n


@given(st.text(alphabet="0123456789一二三十百万亿余几人名死亡伤失踪困损元,，。无未上升至", max_size=120))
def test_no_mixture_of_its_own_words_breaks_it(text: str) -> None:
    facts = extract(text)
    assert all(value is None or value >= 0 for value in facts.as_dict().values())
