"""huiying roster, handover: who is on duty, and what one shift leaves to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, out
from flows.office.desk import Desk
from models.core.moment import clock_face, deadline_face, parse_iso, span

View = dict[str, Any]


def roster(site: SiteOption = None, json: JsonOption = False) -> None:
    """此刻谁在班、未来七天谁接班、哪里有空档、联络测试的结果。"""
    with house(site) as opened:
        shown = Desk(opened).roster()
    if json:
        out(shown)
        return
    for line in _roster_lines(shown):
        typer.echo(line)


def _roster_lines(shown: View) -> Iterator[str]:
    for rung in shown["ladder"]:
        people = "、".join(_named(person) for person in rung["people"]) or "✗ 无人"
        yield f"第 {rung['rung']} 级 {rung['role_zh']}  {people}"
    yield f"{shown['reach']['words']}；负责人: {'、'.join(shown['owner']) or '未写(通知最高一级)'}"
    for week in shown["week"]:
        if len(week["turns"]) > 1 or not all(turn["people"] for turn in week["turns"]):
            yield f"未来七天 第 {week['rung']} 级"
            yield from (
                f"  {_span(turn)}  {'、'.join(turn['people']) or '✗ 无人可达'}" for turn in week["turns"]
            )
    yield from (f"外出 {_span(away)}  {away['name']}  {away['reason']}" for away in shown["absences"])
    yield from (
        f"调班 {_span(one)}  第 {one['rung']} 级 {'、'.join(one['people'])}  {one['reason']}"
        for one in shown["overrides"]
    )
    yield from (f"双岗 {_span(one)}  {one['name']}" for one in shown["sensitive"])


def _named(person: View) -> str:
    note = f"({person['note']})" if person["note"] else ""
    return f"{person['name']}{note} {'、'.join(person['channels'])}".strip()


def _span(view: View) -> str:
    return f"{clock_face(parse_iso(view['from']))} – {clock_face(parse_iso(view['to']))}"


def handover(
    by: Annotated[str, typer.Option("--by", help="谁: roster.yaml 中的人员标识")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="签收等我接班的交接")] = False,
    note: Annotated[str, typer.Option("--note", help="交接备注")] = "",
    number: Annotated[str, typer.Option("--id", help="哪一次交接；不写取等待中的")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """最近的交接；--accept 接班，--note 写备注。"""
    with house(site) as opened:
        desk = Desk(opened)
        if (accept or note) and not by:
            fail("请写明谁接班或写备注: --by 人员标识", 2)
        if accept:
            desk.hand("accept", number or _meant(desk, by, "to"), {"note": note} if note else {}, by)
        elif note:
            desk.hand("note", number or _meant(desk, by, "from", "to"), {"text": note}, by)
        shown = desk.handover()
    if json:
        out(shown)
        return
    for line in _handover_lines(shown):
        typer.echo(line)


def _meant(desk: Desk, by: str, *sides: str) -> str:
    """The newest hand-over in which `by` stands on one of these sides, a waiting one first."""
    shown = desk.handover()["handovers"]
    ours = [one for one in shown if any(by == person["id"] for side in sides for person in one[side])]
    found = next((one for one in ours if one["waiting"]), ours[0] if ours else None)
    if found is None:
        fail(f"最近没有与 {by} 有关的交接；用 huiying handover 查看，或用 --id 指明")
    return str(found["id"])


def _handover_lines(shown: View) -> Iterator[str]:
    if not shown["handovers"]:
        yield "还没有交接；换班时系统会写出摘要并通知接班人"
    for one in shown["handovers"]:
        names = ("、".join(person["name"] for person in one[side]) or "无人" for side in ("from", "to"))
        state = (
            f"{one['accepted_by']} {clock_face(parse_iso(one['accepted_at']))} 接班"
            if one["accepted_at"]
            else None
        )
        state = state or ("等待签收" if one["waiting"] else "未签收，已由下一班取代")
        yield f"{clock_face(parse_iso(one['at']))}  {one['role_zh']}  {' → '.join(names)}  {state}  [{one['id']}]"
        if one["waiting"]:
            yield from _summary_lines(one["summary"])
        yield from (f"    备注 {line}" for line in one["note"].splitlines())


def _summary_lines(summary: View) -> Iterator[str]:
    for incident in summary["incidents"]:
        acked = "、".join(incident["acked"]) or "无人"
        yield f"    {incident['ref']}  {incident['grade']}级  {incident['title']}  {acked}签收"
        for clock in incident["clocks"]:
            left = ("超时 " if clock["left_s"] < 0 else "还剩 ") + span(clock["left_s"])
            yield f"      {clock['name']} {left}  时限 {deadline_face(parse_iso(clock['due_at']))}"
        yield from (
            f"      {clock_face(parse_iso(p['at']))} {p['by']}: {p['text']}" for p in incident["progress"]
        )
    yield from (f"    未送达 {alert['ref']} → {alert['name']}: {alert['why']}" for alert in summary["alerts"])
    yield from (f"    信源沉默 {source['name']}: {source['why']}" for source in summary["sources"])
    if not summary["incidents"]:
        yield "    没有未结事件"
