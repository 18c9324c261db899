"""huiying work, stage, product, claim, reject, transfer, notify-receipt, task: how an incident is worked on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.acting import At, By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, deadline_face, parse_iso

View = dict[str, Any]
task = typer.Typer(name="task", help="任务: list, add, done, drop。", no_args_is_help=True)
Unit = Annotated[str, typer.Option("--unit", help="单位标识或名称；不写则取本人的单位")]


def _do(site: Path | None, what: str, incident: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        view = Desk(opened).work.act(what, incident, {key: text for key, text in params.items() if text}, by)
        _show(view, json)


def _show(view: View, json: bool) -> None:
    if json:
        out(view)
        return
    for line in work_lines(view):
        typer.echo(line)
    if "said" in view:
        say(view["said"])


def work(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """办理: 阶段、责任单位、任务、通报，以及办结还缺什么。"""
    with house(site) as opened:
        _show(Desk(opened).work.overview(incident), json)


def stage(
    incident: Incident,
    by: By,
    reason: Reason,
    to: Annotated[str, typer.Option(help="collect consult assess respond evaluate")],
    text: Annotated[str, typer.Option(help="本阶段的成果: 收集摘要、会商纪要、研判结论")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """换阶段: 收集 → 会商 → 研判 → 回应 → 评估，各有成果和时限。"""
    _do(site, "stage", incident, by, json, to=to, text=text, reason=reason)


def product(
    incident: Incident,
    by: By,
    kind: Annotated[str, typer.Option(help="collected minutes assessment evaluation …")],
    text: Annotated[str, typer.Option(help="内容")],
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """写下阶段成果，不换阶段。"""
    _do(site, "product", incident, by, json, kind=kind, text=text, reason=reason)


def claim(
    incident: Incident,
    by: By,
    unit: Unit = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """认领: 本单位接下交办的事。"""
    _do(site, "claim", incident, by, json, unit=unit, reason=reason)


def reject(
    incident: Incident,
    by: By,
    reason: Reason,
    unit: Unit = "",
    instead: Annotated[str, typer.Option(help="应由谁负责；写了就请它认领")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """退回: 收到后 24 小时内，说明理由；另行认领以前首问单位仍负责。"""
    _do(site, "reject", incident, by, json, unit=unit, instead=instead, reason=reason)


def transfer(
    incident: Incident,
    by: By,
    reason: Reason,
    to: Annotated[str, typer.Option(help="移交给哪个单位")],
    unit: Unit = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """移交: 请另一单位认领，时钟不重置。"""
    _do(site, "transfer", incident, by, json, unit=unit, to=to, reason=reason)


def notify_receipt(
    incident: Incident,
    by: By,
    to: Annotated[str, typer.Option(help="通报给谁，如 宣传部")],
    receipt: Annotated[str, typer.Option(help="回执编号，一份只能用一次")],
    at: At = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记通报的回执；各方齐了停下相应时钟，并核对是否同步。"""
    _do(site, "receipt", incident, by, json, to=to, receipt=receipt, at=at, reason=reason)


InIncident = Annotated[str, typer.Option("--incident", help="事件编号；不写即不属于任何事件")]
TaskNumber = Annotated[str, typer.Argument(help="任务编号，见 huiying work 或 huiying task list")]


@task.command("list")
def list_(
    unit: Annotated[str, typer.Option("--unit", help="只看这个单位")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """全部未完成的任务，按单位，逾期的在前。"""
    with house(site) as opened:
        _listed(Desk(opened).work.list(unit), json)


def _listed(view: View, json: bool) -> None:
    if json:
        out(view)
        return
    for group in view["groups"]:
        typer.echo(f"{group['unit']}  逾期 {group['late']}")
        for one in group["tasks"]:
            typer.echo(f"  {one['ref'] or '—'} {_task_line(one)}")
    say(view.get("said") or f"共 {view['total']} 项未完成，逾期 {view['late']} 项")


def _on_task(site: Path | None, what: str, incident: str, by: str, json: bool, **params: str) -> None:
    if incident:
        _do(site, what, incident, by, json, **params)
        return
    with house(site) as opened:
        _listed(Desk(opened).work.task(what, {key: text for key, text in params.items() if text}, by), json)


@task.command("add")
def add(
    name: Annotated[str, typer.Argument(help="做什么")],
    by: By,
    incident: InIncident = "",
    unit: Annotated[str, typer.Option("--unit", help="由哪个单位做")] = "",
    due: At = "",
    must: Annotated[bool, typer.Option("--must", help="办结前必须完成")] = False,
    evidence: Annotated[str, typer.Option(help="要留的凭据种类")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """加一项任务。"""
    _on_task(
        site, "add", incident, by, json, name=name, unit=unit, due=due, must="yes" if must else "",
        evidence=evidence, reason=reason,
    )  # fmt: skip


@task.command("done")
def done(
    number: TaskNumber,
    by: By,
    result: Annotated[str, typer.Option(help="结果")],
    incident: InIncident = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """任务完成，写明结果；要凭据的登记凭据后自动完成。"""
    _on_task(site, "done", incident, by, json, task=number, result=result)


@task.command("drop")
def drop(
    number: TaskNumber,
    by: By,
    reason: Reason,
    incident: InIncident = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """核销: 确实不需要做，签名并写明理由；编号写 all 即全部必办任务(如误报)。"""
    _on_task(site, "drop", incident, by, json, task=number, reason=reason)


# ── as lines ──────────────────────────────────────────────────────────────────────────────────


def work_lines(view: View) -> list[str]:
    """The page of the work for a terminal."""
    at, who = view["stage"], view["parties"]
    owed = f"，尚缺 {'、'.join(at['owed'])}" if at["owed"] else ""
    responsible = who["answerable"] or "未定"
    first = "(首问，尚未认领)" if who["by_first"] else ""
    return [
        f"{view['ref']} {view['title']}",
        f"  阶段 {at['here_zh']}{owed}",
        f"  责任 {responsible}{first}",
        *(f"    {one['role_zh']} {one['unit_name']} {one['state_zh']}" for one in who["parties"]),
        *(f"  建议 {why}" for why in ([] if who["parties"] else view["proposal"]["reasons"])),
        *(line for group in view["notifications"] for line in _notified(group)),
        *(f"  {_task_line(one)}" for one in view["tasks"]),
        *(f"  办结还缺: {line}" for line in view["missing"]),
    ]


def _notified(group: View) -> list[str]:
    told = "、".join(
        f"{one['name']} {clock_face(parse_iso(one['at'])) if one['at'] else '未通报'}"
        for one in group["parties"]
    )
    return [f"  通报 {told}{'；' + group['said'] if group['said'] else ''}"]


def _task_line(one: View) -> str:
    mark = {"open": "✗" if one["late"] else "·", "done": "✓", "dropped": "○"}[one["state"]]
    due = f" 限 {deadline_face(parse_iso(one['due_at']))}" if one["due_at"] else ""
    must = " 必办" if one["must"] else ""
    return f"{mark} {one['number'] or one['id']} {one['name']}{must}{due} {one['unit_name']}"
