"""The language beyond one clock: chains, variables, grade rules, ladders, review, sources, shadows."""

from pathlib import Path

import pytest

from models.core.clock import plan
from models.core.situation import Situation
from models.core.vocabulary import Grade, Medium, OpinionKind, StartEvent
from playbooks.book import Library, Playbook
from playbooks.lint import lint
from playbooks.problem import Problem
from playbooks.shelf import read_playbooks, read_profile, shelve
from support.duty import HOUR, MIDNIGHT

CHAIN = """\
id: fire
name: 火情上报
trigger: {when: true}
variables:
  first_within: {value: PT2H, about: 第一级上报}
  quiet: {value: 24, about: 几小时算平静}
clocks:
  - {id: fire_one, name: 报市, amount: $first_within, start: receipt, stop: {evidence: report_receipt}}
  - {id: fire_two, name: 报省, amount: PT2H, start: {after: fire_one}, stop: {evidence: report_receipt}}
  - id: fire_three
    name: 报部
    applies_when: quiet_hours < $quiet
    amount: PT1H
    start: {after: fire_two}
    stop: {evidence: report_receipt}
"""


def findings(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in lint([path])]


def book(tmp_path: Path, text: str) -> Playbook:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    library = shelve([], read_playbooks([path], problems), problems)
    assert problems == []
    return library.playbooks[-1]


# ── chains ────────────────────────────────────────────────────────────────────────────────────


def test_a_chain_is_sound_and_compiles(tmp_path: Path) -> None:
    assert findings(tmp_path, CHAIN) == []
    rules = book(tmp_path, CHAIN).clock_rules(Situation(Grade.III))
    assert [(rule.id, rule.start, rule.after) for rule in rules] == [
        ("fire_one", StartEvent.RECEIPT, ""),
        ("fire_two", StartEvent.AFTER, "fire_one"),
        ("fire_three", StartEvent.AFTER, "fire_two"),
    ]


def test_a_link_is_planned_from_the_end_before_it_and_not_without_it(tmp_path: Path) -> None:
    one, two, _ = book(tmp_path, CHAIN).clock_rules(Situation(Grade.III))
    times = {StartEvent.RECEIPT: MIDNIGHT}
    assert plan(two, times) is None
    planned = plan(two, times, ends={"fire_one": MIDNIGHT + HOUR})
    assert planned is not None
    assert (planned.start_event, planned.due_at) == (StartEvent.AFTER, MIDNIGHT + 3 * HOUR)
    assert planned.reason == "自前一时钟停止 11-21 01:00 起 2 小时"
    assert plan(one, times, ends={"fire_two": MIDNIGHT}) == plan(one, times)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("{after: fire_one}", "{after: fire_on}", "p.yaml:9:59: 没有时钟 “fire_on”，是不是 “fire_one”？"),
        ("{after: fire_one}", "{after: fire_two}", "时钟互相等待，永远不会开始：fire_two → fire_two"),
        ("start: receipt", "start: {after: fire_three}", "fire_one → fire_three → fire_two → fire_one"),
        ("{after: fire_one}", "after", "after 要写明是哪个时钟（写 start: {after: 时钟标识}）"),
        ("{after: fire_one}", "{after: fire_one}, fallback: discovery", "链式起算只认前一个时钟停止之时"),
        ("{after: fire_one}", "{aftr: fire_one}", "未知的键 “aftr”，是不是 “after”？"),
    ],
)
def test_a_chain_that_cannot_start_is_told(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    found = findings(tmp_path, CHAIN.replace(right, wrong, 1))
    assert any(expected in line for line in found), found


# ── variables ─────────────────────────────────────────────────────────────────────────────────


def test_a_variable_stands_for_its_value_in_a_limit_and_in_a_condition(tmp_path: Path) -> None:
    rules = book(tmp_path, CHAIN).clock_rules(Situation(Grade.III, quiet_hours=30))
    assert [(rule.id, rule.amount) for rule in rules] == [("fire_one", 2 * HOUR), ("fire_two", 2 * HOUR)]


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("$first_within,", "$first_withn,", "p.yaml:8:38: 没有变量 “$first_withn”，是不是 “first_within”？"),
        (
            "< $quiet",
            "< $quite",
            "p.yaml:12:19: 没有变量 “$quite”，是不是 “quiet”？（可用：first_within、quiet）",
        ),
        ("value: PT2H", "value: 2小时", "p.yaml:5:25: “2小时” 不是时长（写成 PT2H）"),
        ("value: 24,", 'value: "很久",', "p.yaml:12:19: 条件比较了不同类型的值"),
        ("quiet_hours < $quiet", "quiet_hours < 24", "p.yaml:6:3: 提醒：变量 “quiet” 没有用到"),
    ],
)
def test_a_slip_with_a_variable_is_told(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    found = findings(tmp_path, CHAIN.replace(right, wrong, 1))
    assert any(line.startswith(expected) for line in found), found


def under(tmp_path: Path, more: str) -> tuple[Library, list[str]]:
    """The shipped library under a profile of our own."""
    path = tmp_path / "our.yaml"
    path.write_text(f"id: our\nname: 本市\nextends: cn-national\n{more}", encoding="utf-8")
    problems: list[Problem] = []
    made = shelve(read_profile(path, problems), [], problems)
    return made, [str(problem).removeprefix(f"{tmp_path}/") for problem in sorted(problems)]


def test_a_profile_gives_a_variable_another_value(tmp_path: Path) -> None:
    library, problems = under(tmp_path, "variables: {cac_within: PT2H}\n")
    assert problems == []
    reply = next(r for _, r in library.rules(Situation(Grade.IV, medium="cac_notice")) if r.id == "cac_reply")
    assert reply.amount == 2 * HOUR


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "variables: {cyber_within: PT5H}\n",
            "法定时限 “报告网络安全事件”（国家网络安全事件报告管理办法）只能缩短",
        ),
        ("variables: {cac_withn: PT2H}\n", "our.yaml:4:13: 没有变量 “cac_withn”，是不是 “cac_within”？"),
        ("variables: {cac_within: 2小时}\n", "our.yaml:4:25: “2小时” 不是时长（写成 PT2H）"),
    ],
)
def test_a_profile_cannot_loosen_the_law_through_a_variable(tmp_path: Path, more: str, expected: str) -> None:
    _, problems = under(tmp_path, more)
    assert any(expected in line for line in problems), problems


def test_a_stricter_value_for_a_statutory_variable_is_welcome(tmp_path: Path) -> None:
    assert under(tmp_path, "variables: {cyber_within: PT1H}\n")[1] == []


# ── grades, ladder, review ────────────────────────────────────────────────────────────────────


def test_a_notice_of_the_cac_is_at_least_graded_iii(tmp_path: Path) -> None:
    library, _ = under(tmp_path, "")
    asked = library.floor(Situation(Grade.IV, kind=OpinionKind.CAC_NOTICE))
    assert asked is not None and (asked[0].id, asked[1].at_least) == ("cac_notice", Grade.III)
    assert library.floor(Situation(Grade.IV, medium=Medium.WEIBO)) is None


LADDER = """\
id: own
name: 自写阶梯
trigger: {when: true}
ladder:
  - {grades: [I, II], steps: [{after: PT0M, rung: 1}, {after: PT3H, rung: 2}, {at: 100%, rung: 4}]}
clocks:
  - {id: own_clock, name: 一, amount: PT2H, start: discovery, stop: {evidence: published_response}}
  - id: own_steps
    name: 二
    amount: PT2H
    start: discovery
    stop: {evidence: published_update}
    steps: [{at: 100%, rung: 2}]
"""


@pytest.mark.parametrize(
    ("grade", "expected"),
    [
        (Grade.I, [("0m", 1), ("100%", 4)]),
        (Grade.III, [("50%", 1), ("75%", 2), ("90%", 3), ("-1h", 3), ("-15m", 3), ("100%", 4)]),
    ],
)
def test_a_ladder_takes_the_place_of_the_default_steps_for_its_grades(
    tmp_path: Path, grade: Grade, expected: list[tuple[str, int]]
) -> None:
    first, second = book(tmp_path, LADDER).clock_rules(Situation(grade))
    assert [(step.key, step.rung) for step in first.steps] == expected
    assert [step.key for step in second.steps] == ["100%"]


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (", {at: 100%, rung: 4}]}", "]}", "p.yaml:5:30: 阶梯没有到期的一步"),
        (
            "clocks:",
            "  - {grades: I, steps: [{at: 100%, rung: 1}]}\nclocks:",
            "p.yaml:6:14: 级别 I 前面已有阶梯",
        ),
        ("grades: [I, II]", "grades: []", "p.yaml:5:5: 阶梯要写明级别和步骤"),
        ("{after: PT3H,", "{after: PT0M,", "p.yaml:5:55: 与前面的步骤重复（都叫 0m）"),
        (
            "{at: 100%, rung: 4}]}",
            "{at: 100%, rung: 3}, {at: 100%, rung: 4}]}",
            "p.yaml:5:100: 与前面的步骤重复",
        ),
    ],
)
def test_a_ladder_that_leaves_nobody_told_is_refused(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    found = findings(tmp_path, LADDER.replace(right, wrong, 1))
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize("repeat", ["PT30S", "PT90S", "PT1H0.5M"])
def test_a_repeat_that_is_not_in_whole_minutes_is_refused(tmp_path: Path, repeat: str) -> None:
    found = findings(tmp_path, LADDER.replace("name: 一,", f"name: 一, repeat: {repeat},", 1))
    assert any(line.startswith("p.yaml:7:") for line in found), found


def test_a_repeat_of_a_minute_is_sound(tmp_path: Path) -> None:
    assert findings(tmp_path, LADDER.replace("name: 一,", "name: 一, repeat: PT1M,", 1)) == []


REVIEW = """\
id: own
name: 本级审核
trigger: {when: kind == "constructive"}
review:
  steps:
    - {name: 初审, by: 科长, share: 60%}
    - {name: 审核, by: 分管局长, share: 10%}
    - {name: 审发, by: 局长, share: 30%}
"""


def test_a_playbook_s_own_review_stands_before_the_common_one(tmp_path: Path) -> None:
    assert findings(tmp_path, REVIEW) == []
    path = tmp_path / "p.yaml"
    problems: list[Problem] = []
    library = shelve([], read_playbooks([path], problems), problems)
    own, common = (
        library.review(Situation(Grade.IV, kind=kind)) for kind in (OpinionKind.CONSTRUCTIVE, None)
    )
    assert own is not None and [step.by for step in own.steps] == ["科长", "分管局长", "局长"]
    assert common is not None and [step.name for step in common.steps] == ["初审", "审核", "审发"]


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("60%", "70%", "各道审核占 110%，超过剩余时间"),
        ("by: 局长", "by: 科长", "p.yaml:8:22: “科长” 审了两道，三审须由不同的人"),
        (
            "    - {name: 审核, by: 分管局长, share: 10%}\n",
            "",
            "p.yaml:6:5: 审核链只有 2 道，未经三审不得对外公布",
        ),
    ],
)
def test_an_impossible_review_is_refused(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    assert any(expected in line for line in findings(tmp_path, REVIEW.replace(right, wrong, 1)))


# ── what never comes, and where it comes from ─────────────────────────────────────────────────

ONE = """\
id: one
name: 一
trigger: {when: kind == "hardship"}
clocks:
  - id: one_clock
    name: 答复
    applies_when: grade in ["III", "IV"]
    amount: PT2H
    start: discovery
    stop: {evidence: published_response}
    basis: [{doc: 国办发〔2016〕61号, fact: N-004}]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ('grade in ["III", "IV"]', 'kind == "erroneous"', "p.yaml:7:19: 提醒：时钟 “答复” 永远不会启用"),
        (
            'kind == "hardship"',
            'kind == "hardship" && kind == "erroneous"',
            "p.yaml:3:17: 提醒：触发条件永远不成立",
        ),
        ("N-004", "N-400", "p.yaml:11:39: 规则研究里没有事实 “N-400”"),
        ("N-004", "N-073", "p.yaml:11:39: 提醒：事实 “N-073” 的证据等级是 M（未核实）"),
        ("N-004", "L-017", "p.yaml:11:39: 提醒：事实 “L-017” 的证据等级是 C（单一或二手来源）"),
        (
            "国办发〔2016〕61号",
            "国家突发公共事件总体应急预案(2006)",
            "p.yaml:11:19: 提醒：依据 “国家突发公共事件总体应急预案(2006)” 已被取代（改引",
        ),
    ],
)
def test_what_never_comes_or_is_stale_is_told(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    assert findings(tmp_path, ONE) == []
    found = findings(tmp_path, ONE.replace(right, wrong, 1))
    assert any(line.startswith(expected) for line in found), found


def test_a_clock_that_another_playbook_always_runs_first_is_shadowed(tmp_path: Path) -> None:
    text = ONE.replace("one_clock", "clarify").replace('kind == "hardship"', 'kind == "false_info"')
    found = findings(tmp_path, text.replace("PT2H", "PT3H"))
    assert found == [
        "p.yaml:5:9: 提醒：时钟 “clarify” 永远被预案 “rumour” 的同名时钟遮住（换一个标识，或写得比它更短）"
    ]
    assert findings(tmp_path, text.replace("PT2H", "PT1H")) == []


def test_an_example_profile_warns_whoever_uses_it(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("name: 某镇\nprofile: township-strict\n", encoding="utf-8")
    lines = [str(problem) for problem in lint([tmp_path])]
    assert any("参数集 “township-strict” 只是示例" in line for line in lines), lines


def test_a_site_says_how_long_an_acknowledgement_keeps_and_who_is_told_after_the_limit(
    tmp_path: Path,
) -> None:
    text = ONE.replace("clocks:", "ack_valid: PT1H\nclocks:").replace(
        "    basis:", "    repeat_rung: 3\n    basis:"
    )
    made = book(tmp_path, text)
    assert (made.ack_valid, made.clocks[0].rule.repeat_rung) == (HOUR, 3)
