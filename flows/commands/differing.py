"""huiying diff: what changes for clocks and people between two states of playbooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, SiteOption, fail, out, plainly, say
from playbooks.book import Library
from playbooks.diff import Difference, as_json, difference
from playbooks.golden import Stage, team
from playbooks.holidays import published
from playbooks.problem import Problem, Problems, errors
from playbooks.shelf import PROFILES, TESTS, Overlay, read_playbooks, read_profile, shelve
from playbooks.site import load_site

MOST = 60
"""How many moved tellings are printed; JSON holds all."""


def diff(
    old: Annotated[Path, typer.Argument(help="旧的: 预案文件、预案目录或站点目录")],
    new: Annotated[Path, typer.Argument(help="新的: 同上")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """改了什么: 时钟的增减长短，哪些人在什么时候被通知有何不同。比较完退出码为 0，新的不能用为 1。"""
    for path in (old, new):
        if not path.exists():
            fail(f"没有 {path}；核对路径", 2)
    with plainly():
        before, after = _stage(old, site, trusted=True), _stage(new, site)
        found = difference(before.library, after.library, after.roster, after.calendar)
    if json:
        out(as_json(found))
        return
    _print(found)


def _stage(path: Path, site: Path | None, *, trusted: bool = False) -> Stage:
    """What is compared: a site with its roster, or playbooks under the site given, else cn-national.

    The old one is `trusted`: what it loosened is what may be mended. Raises Problems."""
    if (path / "site.yaml").is_file():
        whole = load_site(path, os.environ)
        return Stage(whole.library, whole.roster, whole.calendar)
    home = load_site(site.resolve(), os.environ) if site and (site / "site.yaml").is_file() else None
    problems: list[Problem] = []
    files = [path] if path.is_file() else sorted(path.glob("*.y*ml"))
    profile = (
        home.profile if home is not None and not home.profile.endswith((".yaml", ".yml")) else "cn-national"
    )
    chain = read_profile(PROFILES / f"{profile}.yaml", problems)
    library = _library(chain, files, problems)
    if errors(problems) and not trusted:
        raise Problems(errors(problems))
    if home is None:
        return Stage(library, team(), published())
    return Stage(library, home.roster, home.calendar)


def _library(chain: Sequence[Overlay], files: Sequence[Path], problems: list[Problem]) -> Library:
    own = read_playbooks([file for file in files if not file.name.endswith(TESTS)], problems)
    return shelve(chain, own, problems)


def _print(found: Difference) -> None:
    for change in found.changes:
        mark = "放宽 " if change.laxer else ""
        typer.echo(f"{change.playbook}: {mark}{change.words}")
    for moved in found.moved[:MOST]:
        typer.echo(moved.words)
    if len(found.moved) > MOST:
        say(f"另有 {len(found.moved) - MOST} 处，--json 给出全部")
    if not found:
        say("没有不同：时钟和通知都一样")
    lax = [change for change in found.changes if change.laxer and change.statutory]
    if lax:
        say(f"{len(lax)} 处放宽了法定时钟，请核对文号")
