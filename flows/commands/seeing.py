"""huiying board, show, proposals, verify, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, out, say, site_dir
from flows.commands.tables import board_lines, proposal_lines, whole_incident_lines
from flows.office.desk import Desk


def board(site: SiteOption = None, json: JsonOption = False) -> None:
    """未结事件与全部时钟；旁边是覆盖情况。"""
    with house(site) as opened:
        shown = Desk(opened).board()
    if json:
        out(shown)
        return
    for line in board_lines(shown):
        typer.echo(line)


def show(
    incident: Annotated[str, typer.Argument(help="事件编号，如 2026-0012")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """一起事件的全部: 定级理由、时钟、经过、线索(带编号)、凭据。"""
    with house(site) as opened:
        shown = Desk(opened).incident(incident)
    if shown is None:
        fail(f"没有编号为 {incident} 的事件；用 huiying board 查看全部未结事件")
    if json:
        out(shown)
        return
    for line in whole_incident_lines(shown):
        typer.echo(line)


def proposals(
    everything: Annotated[bool, typer.Option("--all", help="连同已处理的(采信、不采信、自动)")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """官方发布像是在回应哪些事件: 待确认的凭据建议。"""
    with house(site) as opened:
        found = Desk(opened).proposals(everything)
    if json:
        out(found)
        return
    for line in proposal_lines(found):
        typer.echo(line)


def verify(site: SiteOption = None, json: JsonOption = False) -> None:
    """核对日志链、重建各表并比较、检查各条铁律。"""
    from flows.audit import verify_chain

    with house(site) as opened:
        found = verify_chain(opened)
    if json:
        out(found)
    else:
        typer.echo(
            f"日志 {found['entries']} 条，链尾 {found['head'][:16]}: " + ("完好" if found["ok"] else "有问题")
        )
        for finding in found["findings"]:
            typer.echo(f"  ✗ {finding}")
    if not found["ok"]:
        raise typer.Exit(1)


def doctor(
    site: SiteOption = None,
    json: JsonOption = False,
    forget: Annotated[str | None, typer.Option(help="不再提这个失联的进程: 主机名 或 主机名:进程号")] = None,
) -> None:
    """缺什么、错在哪、用哪条命令修；各台机器上的进程是否都在。"""
    from flows.office.doctor import examine

    if forget is not None:
        _forget(site, forget)
    findings = examine(site_dir(site))
    ok = all(finding["ok"] for finding in findings)
    if json:
        out({"ok": ok, "findings": findings})
    else:
        for finding in findings:
            mark = "!" if finding["warning"] else "✓" if finding["ok"] else "✗"
            mend = f"  → {finding['mend']}" if finding["mend"] and mark != "✓" else ""
            typer.echo(f"{mark} {finding['what']}: {finding['detail']}{mend}")
    if not ok:
        raise typer.Exit(1)


def _forget(site: Path | None, named: str) -> None:
    """Ends the command when nobody of that name is silent."""
    from flows.office import machines

    with house(site) as opened:
        gone = machines.forget(opened, named)
    if not gone:
        fail(f"没有失联的进程叫 {named}；写 doctor 列出的 主机名:进程号，还在运行的不能除名")
    say(f"不再提 {'、'.join(gone)}")
