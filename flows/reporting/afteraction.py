"""复盘报告: the chain of times with its gaps, what was late and why, lessons, what is to be bettered."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.reports.paper import Block, Paper, Para, Picture, Table
from flows.reporting import asking, pictures, sections
from flows.reporting.asking import Ask, View
from models.core.moment import span


def paper(ask: Ask) -> Paper:
    """The after-action review of an incident."""
    from flows.office.aftermath import chain

    with ask.house.store.read() as conn:
        view = asking.seen(conn, ask)
    found = chain(ask.house, view["id"])
    with ask.house.store.read() as conn:
        title, subtitle = f"{sections.matter(view['title'])}复盘报告", f"（{view['ref']}）"
        return asking.paper(
            conn, ask, "复盘报告", title, blocks(view, found, ask), subtitle=subtitle, data=found
        )


def blocks(view: View, found: View, ask: Ask) -> list[Block]:
    """The parts of a review over `flows.office.aftermath.chain`'s answer."""
    return [
        *sections.headed("事件概况", sections.summary(view, ask)[:1]),
        *sections.headed("时间链", _times(found["times"], view, ask)),
        *sections.headed("逾期与原因", _late(found["late"])),
        *sections.headed(
            "教训", [Para(_words(lesson)) for lesson in found["lessons"]] or [Para("尚未写入教训。")]
        ),
        *sections.headed("改进任务", [_tasks(found["tasks"], ask)]),
        *sections.headed("回头看", [Para(_words(seen)) for seen in found.get("look_backs", ())]),
    ]


def _times(times: Iterable[View], view: View, ask: Ask) -> list[Block]:
    rows = tuple(
        (sections.full(t["at"]), t["what"], t["by"], _gap(t.get("gap_s")), t.get("seq")) for t in times
    )
    table = Table(("时间", "何事", "何人", "距上一步", "留痕序号"), rows, "时间链", (1.5, 3, 1, 1.2, 0.9))
    shown = [clock for clock in view["clocks"] if clock["state"] != "armed"]
    return [table, Picture(pictures.clocks(shown, ask.now), "时限与完成")] if shown else [table]


def _gap(seconds: float | None) -> str:
    return span(seconds) if seconds else ""


def _late(late: Iterable[View]) -> list[Block]:
    found: list[Block] = []
    for item in late:
        cause = item.get("cause_zh") or "原因未写"
        words = f"：{item['words']}" if item.get("words") else ""
        found.append(Para(f"{item['name']}迟{span(item['late_s'])}。原因：{cause}{words}。"))
        duty = "；".join(
            f"第 {d['rung']} 级{d.get('role_zh') or ''} {'、'.join(d['people']) or '无人'}"
            for d in item["on_duty"]
        )
        told = "、".join(_telling(who) for who in item["told"]) or "无"
        found.append(Para(f"时限到时在班：{duty or '无'}。曾提醒：{told}。"))
    return found or [Para("没有逾期的时钟。")]


def _words(item: View | str) -> str:
    """A lesson with its author and time; or a bare sentence."""
    if isinstance(item, str):
        return item
    said = "，".join(part for part in (item.get("by", ""), sections.full(item.get("at"))) if part)
    return f"{item['text']}（{said}）" if said else str(item["text"])


def _telling(item: View | str) -> str:
    """Who was told, when, and what became of it."""
    if isinstance(item, str):
        return item
    return f"{item['name']} {sections.full(item.get('at'))[5:]} {item.get('state_zh') or ''}".strip()


def _tasks(tasks: Iterable[View], ask: Ask) -> Table:
    rows = tuple(
        (
            t.get("name"), ask.unit(t["unit"]) if t.get("unit") else ask.person(t.get("person")),
            sections.day(t.get("due_at")), t.get("state_zh") or t.get("state"), t.get("result"),
        )
        for t in tasks
    )  # fmt: skip
    return Table(
        ("任务", "由谁", "期限", "状态", "结果"),
        rows,
        "改进任务",
        (2.4, 1.3, 1.2, 0.9, 2),
        "尚未定下改进任务。",
    )
