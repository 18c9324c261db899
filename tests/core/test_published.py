"""A page among menus and neighbours says what was approved, or how it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.published import differences, in_words, is_due
from support.duty import HOUR, MIDNIGHT, MINUTE

APPROVED = "21日2时，园区起火，造成2人死亡。伤者已送医救治。\n\n明火已于5时扑灭。下一步将查明原因。"
PAGE = "首页 > 通知\n来源：市政府 发布时间：2026-11-21\n{}\n上一篇：征求意见公告。"


def told(page: str) -> str:
    return in_words(differences(APPROVED, PAGE.format(page)))


def test_the_same_words_among_menus_are_the_same() -> None:
    assert told(APPROVED) == ""
    assert told(APPROVED.replace("\n\n", "").replace("，", ",").replace("2人", " 2 人 ")) == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2人死亡", "3人死亡", "(2→3)"),
        ("伤者已送医救治。", "", "缺少“伤者已送医救治。”"),
        ("下一步", "企业负责人已被控制。下一步", "多出“企业负责人已被控制。”"),
        ("5时", "6时", "(5→6)"),
    ],
)
def test_a_change_is_told_with_its_words(old: str, new: str, words: str) -> None:
    assert words in told(APPROVED.replace(old, new))


def test_an_altered_sentence_is_told_once_and_not_as_two() -> None:
    assert len(differences(APPROVED, PAGE.format(APPROVED.replace("2人死亡", "3人死亡")))) == 1


def test_short_lines_and_headings_of_the_page_are_no_differences() -> None:
    approved = "园区起火。\n\n疏散群众\n\n火已扑灭。"
    page = "首页\n通报\n事实\n园区起火。\n措施\n疏散群众\n结果\n火已扑灭。\n关于我们"
    assert differences(approved, page, "通报\n事实\n措施\n结果") == ()
    assert in_words(differences(approved, page.replace("疏散群众", "群众在家"), "事实\n措施\n结果")) != ""


def test_a_page_of_something_else_lacks_every_sentence() -> None:
    assert len(differences(APPROVED, "欢迎访问本站。登录。")) == 4


def test_many_differences_are_counted() -> None:
    many = "".join(f"第{n}项工作已经完成。" for n in range(9))
    assert in_words(differences(many, "首页")).endswith("另有 3 处")


@pytest.mark.parametrize(
    ("age", "compared", "is_it"),
    [
        (timedelta(0), None, True),
        (5 * MINUTE, timedelta(0), False),
        (10 * MINUTE, timedelta(0), True),
        (30 * MINUTE, 10 * MINUTE, False),
        (HOUR, 10 * MINUTE, True),
        (25 * HOUR, 2 * HOUR, True),
        (26 * HOUR, 25 * HOUR, False),
        (9 * MINUTE, None, True),
        (15 * MINUTE, None, False),
        (20 * MINUTE, None, True),
        (80 * HOUR, None, False),
        (80 * HOUR, HOUR, False),
    ],
)
def test_a_page_is_compared_at_once_and_three_times_more(
    age: timedelta, compared: timedelta | None, is_it: bool
) -> None:
    then = MIDNIGHT + compared if compared is not None else None
    assert is_due(MIDNIGHT, then, MIDNIGHT + age) is is_it


WORDS = st.text(st.sampled_from("园区起火死亡2人。；，\n 来源:"), max_size=120)


@given(text=WORDS)
def test_a_text_is_the_same_as_itself(text: str) -> None:
    assert differences(text, text) == ()


@given(text=WORDS, page=WORDS)
def test_any_page_is_compared_to_its_end(text: str, page: str) -> None:
    assert all(change.approved or change.found for change in differences(text, page))


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("来源：另有10人死亡。", "多出“来源:另有10人死亡。”"),
        ("据现场打印的材料，另有10人死亡", "多出“据现场打印的材料,另有10人死亡”"),
        ("来源：市应急管理局通报中另行说明的伤亡人数为十人以上", "多出“来源:"),
        ("【打印】【关闭窗口】", ""),
        ("浏览次数：120", ""),
    ],
)
def test_only_a_short_line_of_the_pages_own_is_passed_over(added: str, words: str) -> None:
    said = told(APPROVED.replace("\n\n", f"\n{added}\n"))
    assert words in said and bool(words) == bool(said)


def test_sentences_in_another_order_are_told() -> None:
    first, rest = APPROVED.split("伤者已送医救治。")
    assert told("伤者已送医救治。" + first + rest) == "“伤者已送医救治。”换了位置"


def test_a_beginning_that_a_page_shows_twice_is_no_difference() -> None:
    assert told("摘要：\n21日2时，园区起火，造成2人死亡。\n" + APPROVED) == ""
