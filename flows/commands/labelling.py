"""huiying similar, label, dutylog: what was alike before, a label put right, the log of duty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from flows.commands.acting import By, Incident, Reason
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, parse_iso, span

View = dict[str, Any]


def similar(incident: Incident, site: SiteOption = None, json: JsonOption = False) -> None:
    """像这一起的过往事件: 像在哪里，当时怎么回应，用了多久。"""
    with house(site) as opened:
        found = Desk(opened).about.similar(incident)
    if json:
        out(found)
        return
    for line in _similar_lines(found):
        typer.echo(line)


def _similar_lines(found: View) -> Iterator[str]:
    if not found["similar"]:
        yield f"与 {found['compared']} 起事件比较，没有足够相似的"
    for one in found["similar"]:
        yield f"{one['ref']}  {one['grade']}级  {one['title']}  像 {one['score']:.0%}"
        yield f"    {'；'.join(one['reasons'])}"
        yield f"    {_answered(one)}"


def _answered(one: View) -> str:
    first = one["first_statement"]
    when = f"{span(first['after_s'])}后" if first and first["after_s"] is not None else ""
    said = (
        f"{when}首次回应（{first['publisher']}），共发布 {one['statements']} 次"
        if first
        else "没有对公众的发布"
    )
    took = f"{span(one['took_s'])}办结" if one["took_s"] is not None else "还没有办结"
    return f"{said}；时钟按时 {one['met']}、迟 {one['late']}、逾期 {one['breached']}、免除 {one['waived']}；{took}"


def label(
    incident: Incident,
    by: By,
    signal: Annotated[str, typer.Option(help="线索编号，逗号分隔；不写为全部线索，--kind 则为事件自身")] = "",
    sentiment: Annotated[str, typer.Option(help="neg 负面、neu 中性、pos 正面")] = "",
    topic: Annotated[str, typer.Option(help="主题，如 城乡建设")] = "",
    kind: Annotated[str, typer.Option(help="舆情类别，如 hardship")] = "",
    rumour: Annotated[str, typer.Option(help="yes 疑似传言、no 不是")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """更正系统给的标签，留作训练(train --collect)；一次改一种。"""
    named = {"sentiment": sentiment, "topic": topic, "kind": kind, "rumour": rumour}
    given = [(name, value) for name, value in named.items() if value]
    if len(given) != 1:
        fail("请写一种要改成的标签: --sentiment、--topic、--kind 或 --rumour", 2)
    ((name, value),) = given
    params = {"label": name, "value": value, "signal": signal, "reason": reason}
    with house(site) as opened:
        done = Desk(opened).about.label(incident, params, by)
    out(done) if json else say(done["said"])


def dutylog(
    day: Annotated[str, typer.Option(help="哪一天，如 2026-11-21；不写为今天")] = "",
    note: Annotated[str, typer.Option("--note", help="写一条记事，不能改也不能删")] = "",
    sign: Annotated[bool, typer.Option("--sign", help="带班的人签字")] = False,
    shift: Annotated[str, typer.Option(help="哪一班，如 20261121T200000；记事不写为当前一班")] = "",
    by: Annotated[str, typer.Option("--by", help="谁: roster.yaml 中的人员标识")] = "",
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """值班日志: 一天逐班，谁在班、来了什么、做了什么；--note 记事，--sign 签字。文件用 report dutylog。"""
    if (note or sign) and not by:
        fail("请写明是谁: --by 人员标识", 2)
    if sign and not shift:
        fail("请写明签哪一班: --shift 20261121T200000；编号见 huiying dutylog", 2)
    with house(site) as opened:
        room = Desk(opened).dutylog
        shown = room.log(day)
        if note:
            shown = room.act("note", {"text": note, "shift": shift}, by)
        if sign:
            shown = room.act("sign", {"shift": shift, "reason": reason}, by)
    if json:
        out(shown)
        return
    for line in _log_lines(shown):
        typer.echo(line)


def _log_lines(shown: View) -> Iterator[str]:
    if not shown["shifts"]:
        yield f"{shown['day']} 还没有开始的班次；夜班记在它开始的那一天"
    for shift in shown["shifts"]:
        counts, signed = shift["counts"], shift["signed"]
        people = "、".join(shift["people"]) or "✗ 无人"
        yield f"{_face(shift['since'])} – {_face(shift['until'])}  {people}  [{shift['id']}]"
        yield (
            f"    线索 {counts['signals']}，立案 {len(counts['opened'])}，办结 {len(counts['closed'])}，"
            f"凭据 {counts['evidence']}，提醒 {counts['alerts']}，逾期 {len(counts['late'])}"
        )
        yield from (
            f"    {_face(line['at'])} {line['kind_zh']} {line['text']}  {line['ref'] or ''} {line['by']}".rstrip()
            for line in shift["lines"]
        )
        yield from ([f"    还有 {shift['more']} 条，见审计页"] if shift["more"] else [])
        yield from (f"    记事 {_face(one['at'])} {one['by']}: {one['text']}" for one in shift["notes"])
        yield f"    {signed['by']} {_face(signed['at'])} 签字: {signed['words']}" if signed else "    未签字"


def _face(moment: str) -> str:
    return clock_face(parse_iso(moment))
