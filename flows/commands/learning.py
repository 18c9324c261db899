"""huiying train, evaluate: the classifiers from labelled data, and how good they are."""

from __future__ import annotations

import os
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, known_person, out, say
from flows.wiring import House
from models.ledger.store import Connection

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
        Path | None,
        typer.Option(
            help="只把本站值班员改过的类别、标签、级别、合并和拆分写成更正 JSONL，不训练；来件里的个人信息已遮盖"
        ),
    ] = None,
    originals: Annotated[
        bool, typer.Option("--originals", help="与 --collect 同用：不遮盖；须写 --by 和 --reason，记入日志")
    ] = False,
    by: Annotated[str, typer.Option(help="谁，roster.yaml 中的人员标识")] = "",
    reason: Annotated[str, typer.Option(help="为什么要原文，记入日志")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """由标注数据训练分类器，写成数字(.npz)。"""
    from models.classify.weights_file import SHIPPED

    if rollback:
        _roll_back(into, json)
    elif collect:
        _collect(site, collect, (by, reason) if _wants_originals(originals, by, reason) else None, json)
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


def _wants_originals(originals: bool, by: str, reason: str) -> bool:
    if originals and not (by and reason.strip()):
        fail("要原文须写 --by 人员 和 --reason 理由，都记入日志；不写 --originals 即遮盖后的", 2)
    return originals


def _collect(site: Path | None, into: Path, asked: tuple[str, str] | None, json: bool) -> None:
    """What officers changed, as a file that `--corrections` reads, for its owner's eyes only. `asked`: who
    wants the originals and why, journalled before they are written."""
    with house(site) as opened:
        if asked is not None:
            known_person(opened, asked[0])
        rows = _corrected(opened, asked)
        _write_privately(into, "".join(f"{dumps(row, ensure_ascii=False)}\n" for row in rows))
    if json:
        out({"file": str(into), "rows": len(rows)})
    else:
        say(f"写好 {into}：{len(rows)} 条")


def _corrected(opened: House, asked: tuple[str, str] | None) -> list[dict[str, Any]]:
    """Kinds, labels, grades, links: a row that `--corrections` cannot learn from is passed over there."""
    from models.ledger import sealed

    if asked is None:
        with opened.store.read() as conn:
            return _changed(conn, masked=True)
    with opened.store.write() as conn:
        rows = _changed(conn, masked=False)
        sealed.taken_out(conn, opened.time.now(), len(rows), *asked)
    return rows


def _changed(conn: Connection, *, masked: bool) -> list[dict[str, Any]]:
    from models.ledger import corrections, judgements

    changed = (judgements.corrected, corrections.labels, corrections.grades, corrections.links)
    return [row for rows in changed for row in rows(conn, masked=masked)]


def _write_privately(path: Path, text: str) -> None:
    """A file that nobody but its owner can read, also where there was another before."""
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


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
