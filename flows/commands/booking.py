"""huiying playbook …: a site's own playbooks from a draft to being in force; huiying move-playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Incident, Reason, act
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, parse_iso
from models.ledger.books import find

playbook = typer.Typer(
    help="站点自己的预案: 送审、审定、回退(site.yaml 写 playbooks: {review: true} 后启用)",
    no_args_is_help=True,
)
Version = Annotated[str, typer.Argument(help="版本编号，可只写开头几位(见 huiying playbook list)")]


@playbook.command("list")
def list_(site: SiteOption = None, json: JsonOption = False) -> None:
    """现行的预案和全部版本。"""
    with house(site) as opened:
        desk = Desk(opened)
        shown = [desk.playbook(book["id"]) or {} for book in desk.playbooks()]
    if json:
        out(shown)
        return
    for view in shown:
        mark = "现行" if view["live"] else "未生效"
        typer.echo(f"{view['id']}  {view['name']}  {mark} {view['version']}")
        for version in view["versions"]:
            typer.echo("    " + _line(version))


def _line(version: View) -> str:
    current = "（现行）" if version["current"] else ""
    who = f"{version['author']} {clock_face(parse_iso(version['submitted_at']))} 送审"
    then = f"，{version['reviewer']} {version['state_zh']}" if version["reviewer"] else ""
    what = "停用站点自己的" if version["empty"] else version["version"]
    return f"{version['id']}  {what}  {version['state_zh']}{current}  {who}{then}  {version['reason']}"


@playbook.command()
def submit(
    file: Annotated[Path, typer.Argument(help="预案文件")],
    by: By,
    reason: Reason,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """送审: 由另一个人审定以后才生效。"""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        fail(f"{file} 读不出来；核对路径，用 UTF-8 保存", 2)
    _do(site, "submit", "", {"content": text, "reason": reason}, by, json)


@playbook.command()
def approve(
    version: Version,
    by: By,
    reason: Reason,
    active_from: Annotated[str, typer.Option(help="何时生效，如 2026-12-01T00:00；不写即现在")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """审定别人送审的草案。"""
    _settle(site, "approve", version, {"reason": reason, "active_from": active_from}, by, json)


@playbook.command("return")
def return_(
    version: Version, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """退回别人送审的草案，写明为什么。"""
    _settle(site, "return", version, {"reason": reason}, by, json)


@playbook.command()
def withdraw(
    version: Version, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """撤回自己的草案。"""
    _settle(site, "withdraw", version, {"reason": reason}, by, json)


@playbook.command()
def rollback(
    book: Annotated[str, typer.Argument(metavar="PLAYBOOK", help="预案标识")],
    by: By,
    reason: Reason,
    to: Annotated[str, typer.Option("--to", help="回到哪个审定过的版本；none 为停用站点自己的")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """回退: 即刻恢复审定过的旧版本，一个人即可，写明为什么。"""
    _do(site, "rollback", book, {"version": to, "reason": reason}, by, json)


def _settle(site: Path | None, name: str, version: str, params: dict[str, str], by: str, json: bool) -> None:
    with house(site) as opened:
        with opened.store.read() as conn:
            row = find(conn, version)
        done = Desk(opened).playbook_act(name, row.playbook, {**params, "version": row.id}, by)
    _say(done, json)


def _do(site: Path | None, name: str, book: str, params: dict[str, str], by: str, json: bool) -> None:
    with house(site) as opened:
        done = Desk(opened).playbook_act(name, book, params, by)
    _say(done, json)


def _say(done: dict[str, Any], json: bool) -> None:
    if json:
        out(done)
    else:
        typer.echo(done["id"])
        say(f"{done['playbook']}: {done['said']}")


def move_playbook(
    incident: Incident,
    by: By,
    reason: Reason,
    playbook: Annotated[str, typer.Option("--playbook", help="只换这一份；不写则全部")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """换预案版本: 事件改按现行预案设钟，起算不变。"""
    act(site, "move", incident, by, json, playbook=playbook, reason=reason)
