"""huiying deadletters list, show, export, mend, replay, drop; reveal; secret."""

from __future__ import annotations

import base64
import json as json_
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.console.desk import LARGEST
from flows.collecting import letters
from flows.commands.common import JsonOption, SiteOption, fail, house, known_person, out, say
from flows.wiring import UNNAMED, House
from models.core.text import harmless, visible

deadletters = typer.Typer(
    help="死信: 读不了的行。看、修补、重放、作废。", no_args_is_help=True, pretty_exceptions_enable=False
)

Number = Annotated[int, typer.Argument(min=1, max=LARGEST, help="死信编号，见 huiying deadletters list")]
Source = Annotated[str, typer.Option(help="只看这个信源")]
By = Annotated[str, typer.Option(help="谁，roster.yaml 中的人员标识")]
Reason = Annotated[str, typer.Option(help="理由，记入日志")]
Must = Annotated[str, typer.Option(help="谁，roster.yaml 中的人员标识；必须写")]
EXPORTED = ("id", "source", "place", "reason", "row")


@deadletters.command("list")
def list_(
    source: Source = "",
    every: Annotated[bool, typer.Option("--all", help="连已处理的一起列")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """待修补的死信: 编号、位置、原因。个人信息已遮盖。"""
    with house(site) as opened:
        found = list(_every(opened, source, every))
    if json:
        out({"letters": found})
        return
    for one in found:
        _tell(f"{one['id']}  {one['source']}  {one['state_zh']}  {one['reason']}")
    say(f"共 {len(found)} 条；修补: huiying deadletters mend 编号 --set 列名=新值，再 replay")


def _every(opened: House, source: str, settled: bool) -> Iterator[dict[str, Any]]:
    after, more = 0, True
    while more:
        page = letters.overview(opened, source or None, after, settled=settled)
        yield from page["letters"]
        more = page["more"]
        after = page["letters"][-1]["id"] if page["letters"] else after


@deadletters.command()
def show(number: Number, site: SiteOption = None, json: JsonOption = False) -> None:
    """一条死信的全部: 各列、原样、谁改过什么。"""
    with house(site) as opened:
        found = letters.one(opened, number)
    if found is None:
        fail(f"没有编号为 {number} 的死信；用 huiying deadletters list 查看")
    if json:
        out(found)
        return
    _tell(f"死信 {found['id']}  {found['state_zh']}  信源 {found['source']}\n{found['reason']}")
    known = {column: field for field, column in found["columns"].items()}
    for column, cell in found["row"].items():
        _tell(f"  {column}{f'（{known[column]}）' if column in known else ''}: {cell}")
    _tell(f"原样: {found['raw']}")
    if found["note"]:
        _tell(f"修补: {found['note']}")


def _tell(text: str) -> None:
    """Text from outside on a terminal."""
    typer.echo(visible(text))


@deadletters.command()
def export(
    source: Source = "",
    csv: Annotated[
        bool, typer.Option("--csv", help="写成 CSV，给表格软件看；要改回来用缺省的 JSONL")
    ] = False,
    site: SiteOption = None,
) -> None:
    """待修补的死信 → 标准输出，逐行 JSON；改好 row 里的值，用 mend --from 交回。个人信息已遮盖。"""
    with house(site) as opened:
        if csv:
            typer.echo(",".join(EXPORTED))
        for one in _every(opened, source, False):
            kept = {name: one[name] for name in EXPORTED}
            typer.echo(_csv_line(kept) if csv else json_.dumps(kept, ensure_ascii=False))


def _csv_line(kept: dict[str, Any]) -> str:
    cells = [
        value if isinstance(value, str) else json_.dumps(value, ensure_ascii=False) for value in kept.values()
    ]
    return ",".join('"' + harmless(cell).replace('"', '""') + '"' for cell in cells)


@deadletters.command()
def mend(
    number: Annotated[
        int | None, typer.Argument(min=1, max=LARGEST, help="死信编号；用 --from 时不写")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="列名=新值，可写多次")] = None,
    file: Annotated[Path | None, typer.Option("--from", help="改过的 JSONL（export 的样子）")] = None,
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """修补: 改一条的几列，或交回改过的 JSONL。只改写了的列；原样另存不动。"""
    if (number is None) == (file is None):
        fail("写一个编号和 --set，或只写 --from 文件", 2)
    with house(site) as opened:
        known_person(opened, by)
        work = [(number, _pairs(set_ or []))] if number is not None else list(_edited(opened, file))
        for one, changes in work:
            letters.mend(opened, one, changes, by, reason)
    out({"mended": len(work)}) if json else typer.echo(
        f"已修补 {len(work)} 条；用 huiying deadletters replay 重放"
    )


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    wrong = next((one for one in pairs if not one[1] or not one[0].strip()), None)
    if wrong is not None:
        fail(f"--set {''.join(wrong)} 不对；写成 --set 列名=新值", 2)
    return {name.strip(): value for name, _, value in pairs}


def _edited(opened: House, file: Path | None) -> Iterator[tuple[int, dict[str, str]]]:
    """(number, what differs) for each line; cells that still hold a mask were not edited."""
    assert file is not None
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: 读不了（{error}）；请核对路径，并存为 UTF-8")
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            edited = json_.loads(line)
            number, row = min(int(edited["id"]), LARGEST), dict(edited["row"])
        except (ValueError, KeyError, TypeError) as error:
            fail(f'{file}:{at}: 应为 {{"id": 编号, "row": {{列: 值}}}}（{error}）；前面的行没有改')
        before = (letters.one(opened, number) or {}).get("row", {})
        changes = {str(k): str(v) for k, v in row.items() if v is not None and str(v) != before.get(k)}
        if changes:
            yield number, changes


@deadletters.command()
def replay(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(min=1, max=LARGEST, help="死信编号；不写则用 --source 或 --all"),
    ] = None,
    source: Source = "",
    every: Annotated[bool, typer.Option("--all", help="全部待修补的")] = False,
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """重放: 再读一遍；读得了的成为线索，读不了的留下新的原因。重放两遍与一遍相同。"""
    if not numbers and not source and not every:
        fail("写编号、--source 信源 或 --all", 2)
    with house(site) as opened:
        known_person(opened, by)
        done = letters.replay(opened, numbers or None, source or None, by, reason)
    if json:
        out(done.as_dict())
    else:
        typer.echo(f"收下 {done.accepted}，重复 {done.duplicate}，仍读不了 {done.rejected}")
        for one in done.reasons[:10]:
            say(visible(f"  {one}"))
    if done.rejected:
        raise typer.Exit(1)


@deadletters.command()
def drop(
    numbers: Annotated[list[int], typer.Argument(min=1, max=LARGEST, help="死信编号")],
    reason: Annotated[str, typer.Option(help="理由，记入日志；必须写")] = "",
    by: By = UNNAMED,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """作废: 不值得修补的；仍可查看。"""
    with house(site) as opened:
        known_person(opened, by)
        count = letters.drop(opened, numbers, by, reason)
    out({"dropped": count}) if json else typer.echo(f"已作废 {count} 条")


def reveal(
    signal: Annotated[int, typer.Argument(min=1, max=LARGEST, help="线索编号，见 huiying show 事件编号")],
    by: Must = "",
    reason: Annotated[str, typer.Option(help="为什么要看，记入日志；必须写")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """看一条线索未遮盖的原文，例如要给来电人回电；谁、何时、为什么，记入日志。"""
    from flows.collecting import privacy

    if not by or not reason.strip():
        fail("要写 --by 人员 和 --reason 理由，都记入日志", 2)
    with house(site) as opened:
        known_person(opened, by)
        found = privacy.reveal(opened, signal, by, reason)
        dropped = opened.site.personal_data == "drop"
    if json:
        out(found)
        return
    for name, word in (("title", "标题"), ("body", "内容"), ("author", "姓名"), ("place", "地点")):
        if found.get(name):
            _tell(f"{word}: {found[name]}")
    if dropped:
        say("本站点设置为 personal_data: drop，原文没有保存")


def secret() -> None:
    """生成一个新密钥，给推送、webhook 或 personal_key 用；存进环境变量或文件，不要写进 YAML。"""
    typer.echo(f"whsec_{base64.b64encode(os.urandom(32)).decode()}")
