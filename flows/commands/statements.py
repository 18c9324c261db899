"""huiying statement …: drafts, 三审, release, comparison, the shared wording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, deadline_face, parse_iso
from models.core.statements import MOST_BYTES

statement = typer.Typer(help="稿件: 拟稿、三审、发布、比对、撤回；口径", no_args_is_help=True)

Number = Annotated[
    str, typer.Argument(metavar="STATEMENT", help="稿件编号，可只写开头几位(见 statement list)")
]
File = Annotated[Path | None, typer.Option("--file", help="正文文件(Markdown，UTF-8)")]
Title = Annotated[str, typer.Option("--title", help="标题")]
Text = Annotated[str, typer.Option("--text", help="正文；长的用 --file")]
Kind = Annotated[str, typer.Option("--kind", help="作为哪种发布，如 published_statement published_update")]
Unit = Annotated[str, typer.Option("--unit", help="拟稿单位")]
Disclosed = Annotated[str, typer.Option("--disclosure", help="公开属性: proactive redacted on_request none")]
Why = Annotated[str, typer.Option("--disclosure-reason", help="不主动公开的理由")]
Audience = Annotated[str, typer.Option("--audience", help="只向哪些人公示")]
Outlets = Annotated[str, typer.Option("--outlets", help="渠道，如 website,weibo,wechat,app,press")]
Step = Annotated[str, typer.Option("--step", help="第几道: 1 2 3，保密审查 c1；缺省为轮到本人的那一道")]
Signed = Annotated[str, typer.Option("--sha256", help="看过的那一稿的哈希，至少十六位(见 statement show)")]
Hash = Annotated[str, typer.Option("--sha256", help="所发那一稿的哈希，至少八位；缺省为审定稿")]


@statement.command("list")
def list_(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """一起事件的稿件和口径。"""
    with house(site) as opened:
        shown = Desk(opened).statements.overview(incident)
    if json:
        out(shown)
        return
    for one in shown["statements"]:
        typer.echo(_head(one))
    for wording in shown["wordings"][:1]:
        typer.echo(f"口径第 {wording['version']} 版  {wording['by_name']}\n{wording['text']}")


@statement.command()
def show(number: Number, site: SiteOption = None, json: JsonOption = False) -> None:
    """一份稿件: 文本、检查、审核、版本、发布。"""
    with house(site) as opened:
        shown = Desk(opened).statements.one(number)
    if json:
        out(shown)
        return
    for line in _lines(shown):
        typer.echo(line)


@statement.command()
def new(
    incident: Incident,
    by: By,
    title: Title,
    text: Text = "",
    file: File = None,
    kind: Kind = "",
    unit: Unit = "",
    disclosure: Disclosed = "",
    disclosure_reason: Why = "",
    audience: Audience = "",
    outlets: Outlets = "",
    replaces: Annotated[str, typer.Option("--replaces", help="代替哪一份撤回的稿件")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """拟稿。"""
    params = _given(
        title=title, text=_text(text, file), kind=kind, unit=unit, disclosure=disclosure, audience=audience,
        disclosure_reason=disclosure_reason, outlets=outlets, replaces=replaces, reason=reason,
    )  # fmt: skip
    with house(site) as opened:
        _say(Desk(opened).statements.draft(incident, params, by), json)


@statement.command()
def edit(
    number: Number,
    by: By,
    title: Title = "",
    text: Text = "",
    file: File = None,
    kind: Kind = "",
    unit: Unit = "",
    disclosure: Disclosed = "",
    disclosure_reason: Why = "",
    audience: Audience = "",
    outlets: Outlets = "",
    sha256: Annotated[str, typer.Option("--sha256", help="照着改的那一稿的哈希；别人先改了就不存")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """修改，不写的不变；送审或审定以后改动，先前的审核作废。"""
    _act(
        site, "edit", number, by, json, title=title, text=_text(text, file), kind=kind, unit=unit, outlets=outlets,
        disclosure=disclosure, disclosure_reason=disclosure_reason, audience=audience, sha256=sha256, reason=reason,
    )  # fmt: skip


@statement.command()
def submit(
    number: Number,
    by: By,
    reviewers: Annotated[str, typer.Option("--reviewers", help="各道审核人，按顺序，如 li,zhao,zhou")] = "",
    secrecy: Annotated[str, typer.Option("--secrecy", help="保密审查人")] = "",
    emergency: Annotated[str, typer.Option("--emergency", help="应急两签的理由；站点启用后才可用")] = "",
    facts_reason: Annotated[str, typer.Option("--facts-reason", help="数字与台账不同时，怎样核实的")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """送审: 初审、审核、审发和保密审查，各有时限。"""
    _act(
        site, "submit", number, by, json, reviewers=reviewers, secrecy=secrecy, emergency=emergency,
        facts_reason=facts_reason, reason=reason,
    )  # fmt: skip


@statement.command()
def sign(
    number: Number, by: By, sha256: Signed, reason: Reason = "", step: Step = "",
    site: SiteOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """同意并签名: 签的是这一稿的哈希。"""
    _act(site, "sign", number, by, json, step=step, sha256=sha256, reason=reason)


@statement.command()
def refuse(
    number: Number, by: By, sha256: Signed, reason: Reason, step: Step = "",
    site: SiteOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """退回修改，写明意见。"""
    _act(site, "refuse", number, by, json, step=step, sha256=sha256, reason=reason)


@statement.command()
def reassign(
    number: Number,
    by: By,
    reason: Reason,
    step: Step,
    person: Annotated[str, typer.Option("--person", help="换成谁")],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """换审核人。"""
    _act(site, "reassign", number, by, json, step=step, person=person, reason=reason)


@statement.command()
def package(
    number: Number,
    to: Annotated[Path | None, typer.Option("--to", help="写到哪里；缺省为 稿件编号.zip")] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """发布包: 审定稿按各渠道排好的文本。"""
    with house(site) as opened:
        name, content = Desk(opened).statements.package(number)
    path = to or Path(name)
    try:
        path.write_bytes(content)
    except OSError as error:
        fail(f"{path} 写不了: {error.strerror}；换一个位置")
    out({"file": str(path), "bytes": len(content)}) if json else typer.echo(f"写好 {path}")


@statement.command()
def release(
    number: Number,
    by: By,
    outlet: Annotated[str, typer.Option("--outlet", help="渠道: website weibo wechat app press")],
    url: Annotated[str, typer.Option("--url", help="发布地址；新闻通稿可不写")] = "",
    document: Annotated[str, typer.Option("--document", help="没有网址时的刊发处，如 临江日报2版")] = "",
    published_at: Annotated[str, typer.Option("--published-at", help="平台上的发布时间；缺省为现在")] = "",
    sha256: Hash = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """登记发布: 只有审定的那一稿可以；成为凭据，停下时钟。"""
    _act(
        site, "release", number, by, json, outlet=outlet, url=url, document=document, published_at=published_at,
        sha256=sha256, reason=reason,
    )  # fmt: skip


@statement.command()
def compare(
    number: Number,
    by: By,
    release_: Annotated[str, typer.Option("--release", help="哪一处发布；缺省为全部")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="页面文字的文件；缺省去看网页")] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """比对: 各渠道所发与审定稿是否一致。"""
    _act(site, "compare", number, by, json, release=release_, text=_text("", file))


@statement.command()
def withdraw(
    number: Number, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """撤回已发布的稿件: 凭据失效，时钟从同一起算时间重新计时。"""
    _act(site, "withdraw", number, by, json, reason=reason)


@statement.command()
def discard(
    number: Number, by: By, reason: Reason, site: SiteOption = None, json: JsonOption = False
) -> None:
    """作废未发布的稿件，留底。"""
    _act(site, "discard", number, by, json, reason=reason)


@statement.command()
def wording(
    incident: Incident, by: By, text: Text = "", file: File = None, reason: Reason = "",
    site: SiteOption = None, json: JsonOption = False,
) -> None:  # fmt: skip
    """共享口径: 每次一版，告知各责任单位。"""
    with house(site) as opened:
        params = _given(text=_text(text, file), reason=reason)
        done = Desk(opened).statements.wording(incident, params, by)
    if json:
        out(done)
    else:
        say(done["said"])


# ── beneath them ──────────────────────────────────────────────────────────────────────────────


def _act(site: Path | None, name: str, number: str, by: str, json: bool, **params: str) -> None:
    with house(site) as opened:
        done = Desk(opened).statements.act(name, number, _given(**params), by)
    _say(done, json)


def _given(**params: str) -> dict[str, str]:
    return {name: text for name, text in params.items() if text}


def _text(text: str, file: Path | None) -> str:
    if file is None:
        return text
    try:
        if file.stat().st_size > MOST_BYTES:
            fail(f"{file} 超过 {MOST_BYTES // 1000} kB；请删减", 2)
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        fail(f"{file} 读不出来；核对路径，用 UTF-8 保存", 2)


def _say(done: View, json: bool) -> None:
    if json:
        out(done)
    else:
        typer.echo(done["id"])
        say(done["said"])


def _head(one: View) -> str:
    waits = "、".join(f"{w['name']} {w['person_name']}" for w in one["waiting"])
    return f"{one['id']}  {one['state_zh']}  第 {one['version']} 版  {one['title']}" + (
        f"  等 {waits}" if waits else ""
    )


def _lines(shown: View) -> Iterator[str]:
    yield _head(shown)
    yield f"  {shown['kind_zh']}  公开属性 {shown['disclosure_zh'] or '未定'}  SHA-256 {shown['sha256']}"
    yield from (f"  应急两签: {shown['emergency']}" for _ in range(bool(shown["emergency"])))
    yield from (f"  {_step(step)}" for step in shown["chain"])
    yield from (f"  {'✗' if f['blocks'] else '!'} {f['words']} {f['basis']}" for f in shown["findings"])
    yield from (f"  {_released(one)}" for one in shown["releases"])
    yield ""
    yield shown["text"]


def _step(step: View) -> str:
    said = step["signature"]
    if said:
        words = f"：{said['opinion']}" if said["opinion"] else ""
        when = clock_face(parse_iso(said["at"]))
        return f"{step['key']} {step['name']} {said['person_name']} {when} {said['verdict_zh']}{words}"
    due = f"，至 {deadline_face(parse_iso(step['due_at']))}" if step["due_at"] else ""
    return f"{step['key']} {step['name']} {step['person_name']} 待审{due}"


def _released(one: View) -> str:
    found = {True: "，与审定稿一致", False: f"，与审定稿不一致: {one['difference']}", None: ""}[one["same"]]
    return f"发布 {one['outlet_zh']} {clock_face(parse_iso(one['at']))} {one['url'] or ''}{found}"
