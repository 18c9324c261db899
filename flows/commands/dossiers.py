"""huiying dossier …: evidence packages of a rumour; huiying mood: what was said around our publications."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from flows.wiring import UNNAMED
from models.core.moment import clock_face, parse_iso

dossier = typer.Typer(help="辟谣移交: 制作证据包、移交、回执、后续", no_args_is_help=True)
Dossier = Annotated[
    str, typer.Option("--dossier", help="证据包编号，可只写开头几位(见 huiying dossier list)")
]


def act(site: Path | None, name: str, incident: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        given = {key: value for key, value in params.items() if value}
        _show(Desk(opened).dossiers.act(name, incident, given, by), json)


def _show(view: View, json: bool) -> None:
    if json:
        out(view)
        return
    for one in view["dossiers"]:
        made = clock_face(parse_iso(one["made_at"]))
        line = f"{one['id'][:8]}  {one['state_zh']}  线索 {one['posts']} 条  {one['made_by']} {made}"
        whom = f"  {one['receiver']}" if one["receiver"] else ""
        number = f"  回执 {one['receipt']}" if one["receipt"] else ""
        typer.echo(f"{line}{whom}{number}  {one['sha256'][:12]}…")
    if view.get("said"):
        say(view["said"])


@dossier.command("list")
def list_(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """一个事件的证据包。"""
    with house(site) as opened:
        _show(Desk(opened).dossiers.overview(incident), json)


@dossier.command()
def make(
    incident: Incident,
    by: By,
    signals: Annotated[str, typer.Option(help="线索编号，逗号分隔；不写为全部")] = "",
    look: Annotated[
        bool, typer.Option("--look", help="制作时逐个打开线索的网址(最多 30 个)，记下还在不在")
    ] = False,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """制作证据包: 线索、传播量、存证与每个文件的 SHA-256。"""
    act(site, "make", incident, by, json, signals=signals, look="1" if look else "", reason=reason)


@dossier.command()
def hand(
    incident: Incident,
    by: By,
    reason: Reason,
    dossier: Dossier,
    to: Annotated[str, typer.Option(help="接收单位，如 市公安局网安支队")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记移交，写出移交单。"""
    with house(site) as opened:
        given = {"dossier": dossier, "to": to, "reason": reason}
        view = Desk(opened).dossiers.act("hand", incident, given, by)
    _show(view, json)
    if not json:
        form = next(one["form"] for one in view["dossiers"] if one["id"].startswith(dossier))
        typer.echo(f"\n{form}")


@dossier.command()
def receipt(
    incident: Incident,
    by: By,
    dossier: Dossier,
    number: Annotated[str, typer.Option(help="回执编号，只能用一次")],
    received_at: Annotated[str, typer.Option(help="接收时间；不写即现在")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记移交回执，停下移交的时钟。"""
    act(
        site, "receipt", incident, by, json, dossier=dossier, number=number, received_at=received_at, reason=reason
    )  # fmt: skip


@dossier.command()
def follow(
    incident: Incident,
    by: By,
    dossier: Dossier,
    text: Annotated[str, typer.Option(help="接收单位怎样处理")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """记移交后续。"""
    act(site, "follow", incident, by, json, dossier=dossier, text=text)


@dossier.command()
def save(
    dossier: Annotated[str, typer.Argument(help="证据包编号，可只写开头几位")],
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个文件")],
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
) -> None:
    """把证据包(zip)写成文件，已有的不覆盖；含个人信息的须署名、写明理由，取出留痕。"""
    if output.exists():
        fail(f"已经有 {output}；换一个文件名")
    with house(site) as opened:
        content, _ = Desk(opened).dossiers.take(dossier, by, reason)
    try:
        with output.open("xb") as file:
            file.write(content)
    except FileExistsError:
        fail(f"已经有 {output}；换一个文件名")
    except OSError as error:
        fail(f"写不了 {output}({error.strerror})；换一个位置")
    say(f"已写 {output}，{len(content)} 字节")


def mood(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """舆情走势: 每次发布前后的声量与负面占比，看不看得出效果。"""
    with house(site) as opened:
        view = Desk(opened).mood.overview(incident)
    if json:
        out(view)
        return
    typer.echo(f"{view['signals']} 条线索，其中负面 {view['negative']} 条")
    for one in view["readings"]:
        at = clock_face(parse_iso(one["published_at"]))
        typer.echo(f"{at}  {one['kind_zh']}  {one['publisher']}")
        typer.echo(f"    {one['sentence']}")
    if not view["readings"]:
        typer.echo("还没有登记对公众的发布")
