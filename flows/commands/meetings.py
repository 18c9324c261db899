"""huiying meeting …, huiying promise …: press conferences and promised updates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, parse_iso

meeting = typer.Typer(help="新闻发布会: 预约、通知、问答、举行、实录", no_args_is_help=True)
promise = typer.Typer(help="续报承诺: 对公众说过下次何时发布", no_args_is_help=True)
Meeting = Annotated[
    str, typer.Option("--meeting", help="发布会编号，可只写开头几位(见 huiying meeting list)")
]
StartsAt = Annotated[str, typer.Option("--starts-at", help="开始时间，如 2026-11-22T10:00")]
Speaker = Annotated[str, typer.Option("--speaker", help="发言人: 人员标识或姓名")]
Post = Annotated[str, typer.Option("--post", help="发言人职务，如 市长")]


def act(site: Path | None, name: str, incident: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        given = {key: value for key, value in params.items() if value}
        _show(Desk(opened).meetings.act(name, incident, given, by), json)


def _show(view: View, json: bool) -> None:
    if json:
        out(view)
        return
    for one in view["meetings"]:
        typer.echo(_line(one))
        for said in one["warnings"]:
            typer.echo(f"    ! {said}")
    for one in view["promises"]:
        due = clock_face(parse_iso(one["due_at"]))
        typer.echo(f"{one['id'][:8]}  承诺 {due} 前  {one['state_zh']}  {one['words']}  {one['by']}")
    if view.get("said"):
        say(view["said"])


def _line(one: View) -> str:
    starts = clock_face(parse_iso(one["starts_at"]))
    principal = "(第一新闻发言人)" if one["principal"] else ""
    who = f"发言人 {one['speaker_name']}{principal}" if one["speaker_name"] else "未定发言人"
    return f"{one['id'][:8]}  {one['kind_zh']}  {one['state_zh']}  {starts}  {one['place']}  {who}"


@meeting.command("list")
def list_(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """一个事件的发布会与续报承诺。"""
    with house(site) as opened:
        _show(Desk(opened).meetings.overview(incident), json)


@meeting.command()
def book(
    incident: Incident,
    by: By,
    starts_at: StartsAt,
    place: Annotated[str, typer.Option(help="地点")],
    kind: Annotated[
        str, typer.Option(help="press_conference briefing media_meeting interview")
    ] = "press_conference",
    speaker: Speaker = "",
    post: Post = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """预约；晚于发布会时限的会说明。"""
    act(
        site, "book", incident, by, json, starts_at=starts_at, place=place, kind=kind, speaker=speaker,
        post=post, reason=reason,
    )  # fmt: skip


@meeting.command()
def move(
    incident: Incident,
    by: By,
    reason: Reason,
    meeting: Meeting,
    starts_at: StartsAt = "",
    place: Annotated[str, typer.Option(help="地点")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """改期或改地点，写明理由。"""
    act(site, "move", incident, by, json, meeting=meeting, starts_at=starts_at, place=place, reason=reason)


@meeting.command()
def speaker(
    incident: Incident,
    by: By,
    meeting: Meeting,
    speaker: Speaker,
    post: Post = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """定发言人；主要负责人是第一新闻发言人。"""
    act(site, "speaker", incident, by, json, meeting=meeting, speaker=speaker, post=post)


@meeting.command()
def notice(
    incident: Incident,
    by: By,
    meeting: Meeting,
    text: Annotated[str, typer.Option(help="通知原文；不写则按预约的内容生成")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """通知媒体: 存下通知原文。"""
    act(site, "notice", incident, by, json, meeting=meeting, text=text)


@meeting.command()
def ask(
    incident: Incident,
    by: By,
    meeting: Meeting,
    ask: Annotated[str, typer.Option("--question", help="问题")],
    answer: Annotated[str, typer.Option("--answer", help="答复，可以后再填")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """给问答清单加一个问题。"""
    act(site, "ask", incident, by, json, meeting=meeting, ask=ask, answer=answer)


@meeting.command()
def answer(
    incident: Incident,
    by: By,
    meeting: Meeting,
    number: Annotated[str, typer.Option(help="第几个问题")],
    answer: Annotated[str, typer.Option("--answer", help="答复")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """答问答清单里的一个问题。"""
    act(site, "answer", incident, by, json, meeting=meeting, number=number, answer=answer)


@meeting.command()
def held(
    incident: Incident,
    by: By,
    meeting: Meeting,
    held_at: Annotated[str, typer.Option(help="实际开始时间；不写取预约的")] = "",
    url: Annotated[str, typer.Option(help="报道或实录网址")] = "",
    document: Annotated[str, typer.Option(help="文件名称(没有网址时)")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记已举行；新闻发布会停下它的时钟，通气会、吹风会不停。"""
    act(
        site, "held", incident, by, json, meeting=meeting, held_at=held_at, url=url, document=document, reason=reason
    )  # fmt: skip


@meeting.command()
def transcript(
    incident: Incident,
    by: By,
    meeting: Meeting,
    file: Annotated[Path, typer.Argument(help="文字实录，UTF-8 文本")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """存文字实录。"""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        fail(f"{file} 读不出来；核对路径，用 UTF-8 保存", 2)
    act(site, "transcript", incident, by, json, meeting=meeting, text=text)


@meeting.command()
def cancel(
    incident: Incident,
    by: By,
    reason: Reason,
    meeting: Meeting,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """取消；法定时限不因取消而停。"""
    act(site, "cancel", incident, by, json, meeting=meeting, reason=reason)


@promise.command()
def give(
    incident: Incident,
    by: By,
    due_at: Annotated[str, typer.Option(help="下次发布不晚于，如 2026-11-21T20:00")],
    text: Annotated[str, typer.Option(help="对公众怎样说的")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """记下对公众的承诺；到时没有新的发布就逐级提醒。"""
    act(site, "promise", incident, by, json, due_at=due_at, text=text)


@promise.command()
def drop(
    incident: Incident,
    by: By,
    reason: Reason,
    promise: Annotated[str, typer.Option("--promise", help="承诺编号，可只写开头几位")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """撤回承诺，写明理由；与兑现、未兑现分开统计。"""
    act(site, "drop", incident, by, json, promise=promise, reason=reason)
