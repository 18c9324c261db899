from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest

from connectors.watch import OpenIncident, Proposal, kind_of, propose
from models.core.moment import CST
from models.core.signals import RawSignal
from models.core.vocabulary import EvidenceKind, Medium

START = datetime(2026, 11, 20, 22, 40, tzinfo=CST)
FIRE = OpenIncident("i-1", "东湖化工园区恒远厂房爆炸起火", START, ("恒远化工", "东湖化工园区"), "东湖区")
WATER = OpenIncident("i-2", "西城区翠屏路一带自来水有异味", START, ("翠屏路", "自来水异味"), "西城区")


def published(title: str, body: str = "", after: timedelta | None = timedelta(hours=4)) -> RawSignal:
    at = START + after if after is not None else None
    return RawSignal(
        "release",
        title,
        Medium.OFFICIAL,
        title,
        body,
        url="http://gov.example/1",
        author="临江发布",
        published_at=at,
    )


STATEMENT = published(
    "关于东湖化工园区恒远化工“11·20”爆炸事故的情况通报",
    "11月20日22时40分许,东湖化工园区恒远化工厂房发生爆炸并起火,已造成3人死亡,现场明火已扑灭。",
)


def one(entry: RawSignal, *incidents: OpenIncident) -> Proposal | None:
    found = propose([entry], incidents)
    return found[0] if found else None


def test_a_statement_about_the_incident_is_proposed_with_proof_and_reason() -> None:
    found = one(STATEMENT, FIRE, WATER)
    assert found is not None
    assert (found.incident_id, found.url, found.publisher) == ("i-1", "http://gov.example/1", "临江发布")
    assert found.kind is EvidenceKind.STATEMENT
    assert found.sha256 == hashlib.sha256(found.snapshot.encode()).hexdigest()
    assert STATEMENT.title in found.snapshot
    assert "恒远" in found.reason
    assert "之后" in found.reason


def test_each_incident_gets_its_own_statement() -> None:
    water = published("关于翠屏路片区自来水异味问题的回应", "经排查,翠屏路供水管道改造导致异味,已冲洗管网。")
    assert [found.incident_id for found in propose([water, STATEMENT], [FIRE, WATER])] == ["i-2", "i-1"]


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
def test_a_statement_about_something_else_with_similar_words_is_not_proposed(other: RawSignal) -> None:
    assert one(other, FIRE, WATER) is None
    assert one(other, FIRE) is None


def test_what_was_published_before_the_incident_is_not_proposed() -> None:
    early = published(STATEMENT.title, STATEMENT.body, after=timedelta(hours=-1))
    assert one(early, FIRE) is None


def test_what_has_no_time_cannot_be_shown_to_come_after() -> None:
    assert one(published(STATEMENT.title, STATEMENT.body, after=None), FIRE) is None


def test_a_statement_about_the_same_place_months_ago_is_not_proposed() -> None:
    old = published("关于东湖化工园区恒远化工爆炸事故的调查报告", "3月2日,东湖化工园区恒远化工厂房发生爆炸。")
    assert one(old, FIRE) is None


def test_two_incidents_that_fit_equally_are_left_to_a_person() -> None:
    twin = OpenIncident("i-9", FIRE.title, START + timedelta(hours=1), FIRE.terms, FIRE.place)
    assert one(STATEMENT, FIRE, twin) is None


def test_nothing_open_proposes_nothing() -> None:
    assert propose([STATEMENT], []) == []


@pytest.mark.parametrize(
    ("title", "body", "kind"),
    [
        ("东湖区爆炸事故新闻发布会文字实录", "", EvidenceKind.PRESS_CONFERENCE),
        ("市政府将于今晚召开新闻发布会", "", EvidenceKind.UPDATE),
        ("厂房爆炸事故新闻发布会公告", "", EvidenceKind.UPDATE),
        ("东湖化工园区爆炸事故续报(二)", "", EvidenceKind.UPDATE),
        ("情况通报", "", EvidenceKind.STATEMENT),
        ("关于厂房起火的情况说明", "", EvidenceKind.STATEMENT),
        ("辟谣:网传水源被投毒不实", "", EvidenceKind.CLARIFICATION),
        ("网传消息不属实", "经核实,该消息为谣言。", EvidenceKind.CLARIFICATION),
        ("市水务局答复翠屏路居民", "已冲洗管网。", EvidenceKind.RESPONSE),
        ("情况通报", "网传的说法是谣言。", EvidenceKind.STATEMENT),
    ],
)
def test_the_kind_of_evidence_is_guessed_from_the_words(title: str, body: str, kind: EvidenceKind) -> None:
    assert kind_of(title, body) is kind
