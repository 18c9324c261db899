"""Keyword plans: which fire, by which words, and that none touches another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.plans import All, AnyOf, Fired, Near, Not, Plan, PlanBook, Rule, Scope, Word
from models.core.signals import RawSignal
from models.core.text import canonical
from models.core.vocabulary import Medium
from playbooks.plan_words import PlanSyntax, rule_of


def said(title: str, body: str = "", **more: object) -> RawSignal:
    given = {"source_id": "weibo", "medium": Medium.WEIBO, **more}
    return RawSignal(external_id="1", title=title, body=body, **given)  # type: ignore[arg-type]


def fire(plans: PlanBook | Plan, signal: RawSignal) -> tuple[Fired, ...]:
    book = plans if isinstance(plans, PlanBook) else PlanBook([plans])
    return book.fire(signal, canonical(signal.title), canonical(signal.body))


def plan(match: str, id_: str = "p", **more: object) -> Plan:
    return Plan(id_, id_, rule_of(match), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "text", "fires"),
    [
        ("自来水 AND 异味", "小区自来水有股异味", True),
        ("自来水 AND 异味", "小区自来水停了", False),
        ("自来水 OR 供水", "供水管爆了", True),
        ("自来水 NOT 招聘", "自来水公司招聘", False),
        ("自来水 AND NOT 招聘", "自来水公司停水", True),
        ("自来水 NEAR/3 异味", "自来水有股异味", True),
        ("自来水 NEAR/3 异味", "自来水公司昨天说没有闻到异味", False),
        ("自来水 NEAR/3 异味", "异味来自自来水", True),
        ("自来水 NEAR/3 (异味 OR 发黄)", "自来水都发黄了", True),
        ("(停水 OR 停电) AND (小区 OR 学校) NOT (公告 OR 通知)", "学校停电", True),
        ("(停水 OR 停电) AND (小区 OR 学校) NOT (公告 OR 通知)", "学校停电通知", False),
        ("自来水", "家裡自來水發黃", True),  # Traditional
        ("NO.3", "ＮＯ．３ 机组", True),  # full width
        ("自来水", "自\u200b来\u200b水", True),  # zero width
        ("ai", "用 AI 写的", True),
        ("ai", "我的 email 被盗", False),
        ('"two words"', "these two words here", True),
        ("停水 或 停电", "停电了", True),
    ],
)
def test_a_plan_fires_as_it_reads(match: str, text: str, fires: bool) -> None:
    assert bool(fire(plan(match), said(text))) is fires


@pytest.mark.parametrize(
    ("match", "title", "body", "fires"),
    [
        ("title:停水", "停水了", "", True),
        ("title:停水", "求助", "停水了", False),
        ("正文:停水", "求助", "停水了", True),
        ("标题：(停水 OR 停电)", "停电", "", True),
        ("停水 NEAR/5 小区", "停水", "小区", False),  # not across title and body
        ("停水 AND 小区", "停水", "小区", True),
        ("body:(停水 NEAR/5 小区)", "停水小区", "无关", False),
    ],
)
def test_title_and_body_are_told_apart(match: str, title: str, body: str, fires: bool) -> None:
    assert bool(fire(plan(match), said(title, body))) is fires


@pytest.mark.parametrize(
    ("scope", "signal", "fires"),
    [
        (Scope(places=("东城区",)), said("停水", place="临江市东城区"), True),
        (Scope(places=("东城区",)), said("停水", place="西城区"), False),
        (Scope(places=("东城区",)), said("东城区停水"), True),
        (Scope(places=("东城区",)), said("东城区停水", place="西城区"), False),
        (Scope(sources=frozenset({"hotline"})), said("停水"), False),
        (Scope(sources=frozenset({"weibo"})), said("停水"), True),
        (Scope(media=frozenset({Medium.HOTLINE})), said("停水"), False),
        (Scope(least={"reposts": 100}), said("停水", metrics={"reposts": 100}), True),
        (Scope(least={"reposts": 100, "reads": 1}), said("停水", metrics={"reposts": 100}), False),
    ],
)
def test_a_plan_looks_only_where_it_is_told_to(scope: Scope, signal: RawSignal, fires: bool) -> None:
    assert bool(fire(plan("停水", scope=scope), signal)) is fires


def test_the_reason_names_the_words_in_the_order_of_the_text() -> None:
    found = fire(Plan("water", "供水", rule_of("异味 AND 自来水")), said("自来水", "有股异味"))
    assert [one.reason for one in found] == ["监测方案 供水: 自来水 … 异味"]


def test_what_one_plan_excludes_never_touches_another() -> None:
    book = PlanBook([plan("停水 NOT 演练", "strict"), plan("停水", "open"), plan("演练", "drill")])
    assert [one.plan.id for one in fire(book, said("停水应急演练"))] == ["open", "drill"]


def test_an_empty_book_fires_nothing() -> None:
    assert fire(PlanBook(), said("停水")) == ()


def test_a_hostile_repetition_ends() -> None:
    book = PlanBook([plan("停 NEAR/3 水 AND 电"), plan("停停 OR 停停停")])
    assert [one.plan.rule for one in fire(book, said("停" * 50_000))] == [rule_of("停停 OR 停停停")]


@pytest.mark.parametrize(
    ("match", "at", "words"),
    [
        ("自来水 异味", 4, "两个词之间缺少运算符"),
        ("(停水 OR 停电", 9, "括号没有闭合"),
        ("停水)", 2, "多出右括号"),
        ("停水 AND", 6, "这里缺少一个词"),
        ("停水 and 停电", 3, "像是运算符"),
        ('"停水', 0, "引号没有闭合"),
        ("停水 NEAR/900 停电", 3, "NEAR 最多隔"),
        ("停水 NEAR (小区 AND 学校)", 0, "NEAR 两边只能是词"),
        ("title:停水 NEAR body:停电", 0, "NEAR 两边要在同一处"),
        ("", 0, "这里缺少一个词"),
        ("(" * 30 + "停", 21, "括号嵌套"),
    ],
)
def test_a_slip_in_an_expression_is_told_at_its_character(match: str, at: int, words: str) -> None:
    with pytest.raises(PlanSyntax, match=words) as found:
        rule_of(match)
    assert found.value.at == at
    assert found.value.hint


WORDS = st.sampled_from(["停", "水", "停水", "电", "停电", "味"])
RULES = st.recursive(
    WORDS.map(Word),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=6,
)


def plainly(rule: Rule, text: str) -> bool:
    """The meaning of a rule, in the simplest words."""
    match rule:
        case Word():
            return rule.text in text
        case Not():
            return not plainly(rule.part, text)
        case All():
            return all(plainly(part, text) for part in rule.parts)
        case AnyOf():
            return any(plainly(part, text) for part in rule.parts)
        case Near():
            raise AssertionError("not drawn here")


@given(st.lists(RULES, min_size=1, max_size=4), st.text("停水电味无", max_size=12))
def test_many_plans_together_fire_as_each_would_alone(rules: list[Rule], text: str) -> None:
    plans = [Plan(str(n), str(n), All((Word("停"), rule))) for n, rule in enumerate(rules)]
    together = {one.plan.id for one in fire(PlanBook(plans), said(text))}
    assert together == {p.id for p in plans if plainly(p.rule, text)}
