"""huiying plans, backtest: what the keyword plans and burst rules do, and would have done."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, SiteOption, fail, house, out, say
from flows.wiring import House
from models.core.burst import BurstRule
from models.core.moment import clock_face, iso, parse_iso, parse_stated
from models.core.plans import Plan
from models.ledger import plan_hits
from playbooks.checked import checked
from playbooks.loader import load
from playbooks.plans import Watch, unsound, watch_of
from playbooks.plans_paper import PlansSource
from playbooks.problem import Problems, did_you_mean, errors, listed

DAYS = 7


def plans(
    days: Annotated[int, typer.Option(help="数最近几天", min=1, max=3650)] = DAYS,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """监测方案与突增规则，及最近命中的次数。"""
    with house(site) as opened:
        now = opened.time.now()
        with opened.store.read() as conn:
            counted = plan_hits.counts(conn, now - timedelta(days=days))
            waiting = plan_hits.untold(conn)
        rows = [
            _row(plan, counted.get(plan.id), waiting.get(plan.id, 0)) for plan in opened.site.watch.book.plans
        ]
        rules = [_rule(rule) for rule in opened.site.watch.bursts]
    if json:
        out({"days": days, "plans": rows, "bursts": rules})
        return
    for row in rows:
        typer.echo(_line(row))
    say(
        f"{len(rows)} 个方案，最近 {days} 天；突增规则 {len(rules)} 条: {'、'.join(str(rule['id']) for rule in rules)}"
    )


def _row(plan: Plan, counted: dict[str, Any] | None, waiting: int) -> dict[str, Any]:
    known = counted or {"fired": 0, "last_at": None, "incidents": 0}
    return {
        "id": plan.id,
        "name": plan.name,
        "grade": plan.floor.value if plan.floor else None,
        "open": plan.opens,
        "urgent": plan.urgent,
        "owner": plan.owner,
        "fired": known["fired"],
        "incidents": known["incidents"],
        "last_at": iso(known["last_at"]) if known["last_at"] else None,
        "untold": waiting,
    }


def _rule(rule: BurstRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "by": rule.by,
        "within_s": rule.within.total_seconds(),
        "count": rule.count,
        "chance": rule.chance,
        "grade": rule.grade.value,
    }


def _line(row: dict[str, Any]) -> str:
    last = f"，最近 {clock_face(parse_iso(row['last_at']))}" if row["last_at"] else ""
    late = f"，{row['untold']} 条待告知" if row["untold"] else ""
    return f"{row['id']:<20} {row['name']}: 命中 {row['fired']}，涉及事件 {row['incidents']}{last}{late}"


def backtest(
    plan: Annotated[str, typer.Argument(help="监测方案或突增规则的标识，见 huiying plans")],
    since: Annotated[str, typer.Option(help="从何时起，例如 2026-01-01")],
    until: Annotated[str | None, typer.Option(help="到何时止；缺省到此刻")] = None,
    file: Annotated[
        Path | None, typer.Option("--plans", help="用这份 plans.yaml 里的写法，而不是站点的")
    ] = None,
    show: Annotated[int, typer.Option(help="列出几条", min=0, max=100_000)] = 50,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """在已存的线索上试算: 会命中几次，是哪些。什么也不写、不发。"""
    from flows.judging.backtest import Window

    with house(site) as opened:
        window = Window(_time(since), _time(until) if until else opened.time.now(), show)
        if window.until <= window.since:
            fail("--until 不晚于 --since；写一段时间", 2)
        found = _look_back(opened, _watch(file) if file else opened.site.watch, plan, window)
    if json:
        out(found)
        return
    for one in found.get("signals", ()):
        typer.echo(f"{one['at']}  {one['id']}  {one['title']}（{one['words']}）")
    for one in found.get("bursts", ()):
        typer.echo(f"{one['at']}  {one['reason']}")
    say(_summary(found))


def _time(text: str) -> datetime:
    try:
        return parse_stated(text)
    except ValueError:
        fail(f"“{text}” 不是时间；写成 2026-01-01 或 2026-01-01T08:00", 2)


def _watch(file: Path) -> Watch:
    document = load(file)
    source = checked(PlansSource, document)
    if wrong := errors(unsound(document, source)):
        raise Problems(wrong)
    return watch_of(source)


def _look_back(opened: House, watch: Watch, name: str, window: Any) -> dict[str, Any]:
    from flows.judging.backtest import of_plan, of_rule

    plan = watch.plan(name)
    if plan is not None:
        return of_plan(opened, plan, window)
    rule = next((rule for rule in watch.bursts if rule.id == name), None)
    if rule is None:
        known = [*(one.id for one in watch.book.plans), *(one.id for one in watch.bursts)]
        fail(f"没有监测方案或突增规则 “{name}”{did_you_mean(name, known)}；已有: {listed(known)}")
    return of_rule(opened, rule, window)


def _summary(found: dict[str, Any]) -> str:
    left = f"，另有 {found['left_off']} 条未列，加 --show" if found["left_off"] else ""
    read = f"读了 {found['read']} 条线索，" if found["kind"] == "plan" else ""
    return f"{found['name']}: {read}会命中 {found['fired']} 次，每天 {found['per_day']:g} 次{left}"
