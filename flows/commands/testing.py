"""huiying test: the golden tests beside the playbooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, out, plainly, say, site_dir
from playbooks.golden import Outcome, files, run
from playbooks.shelf import SHIPPED


def test(
    path: Annotated[
        Path | None, typer.Argument(help="测试文件、预案目录或站点；不写为站点和内置预案的全部")
    ] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """预案测试: 逐项对照 *.test.yaml 写的期望；有一项不符退出码为 1。"""
    with plainly():
        found = [file for folder in _where(path, site) for file in files(folder)]
        if not found:
            fail("没有找到 *.test.yaml；在预案旁边写一份，样例见 docs/预案作者.md", 2)
        outcomes = run(found)
    _print(outcomes, json)
    if any(outcome.problems for outcome in outcomes):
        raise typer.Exit(1)


def _where(path: Path | None, site: Path | None) -> list[Path]:
    if path is None:
        own = site_dir(site) / "playbooks"
        return [*([own] if own.is_dir() else []), SHIPPED]
    if not path.exists():
        fail(f"没有 {path}；核对路径", 2)
    return [path]


def _print(outcomes: Sequence[Outcome], json: bool) -> None:
    failed = sum(bool(outcome.problems) for outcome in outcomes)
    if json:
        out(as_json(outcomes))
        return
    for problem in (problem for outcome in outcomes for problem in outcome.problems):
        typer.echo(str(problem))
    facts = {fact for outcome in outcomes for fact in outcome.proves}
    say(f"{len(outcomes) - failed} 项通过，{failed} 项不符；写明证明的事实 {len(facts)} 条")


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "ok": not any(outcome.problems for outcome in outcomes),
        "tests": [_outcome(outcome) for outcome in outcomes],
        "proved": sorted({fact for each in outcomes if not each.problems for fact in each.proves}),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.file,
        "line": outcome.line,
        "name": outcome.name,
        "ok": not outcome.problems,
        "proves": list(outcome.proves),
        "problems": [asdict(problem) for problem in outcome.problems],
    }
