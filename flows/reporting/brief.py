"""舆情日报、周报 and any other stretch: the figures, the incidents, what is late, what came in."""

from __future__ import annotations

from connectors.reports.paper import Block, Paper, Para
from flows.reporting import asking, sections
from flows.reporting.asking import Ask, View
from models.core.moment import iso, parse_iso
from models.ledger import reporting


def paper(ask: Ask) -> Paper:
    """The brief of a period."""
    since, until = ask.period.since, ask.period.until
    with ask.house.store.read() as conn:
        incidents = reporting.incidents(conn, since, until, ask.now, ask.house.names)
        intake = reporting.intake(conn, since, until)
        told = reporting.deliveries(conn, since, until)
        words, opened = sections.counted(incidents), opened_in(incidents, ask)
        blocks = [
            *sections.headed("总体情况", [sections.overview(incidents, opened, words), _told(told)]),
            *sections.headed("事件办理", [sections.listed(incidents, ask)]),
            *sections.headed("逾期情况", [sections.overdue(incidents, ask.now, ask)]),
            *sections.headed("舆情收集", sections.public(intake)),
            *sections.headed("下一步", _ahead(incidents, ask)),
        ]
        data = {
            "period": ask.period.key,
            "incidents": len(incidents),
            "opened": opened,
            **words,
            "intake": intake,
        }
        name = {1: "舆情日报", 7: "舆情周报"}.get((until - since).days, "舆情简报")
        return asking.paper(conn, ask, name, name, blocks, subtitle=f"（{ask.period.name}）", data=data)


def opened_in(incidents: list[View], ask: Ask) -> int:
    """How many were opened in the period itself."""
    return sum(ask.period.since <= parse_iso(i["opened_at"]) < ask.period.until for i in incidents)


def _told(told: View) -> Para:
    rate = sections.share(told["accepted"], told["raised"])
    dead = f"；未能送达 {told['dead']} 条" if told["dead"] else ""
    return Para(f"发出提醒 {told['raised']} 条，送达 {rate}{dead}。")


def _ahead(incidents: list[View], ask: Ask) -> list[Block]:
    """Limits that are still to come, the next first, at most ten lines."""
    running = [(i, c) for i in incidents for c in i["clocks"] if c["state"] in sections.OPEN]
    running.sort(key=lambda pair: str(pair[1]["due_at"]))
    lines = sections.grouped(running)
    said = [
        Para(f"{i['ref']} {name}：时限 {sections.full(c['due_at'])}，{sections.outcome(c, ask.now)}。")
        for i, c, name in lines[:10]
    ]
    more = [Para(f"另有 {len(lines) - 10} 项在计时。")] if len(lines) > 10 else []
    return [*said, *more] or [Para(f"截至 {sections.full(iso(ask.now))}，没有仍在计时的时钟。")]
