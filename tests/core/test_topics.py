"""A text in a site's own tree of topics, by the words of its labels."""

from __future__ import annotations

import time

from models.core.cluster import uniform
from models.core.text import canonical
from models.core.topics import MOST, Tree

TREE = (
    ("市政公用", "供水服务", "水压不足"),
    ("市政公用", "供水服务", "水质浑浊"),
    ("市政公用", "供水服务", "其他"),
    ("市政公用", "路灯照明", "路灯不亮"),
    ("市政公用", "路灯照明", "其他"),
    ("文化旅游", "景区管理", "门票退费"),
    ("文化旅游", "图书馆", "开放时间"),
    ("政务服务", "办事大厅"),
)


def test_a_text_goes_where_the_labels_share_its_words() -> None:
    filing = Tree(TREE, uniform).file("小区水质浑浊发黄，自来水供水公司没人来看")
    second, third = filing.placed
    assert (second.path, second.level, second.unsure) == (("市政公用", "供水服务"), 2, False)
    assert (third.label, third.level, third.unsure) == ("水质浑浊", 3, False)
    assert 0 < third.score <= 1
    assert "市政公用 / 供水服务 / 水质浑浊" in filing.reason
    assert "“水质”" in filing.reason


def test_two_labels_that_are_as_near_ask_a_person() -> None:
    filing = Tree(TREE, uniform).file("投诉景区管理和办事大厅")
    assert filing.unsure
    assert filing.reason.startswith("主题二级不确定：")
    assert "景区管理" in filing.reason
    assert "办事大厅" in filing.reason


def test_a_third_level_in_doubt_leaves_the_second_sure() -> None:
    filing = Tree(TREE, uniform).file("供水服务热线：水质水压都不行")
    assert not filing.unsure
    assert filing.placed[1].unsure
    assert "三级不确定" in filing.reason


def test_no_word_in_common_is_said_and_places_nothing() -> None:
    filing = Tree(TREE, uniform).file("zzz")
    assert filing.placed == ()
    assert filing.unsure
    assert filing.reason == "主题二级不确定：与分类表没有共同的字词，请人工归类"
    assert Tree(TREE, uniform).file("").placed == ()


def test_a_leftover_label_draws_nothing_and_two_levels_are_enough() -> None:
    tree = Tree(TREE, uniform)
    assert all(one.label != "其他" for one in tree.file("其他其他其他路灯照明").placed)
    assert [one.path for one in tree.file("办事大厅排队").placed] == [("政务服务", "办事大厅")]


def test_a_first_level_that_is_known_to_be_wrong_is_left_out() -> None:
    tree = Tree(TREE, uniform)
    text = "供水服务差，去景区管理处投诉也没用，供水"
    assert tree.file(text).placed[0].path[0] == "市政公用"
    assert tree.file(text, without=["市政公用"]).placed[0].path == ("文化旅游", "景区管理")


def test_a_likely_first_level_decides_where_words_alone_would_not() -> None:
    twins = (("城市建设", "安全生产", "事故处理"), ("经济管理", "安全生产", "事故处理"))
    tree = Tree(twins, uniform)
    assert tree.file("工地安全生产事故").unsure
    (second, third) = tree.file("工地安全生产事故", likely="经济管理").placed
    assert (second.path[0], second.unsure, third.unsure) == ("经济管理", True, True)
    assert tree.file("城市建设安全生产事故", likely="经济管理").placed[0].path[0] == "城市建设"


def test_ten_thousand_labels_are_matched_in_bounded_time() -> None:
    words = [chr(0x4E00 + n) for n in range(2_000)]
    paths = [
        (f"类{n % 20}", f"管理{words[n % 997]}{words[n % 613]}", f"管理{words[n % 1999]}{words[n % 1009]}{n}")
        for n in range(MOST)
    ]
    tree = Tree(paths, uniform)
    text = canonical("管理".join(words))[:4_000]
    begun = time.process_time()
    tree.file(text)
    assert time.process_time() - begun < 5  # about 0.02 s alone
