"""舆情专报 (one incident, for the leaders) and 值班快报 (what the shift must pass on now)."""

from __future__ import annotations

from datetime import timedelta

from connectors.reports.paper import Block, Heading, Paper, Para, Table
from flows.reporting import asking, effects, sections
from flows.reporting.asking import Ask, View
from models.core.casework import ProductKind
from models.core.moment import local
from models.ledger import reporting
from models.ledger.store import Connection

MOMENT = timedelta(seconds=1)
"""What was opened this very second is open."""


def special(ask: Ask) -> Paper:
    """舆情专报: what it is, how loud, which limits, what was done, what is advised."""
    with ask.house.store.read() as conn:
        view = asking.seen(conn, ask)
        done = reporting.work(conn, view["id"])
        blocks = [
            *sections.headed("基本情况", sections.summary(view, ask)),
            *sections.headed("舆情态势", effects.talk(conn, view, ask.now)),
            *sections.headed("回应时限", sections.limits(view, ask.now)),
            *sections.headed("已做工作", sections.work(view, done, ask)),
            *sections.headed("研判与下一步", _advice(view, done, ask)),
        ]
        title, since = f"关于{sections.matter(view['title'])}的舆情专报", sections.full(ask.now)
        return asking.paper(conn, ask, "舆情专报", title, blocks, subtitle=f"（截至 {since}）", data=view)


def _advice(view: View, done: View, ask: Ask) -> list[Block]:
    kinds = (ProductKind.ASSESSMENT, ProductKind.WORDING, ProductKind.EVALUATION)
    said = sections.products(done, ask, *kinds)
    lacking = [] if said else [Para("尚无研判结论；请在事件的“办理”页写入研判成果。")]
    return [*said, *lacking, *sections.ahead(view, ask.now)]


def duty(ask: Ask) -> Paper:
    """值班快报: one incident if it was named, else everything that is open, in a page or two."""
    with ask.house.store.read() as conn:
        views = [asking.seen(conn, ask)] if ask.incident else _open(conn, ask)
        blocks: list[Block] = [Para(_first(views))]
        for view in views:
            blocks += _short(conn, view, ask)
        at = local(ask.now)
        title = f"值班快报（{at.month}月{at.day}日{at.hour}时{at.minute:02d}分）"
        data = {"incidents": views}
        return asking.paper(conn, ask, "值班快报", title, blocks, data=data)


def _open(conn: Connection, ask: Ask) -> list[View]:
    standing = reporting.incidents(conn, ask.now, ask.now + MOMENT, ask.now, ask.house.names)
    return [view for view in standing if view["closed_at"] is None]


def _first(views: list[View]) -> str:
    if not views:
        return "目前没有未结事件，各时钟均无待办。"
    late = sum(c["state"] in sections.LATE and c["ended_at"] is None for v in views for c in v["clocks"])
    return f"目前未结事件 {len(views)} 起，逾期未完成的时钟 {late} 个。"


def _short(conn: Connection, view: View, ask: Ask) -> list[Block]:
    makeup = reporting.makeup(conn, view["id"])
    negative = f"，负面 {makeup['negative']:.0%}" if makeup["negative"] is not None else ""
    took = "、".join(person["name"] for person in view["acked"]) or "无人"
    place = f"，{view['place']}" if view["place"] else ""
    words = (
        f"{view['ref']}，{view['grade']}级（{view['grade_zh']}）{'暂定' if view['provisional'] else ''}{place}。"
        f"线索 {makeup['total']} 条{negative}；牵头单位：{ask.unit(view['owner'])}；签收：{took}。"
    )
    rows = tuple(
        (c["name"], sections.full(c["due_at"])[5:], sections.outcome(c, ask.now)) for c in view["clocks"]
    )
    return [
        Heading(view["title"]),
        Para(words),
        Table(("时钟", "时限", "目前"), rows, widths=(2, 1.4, 2.4), empty="没有时钟。"),
    ]
