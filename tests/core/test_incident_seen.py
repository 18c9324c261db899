"""What an incident's page is drawn from: spread, likeness, bounds, labels."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.classify.judge import Judge
from models.core import bounds, labels
from models.core.labels import Label
from models.core.moment import CST
from models.core.resembling import LEAST, Trace, resembling
from models.core.spread import Heard, first_of, order, shares
from models.core.vocabulary import EventType, OpinionKind
from playbooks.grading_paper import shipped

BEGAN = datetime(2026, 11, 21, 2, 0, tzinfo=CST)


def heard(number: int, minutes: int, medium: str, negative: bool = False, place: str | None = None) -> Heard:
    moment = BEGAN + timedelta(minutes=minutes)
    return Heard(number, moment, negative, medium, f"{medium}一号", "城乡建设", place)


NIGHT = [
    heard(1, 30, "微博", True),
    heard(2, 0, "论坛"),
    heard(3, 40, "微博"),
    heard(4, 5, "媒体", place="临江市"),
]


def test_each_platform_says_how_many_how_bad_and_who_was_first_on_it() -> None:
    (top, *_) = shares(NIGHT, lambda one: one.medium)
    assert (top.name, top.count, top.negative, top.first.id) == ("微博", 2, 1, 1)
    assert top.last_at == BEGAN + timedelta(minutes=40)


def test_the_way_the_news_took_is_by_when_each_platform_was_reached() -> None:
    assert [share.name for share in order(shares(NIGHT, lambda one: one.medium))] == ["论坛", "媒体", "微博"]
    first = first_of(NIGHT)
    assert first is not None
    assert first.id == 2
    assert first_of([]) is None


def test_what_names_no_place_is_in_no_place() -> None:
    assert [(share.name, share.count) for share in shares(NIGHT, lambda one: one.place)] == [("临江市", 1)]


# ── likeness ──────────────────────────────────────────────────────────────────────────────────

FIRE = Trace("1", "江东化工园区储罐起火，3人死亡", "major_problem", "accident", "临江市", {"deaths": 3})
PAST = [
    Trace("2", "江北化工园区罐区起火", "major_problem", "accident", "临江市江北区", {"deaths": 5}),
    Trace("3", "望江路停水两天", "hardship", None, "临江市"),
    Trace("4", "第三小学食堂学生腹泻", "major_problem", "public_health", "临江市", {"hospitalised": 12}),
    Trace("5", "高速公路大巴追尾", None, "accident", None, {"deaths": 2}),
]


def test_the_likest_past_incident_comes_first_with_its_reasons() -> None:
    (best, *_) = resembling(FIRE, PAST)
    assert best.id == "2"
    assert {"同为火灾", "同属事故灾难", "同在临江市", "同类舆情（重大问题）"} <= set(best.reasons)
    assert any("化工园区" in reason for reason in best.reasons)
    assert any("都有死亡（3 与 5 人）" in reason for reason in best.reasons)


def test_what_shares_only_the_city_is_not_called_alike() -> None:
    assert "3" not in [found.id for found in resembling(FIRE, PAST)]
    assert all(found.score >= LEAST for found in resembling(FIRE, PAST))


def test_an_incident_is_not_like_itself_and_alone_it_is_like_nothing() -> None:
    assert resembling(FIRE, [FIRE]) == []
    assert resembling(FIRE, []) == []


def test_the_same_title_is_as_alike_as_can_be_in_words() -> None:
    twin = Trace("9", FIRE.title, FIRE.kind, FIRE.event_type, FIRE.place, FIRE.facts)
    (found,) = [one for one in resembling(FIRE, [*PAST, twin]) if one.id == "9"]
    assert found.score == 1.0


def test_titles_without_a_letter_break_nothing() -> None:
    assert resembling(Trace("1", "！！"), [Trace("2", ""), Trace("3", "！！")]) == []


# ── bounds ────────────────────────────────────────────────────────────────────────────────────


def test_the_bounds_name_each_level_with_what_is_known_beside_it() -> None:
    table = bounds.applying([], EventType.ACCIDENT, shipped())
    assert "493" in table.document
    found = bounds.bounds(table, {"deaths": 12, "loss_cny": 3e7})
    assert [level["grade"] for level in found[:3]] == ["I", "II", "III"]
    rows = {(level["grade"], row["words"]): row for level in found for row in level["rows"]}
    assert rows["II", "死亡 ≥ 10 人"] == {"words": "死亡 ≥ 10 人", "have": "12 人", "reached": True}
    assert not rows["I", "死亡 ≥ 30 人"]["reached"]
    assert rows["III", "损失 ≥ 1000 万元"]["have"] == "3000 万元"
    assert rows["III", "重伤 ≥ 10 人"]["have"] == "未见说明"


def test_the_table_that_the_grade_cites_is_the_one_that_is_shown() -> None:
    quake = shipped().tables["earthquake"]
    assert bounds.applying([quake.facts[1]], EventType.ACCIDENT, shipped()) is quake


def test_an_earthquake_counts_the_missing_among_the_dead() -> None:
    assert bounds.value({"deaths": 3, "missing": 4}, "dead_or_missing") == 7
    assert bounds.value({}, "dead_or_missing") is None


# ── labels ────────────────────────────────────────────────────────────────────────────────────


def test_the_topics_that_may_be_given_are_those_that_the_judge_knows() -> None:
    assert set(labels.TOPICS) == set(Judge.load().topics)
    assert set(labels.VALUES[Label.KIND]) == set(OpinionKind)


def test_a_value_that_is_none_is_refused_with_those_that_are() -> None:
    assert labels.why_not(Label.SENTIMENT, "neg") is None
    assert labels.why_not(Label.SENTIMENT, "bad") == (
        "情感没有 “bad” 这个值；可用: neg(负面)、neu(中性)、pos(正面)"
    )


def test_a_rumour_is_kept_as_a_chance_and_read_as_a_word() -> None:
    assert [labels.kept(Label.RUMOUR, value) for value in ("yes", "no")] == [1.0, 0.0]
    assert [labels.read(Label.RUMOUR, chance) for chance in (0.5, 0.49, None)] == ["yes", "no", "no"]
    assert labels.read(Label.KIND, None) is None
    assert labels.shown(Label.KIND, None) == "未定"
