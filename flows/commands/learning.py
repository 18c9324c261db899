"""huiying train, evaluate: the classifiers from labelled data, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, fail, out, say

Data = Annotated[Path, typer.Option("--data", envvar="HUIYING_DATA", help="带标注数据的目录")]


def train(
    data: Data,
    into: Annotated[Path | None, typer.Option("--into", help="权重写到哪里；缺省为随附的位置")] = None,
    corrections: Annotated[Path | None, typer.Option(help="值班员更正的 JSONL")] = None,
    json: JsonOption = False,
) -> None:
    """由标注数据训练分类器，写成数字(.npz)。"""
    from models.classify.train import train as run
    from models.classify.weights_file import SHIPPED

    if not data.is_dir():
        fail(f"没有目录 {data}；用 --data 指出标注数据所在")
    report = run(data, into or SHIPPED, corrections)
    if json:
        out(report)
    else:
        say(f"写好 {into or SHIPPED}")
        for name, value in report.items():
            typer.echo(f"{name}: {value}")


def evaluate(data: Data, json: JsonOption = False) -> None:
    """在自行划出的测试集上评估，打印各项指标。"""
    from models.classify.evaluate import evaluate as run
    from models.classify.evaluate import lines

    if not data.is_dir():
        fail(f"没有目录 {data}；用 --data 指出标注数据所在")
    report = run(data)
    if json:
        out(report)
    else:
        for line in lines(report):
            typer.echo(line)
