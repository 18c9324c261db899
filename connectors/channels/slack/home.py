"""The App Home: what waits for one person, with the buttons of each; and the board in a few lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.channels.slack import names
from connectors.channels.slack.alerts import acting
from connectors.channels.slack.cards import fitted, is_open
from connectors.channels.slack.words import context, fit, link, plain_text, section
from connectors.channels.view import plain
from models.core.moment import clock_face, deadline_face, parse_iso

View = dict[str, Any]
SHOWN = 30
"""Incidents with their buttons: three blocks each, and Slack takes a hundred."""
LINES = 20


def home(person: str, incidents: Sequence[Mapping[str, Any]], url: str, now: str) -> View:
    """`url`: the console's address; `now`: ISO 8601, the moment at which this was true."""
    head: list[View] = [
        {"type": "header", "text": plain_text(f"{person} · 我的事项", 150)},
        context(f"截至 {clock_face(parse_iso(now))}，{len(incidents)} 起未结"),
        {"type": "actions", "elements": [link("打开我的页面", names.OPEN_ACTION, f"{url}/mine")]},
    ]
    listed = [block for one in incidents[:SHOWN] for block in _item(one, url)]
    rest = len(incidents) - SHOWN
    tail = [context(f"还有 {rest} 起，见页面")] if rest > 0 else []
    nothing = [] if incidents else [section("现在没有等您处理的事项。")]
    return {"type": "home", "blocks": [*head, *nothing, *listed, *tail]}


def stranger(user: str) -> View:
    """What somebody sees whom the roster does not know."""
    return {"type": "home", "blocks": [section(unknown(user))]}


def unknown(user: str) -> str:
    return (
        f"您的 Slack 账号（{fit(plain(user), 40)}）没有对应到值班表里的人，没有执行。"
        "请管理员在 roster.yaml 把它写进您的联系方式，或在 channels.yaml 的 users 里登记。"
    )


def _item(incident: Mapping[str, Any], url: str) -> list[View]:
    page = f"{url}/incidents/{incident['id']}"
    buttons = [*(acting(str(incident["id"])) if is_open(incident) else []), _page(page)]
    return [
        {"type": "divider"},
        section("\n".join(_lines(incident))),
        {"type": "actions", "elements": buttons},
    ]


def _page(url: str) -> View:
    return link("打开页面", names.OPEN_ACTION, url)


def _lines(incident: Mapping[str, Any]) -> list[str]:
    acked = "、".join(one["name"] for one in incident["acked"])
    second = f"{incident['ref']} · {'已签收 ' + acked if acked else '尚未签收'}"
    return [f"*{_title(incident)}*", fit(plain(second), 300), fit(_nearest(incident), 300)]


def _title(incident: Mapping[str, Any]) -> str:
    return fit(f"{incident['colour']} {incident['grade']} 级 {plain(incident['title'], 120)}", 300)


def _nearest(incident: Mapping[str, Any]) -> str:
    """The running clock that is due first."""
    running = [clock for clock in incident["clocks"] if not clock.get("ended_at")]
    if not running:
        return "没有在走的时钟"
    first = min(running, key=lambda clock: str(clock["due_at"]))
    due = deadline_face(parse_iso(str(first["due_at"])))
    return f"{plain(first['name'], 60)} {first['state_zh']}，时限 {due}"


def listing(title: str, incidents: Sequence[Mapping[str, Any]], url: str) -> str:
    """For the command: a line for each incident, the most urgent first, as the board has them."""
    lines = [
        f"{_title(one)} · {fit(one['ref'], 60)} · {fit(_nearest(one), 200)}" for one in incidents[:LINES]
    ]
    rest = len(incidents) - LINES
    more = [f"还有 {rest} 起"] if rest > 0 else []
    return fitted([f"*{title}*：{len(incidents)} 起", *lines, *more, f"页面 {url}"])


HELP = "\n".join(
    (
        f"{names.COMMAND} board　全部未结事件，最急的在前",
        f"{names.COMMAND} mine　等我处理的",
        f"{names.COMMAND} ack 2026-0012　签收；take 接手；up 升级到上一级；snooze 稍后提醒",
        f"{names.COMMAND} note 2026-0012 进展　记录进展；close 2026-0012 理由　办结",
        f"{names.COMMAND} help　这几行",
        "每起事件在事件频道里有一条消息，其经过在这条消息的讨论串里；定级和加凭据请按消息上的按钮。",
    )
)
