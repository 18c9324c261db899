"""huiying report: 专报, 快报, 日报, 通报, 考核, 年报章节, 复盘, 卷宗 as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, out, plainly, say

KIND = "special duty brief bulletin assessment annual registers afteraction file；templates 导出模板"


def report(
    kind: Annotated[str, typer.Argument(help=KIND)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="写到哪里；结尾决定格式: .docx .xlsx .pdf .md .csv")
    ] = None,
    incident: Annotated[str, typer.Option("--incident", help="事件编号，如 2026-0012")] = "",
    period: Annotated[
        str, typer.Option("--period", help="期间: 2026 2026-H1 2026-Q3 2026-11 2026-W47 2026-11-21")
    ] = "",
    since: Annotated[str, typer.Option("--from", help="起，如 2026-11-01")] = "",
    until: Annotated[str, typer.Option("--to", help="止，含这一天")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """写出报告: 专报、快报、日报周报、季度通报、考核、年报章节、复盘、事件卷宗。"""
    from flows.reporting import making  # heavy: Word, Excel and typesetting

    if kind == "templates":
        _templates(output)
        return
    with house(site) as opened:
        asked = making.named(kind)
        path = output or fail(f"没有写到哪里: 加 -o {asked.zh.replace('、', '')}.{asked.form}", 2)
        wish = {"incident": incident, "period": period, "from": since, "to": until}
        made = making.make(
            opened, kind, making.form_of(path), {key: value for key, value in wish.items() if value}
        )
        making.put(path, made.content)
    if json:
        said = {"kind": kind, "kind_zh": made.kind.zh, "path": str(path), "bytes": len(made.content)}
        out(said | {"sha256": made.sha256, "data": made.data})
    else:
        say(f"{made.kind.zh}已写到 {path}（{len(made.content)} 字节，SHA-256 {made.sha256[:16]}…）")


def _templates(output: Path | None) -> None:
    from flows.reporting import making

    folder = output or fail("没有写到哪里: 加 -o 目录", 2)
    with plainly():
        for path in making.export(folder):
            say(f"已写出 {path}")
    say(f"改好后在 site.yaml 写 reports: {{templates: {folder.name}}}；字体文件也可放进去")
