"""`huiying lint --annotate`: findings as the pipelines of GitHub and Gitea show them."""

from __future__ import annotations

from pathlib import Path

from flows.commands.authoring import annotation
from playbooks.problem import Problem
from support.cli import Cli


def test_a_finding_becomes_a_workflow_command_at_its_place() -> None:
    found = Problem("a,b.yaml", 3, 5, "100% 写错\n换行", "改成 50%")
    assert annotation(found) == "::error file=a%2Cb.yaml,line=3,col=5::100%25 写错%0A换行（改成 50%25）"


def test_a_warning_is_annotated_as_one() -> None:
    assert annotation(Problem("a.yaml", 1, 1, "旧依据", warning=True)).startswith("::warning file=a.yaml")


def test_lint_annotates_and_still_fails(tmp_path: Path) -> None:
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("id: mine\nname: 我的预案\ntrigger: {when: 'true'}\nclock: []\n", encoding="utf-8")
    said = Cli(tmp_path)("lint", str(wrong), "--annotate")
    assert said.code == 1
    assert said.out.startswith(f"::error file={wrong},line=4,col=1::")
