"""What is wrong in a playbook is told at its line and column, with the way out."""

from pathlib import Path

import pytest

from playbooks.lint import lint

GOOD = """\
id: flood
name: 内涝
trigger: {when: event_type == "natural"}
clocks:
  - id: notice
    name: 发布提示
    amount: PT2H
    start: discovery
    stop: {evidence: published_statement}
"""


def findings(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in lint([path])]


def test_a_sound_playbook_has_no_problems(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("amount:", "amout:", "p.yaml:7:5: 未知的键 “amout”，是不是 “amount”？"),
        ("discovery", "discovry", "p.yaml:8:12: “discovry” 不是可用的值，是不是 “discovery”？"),
        (
            "published_statement",
            "statement",
            "p.yaml:9:22: “statement” 不是可用的值，是不是 “published_statement”？",
        ),
        ("PT2H", "2小时", "p.yaml:7:13: “2小时” 不是时长（写成 PT2H）"),
        ("PT2H", "2h", "p.yaml:7:13: “2h” 不是时长（写成 PT2H）"),
        ("PT2H", "30 分钟", "p.yaml:7:13: “30 分钟” 不是时长（写成 PT30M）"),
        ("PT2H", "0 个工作日", "p.yaml:7:13: 0 个工作日超出范围（写 1 到 250 个工作日）"),
        ("PT2H", "5wd", "p.yaml:7:13: “5wd” 不是时限（工作日写成 5 个工作日）"),
        ("PT2H", "P5WD", "p.yaml:7:13: “P5WD” 不是时限（工作日写成 5 个工作日）"),
        ("PT2H", "3 working days", "p.yaml:7:13: “3 working days” 不是时限（工作日写成 3 个工作日）"),
        (
            "start: discovery",
            "start: last_updat",
            "p.yaml:8:12: “last_updat” 不是可用的值，是不是 “last_update”？",
        ),
        (
            "start: discovery",
            "start: last_update\n    fallback: discovery",
            "p.yaml:9:15: last_update（上次发布）不能与别的起算混用",
        ),
        (
            "start: discovery",
            "start: discovery\n    pre_arm_when: spred",
            "p.yaml:9:19: 条件里的变量 “spred” 不认识，是不是 “spread”？",
        ),
        ("PT2H", "5", "p.yaml:7:13: “5” 不是时长（带上单位：5 小时写成 PT5H）"),
        ("PT2H", "PT0H", "p.yaml:7:13: 时长 “PT0H” 必须大于零（5 小时写成 PT5H）"),
        ("PT2H", "-PT2H", "p.yaml:7:13: 时长 “-PT2H” 必须大于零（写成 PT2H）"),
        ("id: notice", "id: 提示", "p.yaml:5:9: 标识 “提示” 不合规"),
        ("name: 内涝", "nam: 内涝", "p.yaml:2:1: 未知的键 “nam”，是不是 “name”？"),
        (
            "event_type ==",
            "event_typ ==",
            "p.yaml:3:17: 条件里的变量 “event_typ” 不认识，是不是 “event_type”？",
        ),
        ('"natural"', '"natual"', "p.yaml:3:17: 条件里的值 “natual” 永远不会出现，是不是 “natural”？"),
        ('event_type == "natural"', "event_type > 3", "p.yaml:3:17: 条件比较了不同类型的值"),
        ('event_type == "natural"', "event_type", "p.yaml:3:17: 条件的结果不是真或假"),
        (
            'event_type == "natural"',
            'event_type = "natural"',
            "p.yaml:3:17: 条件第 12 个字符处写错了（相等写两个等号 ==）",
        ),
        ('event_type == "natural"', "event_type == “natural”", "p.yaml:3:17: 条件里有全角符号"),
        ('event_type == "natural"', "'[1].exists(x, x > 0)'", "p.yaml:3:17: 条件里不能用 all"),
        (
            'event_type == "natural"',
            "'" + "!" * 501 + "confirmed'",
            "p.yaml:3:17: 条件有 510 个字符，最多 500",
        ),
        ("{evidence: published_statement}", "{evidence: []}", "p.yaml:9:11: 时钟 “发布提示” 没有止算凭据"),
    ],
)
def test_a_slip_is_told_at_its_place(tmp_path: Path, right: str, wrong: str, expected: str) -> None:
    found = findings(tmp_path, GOOD.replace(right, wrong, 1))
    assert any(line.startswith(expected) for line in found), found


def test_a_missing_key_says_what_it_is_for(tmp_path: Path) -> None:
    (line,) = findings(tmp_path, GOOD.replace("    amount: PT2H\n", ""))
    assert line == (
        "p.yaml:5:5: 缺少键 “amount”（时限，ISO 8601，例如 PT5H（5 小时）；"
        "按工作日的写 5 个工作日（当日不计，末日 24 时止））"
    )


def test_all_problems_come_in_one_run(tmp_path: Path) -> None:
    text = GOOD.replace("amount", "amout").replace("discovery", "discovry").replace("natural", "natual")
    assert [line.split(":")[1] for line in findings(tmp_path, text)] == ["3", "5", "7", "8"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("{at: 150%, rung: 1}", "p.yaml:10:18: “150%” 永远走不到"),
        ("{at: 0.5, rung: 1}", "p.yaml:10:18: “0.5” 不是百分比（写成 50%）"),
        ("{before: PT3H, rung: 1}", "p.yaml:10:13: 这一步在起算之前就过了"),
        ("{after: PT3H, rung: 1}", "p.yaml:10:13: 这一步晚于到期"),
        ("{before: 1 个工作日, rung: 1}", "p.yaml:10:22: “1 个工作日” 不是时长（这里只能写时长，例如 PT24H"),
        ("{rung: 1}", "p.yaml:10:13: 一步里 at、before、after 要写且只写一个"),
        ("{at: 50%, after: PT1H, rung: 1}", "p.yaml:10:13: 一步里 at、before、after 要写且只写一个"),
        ("{at: 50%, rung: 0}", "p.yaml:10:29: 0 超出范围，应不小于 1"),
        ("{at: 50%, rung: 1}, {at: 50%, rung: 2}", "p.yaml:10:33: 与前面的步骤重复"),
    ],
)
def test_a_step_that_can_never_come_is_refused(tmp_path: Path, steps: str, expected: str) -> None:
    found = findings(tmp_path, f"{GOOD}    steps: [{steps}]\n")
    assert any(line.startswith(expected) for line in found), found


def test_no_steps_at_all_are_refused(tmp_path: Path) -> None:
    assert "谁也不会被提醒" in findings(tmp_path, f"{GOOD}    steps: []\n")[0]


def test_a_step_at_once_is_allowed(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD + "    steps: [{after: PT0M, rung: 1}]\n") == []


def test_a_statutory_clock_needs_its_source_and_its_repeats(tmp_path: Path) -> None:
    found = findings(tmp_path, GOOD + "    statutory: true\n    repeat: null\n")
    assert [line.split("（")[0] for line in found] == [
        "p.yaml:10:16: 法定时钟 “发布提示” 没有依据",
        "p.yaml:11:13: 法定时钟 “发布提示” 逾期后必须继续提醒",
    ]


def test_two_clocks_of_one_name_need_conditions(tmp_path: Path) -> None:
    second = GOOD[GOOD.index("  - id") :]
    assert findings(tmp_path, GOOD + second)[0].startswith("p.yaml:10:9: 时钟标识 “notice” 重复了")


def test_a_text_where_a_map_belongs_is_told(tmp_path: Path) -> None:
    found = findings(tmp_path, GOOD.replace('{when: event_type == "natural"}', "always"))
    assert found == ["p.yaml:3:10: 应为 “键: 值” 的形式，这里是 “always”"]


def test_a_list_as_a_file_is_refused(tmp_path: Path) -> None:
    assert findings(tmp_path, "- a\n")[0].startswith("p.yaml:1:1: 文件应是 “键: 值” 的形式")


def test_a_path_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "没有这个文件或目录" in str(lint([tmp_path / "none"])[0])


def test_a_playbook_has_a_bounded_number_of_clocks(tmp_path: Path) -> None:
    stop = "stop: {{evidence: published_update}}, proposal: 本市"
    clock = f"  - {{{{id: c{{n}}, name: 钟, amount: PT1H, start: ack, {stop}}}}}\n"
    for count in (60, 61):
        text = "id: many\nname: 许多\ntrigger: {when: 'true'}\nclocks:\n"
        file = tmp_path / f"{count}.yaml"
        file.write_text(text + "".join(clock.format(n=n) for n in range(count)), encoding="utf-8")
    assert lint([tmp_path / "60.yaml"]) == []
    assert [each.message for each in lint([tmp_path / "61.yaml"])] == ["太长，最多 60"]
