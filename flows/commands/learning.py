"""huiying train, evaluate: the classifiers from labelled data, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, fail, out, say

Data = Annotated[Path, typer.Option("--data", envvar="HUIYING_DATA", help="带标注数据的目录")]
MaybeData = Annotated[Path | None, typer.Option("--data", envvar="HUIYING_DATA", help="带标注数据的目录")]


def train(
    data: MaybeData = None,
    into: Annotated[Path | None, typer.Option("--into", help="权重写到哪里；缺省为随附的位置")] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="值班员更正的 JSONL：先与现用的比较，没有变差才替换")
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="换回上一份权重；再用一次又换回来")] = False,
    json: JsonOption = False,
) -> None:
    """由标注数据训练分类器，写成数字(.npz)。"""
    from flows import hotsearch
    from models.classify.train import train as run
    from models.classify.weights_file import SHIPPED, keep_previous

    if rollback:
        _roll_back(into, json)
        return
    if data is None or not data.is_dir():
        fail(f"没有目录 {data or ''}；用 --data 指出标注数据所在")
    compared = _challenge(data, corrections) if corrections else {}
    if corrections:
        keep_previous(into or SHIPPED)
    report = run(data, into or SHIPPED, corrections) | ({"challenge": compared} if compared else {})
    hotsearch.write(data, into or SHIPPED)
    if json:
        out(report)
    else:
        say(f"写好 {into or SHIPPED}")
        for name, value in report.items():
            typer.echo(f"{name}: {value}")


def _roll_back(into: Path | None, json: bool) -> None:
    from models.classify.weights_file import WeightsError, roll_back

    try:
        weights = roll_back(into)
    except WeightsError as error:
        fail(f"没有换回：{error}")
    if json:
        out({"version": weights.version})
    else:
        say(f"换回了上一份权重，版本 {weights.version}")


def _challenge(data: Path, corrections: Path) -> dict[str, Any]:
    """What the corrections would change; ends the command where they surely make it worse."""
    from models.classify.challenge import challenge, worse
    from models.classify.corpora import CorpusError

    try:
        compared = challenge(data, corrections)
    except CorpusError as error:
        fail(f"更正读不了：{error}")
    if lost := worse(compared):
        out(compared)
        fail(f"加上更正后 {'、'.join(lost)} 在原有文本上明显变差，没有替换；请核对这些更正")
    return compared


def evaluate(data: Data, json: JsonOption = False) -> None:
    """在自行划出的测试集上评估，打印各项指标。"""
    from flows import hotsearch
    from models.classify.evaluate import evaluate as run
    from models.classify.evaluate import lines

    if not data.is_dir():
        fail(f"没有目录 {data}；用 --data 指出标注数据所在")
    report = run(data)
    report["hot_search"] = hotsearch.report(data)
    if json:
        out(report)
    else:
        for line in lines(report):
            typer.echo(line)
