"""Which open incident does a publication of ours answer, how surely, and of which kind is it?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.core.answers import Answer, OpenIncident, Publication, answers
from models.core.moment import CST
from models.core.publications import kind_of
from models.core.vocabulary import EvidenceKind

START = datetime(2026, 11, 20, 22, 40, tzinfo=CST)
FIRE = OpenIncident("i-1", "东湖化工园区恒远厂房爆炸起火", START, ("恒远化工", "东湖化工园区"), "东湖区")
WATER = OpenIncident("i-2", "西城区翠屏路一带自来水有异味", START, ("翠屏路", "自来水异味"), "西城区")


def rarity(pair: str) -> float:
    """An idf as the language has it: most pairs are rare, what every report says is not."""
    return 3.0 if pair in {"工作", "正在", "造成", "进行", "开展", "全市", "检查", "会议"} else 8.5


def published(title: str, body: str = "", after: timedelta | None = timedelta(hours=4)) -> Publication:
    return Publication(title, body, START + after if after is not None else None)


STATEMENT = published(
    "关于东湖化工园区恒远化工“11·20”爆炸事故的情况通报",
    "11月20日22时40分许,东湖化工园区恒远化工厂房发生爆炸并起火,已造成3人死亡,现场明火已扑灭。",
)


def found(item: Publication, *about: OpenIncident) -> list[Answer]:
    return answers(item, about, rarity)


def test_a_statement_about_the_incident_is_sure_and_says_why() -> None:
    (answer,) = found(STATEMENT, FIRE, WATER)
    assert (answer.incident_id, answer.sure) == ("i-1", True)
    assert answer.score > 0.95
    said = "；".join(answer.reasons)
    assert "恒远" in said
    assert "之后" in said


def test_each_incident_gets_its_own_statement() -> None:
    water = published("关于翠屏路片区自来水异味问题的回应", "经排查,翠屏路供水管道改造导致异味,已冲洗管网。")
    assert [answer.incident_id for answer in found(water, FIRE, WATER)] == ["i-2"]


@pytest.mark.parametrize(
    "other",
    [
        published(
            "关于北山煤矿爆炸事故的情况通报",
            "11月20日22时许,北山县北山煤矿发生爆炸起火,造成3人死亡,救援正在进行。",
        ),
        published("南岭化工园区一厂房起火情况通报", "南岭区南岭化工园区一厂房起火,无人员伤亡。"),
        published("关于全市化工园区安全生产大检查的通告", "即日起对各化工园区厂房开展检查。"),
        published("临江市召开安全生产工作会议", "会议强调,要深刻吸取爆炸起火事故教训。"),
        published("天气预报", "今天夜间到明天,多云。"),
        published("情况通报"),
        published(""),
    ],
)
def test_a_statement_about_something_else_with_similar_words_is_not_proposed(other: Publication) -> None:
    assert found(other, FIRE, WATER) == []
    assert found(other, FIRE) == []


@pytest.mark.parametrize("after", [timedelta(hours=-1), None])
def test_what_cannot_be_shown_to_come_after_the_incident_is_not_proposed(after: timedelta | None) -> None:
    assert found(published(STATEMENT.title, STATEMENT.body, after), FIRE) == []


def test_a_statement_about_the_same_place_months_ago_is_not_proposed() -> None:
    old = published("关于东湖化工园区恒远化工爆炸事故的调查报告", "3月2日,东湖化工园区恒远化工厂房发生爆炸。")
    assert found(old, FIRE) == []


def test_an_own_city_that_the_statement_names_is_no_other_place() -> None:
    named = published(STATEMENT.title, f"{STATEMENT.body}临江市委、市政府高度重视。")
    assert [answer.sure for answer in found(named, FIRE)] == [True]


def test_a_place_in_common_is_not_enough_where_the_matter_has_no_word_of_its_own() -> None:
    move = OpenIncident("i-3", "青山县安沙镇户口迁移", START, place="青山县")
    other = published("关于青山县安沙镇招商引资情况的答复", "青山县安沙镇已引进项目三个。")
    assert not any(answer.sure for answer in found(other, move))
    own = published("关于青山县安沙镇户口迁移的答复", "青山县安沙镇户口迁移按现行规定办理。")
    assert [answer.sure for answer in found(own, move)] == [True]


def test_two_incidents_that_fit_equally_are_both_left_to_a_person() -> None:
    twin = OpenIncident("i-9", FIRE.title, START + timedelta(hours=1), FIRE.terms, FIRE.place)
    both = found(STATEMENT, FIRE, twin)
    assert {answer.incident_id: answer.sure for answer in both} == {"i-1": False, "i-9": False}
    assert all("须由人决定" in answer.reasons[-1] for answer in both)


def test_one_statement_that_names_two_incidents_is_sure_of_each() -> None:
    joint = published(
        "关于东湖化工园区恒远厂房爆炸起火和西城区翠屏路自来水异味的情况通报",
        "东湖区东湖化工园区恒远厂房爆炸起火，已扑灭。西城区翠屏路一带自来水有异味，已冲洗管网。",
    )
    assert {answer.incident_id: answer.sure for answer in found(joint, FIRE, WATER)} == {
        "i-1": True,
        "i-2": True,
    }


@pytest.mark.parametrize(
    "other",
    [
        published("关于恒远化工有关情况的说明", "恒远化工已停产整顿，有关部门正在开展检查。"),
        published("关于东湖化工园区企业停产的说明", "东湖化工园区部分企业停产。"),
    ],
)
def test_another_matter_of_the_same_place_is_proposed_but_never_sure(other: Publication) -> None:
    (answer,) = found(other, FIRE)
    assert not answer.sure
    assert "没有提到事件发生的是什么" in "；".join(answer.reasons)


def test_nothing_open_proposes_nothing() -> None:
    assert found(STATEMENT) == []


def test_a_hostile_length_is_bounded() -> None:
    endless = published("情况通报" * 50_000, "东湖化工园区" * 100_000)
    assert all(0 <= answer.score <= 1 for answer in found(endless, FIRE))


@pytest.mark.parametrize(
    ("title", "body", "kind"),
    [
        ("东湖区爆炸事故新闻发布会文字实录", "", EvidenceKind.PRESS_CONFERENCE),
        ("市政府将于今晚召开新闻发布会", "", EvidenceKind.UPDATE),
        ("厂房爆炸事故新闻发布会公告", "", EvidenceKind.UPDATE),
        ("东湖化工园区爆炸事故续报(二)", "", EvidenceKind.UPDATE),
        ("爆炸事故情况通报（第三期）", "", EvidenceKind.UPDATE),
        ("情况通报", "", EvidenceKind.STATEMENT),
        ("关于厂房起火的情况说明", "", EvidenceKind.STATEMENT),
        ("辟谣:网传水源被投毒不实", "", EvidenceKind.CLARIFICATION),
        ("网传消息不属实", "经核实,该消息为谣言。", EvidenceKind.CLARIFICATION),
        ("市水务局答复翠屏路居民", "已冲洗管网。", EvidenceKind.RESPONSE),
        ("情况通报", "网传的说法是谣言。", EvidenceKind.STATEMENT),
    ],
)
def test_the_kind_of_evidence_is_told_from_the_words_with_the_reason(
    title: str, body: str, kind: EvidenceKind
) -> None:
    found_kind, why = kind_of(title, body)
    assert found_kind is kind
    assert "“" in why or kind is EvidenceKind.RESPONSE
