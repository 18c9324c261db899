"""Golden tests: the shipped ones hold, and one that does not says so at its line."""

import json
import re
from pathlib import Path

import pytest

from playbooks.golden import Outcome, files, run
from playbooks.lint import lint
from playbooks.problem import Problems
from playbooks.shelf import SHIPPED, read_playbooks
from support.cli import Cli
from support.sites import write_site

WRONG = """\
tests:
  - name: 四小时
    proves: [N-007, N-004]
    given: {grade: I, start: 2026-11-21T00:00}
    people: {duty_officer: 5}
    expect:
      - {clock: first_statement, due: 2026-11-21T04:00}
      - {clock: first_statement, step: 75%, tells: [duty_officer, principal]}
      - {clock: first_statment, state: met}
      - {clock: press_conference, absent: true}
      - {at: 2026-11-21T00:00, until: 2026-11-21T03:00, quiet: true}
"""


def outcome(folder: Path, text: str) -> Outcome:
    file = folder / "wrong.test.yaml"
    file.write_text(text, encoding="utf-8")
    (found,) = run([file])
    return found


def test_every_golden_test_of_the_shipped_library_holds() -> None:
    found = run(files(SHIPPED))
    assert [str(problem) for each in found for problem in each.problems] == []
    assert len(found) >= 14


def test_every_statutory_clock_of_the_shipped_library_is_proved_by_a_golden_test() -> None:
    texts = [file.read_text(encoding="utf-8") for file in files(SHIPPED)]
    spoken = {found for text in texts for found in re.findall(r"clock: ([a-z0-9_]+)", text)}
    lawful = {
        clock.id for draft in read_playbooks(sorted(SHIPPED.glob("*.yaml")), []) for clock in draft.playbook.clocks
        if clock.statutory
    }  # fmt: skip
    assert sorted(lawful - spoken) == []


def test_each_unmet_expectation_is_told_at_its_place_with_what_came(tmp_path: Path) -> None:
    problems = {(p.line, p.column): f"{p.message}|{p.hint}" for p in outcome(tmp_path, WRONG).problems}
    assert "期望到期 11-21 04:00，实际 11-21 05:00（自事件发生 11-21 00:00 起 5 小时）" in problems[7, 39]
    assert "期望通知 值班员、主要领导，实际 带班领导" in problems[8, 52]
    assert "没有这个标识，是不是 “first_statement”？" in problems[9, 17]
    assert "期望没有时钟 press_conference，却有" in problems[10, 43]
    assert "期望谁也不被通知，却有 2 次，第一次 11-21 00:00 签收 0m" in problems[11, 64]
    assert "没有一个以 N-004 为依据" in problems[3, 21]
    assert len(problems) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests: []\n", "不能是空的"),
        ("tests: [{name: a, given: {grade: I}, expect: [{clock: x, absent: true}]}]", "没有任何起算时间"),
        (
            "tests: [{name: a, given: {grade: I, start: 2026-11-21T00:00}, expect: [{clock: x}]}]",
            "没有写期望时钟 x 怎样",
        ),
        (
            "tests: [{name: a, given: {grade: V, start: 2026-11-21T00:00}, expect: [{clock: x, absent: true}]}]",
            "“V”",
        ),
        (
            "tests: [{name: a, proves: N-999, given: {grade: I, start: 2026-11-21}, expect: [{clock: x, rung: 1}]}]",
            "规则研究里没有事实 “N-999”",
        ),
        ("tests: [{name: a, gvien: {}, expect: []}]", "是不是 “given”？"),
    ],
)
def test_a_test_that_cannot_be_read_says_where_and_lint_says_the_same(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(Problems) as caught:
        outcome(tmp_path, text)
    assert words in str(caught.value)
    assert any(words in str(problem) for problem in lint([tmp_path]))


def test_playbooks_beside_the_tests_stand_in_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    stricter = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8").replace("PT5H", "PT4H", 1)
    (tmp_path / "major.yaml").write_text(stricter, encoding="utf-8")
    found = outcome(tmp_path, WRONG)
    assert not any("期望到期" in problem.message for problem in found.problems)


def test_a_test_of_a_site_may_speak_of_the_sites_own_people(tmp_path: Path) -> None:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9")
    (site / "playbooks").mkdir()
    test = {
        "name": "站点的人",
        "roster": "site",
        "given": {"grade": "II", "start": "2026-11-21T00:00"},
        "people": {"chen": 5},
        "expect": [{"clock": "first_statement", "step": "75%", "tells": ["li"]}],
    }
    (site / "playbooks" / "own.test.yaml").write_text(json.dumps({"tests": [test]}), encoding="utf-8")
    said = Cli(site)("test", str(site))
    assert (said.code, said.out) == (0, "")
    assert Cli(site)("lint", str(site)).code == 0


def test_a_test_names_the_profile_that_it_is_played_under(tmp_path: Path) -> None:
    named = WRONG.replace("given:", "profile: cn-52-guizhou\n    given:").replace("T04:00}", "T03:00}")
    assert not any("期望到期" in problem.message for problem in outcome(tmp_path, named).problems)  # L-001
    with pytest.raises(Problems, match=r"wrong\.test\.yaml:4:14: 没有参数集 “cn-99”"):
        outcome(tmp_path, named.replace("cn-52-guizhou", "cn-99"))


def test_the_command_prints_the_unmet_ones_and_exits_with_one(tmp_path: Path) -> None:
    (tmp_path / "wrong.test.yaml").write_text(WRONG, encoding="utf-8")
    cli = Cli(tmp_path)
    said = cli("test", str(tmp_path))
    assert (said.code, len(said.out.splitlines())) == (1, 6)
    assert "0 项通过，1 项不符" in said.err
    value = cli("test", str(tmp_path), "--json").value
    assert (value["ok"], value["tests"][0]["problems"][0]["line"]) == (False, 3)
    assert cli("test", str(tmp_path / "nothing")).code == 2
