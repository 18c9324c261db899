"""huiying register …: the year's registers, 督办 and 问责 from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Reason
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, deadline_face, parse_iso
from models.core.text import visible

register = typer.Typer(
    help="台账: 年度计数、依申请公开、网站问题、账号、督办、问责建议。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Entry = Annotated[str, typer.Argument(help="台账编号，如 R2026-0007(见 huiying register list)")]
At = Annotated[str, typer.Option(help="时间，如 2026-11-22T10:00；不写即现在")]


@register.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="哪一本，如 training；不写即全部")] = "",
    every: Annotated[bool, typer.Option("--all", help="连在册、已办结和作废的一起列")] = False,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """列出台账；逾期的注明。"""
    with house(site) as opened:
        view = Desk(opened).registers.overview(kind, everything=every or bool(kind))
    if json:
        out(view)
        return
    for entry in view["entries"]:
        typer.echo(visible(_line(entry)))
    say(
        "；".join(f"{k['kind_zh']} {k['open']} 项待办" for k in view["kinds"] if k["open"])
        or "没有待办的台账"
    )


def _line(entry: View) -> str:
    due = f"，{deadline_face(parse_iso(entry['due_at']))} 前" if entry["due_at"] else ""
    late = "（逾期）" if entry["late"] and entry["state"] != "late" else ""
    unit = f"  {entry['unit']}" if entry["unit"] else ""
    return f"{entry['id']}  {entry['kind_zh']}  {entry['state_zh']}{late}  {entry['title']}{unit}{due}"


@register.command()
def counters(site: SiteOption = None, json: JsonOption = False) -> None:
    """年度计数: 每个周期要几次、做了几次、到何时。"""
    with house(site) as opened:
        found = Desk(opened).registers.overview()["counters"]
    if json:
        out(found)
        return
    for one in found:
        late = "  逾期" if one["late"] else ""
        until = deadline_face(parse_iso(one["until"]))
        typer.echo(
            f"{one['id']}  {one['name']}  {one['period']}  {one['done']}/{one['needed']}，{until} 前{late}"
        )


@register.command()
def show(entry: Entry, site: SiteOption = None, json: JsonOption = False) -> None:
    """一项台账及其经过。"""
    with house(site) as opened:
        found = Desk(opened).registers.entry(entry)
    _say(found, json)


@register.command()
def add(
    kind: Annotated[str, typer.Argument(help="哪一本，如 training disclosure_request finding account")],
    title: Annotated[str, typer.Option(help="事项")],
    by: By,
    reason: Reason = "",
    unit: Annotated[str, typer.Option(help="单位")] = "",
    happened_at: Annotated[str, typer.Option(help="发生或收到的时间；不写即现在")] = "",
    due_at: Annotated[str, typer.Option(help="期限；不写则按规定算")] = "",
    incident: Annotated[str, typer.Option(help="关于哪起事件")] = "",
    counter: Annotated[str, typer.Option(help="计入合规日历的哪一项(见 huiying register counters)")] = "",
    period: Annotated[str, typer.Option(help="补记哪个周期，如 2026-Q3")] = "",
    detail: Annotated[
        list[str] | None, typer.Option("--set", help="名=值，如 filing_no=001，可写多次")
    ] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记一项。"""
    given = {
        "kind": kind, "title": title, "unit": unit, "happened_at": happened_at, "due_at": due_at,
        "incident": incident, "counter": counter, "period": period, "reason": reason,
    }  # fmt: skip
    _act(site, "add", "", by, json, **{**_pairs(detail or []), **{k: v for k, v in given.items() if v}})


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    wrong = next((one for one in pairs if not one[1] or not one[0].strip()), None)
    if wrong is not None:
        fail(f"--set {''.join(wrong)} 不对；写成 --set 名=值，例如 --set filing_no=001", 2)
    return {name.strip(): value.strip() for name, _, value in pairs}


@register.command()
def done(
    entry: Entry,
    by: By,
    result: Annotated[str, typer.Option(help="怎么办的、凭什么")],
    at: At = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """办结一项，写明结果。"""
    _act(site, "done", entry, by, json, result=result, at=at)


@register.command()
def cancel(entry: Entry, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False) -> None:
    """作废一项，写明理由；记录仍在。"""
    _act(site, "cancel", entry, by, json, reason=reason)


@register.command()
def issue(
    entry: Entry, by: By, reason: Reason = "", site: SiteOption = None, json: JsonOption = False
) -> None:
    """下达系统建议的督办，通知责任单位。"""
    _act(site, "issue", entry, by, json, reason=reason)


@register.command()
def answer(
    entry: Entry,
    by: By,
    text: Annotated[str, typer.Option(help="责任单位的答复: 原因、措施、何时完成")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """记下责任单位对督办的答复；之后才能办结。"""
    _act(site, "answer", entry, by, json, text=text)


@register.command("file")
def file_(
    entry: Entry,
    by: By,
    number: Annotated[str, typer.Argument(help="备案号")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """补一个官方账号的备案号。"""
    _act(site, "file", entry, by, json, filing_no=number)


@register.command()
def decide(
    entry: Entry,
    finding: Annotated[str, typer.Argument(help="upheld 予以追究 | dropped 不予追究")],
    by: By,
    reason: Reason,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """决定一项问责建议，写明理由。"""
    _act(site, "decide", entry, by, json, finding=finding, reason=reason)


@register.command()
def mark(
    entry: Entry,
    what: Annotated[str, typer.Argument(help="consult consulted extend mend supplemented")],
    by: By,
    reason: Reason = "",
    at: At = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """依申请公开: consult 征求意见，consulted 意见已到，extend 延长，mend 补正告知，supplemented 收到补正。"""
    known = ("consult", "consulted", "extend", "mend", "supplemented")
    if what not in known:
        fail(f"没有 “{what[:20]}”；可用: {'、'.join(known)}", 2)
    _act(site, what, entry, by, json, reason=reason, at=at)


def _act(site: Path | None, name: str, entry: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        given = {key: value for key, value in params.items() if value}
        found = Desk(opened).registers.act(name, entry, given, by)
    _say(found, json)


def _say(found: dict[str, Any], json: bool) -> None:
    if json:
        out(found)
        return
    typer.echo(visible(_line(found)))
    for words in found["words"]:
        typer.echo(visible(f"    {words}"))
    for past in found["history"]:
        when = clock_face(parse_iso(past["at"]))
        typer.echo(visible(f"    {when} {past['kind_zh']} {past['words']} {past['by']} {past['reason']}"))
