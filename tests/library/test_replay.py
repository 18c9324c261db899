"""`huiying replay`: invented events against the shipped limits, and files that cannot be used."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from playbooks.problem import Problem, Problems
from playbooks.replay import Replayed, read, replay
from playbooks.replay_picture import picture
from playbooks.shelf import PROFILES, read_profile, shelve
from support.cli import Cli

ROOT = Path(__file__).resolve().parents[2]

EVENT = {
    "id": "X1",
    "name": "某园区火灾",
    "event_time": "2024-05-01T12:00",
    "first_official_latest": "2024-05-01T16:00",
    "press_conference_earliest": "2024-05-02T13:00",
    "press_conference_latest": "2024-05-02T14:00",
    "clock_5h_24h_applicable": "yes",
}


def replayed(*events: dict[str, Any]) -> list[Replayed]:
    problems: list[Problem] = []
    library = shelve(read_profile(PROFILES / "cn-national.yaml", problems), [], problems)
    assert problems == []
    return replay(events, library)


def verdicts(event: dict[str, Any]) -> list[str]:
    (found,) = replayed(event)
    return [each.verdict.value for each in found.found]


def test_the_limits_are_those_of_the_library() -> None:
    (found,) = replayed(EVENT)
    assert [each.limit.total_seconds() / 3600 for each in found.found] == [5, 24, 48]
    assert [each.verdict.value for each in found.found] == ["met", "missed", "met"]


def test_a_note_that_an_earlier_one_was_not_checked_leaves_the_verdict_open() -> None:
    noted = EVENT | {"press_conference_note": "2日下午发布会；1日是否另有通报会未核"}
    assert verdicts(noted) == ["met", "unclear", "met"]


def test_what_no_source_tells_is_unknown() -> None:
    assert verdicts({"id": "X2", "name": "某事", "event_time": "2024-05-01T12:00"}) == ["unknown"] * 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "不是 JSON"),
        ('{"id": "X"}', "应是一个 JSON 列表"),
        ('[{"id": "X1", "event_time": "2024-05-01T12:00"}]', "缺少 name"),
        ('[{"id": "X1", "name": "n", "event_time": "昨晚"}]', "不是时间"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "events.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Problems, match=said):
        read(path)


def test_the_picture_names_every_event_and_says_each_verdict_in_words() -> None:
    drawn = picture(replayed(EVENT, EVENT | {"id": "X2", "name": "<b>某市</b>"}))
    assert "X1 某园区火灾" in drawn
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert drawn.count("超时") == 2


def test_the_command_prints_json_and_draws(tmp_path: Path) -> None:
    events = tmp_path / "events.json"
    events.write_text(json.dumps([EVENT]), encoding="utf-8")
    (shown,) = Cli(tmp_path).json("replay", str(events), "--svg", str(tmp_path / "p.svg"))
    assert [clock["verdict"] for clock in shown["clocks"]] == ["met", "missed", "met"]
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_events_of_the_study_get_the_verdicts_of_the_study() -> None:
    """25 real events 2011–2025 (policy.md 7); the data stays outside of the repository."""
    policy = Path(os.environ.get("HUIYING_DATA") or ROOT.parent / "shared" / "data").parent / "policy"
    if not (policy / "events.json").is_file():
        pytest.skip(f"no {policy}; HUIYING_DATA names the evaluation data")  # CI has none either
    table = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (policy / "policy.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| E\d\d \|", line)
    ]
    wanted = {row[0]: ["unknown" if word == "?" else word for word in row[7:10]] for row in table}
    found = replayed(*read(policy / "events.json"))
    assert len(found) == len(wanted) == 25
    assert {one.id: [each.verdict.value for each in one.found] for one in found} == wanted
