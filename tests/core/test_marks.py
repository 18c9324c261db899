"""The words that made the facts, marked on the very text that is shown."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.console.highlights import pieces
from models.core.marks import Mark, MarkKind, Plan, marks, plan_of, split

DAY = date(2026, 11, 21)


def said(text: str, plans: tuple[Plan, ...] = (), when: str = "") -> list[tuple[str, str, str]]:
    return [(text[m.start : m.end], m.kind.value, m.why) for m in marks(text, DAY, plans, when)]


def test_the_words_of_a_count_are_marked_with_what_was_read_from_them() -> None:
    assert ("5人死亡", "fact", "死亡 5 人") in said("临江市一化工厂爆炸，已造成5人死亡")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("造成５人死亡", "５人死亡"),
        ("造成 5 人 死亡", "5 人 死亡"),
        ("造成5人\u200b死亡", "5人\u200b死亡"),
        ("傷亡慘重：二十余人受傷", "二十余人受傷"),
        ("ＡＢＣ園區造成5人死亡", "5人死亡"),
    ],
)
def test_a_span_lies_on_the_shown_characters_however_they_are_written(text: str, words: str) -> None:
    assert words in [shown for shown, kind, _ in said(text) if kind == "fact"]


def test_an_earlier_event_is_marked_as_not_counted() -> None:
    found = {shown: why for shown, kind, why in said("去年该厂曾致3人死亡") if kind == "past"}
    assert found == {"3人死亡": "死亡 3 人，说的是从前，不计入"}


def test_a_plans_words_are_marked_wherever_they_stand_with_its_name() -> None:
    plan = plan_of("监测方案 供水: 自来水 … 异味")
    assert plan == Plan("供水", ("自来水", "异味"))
    found = [(shown, why) for shown, kind, why in said("自来水有异味，自来水发黄", (plan,)) if kind == "plan"]
    assert found == [("自来水", "监测方案“供水”"), ("异味", "监测方案“供水”"), ("自来水", "监测方案“供水”")]
    assert plan_of("述及死亡") is None


def test_a_school_alone_is_not_sensitive_but_a_school_with_bad_food_is() -> None:
    assert "sensitive" not in [kind for _, kind, _ in said("第三小学食堂今日开放参观")]
    assert ("食堂", "sensitive", "学校") in said("第三小学食堂有学生腹泻呕吐")


def test_two_marks_never_lie_over_each_other_and_the_count_wins() -> None:
    found = marks("5人死亡，死亡", DAY)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert found[0].kind is MarkKind.FACT


def test_the_time_of_the_event_is_marked_by_its_words() -> None:
    assert ("昨日凌晨2时许", "time", "发生时间") in said("昨日凌晨2时许，一辆货车侧翻", when="昨日凌晨2时许")


def test_the_marks_of_a_title_and_a_body_are_parted_where_the_two_meet() -> None:
    found = [Mark(0, 2, MarkKind.FACT, "a"), Mark(2, 5, MarkKind.HARM, "b"), Mark(4, 6, MarkKind.HARM, "c")]
    first, second = split(found, 3)
    assert [(m.start, m.end) for m in first] == [(0, 2)]
    assert [(m.start, m.end) for m in second] == [(0, 2)]


@given(st.text(alphabet="5五死亡人受傷ＡＢ ，\n\u200b<>&爆炸\U0001f525é", max_size=60))
def test_whatever_the_text_the_marks_lie_in_it_and_its_pieces_are_the_text_again(text: str) -> None:
    found = marks(text, DAY, (Plan("p", ("爆炸", "受伤")),))
    assert all(0 <= m.start < m.end <= len(text) for m in found)
    shown = [{"start": m.start, "end": m.end} for m in found]
    parts = pieces(text, shown)
    assert "".join(part["text"] for part in parts) == text
    assert sum(part["mark"] is not None for part in parts) == len(found)
