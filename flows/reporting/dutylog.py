"""值班日志 as a document: one day by its shifts: who, what came, what was done when, notes, signature."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.reports.paper import Block, Heading, Paper, Para, ReportError, Table
from flows.office.dutylog import shifts_seen
from flows.reporting import asking
from flows.reporting.asking import Ask, View
from models.core.dutylog import DAY
from models.core.moment import local, parse_iso

LONGEST = 31
"""Days of one document; a quarter's is read by the week."""


def paper(ask: Ask) -> Paper:
    """The log of each day of the period that has begun. Raises ReportError."""
    days = (ask.period.until - ask.period.since) / DAY
    if days > LONGEST:
        raise ReportError(f"值班日志一次最多写 {LONGEST} 天，这里有 {days:.0f} 天；请按月或按周写")
    with ask.house.store.read() as conn:
        first, shown, blocks = ask.period.since, [], []
        while first < min(ask.period.until, ask.now):
            shifts = shifts_seen(conn, ask.house, first, ask.now)
            shown += shifts
            blocks += [Heading(f"{first:%Y-%m-%d}"), *(block for shift in shifts for block in _blocks(shift))]
            first += DAY
        data = {
            "period": ask.period.key,
            "shifts": len(shown),
            "signed": sum(bool(one["signed"]) for one in shown),
        }
        title = "值班日志"
        return asking.paper(conn, ask, title, title, blocks, subtitle=f"（{ask.period.name}）", data=data)


def _blocks(shift: View) -> Iterator[Block]:
    counts = shift["counts"]
    yield Heading(
        f"{_hour(shift['since'])} 至 {_hour(shift['until'])} {'、'.join(shift['people']) or '无人在班'}", 2
    )
    above = "；".join(f"{one['role_zh']} {'、'.join(one['people']) or '无人'}" for one in shift["ladder"][1:])
    yield Para(f"带班：{above or '未排'}。{_taken(shift)}")
    unsent = f"，未送达 {counts['dead']} 条" if counts["dead"] else ""
    media = "、".join(f"{zh} {n}" for zh, n in counts["media"])
    yield Para(
        f"收到线索 {counts['signals']} 条{f'（{media}）' if media else ''}；立案 {len(counts['opened'])} 起，"
        f"办结 {len(counts['closed'])} 起；登记凭据 {counts['evidence']} 条；发出提醒 {counts['alerts']} 条"
        f"{unsent}；到期未完成的时限 {len(counts['late'])} 项。"
    )
    rows = tuple(
        (_hour(one["at"]), one["ref"], f"{one['kind_zh']} {one['text']}", one["by"]) for one in shift["lines"]
    )
    yield Table(("时间", "事件", "事项", "谁"), rows, "办理经过", (1, 1.6, 5, 1.2))
    if shift["more"]:
        yield Para(f"另有 {shift['more']} 条未列出，见审计页。", note=True)
    for note in shift["notes"]:
        yield Para(
            f"{_hour(note['at'])} {note['by']} 记事{'（签后补记）' if note['after'] else ''}：{note['text']}"
        )
    yield Para(_signature(shift))


def _taken(shift: View) -> str:
    taken = shift["handover"]
    if taken is None:
        return ""
    if taken["accepted_at"] is None:
        return "交接未签收。"
    return f"{taken['accepted_by']} 于 {_hour(taken['accepted_at'])} 签收交接。"


def _signature(shift: View) -> str:
    signed = shift["signed"]
    if signed is None:
        return "带班签字：（未签）"
    head = f"（留痕第 {signed['head']['seq']} 条，{signed['head']['hash'][:12]}…）"
    return f"带班签字：{signed['by']} {_hour(signed['at'])} {signed['words']}{head}"


def _hour(moment: str) -> str:
    return f"{local(parse_iso(moment)):%m-%d %H:%M}"
