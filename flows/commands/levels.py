"""huiying levels, refer, accept, return, neighbour: installations above, below and beside this one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from connectors import sealing
from flows.commands.acting import By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, house, out, plainly, say
from flows.office.desk import Desk
from flows.telling import lines
from models.core.moment import clock_face, deadline_face, parse_iso, span

View = dict[str, Any]
neighbour = typer.Typer(name="neighbour", help="邻居: key, list。", no_args_is_help=True)
Referral = Annotated[str, typer.Argument(help="移送的编号，可只写开头几位；见 huiying levels")]


def levels(site: SiteOption = None, json: JsonOption = False) -> None:
    """上下级: 下级的态势(没有消息的在最前)、收发的移送。"""
    with house(site) as opened:
        view = Desk(opened).levels.overview()
    if json:
        out(view)
        return
    for line in (*map(_lower_line, view["rows"]), *map(_referral_line, view["referrals"])):
        typer.echo(line)
    if not view["neighbours"]:
        say("没有邻居；在 site.yaml 写 neighbours，见 docs/上下级.md")


def _lower_line(row: View) -> str:
    if row["heard_at"] is None:
        return f"! {row['name']}: 从未收到消息，不等于平安"
    counts = row["clocks"]
    said = (
        f"未结 {row['open']}，逾期 {counts['breached']}，临期 {counts['at_risk']}，计时中 {counts['running']}"
    )
    near = "；".join(
        f"{one['title'] or one['ref']} {one['clock']} {deadline_face(parse_iso(one['due_at']))}前"
        for one in row["nearest"][:1]
    )
    silence = f"，已 {span(row['age_s'])}没有消息，不等于平安" if row["silent"] else ""
    return f"{'!' if row['silent'] else ' '} {row['name']}: {said}{silence}{f'；{near}' if near else ''}"


def _referral_line(one: View) -> str:
    ours = f"舆-{one['incident_id']}" if one["incident_id"] else one["their_ref"]
    head = f"{one['id'][:8]} {one['way_zh']} {one['neighbour_name']} {one['purpose_zh']} {one['state_zh']}"
    return f"{head} {ours} {one['title']}（{clock_face(parse_iso(one['at']))}）"


def refer(
    incident: Incident,
    by: By,
    to: Annotated[str, typer.Option(help="邻居的标识或名称，见 huiying neighbour list")],
    reason: Annotated[str, typer.Option("--reason", "--why", help="理由")],
    inform: Annotated[bool, typer.Option("--inform", help="仅供知悉（抄报、通报），不移交")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """移送: 把事件连同时钟、凭据和日志交给上级、下级或平级的系统；对方接收以前时钟照走。"""
    purpose = "inform" if inform else "transfer"
    with house(site) as opened:
        said = {"to": to, "purpose": purpose, "reason": reason}
        _show(Desk(opened).work.act("refer", incident, said, by), json)


def accept(
    referral: Referral,
    by: By,
    reason: Reason = "",
    clocks: Annotated[str, typer.Option(help="只接过哪些时钟，逗号分隔；不写即全部")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """接收: 移送来的事件从此由本单位办理；仅供知悉的登记已阅。"""
    with house(site) as opened:
        desk = Desk(opened)
        found = desk.levels.one(referral)
        given = {key: text for key, text in (("reason", reason), ("clocks", clocks)) if text}
        what = "accept" if found["purpose"] == "transfer" else "note"
        _show(desk.levels.act(what, found["id"], given, by), json)


def give_back(
    referral: Referral,
    by: By,
    reason: Annotated[str, typer.Option("--reason", "--why", help="理由，原样告诉移送方")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """退回: 移送来的事件不归本单位；移送方的时钟一直在走。"""
    with house(site) as opened:
        _show(Desk(opened).levels.act("return", referral, {"reason": reason}, by), json)


def _show(view: View, json: bool) -> None:
    if json:
        out(view)
    say(view["said"])


@neighbour.command("key")
def key() -> None:
    """生成本系统的密钥：私钥存进环境变量或文件，公钥交给邻居写进它的 site.yaml。"""
    private = sealing.new_key()
    typer.echo(f"private_key: {private}")
    typer.echo(f"public_key: {sealing.public_of(private)}")
    say("私钥不要写进 YAML，也不要发给任何人；公钥可以公开")


@neighbour.command("list")
def list_(site: SiteOption = None, json: JsonOption = False) -> None:
    """邻居和到它们的线路；最后一行是本系统的公钥。"""
    with house(site) as opened:
        found = Desk(opened).levels.overview()["neighbours"]
        private = opened.site.levels.private_key
        with plainly():
            public = sealing.public_of(lines.private_key(opened)) if private else None
    if json:
        out({"neighbours": found, "public_key": public})
        return
    for one in found:
        state = (
            f"已试 {one['tries']} 次: {one['why']}"
            if one["tries"]
            else "通"
            if one["last_good_at"]
            else "尚未运行"
        )
        typer.echo(f"{one['id']} {one['relation_zh']} {one['name']} {one['url']} {state}")
    if public:
        typer.echo(f"本系统的公钥: {public}")
