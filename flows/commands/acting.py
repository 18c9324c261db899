"""A person's acts on an incident: huiying open, ack, grade, stop, adopt, waive, close and the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.uploads import MOST
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.commands.tables import incident_lines
from flows.office.desk import Desk
from flows.wiring import UNNAMED

Incident = Annotated[str, typer.Argument(help="事件编号，如 2026-0012 或 舆-2026-0012")]
By = Annotated[str, typer.Option("--by", help="谁: roster.yaml 中的人员标识")]
Reason = Annotated[str, typer.Option("--reason", help="为什么")]
At = Annotated[str, typer.Option(help="时间，如 2026-11-21T02:13+08:00")]


def act(site: Path | None, name: str, incident: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        shown = Desk(opened).act(name, incident, {key: value for key, value in params.items() if value}, by)
        _show(shown, json)


def _show(shown: dict[str, Any], json: bool) -> None:
    if json:
        out(shown)
    else:
        for line in incident_lines(shown):
            typer.echo(line)
        if "told_role" in shown:
            say(f"已通知: {shown['told_role']}(第 {shown['told_rung']} 级)")
        if "stopped" in shown:
            say(f"停止的时钟: {'、'.join(shown['stopped']) or '无(凭据已登记)'}")
        if "restarted" in shown:
            say(f"重新计时的时钟: {'、'.join(shown['restarted']) or '无(没有时钟由它停止)'}")


def open_(
    title: Annotated[str, typer.Option(help="标题")],
    grade: Annotated[str, typer.Option(help="I II III IV")],
    occurred_at: At = "",
    discovered_at: At = "",
    first_public_at: At = "",
    received_at: At = "",
    kind: Annotated[str, typer.Option(help="舆情类别")] = "",
    event_type: Annotated[str, typer.Option(help="事件类型")] = "",
    domain: Annotated[str, typer.Option(help="领域，如 environment")] = "",
    place: Annotated[str, typer.Option(help="地点")] = "",
    owner: Annotated[str, typer.Option(help="责任单位")] = "",
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """人工立案，时钟即刻开始。"""
    act(
        site, "open", "", by, json, title=title, grade=grade, occurred_at=occurred_at, discovered_at=discovered_at,
        first_public_at=first_public_at, received_at=received_at, kind=kind, event_type=event_type, place=place,
        domain=domain, owner=owner, reason=reason,
    )  # fmt: skip


def ack(
    incident: Incident, by: By, reason: Reason = "", site: SiteOption = None, json: JsonOption = False
) -> None:
    """签收: 停止对本人的重复提醒，不停时钟。"""
    act(site, "ack", incident, by, json, reason=reason)


def take(
    incident: Incident, by: By, reason: Reason = "", site: SiteOption = None, json: JsonOption = False
) -> None:
    """接手: 签收，并由本人处理；不停其他时钟。"""
    act(site, "take", incident, by, json, reason=reason)


def escalate(
    incident: Incident,
    by: By,
    to: Annotated[str, typer.Option(help="通知第几级；缺省为尚未通知的上一级")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """升级: 立即通知上一级值班领导，不等时钟的下一个节点。"""
    act(site, "escalate", incident, by, json, to=to, reason=reason)


def snooze(
    incident: Incident,
    by: By,
    minutes: Annotated[str, typer.Option(help="多少分钟以后，5 到 120")] = "30",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """稍后提醒: 暂不重复提醒本人；不算签收，到期照样通知。"""
    act(site, "snooze", incident, by, json, minutes=minutes, reason=reason)


def grade(
    incident: Incident,
    by: By,
    reason: Reason,
    grade_: Annotated[str, typer.Argument(metavar="[I|II|III|IV]", help="级别")] = "",
    grade: Annotated[str, typer.Option("--grade", help="级别")] = "",
    kind: Annotated[str, typer.Option(help="舆情类别")] = "",
    domain: Annotated[str, typer.Option(help="领域，如 environment")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """定级: 新时钟从同一起算时间开始。"""
    act(site, "grade", incident, by, json, grade=grade or grade_, kind=kind, domain=domain, reason=reason)


def assign(
    incident: Incident,
    by: By,
    unit: Annotated[str, typer.Option(help="责任单位")],
    co: Annotated[str, typer.Option(help="协办单位，逗号分隔")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """交办责任单位并请它认领，不重置时钟。"""
    act(site, "assign", incident, by, json, unit=unit, co=co, reason=reason)


def stop(
    incident: Incident,
    by: By,
    reason: Reason = "",
    clock: Annotated[str, typer.Option(help="时钟，如 first_statement；缺省停下此凭据能停的全部")] = "",
    kind: Annotated[str, typer.Option(help="凭据种类，如 published_statement")] = "",
    url: Annotated[str, typer.Option(help="发布地址")] = "",
    document: Annotated[str, typer.Option(help="文件名称或编号(没有网址时)")] = "",
    file: Annotated[
        Path | None, typer.Option(help="凭据文件: PDF、图片、视频、DOCX、XLSX、文本，10 MB 以内")
    ] = None,
    publisher: Annotated[str, typer.Option(help="发布者")] = "",
    published_at: At = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记凭据，停下时钟。"""
    given = {
        "clock": clock, "kind": kind, "url": url, "document": document, "publisher": publisher,
        "published_at": published_at, "reason": reason,
    }  # fmt: skip
    if file is None:
        act(site, "stop", incident, by, json, **given)
        return
    content = _read(file)
    with house(site) as opened:
        params = {key: value for key, value in given.items() if value}
        _show(Desk(opened).files.stop(incident, params, by, file.name, content), json)


def _read(file: Path) -> bytes:
    """No more than shows that it is too large."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST + 1)
    except OSError as error:
        fail(f"读不了 {file}({error.strerror})；请核对路径", 2)


def waive(
    incident: Incident,
    by: By,
    reason: Reason,
    clock: Annotated[str, typer.Option(help="要免除的时钟")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """免除一个时钟(签名、写明理由，另行统计)。"""
    act(site, "waive", incident, by, json, clock=clock, reason=reason)


def retract(
    incident: Incident,
    by: By,
    reason: Reason,
    evidence: Annotated[str, typer.Option(help="凭据编号，可只写开头几位(见 huiying show)")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """撤回凭据: 它停下的时钟从同一起算时间重新计时，已办结的事件随之重开。"""
    act(site, "retract", incident, by, json, evidence=evidence, reason=reason)


Proposal = Annotated[str, typer.Option("--proposal", help="建议编号，可只写开头几位；只有一条时可不写")]


def adopt(
    incident: Incident,
    by: By,
    reason: Reason = "",
    proposal: Proposal = "",
    kind: Annotated[str, typer.Option(help="凭据种类，系统判错时改正")] = "",
    published_at: At = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """采信: 把系统建议的官方发布登记为凭据，按平台时间停下时钟。"""
    act(
        site, "adopt", incident, by, json, proposal=proposal, kind=kind, published_at=published_at, reason=reason
    )  # fmt: skip


def dismiss(
    incident: Incident,
    by: By,
    reason: Reason,
    proposal: Proposal = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """不采信: 这一发布说的不是本事件；记住，不再建议。"""
    act(site, "dismiss", incident, by, json, proposal=proposal, reason=reason)


def update(
    incident: Incident,
    by: By,
    reason: Reason = "",
    text: Annotated[str, typer.Option(help="进展")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """记录进展。"""
    act(site, "update", incident, by, json, text=text or reason)


def correct(
    incident: Incident,
    by: By,
    reason: Reason,
    event: Annotated[str, typer.Option(help="occurrence first_public discovery receipt")],
    value: At,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """更正起算时间: 新增一条，旧的保留。"""
    act(site, "correct", incident, by, json, event=event, value=value, reason=reason)


def merge(
    incident: Incident,
    into: Annotated[str, typer.Argument(help="并入哪个事件")],
    by: By,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """合并: 保留较早的起算时间与全部凭据。"""
    act(site, "merge", incident, by, json, into=into, reason=reason)


def split(
    incident: Incident,
    by: By,
    signals: Annotated[str, typer.Option(help="拆出的线索编号，逗号分隔")],
    title: Annotated[str, typer.Option(help="新事件标题")],
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """拆分: 新事件沿用已知的起算时间。"""
    act(site, "split", incident, by, json, signals=signals, title=title, reason=reason)


def reopen(
    incident: Incident, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """重开已办结的事件。"""
    act(site, "reopen", incident, by, json, reason=reason)


def close(
    incident: Incident, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """办结；时钟在走、凭据不齐、必办事项未完成时拒绝，并列出全部缺项。"""
    act(site, "close", incident, by, json, reason=reason)
