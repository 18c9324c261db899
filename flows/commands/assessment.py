"""huiying assess; huiying aftermath: what a year comes to, and what an incident leaves behind."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from connectors.console.desk import View
from flows.commands.acting import By, Incident
from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.office.desk import Desk
from flows.wiring import UNNAMED
from models.core.moment import clock_face, deadline_face, parse_iso, span
from models.core.text import visible


def assess(
    since: Annotated[str, typer.Option("--from", help="起，如 2026-01-01；不写即今年 1 月 1 日")] = "",
    until: Annotated[str, typer.Option("--to", help="止，如 2026-12-31(含当日)；不写即现在")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """考核: 按时率、各单位得分与排名、扣分加分、问责情形；只由日志算出，附日志末条指纹。"""
    params = {name: text for name, text in (("from", since), ("to", until)) if text}
    with house(site) as opened:
        found = Desk(opened).assessment.assess(params)
    if json:
        out(found)
        return
    for line in _assessed(found):
        typer.echo(visible(line))


def _assessed(found: View) -> list[str]:
    totals = found["totals"]
    head = f"{clock_face(parse_iso(found['from']))} 至 {deadline_face(parse_iso(found['to']))}"
    lines = [
        f"考核 {head}，参数集 {found['profile']}，日志 {found['entries']} 条，末条 {found['head'][:16]}",
        f"事件 {totals['incidents']} 起，到期时钟 {totals['clocks']} 个，按时率 {_share(totals['on_time'])}",
    ]
    lines += [_unit(unit) for unit in found["units"]]
    lines += [
        f"问责情形 {t['state_zh']}: {t['unit']} {t['trigger_zh']} {t['why']}" for t in found["triggers"]
    ]
    return lines


def _unit(unit: View) -> str:
    parts = "，".join(f"{part['name']} {part['score']:g}({part['cases']} 件)" for part in unit["parts"])
    off, more = (sum(p["points"] for p in unit[key]) for key in ("deductions", "bonuses"))
    return f"第 {unit['rank']} 名 {unit['name']} {unit['score']:g} 分: {parts}；扣 {off:g}，加 {more:g}"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def aftermath(
    incident: Incident,
    by: By = UNNAMED,
    cause: Annotated[str, typer.Option(help="逾期原因，如 review_slow；与 --clock、--text 同写")] = "",
    clock: Annotated[str, typer.Option(help="哪个逾期的时钟，如 first_statement")] = "",
    lesson: Annotated[bool, typer.Option("--lesson", help="写复盘(--text)")] = False,
    lookback: Annotated[bool, typer.Option("--lookback", help="写回头看(--text)")] = False,
    improve: Annotated[str, typer.Option(help="立整改任务: 做什么；与 --unit、--due-at 同写")] = "",
    unit: Annotated[str, typer.Option(help="整改任务由谁负责")] = "",
    due_at: Annotated[str, typer.Option(help="整改期限；不写即 30 天后")] = "",
    text: Annotated[str, typer.Option(help="原因、复盘或回头看的内容")] = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """复盘: 时间链(每一时刻附日志条号)、逾期与原因、教训、整改；写明一项即登记。"""
    asked = [name for name, on in _wishes(cause, lesson, improve, lookback) if on]
    if len(asked) > 1:
        fail("一次只做一件: --cause、--lesson、--improve、--lookback 选一个", 2)
    given = {
        "cause": cause,
        "clock": clock,
        "words": text,
        "text": text,
        "name": improve,
        "unit": unit,
        "due_at": due_at,
    }
    with house(site) as opened:
        room = Desk(opened).aftermath
        found = (
            room.act(asked[0], incident, {k: v for k, v in given.items() if v}, by)
            if asked
            else room.overview(incident)
        )
    _show(found, json)


def _wishes(cause: str, lesson: bool, improve: str, lookback: bool) -> list[tuple[str, bool]]:
    return [("cause", bool(cause)), ("lesson", lesson), ("improve", bool(improve)), ("lookback", lookback)]


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        out(found)
        return
    for line in _looked_back(found):
        typer.echo(visible(line))
    if "said" in found:
        say(found["said"])


def _looked_back(found: View) -> list[str]:
    lines = [f"{found['ref']} {found['title']}"]
    for time in found["times"]:
        gap = f"  +{span(time['gap_s'])}" if time["gap_s"] else ""
        lines.append(
            f"  {clock_face(parse_iso(time['at']))}{gap}  {time['what']}  {time['by']}  日志第 {time['seq']} 条"
        )
    for one in found["late"]:
        why = f"{one['cause_zh']}，{one['words']}" if one["cause"] else "还没有写原因"
        lines.append(f"  逾期 {one['name']}({one['clock']}) {span(one['late_s'])}: {why}")
    lines += [f"  教训 {one['text']}" for one in found["lessons"]]
    lines += [f"  回头看 {one['text']}" for one in found["look_backs"]]
    return lines + [_task(task) for task in found["tasks"]]


def _task(task: View) -> str:
    due = f"，{deadline_face(parse_iso(task['due_at']))} 前" if task["due_at"] else ""
    return f"  任务 {task['name']}  {task['unit'] or '未定单位'}{due}  {task['state_zh']}"
