"""plans.yaml: what the language takes, and what lint says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.core.signals import RawSignal
from models.core.text import canonical
from models.core.vocabulary import Medium
from playbooks.checked import checked
from playbooks.lint import lint
from playbooks.loader import parse
from playbooks.plans import SHIPPED, shipped, unsound, watch_of
from playbooks.plans_paper import PlansSource
from playbooks.problem import Problem


def plans(text: str) -> PlansSource:
    return checked(PlansSource, parse(text, "plans.yaml"))


def problems(text: str) -> list[Problem]:
    document = parse(text, "plans.yaml")
    return sorted(unsound(document, checked(PlansSource, document)))


def fired(text: str, *titles: str) -> list[list[str]]:
    """For each title the names of the plans that fire."""
    book, found = watch_of(plans(text)).book, []
    for title in titles:
        signal = RawSignal("s", "1", Medium.HOTLINE, title, "")
        found.append([one.plan.id for one in book.fire(signal, canonical(title), "")])
    return found


WHOLE = """\
plans:
  - id: water
    name: 供水
    any: [自来水, 供水]
    none: 招聘
    near: {words: [水, 异味], within: 8}
    places: 东城区
    media: [hotline, weibo]
    at_least: {reposts: 0}
"""


def test_all_that_a_plan_writes_must_hold() -> None:
    text = WHOLE.replace("    at_least: {reposts: 0}\n", "")
    assert fired(text, "东城区自来水异味", "自来水异味", "东城区自来水异味招聘", "东城区供水停了") == [
        ["water"],
        [],
        [],
        [],
    ]


def test_a_plan_that_is_switched_off_does_not_fire() -> None:
    text = "plans:\n  - {id: a, name: 甲, any: 停水, enabled: false}\n  - {id: b, name: 乙, any: 停水}\n"
    assert fired(text, "停水") == [["b"]]


@pytest.mark.parametrize(
    ("plan", "place", "words"),
    [
        ('any: [停水, "，。"]', "2:32", "没有文字，永远不会命中"),
        ('any: [停水, ""]', "2:32", "空的词没有文字"),
        ("match: 停水 AND ！！", "2:29", "没有文字，永远不会命中"),
        ("none: [招聘]", "2:5", "没有任何要出现的词"),
        ("places: [东城区]", "2:5", "没有任何要出现的词"),
        ("match: NOT 停水", "2:5", "没有任何要出现的词"),
        ("match: 停水 OR NOT 停电", "2:5", "没有任何要出现的词"),
        ("all: [自来水厂], none: [水厂]", "2:5", "永远不会命中：要出现的 “自来水厂” 含有排除的 “水厂”"),
        ("any: [停水通知, 停水公告], none: 停水", "2:5", "永远不会命中"),
        ("any: [停水通知, 停电], none: 停水", "2:28", "“停水通知” 含有排除的 “停水”，永远不会起作用"),
        ("any: [停水, 停水通知]", "2:32", "“停水通知” 不起作用：含有 “停水”"),
        ("any: [停水, 停水]", "2:32", "写了两遍"),
        ("match: 停水 停电", "2:32", "两个词之间缺少运算符"),
        ("any: 停水, urgent: true", "2:39", "urgent 没有 owner"),
    ],
)
def test_a_plan_that_cannot_work_is_told_at_its_place(plan: str, place: str, words: str) -> None:
    found = problems(f"plans:\n  - {{id: a, name: 甲, {plan}}}\n")
    assert len(found) == 1, found
    assert f"{found[0].line}:{found[0].column}" == place
    assert words in found[0].message
    assert found[0].hint


def test_an_exclusion_in_one_field_or_at_a_distance_proves_nothing() -> None:
    assert problems("plans:\n  - {id: a, name: 甲, match: 停水通知 NOT title:停水}\n") == []
    assert problems("plans:\n  - {id: a, name: 甲, match: 停水 NOT (停 NEAR/3 水)}\n") == []
    assert problems("plans:\n  - {id: a, name: 甲, match: email NOT ai}\n") == []


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("any: [停水]", "any: [小区停水]", "“乙” 命中时 “甲” 必定也命中"),
        ("any: [停水]", "all: [停水, 小区]", "“乙” 命中时 “甲” 必定也命中"),
        ("any: [停水], none: 停水演练", "any: [停水], none: 演练", "“乙” 命中时 “甲” 必定也命中"),
        ("any: [停水]", "any: [停水]", "“乙” 命中时 “甲” 必定也命中"),
        ("any: [停水], none: 演练", "any: [小区停水]", None),
        ("any: [停水]", "any: [小区停水], grade: II", None),
        ("any: [停水], places: [东城区]", "any: [小区停水]", None),
        ("any: [停水], grade: I", "any: [小区停水], grade: II, places: 东城区", "“乙” 命中时 “甲”"),
        ("any: [停水]", "any: [停水], owner: li", None),
        ("match: title:停水", "any: [停水]", None),
    ],
)
def test_a_plan_in_anothers_shadow_is_told(one: str, other: str, told: str | None) -> None:
    found = problems(f"plans:\n  - {{id: a, name: 甲, {one}}}\n  - {{id: b, name: 乙, {other}}}\n")
    assert [told is not None and told in problem.message for problem in found] == ([True] if told else [])
    assert all(problem.warning for problem in found)


def test_lint_names_owners_and_sources_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("name: 甲\n", encoding="utf-8")
    (tmp_path / "roster.yaml").write_text(
        "units: [{id: office, name: 办}]\npeople: [{id: chen, name: 陈, unit: office}]\n", encoding="utf-8"
    )
    (tmp_path / "plans.yaml").write_text(
        "plans:\n  - {id: a, name: 甲, any: 停水, owner: chenn, sources: hotlin}\n", encoding="utf-8"
    )
    told = [str(problem) for problem in lint([tmp_path]) if problem.file.endswith("plans.yaml")]
    assert any("2:38: 没有人员或单位 “chenn”，是不是 “chen”？" in line for line in told), told
    assert any("sources.yaml 里没有信源 “hotlin”" in line for line in told), told


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("by: place", "count 和 chance 要写且只写一个"),
        ("by: place, count: 20, chance: 0.001", "count 和 chance 要写且只写一个"),
        ("by: palce, count: 20", "是不是 “place”？"),
        ("count: 20, within: PT48H", "within 最长 24 小时"),
    ],
)
def test_a_rule_for_bursts_says_how_it_is_wrong(tmp_path: Path, rule: str, words: str) -> None:
    file = tmp_path / "plans.yaml"
    file.write_text(f"bursts:\n  - {{id: a, name: 甲, {rule}}}\n", encoding="utf-8")
    assert [words in str(problem) for problem in lint([file])] == [True]


def test_twenty_tickets_of_one_place_in_two_hours_is_shipped() -> None:
    assert lint([SHIPPED]) == []
    rule = next(rule for rule in shipped().bursts if rule.id == "place-tickets")
    assert (rule.by, rule.count, rule.within.total_seconds()) == ("place", 20, 7200)


def test_a_sites_rule_takes_the_shipped_ones_place_and_may_be_off() -> None:
    own = "bursts:\n  - {id: place-tickets, name: 我们的, by: place, count: 30}\n"
    off = own + "  - {id: topic-usual, name: 停用, enabled: false}\n"
    ids = [rule.id for rule in shipped().bursts]
    assert {rule.id: rule.count for rule in watch_of(plans(own)).bursts}["place-tickets"] == 30
    assert [rule.id for rule in watch_of(plans(off)).bursts] == [
        name for name in ids if name != "topic-usual"
    ]
