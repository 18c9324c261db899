"""huiying init, lint, schema: for those who write the YAML."""

from __future__ import annotations

import json as json_
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors import parcels
from flows.commands.common import JsonOption, fail, out, plainly, say
from flows.timekeeping import machine_now
from playbooks.lint import lint as find
from playbooks.problem import Problem, errors
from playbooks.schema_json import schema as schema_of
from playbooks.start import write_starter

MESSAGES = ("message", "result", "dead_letter")
"""What passes through Kafka: in, out, and what could not be read."""


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
    paths: Annotated[
        list[Path] | None, typer.Argument(help="预案、站点目录或其中的文件；不写即本站点")
    ] = None,
    json: JsonOption = False,
    annotate: Annotated[bool, typer.Option("--annotate", help="写成 GitHub、Gitea 流水线的批注")] = False,
    hook: Annotated[
        bool, typer.Option("--hook", help="提交前的钩子用：不属于站点、也不是预案的文件略过")
    ] = False,
) -> None:
    """检查: 文件:行:列: 问题(建议)。一次列出全部。"""
    found = find(paths or ([] if hook else [_here()]), machine_now(), skip_foreign=hook)
    if json:
        out([asdict(problem) for problem in found])
    elif annotate:
        for problem in found:
            typer.echo(annotation(problem))
    else:
        for problem in found:
            typer.echo(str(problem))
        say(f"{len(errors(found))} 处错误，{len(found) - len(errors(found))} 处提醒")
    if errors(found):
        raise typer.Exit(1)


def _here() -> Path:
    """The site that the other commands take when none is named."""
    return Path(os.environ.get("HUIYING_SITE") or "site")


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
        str,
        typer.Argument(
            help="playbook profile site sources roster channels plans holidays；消息: message result dead_letter parcel"
        ),
    ] = "playbook",
) -> None:
    """JSON Schema，供编辑器补全；Kafka 消息的格式也在这里。"""
    try:
        typer.echo(json_.dumps(_schema(kind), ensure_ascii=False, indent=2))
    except (KeyError, ValueError) as error:
        fail(str(error), 2)


def _schema(kind: str) -> dict[str, Any]:
    if kind in MESSAGES:
        from connectors.broker import schema as of_message  # kafka-python comes with it

        return of_message(kind)
    if kind == "parcel":
        return parcels.schema()
    return schema_of(kind.removesuffix("s") if kind == "playbooks" else kind)
