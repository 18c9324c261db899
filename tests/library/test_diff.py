"""What changes between two states of playbooks, for clocks and for people."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.core.workdays import Calendar
from playbooks.book import Library
from playbooks.diff import Difference, difference
from playbooks.golden import team
from playbooks.holidays import published
from playbooks.shelf import PROFILES, SHIPPED, read_playbooks, read_profile, shelve
from support.cli import Cli
from support.sites import write_site

CALENDAR: Calendar = published()
MAJOR = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
FLOOD = """\
id: flood
name: 城市内涝
trigger: {when: 'event_type == "natural"'}
clocks:
  - {id: flood_statement, name: 首发, amount: PT2H, start: occurrence, fallback: [discovery],
     stop: {evidence: published_statement}, proposal: 本市要求}
"""
Change = Callable[[str], str]


def library(folder: Path, *texts: str) -> Library:
    folder.mkdir(parents=True, exist_ok=True)
    for n, text in enumerate(texts):
        (folder / f"{n}.yaml").write_text(text, encoding="utf-8")
    own = read_playbooks(sorted(folder.glob("*.yaml")), [])
    return shelve(read_profile(PROFILES / "cn-national.yaml", []), own, [])


def changed(tmp_path: Path, old: str, new: str) -> Difference:
    return difference(library(tmp_path / "old", old), library(tmp_path / "new", new), team(), CALENDAR)


def test_two_alike_have_no_difference(tmp_path: Path) -> None:
    found = changed(tmp_path, MAJOR, "# 只改了注释\n" + MAJOR)
    assert not found


def test_a_shorter_limit_is_said_with_who_is_told_when(tmp_path: Path) -> None:
    found = changed(tmp_path, MAJOR, MAJOR.replace("PT5H", "PT4H", 1))
    assert [(c.words, c.laxer) for c in found.changes] == [
        ("首次发布权威信息的时限由 5 小时 改为 4 小时", False)
    ]
    words = [moved.words for moved in found.moved]
    assert (
        "02:13 定为 I 级：带班领导、值班员 在 11-21 05:13 而不是 11-21 05:58 被通知（首次发布权威信息 75%）"
        in words
    )
    assert len(words) == len(set(words))


def test_a_longer_limit_is_laxer_and_named_as_statutory(tmp_path: Path) -> None:
    found = changed(tmp_path, MAJOR.replace("PT5H", "PT4H", 1), MAJOR)
    (change,) = found.changes
    assert (change.laxer, change.statutory, change.clock) == (True, True, "first_statement")


def test_a_new_and_a_lost_playbook_are_said_with_their_people(tmp_path: Path) -> None:
    old, new = library(tmp_path / "old"), library(tmp_path / "new", FLOOD)
    added, removed = difference(old, new, team(), CALENDAR), difference(new, old, team(), CALENDAR)
    assert [change.words for change in added.changes] == ["新增预案 城市内涝"]
    assert "02:13 自然灾害（II 级）：值班员 新在 11-21 03:13 被通知（首发 50%）" in [
        m.words for m in added.moved
    ]
    assert [change.words for change in removed.changes] == ["去掉预案 城市内涝"]
    assert any(moved.words.endswith("不再通知（首发 50%）") for moved in removed.moved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace("amount: PT2H", "amount: PT2H, repeat: null"), "逾期后重复由 每 1 小时到第 4 级 改为 无"),
        (lambda t: t.replace("start: occurrence", "start: first_public"), "起算由 事件发生 改为 首次公开"),
        (lambda t: t.replace("evidence: published_statement", "evidence: [published_statement, published_response]"),
         "止算凭据由 权威信息发布 改为 公开回应、权威信息发布"),
        (lambda t: t.replace("amount: PT2H", "amount: PT2H, steps: [{at: 50%, rung: 1}]"), "改为 50%→1"),
        (lambda t: t.replace('"natural"', '"accident"'), '改为 event_type == "accident"'),
        (lambda t: t.replace("trigger:", "ack_valid: PT1H\ntrigger:"), "改为 1 小时"),
        (lambda t: t.replace("flood_statement", "flood_word"), "新增时钟 首发（2 小时，建议）"),
    ],
)  # fmt: skip
def test_each_key_of_a_clock_is_compared_in_words(tmp_path: Path, change: Change, words: str) -> None:
    found = changed(tmp_path, FLOOD, change(FLOOD))
    assert any(words in each.words for each in found.changes), [each.words for each in found.changes]


def test_the_command_compares_files_directories_and_sites(tmp_path: Path) -> None:
    library(tmp_path / "old", MAJOR)
    library(tmp_path / "new", MAJOR.replace("PT5H", "PT4H", 1))
    cli = Cli(tmp_path)
    for old, new in (("old", "new"), ("old/0.yaml", "new/0.yaml")):
        said = cli("diff", str(tmp_path / old), str(tmp_path / new))
        assert (said.code, said.out.splitlines()[0]) == (
            0,
            "major_emergency: 首次发布权威信息的时限由 5 小时 改为 4 小时",
        )
    sites = [write_site(tmp_path / name, "http://127.0.0.1:9") for name in ("a", "b")]
    library(sites[1] / "playbooks", FLOOD)
    value = cli("diff", *map(str, sites), "--json").value
    assert value["clocks"][0]["words"] == "新增预案 城市内涝"
    assert {name for moved in value["people"] for name in moved["people"]} == {"chen", "li", "zhao", "zhou"}


def test_a_new_one_that_loosens_the_law_is_refused_and_nothing_changed_is_said(tmp_path: Path) -> None:
    library(tmp_path / "old", MAJOR)
    library(tmp_path / "new", MAJOR.replace("PT5H", "PT6H", 1))
    cli = Cli(tmp_path)
    refused = cli("diff", str(tmp_path / "old"), str(tmp_path / "new"))
    assert (refused.code, "只能缩短" in refused.err) == (1, True)
    assert cli("diff", str(tmp_path / "new"), str(tmp_path / "old")).code == 0
    assert "没有不同" in cli("diff", str(tmp_path / "old"), str(tmp_path / "old")).err
    assert cli("diff", "nothing", str(tmp_path / "old")).code == 2
