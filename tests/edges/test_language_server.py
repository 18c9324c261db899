"""In the author's editor: completion, hover and findings through a real yaml-language-server, by the
schema that `huiying init` lays beside the files and the modeline that names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.start import write_starter
from support.language_server import Editor, editor, program
from support.missing import missing

PLAYBOOK = """\
# yaml-language-server: $schema=../schema/playbook.schema.json
id: flood
name: 城市内涝
trigger: {when: true}
clocks:
  - id: first
    name: 首发
    amount: 5小时
    start: occurence
    stop: {evidence: published_statement}
    unknown_key: 1
"""
TESTS = """\
# yaml-language-server: $schema=../schema/test.schema.json
tests:
  - name: 五小时
    given: {grade: V, start: 2026-11-21T00:00}
    expect:
      - clock: first_statement
"""
INDENTED = " " * 8 + "\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor") / "site"
    write_starter(folder)
    return folder


@pytest.fixture(scope="module")
def at_desk(site: Path) -> Iterator[Editor]:
    command = program()
    if command is None:
        missing(
            "no yaml-language-server here; npm install --prefix .cache/yaml-language-server yaml-language-server"
        )
    with editor(command, site) as made:
        yield made


def opened(at_desk: Editor, file: Path, text: str) -> list[dict[str, Any]]:
    file.write_text(text, encoding="utf-8")
    at_desk.open(file, text)
    return at_desk.findings(file)


def labels(answer: Any) -> dict[str, str]:
    """What is offered, with its description."""
    items = answer["items"] if isinstance(answer, dict) else answer
    return {item["label"]: _words(item.get("documentation")) for item in items}


def _words(value: Any) -> str:
    return str(value["value"]) if isinstance(value, dict) else str(value or "")


def test_findings_stand_at_their_lines_and_name_what_would_be_right(at_desk: Editor, site: Path) -> None:
    found = opened(at_desk, site / "playbooks" / "flood.yaml", PLAYBOOK)
    lines = {finding["range"]["start"]["line"]: finding["message"] for finding in found}
    assert set(lines) == {7, 8, 10}
    assert "occurrence" in lines[8]
    assert "unknown_key" in lines[10]


def test_keys_are_completed_with_what_they_mean_in_chinese(at_desk: Editor, site: Path) -> None:
    file = site / "playbooks" / "keys.yaml"
    opened(at_desk, file, PLAYBOOK.replace("    unknown_key: 1\n", "    \n"))
    offered = labels(at_desk.at("textDocument/completion", file, 10, 4))
    assert {"basis", "fallback", "repeat", "statutory", "steps"} <= set(offered)
    assert "id" not in offered  # it is there already
    assert "法定" in offered["statutory"]


def test_values_are_completed_too(at_desk: Editor, site: Path) -> None:
    file = site / "playbooks" / "values.yaml"
    opened(at_desk, file, PLAYBOOK.replace("start: occurence", "start: "))
    offered = labels(at_desk.at("textDocument/completion", file, 8, 11))
    assert {"occurrence", "first_public", "discovery", "receipt"} <= set(offered)


def test_hovering_over_a_key_shows_what_it_is_its_unit_and_an_example(at_desk: Editor, site: Path) -> None:
    file = site / "playbooks" / "hover.yaml"
    opened(at_desk, file, PLAYBOOK)
    shown = _words(at_desk.at("textDocument/hover", file, 7, 6)["contents"])
    assert "时限" in shown
    assert "PT5H" in shown


def test_golden_tests_are_completed_and_checked_as_well(at_desk: Editor, site: Path) -> None:
    file = site / "playbooks" / "flood.test.yaml"
    found = opened(at_desk, file, TESTS + INDENTED)
    assert [finding["range"]["start"]["line"] for finding in found] == [3]
    offered = labels(at_desk.at("textDocument/completion", file, 6, 8))
    assert "due" in offered
    assert "到期" in offered["due"]


def test_what_is_right_has_no_findings(at_desk: Editor, site: Path) -> None:
    right = (
        PLAYBOOK.replace("5小时", "PT5H")
        .replace("occurence", "occurrence")
        .replace("    unknown_key: 1\n", "")
    )
    assert opened(at_desk, site / "playbooks" / "right.yaml", right) == []
