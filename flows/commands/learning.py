"""huiying train, evaluate: the classifiers from labelled data, and how good they are."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, out, say

Data = Annotated[Path, typer.Option("--data", envvar="HUIYING_DATA", help="带标注数据的目录")]
MaybeData = Annotated[Path | None, typer.Option("--data", envvar="HUIYING_DATA", help="带标注数据的目录")]


def train(
    data: MaybeData = None,
    into: Annotated[Path | None, typer.Option("--into", help="权重写到哪里；缺省为随附的位置")] = None,
    corrections: Annotated[
        Path | None, typer.Option(help="值班员更正的 JSONL：先与现用的比较，没有变差才替换")
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="换回上一份权重；再用一次又换回来")] = False,
    collect: Annotated[
        Path | None, typer.Option(help="只把本站值班员改过的类别写成更正 JSONL，不训练；含来件原文，注意保管")
    ] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """由标注数据训练分类器，写成数字(.npz)。"""
    from models.classify.weights_file import SHIPPED

    if rollback:
        _roll_back(into, json)
    elif collect:
        _collect(site, collect, json)
    else:
        _train(data, into or SHIPPED, corrections, json)


def _train(data: Path | None, into: Path, corrections: Path | None, json: bool) -> None:
    from flows.judging import hotsearch
    from models.classify.train import train as run
    from models.classify.weights_file import keep_previous

    if data is None or not data.is_dir():
        fail(f"没有目录 {data or ''}；用 --data 指出标注数据所在")
    compared = _challenge(data, corrections) if corrections else {}
    if corrections:
        keep_previous(into)
    report = run(data, into, corrections) | ({"challenge": compared} if compared else {})
    hotsearch.write(data, into)
    if json:
        out(report)
    else:
        say(f"写好 {into}")
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


def _collect(site: Path | None, into: Path, json: bool) -> None:
    """What officers changed, as a file that `--corrections` reads."""
    from models.ledger import judgements

    with house(site) as opened, opened.store.read() as conn:
        rows = list(judgements.corrected(conn))
    into.write_text("".join(f"{dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    if json:
        out({"file": str(into), "rows": len(rows)})
    else:
        say(f"写好 {into}：{len(rows)} 条")


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
    from flows.judging import hotsearch
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
