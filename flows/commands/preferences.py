"""huiying prefer: by which channel one is told first, quiet hours, a test to oneself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.acting import By
from flows.commands.common import JsonOption, SiteOption, house, out, say
from flows.office.desk import Desk
from models.core.moment import clock_face, parse_iso

View = dict[str, Any]
prefer = typer.Typer(
    name="prefer", help="提醒偏好: show, channels, quiet, test；只能设自己的。", no_args_is_help=True
)
Channels = Annotated[str | None, typer.Option(help='先用的渠道，逗号分隔；写 "" 即按值班表')]


@prefer.command("show")
def show(by: By, site: SiteOption = None, json: JsonOption = False) -> None:
    """自己的偏好，以及每种联系方式最近一次的结果。"""
    with house(site) as opened:
        _told(Desk(opened).preferences.of(by), json)


@prefer.command("channels")
def channels(
    by: By,
    deadline: Channels = None,
    high: Channels = None,
    normal: Channels = None,
    low: Annotated[str | None, typer.Option(help='不急的只用这些渠道；写 "" 即全部')] = None,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """各种急缓先用哪个渠道；时限和紧急的总会用遍全部联系方式。"""
    given = {"deadline": deadline, "high": high, "normal": normal, "low": low}
    _save(site, by, {key: text for key, text in given.items() if text is not None}, json)


@prefer.command("quiet")
def quiet(
    by: By,
    hours: Annotated[str, typer.Argument(help='例如 22:00-07:00；写 "" 即不设')],
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """静默时段: 只留住不急的通知，时限提醒不受影响。"""
    _save(site, by, {"quiet": hours}, json)


@prefer.command("test")
def test(
    by: By,
    number: Annotated[int, typer.Argument(help="第几种联系方式，从 1 起")] = 1,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """给自己的一种联系方式发一条测试。"""
    with house(site) as opened:
        _told(Desk(opened).preferences.test(by, number, by), json)


def _save(site: Path | None, by: str, params: dict[str, str], json: bool) -> None:
    with house(site) as opened:
        _told(Desk(opened).preferences.save(by, params, by), json)


def _told(view: View, json: bool) -> None:
    if json:
        out(view)
        return
    typer.echo(f"{view['name']}  {view['words']}")
    for one in view["contacts"]:
        at = f"  {clock_face(parse_iso(one['at']))}" if one["at"] else ""
        why = f"  {one['why']}" if one["why"] else ""
        typer.echo(f"{one['n']}. {one['name']} {one['address']}  {one['state_zh']}{at}{why}")
    if view["said"]:
        say(view["said"])
