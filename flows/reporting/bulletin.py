"""季度通报: the quarter's results, the website findings by the four defects, and what became of last quarter's
(S-118, S-119)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connectors.reports.paper import Block, Paper, Para, Table
from flows.reporting import asking, sections
from flows.reporting.asking import Ask, View
from flows.reporting.brief import opened_in
from models.core.casework import Defect, Register
from models.core.periods import Period
from models.ledger import reporting

COUNTED = (Register.SITE_ERROR, Register.COMPLAINT, Register.SUPERVISION, Register.DISCLOSURE_REQUEST)
"""Registers whose figures stand in the bulletin beside the findings."""


def paper(ask: Ask) -> Paper:
    """The bulletin of a quarter (or of any other period, against the one before it)."""
    now, before = ask.period, ask.period.before
    with ask.house.store.read() as conn:
        incidents = reporting.incidents(conn, now.since, now.until, ask.now, ask.house.names)
        found = reporting.entries(conn, now.since, now.until, Register.FINDING)
        last = reporting.entries(conn, before.since, before.until, Register.FINDING)
        others = reporting.entries(conn, now.since, now.until, *COUNTED)
        words, opened = sections.counted(incidents), opened_in(incidents, ask)
        mended = mending(last)
        blocks = [
            *sections.headed(
                "回应情况", [sections.overview(incidents, opened, words), _units(incidents, ask)]
            ),
            *sections.headed("逾期事项", [sections.overdue(incidents, ask.now, ask)]),
            *sections.headed("本期监测发现的问题", _findings(found, ask)),
            *sections.headed("上期问题整改情况", _mended(last, mended, before, ask)),
            *sections.headed("其他台账", [_others(others)]),
        ]
        data = {"period": now.key, **words, "findings": by_defect(found), "last": mended}
        title = f"{now.name}政务舆情回应和网站监测情况通报"
        return asking.paper(conn, ask, "季度通报", title, blocks, data=data)


def by_defect(found: Sequence[View]) -> dict[str, int]:
    """How many findings of each of the four kinds: late, inaccurate, unresponsive, useless."""
    counts = Counter(str(row["details"].get("defect", "")) for row in found)
    return {defect.value: counts[defect.value] for defect in Defect}


def mending(last: Sequence[View]) -> View:
    """Of the findings of the period before: found, mended, late (mended after their date), open, rate."""
    mended = [row for row in last if row["done_at"]]
    late = sum(row["due_at"] is not None and row["done_at"] > row["due_at"] for row in mended)
    rate = len(mended) / len(last) if last else None
    return {
        "found": len(last),
        "mended": len(mended),
        "late": late,
        "open": len(last) - len(mended),
        "rate": rate,
    }


def _units(incidents: Sequence[View], ask: Ask) -> Table:
    """Each unit's clocks: how many, how many in time."""
    units: dict[str, Counter[str]] = {}
    for incident in incidents:
        told = units.setdefault(ask.unit(incident["owner"]), Counter())
        told["incidents"] += 1
        told.update(sections.counted([incident]) | {"on_time": 0})
    rows = tuple(
        (
            name,
            n["incidents"],
            n["kept"] + n["late"],
            n["kept"],
            n["late"],
            sections.share(n["kept"], n["kept"] + n["late"]),
        )
        for name, n in sorted(units.items())
    )
    head = ("单位", "事件", "已到期时钟", "按时", "逾期", "按时率")
    return Table(head, rows, "各单位", (2, 0.8, 1.2, 0.8, 0.8, 1.8), "本期没有事件。")


def _findings(found: Sequence[View], ask: Ask) -> list[Block]:
    if not found:
        return [Para("本期没有登记网站监测问题。")]
    counts = by_defect(found)
    said = "、".join(f"{defect.zh} {counts[defect.value]} 个" for defect in Defect)
    rows = tuple(
        (
            sections.full(row["happened_at"])[:10], ask.unit(row["unit"]), _defect(row), row["title"],
            sections.day(row["due_at"]), "已整改" if row["done_at"] else "未整改",
        )
        for row in found
    )  # fmt: skip
    head = ("发现", "单位", "类型", "问题", "限期", "状态")
    return [
        Para(f"共发现问题 {len(found)} 个：{said}。"),
        Table(head, rows, "问题清单", (1.3, 1.4, 1, 3, 1.3, 1)),
    ]


def _defect(row: View) -> str:
    value = row["details"].get("defect")
    return Defect(value).zh if value in set(Defect) else "未分类"


def _mended(last: Sequence[View], sums: View, before: Period, ask: Ask) -> list[Block]:
    if not last:
        return [Para(f"{before.name}没有登记网站监测问题。")]
    words = (
        f"{before.name}发现问题 {sums['found']} 个，已整改 {sections.share(sums['mended'], sums['found'])}，"
        f"其中超过限期 {sums['late']} 个；尚未整改 {sums['open']} 个。"
    )
    rows = tuple(
        (ask.unit(row["unit"]), _defect(row), row["title"], sections.full(row["done_at"])[:10], row["result"])
        for row in last
    )
    return [
        Para(words),
        Table(("单位", "类型", "问题", "整改", "结果"), rows, "上期问题", (1.4, 1, 3, 1.3, 2)),
    ]


def _others(rows: Sequence[View]) -> Table:
    made = []
    for kind in COUNTED:
        of_kind = [row for row in rows if row["kind"] == kind.value]
        done = sum(row["done_at"] is not None for row in of_kind)
        made.append((kind.zh, len(of_kind), done, len(of_kind) - done))
    return Table(("台账", "本期登记", "已办结", "未办结"), tuple(made), "台账", (2, 1, 1, 1))
