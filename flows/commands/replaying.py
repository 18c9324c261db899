"""huiying replay: past events against the law."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, fail, out, plainly, say
from models.core.hindsight import Verdict
from models.core.moment import iso
from playbooks.book import Library
from playbooks.problem import Problem, Problems
from playbooks.replay import Replayed, read
from playbooks.replay import replay as look_back
from playbooks.replay_picture import hours, picture
from playbooks.shelf import PROFILES, read_profile, shelve
from playbooks.site import load_site


def replay(
    file: Annotated[Path, typer.Argument(help="历史事件，JSON 列表")],
    site: Annotated[
        Path | None, typer.Option("--site", help="用这个站点的预案；缺省用全国参数集 cn-national")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="另存一张图")] = None,
    json: JsonOption = False,
) -> None:
    """历史事件对照时限: 按时、超时、无法判定、不详。只看来源所载的时间，不替来源下结论。"""
    with plainly():
        events = read(file)
        try:
            found = look_back(events, _library(site))
        except KeyError as error:
            fail(str(error.args[0]))
        if svg is not None:
            svg.write_text(picture(found), encoding="utf-8")
            say(f"图: {svg}")
    if json:
        out([_as_json(each) for each in found])
        return
    for each in found:
        typer.echo(_line(each))
    say(_summary(found))


def _library(site: Path | None) -> Library:
    if site is not None:
        return load_site(site.resolve(), os.environ).library
    problems: list[Problem] = []
    library = shelve(read_profile(PROFILES / "cn-national.yaml", problems), [], problems)
    if problems:
        raise Problems(problems)
    return library


def _line(each: Replayed) -> str:
    parts = (f"{found.name} {found.verdict.zh}({hours(found.took)})" for found in each.found)
    return f"{each.id}  {each.name}  " + "  ".join(parts) + f"  [{each.applies}]"


def _summary(found: list[Replayed]) -> str:
    counts = Counter((f.clock, f.name, f.verdict) for each in found for f in each.found)
    names = dict.fromkeys((clock, name) for clock, name, _ in counts)
    return "\n".join(
        f"{name}: " + "，".join(f"{v.zh} {counts[clock, name, v]}" for v in Verdict if counts[clock, name, v])
        for clock, name in names
    )


def _as_json(each: Replayed) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "start": [iso(moment) if moment else None for moment in (each.start.earliest, each.start.latest)],
        "applies": each.applies,
        "clocks": [
            {
                "id": found.clock,
                "name": found.name,
                "limit_s": found.limit.total_seconds(),
                "hours": [found.took.least, found.took.most],
                "verdict": found.verdict.value,
            }
            for found in each.found
        ],
    }
