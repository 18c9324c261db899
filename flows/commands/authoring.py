"""huiying init, lint, schema, simulate: for those who write the YAML."""

from __future__ import annotations

import json as json_
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, out, plainly, say, site_dir
from models.core.moment import clock_face, iso, parse_duration, parse_iso
from models.core.situation import Situation
from models.core.vocabulary import EventType, Grade, OpinionKind, StartEvent
from playbooks.lint import lint as find
from playbooks.problem import Problem, did_you_mean, errors
from playbooks.schema_json import schema as schema_of
from playbooks.simulate import Line
from playbooks.simulate import simulate as rehearse
from playbooks.site import load_site
from playbooks.start import write_starter


def init(
    directory: Annotated[Path, typer.Argument(help="新站点的目录")] = Path("site"), json: JsonOption = False
) -> None:
    """写出一套带注释的站点文件。"""
    with plainly():
        written = write_starter(directory)
    if json:
        out([str(path) for path in written])
        return
    for path in written:
        typer.echo(f"写好 {path}")
    say(f"改好后: huiying lint {directory} && huiying run --site {directory}")


def lint(
    paths: Annotated[list[Path], typer.Argument(help="预案、站点目录或其中的文件")],
    json: JsonOption = False,
    annotate: Annotated[bool, typer.Option("--annotate", help="写成 GitHub、Gitea 流水线的批注")] = False,
) -> None:
    """检查: 文件:行:列: 问题(建议)。一次列出全部。"""
    found = find(paths)
    if json:
        out([_problem(problem) for problem in found])
    elif annotate:
        for problem in found:
            typer.echo(annotation(problem))
    else:
        for problem in found:
            typer.echo(str(problem))
        say(f"{len(errors(found))} 处错误，{len(found) - len(errors(found))} 处提醒")
    if errors(found):
        raise typer.Exit(1)


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
        "warning": problem.warning,
    }


def annotation(problem: Problem) -> str:
    """One finding as a workflow command, which GitHub and Gitea show beside the line."""
    level = "warning" if problem.warning else "error"
    file = _escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    words = _escaped(problem.message + (f"（{problem.hint}）" if problem.hint else ""))
    return f"::{level} file={file},line={problem.line},col={problem.column}::{words}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def schema(
    kind: Annotated[
        str, typer.Argument(help="playbook profile site sources roster channels plans")
    ] = "playbook",
) -> None:
    """JSON Schema，供编辑器补全。"""
    try:
        typer.echo(
            json_.dumps(
                schema_of(kind.removesuffix("s") if kind == "playbooks" else kind),
                ensure_ascii=False,
                indent=2,
            )
        )
    except (KeyError, ValueError) as error:
        fail(str(error), 2)


def simulate(
    playbook: Annotated[str, typer.Argument(help="预案标识；all 为全部适用的")],
    start: Annotated[str, typer.Option(help="起算时间")],
    grade: Annotated[str, typer.Option(help="I II III IV")] = "II",
    kind: Annotated[str, typer.Option(help="舆情类别")] = "",
    event_type: Annotated[str, typer.Option(help="事件类型")] = "",
    hours: Annotated[str, typer.Option(help="推演多久，如 PT48H")] = "PT48H",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """推演: 谁在什么时候、经哪个渠道被提醒。什么也不发送。"""
    with plainly():
        loaded = load_site(site_dir(site), os.environ)
        try:
            began, length = parse_iso(start), parse_duration(hours)
            situation = Situation(
                grade=Grade(grade),
                event_grade=Grade(grade),
                kind=OpinionKind(kind) if kind else None,
                event_type=EventType(event_type) if event_type else None,
                confirmed=True,
            )
        except ValueError as error:
            fail(f"{error}；级别: {'、'.join(Grade)}；时间如 2026-11-21T02:13；时长如 PT48H", 2)
        known = [book.id for book in loaded.library.playbooks]
        if playbook != "all" and playbook not in known:
            fail(f"没有预案 {playbook}{did_you_mean(playbook, known)}；有: {' '.join(known)}", 2)
        rules = [rule for book, rule in loaded.library.rules(situation) if playbook in ("all", book.id)]
        times = dict.fromkeys(StartEvent, began)
        times.pop(StartEvent.ACK)
        lines = rehearse(rules, times, loaded.roster, {}, began + length + timedelta(seconds=1))
    if json:
        out([_line(line) for line in lines])
        return
    for line in lines:
        people = "、".join(f"{told.name}({told.channel})" for told in line.told) or "无人可达"
        typer.echo(f"{clock_face(line.at)}  {line.clock_name} {line.step:>5}  → {people}")
    if not lines:
        say("这一情形下该预案没有适用的时钟")


def _line(line: Line) -> dict[str, Any]:
    return {
        "at": iso(line.at),
        "clock": line.clock,
        "step": line.step,
        "rung": line.rung,
        "due_at": iso(line.due_at),
        "told": [
            {"person": t.person, "channel": t.channel, "address": t.address, "reason": t.reason}
            for t in line.told
        ],
        "quiet": list(line.quiet),
    }
